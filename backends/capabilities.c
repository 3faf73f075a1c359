// SPDX-License-Identifier: Apache-2.0
/* Records made from the capability table, and what build and mask leave of them. */
#include "backends/capabilities.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "backends/capability_table.h"
#include "config.h"

#define MAX_DEVICES 64

static pthread_once_t records_once = PTHREAD_ONCE_INIT;
static trine_caps records[MAX_DEVICES];
static size_t record_count;

/* How specific to its target a piece of code is: decides between the cells N, f and a. */
typedef enum code_tier { TIER_BASE = 0, TIER_FAMILY = 1, TIER_ARCH = 2 } code_tier;

static trine_support support_in(char cell, code_tier tier)
{
    switch (cell) {
    case 'N':
        return TRINE_NATIVE;
    case 'E':
        return TRINE_EMULATED;
    case 'f':
        return tier >= TIER_FAMILY ? TRINE_NATIVE : TRINE_NONE;
    case 'a':
        return tier == TIER_ARCH ? TRINE_NATIVE : TRINE_NONE;
    default:
        return TRINE_NONE;
    }
}

static void record_fill(trine_caps *caps, const trine_capability_vendor *vendor, size_t device)
{
    const trine_capability_device *d = &vendor->devices[device];
    memset(caps, 0, sizeof *caps);
    snprintf(caps->name, sizeof caps->name, "%s", d->name);
    snprintf(caps->family, sizeof caps->family, "%s", d->family);
    caps->backend = vendor->backend;
    caps->known = true;
    caps->fp8 = d->fp8;
    caps->limits = d->limits;
    for (int f = 0; f < TRINE_FEATURE_COUNT; f++) {
        char cell = trine_capability_cell(vendor, device, (trine_feature)f);
        caps->has[f] = (uint8_t)support_in(cell, TIER_ARCH);
        caps->evidence[f] = (uint8_t)vendor->features[f].evidence[0];
    }
}

static void records_fill(void)
{
    for (size_t v = 0; v < TRINE_CAPABILITY_VENDOR_COUNT; v++)
        for (size_t d = 0; d < trine_capability_vendors[v].device_count; d++)
            record_fill(&records[record_count++], &trine_capability_vendors[v], d);
}

size_t trine_known_device_count(void)
{
    pthread_once(&records_once, records_fill);
    return record_count;
}

const char *trine_known_device_name(size_t index)
{
    return index < trine_known_device_count() ? records[index].name : NULL;
}

const trine_caps *trine_capabilities_find(const char *name)
{
    if (!name) return NULL;
    for (size_t i = 0; i < trine_known_device_count(); i++)
        if (!strcmp(records[i].name, name)) return &records[i];
    return NULL;
}

void trine_capabilities_unknown(trine_backend backend, const char *name, const trine_limits *limits,
                                trine_caps *caps)
{
    memset(caps, 0, sizeof *caps);
    snprintf(caps->name, sizeof caps->name, "%s", name);
    snprintf(caps->family, sizeof caps->family, "unknown");
    caps->backend = backend;
    caps->fp8 = TRINE_E4M3FN;
    if (limits) caps->limits = *limits;
    memset(caps->evidence, 'd', sizeof caps->evidence);
}

void trine_capabilities_limits(trine_limits *limits, const trine_limits *queried)
{
#define TAKE(field)                                                                                \
    if (queried->field) limits->field = queried->field
    TAKE(wave_width);
    TAKE(max_block_threads);
    TAKE(max_shared_memory);
    TAKE(max_load_bytes);
    TAKE(max_grid_x);
    TAKE(max_grid_yz);
    TAKE(max_grid_work_items);
    TAKE(compute_units);
#undef TAKE
}

/* ---------------------------------------------------------------- what was compiled */

/* One entry of a list of CUDA targets: "sm_90a", "90a", "compute_120". */
typedef struct cuda_target {
    int number; /* 10 * major + minor */
    code_tier tier;
    bool ptx;
} cuda_target;

