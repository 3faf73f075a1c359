// SPDX-License-Identifier: Apache-2.0
// The capability table: its form, what must hold between cells, and what build and mask leave.
#include "backends/capabilities.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/capability_table.h"
#include "config.h"

#define EVERY_TARGET "sm_75 sm_80 sm_86 sm_89 sm_90a sm_100 sm_120 compute_120"

static const trine_caps *record(const char *name)
{
    const trine_caps *caps = trine_capabilities_find(name);
    cr_assert_not_null(caps, "%s", name);
    return caps;
}

static bool has(const trine_caps *caps, trine_feature feature)
{
    return caps->has[feature] == TRINE_NATIVE;
}

/* ---------------------------------------------------------------- the table itself */

Test(capabilities, every_cell_is_there_with_its_evidence)
{
    int cells = 0;
    for (size_t v = 0; v < TRINE_CAPABILITY_VENDOR_COUNT; v++) {
        const trine_capability_vendor *vendor = &trine_capability_vendors[v];
        size_t columns = 0;
        for (size_t d = 0; d < vendor->device_count; d++) columns += !vendor->devices[d].like;
        for (int f = 0; f < TRINE_FEATURE_COUNT; f++) {
            const trine_capability_feature *feature = &vendor->features[f];
            const char *name = trine_feature_name((trine_feature)f);
            cr_assert_not_null(feature->cells, "%s has no line for %s", vendor->title, name);
            cr_assert_eq((int)feature->feature, f);
            cr_assert_eq(strlen(feature->cells), 2 * columns - 1, "%s %s", vendor->title, name);
            for (size_t i = 0; feature->cells[i]; i++, cells++)
                cr_assert_not_null(strchr(i % 2 ? " " : "NEaf-", feature->cells[i]), "%s %s: '%c'",
                                   vendor->title, name, feature->cells[i]);
            cr_assert_gt(strlen(feature->evidence), 0);
            cr_assert_eq(strspn(feature->evidence, "slphd"), strlen(feature->evidence));
            cr_assert_gt(strlen(feature->how), 0);
        }
        for (size_t d = 0; d < vendor->device_count; d++)
            cr_assert_gt(strlen(vendor->devices[d].how), 0);
    }
    cr_assert_gt(cells, 19 * TRINE_FEATURE_COUNT);
}

Test(capabilities, a_device_like_another_has_its_features)
{
    int alike = 0;
    for (size_t v = 0; v < TRINE_CAPABILITY_VENDOR_COUNT; v++) {
        const trine_capability_vendor *vendor = &trine_capability_vendors[v];
        for (size_t d = 0; d < vendor->device_count; d++) {
            if (!vendor->devices[d].like) continue;
            const trine_caps *own = trine_capabilities_find(vendor->devices[d].name);
            const trine_caps *other = trine_capabilities_find(vendor->devices[d].like);
            cr_assert_not_null(other, "%s is like %s, which is unknown", own->name,
                               vendor->devices[d].like);
            cr_assert_arr_eq(own->has, other->has, sizeof own->has, "%s", own->name);
            cr_assert_eq(own->limits.wave_width, other->limits.wave_width);
            alike++;
        }
    }
    cr_assert_gt(alike, 0);
}

Test(capabilities, the_issues_devices_are_known)
{
    static const char *const names[] = {
        "cpu",     "sm_75",   "sm_80",   "sm_86",   "sm_87",   "sm_89",   "sm_90",  "sm_100",
        "sm_103",  "sm_110",  "sm_120",  "sm_121",  "gfx908",  "gfx90a",  "gfx942", "gfx950",
        "gfx1030", "gfx1100", "gfx1101", "gfx1150", "gfx1151", "gfx1200", "gfx1201"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert_str_eq(record(names[i])->name, names[i]);
    size_t count = trine_known_device_count();
    cr_assert_geq(count, sizeof names / sizeof *names);
    cr_assert_null(trine_known_device_name(count));
    cr_assert_null(trine_capabilities_find(NULL));
    cr_assert_null(trine_capabilities_find("gfx94"));
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(trine_capabilities_find(trine_known_device_name(i)),
                     record(trine_known_device_name(i)));
        for (size_t j = 0; j < i; j++)
            cr_assert_str_neq(trine_known_device_name(i), trine_known_device_name(j));
    }
}

