// SPDX-License-Identifier: Apache-2.0
// Vectorized for AVX-512.
#define TRINE_SWEEP_TABLE trine_sweep_avx512
#include "sweep_loops.h"
