"""What nodes have and what is asked of them, and all that cpu, memory and other amounts decide for a pod, in one pass: for
kcore.scheduler.columns and kcore.scheduler.evaluation.

    slot           0       1       2              cpu of the lanes, in doubles
    allocatable    4000    8000    0
    requested      1500    0       200
    scored         1500    0       200            what counts in scores: a container that asks for nothing counts something
    balance        92      100     100            the balance of the node as it is, so that only that with the pod is computed
    room           1       1       0              whether one more pod may come

The lanes repeat the columns' integers as doubles, which vectors of two, four or eight are made of; they are exact as long as a node that
has neither no cpu nor no memory has less than LARGE of each, which whoever asks has to see to. A block of 64 slots is judged at once, so
that one changed slot costs 64, a tenth of a microsecond.

Thread: one. Cost: 2 to 6 ns a slot; a pod of a run one block, the blocks' tops, and one random number.
"""
cimport cython
from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.string cimport memcpy, memset

from kcore.scalars cimport int32_t, int64_t, uint8_t
from kcore.scheduler._ranking cimport BLOCK, Ranking

cdef extern from *:
    """
    /* One form of the loop for processors with vectors of four doubles, one for all others, chosen when the module is loaded. */
    #if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_UNDEFINED__) && __OPTIMIZE__
    #define KCORE_VECTORS __attribute__((target_clones("avx2", "default")))
    #else
    #define KCORE_VECTORS
    #endif
    /* Nobody reads floating-point exceptions, so both sides of a choice may be computed. */
    #if defined(__GNUC__) && !defined(__clang__)
    #pragma GCC optimize ("no-trapping-math")
    #endif
    #define KCORE_MORE(a, b) ((a) > (b) ? (a) : (b))
    #define KCORE_LESS(a, b) ((a) < (b) ? (a) : (b))
    """
    ctypedef void vectorised "KCORE_VECTORS void"
    double more "KCORE_MORE"(double a, double b) noexcept nogil
    double less "KCORE_LESS"(double a, double b) noexcept nogil

cdef enum:
    CPU = 0
    MEMORY = 1
    FURTHER_MAX = 61
    LANES = 6

# Below this, a hundred times an amount is exact in a double, and so is the share that is cut to a whole percentage (`_kernels`).
LARGE = 1 << 46

cdef double NOT_ASKED = -1e300


cdef struct Asked:
    # What cpu and memory are compared with, what counts in their balance, and in the share that stays free; weights of the two scores.
    double[2] needed
    double[2] balanced
    double[2] scored
    int32_t fit_weight
    int32_t balance_weight


cdef struct Lanes:
    # One number a slot each.
    const double *cpu
    const double *memory
    const double *requested_cpu
    const double *requested_memory
    const double *scored_cpu
    const double *scored_memory
    const int32_t *balance


