// SPDX-License-Identifier: Apache-2.0
// fp8_convert on a GPU, for CUDA and HIP: the fast row `vector`. (`generic` stands in
// fp8_convert_generic.h.)
//
// A thread converts 16 bytes in each of a few rows, which it has all read before it writes the
// first; a weight without gaps is cut into rows first. The blocks past the weight's convert the
// scales, so that there is one launch.
#ifndef TRINE_BACKENDS_GPU_FP8_CONVERT_H
#define TRINE_BACKENDS_GPU_FP8_CONVERT_H

#include "backends/gpu/fp8_convert_generic.h"
#include "backends/gpu/fp8_convert_layout.h"
#include "backends/gpu/memory.h"
#include "backends/gpu/row_tiles.h"

namespace trine_gpu
{

constexpr uint32_t fp8_convert_block_shift = 8;
constexpr uint32_t fp8_convert_rows = 4; // of a thread
constexpr uint32_t fp8_convert_threads = 1u << fp8_convert_block_shift;

struct fp8_convert_params {
    const uint8_t *w;
    uint8_t *out;
    const void *scale;
    void *out_scale;
    int64_t from_pitch, to_pitch;
    int64_t columns, last_columns; // bytes of a row, of the last one
    int64_t scales;
    uint64_t blocks; // along x, without those of the scales
    row_tiles tiles; // chunks of 16 bytes
    bool ue8m0;
};

TRINE_DEVICE void fp8_convert_scales(const fp8_convert_params &p, uint64_t block)
{
    const int64_t i = (int64_t)block * fp8_convert_threads + threadIdx.x;
    if (i >= p.scales) return;
    if (p.ue8m0)
        static_cast<uint8_t *>(p.out_scale)[i] =
            (uint8_t)doubled_ue8m0(static_cast<const uint8_t *>(p.scale)[i]);
    else
        static_cast<float *>(p.out_scale)[i] = static_cast<const float *>(p.scale)[i] * 2.0f;
}

TRINE_DEVICE void convert_chunk(uint8_t *out, uint32_t (&words)[4])
{
#pragma unroll
    for (uint32_t i = 0; i < 4; i++) words[i] = fnuz_codes(words[i]);
    store_words(out, words);
}

// The rows from `first` on, at a chunk's column.
TRINE_DEVICE void fp8_convert_codes(const fp8_convert_params &p, int64_t first, int64_t column)
{
    constexpr uint32_t n = fp8_convert_rows;
    const uint8_t *w = p.w + first * p.from_pitch + column;
    uint8_t *out = p.out + first * p.to_pitch + column;
    if (first + n < p.tiles.rows && column + 16 <= p.columns) { // shortcut
        uint32_t words[n][4];
#pragma unroll
        for (uint32_t j = 0; j < n; j++) load_streamed(words[j], w + j * p.from_pitch);
#pragma unroll
        for (uint32_t j = 0; j < n; j++) convert_chunk(out + j * p.to_pitch, words[j]);
        return;
    }
    // The last rows, and the last chunk of a row where it is cut short.
#pragma unroll 1
    for (int64_t row = first; row < first + n && row < p.tiles.rows; row++) {
        const int64_t left = (row + 1 < p.tiles.rows ? p.columns : p.last_columns) - column;
        uint32_t words[4];
        if (left >= 16) {
            load_streamed(words, w);
            convert_chunk(out, words);
        } else {
#pragma unroll 1
            for (int64_t i = 0; i < left; i++) out[i] = (uint8_t)fnuz_codes(w[i]);
        }
        w += p.from_pitch;
        out += p.to_pitch;
    }
}

// Out may be w and out_scale may be scale: nothing is read but what the same thread writes.
__global__ void TRINE_LAUNCH_BOUNDS(fp8_convert_threads, 1536)
    fp8_convert_vector(const TRINE_GRID_CONSTANT fp8_convert_params p)
{
    const uint64_t blocks =
        p.blocks + (uint64_t)((p.scales + fp8_convert_threads - 1) / fp8_convert_threads);
    const int64_t chunk = first_unit(p.tiles);
    for (uint64_t block = blockIdx.x; block < blocks; block += gridDim.x) {
        if (block >= p.blocks) {
            if (blockIdx.y == 0) fp8_convert_scales(p, block - p.blocks);
            continue;
        }
        const int64_t row =
            (int64_t)(block << p.tiles.row_shift) + (threadIdx.x >> p.tiles.unit_shift);
        if (chunk < p.tiles.units) fp8_convert_codes(p, row * fp8_convert_rows, chunk * 16);
    }
}

// For a problem that trine_gpu_fp8_convert_vector_refuse has let through.
static inline trine_gpu_grid fp8_convert_plan(const trine_fp8_convert_problem *problem,
                                              fp8_convert_params *p)
{
    trine_gpu_runs runs;
    (void)trine_gpu_runs_of(&problem->w, &problem->out, &runs);
    const int64_t width = fp8_convert_threads * 16;
    p->w = static_cast<const uint8_t *>(problem->w.data);
    p->out = static_cast<uint8_t *>(problem->out.data);
    p->scale = problem->scale.data;
    p->out_scale = problem->out_scale.data;
    p->from_pitch = runs.from_pitch;
    p->to_pitch = runs.to_pitch;
    p->columns = p->last_columns = runs.columns;
    p->scales = problem->scale_elements;
    p->ue8m0 = problem->scale.dtype == TRINE_U8;
    if (runs.rows == 1 && runs.columns > width) {
        runs.rows = (runs.columns + width - 1) / width;
        p->last_columns = runs.columns - (runs.rows - 1) * width;
        p->from_pitch = p->to_pitch = p->columns = width;
    }
    trine_gpu_grid grid =
        row_tiles_make(&p->tiles, (runs.rows + fp8_convert_rows - 1) / fp8_convert_rows,
                       (p->columns + 15) / 16, fp8_convert_block_shift);
    p->tiles.rows = runs.rows;
    p->blocks = grid.x;
    grid.x += static_cast<uint64_t>((p->scales + fp8_convert_threads - 1) / fp8_convert_threads);
    if (grid.y == 0) grid.y = 1; // scales alone
    return grid;
}

} // namespace trine_gpu

#endif
