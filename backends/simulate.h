// SPDX-License-Identifier: Apache-2.0
/* Simulated devices: any device of the capability table on host memory. */
#ifndef TRINE_BACKENDS_SIMULATE_H
#define TRINE_BACKENDS_SIMULATE_H

#include "ops/context.h"

/* Adds the devices of "rocm:0=gfx942,cuda:1=sm_90" ("hip" may stand for "rocm"). */
trine_status trine_simulate(trine_context *context, const char *text);

#endif
