// SPDX-License-Identifier: Apache-2.0
// exp, sigmoid, tanh and erf in f32: fixed sequences of IEEE operations, so that every machine
// gives the same bits. exp is within 2 ulp of the true value, the others within 4, over all inputs
// (tests/numerics/elementary_sweep.c). No branches: a loop over these vectorizes, and a GPU wave
// does not diverge.
#ifndef TRINE_NUMERICS_ELEMENTARY_H
#define TRINE_NUMERICS_ELEMENTARY_H

#include "numerics/portable.h"

// Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits. With + k on top, the
// integer is biased by k.
#define TRINE_ROUND_MAGIC 12582912.0f
#define TRINE_LOG2E       0x1.715476p+0f
#define TRINE_LN2_HI      0x1.62e430p-1f   // RN(ln 2)
#define TRINE_LN2_LO      -0x1.05c610p-29f // RN(ln 2 - TRINE_LN2_HI)

// From an approximation r of 1/d to RN(1/d), d in [1, 2]. For every d and every r within 2^-23 of
// 1/d (relative), which is what AMD promises for v_rcp_f32: tests/numerics/reciprocal.c tries them
// all. A plain Newton step misses 11 of the d; the term in |e| stands for the square that is left
// out, and is a little larger to decide d = 2 - 2^-23 rightly.
TRINE_FN float trine_rcp_unit_correct(float r, float d)
{
    float e = trine_fmaf(-d, r, 1.0f);
    float s = trine_fmaf(trine_absf(e), 0x1.cp-24f, e);
    return trine_fmaf(r, s, r);
}

// RN(1 / d) for d in [1, 2], without the range checks of a general division.
TRINE_FN float trine_rcp_unit(float d)
{
#if defined(TRINE_ON_CUDA)
    // MUFU.RCP is good enough for the plain Newton step: nvcc's own correctly rounded reciprocal is
    // these instructions on every target from sm_75 to sm_120, and all d were tried on sm_90.
    float r;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(d));
    float e = trine_fmaf(-d, r, 1.0f);
    return trine_fmaf(r, e, r);
#elif defined(TRINE_ON_HIP)
    return trine_rcp_unit_correct(__builtin_amdgcn_rcpf(d), d);
#else
    return trine_divf(1.0f, d);
#endif
}

// (exp(r) - 1 - r) / r^2 for |r| <= ln(2)/2.
TRINE_FN float trine_exp_tail(float r)
{
    float p = 0x1.696fcep-10f;
    p = trine_fmaf(p, r, 0x1.122478p-7f);
    p = trine_fmaf(p, r, 0x1.55587ep-5f);
    p = trine_fmaf(p, r, 0x1.5554c6p-3f);
    return trine_fmaf(p, r, 0.5f);
}

// 2^n exp(r), n in the low bits of t, as long as it is a normal number: adds n to the exponent.
TRINE_FN float trine_exp_assemble(float t, float r)
{
    float p = trine_fmaf(trine_fmaf(trine_exp_tail(r), r, 1.0f), r, 1.0f);
    return trine_f32_from_bits(trine_f32_bits(p) + (trine_f32_bits(t) << 23));
}

// exp(x) for x <= 0; NaN gives some value.
TRINE_FN float trine_exp_nonpositive(float x)
{
    // Below -104 the result is 0 anyway. The integer is biased by 64, so that no intermediate is
    // subnormal; the last multiplication removes the bias and is the only one that may round.
    float c = trine_max_no_nan(x, -104.0f);
    float t = trine_fmaf(c, TRINE_LOG2E, TRINE_ROUND_MAGIC + 64.0f);
    float n = t - (TRINE_ROUND_MAGIC + 64.0f);
    float r = trine_fmaf(n, -TRINE_LN2_HI, c);
    r = trine_fmaf(n, -TRINE_LN2_LO, r);
    return trine_exp_assemble(t, r) * 0x1p-64f;
}

