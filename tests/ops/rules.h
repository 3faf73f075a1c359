// SPDX-License-Identifier: Apache-2.0
/*
 * Which of the library's refusals a test has met. Every trine_fail call in the sources is a rule,
 * known by its file and format string; trine_fail is wrapped at link time and notes the formats.
 */
#ifndef TRINE_TESTS_OPS_RULES_H
#define TRINE_TESTS_OPS_RULES_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the rules of a source file, a path below the source root. */
void rules_read(const char *file);
/* Prints each rule that was not met but those whose format is in `excused` (NULL-ended), then
 * "rules covered / rules". Returns how many are missing. An excuse that is not needed counts as
 * missing too. */
size_t rules_report(const char *const *excused);

#endif
