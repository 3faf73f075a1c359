// SPDX-License-Identifier: Apache-2.0
// How the elementwise ops spread over a grid: rows of units (an element, or a chunk of 16 bytes),
// a unit a thread. A block is a rectangle of a power of two of units, so that no thread divides.
#ifndef TRINE_BACKENDS_GPU_ROW_TILES_H
#define TRINE_BACKENDS_GPU_ROW_TILES_H

#include "backends/gpu/launch.h"
#include "backends/gpu/wave.h"

namespace trine_gpu
{

struct row_tiles {
    int64_t rows, units;
    uint32_t unit_shift, row_shift; // a block: 1 << unit_shift units of 1 << row_shift rows
};

// Rows lie on grid.x, units on grid.y; kernels go round in both. The widest block is taken that
// leaves at most a sixteenth of its threads without a unit, else the one that leaves the fewest;
// not narrower than 8 units, as memory is fetched by more than one.
static inline trine_gpu_grid row_tiles_make(row_tiles *tiles, int64_t rows, int64_t units,
                                            uint32_t block_shift)
{
    uint32_t best = 0;
    int64_t fewest = INT64_MAX;
    const uint32_t least = units < 8 ? 0 : 3;
    for (uint32_t shift = block_shift + 1; shift-- > least;) {
        const int64_t width = INT64_C(1) << shift;
        const int64_t idle = (width - units % width) % width;
        if (idle < fewest) best = shift, fewest = idle;
        if (fewest <= units / 16) break;
    }
    *tiles = {rows, units, best, block_shift - best};
    const int64_t x = (rows + (INT64_C(1) << tiles->row_shift) - 1) >> tiles->row_shift;
    const int64_t y = (units + (INT64_C(1) << best) - 1) >> best;
    return {static_cast<uint64_t>(x),
            static_cast<uint32_t>(y < 65535 ? y : 65535),
            1,
            1u << block_shift,
            0,
            false};
}

// The first row and unit of this thread, and how far it goes on from there. Index is uint32_t where
// fewer than 2^31 rows and units are sure.
template <class Index = int64_t>
TRINE_DEVICE Index first_row(const row_tiles &tiles)
{
    return ((Index)blockIdx.x << tiles.row_shift) + (threadIdx.x >> tiles.unit_shift);
}

template <class Index = int64_t>
TRINE_DEVICE Index first_unit(const row_tiles &tiles)
{
    return ((Index)blockIdx.y << tiles.unit_shift) + (threadIdx.x & ((1u << tiles.unit_shift) - 1));
}

template <class Index = int64_t>
TRINE_DEVICE Index row_step(const row_tiles &tiles)
{
    return (Index)gridDim.x << tiles.row_shift;
}

template <class Index = int64_t>
TRINE_DEVICE Index unit_step(const row_tiles &tiles)
{
    return (Index)gridDim.y << tiles.unit_shift;
}

} // namespace trine_gpu

#endif
