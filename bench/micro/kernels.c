/* The plain C loops that kcore's scheduler kernels are measured beside: the same arrays, the same answers, nothing clever. */
#include <stdint.h>

void fit(const int64_t *allocatable, const int64_t *requested, const int64_t *pod_limit, const int64_t *pod_count, const int64_t *rows,
         const int64_t *amounts, int64_t asked, int64_t stride, int64_t nodes, int64_t *codes) {
    for (int64_t node = 0; node < nodes; node++) {
        int64_t code = pod_count[node] + 1 > pod_limit[node];
        for (int64_t k = 0; k < asked; k++) {
            int64_t offered = allocatable[rows[k] * stride + node];
            if (amounts[k] > offered - requested[rows[k] * stride + node]) code |= (int64_t)1 << (k + 1);
            if (amounts[k] > offered) code |= (int64_t)1 << 62;
        }
        codes[node] = code;
    }
}

void least_allocated(const int64_t *allocatable, const int64_t *nonzero, int64_t cpu, int64_t memory, const uint8_t *feasible,
                     int64_t stride, int64_t nodes, int64_t *scores) {
    for (int64_t node = 0; node < nodes; node++) {
        int64_t total = 0, weights = 0;
        if (feasible[node]) {
            for (int64_t k = 0; k < 2; k++) {
                int64_t offered = allocatable[k * stride + node];
                int64_t used = nonzero[k * stride + node] + (k ? memory : cpu);
                if (!offered) continue;
                weights++;
                if (used <= offered) total += (offered - used) * 100 / offered;
            }
        }
        scores[node] = weights ? total / weights : 0;
    }
}

static int64_t balance(double cpu, double memory) {
    if (cpu > 1) cpu = 1;
    if (memory > 1) memory = 1;
    double deviation = (cpu > memory ? cpu - memory : memory - cpu) / 2;
    return (int64_t)((1 - deviation) * 100);
}

void balanced_allocation(const int64_t *allocatable, const int64_t *requested, int64_t cpu, int64_t memory, const uint8_t *feasible,
                         int64_t stride, int64_t nodes, int64_t *scores) {
    for (int64_t node = 0; node < nodes; node++) {
        double c = allocatable[node], m = allocatable[stride + node];
        scores[node] = 0;
        if (!feasible[node]) continue;
        int64_t before = 100, after = 100;
        if (c > 0 && m > 0) {
            before = balance(requested[node] / c, requested[stride + node] / m);
            after = balance((requested[node] + cpu) / c, (requested[stride + node] + memory) / m);
        }
        scores[node] = 50 + (50 + after - before) / 2;
    }
}

int64_t amounts(const int64_t *allocatable, const int64_t *requested, const int64_t *nonzero, const int64_t *pod_limit,
                const int64_t *pod_count, const uint8_t *mask, int64_t cpu, int64_t memory, int64_t stride, int64_t nodes, uint8_t *feasible,
                int64_t *totals) {
    int64_t count = 0;
    for (int64_t node = 0; node < nodes; node++) {
        int64_t c = allocatable[node], m = allocatable[stride + node];
        int64_t used_c = requested[node], used_m = requested[stride + node];
        feasible[node] = mask[node] && pod_count[node] < pod_limit[node] && cpu <= c - used_c && memory <= m - used_m;
        totals[node] = 0;
        if (!feasible[node]) continue;
        count++;
        int64_t free_c = c - nonzero[node] - cpu, free_m = m - nonzero[stride + node] - memory;
        int64_t least = (free_c > 0 ? free_c * 100 / c : 0) + (free_m > 0 ? free_m * 100 / m : 0);
        int64_t before = balance((double)used_c / c, (double)used_m / m);
        int64_t after = balance((double)(used_c + cpu) / c, (double)(used_m + memory) / m);
        totals[node] = least / 2 + 50 + (50 + after - before) / 2;
    }
    return count;
}

int64_t best(const int64_t *totals, const uint8_t *feasible, int64_t nodes, int64_t *ties) {
    int64_t first = -2, highest = 0, count = 0;
    for (int64_t node = 0; node < nodes; node++) {
        if (!feasible[node]) continue;
        if (!count || totals[node] > highest) {
            highest = totals[node];
            first = node;
            count = 1;
        } else if (totals[node] == highest) {
            count++;
        }
    }
    *ties = count;
    return first;
}

