"""Edits of stored bytes that decode nothing: the envelope around a message, its resourceVersion, and fields replaced by path.

For the API server's read path, binding and status. A sub-message never occurs twice in what is returned. Any thread that holds the GIL.
Cost: one copy for the envelope and the resourceVersion; one more for each level of a path in `splice`.
Source: apimachinery `pkg/runtime/serializer/protobuf`, `pkg/runtime/generated.proto`.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcmp, memcpy

from kcore.scalars cimport int64_t, uint8_t, uint32_t, uint64_t
from kcore.machinery.codec._wire cimport DELIMITED, read_span, read_varint, skip_field, varint_size, write_varint

from kcore.machinery.codec._table import DecodeError

cdef extern from "Python.h":
    object PyUnicode_DecodeUTF8(const char *data, Py_ssize_t size, const char *errors)

cdef enum:
    MAGIC_SIZE = 4
    # contentEncoding and contentType, both empty and both written.
    TAIL_SIZE = 4
    # resourceVersion in ObjectMeta and in ListMeta, which are field 1 of every message that has metadata.
    OBJECT_VERSION = 6
    LIST_VERSION = 2
    DIGITS_MAX = 20

cdef const char *MAGIC = b"k8s\0"
cdef const char *TAIL = b"\x1a\0\x22\0"

ctypedef const uint8_t *Place

cdef struct Span:
    Place tag       # where the field's tag stands, NULL if the field is absent
    Place start     # where its payload starts
    Place stop


def envelope(str api_version not None, str kind not None, bytes raw not None):
    """Put a message into the envelope in which it is stored and sent."""
    cdef bytes version = api_version.encode()
    cdef bytes name = kind.encode()
    cdef Py_ssize_t version_size = PyBytes_GET_SIZE(version)
    cdef Py_ssize_t name_size = PyBytes_GET_SIZE(name)
    cdef Py_ssize_t raw_size = PyBytes_GET_SIZE(raw)
    cdef Py_ssize_t meta_size = 2 + varint_size(version_size) + version_size + varint_size(name_size) + name_size
    cdef Py_ssize_t size = MAGIC_SIZE + 1 + varint_size(meta_size) + meta_size + 1 + varint_size(raw_size) + raw_size + TAIL_SIZE
    out = PyBytes_FromStringAndSize(NULL, size)
    cdef uint8_t *at = <uint8_t *>PyBytes_AS_STRING(out)
    memcpy(at, MAGIC, MAGIC_SIZE)
    at = put_tag(at + MAGIC_SIZE, 1, meta_size)
    at = put_bytes(at, 1, version)
    at = put_bytes(at, 2, name)
    at = put_bytes(at, 2, raw)
    memcpy(at, TAIL, TAIL_SIZE)
    return out


def open_envelope(bytes data not None):
    """Return apiVersion, kind and message of an envelope.

    Raises  DecodeError
    """
    cdef Place at = <Place>PyBytes_AS_STRING(data)
    cdef Place end = at + PyBytes_GET_SIZE(data)
    if end - at < MAGIC_SIZE or memcmp(at, MAGIC, MAGIC_SIZE) != 0:
        raise DecodeError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    cdef Span meta = find_field(at + MAGIC_SIZE, end, 1)
    cdef Span raw = find_field(at + MAGIC_SIZE, end, 2)
    cdef Span version = find_field(meta.start, meta.stop, 1)
    cdef Span kind = find_field(meta.start, meta.stop, 2)
    return text_of(version), text_of(kind), (<const char *>raw.start)[:raw.stop - raw.start]


def splice_resource_version(bytes raw not None, int64_t revision, bint is_list=False):
    """Set `metadata.resourceVersion` of a message to a revision.

    raw      a message whose field 1 is its metadata
    is_list  the metadata is a ListMeta
    Raises   DecodeError if the metadata is malformed
    """
    cdef uint8_t digits[DIGITS_MAX + 2]
    cdef uint8_t *field = put_version(digits + DIGITS_MAX + 2, revision, LIST_VERSION if is_list else OBJECT_VERSION)
    cdef Py_ssize_t field_size = digits + DIGITS_MAX + 2 - field
    cdef Place start = <Place>PyBytes_AS_STRING(raw)
    cdef Place end = start + PyBytes_GET_SIZE(raw)
    cdef Span meta = find_field(start, end, 1)
    if meta.tag == NULL:
        meta.tag = meta.start = meta.stop = start
    cdef Span old = find_field(meta.start, meta.stop, LIST_VERSION if is_list else OBJECT_VERSION)
    if old.tag == NULL:
        old.tag = old.stop = place_of(meta.start, meta.stop, LIST_VERSION if is_list else OBJECT_VERSION)
    cdef Py_ssize_t meta_size = (old.tag - meta.start) + field_size + (meta.stop - old.stop)
    out = PyBytes_FromStringAndSize(NULL, (meta.tag - start) + 1 + varint_size(meta_size) + meta_size + (end - meta.stop))
    cdef uint8_t *at = <uint8_t *>PyBytes_AS_STRING(out)
    at = put_span(at, start, meta.tag)
    at = put_tag(at, 1, meta_size)
    at = put_span(at, meta.start, old.tag)
    at = put_span(at, field, field + field_size)
    at = put_span(at, old.stop, meta.stop)
    put_span(at, meta.stop, end)
    return out


def splice(bytes raw not None, edits not None):
    """Replace fields by path; see `kcore.machinery.codec.splice`."""
    for path, field in edits:
        raw = replaced(raw, tuple(path), 0, field if field is not None else b"")
    return raw


def occurrences(bytes raw not None, path not None):
    """Return the payloads of a repeated field, in their order.

    path    field numbers; the last is the repeated field's
    Raises  DecodeError
    """
    cdef uint64_t tag = 0
    cdef Place stop
    cdef Py_ssize_t depth
    cdef uint32_t number
    for depth in range(len(path) - 1):
        raw = payload_of(<Place>PyBytes_AS_STRING(raw), <Place>PyBytes_AS_STRING(raw) + PyBytes_GET_SIZE(raw), path[depth])
    number = path[len(path) - 1]
    cdef Place at = <Place>PyBytes_AS_STRING(raw)
    cdef Place end = at + PyBytes_GET_SIZE(raw)
    found = []
    while at < end:
        at = next_field(at, end, &tag, &stop)
        if tag == (<uint64_t>number << 3 | DELIMITED):
            at = read_span(at, stop, &stop)
            found.append((<const char *>at)[:stop - at])
        at = stop
    return found


def text_field(bytes raw not None, uint32_t number):
    """Return a string field of a message, empty if it is absent.

    Raises  DecodeError
    """
    cdef Place at = <Place>PyBytes_AS_STRING(raw)
    return text_of(find_field(at, at + PyBytes_GET_SIZE(raw), number))


def delimited(uint32_t number, bytes payload not None):
    """Return a length-delimited field as it stands on the wire."""
    cdef Py_ssize_t size = PyBytes_GET_SIZE(payload)
    field = PyBytes_FromStringAndSize(NULL, varint_size(number << 3) + varint_size(size) + size)
    put_bytes(<uint8_t *>PyBytes_AS_STRING(field), number, payload)
    return field


cdef bytes replaced(bytes raw, tuple path, Py_ssize_t depth, bytes field):
    """Return a message in which the field at the rest of the path is another one."""
    cdef uint32_t number = path[depth]
    cdef Place start = <Place>PyBytes_AS_STRING(raw)
    cdef Place end = start + PyBytes_GET_SIZE(raw)
    if depth + 1 < len(path):
        field = delimited(number, replaced(payload_of(start, end, number), path, depth + 1, field))
    return without(start, end, number, field)


cdef bytes payload_of(Place at, Place end, uint32_t number):
    """Return the payload of a sub-message, all its occurrences one after the other, which is the same message."""
    cdef uint64_t tag = 0
    cdef Place stop
    found = b""
    while at < end:
        at = next_field(at, end, &tag, &stop)
        if tag == (<uint64_t>number << 3 | DELIMITED):
            at = read_span(at, stop, &stop)
            found += (<const char *>at)[:stop - at]
        at = stop
    return found


cdef bytes without(Place start, Place end, uint32_t number, bytes field):
    """Return a message whose field of this number is `field` alone, at the place of the first one or where its number belongs."""
    cdef uint64_t tag = 0
    cdef Place at = start
    cdef Place stop
    cdef Place head
    cdef Place kept = start
    cdef bint placed = False
    parts = []
    while at < end:
        head = at
        at = next_field(at, end, &tag, &stop)
        if (tag >> 3) == number or ((tag >> 3) > number and not placed):
            parts.append((<const char *>kept)[:head - kept])
            if not placed:
                parts.append(field)
                placed = True
            kept = stop if (tag >> 3) == number else head
        at = stop
    parts.append((<const char *>kept)[:end - kept])
    if not placed:
        parts.append(field)
    return b"".join(parts)


cdef Place next_field(Place at, Place end, uint64_t *tag, Place *stop) except NULL:
    """Read a tag; Returns where its value starts and sets `stop` to where the field ends."""
    at = read_varint(at, end, tag)
    if at != NULL:
        stop[0] = skip_field(at, end, tag[0])
    if at == NULL or stop[0] == NULL or tag[0] < 8:
        raise DecodeError("malformed message")
    return at


cdef Span find_field(Place at, Place end, uint32_t number) except *:
    """Find the last length-delimited field of a number; `start` and `stop` are equal if it is absent."""
    cdef uint64_t tag = 0
    cdef Place stop
    cdef Place head
    cdef Span found
    found.tag = NULL
    found.start = found.stop = at
    while at < end:
        head = at
        at = next_field(at, end, &tag, &stop)
        if tag == (<uint64_t>number << 3 | DELIMITED):
            found.tag = head
            found.start = read_span(at, stop, &found.stop)
        at = stop
    return found


cdef Place place_of(Place at, Place end, uint32_t number) except? NULL:
    """Return where a field of this number belongs: before the first that has a higher one."""
    cdef uint64_t tag = 0
    cdef Place stop
    while at < end:
        if next_field(at, end, &tag, &stop) != NULL and (tag >> 3) > number:
            return at
        at = stop
    return end


cdef uint8_t *put_version(uint8_t *end, int64_t revision, uint32_t number) except NULL:
    """Write a resourceVersion field that ends at `end`; Returns where it starts."""
    cdef uint8_t *at = end
    if revision < 0:
        raise ValueError(f"revision {revision} is negative")
    while True:
        at -= 1
        at[0] = <uint8_t>(48 + revision % 10)
        revision //= 10
        if revision == 0:
            break
    at = write_varint(at, end - at)
    return write_varint(at, number << 3 | DELIMITED)


cdef inline uint8_t *put_span(uint8_t *at, Place start, Place stop) noexcept:
    memcpy(at, start, stop - start)
    return at + (stop - start)


cdef inline uint8_t *put_tag(uint8_t *at, uint32_t number, Py_ssize_t size) noexcept:
    at += varint_size(number << 3)
    write_varint(at, number << 3 | DELIMITED)
    at += varint_size(size)
    write_varint(at, size)
    return at


cdef inline uint8_t *put_bytes(uint8_t *at, uint32_t number, bytes payload) noexcept:
    at = put_tag(at, number, PyBytes_GET_SIZE(payload))
    memcpy(at, PyBytes_AS_STRING(payload), PyBytes_GET_SIZE(payload))
    return at + PyBytes_GET_SIZE(payload)


cdef str text_of(Span span):
    try:
        return PyUnicode_DecodeUTF8(<const char *>span.start, span.stop - span.start, NULL)
    except UnicodeDecodeError as error:
        raise DecodeError("a string in the message is not UTF-8") from error
