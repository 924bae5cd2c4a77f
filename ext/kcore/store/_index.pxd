# The key index, for the module of this package that writes into it.
from kcore.scalars cimport int64_t
from kcore.store._track cimport Change, Order, Track

cdef class KeyIndex:
    cdef dict tracks
    cdef Order order
    cdef int64_t present_count

    cdef Track find(self, bytes key)
    cdef int drop(self, Track track) except -1
    cdef int64_t append_put(self, bytes key, bytes value, Change* change) except? -1
    cdef tuple pair(self, Track track, Py_ssize_t at)
    cdef int thin(self, Track track, list floors, int64_t floor, dict dead) except -1
