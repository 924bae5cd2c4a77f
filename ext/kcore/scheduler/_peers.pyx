"""Sums per topology value, and what follows from them for each node: for kcore.scheduler.peers and the plugins that count pods elsewhere.

A node's place in a topology is a code: `codes` (nodes,) int32, 0 where the node lacks the label; what is known of a value stands in arrays over
codes (values,). So the change of one value is one number, and one pass over the nodes tells them all.

Thread: any; the GIL is released. Cost: O(nodes) or O(values), one pass.
"""
from libc.stdint cimport INT64_MAX, INT64_MIN

from kcore.scalars cimport int32_t, int64_t, uint8_t

cdef int64_t SCORE_MAX = 100

cdef enum:
    # Scores that lie so close together are normalised once per score instead of once per node: most do.
    TABLE_SIZE = 1024


cdef Py_ssize_t _take_in(const int64_t[::1] slots, const int32_t[::1] counts, int32_t[::1] seen, const int32_t[::1] codes,
                         const uint8_t[::1] counted, int64_t weight, int64_t[::1] sums) except? -1 nogil:
    cdef Py_ssize_t place, changed = 0
    cdef int64_t slot
    cdef int32_t difference
    for place in range(slots.shape[0]):
        slot = slots[place]
        difference = counts[slot] - seen[slot]
        if difference == 0:
            continue
        seen[slot] = counts[slot]
        if counted[slot] and codes[slot] > 0:
            sums[codes[slot]] += difference * weight
            changed += 1
    return changed


cdef Py_ssize_t _skew(const int64_t[::1] sums, const uint8_t[::1] domains, int64_t own, int64_t max_skew, int64_t min_domains, int64_t code,
                      int64_t[::1] verdicts) except? -1 nogil:
    cdef Py_ssize_t value, changed = 0
    cdef int64_t least = 0, count = 0, verdict
    for value in range(1, sums.shape[0]):
        if domains[value]:
            if count == 0 or sums[value] < least:
                least = sums[value]
            count += 1
    if count < min_domains:
        least = 0
    for value in range(1, sums.shape[0]):
        verdict = code if sums[value] + own - least > max_skew else 0
        changed += verdict != verdicts[value]
        verdicts[value] = verdict
    return changed


cdef Py_ssize_t _judge(const int64_t[::1] sums, const int32_t[::1] values, int64_t without, int64_t code,
                       int64_t[::1] verdicts) except? -1 nogil:
    cdef Py_ssize_t place, changed = 0
    cdef int32_t value
    cdef int64_t verdict
    for place in range(values.shape[0]):
        value = values[place]
        if value == 0:
            continue
        verdict = code if sums[value] > 0 else without
        changed += verdict != verdicts[value]
        verdicts[value] = verdict
    return changed


cdef int _mark(const int32_t[::1] codes, const int64_t[::1] verdicts, Py_ssize_t count, int64_t[::1] marks) except? -1 nogil:
    cdef Py_ssize_t node
    for node in range(count):
        if marks[node] == 0:
            marks[node] = verdicts[codes[node]]
    return 0


cdef Py_ssize_t _distinct(const int32_t[::1] codes, const uint8_t[::1] mask, Py_ssize_t count, uint8_t[::1] found) except? -1 nogil:
    cdef Py_ssize_t node, value, total = 0
    for value in range(found.shape[0]):
        found[value] = 0
    for node in range(count):
        if mask[node]:
            found[codes[node]] = 1
    for value in range(found.shape[0]):
        total += found[value]
    return total


cdef int _add_spread(const int32_t[::1] codes, const int64_t[::1] sums, double weight, double constant, bint begin, Py_ssize_t count,
                     double[::1] scores) except? -1 nogil:
    cdef Py_ssize_t node
    cdef double share
    for node in range(count):
        share = 0.0
        if codes[node] > 0:
            share = <double>sums[codes[node]] * weight
            share = share + constant
        scores[node] = share if begin else scores[node] + share
    return 0


cdef inline int64_t _spread_share(int64_t score, int64_t least, int64_t most) noexcept nogil:
    return SCORE_MAX * (most + least - score) // most if most else SCORE_MAX


cdef inline int64_t _affinity_share(int64_t score, int64_t least, int64_t most) noexcept nogil:
    """Return the share in doubles, in the order of kube-scheduler's operations: 29 of 100 gives 28."""
    return <int64_t>(100.0 * (<double>(score - least) / <double>(most - least))) if most > least else 0


