"""The head of the store: writes go into the index at once, and into a commit in the making, each with its place on disk to be.

For the store's engine, of which Head is the compiled half: the short way of what nearly all transactions are. Thread: the event loop's.
Cost: half a microsecond for each.
"""

cimport cython

from kcore.scalars cimport int64_t, uint32_t
from kcore.store._index cimport KeyIndex
from kcore.store._record cimport HEADER_SIZE
from kcore.store._track cimport Change, Track
from kcore.store._values cimport Compare, Delete, Mutation, Put, Txn


cdef class Pending:
    """The records of a commit in the order of their revisions, and where they will lie; kcore.store.group has the rest of it.

    Chunks have ids in order, and a chunk ends when the next record would make it larger than its bound:

        records  r0 r1 r2 | r3 | r4 r5        starts [0, 3, 4]        chunks first_chunk, first_chunk + 1, first_chunk + 2
    """

    cdef readonly list records
    cdef readonly list starts
    cdef readonly int64_t first_chunk
    cdef readonly int64_t size
    cdef int64_t chunk_bytes
    cdef int64_t chunk_bytes_max

    def __init__(self, int64_t first_chunk, int64_t chunk_bytes_max):
        self.records = []
        self.starts = []
        self.first_chunk = first_chunk
        self.chunk_bytes_max = chunk_bytes_max

    cdef int place(self, int64_t size, Change* change) except -1:
        """Say where the next record lies, which the caller then appends."""
        change.offset = <uint32_t>self.chunk_bytes
        if not self.starts or self.chunk_bytes + size > self.chunk_bytes_max:
            self.starts.append(len(self.records))
            self.chunk_bytes = 0
            change.offset = 0
        self.chunk_bytes += size
        self.size += size
        change.size = <uint32_t>size
        change.chunk = self.first_chunk + len(self.starts) - 1
        return 0

    cdef int64_t append(self, KeyIndex index, Put put, int64_t revision, int64_t sub) except? -1:
        cdef Change change
        cdef int64_t size = HEADER_SIZE + len(put.key) + len(put.value)
        change.revision = revision
        change.sub = <uint32_t>sub
        change.lease = put.lease
        self.place(size, &change)
        cdef int64_t previous_lease = index.append_put(put.key, put.value, &change)
        cdef Mutation record = Mutation.__new__(Mutation)
        record.revision = revision
        record.sub = sub
        record.key = put.key
        record.value = put.value
        record.create_revision = change.create_revision
        record.version = change.version
        record.lease = put.lease
        self.records.append(record)
        return previous_lease

    def write(self, KeyIndex index not None, Put put not None, int64_t revision, int64_t sub):
        """Append a put; -> the lease to which the key was attached or 0."""
        return self.append(index, put, revision, sub)

    def erase(self, KeyIndex index not None, bytes key not None, int64_t revision, int64_t sub):
        """Append the deletion of a key that is present; -> the lease to which it was attached or 0."""
        cdef Change change
        self.place(HEADER_SIZE + len(key), &change)
        previous_lease = index.delete(key, revision, sub, change.chunk, change.offset, change.size)
        self.records.append(Mutation(revision, sub, key, None))
        return previous_lease

    def cut(self, Py_ssize_t count):
        """Take back all but the first `count` records; -> those. The index is the caller's."""
        cdef list taken = self.records[count:]
        cdef Mutation record
        del self.records[count:]
        for record in taken:
            self.size -= size_of(record)
        while self.starts and self.starts[len(self.starts) - 1] >= count:
            self.starts.pop()
        self.chunk_bytes = 0
        if self.starts:
            for record in self.records[self.starts[len(self.starts) - 1]:]:
                self.chunk_bytes += size_of(record)
        return taken


cdef int64_t size_of(Mutation record) except -1:
    return HEADER_SIZE + len(record.key) + (0 if record.value is None else len(record.value))


@cython.final
@cython.no_gc
@cython.freelist(512)
cdef class EvaluatedTxn:
    """A Submission of the embedded store; `group` has its writes, else the newest writes that it saw and that are not durable yet."""

    cdef public bint succeeded
    cdef public int64_t revision
    cdef public list responses
    cdef public object group

    def __init__(self, bint succeeded, int64_t revision, list responses not None, group):
        self.succeeded = succeeded
        self.revision = revision
        self.responses = responses
        self.group = group

    async def durable(self):
        """Wait until it is on disk. Raises StoreError."""
        if self.group is not None:
            await self.group.settled()


cdef int64_t mod_revision(KeyIndex index, bytes key) except? -1:
    """The revision of a key's newest put, 0 if it is not present."""
    cdef Track track = index.find(key)
    return 0 if track is None or track.changes[track.count - 1].removed else track.changes[track.count - 1].revision


cdef class Head:
    """What is evaluated, durable or not; a base class, so that the engine's other half reaches its fields as its own.

    index          all keys
    open           the group that is filled
    head_revision  newest revision
    room_bytes     how many bytes the open group may hold before a put is looked at more closely
    failure        why nothing can be written now, or None
    flush_planned  whether the open group will be handed over at the end of this turn of the loop
    """

    cdef public KeyIndex index
    cdef public Pending open
    cdef public int64_t head_revision
    cdef public int64_t room_bytes
    cdef public object failure
    cdef public bint flush_planned

    def submit(self, Txn txn not None):
        """Evaluate a transaction at once. Raises StoreError: lease not found, no space, busy, invalid, failed."""
        cdef EvaluatedTxn evaluated = None
        if self.failure is None:
            evaluated = self.submit_one(txn)
        if evaluated is None:
            return self.evaluate(txn)
        if not self.flush_planned:
            self.plan_flush()
        return evaluated

    cdef EvaluatedTxn submit_one(self, Txn txn):
        """Put or delete one key without a lease, on the condition at most that keys have a mod_revision.

        Returns   None, and nothing is done, if more is asked or a condition does not hold
        """
        cdef Compare compare
        if len(txn.success) != 1:
            return None
        operation = txn.success[0]
        for compare in txn.compares:
            if compare.range_end or compare.target != "mod" or compare.result != "=":
                return None
            if mod_revision(self.index, compare.key) != compare.operand:
                return None
        if type(operation) is Put:
            return self.submit_put(<Put>operation)
        return self.submit_delete(<Delete>operation) if type(operation) is Delete else None

    cdef EvaluatedTxn submit_put(self, Put put):
        if put.lease or not put.key or self.open.size + len(put.value) > self.room_bytes:
            return None
        cdef Track track = self.index.find(put.key)
        if track is not None and track.changes[track.count - 1].lease:
            return None
        self.open.append(self.index, put, self.head_revision + 1, 0)
        return self.submitted()

    cdef EvaluatedTxn submit_delete(self, Delete delete):
        if delete.range_end or self.open.size > self.room_bytes:
            return None
        cdef Track track = self.index.find(delete.key)
        if track is None or track.changes[track.count - 1].removed or track.changes[track.count - 1].lease:
            return None
        self.open.erase(self.index, delete.key, self.head_revision + 1, 0)
        return self.submitted()

    cdef EvaluatedTxn submitted(self):
        """The transaction that has just written one key."""
        self.head_revision += 1
        cdef EvaluatedTxn evaluated = EvaluatedTxn.__new__(EvaluatedTxn)
        evaluated.succeeded = True
        evaluated.revision = self.head_revision
        evaluated.responses = [1]
        evaluated.group = self.open
        return evaluated