static bool cuda_target_parse(const char *text, size_t length, cuda_target *target)
{
    size_t at = 0;
    memset(target, 0, sizeof *target);
    if (length > 8 && !strncmp(text, "compute_", 8)) {
        target->ptx = true;
        at = 8;
    } else if (length > 3 && !strncmp(text, "sm_", 3)) {
        at = 3;
    }
    size_t digits = at;
    for (; at < length && text[at] >= '0' && text[at] <= '9' && at - digits < 4; at++)
        target->number = target->number * 10 + (text[at] - '0');
    if (at - digits < 2) return false;
    if (at + 1 == length && (text[at] == 'a' || text[at] == 'f'))
        target->tier = text[at++] == 'a' ? TIER_ARCH : TIER_FAMILY;
    return at == length;
}

static bool is_embedded(const char *name)
{
    const trine_capability_vendor *vendor = &trine_capability_vendors[0];
    for (size_t d = 0; d < vendor->device_count; d++)
        if (!strcmp(vendor->devices[d].name, name)) return vendor->devices[d].embedded;
    return false;
}

static size_t cuda_name(int number, char *name, size_t size)
{
    return (size_t)snprintf(name, size, "sm_%d", number);
}

static bool cuda_runs_on(const cuda_target *target, int device)
{
    char device_name[16], target_name[16];
    cuda_name(device, device_name, sizeof device_name);
    cuda_name(target->number, target_name, sizeof target_name);
    bool same = target->number == device;
    bool older = target->number <= device, same_major = target->number / 10 == device / 10;
    if (target->tier == TIER_ARCH) return same;
    if (target->tier == TIER_FAMILY) return older && same_major;
    if (target->ptx) return older;
    /* Embedded parts and desktop parts run no binaries of each other. */
    return same || (older && same_major && !is_embedded(device_name) && !is_embedded(target_name));
}

/* What the driver prefers: machine code over PTX, then the nearest target, then the most specific.
 */
static int cuda_rank(const cuda_target *target)
{
    return (target->ptx ? 0 : 100000) + target->number * 4 + (int)target->tier;
}

/* The most specific code that gives the device something more. */
static code_tier cuda_best_tier(size_t device)
{
    code_tier best = TIER_BASE;
    for (int f = 0; f < TRINE_FEATURE_COUNT; f++) {
        char cell = trine_capability_cell(&trine_capability_vendors[0], device, (trine_feature)f);
        if (cell == 'a') best = TIER_ARCH;
        if (cell == 'f' && best < TIER_FAMILY) best = TIER_FAMILY;
    }
    return best;
}

/* Index of sm_<number> in the NVIDIA part of the table, which the records start with; -1. */
static int cuda_index(int number)
{
    char name[16];
    cuda_name(number, name, sizeof name);
    for (size_t d = 0; d < trine_capability_vendors[0].device_count; d++)
        if (!strcmp(trine_capability_vendors[0].devices[d].name, name)) return (int)d;
    return -1;
}

static trine_status finalize_cuda(trine_caps *caps, const char *targets)
{
    cuda_target device, best = {0};
    if (!cuda_target_parse(caps->name, strlen(caps->name), &device))
        return trine_fail(TRINE_INVALID_ARGUMENT, "device \"%s\" is no CUDA device name (sm_90)",
                          caps->name);
    for (const char *text = targets; *text;) {
        size_t length = strcspn(text, " ");
        cuda_target target;
        if (length && !cuda_target_parse(text, length, &target))
            return trine_fail(TRINE_INVALID_ARGUMENT,
                              "targets has \"%.*s\"; the form is sm_90a or compute_120",
                              (int)length, text);
        if (length && cuda_runs_on(&target, device.number) &&
            (!caps->compiled || cuda_rank(&target) > cuda_rank(&best))) {
            best = target;
            caps->compiled = true;
        }
        text += length + (text[length] == ' ');
    }
    int code = cuda_index(best.number), own = cuda_index(device.number);
    if (!caps->compiled || code < 0 || own < 0) return TRINE_OK;
    caps->compiled_exact =
        !best.ptx && best.number == device.number && best.tier >= cuda_best_tier((size_t)own);
    for (int f = 0; f < TRINE_FEATURE_COUNT; f++) {
        char cell =
            trine_capability_cell(&trine_capability_vendors[0], (size_t)code, (trine_feature)f);
        trine_support in_code = support_in(cell, best.tier);
        caps->usable[f] = in_code < caps->has[f] ? (uint8_t)in_code : caps->has[f];
    }
    return TRINE_OK;
}

