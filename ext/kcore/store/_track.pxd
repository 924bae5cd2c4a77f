# One key with its changes, and the order of all keys: what the index is made of.
from kcore.scalars cimport int64_t, uint32_t

# Every change of a key, oldest first. A key put at revision 2 (a), changed at 5 (b), deleted at 7 and made anew at 9 (c):
#
#   revision          2        5        7        9
#   value             a        b     removed     c
#   create_revision   2        2        2        9
#   version           1        2        2        1
#                     '-- first life ---'        '-- second life
cdef struct Change:
    int64_t revision
    int64_t create_revision
    int64_t version
    int64_t lease
    int64_t chunk
    uint32_t offset
    uint32_t size
    uint32_t sub
    bint removed

cdef class Track:
    cdef bytes key
    cdef bytes value
    cdef Change* changes
    cdef Py_ssize_t count
    cdef Py_ssize_t room

    cdef int append(self, const Change* change) except -1
    cdef Py_ssize_t at(self, int64_t revision) noexcept
    cdef Track clone(self)

cdef struct Block:
    void** tracks
    Py_ssize_t count

cdef class Order:
    cdef Block* blocks
    cdef Py_ssize_t count
    cdef Py_ssize_t room

    cdef Py_ssize_t block_of(self, bytes key) noexcept
    cdef Py_ssize_t place_in(self, Py_ssize_t block, bytes key) noexcept
    cdef int insert(self, Track track) except -1
    cdef int append(self, Track track) except -1
    cdef int remove(self, Track track) except -1
    cdef int make_block(self, Py_ssize_t at) except -1

cdef class Walk:
    cdef Order order
    cdef bytes start
    cdef bytes end
    cdef Py_ssize_t block
    cdef Py_ssize_t place

    cdef Track next(self)
