"""Values put where a dict has none: the defaults that options state, for a whole object in one pass.

For the API server's write path. `kcore.machinery.defaults` compiles a plan for each message that has defaults in it or below it.
Any thread that holds the GIL. Cost: some 20 ns for each field that may be defaulted.
"""

from copy import deepcopy

cimport cython
from cpython.dict cimport PyDict_GetItem, PyDict_Next, PyDict_SetItem
from cpython.object cimport PyObject

# How the value of a field holds the messages that are descended into.
cdef enum Shape:
    VALUE = 0
    MESSAGE = 1
    LIST = 2
    MAP = 3


@cython.final
cdef class Step:
    """What is done with one field.

    default   the value of an absent field; None if it has no default
    zero_too  a field that has no presence: its zero value counts as absent
    shape     MESSAGE, LIST or MAP if `plan` is applied to what is there, else VALUE
    made      an absent message is made, since it is always there on the wire
    """

    cdef str name
    cdef object default
    cdef bint copied
    cdef bint zero_too
    cdef int shape
    cdef bint made
    cdef Plan plan

    def __cinit__(self, str name not None, object default, bint zero_too, int shape, bint made, Plan plan):
        self.name = name
        self.default = default
        self.copied = isinstance(default, (dict, list))
        self.zero_too = zero_too
        self.shape = shape
        self.made = made
        self.plan = plan


@cython.final
cdef class Plan:
    """The steps for one message; filled after it is made, since messages may hold themselves."""

    cdef tuple steps

    def __cinit__(self):
        self.steps = ()

    def fill(self, tuple steps not None):
        """Set the steps."""
        self.steps = steps

    def apply(self, dict obj not None):
        """Default an object in place."""
        apply_plan(self, obj)


cdef int apply_plan(Plan plan, dict obj) except -1:
    cdef Step step
    cdef PyObject *found
    for item in plan.steps:
        step = <Step>item
        found = PyDict_GetItem(obj, step.name)
        if found == NULL or <object>found is None or (step.zero_too and not <object>found):
            if step.default is not None:
                value = deepcopy(step.default) if step.copied else step.default
            elif step.made:
                value = {}
            else:
                continue
            PyDict_SetItem(obj, step.name, value)
            found = <PyObject *>value
        if step.shape != VALUE:
            descend(step, <object>found)
    return 0


cdef int descend(Step step, object value) except -1:
    cdef PyObject *key = NULL
    cdef PyObject *item = NULL
    cdef Py_ssize_t place = 0
    if step.shape == MESSAGE:
        return apply_plan(step.plan, <dict?>value)
    if step.shape == LIST:
        for element in <list?>value:
            apply_plan(step.plan, <dict?>element)
        return 0
    while PyDict_Next(<dict?>value, &place, &key, &item):
        apply_plan(step.plan, <dict?><object>item)
    return 0
