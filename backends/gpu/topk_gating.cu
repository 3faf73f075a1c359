// SPDX-License-Identifier: Apache-2.0
// Launchers of topk_gating.
#include "backends/gpu/launch.h"
#include "backends/gpu/topk_gating_generic.h"

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
