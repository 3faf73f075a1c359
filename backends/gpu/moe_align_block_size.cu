// SPDX-License-Identifier: Apache-2.0
// Launchers of moe_align_block_size.
#include "backends/gpu/launch.h"
#include "backends/gpu/moe_align_block_size_generic.h"

namespace
{

using namespace trine_gpu;

trine_status run(const trine_launch *launch, void (*kernel)(moe_align_params), uint64_t blocks,
                 uint32_t threads, moe_align_params *params)
{
    const trine_gpu_grid grid = {blocks, 1, 1, threads, 0, false};
    void *args[] = {params};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(kernel), &grid, args);
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
    void (*const kernels[])(moe_align_params) = {moe_align_generic_count, moe_align_generic_total,
                                                 moe_align_generic_offsets, moe_align_generic_runs,
                                                 moe_align_generic_place};
    for (auto kernel : kernels) {
        trine_status status =
            trine_gpu_load(row, ordinal, reinterpret_cast<const void *>(kernel), 0);
        if (status) return status;
    }
    return TRINE_OK;
}
