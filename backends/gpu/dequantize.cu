// SPDX-License-Identifier: Apache-2.0
// Launchers of dequantize.
#include "backends/gpu/dequantize.h"
#include "backends/gpu/dequantize_generic.h"
#include "backends/gpu/launch.h"

extern "C" trine_status trine_gpu_dequantize_vector(const trine_launch *launch)
{
    const trine_dequantize_problem *problem = &launch->problem->dequantize;
    trine_gpu::dequantize_params params;
    const trine_gpu_grid grid = trine_gpu::dequantize_plan(problem, &params);
    void *args[] = {&params};
    return trine_gpu_launch(
        launch, trine_gpu::dequantize_vector_of(problem->q.dtype, problem->out.dtype), &grid, args);
}

extern "C" trine_status trine_gpu_dequantize_vector_prepare(const trine_row *row,
                                                            const trine_caps *, int32_t ordinal)
{
    for (trine_dtype q : {TRINE_E4M3FN, TRINE_E4M3FNUZ, TRINE_E5M2, TRINE_I8})
        for (trine_dtype out : {TRINE_F32, TRINE_F16, TRINE_BF16}) {
            trine_status status =
                trine_gpu_load(row, ordinal, trine_gpu::dequantize_vector_of(q, out), 0);
            if (status) return status;
        }
    return TRINE_OK;
}

extern "C" trine_status trine_gpu_dequantize_generic(const trine_launch *launch)
{
    trine_dequantize_problem problem = launch->problem->dequantize;
    trine_gpu::row_tiles tiles;
    const trine_gpu_grid grid = trine_gpu::row_tiles_make(
        &tiles, problem.rows, problem.columns, trine_gpu::dequantize_generic_block_shift);
    trine_gpu::wide_divider block_rows = trine_gpu::wide_divider_of(problem.block_rows);
    trine_gpu::wide_divider group_size = trine_gpu::wide_divider_of(problem.group_size);
    void *args[] = {&problem, &block_rows, &group_size, &tiles};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&trine_gpu::dequantize_generic),
                            &grid, args);
}

extern "C" trine_status trine_gpu_dequantize_generic_prepare(const trine_row *row,
                                                             const trine_caps *, int32_t ordinal)
{
    return trine_gpu_load(row, ordinal,
                          reinterpret_cast<const void *>(&trine_gpu::dequantize_generic), 0);
}
