// SPDX-License-Identifier: Apache-2.0
/* Finds and opens the GPU modules. */
#ifndef TRINE_BACKENDS_LOADER_H
#define TRINE_BACKENDS_LOADER_H

#include "ops/context.h"

/*
 * Opens trine_cuda.so and trine_hip.so from `directories` (absolute, several separated by ':';
 * NULL: the installed module folder, then "trine" beside the library itself) and puts what opens
 * into context->modules. A module that is absent or does not open is logged, not an error; a
 * relative directory is.
 */
trine_status trine_modules_load(trine_context *context, const char *directories);

#endif
