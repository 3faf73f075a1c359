// SPDX-License-Identifier: Apache-2.0
/* trine bench on a GPU: graphs of calls over rotating buffers, beside copies of as many bytes. */
#include "tools/bench.h"

#include "bench/buffers.h"
#include "check/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SETS      64
#define MOST_COLD_SETS 4096 /* for small calls that are compared with a copy from memory */
#define MOST_SECONDS   1.0  /* for the replays of one call */

/* ---------------------------------------------------------------- one row of one call */

/* What is timed in turns: the op, its copy, an empty kernel, another shape. */
typedef struct contest {
    bench_buffers buffers, versus_buffers;
    bench_copies copies;
    bench_graph op, copy, empty, versus;
    bool has_versus;
} contest;

static void contest_destroy(contest *c, const bench_gpu *gpu)
{
    bench_graph_destroy(&c->op, gpu);
    bench_graph_destroy(&c->copy, gpu);
    bench_graph_destroy(&c->empty, gpu);
    bench_graph_destroy(&c->versus, gpu);
    bench_copies_destroy(&c->copies, gpu);
    bench_buffers_destroy(&c->buffers, gpu);
    bench_buffers_destroy(&c->versus_buffers, gpu);
}

/* The fastest plain kernel of the ceiling, for copies that nothing is judged by. */
static bench_copy_form plain_form(const bench_ceiling *ceiling)
{
    int best = 1;

    for (int i = 2; i < BENCH_COPY_FORMS; i++) {
        if (ceiling->rates[i] > ceiling->rates[best]) best = i;
    }
    return ceiling->forms[best];
}

static trine_status make_copy(gpu_bench *bench, contest *c, trine_bench_goal goal, double bytes)
{
    const bench_gpu *gpu = &bench->gpu;
    trine_status status = bench_copies_make(&c->copies, gpu, bytes, c->buffers.sets);

    if (status) return status;
    if (goal == TRINE_BENCH_OF_COPY || goal == TRINE_BENCH_TIMES_COPY)
        return bench_copies_choose(&c->copies, gpu, &c->copy);
    c->copies.form = plain_form(&bench->ceiling);
    return bench_graph_make(&c->copy, gpu, bench_enqueue_copy, &c->copies, c->copies.sets);
}

static trine_status compete(gpu_bench *bench, contest *c)
{
    bench_graph *const graphs[] = {&c->op, &c->copy, &c->empty, &c->versus};
    const size_t count = c->has_versus ? 4 : 3;
    double round = 0;
    trine_status status = bench_graphs_time(graphs, count, &bench->gpu, 1);

    if (status) return status;
    for (size_t i = 0; i < count; i++) {
        round += graphs[i]->seconds[0] * (double)graphs[i]->calls;
        graphs[i]->count = 0;
    }
    size_t replays = bench->replays;
    if ((double)replays * round > MOST_SECONDS) {
        replays = (size_t)(MOST_SECONDS / round);
        if (replays < 3) replays = 3;
    }
    return bench_graphs_time(graphs, count, &bench->gpu, replays);
}

static size_t sets_for(const trine_bench_target *entry, double bytes)
{
    if (entry->goal == TRINE_BENCH_ABOVE_EMPTY) return 1;
    return bench_sets(bytes, entry->goal == TRINE_BENCH_TIMES_COPY ? MOST_COLD_SETS : MOST_SETS);
}

static trine_status run_contest(gpu_bench *bench, contest *c, trine_context *context,
                                const trine_bench_target *entry, const trine_plan *plan,
                                const trine_plan *versus, const trine_cost *cost)
{
    const bench_gpu *gpu = &bench->gpu;
    trine_status status = trine_prepare(context, gpu->device, plan->op->op);

    c->has_versus = versus != NULL;
    if (!status)
        status = bench_buffers_make(&c->buffers, gpu, context, plan, sets_for(entry, cost->bytes));
    if (!status)
        status = bench_graph_make(&c->op, gpu, bench_enqueue_op, &c->buffers, c->buffers.sets);
    if (!status && versus)
        status = bench_buffers_make(&c->versus_buffers, gpu, context, versus, c->buffers.sets);
    if (!status && versus)
        status = bench_graph_make(&c->versus, gpu, bench_enqueue_op, &c->versus_buffers,
                                  c->versus_buffers.sets);
    if (!status) status = make_copy(bench, c, entry->goal, cost->bytes);
    if (!status) status = bench_graph_make(&c->empty, gpu, bench_enqueue_empty, NULL, 1);
    if (!status) status = compete(bench, c);
    return status;
}

