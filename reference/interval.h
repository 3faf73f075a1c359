// SPDX-License-Identifier: Apache-2.0
/*
 * Intervals of doubles: where a correct kernel's value may lie. An end that is NaN: nothing is
 * known. Double's own rounding is not accounted for: it is 2^-29 of the smallest step that is.
 */
#ifndef TRINE_REFERENCE_INTERVAL_H
#define TRINE_REFERENCE_INTERVAL_H

#include <math.h>

#include "reference/round.h"

typedef struct trine_interval {
    double lo, hi;
} trine_interval;

static inline trine_interval trine_point(double v)
{
    return (trine_interval){v, v};
}

static inline trine_interval trine_around(double v, double radius)
{
    return (trine_interval){v - radius, v + radius};
}

static inline trine_interval trine_widen(trine_interval a, double radius)
{
    return (trine_interval){a.lo - radius, a.hi + radius};
}

static inline bool trine_unknown(trine_interval a)
{
    return isnan(a.lo) || isnan(a.hi);
}

/* The smallest interval that holds both; NaN if either is. */
static inline trine_interval trine_hull(double a, double b)
{
    if (isnan(a) || isnan(b)) return trine_point(NAN);
    return a < b ? (trine_interval){a, b} : (trine_interval){b, a};
}

static inline trine_interval trine_join(trine_interval a, trine_interval b)
{
    if (trine_unknown(a) || trine_unknown(b)) return trine_point(NAN);
    return (trine_interval){fmin(a.lo, b.lo), fmax(a.hi, b.hi)};
}

static inline trine_interval trine_sum(trine_interval a, trine_interval b)
{
    return (trine_interval){a.lo + b.lo, a.hi + b.hi};
}

static inline trine_interval trine_scaled(trine_interval a, double factor)
{
    return trine_hull(a.lo * factor, a.hi * factor);
}

static inline trine_interval trine_product(trine_interval a, trine_interval b)
{
    return trine_join(trine_scaled(a, b.lo), trine_scaled(a, b.hi));
}

/* A rounding point: rounding is monotone, so the ends' roundings hold every value's. */
static inline trine_interval trine_rounded(trine_dtype dtype, trine_interval a)
{
    return (trine_interval){trine_round_f64(dtype, a.lo), trine_round_f64(dtype, a.hi)};
}

/* The largest magnitude in it. */
static inline double trine_magnitude(trine_interval a)
{
    return fmax(fabs(a.lo), fabs(a.hi));
}

/* The smallest magnitude in it. */
static inline double trine_mignitude(trine_interval a)
{
    return a.lo <= 0.0 && a.hi >= 0.0 ? 0.0 : fmin(fabs(a.lo), fabs(a.hi));
}

#endif
