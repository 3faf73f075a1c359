// SPDX-License-Identifier: Apache-2.0
/*
 * What GPU kernels do, imitated: how they sum products, where they round. With `exact` sums they
 * are instead a second, independent statement of the ops, in long double.
 */
#ifndef TRINE_TESTS_REFERENCE_BOUNDED_KERNELS_H
#define TRINE_TESTS_REFERENCE_BOUNDED_KERNELS_H

#include "support.h"

typedef enum kernel_sum {
    SUM_EXACT,     /* long double, every later operation too */
    SUM_SHUFFLED,  /* f32 fma in random order */
    SUM_TRUNCATED, /* f32, four products at a time, partial sums truncated: a matrix unit */
    SUM_INT,       /* exact inside a block, f32 from there */
    SUM_HOPPER     /* fp8: 32 products and the running sum aligned, 14 bits kept */
} kernel_sum;

typedef struct kernel {
    kernel_sum sum;
    trine_combine_class combine;
    int64_t dropped_block;  /* k-block left out of GEMM 2, or of scaled_mm; -1: none */
    int64_t dropped_expert; /* -1: none */
    rng random;
    double *a2, *a2_scale; /* if not NULL: filled with what the kernel stores between its GEMMs */
} kernel;

/* The sum of count products, as the kernel forms it inside a block. */
long double kernel_dot(kernel *k, const double *a, const double *b, int64_t count);
/* A later operation's result: rounded to f32 unless sums are exact. */
long double kernel_step(const kernel *k, long double value);

/* out, row-major, rounded to its dtype. */
void kernel_scaled_mm(kernel *k, const trine_scaled_mm_problem *p, double *out);
void kernel_fused_moe(kernel *k, const trine_fused_moe_problem *p, double *out);

#endif
