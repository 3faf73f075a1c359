// SPDX-License-Identifier: Apache-2.0
// The sigmoid of bf16 gates as a table: which entry a gate has, and what stands there. C and C++.
//
// 4096 magnitudes of each sign are enough: from 2^-25 down sigmoid is 1/2, from 127.5 up it is 1 or
// 0, so that smaller and larger gates share the first and the last entry of their sign
// (tests/gpu/gate_table.c tries all gates). A NaN gets the last one: multiplied by it, it stays.
#ifndef TRINE_BACKENDS_GPU_GROUP_QUANT_GATE_TABLE_H
#define TRINE_BACKENDS_GPU_GROUP_QUANT_GATE_TABLE_H

#include "numerics/elementary.h"

#define TRINE_GPU_GATE_FIRST      0x3300u // bf16 bits of 2^-25
#define TRINE_GPU_GATE_MAGNITUDES 4096u   // up to 0x42ff, 127.5
#define TRINE_GPU_GATE_ENTRIES    (2 * TRINE_GPU_GATE_MAGNITUDES)

// The gate of an entry: positive ones, then negative ones.
TRINE_FN float trine_gpu_gate_of_entry(uint32_t entry)
{
    const uint32_t magnitude = TRINE_GPU_GATE_FIRST + entry % TRINE_GPU_GATE_MAGNITUDES;
    return trine_f32_from_bits(entry / TRINE_GPU_GATE_MAGNITUDES << 31 | magnitude << 16);
}

// Two magnitudes in 16 bits each, less the first entry's, in the table's bounds.
TRINE_FN uint32_t trine_gpu_gate_magnitudes(uint32_t w)
{
    const uint32_t first = TRINE_GPU_GATE_FIRST, last = TRINE_GPU_GATE_MAGNITUDES - 1;
#if defined(__CUDA_ARCH__)
    return __viaddmin_s16x2_relu(w, (0x10000u - first) * 0x10001u, last * 0x10001u);
#elif defined(__HIP__)
    typedef uint16_t pair __attribute__((ext_vector_type(2)));
    const pair low = {first, first}, high = {first + last, first + last};
    const pair inside = __builtin_elementwise_min(
        __builtin_elementwise_max(__builtin_bit_cast(pair, w), low), high);
    return __builtin_bit_cast(uint32_t, inside - low);
#else
    uint32_t out = 0;
    for (int half = 0; half < 32; half += 16) {
        const uint32_t magnitude = w >> half & 0xffffu;
        const uint32_t above = magnitude < first ? 0 : magnitude - first;
        out |= (above < last ? above : last) << half;
    }
    return out;
#endif
}

// Where in the table, in bytes, the sigmoids of two gates stand: one in each half, as the gates.
TRINE_FN uint32_t trine_gpu_gate_places(uint32_t gates)
{
    return (trine_gpu_gate_magnitudes(gates & 0x7fff7fffu) << 2) | (gates >> 1 & 0x40004000u);
}

#endif
