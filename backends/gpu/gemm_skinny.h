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
    // Batches of a unit, and how many are under way at once: registers hold no more.
    static constexpr uint32_t batches = gemm_unit / batch;
    static constexpr uint32_t ahead = lane_parts == 4 && Down == 1 ? batches : 1;

    // Scales of a unit, each carried by one lane: the rows', then the columns'.
    static constexpr uint32_t scale_count = 16 * (Down + Across);
    static constexpr uint32_t scale_parts = (scale_count + wave_width - 1) / wave_width;
    static_assert(waves * scale_count <= waves * 16 * out_stride, "scales fit");
    typedef float scale_part[scale_parts];

    template <class Scales>
    static __device__ __forceinline__ void fetch_scales(scale_part &part, const Scales &scales,
                                                        int64_t k, const gemm_extent &extent)
    {
        const uint32_t unit = (uint32_t)(k / gemm_unit);
        const uint32_t units = (uint32_t)(extent.block / gemm_unit); // of a k-block
        const int64_t block = units == 1 ? unit : unit / units;
#pragma unroll
        for (uint32_t i = 0; i < scale_parts; i++) {
            const uint32_t r = threadIdx.x % wave_width + i * wave_width;
            if (r < 16 * Down)
                part[i] = scales.row(r, block);
            else if (r < scale_count)
                part[i] = scales.column(r - 16 * Down, block);
        }
    }

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
        float results[Down][Across][sum_size];
        float *unit_scales =
            reinterpret_cast<float *>(shared) + threadIdx.x / wave_width * scale_count;
        matrix_sum<type> sums[Down][Across];
#pragma unroll
        for (uint32_t i = 0; i < Down; i++)
#pragma unroll
            for (uint32_t j = 0; j < Across; j++) {
                clear(sums[i][j]);
#pragma unroll
                for (uint32_t e = 0; e < sum_size; e++) results[i][j][e] = 0.0f;
            }

        const int64_t stride = (int64_t)waves * gemm_unit;
        int64_t k = (int64_t)(threadIdx.x / wave_width) * gemm_unit;
        a_part a_next[ahead][Down];
        b_part b_next[ahead][Across];
#pragma unroll
        for (uint32_t i = 0; i < ahead; i++)
            fetch(a_next[i], b_next[i], a_rows, b_rows, k + i * batch, extent.k);
        for (; k < extent.k; k += stride) {
            scale_part scale = {};
            if (!whole) fetch_scales(scale, scales, k, extent);
#pragma unroll ahead
            for (uint32_t i = 0; i < batches; i++) {
                const int64_t at = k + i * batch;
                const uint32_t here = i % ahead, next = i + ahead;
                matrix_panel<type> a_panels[Down][a_part::steps], b_panels[Across][b_part::steps];
#pragma unroll
                for (uint32_t r = 0; r < Down; r++)
                    a_next[here][r].panels(a_panels[r], a, r * 16, at);
#pragma unroll
                for (uint32_t c = 0; c < Across; c++)
                    b_next[here][c].panels(b_panels[c], b, c * 16, at);
                fetch(a_next[here], b_next[here], a_rows, b_rows,
                      next < batches ? k + next * batch : k + stride + next % batches * batch,
                      extent.k);
#pragma unroll
                for (uint32_t s = 0; s < a_part::steps; s++)
#pragma unroll
                    for (uint32_t r = 0; r < Down; r++)
#pragma unroll
                        for (uint32_t c = 0; c < Across; c++)
                            multiply(sums[r][c], a_panels[r][s], b_panels[c][s]);
            }
            if (whole) continue;
#pragma unroll
            for (uint32_t i = 0; i < scale_parts; i++) {
                const uint32_t r = threadIdx.x % wave_width + i * wave_width;
                if (r < scale_count) unit_scales[r] = scale[i];
            }
            wave_sync();
#pragma unroll
            for (uint32_t i = 0; i < Down; i++)
#pragma unroll
                for (uint32_t j = 0; j < Across; j++) {
#pragma unroll
                    for (uint32_t e = 0; e < sum_size; e++)
                        results[i][j][e] =
                            trine_fmaf(unit_scales[i * 16 + sum_row(e)] *
                                           unit_scales[(Down + j) * 16 + sum_column(e)],
                                       (float)sums[i][j].v[e], results[i][j][e]);
                    clear(sums[i][j]);
                }
            wave_sync();
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
