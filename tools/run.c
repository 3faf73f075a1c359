// SPDX-License-Identifier: Apache-2.0
/* trine run: a file's call on a device, and whether it gives what the file expects. */
#include "tools/commands.h"

#include "check/file_case.h"
#include "check/value.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const option_spec options[] = {
    {"device", "D", "cpu, cuda:N, hip:N or simulated:NAME (cpu)"},
    {"expect", NULL, "compare with the file's expected tensors, by every row that takes the call"},
    {"row", "R", "run by this kernel only"},
    {"out", "F", "write inputs and outputs to this safetensors file"},
    {"verbose", NULL, "also print rows that refuse, and histograms"},
    {NULL, NULL, NULL},
};

typedef struct totals {
    long passed, failed, skipped;
    json_t *files;
} totals;

/* ---------------------------------------------------------------- files */

typedef struct path_list {
    char **paths;
    size_t count;
} path_list;

static bool add_path(path_list *list, const char *folder, const char *name)
{
    const size_t size = strlen(folder) + strlen(name) + 2;
    char **grown = realloc(list->paths, (list->count + 1) * sizeof *grown);

    if (!grown) return false;
    list->paths = grown;
    grown[list->count] = malloc(size);
    if (!grown[list->count]) return false;
    snprintf(grown[list->count], size, "%s%s%s", folder, *folder ? "/" : "", name);
    list->count++;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A file as it is; of a folder every *.safetensors in it, by name. */
static int collect(const char *path, path_list *list)
{
    struct stat info;
    const size_t first = list->count;

    if (stat(path, &info) || !S_ISDIR(info.st_mode))
        return add_path(list, "", path) ? EXIT_GOOD : EXIT_BAD;
    DIR *folder = opendir(path);
    if (!folder) return complain("%s: the folder can't be read", path);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot && strcmp(dot, ".safetensors") == 0 && !add_path(list, path, entry->d_name)) {
            closedir(folder);
            return EXIT_BAD;
        }
    }
    closedir(folder);
    if (list->count == first) return complain("%s: no *.safetensors in this folder", path);
    qsort(list->paths + first, list->count - first, sizeof *list->paths, by_name);
    return EXIT_GOOD;
}

/* ---------------------------------------------------------------- one file */

static void report_row(const arguments *arguments, const trine_result *result, json_t *rows)
{
    const trine_comparison *comparison = &result->comparison;
    char histogram[160];

    trine_comparison_histogram(comparison, histogram, sizeof histogram);
    if (arguments->json) {
        json_array_append_new(
            rows,
            json_pack("{s:s, s:s, s:b, s:s, s:I, s:I, s:f, s:s}", "row", result->row, "backend",
                      trine_backend_name(result->backend), "passed",
                      result->verdict == TRINE_PASSED, "reason", result->reason, "compared",
                      (json_int_t)comparison->compared, "wrong", (json_int_t)comparison->wrong,
                      "bound_used", comparison->used < 1e300 ? comparison->used : 1e300,
                      "ulp_steps", histogram));
        return;
    }
    printf("    %-20s %s  %" PRId64 " compared, %" PRId64 " wrong", result->row,
           result->verdict == TRINE_PASSED ? "ok    " : "FAILED", comparison->compared,
           comparison->wrong);
    if (comparison->used > 0) printf(", %.3f of the bound used", comparison->used);
    if (option(arguments, "verbose")) printf("; steps %s", histogram);
    putchar('\n');
    if (result->verdict != TRINE_PASSED) printf("      %s\n", result->reason);
}

