// SPDX-License-Identifier: Apache-2.0
// Launchers of fused_moe's steps in accesses of 16 bytes.
#include "backends/gpu/fused_moe.h"
#include "backends/gpu/fused_moe_vector.h"

namespace trine_gpu
{

constexpr uint32_t block_shift = 8;
static_assert(1u << block_shift == moe_step_threads, "a thread a unit");

static int64_t size_of(trine_dtype dtype)
{
    return dtype == TRINE_F32 ? 4 : 2;
}

// Rows of `columns` elements, dense, each at a multiple of 16 bytes.
static bool is_aligned(const void *data, trine_dtype dtype, int64_t rows, int64_t row,
                       int64_t columns, int64_t column)
{
    const int64_t size = size_of(dtype);
    return reinterpret_cast<uintptr_t>(data) % 16 == 0 && (rows <= 1 || row * size % 16 == 0) &&
           (columns <= 1 || column == 1) && columns * size % 16 == 0;
}

// Lanes of moe_activate_vector that share a scale; 0: moe_activate_rows takes it; -1: neither.
static int64_t lanes_of(const moe_quantizer &q)
{
    if (!q.codes) return -1; // the product has activated already
    if (q.columns < moe_chunk || q.columns % moe_chunk || q.columns > (INT64_C(1) << 22)) return -1;
    if (q.per_tensor) return 1;
    if (q.blocks == 1) return 0;
    const bool power = (q.block & (q.block - 1)) == 0;
    return power && q.block >= 64 && q.block <= 512 && q.columns % q.block == 0
               ? q.block / moe_chunk
               : -1;
}

bool moe_vector_activates(const moe_quantizer &q)
{
    return q.second && lanes_of(q) >= 0;
}

trine_status moe_vector_activate(const trine_launch *launch, const moe_routes &routes,
                                 const moe_quantizer &quantizer)
{
    moe_routes r = routes;
    moe_quantizer q = quantizer;
    const int64_t positions = moe_capacity(launch->problem->fused_moe);
    const uint32_t lanes = static_cast<uint32_t>(lanes_of(q));
    if (lanes == 0) {
        void *args[] = {&r, &q};
        const trine_gpu_grid grid = {
            static_cast<uint64_t>(positions), 1, 1, moe_step_threads, 0, false};
        return trine_gpu_launch(launch, reinterpret_cast<const void *>(&moe_activate_rows), &grid,
                                args);
    }
    uint32_t lane_shift = 0;
    while ((1u << lane_shift) < lanes) lane_shift++;
    row_tiles tiles;
    const trine_gpu_grid grid =
        row_tiles_make(&tiles, positions, q.columns / moe_chunk, block_shift);
    void *args[] = {&r, &q, &tiles, &lane_shift};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&moe_activate_vector), &grid,
                            args);
}

bool moe_vector_clears(const moe_clearing &c)
{
    return !c.slots && is_aligned(c.data, c.dtype, c.rows, c.token, c.columns, c.column);
}

trine_status moe_vector_clear(const trine_launch *launch, const moe_clearing &clearing)
{
    moe_clearing c = clearing;
    row_tiles tiles;
    trine_gpu_grid grid =
        row_tiles_make(&tiles, c.rows, c.columns * size_of(c.dtype) / 16, block_shift);
    void *args[] = {&c, &tiles};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&moe_clear_rows), &grid, args);
}

bool moe_vector_ends(const moe_routes &routes, const moe_ending &e)
{
    return e.hidden % 8 == 0 &&
           is_aligned(e.out, e.dtype, routes.tokens, e.token, e.hidden, e.column);
}

trine_status moe_vector_end(const trine_launch *launch, const moe_routes &routes,
                            const moe_ending &ending, bool summands)
{
    moe_routes r = routes;
    moe_ending e = ending;
    row_tiles tiles;
    const trine_gpu_grid grid = row_tiles_make(&tiles, r.tokens, e.hidden / 8, block_shift);
    const void *kernel = summands ? reinterpret_cast<const void *>(&moe_end_vector<true>)
                                  : reinterpret_cast<const void *>(&moe_end_vector<false>);
    void *args[] = {&r, &e, &tiles};
    return trine_gpu_launch(launch, kernel, &grid, args);
}

trine_status moe_vector_prepare(const trine_row *row, int32_t ordinal)
{
    const void *const kernels[] = {
        reinterpret_cast<const void *>(&moe_activate_vector),
        reinterpret_cast<const void *>(&moe_activate_rows),
        reinterpret_cast<const void *>(&moe_clear_rows),
        reinterpret_cast<const void *>(&moe_end_vector<true>),
        reinterpret_cast<const void *>(&moe_end_vector<false>),
    };
    trine_status status = TRINE_OK;
    for (const void *kernel : kernels)
        if (!status) status = trine_gpu_load(row, ordinal, kernel, 0);
    return status;
}

} // namespace trine_gpu
