// SPDX-License-Identifier: Apache-2.0
#include "tests/ops/rules.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trine/core.h>

enum { MOST_RULES = 400, LONGEST = 400 };

static struct {
    char file[64], format[LONGEST];
    int line;
    bool met;
} rules[MOST_RULES];
static size_t rule_count;

trine_status __real_trine_fail(trine_status status, const char *format, ...);
trine_status __wrap_trine_fail(trine_status status, const char *format, ...);

trine_status __wrap_trine_fail(trine_status status, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < rule_count; i++)
        if (!strcmp(rules[i].format, format)) rules[i].met = true;
    return __real_trine_fail(status, "%s", text);
}

static char *file_read(const char *file)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", TRINE_SOURCE_ROOT, file);
    FILE *stream = fopen(path, "rb");
    cr_assert(stream, "%s can't be read", path);
    fseek(stream, 0, SEEK_END);
    long size = ftell(stream);
    rewind(stream);
    char *text = malloc((size_t)size + 1);
    cr_assert(text);
    cr_assert_eq(fread(text, 1, (size_t)size, stream), (size_t)size);
    fclose(stream);
    text[size] = 0;
    return text;
}

/* The string that literals and PRI macros at `at` add up to; false when none stands there. */
static bool format_read(const char *at, char *format)
{
    size_t used = 0;
    for (;;) {
        while (isspace((unsigned char)*at)) at++;
        if (*at == '"') {
            for (at++; *at != '"'; at++) {
                char c = *at;
                if (c == '\\') {
                    at++;
                    c = *at == 'n' ? '\n' : *at;
                }
                cr_assert_lt(used, LONGEST - 1);
                format[used++] = c;
            }
            at++;
        } else if (!strncmp(at, "PRId64", 6)) {
            strcpy(format + used, PRId64);
            used += strlen(PRId64);
            at += 6;
        } else {
            break;
        }
    }
    format[used] = 0;
    return used > 0;
}

void rules_read(const char *file)
{
    char *text = file_read(file), format[LONGEST];
    size_t before = rule_count;
    for (const char *at = text; (at = strstr(at, "trine_fail(")); at++) {
        /* The format follows the comma after the status, which may be an expression. */
        int depth = 0, line = 1;
        const char *comma = at + strlen("trine_fail(");
        while (*comma && (depth || *comma != ',')) {
            depth += (*comma == '(') - (*comma == ')');
            comma++;
        }
        if (!*comma || !format_read(comma + 1, format)) continue;
        for (const char *c = text; c < at; c++) line += *c == '\n';
        cr_assert_lt(rule_count, MOST_RULES);
        snprintf(rules[rule_count].file, sizeof rules[0].file, "%s", file);
        strcpy(rules[rule_count].format, format);
        rules[rule_count++].line = line;
    }
    cr_assert_gt(rule_count, before, "no rule was found in %s", file);
    free(text);
}

size_t rules_report(const char *const *excused)
{
    size_t met = 0, missing = 0, excuses = 0;
    for (size_t i = 0; i < rule_count; i++) {
        bool excuse = false;
        for (const char *const *e = excused; *e; e++) excuse |= !strcmp(*e, rules[i].format);
        met += rules[i].met;
        excuses += excuse && !rules[i].met;
        if (rules[i].met == excuse) {
            printf("%s:%d: %s: %s\n", rules[i].file, rules[i].line,
                   excuse ? "excused, but met" : "never met", rules[i].format);
            missing++;
        }
    }
    printf("rules covered / rules: %zu / %zu", met, rule_count);
    if (excuses) printf(" (%zu can't be met here)", excuses);
    printf("\n");
    fflush(stdout);
    return missing;
}
