// SPDX-License-Identifier: Apache-2.0
/* trine devices, trine caps: what is here, and what every known device can do. */
#include "tools/commands.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *support_word(int support)
{
    return support == TRINE_NATIVE ? "native" : support == TRINE_EMULATED ? "emulated" : "none";
}

static json_t *limits_json(const trine_limits *limits)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "wave_width",
                     (json_int_t)limits->wave_width, "max_block_threads",
                     (json_int_t)limits->max_block_threads, "max_shared_memory",
                     (json_int_t)limits->max_shared_memory, "max_load_bytes",
                     (json_int_t)limits->max_load_bytes, "max_grid_x",
                     (json_int_t)limits->max_grid_x, "max_grid_yz", (json_int_t)limits->max_grid_yz,
                     "max_grid_work_items", (json_int_t)limits->max_grid_work_items,
                     "compute_units", (json_int_t)limits->compute_units);
}

static json_t *caps_json(const trine_caps *caps)
{
    json_t *features = json_object();

    for (int f = 0; f < TRINE_FEATURE_COUNT; f++) {
        const char evidence[2] = {(char)caps->evidence[f], 0};
        json_object_set_new(features, trine_feature_name((trine_feature)f),
                            json_pack("{s:s, s:s, s:s}", "has", support_word(caps->has[f]),
                                      "usable", support_word(caps->usable[f]), "evidence",
                                      evidence));
    }
    return json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:s, s:o, s:o}", "name", caps->name, "family",
                     caps->family, "backend", trine_backend_name(caps->backend), "known",
                     caps->known, "compiled", caps->compiled, "compiled_exact",
                     caps->compiled_exact, "fp8", trine_dtype_name(caps->fp8), "limits",
                     limits_json(&caps->limits), "features", features);
}

static int run_devices(const arguments *arguments)
{
    trine_context *context;
    json_t *list = json_array();

    if (arguments->positional_count) return complain("devices takes no arguments");
    if (trine_context_create(NULL, &context)) return complain_of("devices", TRINE_BACKEND_ERROR);
    for (size_t i = 0; i < trine_device_count(context); i++) {
        const trine_device *device = trine_device_at(context, i);
        const trine_caps *caps = &device->caps;
        if (arguments->json) {
            json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o}", "id", device->id,
                                                  "product", device->product, "simulated",
                                                  device->simulated, "caps", caps_json(caps)));
            continue;
        }
        printf("%-8s %-10s %-14s fp8 %-11s %s%s%s%s\n", device->id, caps->name, caps->family,
               trine_dtype_name(caps->fp8), device->product, device->simulated ? "simulated" : "",
               caps->known ? "" : " (not in the table: generic kernels only)",
               caps->backend == TRINE_BACKEND_HOST || device->simulated ? ""
               : caps->compiled_exact                                   ? "code for exactly it"
               : caps->compiled                                         ? "code that runs on it"
                                : "this build holds no code for it");
    }
    if (arguments->json)
        print_json(json_pack("{s:o}", "devices", list));
    else
        json_decref(list);
    trine_context_destroy(&context);
    return EXIT_GOOD;
}

static void print_caps(const trine_caps *caps)
{
    printf("%s  %s, %s%s\n", caps->name, caps->family, trine_backend_name(caps->backend),
           caps->compiled_exact ? ", compiled for exactly it"
           : caps->compiled     ? ", compiled"
                                : ", not compiled here");
    printf("  fp8 %s, wave %" PRIu32 ", %" PRIu32 " threads and %" PRIu32
           " bytes of shared memory a block, loads of %" PRIu32 " bytes\n",
           trine_dtype_name(caps->fp8), caps->limits.wave_width, caps->limits.max_block_threads,
           caps->limits.max_shared_memory, caps->limits.max_load_bytes);
    for (int f = 0; f < TRINE_FEATURE_COUNT; f++)
        printf("  %-22s %-9s usable %-9s %c  %s\n", trine_feature_name((trine_feature)f),
               support_word(caps->has[f]), support_word(caps->usable[f]),
               caps->evidence[f] ? caps->evidence[f] : ' ', trine_feature_doc((trine_feature)f));
}

/* One line a feature, one column a device: N native, E emulated, - none. */
static void print_matrix(void)
{
    trine_caps caps;
    const char *name;

    printf("%-22s", "feature");
    for (size_t i = 0; (name = trine_known_device_name(i)) != NULL; i++) printf(" %7s", name);
    putchar('\n');
    for (int f = 0; f < TRINE_FEATURE_COUNT; f++) {
        printf("%-22s", trine_feature_name((trine_feature)f));
        for (size_t i = 0; (name = trine_known_device_name(i)) != NULL; i++)
            printf(" %7s", trine_known_device_caps(name, &caps) ? "?"
                           : caps.has[f] == TRINE_NATIVE        ? "N"
                           : caps.has[f] == TRINE_EMULATED      ? "E"
                                                                : "-");
        putchar('\n');
    }
}

static int run_caps(const arguments *arguments)
{
    json_t *list = json_array();
    const bool all = option(arguments, "all") || arguments->positional_count == 0;
    const char *name;
    trine_caps caps;
    int code = EXIT_GOOD;

    if (all && !arguments->json) print_matrix();
    for (size_t i = 0; all && arguments->json && (name = trine_known_device_name(i)) != NULL; i++) {
        if (!trine_known_device_caps(name, &caps)) json_array_append_new(list, caps_json(&caps));
    }
    for (size_t i = 0; i < arguments->positional_count && !all && !code; i++) {
        trine_target target;
        trine_status status = trine_known_device_caps(arguments->positional[i], &caps);
        if (status) {
            status = trine_target_open(&target, arguments->positional[i], NULL, 0);
            if (!status) {
                caps = target.info->caps;
                trine_target_close(&target);
            }
        }
        if (status) {
            code = complain("%s", trine_last_error());
            if (status == TRINE_INVALID_DEVICE) code = EXIT_NOTHING;
        } else if (arguments->json) {
            json_array_append_new(list, caps_json(&caps));
        } else {
            print_caps(&caps);
        }
    }
    if (arguments->json && !code) print_json(json_pack("{s:O}", "devices", list));
    json_decref(list);
    return code;
}

const command command_devices = {
    .name = "devices",
    .usage = "",
    .doc = "List the devices that calls can run on here.\n\nSimulated devices of TRINE_SIMULATE "
           "are among them.",
    .run = run_devices,
};

static const option_spec caps_options[] = {
    {"all", NULL, "the whole table: one line a feature, one column a device"},
    {NULL, NULL, NULL},
};

const command command_caps = {
    .name = "caps",
    .usage = "[DEVICE... | --all]",
    .doc = "Show what known devices can do.\n\nDEVICE is a name of the table (sm_90, gfx942), or a "
           "device of this machine (cuda:0).\nN native, E emulated by several instructions, - "
           "none. \"usable\" is what build and mask leave.\nThe letter is the evidence: p ptxas, s "
           "SASS, l LLVM, h header, d document.",
    .options = caps_options,
    .run = run_caps,
};
