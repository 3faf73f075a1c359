// SPDX-License-Identifier: Apache-2.0
/*
 * Every rule of a call's validation, broken at least once, on any device: the status, what the
 * sentence names, and that no byte was written.
 */
#ifndef TRINE_TESTS_OPS_REFUSAL_TABLE_H
#define TRINE_TESTS_OPS_REFUSAL_TABLE_H

#include <trine/core.h>

/* Both return the number of refusals that were tried; failures are reported to Criterion. */
size_t refusals_by_table(trine_context *context, DLDevice device);
/* What the op tables say of each tensor and param, broken mechanically. */
size_t refusals_by_description(trine_context *context, DLDevice device);

#endif
