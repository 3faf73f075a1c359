// SPDX-License-Identifier: Apache-2.0
// per_token_group_quant on a GPU, for CUDA and HIP: the fast row `vector`. (`generic` stands in
// per_token_group_quant_generic.h.)
//
// A thread owns a chunk of 16 elements of one row: 32 or 64 bytes read, 16 written. The chunks of a
// group belong to a team of 1 to 32 neighbouring lanes, which meet in a few exchanges between
// registers; there is no shared memory, no barrier and no division by a size. Rows lie on grid.x,
// column blocks on grid.y, experts on grid.z. The thread that owns a padding row or an unused byte
// zeroes it, so that nothing needs a fill of its own.
#ifndef TRINE_BACKENDS_GPU_PER_TOKEN_GROUP_QUANT_H
#define TRINE_BACKENDS_GPU_PER_TOKEN_GROUP_QUANT_H

#include "backends/gpu/activation.h"
#include "backends/gpu/format.h"
#include "backends/gpu/group_quant_params.h"
#include "backends/gpu/memory.h"
#include "numerics/group_scale.h"

namespace trine_gpu
{

// s = RN(amax / q_max) for amax from 1e-20 up: tried for every such float and each q_max.
template <class Q>
TRINE_DEVICE float group_scale(float amax)
{
    float s = amax * Q::q_max_inverse;
    float remainder = trine_fmaf(-s, Q::q_max, amax);
    return trine_fmaf(remainder, Q::q_max_inverse, s);
}

// Codes of a chunk of finite elements.
template <class X, class Q>
TRINE_DEVICE void quantize_chunk(uint32_t (&out)[4], const uint32_t (&x)[X::words], float s,
                                 bool truncate)
{
    float r = trine_rcp_unit(s); // holds wherever s and 1 / s are normal
#pragma unroll
    for (uint32_t i = 0; i < 4; i++)
        out[i] = Q::codes(trine_group_quotient_fast(X::element(x, 4 * i), s, r),
                          trine_group_quotient_fast(X::element(x, 4 * i + 1), s, r),
                          trine_group_quotient_fast(X::element(x, 4 * i + 2), s, r),
                          trine_group_quotient_fast(X::element(x, 4 * i + 3), s, r), truncate);
}

// Waves that meet an infinity or a NaN take their elements one by one, again from memory: rare, so
// it is kept small and out of the registers of the others.

template <class X, int32_t Activation>
TRINE_DEVICE float single_input(const group_quant_params &p, const uint8_t *x, uint32_t i)
{
    float value = X::load(x, i);
    if constexpr (Activation != group_quant_plain) {
        float a = activate_gate<static_cast<trine_activation>(Activation)>(value, 0.0f);
        if (p.each) a = X::round(a);
        value = X::round(a * X::load(x + p.up_offset, i));
    }
    return value;
}

template <class X, int32_t Activation>
static __device__ __noinline__ uint32_t largest_finite(const group_quant_params &p,
                                                       const uint8_t *x)
{
    uint32_t largest = 0;
#pragma unroll 1
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t a = trine_f32_bits(single_input<X, Activation>(p, x, i)) & 0x7fffffffu;
        if (a < 0x7f800000u) largest = larger(largest, a);
    }
    return largest;
}

template <class X, class Q, int32_t Activation>
static __device__ __noinline__ void quantize_singly(const group_quant_params &p, uint8_t *q,
                                                    const uint8_t *x, float s)
{
    float r = trine_rcp_unit(s);
#pragma unroll 1
    for (uint32_t i = 0; i < 16; i++) {
        float value = trine_group_quotient_any(single_input<X, Activation>(p, x, i), s, r);
        q[i] = (uint8_t)Q::code(trine_group_clamp(value, Q::q_max), p.truncate);
    }
}

// The scale of group `group` in row `row`, by the team's first lane.
TRINE_DEVICE void store_scale(const group_quant_params &p, uint32_t expert, uint32_t row,
                              uint32_t group, float s)
{
    const int64_t at = expert * p.scale_expert + row * p.scale_row;
    if (!p.packed) {
        static_cast<float *>(p.scale)[at + group * p.scale_column] = s;
        return;
    }
    uint8_t *word = static_cast<uint8_t *>(p.scale) + 4 * (at + (group >> 2) * p.scale_column);
    word[group & 3] = (uint8_t)(trine_f32_bits(s) >> 23);
    if (group + 1 == p.groups)
        for (uint32_t unused = (group & 3) + 1; unused < 4; unused++) word[unused] = 0;
}

// Row `row` is padding: its codes and its scale are zero as far as the tensors reach.
TRINE_DEVICE void zero_padding(const group_quant_params &p, uint8_t *q, uint32_t expert,
                               uint32_t row, uint32_t group, bool leader)
{
    const uint32_t zero[4] = {0, 0, 0, 0};
    if (row < p.q_rows) store_words(q, zero);
    const uint32_t column = p.packed ? group >> 2 : group;
    if (!leader || (p.packed && (group & 3))) return;
    if (row < (column + 1 == p.scale_columns ? p.scale_rows_last : p.scale_rows))
        static_cast<uint32_t *>(
            p.scale)[expert * p.scale_expert + row * p.scale_row + column * p.scale_column] = 0;
}

// The plain form of 16-bit elements lives from loads in flight: as many threads as there can be.
// The others need registers more than that.
template <class X, int32_t Activation>
constexpr uint32_t group_quant_resident = X::words != 8                     ? 1280
                                          : Activation == group_quant_plain ? 2048
                                                                            : 1536;

