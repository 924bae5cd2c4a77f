"""Dry runs of preemption where amounts alone decide: which nodes can be cleared for a pod, and what each costs; for kcore.scheduler.preemption.

The pods of a node stand in a row, the most important first; what a pod takes is a row of (resource, amount) pairs:

    node 7: first 2, length 3      pod      2     3     4            priority 5, 3, 3
                                   begin    4     6     7    8       pair 4: cpu 900, pair 5: memory 500, pair 6: cpu 100 ...

Thread: any; the GIL is released. Cost: O(pods of the nodes asked about), two passes.
"""
from libc.math cimport INFINITY

from kcore.scalars cimport int8_t, int64_t

cdef enum:
    CANDIDATE = 1
    REFUSED = 2

cdef double PRIORITY_OFFSET = <double>(<int64_t>1 << 31)


cdef inline int64_t _put(int64_t[:, ::1] left, Py_ssize_t node, int64_t start, int64_t stop, const int64_t[::1] resources,
                         const int64_t[::1] amounts, const int64_t[::1] place_of, int64_t sign) noexcept nogil:
    """Give what a pod takes back to a node, or take it; Returns the least that is left of anything."""
    cdef int64_t pair, place, least
    left[node, 0] += sign
    for pair in range(start, stop):
        place = place_of[resources[pair]]
        if place > 0:
            left[node, place] += sign * amounts[pair]
    least = left[node, 0]
    for place in range(1, left.shape[1]):
        if left[node, place] < least:
            least = left[node, place]
    return least


cdef int _clear(const int64_t[::1] slots, const int64_t[::1] first, const int64_t[::1] length, const int64_t[::1] priority,
                const double[::1] started, const int64_t[::1] begin, const int64_t[::1] resources, const int64_t[::1] amounts,
                const int64_t[::1] place_of, int64_t own, int64_t[:, ::1] left, int8_t[::1] kinds, double[:, ::1] costs,
                int64_t[::1] codes) except? -1 nogil:
    cdef Py_ssize_t node, place
    cdef int64_t slot, pod, stop, least, highest, victims
    cdef double sum_of_priorities, earliest
    cdef bint lower
    for node in range(slots.shape[0]):
        slot = slots[node]
        stop = first[slot] + length[slot]
        lower = False
        for pod in range(first[slot], stop):
            if priority[pod] < own:
                lower = True
                _put(left, node, begin[pod], begin[pod + 1], resources, amounts, place_of, 1)
        kinds[slot] = REFUSED
        codes[slot] = 0
        if not lower:
            continue
        for place in range(left.shape[1]):
            if left[node, place] < 0:
                codes[slot] |= <int64_t>1 << place
        if codes[slot]:
            continue
        victims = 0
        highest = 0
        sum_of_priorities = 0
        earliest = INFINITY
        for pod in range(first[slot], stop):
            if priority[pod] >= own:
                continue
            least = _put(left, node, begin[pod], begin[pod + 1], resources, amounts, place_of, -1)
            if least >= 0:
                continue
            _put(left, node, begin[pod], begin[pod + 1], resources, amounts, place_of, 1)
            if victims == 0:
                highest = priority[pod]
            victims += 1
            sum_of_priorities += <double>priority[pod] + PRIORITY_OFFSET
            if priority[pod] == highest and started[pod] < earliest:
                earliest = started[pod]
        if victims == 0:
            continue
        kinds[slot] = CANDIDATE
        costs[0, slot] = 0
        costs[1, slot] = <double>highest
        costs[2, slot] = sum_of_priorities
        costs[3, slot] = <double>victims
        costs[4, slot] = -earliest
    return 0


def clear(const int64_t[::1] slots not None, const int64_t[::1] first not None, const int64_t[::1] length not None,
          const int64_t[::1] priority not None, const double[::1] started not None, const int64_t[::1] begin not None,
          const int64_t[::1] resources not None, const int64_t[::1] amounts not None, const int64_t[::1] place_of not None, int64_t own,
          int64_t[:, ::1] left not None, int8_t[::1] kinds not None, double[:, ::1] costs not None, int64_t[::1] codes not None):
    """Clear nodes on trial of pods with a lower priority than `own`.

    slots     (n,) which nodes; first, length: (slots,) where the pods of each stand
    priority, started (infinite where a pod has not), begin: (pods,), begin with one entry more; resources, amounts: (pairs,)
    place_of  (resources,) the place in `left` of a resource that is asked for, 0 for any other
    left      (n, 1 + resources asked for) what is left when the pod is there and nobody has gone: places for pods first; used up
    kinds     (slots,) written: 1 where clearing helps, else 2
    costs     (5, slots) written where it helps: budgets violated (none), highest priority, sum of priorities each made positive, victims,
              minus the start of the earliest with the highest priority
    codes     (slots,) written: a bit for each place of which too little is left however many go; 0 where nobody has to go, or can
    Raises    ValueError if the shapes disagree
    """
    cdef Py_ssize_t size = kinds.shape[0]
    if not first.shape[0] == length.shape[0] == codes.shape[0] == costs.shape[1] == size or costs.shape[0] != 5:
        raise ValueError("first, length, kinds, costs and codes must be about the same nodes")
    if left.shape[0] != slots.shape[0] or left.shape[1] < 1 or left.shape[1] > 62:
        raise ValueError("left must have a row for each slot, and at most 62 places")
    if started.shape[0] != priority.shape[0] or begin.shape[0] != priority.shape[0] + 1 or resources.shape[0] != amounts.shape[0]:
        raise ValueError("priority, started and begin, and resources and amounts, must agree")
    cdef Py_ssize_t node
    for node in range(slots.shape[0]):
        if not 0 <= slots[node] < size:
            raise ValueError(f"slot {slots[node]} is none of {size}")
        if first[slots[node]] < 0 or length[slots[node]] < 0 or first[slots[node]] + length[slots[node]] > priority.shape[0]:
            raise ValueError(f"the pods of slot {slots[node]} are not known")
    with nogil:
        _clear(slots, first, length, priority, started, begin, resources, amounts, place_of, own, left, kinds, costs, codes)
