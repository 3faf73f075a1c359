// SPDX-License-Identifier: Apache-2.0
/*
 * The command line: options of each subcommand from a table, and the params of an op as options of
 * their own ("--group-size 128"), which no table here knows.
 */
#ifndef TRINE_TOOLS_OPTIONS_H
#define TRINE_TOOLS_OPTIONS_H

#include <trine/trine.h>

enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_USAGE = 2, EXIT_NOTHING = 77 };

typedef struct option_spec {
    const char *name;     /* without the dashes */
    const char *argument; /* "D"; NULL: a flag */
    const char *doc;
} option_spec;

#define MAX_OPTIONS 16
#define MAX_GIVEN   256

struct arguments;

/* A subcommand. */
typedef struct command {
    const char *name;
    const char *usage; /* what stands behind "trine NAME" */
    const char *doc;
    const option_spec *options; /* ends with a NULL name; --json and --help are everyone's */
    bool params;                /* takes an op's params as options */
    int (*run)(const struct arguments *arguments);
} command;

typedef struct arguments {
    const command *command;
    const char *values[MAX_OPTIONS]; /* by option of the table; a flag that is given is "" */
    bool json;
    const char *positional[MAX_GIVEN];
    size_t positional_count;
    struct {
        char name[64]; /* underscores instead of dashes */
        const char *value;
    } params[TRINE_MAX_PARAMS * 2];
    size_t param_count;
} arguments;

/* EXIT_GOOD, EXIT_USAGE after a message, or -1 when help was printed. */
int parse_arguments(const command *command, int count, char **words, arguments *arguments);

/* Value of an option; NULL when it was not given. */
const char *option(const arguments *arguments, const char *name);
/* A number in [low, high]; false after a message. */
bool option_number(const arguments *arguments, const char *name, long long low, long long high,
                   long long *number);

/* Prints "trine: ..." to stderr; returns the exit code of a failed call or a usage error. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
