// SPDX-License-Identifier: Apache-2.0
// Rounding and accumulation errors, and the rule by which a value passes.
#include "reference/bound.h"

#include <float.h>
#include <math.h>

/*
 * A binary format with p bits of significand moves z by at most half an ulp, 2^-p |z|, and where it
 * is subnormal by half its smallest step: bf16 p = 8, step 2^-133; f16 p = 11, step 2^-24; f32
 * p = 24, step 2^-149.
 */
double trine_rounding_bound(trine_dtype dtype, double z)
{
    double relative = dtype == TRINE_BF16 ? 0x1p-8 : dtype == TRINE_F16 ? 0x1p-11 : 0x1p-24;
    double least = dtype == TRINE_BF16 ? 0x1p-134 : dtype == TRINE_F16 ? 0x1p-25 : 0x1p-150;
    return fmax(relative * fabs(z), least);
}

/*
 * S, K, t_b, K_b and max_b as in gemm.h.
 *
 * f32. A sum of K products in any order, with or without fma, passes each product through at most
 * K - 1 additions and one multiplication; scaling adds the scales' product, its application and the
 * promotion of a block. A matrix unit that truncates loses up to a whole ulp, 2^-23, of a partial
 * sum per addition instead of half of one; a partial sum is at most S. (K + 8) 2^-23 S holds all of
 * it. Errors of random data add up like a random walk: sqrt(K) steps of 2^-24, taken fourfold.
 *
 * hopper_fp8. Inside a chain products are aligned to the largest exponent, with 14 bits kept, so
 * that each of the K_b additions (and the 4 of the four instructions of a chain) loses at most
 * 2^-13 of the block's largest magnitude, itself at most the sum of |a b|. Blocks are promoted to
 * f32, whose errors are far smaller. Typical: the losses cancel and only one such step is left.
 *
 * int. A block's sum is exact; left are the roundings of its conversion, of the scales' product and
 * its application, and of the blocks' sum.
 *
 * Relative errors end where f32 does: a rounding that yields a subnormal moves it by up to half a
 * step, 2^-150, whatever its size. `least` counts one for each product (times the block's scale)
 * and three a block. Only results near 2^-126 and below see it.
 */
double trine_accumulation_bound(const trine_bound_options *options, const trine_gemm_sums *sums)
{
    double k = (double)sums->k;
    /* A kernel meets the same infinities and NaNs. */
    if (!isfinite(sums->value)) return 0.0;
    switch (options->accumulation) {
    case TRINE_ACCUMULATE_F32:
        return sums->least + (options->typical ? 4.0 * sqrt(k) * 0x1p-24 * sums->magnitude
                                               : (k + 8.0) * 0x1p-23 * sums->magnitude);
    case TRINE_ACCUMULATE_HOPPER_FP8:
        return sums->least + 0x1p-13 * (options->typical ? sums->magnitude : sums->chained);
    case TRINE_ACCUMULATE_INT:
        return sums->least + ((double)sums->blocks + 3.0) * 0x1p-24 * sums->magnitude;
    default:
        return 0.0;
    }
}

double trine_largest_finite(trine_dtype dtype)
{
    return dtype == TRINE_BF16 ? 0x1.fep127 : dtype == TRINE_F16 ? 65504.0 : (double)FLT_MAX;
}

bool trine_within(double y, double v, double bound, trine_dtype out)
{
    /* Without a bound nothing is known: infinities that partial sums reached may have met. */
    if (isnan(v) || isnan(y)) return isnan(y) && (isnan(v) || bound == INFINITY);
    if (y == v || fabs(y - v) <= bound) return true;
    /* The reference does not overflow where it is not yet rounded; the kernel's value does. */
    return isinf(y) && (y > 0.0 ? v : -v) + bound > trine_largest_finite(out);
}
