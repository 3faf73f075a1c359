// SPDX-License-Identifier: Apache-2.0
// Scalar code for the baseline instruction set: what the wider variants are compared with.
#define TRINE_SWEEP_TABLE trine_sweep_base
#include "sweep_loops.h"
