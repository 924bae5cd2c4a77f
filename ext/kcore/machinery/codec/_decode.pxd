# What other kernels of machinery take from the decoder.
from cpython.object cimport PyObject
from kcore.scalars cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from kcore.machinery.codec._table cimport Field, Table

cdef object read_object(Table table, const uint8_t *at, const uint8_t *end, int depth)
cdef object read_payload(const Field *field, const uint8_t *at, const uint8_t *end, int depth)
cdef object number_value(const Field *field, uint64_t value)
cdef object double_value(double value)
cdef object empty_value(const Field *field, int depth)
cdef object time_text(int64_t seconds, int32_t nanos, bint micro)
cdef int read_time(const uint8_t *at, const uint8_t *end, int64_t *seconds, int32_t *nanos) except -1
cdef object read_int_or_string(const uint8_t *at, const uint8_t *end)
cdef const uint8_t *find_text(const uint8_t *at, const uint8_t *end, uint32_t number, const uint8_t **stop) except? NULL
cdef const uint8_t *read_number(
    Table table, const Field *field, const uint8_t *at, const uint8_t *end, dict out, uint64_t *seen, int base
) except NULL
cdef const uint8_t *read_delimited(
    Table table, const Field *field, const uint8_t *at, const uint8_t *end, dict out, uint64_t *seen, int base, int depth
) except NULL
