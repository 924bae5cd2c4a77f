"""An object of which only what is asked for is decoded: for who reads a few fields of many objects, as the cells of a Table do.

It is read as a dict is, with `get`, `[]`, `in`, `bool`, `len` and iteration, and gives what `decode` gives; messages in it are such objects
again. It is no dict, so that whoever looks into dicts without their methods fails instead of seeing half of it. Nobody changes it.
Any thread that holds the GIL. Cost: some 5 ns for each field that is stepped over, 60 ns for each that is asked for.

The bytes stay as they are; a field is found by walking over its message:

    get("status") -> LazyObject of the bytes of field 3        get("phase") -> str, kept in `known` for the next time
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItem, PyDict_SetItem
from cpython.object cimport PyObject

from kcore.scalars cimport uint8_t, uint32_t, uint64_t
from kcore.machinery.codec._decode cimport empty_value, read_delimited, read_number, read_object
from kcore.machinery.codec._table cimport DOUBLE, MAP, OBJECT, SINGULAR, Field, Table, is_delimited, prepare
from kcore.machinery.codec._wire cimport DELIMITED, FIXED64, VARINT, read_span, read_varint, skip_field

from kcore.base import limits
from kcore.machinery.codec._table import DecodeError

cdef int DEPTH_MAX = limits.MESSAGE_DEPTH_MAX


def lazy_object(Table table not None, bytes raw not None):
    """Return an object that is decoded as it is asked; what is malformed raises DecodeError then."""
    cdef const uint8_t *at = <const uint8_t *>PyBytes_AS_STRING(raw)
    return made(table, raw, at, at + PyBytes_GET_SIZE(raw), 0)


cdef LazyObject made(Table table, bytes raw, const uint8_t *at, const uint8_t *end, int depth):
    cdef LazyObject found = LazyObject.__new__(LazyObject)
    prepare(table)
    if depth > DEPTH_MAX:
        raise DecodeError(f"{table.name} is nested more than {DEPTH_MAX} messages deep")
    found.table = table
    found.raw = raw
    found.at = at
    found.end = end
    found.depth = depth
    found.known = {}
    return found


@cython.final
cdef class LazyObject:
    """See the module.

    raw    keeps the bytes between `at` and `end`
    known  what was asked for and is there
    whole  all of it, once somebody asked for all
    """

    cdef Table table
    cdef bytes raw
    cdef const uint8_t *at
    cdef const uint8_t *end
    cdef int depth
    cdef dict known
    cdef dict whole

    def get(self, str name not None, default=None):
        """Return a field as JSON shows it, `default` if it shows none."""
        cdef PyObject *found = self.find(name)
        return <object>found if found != NULL else default

    def __getitem__(self, str name not None):
        cdef PyObject *found = self.find(name)
        if found == NULL:
            raise KeyError(name)
        return <object>found

    def __contains__(self, str name not None):
        return self.find(name) != NULL

    def __bool__(self):
        return self.shows_something()

    def __len__(self):
        return len(self.all())

    def __iter__(self):
        return iter(self.all())

    def __eq__(self, other):
        return self.all() == ((<LazyObject>other).all() if isinstance(other, LazyObject) else other)

    def __repr__(self):
        return repr(self.all())

    def keys(self):
        """Return the names of all that JSON shows."""
        return self.all().keys()

    def values(self):
        """Return all that JSON shows."""
        return self.all().values()

    def items(self):
        """Return all that JSON shows by name."""
        return self.all().items()

    cdef dict all(self):
        """Return the dict."""
        if self.whole is None:
            self.whole = read_object(self.table, self.at, self.end, self.depth)
        return self.whole

    cdef PyObject *find(self, str name) except? NULL:
        """Return the value of a field, NULL if JSON shows none."""
        cdef PyObject *found = PyDict_GetItem(self.known, name)
        cdef PyObject *slot = PyDict_GetItem(self.table.names, name)
        cdef int index
        if found != NULL or slot == NULL:
            return found
        index = <int><object>slot
        if self.whole is not None or index >= self.table.count:  # an inline message is not worth a walk of its own
            return PyDict_GetItem(self.all(), name)
        if not self.read(&self.table.fields[index], index):
            return PyDict_GetItem(self.all(), name)
        return PyDict_GetItem(self.known, name)

    cdef bint read(self, const Field *field, int index) except -1:
        """Read a field into `known`; Returns 0 if a message in it comes more than once, which is merged where all is read."""
        cdef const uint8_t *at = self.at
        cdef const uint8_t *stop = NULL
        cdef uint64_t tag = 0
        cdef uint64_t seen = 0
        while at < self.end:
            at = read_varint(at, self.end, &tag)
            if at == NULL or tag >> 3 == 0:
                raise DecodeError(f"malformed tag in {self.table.name}")
            stop = skip_field(at, self.end, tag)
            if stop == NULL:
                raise DecodeError(f"malformed field {tag >> 3} in {self.table.name}")
            if tag >> 3 == field.number:
                if field.kind == OBJECT and field.label == SINGULAR and seen:
                    del self.known[<object>field.name]
                    return 0
                self.take(field, at, stop, tag & 7, &seen)
            at = stop
        if field.emit and not (seen >> index) & 1:
            PyDict_SetItem(self.known, <object>field.name, empty_value(field, self.depth))
        return 1

    cdef int take(self, const Field *field, const uint8_t *at, const uint8_t *stop, uint32_t wire_type, uint64_t *seen) except -1:
        """Read one occurrence of a field, which ends at `stop`."""
        cdef const uint8_t *inner = NULL
        cdef uint64_t bit = (<uint64_t>1) << (field - self.table.fields)
        if wire_type != DELIMITED:
            if wire_type != (FIXED64 if field.kind == DOUBLE else VARINT) or is_delimited(field):
                raise DecodeError(f"wrong wire type {wire_type} for {self.table.name}.{<str>field.name}")
            read_number(self.table, field, at, stop, self.known, seen, 0)
        elif field.kind != OBJECT or field.label == MAP or field.typed:
            read_delimited(self.table, field, at, stop, self.known, seen, 0, self.depth)
        else:
            at = read_span(at, stop, &inner)
            value = made(<Table>field.sub, self.raw, at, inner, self.depth + 1)
            if field.label == SINGULAR:
                PyDict_SetItem(self.known, <object>field.name, value)
            elif seen[0] & bit:
                (<list>self.known[<object>field.name]).append(value)
            else:
                PyDict_SetItem(self.known, <object>field.name, [value])
            seen[0] |= bit
        return 0

    cdef bint shows_something(self) except -1:
        """Whether JSON shows anything of it; a message, list or map in it tells at once, what may be left out is looked at."""
        cdef uint64_t tag = 0
        cdef const uint8_t *at = self.at
        cdef const Field *field
        if self.table.emit_count:
            return True
        while at < self.end:
            at = read_varint(at, self.end, &tag)
            if at != NULL and tag >> 3 <= self.table.number_max and self.table.by_number[tag >> 3] >= 0:
                field = &self.table.fields[self.table.by_number[tag >> 3]]
                if field.label != SINGULAR or (field.kind == OBJECT and not field.inline):
                    return True
            at = skip_field(at, self.end, tag) if at != NULL else NULL
            if at == NULL:
                raise DecodeError(f"malformed field in {self.table.name}")
        return at != self.at and len(self.all()) > 0