cdef vectorised _judge(const Lanes *at, const uint8_t *open, const Asked *asked, int32_t *scores, int32_t *failing) noexcept nogil:
    """Judge a block: `failing` is written, -1 where a slot is not open or lacks something, else 0; `scores` likewise, -1 where it fails."""
    cdef double[64] cpu_free
    cdef double[64] memory_free
    cdef double[64] balance
    cdef double[64] left
    cdef double cpu, memory, share, other, least, most
    cdef Py_ssize_t place
    cdef int32_t gain, score, fails
    for place in range(64):
        cpu = more(at.cpu[place], 1.0)
        memory = more(at.memory[place], 1.0)
        share = at.cpu[place] - at.scored_cpu[place] - asked.scored[CPU]
        other = at.memory[place] - at.scored_memory[place] - asked.scored[MEMORY]
        cpu_free[place] = more(share, 0.0) * 100.0 / cpu
        memory_free[place] = more(other, 0.0) * 100.0 / memory
        share = (at.requested_cpu[place] + asked.balanced[CPU]) / cpu
        other = (at.requested_memory[place] + asked.balanced[MEMORY]) / memory
        share = less(share, 1.0)
        other = less(other, 1.0)
        least = share - other
        most = other - share
        balance[place] = (1.0 - more(least, most) / 2.0) * 100.0
        share = at.cpu[place] - at.requested_cpu[place] - asked.needed[CPU]
        other = at.memory[place] - at.requested_memory[place] - asked.needed[MEMORY]
        least = less(share, other)
        left[place] = -1.0 if least < 0.0 else 0.0
    for place in range(64):
        # Division rounds towards zero, as upstream's does: -51 / 2 is -25.
        gain = 50 + <int32_t>balance[place] - at.balance[place]
        score = asked.fit_weight * ((<int32_t>cpu_free[place] + <int32_t>memory_free[place]) >> 1) + asked.balance_weight * (50 + gain // 2)
        fails = <int32_t>left[place] | (<int32_t>open[place] - 1)
        failing[place] = fails
        scores[place] = score | fails


cdef vectorised _put(const int32_t *scores, const int32_t *failing, int64_t base, uint8_t *feasible, int64_t *totals, int32_t *top,
                     int32_t *ties, int32_t *passing) noexcept nogil:
    """Write what a block's judgement means where the same is added to all scores; -> the highest score, how many have it, how many pass."""
    cdef Py_ssize_t place
    cdef int32_t highest = -1, count = 64, equal = 0
    for place in range(64):
        highest = scores[place] if scores[place] > highest else highest
        count += failing[place]
    for place in range(64):
        equal += scores[place] == highest
    for place in range(64):
        totals[place] = scores[place] + base
    for place in range(64):
        feasible[place] = <uint8_t>(failing[place] + 1)
    top[0] = highest
    ties[0] = equal
    passing[0] = count


cdef inline int32_t _balance(double cpu, double memory) noexcept nogil:
    return <int32_t>((1.0 - more(cpu - memory, memory - cpu) / 2.0) * 100.0)


@cython.final
cdef class Wanted:
    """What a pod asks for, as the passes below take it.

    amounts   (resource, amount) pairs that are compared; rows: the row of each resource, one that is missing is offered by no node
    balanced  cpu and memory as they count in the balance; scored: in the share that stays free
    fit_weight, balance_weight   of the two scores, 0 for none; at most 2^20
    Raises    ValueError if there are more than 61 amounts, or a weight is too large
    """

    cdef Asked asked
    cdef int64_t[61] rows
    cdef int64_t[61] amounts
    cdef int further
    cdef bint nowhere

    def __cinit__(self, tuple amounts not None, dict rows not None, tuple balanced not None, tuple scored not None, int32_t fit_weight,
                  int32_t balance_weight):
        if len(amounts) > FURTHER_MAX or not 0 <= fit_weight <= 1 << 20 or not 0 <= balance_weight <= 1 << 20:
            raise ValueError(f"{len(amounts)} amounts, weights {fit_weight} and {balance_weight}")
        self.asked.needed[CPU] = self.asked.needed[MEMORY] = NOT_ASKED
        self.asked.balanced[CPU], self.asked.balanced[MEMORY] = balanced
        self.asked.scored[CPU], self.asked.scored[MEMORY] = scored
        self.asked.fit_weight = fit_weight
        self.asked.balance_weight = balance_weight
        cdef int64_t row
        for name, amount in amounts:
            row = rows.get(name, -1)
            if row == CPU or row == MEMORY:
                self.asked.needed[row] = amount
            elif row < 0:
                self.nowhere = True
            else:
                self.rows[self.further] = row
                self.amounts[self.further] = amount
                self.further += 1


@cython.final
cdef class Loads:
    """The lanes of all slots, and the columns that they repeat, which are the caller's arrays.

    allocatable, requested   (resources, slots) int64; nonzero (2, slots), pod_limit, pod_count (slots,) int64
    Raises   ValueError if the arrays differ in length, or hold no whole number of blocks
    """

    cdef const int64_t[:, ::1] allocatable
    cdef int64_t[:, ::1] requested
    cdef int64_t[:, ::1] nonzero
    cdef const int64_t[::1] pod_limit
    cdef int64_t[::1] pod_count
    cdef double *lanes
    cdef int32_t *balance
    cdef uint8_t *room
    cdef Py_ssize_t capacity

    def __cinit__(self, const int64_t[:, ::1] allocatable not None, int64_t[:, ::1] requested not None, int64_t[:, ::1] nonzero not None,
                  const int64_t[::1] pod_limit not None, int64_t[::1] pod_count not None):
        cdef Py_ssize_t capacity = allocatable.shape[1]
        lengths = {capacity, requested.shape[1], nonzero.shape[1], pod_limit.shape[0], pod_count.shape[0]}
        if len(lengths) > 1 or capacity % BLOCK or min(allocatable.shape[0], nonzero.shape[0]) < 2:
            raise ValueError(f"arrays of {sorted(lengths)} slots, blocks of {BLOCK}")
        if requested.shape[0] != allocatable.shape[0]:
            raise ValueError(f"{allocatable.shape[0]} and {requested.shape[0]} resources")
        self.allocatable = allocatable
        self.requested = requested
        self.nonzero = nonzero
        self.pod_limit = pod_limit
        self.pod_count = pod_count
        self.capacity = capacity
        self.lanes = <double *>PyMem_Calloc(LANES * capacity, sizeof(double))
        self.balance = <int32_t *>PyMem_Calloc(capacity, sizeof(int32_t))
        self.room = <uint8_t *>PyMem_Calloc(capacity, 1)
        if self.lanes == NULL or self.balance == NULL or self.room == NULL:
            raise MemoryError
        cdef Py_ssize_t slot
        for slot in range(capacity):
            self.repeat(slot)

    def __dealloc__(self):
        PyMem_Free(self.lanes)
        PyMem_Free(self.balance)
        PyMem_Free(self.room)

    cdef void repeat(self, Py_ssize_t slot) noexcept nogil:
        """Write the lanes of a slot."""
        cdef Py_ssize_t resource
        cdef double *lane = self.lanes + slot
        cdef double cpu, memory
        for resource in range(2):
            lane[resource * self.capacity] = <double>self.allocatable[resource, slot]
            lane[(2 + resource) * self.capacity] = <double>self.requested[resource, slot]
            lane[(4 + resource) * self.capacity] = <double>self.nonzero[resource, slot]
        cpu = less(lane[2 * self.capacity] / more(lane[0], 1.0), 1.0)
        memory = less(lane[3 * self.capacity] / more(lane[self.capacity], 1.0), 1.0)
        self.balance[slot] = _balance(cpu, memory) if self.allocatable[CPU, slot] > 0 and self.allocatable[MEMORY, slot] > 0 else 100
        self.room[slot] = self.pod_count[slot] < self.pod_limit[slot]

    cdef int add(self, Py_ssize_t slot, tuple amounts, dict rows, int64_t cpu, int64_t memory, int64_t sign) except -1:
        cdef int64_t row
        for name, amount in amounts:
            row = rows.get(name, -1)
            if row >= 0:
                self.requested[row, slot] += sign * <int64_t>amount
        self.nonzero[CPU, slot] += sign * cpu
        self.nonzero[MEMORY, slot] += sign * memory
        self.pod_count[slot] += sign
        self.repeat(slot)
        return 0

    cdef void judge_block(self, Py_ssize_t block, Wanted wanted, const uint8_t[::1] mask, int64_t base, const int64_t *bases,
                          Ranking ranking) noexcept nogil:
        cdef uint8_t[64] open
        cdef int32_t[64] scores
        cdef int32_t[64] failing
        cdef int32_t top = 0, ties = 0, passing = 0
        cdef Py_ssize_t place, start = block * BLOCK, stop = min(BLOCK, mask.shape[0] - start), further
        cdef int64_t row
        cdef Lanes at
        memset(open, 0, BLOCK)
        if not wanted.nowhere:
            memcpy(open, &mask[start], stop)
        for place in range(64):
            open[place] &= self.room[start + place]
        for further in range(wanted.further):
            row = wanted.rows[further]
            for place in range(64):
                open[place] &= wanted.amounts[further] <= self.allocatable[row, start + place] - self.requested[row, start + place]
        at.cpu = self.lanes + start
        at.memory = at.cpu + self.capacity
        at.requested_cpu = at.memory + self.capacity
        at.requested_memory = at.requested_cpu + self.capacity
        at.scored_cpu = at.requested_memory + self.capacity
        at.scored_memory = at.scored_cpu + self.capacity
        at.balance = self.balance + start
        _judge(&at, open, &wanted.asked, scores, failing)
        _put(scores, failing, base, &ranking.feasible[start], &ranking.totals[start], &top, &ties, &passing)
        if bases == NULL:
            ranking.put(block, top + base, ties, passing)
            return
        for place in range(stop):
            ranking.totals[start + place] += bases[start + place]
        ranking.rank_block(block)

    def count(self, Py_ssize_t slot, tuple amounts not None, dict rows not None, int64_t cpu, int64_t memory, int64_t sign):
        """Add a pod to a slot, or take it away: sign 1 or -1.

        amounts   (resource, amount) pairs; rows: the row of each resource, one that has none is passed over
        cpu, memory   what counts in scores
        """
        if not 0 <= slot < self.capacity:
            raise ValueError(f"slot {slot} leaves arrays of {self.capacity}")
        self.add(slot, amounts, rows, cpu, memory, sign)

    def changed(self, Py_ssize_t slot):
        """Take in that the columns of a slot were written."""
        if not 0 <= slot < self.capacity:
            raise ValueError(f"slot {slot} leaves arrays of {self.capacity}")
        self.repeat(slot)

    def judge(self, Wanted wanted not None, const uint8_t[::1] mask not None, int64_t base, const int64_t[::1] bases, Ranking ranking not None):
        """Judge all slots, and rank them.

        mask      (count,) 1 for the slots that are looked at; those after them are infeasible
        base      what is added to each score; bases: (count,) what is added besides, or None
        ranking   its arrays are written: 1 where the pod fits, and there the weighted scores with what is added
        Source    kube-scheduler NodeResourcesFit (LeastAllocated), NodeResourcesBalancedAllocation
        """
        cdef Py_ssize_t block
        cdef const int64_t *added = self.check(mask, bases, ranking)
        with nogil:
            for block in range((mask.shape[0] + BLOCK - 1) // BLOCK):
                self.judge_block(block, wanted, mask, base, added, ranking)

    def judge_slots(self, const int64_t[::1] slots not None, Wanted wanted not None, const uint8_t[::1] mask not None, int64_t base,
                    const int64_t[::1] bases, Ranking ranking not None):
        """Judge some slots again; all arguments as for all. Returns whether any came to pass or ceased to."""
        cdef Py_ssize_t place
        cdef bint changed = False
        cdef uint8_t before
        cdef const int64_t *added = self.check(mask, bases, ranking)
        for place in range(slots.shape[0]):
            if not 0 <= slots[place] < mask.shape[0]:
                raise ValueError(f"slot {slots[place]} leaves arrays of {mask.shape[0]}")
            before = ranking.feasible[slots[place]]
            self.judge_block(slots[place] // BLOCK, wanted, mask, base, added, ranking)
            changed |= before != ranking.feasible[slots[place]]
        return changed

    def place(self, Py_ssize_t most, Wanted wanted not None, const uint8_t[::1] mask not None, int64_t base, const int64_t[::1] bases,
              Ranking ranking not None, tuple amounts not None, dict rows not None, int64_t cpu, int64_t memory, randrange):
        """Choose slots for equal pods one after the other, each counted before the next.

        most      how many pods there are; where something is added to scores besides (bases), the run ends when a slot ceases to fit
        amounts, rows, cpu, memory   what one of them adds to its slot, as for `count`
        Returns   (slot, how many slots had the highest total, that total, how many slots were feasible) for each
        """
        cdef Py_ssize_t ties = 0, slot, feasible
        cdef const int64_t *added = self.check(mask, bases, ranking)
        placed = []
        while len(placed) < most and ranking.feasible_count:
            feasible = ranking.feasible_count
            slot = ranking.draw(randrange, &ties)
            placed.append((slot, ties, ranking.totals[slot], feasible))
            self.add(slot, amounts, rows, cpu, memory, 1)
            self.judge_block(slot // BLOCK, wanted, mask, base, added, ranking)
            if added != NULL and not ranking.feasible[slot]:
                break
        return placed

    cdef const int64_t *check(self, const uint8_t[::1] mask, const int64_t[::1] bases, Ranking ranking) except? NULL:
        """Refuse arrays that end before the slots do; -> what is added besides, or NULL."""
        if mask.shape[0] > self.capacity or ranking.feasible.shape[0] != self.capacity:
            raise ValueError(f"{mask.shape[0]} slots leave arrays of {self.capacity} and {ranking.feasible.shape[0]}")
        if bases is None or mask.shape[0] == 0:
            return NULL
        if bases.shape[0] < mask.shape[0]:
            raise ValueError(f"{mask.shape[0]} slots leave an array of {bases.shape[0]}")
        return &bases[0]
