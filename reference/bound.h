// SPDX-License-Identifier: Apache-2.0
// By how much a correct kernel's result may differ from the reference's.
#ifndef TRINE_REFERENCE_BOUND_H
#define TRINE_REFERENCE_BOUND_H

#include "reference/gemm.h"

/* u(z): how far one rounding to dtype (f32, bf16, f16) can move a value of magnitude z. */
double trine_rounding_bound(trine_dtype dtype, double z);

double trine_largest_finite(trine_dtype dtype);

/* E: how far a kernel's f32 result of a GEMM may be from sums->value. */
double trine_accumulation_bound(const trine_bound_options *options, const trine_gemm_sums *sums);

/* Whether y, of dtype out, is as good as v within bound. */
bool trine_within(double y, double v, double bound, trine_dtype out);

/*
 * Exact ops whose expected values were not computed by their contract (golden files compared
 * `bounded`). value: what the op's real-number formula gives, in double; same order as out's (or
 * topk_weights') elements, row-major.
 */
trine_status trine_bound_act_and_mul(const trine_act_and_mul_problem *p, double *value,
                                     double *bound);
/* For topk_weights, of the experts that the reference chooses; ids are compared exactly. */
trine_status trine_bound_topk_gating(const trine_topk_gating_problem *p, double *value,
                                     double *bound);

#endif
