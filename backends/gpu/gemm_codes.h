// SPDX-License-Identifier: Apache-2.0
// Codes as they lie in memory, and what the matrix unit gets of them: 16 bytes at a time, by
// hardware where the target has it. Every value comes through exactly.
//
//   type        what the unit multiplies
//   bits        of a code in memory
//   is_plain    the codes are `type` already
//   convert     16 bytes of codes to words of `type`, in order
#ifndef TRINE_BACKENDS_GPU_GEMM_CODES_H
#define TRINE_BACKENDS_GPU_GEMM_CODES_H

#include "backends/gpu/matrix.h"
#include "numerics/fp8.h"

namespace trine_gpu
{

// Words of `type` that 16 bytes of codes become.
template <class Codes>
constexpr uint32_t code_words = 32 * Codes::type::bytes / Codes::bits;

template <class Type>
struct plain_codes {
    typedef Type type;
    static constexpr uint32_t bits = 8 * Type::bytes;
    static constexpr bool is_plain = true;

    TRINE_DEVICE void convert(uint32_t (&out)[4], const uint32_t (&in)[4])
    {
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) out[i] = in[i];
    }
};

// Codes 0 and 1, or 2 and 3, of a word as the upper bytes of two halves.
TRINE_DEVICE uint32_t upper_bytes(uint32_t word, uint32_t pair)
{
#if defined(__HIP__)
    return __builtin_amdgcn_perm(0, word, pair ? 0x030c020cu : 0x010c000cu);
#else
    return __byte_perm(word, 0, pair ? 0x3424 : 0x1404);
#endif
}

// Both halves of x times both of y, in f16.
TRINE_DEVICE uint32_t multiply_halves(uint32_t x, uint32_t y)
{
#if defined(__HIP_DEVICE_COMPILE__)
    typedef _Float16 pair __attribute__((ext_vector_type(2)));
    return __builtin_bit_cast(uint32_t, __builtin_bit_cast(pair, x) * __builtin_bit_cast(pair, y));
#elif defined(__CUDA_ARCH__)
    uint32_t z;
    asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(z) : "r"(x), "r"(y));
    return z;
#else
    return x * y;
#endif
}

// An e4m3 code in the upper byte of a half, moved to where f16 has exponent and mantissa, is a
// power of two too small.
TRINE_DEVICE uint32_t widen_e4m3(uint32_t halves, uint32_t factor)
{
    return multiply_halves((halves & 0x80008000u) | (halves & 0x7f007f00u) >> 1, factor);
}

struct e4m3fn_codes {
    typedef matrix_f16 type;
    static constexpr uint32_t bits = 8;
    static constexpr bool is_plain = false;

    TRINE_DEVICE void convert(uint32_t (&out)[8], const uint32_t (&in)[4])
    {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
#pragma unroll
        for (uint32_t i = 0; i < 4; i++)
            asm("{\n\t.reg .b16 low, high;\n\t"
                "mov.b32 {low, high}, %2;\n\t"
                "cvt.rn.f16x2.e4m3x2 %0, low;\n\t"
                "cvt.rn.f16x2.e4m3x2 %1, high;\n\t}"
                : "=r"(out[2 * i]), "=r"(out[2 * i + 1])
                : "r"(in[i]));
#else
        constexpr uint32_t two_to_8 = 0x5c005c00u;
        uint32_t nan = 0;
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) {
            nan |= (in[i] & 0x7f7f7f7fu) + 0x01010101u;
            out[2 * i] = widen_e4m3(upper_bytes(in[i], 0), two_to_8);
            out[2 * i + 1] = widen_e4m3(upper_bytes(in[i], 1), two_to_8);
        }
        if (!(nan & 0x80808080u)) return; // shortcut; what came out as 480 is NaN
#pragma unroll
        for (uint32_t i = 0; i < 8; i++) {
            const uint32_t magnitude = out[i] & 0x7fff7fffu;
            if ((magnitude & 0xffffu) == 0x5f80u) out[i] |= 0x7e00u;
            if (magnitude >> 16 == 0x5f80u) out[i] |= 0x7e000000u;
        }
#endif
    }
};

struct e4m3fnuz_codes {
    typedef matrix_f16 type;
    static constexpr uint32_t bits = 8;
    static constexpr bool is_plain = false;

    TRINE_DEVICE void convert(uint32_t (&out)[8], const uint32_t (&in)[4])
    {
        constexpr uint32_t two_to_7 = 0x58005800u;
        uint32_t nan = 0;
#pragma unroll
        for (uint32_t i = 0; i < 4; i++) {
            const uint32_t flipped = in[i] ^ 0x80808080u; // 0 where the code is NaN
            nan |= (flipped - 0x01010101u) & ~flipped;
            out[2 * i] = widen_e4m3(upper_bytes(in[i], 0), two_to_7);
            out[2 * i + 1] = widen_e4m3(upper_bytes(in[i], 1), two_to_7);
        }
        if (!(nan & 0x80808080u)) return; // shortcut; what came out as -0 is NaN
#pragma unroll
        for (uint32_t i = 0; i < 8; i++) {
            if ((out[i] & 0xffffu) == 0x8000u) out[i] |= 0x7e00u;
            if (out[i] >> 16 == 0x8000u) out[i] |= 0x7e000000u;
        }
    }
};

// E5M2 is the upper byte of a binary16. The matrix units of gfx908 and gfx90a flush subnormals of
// f16, but not what those are in bf16.
struct e5m2_codes {
#if defined(__gfx908__) || defined(__gfx90a__)
    typedef matrix_bf16 type;
#else
    typedef matrix_f16 type;
#endif
    static constexpr uint32_t bits = 8;
    static constexpr bool is_plain = false;

    TRINE_DEVICE void convert(uint32_t (&out)[8], const uint32_t (&in)[4])
    {
#pragma unroll
        for (uint32_t i = 0; i < 8; i++) {
            const uint32_t halves = upper_bytes(in[i / 2], i % 2);
#if defined(__gfx908__) || defined(__gfx90a__)
            const float low = (float)__builtin_bit_cast(_Float16, (uint16_t)halves);
            const float high = (float)__builtin_bit_cast(_Float16, (uint16_t)(halves >> 16));
            out[i] = __builtin_amdgcn_perm(trine_f32_bits(high), trine_f32_bits(low), 0x07060302u);
#else
            out[i] = halves;
#endif
        }
    }
};

} // namespace trine_gpu

#endif
