"""From the wire to JSON text in one pass: what `decode` gives, as JSON, without a dict between.

For the API server, which answers gets, lists and watches with it. Text is that of orjson for the dict, but for objects and lists that are
embedded as JSON: they are copied as they were stored, which they were after being read. Bytes that no encoder of Kubernetes writes (a field
that comes again, a map's keys out of order) go the way over the dict. Any thread that holds the GIL. Cost: some 12 ns for each field.

A list or map is written when its first element is met, as far as elements of the same field follow:

    wire  1 name | 11 label | 11 label | 2 spec        text  {"name":"a","labels":{"k":"v","l":"w"},"spec":{
"""

from base64 import b64encode

import orjson
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free
from libc.string cimport memcmp, memcpy

from kcore.scalars cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from kcore.machinery.codec._decode cimport double_value, find_text, read_int_or_string, read_payload, read_time
from kcore.machinery.codec._table cimport (
    BOOL, BYTES, DOUBLE, INT32, INT_OR_STRING, MAP, MICRO_TIME, OBJECT, QUANTITY, RAW, SINGULAR, STRING, TIME, WRAPPED, Field, Table,
    is_delimited, prepare,
)
from kcore.machinery.codec._text cimport Text, begin_element, begin_member, put, put_byte, put_bytes, put_integer, put_string, reserve
from kcore.machinery.codec._time cimport MICRO_TIME_SIZE, format_time
from kcore.machinery.codec._wire cimport DELIMITED, FIXED64, VARINT, read_span, read_varint, skip_field

from kcore.base import limits
from kcore.machinery.codec._decode import decode
from kcore.machinery.codec._table import DecodeError

cdef int DEPTH_MAX = limits.MESSAGE_DEPTH_MAX

cdef enum:
    # Text is rarely more than twice as long as its message.
    TEXT_SIZE_MIN = 512


class Unusual(Exception):
    """The bytes are well-formed, and not as an encoder of Kubernetes writes them."""


cdef struct Entry:
    const uint8_t *key
    const uint8_t *key_stop
    const uint8_t *value
    const uint8_t *value_stop


def json_text(Table table not None, bytes raw not None, str api_version="", str kind="", bytes after=b""):
    """Return the JSON form of a message as text, with `kind` and `apiVersion` first if they are given, and another text after it.

    Raises  DecodeError
    """
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(raw)
    cdef Text text
    text.start = NULL
    text.size = text.room = 0
    try:
        reserve(&text, 2 * PyBytes_GET_SIZE(raw) + TEXT_SIZE_MIN)
        write_object(table, at, at + PyBytes_GET_SIZE(raw), &text, head(api_version, kind), 0)
        put_bytes(&text, after)
        return PyBytes_FromStringAndSize(text.start, text.size)
    except Unusual:
        return orjson.dumps(decode(table, raw, api_version, kind)) + after
    except UnicodeDecodeError as error:
        raise DecodeError(f"a string in {table.name} is not UTF-8") from error
    finally:
        PyMem_Free(text.start)


cdef bytes head(str api_version, str kind):
    """Return the first members of an object that says what it is, without braces."""
    cdef bytes found = b'"kind":' + orjson.dumps(kind) if kind else b""
    if api_version:
        found += (b',"apiVersion":' if found else b'"apiVersion":') + orjson.dumps(api_version)
    return found


cdef int write_object(Table table, const uint8_t *at, const uint8_t *end, Text *text, bytes first, int depth) except -1:
    """Write a message, and what JSON shows of it even when it is empty; `first` are members that it begins with."""
    cdef uint64_t seen = 0
    cdef int index
    cdef const Field *field
    prepare(table)
    if depth > DEPTH_MAX:
        raise DecodeError(f"{table.name} is nested more than {DEPTH_MAX} messages deep")
    put_byte(text, b"{")
    if first is not None:
        put_bytes(text, first)
    write_fields(table, at, end, text, &seen, 0, depth)
    for index in range(table.emit_count):
        if not (seen >> table.emits[index]) & 1:
            field = table.slots[table.emits[index]]
            begin_member(text, field.key, field.key_size)
            write_empty(field, text, depth)
    return put_byte(text, b"}")