/* ---------------------------------------------------------------- judging and reporting */

/* The number that a goal is about. */
static double judged(const gpu_bench *bench, const trine_bench_target *entry, const contest *c,
                     double bytes)
{
    const double op = bench_graph_median(&c->op), copy = bench_graph_median(&c->copy);

    switch (entry->goal) {
    case TRINE_BENCH_OF_CEILING:
        return bytes / op / bench->rate;
    case TRINE_BENCH_OF_COPY:
        return copy / op;
    case TRINE_BENCH_TIMES_COPY:
        return op / copy;
    case TRINE_BENCH_ABOVE_EMPTY:
        return 1e6 * (op - bench_graph_median(&c->empty));
    case TRINE_BENCH_TIMES_SHAPE:
        return op / bench_graph_median(&c->versus);
    default:
        return 0;
    }
}

static const char *const goal_texts[] = {
    [TRINE_BENCH_NO_GOAL] = "",
    [TRINE_BENCH_OF_CEILING] = "of the ceiling, at least",
    [TRINE_BENCH_OF_COPY] = "of the copy's speed, at least",
    [TRINE_BENCH_TIMES_COPY] = "times the copy, at most",
    [TRINE_BENCH_ABOVE_EMPTY] = "us above an empty kernel, at most",
    [TRINE_BENCH_TIMES_SHAPE] = "times the other shape, at most",
};

static bool at_least(trine_bench_goal goal)
{
    return goal == TRINE_BENCH_OF_CEILING || goal == TRINE_BENCH_OF_COPY;
}

static json_t *times_of(const bench_graph *g)
{
    return json_pack("{s:f, s:f, s:I, s:I, s:I}", "median", bench_graph_median(g), "least",
                     bench_graph_least(g), "replays", (json_int_t)g->count, "calls",
                     (json_int_t)g->calls, "nodes", (json_int_t)g->nodes);
}

static void report(gpu_bench *bench, const trine_bench_target *entry, const trine_plan *plan,
                   const trine_row *row, bool selected, const trine_cost *cost, const contest *c)
{
    const double op = bench_graph_median(&c->op), copy = bench_graph_median(&c->copy);
    const double floor = cost->bytes / bench->rate, value = judged(bench, entry, c, cost->bytes);
    const double kernels = (double)c->op.nodes / (double)c->op.calls;
    const bool has_goal = entry->goal && selected;
    const bool met = at_least(entry->goal) ? value >= entry->limit : value <= entry->limit;
    const char *verdict = !has_goal ? "" : bench->void_ceiling ? "void" : met ? "ok" : "MISSED";
    char call[1024];

    bench->measured++;
    if (has_goal) {
        if (bench->void_ceiling)
            bench->skipped++;
        else if (met)
            bench->met++;
        else
            bench->missed++;
    }
    if (!bench->arguments->json) {
        printf("  %-18s %-12s %9.2f %9.2f %9.2f %7.3f %9.2f %7.3f %7.2f %8.2f %5g %5zu",
               entry->call.name, row->name, 1e6 * op, 1e6 * bench_graph_least(&c->op), 1e6 * floor,
               floor / op, 1e6 * copy, op / copy, 1e6 * bench_graph_median(&c->empty),
               1e-12 * cost->flops / op, kernels, c->buffers.sets);
        if (c->has_versus) printf("  other shape %.2f us", 1e6 * bench_graph_median(&c->versus));
        if (has_goal)
            printf("  %-6s %.3f %s %g", verdict, value, goal_texts[entry->goal], entry->limit);
        putchar('\n');
        fflush(stdout);
    }
    trine_plan_print(plan, call, sizeof call);
    json_t *result = json_pack(
        "{s:s, s:s, s:s, s:s, s:b, s:I, s:f, s:f, s:f, s:f, s:f, s:o, s:o, s:o, s:[i,i]}", "op",
        plan->op->name, "shape", entry->call.name, "call", call, "row", row->name, "selected",
        selected, "sets", (json_int_t)c->buffers.sets, "bytes", cost->bytes, "flops", cost->flops,
        "floor_seconds", floor, "fraction_of_ceiling", floor / op, "times_copy", op / copy, "time",
        times_of(&c->op), "copy", times_of(&c->copy), "empty", times_of(&c->empty), "copy_form",
        (int)c->copies.form.threads, (int)c->copies.form.unroll);
    if (c->has_versus) json_object_set_new(result, "versus", times_of(&c->versus));
    if (has_goal)
        json_object_set_new(result, "goal",
                            json_pack("{s:s, s:f, s:f, s:s}", "what", goal_texts[entry->goal],
                                      "limit", entry->limit, "value", value, "verdict", verdict));
    json_array_append_new(bench->results, result);
}

