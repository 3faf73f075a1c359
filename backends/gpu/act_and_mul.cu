// SPDX-License-Identifier: Apache-2.0
// Launchers of act_and_mul.
#include "backends/gpu/act_and_mul_generic.h"
#include "backends/gpu/launch.h"

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
