// SPDX-License-Identifier: Apache-2.0
/* The subcommands, and what they share. */
#ifndef TRINE_TOOLS_COMMANDS_H
#define TRINE_TOOLS_COMMANDS_H

#include "tools/options.h"

#include "check/target.h"

extern const command command_devices, command_ops, command_caps, command_explain, command_run,
    command_check, command_bench, command_generate;

/* The exit code that a failed call means, after printing its sentence behind `what`. */
int complain_of(const char *what, trine_status status);

/* Opens --device (default cpu); EXIT_GOOD, or the exit code after a message. */
int open_target(const arguments *arguments, trine_target *target);

/* Standard error is a terminal: progress may be shown there. */
bool shows_progress(void);

/* Prints a JSON value (of jansson, as void * so that not every file needs it) and frees it. */
void print_json(void *value);

#endif
