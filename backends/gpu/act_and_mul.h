// SPDX-License-Identifier: Apache-2.0
// act_and_mul on a GPU, for CUDA and HIP: the fast row `vector`. (`generic` stands in
// act_and_mul_generic.h.)
//
// A thread makes 16 bytes of out in each of a few rows: it reads what they need before it computes
// the first of them. Rows lie on grid.x, column blocks on grid.y.
#ifndef TRINE_BACKENDS_GPU_ACT_AND_MUL_H
#define TRINE_BACKENDS_GPU_ACT_AND_MUL_H

#include "backends/gpu/act_and_mul_params.h"
#include "backends/gpu/activation.h"
#include "backends/gpu/memory.h"

namespace trine_gpu
{

// Where the gates and ups of a chunk of out are: in two chunks of x, in neighbouring columns, or
// there are no ups.
constexpr int32_t gate_halves = 0, gate_interleaved = 1, gate_alone = 2;

template <int32_t Gates>
constexpr uint32_t gate_words = Gates == gate_alone ? 4 : 8;

template <int32_t Gates>
TRINE_DEVICE void load_gates(uint32_t (&x)[gate_words<Gates>], const uint8_t *address,
                             int64_t up_offset)
{
    if constexpr (Gates == gate_halves) {
        uint32_t gate[4], up[4];
        load_words(gate, address);
        load_words(up, address + up_offset);
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) x[i] = gate[i], x[4 + i] = up[i];
    } else {
        load_words(x, address);
    }
}

// A chunk of out. Special: act(gate) may be rounded, or there is a limit.
template <class X, trine_activation Activation, int32_t Gates, bool Special>
TRINE_DEVICE void act_and_mul_chunk(uint32_t (&out)[4], const uint32_t (&x)[gate_words<Gates>],
                                    const act_and_mul_params &p)
{
    constexpr uint32_t n = X::per_word;
#pragma unroll
    for (uint32_t i = 0; i < 4; i++) {
        float gate[n], up[n];
#pragma unroll
        for (uint32_t j = 0; j < n; j++) {
            const uint32_t at = i * n + j;
            gate[j] = X::element(x, Gates == gate_interleaved ? 2 * at : at);
            if constexpr (Special) gate[j] = trine_min_keep_nan(gate[j], p.limit);
            if constexpr (Gates == gate_alone) {
                gate[j] = activate_gate<Activation>(gate[j], p.alpha);
            } else {
                up[j] = X::element(x, Gates == gate_interleaved ? 2 * at + 1 : 4 * n + at);
                if constexpr (Special)
                    up[j] = trine_max_keep_nan(trine_min_keep_nan(up[j], p.limit), -p.limit);
            }
        }
        if constexpr (Gates == gate_alone)
            out[i] = X::pack_word(gate);
        else if (Special && p.each)
            out[i] = activate_word<X, Activation, true>(gate, up, p.alpha);
        else
            out[i] = activate_word<X, Activation, false>(gate, up, p.alpha);
    }
}

template <class X, trine_activation Activation, int32_t Gates>
__global__ void TRINE_LAUNCH_BOUNDS(1u << act_and_mul_block_shift,
                                    (act_and_mul_resident<X, Activation>))
    act_and_mul_vector(const TRINE_GRID_CONSTANT act_and_mul_params p)
{
    constexpr uint32_t n = act_and_mul_rows;
    const uint32_t chunk = first_unit<uint32_t>(p.tiles);
    const uint32_t rows = (uint32_t)p.tiles.rows;
    if (chunk >= (uint32_t)p.tiles.units) return;
    const uint8_t *x =
        static_cast<const uint8_t *>(p.x) + (int64_t)chunk * (Gates == gate_interleaved ? 32 : 16);
    uint8_t *out = static_cast<uint8_t *>(p.out) + (int64_t)chunk * 16;
    for (uint32_t first = first_row<uint32_t>(p.tiles) * n; first < rows;
         first += row_step<uint32_t>(p.tiles) * n) {
        uint32_t words[n][gate_words<Gates>];
#pragma unroll
        for (uint32_t j = 0; j < n; j++) {
            // Past the end, the last row is computed once more and not written.
            const uint32_t row = first + j < rows ? first + j : rows - 1;
            load_gates<Gates>(words[j], x + row * p.x_row, p.up_offset);
        }
#pragma unroll
        for (uint32_t j = 0; j < n; j++) {
            uint32_t chunk_out[4];
            if (p.special) // the long way
                act_and_mul_chunk<X, Activation, Gates, true>(chunk_out, words[j], p);
            else
                act_and_mul_chunk<X, Activation, Gates, false>(chunk_out, words[j], p);
            if (first + j < rows) store_words(out + (first + j) * p.out_row, chunk_out);
        }
    }
}

template <trine_activation Activation, int32_t Gates>
static const void *act_and_mul_vector_of_gates(trine_dtype x)
{
    switch (x) {
    case TRINE_BF16:
        return reinterpret_cast<const void *>(&act_and_mul_vector<bf16, Activation, Gates>);
    case TRINE_F16:
        return reinterpret_cast<const void *>(&act_and_mul_vector<f16, Activation, Gates>);
    default:
        return reinterpret_cast<const void *>(&act_and_mul_vector<f32, Activation, Gates>);
    }
}

// The kernel for a problem. A file that calls this compiles all of them for one activation.
template <trine_activation Activation>
static const void *act_and_mul_vector_of(const trine_act_and_mul_problem *problem)
{
    if constexpr (Activation != TRINE_ACTIVATION_SWIGLU_OAI)
        if (!problem->gated)
            return act_and_mul_vector_of_gates<Activation, gate_alone>(problem->x.dtype);
    if (problem->gate_layout == TRINE_GATE_INTERLEAVED)
        return act_and_mul_vector_of_gates<Activation, gate_interleaved>(problem->x.dtype);
    return act_and_mul_vector_of_gates<Activation, gate_halves>(problem->x.dtype);
}

} // namespace trine_gpu

#endif
