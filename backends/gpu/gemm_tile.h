// SPDX-License-Identifier: Apache-2.0
// A tile of A B^T by a block: Rows of A times Columns of B, both K-contiguous in memory, through
// shared memory, where they lie in the matrix unit's type with rows an odd number of 16 bytes
// apart. Results of a k-block are summed on their own, scaled and added up in f32.
//
// An operand (A or B) is a class with
//   codes                   a class of gemm_codes.h, or what has its type, bits and is_plain
//   const uint8_t *row(r)   where row r of the tile begins; NULL: a row of zeros
//   convert(out, in, r, k)  16 bytes of row r from element k on to words of codes::type
// Rows begin at multiples of 16 bytes, and K is a multiple of what 16 bytes hold.
//
// Scales has float row(r, block) and column(c, block). An Epilogue is called as (row, column,
// results) with 8 results of a row from `column` on, also where the tile sticks out of the matrix.
#ifndef TRINE_BACKENDS_GPU_GEMM_TILE_H
#define TRINE_BACKENDS_GPU_GEMM_TILE_H

#include "backends/gpu/gemm_codes.h"
#include "backends/gpu/memory.h"

namespace trine_gpu
{

constexpr uint32_t gemm_threads = 256;
constexpr uint32_t gemm_row_bytes = 128, gemm_row_stride = gemm_row_bytes + 16;
#if defined(__HIP__)
constexpr uint32_t gemm_stages = 1; // the next tile waits in registers
#else
constexpr uint32_t gemm_stages = 2;
#endif

// Panels of so many steps may be in registers together: RDNA has no more.
#if defined(__HIP__)
constexpr uint32_t gemm_steps_at_once = wave_width == 64 ? 4 : matrix_by_dots ? 1 : 2;
#else
constexpr uint32_t gemm_steps_at_once = 4;
#endif

// Elements of K in a tile.
template <class Type>
constexpr uint32_t gemm_depth = gemm_row_bytes / Type::bytes;

// Dynamic shared memory of a block.
constexpr uint32_t gemm_shared_bytes(uint32_t rows, uint32_t columns)
{
    return (rows + columns) * (gemm_stages * gemm_row_stride + 2 * 4);
}

// How much of K there is, and of it a k-block: a multiple of the depth.
struct gemm_extent {
    int64_t k, block;
};

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
constexpr bool gemm_copies_async = true;
#else
constexpr bool gemm_copies_async = false;
#endif

// 16 bytes into shared memory past the registers; `from` NULL: zeros. `valid` is any address.
TRINE_DEVICE void copy_async([[maybe_unused]] uint8_t *to, [[maybe_unused]] const uint8_t *from,
                             [[maybe_unused]] const void *valid)
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    const uint32_t address = (uint32_t)__cvta_generic_to_shared(to);
    const size_t source = __cvta_generic_to_global(from ? from : valid);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(source),
                 "r"(from ? 16 : 0)
                 : "memory");
#endif
}

TRINE_DEVICE void copy_wait()
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

// The part of an operand's tile that a thread carries: fetch() reads it, put() leaves it in shared
// memory; what needs no conversion goes there by itself where the target can do that.
template <class Operand, uint32_t Rows>
struct gemm_carrier {
    typedef typename Operand::codes codes;
    static constexpr bool async = gemm_copies_async && codes::is_plain;
    static constexpr uint32_t elements = 128 / codes::bits;                         // in 16 bytes
    static constexpr uint32_t pieces = gemm_depth<typename codes::type> / elements; // of a row
    static constexpr uint32_t step = gemm_threads / pieces; // rows that all threads take at once
    static constexpr uint32_t count = (Rows + step - 1) / step;
    static_assert(gemm_threads % pieces == 0, "whole rows");

    const uint8_t *from[count];
    uint32_t words[async ? 1 : count][4];

    __device__ __forceinline__ uint32_t row(uint32_t i) const
    {
        return threadIdx.x / pieces + i * step;
    }

    __device__ __forceinline__ bool has(uint32_t i) const
    {
        return Rows % step == 0 || row(i) < Rows;
    }

    __device__ __forceinline__ uint32_t piece() const { return threadIdx.x % pieces; }

    __device__ __forceinline__ void begin(const Operand &operand)
    {
#pragma unroll
        for (uint32_t i = 0; i < count; i++) {
            from[i] = has(i) ? operand.row(row(i)) : nullptr;
            if (from[i]) from[i] += piece() * 16;
        }
    }

    // The tile from element k on.
    __device__ __forceinline__ void fetch(uint8_t *shared, int64_t k, int64_t end)
    {
        const bool inside = k + piece() * elements < end;
        const int64_t at = k * codes::bits / 8;
#pragma unroll
        for (uint32_t i = 0; i < count; i++) {
            const uint8_t *source = inside && from[i] ? from[i] + at : nullptr;
            if constexpr (async) {
                uint8_t *to = shared + row(i) * gemm_row_stride + piece() * 16;
                if (has(i)) copy_async(to, source, from[0]);
            } else {
#pragma unroll
                for (uint32_t j = 0; j < 4; j++) words[i][j] = 0;
                if (source) load_words(words[i], source);
            }
        }
    }

