// SPDX-License-Identifier: Apache-2.0
// Launches, and what becomes of CUDA's errors.
//
// CUDA keeps a "last error" for each thread that belongs to whoever caused it. Nothing here reads
// or clears it, but after a call of our own that failed, whose error has taken that place.
#include <stdatomic.h>

#include "backends/cuda/cuda_api.h"

#define MAX_DEVICES 64

// The error that made a device unusable; 0 while it is not.
static _Atomic int lost[MAX_DEVICES];

static bool is_sticky(cudaError_t error)
{
    switch (error) {
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorContextIsDestroyed:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
        return true;
    default:
        return false;
    }
}

static trine_status status_of(cudaError_t error)
{
    if (is_sticky(error)) return TRINE_DEVICE_LOST;
    if (error == cudaErrorMemoryAllocation) return TRINE_OUT_OF_MEMORY;
    if (error == cudaErrorNoKernelImageForDevice || error == cudaErrorInvalidDeviceFunction)
        return TRINE_UNSUPPORTED;
    return TRINE_BACKEND_ERROR;
}

trine_status trine_cuda_check(cudaError_t error, int ordinal, const char *what)
{
    if (error == cudaSuccess) return TRINE_OK;
    (void)cudaGetLastError();
    if (is_sticky(error) && ordinal >= 0 && ordinal < MAX_DEVICES) {
        int none = 0;
        atomic_compare_exchange_strong(&lost[ordinal], &none, (int)error);
    }
    return trine_cuda_host->fail(status_of(error), "%s: %s: %s", what, cudaGetErrorName(error),
                                 cudaGetErrorString(error));
}

trine_status trine_cuda_alive(int ordinal)
{
    if (ordinal < 0 || ordinal >= MAX_DEVICES) return TRINE_OK;
    cudaError_t error = (cudaError_t)atomic_load_explicit(&lost[ordinal], memory_order_relaxed);
    if (error == cudaSuccess) return TRINE_OK;
    return trine_cuda_host->fail(TRINE_DEVICE_LOST,
                                 "cuda:%d failed earlier with %s (%s); the process must start "
                                 "again to use it",
                                 ordinal, cudaGetErrorName(error), cudaGetErrorString(error));
}

trine_status trine_cuda_launch(const trine_launch *launch, const void *kernel,
                               const trine_cuda_grid *grid, void **args)
{
    trine_status status = trine_cuda_alive(launch->ordinal);
    if (status) return status;
    dim3 blocks, threads;
    blocks.x = grid->x, blocks.y = grid->y, blocks.z = grid->z;
    threads.x = grid->threads, threads.y = 1, threads.z = 1;
    cudaError_t error = cudaLaunchKernel(kernel, blocks, threads, args, grid->shared_memory,
                                         (cudaStream_t)launch->stream);
    if (error == cudaSuccess) return TRINE_OK;
    return trine_cuda_check(error, launch->ordinal, launch->row->name);
}

trine_status trine_cuda_load(const trine_row *row, int32_t ordinal, const void *kernel)
{
    struct cudaFuncAttributes attributes;
    return trine_cuda_check(cudaFuncGetAttributes(&attributes, kernel), ordinal, row->name);
}
