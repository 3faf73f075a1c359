// SPDX-License-Identifier: Apache-2.0
// scaled_mm's inner part, for the op and for its bound.
#ifndef TRINE_REFERENCE_SCALED_MM_H
#define TRINE_REFERENCE_SCALED_MM_H

#include "reference/gemm.h"

/* The GEMM at (m, n), without bias. */
trine_gemm_sums trine_scaled_mm_sums(const trine_scaled_mm_problem *p, int64_t m, int64_t n);

/* block_scaled_linear: quantizes x into the workspace and returns the scaled_mm that is left. */
trine_scaled_mm_problem
trine_block_scaled_linear_quantize(const trine_block_scaled_linear_problem *p, void *workspace);

#endif
