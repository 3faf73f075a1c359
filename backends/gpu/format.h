// SPDX-License-Identifier: Apache-2.0
// Number formats as template arguments: chunks of 16 elements in packed words, and their conversion
// by hardware where the target has it, else by the integer code of numerics/. Same bits either way.
#ifndef TRINE_BACKENDS_GPU_FORMAT_H
#define TRINE_BACKENDS_GPU_FORMAT_H

#include "backends/gpu/wave.h"
#include "numerics/format.h"

namespace trine_gpu
{

// The larger of each 16-bit half.
TRINE_DEVICE uint32_t larger_halves(uint32_t a, uint32_t b)
{
#if defined(__HIP__)
    typedef uint16_t pair __attribute__((ext_vector_type(2)));
    return __builtin_bit_cast(uint32_t, __builtin_elementwise_max(__builtin_bit_cast(pair, a),
                                                                  __builtin_bit_cast(pair, b)));
#else
    return __vmaxu2(a, b);
#endif
}

// Magnitudes are compared as integers: without the sign bit, floats order as their bits do, and
// infinities and NaN stand above all finite values. Below quotient_end, group quantization's short
// division holds.

// What bf16 and f16 share: two elements a word, the lower half first.
template <class Format>
struct half_word_chunk {
    static constexpr uint32_t words = 8; // 16 elements
    static constexpr uint32_t per_word = 2;

    TRINE_DEVICE uint32_t pack_word(const float (&x)[2]) { return Format::pack(x[0], x[1]); }

    TRINE_DEVICE void round_word(float (&x)[2])
    {
        const uint32_t rounded[1] = {Format::pack(x[0], x[1])};
        x[0] = Format::element(rounded, 0), x[1] = Format::element(rounded, 1);
    }

    // Bits of the largest magnitude; from Format::infinity on, not all elements are finite.
    TRINE_DEVICE uint32_t largest(const uint32_t (&w)[words])
    {
        uint32_t m = 0;
#pragma unroll
        for (uint32_t i = 0; i < words; i++) m = larger_halves(m, w[i] & 0x7fff7fffu);
        return larger(m & 0xffffu, m >> 16);
    }

    TRINE_DEVICE float load(const void *data, uint32_t i)
    {
        return Format::from_bits(static_cast<const uint16_t *>(data)[i]);
    }

    TRINE_DEVICE float round(float x)
    {
        return Format::from_bits(Format::pack(x, 0.0f) & 0xffffu);
    }
};

struct bf16 : half_word_chunk<bf16> {
    static constexpr uint32_t infinity = 0x7f80u;
    static constexpr uint32_t quotient_end = 0x6f80u; // 2^96

    TRINE_DEVICE float from_bits(uint32_t bits) { return trine_f32_from_bits(bits << 16); }

    // Element i of any number of words.
    template <uint32_t Words>
    TRINE_DEVICE float element(const uint32_t (&w)[Words], uint32_t i)
    {
        return trine_f32_from_bits(i % 2 ? w[i / 2] & 0xffff0000u : w[i / 2] << 16);
    }

    TRINE_DEVICE uint32_t pack(float low, float high)
    {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
        uint32_t w;
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(w) : "f"(high), "f"(low));
        return w;
#else
        return (uint32_t)trine_f32_to_bf16(high) << 16 | trine_f32_to_bf16(low);
#endif
    }
};

struct f16 : half_word_chunk<f16> {
    static constexpr uint32_t infinity = 0x7c00u;
    static constexpr uint32_t quotient_end = infinity;

    TRINE_DEVICE float from_bits(uint32_t bits)
    {
#if defined(__HIP_DEVICE_COMPILE__)
        return (float)__builtin_bit_cast(_Float16, (uint16_t)bits);
#elif defined(__CUDA_ARCH__)
        float x;
        asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"((uint16_t)bits));
        return x;
#else
        return trine_f16_to_f32((uint16_t)bits);
#endif
    }

    // Element i of any number of words.
    template <uint32_t Words>
    TRINE_DEVICE float element(const uint32_t (&w)[Words], uint32_t i)
    {
        return from_bits(i % 2 ? w[i / 2] >> 16 : w[i / 2] & 0xffffu);
    }

    TRINE_DEVICE uint32_t pack(float low, float high)
    {
#if defined(__HIP_DEVICE_COMPILE__)
        // Clang makes one v_fma_mixlo_f16 with an addend of +0 of a product and its conversion,
        // which turns a product of -0 into +0; an instruction that it can't see through keeps them
        // apart.
        asm("" : "+v"(low), "+v"(high));
        uint32_t l = __builtin_bit_cast(uint16_t, (_Float16)low);
        uint32_t h = __builtin_bit_cast(uint16_t, (_Float16)high);
        return h << 16 | l;
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
        uint32_t w;
        asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(w) : "f"(high), "f"(low));
        return w;
#elif defined(__CUDA_ARCH__)
        uint16_t l, h;
        asm("cvt.rn.f16.f32 %0, %1;" : "=h"(l) : "f"(low));
        asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(high));
        return (uint32_t)h << 16 | l;