/* AMD code runs on the target it was built for and no other. */
static void finalize_by_name(trine_caps *caps, const char *targets)
{
    for (const char *text = targets; *text;) {
        size_t length = strcspn(text, " "), name = strcspn(text, " :"); /* gfx942:xnack- */
        if (name == strlen(caps->name) && !strncmp(text, caps->name, name)) caps->compiled = true;
        text += length + (text[length] == ' ');
    }
    caps->compiled_exact = caps->compiled;
    if (caps->compiled) memcpy(caps->usable, caps->has, sizeof caps->usable);
}

trine_status trine_capabilities_finalize(trine_caps *caps, const char *targets,
                                         const trine_mask *mask)
{
    caps->compiled = caps->compiled_exact = false;
    memset(caps->usable, TRINE_NONE, sizeof caps->usable);
    if (caps->backend == TRINE_BACKEND_CUDA) {
        trine_status status = finalize_cuda(caps, targets ? targets : "");
        if (status) return status;
    } else {
        finalize_by_name(caps, targets ? targets : "");
    }
    if (!mask) return TRINE_OK;
    for (int f = 0; f < TRINE_FEATURE_COUNT; f++)
        if (mask->features & TRINE_FEATURE_BIT(f)) caps->usable[f] = TRINE_NONE;
    uint32_t *units = &caps->limits.compute_units;
    if (mask->compute_units && (!*units || *units > mask->compute_units))
        *units = mask->compute_units;
    return TRINE_OK;
}

/* "compute_units=N", N from 1 to 99999. */
static bool compute_units_parse(const char *text, size_t length, uint32_t *units)
{
    static const char name[] = "compute_units=";
    const size_t digits = sizeof name - 1;
    uint32_t value = 0;
    if (length <= digits || length > digits + 5 || strncmp(text, name, digits)) return false;
    for (size_t i = digits; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = value * 10 + (uint32_t)(text[i] - '0');
    }
    *units = value;
    return value > 0;
}

trine_status trine_capabilities_mask_parse(const char *text, trine_mask *mask)
{
    trine_mask all = {0};
    while (*text) {
        size_t length = strcspn(text, ",");
        int found = -1;
        for (int f = 0; f < TRINE_FEATURE_COUNT && found < 0; f++) {
            const char *name = trine_feature_name((trine_feature)f);
            if (strlen(name) == length && !strncmp(name, text, length)) found = f;
        }
        if (found < 0 && !compute_units_parse(text, length, &all.compute_units))
            return trine_fail(
                TRINE_INVALID_ARGUMENT,
                "mask names \"%.*s\"; no feature has that name, nor is it compute_units=N",
                (int)length, text);
        if (found >= 0) all.features |= TRINE_FEATURE_BIT(found);
        text += length + (text[length] == ',');
    }
    *mask = all;
    return TRINE_OK;
}

trine_status trine_capabilities_named(const char *name, const trine_mask *mask, trine_caps *caps)
{
    const trine_caps *known = trine_capabilities_find(name);
    if (!known) {
        char names[400] = "";
        for (size_t i = 0, used = 0; i < trine_known_device_count() && used < sizeof names; i++)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                                     records[i].name);
        return trine_fail(TRINE_INVALID_DEVICE, "device \"%s\" is unknown; known are %s",
                          name ? name : "", names);
    }
    static const char *const targets[TRINE_BACKEND_COUNT] = {
        [TRINE_BACKEND_HOST] = "cpu",
        [TRINE_BACKEND_CUDA] = TRINE_CUDA_TARGETS,
        [TRINE_BACKEND_HIP] = TRINE_HIP_TARGETS,
    };
    *caps = *known;
    return trine_capabilities_finalize(caps, targets[known->backend], mask);
}

trine_status trine_known_device_caps(const char *name, trine_caps *caps)
{
    if (!name || !caps)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s is NULL, must be given",
                          name ? "caps" : "name");
    return trine_capabilities_named(name, NULL, caps);
}
