// SPDX-License-Identifier: Apache-2.0
// per_token_group_quant on a GPU, for CUDA and HIP: the row `table`, for silu of very many bf16.
//
// What bounds `vector` there is the issue of instructions, most of them the sigmoid's. This kernel
// looks it up in shared memory. A table takes as many sigmoids as half a round of a block has
// elements, so there is one block a multiprocessor, and it goes round: each 128 of its threads work
// as a block of `vector` does, on one tile after another, with the loads of the next tile on their
// way while a tile is quantized.
#ifndef TRINE_BACKENDS_GPU_GROUP_QUANT_TABLE_H
#define TRINE_BACKENDS_GPU_GROUP_QUANT_TABLE_H

#include "backends/gpu/divider.h"
#include "backends/gpu/group_quant_gate_table.h"
#include "backends/gpu/per_token_group_quant.h"

namespace trine_gpu
{

constexpr uint32_t group_quant_table_threads = 1024;
constexpr uint32_t group_quant_tile_shift = 7;
constexpr uint32_t group_quant_tile_threads = 1u << group_quant_tile_shift; // a block of `vector`
constexpr uint32_t group_quant_table_tiles = group_quant_table_threads / group_quant_tile_threads;

struct group_quant_table_params {
    group_quant_params quant;
    uint32_t column_tiles;
    small_divider by_column_tiles;
    uint32_t chunk_end, row_end;     // of all tiles
    uint32_t step_chunks, step_rows; // from a thread's tile to its next one
};

struct group_quant_table_plan {
    group_quant_table_params params;
    uint32_t blocks;
};

// For a problem that trine_gpu_per_token_group_quant_table_refuse has let through.
inline void group_quant_table_plan_make(const trine_per_token_group_quant_problem *problem,
                                        const trine_caps *caps, group_quant_table_plan *plan)
{
    group_quant_plan vector;
    group_quant_plan_make(problem, caps, group_quant_tile_shift, &vector);
    group_quant_table_params *t = &plan->params;
    t->quant = vector.params;
    const group_quant_params &p = t->quant;
    t->column_tiles = (p.chunks + p.chunk_mask) >> p.chunk_shift;
    t->chunk_end = t->column_tiles << p.chunk_shift;
    const uint32_t row_tiles = (p.visit + (1u << p.row_shift) - 1) >> p.row_shift;
    t->row_end = row_tiles << p.row_shift;
    const uint32_t units = caps->limits.compute_units ? caps->limits.compute_units : 128;
    const uint64_t tiles = static_cast<uint64_t>(t->column_tiles) * row_tiles;
    const uint64_t wanted = (tiles + group_quant_table_tiles - 1) / group_quant_table_tiles;
    plan->blocks = static_cast<uint32_t>(wanted < units ? wanted : units);
    if (problem->experts == 0) plan->blocks = 0;
    const uint32_t step = plan->blocks * group_quant_table_tiles;
    const uint32_t divisor = t->column_tiles ? t->column_tiles : 1;
    t->by_column_tiles = small_divider_of(divisor);
    t->step_chunks = step % divisor << p.chunk_shift;
    t->step_rows = step / divisor << p.row_shift;
}

// A thread's chunk of a tile; tiles go on columns first.
struct group_quant_spot {
    uint32_t chunk, row;

    // Neighbouring tiles go to neighbouring blocks, so that a last round that is not full is spread
    // over all of them.
    TRINE_DEVICE group_quant_spot first(const group_quant_table_params &t)
    {
        const group_quant_params &p = t.quant;
        const uint32_t tile = blockIdx.x + gridDim.x * (threadIdx.x / group_quant_tile_threads);
        const uint32_t thread = threadIdx.x % group_quant_tile_threads;
        const uint32_t row = divide(tile, t.by_column_tiles);
        const uint32_t column = tile - row * t.column_tiles;
        return {(column << p.chunk_shift) + (thread & p.chunk_mask),
                (row << p.row_shift) + (thread >> p.chunk_shift)};
    }

    TRINE_DEVICE group_quant_spot after(const group_quant_table_params &t, group_quant_spot spot)
    {
        spot.chunk += t.step_chunks, spot.row += t.step_rows;
        if (spot.chunk >= t.chunk_end)
            spot.chunk -= t.chunk_end, spot.row += 1u << t.quant.row_shift;
        return spot;
    }

    TRINE_DEVICE bool is_live(const group_quant_params &p, group_quant_spot spot)
    {
        return spot.chunk < p.chunks && spot.row < p.rows;
    }

    template <uint32_t Lanes>
    TRINE_DEVICE group_quant_place place(const group_quant_params &p, group_quant_spot spot)
    {
        return {spot.chunk, spot.chunk / Lanes, 0, spot.chunk < p.chunks, spot.chunk % Lanes == 0};
    }

    // Bytes from the first gate.
    TRINE_DEVICE uint64_t offset(const group_quant_params &p, group_quant_spot spot)
    {
        return static_cast<uint64_t>(spot.chunk) * (4 * bf16::words) +
               strides<false>(spot.row, p.x_row);
    }

    TRINE_DEVICE const uint8_t *x(const group_quant_params &p, group_quant_spot spot)
    {
        return static_cast<const uint8_t *>(p.x) + offset(p, spot);
    }

