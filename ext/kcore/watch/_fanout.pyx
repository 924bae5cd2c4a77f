"""Fan-out index: which watchers may want a change, without looking at the others.

For the watch hub. Thread: one, the event loop's. Cost of `interested`: a look-up for each criterion that any watcher uses and the object has, plus the watchers found.

A watcher stands under the one criterion that excludes most: its object's name, an indexed field such as spec.nodeName, an equality label, its namespace, or nothing. A change
is looked up under the criteria of the object before and after it, since a watcher must hear of an object that stops matching.

    watchers   w1 of pod a/x      w2 of node n1           w3 of app=web         w4 of namespace a    w5 of all
    criteria   (NAME, a, x)       (FIELD, nodeName, n1)   (LABEL, app, web)     (NAMESPACE, a, "")   ANY
"""

NAME = 0
FIELD = 1
LABEL = 2
NAMESPACE = 3
ANY = 4


cdef class FanoutIndex:
    """The watchers of one resource by their criteria; a watcher is any hashable object."""

    cdef dict groups
    cdef list counts
    cdef dict any_group

    def __init__(self):
        self.groups = {}
        self.counts = [0, 0, 0, 0]
        self.any_group = {}

    def __len__(self):
        return sum(self.counts) + len(self.any_group)

    def add(self, watcher, int criterion, str first not None, str second not None):
        """Put a watcher under a criterion; the last to come hears last."""
        cdef tuple key
        if criterion == ANY:
            self.any_group[watcher] = None
            return
        key = (criterion, first, second)
        self.groups.setdefault(key, {})[watcher] = None
        self.counts[criterion] += 1

    def remove(self, watcher, int criterion, str first not None, str second not None):
        """Take a watcher out from under its criterion."""
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

    def interested(self, projections not None):
        """The watchers that may want an object of which these are the projections (namespace, name, labels, fields) before and after a change, each once."""
        cdef dict found
        cdef str namespace
        cdef str name
        cdef dict labels
        cdef dict fields
        if not self.groups:
            return list(self.any_group)
        found = dict(self.any_group)
        for namespace, name, labels, fields in projections:
            if self.counts[0]:
                self.collect(found, (NAME, namespace, name))
            if self.counts[1]:
                for field, value in fields.items():
                    self.collect(found, (FIELD, field, value))
            if self.counts[2]:
                for label, value in labels.items():
                    self.collect(found, (LABEL, label, value))
            if self.counts[3]:
                self.collect(found, (NAMESPACE, namespace, ""))
        return list(found)

    cdef int collect(self, dict found, tuple key) except -1:
        cdef dict group = self.groups.get(key)
        if group is not None:
            found.update(group)
        return 0
