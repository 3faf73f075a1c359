// SPDX-License-Identifier: Apache-2.0
/*
 * What the op tables can't say and a generator must know: which sizes of a letter and which values
 * of a param are worth trying. Nothing here is needed for correctness: an illegal draw is refused
 * by validation and drawn again.
 */
#ifndef TRINE_CHECK_HINTS_H
#define TRINE_CHECK_HINTS_H

#include <stddef.h>
#include <stdint.h>

typedef struct trine_size_hint {
    int32_t op; /* -1: any */
    const char *letter;
    const char *unit;  /* NULL, or the int param that the size is a multiple of */
    const char *limit; /* NULL, or the letter that bounds it */
    int32_t divide;    /* the bound is limit / divide */
    int32_t sizes[16]; /* ascending, ends with 0 */
} trine_size_hint;

typedef struct trine_value_hint {
    int32_t op; /* -1: any */
    const char *param;
    double values[12];
    int32_t count;
} trine_value_hint;

/* Never NULL. */
const trine_size_hint *trine_size_hint_of(int32_t op, const char *letter);
/* NULL when the param has no hint. */
const trine_value_hint *trine_value_hint_of(int32_t op, const char *param);

#endif
