// SPDX-License-Identifier: Apache-2.0
/* The shapes that a bench of each op runs: what engines call, small and large. */
#ifndef TRINE_BENCH_SHAPES_H
#define TRINE_BENCH_SHAPES_H

#include <trine/trine.h>

typedef struct trine_bench_shape {
    int32_t op;
    const char *name;                   /* whose shape it is */
    const char *shape, *dtype, *params; /* as on the command line; params "name=value,..." */
} trine_bench_shape;

extern const trine_bench_shape trine_bench_shapes[];
extern const size_t trine_bench_shape_count;

#endif
