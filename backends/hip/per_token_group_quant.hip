// SPDX-License-Identifier: Apache-2.0
// Launchers of per_token_group_quant on HIP: the kernels stand in backends/gpu.
#include "backends/gpu/group_quant_params.h"
#include "backends/gpu/per_token_group_quant_generic.h"
#include "backends/hip/group_quant.h"
#include "backends/hip/hip_api.h"

using namespace trine_gpu;

static const void *vector_kernel(const trine_per_token_group_quant_problem *problem)
{
    switch (problem->activation) {
    case TRINE_ACTIVATION_NONE:
        return trine_hip_group_quant_plain(problem);
    case TRINE_ACTIVATION_SILU:
        return trine_hip_group_quant_silu(problem);
    case TRINE_ACTIVATION_GELU_ERF:
        return trine_hip_group_quant_gelu_erf(problem);
    case TRINE_ACTIVATION_GELU_TANH:
        return trine_hip_group_quant_gelu_tanh(problem);
    default:
        return nullptr;
    }
}

extern "C" trine_status trine_hip_per_token_group_quant_vector(const trine_launch *launch)
{
    const trine_per_token_group_quant_problem *problem = &launch->problem->per_token_group_quant;
    const void *kernel = vector_kernel(problem);
    if (!kernel) {
        return trine_hip_host->fail(TRINE_UNSUPPORTED, "%s: no kernel for this problem",
                                    launch->row->name);
    }
    group_quant_plan plan;
    group_quant_plan_make(problem, &plan);
    void *args[] = {&plan.params};
    return trine_hip_launch(launch, kernel, plan.grid_x, plan.grid_y, plan.grid_z, plan.threads, 0,
                            args);
}

// Loading one kernel loads all the code of its file.
extern "C" trine_status trine_hip_per_token_group_quant_vector_prepare(const trine_row *row,
                                                                       const trine_caps *, int32_t)
{
    trine_per_token_group_quant_problem problem = {};
    problem.x.dtype = TRINE_BF16;
    problem.q.dtype = TRINE_I8;
    problem.group_size = 128;
    const trine_activation activations[] = {TRINE_ACTIVATION_NONE, TRINE_ACTIVATION_SILU,
                                            TRINE_ACTIVATION_GELU_ERF, TRINE_ACTIVATION_GELU_TANH};
    for (trine_activation activation : activations) {
        problem.activation = activation;
        trine_status status = trine_hip_load(row, vector_kernel(&problem));
        if (status != TRINE_OK) return status;
    }
    return TRINE_OK;
}

extern "C" trine_status trine_hip_per_token_group_quant_generic(const trine_launch *launch)
{
    group_quant_generic_plan plan;
    group_quant_problem problem = launch->problem->per_token_group_quant;
    group_quant_generic_plan_make(&problem, &plan);
    void *args[] = {&problem, &plan.visit};
    return trine_hip_launch(launch, plan.kernel, plan.grid_x, plan.grid_y, plan.grid_z,
                            group_quant_generic_threads, 0, args);
}

extern "C" trine_status trine_hip_per_token_group_quant_generic_prepare(const trine_row *row,
                                                                        const trine_caps *, int32_t)
{
    return trine_hip_load(row, reinterpret_cast<const void *>(&group_quant_generic<32>));
}
