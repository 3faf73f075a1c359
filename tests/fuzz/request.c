// SPDX-License-Identifier: Apache-2.0
/*
 * The words of a command line: op, shape, dtypes, optional tensors, params. The input is their
 * text, one a line: op, shape, dtype, with, then name and value of each param.
 */
#include "check/settle.h"
#include "check/suite.h"
#include "check/target.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static trine_target target;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1), *lines[4 + 4 * TRINE_MAX_PARAMS];
    size_t count = 0;
    trine_request request = {.op = ""};
    trine_plan plan;
    trine_suite suite;
    char printed[512];

    if (!target.context && trine_target_open(&target, "cpu", NULL, 0)) abort();
    if (!text) return 0;
    memcpy(text, bytes, size);
    text[size] = 0;
    for (char *at = text; at && count < sizeof lines / sizeof *lines;) {
        char *end = strchr(at, '\n');
        lines[count++] = at;
        if (end) *end++ = 0;
        at = end;
    }
    request.op = lines[0];
    if (count > 1 && *lines[1]) request.shape = lines[1];
    if (count > 2 && *lines[2]) request.dtype = lines[2];
    if (count > 3 && *lines[3]) request.with = lines[3];
    for (size_t i = 4; i + 1 < count; i += 2) {
        request.names[request.param_count] = lines[i];
        request.values[request.param_count++] = lines[i + 1];
    }
    if (!trine_plan_from_request(&plan, &request, TRINE_E4M3FN, target.oracle, trine_host_device))
        trine_plan_print(&plan, printed, sizeof printed);
    else if (!trine_last_error()[0])
        abort();
    trine_suite_init(&suite, &target, TRINE_OP_MOE_SUM);
    trine_suite_filter(&suite, lines[0]);
    free(text);
    return 0;
}
