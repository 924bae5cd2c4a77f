from kcore.scalars cimport int64_t, uint8_t

cdef enum:
    BLOCK = 64


cdef class Ranking:
    cdef uint8_t[::1] feasible
    cdef int64_t[::1] totals
    cdef int64_t *tops
    cdef Py_ssize_t *ties
    cdef Py_ssize_t *passing
    cdef Py_ssize_t blocks
    cdef readonly Py_ssize_t feasible_count

    cdef void put(self, Py_ssize_t block, int64_t top, Py_ssize_t ties, Py_ssize_t passing) noexcept nogil
    cdef void rank_block(self, Py_ssize_t block) noexcept nogil
    cdef int64_t find(self, Py_ssize_t *ties) noexcept nogil
    cdef Py_ssize_t tied(self, int64_t top, Py_ssize_t skipped) noexcept nogil
    cdef Py_ssize_t draw(self, randrange, Py_ssize_t *ties) except -1
