"""A dict from a request into the form that decoding its wire form would give, in place and without encoding it.

For the API server's write path, before defaulting. Drops nulls, unknown fields and what JSON leaves out when it is empty; adds what JSON
shows even so; rewrites quantities and times to the form in which they are kept; checks every type. Any thread that holds the GIL.
Cost: some 25 ns for each field that is present.
"""

from cpython.dict cimport PyDict_DelItem, PyDict_Next, PyDict_SetItem
from cpython.float cimport PyFloat_CheckExact
from cpython.list cimport PyList_GET_SIZE
from cpython.long cimport PyLong_CheckExact
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_Check

from kcore.scalars cimport int16_t, int32_t, int64_t, uint32_t, uint64_t
from kcore.machinery.codec._decode cimport double_value, empty_value, time_text
from kcore.machinery.codec._table cimport (
    BOOL, BYTES, DOUBLE, INT32, INT64, INT_OR_STRING, LIST, MAP, MICRO_TIME, OBJECT, QUANTITY, RAW, SINGULAR, STRING, TIME, WRAPPED,
    Field, Table, is_delimited, prepare,
)
from kcore.machinery.codec._time cimport SECONDS_MIN, parse_time

from kcore.base import limits
from kcore.machinery.codec._table import DecodeError
from kcore.machinery.codec import scalar_forms

cdef extern from "Python.h":
    PyObject *PyDict_GetItemWithError(object mapping, object key) except? NULL
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL
    int64_t PyLong_AsLongLongAndOverflow(object number, int *overflow) except? -1
    double PyFloat_AsDouble(object number) except? -1
    long PyLong_AsLong(object number) except? -1
    Py_ssize_t PyUnicode_GET_LENGTH(object text)

cdef int DEPTH_MAX = limits.MESSAGE_DEPTH_MAX
cdef object to_base64 = scalar_forms.canonical_base64
cdef object to_quantity = scalar_forms.canonical_quantity
cdef object to_moment = scalar_forms.moment


def normalise(Table table not None, dict obj not None, list unknown=None):
    """Bring `obj`, the dict of a message, into its decoded form, in place; `apiVersion` and `kind` stay as they are.

    unknown   paths of fields that the message does not have are appended, in the order of the dict
    Raises    DecodeError if a value has the wrong type; `obj` may be half changed then
    """
    normal_object(table, obj, unknown, 0)


cdef int normal_object(Table table, dict obj, list unknown, int depth) except -1:
    cdef PyObject *key = NULL
    cdef PyObject *value = NULL
    cdef PyObject *slot
    cdef Py_ssize_t place = 0
    cdef uint64_t seen = 0
    cdef int index
    cdef list dropped = None
    if depth > DEPTH_MAX:
        raise DecodeError(f"{table.name} is nested more than {DEPTH_MAX} messages deep")
    prepare(table)
    while PyDict_Next(obj, &place, &key, &value):
        slot = PyDict_GetItemWithError(table.names, <object>key)
        if slot == NULL:
            if is_type_meta(table, <object>key, depth):
                if depth == 0 and check_text(table, <object>key, <object>value):
                    continue
            elif unknown is not None:
                unknown.append(f"{<object>key}")
        else:
            index = PyLong_AsLong(<object>slot)
            if keep_field(table, table.slots[index], obj, <object>value, unknown, depth):
                seen |= (<uint64_t>1) << index
                continue
        if dropped is None:
            dropped = []
        dropped.append(<object>key)
    if dropped is not None:
        for name in dropped:
            PyDict_DelItem(obj, name)
    return add_empty(table, obj, seen, depth)


cdef int add_empty(Table table, dict obj, uint64_t seen, int depth) except -1:
    cdef int index
    cdef int16_t slot
    for index in range(table.emit_count):
        slot = table.emits[index]
        if not (seen >> slot) & 1:
            PyDict_SetItem(obj, <object>table.slots[slot].name, empty_value(table.slots[slot], depth))
    return 0


cdef bint is_type_meta(Table table, object key, int depth) except -1:
    """Say whether a field is one of the two that every kind has in JSON and no message has on the wire."""
    return (depth == 0 or table.is_root) and (key == "apiVersion" or key == "kind")


