// SPDX-License-Identifier: Apache-2.0
/* trine bench: how fast each kernel is, as a fraction of what the machine can copy. */
#include "tools/bench.h"

#include "check/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static const option_spec options[] = {
    {"device", "D", "cpu, cuda:N or hip:N (cpu)"},
    {"set", "S", "which shapes: engines, or h200, which has goals (engines)"},
    {"shape", "L", "one shape instead of a set: M=8192,K=7168"},
    {"dtype", "L", "its dtypes: x=bf16"},
    {"row", "R", "this kernel alone"},
    {"reference", NULL, "time the reference as well"},
    {"every-row", NULL, "on a GPU: all kernels that take a call, not only the one that runs"},
    {"repeat", "N", "best of N (7); on a GPU the median of N replays (25)"},
    {"threads", "N", "OpenMP threads (all)"},
    {"no-check", NULL, "do not check a few cases of the op first"},
    {"least-ceiling", "R", "on a GPU: goals are void when copies stay below R TB/s"},
    {"ceiling-mib", "N", "on a GPU: MiB of the buffers that the ceiling is measured with (256)"},
    {"output", "FILE", "on a GPU: write the JSON there as well"},
    {NULL, NULL, NULL},
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---------------------------------------------------------------- the ceiling */

typedef struct copier {
    uint8_t *from, *to;
    size_t size; /* bytes of one buffer */
} copier;

/* Buffers that together hold the bytes a call moves, but no less than what no cache holds. */
static bool make_copier(copier *c, double bytes)
{
    const size_t least = (size_t)64 << 20;

    c->size = bytes / 2 > (double)least ? (size_t)(bytes / 2) : least;
    c->from = malloc(c->size);
    c->to = malloc(c->size);
    if (!c->from || !c->to) return false;
    memset(c->from, 1, c->size);
    memset(c->to, 2, c->size);
    return true;
}

/* Seconds of one copy by all threads. */
static double copy_once(copier *c)
{
    enum { PART = 1 << 18 };
    const int64_t parts = (int64_t)((c->size + PART - 1) / PART);
    const double begin = now();

#ifdef _OPENMP
#pragma omp parallel for schedule(static)
#endif
    for (int64_t i = 0; i < parts; i++) {
        const size_t at = (size_t)i * PART;
        memcpy(c->to + at, c->from + at, c->size - at < PART ? c->size - at : PART);
    }
    return now() - begin;
}

/* ---------------------------------------------------------------- one kernel */

typedef struct timing {
    double seconds, copy_seconds;
    size_t copy_bytes;
} timing;

/* Seconds of one call: several when one is short. */
static trine_status time_once(trine_context *context, const trine_call *call, int calls,
                              double *seconds)
{
    const trine_exec exec = trine_call_exec(call, 0);
    const double begin = now();
    trine_status status = TRINE_OK;

    for (int i = 0; i < calls && !status; i++)
        status = trine_op_run(context, &exec, call->plan->op->op, &call->args);
    if (!status) status = trine_device_synchronize(context, call->device);
    *seconds = (now() - begin) / calls;
    return status;
}

/* Best of `repeat`, a copy between every two, so that both see the same machine. */
static trine_status measure(trine_context *context, trine_call *call, double bytes, int repeat,
                            timing *result)
{
    copier c = {NULL, NULL, 0};
    double seconds;
    trine_status status = trine_call_upload(call, 0);

    if (!status && !make_copier(&c, bytes))
        status = trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    if (!status) status = time_once(context, call, 1, &seconds);
    const int calls = status || seconds > 0.005 ? 1 : (int)(0.005 / (seconds + 1e-9)) + 1;
    *result = (timing){1e300, 1e300, 2 * c.size};
    for (int i = 0; i < repeat && !status; i++) {
        const double copy = copy_once(&c);
        status = time_once(context, call, calls < 10000 ? calls : 10000, &seconds);
        if (copy < result->copy_seconds) result->copy_seconds = copy;
        if (seconds < result->seconds) result->seconds = seconds;
    }
    free(c.from);
    free(c.to);
    return status;
}

typedef struct session {
    const arguments *arguments;
    trine_target *target;
    int repeat, threads; /* threads 0: all */
    json_t *results;
    long measured, failed;
    gpu_bench *gpu; /* NULL on the CPU */
} session;

static void report(session *session, const char *name, const trine_row *row, const char *call,
                   const trine_cost *cost, const timing *t)
{
    const double rate = cost->bytes / t->seconds;
    const double ceiling = (double)t->copy_bytes / t->copy_seconds;
    const bool host = session->target->device.device_type == kDLCPU;

    session->measured++;
    if (session->arguments->json) {
        json_array_append_new(
            session->results,
            json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f}", "shape", name, "call", call,
                      "row", row->name, "backend", trine_backend_name(row->backend), "seconds",
                      t->seconds, "bytes_per_second", rate, "flops_per_second",
                      cost->flops / t->seconds, "copy_bytes_per_second", host ? ceiling : 0,
                      "fraction_of_copy", host ? rate / ceiling : 0));
        return;
    }
    printf("  %-12s %-12s %10.1f us  %7.2f GB/s  %8.2f Gop/s", name, row->name, 1e6 * t->seconds,
           1e-9 * rate, 1e-9 * cost->flops / t->seconds);
    if (host) printf("  %.3f of copy (%.2f GB/s)", rate / ceiling, 1e-9 * ceiling);
    putchar('\n');
}

