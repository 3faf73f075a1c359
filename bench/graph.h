// SPDX-License-Identifier: Apache-2.0
/*
 * Time on a GPU: many calls captured in one graph, the graph replayed between two events. What the
 * host needs to launch is not in the figures; the gaps between the kernels of a graph are.
 */
#ifndef TRINE_BENCH_GRAPH_H
#define TRINE_BENCH_GRAPH_H

#include "backends/backend.h"

typedef struct bench_gpu {
    const trine_module *module;
    int ordinal;
    DLDevice device;
    void *stream;
    double least_seconds; /* of work a graph */
} bench_gpu;

/* TRINE_UNSUPPORTED when the device can't capture. */
trine_status bench_gpu_open(bench_gpu *gpu, trine_context *context, DLDevice device);
void bench_gpu_close(bench_gpu *gpu);

/* Puts call number `i` of a run on gpu->stream. */
typedef trine_status (*bench_enqueue)(void *cookie, const bench_gpu *gpu, size_t i);

#define BENCH_MAX_REPLAYS 1000

/* A run of calls and the seconds that each replay took. */
typedef struct bench_graph {
    void *graph;
    size_t calls, nodes;
    size_t count;
    double seconds[BENCH_MAX_REPLAYS]; /* of one call: a replay's divided by the calls */
} bench_graph;

/* Captures as many calls as least_seconds take, in whole turns over `sets` buffers. */
trine_status bench_graph_make(bench_graph *g, const bench_gpu *gpu, bench_enqueue enqueue,
                              void *cookie, size_t sets);
void bench_graph_destroy(bench_graph *g, const bench_gpu *gpu);

/* For bench_graph_make: the kernel that does nothing. */
trine_status bench_enqueue_empty(void *cookie, const bench_gpu *gpu, size_t i);

/* Replays the graphs in turns, `replays` times each. */
trine_status bench_graphs_time(bench_graph *const *graphs, size_t count, const bench_gpu *gpu,
                               size_t replays);

double bench_graph_median(const bench_graph *g);
double bench_graph_least(const bench_graph *g);

#endif
