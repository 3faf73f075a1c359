// SPDX-License-Identifier: Apache-2.0
/* Ceilings of the CPU figures. */
#include "bench/cpu_ceiling.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#endif

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* This thread's share of a buffer. */
static void share(size_t size, size_t *begin, size_t *end)
{
#ifdef _OPENMP
    size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
#else
    size_t thread = 0, threads = 1;
#endif
    *begin = size * thread / threads / 64 * 64;
    *end = thread + 1 == threads ? size : size * (thread + 1) / threads / 64 * 64;
}

bool bench_copy_create(bench_copy *copy, double bytes)
{
    copy->size = ((size_t)(bytes / 2.0) + 255) / 256 * 256;
    copy->from = aligned_alloc(256, copy->size);
    copy->to = aligned_alloc(256, copy->size);
    if (!copy->from || !copy->to) {
        bench_copy_destroy(copy);
        return false;
    }
#pragma omp parallel
    {
        size_t begin, end;
        share(copy->size, &begin, &end);
        memset(copy->from + begin, 1, end - begin);
        memset(copy->to + begin, 2, end - begin);
    }
    return true;
}

void bench_copy_run(const bench_copy *copy)
{
#pragma omp parallel
    {
        size_t begin, end;
        share(copy->size, &begin, &end);
        memcpy(copy->to + begin, copy->from + begin, end - begin);
    }
}

void bench_copy_destroy(bench_copy *copy)
{
    free(copy->from);
    free(copy->to);
    copy->from = copy->to = NULL;
}

/* A function of the library; ISO C has no cast from object to function pointers. */
static bool find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

bool bench_dgemm_create(bench_dgemm *blas, const char *library, const char **why)
{
    size_t count = (size_t)BENCH_DGEMM_SIZE * BENCH_DGEMM_SIZE;
    memset(blas, 0, sizeof *blas);
    blas->library = dlopen(library ? library : "libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!blas->library) {
        *why = "OpenBLAS is not there (Debian: libopenblas0-pthread)";
        return false;
    }
    if (!find(blas->library, "cblas_dgemm", &blas->dgemm) ||
        !find(blas->library, "openblas_set_num_threads", &blas->set_threads)) {
        *why = "the library has no cblas_dgemm or no openblas_set_num_threads";
        bench_dgemm_destroy(blas);
        return false;
    }
    blas->a = malloc(count * sizeof *blas->a);
    blas->b = malloc(count * sizeof *blas->b);
    blas->c = calloc(count, sizeof *blas->c);
    if (!blas->a || !blas->b || !blas->c) {
        *why = "out of memory";
        bench_dgemm_destroy(blas);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        blas->a[i] = (double)(i % 17) - 8.0;
        blas->b[i] = (double)(i % 13) - 6.0;
    }
    return true;
}

void bench_dgemm_run(const bench_dgemm *blas, int threads)
{
    enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111, TRANSPOSE = 112 };
    int n = BENCH_DGEMM_SIZE;
    blas->set_threads(threads);
    blas->dgemm(ROW_MAJOR, NO_TRANSPOSE, TRANSPOSE, n, n, n, 1.0, blas->a, n, blas->b, n, 0.0,
                blas->c, n);
}

void bench_dgemm_destroy(bench_dgemm *blas)
{
    free(blas->a);
    free(blas->b);
    free(blas->c);
    if (blas->library) dlclose(blas->library);
    memset(blas, 0, sizeof *blas);
}
