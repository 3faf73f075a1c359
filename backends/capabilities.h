// SPDX-License-Identifier: Apache-2.0
/* The table of known devices, and what is left of a device after build and mask. */
#ifndef TRINE_BACKENDS_CAPABILITIES_H
#define TRINE_BACKENDS_CAPABILITIES_H

#include <trine/core.h>

/* Table record of a device ("cpu" included): `has`, evidence, limits; NULL when unknown. */
const trine_caps *trine_capabilities_find(const char *name);

/* Record of a device the table does not know: generic kernels only. */
void trine_capabilities_unknown(trine_backend backend, const char *name, const trine_limits *limits,
                                trine_caps *caps);

/* Replaces the limits that a driver reported (non-zero ones). */
void trine_capabilities_limits(trine_limits *limits, const trine_limits *queried);

/* What a context takes away from its devices; NULL or zeros: nothing. */
typedef struct trine_mask {
    uint64_t features;      /* TRINE_FEATURE_BIT()s */
    uint32_t compute_units; /* 0, or at most so many: tiles are chosen for a smaller device */
} trine_mask;

/*
 * Fills `usable`, `compiled` and `compiled_exact`: has AND compiled AND not masked, and lowers what
 * the mask bounds. `targets` is a list as modules report it ("sm_80 sm_90a compute_120",
 * "gfx942 gfx1100"); "cpu" needs none.
 */
trine_status trine_capabilities_finalize(trine_caps *caps, const char *targets,
                                         const trine_mask *mask);

/* The mask of "bulk_copy,mfma,compute_units=8"; an unknown word is refused by name. */
trine_status trine_capabilities_mask_parse(const char *text, trine_mask *mask);

/*
 * Record of a known device as this build would use it: find, then finalize with the targets this
 * build was configured for. Unknown names are refused with the list of known ones.
 */
trine_status trine_capabilities_named(const char *name, const trine_mask *mask, trine_caps *caps);

#endif
