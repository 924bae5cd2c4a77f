"""From the wire to a dict: Kubernetes' JSON form of a message, in one pass over its bytes.

For the API server, which reads stored objects and protobuf requests. Unknown fields are dropped. Malformed bytes raise DecodeError and
are never read beyond their end. Any thread that holds the GIL.
Cost: some 40 ns for each field that is present.
Source: apimachinery's generated Unmarshal functions and the JSON tags of its types.
"""

from base64 import b64encode

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Contains, PyDict_DelItem, PyDict_GetItem, PyDict_SetItem
from cpython.list cimport PyList_Append
from cpython.object cimport PyObject
from libc.string cimport memcpy

from kcore.scalars cimport int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from kcore.machinery.codec._table cimport (
    BOOL, BYTES, DOUBLE, INT32, INT64, INT_OR_STRING, LIST, MAP, MICRO_TIME, OBJECT, QUANTITY, RAW, SINGULAR, STRING, TIME, WRAPPED,
    Field, Table, is_delimited, prepare,
)
from kcore.machinery.codec._time cimport MICRO_TIME_SIZE, SECONDS_MAX, SECONDS_MIN, format_time
from kcore.machinery.codec._wire cimport DELIMITED, FIXED64, GROUP_END, VARINT, read_span, read_varint, skip_field

from kcore.base import limits
from kcore.machinery.codec._table import DecodeError
from kcore.machinery.codec.embedded import parse_embedded

cdef extern from "Python.h":
    object PyUnicode_DecodeUTF8(const char *data, Py_ssize_t size, const char *errors)

cdef int DEPTH_MAX = limits.MESSAGE_DEPTH_MAX


def decode(Table table not None, bytes raw not None, str api_version="", str kind=""):
    """Return the JSON form of a message, with `kind` and `apiVersion` first if they are given.

    Raises  DecodeError
    """
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(raw)
    cdef dict out = {}
    if kind:
        out["kind"] = kind
    if api_version:
        out["apiVersion"] = api_version
    prepare(table)
    try:
        fill_object(table, at, at + PyBytes_GET_SIZE(raw), out, 0)
    except UnicodeDecodeError as error:
        raise DecodeError(f"a string in {table.name} is not UTF-8") from error
    return out


cdef object read_object(Table table, const uint8_t *at, const uint8_t *end, int depth):
    cdef dict out = {}
    prepare(table)
    fill_object(table, at, end, out, depth)
    return out


cdef object read_typed(Table table, const uint8_t *at, const uint8_t *end, int depth):
    prepare(table)
    cdef dict out = {"kind": table.kind, "apiVersion": table.api_version}
    fill_object(table, at, end, out, depth)
    return out


cdef int fill_object(Table table, const uint8_t *at, const uint8_t *end, dict out, int depth) except -1:
    """Read a message into `out`, which holds what an earlier occurrence said, and add what JSON shows even when it is empty."""
    cdef uint64_t seen = 0
    cdef int index
    cdef int16_t slot
    if depth > DEPTH_MAX:
        raise DecodeError(f"{table.name} is nested more than {DEPTH_MAX} messages deep")
    if out:
        for index in range(table.slot_count):
            if PyDict_Contains(out, <object>table.slots[index].name):
                seen |= (<uint64_t>1) << index
    read_fields(table, at, end, out, &seen, 0, depth)
    for index in range(table.emit_count):
        slot = table.emits[index]
        if not (seen >> slot) & 1:
            PyDict_SetItem(out, <object>table.slots[slot].name, empty_value(table.slots[slot], depth))
    return 0


