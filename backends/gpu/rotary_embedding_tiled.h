// SPDX-License-Identifier: Apache-2.0
// rotary_embedding on a GPU, for CUDA and HIP: the row `tiled`. (rotary_embedding_plan.h has its
// words and its geometry, rotary_embedding_generic.h the row that takes everything.)
//
// A thread holds both members of each of its pairs, so nothing is exchanged between lanes, and out
// may be x: what a thread writes, it alone has read. All loads are issued before the first use.
// Offsets are one 32-by-32-bit multiply-add a dimension, and no size is divided by.
#ifndef TRINE_BACKENDS_GPU_ROTARY_EMBEDDING_TILED_H
#define TRINE_BACKENDS_GPU_ROTARY_EMBEDDING_TILED_H

#include <type_traits>

#include "backends/gpu/format.h"
#include "backends/gpu/memory.h"
#include "backends/gpu/rotary_embedding_plan.h"

namespace trine_gpu
{

template <class Format>
constexpr uint32_t rotary_word_elements = Format::words == 16 ? 1 : 2;

// Element i of packed words.
template <class Format, uint32_t Words>
TRINE_DEVICE float rotary_element(const uint32_t (&w)[Words], uint32_t i)
{
    if constexpr (rotary_word_elements<Format> == 1) return Format::from_bits(w[i]);
    return Format::from_bits(i % 2 ? w[i / 2] >> 16 : w[i / 2] & 0xffffu);
}

// Words of a table, which other threads read too.
template <uint32_t Words>
TRINE_DEVICE void load_shared(uint32_t (&w)[Words], const uint8_t *address)
{
    if constexpr (Words == 1) {
        w[0] = *reinterpret_cast<const uint32_t *>(address);
    } else if constexpr (Words == 2) {
        const uint2 v = *reinterpret_cast<const uint2 *>(address);
        w[0] = v.x, w[1] = v.y;
    } else {
#pragma unroll
        for (uint32_t i = 0; i < Words; i += 4) {
            const uint4 v = reinterpret_cast<const uint4 *>(address)[i / 4];
            w[i] = v.x, w[i + 1] = v.y, w[i + 2] = v.z, w[i + 3] = v.w;
        }
    }
}

// a c + b s, before its rounding to out.
struct rotary_term {
    float a, c, b, s;
};

// Two at once, because two 16-bit values are rounded by one instruction.
template <class X, trine_rotary_rounding Rounding>
TRINE_DEVICE void rotary_sums(float &first, float &second, rotary_term f, rotary_term g)
{
    if constexpr (Rounding == TRINE_ROUNDING_F32_FMA) {
        first = trine_fmaf(f.b, f.s, f.a * f.c);
        second = trine_fmaf(g.b, g.s, g.a * g.c);
    } else {
        float f_ac = f.a * f.c, g_ac = g.a * g.c, f_bs = f.b * f.s, g_bs = g.b * g.s;
        if constexpr (Rounding != TRINE_ROUNDING_F32_2MUL) {
            const uint32_t ac[] = {X::pack(f_ac, g_ac)};
            f_ac = rotary_element<X>(ac, 0), g_ac = rotary_element<X>(ac, 1);
        }
        if constexpr (Rounding == TRINE_ROUNDING_ALL_LOW) {
            const uint32_t bs[] = {X::pack(f_bs, g_bs)};
            f_bs = rotary_element<X>(bs, 0), g_bs = rotary_element<X>(bs, 1);
        }
        first = f_ac + f_bs, second = g_ac + g_bs;
    }
}

// 16 bytes of pairs side by side, in place.
template <class X, class Table, trine_rotary_rounding Rounding, uint32_t Words>
TRINE_DEVICE void rotary_adjacent(uint32_t (&x)[4], const uint32_t (&cos)[Words],
                                  const uint32_t (&sin)[Words])
{
    constexpr uint32_t pairs = 2 * rotary_word_elements<X>;
#pragma unroll
    for (uint32_t i = 0; i < pairs; i++) {
        const float c = rotary_element<Table>(cos, i), s = rotary_element<Table>(sin, i);
        const float u = rotary_element<X>(x, 2 * i), v = rotary_element<X>(x, 2 * i + 1);
        float first, second;
        rotary_sums<X, Rounding>(first, second, {u, c, -v, s}, {v, c, u, s});
        if constexpr (rotary_word_elements<X> == 2) {
            x[i] = X::pack(first, second);
        } else {
            x[2 * i] = trine_f32_bits(first), x[2 * i + 1] = trine_f32_bits(second);
        }
    }
}

// 16 bytes of first members and 16 of second ones, in place.
template <class X, class Table, trine_rotary_rounding Rounding, uint32_t Words>
TRINE_DEVICE void rotary_half(uint32_t (&x)[4], uint32_t (&y)[4], const uint32_t (&cos)[Words],
                              const uint32_t (&sin)[Words])
{
    constexpr uint32_t pairs = 4 * rotary_word_elements<X>;
#pragma unroll
    for (uint32_t i = 0; i < pairs; i += 2) {
        const float c = rotary_element<Table>(cos, i), s = rotary_element<Table>(sin, i);
        const float d = rotary_element<Table>(cos, i + 1), t = rotary_element<Table>(sin, i + 1);
        const float u = rotary_element<X>(x, i), v = rotary_element<X>(y, i);
        const float w = rotary_element<X>(x, i + 1), z = rotary_element<X>(y, i + 1);
        float first, next_first, second, next_second;
        rotary_sums<X, Rounding>(first, next_first, {u, c, -v, s}, {w, d, -z, t});
        rotary_sums<X, Rounding>(second, next_second, {v, c, u, s}, {z, d, w, t});
        if constexpr (rotary_word_elements<X> == 2) {
            x[i / 2] = X::pack(first, next_first), y[i / 2] = X::pack(second, next_second);
        } else {
            x[i] = trine_f32_bits(first), x[i + 1] = trine_f32_bits(next_first);
            y[i] = trine_f32_bits(second), y[i + 1] = trine_f32_bits(next_second);
        }
    }
}

// Where a thread works: its chunk, its token and the first of its heads.
struct rotary_place {
    uint32_t chunk, token, head;
};

TRINE_DEVICE rotary_place rotary_place_of(const trine_rotary_params &p)
{
    const uint32_t unit = threadIdx.x * p.chunk_magic >> 16;
    const uint32_t outer = unit * p.inner_magic >> 16, inner = unit - outer * p.inner;
    return {
        threadIdx.x - unit * p.chunks,
        (p.heads_first ? blockIdx.y : blockIdx.x) * p.token_lanes + (p.token_inner ? inner : outer),
        (p.heads_first ? blockIdx.x : blockIdx.y) * p.tile_heads + (p.token_inner ? outer : inner)};
}

TRINE_DEVICE uint64_t rotary_offset(const rotary_place &at, int64_t batch, uint32_t token,
                                    uint32_t head, uint32_t chunk)
{
    return blockIdx.z * (uint64_t)batch + (uint64_t)at.token * token + (uint64_t)at.head * head +
           at.chunk * chunk;
}

// Words of cos, and of sin, that a chunk of x uses.
template <class X, class Table, bool Half>
constexpr uint32_t
    rotary_table_words = (Half ? 4 : 2) * rotary_word_elements<X> / rotary_word_elements<Table>;

// Registers are kept low enough for this many threads a multiprocessor, by the words that a thread
// holds: what it loads, tables that several heads share widened to f32, and what is rounded twice.
// Only sm_90's was measured; the code of others needs a few registers more.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ != 900
constexpr uint32_t rotary_spare = 8;
#else
constexpr uint32_t rotary_spare = 0;
#endif
constexpr uint32_t rotary_resident(uint32_t words)
{
    return words + rotary_spare <= 16   ? 2048
           : words + rotary_spare <= 24 ? 1536
           : words + rotary_spare <= 32 ? 1280
           : words + rotary_spare <= 40 ? 1024
                                        : 768;
}

template <class X, class Table, bool Half, trine_rotary_rounding Rounding, uint32_t Heads>
constexpr uint32_t rotary_threads = rotary_resident(
    2 * rotary_table_words<X, typename std::conditional<Heads == 1, Table, f32>::type, Half> +
    Heads * (Half ? 8 : 4) +
    (Rounding == TRINE_ROUNDING_LOW_MUL_F32_ADD || Rounding == TRINE_ROUNDING_ALL_LOW ? 4 : 0));

template <class X, class Table, bool Half, trine_rotary_rounding Rounding, uint32_t Heads>
__global__ void TRINE_LAUNCH_BOUNDS(TRINE_ROTARY_THREADS,
                                    (rotary_threads<X, Table, Half, Rounding, Heads>))
    rotary_tiled(const TRINE_GRID_CONSTANT trine_rotary_params p)
{
    // At once, so that the next kernel's first blocks have fetched ahead when this one's last end.
    let_next_start();
    constexpr uint32_t table_words = rotary_table_words<X, Table, Half>;
    const rotary_place at = rotary_place_of(p);
    const uint8_t *x = p.x + rotary_offset(at, p.x_batch, p.x_token, p.x_head, 16);
    uint8_t *out = p.out + rotary_offset(at, p.out_batch, p.out_token, p.out_head, 16);
    const uint8_t *cos =
        p.cos + rotary_offset(at, p.cos_batch, p.cos_token, p.cos_head, 4 * table_words);
    const uint8_t *sin =
        p.sin + rotary_offset(at, p.sin_batch, p.sin_token, p.sin_head, 4 * table_words);
    const bool inside = at.token < p.tokens && at.head < p.heads;
    bool live[Heads];
#pragma unroll
    for (uint32_t k = 0; k < Heads; k++) live[k] = at.head + k * p.head_lanes < p.heads;
    if (inside && blockIdx.y * gridDim.x + blockIdx.x < p.ahead) {
#pragma unroll
        for (uint32_t k = 0; k < Heads; k++) {
            if (!live[k]) continue;
            fetch_ahead(x + k * p.x_step);
            if constexpr (Half) fetch_ahead(x + k * p.x_step + p.second);
        }
        fetch_ahead(cos);
        fetch_ahead(sin);
    }
    wait_for_previous();
    if (!inside) return;

    uint32_t first[Heads][4], second[Heads][4], c[table_words], s[table_words];
#pragma unroll
    for (uint32_t k = 0; k < Heads; k++) {
        if (!live[k]) continue;
        load_streamed(first[k], x + k * p.x_step);
        if constexpr (Half) load_streamed(second[k], x + k * p.x_step + p.second);
    }
    load_shared(c, cos);
    load_shared(s, sin);
#pragma unroll
    for (uint32_t i = 0; i < table_words; i++) s[i] ^= p.sign;
#pragma unroll
    for (uint32_t k = 0; k < Heads; k++) {
        if (!live[k]) continue;
        if constexpr (Half) {
            rotary_half<X, Table, Rounding>(first[k], second[k], c, s);
            store_streamed(out + k * p.out_step, first[k]);
            store_streamed(out + k * p.out_step + p.second, second[k]);
        } else {
            rotary_adjacent<X, Table, Rounding>(first[k], c, s);
            store_streamed(out + k * p.out_step, first[k]);
        }
    }
}

// The kernel for a problem, NULL if there is none. A file that calls this compiles all of them for
// one dtype of x.
template <class X, class Table, bool Half, trine_rotary_rounding Rounding>
static const void *rotary_tiled_of_heads(uint32_t heads)
{
    switch (heads) {
    case 1:
        return reinterpret_cast<const void *>(&rotary_tiled<X, Table, Half, Rounding, 1>);
    case 2:
        return reinterpret_cast<const void *>(&rotary_tiled<X, Table, Half, Rounding, 2>);
    default:
        return nullptr;
    }
}

template <class X, class Table, bool Half>
static const void *rotary_tiled_of_rounding(trine_rotary_rounding rounding, uint32_t heads)
{
    if (rounding == TRINE_ROUNDING_F32_FMA)
        return rotary_tiled_of_heads<X, Table, Half, TRINE_ROUNDING_F32_FMA>(heads);
    if (rounding == TRINE_ROUNDING_F32_2MUL)
        return rotary_tiled_of_heads<X, Table, Half, TRINE_ROUNDING_F32_2MUL>(heads);
    // The others multiply in x's own dtype, of 16 bits.
    if constexpr (rotary_word_elements<X> == 2 && std::is_same<X, Table>::value) {
        if (rounding == TRINE_ROUNDING_LOW_MUL_F32_ADD)
            return rotary_tiled_of_heads<X, Table, Half, TRINE_ROUNDING_LOW_MUL_F32_ADD>(heads);
        return rotary_tiled_of_heads<X, Table, Half, TRINE_ROUNDING_ALL_LOW>(heads);
    }
    return nullptr;
}

template <class X, class Table>
static const void *rotary_tiled_of_pairing(const trine_rotary_embedding_problem *p, uint32_t heads)
{
    if (p->pairing == TRINE_PAIRING_HALF)
        return rotary_tiled_of_rounding<X, Table, true>(p->rounding, heads);
    return rotary_tiled_of_rounding<X, Table, false>(p->rounding, heads);
}

template <class X>
static const void *rotary_tiled_of(const trine_rotary_embedding_problem *p, uint32_t heads)
{
    if (p->cos.dtype == TRINE_F32) return rotary_tiled_of_pairing<X, f32>(p, heads);
    if (p->cos.dtype == TRINE_BF16) return rotary_tiled_of_pairing<X, bf16>(p, heads);
    return rotary_tiled_of_pairing<X, f16>(p, heads);
}

} // namespace trine_gpu

#endif
