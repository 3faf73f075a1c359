// SPDX-License-Identifier: Apache-2.0
// Launches, and what becomes of CUDA's errors.
//
// CUDA keeps a "last error" for each thread that belongs to whoever caused it. Nothing here reads
// or clears it, but after a call of our own that failed, whose error has taken that place.
#include <stdatomic.h>

#include "backends/cuda/cuda_api.h"

#define MAX_DEVICES           64
#define MAX_GRID_X            INT64_C(0x7fffffff)
#define MAX_GRID_YZ           65535
#define DEFAULT_SHARED_MEMORY (48 * 1024) // what a kernel may use without being told

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
    return trine_gpu_host->fail(status_of(error), "%s: %s: %s", what, cudaGetErrorName(error),
                                cudaGetErrorString(error));
}

trine_status trine_cuda_alive(int ordinal)
{
    if (ordinal < 0 || ordinal >= MAX_DEVICES) return TRINE_OK;
    cudaError_t error = (cudaError_t)atomic_load_explicit(&lost[ordinal], memory_order_relaxed);
    if (error == cudaSuccess) return TRINE_OK;
    return trine_gpu_host->fail(TRINE_DEVICE_LOST,
                                "cuda:%d failed earlier with %s (%s); the process must start "
                                "again to use it",
                                ordinal, cudaGetErrorName(error), cudaGetErrorString(error));
}

trine_status trine_gpu_launch(const trine_launch *launch, const void *kernel,
                              const trine_gpu_grid *grid, void **args)
{
    trine_status status = trine_cuda_alive(launch->ordinal);
    if (status) return status;
    if (grid->x == 0 || grid->y == 0 || grid->z == 0) return TRINE_OK;
    if (grid->y > MAX_GRID_YZ || grid->z > MAX_GRID_YZ)
        return trine_gpu_host->fail(TRINE_UNSUPPORTED,
                                    "%s: a grid of %u by %u blocks along y and z; at most 65535",
                                    launch->row->name, grid->y, grid->z);
    cudaLaunchConfig_t config = {0};
    config.gridDim.x = (unsigned)(grid->x < MAX_GRID_X ? grid->x : MAX_GRID_X);
    config.gridDim.y = grid->y, config.gridDim.z = grid->z;
    config.blockDim.x = grid->threads, config.blockDim.y = 1, config.blockDim.z = 1;
    config.dynamicSmemBytes = grid->shared_memory;
    config.stream = (cudaStream_t)launch->stream;
    cudaLaunchAttribute early = {.id = cudaLaunchAttributeProgrammaticStreamSerialization};
    early.val.programmaticStreamSerializationAllowed = 1;
    if (grid->early && launch->caps->usable[TRINE_FEATURE_DEPENDENT_LAUNCH] == TRINE_NATIVE)
        config.attrs = &early, config.numAttrs = 1;
    // Callers need not have prepared the row; allowing it again costs little.
    cudaError_t error = cudaSuccess;
    if (grid->shared_memory > DEFAULT_SHARED_MEMORY)
        error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     (int)grid->shared_memory);
    if (error == cudaSuccess) error = cudaLaunchKernelExC(&config, kernel, args);
    if (error == cudaSuccess) return TRINE_OK;
    return trine_cuda_check(error, launch->ordinal, launch->row->name);
}

trine_status trine_gpu_load(const trine_row *row, int32_t ordinal, const void *kernel,
                            uint32_t shared_memory)
{
    trine_status status = trine_cuda_alive(ordinal);
    if (status) return status;
    struct cudaFuncAttributes attributes;
    cudaError_t error = cudaFuncGetAttributes(&attributes, kernel);
    if (error == cudaSuccess && shared_memory > DEFAULT_SHARED_MEMORY)
        error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     (int)shared_memory);
    return trine_cuda_check(error, ordinal, row->name);
}