cdef bint check_text(Table table, object key, object value) except -1:
    """Return False for null; raise for what is no string."""
    if value is not None and not PyUnicode_Check(value):
        raise DecodeError(f"{key} of {table.name} is no string")
    return value is not None


cdef bint keep_field(Table table, const Field *field, dict obj, object value, list unknown, int depth) except -1:
    """Bring the value of one field into its form; Returns whether JSON shows it."""
    cdef Py_ssize_t known = 0
    if value is None:
        return False
    if unknown is not None:
        known = PyList_GET_SIZE(unknown)
    if field.label == LIST:
        if not isinstance(value, list):
            raise wrong_type(table, field)
        if not (<list>value):
            return field.keep_empty
        normal_list(table, field, <list>value, unknown, depth)
        return True
    if field.label == MAP:
        if not isinstance(value, dict):
            raise wrong_type(table, field)
        if not (<dict>value):
            return False
        normal_map(table, field, <dict>value, unknown, depth)
    else:
        kept = normal_value(table, field, value, unknown, depth)
        if is_left_out(field, kept):
            return False
        if kept is not value:
            PyDict_SetItem(obj, <object>field.name, kept)
    if unknown is not None and PyList_GET_SIZE(unknown) > known:
        prefix_paths(unknown, known, f"{<str>field.name}.")
    return True


cdef bint is_left_out(const Field *field, object value) except -1:
    """Say whether JSON leaves a value out because it is empty."""
    if field.emit:
        return False
    if value is None:
        return True
    if field.kind == STRING:
        return field.always and PyUnicode_GET_LENGTH(value) == 0
    if field.kind == BYTES:
        return PyUnicode_GET_LENGTH(value) == 0
    return field.always and not is_delimited(field) and not value


cdef int prefix_paths(list unknown, Py_ssize_t known, str prefix) except -1:
    cdef Py_ssize_t index
    for index in range(known, PyList_GET_SIZE(unknown)):
        unknown[index] = prefix + <str>unknown[index]
    return 0


cdef int normal_list(Table table, const Field *field, list items, list unknown, int depth) except -1:
    cdef Py_ssize_t index
    cdef Py_ssize_t known = 0
    for index in range(PyList_GET_SIZE(items)):
        if unknown is not None:
            known = PyList_GET_SIZE(unknown)
        value = items[index]
        kept = element_value(table, field, value, unknown, depth)
        if kept is not value:
            items[index] = kept
        if unknown is not None and PyList_GET_SIZE(unknown) > known:
            prefix_paths(unknown, known, f"{<str>field.name}[{index}].")
    return 0


cdef int normal_map(Table table, const Field *field, dict entries, list unknown, int depth) except -1:
    cdef PyObject *key = NULL
    cdef PyObject *value = NULL
    cdef Py_ssize_t place = 0
    cdef Py_ssize_t known = 0
    while PyDict_Next(entries, &place, &key, &value):
        if not PyUnicode_Check(<object>key):
            raise wrong_type(table, field)
        if field.kind == STRING and PyUnicode_Check(<object>value):
            continue
        if unknown is not None:
            known = PyList_GET_SIZE(unknown)
        kept = element_value(table, field, <object>value, unknown, depth)
        if <PyObject *>kept != value:
            PyDict_SetItem(entries, <object>key, kept)
        if unknown is not None and PyList_GET_SIZE(unknown) > known:
            prefix_paths(unknown, known, f"{<object>key}.")
    return 0


cdef object element_value(Table table, const Field *field, object value, list unknown, int depth):
    """Return an element of a list or map in its form; null is an empty one."""
    if value is not None:
        return normal_value(table, field, value, unknown, depth)
    if is_delimited(field):
        return empty_payload(field, depth)
    return False if field.kind == BOOL else 0


cdef object empty_payload(const Field *field, int depth):
    cdef Field single = field[0]
    single.label = SINGULAR
    single.always = True
    return empty_value(&single, depth)


