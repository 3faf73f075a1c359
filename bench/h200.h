// SPDX-License-Identifier: Apache-2.0
/* What the kernels are held to on an H200: shapes, and the time that each may take. */
#ifndef TRINE_BENCH_H200_H
#define TRINE_BENCH_H200_H

#include "bench/shapes.h"

/* What a time is compared with. A copy is one of as many bytes over as many buffers, by the best
 * plain kernel, in turns with the op. */
typedef enum trine_bench_goal {
    TRINE_BENCH_NO_GOAL = 0,
    TRINE_BENCH_OF_CEILING = 1,  /* at least `limit` of the device's copy bandwidth */
    TRINE_BENCH_OF_COPY = 2,     /* at least `limit` of the copy's speed */
    TRINE_BENCH_TIMES_COPY = 3,  /* at most `limit` times as long as the copy */
    TRINE_BENCH_ABOVE_EMPTY = 4, /* data in L2: at most `limit` us longer than an empty kernel */
    TRINE_BENCH_TIMES_SHAPE = 5  /* at most `limit` times as long as the shape `versus` */
} trine_bench_goal;

typedef struct trine_bench_target {
    trine_bench_shape call;
    trine_bench_goal goal;
    double limit;
    const char *versus;  /* a shape of the same op, in turns with this one */
    bool tables_by_head; /* rotary: tables that lie as [B,H,T,r], seen as [B,T,H,r] */
} trine_bench_target;

extern const trine_bench_target trine_bench_h200[];
extern const size_t trine_bench_h200_count;

#endif
