// SPDX-License-Identifier: Apache-2.0
/* trine explain: which kernel would run a call, and why each other one would not. */
#include "tools/commands.h"

#include "check/settle.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const option_spec options[] = {
    {"device", "D", "cpu, cuda:N, hip:N, simulated:NAME, or any known device (gfx942)"},
    {"shape", "L", "dimensions: M=8192,K=7168"},
    {"dtype", "L", "dtypes of tensors: x=bf16,q=e4m3fn (likely ones)"},
    {"with", "L", "optional tensors to have: bias,expert_map"},
    {"deterministic", NULL, "take only rows whose repeated runs give the same bits"},
    {NULL, NULL, NULL},
};

/* A known device by name needs no context of its own: explained from the CPU's. */
static int open_named(const arguments *arguments, trine_target *target, const char **named,
                      trine_dtype *fp8)
{
    const char *name = option(arguments, "device");
    const char *model = name && strncmp(name, "simulated:", 10) == 0 ? name + 10 : name;
    trine_caps caps;
    int code;

    *named = NULL;
    if (!name || trine_known_device_caps(model, &caps)) {
        code = open_target(arguments, target);
        if (!code) *fp8 = target->info->caps.fp8;
        return code;
    }
    *named = model;
    *fp8 = caps.fp8;
    if (trine_target_open(target, "cpu", NULL, 0)) return complain_of("explain", TRINE_UNSUPPORTED);
    return EXIT_GOOD;
}

static void print_entries(const trine_explanation *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        printf("  %-8s %-5s %-24s %s\n",
               entries[i].runs      ? "runs"
               : entries[i].accepts ? "could"
                                    : "no",
               trine_backend_name(entries[i].backend), entries[i].row, entries[i].reason);
}

static int run_explain(const arguments *arguments)
{
    trine_request request = {.shape = option(arguments, "shape"),
                             .dtype = option(arguments, "dtype"),
                             .with = option(arguments, "with")};
    trine_explanation entries[64];
    trine_target target;
    trine_plan plan;
    trine_dtype fp8;
    const char *named;
    char text[1024];
    size_t count = 0, workspace = 0;
    bool runs = false;

    if (arguments->positional_count != 1)
        return complain("explain: one op. Usage: trine explain %s", arguments->command->usage);
    request.op = arguments->positional[0];
    for (size_t i = 0; i < arguments->param_count; i++) {
        request.names[i] = arguments->params[i].name;
        request.values[i] = arguments->params[i].value;
    }
    request.param_count = arguments->param_count;
    const int code = open_named(arguments, &target, &named, &fp8);
    if (code) return code;
    const uint32_t flags = option(arguments, "deterministic") ? TRINE_DETERMINISTIC : 0;
    trine_status status =
        trine_plan_from_request(&plan, &request, fp8, target.context, target.device);
    if (!status) status = trine_plan_validate(&plan, target.context, target.device, &workspace);
    if (!status)
        status = trine_plan_explain(&plan, target.context, target.device, named, flags, entries, 64,
                                    &count);
    if (status) {
        complain("%s: %s", trine_status_name(status), trine_last_error());
        trine_target_close(&target);
        return EXIT_BAD;
    }
    if (count > 64) count = 64;
    for (size_t i = 0; i < count; i++) runs |= entries[i].runs;
    trine_plan_print(&plan, text, sizeof text);
    const char *device = named ? named : target.name;
    if (arguments->json) {
        json_t *rows = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(
                rows, json_pack("{s:s, s:s, s:b, s:b, s:s}", "row", entries[i].row, "backend",
                                trine_backend_name(entries[i].backend), "runs", entries[i].runs,
                                "accepts", entries[i].accepts, "reason", entries[i].reason));
        print_json(json_pack("{s:s, s:s, s:I, s:o}", "call", text, "device", device, "workspace",
                             (json_int_t)workspace, "rows", rows));
    } else {
        printf("%s\non %s, workspace %zu bytes:\n", text, device, workspace);
        print_entries(entries, count);
        if (!runs) printf("  no kernel would run this call there\n");
    }
    trine_target_close(&target);
    return runs ? EXIT_GOOD : EXIT_BAD;
}

const command command_explain = {
    .name = "explain",
    .usage = "OP --shape M=8192,K=7168 [--device D] [--dtype x=bf16] [--PARAM VALUE...]",
    .doc =
        "Say which kernel would run a call on a device, and why each other one would not.\n\nThe "
        "device need not be here: any name of `trine caps` will do.",
    .options = options,
    .params = true,
    .run = run_explain,
};
