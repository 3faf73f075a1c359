// SPDX-License-Identifier: Apache-2.0
/*
 * Counter-based random numbers: element i of a stream is a function of (key, i) alone, so every
 * backend sees the same bytes, in any order, and one case can be rebuilt without the ones before.
 */
#ifndef TRINE_CHECK_RNG_H
#define TRINE_CHECK_RNG_H

#include <math.h>
#include <stdint.h>

/* A bijection of 64 bits whose outputs of consecutive inputs look unrelated. */
static inline uint64_t trine_rng_mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* Key of a sub-stream. */
static inline uint64_t trine_rng_key(uint64_t key, uint64_t part)
{
    return trine_rng_mix(key ^ trine_rng_mix(part));
}

static inline uint64_t trine_rng_key_text(uint64_t key, const char *text)
{
    for (; *text; text++) key = trine_rng_key(key, (unsigned char)*text);
    return key;
}

static inline uint64_t trine_rng_at(uint64_t key, uint64_t index)
{
    return trine_rng_mix(key + trine_rng_mix(index));
}

/* Below `limit`, which is not 0. */
static inline uint64_t trine_rng_below(uint64_t key, uint64_t index, uint64_t limit)
{
    return trine_rng_at(key, index) % limit;
}

/* In [0, 1). */
static inline double trine_rng_unit(uint64_t key, uint64_t index)
{
    return (double)(trine_rng_at(key, index) >> 11) * 0x1p-53;
}

/* About normal: the sum of four uniforms has its bulk, and no libm is involved. Variance 1. */
static inline double trine_rng_normal(uint64_t key, uint64_t index)
{
    const uint64_t r = trine_rng_at(key, index);
    const int64_t sum = (int64_t)(r & 0xFFFF) + (int64_t)(r >> 16 & 0xFFFF) +
                        (int64_t)(r >> 32 & 0xFFFF) + (int64_t)(r >> 48);

    return (double)(sum - 2 * 65535) * (1.7320508 / 65535.0);
}

/* A generator with a position, for code that draws one thing after another. */
typedef struct trine_rng {
    uint64_t key, next;
} trine_rng;

static inline uint64_t trine_rng_draw(trine_rng *rng, uint64_t limit)
{
    return trine_rng_below(rng->key, rng->next++, limit);
}

#endif
