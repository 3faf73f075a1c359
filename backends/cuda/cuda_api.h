// SPDX-License-Identifier: Apache-2.0
// The CUDA runtime's C API for the host sources of this module, and what they share.
#ifndef TRINE_BACKENDS_CUDA_CUDA_API_H
#define TRINE_BACKENDS_CUDA_CUDA_API_H

#include <cuda_runtime_api.h>

#include "backends/gpu/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

// TRINE_OK, or the last error set to "<what>: <CUDA's name and text>" and the status it means. An
// error that leaves the device unusable is remembered: from then on trine_gpu_launch and whatever
// else asks trine_cuda_alive fail at once with the reason. ordinal -1: of no device.
trine_status trine_cuda_check(cudaError_t error, int ordinal, const char *what);

// TRINE_OK, or TRINE_DEVICE_LOST with what was remembered of the device.
trine_status trine_cuda_alive(int ordinal);

// device.c
int trine_cuda_device_count(void);
trine_status trine_cuda_device_query(int ordinal, trine_module_device *device);
int trine_cuda_device_enter(int ordinal);
void trine_cuda_device_leave(int previous);
trine_status trine_cuda_pointer_query(const void *pointer, int *kind, int *ordinal);
trine_status trine_cuda_stream_query(void *stream, int *ordinal, bool *capturing);

// memory.c
trine_status trine_cuda_alloc(int ordinal, size_t size, void **data);
void trine_cuda_release(int ordinal, void *data);
trine_status trine_cuda_copy(int ordinal, void *dst, const void *src, size_t size, bool to_device);
trine_status trine_cuda_synchronize(int ordinal);

// stream.c
trine_status trine_cuda_stream_create(int ordinal, void **stream);
void trine_cuda_stream_destroy(int ordinal, void *stream);
trine_status trine_cuda_stream_synchronize(int ordinal, void *stream);
trine_status trine_cuda_capture_begin(int ordinal, void *stream);
trine_status trine_cuda_capture_end(int ordinal, void *stream, void **graph);
void trine_cuda_graph_destroy(int ordinal, void *graph);
trine_status trine_cuda_graph_nodes(int ordinal, void *graph, size_t *count);
trine_status trine_cuda_graph_launch(int ordinal, void *graph, void *stream);
trine_status trine_cuda_graph_time(int ordinal, void *graph, void *stream, double *seconds);
trine_status trine_cuda_device_copy(int ordinal, void *stream, void *dst, const void *src,
                                    size_t size);

#ifdef __cplusplus
}
#endif

#endif