static trine_verdict expect(const arguments *arguments, trine_file_case *entry,
                            trine_target *target, const trine_row **accepting, size_t count,
                            int selected, json_t *rows)
{
    const char *wanted = option(arguments, "row");
    trine_oracle oracle;
    trine_result result;
    trine_verdict verdict = TRINE_SKIPPED;

    if (trine_oracle_create(&oracle, target, &entry->plan, &entry->data)) {
        result = (trine_result){.verdict = TRINE_FAILED};
        snprintf(result.row, sizeof result.row, "oracle");
        snprintf(result.reason, sizeof result.reason, "%s", trine_last_error());
        report_row(arguments, &result, rows);
        return TRINE_FAILED;
    }
    oracle.typical = true;
    oracle.bound_scale = entry->bound_scale;
    if (entry->bounded) {
        trine_file_case_judge_expected(entry, &oracle, &result);
        report_row(arguments, &result, rows);
        if (result.verdict == TRINE_FAILED) verdict = TRINE_FAILED;
    }
    for (size_t i = 0; i < count; i++) {
        if (wanted && strcmp(wanted, accepting[i]->name) != 0) continue;
        trine_file_case_judge_row(entry, &oracle, accepting[i],
                                  (int)i == selected && !wanted ? target->context : NULL, &result);
        report_row(arguments, &result, rows);
        if (result.verdict == TRINE_FAILED) verdict = TRINE_FAILED;
        if (result.verdict == TRINE_PASSED && verdict == TRINE_SKIPPED) verdict = TRINE_PASSED;
    }
    trine_oracle_destroy(&oracle);
    return verdict;
}

/* Runs once by the selected (or named) row. */
static trine_verdict run_once(const arguments *arguments, trine_file_case *entry,
                              trine_target *target, const trine_row *row, json_t *rows)
{
    trine_context *context = target->context;
    trine_result result = {.verdict = TRINE_PASSED, .backend = row->backend};
    trine_outcome outcome = {0};
    trine_call call;
    const char *out = option(arguments, "out");
    trine_status status = TRINE_OK;

    snprintf(result.row, sizeof result.row, "%s", row->name);
    if (option(arguments, "row"))
        status = trine_target_force(target, entry->plan.op->op, row->name, &context);
    if (!status)
        status = trine_call_create(&call, &entry->plan, &entry->data, context, target->device);
    if (!status) {
        status = trine_call_run(&call, context, TRINE_POISON_NAN, 0, &outcome);
        if (!status && outcome.status) status = trine_fail(outcome.status, "%s", outcome.error);
        if (!status && out) status = trine_call_write(&call, &outcome, "trine run", out);
        if (!status && outcome.damage[0])
            status = trine_fail(TRINE_BACKEND_ERROR, "%s", outcome.damage);
        for (int i = 0; i < entry->plan.op->tensor_count && !status; i++) {
            if (entry->plan.op->tensors[i].role == TRINE_OUT)
                result.comparison.compared += call.tensors[i].count;
        }
        trine_outcome_destroy(&outcome);
        trine_call_destroy(&call);
    }
    if (status) {
        result.verdict = TRINE_FAILED;
        snprintf(result.reason, sizeof result.reason, "%s", trine_last_error());
    }
    if (arguments->json) {
        report_row(arguments, &result, rows);
    } else {
        printf("    %-20s %s  %" PRId64 " output elements%s%s\n", result.row,
               status ? "FAILED" : "ran   ", result.comparison.compared, status ? ": " : "",
               result.reason);
    }
    return result.verdict;
}

static trine_verdict run_planned(const arguments *arguments, trine_file_case *entry,
                                 trine_target *target, char *reason, size_t size, json_t *rows)
{
    const trine_row *accepting[64];
    const char *wanted = option(arguments, "row");
    size_t count = 0;
    int selected = -1;

    if (trine_accepting_rows(target, &entry->plan, 0, accepting, 64, &count, &selected, reason,
                             size)) {
        snprintf(reason, size, "%s", trine_last_error());
        return TRINE_FAILED;
    }
    size_t chosen = selected < 0 ? 0 : (size_t)selected;
    if (wanted) {
        for (chosen = 0; chosen < count && strcmp(accepting[chosen]->name, wanted); chosen++) {
        }
    }
    if (count == 0) return TRINE_SKIPPED;
    if (chosen >= count) {
        snprintf(reason, size, "row %s does not take this call on %s", wanted, target->name);
        return TRINE_SKIPPED;
    }
    reason[0] = 0;
    if (!option(arguments, "expect"))
        return run_once(arguments, entry, target, accepting[chosen], rows);
    if (!entry->has_expected) {
        snprintf(reason, size, "the file holds no expected tensors");
        return TRINE_FAILED;
    }
    return expect(arguments, entry, target, accepting, count, selected, rows);
}