cdef int _share_out(const int64_t[::1] scores, const uint8_t[::1] mask, Py_ssize_t count, int64_t least, int64_t most, bint is_spread,
                    int64_t[::1] out) except? -1 nogil:
    """Write each score's share of the range that the scores of the mask have; from a table where the range is small."""
    cdef Py_ssize_t node
    cdef int64_t score
    cdef int64_t table[TABLE_SIZE]
    if most - least < TABLE_SIZE:
        for score in range(least, most + 1):
            table[score - least] = _spread_share(score, least, most) if is_spread else _affinity_share(score, least, most)
        for node in range(count):
            out[node] = table[scores[node] - least] if mask[node] else 0
        return 0
    for node in range(count):
        if not mask[node]:
            out[node] = 0
        elif is_spread:
            out[node] = _spread_share(scores[node], least, most)
        else:
            out[node] = _affinity_share(scores[node], least, most)
    return 0


cdef int _normalise_spread(const double[::1] scores, const uint8_t[::1] mask, Py_ssize_t count, int64_t[::1] out) except? -1 nogil:
    cdef Py_ssize_t node
    cdef int64_t score, least = INT64_MAX, most = 0
    for node in range(count):
        score = <int64_t>(scores[node] + 0.5)
        out[node] = score
        if mask[node]:
            least = min(least, score)
            most = max(most, score)
    return _share_out(out, mask, count, min(least, most), most, True, out)


cdef int _normalise_affinity(const int64_t[::1] scores, const uint8_t[::1] mask, Py_ssize_t count, int64_t[::1] out) except? -1 nogil:
    cdef Py_ssize_t node
    cdef int64_t least = INT64_MAX, most = INT64_MIN
    for node in range(count):
        if mask[node]:
            least = min(least, scores[node])
            most = max(most, scores[node])
    return _share_out(scores, mask, count, min(least, most), most, False, out)


cdef int _add_sums(const int32_t[::1] codes, const int64_t[::1] sums, Py_ssize_t count, int64_t[::1] scores) except? -1 nogil:
    cdef Py_ssize_t node
    for node in range(count):
        if codes[node] > 0:
            scores[node] += sums[codes[node]]
    return 0


cdef int _weigh(const int64_t[::1] base, const int64_t[::1] scores, int64_t weight, Py_ssize_t count, int64_t[::1] totals) except? -1 nogil:
    cdef Py_ssize_t node
    for node in range(count):
        totals[node] = base[node] + weight * scores[node]
    return 0


cdef int _check(Py_ssize_t count, Py_ssize_t length, Py_ssize_t other, Py_ssize_t third) except -1:
    """Refuse more nodes than an array holds: the loops above do not look."""
    if count < 0 or count > length or count > other or count > third:
        raise ValueError(f"{count} nodes leave arrays of {min(length, other, third)}")
    return 0


cdef int _check_values(Py_ssize_t sums, Py_ssize_t other, Py_ssize_t third) except -1:
    if sums != other or sums != third:
        raise ValueError(f"arrays of {sums}, {other} and {third} values")
    return 0


def take_in(const int64_t[::1] slots not None, const int32_t[::1] counts not None, int32_t[::1] seen not None, const int32_t[::1] codes not None,
            const uint8_t[::1] counted not None, int64_t weight, int64_t[::1] sums not None):
    """Bring the sums of a topology key up to what is counted on some slots now.

    slots     those whose counts may have changed; each below the length of the arrays over nodes
    counts    (nodes,) how many there are now; seen: how many the sums hold, updated
    counted   (nodes,) 1 for nodes that count in the sums; weight: what one of the counts adds
    sums      (values,) updated
    Returns   the number of slots that changed a sum
    Raises    ValueError if a slot leaves the arrays
    """
    cdef Py_ssize_t changed, place
    cdef Py_ssize_t length = min(counts.shape[0], seen.shape[0], codes.shape[0], counted.shape[0])
    for place in range(slots.shape[0]):
        if not 0 <= slots[place] < length:
            raise ValueError(f"slot {slots[place]} leaves arrays of {length}")
    with nogil:
        changed = _take_in(slots, counts, seen, codes, counted, weight, sums)
    return changed


