// SPDX-License-Identifier: Apache-2.0
// Launchers of moe_align_block_size.
#include <initializer_list>

#include "backends/gpu/launch.h"
#include "backends/gpu/moe_align_block_size_generic.h"
#include "backends/gpu/moe_align_block_size_shared.h"

namespace
{

using namespace trine_gpu;

typedef void (*align_kernel)(moe_align_params);

trine_status run(const trine_launch *launch, align_kernel kernel, uint64_t blocks, uint32_t threads,
                 moe_align_params *params)
{
    const trine_gpu_grid grid = {blocks, 1, 1, threads, 0, false};
    void *args[] = {params};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(kernel), &grid, args);
}

// A kernel that waits itself for the work before it.
trine_status run_early(const trine_launch *launch, align_kernel kernel, uint64_t blocks,
                       uint32_t shared_memory, moe_align_params *params)
{
    const trine_gpu_grid grid = {blocks, 1, 1, moe_align_threads, shared_memory, true};
    void *args[] = {params};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(kernel), &grid, args);
}

trine_status load(const trine_row *row, int32_t ordinal,
                  std::initializer_list<align_kernel> kernels)
{
    for (align_kernel kernel : kernels) {
        trine_status status =
            trine_gpu_load(row, ordinal, reinterpret_cast<const void *>(kernel), 0);
        if (status) return status;
    }
    return TRINE_OK;
}

} // namespace

extern "C" trine_status trine_gpu_moe_align_block_size_generic(const trine_launch *launch)
{
    moe_align_params p = moe_align_params_make(launch);
    const uint64_t teams = ((uint64_t)p.experts + 7) / 8, tail = (uint64_t)p.capacity / 1024 + 1;
    trine_status status = run(launch, moe_align_generic_count, p.chunks, moe_align_threads, &p);
    if (!status) status = run(launch, moe_align_generic_total, teams, moe_align_threads, &p);
    if (!status) status = run(launch, moe_align_generic_offsets, 1, moe_align_scan_threads, &p);
    if (!status)
        status = run(launch, moe_align_generic_runs, p.experts > tail ? p.experts : tail,
                     moe_align_threads, &p);
    if (!status) status = run(launch, moe_align_generic_place, p.chunks, moe_align_threads, &p);
    return status;
}

extern "C" trine_status trine_gpu_moe_align_block_size_generic_prepare(const trine_row *row,
                                                                       const trine_caps *,
                                                                       int32_t ordinal)
{
    return load(row, ordinal,
                {moe_align_generic_count, moe_align_generic_total, moe_align_generic_offsets,
                 moe_align_generic_runs, moe_align_generic_place});
}

extern "C" trine_status trine_gpu_moe_align_block_size_small(const trine_launch *launch)
{
    moe_align_params p = moe_align_params_make(launch);
    const align_kernel kernel = p.slots <= moe_align_threads       ? moe_align_small<1>
                                : p.slots <= 4 * moe_align_threads ? moe_align_small<4>
                                                                   : moe_align_small<16>;
    // One block is enough but for the padding: eight entries a thread.
    const uint64_t blocks = (uint64_t)p.capacity / (8 * moe_align_threads) + 1;
    return run_early(launch, kernel, blocks < 64 ? blocks : 64, moe_align_shared_size(p.experts),
                     &p);
}

extern "C" trine_status trine_gpu_moe_align_block_size_small_prepare(const trine_row *row,
                                                                     const trine_caps *,
                                                                     int32_t ordinal)
{
    return load(row, ordinal, {moe_align_small<1>, moe_align_small<4>, moe_align_small<16>});
}

extern "C" trine_status trine_gpu_moe_align_block_size_chunked(const trine_launch *launch)
{
    moe_align_params p = moe_align_params_make(launch);
    const uint64_t blocks = (p.experts + moe_align_teams - 1) / moe_align_teams;
    trine_status status = run_early(launch, moe_align_chunked_count, p.chunks, 4 * p.experts, &p);
    if (!status) status = run_early(launch, moe_align_chunked_scan, blocks, 0, &p);
    if (!status)
        status = run_early(launch, moe_align_chunked_place, p.chunks ? p.chunks : 1,
                           moe_align_shared_size(p.experts), &p);
    return status;
}

extern "C" trine_status trine_gpu_moe_align_block_size_chunked_prepare(const trine_row *row,
                                                                       const trine_caps *,
                                                                       int32_t ordinal)
{
    return load(row, ordinal,
                {moe_align_chunked_count, moe_align_chunked_scan, moe_align_chunked_place});
}
