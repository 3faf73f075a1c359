// SPDX-License-Identifier: Apache-2.0
/* trine check: every kernel of a device against the reference. */
#include "tools/commands.h"

#include "check/self_test.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const option_spec options[] = {
    {"device", "D", "cpu, cuda:N, hip:N or simulated:NAME (cpu)"},
    {"seed", "N", "cases and data follow from it (1)"},
    {"cases", "N", "at most so many cases of each op (400; all pairs covered is enough)"},
    {"case", "N", "this case alone"},
    {"bytes", "N", "cases move at most so many bytes, and do twice as many operations (2000000)"},
    {"filter", "L", "only cases with these choices: x.dtype=bf16,size=odd"},
    {"row", "R", "this kernel alone"},
    {"first", NULL, "stop at the first failure"},
    {"coverage", NULL, "print each choice, and how many cases had it"},
    {"self-test", NULL, "run deliberately broken kernels: each must be caught"},
    {NULL, NULL, NULL},
};

typedef struct session {
    const arguments *arguments;
    json_t *failures;
    long shown;
    bool failed;
} session;

static void on_failure(void *cookie, const trine_failure *failure)
{
    session *session = cookie;

    session->failed = true;
    if (session->arguments->json) {
        json_array_append_new(
            session->failures,
            json_pack("{s:s, s:I, s:s, s:s, s:s, s:s}", "op", trine_op_describe(failure->op)->name,
                      "case", (json_int_t)failure->number, "row", failure->row, "call",
                      failure->call, "reason", failure->reason, "command", failure->command));
        return;
    }
    if (session->shown++ >= 60) return;
    printf("  FAILED %s, case %" PRId64 ": %s\n    %s\n    again: %s\n", failure->row,
           failure->number, failure->reason, failure->call, failure->command);
}

static bool has_failed(void *cookie)
{
    const session *session = cookie;
    return session->failed;
}

static void on_progress(void *cookie, int32_t op, long done)
{
    (void)cookie;
    fprintf(stderr, "\r%-24s case %ld ", trine_op_describe(op)->name, done);
}

static void print_coverage(const trine_cases *cases)
{
    char text[64];

    for (int f = 0; f < cases->factor_count; f++) {
        printf("    %-22s", cases->factors[f].name);
        for (int c = 0; c < cases->factors[f].count; c++) {
            trine_choice_name(cases, f, c, text, sizeof text);
            printf(" %s%s", trine_choice_covered(cases, f, c) ? "" : "!", text);
        }
        putchar('\n');
    }
    printf("    (! occurred in no legal case)\n");
}

static void print_suite(const session *session, const trine_suite *suite, const trine_cases *cases)
{
    const trine_coverage *coverage = &suite->coverage;
    char histogram[160], staged[256];

    printf("%s: %ld cases; pairs: %" PRId64 " covered, %" PRId64 " refused by validation, %" PRId64
           " open\n",
           trine_op_describe(suite->op)->name, suite->cases, coverage->covered, coverage->refused,
           coverage->open);
    for (size_t i = 0; i < suite->row_count; i++) {
        const trine_row_score *row = &suite->rows[i];
        trine_comparison_histogram(&row->comparison, histogram, sizeof histogram);
        printf("  %-5s %-20s %4ld passed, %ld failed, %ld empty; %" PRId64 " elements, steps %s",
               trine_backend_name(row->backend), row->name, row->passed, row->failed, row->empty,
               row->comparison.compared, histogram);
        if (row->comparison.used > 0) printf("; %.3f of a bound used", row->comparison.used);
        putchar('\n');
        trine_staged_print(&row->staged, staged, sizeof staged);
        if (staged[0]) printf("        %s\n", staged);
    }
    for (int i = 0; i < TRINE_SUITE_REASONS && suite->reasons[i].count; i++)
        printf("  skipped %ld: %s\n", suite->reasons[i].count, suite->reasons[i].text);
    if (option(session->arguments, "coverage")) print_coverage(cases);
}

