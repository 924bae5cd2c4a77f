"""Tables that drive the codec: one for each message, built from its descriptor when it is first used.

For codec, projection and splice; `kcore.machinery.codec.tables` makes them. Immutable once built; any thread that holds the GIL may use them.
Cost: building takes some 2 us for each field, once.

The slots of a message are its own fields in the order of their numbers, followed by the slots of each inline message, so that one
number stands for one JSON name. For a message of fields a (1), b (2, inline, with c and d) and e (3) they are

    slot   0  1  2  3  4
    field  a  b  e  c  d        fields[1].base = 3
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from cpython.object cimport PyObject


class DecodeError(ValueError):
    """Bytes or a dict that are no message of the wanted kind; the text says why, as Kubernetes does where it has a text for it."""


@cython.final
cdef class Table:
    """The fields of one message.

    name      full name of the message
    resolve   called once with the name: (specs, root, wrap, unwrap), where specs are tuples
              (number, kind, label, always, emit, inline, typed, JSON name, Table or None, Go type, keep_empty), root is
              (apiVersion, kind) for a message whose objects have these, and wrap and unwrap convert a message that is no object in JSON from and to its
              dict; None for others
    """

    def __cinit__(self, str name, object resolve):
        self.name = name
        self.resolve = resolve
        self.names = {}
        self.keys = []
        self.specs = ()

    def __dealloc__(self):
        PyMem_Free(self.fields)
        PyMem_Free(self.by_number)
        PyMem_Free(self.slots)
        PyMem_Free(self.emits)

    def __repr__(self):
        return f"Table({self.name})"

    def describe(self):
        """Return the specs of the message's own fields, resolving them if need be."""
        prepare(self)
        return self.specs

    def slot_names(self):
        """Return the JSON names that an object of this message may have, those of inline messages included."""
        prepare(self)
        return frozenset(self.names)

    def wrapped(self, value):
        """Return the message's dict for a value in its own JSON form."""
        prepare(self)
        return self.wrap(value)

    cdef int build(self) except -1:
        specs, root, self.wrap, self.unwrap = self.resolve(self.name)
        self.is_root = root is not None
        if root is not None:
            self.api_version, self.kind = root
        self.specs = tuple(sorted(specs))
        self.count = len(self.specs)
        self.number_max = self.specs[self.count - 1][0] if self.specs else 0
        if self.number_max > NUMBER_MAX:
            raise ValueError(f"{self.name} has field number {self.number_max}; the codec handles up to {NUMBER_MAX}")
        self.allocate()
        cdef int index
        for index in range(self.count):
            self.set_field(index, self.specs[index])
        self.lay_out_slots()
        self.ready = True
        return 0

    cdef int allocate(self) except -1:
        cdef uint32_t number
        self.fields = <Field *>PyMem_Calloc(self.count + 1, sizeof(Field))
        self.by_number = <int16_t *>PyMem_Calloc(self.number_max + 1, sizeof(int16_t))
        self.slots = <Field **>PyMem_Calloc(SLOTS_MAX, sizeof(Field *))
        self.emits = <int16_t *>PyMem_Calloc(SLOTS_MAX, sizeof(int16_t))
        if self.fields == NULL or self.by_number == NULL or self.slots == NULL or self.emits == NULL:
            raise MemoryError
        for number in range(self.number_max + 1):
            self.by_number[number] = -1
        return 0

    cdef int set_field(self, int index, object spec) except -1:
        cdef Field *field = &self.fields[index]
        number, kind, label, always, emit, inline, typed, name, sub, _, keep_empty = spec
        field.number = number
        field.kind = kind
        field.label = label
        field.always = always
        field.emit = emit
        field.keep_empty = keep_empty
        field.inline = inline
        field.typed = typed
        field.name = <PyObject *>name
        key = f'"{name}":'.encode()
        self.keys.append(key)
        field.key = PyBytes_AS_STRING(key)
        field.key_size = <int>PyBytes_GET_SIZE(key)
        field.sub = <PyObject *>sub if isinstance(sub, Table) else NULL
        if kind in (OBJECT, WRAPPED) and field.sub == NULL:
            raise ValueError(f"{self.name}.{name} is a message without a table")
        self.by_number[field.number] = <int16_t>index
        return 0

    cdef int lay_out_slots(self) except -1:
        cdef int index
        cdef int inner
        cdef Field *field
        cdef Table sub
        self.slot_count = self.count
        if self.count > SLOTS_MAX:
            raise ValueError(f"{self.name} has {self.count} fields; the codec handles up to {SLOTS_MAX}")
        for index in range(self.count):
            field = &self.fields[index]
            self.slots[index] = field
            if not field.inline:
                self.names[<str>field.name] = index
                continue
            sub = <Table>field.sub
            prepare(sub)
            field.base = self.slot_count
            if self.slot_count + sub.slot_count > SLOTS_MAX:
                raise ValueError(f"{self.name} has more than {SLOTS_MAX} fields with its inline messages")
            for inner in range(sub.slot_count):
                self.slots[self.slot_count + inner] = sub.slots[inner]
            for name, slot in sub.names.items():
                self.names[name] = self.slot_count + slot
            self.slot_count += sub.slot_count
        for index in range(self.slot_count):
            if self.slots[index].emit and not self.slots[index].inline:
                self.emits[self.emit_count] = <int16_t>index
                self.emit_count += 1
        return 0