static trine_status bench_row(session *session, const char *name, const trine_plan *plan,
                              const trine_data *data, const trine_row *row, const trine_cost *cost)
{
    trine_context *context;
    trine_call call;
    timing t;
    char text[1024];
    trine_status status = trine_target_force(session->target, plan->op->op, row->name, &context);

    if (!status) status = trine_call_create(&call, plan, data, context, session->target->device);
    if (status) return status;
    status = trine_prepare(context, session->target->device, plan->op->op);
    if (!status) status = measure(context, &call, cost->bytes, session->repeat, &t);
    trine_call_destroy(&call);
    trine_plan_print(plan, text, sizeof text);
    if (!status) report(session, name, row, text, cost, &t);
    return status;
}

static trine_status bench_plan(session *session, const char *name, const trine_plan *plan)
{
    const char *wanted = option(session->arguments, "row");
    const bool reference = option(session->arguments, "reference") != NULL;
    const trine_row *rows[64];
    DLTensor storage[TRINE_MAX_TENSORS];
    trine_args args;
    trine_cost cost;
    trine_data data;
    size_t count = 0;
    int selected;
    char reason[256];
    trine_status status = trine_accepting_rows(session->target, plan, 0, rows, 64, &count,
                                               &selected, reason, sizeof reason);

    if (status) return status;
    if (count == 0) return trine_fail(TRINE_UNSUPPORTED, "%s", reason);
    trine_plan_bind(plan, session->target->device, storage, &args);
    status = trine_op_cost(session->target->context, plan->op->op, &args, &cost);
    if (status) return status;
    status = trine_generate(plan, TRINE_PATTERN_NORMAL, 1, &data);
    for (size_t i = 0; i < count && !status; i++) {
        const bool oracle = rows[i]->flags & TRINE_ROW_REFERENCE;
        if (wanted ? strcmp(wanted, rows[i]->name) != 0 : oracle && !reference && count > 1)
            continue;
        status = bench_row(session, name, plan, &data, rows[i], &cost);
    }
    trine_data_destroy(&data);
    return status;
}

/* ---------------------------------------------------------------- shapes */

/* "name=value,..." into a request; `text` is cut up. */
static void split_params(char *text, trine_request *request)
{
    for (char *at = text; *at && request->param_count < 2 * TRINE_MAX_PARAMS;) {
        char *equals = strchr(at, '='), *end = at + strcspn(at, ",");
        const bool last = *end == 0;
        if (!equals || equals > end) return;
        *equals = *end = 0;
        request->names[request->param_count] = at;
        request->values[request->param_count++] = equals + 1;
        if (last) return;
        at = end + 1;
    }
}

/* Tables [B,T,H,r] whose memory is [B,H,T,r]. */
static void lay_tables_by_head(trine_plan *plan)
{
    const trine_layout *x = &plan->layout[trine_plan_tensor(plan->op, "x")];

    for (int i = 0; i < plan->op->tensor_count; i++) {
        trine_layout *table = &plan->layout[i];
        if (strcmp(plan->op->tensors[i].name, "cos") && strcmp(plan->op->tensors[i].name, "sin"))
            continue;
        const int64_t tokens = x->shape[1], heads = x->shape[2],
                      pairs = table->shape[table->rank - 1];
        table->rank = 4;
        table->shape[0] = x->shape[0], table->stride[0] = heads * tokens * pairs;
        table->shape[1] = tokens, table->stride[1] = pairs;
        table->shape[2] = heads, table->stride[2] = tokens * pairs;
        table->shape[3] = pairs, table->stride[3] = 1;
    }
}

/* The plan of a target's call at one shape, the command line's params included. */
static trine_status make_plan(session *session, const trine_bench_target *entry, const char *shape,
                              trine_plan *plan)
{
    const arguments *arguments = session->arguments;
    trine_request request = {
        .op = trine_op_describe(entry->call.op)->name, .shape = shape, .dtype = entry->call.dtype};
    char params[256];

    snprintf(params, sizeof params, "%s", entry->call.params);
    split_params(params, &request);
    for (size_t i = 0; i < arguments->param_count && request.param_count < 2 * TRINE_MAX_PARAMS;
         i++) {
        request.names[request.param_count] = arguments->params[i].name;
        request.values[request.param_count++] = arguments->params[i].value;
    }
    const trine_status status =
        trine_plan_from_request(plan, &request, session->target->info->caps.fp8,
                                session->target->context, session->target->device);
    if (!status && entry->tables_by_head) lay_tables_by_head(plan);
    return status;
}

