// SPDX-License-Identifier: Apache-2.0
// per_token_group_quant on a GPU, for CUDA and HIP: the row `generic`, which takes every legal
// call. A team of lanes owns a group; nothing is vectorized, types and params are looked up as it
// goes, and the activation is computed twice rather than kept.
#ifndef TRINE_BACKENDS_GPU_PER_TOKEN_GROUP_QUANT_GENERIC_H
#define TRINE_BACKENDS_GPU_PER_TOKEN_GROUP_QUANT_GENERIC_H

#include "backends/gpu/memory.h"
#include "numerics/activation.h"
#include "numerics/group_scale.h"
#include <trine/kernel.h>

namespace trine_gpu
{

typedef trine_per_token_group_quant_problem group_quant_problem;

constexpr uint32_t group_quant_generic_threads = 256;

// What is quantized at (e, m, k): x, or the activation's result rounded to x's dtype.
TRINE_DEVICE float group_quant_input(const group_quant_problem &p, int64_t e, int64_t m, int64_t k)
{
    int64_t at = e * p.x.stride[0] + m * p.x.stride[1] + k * p.x.stride[2];
    float x = load_real(p.x.data, p.x.dtype, at);
    if (p.activation == TRINE_ACTIVATION_NONE) return x;
    float up = load_real(p.x.data, p.x.dtype, at + p.columns * p.x.stride[2]);
    float a = p.activation == TRINE_ACTIVATION_SILU       ? trine_silu(x)
              : p.activation == TRINE_ACTIVATION_GELU_ERF ? trine_gelu_erf(x)
                                                          : trine_gelu_tanh(x);
    if (p.intermediate_rounding == TRINE_ROUND_EACH) a = round_real(a, p.x.dtype);
    return round_real(a * up, p.x.dtype);
}

TRINE_DEVICE float group_quant_scale(const group_quant_problem &p, float amax)
{
    float s = p.arithmetic == TRINE_ARITHMETIC_RECIPROCAL
                  ? trine_group_scale_reciprocal(amax, p.q_max)
                  : trine_group_scale_divide(amax, p.q_max);
    return p.format == TRINE_SCALE_UE8M0 ? trine_group_scale_ue8m0(s, p.ue8m0_floor) : s;
}

// `factor` is s, or with a factor of its own what x is multiplied by.
TRINE_DEVICE uint8_t group_quant_code(const group_quant_problem &p, float x, float factor,
                                      bool multiply)
{
    float q = multiply ? x * factor : trine_group_quotient(x, factor);
    q = trine_group_clamp(q, p.q_max);
    if (p.q.dtype == TRINE_E4M3FN) return trine_f32_to_e4m3fn(q);
    if (p.q.dtype == TRINE_E4M3FNUZ) return trine_f32_to_e4m3fnuz(q);
    return (uint8_t)(p.int_rounding == TRINE_INT_TRUNCATE ? trine_f32_to_i8_truncate(q)
                                                          : trine_f32_to_i8_nearest(q));
}

// Largest value of a team, which is 32 lanes or the whole block, on all its lanes.
template <uint32_t Team>
TRINE_DEVICE uint32_t group_quant_team_max(uint32_t value)
{
    value = team_max<32>(value);
    if constexpr (Team > 32) {
        __shared__ uint32_t part[Team / 32];
        __syncthreads(); // the last round's values have been read
        if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = value;
        __syncthreads();
        for (uint32_t i = 0; i < Team / 32; i++) value = larger(value, part[i]);
    }
    return value;
}

// Rows before `rows` are quantized, then those before `end_row` are padding; the rest is left
// alone.
template <uint32_t Team>
TRINE_DEVICE void group_quant_group(const group_quant_problem &p, int64_t e, int64_t m, int64_t j,
                                    int64_t rows, int64_t end_row)
{
    const uint32_t lane = threadIdx.x % Team;
    const bool live = m < rows, padding = !live && m < end_row;
    const int64_t first = j * p.group_size, end = first + (live ? p.group_size : 0);
    uint32_t largest = 0;
    for (int64_t k = first + lane; k < end; k += Team)
        largest = larger(largest, trine_f32_bits(trine_finite_abs(group_quant_input(p, e, m, k))));
    float amax = trine_f32_from_bits(group_quant_team_max<Team>(largest));
    amax = p.eps > amax ? p.eps : amax;
    const float s = group_quant_scale(p, amax);
    const bool ue8m0 = p.format == TRINE_SCALE_UE8M0;
    const bool multiply = p.arithmetic == TRINE_ARITHMETIC_RECIPROCAL && !ue8m0;
    const float factor = multiply ? trine_group_factor(amax, p.q_max) : s;

    uint8_t *q = static_cast<uint8_t *>(p.q.data) + e * p.q.stride[0] + m * p.q.stride[1];
    for (int64_t k = first + lane; k < end; k += Team)
        q[k * p.q.stride[2]] = group_quant_code(p, group_quant_input(p, e, m, k), factor, multiply);
    if (padding && m < p.q_rows)
        for (int64_t k = first + lane; k < first + p.group_size; k += Team)
            q[k * p.q.stride[2]] = 0;

    if (lane != 0) return;
    const int64_t column = p.packed ? j / 4 : j;
    const int64_t at =
        e * p.scale_expert_stride + m * p.scale_row_stride + column * p.scale_column_stride;
    if (padding) {
        int64_t tail = column + 1 == p.scale_columns ? p.scale_rows : p.aligned_rows;
        if (p.scale_has_tail && m < tail && !(p.packed && j % 4))
            static_cast<uint32_t *>(p.scale.data)[at] = 0;
    } else if (live && p.packed) {
        uint8_t *word = static_cast<uint8_t *>(p.scale.data) + 4 * at;
        word[j % 4] = trine_f32_to_ue8m0(s);
        if (j + 1 == p.groups)
            for (int64_t unused = j % 4 + 1; unused < 4; unused++) word[unused] = 0;
    } else if (live) {
        static_cast<float *>(p.scale.data)[at] = s;
    }
}

// Rows lie on grid.x, groups on grid.y, experts on grid.z; a grid that is too small goes round.
// `visit` is the rows of x and the padding rows.
template <uint32_t Team>
__global__ void __launch_bounds__(group_quant_generic_threads)
    group_quant_generic(const group_quant_problem p, const int64_t visit)
{
    constexpr uint32_t teams = group_quant_generic_threads / Team;
    for (int64_t e = blockIdx.z; e < p.experts; e += gridDim.z) {
        int64_t rows = p.rows, end = visit;
        if (p.masked_m.data) {
            int64_t used = static_cast<const int32_t *>(p.masked_m.data)[e * p.masked_m.stride[0]];
            rows = used < 0 ? 0 : used < rows ? used : rows;
            end = rows;
        }
        for (int64_t block = (int64_t)blockIdx.x * teams; block < end;
             block += (int64_t)gridDim.x * teams) {
            // A team past the end computes along, so that waves stay whole, and writes nothing.
            const int64_t m = block + threadIdx.x / Team;
            for (int64_t j = blockIdx.y; j < p.groups; j += gridDim.y)
                group_quant_group<Team>(p, e, m, j, rows, end);
        }
    }
}

struct group_quant_generic_plan {
    const void *kernel;
    int64_t visit;
    uint64_t grid_x; // blocks wanted; fewer do the same work in rounds
    uint32_t grid_y, grid_z;
};

static inline void group_quant_generic_plan_make(const group_quant_problem *p,
                                                 group_quant_generic_plan *plan)
{
    const bool wide = p->group_size > 1024;
    int64_t visit = p->rows > p->q_rows ? p->rows : p->q_rows;
    if (p->scale_has_tail && visit < p->aligned_rows) visit = p->aligned_rows;
    plan->kernel = wide ? reinterpret_cast<const void *>(&group_quant_generic<256>)
                        : reinterpret_cast<const void *>(&group_quant_generic<32>);
    plan->visit = visit;
    plan->grid_x = static_cast<uint64_t>(wide ? visit : (visit + 7) / 8);
    plan->grid_y = static_cast<uint32_t>(p->groups < 65535 ? p->groups : 65535);
    plan->grid_z = static_cast<uint32_t>(p->experts < 65535 ? p->experts : 65535);
    if (p->masked_m.data && plan->grid_x > 1024) plan->grid_x = 1024;
}

} // namespace trine_gpu

#endif
