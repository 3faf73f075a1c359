// SPDX-License-Identifier: Apache-2.0
// Streams, graphs and time, for tools and tests; ops never come here.
#include "backends/hip/hip_api.h"

#include <stdlib.h>

trine_status trine_hip_stream_create(int ordinal, void **stream)
{
    *stream = NULL;
    trine_status status = trine_hip_alive(ordinal);
    if (status != TRINE_OK) return status;
    int previous = trine_hip_device_enter(ordinal);
    if (previous < 0)
        return trine_gpu_host->fail(TRINE_INVALID_DEVICE, "hip:%d can't be made current", ordinal);
    status = trine_hip_check(hipStreamCreateWithFlags((hipStream_t *)stream, hipStreamNonBlocking),
                             ordinal, "stream");
    trine_hip_device_leave(previous);
    return status;
}

void trine_hip_stream_destroy(int ordinal, void *stream)
{
    if (stream) (void)trine_hip_check(hipStreamDestroy((hipStream_t)stream), ordinal, "stream");
}

trine_status trine_hip_stream_synchronize(int ordinal, void *stream)
{
    trine_status status = trine_hip_alive(ordinal);
    if (status != TRINE_OK) return status;
    return trine_hip_check(hipStreamSynchronize((hipStream_t)stream), ordinal,
                           "stream synchronize");
}

// Thread-local mode: calls of other threads that allocate don't end the capture.
trine_status trine_hip_capture_begin(int ordinal, void *stream)
{
    trine_status status = trine_hip_alive(ordinal);
    if (status != TRINE_OK) return status;
    return trine_hip_check(
        hipStreamBeginCapture((hipStream_t)stream, hipStreamCaptureModeThreadLocal), ordinal,
        "begin of capture");
}

typedef struct captured {
    hipGraph_t graph;
    hipGraphExec_t executable;
    hipEvent_t begin, end;
} captured;

void trine_hip_graph_destroy(int ordinal, void *graph)
{
    captured *g = graph;
    (void)ordinal;
    if (!g) return;
    if (g->begin) (void)hipEventDestroy(g->begin);
    if (g->end) (void)hipEventDestroy(g->end);
    if (g->executable) (void)hipGraphExecDestroy(g->executable);
    if (g->graph) (void)hipGraphDestroy(g->graph);
    free(g);
}

trine_status trine_hip_capture_end(int ordinal, void *stream, void **graph)
{
    *graph = NULL;
    captured *g = calloc(1, sizeof *g);
    if (!g) return trine_gpu_host->fail(TRINE_OUT_OF_MEMORY, "no memory for a graph");
    int previous = trine_hip_device_enter(ordinal);
    trine_status status = trine_hip_check(hipStreamEndCapture((hipStream_t)stream, &g->graph),
                                          ordinal, "end of capture");
    if (!status)
        status = trine_hip_check(hipGraphInstantiate(&g->executable, g->graph, NULL, NULL, 0),
                                 ordinal, "graph instantiation");
    if (!status) status = trine_hip_check(hipEventCreate(&g->begin), ordinal, "event");
    if (!status) status = trine_hip_check(hipEventCreate(&g->end), ordinal, "event");
    trine_hip_device_leave(previous);
    if (status)
        trine_hip_graph_destroy(ordinal, g);
    else
        *graph = g;
    return status;
}

trine_status trine_hip_graph_nodes(int ordinal, void *graph, size_t *count)
{
    *count = 0;
    return trine_hip_check(hipGraphGetNodes(((captured *)graph)->graph, NULL, count), ordinal,
                           "graph nodes");
}

trine_status trine_hip_graph_launch(int ordinal, void *graph, void *stream)
{
    trine_status status = trine_hip_alive(ordinal);
    if (status != TRINE_OK) return status;
    return trine_hip_check(hipGraphLaunch(((captured *)graph)->executable, (hipStream_t)stream),
                           ordinal, "graph launch");
}

trine_status trine_hip_graph_time(int ordinal, void *graph, void *stream, double *seconds)
{
    captured *g = graph;
    float milliseconds = 0;
    trine_status status =
        trine_hip_check(hipEventRecord(g->begin, (hipStream_t)stream), ordinal, "event record");
    if (!status) status = trine_hip_graph_launch(ordinal, graph, stream);
    if (!status)
        status =
            trine_hip_check(hipEventRecord(g->end, (hipStream_t)stream), ordinal, "event record");
    if (!status)
        status = trine_hip_check(hipEventSynchronize(g->end), ordinal, "event synchronize");
    if (!status)
        status = trine_hip_check(hipEventElapsedTime(&milliseconds, g->begin, g->end), ordinal,
                                 "event time");
    *seconds = 1e-3 * milliseconds;
    return status;
}

trine_status trine_hip_device_copy(int ordinal, void *stream, void *dst, const void *src,
                                   size_t size)
{
    trine_status status = trine_hip_alive(ordinal);
    if (status != TRINE_OK) return status;
    return trine_hip_check(
        hipMemcpyAsync(dst, src, size, hipMemcpyDeviceToDevice, (hipStream_t)stream), ordinal,
        "copy");
}
