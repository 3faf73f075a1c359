// SPDX-License-Identifier: Apache-2.0
// Launchers of per_token_group_quant.
#include "backends/gpu/group_quant_kernels.h"
#include "backends/gpu/group_quant_params.h"
#include "backends/gpu/launch.h"
#include "backends/gpu/per_token_group_quant_generic.h"

namespace
{

const void *vector_kernel(const trine_per_token_group_quant_problem *problem, bool rounds)
{
    switch (problem->activation) {
    case TRINE_ACTIVATION_NONE:
        return trine_gpu_group_quant_plain(problem, rounds);
    case TRINE_ACTIVATION_SILU:
        return trine_gpu_group_quant_silu(problem, rounds);
    case TRINE_ACTIVATION_GELU_ERF:
        return trine_gpu_group_quant_gelu_erf(problem, rounds);
    default:
        return trine_gpu_group_quant_gelu_tanh(problem, rounds);
    }
}

} // namespace

extern "C" trine_status trine_gpu_per_token_group_quant_vector(const trine_launch *launch)
{
    const trine_per_token_group_quant_problem *problem = &launch->problem->per_token_group_quant;
    trine_gpu::group_quant_plan plan;
    const uint32_t block_shift = trine_gpu::group_quant_block_shift(problem, launch->caps);
    trine_gpu::group_quant_plan_make(problem, launch->caps, block_shift, &plan);
    const void *kernel = vector_kernel(problem, plan.rounds);
    if (!kernel)
        return trine_gpu_host->fail(TRINE_UNSUPPORTED, "%s: no kernel for this problem",
                                    launch->row->name);
    const trine_gpu_grid grid = {plan.grid_x, plan.grid_y, plan.grid_z, plan.threads, 0, true};
    void *args[] = {&plan.params};
    return trine_gpu_launch(launch, kernel, &grid, args);
}

extern "C" trine_status trine_gpu_per_token_group_quant_generic(const trine_launch *launch)
{
    trine_per_token_group_quant_problem problem = launch->problem->per_token_group_quant;
    trine_gpu::group_quant_generic_plan plan;
    trine_gpu::group_quant_generic_plan_make(&problem, &plan);
    const trine_gpu_grid grid = {
        plan.grid_x, plan.grid_y, plan.grid_z, trine_gpu::group_quant_generic_threads, 0, false};
    void *args[] = {&problem, &plan.visit};
    return trine_gpu_launch(launch, plan.kernel, &grid, args);
}

extern "C" trine_status trine_gpu_per_token_group_quant_vector_prepare(const trine_row *row,
                                                                       const trine_caps *,
                                                                       int32_t ordinal)
{
    const trine_dtype inputs[] = {TRINE_F32, TRINE_F16, TRINE_BF16};
    const trine_dtype codes[] = {TRINE_E4M3FN, TRINE_E4M3FNUZ, TRINE_I8};
    trine_per_token_group_quant_problem problem = {};
    for (trine_dtype x : inputs)
        for (trine_dtype q : codes)
            for (int64_t size = 16; size <= 512; size *= 2)
                for (int32_t a = TRINE_ACTIVATION_NONE; a <= TRINE_ACTIVATION_GELU_TANH; a++) {
                    problem.x.dtype = x, problem.q.dtype = q, problem.group_size = size;
                    problem.activation = static_cast<trine_activation>(a);
                    for (bool rounds : {false, true}) {
                        const void *kernel = vector_kernel(&problem, rounds);
                        if (!kernel) continue;
                        trine_status status = trine_gpu_load(row, ordinal, kernel, 0);
                        if (status) return status;
                    }
                }
    return TRINE_OK;
}

extern "C" trine_status trine_gpu_per_token_group_quant_generic_prepare(const trine_row *row,
                                                                        const trine_caps *,
                                                                        int32_t ordinal)
{
    trine_per_token_group_quant_problem problem = {};
    for (int64_t size : {int64_t(128), int64_t(4096)}) {
        problem.group_size = size;
        trine_gpu::group_quant_generic_plan plan;
        trine_gpu::group_quant_generic_plan_make(&problem, &plan);
        trine_status status = trine_gpu_load(row, ordinal, plan.kernel, 0);
        if (status) return status;
    }
    return TRINE_OK;
}
