"""From a dict to the wire, byte for byte as Kubernetes' encoder writes it: fields by number, map entries by key, some fields even empty.

For the API server, which stores objects and answers protobuf clients. The dict must not change while it is read. A value of the wrong type
raises DecodeError, without Kubernetes' text for it: `kcore.machinery.codec.strict` finds that one. Any thread that holds the GIL.

The message is written from its end to its start, so that a length is known when it is written and nothing is measured or moved:

    buffer  [ free ......... | tag len | name | tag len | labels ]
                             ^ at, moves left

Cost: some 40 ns for each field that is present.
Source: apimachinery's generated MarshalToSizedBuffer functions.
"""

from cpython.bool cimport PyBool_Check
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Next
from cpython.float cimport PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_Check
from libc.string cimport memcpy, memset

from kcore.scalars cimport int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from kcore.machinery.codec._table cimport (
    BOOL, BYTES, DOUBLE, INT32, INT64, INT_OR_STRING, LIST, MAP, MICRO_TIME, OBJECT, QUANTITY, RAW, SINGULAR, SLOTS_MAX, STRING, TIME,
    WRAPPED, Field, Table, is_delimited, prepare,
)
from kcore.machinery.codec._time cimport SECONDS_MIN, parse_time
from kcore.machinery.codec._wire cimport DELIMITED, FIXED64, TAG_SIZE_MAX, VARINT, VARINT_SIZE_MAX, write_varint

from kcore.base import limits
from kcore.machinery.codec._table import DecodeError
from kcore.machinery.codec.embedded import write_embedded
from kcore.machinery.codec.scalar_forms import base64_bytes as base64_value
from kcore.machinery.codec.scalar_forms import moment

cdef extern from "Python.h":
    PyObject *PyDict_GetItemWithError(object mapping, object key) except? NULL
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    int64_t PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1
    double PyFloat_AsDouble(object number) except? -1
    long PyLong_AsLong(object number) except? -1

cdef int DEPTH_MAX = limits.MESSAGE_DEPTH_MAX

cdef enum:
    # On the C stack; holds most objects. What is larger moves to the heap, doubling.
    FIRST_BUFFER_SIZE = 8192

cdef struct Writer:
    uint8_t *buffer
    uint8_t *at
    uint8_t *end
    bint on_heap


def encode(Table table not None, dict obj not None):
    """Return the wire form of a message.

    Raises  DecodeError if a value has the wrong type; unknown fields and `apiVersion` and `kind` are left out
    """
    cdef uint8_t first[FIRST_BUFFER_SIZE]
    cdef Writer writer
    writer.buffer = first
    writer.end = writer.at = first + FIRST_BUFFER_SIZE
    writer.on_heap = False
    try:
        write_object(&writer, table, <PyObject *>obj, 0)
        return PyBytes_FromStringAndSize(<char *>writer.at, writer.end - writer.at)
    except UnicodeEncodeError as error:
        raise DecodeError(f"a string in {table.name} is no Unicode text") from error
    finally:
        if writer.on_heap:
            PyMem_Free(writer.buffer)


def encode_field(Table table not None, str name not None, value):
    """Return one field of a message as it stands on the wire, tag included; all its elements if it is repeated.

    Raises  DecodeError if the value has the wrong type, KeyError if the message has no such field of its own
    """
    cdef uint8_t first[FIRST_BUFFER_SIZE]
    cdef PyObject *slots[SLOTS_MAX]
    cdef Writer writer
    cdef Field *field
    prepare(table)
    field = table.slots[table.names[name]]
    if table.names[name] >= table.count:
        raise KeyError(name)
    memset(slots, 0, sizeof(slots))
    writer.buffer = first
    writer.end = writer.at = first + FIRST_BUFFER_SIZE
    writer.on_heap = False
    try:
        if field.label == LIST:
            write_list(&writer, table, field, value, 0)
        elif field.label == MAP:
            write_map(&writer, table, field, value, 0)
        else:
            write_singular(&writer, table, field, <PyObject *>value, slots, 0)
        return PyBytes_FromStringAndSize(<char *>writer.at, writer.end - writer.at)
    finally:
        if writer.on_heap:
            PyMem_Free(writer.buffer)


