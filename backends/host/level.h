// SPDX-License-Identifier: Apache-2.0
/*
 * Vector levels of the fast rows. Each kernel is one source compiled once per level; all levels
 * give the same bits, so the choice is a matter of speed alone.
 */
#ifndef TRINE_BACKENDS_HOST_LEVEL_H
#define TRINE_BACKENDS_HOST_LEVEL_H

typedef enum trine_host_level {
    TRINE_HOST_BASELINE = 0, /* what the compiler assumes by default */
    TRINE_HOST_AVX2 = 1,     /* AVX2, FMA, F16C */
    TRINE_HOST_AVX512 = 2,   /* AVX-512 F, BW, DQ, VL */
    TRINE_HOST_LEVEL_COUNT = 3
} trine_host_level;

/* The level in use: the best one that this machine runs and this build has, unless the environment
 * variable TRINE_HOST_LEVEL, read at the first call, names a lower one. */
trine_host_level trine_host_get_level(void);

/* Lowers the level, for tests and the bench; a level that this machine or build lacks becomes the
 * next lower one that it has. Returns the level set. Not for use while ops run. */
trine_host_level trine_host_set_level(trine_host_level level);

/* "baseline", "avx2", "avx512". */
const char *trine_host_level_name(trine_host_level level);

/* What the processor runs; only where x86 levels are built (level_x86.c). */
trine_host_level trine_host_x86_level(void);

#endif
