# JSON text in a buffer that grows: names, strings, numbers, and the commas between members and elements.
# Whoever begins a text frees `start` with PyMem_Free, also after an exception.
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Realloc
from libc.string cimport memcpy

from kcore.scalars cimport int64_t, uint8_t, uint64_t

cdef extern from "Python.h":
    object PyUnicode_DecodeUTF8(const char *data, Py_ssize_t size, const char *errors)

cdef enum:
    # The longest text of an integer.
    NUMBER_SIZE_MAX = 24
    # Of one byte, as an escape: \\u001f.
    ESCAPE_SIZE = 6

cdef struct Text:
    char *start
    size_t size
    size_t room


cdef inline int reserve(Text *text, size_t more) except -1:
    """Make room for so many bytes more; the buffer at least doubles, so that growing costs little in all."""
    cdef size_t room = text.room
    cdef char *moved
    if text.size + more <= room:
        return 0
    room = 2 * room if 2 * room >= text.size + more else text.size + more
    moved = <char *>PyMem_Realloc(text.start, room)
    if moved == NULL:
        raise MemoryError
    text.start = moved
    text.room = room
    return 0


cdef inline int put(Text *text, const char *data, size_t size) except -1:
    if text.size + size > text.room:
        reserve(text, size)
    memcpy(text.start + text.size, data, size)
    text.size += size
    return 0


cdef inline int put_byte(Text *text, char byte) except -1:
    if text.size == text.room:
        reserve(text, 1)
    text.start[text.size] = byte
    text.size += 1
    return 0


cdef inline int put_bytes(Text *text, bytes data) except -1:
    return put(text, PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))


cdef inline int begin_member(Text *text, const char *key, size_t size) except -1:
    """Write a member's name, which comes with quotes and colon, after a comma unless it is the first of its object."""
    if text.start[text.size - 1] != b"{":
        put_byte(text, b",")
    return put(text, key, size)


cdef inline int begin_element(Text *text) except -1:
    """Write a comma unless the element is the first of its list."""
    return 0 if text.start[text.size - 1] == b"[" else put_byte(text, b",")


cdef inline int put_integer(Text *text, int64_t value) except -1:
    cdef char digits[NUMBER_SIZE_MAX]
    cdef int place = NUMBER_SIZE_MAX
    cdef uint64_t rest = <uint64_t>value
    if value < 0:
        rest = 0 - rest
    while True:
        place -= 1
        digits[place] = <char>(48 + rest % 10)
        rest //= 10
        if rest == 0:
            break
    if value < 0:
        place -= 1
        digits[place] = b"-"
    return put(text, &digits[place], NUMBER_SIZE_MAX - place)


cdef inline char *escape(char *out, uint8_t byte) noexcept nogil:
    """Write one byte as an escape; Returns the place after it."""
    cdef const char *digits = b"0123456789abcdef"
    cdef char short = 0
    if byte == 0x22 or byte == 0x5C:
        short = <char>byte
    elif byte == 0x08:
        short = b"b"
    elif byte == 0x09:
        short = b"t"
    elif byte == 0x0A:
        short = b"n"
    elif byte == 0x0C:
        short = b"f"
    elif byte == 0x0D:
        short = b"r"
    out[0] = b"\\"
    if short:
        out[1] = short
        return out + 2
    out[1] = b"u"
    out[2] = out[3] = b"0"
    out[4] = digits[byte >> 4]
    out[5] = digits[byte & 15]
    return out + ESCAPE_SIZE


cdef inline int put_string(Text *text, const uint8_t *at, const uint8_t *end) except -1:
    """Write a string; what JSON demands is escaped, and nothing else. Raises UnicodeDecodeError."""
    cdef const uint8_t *start = at
    cdef char *out
    cdef uint8_t every = 0
    reserve(text, ESCAPE_SIZE * <size_t>(end - at) + 2)
    out = text.start + text.size
    out[0] = b'"'
    out += 1
    while at < end:
        every |= at[0]
        if at[0] >= 0x20 and at[0] != 0x22 and at[0] != 0x5C:
            out[0] = <char>at[0]
            out += 1
        else:
            out = escape(out, at[0])
        at += 1
    out[0] = b'"'
    text.size = out + 1 - text.start
    if every >= 0x80:
        PyUnicode_DecodeUTF8(<const char *>start, end - start, NULL)
    return 0
