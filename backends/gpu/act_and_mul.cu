// SPDX-License-Identifier: Apache-2.0
// Launchers of act_and_mul.
#include "backends/gpu/act_and_mul_generic.h"
#include "backends/gpu/act_and_mul_kernels.h"
#include "backends/gpu/act_and_mul_params.h"
#include "backends/gpu/launch.h"

namespace
{

const void *vector_kernel(const trine_act_and_mul_problem *problem)
{
    switch (problem->activation) {
    case TRINE_ACTIVATION_SILU:
        return trine_gpu_act_and_mul_silu(problem);
    case TRINE_ACTIVATION_GELU_ERF:
        return trine_gpu_act_and_mul_gelu_erf(problem);
    case TRINE_ACTIVATION_GELU_TANH:
        return trine_gpu_act_and_mul_gelu_tanh(problem);
    case TRINE_ACTIVATION_RELU2:
        return trine_gpu_act_and_mul_relu2(problem);
    default:
        return trine_gpu_act_and_mul_swiglu_oai(problem);
    }
}

} // namespace

extern "C" trine_status trine_gpu_act_and_mul_vector(const trine_launch *launch)
{
    const trine_act_and_mul_problem *problem = &launch->problem->act_and_mul;
    trine_gpu::act_and_mul_params params;
    const trine_gpu_grid grid = trine_gpu::act_and_mul_plan(problem, &params);
    void *args[] = {&params};
    return trine_gpu_launch(launch, vector_kernel(problem), &grid, args);
}

extern "C" trine_status trine_gpu_act_and_mul_vector_prepare(const trine_row *row,
                                                             const trine_caps *, int32_t ordinal)
{
    trine_act_and_mul_problem problem = {};
    for (trine_dtype x : {TRINE_F32, TRINE_F16, TRINE_BF16})
        for (int32_t a = TRINE_ACTIVATION_SILU; a <= TRINE_ACTIVATION_SWIGLU_OAI; a++)
            for (bool gated : {false, true})
                for (trine_gate_layout layout : {TRINE_GATE_HALVES, TRINE_GATE_INTERLEAVED}) {
                    problem.x.dtype = x, problem.activation = static_cast<trine_activation>(a);
                    problem.gated = gated, problem.gate_layout = layout;
                    trine_status status = trine_gpu_load(row, ordinal, vector_kernel(&problem), 0);
                    if (status) return status;
                }
    return TRINE_OK;
}

extern "C" trine_status trine_gpu_act_and_mul_generic(const trine_launch *launch)
{
    trine_act_and_mul_problem problem = launch->problem->act_and_mul;
    trine_gpu::activation_rule rule = trine_gpu::activation_rule_of(problem);
    trine_gpu::row_tiles tiles;
    const trine_gpu_grid grid = trine_gpu::row_tiles_make(
        &tiles, problem.rows, problem.columns, trine_gpu::act_and_mul_generic_block_shift);
    void *args[] = {&problem, &rule, &tiles};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&trine_gpu::act_and_mul_generic),
                            &grid, args);
}

extern "C" trine_status trine_gpu_act_and_mul_generic_prepare(const trine_row *row,
                                                              const trine_caps *, int32_t ordinal)
{
    return trine_gpu_load(row, ordinal,
                          reinterpret_cast<const void *>(&trine_gpu::act_and_mul_generic), 0);
}