#else
        return (uint32_t)trine_f32_to_f16(high) << 16 | trine_f32_to_f16(low);
#endif
    }
};

struct f32 {
    static constexpr uint32_t words = 16;
    static constexpr uint32_t per_word = 1;
    static constexpr uint32_t infinity = 0x7f800000u;
    static constexpr uint32_t quotient_end = infinity;

    TRINE_DEVICE uint32_t pack_word(const float (&x)[1]) { return trine_f32_bits(x[0]); }

    TRINE_DEVICE void round_word(float (&)[1]) {}

    TRINE_DEVICE float from_bits(uint32_t bits) { return trine_f32_from_bits(bits); }

    TRINE_DEVICE uint32_t largest(const uint32_t (&w)[words])
    {
        uint32_t m = 0;
#pragma unroll
        for (uint32_t i = 0; i < words; i++) m = larger(m, w[i] & 0x7fffffffu);
        return m;
    }

    // Element i of any number of words.
    template <uint32_t Words>
    TRINE_DEVICE float element(const uint32_t (&w)[Words], uint32_t i)
    {
        return trine_f32_from_bits(w[i]);
    }

    TRINE_DEVICE float load(const void *data, uint32_t i)
    {
        return static_cast<const float *>(data)[i];
    }
};

// Quantized formats. codes() takes finite values that round into the format's range: what hardware
// makes of NaN and overflow differs between targets. code() takes anything.

struct e4m3fn {
    static constexpr float q_max = 448.0f, q_max_inverse = 0x1.24924ap-9f;

    TRINE_DEVICE uint32_t codes(float a, float b, float c, float d, bool)
    {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
        uint32_t word;
        asm("{\n\t.reg .b16 low, high;\n\t"
            "cvt.rn.satfinite.e4m3x2.f32 low, %2, %1;\n\t"
            "cvt.rn.satfinite.e4m3x2.f32 high, %4, %3;\n\t"
            "mov.b32 %0, {low, high};\n\t}"
            : "=r"(word)
            : "f"(a), "f"(b), "f"(c), "f"(d));
        return word;
#elif defined(__gfx950__) || defined(__GFX12__)
        int word = __builtin_amdgcn_cvt_pk_fp8_f32(a, b, 0, false);
        return (uint32_t)__builtin_amdgcn_cvt_pk_fp8_f32(c, d, word, true);
#else
        return trine_f32_to_e4m3fn(a) | (uint32_t)trine_f32_to_e4m3fn(b) << 8 |
               (uint32_t)trine_f32_to_e4m3fn(c) << 16 | (uint32_t)trine_f32_to_e4m3fn(d) << 24;
#endif
    }

    TRINE_DEVICE uint32_t code(float x, bool)
    {
        return trine_f32_to_e4m3fn(x);
    }
};

struct e4m3fnuz {
    static constexpr float q_max = 224.0f, q_max_inverse = 0x1.24924ap-8f;

    TRINE_DEVICE uint32_t codes(float a, float b, float c, float d, bool)
    {
#if defined(__gfx940__) || defined(__gfx941__) || defined(__gfx942__)
        int word = __builtin_amdgcn_cvt_pk_fp8_f32(a, b, 0, false);
        return (uint32_t)__builtin_amdgcn_cvt_pk_fp8_f32(c, d, word, true);
#else
        return trine_f32_to_e4m3fnuz(a) | (uint32_t)trine_f32_to_e4m3fnuz(b) << 8 |
               (uint32_t)trine_f32_to_e4m3fnuz(c) << 16 | (uint32_t)trine_f32_to_e4m3fnuz(d) << 24;
#endif
    }

    TRINE_DEVICE uint32_t code(float x, bool)
    {
        return trine_f32_to_e4m3fnuz(x);
    }
};

struct i8 {
    static constexpr float q_max = 127.0f, q_max_inverse = 0x1.020408p-7f;

    // The integer of a finite x in the low byte: adding 1.5 * 2^23 rounds it to nearest even.
    TRINE_DEVICE uint32_t integer(float x, bool truncate)
    {
        return truncate ? (uint32_t)(int32_t)x : trine_f32_bits(x + 12582912.0f);
    }

    TRINE_DEVICE uint32_t codes(float a, float b, float c, float d, bool truncate)
    {
        uint32_t k = integer(a, truncate), l = integer(b, truncate);
        uint32_t m = integer(c, truncate), n = integer(d, truncate);
#if defined(__HIP__)
        uint32_t low = __builtin_amdgcn_perm(l, k, 0x0c0c0400u);
        uint32_t high = __builtin_amdgcn_perm(n, m, 0x0c0c0400u);
        return high << 16 | low;
#else
        return __byte_perm(__byte_perm(k, l, 0x0040), __byte_perm(m, n, 0x0040), 0x5410);
#endif
    }

    TRINE_DEVICE uint32_t code(float x, bool truncate)
    {
        return (uint8_t)(truncate ? trine_f32_to_i8_truncate(x) : trine_f32_to_i8_nearest(x));
    }
};

} // namespace trine_gpu

#endif