cdef int reserve(Writer *writer, Py_ssize_t size) except -1:
    """Make room for `size` bytes below `at`, and for the tag and the length of what they belong to."""
    cdef Py_ssize_t needed = size + 2 * (VARINT_SIZE_MAX + TAG_SIZE_MAX)
    cdef Py_ssize_t used = writer.end - writer.at
    if writer.at - writer.buffer >= needed:
        return 0
    cdef Py_ssize_t capacity = 2 * (writer.end - writer.buffer) + needed
    cdef uint8_t *larger = <uint8_t *>PyMem_Malloc(capacity)
    if larger == NULL:
        raise MemoryError
    memcpy(larger + capacity - used, writer.at, used)
    if writer.on_heap:
        PyMem_Free(writer.buffer)
    writer.buffer = larger
    writer.end = larger + capacity
    writer.at = writer.end - used
    writer.on_heap = True
    return 0


cdef int write_object(Writer *writer, Table table, PyObject *obj, int depth) except -1:
    """Write the fields of a message from its dict; NULL is a message of which nothing is set."""
    cdef PyObject *slots[SLOTS_MAX]
    cdef PyObject *key = NULL
    cdef PyObject *value = NULL
    cdef PyObject *slot
    cdef Py_ssize_t place = 0
    if depth > DEPTH_MAX:
        raise DecodeError(f"{table.name} is nested more than {DEPTH_MAX} messages deep")
    prepare(table)
    memset(slots, 0, table.slot_count * sizeof(PyObject *))
    if obj != NULL and obj != <PyObject *>None:
        if not isinstance(<object>obj, dict):
            raise DecodeError(f"{table.name} is an object")
        while PyDict_Next(<object>obj, &place, &key, &value):
            if value != <PyObject *>None:
                slot = PyDict_GetItemWithError(table.names, <object>key)
                if slot != NULL:
                    slots[PyLong_AsLong(<object>slot)] = value
    return write_slots(writer, table, slots, depth)


cdef int write_slots(Writer *writer, Table table, PyObject **slots, int depth) except -1:
    cdef int index
    cdef Field *field
    cdef PyObject *value
    for index in range(table.count - 1, -1, -1):
        field = &table.fields[index]
        value = slots[index]
        if field.label == SINGULAR:
            if value != NULL or field.always:
                write_singular(writer, table, field, value, slots, depth)
        elif value != NULL:
            if field.label == LIST:
                write_list(writer, table, field, <object>value, depth)
            else:
                write_map(writer, table, field, <object>value, depth)
    return 0


cdef int write_singular(Writer *writer, Table table, const Field *field, PyObject *value, PyObject **slots, int depth) except -1:
    cdef Py_ssize_t used = writer.end - writer.at
    if field.inline:
        sub = <Table>field.sub
        write_slots(writer, sub, slots + field.base, depth + 1)
        reserve(writer, 0)
        finish_delimited(writer, field.number, used)
    elif is_delimited(field):
        write_payload(writer, table, field, value, depth)
        finish_delimited(writer, field.number, used)
    else:
        reserve(writer, VARINT_SIZE_MAX)
        write_number(writer, table, field, value)
        writer.at = write_varint(writer.at, field.number << 3 | (FIXED64 if field.kind == DOUBLE else VARINT))
    return 0


cdef inline void finish_delimited(Writer *writer, uint32_t number, Py_ssize_t used) noexcept:
    """Put length and tag before what was written since `used` bytes were; room for both is there."""
    writer.at = write_varint(writer.at, <uint64_t>(writer.end - writer.at - used))
    writer.at = write_varint(writer.at, number << 3 | DELIMITED)


