// SPDX-License-Identifier: Apache-2.0
// Launchers of topk_gating.
#include "backends/gpu/launch.h"
#include "backends/gpu/topk_gating_generic.h"
#include "backends/gpu/topk_gating_plan.h"
#include "backends/gpu/topk_gating_wave.h"

namespace
{

using namespace trine_gpu;

template <class Format>
const void *wave_kernel_of(const trine_topk_gating_plan &plan)
{
    void (*kernel)(topk_wave_params) = nullptr;
    switch (plan.lanes << 8 | plan.width) {
    case 8 << 8 | 1:
        kernel = topk_gating_wave<Format, 8, 1>;
        break;
    case 8 << 8 | 2:
        kernel = topk_gating_wave<Format, 8, 2>;
        break;
    case 8 << 8 | 4:
        kernel = topk_gating_wave<Format, 8, 4>;
        break;
    case 8 << 8 | 8:
        kernel = topk_gating_wave<Format, 8, 8>;
        break;
    case 16 << 8 | 8:
        kernel = topk_gating_wave<Format, 16, 8>;
        break;
    case 32 << 8 | 8:
        kernel = topk_gating_wave<Format, 32, 8>;
        break;
    case 32 << 8 | 16:
        kernel = topk_gating_wave<Format, 32, 16>;
        break;
    }
    return reinterpret_cast<const void *>(kernel);
}

const void *wave_kernel(trine_dtype logits, const trine_topk_gating_plan &plan)
{
    if (logits == TRINE_F32) return wave_kernel_of<f32>(plan);
    return logits == TRINE_BF16 ? wave_kernel_of<bf16>(plan) : wave_kernel_of<f16>(plan);
}

topk_wave_params wave_params(const trine_topk_gating_problem &p, const trine_topk_gating_plan &plan)
{
    const int64_t element = p.logits.dtype == TRINE_F32 ? 4 : 2;
    topk_wave_params a = {};
    a.logits = static_cast<const uint8_t *>(p.logits.data);
    a.bias = static_cast<const float *>(p.correction_bias.data);
    a.weights = static_cast<float *>(p.topk_weights.data);
    a.ids = static_cast<int32_t *>(p.topk_ids.data);
    a.tokens = p.tokens;
    a.logits_row = p.logits.stride[0] * element;
    a.bias_stride = a.bias ? p.correction_bias.stride[0] : 0;
    a.weights_row = p.topk_weights.stride[0], a.weights_column = p.topk_weights.stride[1];
    a.ids_row = p.topk_ids.stride[0], a.ids_column = p.topk_ids.stride[1];
    a.k = (uint32_t)p.k, a.groups = (uint32_t)p.num_groups;
    a.group_size = (uint32_t)(p.experts / p.num_groups);
    a.group_shift = plan.group_shift, a.topk_groups = (uint32_t)p.topk_groups;
    a.scaling_factor = p.scaling_factor, a.softcap = p.softcap;
    a.sigmoid = p.score == TRINE_SCORE_SIGMOID;
    a.top2_sum = p.group_score == TRINE_GROUP_TOP2_SUM;
    a.by_score = a.bias || a.top2_sum;
    a.renormalize = p.renormalize;
    a.vector = a.group_size % plan.width == 0 && (uintptr_t)a.logits % 16 == 0 &&
               (a.tokens == 1 || a.logits_row % 16 == 0);
    return a;
}

} // namespace

extern "C" trine_status trine_gpu_topk_gating_wave(const trine_launch *launch)
{
    const trine_topk_gating_problem &problem = launch->problem->topk_gating;
    trine_topk_gating_plan plan;
    if (!trine_topk_gating_plan_make(&problem, &plan))
        return trine_gpu_host->fail(TRINE_UNSUPPORTED, "%s: no kernel for this problem",
                                    launch->row->name);
    topk_wave_params params = wave_params(problem, plan);
    const uint64_t teams = topk_wave_threads / plan.lanes;
    const trine_gpu_grid grid = {
        ((uint64_t)problem.tokens + teams - 1) / teams, 1, 1, topk_wave_threads, 0, true};
    void *args[] = {&params};
    return trine_gpu_launch(launch, wave_kernel(problem.logits.dtype, plan), &grid, args);
}

extern "C" trine_status trine_gpu_topk_gating_wave_prepare(const trine_row *row, const trine_caps *,
                                                           int32_t ordinal)
{
    for (trine_dtype logits : {TRINE_F32, TRINE_F16, TRINE_BF16})
        for (int i = 0; i < TRINE_TOPK_GATING_PLANS; i++) {
            const void *kernel = wave_kernel(logits, trine_topk_gating_plan_at(i));
            trine_status status = trine_gpu_load(row, ordinal, kernel, 0);
            if (status) return status;
        }
    return TRINE_OK;
}

extern "C" trine_status trine_gpu_topk_gating_generic(const trine_launch *launch)
{
    trine_topk_gating_problem problem = launch->problem->topk_gating;
    const trine_gpu_grid grid = {(uint64_t)problem.tokens,        1, 1,
                                 trine_gpu::topk_generic_threads, 0, false};
    void *args[] = {&problem};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&trine_gpu::topk_gating_generic),
                            &grid, args);
}

extern "C" trine_status trine_gpu_topk_gating_generic_prepare(const trine_row *row,
                                                              const trine_caps *, int32_t ordinal)
{
    return trine_gpu_load(row, ordinal,
                          reinterpret_cast<const void *>(&trine_gpu::topk_gating_generic), 0);
}
