// SPDX-License-Identifier: Apache-2.0
/* The command line. */
#include "tools/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const option_spec common[] = {
    {"json", NULL, "write JSON to standard output"},
    {"help", NULL, "say what this command does"},
};

int complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fputs("trine: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return EXIT_USAGE;
}

static void print_option(const option_spec *spec)
{
    char left[48];

    snprintf(left, sizeof left, "--%s%s%s", spec->name, spec->argument ? " " : "",
             spec->argument ? spec->argument : "");
    printf("  %-26s %s\n", left, spec->doc);
}

static void print_params(const arguments *arguments)
{
    for (size_t i = 0; i < arguments->positional_count; i++) {
        const trine_op_description *op =
            trine_op_describe(trine_op_from_name(arguments->positional[i]));
        if (!op) continue;
        printf("\nParams of %s (dimensions: %s):\n", op->name, op->dims);
        for (int p = 0; p < op->param_count; p++) {
            const trine_param_description *param = &op->params[p];
            char name[64];
            snprintf(name, sizeof name, "--%s", param->name);
            for (char *c = name + 2; *c; c++) *c = *c == '_' ? '-' : *c;
            printf("  %-26s %s", name, param->doc);
            for (const trine_word *word = param->words;
                 param->type == TRINE_PARAM_ENUM && word && word->name; word++)
                printf("%s%s", word == param->words ? ": " : ", ", word->name);
            printf("%s\n", param->required ? " (required)" : "");
        }
    }
    if (arguments->command->params && arguments->positional_count == 0)
        printf("\nThe op's params are options, too: trine %s OP --help lists them.\n",
               arguments->command->name);
}

static void print_help(const arguments *arguments)
{
    const command *command = arguments->command;

    printf("Usage: trine %s %s\n\n%s\n\nOptions:\n", command->name, command->usage, command->doc);
    for (const option_spec *spec = command->options; spec && spec->name; spec++) print_option(spec);
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) print_option(&common[i]);
    print_params(arguments);
    printf("\nExit status: 0 all is well; 1 something differed, failed or was refused; 2 wrong "
           "usage;\n77 nothing could be done because the device is not there.\n");
}

static int find_option(const command *command, const char *name, size_t length)
{
    for (int i = 0; command->options && command->options[i].name; i++) {
        if (strlen(command->options[i].name) == length &&
            strncmp(command->options[i].name, name, length) == 0)
            return i;
    }
    return -1;
}

/* An option that the table does not list: an op's param. */
static int take_param(arguments *arguments, const char *name, size_t length, const char *value)
{
    const size_t room = sizeof arguments->params / sizeof *arguments->params;

    if (!value) return complain("option --%.*s needs a value", (int)length, name);
    if (length == 0 || length >= sizeof arguments->params->name || arguments->param_count == room)
        return complain("option --%.*s: no such option", (int)length, name);
    char *to = arguments->params[arguments->param_count].name;
    for (size_t i = 0; i < length; i++) to[i] = name[i] == '-' ? '_' : name[i];
    to[length] = 0;
    arguments->params[arguments->param_count++].value = value;
    return EXIT_GOOD;
}

/* Takes words[*at], and the next word if the option needs one. */
static int take_option(arguments *arguments, int count, char **words, int *at, bool *help)
{
    const command *command = arguments->command;
    const char *name = words[*at] + 2, *equals = strchr(name, '=');
    const size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const int index = find_option(command, name, length);
    const char *value = equals ? equals + 1 : NULL;

    if (strcmp(name, "help") == 0) {
        *help = true;
        return EXIT_GOOD;
    }
    if (strcmp(name, "json") == 0) {
        arguments->json = true;
        return EXIT_GOOD;
    }
    if (index < 0 && !command->params)
        return complain("%s: no option --%.*s; see trine %s --help", command->name, (int)length,
                        name, command->name);
    const bool flag = index >= 0 && !command->options[index].argument;
    if (flag) {
        if (value) return complain("option --%.*s takes no value", (int)length, name);
        arguments->values[index] = "";
        return EXIT_GOOD;
    }
    if (!value && *at + 1 < count) value = words[++*at];
    if (index < 0) return take_param(arguments, name, length, value);
    if (!value) return complain("option --%s needs a value", name);
    arguments->values[index] = value;
    return EXIT_GOOD;
}

int parse_arguments(const command *command, int count, char **words, arguments *arguments)
{
    bool help = false, options = true;

    memset(arguments, 0, sizeof *arguments);
    arguments->command = command;
    for (int i = 0; i < count; i++) {
        if (options && strcmp(words[i], "--") == 0) {
            options = false;
        } else if (options && strcmp(words[i], "-h") == 0) {
            help = true;
        } else if (options && strncmp(words[i], "--", 2) == 0) {
            const int code = take_option(arguments, count, words, &i, &help);
            if (code) return code;
        } else if (options && words[i][0] == '-' && words[i][1]) {
            return complain("%s: no option %s; see trine %s --help", command->name, words[i],
                            command->name);
        } else if (arguments->positional_count == MAX_GIVEN) {
            return complain("more than %d arguments", MAX_GIVEN);
        } else {
            arguments->positional[arguments->positional_count++] = words[i];
        }
    }
    if (!help) return EXIT_GOOD;
    print_help(arguments);
    return -1;
}

const char *option(const arguments *arguments, const char *name)
{
    const int index = find_option(arguments->command, name, strlen(name));

    return index < 0 ? NULL : arguments->values[index];
}

bool option_number(const arguments *arguments, const char *name, long long low, long long high,
                   long long *number)
{
    const char *text = option(arguments, name);
    char *end;

    if (!text) return true;
    errno = 0;
    const long long value = strtoll(text, &end, 0);
    if (end == text || *end || errno || value < low || value > high) {
        complain("--%s %s: must be a whole number from %lld to %lld", name, text, low, high);
        return false;
    }
    *number = value;
    return true;
}