Test(capabilities, what_must_hold_between_cells)
{
    int devices = 0;
    for (size_t i = 0; i < trine_known_device_count(); i++, devices++) {
        const trine_caps *c = record(trine_known_device_name(i));
        bool nvidia = c->backend == TRINE_BACKEND_CUDA, amd = c->backend == TRINE_BACKEND_HIP;
        bool fnuz = !strcmp(c->name, "gfx942");
        cr_assert(c->known && c->family[0]);
#define IMPLIES(a, b) cr_assert(!(a) || (b), "%s: " #a " without " #b, c->name)
        IMPLIES(has(c, TRINE_FEATURE_WGMMA), has(c, TRINE_FEATURE_BF16_MATRIX));
        IMPLIES(has(c, TRINE_FEATURE_WGMMA), has(c, TRINE_FEATURE_REGISTER_REALLOCATION));
        IMPLIES(has(c, TRINE_FEATURE_WGMMA), !has(c, TRINE_FEATURE_TCGEN05));
        IMPLIES(has(c, TRINE_FEATURE_TCGEN05), has(c, TRINE_FEATURE_BULK_COPY));
        IMPLIES(has(c, TRINE_FEATURE_BULK_COPY), has(c, TRINE_FEATURE_ASYNC_COPY));
        IMPLIES(has(c, TRINE_FEATURE_BULK_COPY), has(c, TRINE_FEATURE_CLUSTERS));
        IMPLIES(has(c, TRINE_FEATURE_BF16_MATRIX), has(c, TRINE_FEATURE_F16_MATRIX));
        IMPLIES(has(c, TRINE_FEATURE_F16_MATRIX), has(c, TRINE_FEATURE_I8_MATRIX));
        IMPLIES(has(c, TRINE_FEATURE_FP4_MATRIX), has(c, TRINE_FEATURE_MX_MATRIX));
        IMPLIES(has(c, TRINE_FEATURE_MX_MATRIX), has(c, TRINE_FEATURE_UE8M0_CONVERT));
        IMPLIES(has(c, TRINE_FEATURE_FP8_OCP_MATRIX), has(c, TRINE_FEATURE_FP8_OCP_CONVERT));
        IMPLIES(has(c, TRINE_FEATURE_ATOMIC_ADD_VECTOR), has(c, TRINE_FEATURE_ATOMIC_ADD_BF16X2));
        IMPLIES(has(c, TRINE_FEATURE_ATOMIC_ADD_BF16X2), has(c, TRINE_FEATURE_ATOMIC_ADD_F16X2));
        IMPLIES(has(c, TRINE_FEATURE_ATOMIC_ADD_F16X2), has(c, TRINE_FEATURE_ATOMIC_ADD_F32));
        IMPLIES(has(c, TRINE_FEATURE_MFMA) + has(c, TRINE_FEATURE_WMMA) +
                        has(c, TRINE_FEATURE_WMMA_GFX12) >
                    0,
                amd && has(c, TRINE_FEATURE_BF16_MATRIX));
        cr_assert_leq(has(c, TRINE_FEATURE_MFMA) + has(c, TRINE_FEATURE_WMMA) +
                          has(c, TRINE_FEATURE_WMMA_GFX12),
                      1);
        cr_assert_eq(has(c, TRINE_FEATURE_FP8_FNUZ_CONVERT), fnuz, "%s", c->name);
        cr_assert_eq(has(c, TRINE_FEATURE_FP8_FNUZ_MATRIX), fnuz, "%s", c->name);
        cr_assert_eq(c->fp8, fnuz ? TRINE_E4M3FNUZ : TRINE_E4M3FN, "%s", c->name);
        cr_assert_eq(has(c, TRINE_FEATURE_WIDE_LOAD), c->limits.max_load_bytes == 32, "%s",
                     c->name);
        IMPLIES(has(c, TRINE_FEATURE_MFMA), c->limits.wave_width == 64);
        IMPLIES(has(c, TRINE_FEATURE_WMMA) || has(c, TRINE_FEATURE_WMMA_GFX12) || nvidia,
                c->limits.wave_width == 32);
        IMPLIES(nvidia || amd, c->limits.max_block_threads == 1024 &&
                                   c->limits.max_grid_x > 65535 && c->limits.max_grid_yz == 65535 &&
                                   c->limits.max_shared_memory >= 65536 &&
                                   c->limits.max_load_bytes >= 16);
        cr_assert_eq(c->limits.max_grid_work_items, amd ? UINT64_C(4294967296) : 0);
        IMPLIES(!nvidia && !amd, c->limits.wave_width == 1);
#undef IMPLIES
        for (int f = 0; f < TRINE_FEATURE_COUNT; f++)
            cr_assert_not_null(strchr("slphd", c->evidence[f]));
    }
    cr_assert_gt(devices, 20);
}

