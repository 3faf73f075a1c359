// SPDX-License-Identifier: Apache-2.0
// Matrix units, for CUDA and HIP: a wave adds A[16, k] B[16, k]^T to a 16 by 16 result.
//
// Both operands are panels: 16 rows of matrix_step<T> bytes, K dense in each row, spread over the
// lanes of a wave. A panel comes from shared memory (load_panel) or from a lane's own registers
// (make_panel); the order of k inside a panel is the unit's own business, but A's and B's agree.
//
//   matrix_has<T>       does this target have it?
//   matrix_by_dots      ... but by dot products only, which take more registers
//   matrix_step<T>      bytes of K that one multiply takes from each row
//   matrix_panel<T>     this lane's part of a panel
//   matrix_sum<T>       this lane's 256 / wave_width results
//   sum_row(i), sum_column(i)  where in the 16 by 16 result element i of this lane stands
//   lane_rows, lane_parts      a row is shared by lane_parts lanes, a lane has parts of lane_rows
//   lane_row(i), lane_part()   rows: which rows, and which of their parts
#ifndef TRINE_BACKENDS_GPU_MATRIX_H
#define TRINE_BACKENDS_GPU_MATRIX_H

#include "backends/gpu/matrix_types.h"

#if defined(__HIP__)
#include "backends/gpu/matrix_amd.h"
#else
#include "backends/gpu/matrix_nvidia.h"
#endif

namespace trine_gpu
{

constexpr uint32_t sum_size = 256 / wave_width;

template <class T>
struct matrix_sum {
    typename T::sum v[sum_size];
};

template <class T>
TRINE_DEVICE void clear(matrix_sum<T> &sum)
{
#pragma unroll
    for (uint32_t i = 0; i < sum_size; i++) sum.v[i] = 0;
}

// The panel of step `step` from this lane's parts of its rows: consecutive words of K, converted to
// T already, matrix_step<T> / lane_parts bytes a step.
template <class T, uint32_t Words>
TRINE_DEVICE matrix_panel<T> make_panel(const uint32_t (&part)[lane_rows][Words], uint32_t step)
{
    constexpr uint32_t each = matrix_step<T> / lane_parts / 4;
    static_assert(Words % each == 0, "whole steps");
    matrix_panel<T> panel;
#pragma unroll
    for (uint32_t i = 0; i < each; i++)
#pragma unroll
        for (uint32_t r = 0; r < lane_rows; r++)
            panel.w[i * lane_rows + r] = part[r][step * each + i];
    return panel;
}

} // namespace trine_gpu

#endif
