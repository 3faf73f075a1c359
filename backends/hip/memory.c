// SPDX-License-Identifier: Apache-2.0
// Device memory for tools and tests; ops never come here. Each call makes its device current and
// restores the caller's.
#include "backends/hip/hip_api.h"

static trine_status enter(int ordinal, int *previous)
{
    trine_status status = trine_hip_alive(ordinal);
    if (status != TRINE_OK) return status;
    *previous = trine_hip_device_enter(ordinal);
    if (*previous >= 0) return TRINE_OK;
    return trine_gpu_host->fail(TRINE_INVALID_DEVICE, "hip:%d: the device can't be made current",
                                ordinal);
}

trine_status trine_hip_alloc(int ordinal, size_t size, void **data)
{
    int previous;
    *data = NULL;
    trine_status status = enter(ordinal, &previous);
    if (status != TRINE_OK) return status;
    // HIP gives no address for 0 bytes; a tensor without elements may still need one.
    status = trine_hip_check(hipMalloc(data, size ? size : 1), ordinal, "device memory");
    trine_hip_device_leave(previous);
    return status;
}

void trine_hip_release(int ordinal, void *data)
{
    if (!data) return;
    int previous = trine_hip_device_enter(ordinal);
    if (previous < 0) return;
    (void)trine_hip_check(hipFree(data), ordinal, "release");
    trine_hip_device_leave(previous);
}

trine_status trine_hip_copy(int ordinal, void *dst, const void *src, size_t size, bool to_device)
{
    int previous;
    trine_status status = enter(ordinal, &previous);
    if (status != TRINE_OK) return status;
    // A kernel may still run on a stream that does not wait for the default one.
    status = trine_hip_check(hipDeviceSynchronize(), ordinal, "copy");
    if (status == TRINE_OK && size) {
        hipMemcpyKind kind = to_device ? hipMemcpyHostToDevice : hipMemcpyDeviceToHost;
        status = trine_hip_check(hipMemcpy(dst, src, size, kind), ordinal, "copy");
    }
    // Small copies to the device may return before they are done.
    if (status == TRINE_OK) status = trine_hip_check(hipDeviceSynchronize(), ordinal, "copy");
    trine_hip_device_leave(previous);
    return status;
}

trine_status trine_hip_synchronize(int ordinal)
{
    int previous;
    trine_status status = enter(ordinal, &previous);
    if (status != TRINE_OK) return status;
    status = trine_hip_check(hipDeviceSynchronize(), ordinal, "synchronize");
    trine_hip_device_leave(previous);
    return status;
}