static void fail(gpu_bench *bench, const trine_bench_target *entry, const trine_plan *plan,
                 const char *row)
{
    bench->failed++;
    complain("%s, %s%s%s: %s", plan->op->name, entry->call.name, row ? ", " : "", row ? row : "",
             trine_last_error());
}

static void bench_row(gpu_bench *bench, const trine_bench_target *entry, const trine_plan *plan,
                      const trine_plan *versus, const trine_row *row, bool selected)
{
    DLTensor storage[TRINE_MAX_TENSORS];
    trine_args args;
    trine_cost cost;
    trine_context *context = bench->target->context;
    contest *c = calloc(1, sizeof *c);
    trine_status status = TRINE_OK;

    if (!c) status = trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    if (!status && !selected)
        status = trine_target_force(bench->target, plan->op->op, row->name, &context);
    trine_plan_bind(plan, bench->gpu.device, storage, &args);
    if (!status) status = trine_op_cost(context, plan->op->op, &args, &cost);
    if (!status) status = run_contest(bench, c, context, entry, plan, versus, &cost);
    if (!status)
        report(bench, entry, plan, row, selected, &cost, c);
    else
        fail(bench, entry, plan, row->name);
    if (c) contest_destroy(c, &bench->gpu);
    free(c);
}

static void report_absent(gpu_bench *bench, const trine_bench_target *entry, const trine_plan *plan,
                          const char *reason)
{
    if (entry->goal) bench->skipped++;
    json_array_append_new(bench->results, json_pack("{s:s, s:s, s:s}", "op", plan->op->name,
                                                    "shape", entry->call.name, "absent", reason));
    if (!bench->arguments->json) printf("  %-18s absent: %s\n", entry->call.name, reason);
}

void gpu_bench_plan(gpu_bench *bench, const trine_bench_target *entry, const trine_plan *plan,
                    const trine_plan *versus)
{
    const char *wanted = option(bench->arguments, "row");
    const bool every = option(bench->arguments, "every-row") != NULL;
    const trine_row *rows[64];
    size_t count = 0, run = 0;
    int selected = -1;
    char reason[256];

    if (trine_accepting_rows(bench->target, plan, 0, rows, 64, &count, &selected, reason,
                             sizeof reason)) {
        fail(bench, entry, plan, NULL);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const bool chosen = (int)i == selected;
        if (wanted ? strcmp(wanted, rows[i]->name) != 0 : !every && !chosen) continue;
        bench_row(bench, entry, plan, versus, rows[i], chosen);
        run++;
    }
    if (!run) report_absent(bench, entry, plan, count ? "not by this row" : reason);
}

/* ---------------------------------------------------------------- the device */

static trine_status time_empty(gpu_bench *bench)
{
    bench_graph g, *const graphs[] = {&g};
    trine_status status = bench_graph_make(&g, &bench->gpu, bench_enqueue_empty, NULL, 1);

    if (status) return status;
    status = bench_graphs_time(graphs, 1, &bench->gpu, bench->replays);
    bench->empty_seconds = bench_graph_median(&g);
    bench_graph_destroy(&g, &bench->gpu);
    return status;
}

static void form_text(bench_copy_form form, char *text, size_t size)
{
    if (form.threads)
        snprintf(text, size, "%u threads, %u accesses each", form.threads, form.unroll);
    else
        snprintf(text, size, "the driver's copy");
}

