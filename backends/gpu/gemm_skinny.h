// SPDX-License-Identifier: Apache-2.0
// A B^T with few rows of A, where reading B is all the work: 16 * Down rows by 16 * Across columns
// a block, whose waves share K out among themselves in units of 128 elements. Both operands go
// straight from memory to the registers in which the matrix unit wants them, the next batch while
// one is multiplied. In the end the waves' sums are added in the order of the waves.
//
// Operands, Scales and Epilogue are those of gemm_tile.h.
#ifndef TRINE_BACKENDS_GPU_GEMM_SKINNY_H
#define TRINE_BACKENDS_GPU_GEMM_SKINNY_H

#include "backends/gpu/gemm_tile.h"

namespace trine_gpu
{

constexpr uint32_t gemm_unit = 128; // elements of K that a wave takes at once

// Dynamic shared memory of a block.
constexpr uint32_t gemm_skinny_shared_bytes(uint32_t columns)
{
    return (gemm_threads / 32) * 16 * (columns + 4) * 4;
}

// A lane's parts of a panel's rows for one batch of K, as they lie in memory.
template <class Operand>
struct gemm_lane_part {
    typedef typename Operand::codes codes;
    typedef typename codes::type type;
    static constexpr uint32_t elements = 128 / codes::bits; // in 16 bytes
    static constexpr uint32_t words = code_words<codes>;    // of `type` from 16 bytes
    // What a lane can hold beside the next: less where it holds whole rows.
    static constexpr uint32_t least = matrix_step<type> / type::bytes;
    static constexpr uint32_t wanted = lane_parts == 1 ? 32 : 64;
    static constexpr uint32_t batch = least > wanted ? least : wanted;
    static constexpr uint32_t pieces = batch / lane_parts / elements; // of a row, for this lane
    static_assert(pieces * lane_parts * elements == batch && gemm_unit % batch == 0,
                  "whole pieces");
    static constexpr uint32_t steps = batch * type::bytes / matrix_step<type>;

    uint32_t w[lane_rows][pieces][4];

    // Element of the batch at which this lane's piece i begins.
    static __device__ __forceinline__ uint32_t first(uint32_t i)
    {
        return (lane_part() + i * lane_parts) * elements;
    }

    __device__ __forceinline__ void fetch(const uint8_t *const (&rows)[lane_rows], int64_t k,
                                          int64_t end)
    {
#pragma unroll
        for (uint32_t r = 0; r < lane_rows; r++)
#pragma unroll
            for (uint32_t i = 0; i < pieces; i++) {
#pragma unroll
                for (uint32_t j = 0; j < 4; j++) w[r][i][j] = 0;
                if (rows[r] && k + first(i) < end)
                    load_words(w[r][i], rows[r] + (k + first(i)) * codes::bits / 8);
            }
    }

    // The panels of this batch. `row` is the panel's first row in the tile.
    __device__ __forceinline__ void panels(matrix_panel<type> (&out)[steps], const Operand &operand,
                                           uint32_t row, int64_t k) const
    {
        uint32_t all[lane_rows][pieces * words];
#pragma unroll
        for (uint32_t r = 0; r < lane_rows; r++)
#pragma unroll
            for (uint32_t i = 0; i < pieces; i++) {
                uint32_t converted[words];
                operand.convert(converted, w[r][i], row + lane_row(r), k + first(i));
#pragma unroll
                for (uint32_t j = 0; j < words; j++) all[r][i * words + j] = converted[j];
            }
#pragma unroll
        for (uint32_t s = 0; s < steps; s++) out[s] = make_panel<type>(all, s);
    }
};

template <class A, class B, uint32_t Down, uint32_t Across>
struct gemm_skinny {
    typedef typename A::codes::type type;
    typedef typename type::sum sum;
    typedef gemm_lane_part<A> a_part;
    typedef gemm_lane_part<B> b_part;
    static_assert(a_part::batch == b_part::batch && a_part::steps == b_part::steps, "one batch");
    static constexpr uint32_t batch = a_part::batch;
    static constexpr uint32_t waves = gemm_threads / wave_width;
    static constexpr uint32_t columns = 16 * Across, out_stride = columns + 4;

    typedef float scale_set[sum_size];
    // Scales are asked for before a unit's products; sm_120's code for them leaves no registers.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1200
    static constexpr bool scales_late = true;
#else
    static constexpr bool scales_late = false;
#endif

    static __device__ __forceinline__ void fetch(a_part (&a)[Down], b_part (&b)[Across],
                                                 const uint8_t *const (&a_rows)[Down][lane_rows],
                                                 const uint8_t *const (&b_rows)[Across][lane_rows],
                                                 int64_t k, int64_t end)
    {
#pragma unroll
        for (uint32_t j = 0; j < Across; j++) b[j].fetch(b_rows[j], k, end);
#pragma unroll
        for (uint32_t i = 0; i < Down; i++) a[i].fetch(a_rows[i], k, end);
    }

