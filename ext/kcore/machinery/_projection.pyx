"""Chosen fields of a message, read from its bytes into a tuple; everything else is stepped over.

For the watch hub (selector fields), the scheduler's columns, informer indexes and quota. `kcore.machinery.projection` compiles paths into
the nodes of this module. Any thread that holds the GIL. Cost: some 5 ns for each field that is stepped over, 30 ns for each that is read.

A program is a tree, one node for each field on the way to something wanted. For `metadata.name`, `metadata.labels` and `spec.nodeName`:

    root -- 1 metadata -- 1 name      out[0]
         |             `- 11 labels   out[1]
         `- 2 spec ------ 10 nodeName out[2]
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.string cimport memcpy

from kcore.scalars cimport int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from kcore.machinery.codec._decode cimport number_value, read_payload, read_time
from kcore.machinery.codec._table cimport DOUBLE, LIST, MAP, MICRO_TIME, SINGULAR, TIME, Field, Table, is_delimited, prepare
from kcore.machinery.codec._wire cimport DELIMITED, FIXED64, VARINT, read_span, read_varint, skip_field

from kcore.machinery.codec._table import DecodeError

# What is taken of a field; `kcore.machinery.projection` has the same numbers.
cdef enum Take:
    NOTHING = 0
    VALUE = 1
    BYTES_OF = 2
    PRESENCE = 3

cdef enum:
    MICROS = 1000000


@cython.final
cdef class Node:
    """One message on the way: what to do with which of its fields.

    table      of the message
    children   one for each wanted field
    """

    cdef Table table
    cdef tuple children
    cdef int16_t *by_number
    cdef uint32_t number_max

    def __cinit__(self, Table table not None, tuple children not None):
        prepare(table)
        self.table = table
        self.children = children
        self.number_max = table.number_max
        self.by_number = <int16_t *>PyMem_Calloc(table.number_max + 1, sizeof(int16_t))
        if self.by_number == NULL:
            raise MemoryError
        cdef int place
        for place in range(len(children)):
            self.by_number[table.fields[<int>children[place].field].number] = <int16_t>(place + 1)

    def __dealloc__(self):
        PyMem_Free(self.by_number)


@cython.final
cdef class Child:
    """What a node does with one field.

    field   index of the field among the message's own
    take    a Take; NOTHING for a field that is only on the way
    slot    where its value goes, -1 if nothing is taken
    node    of the message that the field holds, None if nothing inside of it is wanted
    slots   for a repeated field with a node: which slots of the output its own slots are, else None
    zeros   for such a field: its own slots as they are where an element has nothing
    also    what else is to be done with the field
    """

    cdef readonly int field
    cdef int take
    cdef int slot
    cdef Node node
    cdef tuple slots
    cdef tuple zeros
    cdef Child also

    def __cinit__(self, int field, int take, int slot, Node node, tuple slots, tuple zeros, Child also):
        self.field = field
        self.take = take
        self.slot = slot
        self.node = node
        self.slots = slots
        self.zeros = zeros
        self.also = also


def project(Node root not None, tuple zeros not None, bytes raw not None):
    """Return what the program takes of a message, in the order of its slots; what is absent is as in `zeros`.

    Raises  DecodeError
    """
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(raw)
    try:
        return tuple(filled(root, zeros, at, at + PyBytes_GET_SIZE(raw)))
    except UnicodeDecodeError as error:
        raise DecodeError(f"a string in {root.table.name} is not UTF-8") from error


cdef list filled(Node node, tuple zeros, const uint8_t *at, const uint8_t *end):
    """Read a message into slots of its own."""
    out = list(zeros)
    scan(node, at, end, out)
    cdef Py_ssize_t slot
    for slot in range(len(out)):
        value = out[slot]
        if isinstance(value, list):
            out[slot] = tuple(value)
    return out


cdef int scan(Node node, const uint8_t *at, const uint8_t *end, list out) except -1:
    cdef uint64_t tag = 0
    cdef uint64_t number
    cdef const uint8_t *stop
    cdef int place
    while at < end:
        if at[0] < 0x80:
            tag = at[0]
            at += 1
        else:
            at = read_varint(at, end, &tag)
        number = tag >> 3
        if at == NULL or number == 0:
            raise DecodeError(f"malformed tag in {node.table.name}")
        stop = skip_field(at, end, tag)
        if stop == NULL:
            raise DecodeError(f"malformed field {number} in {node.table.name}")
        place = node.by_number[number] if number <= node.number_max else 0
        if place:
            take_field(node.table, <Child>node.children[place - 1], at, stop, tag & 7, out)
        at = stop
    return 0


cdef int take_field(Table table, Child child, const uint8_t *at, const uint8_t *stop, uint32_t wire_type, list out) except -1:
    """Do with a field, whose value stands whole before `stop`, what is to be done with it."""
    cdef const Field *field = &table.fields[child.field]
    cdef bint packed = wire_type == DELIMITED and field.label == LIST and not is_delimited(field)
    if wire_type == DELIMITED:
        at = read_span(at, stop, &stop)
    if not packed and wire_type != (DELIMITED if is_delimited(field) else FIXED64 if field.kind == DOUBLE else VARINT):
        raise DecodeError(f"wrong wire type {wire_type} for {table.name}.{<str>field.name}")
    while child is not None:
        if is_delimited(field):
            take_delimited(child, field, at, stop, out)
        else:
            take_numbers(child, field, at, stop, out)
        child = child.also
    return 0


cdef int take_numbers(Child child, const Field *field, const uint8_t *at, const uint8_t *stop, list out) except -1:
    """Take one number, or all that are packed."""
    cdef uint64_t number = 0
    while at < stop:
        if field.kind == DOUBLE:
            if stop - at < 8:
                raise DecodeError("packed numbers are cut short")
            memcpy(&number, at, 8)
            at += 8
        else:
            at = read_varint(at, stop, &number)
            if at == NULL:
                raise DecodeError("packed numbers are cut short")
        value = True if child.take == PRESENCE else number_value(field, number)
        if field.label == SINGULAR or child.take == PRESENCE:
            out[child.slot] = value
        else:
            append(out, child.slot, value)
    return 0


cdef int take_delimited(Child child, const Field *field, const uint8_t *at, const uint8_t *stop, list out) except -1:
    if child.take != NOTHING:
        if field.label == MAP and child.take == VALUE:
            take_entry(child, field, at, stop, out)
        else:
            value = True if child.take == PRESENCE else taken(child, field, at, stop)
            if field.label == SINGULAR or child.take == PRESENCE:
                out[child.slot] = value
            else:
                append(out, child.slot, value)
    if child.node is not None:
        if child.slots is None:
            scan(child.node, at, stop, out)
        else:
            take_element(child, at, stop, out)
    return 0


cdef int take_element(Child child, const uint8_t *at, const uint8_t *stop, list out) except -1:
    """Read one element of a repeated message: a value for each of its slots, absent or not, so that the tuples stay aligned."""
    cdef Py_ssize_t index
    values = filled(child.node, child.zeros, at, stop)
    for index in range(len(values)):
        append(out, child.slots[index], values[index])
    return 0


cdef int append(list out, Py_ssize_t slot, value) except -1:
    found = out[slot]
    if isinstance(found, list):
        (<list>found).append(value)
    else:
        out[slot] = [value]
    return 0


cdef object taken(Child child, const Field *field, const uint8_t *at, const uint8_t *stop):
    cdef int64_t seconds = 0
    cdef int32_t nanos = 0
    if child.take == BYTES_OF:
        return (<const char *>at)[:stop - at]
    if field.kind == TIME or field.kind == MICRO_TIME:
        if at == stop:
            return 0
        read_time(at, stop, &seconds, &nanos)
        return seconds if field.kind == TIME else seconds * MICROS + nanos // 1000
    return read_payload(field, at, stop, 0)


cdef int take_entry(Child child, const Field *field, const uint8_t *at, const uint8_t *stop, list out) except -1:
    """Put an entry of a map into the slot's dict, which is made at the first one."""
    cdef const uint8_t *inner = NULL
    cdef uint64_t tag = 0
    entries = out[child.slot]
    if not entries:
        entries = out[child.slot] = {}
    key = ""
    value = None
    while at < stop:
        at = read_varint(at, stop, &tag)
        if at != NULL and (tag == (1 << 3 | DELIMITED) or tag == (2 << 3 | DELIMITED)):
            at = read_span(at, stop, &inner)
            if at != NULL:
                if tag == (1 << 3 | DELIMITED):
                    key = (<const char *>at)[:inner - at].decode("utf-8")
                else:
                    value = read_payload(field, at, inner, 0)
                at = inner
        elif at != NULL:
            at = skip_field(at, stop, tag)
        if at == NULL:
            raise DecodeError(f"malformed entry in a map {<str>field.name}")
    (<dict>entries)[key] = value if value is not None else read_payload(field, NULL, NULL, 0)
    return 0
