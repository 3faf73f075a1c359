// SPDX-License-Identifier: Apache-2.0
// Launchers of moe_sum.
#include "backends/gpu/launch.h"
#include "backends/gpu/moe_sum_generic.h"

extern "C" trine_status trine_gpu_moe_sum_generic(const trine_launch *launch)
{
    trine_moe_sum_problem problem = launch->problem->moe_sum;
    trine_gpu::row_tiles tiles;
    const trine_gpu_grid grid = trine_gpu::row_tiles_make(&tiles, problem.tokens, problem.columns,
                                                          trine_gpu::moe_sum_generic_block_shift);
    void *args[] = {&problem, &tiles};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&trine_gpu::moe_sum_generic),
                            &grid, args);
}

extern "C" trine_status trine_gpu_moe_sum_generic_prepare(const trine_row *row, const trine_caps *,
                                                          int32_t ordinal)
{
    return trine_gpu_load(row, ordinal, reinterpret_cast<const void *>(&trine_gpu::moe_sum_generic),
                          0);
}
