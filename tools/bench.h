// SPDX-License-Identifier: Apache-2.0
/* The half of trine bench that knows GPUs. */
#ifndef TRINE_TOOLS_BENCH_H
#define TRINE_TOOLS_BENCH_H

#include <jansson.h>

#include "bench/gpu_copy.h"
#include "bench/h200.h"
#include "check/settle.h"
#include "tools/commands.h"

typedef struct gpu_bench {
    const arguments *arguments;
    trine_target *target;
    bench_gpu gpu;
    size_t replays;
    bench_ceiling ceiling;
    double rate;          /* the ceiling: bytes a second */
    double empty_seconds; /* of an empty kernel in a graph */
    bool void_ceiling;    /* below what --least-ceiling says: nothing is judged */
    json_t *results;
    long measured, failed;     /* rows */
    long met, missed, skipped; /* goals; skipped: no kernel is there, or the ceiling is void */
} gpu_bench;

/* Measures the ceiling. EXIT_GOOD, or the exit code after a message: EXIT_NOTHING where graphs
 * can't be captured. */
int gpu_bench_open(gpu_bench *bench, const arguments *arguments, trine_target *target,
                   size_t replays);
/* Prints what all came to. */
int gpu_bench_close(gpu_bench *bench);

/* A call by every row that is wanted; `versus` may be NULL. Failures are printed and counted. */
void gpu_bench_plan(gpu_bench *bench, const trine_bench_target *entry, const trine_plan *plan,
                    const trine_plan *versus);

#endif
