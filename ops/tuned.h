// SPDX-License-Identifier: Apache-2.0
/* Preferences among the built-in rows that were measured on a device and that the order of
 * ops/rows.h can't express, because they depend on device or size. What a caller adds, rows or
 * preferences, goes before them. */
#ifndef TRINE_OPS_TUNED_H
#define TRINE_OPS_TUNED_H

#include <trine/kernel.h>

extern const trine_tuned trine_builtin_tuned[];
extern const size_t trine_builtin_tuned_count;

#endif
