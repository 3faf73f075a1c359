// SPDX-License-Identifier: Apache-2.0
/*
 * Memory on a GPU for the calls of a bench: several sets of a plan's tensors, so that a call does
 * not find in a cache what the one before it left there.
 */
#ifndef TRINE_BENCH_BUFFERS_H
#define TRINE_BENCH_BUFFERS_H

#include "bench/graph.h"
#include "check/plan.h"

typedef struct bench_buffers {
    const trine_plan *plan;
    trine_context *context;
    size_t sets;
    size_t copies[TRINE_MAX_TENSORS]; /* of a tensor; set i uses copy i % copies */
    size_t step[TRINE_MAX_TENSORS];   /* bytes from one copy to the next */
    uint8_t *base[TRINE_MAX_TENSORS];
    uint8_t *memory; /* all of it */
    uint8_t *workspace;
    size_t workspace_size;
} bench_buffers;

/* How many sets of `bytes` no cache holds, at most `most`. */
size_t bench_sets(double bytes, size_t most);

/* Random data in every input; `plan` outlives the buffers. */
trine_status bench_buffers_make(bench_buffers *b, const bench_gpu *gpu, trine_context *context,
                                const trine_plan *plan, size_t sets);
void bench_buffers_destroy(bench_buffers *b, const bench_gpu *gpu);

/* A bench_enqueue whose cookie is the buffers: the op on the i-th set. */
trine_status bench_enqueue_op(void *cookie, const bench_gpu *gpu, size_t i);

#endif