cdef int write_list(Writer *writer, Table table, const Field *field, object items, int depth) except -1:
    cdef Py_ssize_t index
    cdef Py_ssize_t used
    cdef PyObject *value
    if not isinstance(items, list):
        raise DecodeError(f"{table.name}.{<str>field.name} is a list")
    for index in range(len(<list>items) - 1, -1, -1):
        item = (<list>items)[index]
        value = NULL if item is None else <PyObject *>item
        used = writer.end - writer.at
        if is_delimited(field):
            write_payload(writer, table, field, value, depth)
            finish_delimited(writer, field.number, used)
        else:
            reserve(writer, VARINT_SIZE_MAX)
            write_number(writer, table, field, value)
            writer.at = write_varint(writer.at, field.number << 3 | (FIXED64 if field.kind == DOUBLE else VARINT))
    return 0


cdef int write_map(Writer *writer, Table table, const Field *field, object entries, int depth) except -1:
    cdef Py_ssize_t used
    cdef Py_ssize_t inner
    if not isinstance(entries, dict):
        raise DecodeError(f"{table.name}.{<str>field.name} is a map")
    for key in <dict>entries:
        if not PyUnicode_Check(key):
            raise wrong_type(table, field)
    for key in sorted(<dict>entries, reverse=True):
        value = (<dict>entries)[key]
        used = writer.end - writer.at
        write_payload(writer, table, field, NULL if value is None else <PyObject *>value, depth)
        finish_delimited(writer, 2, used)
        inner = writer.end - writer.at
        write_text(writer, key)
        finish_delimited(writer, 1, inner)
        finish_delimited(writer, field.number, used)
        reserve(writer, 0)
    return 0


cdef int write_number(Writer *writer, Table table, const Field *field, PyObject *value) except -1:
    cdef int64_t number = 0
    cdef int overflow = 0
    if field.kind == DOUBLE:
        return write_double(writer, table, field, value)
    if value == NULL:
        number = 0
    elif field.kind == BOOL:
        if not PyBool_Check(<object>value):
            raise wrong_type(table, field)
        number = <object>value is True
    else:
        if not PyLong_CheckExact(<object>value):
            raise wrong_type(table, field)
        number = PyLong_AsLongLongAndOverflow(<object>value, &overflow)
        if overflow or (field.kind == INT32 and number != <int32_t>number):
            raise wrong_type(table, field)
    writer.at = write_varint(writer.at, <uint64_t>number)
    return 0


cdef int write_double(Writer *writer, Table table, const Field *field, PyObject *value) except -1:
    cdef double number = 0
    if value != NULL:
        if not (PyFloat_CheckExact(<object>value) or PyLong_CheckExact(<object>value)):
            raise wrong_type(table, field)
        number = PyFloat_AsDouble(<object>value)
    writer.at -= 8
    memcpy(writer.at, &number, 8)
    return 0


cdef int write_payload(Writer *writer, Table table, const Field *field, PyObject *value, int depth) except -1:
    """Write what stands behind the length of a value; NULL is an empty one. Leaves room for length and tag."""
    if field.kind == STRING:
        if value != NULL:
            if not PyUnicode_Check(<object>value):
                raise wrong_type(table, field)
            return write_text(writer, <object>value)
    elif field.kind == OBJECT:
        write_object(writer, <Table>field.sub, value, depth + 1)
    elif field.kind == QUANTITY:
        return write_quantity(writer, table, field, value)
    elif field.kind == INT_OR_STRING:
        return write_int_or_string(writer, table, field, value)
    elif field.kind == WRAPPED:
        sub = <Table>field.sub
        prepare(sub)
        wrapped = wrapped_value(sub, table, field, None if value == NULL else <object>value)
        write_object(writer, sub, <PyObject *>wrapped, depth + 1)
    elif value != NULL:
        if field.kind == TIME or field.kind == MICRO_TIME:
            return write_time(writer, table, field, <object>value)
        if field.kind == BYTES:
            return write_bytes(writer, base64_bytes(table, field, <object>value), 0)
        return write_bytes(writer, json_bytes(table, field, <object>value), 1)
    return reserve(writer, 0)


cdef int write_text(Writer *writer, object text) except -1:
    cdef Py_ssize_t size = 0
    cdef const char *start = PyUnicode_AsUTF8AndSize(text, &size)
    reserve(writer, size)
    writer.at -= size
    memcpy(writer.at, start, size)
    return 0


