// SPDX-License-Identifier: Apache-2.0
// The CUDA runtime's C API for the host sources of this module, and what they share.
#ifndef TRINE_BACKENDS_CUDA_CUDA_API_H
#define TRINE_BACKENDS_CUDA_CUDA_API_H

#include <cuda_runtime_api.h>

#include "backends/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

// The core's error channel, set when the module is opened.
extern const trine_module_host *trine_cuda_host;

// TRINE_OK, or the last error set to "<what>: <CUDA's name and text>" and the status it means. An
// error that leaves the device unusable is remembered: from then on trine_cuda_launch and whatever
// else asks trine_cuda_alive fail at once with the reason. ordinal -1: of no device.
trine_status trine_cuda_check(cudaError_t error, int ordinal, const char *what);

// TRINE_OK, or TRINE_DEVICE_LOST with what was remembered of the device.
trine_status trine_cuda_alive(int ordinal);

// A launch: `args` holds one pointer for each parameter of `kernel`, the address of a __global__
// function.
typedef struct trine_cuda_grid {
    uint32_t x, y, z, threads, shared_memory;
} trine_cuda_grid;
trine_status trine_cuda_launch(const trine_launch *launch, const void *kernel,
                               const trine_cuda_grid *grid, void **args);

// Loads a kernel's code now, so that its first launch does not.
trine_status trine_cuda_load(const trine_row *row, int32_t ordinal, const void *kernel);

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

#ifdef __cplusplus
}
#endif

#endif
