// SPDX-License-Identifier: Apache-2.0
// Launching, for the sources of this folder: CUDA's module and HIP's each link their own
// definition (backends/cuda/launch.c, backends/hip/launch.c).
//
// A row is a pair of functions in a source here: its launcher trine_gpu_<op>_<row> and its prepare
// step trine_gpu_<op>_<row>_prepare. Both modules compile the source; a row of one vendor alone
// stands in backends/cuda/ or backends/hip/ under the same names.
#ifndef TRINE_BACKENDS_GPU_LAUNCH_H
#define TRINE_BACKENDS_GPU_LAUNCH_H

#include "backends/backend.h"

#ifdef __cplusplus
extern "C" {
#endif

// The core's error channel, set when the module is opened.
extern const trine_module_host *trine_gpu_host;

// Blocks along x are cut to what the device's grid holds (CUDA: 2^31 - 1 blocks, HIP: fewer than
// 2^32 threads), so kernels go round when there may be more; y and z must be at most 65535. With a
// dimension of 0 nothing is launched.
typedef struct trine_gpu_grid {
    uint64_t x;
    uint32_t y, z;
    uint32_t threads;
    uint32_t shared_memory; // dynamic, bytes
    // The kernel calls trine_gpu::wait_for_previous() before it touches memory, so it may start
    // while the work before it on the stream still runs (CUDA from sm_90 on; no effect elsewhere).
    bool early;
} trine_gpu_grid;

// `args` holds one pointer for each parameter of `kernel`, the address of a __global__ function.
trine_status trine_gpu_launch(const trine_launch *launch, const void *kernel,
                              const trine_gpu_grid *grid, void **args);

// For prepare steps: loads a kernel's code now, so that its first launch does not, and allows it so
// much dynamic shared memory.
trine_status trine_gpu_load(const trine_row *row, int32_t ordinal, const void *kernel,
                            uint32_t shared_memory);

#ifdef __cplusplus
}
#endif

#endif