Test(capabilities, cells_that_were_got_wrong_elsewhere)
{
    static const struct {
        const char *device;
        trine_feature feature;
        trine_support support;
    } cells[] = {
        {"sm_90", TRINE_FEATURE_FP8_OCP_MATRIX, TRINE_EMULATED}, /* runs on f16 units */
        {"sm_120", TRINE_FEATURE_FP8_OCP_MATRIX, TRINE_NATIVE},
        {"sm_120", TRINE_FEATURE_TCGEN05, TRINE_NONE}, /* 120 > 100 means nothing */
        {"sm_100", TRINE_FEATURE_WGMMA, TRINE_NONE},
        {"sm_90", TRINE_FEATURE_ATOMIC_ADD_BF16X2, TRINE_NATIVE},
        {"sm_89", TRINE_FEATURE_ATOMIC_ADD_BF16X2, TRINE_EMULATED},
        {"sm_90", TRINE_FEATURE_ATOMIC_ADD_SCALAR16, TRINE_EMULATED}, /* although PTX accepts it */
        {"sm_90", TRINE_FEATURE_I4_MATRIX, TRINE_EMULATED},
        {"sm_75", TRINE_FEATURE_BF16_MATRIX, TRINE_NONE},
        {"gfx90a", TRINE_FEATURE_ATOMIC_ADD_BF16X2, TRINE_EMULATED},
        {"gfx942", TRINE_FEATURE_ATOMIC_ADD_BF16X2, TRINE_NATIVE},
        {"gfx1100", TRINE_FEATURE_ATOMIC_ADD_BF16X2, TRINE_EMULATED},
        {"gfx1201", TRINE_FEATURE_ATOMIC_ADD_BF16X2, TRINE_NATIVE},
        {"gfx1030", TRINE_FEATURE_ATOMIC_ADD_F32, TRINE_EMULATED},
        {"gfx950", TRINE_FEATURE_FP8_OCP_CONVERT, TRINE_NATIVE},
        {"gfx942", TRINE_FEATURE_FP8_OCP_CONVERT, TRINE_NONE},
        {"gfx1100", TRINE_FEATURE_FP8_OCP_MATRIX, TRINE_NONE},
        {"gfx1201", TRINE_FEATURE_WMMA, TRINE_NONE}, /* other operand layout */
    };
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        cr_assert_eq(record(cells[i].device)->has[cells[i].feature], cells[i].support, "%s %s",
                     cells[i].device, trine_feature_name(cells[i].feature));
    cr_assert_eq(record("gfx950")->limits.max_shared_memory, 160 * 1024);
    cr_assert_eq(record("sm_90")->limits.max_shared_memory, 227 * 1024);
    cr_assert_eq(record("sm_121")->limits.max_shared_memory, 99 * 1024);
}

