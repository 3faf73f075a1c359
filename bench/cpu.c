// SPDX-License-Identifier: Apache-2.0
/*
 * Speed of the fast CPU rows as fractions of what this machine can do: ops that move memory
 * against a copy by the same threads, products of matrices against OpenBLAS's dgemm, two threads
 * against one. Op and ceiling take turns; the best of the rounds counts for both. What could not be
 * measured is said so, never guessed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "backends/host/level.h"
#include "bench/cpu_cases.h"
#include "bench/cpu_ceiling.h"

typedef struct settings {
    int rounds, threads;
    bool json;
    const char *blas, *only, *level;
} settings;

/* One printed line. */
typedef struct figure {
    const char *name, *shape, *level, *against;
    int threads;
    double rate; /* GB/s or GFLOP/s */
    const char *unit;
    double ceiling; /* of the same unit */
    double ratio, goal;
    char why[160]; /* not measured, because */
} figure;

typedef struct session {
    settings s;
    trine_context *context;
    bench_dgemm blas;
    const char *no_blas;
    void *workspace;
    size_t workspace_size;
    long printed, met, below, unmeasured;
} session;

static void set_threads(int threads)
{
#ifdef _OPENMP
    omp_set_num_threads(threads);
#else
    (void)threads;
#endif
}

static int processors(void)
{
#ifdef _OPENMP
    return omp_get_num_procs();
#else
    return 1;
#endif
}

static void print(session *x, const figure *f)
{
    bool measured = f->why[0] == '\0';
    const char *verdict = !measured ? "not measured" : f->ratio >= f->goal ? "ok" : "below";
    if (!measured)
        x->unmeasured++;
    else if (f->goal > 0.0 && f->ratio < f->goal)
        x->below++;
    else
        x->met++;
    if (x->s.json) {
        printf("%s\n  {\"op\": \"%s\", \"shape\": \"%s\", \"level\": \"%s\", \"threads\": %d, "
               "\"against\": \"%s\", ",
               x->printed++ ? "," : "", f->name, f->shape, f->level, f->threads, f->against);
        if (measured)
            printf("\"rate\": %.4g, \"ceiling\": %.4g, \"unit\": \"%s\", \"ratio\": %.4g, "
                   "\"goal\": %.4g, \"verdict\": \"%s\"}",
                   f->rate, f->ceiling, f->unit, f->ratio, f->goal, verdict);
        else
            printf("\"verdict\": \"%s\", \"why\": \"%s\"}", verdict, f->why);
        return;
    }
    printf("%-22s %-38s %-8s %d threads  ", f->name, f->shape, f->level, f->threads);
    if (!measured)
        printf("not measured: %s\n", f->why);
    else
        printf("%7.1f %s of %7.1f (%s)  ratio %.2f, goal %.2f: %s\n", f->rate, f->unit, f->ceiling,
               f->against, f->ratio, f->goal, verdict);
    fflush(stdout);
}

static bool fail(figure *f, const char *what)
{
    snprintf(f->why, sizeof f->why, "%s", what);
    return false;
}

/* Runs the call once; the time in *best if it is shorter. */
static bool run_once(session *x, const bench_case *c, double *best, figure *f)
{
    trine_exec exec = TRINE_EXEC_INIT;
    exec.workspace = x->workspace;
    exec.workspace_size = x->workspace_size;
    double begin = bench_now();
    trine_status status = trine_op_run(x->context, &exec, c->op, &c->args);
    double time = bench_now() - begin;
    if (status) return fail(f, trine_last_error());
    if (time < *best) *best = time;
    return true;
}

static bool reserve_workspace(session *x, const bench_case *c, figure *f)
{
    size_t size = 0;
    if (trine_op_workspace_size(x->context, c->op, &c->args, &size))
        return fail(f, trine_last_error());
    if (size <= x->workspace_size) return true;
    free(x->workspace);
    x->workspace_size = 0;
    x->workspace =
        aligned_alloc(TRINE_WORKSPACE_ALIGNMENT,
                      (size + 255) / TRINE_WORKSPACE_ALIGNMENT * TRINE_WORKSPACE_ALIGNMENT);
    if (!x->workspace) return fail(f, "out of memory");
    memset(x->workspace, 0, size);
    x->workspace_size = size;
    return true;
}

/* The row must be a fast one: a reference's speed would be no figure at all. */
static bool runs_fast_row(session *x, const bench_case *c, figure *f)
{
    trine_explanation rows[16];
    size_t count = 0;
    trine_exec exec = TRINE_EXEC_INIT;
    exec.workspace = x->workspace;
    exec.workspace_size = x->workspace_size;
    if (trine_op_explain(x->context, &exec, c->op, &c->args, NULL, rows, 16, &count))
        return fail(f, trine_last_error());
    for (size_t i = 0; i < count && i < 16; i++)
        if (rows[i].runs && rows[i].backend == TRINE_BACKEND_HOST &&
            strcmp(rows[i].row, "reference"))
            return true;
    return fail(f, "no fast row takes the call");
}