cdef int write_fields(Table table, const uint8_t *at, const uint8_t *end, Text *text, uint64_t *seen, int base, int depth) except -1:
    cdef uint64_t tag = 0
    cdef uint64_t bit
    cdef int index
    cdef const Field *field
    while at < end:
        at = read_varint(at, end, &tag)
        if at == NULL or tag >> 3 == 0:
            raise DecodeError(f"malformed tag in {table.name}")
        index = table.by_number[tag >> 3] if tag >> 3 <= table.number_max else -1
        if index < 0:
            at = skip_field(at, end, tag)
            if at == NULL:
                raise DecodeError(f"malformed field {tag >> 3} in {table.name}")
            continue
        field = &table.fields[index]
        bit = (<uint64_t>1) << (base + index)
        if seen[0] & bit:
            raise Unusual
        seen[0] |= bit
        if field.inline:
            at = write_inline(table, field, at, end, tag & 7, text, seen, base, depth)
        elif field.label == SINGULAR:
            at = write_singular(table, field, at, end, tag & 7, text, depth)
        else:
            at = write_repeated(table, field, at, end, tag, text, depth)
    return 0


cdef const uint8_t *write_inline(
    Table table, const Field *field, const uint8_t *at, const uint8_t *end, uint32_t wire_type, Text *text, uint64_t *seen, int base,
    int depth,
) except NULL:
    """Write the members of a message that JSON shows as those of the message it is in; Returns the place after it."""
    cdef const uint8_t *stop = NULL
    at = open_span(table, field, at, end, wire_type, &stop)
    prepare(<Table>field.sub)
    write_fields(<Table>field.sub, at, stop, text, seen, base + field.base, depth + 1)
    return stop


cdef const uint8_t *write_singular(
    Table table, const Field *field, const uint8_t *at, const uint8_t *end, uint32_t wire_type, Text *text, int depth
) except NULL:
    """Write a field that stands once, or leave it out where JSON does; Returns the place after it."""
    cdef const uint8_t *stop = NULL
    cdef uint64_t number = 0
    if not is_delimited(field):
        at = read_number(table, field, at, end, wire_type, &number)
        if number or not field.always or field.emit:
            begin_member(text, field.key, field.key_size)
            write_number(field, number, text)
        return at
    at = open_span(table, field, at, end, wire_type, &stop)
    if field.emit or not is_left_out(field, at, stop, depth):
        begin_member(text, field.key, field.key_size)
        write_value(field, at, stop, text, depth)
    return stop


cdef bint is_left_out(const Field *field, const uint8_t *at, const uint8_t *stop, int depth) except -1:
    """Whether JSON leaves a value out that is on the wire."""
    cdef const uint8_t *start
    cdef const uint8_t *end = NULL
    if field.kind == STRING or field.kind == BYTES:
        return at == stop and (field.always or field.kind == BYTES)
    if field.kind == TIME or field.kind == MICRO_TIME:
        return at == stop
    if field.kind == RAW:
        start = find_text(at, stop, 1, &end)
        return end <= start or (start[0] != b"{" and start[0] != b"[" and read_payload(field, at, stop, depth) is None)
    return field.kind == WRAPPED and read_payload(field, at, stop, depth) is None


cdef const uint8_t *write_repeated(
    Table table, const Field *field, const uint8_t *at, const uint8_t *end, uint64_t tag, Text *text, int depth
) except NULL:
    """Write the elements or entries that follow each other, the tag of the first of which is read; Returns the place after them."""
    cdef uint64_t following = tag
    cdef const uint8_t *stop = at
    cdef Entry entry
    entry.key = NULL
    begin_member(text, field.key, field.key_size)
    put_byte(text, b"{" if field.label == MAP else b"[")
    while following >> 3 == tag >> 3:
        if field.label == MAP:
            stop = write_entry(table, field, at, end, following & 7, text, &entry, depth)
        else:
            stop = write_elements(table, field, at, end, following & 7, text, depth)
        if stop == end:
            break
        at = read_varint(stop, end, &following)
        if at == NULL:
            raise DecodeError(f"malformed tag in {table.name}")
    put_byte(text, b"}" if field.label == MAP else b"]")
    return stop


