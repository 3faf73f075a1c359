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

// The scale of a group whose largest finite magnitude is amax. RN(amax / q_max) takes three
// operations for amax from 1e-20 up: tried for every such float and each q_max. All numbers here
// are positive, so bits compare as they do; the last three operations change nothing without ue8m0.
template <class Q>
TRINE_DEVICE float group_scale(const group_quant_params &p, float amax)
{
    amax = trine_f32_from_bits(larger(trine_f32_bits(amax), p.eps));
    float s = amax * Q::q_max_inverse;
    float remainder = trine_fmaf(-s, Q::q_max, amax);
    s = trine_fmaf(remainder, Q::q_max_inverse, s);
    return trine_f32_from_bits((larger(trine_f32_bits(s), p.scale_floor) + p.scale_round) &
                               p.scale_mask);
}

// x / s for elements of a group, to be rounded to codes. For 16-bit x two operations do: with d
// below 1 / s by one or two units in its last place and e = (1 - s d) / s, RN(x d + RN(x e)) lies
// on the same side of every boundary between two codes as RN(x / s) does, or on it like that
// (tests/gpu/group_quotient.c tries all there are). e is not negative, which keeps x = -0 at -0.
template <class X>
struct group_divisor {
    float d, e;

    TRINE_DEVICE group_divisor of(float s)
    {
        const float r = trine_rcp_unit(s); // holds wherever s and 1 / s are normal
        if constexpr (X::per_word == 1) return {r, s};
        const float d = trine_f32_from_bits(trine_f32_bits(r) - 1);
        return {d, trine_fmaf(-s, d, 1.0f) * r};
    }

    TRINE_DEVICE float quotient(const group_divisor &by, float x)
    {
        if constexpr (X::per_word == 1) return trine_group_quotient_fast(x, by.e, by.d);
        return trine_fmaf(x, by.d, x * by.e);
    }
};

// Codes of a chunk whose elements are all below X::quotient_end.
template <class X, class Q>
TRINE_DEVICE void quantize_chunk(uint32_t (&out)[4], const uint32_t (&x)[X::words], float s,
                                 bool truncate)
{
    typedef group_divisor<X> divisor;
    const divisor by = divisor::of(s);
#pragma unroll
    for (uint32_t i = 0; i < 4; i++)
        out[i] = Q::codes(divisor::quotient(by, X::element(x, 4 * i)),
                          divisor::quotient(by, X::element(x, 4 * i + 1)),
                          divisor::quotient(by, X::element(x, 4 * i + 2)),
                          divisor::quotient(by, X::element(x, 4 * i + 3)), truncate);
}

// 16-byte loads of what an earlier kernel may still have been writing when this one started.
template <uint32_t Words>
TRINE_DEVICE void load_written(uint32_t (&words)[Words], const uint8_t *address)
{
#if defined(__HIP__)
    load_words(words, address);
#else
#pragma unroll
    for (uint32_t i = 0; i < Words; i += 4) {
        const uint4 v = *reinterpret_cast<const uint4 *>(address + 4 * i);
        words[i] = v.x, words[i + 1] = v.y, words[i + 2] = v.z, words[i + 3] = v.w;
    }
#endif
}

// Waves that meet an infinity, a NaN or a quotient that the above is not made for take their
// elements one by one, again from memory: rare, so it is kept small and out of the registers of the
// others.

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

