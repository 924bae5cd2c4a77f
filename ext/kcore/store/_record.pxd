# The layout of one stored record and its checksum, for the modules of this package that read chunks.
from kcore.scalars cimport int64_t, uint8_t, uint32_t

cdef enum:
    HEADER_SIZE = 56
    FLAG_DELETE = 1

# Little endian on disk, as every machine this is built for has it in memory; checked when the module is imported.
cdef struct Header:
    uint32_t checksum
    uint32_t flags
    uint32_t key_size
    uint32_t value_size
    uint32_t sub
    uint32_t reserved
    int64_t revision
    int64_t create_revision
    int64_t version
    int64_t lease

cdef uint32_t checksum_of(uint32_t checksum, const uint8_t* data, size_t size) noexcept nogil
cdef int64_t check_record(const uint8_t* data, size_t size, Header* header) except? -1 nogil
