// SPDX-License-Identifier: Apache-2.0
/* trine generate: a file with the inputs of a call and what the reference makes of them. */
#include "tools/commands.h"

#include "check/file_case.h"
#include "check/generate.h"
#include "check/settle.h"
#include "check/twin.h"

#include <stdio.h>
#include <string.h>

static const option_spec options[] = {
    {"out", "F", "the file to write (required)"},
    {"shape", "L", "dimensions: M=8,K=256"},
    {"dtype", "L", "dtypes of tensors: x=bf16,q=e4m3fn (likely ones)"},
    {"with", "L", "optional tensors to have: bias,expert_map"},
    {"pattern", "P", "normal, edges, constant, exact, ties, wide or special (normal)"},
    {"seed", "N", "the data follow from it (1)"},
    {"twin", "FILE", "instead of OP: this file's call with e4m3fnuz for e4m3fn, as gfx942 has it"},
    {NULL, NULL, NULL},
};

static bool find_pattern(const char *name, trine_pattern *pattern)
{
    for (int i = 0; i < TRINE_PATTERN_COUNT; i++) {
        if (strcmp(trine_pattern_name((trine_pattern)i), name) != 0) continue;
        *pattern = (trine_pattern)i;
        return true;
    }
    return false;
}

/* Runs a call on the reference and writes both. */
static trine_status run_and_write(trine_target *target, const trine_plan *plan,
                                  const trine_data *data, const char *source, const char *path)
{
    trine_call call;
    trine_outcome outcome;
    trine_status status = trine_call_create(&call, plan, data, target->oracle, trine_host_device);

    if (status) return status;
    status = trine_call_run(&call, target->oracle, 0, 0, &outcome);
    if (!status && outcome.status) status = trine_fail(outcome.status, "%s", outcome.error);
    if (!status) status = trine_call_write(&call, &outcome, source, path);
    trine_outcome_destroy(&outcome);
    trine_call_destroy(&call);
    return status;
}

static trine_status generate(trine_target *target, const trine_request *request,
                             trine_pattern pattern, uint64_t seed, const char *path)
{
    trine_plan plan;
    trine_data data;
    char source[96];
    trine_status status =
        trine_plan_from_request(&plan, request, TRINE_E4M3FN, target->oracle, trine_host_device);

    if (status) return status;
    if (!trine_pattern_fits(plan.op, pattern) ||
        (pattern == TRINE_PATTERN_EXACT && !trine_exact_possible(&plan)))
        return trine_fail(TRINE_INVALID_ARGUMENT, "pattern %s is not for this call of %s",
                          trine_pattern_name(pattern), plan.op->name);
    status = trine_generate(&plan, pattern, seed, &data);
    if (status) return status;
    snprintf(source, sizeof source, "trine %s generate, pattern %s, seed %llu", trine_version(),
             trine_pattern_name(pattern), (unsigned long long)seed);
    status = run_and_write(target, &plan, &data, source, path);
    trine_data_destroy(&data);
    return status;
}

static trine_status generate_twin(trine_target *target, const char *original, const char *path)
{
    trine_file_case entry;
    const char *name = strrchr(original, '/');
    char source[256];
    trine_status status = trine_file_case_open(original, &entry);

    if (!status) status = trine_file_case_twin(&entry);
    if (!status) status = trine_file_case_plan(&entry, target);
    snprintf(source, sizeof source, "trine %s generate, FNUZ twin of %s", trine_version(),
             name ? name + 1 : original);
    if (!status) status = run_and_write(target, &entry.plan, &entry.data, source, path);
    trine_file_case_close(&entry);
    return status;
}

static int run_generate(const arguments *arguments)
{
    trine_request request = {.shape = option(arguments, "shape"),
                             .dtype = option(arguments, "dtype"),
                             .with = option(arguments, "with")};
    trine_pattern pattern = TRINE_PATTERN_NORMAL;
    const char *path = option(arguments, "out"), *name = option(arguments, "pattern");
    const char *original = option(arguments, "twin");
    long long seed = 1;
    trine_target target;

    if (arguments->positional_count != (original ? 0 : 1) || !path)
        return complain("generate: one op and --out. Usage: trine generate %s",
                        arguments->command->usage);
    if (name && !find_pattern(name, &pattern))
        return complain(
            "--pattern %s: must be normal, edges, constant, exact, ties, wide or special", name);
    if (!option_number(arguments, "seed", 0, INT64_MAX, &seed)) return EXIT_USAGE;
    request.op = original ? NULL : arguments->positional[0];
    for (size_t i = 0; i < arguments->param_count; i++) {
        request.names[i] = arguments->params[i].name;
        request.values[i] = arguments->params[i].value;
    }
    request.param_count = arguments->param_count;
    if (trine_target_open(&target, "cpu", NULL, 0)) return complain_of("generate", TRINE_OK);
    const trine_status status = original
                                    ? generate_twin(&target, original, path)
                                    : generate(&target, &request, pattern, (uint64_t)seed, path);
    trine_target_close(&target);
    if (status) {
        complain("%s: %s", trine_status_name(status), trine_last_error());
        return EXIT_BAD;
    }
    if (!arguments->json) printf("%s\n", path);
    return EXIT_GOOD;
}

const command command_generate = {
    .name = "generate",
    .usage =
        "OP --out FILE --shape M=8,K=256 [--dtype x=bf16] [--PARAM VALUE...] | --twin FILE --out "
        "FILE",
    .doc =
        "Write a file with inputs of a call and the outputs that the reference makes of them.\n\n"
        "trine run FILE --expect compares any device with it.",
    .options = options,
    .params = true,
    .run = run_generate,
};
