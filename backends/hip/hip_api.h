// SPDX-License-Identifier: Apache-2.0
// The HIP runtime's C API for the host sources of this module, and what they share.
#ifndef TRINE_BACKENDS_HIP_HIP_API_H
#define TRINE_BACKENDS_HIP_HIP_API_H

#if !defined(__HIP_PLATFORM_AMD__)
#define __HIP_PLATFORM_AMD__ 1
#endif
#include <hip/hip_runtime_api.h>

#include "backends/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

// The core's error channel, set when the module is opened.
extern const trine_module_host *trine_hip_host;

// TRINE_OK, or the last error set to "<what>: <HIP's name and text>" and the status it means.
trine_status trine_hip_check(hipError_t error, const char *what);

// Launches `kernel` (the address of a __global__ function whose blocks go round when there are
// fewer of them along x than the work wants). HIP counts the work items of a grid dimension in 32
// bits, so grid.x is cut to what fits; y and z must fit as they are.
trine_status trine_hip_launch(const trine_launch *launch, const void *kernel, uint64_t grid_x,
                              uint32_t grid_y, uint32_t grid_z, uint32_t threads,
                              uint32_t shared_memory, void **args);

// Loads a kernel's code now, so that its first launch does not.
trine_status trine_hip_load(const trine_row *row, const void *kernel);

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

#ifdef __cplusplus
}
#endif

#endif