cdef const uint8_t *write_elements(
    Table table, const Field *field, const uint8_t *at, const uint8_t *end, uint32_t wire_type, Text *text, int depth
) except NULL:
    """Write one element, or all numbers that are packed; Returns the place after them."""
    cdef const uint8_t *stop = NULL
    cdef uint64_t number = 0
    if is_delimited(field):
        at = open_span(table, field, at, end, wire_type, &stop)
        begin_element(text)
        write_value(field, at, stop, text, depth)
        return stop
    if wire_type != DELIMITED:
        at = read_number(table, field, at, end, wire_type, &number)
        begin_element(text)
        write_number(field, number, text)
        return at
    at = read_span(at, end, &stop)
    if at == NULL:
        raise DecodeError(f"{table.name}.{<str>field.name} is cut short")
    while at < stop:
        at = read_number(table, field, at, stop, FIXED64 if field.kind == DOUBLE else VARINT, &number)
        begin_element(text)
        write_number(field, number, text)
    return stop


cdef const uint8_t *write_entry(
    Table table, const Field *field, const uint8_t *at, const uint8_t *end, uint32_t wire_type, Text *text, Entry *entry, int depth
) except NULL:
    """Write an entry of a map; `entry` is the one before it, and then this one. Returns the place after it."""
    cdef const uint8_t *stop = NULL
    cdef Entry before = entry[0]
    at = open_span(table, field, at, end, wire_type, &stop)
    read_entry(table, field, at, stop, entry)
    if before.key != NULL:
        if not is_before(&before, entry):
            raise Unusual
        put_byte(text, b",")
    put_string(text, entry.key, entry.key_stop)
    put_byte(text, b":")
    write_value(field, entry.value, entry.value_stop, text, depth)
    return stop


cdef inline bint is_before(const Entry *one, const Entry *other) noexcept nogil:
    """Whether a key comes before another, as an encoder orders them."""
    cdef size_t size = one.key_stop - one.key
    cdef size_t other_size = other.key_stop - other.key
    cdef int order = memcmp(one.key, other.key, size if size < other_size else other_size)
    return order < 0 or (order == 0 and size < other_size)


cdef int read_entry(Table table, const Field *field, const uint8_t *at, const uint8_t *stop, Entry *entry) except -1:
    """Find key and value of an entry of a map; a value that is not there has no bytes."""
    cdef const uint8_t *inner = NULL
    cdef uint64_t tag = 0
    entry.key = entry.key_stop = at
    entry.value = entry.value_stop = at
    while at < stop:
        at = read_varint(at, stop, &tag)
        if at != NULL and (tag == (1 << 3 | DELIMITED) or tag == (2 << 3 | DELIMITED)):
            at = read_span(at, stop, &inner)
            if at != NULL:
                if tag == (1 << 3 | DELIMITED):
                    entry.key = at
                    entry.key_stop = inner
                else:
                    entry.value = at
                    entry.value_stop = inner
                at = inner
        elif at != NULL:
            at = skip_field(at, stop, tag) if tag >> 3 > 2 else NULL
        if at == NULL:
            raise DecodeError(f"malformed entry in {table.name}.{<str>field.name}")
    return 0


# values

cdef const uint8_t *open_span(
    Table table, const Field *field, const uint8_t *at, const uint8_t *end, uint32_t wire_type, const uint8_t **stop
) except NULL:
    """Read the length of a value; Returns where it begins and sets `stop` to its end."""
    if wire_type != DELIMITED:
        raise DecodeError(f"wrong wire type {wire_type} for {table.name}.{<str>field.name}")
    at = read_span(at, end, stop)
    if at == NULL:
        raise DecodeError(f"{table.name}.{<str>field.name} is cut short")
    return at


