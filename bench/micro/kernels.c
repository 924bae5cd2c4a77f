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
