"""Hold the changes of one key (Track), all tracks in key order (Order), and step over a range of them (Walk).

For the key index, which owns both. Thread: the one of the index. Cost: a lookup in a track is a search from its newest
change; an insertion into the order is two binary searches and a move of at most 512 pointers.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from libc.string cimport memcmp, memcpy, memmove

from kcore.scalars cimport int64_t

cdef enum:
    BLOCK_SIZE = 512


cdef inline int compare(bytes left, bytes right) noexcept:
    """Order two keys by their bytes; a prefix comes first."""
    cdef Py_ssize_t left_size = PyBytes_GET_SIZE(left)
    cdef Py_ssize_t right_size = PyBytes_GET_SIZE(right)
    cdef int order = memcmp(PyBytes_AS_STRING(left), PyBytes_AS_STRING(right), min(left_size, right_size))
    if order:
        return order
    return (left_size > right_size) - (left_size < right_size)


@cython.final
@cython.no_gc
cdef class Track:
    """A key, its changes oldest first, and the newest value where it is kept in memory."""

    def __cinit__(self, bytes key not None):
        self.key = key

    def __dealloc__(self):
        PyMem_Free(self.changes)

    cdef int append(self, const Change* change) except -1:
        """Add the newest change; the caller sees to it that revisions grow."""
        cdef Py_ssize_t room
        cdef Change* changes
        if self.count == self.room:
            room = self.room * 2 if self.room else 1
            changes = <Change*>PyMem_Realloc(self.changes, room * sizeof(Change))
            if changes is NULL:
                raise MemoryError
            self.changes = changes
            self.room = room
        self.changes[self.count] = change[0]
        self.count += 1
        return 0

    cdef Py_ssize_t at(self, int64_t revision) noexcept:
        """Return the place of the newest change not after revision, or -1. Reads ask for new ones: search from the end."""
        cdef Py_ssize_t place = self.count - 1
        while place >= 0 and self.changes[place].revision > revision:
            place -= 1
        return place

    cdef Track clone(self):
        """Copy this track; values are immutable and shared."""
        cdef Track twin = Track(self.key)
        twin.value = self.value
        twin.changes = <Change*>PyMem_Malloc(self.count * sizeof(Change))
        if twin.changes is NULL:
            raise MemoryError
        memcpy(twin.changes, self.changes, self.count * sizeof(Change))
        twin.count = self.count
        twin.room = self.count
        return twin


@cython.final
@cython.no_gc
cdef class Order:
    """All tracks by key, in blocks of at most 512 borrowed pointers; the index's dict holds the references.

    blocks     [a c d]  [f h]  [k m p z]      no block is empty
    insert g:  the last block whose first key is not above g is [f h]; within it, g goes before h
    """

    def __dealloc__(self):
        cdef Py_ssize_t block
        for block in range(self.count):
            PyMem_Free(self.blocks[block].tracks)
        PyMem_Free(self.blocks)

    cdef Py_ssize_t block_of(self, bytes key) noexcept:
        """Return the block in which key is or would be inserted: the last that starts at or below it, else the first."""
        cdef Py_ssize_t low = 0
        cdef Py_ssize_t high = self.count
        cdef Py_ssize_t middle
        while low < high:
            middle = (low + high) >> 1
            if compare((<Track>self.blocks[middle].tracks[0]).key, key) <= 0:
                low = middle + 1
            else:
                high = middle
        return low - 1 if low else 0

    cdef Py_ssize_t place_in(self, Py_ssize_t block, bytes key) noexcept:
        """Return the place of the first track of block that is not below key."""
        cdef Py_ssize_t low = 0
        cdef Py_ssize_t high = self.blocks[block].count
        cdef Py_ssize_t middle
        while low < high:
            middle = (low + high) >> 1
            if compare((<Track>self.blocks[block].tracks[middle]).key, key) < 0:
                low = middle + 1
            else:
                high = middle
        return low

    cdef int make_block(self, Py_ssize_t at) except -1:
        """Open an empty block before the one at `at`."""
        cdef Py_ssize_t room
        cdef Block* blocks
        cdef void** tracks
        if self.count == self.room:
            room = self.room * 2 if self.room else 8
            blocks = <Block*>PyMem_Realloc(self.blocks, room * sizeof(Block))
            if blocks is NULL:
                raise MemoryError
            self.blocks = blocks
            self.room = room
        tracks = <void**>PyMem_Malloc(BLOCK_SIZE * sizeof(void*))
        if tracks is NULL:
            raise MemoryError
        memmove(&self.blocks[at + 1], &self.blocks[at], (self.count - at) * sizeof(Block))
        self.blocks[at].tracks = tracks
        self.blocks[at].count = 0
        self.count += 1
        return 0

    cdef int append(self, Track track) except -1:
        """Add a track above all others, without a search."""
        if self.count == 0 or self.blocks[self.count - 1].count == BLOCK_SIZE:
            self.make_block(self.count)
        cdef Block* block = &self.blocks[self.count - 1]
        block.tracks[block.count] = <void*>track
        block.count += 1
        return 0

    cdef int insert(self, Track track) except -1:
        """Add a track whose key is not here yet; a full block is halved first."""
        cdef Py_ssize_t at
        cdef Py_ssize_t place
        cdef Py_ssize_t half = BLOCK_SIZE >> 1
        cdef Block* block
        if self.count == 0:
            return self.append(track)
        at = self.block_of(track.key)
        if self.blocks[at].count == BLOCK_SIZE:
            if at == self.count - 1 and compare(track.key, (<Track>self.blocks[at].tracks[BLOCK_SIZE - 1]).key) > 0:
                return self.append(track)
            self.make_block(at + 1)
            memcpy(self.blocks[at + 1].tracks, &self.blocks[at].tracks[half], half * sizeof(void*))
            self.blocks[at].count = half
            self.blocks[at + 1].count = half
            if compare((<Track>self.blocks[at + 1].tracks[0]).key, track.key) <= 0:
                at += 1
        place = self.place_in(at, track.key)
        block = &self.blocks[at]
        memmove(&block.tracks[place + 1], &block.tracks[place], (block.count - place) * sizeof(void*))
        block.tracks[place] = <void*>track
        block.count += 1
        return 0

    cdef int remove(self, Track track) except -1:
        """Take out a track that is here; an empty block goes."""
        cdef Py_ssize_t at = self.block_of(track.key)
        cdef Py_ssize_t place = self.place_in(at, track.key)
        cdef Block* block = &self.blocks[at]
        assert place < block.count and block.tracks[place] is <void*>track
        block.count -= 1
        memmove(&block.tracks[place], &block.tracks[place + 1], (block.count - place) * sizeof(void*))
        if block.count == 0:
            PyMem_Free(block.tracks)
            self.count -= 1
            memmove(&self.blocks[at], &self.blocks[at + 1], (self.count - at) * sizeof(Block))
        return 0


@cython.final
cdef class Walk:
    """Step over the tracks of a range; the index must not change meanwhile."""

    def __cinit__(self, Order order not None, bytes start not None, bytes end not None):
        self.order = order
        self.start = start
        self.end = end
        if order.count:
            self.block = order.block_of(start)
            self.place = order.place_in(self.block, start)

    cdef Track next(self):
        """Return the next track, or None at the end of the range."""
        cdef Track track
        if self.block < self.order.count and self.place == self.order.blocks[self.block].count:
            self.block += 1
            self.place = 0
        if self.block >= self.order.count:
            return None
        track = <Track>self.order.blocks[self.block].tracks[self.place]
        if (track.key != self.start) if not self.end else (self.end != b"\0" and track.key >= self.end):
            self.block = self.order.count
            return None
        self.place += 1
        return track