static void print_ceiling(const gpu_bench *bench, double least)
{
    const bench_ceiling *c = &bench->ceiling;
    char text[64];

    form_text(c->forms[c->best], text, sizeof text);
    printf("ceiling %.3f TB/s (%s, %zu MiB buffers; the driver's copy %.3f); an empty kernel %.2f "
           "us\n",
           1e-12 * bench->rate, text, c->size >> 20, 1e-12 * c->rates[0],
           1e6 * bench->empty_seconds);
    if (bench->void_ceiling)
        printf("the ceiling is below %.2f TB/s: this machine is not what the goals are for, all "
               "are void\n",
               1e-12 * least);
    printf("us a call: median and least of the replays; floor: the bytes at the ceiling; copy: a "
           "plain "
           "kernel over as many bytes, in turns\n  %-18s %-12s %9s %9s %9s %7s %9s %7s %7s %8s %5s "
           "%5s\n",
           "shape", "row", "median", "least", "floor", "of ceil", "copy", "x copy", "empty",
           "Top/s", "nodes", "sets");
}

int gpu_bench_open(gpu_bench *bench, const arguments *arguments, trine_target *target,
                   size_t replays)
{
    const char *text = option(arguments, "least-ceiling");
    const double least = text ? 1e12 * strtod(text, NULL) : 0;
    long long mebibytes = 256;

    memset(bench, 0, sizeof *bench);
    if (!option_number(arguments, "ceiling-mib", 1, 1 << 16, &mebibytes)) return EXIT_USAGE;
    if (text && !(least > 0)) return complain("--least-ceiling %s: must be a rate in TB/s", text);
    bench->arguments = arguments;
    bench->target = target;
    bench->replays = replays;
    const trine_status status = bench_gpu_open(&bench->gpu, target->context, target->device);
    if (status) {
        complain("%s", trine_last_error());
        return status == TRINE_UNSUPPORTED ? EXIT_NOTHING : EXIT_BAD;
    }
    if (bench_ceiling_measure(&bench->ceiling, &bench->gpu, (size_t)mebibytes << 20) ||
        time_empty(bench)) {
        bench_gpu_close(&bench->gpu);
        return complain_of("ceiling", TRINE_BACKEND_ERROR);
    }
    bench->results = json_array();
    bench->rate = bench->ceiling.rates[bench->ceiling.best];
    bench->void_ceiling = bench->rate < least;
    if (!arguments->json) print_ceiling(bench, least);
    return EXIT_GOOD;
}

static json_t *ceiling_json(const bench_ceiling *c)
{
    json_t *all = json_array();

    for (int i = 0; i < BENCH_COPY_FORMS; i++)
        json_array_append_new(all, json_pack("{s:i, s:i, s:f}", "threads", (int)c->forms[i].threads,
                                             "unroll", (int)c->forms[i].unroll, "bytes_per_second",
                                             c->rates[i]));
    return all;
}

int gpu_bench_close(gpu_bench *bench)
{
    const char *path = option(bench->arguments, "output");
    json_t *json =
        json_pack("{s:s, s:s, s:f, s:b, s:f, s:o, s:{s:I, s:I, s:I}, s:O}", "device",
                  bench->target->name, "product", bench->target->info->caps.name,
                  "ceiling_bytes_per_second", bench->rate, "void_ceiling", bench->void_ceiling,
                  "empty_seconds", bench->empty_seconds, "copies", ceiling_json(&bench->ceiling),
                  "goals", "passed", (json_int_t)bench->met, "failed", (json_int_t)bench->missed,
                  "skipped", (json_int_t)bench->skipped, "results", bench->results);

    if (path && json_dump_file(json, path, JSON_INDENT(1) | JSON_REAL_PRECISION(9))) {
        complain("%s: can't be written", path);
        bench->failed++;
    }
    if (bench->arguments->json)
        print_json(json_incref(json));
    else if (bench->met + bench->missed + bench->skipped)
        printf("%ld passed, %ld failed, %ld skipped (goals)\n", bench->met, bench->missed,
               bench->skipped);
    json_decref(json);
    json_decref(bench->results);
    bench_gpu_close(&bench->gpu);
    return bench->failed || bench->missed || bench->void_ceiling || !bench->measured ? EXIT_BAD
                                                                                     : EXIT_GOOD;
}