/* ---------------------------------------------------------------- what was compiled */

Test(capabilities, code_decides_with_the_device)
{
    static const struct {
        const char *device, *targets;
        bool compiled, exact;
        trine_feature feature;
        trine_support usable;
    } cases[] = {
        /* arch-specific instructions need arch-specific code */
        {"sm_90", "sm_90a", true, true, TRINE_FEATURE_WGMMA, TRINE_NATIVE},
        {"sm_90", "90a", true, true, TRINE_FEATURE_REGISTER_REALLOCATION, TRINE_NATIVE},
        {"sm_90", "sm_90", true, false, TRINE_FEATURE_WGMMA, TRINE_NONE},
        {"sm_90", "sm_90", true, false, TRINE_FEATURE_BULK_COPY, TRINE_NATIVE},
        {"sm_90", "sm_90 sm_90a", true, true, TRINE_FEATURE_WGMMA, TRINE_NATIVE},
        {"sm_90", "compute_90a", true, false, TRINE_FEATURE_WGMMA, TRINE_NATIVE},
        {"sm_100", "sm_100", true, false, TRINE_FEATURE_TCGEN05, TRINE_NONE},
        {"sm_100", "sm_100f", true, true, TRINE_FEATURE_TCGEN05, TRINE_NATIVE},
        {"sm_100", "sm_100a", true, true, TRINE_FEATURE_MX_MATRIX, TRINE_NATIVE},
        {"sm_120", "sm_120", true, false, TRINE_FEATURE_UE8M0_CONVERT, TRINE_NONE},
        {"sm_120", "sm_120", true, false, TRINE_FEATURE_FP8_OCP_MATRIX, TRINE_NATIVE},
        {"sm_120", "sm_120a", true, true, TRINE_FEATURE_UE8M0_CONVERT, TRINE_NATIVE},
        /* family code runs on later members, arch-specific code does not */
        {"sm_103", "sm_100f", true, false, TRINE_FEATURE_TCGEN05, TRINE_NATIVE},
        {"sm_103", "sm_100a", false, false, TRINE_FEATURE_F16_MATRIX, TRINE_NONE},
        {"sm_121", "sm_120f", true, false, TRINE_FEATURE_MX_MATRIX, TRINE_NATIVE},
        {"sm_120", "sm_121f", false, false, TRINE_FEATURE_F16_MATRIX, TRINE_NONE},
        {"sm_110", "sm_100f", false, false, TRINE_FEATURE_F16_MATRIX, TRINE_NONE},
        /* machine code of a lower minor runs, of another major does not */
        {"sm_86", "sm_80", true, false, TRINE_FEATURE_BF16_MATRIX, TRINE_NATIVE},
        {"sm_89", "sm_80 sm_86", true, false, TRINE_FEATURE_FP8_OCP_MATRIX, TRINE_NONE},
        {"sm_89", "sm_86 sm_89", true, true, TRINE_FEATURE_FP8_OCP_MATRIX, TRINE_NATIVE},
        {"sm_80", "sm_86", false, false, TRINE_FEATURE_BF16_MATRIX, TRINE_NONE},
        {"sm_90", "sm_80 sm_89", false, false, TRINE_FEATURE_BF16_MATRIX, TRINE_NONE},
        /* embedded parts run their own number only */
        {"sm_87", "sm_80 sm_86", false, false, TRINE_FEATURE_BF16_MATRIX, TRINE_NONE},
        {"sm_89", "sm_87", false, false, TRINE_FEATURE_BF16_MATRIX, TRINE_NONE},
        {"sm_87", "sm_87", true, true, TRINE_FEATURE_BF16_MATRIX, TRINE_NATIVE},
        /* PTX runs on everything newer, with the features it was written for */
        {"sm_90", "compute_80", true, false, TRINE_FEATURE_ATOMIC_ADD_BF16X2, TRINE_EMULATED},
        {"sm_90", "compute_80", true, false, TRINE_FEATURE_ASYNC_COPY, TRINE_NATIVE},
        {"sm_90", "compute_80", true, false, TRINE_FEATURE_BULK_COPY, TRINE_NONE},
        {"sm_90", "compute_89", true, false, TRINE_FEATURE_FP8_OCP_MATRIX, TRINE_EMULATED},
        {"sm_121", "compute_75", true, false, TRINE_FEATURE_F16_MATRIX, TRINE_NATIVE},
        {"sm_80", "compute_90", false, false, TRINE_FEATURE_F16_MATRIX, TRINE_NONE},
        {"sm_86", "sm_80 compute_86", true, false, TRINE_FEATURE_BF16_MATRIX, TRINE_NATIVE},
        {"sm_110", EVERY_TARGET, false, false, TRINE_FEATURE_F16_MATRIX, TRINE_NONE},
        {"sm_110", EVERY_TARGET " compute_75", true, false, TRINE_FEATURE_BF16_MATRIX, TRINE_NONE},
        {"sm_103", EVERY_TARGET, true, false, TRINE_FEATURE_WIDE_LOAD, TRINE_NATIVE},
        {"sm_75", EVERY_TARGET, true, true, TRINE_FEATURE_F16_MATRIX, TRINE_NATIVE},
        /* a target that the table does not know is code without features */
        {"sm_89", "sm_88", true, false, TRINE_FEATURE_BF16_MATRIX, TRINE_NONE},
        {"sm_90", "", false, false, TRINE_FEATURE_BF16_MATRIX, TRINE_NONE},
        {"sm_90", NULL, false, false, TRINE_FEATURE_BF16_MATRIX, TRINE_NONE},
        /* AMD: the very target */
        {"gfx942", "gfx90a gfx942", true, true, TRINE_FEATURE_MFMA, TRINE_NATIVE},
        {"gfx942", "gfx942:sramecc+:xnack-", true, true, TRINE_FEATURE_MFMA, TRINE_NATIVE},
        {"gfx942", "gfx90a gfx950", false, false, TRINE_FEATURE_MFMA, TRINE_NONE},
        {"gfx1101", "gfx1100", false, false, TRINE_FEATURE_WMMA, TRINE_NONE},
        {"gfx1100", "gfx110", false, false, TRINE_FEATURE_WMMA, TRINE_NONE},
        {"cpu", "cpu", true, true, TRINE_FEATURE_FP8_FNUZ_CONVERT, TRINE_EMULATED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trine_caps caps = *record(cases[i].device);
        cr_assert_eq(trine_capabilities_finalize(&caps, cases[i].targets, NULL), TRINE_OK);
        const char *targets = cases[i].targets ? cases[i].targets : "NULL";
        cr_assert_eq(caps.compiled, cases[i].compiled, "%s with \"%s\"", caps.name, targets);
        cr_assert_eq(caps.compiled_exact, cases[i].exact, "%s with \"%s\"", caps.name, targets);
        cr_assert_eq(caps.usable[cases[i].feature], cases[i].usable, "%s with \"%s\": %s",
                     caps.name, targets, trine_feature_name(cases[i].feature));
        for (int f = 0; f < TRINE_FEATURE_COUNT; f++) cr_assert_leq(caps.usable[f], caps.has[f]);
    }
}

Test(capabilities, exact_code_gives_all_that_the_device_has)
{
    for (size_t i = 0; i < trine_known_device_count(); i++) {
        trine_caps caps = *record(trine_known_device_name(i));
        char targets[16];
        bool cuda = caps.backend == TRINE_BACKEND_CUDA;
        snprintf(targets, sizeof targets, "%.12s%s", caps.name,
                 cuda && atoi(caps.name + 3) >= 90 ? "a" : "");
        cr_assert_eq(trine_capabilities_finalize(&caps, targets, NULL), TRINE_OK);
        cr_assert(caps.compiled && caps.compiled_exact, "%s", targets);
        cr_assert_eq(memcmp(caps.usable, caps.has, sizeof caps.has), 0, "%s", targets);
    }
}

Test(capabilities, bad_targets_are_named)
{
    static const char *const bad[] = {"sm_",      "sm_9",   "sm_90b", "sm_90aa",
                                      "compute_", "gfx942", "x",      "sm_80 sm_900000"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        trine_caps caps = *record("sm_80");
        cr_assert_eq(trine_capabilities_finalize(&caps, bad[i], NULL), TRINE_INVALID_ARGUMENT, "%s",
                     bad[i]);
        cr_assert_not_null(strstr(trine_last_error(), strrchr(bad[i], ' ') ? "sm_900000" : bad[i]));
    }
}

Test(capabilities, unknown_devices_get_generic_rows_only)
{
    trine_caps caps;
    trine_limits limits = {.wave_width = 32, .max_block_threads = 1024};
    trine_capabilities_unknown(TRINE_BACKEND_CUDA, "sm_130", &limits, &caps);
    cr_assert(!caps.known && caps.limits.wave_width == 32);
    cr_assert_eq(trine_capabilities_finalize(&caps, EVERY_TARGET, NULL), TRINE_OK);
    cr_assert(caps.compiled && !caps.compiled_exact); /* by PTX */
    for (int f = 0; f < TRINE_FEATURE_COUNT; f++)
        cr_assert_eq(caps.has[f] + caps.usable[f], TRINE_NONE);
    trine_capabilities_unknown(TRINE_BACKEND_HIP, "gfx1250", NULL, &caps);
    cr_assert_eq(caps.limits.wave_width, 0);
    cr_assert_eq(trine_capabilities_finalize(&caps, "gfx942", NULL), TRINE_OK);
    cr_assert(!caps.compiled);
    trine_capabilities_unknown(TRINE_BACKEND_CUDA, "rocket", NULL, &caps);
    cr_assert_eq(trine_capabilities_finalize(&caps, EVERY_TARGET, NULL), TRINE_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(trine_last_error(), "rocket"));
}

/* ---------------------------------------------------------------- limits, mask, this build */

Test(capabilities, a_driver_replaces_the_limits_it_knows)
{
    trine_caps caps = *record("sm_90");
    trine_limits before = caps.limits;
    trine_limits queried = {.max_shared_memory = 1234, .compute_units = 132};
    trine_capabilities_limits(&caps.limits, &queried);
    cr_assert_eq(caps.limits.max_shared_memory, 1234);
    cr_assert_eq(caps.limits.compute_units, 132);
    cr_assert_eq(caps.limits.wave_width, before.wave_width);
    cr_assert_eq(caps.limits.max_grid_x, before.max_grid_x);
    trine_limits all = {1, 2, 3, 4, 5, 6, 7, 8};
    trine_capabilities_limits(&caps.limits, &all);
    const trine_limits *l = &caps.limits;
    cr_assert(l->wave_width == 1 && l->max_block_threads == 2 && l->max_shared_memory == 3);
    cr_assert(l->max_load_bytes == 4 && l->max_grid_x == 5 && l->max_grid_yz == 6);
    cr_assert(l->max_grid_work_items == 7 && l->compute_units == 8);
}

Test(capabilities, a_mask_only_takes_away)
{
    trine_mask mask = {0};
    cr_assert_eq(trine_capabilities_mask_parse("bulk_copy,compute_units=20,mfma", &mask), TRINE_OK);
    cr_assert_eq(mask.compute_units, 20);
    cr_assert_eq(mask.features, TRINE_FEATURE_BIT(TRINE_FEATURE_BULK_COPY) |
                                    TRINE_FEATURE_BIT(TRINE_FEATURE_MFMA));
    trine_caps caps = *record("sm_90");
    cr_assert_eq(trine_capabilities_finalize(&caps, "sm_90a", &mask), TRINE_OK);
    for (int f = 0; f < TRINE_FEATURE_COUNT; f++)
        cr_assert_eq(caps.usable[f],
                     mask.features & TRINE_FEATURE_BIT(f) ? TRINE_NONE : caps.has[f]);
    cr_assert_eq(caps.has[TRINE_FEATURE_BULK_COPY], TRINE_NATIVE);
    cr_assert_eq(caps.limits.compute_units, 20);
    mask.compute_units = 30;
    cr_assert_eq(trine_capabilities_finalize(&caps, "sm_90a", &mask), TRINE_OK);
    cr_assert_eq(caps.limits.compute_units, 20);
    for (int f = 0; f < TRINE_FEATURE_COUNT; f++) {
        cr_assert_eq(trine_capabilities_mask_parse(trine_feature_name((trine_feature)f), &mask),
                     TRINE_OK);
        cr_assert_eq(mask.features, TRINE_FEATURE_BIT(f));
    }
    cr_assert_eq(trine_capabilities_mask_parse("", &mask), TRINE_OK);
    cr_assert(mask.features == 0 && mask.compute_units == 0);
    static const char *const bad[] = {
        "mfm",           "mfma2",           "mfma,tensor_core", "mfma,,wmma",          " mfma",
        "compute_units", "compute_units=0", "compute_units=1x", "compute_units=100000"};
    static const char *const named[] = {"\"mfm\"",
                                        "\"mfma2\"",
                                        "\"tensor_core\"",
                                        "\"\"",
                                        "\" mfma\"",
                                        "\"compute_units\"",
                                        "\"compute_units=0\"",
                                        "\"compute_units=1x\"",
                                        "\"compute_units=100000\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mask.features = 7, mask.compute_units = 3;
        cr_assert_eq(trine_capabilities_mask_parse(bad[i], &mask), TRINE_INVALID_ARGUMENT, "%s",
                     bad[i]);
        cr_assert_not_null(strstr(trine_last_error(), named[i]), "%s", trine_last_error());
        cr_assert(mask.features == 7 && mask.compute_units == 3);
    }
}

Test(capabilities, records_as_this_build_would_use_them)
{
    trine_caps caps;
    for (size_t i = 0; i < trine_known_device_count(); i++) {
        trine_caps expected = *record(trine_known_device_name(i));
        const char *targets = expected.backend == TRINE_BACKEND_CUDA  ? TRINE_CUDA_TARGETS
                              : expected.backend == TRINE_BACKEND_HIP ? TRINE_HIP_TARGETS
                                                                      : "cpu";
        cr_assert_eq(trine_known_device_caps(expected.name, &caps), TRINE_OK);
        cr_assert_eq(trine_capabilities_finalize(&expected, targets, NULL), TRINE_OK);
        cr_assert_str_eq(caps.name, expected.name);
        cr_assert_eq(memcmp(caps.usable, expected.usable, sizeof caps.usable), 0, "%s", caps.name);
        cr_assert_eq(caps.compiled, expected.compiled, "%s", caps.name);
        cr_assert_eq(caps.compiled_exact, expected.compiled_exact, "%s", caps.name);
    }
    cr_assert_eq(trine_known_device_caps("gfx9000", &caps), TRINE_INVALID_DEVICE);
    cr_assert(strstr(trine_last_error(), "gfx9000") && strstr(trine_last_error(), "gfx1201"));
    cr_assert_eq(trine_known_device_caps(NULL, &caps), TRINE_INVALID_ARGUMENT);
    cr_assert_eq(trine_known_device_caps("cpu", NULL), TRINE_INVALID_ARGUMENT);
    cr_assert_eq(trine_capabilities_named(NULL, NULL, &caps), TRINE_INVALID_DEVICE);
}