cdef int read_fields(Table table, const uint8_t *at, const uint8_t *end, dict out, uint64_t *seen, int base, int depth) except -1:
    cdef uint64_t tag = 0
    cdef uint64_t number
    cdef uint32_t wire_type
    cdef int index
    cdef Field *field
    while at < end:
        at = read_varint(at, end, &tag)
        number = tag >> 3
        if at == NULL or number == 0:
            raise DecodeError(f"malformed tag in {table.name}")
        wire_type = tag & 7
        index = table.by_number[number] if number <= table.number_max else -1
        if index < 0:
            at = skip_field(at, end, tag)
            if at == NULL:
                raise DecodeError(f"malformed field {number} in {table.name}")
            continue
        field = &table.fields[index]
        if wire_type == DELIMITED:
            at = read_delimited(table, field, at, end, out, seen, base, depth)
        elif wire_type == (FIXED64 if field.kind == DOUBLE else VARINT) and not is_delimited(field):
            at = read_number(table, field, at, end, out, seen, base)
        else:
            raise DecodeError(f"wrong wire type {wire_type} for {table.name}.{<str>field.name}")
    return 0


cdef const uint8_t *read_number(Table table, const Field *field, const uint8_t *at, const uint8_t *end, dict out, uint64_t *seen, int base) except NULL:
    """Read one number or boolean that stands by itself; Returns the place after it."""
    cdef uint64_t value = 0
    at = take_number(table, field, at, end, &value)
    cdef uint64_t bit = (<uint64_t>1) << (base + (field - table.fields))
    if field.label == LIST:
        PyList_Append(items_of(field, out), number_value(field, value))
    elif value == 0 and field.always and not field.emit:
        if seen[0] & bit:
            PyDict_DelItem(out, <object>field.name)
        seen[0] &= ~bit
        return at
    else:
        PyDict_SetItem(out, <object>field.name, number_value(field, value))
    seen[0] |= bit
    return at


cdef const uint8_t *take_number(Table table, const Field *field, const uint8_t *at, const uint8_t *end, uint64_t *value) except NULL:
    if field.kind == DOUBLE:
        if end - at < 8:
            raise DecodeError(f"{table.name}.{<str>field.name} is cut short")
        memcpy(value, at, 8)
        return at + 8
    at = read_varint(at, end, value)
    if at == NULL:
        raise DecodeError(f"{table.name}.{<str>field.name} is cut short")
    return at


cdef const uint8_t *read_delimited(
    Table table, const Field *field, const uint8_t *at, const uint8_t *end, dict out, uint64_t *seen, int base, int depth
) except NULL:
    """Read a length-delimited value: a string, bytes, a message, a map entry or packed numbers; Returns the place after it."""
    cdef const uint8_t *stop = NULL
    cdef int slot = base + <int>(field - table.fields)
    cdef uint64_t bit = (<uint64_t>1) << slot
    at = read_span(at, end, &stop)
    if at == NULL:
        raise DecodeError(f"{table.name}.{<str>field.name} is cut short")
    if field.label == SINGULAR:
        if field.inline:
            read_fields(prepared(field), at, stop, out, seen, base + field.base, depth + 1)
        elif field.kind == OBJECT:
            read_message(field, at, stop, out, (seen[0] & bit) != 0, depth)
            seen[0] |= bit
        elif read_singular(table, field, at, stop, out, depth):
            seen[0] |= bit
        elif seen[0] & bit:
            PyDict_DelItem(out, <object>field.name)
            seen[0] &= ~bit
        return stop
    seen[0] |= bit
    if field.label == MAP:
        read_entry(table, field, at, stop, out, depth)
    elif is_delimited(field):
        PyList_Append(items_of(field, out), read_payload(field, at, stop, depth))
    else:
        read_packed(table, field, at, stop, items_of(field, out))
    return stop


cdef int read_message(const Field *field, const uint8_t *at, const uint8_t *stop, dict out, bint again, int depth) except -1:
    """Read a sub-message; a second occurrence is merged into the first."""
    cdef PyObject *earlier = PyDict_GetItem(out, <object>field.name) if again else NULL
    if earlier != NULL and <object>earlier is not None:
        return fill_object(prepared(field), at, stop, <dict>earlier, depth + 1)
    PyDict_SetItem(out, <object>field.name, read_object(<Table>field.sub, at, stop, depth + 1))
    return 0