int64_t take_in(const int64_t *slots, int64_t count, const int32_t *counts, int32_t *seen, const int32_t *codes, const uint8_t *counted,
                int64_t weight, int64_t *sums) {
    int64_t changed = 0;
    for (int64_t k = 0; k < count; k++) {
        int64_t slot = slots[k], difference = counts[slot] - seen[slot];
        if (!difference) continue;
        seen[slot] = counts[slot];
        if (counted[slot] && codes[slot]) {
            sums[codes[slot]] += difference * weight;
            changed++;
        }
    }
    return changed;
}

int64_t skew(const int64_t *sums, const uint8_t *domains, int64_t values, int64_t own, int64_t max_skew, int64_t min_domains, int64_t code,
             int64_t *verdicts) {
    int64_t least = INT64_MAX, count = 0, changed = 0;
    for (int64_t value = 1; value < values; value++) {
        if (!domains[value]) continue;
        count++;
        if (sums[value] < least) least = sums[value];
    }
    if (count < min_domains) least = 0;
    for (int64_t value = 1; value < values; value++) {
        int64_t verdict = sums[value] + own - least > max_skew ? code : 0;
        if (verdict != verdicts[value]) changed++;
        verdicts[value] = verdict;
    }
    return changed;
}

int64_t judge(const int64_t *sums, const int32_t *values, int64_t count, int64_t without, int64_t code, int64_t *verdicts) {
    int64_t changed = 0;
    for (int64_t k = 0; k < count; k++) {
        int64_t value = values[k];
        if (!value) continue;
        int64_t verdict = sums[value] > 0 ? code : without;
        if (verdict != verdicts[value]) changed++;
        verdicts[value] = verdict;
    }
    return changed;
}

void mark(const int32_t *codes, const int64_t *verdicts, int64_t nodes, int64_t *marks) {
    for (int64_t node = 0; node < nodes; node++)
        if (!marks[node]) marks[node] = verdicts[codes[node]];
}

int64_t distinct(const int32_t *codes, const uint8_t *mask, int64_t nodes, uint8_t *found, int64_t values) {
    int64_t total = 0;
    for (int64_t value = 0; value < values; value++) found[value] = 0;
    for (int64_t node = 0; node < nodes; node++)
        if (mask[node]) found[codes[node]] = 1;
    for (int64_t value = 0; value < values; value++) total += found[value];
    return total;
}

void add_spread(const int32_t *codes, const int64_t *sums, double weight, double constant, int64_t begin, int64_t nodes, double *scores) {
    for (int64_t node = 0; node < nodes; node++) {
        if (begin) scores[node] = 0;
        if (codes[node]) scores[node] += sums[codes[node]] * weight + constant;
    }
}

void normalise_spread(const double *scores, const uint8_t *mask, int64_t nodes, int64_t *out) {
    int64_t least = INT64_MAX, most = 0;
    for (int64_t node = 0; node < nodes; node++) {
        out[node] = (int64_t)(scores[node] + 0.5);
        if (!mask[node]) continue;
        if (out[node] < least) least = out[node];
        if (out[node] > most) most = out[node];
    }
    for (int64_t node = 0; node < nodes; node++) out[node] = !mask[node] ? 0 : most ? 100 * (most + least - out[node]) / most : 100;
}

void add_sums(const int32_t *codes, const int64_t *sums, int64_t nodes, int64_t *scores) {
    for (int64_t node = 0; node < nodes; node++)
        if (codes[node]) scores[node] += sums[codes[node]];
}

void normalise_affinity(const int64_t *scores, const uint8_t *mask, int64_t nodes, int64_t *out) {
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (int64_t node = 0; node < nodes; node++) {
        if (!mask[node]) continue;
        if (scores[node] < least) least = scores[node];
        if (scores[node] > most) most = scores[node];
    }
    for (int64_t node = 0; node < nodes; node++)
        out[node] = mask[node] && most > least ? (int64_t)(100.0 * ((double)(scores[node] - least) / (double)(most - least))) : 0;
}

void weigh(const int64_t *base, const int64_t *scores, int64_t weight, int64_t nodes, int64_t *totals) {
    for (int64_t node = 0; node < nodes; node++) totals[node] = base[node] + weight * scores[node];
}