    __device__ __forceinline__ void put(uint8_t *shared, const Operand &operand, int64_t k)
    {
        if constexpr (!async) {
            constexpr uint32_t each = code_words<codes>;
#pragma unroll
            for (uint32_t i = 0; i < count; i++) {
                if (!has(i)) continue;
                uint32_t out[each];
                operand.convert(out, words[i], row(i), k + piece() * elements);
                uint8_t *to = shared + row(i) * gemm_row_stride + piece() * (4 * each);
#pragma unroll
                for (uint32_t j = 0; j < each; j += 4) {
                    const uint32_t quad[4] = {out[j], out[j + 1], out[j + 2], out[j + 3]};
                    store_words(to + 4 * j, quad);
                }
            }
        }
    }
};

template <class A, class B, uint32_t Rows, uint32_t Columns>
struct gemm_tile {
    typedef typename A::codes::type type;
    static_assert(matrix_same<type, typename B::codes::type>, "one type");
    static constexpr uint32_t depth = gemm_depth<type>;
    static constexpr uint32_t waves = gemm_threads / wave_width;
    static constexpr uint32_t waves_down = Rows >= 64 ? 2 : 1, waves_across = waves / waves_down;
    static constexpr uint32_t down = Rows / 16 / waves_down, across = Columns / 16 / waves_across;
    static_assert(down * 16 * waves_down == Rows && across * 16 * waves_across == Columns,
                  "whole results a wave");
    static constexpr uint32_t tile_bytes = (Rows + Columns) * gemm_row_stride;
    static constexpr uint32_t out_stride = Columns + 4; // floats of a row on its way out
    static_assert(16 * waves_down * out_stride * 4 <= tile_bytes, "results fit into the tile");

    // Results of this wave, in f32.
    float results[down][across][sum_size];

    static __device__ __forceinline__ uint32_t wave_down()
    {
        return threadIdx.x / wave_width / waves_across;
    }

    static __device__ __forceinline__ uint32_t wave_across()
    {
        return threadIdx.x / wave_width % waves_across;
    }

    // Panel i of 16 rows from byte k on.
    static __device__ __forceinline__ matrix_panel<type> panel_at(const uint8_t *rows, uint32_t i,
                                                                  uint32_t k)
    {
        return load_panel<type>(rows + i * 16 * gemm_row_stride + k, gemm_row_stride);
    }

    static __device__ __forceinline__ void multiply_tile(matrix_sum<type> (&sums)[down][across],
                                                         const uint8_t *shared)
    {
        const uint8_t *a_rows = shared + wave_down() * down * 16 * gemm_row_stride;
        const uint8_t *b_rows = shared + (Rows + wave_across() * across * 16) * gemm_row_stride;
#pragma unroll gemm_steps_at_once
        for (uint32_t k = 0; k < gemm_row_bytes; k += matrix_step<type>) {
            matrix_panel<type> a[down], b[across];
#pragma unroll
            for (uint32_t i = 0; i < down; i++)
                if constexpr (!matrix_by_dots) a[i] = panel_at(a_rows, i, k);
#pragma unroll
            for (uint32_t j = 0; j < across; j++) b[j] = panel_at(b_rows, j, k);
#pragma unroll
            for (uint32_t i = 0; i < down; i++) {
                // The rows that dot products spread over the lanes leave no registers for all of A.
                if constexpr (matrix_by_dots) a[i] = panel_at(a_rows, i, k);
#pragma unroll
                for (uint32_t j = 0; j < across; j++) multiply(sums[i][j], a[i], b[j]);
            }
        }
    }

    // A k-block's sums, scaled, onto the results.
    __device__ __forceinline__ void promote(matrix_sum<type> (&sums)[down][across],
                                            const float *scales)
    {
        const float *a = scales + wave_down() * down * 16;
        const float *b = scales + Rows + wave_across() * across * 16;
#pragma unroll
        for (uint32_t i = 0; i < down; i++)
#pragma unroll
            for (uint32_t j = 0; j < across; j++) {
#pragma unroll
                for (uint32_t e = 0; e < sum_size; e++)
                    results[i][j][e] =
                        trine_fmaf(a[i * 16 + sum_row(e)] * b[j * 16 + sum_column(e)],
                                   (float)sums[i][j].v[e], results[i][j][e]);
                clear(sums[i][j]);
            }
    }

    // The scales of a k-block on their way to shared memory.
    static constexpr uint32_t scale_count = (Rows + Columns + gemm_threads - 1) / gemm_threads;

