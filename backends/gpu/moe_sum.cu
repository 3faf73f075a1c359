// SPDX-License-Identifier: Apache-2.0
// Launchers of moe_sum.
#include "backends/gpu/launch.h"
#include "backends/gpu/moe_sum.h"
#include "backends/gpu/moe_sum_generic.h"

namespace
{

const void *vector_kernel(trine_dtype y, int64_t k)
{
    if (y == TRINE_BF16) return trine_gpu::moe_sum_vector_of<trine_gpu::bf16>(k);
    if (y == TRINE_F16) return trine_gpu::moe_sum_vector_of<trine_gpu::f16>(k);
    return trine_gpu::moe_sum_vector_of<trine_gpu::f32>(k);
}

} // namespace

extern "C" trine_status trine_gpu_moe_sum_vector(const trine_launch *launch)
{
    const trine_moe_sum_problem *problem = &launch->problem->moe_sum;
    trine_gpu::moe_sum_params params;
    const trine_gpu_grid grid = trine_gpu::moe_sum_plan(problem, &params);
    void *args[] = {&params};
    return trine_gpu_launch(launch, vector_kernel(problem->y.dtype, problem->k), &grid, args);
}

extern "C" trine_status trine_gpu_moe_sum_vector_prepare(const trine_row *row, const trine_caps *,
                                                         int32_t ordinal)
{
    for (trine_dtype y : {TRINE_F32, TRINE_F16, TRINE_BF16})
        for (int64_t k = 0; k <= 8; k++) {
            trine_status status = trine_gpu_load(row, ordinal, vector_kernel(y, k), 0);
            if (status) return status;
        }
    return TRINE_OK;
}

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
