// SPDX-License-Identifier: Apache-2.0
/*
 * What every known device can do, as data: one line a device, one line a feature.
 * docs/capabilities.md is written from these arrays (tools and tests read them too).
 */
#ifndef TRINE_BACKENDS_CAPABILITY_TABLE_H
#define TRINE_BACKENDS_CAPABILITY_TABLE_H

#include <trine/core.h>

/*
 * A cell, one character:
 *   N  one instruction
 *   E  emulated: compiles, but as several instructions or a compare-and-swap loop
 *   -  not there
 *   a  one instruction, but only in code built for this very target (sm_90a)
 *   f  one instruction, but only in code built for its family or this very target (sm_100f,
 * sm_100a)
 *
 * Evidence, strongest letter first:
 *   s  the machine code that ptxas 13.0 makes was compared with a control kernel's
 *   l  llc or clang 22 emits or rejects the instruction for that target
 *   p  ptxas 13.0 accepts or rejects the PTX for that target
 *   h  a header: the toolkit's, or numerics/ for the cpu
 *   d  documentation or an issue only
 */
typedef struct trine_capability_device {
    const char *name, *family;
    trine_dtype fp8;
    trine_limits limits;
    bool embedded;   /* runs no binary of another number of its major version */
    const char *how; /* where the limits come from */
    /* NULL, or the device of the same vendor whose features this one has: it has no column. A new
     * device of a known kind is therefore one line, and a target's name in the module's
     * meson.build. */
    const char *like;
} trine_capability_device;

typedef struct trine_capability_feature {
    trine_feature feature;
    const char *cells; /* one a device that is like no other, separated by one
                          space, in the order of the devices */
    const char *evidence;
    const char *how;
} trine_capability_feature;

typedef struct trine_capability_vendor {
    trine_backend backend;
    const char *title;
    const trine_capability_device *devices;
    size_t device_count;
    const trine_capability_feature *features; /* TRINE_FEATURE_COUNT, in the order of the enum */
} trine_capability_vendor;

#define TRINE_CAPABILITY_VENDOR_COUNT 3
extern const trine_capability_vendor trine_capability_vendors[TRINE_CAPABILITY_VENDOR_COUNT];

/* The cell of a device and a feature. */
char trine_capability_cell(const trine_capability_vendor *vendor, size_t device,
                           trine_feature feature);

#endif
