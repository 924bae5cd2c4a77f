# What the kernels of machinery know of a message: its fields by number and by JSON name, as C structures.
from cpython.object cimport PyObject
from kcore.scalars cimport int16_t, int32_t, uint8_t, uint32_t, uint64_t

# How a value looks on the wire and in a dict. Kinds from STRING on are length-delimited.
cdef enum Kind:
    BOOL = 0
    INT32 = 1
    INT64 = 2
    DOUBLE = 3
    STRING = 4
    BYTES = 5
    OBJECT = 6
    TIME = 7
    MICRO_TIME = 8
    QUANTITY = 9
    INT_OR_STRING = 10
    RAW = 11
    WRAPPED = 12

cdef enum Label:
    SINGULAR = 0
    LIST = 1
    MAP = 2

cdef enum Bound:
    # Slots of a message with its inline messages; one bit each in a 64-bit mask. The widest in Kubernetes has 45.
    SLOTS_MAX = 64
    # The highest field number in Kubernetes is 44; one- and two-byte tags hold numbers below 2048.
    NUMBER_MAX = 2047

cdef struct Field:
    uint32_t number
    uint8_t kind
    uint8_t label
    bint always
    bint emit
    bint keep_empty      # a list that is given and empty stays in the dict, and is not written
    bint inline
    bint typed           # a whole object inside of another: JSON shows its apiVersion and kind
    int base             # where the slots of an inline message begin, relative to its parent's
    PyObject *name       # JSON name, interned; kept alive by the table
    const char *key      # the name as JSON text writes it before a value, quotes and colon included; kept alive by the table
    int key_size
    PyObject *sub        # Table of the message, or NULL; kept alive by the table

cdef class Table:
    cdef readonly str name
    cdef readonly tuple specs
    cdef readonly bint is_root
    cdef readonly str api_version
    cdef readonly str kind
    cdef bint ready
    cdef object resolve
    cdef object wrap
    cdef object unwrap
    cdef dict names          # JSON name -> slot
    cdef list keys           # what the keys of the fields point into
    cdef Field *fields       # own fields, by number
    cdef int count
    cdef int16_t *by_number  # field number -> index into fields, or -1
    cdef uint32_t number_max
    cdef Field **slots       # own fields, then those of the inline messages
    cdef int slot_count
    cdef int16_t *emits      # slots that JSON shows even when they are empty
    cdef int emit_count

    cdef int build(self) except -1
    cdef int allocate(self) except -1
    cdef int set_field(self, int index, object spec) except -1
    cdef int lay_out_slots(self) except -1


cdef inline int prepare(Table table) except -1:
    """Make a table usable; its fields are resolved at the first use."""
    if not table.ready:
        return table.build()
    return 0


cdef inline bint is_delimited(const Field *field) noexcept nogil:
    return field.kind >= STRING
