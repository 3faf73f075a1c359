// SPDX-License-Identifier: Apache-2.0
// The HIP runtime's C API for the host sources of this module, and what they share.
#ifndef TRINE_BACKENDS_HIP_HIP_API_H
#define TRINE_BACKENDS_HIP_HIP_API_H

#if !defined(__HIP_PLATFORM_AMD__)
#define __HIP_PLATFORM_AMD__ 1
#endif
#include <hip/hip_runtime_api.h>

#include "backends/gpu/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

// gridDim.x * blockDim.x must stay below this: the dispatch packet counts work items in 32 bits.
#define TRINE_HIP_GRID_WORK_ITEMS (UINT64_C(1) << 32)

// TRINE_OK, or the last error set to "<what>: <HIP's name and text>" and the status it means. An
// error that leaves the device unusable is remembered: from then on trine_gpu_launch and whatever
// else asks trine_hip_alive fail at once with the reason. ordinal -1: of no device.
trine_status trine_hip_check(hipError_t error, int ordinal, const char *what);

// TRINE_OK, or TRINE_DEVICE_LOST with what was remembered of the device.
trine_status trine_hip_alive(int ordinal);

// device.c
int trine_hip_device_count(void);
trine_status trine_hip_device_query(int ordinal, trine_module_device *device);
int trine_hip_device_enter(int ordinal);
void trine_hip_device_leave(int previous);
trine_status trine_hip_pointer_query(const void *pointer, int *kind, int *ordinal);
trine_status trine_hip_stream_query(void *stream, int *ordinal, bool *capturing);

// memory.c
trine_status trine_hip_alloc(int ordinal, size_t size, void **data);
void trine_hip_release(int ordinal, void *data);
trine_status trine_hip_copy(int ordinal, void *dst, const void *src, size_t size, bool to_device);
trine_status trine_hip_synchronize(int ordinal);

// stream.c
trine_status trine_hip_stream_create(int ordinal, void **stream);
void trine_hip_stream_destroy(int ordinal, void *stream);
trine_status trine_hip_stream_synchronize(int ordinal, void *stream);
trine_status trine_hip_capture_begin(int ordinal, void *stream);
trine_status trine_hip_capture_end(int ordinal, void *stream, void **graph);
void trine_hip_graph_destroy(int ordinal, void *graph);
trine_status trine_hip_graph_nodes(int ordinal, void *graph, size_t *count);
trine_status trine_hip_graph_launch(int ordinal, void *graph, void *stream);
trine_status trine_hip_graph_time(int ordinal, void *graph, void *stream, double *seconds);
trine_status trine_hip_device_copy(int ordinal, void *stream, void *dst, const void *src,
                                   size_t size);

#ifdef __cplusplus
}
#endif

#endif