static bool prepare(session *x, bool (*make)(bench_case *), bench_case *c, trine_cost *cost,
                    figure *f)
{
    if (!make(c)) return fail(f, "out of memory");
    if (!reserve_workspace(x, c, f) || !runs_fast_row(x, c, f)) return false;
    if (trine_op_cost(x->context, c->op, &c->args, cost)) return fail(f, trine_last_error());
    return true;
}

static bool wanted(const session *x, const char *name)
{
    return !x->s.only || !strcmp(x->s.only, name);
}

/* Bytes moved against a copy. */
static bool measure_memory(session *x, bool (*make)(bench_case *), bench_case *c, figure *f)
{
    trine_cost cost = {0.0, 0.0};
    bench_copy copy = {NULL, NULL, 0};
    double best = 1e30, best_copy = 1e30;
    bool ok = prepare(x, make, c, &cost, f);
    f->name = c->name;
    f->shape = c->shape;
    if (ok && !bench_copy_create(&copy, cost.bytes)) ok = fail(f, "out of memory");
    set_threads(x->s.threads);
    for (int i = 0; ok && i <= x->s.rounds; i++) {
        double begin = bench_now();
        bench_copy_run(&copy);
        double time = bench_now() - begin;
        if (i == 0) best_copy = best = 1e30; /* the first round only warms up */
        ok = run_once(x, c, &best, f);
        if (i == 0)
            best = 1e30;
        else if (time < best_copy)
            best_copy = time;
    }
    if (ok) {
        f->rate = cost.bytes / best * 1e-9;
        f->ceiling = 2.0 * (double)copy.size / best_copy * 1e-9;
        f->ratio = f->rate / f->ceiling;
    }
    bench_copy_destroy(&copy);
    bench_case_free(c);
    return ok;
}

static void memory_figure(session *x, bool (*make)(bench_case *), trine_host_level level,
                          double goal)
{
    bench_case c = {0};
    figure f = {.level = trine_host_level_name(level),
                .against = "copy",
                .unit = "GB/s",
                .threads = x->s.threads,
                .goal = goal};
    trine_host_set_level(level);
    measure_memory(x, make, &c, &f);
    print(x, &f);
}

/* Rates of the call with `threads` and with one thread, and of dgemm in between. */
static void matrix_figures(session *x, bool (*make)(bench_case *), trine_host_level level)
{
    bench_case c = {0};
    trine_cost cost = {0.0, 0.0};
    figure f = {.level = trine_host_level_name(level),
                .against = "dgemm",
                .unit = "GFLOP/s",
                .threads = x->s.threads,
                .goal = 0.30};
    figure g = f;
    double best = 1e30, best_one = 1e30, best_blas = 1e30;
    trine_host_set_level(level);
    bool ok = prepare(x, make, &c, &cost, &f);
    for (int i = 0; ok && i <= x->s.rounds; i++) {
        set_threads(x->s.threads);
        ok = run_once(x, &c, &best, &f);
        set_threads(1);
        ok = ok && run_once(x, &c, &best_one, &f);
        double begin = bench_now();
        if (!x->no_blas) bench_dgemm_run(&x->blas, x->s.threads);
        double time = bench_now() - begin;
        if (i > 0 && time < best_blas) best_blas = time;
        if (i == 0) best = best_one = 1e30;
    }
    set_threads(x->s.threads);
    f.name = g.name = c.name;
    f.shape = g.shape = c.shape;
    g.against = "one thread";
    g.goal = 0.9 * x->s.threads;
    memcpy(g.why, f.why, sizeof g.why);
    double n = BENCH_DGEMM_SIZE;
    if (ok) {
        f.rate = g.rate = cost.flops / best * 1e-9;
        f.ceiling = 2.0 * n * n * n / best_blas * 1e-9;
        f.ratio = f.rate / f.ceiling;
        g.ceiling = cost.flops / best_one * 1e-9;
        g.ratio = g.rate / g.ceiling;
        if (x->no_blas) fail(&f, x->no_blas);
        if (x->s.threads < 2 || processors() < x->s.threads) fail(&g, "needs two processors");
    }
    print(x, &f);
    print(x, &g);
    bench_case_free(&c);
}

/* The ops whose goal depends on the level. */
static void measure_quantizers(session *x, trine_host_level level)
{
    double goal = level == TRINE_HOST_AVX512 ? 0.30 : level == TRINE_HOST_AVX2 ? 0.20 : 0.0;
    if (wanted(x, "per_token_group_quant")) memory_figure(x, bench_group_quant, level, goal);
    if (wanted(x, "act_and_mul")) memory_figure(x, bench_act_and_mul, level, goal);
}

