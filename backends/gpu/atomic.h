// SPDX-License-Identifier: Apache-2.0
// Additions to global memory that other blocks add to as well: f32, and bf16 or f16 in pairs or
// alone. One instruction where the target has it, else a compare-and-swap; each rounds to nearest.
//
// Device scope, no order among them: what they made is there when the kernel has ended. On AMD the
// memory must be coarse-grained (plain hipMalloc): elsewhere the native forms may get lost.
#ifndef TRINE_BACKENDS_GPU_ATOMIC_H
#define TRINE_BACKENDS_GPU_ATOMIC_H

#include "backends/gpu/format.h"

// Where an instruction adds: f32 everywhere but on RDNA2, pairs of f16 and bf16 on fewer.
#if defined(__HIP__)
#if defined(__gfx90a__) || defined(__gfx940__) || defined(__gfx941__) || defined(__gfx942__) ||    \
    defined(__gfx950__) || defined(__GFX11__) || defined(__GFX12__)
#define TRINE_NATIVE_ADD_F32 1
#endif
#if defined(__gfx90a__) || defined(__gfx940__) || defined(__gfx941__) || defined(__gfx942__) ||    \
    defined(__gfx950__) || defined(__GFX12__)
#define TRINE_NATIVE_ADD_F16X2 1
#endif
#if defined(__gfx940__) || defined(__gfx941__) || defined(__gfx942__) || defined(__gfx950__) ||    \
    defined(__GFX12__)
#define TRINE_NATIVE_ADD_BF16X2 1
#endif
#elif defined(__CUDA_ARCH__)
#define TRINE_NATIVE_ADD_F32   1
#define TRINE_NATIVE_ADD_F16X2 1
#if __CUDA_ARCH__ >= 900
#define TRINE_NATIVE_ADD_BF16X2 1
#endif
#endif