    template <class Scales>
    static __device__ __forceinline__ void fetch_scales(float (&part)[scale_count],
                                                        const Scales &scales, int64_t block)
    {
#pragma unroll
        for (uint32_t i = 0; i < scale_count; i++) {
            const uint32_t r = threadIdx.x + i * gemm_threads;
            if (r < Rows)
                part[i] = scales.row(r, block);
            else if (r < Rows + Columns)
                part[i] = scales.column(r - Rows, block);
        }
    }

    static __device__ __forceinline__ void put_scales(float *to, const float (&part)[scale_count])
    {
#pragma unroll
        for (uint32_t i = 0; i < scale_count; i++) {
            const uint32_t r = threadIdx.x + i * gemm_threads;
            if (r < Rows + Columns) to[r] = part[i];
        }
    }

    // Leaves this wave's part of the product in `results`. `shared` is gemm_shared_bytes() long;
    // nothing reads it when this returns.
    template <class Scales>
    __device__ __forceinline__ void product(uint8_t *shared, const A &a, const B &b,
                                            const gemm_extent &extent, const Scales &scales)
    {
        float *block_scales = reinterpret_cast<float *>(shared + gemm_stages * tile_bytes);
        matrix_sum<type> sums[down][across];
#pragma unroll
        for (uint32_t i = 0; i < down; i++)
#pragma unroll
            for (uint32_t j = 0; j < across; j++) {
                clear(sums[i][j]);
#pragma unroll
                for (uint32_t e = 0; e < sum_size; e++) results[i][j][e] = 0.0f;
            }
        gemm_carrier<A, Rows> a_part;
        gemm_carrier<B, Columns> b_part;
        a_part.begin(a);
        b_part.begin(b);
        if (extent.k > 0) {
            a_part.fetch(shared, 0, extent.k);
            b_part.fetch(shared + Rows * gemm_row_stride, 0, extent.k);
            float part[scale_count];
            fetch_scales(part, scales, 0);
            put_scales(block_scales, part);
            a_part.put(shared, a, 0);
            b_part.put(shared + Rows * gemm_row_stride, b, 0);
            copy_wait();
        }
        __syncthreads();

        int64_t block = 0, block_end = extent.block;
        uint32_t stage = 0;
        for (int64_t k = 0; k < extent.k; k += depth) {
            const int64_t next = k + depth;
            const bool more = next < extent.k, ends = next >= block_end || !more;
            uint8_t *here = shared + stage * tile_bytes;
            if constexpr (gemm_stages > 1) stage ^= 1;
            uint8_t *there = shared + stage * tile_bytes;
            if (more) {
                a_part.fetch(there, next, extent.k);
                b_part.fetch(there + Rows * gemm_row_stride, next, extent.k);
            }
            float part[scale_count] = {};
            if (more && ends) fetch_scales(part, scales, block + 1);
            multiply_tile(sums, here);
            if (ends) {
                promote(sums, block_scales + ((uint32_t)block & 1) * (Rows + Columns));
                block++;
                block_end += extent.block;
                if (more) put_scales(block_scales + ((uint32_t)block & 1) * (Rows + Columns), part);
            }
            if constexpr (gemm_stages == 1) __syncthreads(); // this tile has been read
            if (more) {
                a_part.put(there, a, next);
                b_part.put(there + Rows * gemm_row_stride, b, next);
                copy_wait();
            }
            __syncthreads();
        }
    }

    // Hands the results out by rows, through shared memory.
    template <class Epilogue>
    __device__ __forceinline__ void finish(uint8_t *shared, Epilogue &&epilogue)
    {
        float *out = reinterpret_cast<float *>(shared);
        constexpr uint32_t runs = Columns / 8, all = 16 * waves_down * runs;
#pragma unroll
        for (uint32_t i = 0; i < down; i++) {
#pragma unroll
            for (uint32_t j = 0; j < across; j++)
#pragma unroll
                for (uint32_t e = 0; e < sum_size; e++)
                    out[(wave_down() * 16 + sum_row(e)) * out_stride +
                        (wave_across() * across + j) * 16 + sum_column(e)] = results[i][j][e];
            __syncthreads();
            for (uint32_t run = threadIdx.x; run < all; run += gemm_threads) {
                const uint32_t r = run / runs, column = run % runs * 8;
                float values[8];
                const float4 *from =
                    reinterpret_cast<const float4 *>(out + r * out_stride + column);
                const float4 low = from[0], high = from[1];
                values[0] = low.x, values[1] = low.y, values[2] = low.z, values[3] = low.w;
                values[4] = high.x, values[5] = high.y, values[6] = high.z, values[7] = high.w;
                epilogue((r / 16 * down + i) * 16 + r % 16, column, values);
            }
            __syncthreads();
        }
    }
};

} // namespace trine_gpu

#endif
