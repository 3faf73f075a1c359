// SPDX-License-Identifier: Apache-2.0
// MFMA of gfx9 (waves of 64), WMMA of gfx11 and gfx12, and dot products where there is neither.
//
// Lane l has row l % 16 of A and of B and column l % 16 of the result. On gfx9 four lanes share a
// row, on gfx12 two; on gfx11 both halves of the wave hold the same whole rows.
#ifndef TRINE_BACKENDS_GPU_MATRIX_AMD_H
#define TRINE_BACKENDS_GPU_MATRIX_AMD_H

#include "backends/gpu/matrix_types.h"

namespace trine_gpu
{

#if defined(__gfx908__) || defined(__gfx90a__)
#define TRINE_MFMA 1
#elif defined(__gfx942__)
#define TRINE_MFMA 2
#elif defined(__gfx950__)
#define TRINE_MFMA 3
#else
#define TRINE_MFMA 0
#endif
#if defined(__GFX11__)
#define TRINE_WMMA 11
#elif defined(__GFX12__)
#define TRINE_WMMA 12
#else
#define TRINE_WMMA 0
#endif

// Without a matrix unit: f16 and i8 by dot products.
constexpr bool matrix_by_dots = !TRINE_MFMA && !TRINE_WMMA;

template <class T>
constexpr bool matrix_fp8 = matrix_same<T, matrix_e4m3> || matrix_same<T, matrix_e5m2>;

template <class T>
constexpr bool matrix_has = matrix_same<T, matrix_f16> || matrix_same<T, matrix_i8> ||
                            (matrix_same<T, matrix_bf16> && !matrix_by_dots) ||
                            (matrix_same<T, matrix_e4m3> &&
                             (TRINE_MFMA >= 2 || TRINE_WMMA == 12)) ||
                            (matrix_same<T, matrix_e5m2> && (TRINE_MFMA == 3 || TRINE_WMMA == 12));

#if TRINE_MFMA
constexpr uint32_t lane_parts = 4;
template <class T>
constexpr uint32_t matrix_step = TRINE_MFMA == 3 && matrix_fp8<T> ? 128 : 64;
#else
constexpr uint32_t lane_parts = TRINE_WMMA == 12 ? 2 : 1;
template <class T>
constexpr uint32_t matrix_step = 32;
#endif
constexpr uint32_t lane_rows = 1;

template <class T>
struct matrix_panel {
    uint32_t w[matrix_step<T> / lane_parts / 4];
};

TRINE_DEVICE uint32_t matrix_lane()
{
    return threadIdx.x % wave_width;
}

TRINE_DEVICE uint32_t lane_row(uint32_t)
{
    return matrix_lane() % 16;
}

TRINE_DEVICE uint32_t lane_part()
{
    return lane_parts == 1 ? 0 : matrix_lane() / 16;
}

TRINE_DEVICE uint32_t sum_row(uint32_t i)
{
    const uint32_t part = matrix_lane() / 16;
    if constexpr (TRINE_WMMA == 11) return 2 * i + part;
    return part * (256 / wave_width) + i;
}

TRINE_DEVICE uint32_t sum_column(uint32_t)
{
    return matrix_lane() % 16;
}

typedef uint32_t matrix_quad __attribute__((ext_vector_type(4)));

// Rows lie `stride` bytes apart, a multiple of 16; an odd multiple meets no bank twice.
template <class T>
TRINE_DEVICE matrix_panel<T> load_panel(const uint8_t *shared, uint32_t stride)
{
    constexpr uint32_t quads = matrix_step<T> / lane_parts / 16;
    const uint8_t *row = shared + lane_row(0) * stride + lane_part() * 16;
    matrix_panel<T> panel;
#pragma unroll
    for (uint32_t i = 0; i < quads; i++) {
        matrix_quad q = *reinterpret_cast<const matrix_quad *>(row + i * lane_parts * 16);
        panel.w[4 * i] = q.x, panel.w[4 * i + 1] = q.y;
        panel.w[4 * i + 2] = q.z, panel.w[4 * i + 3] = q.w;
    }
    return panel;
}

// `Words` words of a panel from word `at` on, as the vector that an instruction takes.
template <class Vector, class T>
TRINE_DEVICE Vector panel_words(const matrix_panel<T> &panel, uint32_t at)
{
    struct {
        uint32_t w[sizeof(Vector) / 4];
    } words;
#pragma unroll
    for (uint32_t i = 0; i < sizeof(Vector) / 4; i++) words.w[i] = panel.w[at + i];
    return __builtin_bit_cast(Vector, words);
}

#if defined(__HIP_DEVICE_COMPILE__)

typedef _Float16 matrix_h2 __attribute__((ext_vector_type(2)));
typedef _Float16 matrix_h4 __attribute__((ext_vector_type(4)));
typedef _Float16 matrix_h8 __attribute__((ext_vector_type(8)));
typedef _Float16 matrix_h16 __attribute__((ext_vector_type(16)));
typedef __bf16 matrix_b8 __attribute__((ext_vector_type(8)));
typedef short matrix_s2 __attribute__((ext_vector_type(2)));
typedef short matrix_s4 __attribute__((ext_vector_type(4)));
typedef short matrix_s8 __attribute__((ext_vector_type(8)));
typedef short matrix_s16 __attribute__((ext_vector_type(16)));
typedef int matrix_i2 __attribute__((ext_vector_type(2)));
typedef int matrix_i4 __attribute__((ext_vector_type(4)));
typedef int matrix_i8x __attribute__((ext_vector_type(8)));
typedef float matrix_f4 __attribute__((ext_vector_type(4)));
typedef float matrix_f8 __attribute__((ext_vector_type(8)));

// c += a b for every run of sizeof(Operand) bytes of the panels.
#define TRINE_EACH(Operand, result)                                                                \
    _Pragma("unroll") for (uint32_t i = 0; i < sizeof(a.w) / 4; i += sizeof(Operand) / 4)          \
    {                                                                                              \
        const Operand x = panel_words<Operand>(a, i), y = panel_words<Operand>(b, i);              \
        c = result;                                                                                \
    }

#if TRINE_MFMA

template <class T>
TRINE_DEVICE matrix_i4 multiply_unit(matrix_i4 c, const matrix_panel<T> &a,
                                     const matrix_panel<T> &b)
{
#if TRINE_MFMA == 3
    TRINE_EACH(matrix_i4, __builtin_amdgcn_mfma_i32_16x16x64_i8(x, y, c, 0, 0, 0))
#elif TRINE_MFMA == 2
    TRINE_EACH(long, __builtin_amdgcn_mfma_i32_16x16x32_i8(x, y, c, 0, 0, 0))
#else
    TRINE_EACH(int, __builtin_amdgcn_mfma_i32_16x16x16i8(x, y, c, 0, 0, 0))
#endif
    return c;
}

template <class T>
TRINE_DEVICE matrix_f4 multiply_unit(matrix_f4 c, const matrix_panel<T> &a,
                                     const matrix_panel<T> &b)
{
    if constexpr (matrix_same<T, matrix_f16>) {
#if TRINE_MFMA == 3
        TRINE_EACH(matrix_h8, __builtin_amdgcn_mfma_f32_16x16x32_f16(x, y, c, 0, 0, 0))
#else
        TRINE_EACH(matrix_h4, __builtin_amdgcn_mfma_f32_16x16x16f16(x, y, c, 0, 0, 0))
#endif
    }
    if constexpr (matrix_same<T, matrix_bf16>) {
#if TRINE_MFMA == 3
        TRINE_EACH(matrix_b8, __builtin_amdgcn_mfma_f32_16x16x32_bf16(x, y, c, 0, 0, 0))
#elif defined(__gfx908__)
        TRINE_EACH(matrix_s2, __builtin_amdgcn_mfma_f32_16x16x8bf16(x, y, c, 0, 0, 0))
#else
        TRINE_EACH(matrix_s4, __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(x, y, c, 0, 0, 0))
#endif
    }
    // 128 deep, without scales: twice the rate of the older form.
#if TRINE_MFMA == 3
    if constexpr (matrix_same<T, matrix_e4m3>)
        TRINE_EACH(matrix_i8x,
                   __builtin_amdgcn_mfma_scale_f32_16x16x128_f8f6f4(x, y, c, 0, 0, 0, 0, 0, 0))
    if constexpr (matrix_same<T, matrix_e5m2>)
        TRINE_EACH(matrix_i8x,
                   __builtin_amdgcn_mfma_scale_f32_16x16x128_f8f6f4(x, y, c, 1, 1, 0, 0, 0, 0))
#elif TRINE_MFMA == 2
    if constexpr (matrix_same<T, matrix_e4m3>)
        TRINE_EACH(long, __builtin_amdgcn_mfma_f32_16x16x32_fp8_fp8(x, y, c, 0, 0, 0))
#endif
    return c;
}

typedef matrix_f4 matrix_f32_sum;
typedef matrix_i4 matrix_i32_sum;

#elif TRINE_WMMA

template <class T>
TRINE_DEVICE matrix_i8x multiply_unit(matrix_i8x c, const matrix_panel<T> &a,
                                      const matrix_panel<T> &b)
{
#if TRINE_WMMA == 12
    TRINE_EACH(matrix_i2,
               __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32_gfx12(true, x, true, y, c, false))
#else
    TRINE_EACH(matrix_i4, __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32(true, x, true, y, c, false))
#endif
    return c;
}

template <class T>
TRINE_DEVICE matrix_f8 multiply_unit(matrix_f8 c, const matrix_panel<T> &a,
                                     const matrix_panel<T> &b)
{
#if TRINE_WMMA == 12
    if constexpr (matrix_same<T, matrix_f16>)
        TRINE_EACH(matrix_h8, __builtin_amdgcn_wmma_f32_16x16x16_f16_w32_gfx12(x, y, c))
    if constexpr (matrix_same<T, matrix_bf16>)
        TRINE_EACH(matrix_s8, __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32_gfx12(x, y, c))
    if constexpr (matrix_same<T, matrix_e4m3>)
        TRINE_EACH(matrix_i2, __builtin_amdgcn_wmma_f32_16x16x16_fp8_fp8_w32_gfx12(x, y, c))
    if constexpr (matrix_same<T, matrix_e5m2>)
        TRINE_EACH(matrix_i2, __builtin_amdgcn_wmma_f32_16x16x16_bf8_bf8_w32_gfx12(x, y, c))
#else
    if constexpr (matrix_same<T, matrix_f16>)
        TRINE_EACH(matrix_h16, __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(x, y, c))
    if constexpr (matrix_same<T, matrix_bf16>)
        TRINE_EACH(matrix_s16, __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32(x, y, c))
#endif
    return c;
}

typedef matrix_f8 matrix_f32_sum;
typedef matrix_i8x matrix_i32_sum;

#else

// A lane has whole rows of A and B, but needs eight rows of A: the others come word by word from
// the lanes that have them.
TRINE_DEVICE float dot_word(uint32_t x, uint32_t y, float c)
{
    return __builtin_amdgcn_fdot2(__builtin_bit_cast(matrix_h2, x),
                                  __builtin_bit_cast(matrix_h2, y), c, false);
}

TRINE_DEVICE int32_t dot_word(uint32_t x, uint32_t y, int32_t c)
{
    return __builtin_amdgcn_sdot4((int)x, (int)y, c, false);
}

// Row r of this half of the result is row 8 * (lane / 16) + r of A, which lane r or r + 8 of each
// half of the wave holds.
template <class T, class C>
TRINE_DEVICE C multiply_unit(C c, const matrix_panel<T> &a, const matrix_panel<T> &b)
{
#pragma unroll
    for (uint32_t i = 0; i < sizeof(a.w) / 4; i++) {
        // The upper half takes its rows 8 to 15 down to lanes 0 to 7 of its own.
        const uint32_t swapped =
            (uint32_t)__builtin_amdgcn_mov_dpp((int)a.w[i], 0x128, 0xf, 0xf, true); // row_ror:8
        const uint32_t mine = matrix_lane() < 16 ? a.w[i] : swapped;
#pragma unroll
        for (uint32_t r = 0; r < 8; r++) {
            const uint32_t x = __builtin_amdgcn_permlane16(mine, mine, 0x11111111u * r,
                                                           0x11111111u * r, false, false);
            c[r] = dot_word(x, b.w[i], c[r]);
        }
        __builtin_amdgcn_sched_barrier(0); // or all the words' rows are in registers at once
    }
    return c;
}

typedef matrix_f8 matrix_f32_sum;
typedef matrix_i8x matrix_i32_sum;

#endif

#undef TRINE_EACH

// sum += a b^T
template <class T, class Sum>
TRINE_DEVICE void multiply(Sum &sum, const matrix_panel<T> &a, const matrix_panel<T> &b)
{
    if constexpr (!matrix_has<T>) {
        return;
    } else if constexpr (matrix_same<T, matrix_i8>) {
        const matrix_i32_sum c = __builtin_bit_cast(matrix_i32_sum, sum);
        sum = __builtin_bit_cast(Sum, multiply_unit<T>(c, a, b));
    } else {
        const matrix_f32_sum c = __builtin_bit_cast(matrix_f32_sum, sum);
        sum = __builtin_bit_cast(Sum, multiply_unit<T>(c, a, b));
    }
}

#else

template <class T, class Sum>
TRINE_DEVICE void multiply(Sum &, const matrix_panel<T> &, const matrix_panel<T> &)
{
}

#endif

#undef TRINE_MFMA
#undef TRINE_WMMA

} // namespace trine_gpu

#endif
