// SPDX-License-Identifier: Apache-2.0
// moe_align_block_size on a GPU, for CUDA and HIP: the rows `small` and `chunked`, for up to 1024
// experts, whose counters fit in shared memory.
//
// A team of 32 lanes takes neighbouring slots, 32 at a time, and has counters of its own. The lanes
// that name the same expert find each other bit by bit; what the counter held plus the number of
// such lanes below is a slot's rank in its team. Then the teams' counters are added up in order, so
// ranks ascend with slots whatever order the hardware runs the teams in.
//
// `small` is one kernel: every block counts all slots, the first places them, and all share in the
// padding. `chunked` counts by chunks of slots, adds the chunks up, and places: three kernels.
#ifndef TRINE_BACKENDS_GPU_MOE_ALIGN_BLOCK_SIZE_SHARED_H
#define TRINE_BACKENDS_GPU_MOE_ALIGN_BLOCK_SIZE_SHARED_H

#include "backends/gpu/moe_align_block_size_params.h"

namespace trine_gpu
{

constexpr uint32_t moe_align_teams = moe_align_threads / 32;
constexpr uint32_t moe_align_chunked_items = 4; // slots of a thread in one go

// Dynamic shared memory: a row of counters for each team, the next position, the begin and the end
// of each expert's slots.
struct moe_align_shared {
    uint32_t *counters, *next, *begin, *end;
};

inline uint32_t moe_align_shared_size(uint32_t experts)
{
    return (moe_align_teams + 3) * 4 * experts + 4;
}

TRINE_DEVICE moe_align_shared moe_align_shared_of(uint32_t *memory, uint32_t experts)
{
    uint32_t *next = memory + moe_align_teams * experts;
    return {memory, next, next + experts, next + 2 * experts + 1}; // begin has one entry more
}

// Ranks a team's slots: slot i of a lane is e[i]'s (-1: nobody's) rank[i]-th of this team.
template <uint32_t Items>
TRINE_DEVICE void moe_align_rank(uint32_t (&rank)[Items], const int32_t (&e)[Items],
                                 uint32_t *counters, uint32_t bits)
{
    const uint32_t below = (1u << threadIdx.x % 32) - 1;
#pragma unroll
    for (uint32_t i = 0; i < Items; i++) {
        const bool live = e[i] >= 0;
        uint32_t same = team_ballot<32>(live);
        for (uint32_t b = 0; b < bits; b++) {
            const bool set = (uint32_t)e[i] >> b & 1;
            const uint32_t lanes = team_ballot<32>(set);
            same &= set ? lanes : ~lanes;
        }
        const uint32_t before = lane_count(same & below);
        const uint32_t held = live ? counters[e[i]] : 0;
        rank[i] = held + before;
        wave_sync(); // the counters have been read
        if (live && before == 0) counters[e[i]] = held + lane_count(same);
        wave_sync();
    }
}

// Begin and end of each expert's run, by all threads of a block. `count(e)` is asked once for each.
template <class Count>
TRINE_DEVICE void moe_align_runs(const moe_align_params &p, const moe_align_shared &s,
                                 uint32_t *part, Count count)
{
    uint32_t position = 0;
    for (uint32_t first = 0; first < p.experts; first += moe_align_threads) {
        const uint32_t e = first + threadIdx.x;
        const uint32_t slots = e < p.experts ? count(e) : 0;
        uint32_t all;
        const uint32_t begin =
            position + block_scan<moe_align_threads>(moe_align_run(p, slots), part, all);
        if (e < p.experts) s.begin[e] = begin, s.end[e] = begin + slots;
        position += all;
    }
    if (threadIdx.x == 0) s.begin[p.experts] = position;
}

// The grid's teams take experts in turn and write the padding of their runs and the experts of
// their blocks; then all threads write what lies past the last run.
TRINE_DEVICE void moe_align_fill(const moe_align_params &p, const moe_align_shared &s)
{
    const uint32_t lane = threadIdx.x % 32;
    for (uint32_t e = blockIdx.x * moe_align_teams + threadIdx.x / 32; e < p.experts;
         e += gridDim.x * moe_align_teams) {
        const uint32_t next = s.begin[e + 1];
        for (uint32_t i = s.end[e] + lane; i < next; i += 32)
            p.sorted_token_ids[i * p.sorted_stride] = (int32_t)p.slots;
        const uint32_t end_block = moe_align_divide(next, p.block_size);
        for (uint32_t b = moe_align_divide(s.begin[e], p.block_size) + lane; b < end_block; b += 32)
            p.expert_ids[b * p.expert_ids_stride] = (int32_t)e;
    }
    const uint32_t end = s.begin[p.experts];
    const int64_t thread = (int64_t)blockIdx.x * moe_align_threads + threadIdx.x;
    const int64_t threads = (int64_t)gridDim.x * moe_align_threads;
    for (int64_t i = end + thread; i < p.capacity; i += threads)
        p.sorted_token_ids[i * p.sorted_stride] = (int32_t)p.slots;
    for (int64_t b = moe_align_divide(end, p.block_size) + thread; b < p.blocks; b += threads)
        p.expert_ids[b * p.expert_ids_stride] = -1;
    if (thread == 0) *p.num_tokens_post_padded = (int32_t)end;
}

// The experts of a thread's slots. Team t has slots first + 32 t Items and on.
template <uint32_t Items>
TRINE_DEVICE uint32_t moe_align_load(int32_t (&e)[Items], const moe_align_params &p, uint32_t first,
                                     uint32_t end)
{
    const uint32_t slot = first + threadIdx.x / 32 * (32 * Items) + threadIdx.x % 32;
#pragma unroll
    for (uint32_t i = 0; i < Items; i++)
        e[i] = slot + 32 * i < end ? moe_align_expert(p, slot + 32 * i) : -1;
    return slot;
}

// The teams' counters become the positions of their first slots; `next` moves on.
TRINE_DEVICE void moe_align_positions(const moe_align_params &p, const moe_align_shared &s)
{
    for (uint32_t e = threadIdx.x; e < p.experts; e += moe_align_threads) {
        uint32_t position = s.next[e];
#pragma unroll
        for (uint32_t t = 0; t < moe_align_teams; t++) {
            uint32_t *counter = &s.counters[t * p.experts + e];
            const uint32_t count = *counter;
            *counter = position;
            position += count;
        }
        s.next[e] = position;
    }
}

template <uint32_t Items>
TRINE_DEVICE void moe_align_store(const moe_align_params &p, const int32_t (&e)[Items],
                                  const uint32_t (&rank)[Items], const uint32_t *counters,
                                  uint32_t slot)
{
#pragma unroll
    for (uint32_t i = 0; i < Items; i++)
        if (e[i] >= 0)
            p.sorted_token_ids[(counters[e[i]] + rank[i]) * p.sorted_stride] =
                (int32_t)(slot + 32 * i);
}

TRINE_DEVICE void moe_align_clear(uint32_t *counters, uint32_t count)
{
    for (uint32_t i = threadIdx.x; i < count; i += moe_align_threads) counters[i] = 0;
}

template <uint32_t Items>
__global__ void __launch_bounds__(moe_align_threads)
    moe_align_small(const TRINE_GRID_CONSTANT moe_align_params p)
{
    extern __shared__ uint32_t memory[];
    __shared__ uint32_t part[moe_align_teams];
    const moe_align_shared s = moe_align_shared_of(memory, p.experts);
    uint32_t *counters = s.counters + threadIdx.x / 32 * p.experts;
    moe_align_clear(s.counters, moe_align_teams * p.experts);
    wait_for_previous();
    let_next_start();
    int32_t e[Items];
    uint32_t rank[Items];
    const uint32_t slot = moe_align_load<Items>(e, p, 0, p.slots);
    __syncthreads();
    moe_align_rank<Items>(rank, e, counters, p.expert_bits);
    __syncthreads();
    moe_align_runs(p, s, part, [&](uint32_t expert) {
        uint32_t count = 0;
#pragma unroll
        for (uint32_t t = 0; t < moe_align_teams; t++) count += s.counters[t * p.experts + expert];
        return count;
    });
    __syncthreads();
    moe_align_fill(p, s);
    if (blockIdx.x != 0) return;
    for (uint32_t i = threadIdx.x; i < p.experts; i += moe_align_threads) s.next[i] = s.begin[i];
    moe_align_positions(p, s); // each thread reads the `next` that it wrote
    __syncthreads();
    moe_align_store<Items>(p, e, rank, counters, slot);
}

// One block a chunk: how often it names each expert.
static __global__ void __launch_bounds__(moe_align_threads)
    moe_align_chunked_count(const TRINE_GRID_CONSTANT moe_align_params p)
{
    extern __shared__ uint32_t memory[];
    moe_align_clear(memory, p.experts);
    wait_for_previous();
    let_next_start();
    __syncthreads();
    const uint32_t end = moe_align_chunk_end(p, blockIdx.x);
    for (uint32_t slot = blockIdx.x * p.chunk + threadIdx.x; slot < end;
         slot += moe_align_threads) {
        const int32_t e = moe_align_expert(p, slot);
        if (e >= 0) atomicAdd(&memory[e], 1u);
    }
    __syncthreads();
    int32_t *row = moe_align_row(p, blockIdx.x);
    for (uint32_t e = threadIdx.x; e < p.experts; e += moe_align_threads)
        row[e] = (int32_t)memory[e];
}

// A team an expert: each chunk's counter becomes the number of its slots in the chunks before, the
// last row the number of all.
static __global__ void __launch_bounds__(moe_align_threads)
    moe_align_chunked_scan(const TRINE_GRID_CONSTANT moe_align_params p)
{
    constexpr uint32_t rounds = 8; // loads that are under way together
    wait_for_previous();
    let_next_start();
    const uint32_t lane = threadIdx.x % 32;
    const uint32_t e = blockIdx.x * moe_align_teams + threadIdx.x / 32;
    const bool live = e < p.experts;
    const int64_t pitch = 32 * ((int64_t)p.experts + 1);
    int32_t *row = moe_align_row(p, lane) + (live ? e : 0);
    uint32_t before = 0;
#pragma unroll 1
    for (uint32_t first = lane; first - lane < p.chunks; first += 32 * rounds) {
        uint32_t count[rounds];
#pragma unroll
        for (uint32_t i = 0; i < rounds; i++)
            count[i] = live && first + 32 * i < p.chunks ? (uint32_t)row[i * pitch] : 0;
#pragma unroll
        for (uint32_t i = 0; i < rounds; i++) {
            const uint32_t upto = scan_of_32(count[i]);
            if (live && first + 32 * i < p.chunks)
                row[i * pitch] = (int32_t)(before + upto - count[i]);
            before += from_lane_of_32(upto, 31);
        }
        row += rounds * pitch;
    }
    if (live && lane == 0) moe_align_row(p, p.chunks)[e] = (int32_t)before;
}

static __global__ void __launch_bounds__(moe_align_threads)
    moe_align_chunked_place(const TRINE_GRID_CONSTANT moe_align_params p)
{
    constexpr uint32_t items = moe_align_chunked_items;
    extern __shared__ uint32_t memory[];
    __shared__ uint32_t part[moe_align_teams];
    const moe_align_shared s = moe_align_shared_of(memory, p.experts);
    uint32_t *counters = s.counters + threadIdx.x / 32 * p.experts;
    wait_for_previous();
    let_next_start();
    const int32_t *totals = moe_align_row(p, p.chunks), *row = moe_align_row(p, blockIdx.x);
    moe_align_runs(p, s, part, [&](uint32_t expert) { return (uint32_t)totals[expert]; });
    // Each thread reads the `begin` that it wrote.
    for (uint32_t e = threadIdx.x; e < p.experts; e += moe_align_threads)
        s.next[e] = s.begin[e] + (uint32_t)row[e];
    const uint32_t end = moe_align_chunk_end(p, blockIdx.x);
    for (uint32_t first = blockIdx.x * p.chunk; first < end; first += items * moe_align_threads) {
        int32_t e[items];
        uint32_t rank[items];
        const uint32_t slot = moe_align_load<items>(e, p, first, end);
        moe_align_clear(s.counters, moe_align_teams * p.experts);
        __syncthreads();
        moe_align_rank<items>(rank, e, counters, p.expert_bits);
        __syncthreads();
        moe_align_positions(p, s);
        __syncthreads();
        moe_align_store<items>(p, e, rank, counters, slot);
        __syncthreads(); // the counters have been read
    }
    __syncthreads();
    moe_align_fill(p, s);
}

} // namespace trine_gpu

#endif