cdef object normal_value(Table table, const Field *field, object value, list unknown, int depth):
    if field.kind == STRING:
        if not PyUnicode_Check(value):
            raise wrong_type(table, field)
        return value
    if field.kind == OBJECT:
        if not isinstance(value, dict):
            raise wrong_type(table, field)
        sub = <Table>field.sub
        normal_object(sub, <dict>value, unknown, depth + 1)
        if field.typed:
            (<dict>value)["kind"] = sub.kind
            (<dict>value)["apiVersion"] = sub.api_version
        return value
    if field.kind == BOOL:
        if value is not True and value is not False:
            raise wrong_type(table, field)
        return value
    if field.kind == INT32 or field.kind == INT64:
        check_integer(table, field, value)
        return value
    if field.kind == QUANTITY:
        return normal_quantity(table, field, value)
    if field.kind == TIME or field.kind == MICRO_TIME:
        return normal_time(table, field, value)
    return normal_other(table, field, value, unknown, depth)


cdef object normal_other(Table table, const Field *field, object value, list unknown, int depth):
    if field.kind == RAW:
        return value
    if field.kind == INT_OR_STRING:
        if not PyUnicode_Check(value):
            check_integer(table, field, value)
        return value
    if field.kind == DOUBLE:
        if not (PyFloat_CheckExact(value) or PyLong_CheckExact(value)):
            raise wrong_type(table, field)
        return double_value(PyFloat_AsDouble(value))
    try:
        if field.kind == BYTES:
            return to_base64(value)
        sub = <Table>field.sub
        prepare(sub)
        wrapped = sub.wrap(value)
    except (TypeError, ValueError) as error:
        raise wrong_type(table, field) from error
    normal_object(sub, wrapped, unknown, depth + 1)
    return sub.unwrap(wrapped)


cdef int check_integer(Table table, const Field *field, object value) except -1:
    cdef int overflow = 0
    cdef int64_t number
    if not PyLong_CheckExact(value):
        raise wrong_type(table, field)
    number = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow or (field.kind != INT64 and number != <int32_t>number):
        raise wrong_type(table, field)
    return 0


cdef object normal_quantity(Table table, const Field *field, object value):
    cdef Py_ssize_t size = 0
    cdef const char *text
    if PyUnicode_Check(value):
        text = PyUnicode_AsUTF8AndSize(value, &size)
        if is_canonical_quantity(text, size):
            return value
    try:
        return to_quantity(value)
    except (TypeError, ValueError) as error:
        raise wrong_type(table, field) from error


cdef bint is_canonical_quantity(const char *text, Py_ssize_t size) noexcept nogil:
    """Say whether a quantity is surely written as Kubernetes writes it: up to nine digits, and the largest suffix."""
    cdef uint32_t number = 0
    cdef Py_ssize_t index = 0
    while index < size and index < 9 and 48 <= text[index] <= 57:
        number = number * 10 + <uint32_t>(text[index] - 48)
        index += 1
    if index == 0 or (text[0] == 48 and size > 1):
        return False
    if index == size:
        return number % 1000 != 0 or number == 0
    if number > 999999 and index < size and text[index] == b"T":
        return False
    if index + 1 == size:
        return number % 1000 != 0 and text[index] in b"mkMGT"
    return index + 2 == size and text[index + 1] == b"i" and number % 1024 != 0 and text[index] in b"KMGT"


cdef object normal_time(Table table, const Field *field, object value):
    cdef Py_ssize_t size = 0
    cdef int64_t seconds = 0
    cdef int32_t nanos = 0
    cdef const char *text
    if not PyUnicode_Check(value):
        raise wrong_type(table, field)
    text = PyUnicode_AsUTF8AndSize(value, &size)
    if not parse_time(text, size, field.kind == MICRO_TIME, &seconds, &nanos):
        try:
            seconds, nanos = to_moment(value, field.kind == MICRO_TIME)
        except ValueError as error:
            raise wrong_type(table, field) from error
        value = time_text(seconds, nanos, field.kind == MICRO_TIME)
    return None if seconds == SECONDS_MIN and nanos == 0 else value


cdef object wrong_type(Table table, const Field *field):
    return DecodeError(f"{table.name}.{<str>field.name} has a value of the wrong type")
