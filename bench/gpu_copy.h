// SPDX-License-Identifier: Apache-2.0
/* Copies on a GPU, which the ops' times are compared with. */
#ifndef TRINE_BENCH_GPU_COPY_H
#define TRINE_BENCH_GPU_COPY_H

#include "bench/graph.h"

/* A way to copy: a plain kernel of so many threads a block and accesses a thread; 0 threads: the
 * driver's own copy. */
typedef struct bench_copy_form {
    uint32_t threads, unroll;
} bench_copy_form;

/* Sets of buffers that are copied in turns. */
typedef struct bench_copies {
    uint8_t *memory;
    size_t size, step, sets; /* bytes copied; bytes from a buffer to the next one */
    bench_copy_form form;
} bench_copies;

/* Copies that together read and write `bytes`. */
trine_status bench_copies_make(bench_copies *c, const bench_gpu *gpu, double bytes, size_t sets);
void bench_copies_destroy(bench_copies *c, const bench_gpu *gpu);

/* A bench_enqueue whose cookie is the copies. */
trine_status bench_enqueue_copy(void *cookie, const bench_gpu *gpu, size_t i);

/* Takes the fastest form of the plain kernel and leaves its graph in *g. */
trine_status bench_copies_choose(bench_copies *c, const bench_gpu *gpu, bench_graph *g);

#define BENCH_COPY_FORMS 17

typedef struct bench_ceiling {
    size_t size; /* of a buffer */
    bench_copy_form forms[BENCH_COPY_FORMS];
    double rates[BENCH_COPY_FORMS]; /* bytes read and written a second */
    int best;
} bench_ceiling;

/* The fastest of all forms, on buffers of `size` bytes. */
trine_status bench_ceiling_measure(bench_ceiling *ceiling, const bench_gpu *gpu, size_t size);

#endif
