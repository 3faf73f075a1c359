// SPDX-License-Identifier: Apache-2.0
// Streams, graphs and time, for tools and tests; ops never come here.
#include "backends/cuda/cuda_api.h"

#include <stdlib.h>

trine_status trine_cuda_stream_create(int ordinal, void **stream)
{
    *stream = NULL;
    trine_status status = trine_cuda_alive(ordinal);
    if (status) return status;
    int previous = trine_cuda_device_enter(ordinal);
    if (previous < 0) return TRINE_BACKEND_ERROR;
    status =
        trine_cuda_check(cudaStreamCreateWithFlags((cudaStream_t *)stream, cudaStreamNonBlocking),
                         ordinal, "cudaStreamCreate");
    trine_cuda_device_leave(previous);
    return status;
}

void trine_cuda_stream_destroy(int ordinal, void *stream)
{
    if (stream)
        (void)trine_cuda_check(cudaStreamDestroy((cudaStream_t)stream), ordinal,
                               "cudaStreamDestroy");
}

trine_status trine_cuda_stream_synchronize(int ordinal, void *stream)
{
    trine_status status = trine_cuda_alive(ordinal);
    if (status) return status;
    return trine_cuda_check(cudaStreamSynchronize((cudaStream_t)stream), ordinal,
                            "cudaStreamSynchronize");
}

// Thread-local mode: calls of other threads that allocate don't end the capture.
trine_status trine_cuda_capture_begin(int ordinal, void *stream)
{
    trine_status status = trine_cuda_alive(ordinal);
    if (status) return status;
    return trine_cuda_check(
        cudaStreamBeginCapture((cudaStream_t)stream, cudaStreamCaptureModeThreadLocal), ordinal,
        "cudaStreamBeginCapture");
}

// What a trine graph is: the graph, for its nodes, and its executable form.
typedef struct captured {
    cudaGraph_t graph;
    cudaGraphExec_t executable;
    cudaEvent_t begin, end;
} captured;

void trine_cuda_graph_destroy(int ordinal, void *graph)
{
    captured *g = graph;
    if (!g) return;
    if (g->begin) (void)trine_cuda_check(cudaEventDestroy(g->begin), ordinal, "cudaEventDestroy");
    if (g->end) (void)trine_cuda_check(cudaEventDestroy(g->end), ordinal, "cudaEventDestroy");
    if (g->executable)
        (void)trine_cuda_check(cudaGraphExecDestroy(g->executable), ordinal,
                               "cudaGraphExecDestroy");
    if (g->graph) (void)trine_cuda_check(cudaGraphDestroy(g->graph), ordinal, "cudaGraphDestroy");
    free(g);
}

trine_status trine_cuda_capture_end(int ordinal, void *stream, void **graph)
{
    *graph = NULL;
    captured *g = calloc(1, sizeof *g);
    if (!g) return trine_gpu_host->fail(TRINE_OUT_OF_MEMORY, "no memory for a graph");
    int previous = trine_cuda_device_enter(ordinal);
    trine_status status = previous < 0 ? TRINE_BACKEND_ERROR : TRINE_OK;
    if (!status)
        status = trine_cuda_check(cudaStreamEndCapture((cudaStream_t)stream, &g->graph), ordinal,
                                  "cudaStreamEndCapture");
    if (!status)
        status = trine_cuda_check(cudaGraphInstantiate(&g->executable, g->graph, 0), ordinal,
                                  "cudaGraphInstantiate");
    if (!status) status = trine_cuda_check(cudaEventCreate(&g->begin), ordinal, "cudaEventCreate");
    if (!status) status = trine_cuda_check(cudaEventCreate(&g->end), ordinal, "cudaEventCreate");
    trine_cuda_device_leave(previous);
    if (status)
        trine_cuda_graph_destroy(ordinal, g);
    else
        *graph = g;
    return status;
}

trine_status trine_cuda_graph_nodes(int ordinal, void *graph, size_t *count)
{
    *count = 0;
    return trine_cuda_check(cudaGraphGetNodes(((captured *)graph)->graph, NULL, count), ordinal,
                            "cudaGraphGetNodes");
}

trine_status trine_cuda_graph_launch(int ordinal, void *graph, void *stream)
{
    trine_status status = trine_cuda_alive(ordinal);
    if (status) return status;
    return trine_cuda_check(cudaGraphLaunch(((captured *)graph)->executable, (cudaStream_t)stream),
                            ordinal, "cudaGraphLaunch");
}

trine_status trine_cuda_graph_time(int ordinal, void *graph, void *stream, double *seconds)
{
    captured *g = graph;
    float milliseconds = 0;
    trine_status status = trine_cuda_check(cudaEventRecord(g->begin, (cudaStream_t)stream), ordinal,
                                           "cudaEventRecord");
    if (!status) status = trine_cuda_graph_launch(ordinal, graph, stream);
    if (!status)
        status = trine_cuda_check(cudaEventRecord(g->end, (cudaStream_t)stream), ordinal,
                                  "cudaEventRecord");
    if (!status)
        status = trine_cuda_check(cudaEventSynchronize(g->end), ordinal, "cudaEventSynchronize");
    if (!status)
        status = trine_cuda_check(cudaEventElapsedTime(&milliseconds, g->begin, g->end), ordinal,
                                  "cudaEventElapsedTime");
    *seconds = 1e-3 * milliseconds;
    return status;
}

trine_status trine_cuda_device_copy(int ordinal, void *stream, void *dst, const void *src,
                                    size_t size)
{
    trine_status status = trine_cuda_alive(ordinal);
    if (status) return status;
    return trine_cuda_check(
        cudaMemcpyAsync(dst, src, size, cudaMemcpyDeviceToDevice, (cudaStream_t)stream), ordinal,
        "cudaMemcpyAsync");
}