template <class X, class Q, uint32_t Lanes, int32_t Activation>
__global__ void TRINE_LAUNCH_BOUNDS(128, (group_quant_resident<X, Activation>))
    group_quant_vector(const TRINE_GRID_CONSTANT group_quant_params p)
{
    const uint32_t chunk = (blockIdx.y << p.chunk_shift) + (threadIdx.x & p.chunk_mask);
    const uint32_t group = chunk / Lanes;
    const bool leader = chunk % Lanes == 0;
    const uint32_t expert = blockIdx.z;
    uint32_t rows = p.rows, visit = p.visit;
    if (p.masked_m) {
        int32_t used = p.masked_m[expert * p.masked_stride];
        rows = used < 0 ? 0 : (uint32_t)used < rows ? (uint32_t)used : rows;
        visit = rows;
    }

    // Every thread of a block goes round as often, so waves stay whole.
    for (uint32_t block = blockIdx.x << p.row_shift; block < visit;
         block += gridDim.x << p.row_shift) {
        const uint32_t row = block + (threadIdx.x >> p.chunk_shift);
        const bool live = chunk < p.chunks && row < rows;
        const uint8_t *x = static_cast<const uint8_t *>(p.x) + expert * p.x_expert + row * p.x_row +
                           (int64_t)chunk * (4 * X::words);
        uint8_t *q =
            static_cast<uint8_t *>(p.q) + expert * p.q_expert + row * p.q_row + (int64_t)chunk * 16;
        uint32_t w[X::words];
#pragma unroll
        for (uint32_t i = 0; i < X::words; i++) w[i] = 0;
        if constexpr (Activation == group_quant_plain) {
            if (live) load_words(w, x);
        } else {
            uint32_t up[X::words];
#pragma unroll
            for (uint32_t i = 0; i < X::words; i++) up[i] = 0;
            if (live) {
                load_words(w, x);
                load_words(up, x + p.up_offset);
            }
            constexpr auto activation = static_cast<trine_activation>(Activation);
            if (p.each)
                activate_words<X, activation, true>(w, w, up, 0.0f);
            else
                activate_words<X, activation, false>(w, w, up, 0.0f);
        }

        const uint32_t largest = team_max<Lanes>(X::largest(w));
        const bool finite = !wave_any(largest >= X::infinity);
        float amax = X::from_bits(largest);
        if (!finite) {
            uint32_t bits = live ? largest_finite<X, Activation>(p, x) : 0;
            amax = trine_f32_from_bits(team_max<Lanes>(bits));
        }
        amax = p.eps > amax ? p.eps : amax;
        float s = group_scale<Q>(amax);
        if (p.ue8m0) s = trine_group_scale_ue8m0(s, p.ue8m0_floor);

        if (!live) {
            if (chunk < p.chunks && row < visit) zero_padding(p, q, expert, row, group, leader);
            continue;
        }
        if (finite) {
            uint32_t codes[4];
            quantize_chunk<X, Q>(codes, w, s, p.truncate);
            store_words(q, codes);
        } else {
            quantize_singly<X, Q, Activation>(p, q, x, s);
        }
        if (leader) store_scale(p, expert, row, group, s);
    }
}

// The kernel for a problem, NULL if there is none. A file that calls this compiles all of them for
// one activation.
template <class X, class Q, int32_t Activation>
static const void *group_quant_vector_of_lanes(int64_t group_size)
{
    switch (group_size) {
    case 16:
        return reinterpret_cast<const void *>(&group_quant_vector<X, Q, 1, Activation>);
    case 32:
        return reinterpret_cast<const void *>(&group_quant_vector<X, Q, 2, Activation>);
    case 64:
        return reinterpret_cast<const void *>(&group_quant_vector<X, Q, 4, Activation>);
    case 128:
        return reinterpret_cast<const void *>(&group_quant_vector<X, Q, 8, Activation>);
    case 256:
        return reinterpret_cast<const void *>(&group_quant_vector<X, Q, 16, Activation>);
    case 512:
        return reinterpret_cast<const void *>(&group_quant_vector<X, Q, 32, Activation>);
    default:
        return nullptr;
    }
}

template <class X, int32_t Activation>
static const void *group_quant_vector_of_q(trine_dtype q, int64_t group_size)
{
    if (q == TRINE_E4M3FN) return group_quant_vector_of_lanes<X, e4m3fn, Activation>(group_size);
    if (q == TRINE_I8) return group_quant_vector_of_lanes<X, i8, Activation>(group_size);
#if defined(__HIP__)
    if (q == TRINE_E4M3FNUZ)
        return group_quant_vector_of_lanes<X, e4m3fnuz, Activation>(group_size);
#endif
    return nullptr;
}

template <int32_t Activation>
static const void *group_quant_vector_of(const trine_per_token_group_quant_problem *problem)
{
    trine_dtype q = problem->q.dtype;
    if (problem->x.dtype == TRINE_BF16)
        return group_quant_vector_of_q<bf16, Activation>(q, problem->group_size);
    if (problem->x.dtype == TRINE_F16)
        return group_quant_vector_of_q<f16, Activation>(q, problem->group_size);
    if constexpr (Activation == group_quant_plain)
        return group_quant_vector_of_q<f32, Activation>(q, problem->group_size);
    return nullptr;
}

} // namespace trine_gpu

#endif
