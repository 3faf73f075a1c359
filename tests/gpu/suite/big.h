// SPDX-License-Identifier: Apache-2.0
/*
 * Calls too large for the reference. A small call of the same op is made first, with R rows where
 * the large one has very many; the large tensors repeat the small ones' rows, so every row of a
 * large output must be the row of the small output that it repeats. R divides no power of two and
 * no tile: an offset that wraps lands on another row.
 */
#ifndef TRINE_TESTS_GPU_BIG_H
#define TRINE_TESTS_GPU_BIG_H

#include "tests/gpu/suite/suite.h"

/* One large call, in words. `letter` is the size that grows: the outermost one of each tensor that
 * has it. */
typedef struct big_spec {
    const char *what;
    const char *op, *letter;
    int64_t small, large;
    const char *shape, *dtype, *with; /* the other letters; as trine_request has them */
    const char *params;               /* "name=value name=value" */
    bool exact_data; /* bounded ops: data whose sums have the same bits in any order */
    bool experts;    /* the letter counts experts: tokens go to the first, middle and last ones */
} big_spec;

/* Every row that takes it, each output compared. `divide`: sizes are divided by so much, to try the
 * part itself on a small device. `until`: from that time on only windows are compared. */
void big_run(suite *s, const big_spec *spec, int64_t divide, double until);

/* A device buffer of `size` bytes that repeats `block`, and 0xff for TAIL bytes behind. */
enum { BIG_TAIL = 4096 };
trine_status big_fill(suite *s, void *stream, void *memory, size_t size, const void *block,
                      size_t block_size);
double big_now(void);

/* moe_align_block_size over millions of slots. */
void big_align(suite *s, int64_t divide);

#endif
