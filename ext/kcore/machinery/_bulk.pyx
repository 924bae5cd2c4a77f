"""The frames of bulk writes, read and written without messages: what a request's items and a response's results consist of.

    WriteRequest  { items=1 { verb=1 group=2 version=3 resource=4 subresource=5 namespace=6 name=7 object=8 content_type=9 options=10
                              delete_options=11 }  atomic=2  return_objects=3 }
    WriteResponse { results=1 { status=1 name=2 resource_version=3 object=4 uid=5 } }

For the API server and its clients, once per item on each side. Thread: any. Cost: one copy of each object; some 0.5 us an item, a quarter of
what messages take. Field numbers are those of proto/kcore/api/bulk/v1/bulk_service.proto, with whose messages a test compares.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memcmp, memcpy

from kcore.scalars cimport uint8_t, uint32_t, uint64_t
from kcore.machinery.codec._wire cimport DELIMITED, read_span, read_varint, skip_field, varint_size, write_varint

from kcore.machinery.codec._table import DecodeError

cdef extern from "Python.h":
    object PyUnicode_DecodeUTF8(const char *data, Py_ssize_t size, const char *errors)
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL

cdef enum:
    ITEM_FIELDS = 11
    OBJECT = 8
    CONTENT_TYPE = 9
    RESULT_FIELDS = 5

ctypedef const uint8_t *Place

cdef struct Span:
    Place start
    Place stop

cdef object NEW = tuple.__new__


cdef bint read_fields(Place at, Place end, Span *fields, uint32_t count) except? -1 nogil:
    """Find the last length-delimited field of each number up to `count`; Returns whether the bytes are a message."""
    cdef uint64_t tag = 0
    cdef Place stop
    cdef Place start
    while at < end:
        at = read_varint(at, end, &tag)
        if at == NULL or tag < 8:
            return False
        stop = skip_field(at, end, tag)
        if stop == NULL:
            return False
        if (tag & 7) == DELIMITED and (tag >> 3) <= count:
            start = read_span(at, stop, &fields[tag >> 3].stop)
            if start == NULL:
                return False
            fields[tag >> 3].start = start
        at = stop
    return True


cdef str text_of(Span span):
    if span.start == NULL:
        return ""
    try:
        return PyUnicode_DecodeUTF8(<const char *>span.start, span.stop - span.start, NULL)
    except UnicodeDecodeError as error:
        raise DecodeError("a string in the message is not UTF-8") from error


cdef object bytes_of(Span span):
    return None if span.start == NULL else PyBytes_FromStringAndSize(<const char *>span.start, span.stop - span.start)


cdef inline bint same(Span one, Span other) noexcept nogil:
    return one.stop - one.start == other.stop - other.start and (
        one.start == other.start or (one.start != NULL and other.start != NULL and memcmp(one.start, other.start, one.stop - one.start) == 0))


cdef inline void clear(Span *fields, int count) noexcept nogil:
    cdef int number
    for number in range(count + 1):
        fields[number].start = fields[number].stop = NULL


def split_request(bytes request not None, type item_class not None):
    """Return (items, atomic, return_objects).

    item_class  a subclass of tuple with the fields of an Item in the order of their numbers; `object` is b"" where there is none, `options`
                and `delete_options` are their bytes or None. Texts that repeat from item to item are shared.
    Raises      DecodeError
    """
    cdef Span fields[ITEM_FIELDS + 1]
    cdef Span before[ITEM_FIELDS + 1]
    cdef uint64_t tag = 0
    cdef uint64_t value = 0
    cdef bint atomic = False
    cdef bint return_objects = False
    cdef Place at = <Place>PyBytes_AS_STRING(request)
    cdef Place end = at + PyBytes_GET_SIZE(request)
    cdef Place stop
    cdef int number
    cdef list texts = [""] * (ITEM_FIELDS + 1)
    cdef list items = []
    clear(before, ITEM_FIELDS)
    while at < end:
        at = read_varint(at, end, &tag)
        stop = skip_field(at, end, tag) if at != NULL and tag >= 8 else NULL
        if stop == NULL:
            raise DecodeError("the request is malformed")
        if tag == (1 << 3 | DELIMITED):
            clear(fields, ITEM_FIELDS)
            at = read_span(at, stop, &stop)
            if not read_fields(at, stop, fields, ITEM_FIELDS):
                raise DecodeError(f"item {len(items)} of the request is malformed")
            for number in range(1, CONTENT_TYPE + 1):
                if number != OBJECT and not same(fields[number], before[number]):
                    texts[number] = text_of(fields[number])
                    before[number] = fields[number]
            items.append(NEW(item_class, (
                texts[1], texts[2], texts[3], texts[4], texts[5], texts[6], texts[7], bytes_of(fields[OBJECT]) or b"", texts[CONTENT_TYPE],
                bytes_of(fields[10]), bytes_of(fields[11]))))
        elif tag == (2 << 3) or tag == (3 << 3):
            read_varint(at, stop, &value)
            if tag == (2 << 3):
                atomic = value != 0
            else:
                return_objects = value != 0
        at = stop
    return items, atomic, return_objects


def split_results(bytes response not None):
    """Return (status or None, name, resource_version, object, uid) of each result, in order; a status is its bytes.

    Raises  DecodeError
    """
    cdef Span fields[RESULT_FIELDS + 1]
    cdef uint64_t tag = 0
    cdef Place at = <Place>PyBytes_AS_STRING(response)
    cdef Place end = at + PyBytes_GET_SIZE(response)
    cdef Place stop
    cdef list results = []
    while at < end:
        at = read_varint(at, end, &tag)
        stop = skip_field(at, end, tag) if at != NULL and tag >= 8 else NULL
        if stop == NULL:
            raise DecodeError("the response is malformed")
        if tag == (1 << 3 | DELIMITED):
            clear(fields, RESULT_FIELDS)
            at = read_span(at, stop, &stop)
            if not read_fields(at, stop, fields, RESULT_FIELDS):
                raise DecodeError(f"result {len(results)} of the response is malformed")
            results.append((bytes_of(fields[1]), text_of(fields[2]), text_of(fields[3]), bytes_of(fields[4]) or b"", text_of(fields[5])))
        at = stop
    return results


def element(tuple values not None):
    """Return a message as an element of field 1: of a request if the values are an item's, of a response if they are a result's.

    values  of the fields 1, 2, 3 ...: str or bytes; what is empty or None is left out
    """
    cdef Py_ssize_t size = 0
    cdef Py_ssize_t length = 0
    cdef Py_ssize_t index
    cdef const char *data
    for index in range(len(values)):
        span_of(values[index], &length)
        if length:
            size += 1 + varint_size(length) + length
    out = PyBytes_FromStringAndSize(NULL, 1 + varint_size(size) + size)
    cdef uint8_t *at = put_head(<uint8_t *>PyBytes_AS_STRING(out), 1, size)
    for index in range(len(values)):
        data = span_of(values[index], &length)
        if length:
            at = put_head(at, <uint32_t>(index + 1), length)
            memcpy(at, data, length)
            at += length
    return out


cdef const char *span_of(value, Py_ssize_t *length) except NULL:
    if value is None:
        length[0] = 0
        return b""
    if isinstance(value, bytes):
        length[0] = PyBytes_GET_SIZE(value)
        return PyBytes_AS_STRING(value)
    return PyUnicode_AsUTF8AndSize(value, length)


cdef inline uint8_t *put_head(uint8_t *at, uint32_t number, Py_ssize_t length) noexcept nogil:
    """Write the tag, of one byte, and the length of a field; Returns where its payload goes."""
    at[0] = <uint8_t>(number << 3 | DELIMITED)
    at += 1 + varint_size(length)
    write_varint(at, length)
    return at
