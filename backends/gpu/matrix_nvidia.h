// SPDX-License-Identifier: Apache-2.0
// mma.sync. A 16 by 16 result is two of its m16n8 results side by side; in bytes, all types have
// the same layout: lane 4 g + q has bytes 4 q .. 4 q + 3 and 16 + 4 q .. of rows g and g + 8.
#ifndef TRINE_BACKENDS_GPU_MATRIX_NVIDIA_H
#define TRINE_BACKENDS_GPU_MATRIX_NVIDIA_H

#include "backends/gpu/matrix_types.h"

namespace trine_gpu
{

#if defined(__CUDA_ARCH__)
#define TRINE_MMA_ARCH __CUDA_ARCH__
#else
#define TRINE_MMA_ARCH 0
#endif

constexpr bool matrix_by_dots = false;

template <class T>
constexpr bool matrix_has = matrix_same<T, matrix_f16> || matrix_same<T, matrix_i8> ||
                            (matrix_same<T, matrix_bf16> && TRINE_MMA_ARCH >= 800) ||
                            ((matrix_same<T, matrix_e4m3> ||
                              matrix_same<T, matrix_e5m2>)&&(TRINE_MMA_ARCH == 890 ||
                                                             TRINE_MMA_ARCH >= 1200));

template <class T>
constexpr uint32_t matrix_step = 32;

template <class T>
struct matrix_panel {
    uint32_t w[4]; // rows g and g + 8 of the first 16 bytes, then of the last
};

constexpr uint32_t lane_rows = 2, lane_parts = 4;

TRINE_DEVICE uint32_t matrix_lane()
{
    return threadIdx.x % 32;
}

TRINE_DEVICE uint32_t lane_row(uint32_t i)
{
    return matrix_lane() / 4 + 8 * i;
}

TRINE_DEVICE uint32_t lane_part()
{
    return matrix_lane() % 4;
}

TRINE_DEVICE uint32_t sum_row(uint32_t i)
{
    return matrix_lane() / 4 + 8 * (i / 2 % 2);
}

TRINE_DEVICE uint32_t sum_column(uint32_t i)
{
    return 2 * (matrix_lane() % 4) + i % 2 + 8 * (i / 4);
}

// Rows lie `stride` bytes apart, a multiple of 16; an odd multiple meets no bank twice.
template <class T>
TRINE_DEVICE matrix_panel<T> load_panel(const uint8_t *shared, uint32_t stride)
{
    const uint32_t lane = matrix_lane();
    const uint32_t address =
        (uint32_t)__cvta_generic_to_shared(shared + lane % 16 * stride + lane / 16 * 16);
    matrix_panel<T> panel;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(panel.w[0]), "=r"(panel.w[1]), "=r"(panel.w[2]), "=r"(panel.w[3])
                 : "r"(address)
                 : "memory");
    return panel;
}

#define TRINE_MMA_F32(shape, types)                                                                \
    asm("mma.sync.aligned." shape ".row.col." types                                                \
        " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                         \
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])                                           \
        : "r"(a.w[0]), "r"(a.w[1]), "r"(a.w[2]), "r"(a.w[3]), "r"(b0), "r"(b1))

// One half of the result: 16 rows, 8 columns.
template <class T>
TRINE_DEVICE void multiply_half(float *c, const matrix_panel<T> &a, uint32_t b0, uint32_t b1)
{
    if constexpr (matrix_same<T, matrix_f16>) {
#if TRINE_MMA_ARCH >= 800
        TRINE_MMA_F32("m16n8k16", "f32.f16.f16.f32");
#else
        asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, "
            "{%8}, {%0, %1, %2, %3};\n\t"
            "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%6, %7}, "
            "{%9}, {%0, %1, %2, %3};"
            : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
            : "r"(a.w[0]), "r"(a.w[1]), "r"(a.w[2]), "r"(a.w[3]), "r"(b0), "r"(b1));
#endif
    }
#if TRINE_MMA_ARCH >= 800
    if constexpr (matrix_same<T, matrix_bf16>) TRINE_MMA_F32("m16n8k16", "f32.bf16.bf16.f32");
#endif
#if TRINE_MMA_ARCH == 890 || TRINE_MMA_ARCH >= 1200
    if constexpr (matrix_same<T, matrix_e4m3>) TRINE_MMA_F32("m16n8k32", "f32.e4m3.e4m3.f32");
    if constexpr (matrix_same<T, matrix_e5m2>) TRINE_MMA_F32("m16n8k32", "f32.e5m2.e5m2.f32");
#endif
}

#undef TRINE_MMA_F32

template <class T>
TRINE_DEVICE void multiply_half(int32_t *c, const matrix_panel<T> &a, uint32_t b0, uint32_t b1)
{
#if TRINE_MMA_ARCH >= 800
    asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, "
        "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(a.w[0]), "r"(a.w[1]), "r"(a.w[2]), "r"(a.w[3]), "r"(b0), "r"(b1));
#else
#pragma unroll
    for (uint32_t h = 0; h < 2; h++)
        asm("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%4}, "
            "{%0, %1};\n\t"
            "mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%3}, {%5}, "
            "{%0, %1};"
            : "+r"(c[2 * h]), "+r"(c[2 * h + 1])
            : "r"(a.w[h]), "r"(a.w[h + 2]), "r"(b0), "r"(b1));
#endif
}

// sum += a b^T
template <class T, class Sum>
TRINE_DEVICE void multiply(Sum &sum, const matrix_panel<T> &a, const matrix_panel<T> &b)
{
    if constexpr (matrix_has<T>) {
        multiply_half<T>(sum.v, a, b.w[0], b.w[2]);
        multiply_half<T>(sum.v + 4, a, b.w[1], b.w[3]);
    }
}

#undef TRINE_MMA_ARCH

} // namespace trine_gpu

#endif
