// SPDX-License-Identifier: Apache-2.0
// Division by a size that the host knows, as a multiplication.
//
// With shift = w + ceil(log2 d), factor = ceil(2^shift / d) exceeds 2^shift / d by less than 1, so
// that n * factor exceeds n / d * 2^shift by less than n < 2^w: too little to carry the quotient,
// which lies at least 1 / d below the next integer, over it. The factor has at most w + 1 bits.
#ifndef TRINE_BACKENDS_GPU_DIVIDER_H
#define TRINE_BACKENDS_GPU_DIVIDER_H

#include "backends/gpu/wave.h"

namespace trine_gpu
{

// Numbers below 2^31, divisors from 1 to 2^31 - 1.
struct small_divider {
    uint32_t factor, shift;
};

// Numbers below 2^63, divisors from 1 to 2^63 - 1.
struct wide_divider {
    uint64_t factor;
    uint32_t shift; // less 63
};

static inline uint32_t divider_bits(int64_t divisor)
{
    uint32_t bits = 0;
    while ((UINT64_C(1) << bits) < static_cast<uint64_t>(divisor)) bits++;
    return bits;
}

static inline small_divider small_divider_of(int64_t divisor)
{
    const uint32_t bits = divider_bits(divisor);
    const uint64_t power = UINT64_C(1) << (31 + bits), d = static_cast<uint64_t>(divisor);
    return {static_cast<uint32_t>((power + d - 1) / d), 31 + bits};
}

static inline wide_divider wide_divider_of(int64_t divisor)
{
    const uint32_t bits = divider_bits(divisor);
    // Long division of 2^(63 + bits): a binary digit of the factor a step.
    const uint64_t d = static_cast<uint64_t>(divisor);
    uint64_t rest = UINT64_C(1) << bits, factor = 0;
    for (uint32_t digit = 0; digit < 64; digit++) {
        factor = factor << 1 | (rest >= d);
        rest = (rest >= d ? rest - d : rest) << 1;
    }
    return {factor + (rest != 0), bits};
}

TRINE_DEVICE uint32_t divide(uint32_t n, small_divider by)
{
    return (uint32_t)((uint64_t)n * by.factor >> by.shift);
}

TRINE_DEVICE int64_t divide(int64_t n, wide_divider by)
{
    return (int64_t)(__umul64hi((uint64_t)n << 1, by.factor) >> by.shift);
}

} // namespace trine_gpu

#endif