static json_t *suite_json(const trine_suite *suite)
{
    json_t *rows = json_array(), *skipped = json_array(), *dtypes = json_array();
    char histogram[160];

    for (size_t i = 0; i < suite->row_count; i++) {
        const trine_row_score *row = &suite->rows[i];
        trine_comparison_histogram(&row->comparison, histogram, sizeof histogram);
        const trine_staged *staged = &row->staged;
        json_array_append_new(
            rows,
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:s, s:f, s:{s:I, s:I, s:I, s:I, s:I, s:I, "
                      "s:I, s:f}}",
                      "row", row->name, "backend", trine_backend_name(row->backend), "passed",
                      (json_int_t)row->passed, "failed", (json_int_t)row->failed, "empty",
                      (json_int_t)row->empty, "compared", (json_int_t)row->comparison.compared,
                      "ulp_steps", histogram, "bound_used",
                      row->comparison.used < 1e300 ? row->comparison.used : 1e300, "staged",
                      "calls", (json_int_t)staged->calls, "codes", (json_int_t)staged->codes,
                      "codes_moved", (json_int_t)staged->codes_moved, "codes_wrong",
                      (json_int_t)staged->codes_wrong, "scales", (json_int_t)staged->scales,
                      "scales_moved", (json_int_t)staged->scales_moved, "scales_wrong",
                      (json_int_t)staged->scales_wrong, "bound_used",
                      staged->out.used < 1e300 ? staged->out.used : 1e300));
    }
    for (size_t i = 0; i < suite->dtype_count; i++) {
        const trine_dtype_score *score = &suite->dtypes[i];
        trine_comparison_histogram(&score->comparison, histogram, sizeof histogram);
        json_array_append_new(
            dtypes,
            json_pack("{s:s, s:I, s:I, s:I, s:s, s:f}", "dtypes", score->name, "passed",
                      (json_int_t)score->passed, "failed", (json_int_t)score->failed, "compared",
                      (json_int_t)score->comparison.compared, "ulp_steps", histogram, "bound_used",
                      score->comparison.used < 1e300 ? score->comparison.used : 1e300));
    }
    for (int i = 0; i < TRINE_SUITE_REASONS && suite->reasons[i].count; i++)
        json_array_append_new(skipped, json_pack("{s:s, s:I}", "reason", suite->reasons[i].text,
                                                 "cases", (json_int_t)suite->reasons[i].count));
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:{s:I, s:I, s:I, s:I}}", "op",
                     trine_op_describe(suite->op)->name, "cases", (json_int_t)suite->cases, "rows",
                     rows, "dtypes", dtypes, "skipped", skipped, "pairs", "all",
                     (json_int_t)suite->coverage.pairs, "covered",
                     (json_int_t)suite->coverage.covered, "refused",
                     (json_int_t)suite->coverage.refused, "open", (json_int_t)suite->coverage.open);
}

static int set_options(const arguments *arguments, trine_suite *suite)
{
    const char *filter = option(arguments, "filter");
    long long seed = 1, cases = suite->case_limit, only = -1, bytes = (long long)TRINE_CASE_BYTES;

    if (!option_number(arguments, "seed", 0, INT64_MAX, &seed) ||
        !option_number(arguments, "cases", 1, 9999999, &cases) ||
        !option_number(arguments, "case", 0, 9999999, &only) ||
        !option_number(arguments, "bytes", 1000, 1000000000, &bytes))
        return EXIT_USAGE;
    suite->seed = (uint64_t)seed;
    suite->case_limit = (long)cases;
    suite->only = only;
    suite->max_bytes = (double)bytes;
    suite->row = option(arguments, "row");
    if (filter && trine_suite_filter(suite, filter)) return complain("%s", trine_last_error());
    return EXIT_GOOD;
}

static int check_ops(const arguments *arguments, trine_target *target)
{
    session session = {.arguments = arguments, .failures = json_array()};
    json_t *ops = json_array();
    long passed = 0, failed = 0, skipped = 0;
    int code = EXIT_GOOD;

    for (int32_t op = 0; op < TRINE_OP_COUNT && !code; op++) {
        bool chosen = arguments->positional_count == 0;
        trine_suite suite;
        trine_cases cases;
        for (size_t i = 0; i < arguments->positional_count; i++)
            chosen |= trine_op_from_name(arguments->positional[i]) == op;
        if (!chosen) continue;
        trine_suite_init(&suite, target, op);
        suite.failed = on_failure;
        suite.cookie = &session;
        if (option(arguments, "first")) suite.enough = has_failed;
        if (shows_progress()) suite.progress = on_progress;
        code = set_options(arguments, &suite);
        if (code) break;
        if (trine_suite_run(&suite, &cases)) {
            code = complain_of("check", TRINE_OUT_OF_MEMORY);
            break;
        }
        if (shows_progress()) fprintf(stderr, "\r%40s\r", "");
        if (arguments->json)
            json_array_append_new(ops, suite_json(&suite));
        else
            print_suite(&session, &suite, &cases);
        fflush(stdout);
        trine_cases_destroy(&cases);
        passed += suite.passed;
        failed += suite.failures;
        skipped += suite.skipped;
    }
    if (!code && arguments->json) {
        print_json(json_pack("{s:s, s:I, s:I, s:I, s:O, s:O}", "device", target->name, "passed",
                             (json_int_t)passed, "failed", (json_int_t)failed, "skipped",
                             (json_int_t)skipped, "ops", ops, "failures", session.failures));
    } else if (!code) {
        printf("%ld passed, %ld failed", passed, failed);
        if (skipped) printf(", %ld skipped", skipped);
        putchar('\n');
    }
    json_decref(ops);
    json_decref(session.failures);
    return code ? code : failed || !passed ? EXIT_BAD : EXIT_GOOD;
}