    // The sums of one wave or more, 16 rows at a time, become results and leave.
    template <class Sum, class Finish, class Epilogue>
    static __device__ __forceinline__ void reduce(uint8_t *shared,
                                                  const Sum (&sums)[Across][sum_size], uint32_t row,
                                                  Finish &&finish, Epilogue &&epilogue)
    {
        Sum *slab = reinterpret_cast<Sum *>(shared);
        constexpr uint32_t slab_size = 16 * out_stride, runs = columns / 8;
        __syncthreads(); // the last slab has been read
#pragma unroll
        for (uint32_t j = 0; j < Across; j++)
#pragma unroll
            for (uint32_t e = 0; e < sum_size; e++)
                slab[threadIdx.x / wave_width * slab_size + sum_row(e) * out_stride + j * 16 +
                     sum_column(e)] = sums[j][e];
        __syncthreads();
        const uint32_t r = threadIdx.x / runs, column = threadIdx.x % runs * 8;
        if (r >= 16) return;
        float values[8];
#pragma unroll
        for (uint32_t c = 0; c < 8; c++) {
            Sum total = slab[r * out_stride + column + c];
            for (uint32_t wave = 1; wave < waves; wave++)
                total = total + slab[wave * slab_size + r * out_stride + column + c];
            values[c] = finish(total, row + r, column + c);
        }
        epilogue(row + r, column, values);
    }

    // `whole`: the sums of all of K are scaled once, in the end (i8, whose sums are exact).
    template <class Scales, class Epilogue>
    static __device__ __forceinline__ void run(uint8_t *shared, const A &a, const B &b,
                                               const gemm_extent &extent, bool whole,
                                               const Scales &scales, Epilogue &&epilogue)
    {
        const uint8_t *a_rows[Down][lane_rows], *b_rows[Across][lane_rows];
#pragma unroll
        for (uint32_t r = 0; r < lane_rows; r++) {
#pragma unroll
            for (uint32_t i = 0; i < Down; i++) a_rows[i][r] = a.row(i * 16 + lane_row(r));
#pragma unroll
            for (uint32_t j = 0; j < Across; j++) b_rows[j][r] = b.row(j * 16 + lane_row(r));
        }
        scale_set results[Down][Across];
        matrix_sum<type> sums[Down][Across];
#pragma unroll
        for (uint32_t i = 0; i < Down; i++)
#pragma unroll
            for (uint32_t j = 0; j < Across; j++) {
                clear(sums[i][j]);
#pragma unroll
                for (uint32_t e = 0; e < sum_size; e++) results[i][j][e] = 0.0f;
            }

        constexpr uint32_t halves = gemm_unit / batch;
        const int64_t stride = (int64_t)waves * gemm_unit;
        int64_t k = (int64_t)(threadIdx.x / wave_width) * gemm_unit;
        a_part a_next[Down];
        b_part b_next[Across];
        fetch(a_next, b_next, a_rows, b_rows, k, extent.k);
        for (; k < extent.k; k += stride) {
            const int64_t block = extent.block == gemm_unit ? k / gemm_unit : k / extent.block;
            scale_set row_scale[Down] = {}, column_scale[Across] = {};
            const auto load_scales = [&]() {
#pragma unroll
                for (uint32_t e = 0; e < sum_size; e++) {
#pragma unroll
                    for (uint32_t i = 0; i < Down; i++)
                        row_scale[i][e] = scales.row(i * 16 + sum_row(e), block);
#pragma unroll
                    for (uint32_t j = 0; j < Across; j++)
                        column_scale[j][e] = scales.column(j * 16 + sum_column(e), block);
                }
            };
            if constexpr (!scales_late)
                if (!whole) load_scales();
#pragma unroll 1
            for (uint32_t half = 0; half < halves; half++) {
                const int64_t at = k + half * batch;
                matrix_panel<type> a_panels[Down][a_part::steps], b_panels[Across][b_part::steps];
#pragma unroll
                for (uint32_t i = 0; i < Down; i++) a_next[i].panels(a_panels[i], a, i * 16, at);
#pragma unroll
                for (uint32_t j = 0; j < Across; j++) b_next[j].panels(b_panels[j], b, j * 16, at);
                fetch(a_next, b_next, a_rows, b_rows, half + 1 < halves ? at + batch : k + stride,
                      extent.k);
#pragma unroll
                for (uint32_t s = 0; s < a_part::steps; s++)
#pragma unroll
                    for (uint32_t i = 0; i < Down; i++)
#pragma unroll
                        for (uint32_t j = 0; j < Across; j++)
                            multiply(sums[i][j], a_panels[i][s], b_panels[j][s]);
            }
            if (whole) continue;
            if constexpr (scales_late) load_scales();
#pragma unroll
            for (uint32_t i = 0; i < Down; i++)
#pragma unroll
                for (uint32_t j = 0; j < Across; j++) {
#pragma unroll
                    for (uint32_t e = 0; e < sum_size; e++)
                        results[i][j][e] = trine_fmaf(row_scale[i][e] * column_scale[j][e],
                                                      (float)sums[i][j].v[e], results[i][j][e]);
                    clear(sums[i][j]);
                }
        }

#pragma unroll
        for (uint32_t i = 0; i < Down; i++) {
            if (whole) {
                sum last[Across][sum_size];
#pragma unroll
                for (uint32_t j = 0; j < Across; j++)
#pragma unroll
                    for (uint32_t e = 0; e < sum_size; e++) last[j][e] = sums[i][j].v[e];
                reduce(
                    shared, last, i * 16,
                    [&](sum total, uint32_t row, uint32_t column) {
                        return scales.row(row, 0) * scales.column(column, 0) * (float)total;
                    },
                    epilogue);
            } else {
                reduce(
                    shared, results[i], i * 16,
                    [](float total, uint32_t, uint32_t) { return total; }, epilogue);
            }
        }
    }
};

} // namespace trine_gpu

#endif
