// SPDX-License-Identifier: Apache-2.0
// Launchers of rotary_embedding.
#include "backends/gpu/launch.h"
#include "backends/gpu/rotary_embedding_generic.h"
#include "backends/gpu/rotary_embedding_kernels.h"
#include "backends/gpu/rotary_embedding_tiled.h"

namespace
{

const void *tiled_kernel(const trine_rotary_embedding_problem *problem, uint32_t heads)
{
    if (problem->x.dtype == TRINE_F32) return trine_gpu_rotary_f32(problem, heads);
    if (problem->x.dtype == TRINE_BF16) return trine_gpu_rotary_bf16(problem, heads);
    return trine_gpu_rotary_f16(problem, heads);
}

// Columns that are only copied, when out is not x.
__global__ void __launch_bounds__(TRINE_ROTARY_THREADS)
    rotary_tiled_rest(const TRINE_GRID_CONSTANT trine_rotary_params p)
{
    const trine_gpu::rotary_place at = trine_gpu::rotary_place_of(p);
    const uint8_t *x = p.x + trine_gpu::rotary_offset(at, p.x_batch, p.x_token, p.x_head, 0);
    uint8_t *out = p.out + trine_gpu::rotary_offset(at, p.out_batch, p.out_token, p.out_head, 0);
    trine_gpu::wait_for_previous();
    trine_gpu::let_next_start();
    if (at.token >= p.tokens || at.head >= p.heads) return;
    for (uint32_t i = at.chunk; i < p.row_chunks; i += p.chunks) {
        uint32_t words[4];
        trine_gpu::load_streamed(words, x + 16 * (uint64_t)i);
        trine_gpu::store_streamed(out + 16 * (uint64_t)i, words);
    }
}

trine_status launch_plan(const trine_launch *launch, const void *kernel, trine_rotary_plan *plan)
{
    const trine_gpu_grid grid = {plan->grid_x, plan->grid_y, plan->grid_z, plan->threads, 0, true};
    void *args[] = {&plan->params};
    return trine_gpu_launch(launch, kernel, &grid, args);
}

} // namespace

extern "C" trine_status trine_gpu_rotary_embedding_tiled(const trine_launch *launch)
{
    const trine_rotary_embedding_problem *problem = &launch->problem->rotary_embedding;
    trine_rotary_plan plan;
    trine_rotary_plan_make(problem, launch->caps, &plan);
    trine_status status = launch_plan(launch, tiled_kernel(problem, plan.heads_per_thread), &plan);
    if (status || trine_rotary_rest(problem) == 0) return status;
    trine_rotary_plan_rest(problem, &plan);
    return launch_plan(launch, reinterpret_cast<const void *>(&rotary_tiled_rest), &plan);
}

extern "C" trine_status
trine_gpu_rotary_embedding_tiled_prepare(const trine_row *row, const trine_caps *, int32_t ordinal)
{
    const trine_dtype dtypes[] = {TRINE_F32, TRINE_F16, TRINE_BF16};
    trine_rotary_embedding_problem problem = {};
    for (trine_dtype x : dtypes)
        for (trine_dtype table : dtypes)
            for (int32_t half = 0; half < 2; half++)
                for (int32_t r = TRINE_ROUNDING_F32_FMA; r <= TRINE_ROUNDING_ALL_LOW; r++)
                    for (uint32_t heads = 1; heads <= 2; heads *= 2) {
                        problem.x.dtype = x, problem.cos.dtype = table;
                        problem.pairing = half ? TRINE_PAIRING_HALF : TRINE_PAIRING_ADJACENT;
                        problem.rounding = static_cast<trine_rotary_rounding>(r);
                        const void *kernel = tiled_kernel(&problem, heads);
                        if (!kernel) continue;
                        trine_status status = trine_gpu_load(row, ordinal, kernel, 0);
                        if (status) return status;
                    }
    return trine_gpu_load(row, ordinal, reinterpret_cast<const void *>(&rotary_tiled_rest), 0);
}

extern "C" trine_status trine_gpu_rotary_embedding_generic(const trine_launch *launch)
{
    trine_rotary_embedding_problem problem = launch->problem->rotary_embedding;
    constexpr int64_t rows = trine_gpu::rotary_generic_threads / trine_gpu::rotary_generic_lanes;
    const int64_t most = 65535;
    const trine_gpu_grid grid = {static_cast<uint64_t>((problem.tokens + rows - 1) / rows),
                                 static_cast<uint32_t>(problem.heads < most ? problem.heads : most),
                                 static_cast<uint32_t>(problem.batch < most ? problem.batch : most),
                                 trine_gpu::rotary_generic_threads,
                                 0,
                                 false};
    void *args[] = {&problem};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&trine_gpu::rotary_generic),
                            &grid, args);
}

extern "C" trine_status trine_gpu_rotary_embedding_generic_prepare(const trine_row *row,
                                                                   const trine_caps *,
                                                                   int32_t ordinal)
{
    return trine_gpu_load(row, ordinal, reinterpret_cast<const void *>(&trine_gpu::rotary_generic),
                          0);
}
