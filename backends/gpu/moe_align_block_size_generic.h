// SPDX-License-Identifier: Apache-2.0
// moe_align_block_size on a GPU, for CUDA and HIP: the row `generic`, which takes every legal call.
//
// Slots are cut into chunks, and the workspace has a row of counters for each chunk, one for each
// expert, and a last row for the totals. Five kernels follow each other: they count, total, place
// the experts, turn the counters into the position of each chunk's first slot of each expert, and
// place the slots. Counters are added to in any order, but no position depends on that order.
#ifndef TRINE_BACKENDS_GPU_MOE_ALIGN_BLOCK_SIZE_GENERIC_H
#define TRINE_BACKENDS_GPU_MOE_ALIGN_BLOCK_SIZE_GENERIC_H

#include "backends/gpu/moe_align_block_size_params.h"

namespace trine_gpu
{

constexpr uint32_t moe_align_scan_threads = 1024;

// One block a chunk: how often it names each expert.
static __global__ void __launch_bounds__(moe_align_threads)
    moe_align_generic_count(const TRINE_GRID_CONSTANT moe_align_params p)
{
    int32_t *row = moe_align_row(p, blockIdx.x);
    for (uint32_t e = threadIdx.x; e < p.experts; e += moe_align_threads) row[e] = 0;
    __syncthreads();
    const uint32_t end = moe_align_chunk_end(p, blockIdx.x);
    for (uint32_t slot = blockIdx.x * p.chunk + threadIdx.x; slot < end;
         slot += moe_align_threads) {
        const int32_t e = moe_align_expert(p, slot);
        if (e >= 0) atomicAdd(&row[e], 1);
    }
}

// A team of 32 lanes an expert: the sum of its counters.
static __global__ void __launch_bounds__(moe_align_threads)
    moe_align_generic_total(const TRINE_GRID_CONSTANT moe_align_params p)
{
    constexpr uint32_t teams = moe_align_threads / 32;
    int32_t *totals = moe_align_row(p, p.chunks);
    for (uint64_t first = (uint64_t)blockIdx.x * teams; first < p.experts;
         first += (uint64_t)gridDim.x * teams) {
        const uint64_t e = first + threadIdx.x / 32;
        uint32_t count = 0;
        if (e < p.experts)
            for (uint32_t c = threadIdx.x % 32; c < p.chunks; c += 32)
                count += (uint32_t)moe_align_row(p, c)[e];
        count = scan_of_32(count);
        if (e < p.experts && threadIdx.x % 32 == 31) totals[e] = (int32_t)count;
    }
}

// One block: each total becomes the position where the expert's run begins; the entry after the
// last expert is the end of them all.
static __global__ void __launch_bounds__(moe_align_scan_threads)
    moe_align_generic_offsets(const TRINE_GRID_CONSTANT moe_align_params p)
{
    __shared__ uint32_t part[moe_align_scan_threads / 32];
    int32_t *totals = moe_align_row(p, p.chunks);
    uint32_t end = 0;
    for (uint32_t first = 0; first < p.experts; first += moe_align_scan_threads) {
        const uint32_t e = first + threadIdx.x;
        const bool live = e < p.experts;
        uint32_t all;
        const uint32_t run = live ? moe_align_run(p, (uint32_t)totals[e]) : 0;
        const uint32_t before = block_scan<moe_align_scan_threads>(run, part, all);
        if (live) totals[e] = (int32_t)(end + before);
        end += all;
    }
    if (threadIdx.x == 0) {
        totals[p.experts] = (int32_t)end;
        *p.num_tokens_post_padded = (int32_t)end;
    }
}

// Blocks take experts in turn: counters become positions, the run's padding and the experts of its
// blocks are written. Then all write what lies past the last run.
static __global__ void __launch_bounds__(moe_align_threads)
    moe_align_generic_runs(const TRINE_GRID_CONSTANT moe_align_params p)
{
    __shared__ uint32_t part[moe_align_threads / 32];
    const int32_t *offsets = moe_align_row(p, p.chunks);
    for (uint64_t e = blockIdx.x; e < p.experts; e += gridDim.x) {
        uint32_t position = (uint32_t)offsets[e];
        const uint32_t next = (uint32_t)offsets[e + 1];
        if (position == next) continue; // shortcut: without slots no counter is read
        const uint32_t begin = position;
        for (uint32_t first = 0; first < p.chunks; first += moe_align_threads) {
            const uint32_t c = first + threadIdx.x;
            int32_t *counter = moe_align_row(p, c < p.chunks ? c : 0) + e;
            uint32_t all;
            const uint32_t before =
                block_scan<moe_align_threads>(c < p.chunks ? (uint32_t)*counter : 0, part, all);
            if (c < p.chunks) *counter = (int32_t)(position + before);
            position += all;
        }
        for (uint32_t i = position + threadIdx.x; i < next; i += moe_align_threads)
            p.sorted_token_ids[i * p.sorted_stride] = (int32_t)p.slots;
        const uint32_t end_block = moe_align_divide(next, p.block_size);
        for (uint32_t b = moe_align_divide(begin, p.block_size) + threadIdx.x; b < end_block;
             b += moe_align_threads)
            p.expert_ids[b * p.expert_ids_stride] = (int32_t)e;
    }
    const uint32_t end = (uint32_t)offsets[p.experts];
    const int64_t thread = (int64_t)blockIdx.x * moe_align_threads + threadIdx.x;
    const int64_t threads = (int64_t)gridDim.x * moe_align_threads;
    for (int64_t i = end + thread; i < p.capacity; i += threads)
        p.sorted_token_ids[i * p.sorted_stride] = (int32_t)p.slots;
    for (int64_t b = moe_align_divide(end, p.block_size) + thread; b < p.blocks; b += threads)
        p.expert_ids[b * p.expert_ids_stride] = -1;
}

// One block a chunk, which places its slots a tile at a time: a slot's rank is the number of slots
// before it in the tile that go to the same expert. The chunk's counters hold the next positions.
static __global__ void __launch_bounds__(moe_align_threads)
    moe_align_generic_place(const TRINE_GRID_CONSTANT moe_align_params p)
{
    __shared__ int32_t tile[moe_align_threads];
    int32_t *row = moe_align_row(p, blockIdx.x);
    const uint32_t end = moe_align_chunk_end(p, blockIdx.x);
    for (uint32_t first = blockIdx.x * p.chunk; first < end; first += moe_align_threads) {
        const uint32_t slot = first + threadIdx.x;
        const int32_t e = slot < end ? moe_align_expert(p, slot) : -1;
        tile[threadIdx.x] = e;
        __syncthreads(); // the tile is there, and the counters are written
        uint32_t before = 0, same = 0;
#pragma unroll 16
        for (uint32_t i = 0; i < moe_align_threads; i++) {
            const uint32_t equal = tile[i] == e;
            same += equal;
            before += i < threadIdx.x ? equal : 0;
        }
        if (e >= 0)
            p.sorted_token_ids[((uint32_t)row[e] + before) * p.sorted_stride] = (int32_t)slot;
        __syncthreads(); // the tile and the counters have been read
        if (e >= 0 && before + 1 == same) row[e] += (int32_t)same;
    }
}

} // namespace trine_gpu

#endif
