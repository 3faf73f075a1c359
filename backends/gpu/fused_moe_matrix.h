// SPDX-License-Identifier: Apache-2.0
// fused_moe's products on matrix units, for CUDA and HIP: what the tiles of gemm_tile.h multiply,
// and where their results go. Rows are gathered by the sorted slots.
#ifndef TRINE_BACKENDS_GPU_FUSED_MOE_MATRIX_H
#define TRINE_BACKENDS_GPU_FUSED_MOE_MATRIX_H

#include "backends/gpu/fused_moe_matrix_kernels.h"
#include "backends/gpu/fused_moe_sink.h"

namespace trine_gpu
{

// Weights that a scale and a zero point turn into Format (bf16 or f16): bytes, or halves of bytes.
template <class Format, class Type, uint32_t Bits>
struct moe_packed_codes {
    typedef Format format;
    typedef Type type;
    static constexpr uint32_t bits = Bits;
    static constexpr bool is_plain = false;
};

template <class Codes>
constexpr bool moe_is_packed = false;
template <class Format, class Type, uint32_t Bits>
constexpr bool moe_is_packed<moe_packed_codes<Format, Type, Bits>> = true;

// Rows of x, or of the activations: those of the tile's slots.
template <class Codes>
struct moe_a_rows {
    typedef Codes codes;
    const moe_matrix_params &p;
    const int32_t *slot; // of the tile's rows, in shared memory

    __device__ __forceinline__ const uint8_t *row(uint32_t r) const
    {
        const int32_t s = slot[r];
        if (s >= p.r.slots) return nullptr;
        const uint32_t row = p.g.second ? (uint32_t)s : (uint32_t)s / (uint32_t)p.r.k;
        return static_cast<const uint8_t *>(p.g.a) + row * p.a_row;
    }

    __device__ __forceinline__ void convert(uint32_t (&out)[code_words<Codes>],
                                            const uint32_t (&in)[4], uint32_t, int64_t) const
    {
        Codes::convert(out, in);
    }
};

// The weight's row of column c of the tile. Where the activation follows at once, columns alternate
// between 4 gates and their 4 ups. Past the last of them it is any row, or none: nothing comes of
// it.
TRINE_DEVICE int64_t moe_column(const moe_matrix_params &p, int64_t n0, uint32_t c)
{
    if (!p.pairs) return n0 + c;
    const int64_t i = n0 / 2 + c / 8 * 4 + c % 4;
    const bool up = c & 4;
    return p.q.interleaved ? 2 * i + up : up ? p.q.columns + i : i;
}

// Rows of the expert's weight.
template <class Codes>
struct moe_b_rows {
    typedef Codes codes;
    const moe_matrix_params &p;
    int64_t expert, n0;

    __device__ __forceinline__ const uint8_t *row(uint32_t c) const
    {
        const int64_t n = moe_column(p, n0, c);
        return n < p.g.n ? static_cast<const uint8_t *>(p.g.w) + expert * p.w_expert + n * p.w_row
                         : nullptr;
    }

    __device__ __forceinline__ float scale(int64_t n, int64_t group) const
    {
        return load_real(p.g.w_scale, p.g.scale_dtype,
                         expert * p.g.scale_expert + n * p.g.scale_row + group * p.g.scale_segment);
    }

    __device__ __forceinline__ float zero(int64_t n, int64_t group) const
    {
        const bool halves = p.g.decode == MOE_GROUP_4;
        if (!p.g.zero) return halves ? 8.0f : 128.0f;
        const uint32_t byte =
            p.g.zero[expert * p.g.zero_expert + (halves ? n >> 1 : n) * p.g.zero_row +
                     group * p.g.zero_segment];
        return (float)(!halves ? byte : n & 1 ? byte >> 4 : byte & 15u);
    }

    __device__ __forceinline__ void convert(uint32_t (&out)[code_words<Codes>],
                                            const uint32_t (&in)[4], uint32_t c, int64_t k) const
    {
        if constexpr (moe_is_packed<Codes>) {
            const int64_t n = moe_column(p, n0, c), at = n < p.g.n ? n : 0;
            const int64_t group = k < p.g.k ? k >> p.group_shift : 0;
            const float s = scale(at, group), z = zero(at, group);
            constexpr uint32_t per_word = 32 / Codes::bits, mask = (1u << Codes::bits) - 1;
            // i8 becomes unsigned by turning its sign bit over.
            const uint32_t flip = p.g.decode == MOE_CHANNEL ? 0x80808080u : 0u;
#pragma unroll
            for (uint32_t i = 0; i < code_words<Codes>; i++) {
                float x[2];
#pragma unroll
                for (uint32_t j = 0; j < 2; j++) {
                    const uint32_t e = 2 * i + j;
                    const uint32_t q =
                        (in[e / per_word] ^ flip) >> (e % per_word * Codes::bits) & mask;
                    x[j] = ((float)q - z) * s;
                }
                out[i] = Codes::format::pack(x[0], x[1]);
            }
        } else {
            Codes::convert(out, in);
        }
    }
};

struct moe_matrix_scales {
    const moe_matrix_params &p;
    const int32_t *slot;
    int64_t expert, n0;

    __device__ __forceinline__ float row(uint32_t r, int64_t block) const
    {
        if (!p.g.scaled) return 1.0f;
        const int32_t s = slot[r];
        if (s >= p.r.slots) return 0.0f;
        const uint32_t row = p.g.second ? (uint32_t)s : (uint32_t)s / (uint32_t)p.r.k;
        return p.g.a_scale[row * p.g.a_scale_row + block * p.g.a_scale_segment];
    }

