"""Fan-out index: which watchers may want a change, without looking at the others.

For the watch hub. Thread: one, the event loop's. Cost of `interested`: a look-up for each criterion that any watcher uses and the object
has, plus the watchers found.

A watcher stands under the one criterion that excludes most: its object's name (in one namespace, or in any), an indexed field such as
spec.nodeName, an equality label, its namespace, or nothing. A change is looked up under the criteria of the object before and after it,
since a watcher must hear of an object that stops matching.

    watchers   w1 of pod a/x      w2 of node n1           w3 of app=web         w4 of namespace a    w5 of all
    criteria   (NAME, a, x)       (FIELD, nodeName, n1)   (LABEL, app, web)     (NAMESPACE, a, "")   ANY
"""

cimport cython

NAME = 0
FIELD = 1
LABEL = 2
NAMESPACE = 3
ANY = 4


@cython.final
cdef class FanoutIndex:
    """The watchers of one resource by their criteria; a watcher is any hashable object."""

    cdef dict groups
    cdef Py_ssize_t[4] counts
    cdef dict any_group

    def __cinit__(self):
        self.groups = {}
        self.any_group = {}

    def __len__(self):
        return self.counts[0] + self.counts[1] + self.counts[2] + self.counts[3] + len(self.any_group)

    def add(self, watcher, int criterion, str first not None, str second not None):
        """Put a watcher under a criterion.

        criterion  NAME: namespace (or "" for any), name; FIELD: path, value; LABEL: label, value; NAMESPACE: namespace, ""; ANY: "", ""
        Raises     ValueError if there is no such criterion
        """
        cdef dict group
        if criterion == ANY:
            self.any_group[watcher] = None
            return
        if not 0 <= criterion < 4:
            raise ValueError(f"no criterion is {criterion}")
        group = self.groups.setdefault((criterion, first, second), {})
        self.counts[criterion] += watcher not in group
        group[watcher] = None

    def remove(self, watcher, int criterion, str first not None, str second not None):
        """Take a watcher out from under its criterion, if it is there."""
        cdef tuple key
        cdef dict group
        if criterion == ANY:
            self.any_group.pop(watcher, None)
            return
        key = (criterion, first, second)
        group = self.groups.get(key)
        if group is None or watcher not in group:
            return
        del group[watcher]
        self.counts[criterion] -= 1
        if not group:
            del self.groups[key]

    @property
    def is_plain(self):
        """Whether no watcher stands under a criterion: then all are interested in everything, and projections are not looked at."""
        return not self.groups

    def interested(self, before, after):
        """List the watchers that may want an object, each once.

        before, after  its projection (namespace, name, labels, fields) before and after the change; None where it was not there
        """
        cdef dict found
        if not self.groups:
            return list(self.any_group)
        found = dict(self.any_group)
        if before is not None:
            self.collect_side(found, before)
        if after is not None:
            self.collect_side(found, after)
        return list(found)

    cdef int collect_side(self, dict found, projected) except -1:
        cdef str namespace
        cdef str name
        cdef dict labels
        cdef dict fields
        namespace, name, labels, fields = projected
        if self.counts[0]:
            self.collect(found, (NAME, namespace, name))
            if namespace:
                self.collect(found, (NAME, "", name))
        if self.counts[1]:
            for field, value in fields.items():
                self.collect(found, (FIELD, field, value))
        if self.counts[2]:
            for label, value in labels.items():
                self.collect(found, (LABEL, label, value))
        if self.counts[3]:
            self.collect(found, (NAMESPACE, namespace, ""))
        return 0

    cdef int collect(self, dict found, tuple key) except -1:
        cdef dict group = self.groups.get(key)
        if group is not None:
            found.update(group)
        return 0
