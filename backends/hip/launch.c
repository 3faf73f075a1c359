// SPDX-License-Identifier: Apache-2.0
// Launches, and what becomes of HIP's errors.
#include "backends/hip/hip_api.h"

#define MAX_GRID_YZ 65535

trine_status trine_hip_check(hipError_t error, const char *what)
{
    if (error == hipSuccess) return TRINE_OK;
    // The error was reported here; the thread's own copy must not surprise the caller later.
    (void)hipGetLastError();
    trine_status status = TRINE_BACKEND_ERROR;
    if (error == hipErrorOutOfMemory) status = TRINE_OUT_OF_MEMORY;
    if (error == hipErrorIllegalAddress || error == hipErrorLaunchFailure)
        status = TRINE_DEVICE_LOST;
    return trine_gpu_host->fail(status, "%s: %s (%s)", what, hipGetErrorString(error),
                                hipGetErrorName(error));
}

trine_status trine_gpu_launch(const trine_launch *launch, const void *kernel,
                              const trine_gpu_grid *grid, void **args)
{
    if (grid->x == 0 || grid->y == 0 || grid->z == 0) return TRINE_OK;
    if (grid->y > MAX_GRID_YZ || grid->z > MAX_GRID_YZ)
        return trine_gpu_host->fail(TRINE_UNSUPPORTED,
                                    "%s: a grid of %u by %u blocks along y and z; at most 65535",
                                    launch->row->name, grid->y, grid->z);
    const uint64_t most = (TRINE_HIP_GRID_WORK_ITEMS - 1) / grid->threads;
    dim3 blocks = {(uint32_t)(grid->x < most ? grid->x : most), grid->y, grid->z};
    dim3 threads = {grid->threads, 1, 1};
    return trine_hip_check(hipLaunchKernel(kernel, blocks, threads, args, grid->shared_memory,
                                           (hipStream_t)launch->stream),
                           launch->row->name);
}

trine_status trine_gpu_load(const trine_row *row, int32_t ordinal, const void *kernel,
                            uint32_t shared_memory)
{
    // The device is current, and LDS needs no permission.
    (void)ordinal;
    (void)shared_memory;
    struct hipFuncAttributes attributes;
    return trine_hip_check(hipFuncGetAttributes(&attributes, kernel), row->name);
}
