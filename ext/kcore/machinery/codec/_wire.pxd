# The protobuf wire: varints and tags, read forwards with bounds and written backwards; shared by every kernel of machinery.
# A reader never looks at or beyond `end`: it returns -1 with an exception set. Writers assume that the caller made room.
from kcore.scalars cimport int64_t, uint8_t, uint32_t, uint64_t

cdef enum WireType:
    VARINT = 0
    FIXED64 = 1
    DELIMITED = 2
    GROUP_START = 3
    GROUP_END = 4
    FIXED32 = 5

# Bytes that a varint, or a tag of a field number below 2^21, takes at most.
cdef enum Size:
    VARINT_SIZE_MAX = 10
    TAG_SIZE_MAX = 4


cdef inline const uint8_t *read_varint(const uint8_t *at, const uint8_t *end, uint64_t *value) noexcept nogil:
    """Read a varint; Returns the place after it, or NULL if it is cut short or longer than 64 bits."""
    cdef uint64_t result = 0
    cdef int shift = 0
    cdef uint8_t byte
    while at < end and shift < 64:
        byte = at[0]
        at += 1
        result |= (<uint64_t>(byte & 0x7F)) << shift
        if byte < 0x80:
            value[0] = result
            return at
        shift += 7
    return NULL


cdef inline const uint8_t *read_span(const uint8_t *at, const uint8_t *end, const uint8_t **stop) noexcept nogil:
    """Read a length; Returns the place after it and sets `stop` to the end of what it measures, or NULL if that is not all there."""
    cdef uint64_t size = 0
    if at < end and at[0] < 0x80:
        size = at[0]
        at += 1
    else:
        at = read_varint(at, end, &size)
        if at == NULL:
            return NULL
    if size > <uint64_t>(end - at):
        return NULL
    stop[0] = at + size
    return at


cdef inline const uint8_t *skip_value(const uint8_t *at, const uint8_t *end, uint32_t wire_type) noexcept nogil:
    """Step over a value that is no group; Returns the place after it, or NULL."""
    cdef uint64_t value = 0
    cdef const uint8_t *stop = NULL
    if wire_type == VARINT:
        return read_varint(at, end, &value)
    if wire_type == DELIMITED:
        return stop if read_span(at, end, &stop) != NULL else NULL
    if wire_type == FIXED64:
        return at + 8 if end - at >= 8 else NULL
    if wire_type == FIXED32:
        return at + 4 if end - at >= 4 else NULL
    return NULL


cdef inline const uint8_t *skip_field(const uint8_t *at, const uint8_t *end, uint64_t tag) noexcept nogil:
    """Step over the value of a field nobody knows, groups included; Returns the place after it, or NULL if it is malformed."""
    cdef int depth = 0
    cdef uint64_t open_tag = tag
    while True:
        if (open_tag & 7) == GROUP_START:
            depth += 1
        elif (open_tag & 7) == GROUP_END:
            depth -= 1
            if depth < 0:
                return NULL
        else:
            at = skip_value(at, end, open_tag & 7)
            if at == NULL:
                return NULL
        if depth == 0:
            return at
        at = read_varint(at, end, &open_tag)
        if at == NULL:
            return NULL


cdef inline uint8_t *write_varint(uint8_t *at, uint64_t value) noexcept nogil:
    """Write a varint that ends at `at`; Returns where it starts."""
    cdef int size = 1
    cdef int index
    cdef uint64_t rest = value >> 7
    while rest:
        size += 1
        rest >>= 7
    at -= size
    for index in range(size - 1):
        at[index] = <uint8_t>(value & 0x7F) | 0x80
        value >>= 7
    at[size - 1] = <uint8_t>value
    return at


cdef inline int varint_size(uint64_t value) noexcept nogil:
    cdef int size = 1
    while value >= 0x80:
        size += 1
        value >>= 7
    return size
