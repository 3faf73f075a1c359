// SPDX-License-Identifier: Apache-2.0
// What the HIP runtime says of devices, pointers and streams.
#include "backends/hip/hip_api.h"

#include <stdio.h>
#include <string.h>

// ROCm 6 renamed a field, and gave streams a query of their device that reports errors.
#if HIP_VERSION_MAJOR >= 6
#define MEMORY_TYPE(attributes) ((attributes).type)
#else
#define MEMORY_TYPE(attributes) ((attributes).memoryType)
#endif

int trine_hip_device_count(void)
{
    int count = 0;
    if (hipGetDeviceCount(&count) != hipSuccess) {
        (void)hipGetLastError();
        return 0;
    }
    return count;
}

trine_status trine_hip_device_query(int ordinal, trine_module_device *device)
{
    hipDeviceProp_t properties;
    memset(device, 0, sizeof *device);
    trine_status status =
        trine_hip_check(hipGetDeviceProperties(&properties, ordinal), -1, "device properties");
    if (status != TRINE_OK) return status;

    // "gfx90a:sramecc+:xnack-": what follows the colon are settings, not the architecture.
    snprintf(device->name, sizeof device->name, "%.*s", (int)strcspn(properties.gcnArchName, ":"),
             properties.gcnArchName);
    snprintf(device->product, sizeof device->product, "%.*s", (int)sizeof device->product - 1,
             properties.name);
    trine_limits *limits = &device->limits;
    limits->wave_width = (uint32_t)properties.warpSize;
    limits->max_block_threads = (uint32_t)properties.maxThreadsPerBlock;
    limits->max_shared_memory = (uint32_t)properties.sharedMemPerBlock;
    limits->max_grid_x = (uint32_t)properties.maxGridSize[0];
    int yz = properties.maxGridSize[1];
    if (properties.maxGridSize[2] < yz) yz = properties.maxGridSize[2];
    // CUDA's limit holds for both, so that a launch that is legal on one is legal on the other.
    limits->max_grid_yz = yz < 65535 ? (uint32_t)yz : 65535;
    limits->max_grid_work_items = TRINE_HIP_GRID_WORK_ITEMS;
    limits->compute_units = (uint32_t)properties.multiProcessorCount;
    return TRINE_OK;
}

int trine_hip_device_enter(int ordinal)
{
    int previous = -1;
    if (hipGetDevice(&previous) == hipSuccess &&
        (previous == ordinal || hipSetDevice(ordinal) == hipSuccess))
        return previous;
    (void)hipGetLastError();
    return -1;
}

void trine_hip_device_leave(int previous)
{
    int now = -1;
    if (previous < 0 || (hipGetDevice(&now) == hipSuccess && now == previous)) return;
    (void)hipSetDevice(previous);
}

trine_status trine_hip_pointer_query(const void *pointer, int *kind, int *ordinal)
{
    hipPointerAttribute_t attributes;
    memset(&attributes, 0, sizeof attributes);
    *kind = 0;
    *ordinal = -1;
    hipError_t error = hipPointerGetAttributes(&attributes, pointer);
    if (error == hipErrorInvalidValue) { // memory that HIP does not know: the host's own
        (void)hipGetLastError();
        return TRINE_OK;
    }
    if (error != hipSuccess) return trine_hip_check(error, -1, "pointer attributes");
    if (attributes.isManaged)
        *kind = 2;
    else if (MEMORY_TYPE(attributes) == hipMemoryTypeDevice)
        *kind = 1;
    if (*kind != 0) *ordinal = attributes.device;
    return TRINE_OK;
}

trine_status trine_hip_stream_query(void *stream, int *ordinal, bool *capturing)
{
    *ordinal = -1;
    *capturing = false;
    // The default stream belongs to whatever device is current, and can't be captured.
    if (!stream) return TRINE_OK;
    hipStreamCaptureStatus capture = hipStreamCaptureStatusNone;
    trine_status status = trine_hip_check(hipStreamIsCapturing((hipStream_t)stream, &capture), -1,
                                          "stream capture state");
    if (status != TRINE_OK) return status;
    *capturing = capture != hipStreamCaptureStatusNone;
#if HIP_VERSION_MAJOR >= 6
    return trine_hip_check(hipStreamGetDevice((hipStream_t)stream, ordinal), -1, "stream device");
#else
    *ordinal = hipGetStreamDeviceId((hipStream_t)stream);
    return TRINE_OK;
#endif
}