TRINE_FN float trine_expf(float x)
{
    // As trine_exp_nonpositive, with the bias chosen by the sign; 89 gives Inf in the last
    // multiplication.
    float c = trine_min_no_nan(trine_max_no_nan(x, -104.0f), 89.0f);
    float bias = x > 0.0f ? -64.0f : 64.0f;
    float scale = x > 0.0f ? 0x1p64f : 0x1p-64f;
    float magic = TRINE_ROUND_MAGIC + bias;
    float t = trine_fmaf(c, TRINE_LOG2E, magic);
    float n = t - magic;
    float r = trine_fmaf(n, -TRINE_LN2_HI, c);
    r = trine_fmaf(n, -TRINE_LN2_LO, r);
    return trine_keep_nan(x, trine_exp_assemble(t, r) * scale);
}

// exp(x) - 1 for -20 <= x <= 0, accurate in relative terms near 0.
TRINE_FN float trine_expm1_nonpositive(float x)
{
    float t = trine_fmaf(x, TRINE_LOG2E, TRINE_ROUND_MAGIC + 127.0f);
    float n = t - (TRINE_ROUND_MAGIC + 127.0f);
    float r = trine_fmaf(n, -TRINE_LN2_HI, x);
    r = trine_fmaf(n, -TRINE_LN2_LO, r);
    float q = trine_fmaf(trine_exp_tail(r) * r, r, r);      // exp(r) - 1
    float s = trine_f32_from_bits(trine_f32_bits(t) << 23); // 2^n
    return trine_fmaf(s, q, s - 1.0f);
}

// 1 / (1 + exp(-x)), through e = exp(-|x|), which keeps the denominator in [1, 2] and tiny results
// accurate. NaN gives some value: enough where the result is multiplied by x.
TRINE_FN float trine_sigmoid_no_nan(float x)
{
    float e = trine_exp_nonpositive(-trine_absf(x));
    float r = trine_rcp_unit(1.0f + e);
    float er = e * r;
    return x > 0.0f ? r : er;
}

TRINE_FN float trine_sigmoidf(float x)
{
    return trine_keep_nan(x, trine_sigmoid_no_nan(x));
}

// (1 - exp(-2|x|)) / (1 + exp(-2|x|)) with the sign of x. From |x| = 10 on the result is 1.
TRINE_FN float trine_tanhf(float x)
{
    float y = trine_max_keep_nan(-2.0f * trine_absf(x), -20.0f);
    float m = trine_expm1_nonpositive(y);
    float q = m * trine_rcp_unit(2.0f + m);
    uint32_t sign = trine_f32_bits(x) & 0x80000000u;
    return trine_f32_from_bits((trine_f32_bits(q) & 0x7fffffffu) | sign);
}

// erf(a) = 1 - exp(-Q(a)), Q = -log(erfc) being smooth: one polynomial reaches from 0 to where erf
// rounds to 1.
TRINE_FN float trine_erff(float x)
{
    float a = trine_min_keep_nan(trine_absf(x), 3.93f);
    float p = 0x1.53e280p-15f;
    p = trine_fmaf(p, a, -0x1.8e74ccp-12f);
    p = trine_fmaf(p, a, 0x1.47ba6ep-10f);
    p = trine_fmaf(p, a, 0x1.b00b56p-13f);
    p = trine_fmaf(p, a, -0x1.3c8d22p-6f);
    p = trine_fmaf(p, a, 0x1.a52028p-4f);
    p = trine_fmaf(p, a, 0x1.45f29cp-1f);
    p = trine_fmaf(p, a, 0x1.06ebaep-3f);
    float q = trine_fmaf(p, a, a);
    float m = trine_expm1_nonpositive(-q);
    uint32_t sign = trine_f32_bits(x) & 0x80000000u;
    return trine_f32_from_bits((trine_f32_bits(m) & 0x7fffffffu) | sign);
}

#endif
