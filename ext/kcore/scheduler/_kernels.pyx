"""Filters and scores over all nodes, for kcore.scheduler.plugins and kcore.scheduler.evaluation.

Every kernel runs over the slots [start, stop), so that one function serves a whole cluster and the one node that a pod was just placed on.
Amounts are (resources, nodes) int64 in C order, cpu in milli-units, all else in bytes or ones; row 0 is cpu, row 1 memory. An amount is at
most 2^50 and not negative, so no product below overflows.

Thread: any; the GIL is released. Cost: O(nodes x resources asked for), one pass.
"""
from kcore.scalars cimport int64_t, uint8_t

cdef enum:
    CPU = 0
    MEMORY = 1
    # Reasons of `fit`: bit 0, then one per resource asked for; UNRESOLVABLE marks nodes that no removal of pods helps.
    TOO_MANY_PODS = 1
    FIRST_RESOURCE_BIT = 1

cdef int64_t UNRESOLVABLE = <int64_t>1 << 62
# Below this, 100 * amount and its quotient are exact enough in doubles: the quotient is at most 100, so it is rounded by less than
# 2^-47, and a quotient that is no integer is further than 1 / allocatable > 2^-46 from the next one.
cdef int64_t DOUBLE_EXACT = <int64_t>1 << 46


cdef inline int64_t _percent(int64_t free, int64_t allocatable) noexcept nogil:
    """Return 100 * free // allocatable for 0 <= free <= allocatable, which is not 0."""
    if allocatable < DOUBLE_EXACT:
        return <int64_t>(<double>(free * 100) / <double>allocatable)
    return free * 100 // allocatable


cdef inline int64_t _balance(double cpu_share, double memory_share) noexcept nogil:
    cdef double difference = cpu_share - memory_share
    if difference < 0:
        difference = -difference
    return <int64_t>((1.0 - difference / 2.0) * 100.0)


cdef inline double _share(int64_t requested, int64_t allocatable) noexcept nogil:
    if requested >= allocatable:
        return 1.0
    return <double>requested / <double>allocatable


cdef int _fit(const int64_t[:, ::1] allocatable, const int64_t[:, ::1] requested, const int64_t[::1] pod_limit, const int64_t[::1] pod_count,
              const int64_t[::1] rows, const int64_t[::1] amounts, Py_ssize_t start, Py_ssize_t stop, int64_t[::1] codes) except? -1 nogil:
    cdef Py_ssize_t asked, node
    cdef int64_t row, amount, bit, code
    for node in range(start, stop):
        codes[node] = TOO_MANY_PODS if pod_count[node] + 1 > pod_limit[node] else 0
    for asked in range(rows.shape[0]):
        row = rows[asked]
        amount = amounts[asked]
        bit = <int64_t>1 << (asked + FIRST_RESOURCE_BIT)
        if row < 0:
            for node in range(start, stop):
                codes[node] |= bit | UNRESOLVABLE
            continue
        for node in range(start, stop):
            code = bit if amount > allocatable[row, node] - requested[row, node] else 0
            if amount > allocatable[row, node]:
                code |= bit | UNRESOLVABLE
            codes[node] |= code
    return 0


cdef int _least_allocated(const int64_t[:, ::1] allocatable, const int64_t[:, ::1] nonzero, int64_t cpu, int64_t memory,
                          const uint8_t[::1] feasible, Py_ssize_t start, Py_ssize_t stop, int64_t[::1] scores) except? -1 nogil:
    cdef Py_ssize_t node
    cdef int64_t free, total, weights
    for node in range(start, stop):
        scores[node] = 0
        if not feasible[node]:
            continue
        total = 0
        weights = 0
        if allocatable[CPU, node] > 0:
            weights += 1
            free = allocatable[CPU, node] - nonzero[CPU, node] - cpu
            if free > 0:
                total += _percent(free, allocatable[CPU, node])
        if allocatable[MEMORY, node] > 0:
            weights += 1
            free = allocatable[MEMORY, node] - nonzero[MEMORY, node] - memory
            if free > 0:
                total += _percent(free, allocatable[MEMORY, node])
        scores[node] = total >> 1 if weights == 2 else total
    return 0


cdef int _balanced_allocation(const int64_t[:, ::1] allocatable, const int64_t[:, ::1] requested, int64_t cpu, int64_t memory,
                              const uint8_t[::1] feasible, Py_ssize_t start, Py_ssize_t stop, int64_t[::1] scores) except? -1 nogil:
    cdef Py_ssize_t node
    cdef int64_t gain, before, after
    for node in range(start, stop):
        scores[node] = 0
        if not feasible[node]:
            continue
        before = 100
        after = 100
        if allocatable[CPU, node] > 0 and allocatable[MEMORY, node] > 0:
            before = _balance(_share(requested[CPU, node], allocatable[CPU, node]), _share(requested[MEMORY, node], allocatable[MEMORY, node]))
            after = _balance(
                _share(requested[CPU, node] + cpu, allocatable[CPU, node]),
                _share(requested[MEMORY, node] + memory, allocatable[MEMORY, node]),
            )
        # Division rounds towards zero, as upstream's does: -51 / 2 is -25.
        gain = 50 + after - before
        scores[node] = 50 + (gain >> 1 if gain >= 0 else -(-gain >> 1))
    return 0