static void measure_level(session *x, trine_host_level level)
{
    if (wanted(x, "rotary_embedding")) {
        memory_figure(x, bench_rotary, level, 0.60);
        memory_figure(x, bench_rotary_in_place, level, 0.60);
    }
    if (wanted(x, "moe_sum")) memory_figure(x, bench_moe_sum, level, 0.60);
    measure_quantizers(x, level);
    if (wanted(x, "scaled_mm")) matrix_figures(x, bench_scaled_mm, level);
    if (wanted(x, "fused_moe")) {
        matrix_figures(x, bench_moe_fp8_block, level);
        matrix_figures(x, bench_moe_bf16, level);
    }
}

static const char help[] =
    "Usage: trine-bench-cpu [OPTIONS]\n\n"
    "Measures the fast CPU rows: rotary, group quantization, activation and top-k sum against a\n"
    "copy by the same threads (bytes read + written), matrix products against OpenBLAS's dgemm at\n"
    "1024^3 and against one thread. Op and ceiling take turns; the best of the rounds counts.\n\n"
    "  --rounds N     rounds (7)\n"
    "  --threads N    threads (2)\n"
    "  --level L      baseline, avx2, avx512 or all: the best that this machine has, and\n"
    "                 the ops with a goal of their own for avx2 (all)\n"
    "  --op NAME      this op alone\n"
    "  --blas FILE    OpenBLAS (libopenblas.so.0)\n"
    "  --json         write JSON\n"
    "  --help         this text\n\n"
    "Exit status: 0 every goal was reached; 1 one was missed, or a figure could not be measured;\n"
    "2 wrong usage.\n";

static bool number(const char *text, int *value)
{
    char *end;
    long n = strtol(text, &end, 10);
    *value = (int)n;
    return *text && !*end && n >= 1 && n <= 1024;
}

/* Exit status, or -1 to go on. */
static int parse(int argc, char **argv, settings *s)
{
    for (int i = 1; i < argc; i++) {
        const char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(option, "--help")) {
            fputs(help, stdout);
            return 0;
        }
        if (!strcmp(option, "--json")) {
            s->json = true;
            continue;
        }
        bool known = true, good = value != NULL;
        if (!strcmp(option, "--rounds"))
            good = good && number(value, &s->rounds);
        else if (!strcmp(option, "--threads"))
            good = good && number(value, &s->threads);
        else if (!strcmp(option, "--level"))
            s->level = value;
        else if (!strcmp(option, "--op"))
            s->only = value;
        else if (!strcmp(option, "--blas"))
            s->blas = value;
        else
            known = false;
        if (!known || !good) {
            fprintf(stderr, known ? "%s needs a value (numbers: 1 to 1024)\n" : "no option %s\n",
                    option);
            return 2;
        }
        i++;
    }
    return -1;
}

/* Levels to measure: the named one, or the best and those that have goals of their own. */
static int measure(session *x)
{
    trine_host_level best = trine_host_set_level(TRINE_HOST_AVX512);
    if (!x->s.level || !strcmp(x->s.level, "all")) {
        measure_level(x, best);
        if (best > TRINE_HOST_AVX2) measure_quantizers(x, TRINE_HOST_AVX2);
        return 0;
    }
    for (int level = 0; level < TRINE_HOST_LEVEL_COUNT; level++) {
        if (strcmp(x->s.level, trine_host_level_name((trine_host_level)level))) continue;
        if (level > (int)best) {
            fprintf(stderr, "this machine or build has no %s\n", x->s.level);
            return 1;
        }
        measure_level(x, (trine_host_level)level);
        return 0;
    }
    fprintf(stderr, "no level %s\n", x->s.level);
    return 2;
}

int main(int argc, char **argv)
{
    session x = {.s = {.rounds = 7, .threads = 2}};
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    int status = parse(argc, argv, &x.s);
    if (status >= 0) return status;
    if (x.s.only && trine_op_from_name(x.s.only) < 0) {
        fprintf(stderr, "no op is named %s\n", x.s.only);
        return 2;
    }
    params.no_modules = true;
    params.ignore_environment = true;
    if (trine_context_create(&params, &x.context)) {
        fprintf(stderr, "%s\n", trine_last_error());
        return 1;
    }
    if (!bench_dgemm_create(&x.blas, x.s.blas, &x.no_blas)) x.blas.library = NULL;
    if (x.s.json) printf("[");
    status = measure(&x);
    if (x.s.json)
        printf("\n]\n");
    else
        printf("%ld reached, %ld below, %ld not measured\n", x.met, x.below, x.unmeasured);
    bench_dgemm_destroy(&x.blas);
    free(x.workspace);
    trine_context_destroy(&x.context);
    return status ? status : x.below || x.unmeasured || !x.met ? 1 : 0;
}
