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

cdef struct Stamp:
    # A message, its metadata, the resourceVersion in it that gives way, and the one that takes its place, written from the end of `digits`.
    Place start
    Place end
    Span meta
    Span old
    uint8_t digits[DIGITS_MAX + 2]
    uint8_t *field
    Py_ssize_t field_size
    Py_ssize_t meta_size
    Py_ssize_t size


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
    cdef Stamp stamp
    cdef Place start = <Place>PyBytes_AS_STRING(raw)
    find_stamp(&stamp, start, start + PyBytes_GET_SIZE(raw), revision, LIST_VERSION if is_list else OBJECT_VERSION)
    out = PyBytes_FromStringAndSize(NULL, stamp.size)
    put_stamped(<uint8_t *>PyBytes_AS_STRING(out), &stamp)
    return out


def watch_event(bytes event_type not None, bytes value not None, int64_t revision, bint metadata_only=False):
    """Return an event as an element of a watch response: `events { type, object }`, the object with its resourceVersion.

    value          an object's envelope
    metadata_only  leave out of the object whatever is not its metadata
    Raises         DecodeError
    """
    cdef Stamp stamp
    cdef Place at = <Place>PyBytes_AS_STRING(value)
    cdef Place end = at + PyBytes_GET_SIZE(value)
    if end - at < MAGIC_SIZE or memcmp(at, MAGIC, MAGIC_SIZE) != 0:
        raise DecodeError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    cdef Span raw = find_field(at + MAGIC_SIZE, end, 2)
    find_stamp(&stamp, raw.start, raw.stop, revision, OBJECT_VERSION)
    if metadata_only:
        stamp.size -= (stamp.meta.tag - stamp.start) + (stamp.end - stamp.meta.stop)
        stamp.start, stamp.end = stamp.meta.tag, stamp.meta.stop
    cdef Py_ssize_t type_size = PyBytes_GET_SIZE(event_type)
    cdef Py_ssize_t size = 2 + varint_size(type_size) + type_size + varint_size(stamp.size) + stamp.size
    out = PyBytes_FromStringAndSize(NULL, 1 + varint_size(size) + size)
    cdef uint8_t *to = put_tag(<uint8_t *>PyBytes_AS_STRING(out), 1, size)
    to = put_bytes(to, 1, event_type)
    put_stamped(put_tag(to, 2, stamp.size), &stamp)
    return out


def splice(bytes raw not None, edits not None):
    """Replace fields by path; see `kcore.machinery.codec.splice`."""
    for path, field in edits:
        raw = replaced(raw, tuple(path), 0, field if field is not None else b"")
    return raw


def only(bytes raw not None, uint32_t first, uint32_t second):
    """Return a message with no fields but those of two numbers.

    Raises  DecodeError
    """
    cdef uint64_t tag = 0
    cdef Place start = <Place>PyBytes_AS_STRING(raw)
    cdef Place end = start + PyBytes_GET_SIZE(raw)
    cdef Place at = start
    cdef Place head
    cdef Place stop
    out = PyBytes_FromStringAndSize(NULL, end - start)
    cdef uint8_t *to = <uint8_t *>PyBytes_AS_STRING(out)
    cdef uint8_t *to_start = to
    while at < end:
        head = at
        next_field(at, end, &tag, &stop)
        if (tag >> 3) == first or (tag >> 3) == second:
            to = put_span(to, head, stop)
        at = stop
    return (<const char *>to_start)[:to - to_start]


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


cdef int find_stamp(Stamp *stamp, Place start, Place end, int64_t revision, uint32_t number) except -1:
    """Work out what a message is with a resourceVersion in its metadata."""
    cdef uint8_t *digits_end = stamp.digits + DIGITS_MAX + 2
    stamp.start, stamp.end = start, end
    stamp.field = put_version(digits_end, revision, number)
    stamp.field_size = digits_end - stamp.field
    stamp.meta = find_field(start, end, 1)
    if stamp.meta.tag == NULL:
        stamp.meta.tag = stamp.meta.start = stamp.meta.stop = start
    stamp.old = find_field(stamp.meta.start, stamp.meta.stop, number)
    if stamp.old.tag == NULL:
        stamp.old.tag = stamp.old.stop = place_of(stamp.meta.start, stamp.meta.stop, number)
    stamp.meta_size = (stamp.old.tag - stamp.meta.start) + stamp.field_size + (stamp.meta.stop - stamp.old.stop)
    stamp.size = (stamp.meta.tag - start) + 1 + varint_size(stamp.meta_size) + stamp.meta_size + (end - stamp.meta.stop)
    return 0


cdef uint8_t *put_stamped(uint8_t *at, Stamp *stamp) noexcept:
    """Write what `find_stamp` worked out; Returns where it ends."""
    at = put_span(at, stamp.start, stamp.meta.tag)
    at = put_tag(at, 1, stamp.meta_size)
    at = put_span(at, stamp.meta.start, stamp.old.tag)
    at = put_span(at, stamp.field, stamp.field + stamp.field_size)
    at = put_span(at, stamp.old.stop, stamp.meta.stop)
    return put_span(at, stamp.meta.stop, stamp.end)


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