cdef Py_ssize_t _keep_passing(const int64_t[::1] codes, Py_ssize_t start, Py_ssize_t stop, uint8_t[::1] feasible) except? -1 nogil:
    cdef Py_ssize_t node, count = 0
    for node in range(start, stop):
        feasible[node] &= codes[node] == 0
        count += feasible[node]
    return count


cdef int _check(Py_ssize_t start, Py_ssize_t stop, Py_ssize_t length, Py_ssize_t other, Py_ssize_t third, Py_ssize_t fourth) except -1:
    """Refuse a span that leaves an array: the loops above do not look."""
    if not 0 <= start <= stop or stop > length or stop > other or stop > third or stop > fourth:
        raise ValueError(f"slots {start} to {stop} leave arrays of {min(length, other, third, fourth)}")
    return 0


def fit(const int64_t[:, ::1] allocatable not None, const int64_t[:, ::1] requested not None, const int64_t[::1] pod_limit not None,
        const int64_t[::1] pod_count not None, const int64_t[::1] rows not None, const int64_t[::1] amounts not None,
        Py_ssize_t start, Py_ssize_t stop, int64_t[::1] codes not None):
    """Mark the nodes that lack a resource the pod asks for.

    rows      (asked,) the rows of the resources asked for, -1 for one that no node has; at most 61
    amounts   (asked,) how much of each, not 0
    codes     (nodes,) written: 0 where the pod fits, else bit 0 for too many pods, bit k + 1 for the k-th resource asked for, and
              UNRESOLVABLE where a request exceeds all that the node has
    Raises    ValueError if the shapes disagree
    Source    kube-scheduler NodeResourcesFit
    """
    cdef Py_ssize_t asked
    _check(start, stop, allocatable.shape[1], requested.shape[1], pod_limit.shape[0], min(pod_count.shape[0], codes.shape[0]))
    if rows.shape[0] != amounts.shape[0] or rows.shape[0] > 61:
        raise ValueError(f"{rows.shape[0]} rows, {amounts.shape[0]} amounts")
    for asked in range(rows.shape[0]):
        if rows[asked] >= allocatable.shape[0] or rows[asked] >= requested.shape[0]:
            raise ValueError(f"resource row {rows[asked]} of {allocatable.shape[0]}")
    with nogil:
        _fit(allocatable, requested, pod_limit, pod_count, rows, amounts, start, stop, codes)


def least_allocated(const int64_t[:, ::1] allocatable not None, const int64_t[:, ::1] nonzero not None, int64_t cpu, int64_t memory,
                    const uint8_t[::1] feasible not None, Py_ssize_t start, Py_ssize_t stop, int64_t[::1] scores not None):
    """Score each feasible node by the share of cpu and memory that stays free.

    nonzero   (2, nodes) what the pods there count in scores; cpu, memory: what the incoming pod counts
    scores    (nodes,) written: 0 to 100, 0 where not feasible
    Raises    ValueError if the shapes disagree
    Source    kube-scheduler NodeResourcesFit, LeastAllocated
    """
    _check(start, stop, allocatable.shape[1], nonzero.shape[1], feasible.shape[0], scores.shape[0])
    if allocatable.shape[0] < 2 or nonzero.shape[0] < 2:
        raise ValueError("rows for cpu and memory are missing")
    with nogil:
        _least_allocated(allocatable, nonzero, cpu, memory, feasible, start, stop, scores)


def balanced_allocation(const int64_t[:, ::1] allocatable not None, const int64_t[:, ::1] requested not None, int64_t cpu, int64_t memory,
                        const uint8_t[::1] feasible not None, Py_ssize_t start, Py_ssize_t stop, int64_t[::1] scores not None):
    """Score each feasible node by how much nearer the pod brings its shares of cpu and memory to each other.

    scores    (nodes,) written: 50 + (50 + with - without) / 2, 0 where not feasible
    Raises    ValueError if the shapes disagree
    Source    kube-scheduler NodeResourcesBalancedAllocation
    """
    _check(start, stop, allocatable.shape[1], requested.shape[1], feasible.shape[0], scores.shape[0])
    if allocatable.shape[0] < 2 or requested.shape[0] < 2:
        raise ValueError("rows for cpu and memory are missing")
    with nogil:
        _balanced_allocation(allocatable, requested, cpu, memory, feasible, start, stop, scores)


def keep_passing(const int64_t[::1] codes not None, Py_ssize_t start, Py_ssize_t stop, uint8_t[::1] feasible not None):
    """Take from `feasible`, 0 or 1 per node, the nodes with a reason code.

    Returns   the number of ones left in the span
    """
    cdef Py_ssize_t count
    _check(start, stop, stop, stop, codes.shape[0], feasible.shape[0])
    with nogil:
        count = _keep_passing(codes, start, stop, feasible)
    return count
