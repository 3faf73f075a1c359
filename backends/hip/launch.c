// SPDX-License-Identifier: Apache-2.0
// Launches, and what becomes of HIP's errors.
#include <stdatomic.h>

#include "backends/hip/hip_api.h"

#define MAX_DEVICES 64
#define MAX_GRID_YZ 65535

// The error that made a device unusable; 0 while it is not.
static _Atomic int lost[MAX_DEVICES];

static bool is_sticky(hipError_t error)
{
    switch (error) {
    case hipErrorECCNotCorrectable:
    case hipErrorIllegalAddress:
    case hipErrorLaunchTimeOut:
    case hipErrorContextIsDestroyed:
    case hipErrorAssert:
    case hipErrorLaunchFailure:
        return true;
    default:
        return false;
    }
}

static trine_status status_of(hipError_t error)
{
    if (is_sticky(error)) return TRINE_DEVICE_LOST;
    if (error == hipErrorOutOfMemory) return TRINE_OUT_OF_MEMORY;
    return TRINE_BACKEND_ERROR;
}

trine_status trine_hip_check(hipError_t error, int ordinal, const char *what)
{
    if (error == hipSuccess) return TRINE_OK;
    // The error was reported here; the thread's own copy must not surprise the caller later.
    (void)hipGetLastError();
    if (is_sticky(error) && ordinal >= 0 && ordinal < MAX_DEVICES) {
        int none = 0;
        atomic_compare_exchange_strong(&lost[ordinal], &none, (int)error);
    }
    return trine_gpu_host->fail(status_of(error), "%s: %s (%s)", what, hipGetErrorString(error),
                                hipGetErrorName(error));
}

trine_status trine_hip_alive(int ordinal)
{
    if (ordinal < 0 || ordinal >= MAX_DEVICES) return TRINE_OK;
    hipError_t error = (hipError_t)atomic_load_explicit(&lost[ordinal], memory_order_relaxed);
    if (error == hipSuccess) return TRINE_OK;
    return trine_gpu_host->fail(TRINE_DEVICE_LOST,
                                "hip:%d failed earlier with %s (%s); the process must start again "
                                "to use it",
                                ordinal, hipGetErrorName(error), hipGetErrorString(error));
}

trine_status trine_gpu_launch(const trine_launch *launch, const void *kernel,
                              const trine_gpu_grid *grid, void **args)
{
    trine_status status = trine_hip_alive(launch->ordinal);
    if (status != TRINE_OK) return status;
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
                           launch->ordinal, launch->row->name);
}

trine_status trine_gpu_load(const trine_row *row, int32_t ordinal, const void *kernel,
                            uint32_t shared_memory)
{
    (void)shared_memory; // LDS needs no permission
    trine_status status = trine_hip_alive(ordinal);
    if (status != TRINE_OK) return status;
    struct hipFuncAttributes attributes;
    return trine_hip_check(hipFuncGetAttributes(&attributes, kernel), ordinal, row->name);
}