cdef int write_bytes(Writer *writer, bytes payload, uint32_t number) except -1:
    """Write bytes, as field `number` of a message if that is not 0."""
    cdef Py_ssize_t size = PyBytes_GET_SIZE(payload)
    cdef Py_ssize_t used = writer.end - writer.at
    reserve(writer, size)
    writer.at -= size
    memcpy(writer.at, PyBytes_AS_STRING(payload), size)
    if number:
        finish_delimited(writer, number, used)
    return 0


cdef int write_quantity(Writer *writer, Table table, const Field *field, PyObject *value) except -1:
    cdef Py_ssize_t used = writer.end - writer.at
    if value != NULL and not PyUnicode_Check(<object>value):
        raise wrong_type(table, field)
    write_text(writer, "0" if value == NULL else <object>value)
    finish_delimited(writer, 1, used)
    return 0


cdef int write_int_or_string(Writer *writer, Table table, const Field *field, PyObject *value) except -1:
    cdef Py_ssize_t used
    cdef int64_t number = 0
    cdef int overflow = 0
    cdef bint textual = value != NULL and PyUnicode_Check(<object>value)
    if value != NULL and not textual:
        if not PyLong_CheckExact(<object>value):
            raise wrong_type(table, field)
        number = PyLong_AsLongLongAndOverflow(<object>value, &overflow)
        if overflow or number != <int32_t>number:
            raise wrong_type(table, field)
    reserve(writer, 3 * VARINT_SIZE_MAX)
    used = writer.end - writer.at
    if textual:
        write_text(writer, <object>value)
    finish_delimited(writer, 3, used)
    reserve(writer, 2 * VARINT_SIZE_MAX)
    writer.at = write_varint(writer.at, <uint64_t>number)
    writer.at = write_varint(writer.at, 2 << 3 | VARINT)
    writer.at = write_varint(writer.at, textual)
    writer.at = write_varint(writer.at, 1 << 3 | VARINT)
    return 0


cdef int write_time(Writer *writer, Table table, const Field *field, object value) except -1:
    cdef Py_ssize_t size = 0
    cdef int64_t seconds = 0
    cdef int32_t nanos = 0
    cdef const char *text
    if not PyUnicode_Check(value):
        raise wrong_type(table, field)
    text = PyUnicode_AsUTF8AndSize(value, &size)
    if not parse_time(text, size, field.kind == MICRO_TIME, &seconds, &nanos):
        seconds, nanos = moment_parts(table, field, value)
    reserve(writer, 4 * VARINT_SIZE_MAX)
    if seconds == SECONDS_MIN and nanos == 0:
        return 0
    writer.at = write_varint(writer.at, <uint64_t>nanos if field.kind == MICRO_TIME else 0)
    writer.at = write_varint(writer.at, 2 << 3 | VARINT)
    writer.at = write_varint(writer.at, <uint64_t>seconds)
    writer.at = write_varint(writer.at, 1 << 3 | VARINT)
    return 0


cdef object wrapped_value(Table sub, Table table, const Field *field, object value):
    """Return the dict of a message that is no object in JSON."""
    try:
        return sub.wrap(value)
    except (TypeError, ValueError) as error:
        raise wrong_type(table, field) from error


cdef tuple moment_parts(Table table, const Field *field, object value):
    try:
        return moment(value, field.kind == MICRO_TIME)
    except ValueError as error:
        raise wrong_type(table, field) from error


cdef bytes base64_bytes(Table table, const Field *field, object value):
    if not PyUnicode_Check(value):
        raise wrong_type(table, field)
    try:
        return base64_value(value)
    except ValueError as error:
        raise wrong_type(table, field) from error


cdef bytes json_bytes(Table table, const Field *field, object value):
    try:
        return write_embedded(value)
    except TypeError as error:
        raise wrong_type(table, field) from error


cdef object wrong_type(Table table, const Field *field):
    return DecodeError(f"{table.name}.{<str>field.name} has a value of the wrong type")
