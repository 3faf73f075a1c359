// SPDX-License-Identifier: Apache-2.0
/* The trine command. */
#include "tools/commands.h"

#include <stdio.h>
#include <string.h>

static const command *const commands[] = {
    &command_devices, &command_ops,   &command_caps,  &command_explain,
    &command_run,     &command_check, &command_bench, &command_generate,
};
#define COMMANDS (sizeof commands / sizeof *commands)

static int usage(FILE *stream)
{
    fprintf(stream, "Usage: trine COMMAND [ARGUMENTS]\n\nCommands:\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        const int length = (int)strcspn(commands[i]->doc, "\n");
        fprintf(stream, "  %-10s %.*s\n", commands[i]->name, length, commands[i]->doc);
    }
    fprintf(stream, "\ntrine COMMAND --help says more; trine --version prints %s.\n",
            trine_version());
    return stream == stderr ? EXIT_USAGE : EXIT_GOOD;
}

int main(int count, char **words)
{
    arguments arguments;

    if (count < 2) return usage(stderr);
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0) return usage(stdout);
    if (strcmp(words[1], "--version") == 0) {
        puts(trine_version());
        return EXIT_GOOD;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(words[1], commands[i]->name) != 0) continue;
        int code = parse_arguments(commands[i], count - 2, words + 2, &arguments);
        if (code < 0) return EXIT_GOOD;
        if (code == EXIT_GOOD) code = commands[i]->run(&arguments);
        if (fflush(stdout) || ferror(stdout)) return EXIT_BAD;
        return code;
    }
    complain("no command is named \"%s\"", words[1]);
    return usage(stderr);
}
