// SPDX-License-Identifier: Apache-2.0
// Bounds of scaled_mm and block_scaled_linear.
#include <math.h>
#include <stdlib.h>

#include "numerics/fp_env.h"
#include "reference/bound.h"
#include "reference/reference.h"
#include "reference/round.h"
#include "reference/scaled_mm.h"

/*
 * A kernel's f32 sum is within E of the reference's and is rounded once: B = E + u(|v| + E). With a
 * bias added after rounding, what it is added to is within E' = E + u(|gemm| + E), and the sum is
 * rounded again. A bias added before is exact up to an f32 rounding that the 2^-16 by which u
 * exceeds a 16-bit format's largest error takes in; with f32 out it is the last rounding itself.
 *
 * Where the first of two roundings overflows, no bias brings the result back: v is that infinity.
 * Where it may overflow, any result is possible.
 */
static void bound_element(const trine_scaled_mm_problem *p, const trine_bound_options *options,
                          int64_t m, int64_t n, double *value, double *bound)
{
    trine_dtype dtype = p->out.dtype;
    trine_gemm_sums sums = trine_scaled_mm_sums(p, m, n);
    double error = trine_accumulation_bound(options, &sums), v = sums.value;
    bool twice = p->bias.rank >= 0 && p->bias_rounding == TRINE_BIAS_AFTER, may_overflow = false;
    if (twice) {
        may_overflow = isinf(trine_round_f64(dtype, fabs(v) + error));
        if (isinf(trine_round_f64(dtype, fabs(v) - error))) v = copysign(INFINITY, v);
        error += trine_rounding_bound(dtype, fabs(v) + error);
    }
    if (p->bias.rank >= 0) v += trine_load(&p->bias, trine_at1(&p->bias, n));
    *value = v;
    *bound = !isfinite(v)   ? 0.0
             : may_overflow ? INFINITY
                            : error + trine_rounding_bound(dtype, fabs(v) + error);
}

trine_status trine_bound_scaled_mm(const trine_scaled_mm_problem *p,
                                   const trine_bound_options *options, double *value, double *bound)
{
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2)
        for (int64_t m = 0; m < p->m; m++)
            for (int64_t n = 0; n < p->n; n++)
                bound_element(p, options, m, n, &value[m * p->n + n], &bound[m * p->n + n]);
        trine_fp_leave(env);
    }
    return TRINE_OK;
}

/* x's codes and scales are exact, so what is left is the multiplication's bound. */
trine_status trine_bound_block_scaled_linear(const trine_block_scaled_linear_problem *p,
                                             const trine_bound_options *options, double *value,
                                             double *bound)
{
    void *workspace = malloc(p->workspace_size + 1);
    if (!workspace)
        return trine_fail(TRINE_OUT_OF_MEMORY,
                          "block_scaled_linear: no memory for the bound's workspace of %zu bytes",
                          p->workspace_size);
    trine_scaled_mm_problem mm = trine_block_scaled_linear_quantize(p, workspace);
    trine_status status = trine_bound_scaled_mm(&mm, options, value, bound);
    free(workspace);
    return status;
}