cdef const uint8_t *read_number(
    Table table, const Field *field, const uint8_t *at, const uint8_t *end, uint32_t wire_type, uint64_t *value
) except NULL:
    """Read a number that is not packed; Returns the place after it."""
    if wire_type != (FIXED64 if field.kind == DOUBLE else VARINT):
        raise DecodeError(f"wrong wire type {wire_type} for {table.name}.{<str>field.name}")
    if field.kind != DOUBLE:
        at = read_varint(at, end, value)
    elif end - at >= 8:
        memcpy(value, at, 8)
        at += 8
    else:
        at = NULL
    if at == NULL:
        raise DecodeError(f"{table.name}.{<str>field.name} is cut short")
    return at


cdef int write_empty(const Field *field, Text *text, int depth) except -1:
    """Write a field that is empty and shown all the same."""
    if field.label != SINGULAR or not field.always:
        return put(text, b"null", 4)
    return write_value(field, NULL, NULL, text, depth) if is_delimited(field) else write_number(field, 0, text)


cdef int write_number(const Field *field, uint64_t value, Text *text) except -1:
    cdef double number = 0
    if field.kind == BOOL:
        return put(text, b"true", 4) if value else put(text, b"false", 5)
    if field.kind == DOUBLE:
        memcpy(&number, &value, 8)
        return put_bytes(text, orjson.dumps(double_value(number)))
    return put_integer(text, <int32_t>value if field.kind == INT32 else <int64_t>value)


cdef int write_value(const Field *field, const uint8_t *at, const uint8_t *end, Text *text, int depth) except -1:
    """Write a length-delimited value, as an element of a list or map has it."""
    if field.kind == STRING:
        return put_string(text, at, end)
    if field.kind == OBJECT:
        return write_message(field, at, end, text, depth + 1)
    if field.kind == QUANTITY:
        at = find_text(at, end, 1, &end)
        return put_string(text, at, end) if end > at else put(text, b'"0"', 3)
    if field.kind == TIME or field.kind == MICRO_TIME:
        return write_time(at, end, field.kind == MICRO_TIME, text)
    if field.kind == RAW:
        return write_embedded(field, at, end, text, depth)
    if field.kind == BYTES:
        put_byte(text, b'"')
        put_bytes(text, b64encode((<const char *>at)[:end - at]))
        return put_byte(text, b'"')
    return put_bytes(text, orjson.dumps(read_int_or_string(at, end) if field.kind == INT_OR_STRING else read_payload(field, at, end, depth)))


cdef int write_message(const Field *field, const uint8_t *at, const uint8_t *end, Text *text, int depth) except -1:
    """Write a message, with what it is if it is an object of its own."""
    cdef Table table = <Table>field.sub
    cdef bytes first = None
    if field.typed:
        prepare(table)
        first = head(table.api_version, table.kind)
    return write_object(table, at, end, text, first, depth)


cdef int write_time(const uint8_t *at, const uint8_t *end, bint micro, Text *text) except -1:
    cdef int64_t seconds = 0
    cdef int32_t nanos = 0
    cdef char moment[MICRO_TIME_SIZE]
    if at == end:
        return put(text, b"null", 4)
    read_time(at, end, &seconds, &nanos)
    put_byte(text, b'"')
    put(text, moment, format_time(seconds, nanos, micro, moment))
    return put_byte(text, b'"')


cdef int write_embedded(const Field *field, const uint8_t *at, const uint8_t *end, Text *text, int depth) except -1:
    """Write what is embedded as JSON: an object or list as it stands, anything else as orjson would."""
    cdef const uint8_t *stop = NULL
    cdef const uint8_t *start = find_text(at, end, 1, &stop)
    if stop > start and (start[0] == b"{" or start[0] == b"["):
        return put(text, <const char *>start, stop - start)
    return put_bytes(text, orjson.dumps(read_payload(field, at, end, depth)))
