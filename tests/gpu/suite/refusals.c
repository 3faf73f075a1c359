// SPDX-License-Identifier: Apache-2.0
/* The refusals of tests/ops, on the device: the same statuses and sentences, nothing written. */
#include "tests/gpu/suite/suite.h"

#include <setjmp.h>
#include <stdio.h>

#include "tests/gpu/suite/criterion/criterion.h"
#include "tests/ops/refusal_table.h"

static suite *running;
static jmp_buf leave;
static long broken;

void suite_expectation(bool fatal, const char *file, int line, const char *text, bool holds,
                       const char *format, ...)
{
    char message[500] = "";
    va_list arguments;

    if (holds) return;
    va_start(arguments, format);
    if (format) vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    broken++;
    suite_note(running, "%s:%d: %s", file, line, format ? message : text);
    if (fatal) longjmp(leave, 1);
}

static void run_table(suite *s, size_t (*table)(trine_context *context, DLDevice device))
{
    broken = 0;
    running = s;
    if (setjmp(leave)) {
        suite_fail(s, "the table was left");
        return;
    }
    const long tried = (long)table(s->target.context, s->target.device);
    s->score->passed += tried > broken ? tried - broken : 0;
    s->score->failed += broken;
}

void suite_refusals(suite *s)
{
    run_table(s, refusals_by_table);
    run_table(s, refusals_by_description);
}
