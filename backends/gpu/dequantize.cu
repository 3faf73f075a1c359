// SPDX-License-Identifier: Apache-2.0
// Launchers of dequantize.
#include "backends/gpu/dequantize_generic.h"
#include "backends/gpu/launch.h"

extern "C" trine_status trine_gpu_dequantize_generic(const trine_launch *launch)
{
    trine_dequantize_problem problem = launch->problem->dequantize;
    trine_gpu::row_tiles tiles;
    const trine_gpu_grid grid = trine_gpu::row_tiles_make(
        &tiles, problem.rows, problem.columns, trine_gpu::dequantize_generic_block_shift);
    void *args[] = {&problem, &tiles};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&trine_gpu::dequantize_generic),
                            &grid, args);
}

extern "C" trine_status trine_gpu_dequantize_generic_prepare(const trine_row *row,
                                                             const trine_caps *, int32_t ordinal)
{
    return trine_gpu_load(row, ordinal,
                          reinterpret_cast<const void *>(&trine_gpu::dequantize_generic), 0);
}