/* One op's mutants; false when the checker is not to be trusted with it. */
static bool test_op(const arguments *arguments, int32_t op, uint64_t seed, long cases, json_t *list,
                    size_t *caught, size_t *mutants)
{
    trine_self_test test;
    json_t *entries = json_array();

    if (trine_self_test_run(&test, op, seed, cases)) {
        complain("%s: %s", trine_op_describe(op)->name, trine_last_error());
        json_decref(entries);
        return false;
    }
    if (!arguments->json)
        printf("%s: caught %zu of %zu (%zu had no chance), control %s, %ld cases\n",
               trine_op_describe(op)->name, test.caught, test.mutants, test.idle,
               test.control ? "passed" : "FAILED", test.cases);
    for (size_t i = 0; i < test.set.count; i++) {
        const char *fate = test.failed[i]                     ? "caught"
                           : i == 0                           ? "passed"
                           : test.set.mutants[i].chances == 0 ? "no chance"
                                                              : "SURVIVED";
        if (arguments->json)
            json_array_append_new(entries,
                                  json_pack("{s:s, s:s, s:s}", "mutant", test.set.mutants[i].name,
                                            "fate", fate, "how", test.how[i]));
        else if (option(arguments, "coverage") || (i > 0 && fate[0] == 'S'))
            printf("  %-9s %-32s %s\n", fate, test.set.mutants[i].name, test.how[i]);
    }
    fflush(stdout);
    json_array_append_new(list,
                          json_pack("{s:s, s:i, s:i, s:b, s:O}", "op", trine_op_describe(op)->name,
                                    "caught", (int)test.caught, "mutants", (int)test.mutants,
                                    "control", test.control, "entries", entries));
    json_decref(entries);
    *caught += test.caught;
    *mutants += test.mutants;
    const bool good = test.control && test.survived == 0 && test.caught > 0;
    trine_self_test_destroy(&test);
    return good;
}

static int self_test(const arguments *arguments)
{
    json_t *list = json_array();
    size_t caught = 0, mutants = 0;
    long long seed = 1, cases = 250;
    bool good = true;

    if (!option_number(arguments, "seed", 0, INT64_MAX, &seed) ||
        !option_number(arguments, "cases", 1, 9999999, &cases)) {
        json_decref(list);
        return EXIT_USAGE;
    }
    for (int32_t op = 0; op < TRINE_OP_COUNT; op++) {
        bool chosen = arguments->positional_count == 0;
        for (size_t i = 0; i < arguments->positional_count; i++)
            chosen |= trine_op_from_name(arguments->positional[i]) == op;
        if (chosen)
            good &= test_op(arguments, op, (uint64_t)seed, (long)cases, list, &caught, &mutants);
    }
    if (arguments->json)
        print_json(json_pack("{s:i, s:i, s:O}", "caught", (int)caught, "mutants", (int)mutants,
                             "ops", list));
    else
        printf("%zu of %zu broken kernels caught\n%zu passed, %zu failed\n", caught, mutants,
               caught, mutants - caught);
    json_decref(list);
    return good && caught > 0 ? EXIT_GOOD : EXIT_BAD;
}

static int run_check(const arguments *arguments)
{
    trine_target target;

    for (size_t i = 0; i < arguments->positional_count; i++) {
        if (trine_op_from_name(arguments->positional[i]) < 0)
            return complain("no op is named \"%s\"", arguments->positional[i]);
    }
    if (option(arguments, "self-test")) return self_test(arguments);
    int code = open_target(arguments, &target);
    if (code) return code;
    if (!arguments->json)
        printf("device %s (%s), seed %s\n", target.name, target.info->caps.name,
               option(arguments, "seed") ? option(arguments, "seed") : "1");
    code = check_ops(arguments, &target);
    trine_target_close(&target);
    return code;
}

const command command_check = {
    .name = "check",
    .usage = "[OP...] [--device D] [--seed N] [--filter k=v,...] [--row R]",
    .doc = "Check every kernel of a device against the reference.\n\nCases are drawn so that every "
           "legal pair of dtype, layout, param value, size class and pattern of\ndata occurs. Each "
           "runs by every kernel that takes it: outputs and workspace poisoned twice, guard\nbands "
           "around and between rows, inputs compared afterwards, several thread counts, repeated.",
    .options = options,
    .run = run_check,
};
