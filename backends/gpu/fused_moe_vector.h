// SPDX-License-Identifier: Apache-2.0
// What fused_moe does around its products, for CUDA and HIP, in accesses of 16 bytes: for rows that
// are dense and begin at multiples of 16 bytes. fused_moe_steps.h has the same steps for any call.
#ifndef TRINE_BACKENDS_GPU_FUSED_MOE_VECTOR_H
#define TRINE_BACKENDS_GPU_FUSED_MOE_VECTOR_H

#include "backends/gpu/fused_moe_elements.h"
#include "backends/gpu/per_token_group_quant.h"
#include "backends/gpu/row_tiles.h"

namespace trine_gpu
{

constexpr uint32_t moe_chunk = 16; // elements of h that a thread activates at once

// act(gate) of 16 elements, as f32 in words.
template <trine_activation Activation>
TRINE_DEVICE void moe_activate_gates(uint32_t (&w)[16], const activation_rule &rule)
{
#pragma unroll
    for (uint32_t i = 0; i < 16; i++)
        w[i] = trine_f32_bits(activate_gate<Activation>(
            trine_swiglu_oai_limit_gate(trine_f32_from_bits(w[i]), rule.limit), rule.alpha));
}

// Rounds 16 elements to x's dtype.
TRINE_DEVICE void moe_round_chunk(uint32_t (&w)[16], trine_dtype dtype)
{
    if (dtype == TRINE_F32) return;
#pragma unroll
    for (uint32_t i = 0; i < 16; i += 2) {
        float pair[2] = {trine_f32_from_bits(w[i]), trine_f32_from_bits(w[i + 1])};
        if (dtype == TRINE_BF16)
            bf16::round_word(pair);
        else
            f16::round_word(pair);
        w[i] = trine_f32_bits(pair[0]), w[i + 1] = trine_f32_bits(pair[1]);
    }
}

TRINE_DEVICE void moe_load_activated(uint32_t (&w)[16], const moe_quantizer &q, int64_t slot,
                                     int64_t chunk)
{
    const float *h = static_cast<const float *>(q.from) + slot * q.from_row;
    uint32_t up[16] = {};
    if (q.interleaved) {
        uint32_t both[32];
        load_words(both, h + chunk * 32);
#pragma unroll
        for (uint32_t i = 0; i < 16; i++) w[i] = both[2 * i], up[i] = both[2 * i + 1];
    } else {
        load_words(w, h + chunk * 16);
        if (q.rule.gated) load_words(up, h + q.columns + chunk * 16);
    }
    switch (q.rule.activation) {
    case TRINE_ACTIVATION_SILU:
        moe_activate_gates<TRINE_ACTIVATION_SILU>(w, q.rule);
        break;
    case TRINE_ACTIVATION_GELU_ERF:
        moe_activate_gates<TRINE_ACTIVATION_GELU_ERF>(w, q.rule);
        break;
    case TRINE_ACTIVATION_GELU_TANH:
        moe_activate_gates<TRINE_ACTIVATION_GELU_TANH>(w, q.rule);
        break;
    case TRINE_ACTIVATION_RELU2:
        moe_activate_gates<TRINE_ACTIVATION_RELU2>(w, q.rule);
        break;
    default:
        moe_activate_gates<TRINE_ACTIVATION_SWIGLU_OAI>(w, q.rule);
        break;
    }
    if (q.rule.gated) {
        if (q.rule.each) moe_round_chunk(w, q.rule.dtype);
        const bool swiglu = q.rule.activation == TRINE_ACTIVATION_SWIGLU_OAI;
#pragma unroll
        for (uint32_t i = 0; i < 16; i++) {
            const float u = trine_swiglu_oai_limit_up(trine_f32_from_bits(up[i]), q.rule.limit);
            w[i] = trine_f32_bits(trine_f32_from_bits(w[i]) * (swiglu ? u + 1.0f : u));
        }
    }
    if (q.rule.each) moe_round_chunk(w, q.rule.dtype);
}

// Chunks with an infinity or a NaN are taken an element at a time, again from memory: rare, so it
// is kept small and out of the registers of the others.

static __device__ __noinline__ uint32_t moe_largest_finite(const moe_quantizer &q, int64_t slot,
                                                           int64_t chunk)
{
    uint32_t largest = 0;
#pragma unroll 1
    for (uint32_t i = 0; i < moe_chunk; i++)
        largest = larger(largest, trine_f32_bits(trine_finite_abs(
                                      moe_quantizer_input(q, slot, chunk * moe_chunk + i))));
    return largest;
}

static __device__ __noinline__ void moe_quantize_singly(const moe_quantizer &q, int64_t slot,
                                                        int64_t chunk, float s)
{
    uint8_t *to = static_cast<uint8_t *>(q.to) + slot * q.columns + chunk * moe_chunk;
#pragma unroll 1
    for (uint32_t i = 0; i < moe_chunk; i++)
        to[i] =
            moe_quantize_code(moe_quantizer_input(q, slot, chunk * moe_chunk + i), s, q.to_dtype);
}

template <class Q>
TRINE_DEVICE void moe_codes_of(uint32_t (&codes)[4], const uint32_t (&w)[16])
{
#pragma unroll
    for (uint32_t i = 0; i < 4; i++)
        codes[i] =
            Q::codes(trine_f32_from_bits(w[4 * i]), trine_f32_from_bits(w[4 * i + 1]),
                     trine_f32_from_bits(w[4 * i + 2]), trine_f32_from_bits(w[4 * i + 3]), false);
}

TRINE_DEVICE void moe_store_codes(const moe_quantizer &q, uint32_t (&w)[16], int64_t slot,
                                  int64_t chunk, float s)
{
    if (f32::largest(w) >= f32::infinity || !(s > 0.0f)) { // the long way
        moe_quantize_singly(q, slot, chunk, s);
        return;
    }
    if (q.given) { // the long way: nothing is known of it
        const float q_max = moe_q_max(q.to_dtype);
#pragma unroll
        for (uint32_t i = 0; i < 16; i++)
            w[i] = trine_f32_bits(
                trine_group_clamp(trine_group_quotient(trine_f32_from_bits(w[i]), s), q_max));
    } else {
        const float r = trine_rcp_unit(s); // holds wherever s and 1 / s are normal
#pragma unroll
        for (uint32_t i = 0; i < 16; i++)
            w[i] = trine_f32_bits(trine_group_quotient_fast(trine_f32_from_bits(w[i]), s, r));
    }
    uint32_t codes[4];
    if (q.to_dtype == TRINE_E4M3FN)
        moe_codes_of<e4m3fn>(codes, w);
    else if (q.to_dtype == TRINE_E4M3FNUZ)
        moe_codes_of<e4m3fnuz>(codes, w);
    else
        moe_codes_of<i8>(codes, w);
    store_words(static_cast<uint8_t *>(q.to) + slot * q.columns + chunk * moe_chunk, codes);
}

// 8 elements from a multiple of 16 bytes.
TRINE_DEVICE void moe_load_8(float (&x)[8], const void *data, trine_dtype dtype, int64_t at)
{
    if (dtype == TRINE_F32) {
        uint32_t w[8];
        load_words(w, static_cast<const float *>(data) + at);
#pragma unroll
        for (uint32_t i = 0; i < 8; i++) x[i] = trine_f32_from_bits(w[i]);
        return;
    }
    uint32_t w[4];
    load_words(w, static_cast<const uint16_t *>(data) + at);
#pragma unroll
    for (uint32_t i = 0; i < 8; i++)
        x[i] = dtype == TRINE_BF16 ? bf16::element(w, i) : f16::element(w, i);
}

// The same of what this thread will write.
TRINE_DEVICE void moe_load_own_8(float (&x)[8], const void *data, trine_dtype dtype, int64_t at)
{
#pragma unroll
    for (uint32_t half = 0; half < 2; half++) {
        uint32_t w[4];
        if (dtype == TRINE_F32) {
            load_streamed(w, static_cast<const float *>(data) + at + 4 * half);
#pragma unroll
            for (uint32_t i = 0; i < 4; i++) x[4 * half + i] = trine_f32_from_bits(w[i]);
        } else if (half == 0) {
            load_streamed(w, static_cast<const uint16_t *>(data) + at);
#pragma unroll
            for (uint32_t i = 0; i < 8; i++)
                x[i] = dtype == TRINE_BF16 ? bf16::element(w, i) : f16::element(w, i);
        }
    }
}

TRINE_DEVICE uint32_t moe_max_of_lanes(uint32_t value, uint32_t lane_shift)
{
    switch (lane_shift) {
    case 2:
        return team_max<4>(value);
    case 3:
        return team_max<8>(value);
    case 4:
        return team_max<16>(value);
    default:
        return team_max<32>(value);
    }
}

// The activation and the quantization that follows it where scales are per block of
// 16 << lane_shift columns (64 to 512), or one for all. Rows of tiles are sorted positions.
__global__ void TRINE_LAUNCH_BOUNDS(moe_step_threads, 768)
    moe_activate_vector(const TRINE_GRID_CONSTANT moe_routes r,
                        const TRINE_GRID_CONSTANT moe_quantizer q,
                        const TRINE_GRID_CONSTANT row_tiles tiles, const uint32_t lane_shift)
{
    const int64_t positions = *r.count, chunk = first_unit(tiles);
    const float tensor_scale = moe_tensor_scale(q);
    // Every thread of a block goes round as often, so waves stay whole.
    for (int64_t base = (int64_t)blockIdx.x << tiles.row_shift; base < positions;
         base += row_step(tiles)) {
        const int64_t position = base + (threadIdx.x >> tiles.unit_shift);
        const int32_t slot =
            position < positions && chunk < tiles.units ? r.sorted[position] : r.slots;
        const bool live = slot < r.slots;
        uint32_t w[16] = {};
        if (live) moe_load_activated(w, q, slot, chunk);
        float s = tensor_scale;
        if (!q.per_tensor) {
            uint32_t largest = f32::largest(w);
            if (largest >= f32::infinity) largest = moe_largest_finite(q, slot, chunk);
            s = moe_group_scale(moe_max_of_lanes(largest, lane_shift), q.to_dtype);
            if (live && (chunk & ((1u << lane_shift) - 1)) == 0)
                q.scale[slot * q.blocks + (chunk >> lane_shift)] = s;
        }
        if (live) moe_store_codes(q, w, slot, chunk, s);
    }
}

// The same where a row has one scale: a block a row at a time.
__global__ void TRINE_LAUNCH_BOUNDS(moe_step_threads, 768)
    moe_activate_rows(const TRINE_GRID_CONSTANT moe_routes r,
                      const TRINE_GRID_CONSTANT moe_quantizer q)
{
    const int64_t positions = *r.count, chunks = q.columns / moe_chunk;
    for (int64_t position = blockIdx.x; position < positions; position += gridDim.x) {
        const int32_t slot = r.sorted[position];
        if (slot >= r.slots) continue;
        uint32_t w[16] = {}, largest = 0;
        float s = 0.0f;
        // First the scale, then the codes; what does not fit a thread is activated twice.
#pragma unroll 1
        for (bool quantizes = false;; quantizes = true) {
#pragma unroll 1
            for (int64_t chunk = threadIdx.x; chunk < chunks; chunk += moe_step_threads) {
                if (!quantizes || chunks > moe_step_threads) // the long way
                    moe_load_activated(w, q, slot, chunk);
                if (quantizes) {
                    moe_store_codes(q, w, slot, chunk, s);
                } else {
                    uint32_t own = f32::largest(w);
                    if (own >= f32::infinity) // the long way
                        own = moe_largest_finite(q, slot, chunk);
                    largest = larger(largest, own);
                }
            }
            if (quantizes) break;
            s = moe_group_scale(moe_team_max<moe_step_threads>(largest), q.to_dtype);
            if (threadIdx.x == 0) q.scale[slot] = s;
        }
    }
}

// Zeros rows, 16 bytes a unit.
__global__ void __launch_bounds__(moe_step_threads)
    moe_clear_rows(const TRINE_GRID_CONSTANT moe_clearing c,
                   const TRINE_GRID_CONSTANT row_tiles tiles)
{
    const uint32_t zero[4] = {0, 0, 0, 0};
    if (blockIdx.x == 0 && blockIdx.y == 0 && threadIdx.x < 2) c.amax[threadIdx.x] = 0;
    char *data = static_cast<char *>(c.data);
    const int64_t step = c.token * (c.dtype == TRINE_F32 ? 4 : 2);
    for (int64_t t = first_row(tiles); t < tiles.rows; t += row_step(tiles))
#pragma unroll 1
        for (int64_t unit = first_unit(tiles); unit < tiles.units; unit += unit_step(tiles))
            store_words(data + t * step + unit * 16, zero);
}

// The end of both ways to sum in f32, 8 columns a unit: Summands are added by rank, sums are there.
template <bool Summands>
__global__ void __launch_bounds__(moe_step_threads)
    moe_end_vector(const TRINE_GRID_CONSTANT moe_routes r, const TRINE_GRID_CONSTANT moe_ending e,
                   const TRINE_GRID_CONSTANT row_tiles tiles)
{
    for (int64_t t = first_row(tiles); t < tiles.rows; t += row_step(tiles)) {
        for (int64_t unit = first_unit(tiles); unit < tiles.units; unit += unit_step(tiles)) {
            float sum[8] = {}, x[8];
            if constexpr (Summands) {
                for (int64_t j = 0; j < r.k; j++) {
                    if (moe_expert(r, t, j) < 0) continue;
                    moe_load_8(x, e.from, e.from_dtype, (t * r.k + j) * e.hidden + unit * 8);
#pragma unroll
                    for (uint32_t i = 0; i < 8; i++) sum[i] = sum[i] + x[i];
                }
            } else {
                moe_load_8(sum, e.from, TRINE_F32, t * e.hidden + unit * 8);
            }
#pragma unroll
            for (uint32_t i = 0; i < 8; i++) sum[i] = sum[i] * e.factor;
            const int64_t at = t * e.token + unit * 8;
            if (e.accumulate) {
                moe_load_own_8(x, e.out, e.dtype, at);
#pragma unroll
                for (uint32_t i = 0; i < 8; i++) sum[i] = x[i] + sum[i];
            }
            moe_store_8(e.out, e.dtype, at, sum);
        }
    }
}

} // namespace trine_gpu

#endif