    __device__ __forceinline__ float column(uint32_t c, int64_t block) const
    {
        if (!p.g.scaled) return 1.0f;
        const int64_t n = n0 + c < p.g.n ? n0 + c : 0;
        return static_cast<const float *>(
            p.g.w_scale)[expert * p.g.scale_expert + (n >> p.scale_shift) * p.g.scale_row +
                         block * p.g.scale_segment];
    }
};

// Bias, router weight and rounding: from a sum to g, or to c.
TRINE_DEVICE float moe_matrix_result(const moe_gemm &g, float sum, int64_t expert, int64_t n,
                                     float weight)
{
    if (g.bias)
        sum = sum + load_real(g.bias, g.bias_dtype, expert * g.bias_expert + n * g.bias_column);
    sum = sum * weight;
    if (!g.each || g.x_dtype == TRINE_F32) return sum;
    return g.x_dtype == TRINE_BF16 ? bf16::round(sum) : f16::round(sum);
}

// 4 gates and their 4 ups, or 8 gates, become activations in x's dtype. All of a run are there:
// their number is a multiple of 8.
TRINE_DEVICE void moe_activate_run(const moe_matrix_params &p, int32_t slot, int64_t n0,
                                   uint32_t column, const float (&g)[8])
{
    const int64_t first = p.pairs ? n0 / 2 + column / 2 : n0 + column;
    const int64_t at = slot * p.q.columns + first;
    const uint32_t count = p.pairs ? 4 : 8;
#pragma unroll
    for (uint32_t i = 0; i < 8; i += 2) {
        if (i >= count) continue;
        const float low = activate(p.q.rule, g[i], p.pairs ? g[(i + 4) % 8] : 0.0f);
        const float high = activate(p.q.rule, g[i + 1], p.pairs ? g[(i + 5) % 8] : 0.0f);
        uint32_t *to = reinterpret_cast<uint32_t *>(static_cast<uint16_t *>(p.q.to) + at + i);
        *to = p.q.to_dtype == TRINE_BF16 ? bf16::pack(low, high) : f16::pack(low, high);
    }
}

// Two blocks on a multiprocessor, but where packed weights, or tiles that wait in registers, need
// these.
template <class B, uint32_t Rows>
constexpr uint32_t moe_resident_threads = Rows > 16 && (moe_is_packed<B> || !gemm_copies_async)
                                              ? 256
                                              : 512;

// Tiles of Rows sorted positions, on grid.x, by moe_matrix_columns columns, on grid.y.
template <class A, class B, uint32_t Rows>
__global__ void TRINE_LAUNCH_BOUNDS(gemm_threads, (moe_resident_threads<B, Rows>))
    moe_matrix_product([[maybe_unused]] const TRINE_GRID_CONSTANT moe_matrix_params p)
{
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
    if constexpr (matrix_has<typename A::type>) {
        constexpr uint32_t columns = moe_matrix_columns;
        extern __shared__ uint4 moe_matrix_shared[];
        __shared__ int32_t slot[Rows];
        uint8_t *shared = reinterpret_cast<uint8_t *>(moe_matrix_shared);
        const int64_t positions = *p.r.count, n0 = (int64_t)blockIdx.y * columns;
        for (int64_t m0 = (int64_t)blockIdx.x * Rows; m0 < positions;
             m0 += (int64_t)gridDim.x * Rows) {
            __syncthreads(); // the last tile's slots have been read
            if (threadIdx.x < Rows) slot[threadIdx.x] = p.r.sorted[m0 + threadIdx.x];
            __syncthreads();
            if (slot[0] >= p.r.slots) continue; // shortcut: padding alone
            const int64_t expert = p.r.expert_of[m0 >> p.block_shift];
            const moe_a_rows<A> a = {p, slot};
            const moe_b_rows<B> b = {p, expert, n0};
            const moe_matrix_scales scales = {p, slot, expert, n0};
            gemm_tile<moe_a_rows<A>, moe_b_rows<B>, Rows, columns> tile;
            tile.product(shared, a, b, p.extent, scales);
            tile.finish(shared, [&](uint32_t row, uint32_t column, const float(&values)[8]) {
                const int32_t s = slot[row];
                if (s >= p.r.slots || n0 + column >= p.g.n) return;
                const moe_place place = moe_place_of(p.r, p.o, s);
                const float weight = p.g.weighted ? moe_weight_of(p.r, place) : 1.0f;
                float v[8];
#pragma unroll
                for (uint32_t i = 0; i < 8; i++)
                    v[i] = moe_matrix_result(p.g, values[i], expert, moe_column(p, n0, column + i),
                                             weight);
                // Codes are quantized between the products, not here.
                if constexpr (A::is_plain && A::bits == 16) {
                    if (p.activates) {
                        moe_activate_run(p, s, n0, column, v);
                        return;
                    }
                }
                moe_sink_8(p.o, place, n0 + column, v, p.wide);
            });
        }
    }
#endif
}

// The kernels for one kind of operands.
template <class A, class B>
static moe_matrix_kernels moe_matrix_kernels_of()
{
    return {reinterpret_cast<const void *>(&moe_matrix_product<A, B, 16>),
            reinterpret_cast<const void *>(&moe_matrix_product<A, B, 64>)};
}

} // namespace trine_gpu

#endif
