// SPDX-License-Identifier: Apache-2.0
// Vectorized for AVX2 with FMA.
#define TRINE_SWEEP_TABLE trine_sweep_avx2
#include "sweep_loops.h"