    TRINE_DEVICE uint8_t *q(const group_quant_params &p, group_quant_spot spot)
    {
        return static_cast<uint8_t *>(p.q) + static_cast<uint64_t>(spot.chunk) * 16 +
               strides<false>(spot.row, p.q_row);
    }
};

// Where there is no chunk, the words stay what they were, and nothing comes of them.
TRINE_DEVICE void load_spot(uint32_t (&gate)[bf16::words], uint32_t (&up)[bf16::words],
                            const group_quant_params &p, group_quant_spot spot)
{
    if (!group_quant_spot::is_live(p, spot)) return;
    const uint64_t offset = group_quant_spot::offset(p, spot);
    const uint8_t *x = static_cast<const uint8_t *>(p.x);
    load_written(gate, x + offset);
    load_written(up, x + p.up_offset + offset);
}

TRINE_DEVICE float gate_sigmoid(const float *table, uint32_t place)
{
    return *reinterpret_cast<const float *>(reinterpret_cast<const uint8_t *>(table) + place);
}

// silu(gate) * up of a chunk.
template <bool Each>
TRINE_DEVICE void silu_words(uint32_t (&out)[8], const uint32_t (&gate)[8], const uint32_t (&up)[8],
                             const float *table)
{
#pragma unroll
    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t places = trine_gpu_gate_places(gate[i]);
        float a[2] = {bf16::element(gate, 2 * i) * gate_sigmoid(table, places & 0xffffu),
                      bf16::element(gate, 2 * i + 1) * gate_sigmoid(table, places >> 16)};
        const float u[2] = {bf16::element(up, 2 * i), bf16::element(up, 2 * i + 1)};
        out[i] = multiply_word<bf16, TRINE_ACTIVATION_SILU, Each>(a, u);
    }
}

template <class Q, uint32_t Lanes>
__global__ void TRINE_LAUNCH_BOUNDS(group_quant_table_threads, group_quant_table_threads)
    group_quant_table(const TRINE_GRID_CONSTANT group_quant_table_params t)
{
    typedef bf16 X;
    constexpr int32_t silu = group_quant_silu;
    __shared__ float table[TRINE_GPU_GATE_ENTRIES];
    const group_quant_params &p = t.quant;
    group_quant_spot spot = group_quant_spot::first(t);
    if (group_quant_spot::is_live(p, spot)) {
        fetch_ahead(group_quant_spot::x(p, spot));
        fetch_ahead(group_quant_spot::x(p, spot) + p.up_offset);
    }
#pragma unroll 1
    for (uint32_t i = threadIdx.x; i < TRINE_GPU_GATE_ENTRIES; i += group_quant_table_threads)
        table[i] = trine_sigmoid_no_nan(trine_gpu_gate_of_entry(i));
    begin();
    __syncthreads();

    uint32_t gate[X::words] = {}, up[X::words] = {};
    load_spot(gate, up, p, spot);
    while (spot.row < t.row_end) {
        uint32_t w[X::words];
        if (p.each)
            silu_words<true>(w, gate, up, table);
        else
            silu_words<false>(w, gate, up, table);
        // The words are free for the next chunk's.
        const group_quant_spot next = group_quant_spot::after(t, spot);
        load_spot(gate, up, p, next);

        const bool live = group_quant_spot::is_live(p, spot);
        const uint32_t largest = team_max<Lanes>(X::largest(w));
        const bool singly = wave_any(largest >= X::quotient_end);
        float amax = X::from_bits(largest);
        if (singly) // the long way
            amax = team_finite<X, Lanes, silu>(p, group_quant_spot::x(p, spot), live);
        const float s = group_scale<Q>(p, amax);

        const group_quant_place at = group_quant_spot::place<Lanes>(p, spot);
        uint8_t *q = group_quant_spot::q(p, spot);
        if (live) {
            if (singly) { // the long way
                quantize_singly<X, Q, silu>(p, q, group_quant_spot::x(p, spot), s);
            } else {
                uint32_t codes[4];
                quantize_chunk<X, Q>(codes, w, s, p.truncate);
                store_words(q, codes);
            }
            if (at.leader) store_scale<false>(p, at, spot.row, s);
        } else if (at.inside) {
            zero_padding<false>(p, at, q, spot.row);
        }
        spot = next;
    }
}

// The kernel for a problem, NULL if there is none.
template <class Q>
static const void *group_quant_table_of_lanes(int64_t group_size)
{
    switch (group_size) {
    case 16:
        return reinterpret_cast<const void *>(&group_quant_table<Q, 1>);
    case 32:
        return reinterpret_cast<const void *>(&group_quant_table<Q, 2>);
    case 64:
        return reinterpret_cast<const void *>(&group_quant_table<Q, 4>);
    case 128:
        return reinterpret_cast<const void *>(&group_quant_table<Q, 8>);
    case 256:
        return reinterpret_cast<const void *>(&group_quant_table<Q, 16>);
    case 512:
        return reinterpret_cast<const void *>(&group_quant_table<Q, 32>);
    default:
        return nullptr;
    }
}

static const void *group_quant_table_of(trine_dtype q, int64_t group_size)
{
    if (q == TRINE_E4M3FN) return group_quant_table_of_lanes<e4m3fn>(group_size);
    if (q == TRINE_I8) return group_quant_table_of_lanes<i8>(group_size);
#if defined(__HIP__)
    if (q == TRINE_E4M3FNUZ) return group_quant_table_of_lanes<e4m3fnuz>(group_size);
#endif
    return nullptr;
}

} // namespace trine_gpu

#endif
