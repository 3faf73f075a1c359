// SPDX-License-Identifier: Apache-2.0
/* What a CPU could do at best: a copy by all threads, and OpenBLAS's dgemm. */
#ifndef TRINE_BENCH_CPU_CEILING_H
#define TRINE_BENCH_CPU_CEILING_H

#include <stdbool.h>
#include <stddef.h>

double bench_now(void); /* seconds */

typedef struct bench_copy {
    char *from, *to;
    size_t size;
} bench_copy;

/* Copies `bytes` / 2, so that reads and writes make `bytes` together. */
bool bench_copy_create(bench_copy *copy, double bytes);
void bench_copy_run(const bench_copy *copy);
void bench_copy_destroy(bench_copy *copy);

#define BENCH_DGEMM_SIZE 1024

typedef struct bench_dgemm {
    void *library;
    void (*dgemm)(int order, int trans_a, int trans_b, int m, int n, int k, double alpha,
                  const double *a, int lda, const double *b, int ldb, double beta, double *c,
                  int ldc);
    void (*set_threads)(int threads);
    double *a, *b, *c;
} bench_dgemm;

/* `library` NULL: libopenblas.so.0. False, with *why set, when there is none. */
bool bench_dgemm_create(bench_dgemm *blas, const char *library, const char **why);
void bench_dgemm_run(const bench_dgemm *blas, int threads);
void bench_dgemm_destroy(bench_dgemm *blas);

#endif
