// SPDX-License-Identifier: Apache-2.0
/* What the subcommands share. */
#include "tools/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

int complain_of(const char *what, trine_status status)
{
    complain("%s: %s", what, trine_last_error());
    return status == TRINE_INVALID_DEVICE ? EXIT_NOTHING : EXIT_BAD;
}

int open_target(const arguments *arguments, trine_target *target)
{
    const char *name = option(arguments, "device");
    const trine_status status = trine_target_open(target, name ? name : "cpu", NULL, 0);

    if (!status) return EXIT_GOOD;
    complain("%s", trine_last_error());
    return status == TRINE_INVALID_DEVICE ? EXIT_NOTHING : EXIT_USAGE;
}

bool shows_progress(void)
{
    return isatty(STDERR_FILENO) == 1;
}

void print_json(void *value)
{
    json_t *json = value;

    json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(json);
}
