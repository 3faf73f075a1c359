// SPDX-License-Identifier: Apache-2.0
// What the kernels of per_token_group_quant get, and how a problem becomes it: the host's half of
// the row `vector`, the same for CUDA and HIP.
#ifndef TRINE_BACKENDS_GPU_GROUP_QUANT_PARAMS_H
#define TRINE_BACKENDS_GPU_GROUP_QUANT_PARAMS_H

#include <cstring>
#include <utility>

#include "backends/gpu/ahead.h"
#include <trine/kernel.h>

namespace trine_gpu
{

// Activations are compiled apart; each has the number that trine_activation gives it.
constexpr int32_t group_quant_plain = 0, group_quant_silu = 1, group_quant_gelu_erf = 2,
                  group_quant_gelu_tanh = 3;

struct group_quant_params {
    const void *x;
    void *q, *scale;
    const int32_t *masked_m; // NULL: every row is used
    int64_t x_row, x_expert; // bytes
    int64_t q_row, q_expert; // bytes
    int64_t up_offset;       // bytes from a gate to its up
    int64_t masked_stride;
    int64_t scale_row, scale_column, scale_expert; // bytes
    uint32_t rows;                                 // rows of x
    uint32_t visit;                                // these and the padding rows
    uint32_t q_rows;
    uint32_t scale_rows, scale_rows_last; // rows of a column of scale, of the last one
    uint32_t groups, scale_columns;
    uint32_t chunks; // of 16 elements in a row
    uint32_t chunk_shift, chunk_mask,
        row_shift;  // a block: 1 << chunk_shift chunks of 1 << row_shift rows
    uint32_t ahead; // so many blocks fetch ahead
    // Bits of eps; of what a scale is at least, and what rounds it up to a power of two.
    uint32_t eps, scale_floor, scale_round, scale_mask;
    bool columns_first; // column blocks lie on grid.x, rows on grid.y
    bool packed, truncate, each;
};

struct group_quant_plan {
    group_quant_params params;
    uint32_t grid_x; // blocks wanted; fewer do the same work in rounds
    uint32_t grid_y, grid_z, threads;
    bool rounds; // takes the form of the kernel that goes in rounds
};

inline uint32_t group_quant_max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

inline uint32_t group_quant_bits(float x)
{
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

// Threads of a block, as a power of two. What a multiprocessor holds is full with 128, and an H200
// is twice as slow with 64; but so few rows that most of it stays empty end sooner when they are
// spread wider (M = 4 with K = 7168: 0.79 us instead of 0.82).
inline uint32_t group_quant_block_shift(const trine_per_token_group_quant_problem *problem,
                                        const trine_caps *caps)
{
    const int64_t rows = problem->rows * problem->experts;
    return problem->columns / 16 * rows <= INT64_C(32) * caps->limits.compute_units ? 6 : 7;
}

// For a problem that trine_refuse_group_quant_vector has let through, in blocks of 1 << block_shift
// threads, at most 128.
inline void group_quant_plan_make(const trine_per_token_group_quant_problem *problem,
                                  const trine_caps *caps, uint32_t block_shift,
                                  group_quant_plan *plan)
{
    group_quant_params *p = &plan->params;
    const int64_t element = problem->x.dtype == TRINE_F32 ? 4 : 2;
    const bool masked = problem->masked_m.data != nullptr;
    p->x = problem->x.data;
    p->q = problem->q.data;
    p->scale = problem->scale.data;
    p->masked_m = static_cast<const int32_t *>(problem->masked_m.data);
    p->masked_stride = masked ? problem->masked_m.stride[0] : 0;
    p->x_expert = problem->x.stride[0] * element;
    p->x_row = problem->x.stride[1] * element;
    p->q_expert = problem->q.stride[0];
    p->q_row = problem->q.stride[1];
    p->up_offset = problem->columns * element;
    p->scale_expert = problem->scale_expert_stride * 4;
    p->scale_row = problem->scale_row_stride * 4;
    p->scale_column = problem->scale_column_stride * 4;
    p->rows = static_cast<uint32_t>(problem->rows);
    p->q_rows = static_cast<uint32_t>(problem->q_rows);
    p->scale_rows =
        static_cast<uint32_t>(problem->scale_has_tail ? problem->aligned_rows : problem->rows);
    p->scale_rows_last =
        static_cast<uint32_t>(problem->scale_has_tail ? problem->scale_rows : problem->rows);
    p->visit = group_quant_max(p->rows, p->q_rows);
    p->visit = group_quant_max(p->visit, group_quant_max(p->scale_rows, p->scale_rows_last));
    p->groups = static_cast<uint32_t>(problem->groups);
    p->scale_columns = static_cast<uint32_t>(problem->scale_columns);
    p->chunks = static_cast<uint32_t>(problem->columns / 16);
    const bool ue8m0 = problem->format == TRINE_SCALE_UE8M0;
    p->eps = group_quant_bits(problem->eps);
    p->scale_floor = ue8m0 && problem->ue8m0_floor > 0 ? group_quant_bits(problem->ue8m0_floor) : 0;
    p->scale_round = ue8m0 ? 0x7fffffu : 0;
    p->scale_mask = ue8m0 ? 0x7f800000u : 0xffffffffu;
    p->packed = problem->packed;
    p->truncate = problem->int_rounding == TRINE_INT_TRUNCATE;
    p->each = problem->intermediate_rounding == TRINE_ROUND_EACH;

    // A block is as many columns as divide the row evenly, the rest rows. Rows whose chunks have
    // few factors of two, but are very many, take blocks that stick out instead.
    uint32_t shift = 0;
    while (shift < block_shift && p->chunks % (2u << shift) == 0) shift++;
    if (p->chunks >> shift > 65535u) shift = block_shift;
    p->chunk_shift = shift;
    p->chunk_mask = (1u << shift) - 1;
    p->row_shift = block_shift - shift;
    plan->threads = 1u << block_shift;
    plan->grid_x = (p->visit + (1u << p->row_shift) - 1) >> p->row_shift;
    plan->grid_y = (p->chunks + p->chunk_mask) >> shift;
    plan->grid_z = static_cast<uint32_t>(problem->experts);
    // What the simple form leaves out; blocks beyond 2^24 are no longer a grid on every device.
    const int64_t far = INT64_C(1) << 32;
    plan->rounds = masked || problem->experts > 1 || plan->grid_x > 1u << 24 || p->x_row >= far ||
                   p->q_row >= far || p->scale_row >= far || p->scale_column >= far;
    if (masked) {
        // Most rows may be unused: fewer blocks, which go round, instead of many that find nothing.
        const uint64_t enough = 8192;
        const uint64_t share = enough / (static_cast<uint64_t>(plan->grid_y) * plan->grid_z) + 1;
        if (plan->grid_x > share) plan->grid_x = static_cast<uint32_t>(share);
    }
    // Blocks start in the order of x, then y: whole rows at a time keep memory's pages busy (an
    // H200 gains 4 percent). Rows that are too many for y lie on x.
    p->columns_first = !plan->rounds && plan->grid_x <= 65535;
    if (p->columns_first) std::swap(plan->grid_x, plan->grid_y);
    p->ahead = trine_gpu_blocks_ahead(caps, plan->threads);
}

} // namespace trine_gpu

#endif
