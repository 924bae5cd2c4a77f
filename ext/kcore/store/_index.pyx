"""The key index: for every key its changes since the last compaction, in key order, and the newest value where it is kept.

For the store's engine. It answers every compare and tells where on disk a value lies; it never reads the disk. Changes not
yet durable are in it like all others: the reader names the revision up to which it wants to see.

Thread: the one that owns the store. Cost: a put or a get is one dict lookup; a range is two binary searches and its keys.

A range is [start, end); end b"" asks for the key start alone, end b"\\0" for everything from start on.
A pair is the tuple (key, value or None if it is not kept in memory, create_revision, mod_revision, version, lease).
"""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.dict cimport PyDict_GetItem
from cpython.object cimport PyObject

from kcore.scalars cimport int64_t, uint8_t, uint32_t
from kcore.store._record cimport FLAG_DELETE, HEADER_SIZE, Header, check_record
from kcore.store._track cimport Change, Order, Track, Walk
from kcore.store._values cimport Mutation


@cython.final
cdef class KeyIndex:
    """All keys of one store.

    >>> index = KeyIndex()
    >>> index.put(b"/a", b"x", 2, 0, 0, 1, 0, 59)
    (2, 1, 0)
    >>> index.get(b"/a", 2)
    (b'/a', b'x', 2, 2, 1, 0)
    """

    def __cinit__(self):
        self.tracks = {}
        self.order = Order()

    def __len__(self):
        """Count the keys present at the newest revision."""
        return self.present_count

    cdef Track find(self, bytes key):
        cdef PyObject* found = PyDict_GetItem(self.tracks, key)
        return None if found is NULL else <Track>found

    cdef int drop(self, Track track) except -1:
        """Forget a key that has no changes left."""
        self.order.remove(track)
        del self.tracks[track.key]
        return 0

    # writing

    cdef int64_t append_put(self, bytes key, bytes value, Change* change) except? -1:
        """Append a put, and fill in the create_revision and version of its change; all else of it is filled in already.

        Returns   the lease to which the key was attached or 0
        """
        cdef Track track = self.find(key)
        cdef Change* last
        cdef int64_t previous_lease = 0
        change.create_revision = change.revision
        change.version = 1
        change.removed = False
        if track is None:
            track = Track(key)
            self.tracks[key] = track
            self.order.insert(track)
            self.present_count += 1
        elif track.changes[track.count - 1].removed:
            self.present_count += 1
        else:
            last = &track.changes[track.count - 1]
            change.create_revision = last.create_revision
            change.version = last.version + 1
            previous_lease = last.lease
        track.append(change)
        track.value = value
        return previous_lease

    def put(
        self, bytes key not None, bytes value, int64_t revision, uint32_t sub, int64_t lease, int64_t chunk, uint32_t offset, uint32_t size
    ):
        """Append a put, whose record of size bytes is to lie at offset of chunk.

        Returns   (create_revision, version, the lease to which the key was attached or 0)
        """
        cdef Change change = Change(
            revision=revision, create_revision=0, version=0, lease=lease, chunk=chunk, offset=offset, size=size, sub=sub, removed=False
        )
        cdef int64_t previous_lease = self.append_put(key, value, &change)
        return change.create_revision, change.version, previous_lease

    def delete(self, bytes key not None, int64_t revision, uint32_t sub, int64_t chunk, uint32_t offset, uint32_t size):
        """Append the deletion of a key that is present.

        Returns   the lease to which the key was attached or 0
        Raises    KeyError if the key is not present
        """
        cdef Track track = self.find(key)
        cdef Change change
        cdef int64_t previous_lease
        if track is None or track.changes[track.count - 1].removed:
            raise KeyError(key)
        previous_lease = track.changes[track.count - 1].lease
        change = Change(
            revision=revision, create_revision=0, version=0, lease=0, chunk=chunk, offset=offset, size=size, sub=sub, removed=True
        )
        track.append(&change)
        track.value = None
        self.present_count -= 1
        return previous_lease

    def keep(self, bytes key not None, int64_t revision, bytes value not None):
        """Keep the value in memory, if the key's newest change is still the put at revision."""
        cdef Track track = self.find(key)
        if track is not None and track.changes[track.count - 1].revision == revision and not track.changes[track.count - 1].removed:
            track.value = value

    def let_go(self, list mutations not None):
        """Keep the values of some puts in memory no longer, where they are still the newest."""
        cdef Mutation mutation
        cdef Track track
        for mutation in mutations:
            track = self.find(mutation.key)
            if track is not None and track.changes[track.count - 1].revision == mutation.revision:
                track.value = None

    def rollback(self, keys not None, int64_t revision):
        """Take back every change above revision of the given keys. Values of what is newest then are not kept."""
        cdef Track track
        for key in keys:
            track = self.find(key)
            if track is None or track.changes[track.count - 1].revision <= revision:
                continue
            self.present_count -= not track.changes[track.count - 1].removed
            while track.count and track.changes[track.count - 1].revision > revision:
                track.count -= 1
            track.value = None
            if track.count == 0:
                self.drop(track)
            else:
                self.present_count += not track.changes[track.count - 1].removed

    def load(self, int64_t chunk, const uint8_t[::1] data not None):
        """Append the records of a chunk read from disk; chunks come in their order.

        Returns   the newest revision in it
        Raises    ValueError with the offset at which a record does not hold
        """
        cdef Header header
        cdef Change change
        cdef Track track
        cdef Py_ssize_t offset = 0
        cdef int64_t whole
        cdef int64_t newest = 0
        cdef bytes key
        cdef const uint8_t* start
        while offset < data.shape[0]:
            start = &data[offset]
            whole = check_record(start, <size_t>(data.shape[0] - offset), &header)
            if whole < 0:
                raise ValueError(f"the checksum at {offset} does not hold")
            key = PyBytes_FromStringAndSize(<const char*>start + HEADER_SIZE, header.key_size)
            track = self.find(key)
            if track is None:
                track = Track(key)
                self.tracks[key] = track
                self.order.insert(track)
            elif track.changes[track.count - 1].revision >= header.revision:
                raise ValueError(f"revision {header.revision} at {offset} is not above {track.changes[track.count - 1].revision}")
            change.revision = header.revision
            change.create_revision = header.create_revision
            change.version = header.version
            change.lease = header.lease
            change.chunk = chunk
            change.offset = <uint32_t>offset
            change.size = <uint32_t>whole
            change.sub = header.sub
            change.removed = header.flags & FLAG_DELETE
            self.present_count += not change.removed
            if track.count and not track.changes[track.count - 1].removed:
                self.present_count -= 1
            track.append(&change)
            newest = max(newest, header.revision)
            offset += whole
        return newest

    # reading

    cdef tuple pair(self, Track track, Py_ssize_t at):
        cdef Change* change = &track.changes[at]
        return (
            track.key,
            track.value if at == track.count - 1 else None,
            change.create_revision,
            change.revision,
            change.version,
            change.lease,
        )

    def newest(self, bytes key not None):
        """Return the newest pair of a key, or None if it is not present."""
        cdef Track track = self.find(key)
        if track is None or track.changes[track.count - 1].removed:
            return None
        return self.pair(track, track.count - 1)

    def get(self, bytes key not None, int64_t revision):
        """Return the pair of a key as it was at revision, or None if it was not present."""
        cdef Track track = self.find(key)
        cdef Py_ssize_t at
        if track is None:
            return None
        at = track.at(revision)
        return None if at < 0 or track.changes[at].removed else self.pair(track, at)

    def place(self, bytes key not None, int64_t revision):
        """Return (chunk, offset, size) of the record of the change of key made at exactly revision.

        Raises    KeyError if there is none
        """
        cdef Track track = self.find(key)
        cdef Py_ssize_t at = -1 if track is None else track.at(revision)
        if at < 0 or track.changes[at].revision != revision:
            raise KeyError(key, revision)
        return track.changes[at].chunk, track.changes[at].offset, track.changes[at].size

    def range(self, bytes start not None, bytes end not None, int64_t revision, Py_ssize_t limit):
        """List the pairs present in a range at revision, in key order; limit 0 lists all.

        Returns   (pairs, number of keys in the whole range)
        """
        cdef Walk walk = Walk(self.order, start, end)
        cdef Track track = walk.next()
        cdef Py_ssize_t at
        cdef Py_ssize_t count = 0
        cdef list found = []
        while track is not None:
            at = track.at(revision)
            if at >= 0 and not track.changes[at].removed:
                count += 1
                if limit <= 0 or count <= limit:
                    found.append(self.pair(track, at))
            track = walk.next()
        return found, count

    def count(self, bytes start not None, bytes end not None, int64_t revision):
        """Count the keys present in a range at revision."""
        cdef Walk walk = Walk(self.order, start, end)
        cdef Track track = walk.next()
        cdef Py_ssize_t at
        cdef Py_ssize_t count = 0
        while track is not None:
            at = track.at(revision)
            count += at >= 0 and not track.changes[at].removed
            track = walk.next()
        return count

    def changes(self, bytes start not None, bytes end not None, int64_t after, int64_t upto):
        """List the changes of a range made at a revision in (after, upto], in the order in which they were made.

        Returns   tuples (revision, sub, key, removed, create_revision, version, lease)
        """
        cdef Walk walk = Walk(self.order, start, end)
        cdef Track track = walk.next()
        cdef Py_ssize_t at
        cdef Change* change
        cdef list found = []
        while track is not None:
            at = track.at(upto)
            while at >= 0 and track.changes[at].revision > after:
                change = &track.changes[at]
                found.append(
                    (
                        change.revision, change.sub, track.key, bool(change.removed),
                        change.create_revision, change.version, change.lease,
                    )
                )
                at -= 1
            track = walk.next()
        found.sort()
        return found

    def touched(self, int64_t after):
        """List the keys changed after a revision, in key order."""
        cdef Walk walk = Walk(self.order, b"", b"\0")
        cdef Track track = walk.next()
        cdef list found = []
        while track is not None:
            if track.changes[track.count - 1].revision > after:
                found.append(track.key)
            track = walk.next()
        return found

    def keys(self, bytes start not None, bytes end not None, int64_t revision):
        """List the keys present in a range at revision, in order."""
        cdef Walk walk = Walk(self.order, start, end)
        cdef Track track = walk.next()
        cdef Py_ssize_t at
        cdef list found = []
        while track is not None:
            at = track.at(revision)
            if at >= 0 and not track.changes[at].removed:
                found.append(track.key)
            track = walk.next()
        return found

    # compaction

    def compact(self, bytes start not None, list floors not None, Py_ssize_t keys_max):
        """Forget what no revision at or above a floor can see, for at most keys_max keys from start on.

        floors    ascending; the last is the compacted revision, the ones before it are marks whose view stays readable
        Returns   (key to go on with, or None at the end; {chunk: bytes of records that nothing needs any more})

        Of the changes up to the last floor, each floor needs the newest at or below it, unless that is a deletion. A deletion stays
        if a put before it stays (for a mark), which would come to life again without it; so does one at exactly the compacted
        revision, for a watch that starts there.
        """
        cdef Walk walk = Walk(self.order, start, b"\0")
        cdef Track track = walk.next()
        cdef dict dead = {}
        cdef list emptied = []
        cdef int64_t floor = floors[len(floors) - 1]
        while track is not None and keys_max > 0:
            if track.changes[0].revision <= floor and (track.count > 1 or track.changes[0].removed):
                self.thin(track, floors, floor, dead)
                if track.count == 0:
                    emptied.append(track)
            keys_max -= 1
            track = walk.next()
        onward = None if track is None else track.key
        for track in emptied:
            self.drop(track)
        return onward, dead

    cdef int thin(self, Track track, list floors, int64_t floor, dict dead) except -1:
        cdef Py_ssize_t at
        cdef Py_ssize_t kept = 0
        cdef Change* change
        cdef bint needed
        # What is kept moves down in place; kept never passes at, so that places from at on can still be searched.
        for at in range(track.count):
            change = &track.changes[at]
            needed = change.revision > floor
            if change.removed:
                needed = needed or change.revision == floor or (kept > 0 and not track.changes[kept - 1].removed)
            elif not needed:
                for mark in floors:
                    needed = needed or track.at(<int64_t>mark) == at
            if needed:
                track.changes[kept] = change[0]
                kept += 1
            else:
                dead[change.chunk] = dead.get(change.chunk, 0) + change.size
        track.count = kept
        return 0

    def relocate(self, bytes key not None, int64_t revision, uint32_t offset):
        """Note that the record of a change moved within its chunk."""
        cdef Track track = self.find(key)
        cdef Py_ssize_t at = -1 if track is None else track.at(revision)
        if at >= 0 and track.changes[at].revision == revision:
            track.changes[at].offset = offset

    def has(self, bytes key not None, int64_t revision):
        """Tell if the change of key made at exactly revision is still needed."""
        cdef Track track = self.find(key)
        cdef Py_ssize_t at = -1 if track is None else track.at(revision)
        return at >= 0 and track.changes[at].revision == revision

    # whole

    def leases(self):
        """Map each lease to the keys attached to it at the newest revision."""
        cdef Track track
        cdef dict attached = {}
        for track in self.tracks.values():
            if track.changes[track.count - 1].lease:
                attached.setdefault(track.changes[track.count - 1].lease, set()).add(track.key)
        return attached

    def copy(self):
        """Return an independent index with the same content; keys and values are shared."""
        cdef KeyIndex twin = KeyIndex()
        cdef Walk walk = Walk(self.order, b"", b"\0")
        cdef Track track = walk.next()
        cdef Track clone
        while track is not None:
            clone = track.clone()
            twin.tracks[clone.key] = clone
            twin.order.append(clone)
            track = walk.next()
        twin.present_count = self.present_count
        return twin
