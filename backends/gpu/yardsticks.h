// SPDX-License-Identifier: Apache-2.0
// The kernels of trine_module.copy_kernel, late_copy_kernel and empty_kernel, and what both modules
// make of them.
#ifndef TRINE_BACKENDS_GPU_YARDSTICKS_H
#define TRINE_BACKENDS_GPU_YARDSTICKS_H

#include "backends/gpu/launch.h"

#ifdef __cplusplus
extern "C" {
#endif

// Addresses of __global__ functions: two of (uint8_t *to, const uint8_t *from, uint64_t accesses),
// the first NULL for an unroll that isn't 1, 2, 4 or 8; and one without parameters.
const void *trine_gpu_copy_kernel(uint32_t unroll);
const void *trine_gpu_late_copy_kernel(void);
const void *trine_gpu_empty_kernel(void);

// As trine_module has them.
trine_status trine_gpu_run_copy_kernel(int ordinal, void *stream, void *dst, const void *src,
                                       size_t size, uint32_t threads, uint32_t unroll);
trine_status trine_gpu_run_late_copy_kernel(int ordinal, void *stream, void *dst, const void *src,
                                            size_t size);
trine_status trine_gpu_run_empty_kernel(int ordinal, void *stream);

#ifdef __cplusplus
}
#endif

#endif
