// SPDX-License-Identifier: Apache-2.0
// Scalar code for the baseline instruction set: what a portable build runs.
#define TRINE_SWEEP_TABLE trine_sweep_base
#include "sweep_loops.h"