namespace trine_gpu
{

#if defined(__HIP__)
template <class T>
using global_pointer = T __attribute__((address_space(1))) *;

template <class T>
TRINE_DEVICE global_pointer<T> to_global(void *address)
{
    return (global_pointer<T>)(T *)address;
}
#endif

// Makes *address `wanted` if it is `seen` still; what it was. Words of 32 bits.
TRINE_DEVICE uint32_t compare_and_swap(uint32_t *address, uint32_t seen, uint32_t wanted)
{
#if defined(__HIP__)
    __hip_atomic_compare_exchange_strong(address, &seen, wanted, __ATOMIC_RELAXED, __ATOMIC_RELAXED,
                                         __HIP_MEMORY_SCOPE_AGENT);
    return seen;
#else
    return atomicCAS(address, seen, wanted);
#endif
}

TRINE_DEVICE uint32_t load_relaxed(const uint32_t *address)
{
#if defined(__HIP__)
    return __hip_atomic_load(address, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
#else
    return *static_cast<const volatile uint32_t *>(address);
#endif
}

TRINE_DEVICE void atomic_max(uint32_t *address, uint32_t value)
{
#if defined(__HIP__)
    (void)__hip_atomic_fetch_max(address, value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
#else
    atomicMax(address, value);
#endif
}

TRINE_DEVICE void swap_add_f32(float *address, float value)
{
    uint32_t *word = reinterpret_cast<uint32_t *>(address);
    uint32_t seen = load_relaxed(word), before;
    do {
        before = seen;
        seen = compare_and_swap(word, before, trine_f32_bits(trine_f32_from_bits(before) + value));
    } while (seen != before);
}

// Native additions may take subnormals, added or resulting, for zero. From 2^-102 on that moves a
// sum by less than its own rounding does: what is smaller is added by the loop.
TRINE_DEVICE void atomic_add_f32(float *address, float value)
{
#if defined(TRINE_NATIVE_ADD_F32)
    if (trine_absf(value) < 0x1p-102f) { // the long way
        if (value != 0.0f) swap_add_f32(address, value);
        return;
    }
#if defined(__HIP__)
    (void)__builtin_amdgcn_global_atomic_fadd_f32(to_global<float>(address), value);
#else
    atomicAdd(address, value);
#endif
#else
    swap_add_f32(address, value);
#endif
}

#if !defined(TRINE_NATIVE_ADD_F16X2) || !defined(TRINE_NATIVE_ADD_BF16X2)
template <class Format>
TRINE_DEVICE void swap_add_pair(uint32_t *address, uint32_t pair)
{
    const uint32_t added[1] = {pair};
    uint32_t seen = load_relaxed(address), before;
    do {
        before = seen;
        const uint32_t old[1] = {before};
        seen = compare_and_swap(address, before,
                                Format::pack(Format::element(old, 0) + Format::element(added, 0),
                                             Format::element(old, 1) + Format::element(added, 1)));
    } while (seen != before);
}
#endif

// Adds two elements of Format (bf16 or f16), packed as Format packs them, to the two at a multiple
// of 4 bytes.
template <class Format>
struct pair_adder;

template <>
struct pair_adder<bf16> {
    TRINE_DEVICE void add(uint32_t *address, uint32_t pair)
    {
#if !defined(TRINE_NATIVE_ADD_BF16X2)
        swap_add_pair<bf16>(address, pair);
#elif defined(__HIP__)
        typedef short halves __attribute__((ext_vector_type(2)));
        (void)__builtin_amdgcn_global_atomic_fadd_v2bf16(to_global<halves>(address),
                                                         __builtin_bit_cast(halves, pair));
#else
        asm volatile("red.relaxed.gpu.global.add.noftz.bf16x2 [%0], %1;"
                     :
                     : "l"(__cvta_generic_to_global(address)), "r"(pair)
                     : "memory");
#endif
    }
};

template <>
struct pair_adder<f16> {
    TRINE_DEVICE void add(uint32_t *address, uint32_t pair)
    {
#if !defined(TRINE_NATIVE_ADD_F16X2)
        swap_add_pair<f16>(address, pair);
#elif defined(__HIP__)
        typedef _Float16 halves __attribute__((ext_vector_type(2)));
        (void)__builtin_amdgcn_global_atomic_fadd_v2f16(to_global<halves>(address),
                                                        __builtin_bit_cast(halves, pair));
#else
        asm volatile("red.relaxed.gpu.global.add.noftz.f16x2 [%0], %1;"
                     :
                     : "l"(__cvta_generic_to_global(address)), "r"(pair)
                     : "memory");
#endif
    }
};

// Adds `value`, rounded to Format, to the element at `address`. AMD swaps the whole word around it,
// which leaves the neighbor as it is.
template <class Format>
TRINE_DEVICE void atomic_add_half(uint16_t *address, float value)
{
    value = Format::round(value);
#if defined(__HIP__)
    const uintptr_t at = reinterpret_cast<uintptr_t>(address);
    uint32_t *word = reinterpret_cast<uint32_t *>(at & ~uintptr_t(3));
    const uint32_t shift = at & 2 ? 16 : 0;
    uint32_t seen = load_relaxed(word), before;
    do {
        before = seen;
        const float sum = Format::from_bits(before >> shift & 0xffffu) + value;
        const uint32_t half = Format::pack(sum, 0.0f) & 0xffffu;
        seen = compare_and_swap(word, before, (before & ~(0xffffu << shift)) | half << shift);
    } while (seen != before);
#else
    uint16_t seen = *static_cast<const volatile uint16_t *>(address), before;
    do {
        before = seen;
        const float sum = Format::from_bits(before) + value;
        const uint16_t half = (uint16_t)Format::pack(sum, 0.0f);
        asm volatile("atom.relaxed.gpu.global.cas.b16 %0, [%1], %2, %3;"
                     : "=h"(seen)
                     : "l"(__cvta_generic_to_global(address)), "h"(before), "h"(half)
                     : "memory");
    } while (seen != before);
#endif
}

// Adds `low` and `high`, rounded to Format, to two elements that lie `step` apart.
template <class Format>
TRINE_DEVICE void atomic_add_halves(uint16_t *address, int64_t step, float low, float high)
{
    if (step == 1 && reinterpret_cast<uintptr_t>(address) % 4 == 0) { // shortcut
        pair_adder<Format>::add(reinterpret_cast<uint32_t *>(address), Format::pack(low, high));
        return;
    }
    atomic_add_half<Format>(address, low);
    atomic_add_half<Format>(address + step, high);
}

} // namespace trine_gpu

#endif
