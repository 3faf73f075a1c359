// SPDX-License-Identifier: Apache-2.0
// What the driver says of devices, pointers and streams.
#include <stdio.h>
#include <string.h>

#include "backends/cuda/cuda_api.h"

// No driver, one too old, or no GPU: each leaves the process without CUDA devices and is no error.
int trine_cuda_device_count(void)
{
    int count = 0;
    if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
    (void)cudaGetLastError();
    return 0;
}

trine_status trine_cuda_device_query(int ordinal, trine_module_device *device)
{
    memset(device, 0, sizeof *device);
    int major = 0, minor = 0;
    uint32_t *const limits[] = {
        &device->limits.wave_width,        &device->limits.max_block_threads,
        &device->limits.max_shared_memory, &device->limits.max_grid_x,
        &device->limits.max_grid_yz,       &device->limits.compute_units,
    };
    static const enum cudaDeviceAttr attributes[] = {
        cudaDevAttrWarpSize,
        cudaDevAttrMaxThreadsPerBlock,
        cudaDevAttrMaxSharedMemoryPerBlockOptin,
        cudaDevAttrMaxGridDimX,
        cudaDevAttrMaxGridDimY,
        cudaDevAttrMultiProcessorCount,
    };
    cudaError_t error = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal);
    if (error == cudaSuccess)
        error = cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, ordinal);
    for (size_t i = 0; error == cudaSuccess && i < sizeof limits / sizeof *limits; i++) {
        int value = 0;
        error = cudaDeviceGetAttribute(&value, attributes[i], ordinal);
        *limits[i] = (uint32_t)value;
    }
    struct cudaDeviceProp properties;
    if (error == cudaSuccess) error = cudaGetDeviceProperties(&properties, ordinal);
    if (error != cudaSuccess) return trine_cuda_check(error, -1, "device query");
    snprintf(device->name, sizeof device->name, "sm_%d%d", major, minor);
    snprintf(device->product, sizeof device->product, "%.*s", (int)sizeof device->product - 1,
             properties.name);
    return TRINE_OK;
}

// Both cost a look into thread-local state as long as the device is current already.
int trine_cuda_device_enter(int ordinal)
{
    int previous = -1;
    if (trine_cuda_check(cudaGetDevice(&previous), ordinal, "cudaGetDevice")) return -1;
    if (previous != ordinal && trine_cuda_check(cudaSetDevice(ordinal), ordinal, "cudaSetDevice"))
        return -1;
    return previous;
}

void trine_cuda_device_leave(int previous)
{
    int current = -1;
    if (previous < 0 || cudaGetDevice(&current) != cudaSuccess || current == previous) return;
    (void)trine_cuda_check(cudaSetDevice(previous), previous, "cudaSetDevice");
}

trine_status trine_cuda_pointer_query(const void *pointer, int *kind, int *ordinal)
{
    struct cudaPointerAttributes attributes;
    cudaError_t error = cudaPointerGetAttributes(&attributes, pointer);
    if (error != cudaSuccess) return trine_cuda_check(error, -1, "cudaPointerGetAttributes");
    *kind = attributes.type == cudaMemoryTypeDevice    ? 1
            : attributes.type == cudaMemoryTypeManaged ? 2
                                                       : 0;
    *ordinal = *kind ? attributes.device : -1;
    return TRINE_OK;
}

trine_status trine_cuda_stream_query(void *stream, int *ordinal, bool *capturing)
{
    *ordinal = -1;
    *capturing = false;
    // The default streams belong to whatever device is current and can't be captured.
    if (!stream || stream == cudaStreamLegacy) return TRINE_OK;
    enum cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
    cudaError_t error = cudaStreamIsCapturing((cudaStream_t)stream, &capture);
    if (error != cudaSuccess) return trine_cuda_check(error, -1, "cudaStreamIsCapturing");
    *capturing = capture != cudaStreamCaptureStatusNone;
#if CUDART_VERSION >= 12080
    // Asking for its device would end the capture.
    if (!*capturing && stream != cudaStreamPerThread) {
        error = cudaStreamGetDevice((cudaStream_t)stream, ordinal);
        if (error != cudaSuccess) return trine_cuda_check(error, -1, "cudaStreamGetDevice");
    }
#endif
    return TRINE_OK;
}
