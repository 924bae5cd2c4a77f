# What goes in and out of the store, for the modules of this package that read it field by field.
from kcore.scalars cimport int64_t

cdef class Mutation:
    cdef public int64_t revision
    cdef public int64_t sub
    cdef public bytes key
    cdef public bytes value
    cdef public int64_t create_revision
    cdef public int64_t version
    cdef public int64_t lease

cdef class Compare:
    cdef public bytes key
    cdef public str target
    cdef public str result
    cdef public object operand
    cdef public bytes range_end

cdef class Put:
    cdef public bytes key
    cdef public bytes value
    cdef public int64_t lease

cdef class Txn:
    cdef public object compares
    cdef public object success
    cdef public object failure

cdef class Delete:
    cdef public bytes key
    cdef public bytes range_end

cdef class Range:
    cdef public bytes key
    cdef public bytes range_end
    cdef public int64_t limit
