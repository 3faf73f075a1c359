// SPDX-License-Identifier: Apache-2.0
/* Captured calls and their time. */
#include "bench/graph.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CALLS 4096
/* Longer runs than this are not made longer to visit every buffer. */
#define MOST_SECONDS 0.02

static trine_status capture(const bench_gpu *gpu, bench_enqueue enqueue, void *cookie, size_t calls,
                            void **graph)
{
    trine_status status = gpu->module->capture_begin(gpu->ordinal, gpu->stream), ended;

    *graph = NULL;
    if (status) return status;
    for (size_t i = 0; i < calls && !status; i++) status = enqueue(cookie, gpu, i);
    /* The stream leaves the capture even after a call that failed, whose reason is kept. */
    char reason[512] = "";
    if (status) strncpy(reason, trine_last_error(), sizeof reason - 1);
    ended = gpu->module->capture_end(gpu->ordinal, gpu->stream, graph);
    if (!status) return ended;
    if (!ended) gpu->module->graph_destroy(gpu->ordinal, *graph);
    *graph = NULL;
    return trine_fail(status, "%s", reason);
}

trine_status bench_enqueue_empty(void *cookie, const bench_gpu *gpu, size_t i)
{
    (void)cookie;
    (void)i;
    return gpu->module->empty_kernel(gpu->ordinal, gpu->stream);
}

trine_status bench_gpu_open(bench_gpu *gpu, trine_context *context, DLDevice device)
{
    void *graph = NULL;

    memset(gpu, 0, sizeof *gpu);
    gpu->module = trine_device_module(context, device);
    gpu->device = device;
    gpu->ordinal = device.device_id;
    gpu->least_seconds = 2e-3;
    if (!gpu->module) return trine_fail(TRINE_UNSUPPORTED, "there is no GPU behind this device");
    trine_status status = gpu->module->stream_create(gpu->ordinal, &gpu->stream);
    if (!status) status = bench_enqueue_empty(NULL, gpu, 0);
    if (!status) status = gpu->module->stream_synchronize(gpu->ordinal, gpu->stream);
    if (!status && capture(gpu, bench_enqueue_empty, NULL, 1, &graph))
        status = trine_fail(TRINE_UNSUPPORTED,
                            "the device can't capture graphs, by which the bench tells time");
    if (graph) gpu->module->graph_destroy(gpu->ordinal, graph);
    if (status) bench_gpu_close(gpu);
    return status;
}

void bench_gpu_close(bench_gpu *gpu)
{
    if (gpu->stream) gpu->module->stream_destroy(gpu->ordinal, gpu->stream);
    gpu->stream = NULL;
}

void bench_graph_destroy(bench_graph *g, const bench_gpu *gpu)
{
    if (g->graph) gpu->module->graph_destroy(gpu->ordinal, g->graph);
    g->graph = NULL;
}

/* A graph of so many calls, and the seconds of one after a first replay. */
static trine_status try_calls(bench_graph *g, const bench_gpu *gpu, bench_enqueue enqueue,
                              void *cookie, size_t calls, double *each)
{
    double seconds = 0;

    bench_graph_destroy(g, gpu);
    g->calls = calls;
    trine_status status = capture(gpu, enqueue, cookie, calls, &g->graph);
    for (int i = 0; i < 2 && !status; i++)
        status = gpu->module->graph_time(gpu->ordinal, g->graph, gpu->stream, &seconds);
    *each = seconds / (double)calls;
    return status;
}

static size_t at_least(double numerator, double denominator)
{
    const double quotient = numerator / (denominator > 1e-9 ? denominator : 1e-9);

    return quotient >= MAX_CALLS ? MAX_CALLS : (size_t)quotient + 1;
}

trine_status bench_graph_make(bench_graph *g, const bench_gpu *gpu, bench_enqueue enqueue,
                              void *cookie, size_t sets)
{
    double each = 0;

    g->graph = NULL;
    g->count = 0;
    /* Outside of any graph: the kernel's code is loaded, and what fails says why. */
    trine_status status = enqueue(cookie, gpu, 0);
    if (!status) status = gpu->module->stream_synchronize(gpu->ordinal, gpu->stream);
    /* A single call tells slow ones from the rest, whose time a longer run then shows. */
    if (!status) status = try_calls(g, gpu, enqueue, cookie, 1, &each);
    if (!status && each < gpu->least_seconds)
        status = try_calls(g, gpu, enqueue, cookie, at_least(gpu->least_seconds, each), &each);
    if (status) {
        bench_graph_destroy(g, gpu);
        return status;
    }
    size_t calls = at_least(gpu->least_seconds, each);
    if (calls < sets && (double)sets * each <= MOST_SECONDS) calls = sets;
    if (calls > sets) calls = (calls + sets - 1) / sets * sets;
    if (calls != g->calls) status = try_calls(g, gpu, enqueue, cookie, calls, &each);
    if (!status) status = gpu->module->graph_nodes(gpu->ordinal, g->graph, &g->nodes);
    if (status) bench_graph_destroy(g, gpu);
    return status;
}

trine_status bench_graphs_time(bench_graph *const *graphs, size_t count, const bench_gpu *gpu,
                               size_t replays)
{
    for (size_t round = 0; round < replays; round++) {
        for (size_t i = 0; i < count; i++) {
            bench_graph *g = graphs[i];
            double seconds = 0;
            const trine_status status =
                gpu->module->graph_time(gpu->ordinal, g->graph, gpu->stream, &seconds);
            if (status) return status;
            if (g->count < BENCH_MAX_REPLAYS) g->seconds[g->count++] = seconds / (double)g->calls;
        }
    }
    return TRINE_OK;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_graph_median(const bench_graph *g)
{
    double sorted[BENCH_MAX_REPLAYS];

    if (!g->count) return 0;
    memcpy(sorted, g->seconds, g->count * sizeof *sorted);
    qsort(sorted, g->count, sizeof *sorted, compare);
    return (sorted[(g->count - 1) / 2] + sorted[g->count / 2]) / 2;
}

double bench_graph_least(const bench_graph *g)
{
    double least = g->count ? g->seconds[0] : 0;

    for (size_t i = 1; i < g->count; i++) least = g->seconds[i] < least ? g->seconds[i] : least;
    return least;
}
