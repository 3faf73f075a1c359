// SPDX-License-Identifier: Apache-2.0
// Launches of the yardstick kernels; compiled into both modules.
#include "backends/gpu/yardsticks.h"

static const trine_row yardstick = {.name = "yardstick"};
static const trine_caps plain_caps = {.name = ""};

static trine_status run_copy(int ordinal, void *stream, const void *kernel, void *dst,
                             const void *src, size_t size, uint32_t threads, uint32_t unroll)
{
    uint64_t accesses = size / 16;
    const uint64_t part = (uint64_t)threads * unroll;
    const trine_gpu_grid grid = {(accesses + part - 1) / part, 1, 1, threads, 0, false};
    const trine_launch launch = {
        .row = &yardstick, .caps = &plain_caps, .ordinal = ordinal, .stream = stream};
    void *args[] = {&dst, &src, &accesses};
    return trine_gpu_launch(&launch, kernel, &grid, args);
}

trine_status trine_gpu_run_copy_kernel(int ordinal, void *stream, void *dst, const void *src,
                                       size_t size, uint32_t threads, uint32_t unroll)
{
    const void *kernel = trine_gpu_copy_kernel(unroll);
    if (!kernel || size % 16 || threads < 32 || threads > 1024)
        return trine_gpu_host->fail(TRINE_INVALID_ARGUMENT,
                                    "copy of %zu bytes by %u threads a block, %u accesses each: "
                                    "bytes must be a multiple of 16, threads 32 to 1024, accesses "
                                    "1, 2, 4 or 8",
                                    size, threads, unroll);
    return run_copy(ordinal, stream, kernel, dst, src, size, threads, unroll);
}

trine_status trine_gpu_run_late_copy_kernel(int ordinal, void *stream, void *dst, const void *src,
                                            size_t size)
{
    if (size % 16)
        return trine_gpu_host->fail(TRINE_INVALID_ARGUMENT,
                                    "copy of %zu bytes: they must be a multiple of 16", size);
    return run_copy(ordinal, stream, trine_gpu_late_copy_kernel(), dst, src, size, 256, 1);
}

trine_status trine_gpu_run_empty_kernel(int ordinal, void *stream)
{
    const trine_gpu_grid grid = {1, 1, 1, 32, 0, false};
    const trine_launch launch = {
        .row = &yardstick, .caps = &plain_caps, .ordinal = ordinal, .stream = stream};
    return trine_gpu_launch(&launch, trine_gpu_empty_kernel(), &grid, NULL);
}