cdef int read_singular(Table table, const Field *field, const uint8_t *at, const uint8_t *stop, dict out, int depth) except -1:
    """Read a string, bytes or a message that is no object in JSON; Returns 0 if JSON leaves the value out, else 1."""
    if not is_delimited(field):
        raise DecodeError(f"wrong wire type {DELIMITED} for {table.name}.{<str>field.name}")
    if at == stop and field.kind <= BYTES and not field.emit and (field.always or field.kind == BYTES):
        return 0
    value = read_payload(field, at, stop, depth)
    if value is None and not field.emit:
        return 0
    PyDict_SetItem(out, <object>field.name, value)
    return 1


cdef list items_of(const Field *field, dict out):
    """Return the list that a repeated field fills, made at its first element."""
    cdef PyObject *found = PyDict_GetItem(out, <object>field.name)
    if found != NULL and <object>found is not None:
        return <list>found
    items = []
    PyDict_SetItem(out, <object>field.name, items)
    return items


cdef int read_packed(Table table, const Field *field, const uint8_t *at, const uint8_t *stop, list items) except -1:
    cdef uint64_t value = 0
    while at < stop:
        at = take_number(table, field, at, stop, &value)
        PyList_Append(items, number_value(field, value))
    return 0


cdef int read_entry(Table table, const Field *field, const uint8_t *at, const uint8_t *stop, dict out, int depth) except -1:
    """Read one entry of a map: key is field 1, value field 2, either of which may be left out."""
    cdef PyObject *found = PyDict_GetItem(out, <object>field.name)
    cdef const uint8_t *inner = NULL
    cdef uint64_t tag = 0
    if found == NULL or <object>found is None:
        entries = {}
        PyDict_SetItem(out, <object>field.name, entries)
    else:
        entries = <dict>found
    key = ""
    value = None
    while at < stop:
        at = read_varint(at, stop, &tag)
        if at != NULL and (tag == (1 << 3 | DELIMITED) or tag == (2 << 3 | DELIMITED)):
            at = read_span(at, stop, &inner)
            if at != NULL:
                if tag == (1 << 3 | DELIMITED):
                    key = PyUnicode_DecodeUTF8(<const char *>at, inner - at, NULL)
                else:
                    value = read_payload(field, at, inner, depth)
                at = inner
        elif at != NULL:
            at = skip_field(at, stop, tag) if tag >> 3 > 2 else NULL
        if at == NULL:
            raise DecodeError(f"malformed entry in {table.name}.{<str>field.name}")
    PyDict_SetItem(entries, key, value if value is not None else absent_value(field, depth))
    return 0


cdef object read_payload(const Field *field, const uint8_t *at, const uint8_t *end, int depth):
    """Return the value of a length-delimited payload, as an element of a list or map has it."""
    cdef int64_t seconds = 0
    cdef int32_t nanos = 0
    if field.kind == STRING:
        return PyUnicode_DecodeUTF8(<const char *>at, end - at, NULL)
    if field.kind == OBJECT:
        return read_typed(<Table>field.sub, at, end, depth + 1) if field.typed else read_object(<Table>field.sub, at, end, depth + 1)
    if field.kind == QUANTITY:
        at = find_text(at, end, 1, &end)
        return PyUnicode_DecodeUTF8(<const char *>at, end - at, NULL) if end > at else "0"
    if field.kind == TIME or field.kind == MICRO_TIME:
        if at == end:
            return None
        read_time(at, end, &seconds, &nanos)
        return time_text(seconds, nanos, field.kind == MICRO_TIME)
    if field.kind == INT_OR_STRING:
        return read_int_or_string(at, end)
    if field.kind == RAW:
        at = find_text(at, end, 1, &end)
        return read_json((<const char *>at)[:end - at]) if end > at else None
    if field.kind == BYTES:
        return b64encode((<const char *>at)[:end - at]).decode("ascii")
    table = <Table>field.sub
    value = read_object(table, at, end, depth + 1)
    return table.unwrap(value)


cdef object read_json(bytes text):
    try:
        return parse_embedded(text)
    except ValueError as error:
        raise DecodeError(f"embedded JSON is malformed: {error}") from error


