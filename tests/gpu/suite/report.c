// SPDX-License-Identifier: Apache-2.0
/* Counting what held. */
#include "tests/gpu/suite/suite.h"

#include <stdio.h>
#include <string.h>

static void note(suite *s, const char *format, va_list arguments)
{
    suite_score *score = s->score;
    char text[sizeof score->notes[0]];

    vsnprintf(text, sizeof text, format, arguments);
    for (int i = 0; i < score->note_count; i++)
        if (strcmp(score->notes[i], text) == 0) return;
    if (score->note_count < SUITE_NOTES)
        memcpy(score->notes[score->note_count++], text, sizeof text);
}

void suite_pass(suite *s)
{
    s->score->passed++;
}

void suite_fail(suite *s, const char *format, ...)
{
    va_list arguments;

    s->score->failed++;
    va_start(arguments, format);
    note(s, format, arguments);
    va_end(arguments);
}

void suite_skip(suite *s, const char *format, ...)
{
    va_list arguments;

    s->score->skipped++;
    va_start(arguments, format);
    note(s, format, arguments);
    va_end(arguments);
}

void suite_note(suite *s, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    note(s, format, arguments);
    va_end(arguments);
}

bool suite_expect(suite *s, trine_status got, trine_status status, const char *says,
                  const char *format, ...)
{
    char what[300], sentence[256];
    va_list arguments;

    snprintf(sentence, sizeof sentence, "%s", got ? trine_last_error() : "no failure");
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (got != status) {
        suite_fail(s, "%s: %s (%s), must be %s", what, trine_status_name(got), sentence,
                   trine_status_name(status));
        return false;
    }
    if (says && !strstr(sentence, says)) {
        suite_fail(s, "%s: \"%s\" does not say \"%s\"", what, sentence, says);
        return false;
    }
    suite_pass(s);
    return true;
}