def skew(const int64_t[::1] sums not None, const uint8_t[::1] domains not None, int64_t own, int64_t max_skew, int64_t min_domains, int64_t code,
         int64_t[::1] verdicts not None):
    """Judge each topology value by how far it would be above the least one.

    domains   (values,) 1 for those that count towards the least; it is 0 where there are less than min_domains of them
    own       1 where the incoming pod counts too, else 0
    verdicts  (values,) written but for the first: code where sum + own - least > max_skew, else 0
    Returns   the number of verdicts that changed
    Source    kube-scheduler PodTopologySpread, DoNotSchedule
    """
    cdef Py_ssize_t changed
    _check_values(sums.shape[0], domains.shape[0], verdicts.shape[0])
    with nogil:
        changed = _skew(sums, domains, own, max_skew, min_domains, code, verdicts)
    return changed


def judge(const int64_t[::1] sums not None, const int32_t[::1] values not None, int64_t without, int64_t code,
          int64_t[::1] verdicts not None):
    """Judge some topology values by whether there is anything.

    values    (any,) codes, each below the number of sums; 0 is passed over
    verdicts  (values,) written for these: `code` where the sum is above 0, else `without`
    Returns   the number of verdicts that changed
    Source    kube-scheduler InterPodAffinity, required terms
    """
    cdef Py_ssize_t changed
    _check_values(sums.shape[0], sums.shape[0], verdicts.shape[0])
    with nogil:
        changed = _judge(sums, values, without, code, verdicts)
    return changed


def mark(const int32_t[::1] codes not None, const int64_t[::1] verdicts not None, Py_ssize_t count, int64_t[::1] marks not None):
    """Give each of the first nodes that is not marked yet the verdict on its value.

    codes     (nodes,) each below the number of verdicts; marks: (nodes,) updated
    """
    _check(count, codes.shape[0], marks.shape[0], count)
    with nogil:
        _mark(codes, verdicts, count, marks)


def distinct(const int32_t[::1] codes not None, const uint8_t[::1] mask not None, Py_ssize_t count, uint8_t[::1] found not None):
    """Find the codes that the first nodes have among those of the mask, 0 or 1 per node.

    found     (values,) written: 1 for those that occur
    Returns   how many there are
    """
    cdef Py_ssize_t total
    _check(count, codes.shape[0], mask.shape[0], count)
    with nogil:
        total = _distinct(codes, mask, count, found)
    return total


def add_spread(const int32_t[::1] codes not None, const int64_t[::1] sums not None, double weight, double constant, bint begin,
               Py_ssize_t count, double[::1] scores not None):
    """Add weight * sum + constant to each node that has the label; begin: to 0 instead of the scores there are."""
    _check(count, codes.shape[0], scores.shape[0], count)
    with nogil:
        _add_spread(codes, sums, weight, constant, begin, count, scores)


def normalise_spread(const double[::1] scores not None, const uint8_t[::1] mask not None, Py_ssize_t count, int64_t[::1] out not None):
    """Give the node of the mask with the lowest rounded score 100, and others less the higher they are.

    scores    (nodes,) none negative
    out       (nodes,) written: 100 * (most + least - score) // most, 100 where most is 0; 0 outside the mask
    Source    kube-scheduler PodTopologySpread, Score and NormalizeScore
    """
    _check(count, scores.shape[0], mask.shape[0], out.shape[0])
    with nogil:
        _normalise_spread(scores, mask, count, out)


def add_sums(const int32_t[::1] codes not None, const int64_t[::1] sums not None, Py_ssize_t count, int64_t[::1] scores not None):
    """Add the sum of its value to each node that has the label."""
    _check(count, codes.shape[0], scores.shape[0], count)
    with nogil:
        _add_sums(codes, sums, count, scores)


def normalise_affinity(const int64_t[::1] scores not None, const uint8_t[::1] mask not None, Py_ssize_t count, int64_t[::1] out not None):
    """Stretch the scores of the mask's nodes from 0 to 100, in the doubles that kube-scheduler takes for it.

    out       (nodes,) written: 0 outside the mask, and everywhere if all are equal
    Source    kube-scheduler InterPodAffinity, NormalizeScore
    """
    _check(count, scores.shape[0], mask.shape[0], out.shape[0])
    with nogil:
        _normalise_affinity(scores, mask, count, out)


def weigh(const int64_t[::1] base not None, const int64_t[::1] scores not None, int64_t weight, Py_ssize_t count, int64_t[::1] totals not None):
    """Write base + weight * score of the first nodes; base and totals may be one array."""
    _check(count, base.shape[0], scores.shape[0], totals.shape[0])
    with nogil:
        _weigh(base, scores, weight, count, totals)