// The largest finite magnitude of the team's chunks.
template <class X, uint32_t Lanes, int32_t Activation>
TRINE_DEVICE float team_finite(const group_quant_params &p, const uint8_t *x, bool live)
{
    uint32_t bits = live ? largest_finite<X, Activation>(p, x) : 0;
    return trine_f32_from_bits(team_max<Lanes>(bits));
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

// Where a thread stands.
struct group_quant_place {
    uint32_t chunk, group, expert;
    bool inside, leader; // the row has this chunk; the first lane of its team
};

// `index` times a stride. Strides of 2^32 and more are left to kernels that go in rounds.
template <bool Rounds>
TRINE_DEVICE int64_t strides(uint32_t index, int64_t stride)
{
    if constexpr (Rounds) return index * stride;
    return static_cast<int64_t>(static_cast<uint64_t>(index) * static_cast<uint32_t>(stride));
}

// The word that holds the scale of the thread's group in row `row`, or a part of it.
template <bool Rounds>
TRINE_DEVICE uint8_t *scale_word(const group_quant_params &p, const group_quant_place &at,
                                 uint32_t row)
{
    const uint32_t column = p.packed ? at.group >> 2 : at.group;
    uint8_t *scale = static_cast<uint8_t *>(p.scale);
    if constexpr (Rounds) scale += at.expert * p.scale_expert;
    return scale + strides<Rounds>(column, p.scale_column) + strides<Rounds>(row, p.scale_row);
}

template <bool Rounds>
TRINE_DEVICE void store_scale(const group_quant_params &p, const group_quant_place &at,
                              uint32_t row, float s)
{
    uint8_t *word = scale_word<Rounds>(p, at, row);
    if (!p.packed) {
        *reinterpret_cast<float *>(word) = s;
        return;
    }
    const uint32_t byte = at.group & 3;
    word[byte] = (uint8_t)(trine_f32_bits(s) >> 23);
    if (at.group + 1 == p.groups)
#pragma unroll 1
        for (uint32_t unused = byte + 1; unused < 4; unused++) word[unused] = 0;
}

// Row `row` is padding: its codes and its scale are zero as far as the tensors reach.
template <bool Rounds>
TRINE_DEVICE void zero_padding(const group_quant_params &p, const group_quant_place &at, uint8_t *q,
                               uint32_t row)
{
    const uint32_t zero[4] = {0, 0, 0, 0};
    if (row < p.q_rows) store_words(q, zero);
    const uint32_t column = p.packed ? at.group >> 2 : at.group;
    if (!at.leader) return;
    if (p.packed && (at.group & 3)) return; // shortcut: the word's first group zeroes all of it
    if (row < (column + 1 == p.scale_columns ? p.scale_rows_last : p.scale_rows))
        *reinterpret_cast<uint32_t *>(scale_word<Rounds>(p, at, row)) = 0;
}

// All that does not need the kernel before this one is done. The next one may come as far as here.
TRINE_DEVICE void begin()
{
    wait_for_previous();
    let_next_start();
}

// The thread's chunk of x, its activation applied; zeros where there is no such chunk.
template <class X, int32_t Activation>
TRINE_DEVICE void load_chunk(uint32_t (&w)[X::words], const group_quant_params &p, const uint8_t *x,
                             bool live)
{
#pragma unroll
    for (uint32_t i = 0; i < X::words; i++) w[i] = 0;
    if constexpr (Activation == group_quant_plain) {
        if (live) load_written(w, x);
    } else {
        uint32_t up[X::words];
#pragma unroll
        for (uint32_t i = 0; i < X::words; i++) up[i] = 0;
        if (live) {
            load_written(w, x);
            load_written(up, x + p.up_offset);
        }
        constexpr auto activation = static_cast<trine_activation>(Activation);
        if (p.each)
            activate_words<X, activation, true>(w, w, up, 0.0f);
        else
            activate_words<X, activation, false>(w, w, up, 0.0f);
    }
}

// The thread's chunk of row `row`: quantized before row `rows`, padding from there to `visit`.
template <class X, class Q, uint32_t Lanes, int32_t Activation, bool Rounds>
TRINE_DEVICE void quantize_row(const group_quant_params &p, const group_quant_place &at,
                               uint32_t row, uint32_t rows, uint32_t visit)
{
    const bool live = at.inside && row < rows;
    const uint8_t *x = static_cast<const uint8_t *>(p.x);
    uint8_t *q = static_cast<uint8_t *>(p.q);
    if constexpr (Rounds) x += at.expert * p.x_expert, q += at.expert * p.q_expert;
    x += static_cast<uint64_t>(at.chunk) * (4 * X::words) + strides<Rounds>(row, p.x_row);
    q += static_cast<uint64_t>(at.chunk) * 16 + strides<Rounds>(row, p.q_row);

    if constexpr (!Rounds) {
        // What follows an activation is bound by arithmetic, and has no registers to spare.
        if constexpr (Activation == group_quant_plain)
            if (live && blockIdx.y * gridDim.x + blockIdx.x < p.ahead) fetch_ahead(x);
        begin();
    }
    uint32_t w[X::words];
    load_chunk<X, Activation>(w, p, x, live);
    uint32_t largest = team_max<Lanes>(X::largest(w));
    const bool singly = wave_any(largest >= X::quotient_end);
    float amax = X::from_bits(largest);
    if (singly) // the long way
        amax = team_finite<X, Lanes, Activation>(p, x, live);
    const float s = group_scale<Q>(p, amax);

    if (!live) {
        if (at.inside && row < visit) zero_padding<Rounds>(p, at, q, row);
        return;
    }
    if (singly) { // the long way
        quantize_singly<X, Q, Activation>(p, q, x, s);
    } else {
        uint32_t codes[4];
        quantize_chunk<X, Q>(codes, w, s, p.truncate);
        store_words(q, codes);
    }
    if (at.leader) store_scale<Rounds>(p, at, row, s);
}

// Threads a multiprocessor. The plain form of 16-bit elements lives from loads in flight: as many
// as there can be. The others need registers more than that, most of all those that go in rounds.
template <class X, int32_t Activation, bool Rounds>
constexpr uint32_t group_quant_resident = X::words != 8                     ? 1280
                                          : Activation == group_quant_plain ? 2048
                                          : Rounds                          ? 1024
                                                                            : 1536;

// With Rounds, blocks go round over the rows, of which masked_m may leave out many, and strides and
// experts may be any; else there is one expert and a block for all its rows.
template <class X, class Q, uint32_t Lanes, int32_t Activation, bool Rounds>
__global__ void TRINE_LAUNCH_BOUNDS(128, (group_quant_resident<X, Activation, Rounds>))
    group_quant_vector(const TRINE_GRID_CONSTANT group_quant_params p)
{
    group_quant_place at;
    at.chunk = ((p.columns_first ? blockIdx.x : blockIdx.y) << p.chunk_shift) +
               (threadIdx.x & p.chunk_mask);
    at.group = at.chunk / Lanes;
    at.expert = blockIdx.z;
    at.inside = at.chunk < p.chunks;
    at.leader = at.chunk % Lanes == 0;
    const uint32_t own = threadIdx.x >> p.chunk_shift;
    if constexpr (!Rounds) {
        const uint32_t row = ((p.columns_first ? blockIdx.y : blockIdx.x) << p.row_shift) + own;
        quantize_row<X, Q, Lanes, Activation, false>(p, at, row, p.rows, p.visit);
    } else {
        begin();
        uint32_t rows = p.rows, visit = p.visit;
        if (p.masked_m) {
            int32_t used = p.masked_m[at.expert * p.masked_stride];
            rows = used < 0 ? 0 : (uint32_t)used < rows ? (uint32_t)used : rows;
            visit = rows;
        }
        // Every thread of a block goes round as often, so waves stay whole.
        for (uint32_t block = blockIdx.x << p.row_shift; block < visit;
             block += gridDim.x << p.row_shift)
            quantize_row<X, Q, Lanes, Activation, true>(p, at, block + own, rows, visit);
    }
}

template <class X, class Q, uint32_t Lanes, int32_t Activation>
static const void *group_quant_vector_of_form(bool rounds)
{
    return rounds
               ? reinterpret_cast<const void *>(&group_quant_vector<X, Q, Lanes, Activation, true>)
               : reinterpret_cast<const void *>(
                     &group_quant_vector<X, Q, Lanes, Activation, false>);
}

// The kernel for a problem, NULL if there is none. A file that calls this compiles all of them for
// one activation.
template <class X, class Q, int32_t Activation>
static const void *group_quant_vector_of_lanes(int64_t group_size, bool rounds)
{
    switch (group_size) {
    case 16:
        return group_quant_vector_of_form<X, Q, 1, Activation>(rounds);
    case 32:
        return group_quant_vector_of_form<X, Q, 2, Activation>(rounds);
    case 64:
        return group_quant_vector_of_form<X, Q, 4, Activation>(rounds);
    case 128:
        return group_quant_vector_of_form<X, Q, 8, Activation>(rounds);
    case 256:
        return group_quant_vector_of_form<X, Q, 16, Activation>(rounds);
    case 512:
        return group_quant_vector_of_form<X, Q, 32, Activation>(rounds);
    default:
        return nullptr;
    }
}

template <class X, int32_t Activation>
static const void *group_quant_vector_of_q(trine_dtype q, int64_t group_size, bool rounds)
{
    if (q == TRINE_E4M3FN)
        return group_quant_vector_of_lanes<X, e4m3fn, Activation>(group_size, rounds);
    if (q == TRINE_I8) return group_quant_vector_of_lanes<X, i8, Activation>(group_size, rounds);
#if defined(__HIP__)
    if (q == TRINE_E4M3FNUZ)
        return group_quant_vector_of_lanes<X, e4m3fnuz, Activation>(group_size, rounds);
#endif
    return nullptr;
}

template <int32_t Activation>
static const void *group_quant_vector_of(const trine_per_token_group_quant_problem *problem,
                                         bool rounds)
{
    trine_dtype q = problem->q.dtype;
    if (problem->x.dtype == TRINE_BF16)
        return group_quant_vector_of_q<bf16, Activation>(q, problem->group_size, rounds);
    if (problem->x.dtype == TRINE_F16)
        return group_quant_vector_of_q<f16, Activation>(q, problem->group_size, rounds);
    if constexpr (Activation == group_quant_plain)
        return group_quant_vector_of_q<f32, Activation>(q, problem->group_size, rounds);
    return nullptr;
}

} // namespace trine_gpu

#endif
