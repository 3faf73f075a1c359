// SPDX-License-Identifier: Apache-2.0
// dequantize on a GPU, for CUDA and HIP: the fast row `vector`. (`generic` stands in
// dequantize_generic.h.)
//
// A thread turns 16 codes in each of a few rows into 32 or 64 bytes; all 16 have one scale. Rows
// lie on grid.x, column blocks on grid.y. Sizes that are no powers of two are divided by in the
// form of a multiplication.
#ifndef TRINE_BACKENDS_GPU_DEQUANTIZE_H
#define TRINE_BACKENDS_GPU_DEQUANTIZE_H

#include "backends/gpu/decode.h"
#include "backends/gpu/divider.h"
#include "backends/gpu/memory.h"
#include "backends/gpu/row_tiles.h"
#include <trine/kernel.h>

namespace trine_gpu
{

constexpr uint32_t dequantize_block_shift = 7;
constexpr uint32_t dequantize_rows = 2; // of a thread

struct dequantize_params {
    const void *q, *scale;
    void *out;
    int64_t q_row, out_row;              // bytes
    int64_t scale_row, scale_column;     // elements
    small_divider scale_rows, chunks_of; // rows and chunks that share a scale
    row_tiles tiles;                     // chunks of 16 codes
    bool packed;
};

template <class Q, class Out>
__global__ void TRINE_LAUNCH_BOUNDS(1u << dequantize_block_shift, 1536)
    dequantize_vector(const TRINE_GRID_CONSTANT dequantize_params p)
{
    constexpr uint32_t n = dequantize_rows, bytes = 4 * Out::words;
    const uint32_t chunk = first_unit<uint32_t>(p.tiles);
    const uint32_t rows = (uint32_t)p.tiles.rows;
    if (chunk >= (uint32_t)p.tiles.units) return;
    const uint32_t group = divide(chunk, p.chunks_of);
    const int64_t column = (int64_t)(p.packed ? group >> 2 : group) * p.scale_column;
    const uint8_t *q = static_cast<const uint8_t *>(p.q) + (int64_t)chunk * 16;
    uint8_t *out = static_cast<uint8_t *>(p.out) + (int64_t)chunk * bytes;
    for (uint32_t first = first_row<uint32_t>(p.tiles) * n; first < rows;
         first += row_step<uint32_t>(p.tiles) * n) {
        uint32_t codes[n][4];
        float scale[n];
#pragma unroll
        for (uint32_t j = 0; j < n; j++) {
            // Past the end, the last row is computed once more and not written.
            const uint32_t row = first + j < rows ? first + j : rows - 1;
            load_streamed(codes[j], q + row * p.q_row);
            const int64_t at = divide(row, p.scale_rows) * p.scale_row + column;
            scale[j] = p.packed ? trine_ue8m0_to_f32(
                                      static_cast<const uint8_t *>(p.scale)[4 * at + (group & 3)])
                                : static_cast<const float *>(p.scale)[at];
        }
#pragma unroll
        for (uint32_t j = 0; j < n; j++) {
            if (first + j >= rows) break;
            uint8_t *to = out + (first + j) * p.out_row;
#pragma unroll
            for (uint32_t i = 0; i < bytes / 16; i++) {
                constexpr uint32_t per_store = 4 * Out::per_word;
                float x[per_store];
                uint32_t words[4];
#pragma unroll
                for (uint32_t c = 0; c < per_store / 4; c++) {
                    float four[4];
                    decode(Q(), four, codes[j][i * per_store / 4 + c]);
#pragma unroll
                    for (uint32_t e = 0; e < 4; e++) x[4 * c + e] = four[e] * scale[j];
                }
#pragma unroll
                for (uint32_t c = 0; c < 4; c++) {
                    float part[Out::per_word];
#pragma unroll
                    for (uint32_t e = 0; e < Out::per_word; e++) part[e] = x[c * Out::per_word + e];
                    words[c] = Out::pack_word(part);
                }
                store_words(to + 16 * i, words);
            }
        }
    }
}

// For a problem that trine_gpu_dequantize_vector_refuse has let through.
static inline trine_gpu_grid dequantize_plan(const trine_dequantize_problem *problem,
                                             dequantize_params *p)
{
    p->q = problem->q.data;
    p->scale = problem->scale.data;
    p->out = problem->out.data;
    p->q_row = problem->q.stride[0];
    p->out_row = problem->out.stride[0] * (problem->out.dtype == TRINE_F32 ? 4 : 2);
    p->scale_row = problem->scale_row_stride;
    p->scale_column = problem->scale_column_stride;
    p->packed = problem->packed;
    p->scale_rows = small_divider_of(problem->block_rows);
    // Group sizes that cut chunks are let through only where all of a row has one scale.
    const bool one = problem->groups <= 1 || problem->group_size % 16;
    p->chunks_of = small_divider_of(one ? INT32_MAX : problem->group_size / 16);
    const trine_gpu_grid grid =
        row_tiles_make(&p->tiles, (problem->rows + dequantize_rows - 1) / dequantize_rows,
                       problem->columns / 16, dequantize_block_shift);
    p->tiles.rows = problem->rows;
    return grid;
}

template <class Q>
static const void *dequantize_vector_of_q(trine_dtype out)
{
    switch (out) {
    case TRINE_BF16:
        return reinterpret_cast<const void *>(&dequantize_vector<Q, bf16>);
    case TRINE_F16:
        return reinterpret_cast<const void *>(&dequantize_vector<Q, f16>);
    default:
        return reinterpret_cast<const void *>(&dequantize_vector<Q, f32>);
    }
}

static const void *dequantize_vector_of(trine_dtype q, trine_dtype out)
{
    switch (q) {
    case TRINE_E4M3FN:
        return dequantize_vector_of_q<e4m3fn>(out);
    case TRINE_E4M3FNUZ:
        return dequantize_vector_of_q<e4m3fnuz>(out);
    case TRINE_E5M2:
        return dequantize_vector_of_q<e5m2>(out);
    default:
        return dequantize_vector_of_q<i8>(out);
    }
}

} // namespace trine_gpu

#endif
