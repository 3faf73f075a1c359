// SPDX-License-Identifier: Apache-2.0
// The launcher of per_token_group_quant's row `table`.
#include "backends/gpu/group_quant_table.h"
#include "backends/gpu/launch.h"

extern "C" trine_status trine_gpu_per_token_group_quant_table(const trine_launch *launch)
{
    const trine_per_token_group_quant_problem *problem = &launch->problem->per_token_group_quant;
    const void *kernel = trine_gpu::group_quant_table_of(problem->q.dtype, problem->group_size);
    if (!kernel)
        return trine_gpu_host->fail(TRINE_UNSUPPORTED, "%s: no kernel for this problem",
                                    launch->row->name);
    trine_gpu::group_quant_table_plan plan;
    trine_gpu::group_quant_table_plan_make(problem, launch->caps, &plan);
    const trine_gpu_grid grid = {plan.blocks, 1, 1, trine_gpu::group_quant_table_threads, 0, true};
    void *args[] = {&plan.params};
    return trine_gpu_launch(launch, kernel, &grid, args);
}

extern "C" trine_status trine_gpu_per_token_group_quant_table_prepare(const trine_row *row,
                                                                      const trine_caps *,
                                                                      int32_t ordinal)
{
    for (trine_dtype q : {TRINE_E4M3FN, TRINE_E4M3FNUZ, TRINE_I8})
        for (int64_t size = 16; size <= 512; size *= 2) {
            const void *kernel = trine_gpu::group_quant_table_of(q, size);
            if (!kernel) continue;
            trine_status status = trine_gpu_load(row, ordinal, kernel, 0);
            if (status) return status;
        }
    return TRINE_OK;
}
