// SPDX-License-Identifier: Apache-2.0
// Device memory for tools and tests; ops never call this.
#include "backends/cuda/cuda_api.h"

trine_status trine_cuda_alloc(int ordinal, size_t size, void **data)
{
    *data = NULL;
    trine_status status = trine_cuda_alive(ordinal);
    if (status) return status;
    int previous = trine_cuda_device_enter(ordinal);
    if (previous < 0) return TRINE_BACKEND_ERROR;
    status = trine_cuda_check(cudaMalloc(data, size ? size : 1), ordinal, "cudaMalloc");
    trine_cuda_device_leave(previous);
    return status;
}

void trine_cuda_release(int ordinal, void *data)
{
    if (!data) return;
    int previous = trine_cuda_device_enter(ordinal);
    if (previous < 0) return;
    (void)trine_cuda_check(cudaFree(data), ordinal, "cudaFree");
    trine_cuda_device_leave(previous);
}

trine_status trine_cuda_copy(int ordinal, void *dst, const void *src, size_t size, bool to_device)
{
    trine_status status = trine_cuda_alive(ordinal);
    if (status || !size) return status;
    int previous = trine_cuda_device_enter(ordinal);
    if (previous < 0) return TRINE_BACKEND_ERROR;
    cudaError_t error =
        cudaMemcpy(dst, src, size, to_device ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost);
    // A copy to the device may return before its data has arrived.
    if (error == cudaSuccess && to_device) error = cudaStreamSynchronize(cudaStreamLegacy);
    status = trine_cuda_check(error, ordinal, "cudaMemcpy");
    trine_cuda_device_leave(previous);
    return status;
}

trine_status trine_cuda_synchronize(int ordinal)
{
    trine_status status = trine_cuda_alive(ordinal);
    if (status) return status;
    int previous = trine_cuda_device_enter(ordinal);
    if (previous < 0) return TRINE_BACKEND_ERROR;
    status = trine_cuda_check(cudaDeviceSynchronize(), ordinal, "cudaDeviceSynchronize");
    trine_cuda_device_leave(previous);
    return status;
}