cdef const uint8_t *find_text(const uint8_t *at, const uint8_t *end, uint32_t number, const uint8_t **stop) except? NULL:
    """Return where the last length-delimited value of a field starts, and set `stop` to its end; an absent one is empty."""
    cdef uint64_t tag = 0
    cdef const uint8_t *found = end
    cdef const uint8_t *found_stop = end
    while at < end:
        at = read_varint(at, end, &tag)
        if at != NULL and tag == (<uint64_t>number << 3 | DELIMITED):
            found = read_span(at, end, &found_stop)
            at = found_stop if found != NULL else NULL
        elif at != NULL:
            at = skip_field(at, end, tag)
        if at == NULL:
            raise DecodeError("malformed value")
    stop[0] = found_stop
    return found


cdef int read_time(const uint8_t *at, const uint8_t *end, int64_t *seconds, int32_t *nanos) except -1:
    """Read the two numbers of a Time; Raises DecodeError if it is outside of the years 1 to 9999."""
    cdef uint64_t tag = 0
    cdef uint64_t value = 0
    while at < end:
        at = read_varint(at, end, &tag)
        if at != NULL:
            if tag == (1 << 3 | VARINT) or tag == (2 << 3 | VARINT):
                at = read_varint(at, end, &value)
                if tag == (1 << 3 | VARINT):
                    seconds[0] = <int64_t>value
                else:
                    nanos[0] = <int32_t>value
            else:
                at = skip_field(at, end, tag)
        if at == NULL:
            raise DecodeError("malformed time")
    if seconds[0] < SECONDS_MIN or seconds[0] > SECONDS_MAX or nanos[0] < 0 or nanos[0] > 999999999:
        raise DecodeError(f"time {seconds[0]}.{nanos[0]} is out of range")
    return 0


cdef object time_text(int64_t seconds, int32_t nanos, bint micro):
    cdef char text[MICRO_TIME_SIZE]
    cdef int size = format_time(seconds, nanos, micro, text)
    return PyUnicode_DecodeUTF8(text, size, NULL)


cdef object read_int_or_string(const uint8_t *at, const uint8_t *end):
    cdef uint64_t tag = 0
    cdef uint64_t form = 0
    cdef uint64_t number = 0
    cdef const uint8_t *text = end
    cdef const uint8_t *text_end = end
    while at < end:
        at = read_varint(at, end, &tag)
        if at == NULL:
            raise DecodeError("malformed IntOrString")
        if tag == (1 << 3 | VARINT):
            at = read_varint(at, end, &form)
        elif tag == (2 << 3 | VARINT):
            at = read_varint(at, end, &number)
        elif tag == (3 << 3 | DELIMITED):
            text = read_span(at, end, &text_end)
            at = text_end if text != NULL else NULL
        else:
            at = skip_field(at, end, tag)
        if at == NULL:
            raise DecodeError("malformed IntOrString")
    if form == 1:
        return PyUnicode_DecodeUTF8(<const char *>text, text_end - text, NULL)
    return <int32_t>number


cdef object number_value(const Field *field, uint64_t value):
    cdef double number = 0
    if field.kind == BOOL:
        return value != 0
    if field.kind == INT32:
        return <int32_t>value
    if field.kind == INT64:
        return <int64_t>value
    memcpy(&number, &value, 8)
    return double_value(number)


cdef object double_value(double value):
    """Return a number as JSON shows it: without a fraction if it has none."""
    if -1e15 < value < 1e15 and value == <double><int64_t>value:
        return <int64_t>value
    return value


cdef object empty_value(const Field *field, int depth):
    """Return what JSON shows for a field that is empty and shown all the same."""
    if field.label != SINGULAR or not field.always:
        return None
    if not is_delimited(field):
        return number_value(field, 0)
    return read_payload(field, NULL, NULL, depth)


cdef object absent_value(const Field *field, int depth):
    """Return the value of a map entry that has none on the wire."""
    return None if field.kind == RAW else read_payload(field, NULL, NULL, depth) if is_delimited(field) else number_value(field, 0)


cdef inline Table prepared(const Field *field):
    table = <Table>field.sub
    prepare(table)
    return table
