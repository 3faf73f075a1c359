// SPDX-License-Identifier: Apache-2.0
// A digest of (input, output) pairs that is summed, so that any order and any machine gives the
// same total.
#ifndef TRINE_TESTS_NUMERICS_SWEEP_DIGEST_H
#define TRINE_TESTS_NUMERICS_SWEEP_DIGEST_H

#include "numerics/portable.h"

// Any f32 NaN equals any NaN. Codes of 16 bits and less never look like one.
TRINE_FN uint32_t trine_sweep_canonical(uint32_t out)
{
    return (out & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : out;
}

TRINE_FN uint64_t trine_sweep_digest(uint32_t in, uint32_t out)
{
    uint64_t h = ((uint64_t)in << 32 | trine_sweep_canonical(out)) * UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 29;
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return h ^ h >> 32;
}

#endif
