// SPDX-License-Identifier: Apache-2.0
// Accesses of 16 bytes a lane, and of single elements whose type is known at run time only.
#ifndef TRINE_BACKENDS_GPU_MEMORY_H
#define TRINE_BACKENDS_GPU_MEMORY_H

#include "backends/gpu/wave.h"
#include "numerics/format.h"
#include <trine/core.h>

namespace trine_gpu
{

// Reads Words 32-bit words from a 16-byte aligned address that nothing writes meanwhile. The loads
// are issued together, before the first use.
template <uint32_t Words>
TRINE_DEVICE void load_words(uint32_t (&words)[Words], const void *address)
{
    static_assert(Words % 4 == 0, "whole 16-byte accesses");
#pragma unroll
    for (uint32_t i = 0; i < Words / 4; i++) {
#if defined(__HIP__)
        typedef uint32_t quad __attribute__((ext_vector_type(4)));
        quad v = static_cast<const quad *>(address)[i];
#else
        uint4 v = __ldg(static_cast<const uint4 *>(address) + i);
#endif
        words[4 * i] = v.x, words[4 * i + 1] = v.y, words[4 * i + 2] = v.z, words[4 * i + 3] = v.w;
    }
}

// Reads 16 bytes that nothing else of the kernel reads, past the cache of the multiprocessor, which
// is left to what is shared. What this thread writes later may lie at the same address. Such loads
// stay in order with each other and behind wait_for_previous().
TRINE_DEVICE void load_streamed(uint32_t (&words)[4], const void *address)
{
#if defined(__HIP__)
    typedef uint32_t quad __attribute__((ext_vector_type(4)));
    quad v = __builtin_nontemporal_load(static_cast<const quad *>(address));
    words[0] = v.x, words[1] = v.y, words[2] = v.z, words[3] = v.w;
#else
    asm volatile("ld.global.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "l"(address));
#endif
}

// Asks for 16 bytes to be brought into the cache that all multiprocessors share. Not a read: it may
// come before wait_for_previous(), since what the kernel before this one still writes there is
// written in that cache, too.
TRINE_DEVICE void fetch_ahead(const void *address)
{
#if defined(__CUDA_ARCH__)
    asm volatile("prefetch.global.L2 [%0];" ::"l"(address));
#else
    (void)address;
#endif
}

// Writes 16 bytes that are not read again soon: the first to leave the cache.
TRINE_DEVICE void store_streamed(void *address, const uint32_t (&words)[4])
{
#if defined(__HIP__)
    typedef uint32_t quad __attribute__((ext_vector_type(4)));
    __builtin_nontemporal_store(quad{words[0], words[1], words[2], words[3]},
                                static_cast<quad *>(address));
#else
    __stcs(static_cast<uint4 *>(address), make_uint4(words[0], words[1], words[2], words[3]));
#endif
}

TRINE_DEVICE void store_words(void *address, const uint32_t (&words)[4])
{
#if defined(__HIP__)
    typedef uint32_t quad __attribute__((ext_vector_type(4)));
    *static_cast<quad *>(address) = quad{words[0], words[1], words[2], words[3]};
#else
    *static_cast<uint4 *>(address) = make_uint4(words[0], words[1], words[2], words[3]);
#endif
}

// Element `index` of f32, bf16 or f16 data.
TRINE_DEVICE float load_real(const void *data, trine_dtype dtype, int64_t index)
{
    if (dtype == TRINE_F32) return static_cast<const float *>(data)[index];
    uint16_t h = static_cast<const uint16_t *>(data)[index];
    return dtype == TRINE_BF16 ? trine_bf16_to_f32(h) : trine_f16_to_f32(h);
}

TRINE_DEVICE void store_real(void *data, trine_dtype dtype, int64_t index, float x)
{
    if (dtype == TRINE_F32)
        static_cast<float *>(data)[index] = x;
    else
        static_cast<uint16_t *>(data)[index] =
            dtype == TRINE_BF16 ? trine_f32_to_bf16(x) : trine_f32_to_f16(x);
}

TRINE_DEVICE float round_real(float x, trine_dtype dtype)
{
    if (dtype == TRINE_F32) return x;
    return dtype == TRINE_BF16 ? trine_round_bf16(x) : trine_round_f16(x);
}

} // namespace trine_gpu

#endif
