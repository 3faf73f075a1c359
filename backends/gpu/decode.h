// SPDX-License-Identifier: Apache-2.0
// Four codes of a quantized format as f32, exactly: by hardware where the target has it for the
// format, else by integer code. Same bits either way, but for the payload of NaN.
#ifndef TRINE_BACKENDS_GPU_DECODE_H
#define TRINE_BACKENDS_GPU_DECODE_H

#include "backends/gpu/format.h"

namespace trine_gpu
{

struct e5m2 {
};

// Sign and magnitude of code i where f32 has them: the exponent is not biased for f32 yet.
TRINE_DEVICE uint32_t decode_fields(uint32_t word, uint32_t i)
{
    const uint32_t top = word << (24 - 8 * i);
    // The arithmetic shift leaves the sign where it is.
    return (uint32_t)((int32_t)top >> 4) & 0x87f00000u;
}

// A multiplication by a power of two does the rest, for subnormal codes too: f32 has subnormals.

TRINE_DEVICE void decode(e4m3fn, float (&x)[4], uint32_t word)
{
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
    uint32_t half[2];
    asm("{\n\t.reg .b16 low, high;\n\t"
        "mov.b32 {low, high}, %2;\n\t"
        "cvt.rn.f16x2.e4m3x2 %0, low;\n\t"
        "cvt.rn.f16x2.e4m3x2 %1, high;\n\t}"
        : "=r"(half[0]), "=r"(half[1])
        : "r"(word));
#pragma unroll
    for (uint32_t i = 0; i < 4; i++) x[i] = f16::element(half, i);
#elif defined(__gfx950__) || defined(__GFX12__)
    auto low = __builtin_amdgcn_cvt_pk_f32_fp8((int)word, false);
    auto high = __builtin_amdgcn_cvt_pk_f32_fp8((int)word, true);
    x[0] = low[0], x[1] = low[1], x[2] = high[0], x[3] = high[1];
#else
#pragma unroll
    for (uint32_t i = 0; i < 4; i++) {
        const float value = trine_f32_from_bits(decode_fields(word, i)) * 0x1p120f;
        // What would be 480 is NaN.
        const uint32_t bits = trine_f32_bits(value);
        x[i] = trine_f32_from_bits((bits & 0x7fffffffu) == 0x43f00000u ? 0x7fc00000u : bits);
    }
#endif
}

TRINE_DEVICE void decode(e4m3fnuz, float (&x)[4], uint32_t word)
{
#if defined(__gfx940__) || defined(__gfx941__) || defined(__gfx942__)
    auto low = __builtin_amdgcn_cvt_pk_f32_fp8((int)word, false);
    auto high = __builtin_amdgcn_cvt_pk_f32_fp8((int)word, true);
    x[0] = low[0], x[1] = low[1], x[2] = high[0], x[3] = high[1];
#else
#pragma unroll
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t fields = decode_fields(word, i);
        const uint32_t bits = trine_f32_bits(trine_f32_from_bits(fields) * 0x1p119f);
        x[i] = trine_f32_from_bits(fields == 0x80000000u ? 0x7fc00000u : bits); // no -0
    }
#endif
}

// The upper byte of an f16.
TRINE_DEVICE void decode(e5m2, float (&x)[4], uint32_t word)
{
#if defined(__HIP__)
    const uint32_t half[2] = {__builtin_amdgcn_perm(0u, word, 0x010c000cu),
                              __builtin_amdgcn_perm(0u, word, 0x030c020cu)};
#else
    const uint32_t half[2] = {__byte_perm(word, 0, 0x1404), __byte_perm(word, 0, 0x3424)};
#endif
#pragma unroll
    for (uint32_t i = 0; i < 4; i++) x[i] = f16::element(half, i);
}

// With 0x4b in the upper byte, an integer below 2^23 is a float, 2^23 too large.
TRINE_DEVICE void decode(i8, float (&x)[4], uint32_t word)
{
    const uint32_t biased = word ^ 0x80808080u;
#pragma unroll
    for (uint32_t i = 0; i < 4; i++) {
#if defined(__HIP__)
        x[i] = (float)((biased >> (8 * i)) & 0xffu) - 128.0f; // one instruction converts a byte
#else
        x[i] = trine_f32_from_bits(__byte_perm(biased, 0x4b000000u, 0x7440u | i)) - 8388736.0f;
#endif
    }
}

} // namespace trine_gpu

#endif
