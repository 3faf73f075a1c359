// SPDX-License-Identifier: Apache-2.0
// Scalar code with the FMA instruction: what the vectors are compared with over all inputs, fmaf
// being a library call in the baseline.
#define TRINE_SWEEP_TABLE trine_sweep_fma
#include "sweep_loops.h"