static void bench_target(session *session, const trine_bench_target *entry)
{
    trine_plan plan, versus;
    trine_status status = make_plan(session, entry, entry->call.shape, &plan);

    if (!status && entry->versus) status = make_plan(session, entry, entry->versus, &versus);
    if (!status && session->gpu) {
        gpu_bench_plan(session->gpu, entry, &plan, entry->versus ? &versus : NULL);
        return;
    }
    if (!status) status = bench_plan(session, entry->call.name, &plan);
    if (!status) return;
    session->failed++;
    complain("%s, %s: %s", trine_op_describe(entry->call.op)->name, entry->call.name,
             trine_last_error());
}

/* A figure of a kernel that gives wrong results is worth nothing. */
static bool passes_check(session *session, int32_t op)
{
    trine_suite suite;

    if (option(session->arguments, "no-check")) return true;
    trine_suite_init(&suite, session->target, op);
    suite.case_limit = suite.case_minimum = 12;
    /* A GPU may have no kernel for an op yet, which each of its shapes then says. */
    const trine_status status = trine_suite_run(&suite, NULL);
    if (status || suite.failures || (!suite.passed && !session->gpu)) {
        complain("%s fails its check: no figures; see trine check %s --device %s",
                 trine_op_describe(op)->name, trine_op_describe(op)->name, session->target->name);
        session->failed++;
        return false;
    }
    return true;
}

static void bench_op(session *session, int32_t op, bool h200)
{
    const arguments *arguments = session->arguments;
    const char *shape = option(arguments, "shape"), *dtype = option(arguments, "dtype");
    const size_t count = h200 ? trine_bench_h200_count : trine_bench_shape_count;

    if (!passes_check(session, op)) return;
#ifdef _OPENMP
    if (session->threads) omp_set_num_threads(session->threads);
#endif
    if (!arguments->json) printf("%s\n", trine_op_describe(op)->name);
    if (shape) {
        const trine_bench_target given = {.call = {op, "given", shape, dtype, ""}};
        bench_target(session, &given);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        trine_bench_target entry = {.call =
                                        h200 ? trine_bench_h200[i].call : trine_bench_shapes[i]};
        if (h200) entry = trine_bench_h200[i];
        if (dtype) entry.call.dtype = dtype;
        if (entry.call.op == op) bench_target(session, &entry);
    }
}

static void bench_ops(session *session, bool h200)
{
    const arguments *arguments = session->arguments;

    for (int32_t op = 0; op < TRINE_OP_COUNT; op++) {
        bool chosen = arguments->positional_count == 0;
        for (size_t i = 0; i < arguments->positional_count; i++)
            chosen |= trine_op_from_name(arguments->positional[i]) == op;
        if (chosen) bench_op(session, op, h200);
    }
}

static int bench_on_cpu(session *session, bool h200)
{
    session->results = json_array();
    bench_ops(session, h200);
    if (session->arguments->json)
        print_json(
            json_pack("{s:s, s:O}", "device", session->target->name, "results", session->results));
    json_decref(session->results);
    return session->failed || !session->measured ? EXIT_BAD : EXIT_GOOD;
}

static int bench_on_gpu(session *session, bool h200)
{
    gpu_bench gpu;
    int code = gpu_bench_open(&gpu, session->arguments, session->target, (size_t)session->repeat);

    if (code) return code;
    session->gpu = &gpu;
    bench_ops(session, h200);
    gpu.failed += session->failed;
    return gpu_bench_close(&gpu);
}

static int run_bench(const arguments *arguments)
{
    trine_target target;
    session session = {.arguments = arguments, .target = &target};
    const char *set = option(arguments, "set");
    const bool h200 = set && strcmp(set, "h200") == 0;
    long long repeat = 0, threads = 0;

    if (!option_number(arguments, "repeat", 1, BENCH_MAX_REPLAYS, &repeat) ||
        !option_number(arguments, "threads", 1, 4096, &threads))
        return EXIT_USAGE;
    if (set && !h200 && strcmp(set, "engines") != 0)
        return complain("--set %s: must be engines or h200", set);
    for (size_t i = 0; i < arguments->positional_count; i++) {
        if (trine_op_from_name(arguments->positional[i]) < 0)
            return complain("no op is named \"%s\"", arguments->positional[i]);
    }
    if (option(arguments, "shape") && arguments->positional_count != 1)
        return complain("--shape goes with one op");
    int code = open_target(arguments, &target);
    if (code) return code;
    const bool gpu = trine_device_module(target.context, target.device) != NULL;
    session.repeat = repeat ? (int)repeat : gpu ? 25 : 7;
    session.threads = (int)threads;
    code = gpu ? bench_on_gpu(&session, h200) : bench_on_cpu(&session, h200);
    trine_target_close(&target);
    return code;
}

const command command_bench = {
    .name = "bench",
    .usage = "[OP...] [--device D] [--set S] [--shape M=8192,K=7168] [--PARAM VALUE...]",
    .doc =
        "Time the kernels of a device. A few cases of each op are checked first.\n\nOn the CPU "
        "each "
        "figure is also a fraction of a copy of as many bytes by the same threads, measured\nin "
        "between. On a GPU calls are replayed from a graph over rotating buffers that no cache "
        "holds, beside\ncopies of as many bytes; the set h200 says for each shape what it is held "
        "to.",
    .options = options,
    .params = true,
    .run = run_bench,
};