static void run_file(const arguments *arguments, const char *path, trine_target *target,
                     totals *totals)
{
    static const char *const words[] = {"passed", "FAILED", "skipped"};
    trine_file_case entry;
    char reason[512] = "";
    json_t *rows = json_array();
    trine_verdict verdict = TRINE_FAILED;
    trine_status status = trine_file_case_open(path, &entry);

    if (!arguments->json) printf("%s\n", path);
    if (!status) status = trine_file_case_plan(&entry, target);
    if (status) {
        snprintf(reason, sizeof reason, "%s: %s", trine_status_name(status), trine_last_error());
        if (status == TRINE_UNSUPPORTED) verdict = TRINE_SKIPPED;
    } else {
        verdict = run_planned(arguments, &entry, target, reason, sizeof reason, rows);
    }
    if (arguments->json) {
        json_array_append_new(totals->files,
                              json_pack("{s:s, s:s, s:s, s:O}", "file", path, "verdict",
                                        words[verdict], "reason", reason, "rows", rows));
    } else if (reason[0]) {
        printf("    %s: %s\n", words[verdict], reason);
    }
    json_decref(rows);
    trine_file_case_close(&entry);
    totals->passed += verdict == TRINE_PASSED;
    totals->failed += verdict == TRINE_FAILED;
    totals->skipped += verdict == TRINE_SKIPPED;
}

static int run(const arguments *arguments)
{
    path_list list = {NULL, 0};
    trine_target target;
    totals totals = {0};
    int code = EXIT_GOOD;

    if (arguments->positional_count == 0)
        return complain("run: which file? Usage: trine run %s", arguments->command->usage);
    for (size_t i = 0; i < arguments->positional_count && !code; i++)
        code = collect(arguments->positional[i], &list);
    if (!code && option(arguments, "out") && (list.count != 1 || option(arguments, "expect")))
        code = complain("--out goes with one file and without --expect");
    if (!code) code = open_target(arguments, &target);
    if (!code) {
        totals.files = json_array();
        for (size_t i = 0; i < list.count; i++)
            run_file(arguments, list.paths[i], &target, &totals);
        if (arguments->json) {
            print_json(json_pack("{s:s, s:i, s:i, s:i, s:o}", "device", target.name, "passed",
                                 (int)totals.passed, "failed", (int)totals.failed, "skipped",
                                 (int)totals.skipped, "files", totals.files));
        } else {
            json_decref(totals.files);
            printf("%ld passed, %ld failed", totals.passed, totals.failed);
            if (totals.skipped) printf(", %ld skipped", totals.skipped);
            putchar('\n');
        }
        trine_target_close(&target);
        code = totals.failed || !totals.passed ? EXIT_BAD : EXIT_GOOD;
    }
    for (size_t i = 0; i < list.count; i++) free(list.paths[i]);
    free(list.paths);
    return code;
}

const command command_run = {
    .name = "run",
    .usage = "FILE|FOLDER... [--device D] [--expect] [--row R] [--out F]",
    .doc =
        "Run the call that a safetensors file holds.\n\nThe file's metadata names op and params, "
        "its tensors are the inputs. With --expect each row that\ntakes the call is run and its "
        "outputs are compared with the reference and with the file's\nexpected.* tensors: to "
        "the bit, or within the bound where the file says so.",
    .options = options,
    .run = run,
};
