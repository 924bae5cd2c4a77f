"""Which nodes are the best for an ask, found without looking at all of them: for kcore.scheduler.evaluation.

    block        0 (slots 0 to 63)     1 (slots 64 to 127)     ...
    tops         487                   490                     the highest total of a feasible slot
    ties         3                     1                       how many slots have it
    passing      64                    12                      how many are feasible

A slot whose total or feasibility has changed makes its block be looked at again, 64 slots; the best are found among the tops.

Thread: one. Cost: O(slots) for all, O(BLOCK) for one, O(blocks + BLOCK) to choose.
"""
cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport INT64_MIN

from kcore.scalars cimport int64_t, uint8_t


@cython.final
cdef class Ranking:
    """The best slots by two arrays that are written elsewhere, feasible (slots,) uint8, 0 or 1, and totals (slots,) int64.

    feasible_count   how many slots are feasible, of those that were ranked
    Raises           ValueError if the arrays are no whole number of blocks, or differ in length
    """

    def __cinit__(self, uint8_t[::1] feasible not None, int64_t[::1] totals not None):
        if feasible.shape[0] != totals.shape[0] or feasible.shape[0] % BLOCK:
            raise ValueError(f"{feasible.shape[0]} and {totals.shape[0]} slots are no equal blocks of {BLOCK}")
        self.feasible = feasible
        self.totals = totals
        self.blocks = feasible.shape[0] // BLOCK
        self.tops = <int64_t *>PyMem_Calloc(self.blocks + 1, sizeof(int64_t))
        self.ties = <Py_ssize_t *>PyMem_Calloc(self.blocks + 1, sizeof(Py_ssize_t))
        self.passing = <Py_ssize_t *>PyMem_Calloc(self.blocks + 1, sizeof(Py_ssize_t))
        if self.tops == NULL or self.ties == NULL or self.passing == NULL:
            raise MemoryError
        cdef Py_ssize_t block
        for block in range(self.blocks):
            self.tops[block] = INT64_MIN

    def __dealloc__(self):
        PyMem_Free(self.tops)
        PyMem_Free(self.ties)
        PyMem_Free(self.passing)

    cdef void put(self, Py_ssize_t block, int64_t top, Py_ssize_t ties, Py_ssize_t passing) noexcept nogil:
        """Take in what is known of a block."""
        cdef Py_ssize_t count = self.feasible_count + passing - self.passing[block]
        self.feasible_count = count
        self.tops[block] = top if passing else INT64_MIN
        self.ties[block] = ties
        self.passing[block] = passing

    cdef void rank_block(self, Py_ssize_t block) noexcept nogil:
        cdef Py_ssize_t slot, ties = 0, passing = 0
        cdef int64_t top = INT64_MIN
        for slot in range(block * BLOCK, (block + 1) * BLOCK):
            if self.feasible[slot]:
                passing += 1
                if self.totals[slot] > top or passing == 1:
                    top = self.totals[slot]
                    ties = 1
                elif self.totals[slot] == top:
                    ties += 1
        self.put(block, top, ties, passing)

    cdef int64_t find(self, Py_ssize_t *ties) noexcept nogil:
        """Return the highest total, and how many slots have it; without branches, which nobody could foresee."""
        cdef const int64_t *tops = self.tops
        cdef const Py_ssize_t *counts = self.ties
        cdef Py_ssize_t block, total = 0
        cdef int64_t top = INT64_MIN
        for block in range(self.blocks):
            top = tops[block] if tops[block] > top else top
        for block in range(self.blocks):
            total += counts[block] if tops[block] == top else 0
        ties[0] = total
        return top

    cdef Py_ssize_t tied(self, int64_t top, Py_ssize_t skipped) noexcept nogil:
        """Return the slot that has this total, the highest, and comes so many such slots after the first."""
        cdef Py_ssize_t block = 0, slot
        while self.tops[block] != top or self.ties[block] <= skipped:
            if self.tops[block] == top:
                skipped -= self.ties[block]
            block += 1
        slot = block * BLOCK
        while True:
            if self.feasible[slot] and self.totals[slot] == top:
                if skipped == 0:
                    return slot
                skipped -= 1
            slot += 1

    cdef Py_ssize_t draw(self, randrange, Py_ssize_t *ties) except -1:
        cdef int64_t top = self.find(ties)
        cdef Py_ssize_t skipped = 0
        if self.feasible_count == 0:
            raise ValueError("no slot is feasible")
        if ties[0] > 1:
            skipped = randrange(ties[0])
            if not 0 <= skipped < ties[0]:
                raise ValueError(f"{skipped} of {ties[0]} slots")
        return self.tied(top, skipped)

    def rank(self, Py_ssize_t count):
        """Look at the first `count` slots again; those after them have to be infeasible."""
        cdef Py_ssize_t block
        if not 0 <= count <= self.feasible.shape[0]:
            raise ValueError(f"{count} slots leave arrays of {self.feasible.shape[0]}")
        with nogil:
            for block in range((count + BLOCK - 1) // BLOCK):
                self.rank_block(block)

    def rank_slot(self, Py_ssize_t slot):
        """Look at a slot again."""
        if not 0 <= slot < self.feasible.shape[0]:
            raise ValueError(f"slot {slot} leaves arrays of {self.feasible.shape[0]}")
        self.rank_block(slot // BLOCK)

    def choose(self, randrange):
        """Choose one of the best slots by `randrange`, which is asked only where there are several.

        Returns   (slot, how many there are)
        Raises    ValueError where no slot is feasible
        """
        cdef Py_ssize_t ties = 0, slot = self.draw(randrange, &ties)
        return slot, ties
