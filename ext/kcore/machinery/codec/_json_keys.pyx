"""Two counts that tell whether JSON text names a field twice: the names in the text, and the keys in the value that was read from it.

For the strict decoding of request bodies. Any thread that holds the GIL. Cost: about 1 ns for each byte, 5 ns for each key.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_Next, PyDict_Size
from cpython.list cimport PyList_GET_SIZE
from cpython.object cimport PyObject


def count_names(bytes text not None):
    """Return how many names of object members a valid JSON text has: the colons outside of strings."""
    cdef const char *at = PyBytes_AS_STRING(text)
    cdef const char *end = at + PyBytes_GET_SIZE(text)
    cdef Py_ssize_t count = 0
    with nogil:
        while at < end:
            if at[0] == b":":
                count += 1
            elif at[0] == b'"':
                at += 1
                while at < end and at[0] != b'"':
                    at += 2 if at[0] == b"\\" else 1
            at += 1
    return count


def count_keys(value):
    """Return how many keys a JSON value has in all its objects."""
    return keys_of(<PyObject *>value)


cdef Py_ssize_t keys_of(PyObject *value) except -1:
    cdef Py_ssize_t place = 0
    cdef Py_ssize_t index
    cdef Py_ssize_t count = 0
    cdef PyObject *key = NULL
    cdef PyObject *item = NULL
    if isinstance(<object>value, dict):
        count = PyDict_Size(<object>value)
        while PyDict_Next(<object>value, &place, &key, &item):
            count += keys_of(item)
    elif isinstance(<object>value, list):
        items = <list>value
        for index in range(PyList_GET_SIZE(items)):
            child = items[index]
            count += keys_of(<PyObject *>child)
    return count
