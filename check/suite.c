// SPDX-License-Identifier: Apache-2.0
/* All cases of an op on a device. */
#include "check/suite.h"

#include "check/mutants.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void trine_suite_init(trine_suite *suite, trine_target *target, int32_t op)
{
    memset(suite, 0, sizeof *suite);
    suite->target = target;
    suite->op = op;
    suite->seed = 1;
    suite->case_limit = 400;
    suite->case_minimum = 60;
    suite->row_minimum = 48;
    suite->only = -1;
    suite->max_bytes = TRINE_CASE_BYTES;
}

trine_status trine_suite_filter(trine_suite *suite, const char *text)
{
    for (const char *at = text; *at;) {
        const size_t length = strcspn(at, ",");
        const char *equals = memchr(at, '=', length);
        const size_t name = equals ? (size_t)(equals - at) : 0;
        if (!equals || name == 0 || name >= sizeof suite->filters->name ||
            length - name - 1 >= sizeof suite->filters->value)
            return trine_fail(TRINE_INVALID_ARGUMENT,
                              "filter \"%.*s\": must be name=value, as in x.dtype=bf16",
                              (int)(length < 80 ? length : 80), at);
        if (suite->filter_count == TRINE_SUITE_FILTERS)
            return trine_fail(TRINE_INVALID_ARGUMENT, "more than %d filters", TRINE_SUITE_FILTERS);
        char *to = suite->filters[suite->filter_count].name;
        memcpy(to, at, name);
        to[name] = 0;
        to = suite->filters[suite->filter_count++].value;
        memcpy(to, equals + 1, length - name - 1);
        to[length - name - 1] = 0;
        at += length + (at[length] == ',');
    }
    return TRINE_OK;
}

static trine_row_score *score_of(trine_suite *suite, const char *name, trine_backend backend)
{
    for (size_t i = 0; i < suite->row_count; i++) {
        if (suite->rows[i].backend == backend && strcmp(suite->rows[i].name, name) == 0)
            return &suite->rows[i];
    }
    if (suite->row_count == TRINE_SUITE_ROWS) return NULL;
    trine_row_score *score = &suite->rows[suite->row_count++];
    snprintf(score->name, sizeof score->name, "%s", name);
    score->backend = backend;
    return score;
}

static void skip(trine_suite *suite, const char *reason)
{
    suite->skipped++;
    for (int i = 0; i < TRINE_SUITE_REASONS; i++) {
        if (suite->reasons[i].count && strcmp(suite->reasons[i].text, reason) != 0) continue;
        snprintf(suite->reasons[i].text, sizeof suite->reasons[i].text, "%.159s", reason);
        suite->reasons[i].count++;
        return;
    }
}

static void tell_failure(trine_suite *suite, const trine_case *entry, const trine_result *result)
{
    trine_failure failure = {.op = suite->op, .number = entry->number};

    suite->failures++;
    if (!suite->failed) return;
    snprintf(failure.row, sizeof failure.row, "%s", result->row);
    snprintf(failure.reason, sizeof failure.reason, "%s", result->reason);
    trine_plan_print(&entry->plan, failure.call, sizeof failure.call);
    snprintf(failure.command, sizeof failure.command,
             "trine check %s --device %s --seed %" PRIu64 " --case %" PRId64 " --row %s",
             trine_op_describe(suite->op)->name, suite->target->name, suite->seed, entry->number,
             result->row);
    if (suite->max_bytes != TRINE_CASE_BYTES) {
        const size_t used = strlen(failure.command);
        snprintf(failure.command + used, sizeof failure.command - used, " --bytes %.0f",
                 suite->max_bytes);
    }
    suite->failed(suite->cookie, &failure);
}

static void add_comparison(trine_comparison *sum, const trine_comparison *part)
{
    sum->compared += part->compared;
    sum->wrong += part->wrong;
    for (int i = 0; i < TRINE_ULP_CLASSES; i++) sum->histogram[i] += part->histogram[i];
    if (part->used > sum->used) sum->used = part->used;
}

/* The dtype of the op's first tensor, and of the first one that holds quantized values. */
static void name_dtypes(const trine_plan *plan, char *name, size_t size)
{
    const trine_dtype first = plan->layout[0].dtype;

    snprintf(name, size, "%s", trine_dtype_name(first));
    for (int i = 1; i < plan->op->tensor_count; i++) {
        const trine_dtype dtype = plan->layout[i].dtype;
        const bool quantized = dtype == TRINE_E4M3FN || dtype == TRINE_E4M3FNUZ ||
                               dtype == TRINE_E5M2 || dtype == TRINE_I8 || dtype == TRINE_U8;
        if (!plan->present[i] || !quantized || dtype == first) continue;
        const size_t used = strlen(name);
        snprintf(name + used, size - used, " %s", trine_dtype_name(dtype));
        return;
    }
}

static void score_dtypes(trine_suite *suite, const trine_plan *plan, const trine_result *result)
{
    char name[sizeof suite->dtypes->name];
    size_t i = 0;

    name_dtypes(plan, name, sizeof name);
    while (i < suite->dtype_count && strcmp(suite->dtypes[i].name, name) != 0) i++;
    if (i == TRINE_SUITE_DTYPES) return;
    trine_dtype_score *score = &suite->dtypes[i];
    if (i == suite->dtype_count) snprintf(score->name, sizeof score->name, "%s", name);
    if (i == suite->dtype_count) suite->dtype_count++;
    score->passed += result->verdict == TRINE_PASSED;
    score->failed += result->verdict == TRINE_FAILED;
    add_comparison(&score->comparison, &result->comparison);
}

static void judge_row(trine_suite *suite, trine_oracle *oracle, const trine_case *entry,
                      const trine_row *row, bool selected, uint32_t flags)
{
    trine_row_score *score = score_of(suite, row->name, row->backend);
    trine_result result;

    if (!score || (suite->stop_at_failure && score->failed)) return;
    /* The row that selection picks runs through selection. */
    do
        trine_judge_row(oracle, row, selected && !suite->row ? suite->target->context : NULL, flags,
                        &result);
    while (suite->again && suite->again(suite->cookie, entry->number, &result));
    if (!suite->mutants_only) add_comparison(&score->comparison, &result.comparison);
    trine_staged_add(&score->staged, &result.staged);
    if (!suite->mutants_only && result.verdict != TRINE_SKIPPED &&
        row->backend == suite->target->info->caps.backend)
        score_dtypes(suite, &entry->plan, &result);
    if (result.verdict == TRINE_PASSED) {
        score->passed++;
        suite->passed++;
    } else if (result.verdict == TRINE_SKIPPED) {
        score->empty++;
        skip(suite, result.reason);
    } else {
        score->failed++;
        tell_failure(suite, entry, &result);
    }
}

/* Is the row one that this run looks at? */
static bool row_wanted(const trine_suite *suite, const trine_row *row)
{
    if (suite->mutants_only) return trine_row_is_mutant(row);
    return !suite->row || strcmp(row->name, suite->row) == 0;
}

/* Has the row had fewer cases than every row should have? */
static bool row_needs_cases(trine_suite *suite, const trine_row *row)
{
    const trine_row_score *score = score_of(suite, row->name, row->backend);
    return score && score->passed + score->failed < suite->row_minimum;
}

/* Runs the case by every row that takes it, or (needy) by those alone that had few. */
static void run_case(trine_suite *suite, const trine_case *entry, bool needy)
{
    uint32_t flags = entry->number % 3 == 2 ? TRINE_DETERMINISTIC : 0;
    const trine_row *rows[TRINE_SUITE_ROWS];
    size_t count = 0;
    int selected = -1;
    char reason[256];
    trine_data data;
    trine_oracle oracle;
    trine_result broken = {.verdict = TRINE_FAILED, .row = "reference"};

    trine_status status =
        trine_accepting_rows(suite->target, &entry->plan, flags, rows, TRINE_SUITE_ROWS, &count,
                             &selected, reason, sizeof reason);
    if (!status && count == 0 && flags) {
        flags = 0; /* atomic adds are refused when the order must be fixed */
        status = trine_accepting_rows(suite->target, &entry->plan, flags, rows, TRINE_SUITE_ROWS,
                                      &count, &selected, reason, sizeof reason);
    }
    if (status) {
        skip(suite, trine_last_error());
        return;
    }
    const trine_row *chosen = selected >= 0 ? rows[selected] : NULL;
    size_t kept = 0;
    selected = -1;
    for (size_t i = 0; i < count; i++) {
        if (!row_wanted(suite, rows[i]) || (needy && !row_needs_cases(suite, rows[i]))) continue;
        if (rows[i] == chosen) selected = (int)kept;
        rows[kept++] = rows[i];
    }
    if (needy && !kept) return; /* a plain case that nobody was waiting for */
    if (count && !kept) snprintf(reason, sizeof reason, "row %s does not take it", suite->row);
    count = kept;
    if (count == 0) {
        skip(suite, reason);
        return;
    }
    suite->cases++;
    if (trine_generate(&entry->plan, entry->pattern, entry->key, &data)) {
        skip(suite, trine_last_error());
        return;
    }
    if (trine_oracle_create(&oracle, suite->target, &entry->plan, &data)) {
        snprintf(broken.reason, sizeof broken.reason, "%s", trine_last_error());
        tell_failure(suite, entry, &broken);
    } else {
        oracle.typical = entry->pattern == TRINE_PATTERN_NORMAL;
        oracle.exact = entry->pattern == TRINE_PATTERN_EXACT;
        for (size_t i = 0; i < count; i++)
            judge_row(suite, &oracle, entry, rows[i], (int)i == selected, flags);
        trine_oracle_destroy(&oracle);
    }
    trine_data_destroy(&data);
}

static bool wanted(const trine_suite *suite, const trine_cases *cases, const trine_case *entry)
{
    if (suite->only >= 0 && entry->number != suite->only) return false;
    if (entry->number < suite->from) return false;
    for (int i = 0; i < suite->filter_count; i++) {
        if (!trine_case_matches(cases, entry, suite->filters[i].name, suite->filters[i].value))
            return false;
    }
    return true;
}

/* Is it a row of the device, the oracle aside, that still wants cases? */
static bool wants_plain_cases(trine_suite *suite, const trine_row *row)
{
    return row->backend == suite->target->info->caps.backend &&
           !(row->flags & TRINE_ROW_REFERENCE) && row_wanted(suite, row) &&
           row_needs_cases(suite, row);
}

/* Narrow rows meet few of the pairs: plain cases, until each row had enough or many were in vain.
 */
static void run_plain_cases(trine_suite *suite, const trine_cases *cases)
{
    const trine_row *row;
    trine_case entry;

    for (int64_t i = 0; (row = trine_row_at(suite->target->context, suite->op, (size_t)i)); i++) {
        for (int64_t n = 0; n < TRINE_PLAIN_TRIES && wants_plain_cases(suite, row); n++) {
            if (suite->enough && suite->enough(suite->cookie)) return;
            if (!trine_cases_plain(cases, i * TRINE_PLAIN_TRIES + n, row, &entry) ||
                !wanted(suite, cases, &entry))
                continue;
            if (suite->progress) suite->progress(suite->cookie, suite->op, suite->cases);
            run_case(suite, &entry, true);
        }
    }
}

/* The one plain case that was asked for. */
static void run_plain_case(trine_suite *suite, const trine_cases *cases)
{
    const int64_t n = suite->only - TRINE_PLAIN_CASES;
    const trine_row *row =
        trine_row_at(suite->target->context, suite->op, (size_t)(n / TRINE_PLAIN_TRIES));
    trine_case entry;

    if (trine_cases_plain(cases, n, row, &entry)) run_case(suite, &entry, false);
}

trine_status trine_suite_run(trine_suite *suite, trine_cases *cases)
{
    trine_cases own;
    trine_cases *all = cases ? cases : &own;
    trine_case entry;
    const trine_status status =
        trine_cases_create(all, suite->op, suite->seed, suite->target->oracle);

    if (status) return status;
    all->max_bytes = suite->max_bytes;
    const bool plain = suite->only >= TRINE_PLAIN_CASES;
    if (plain) run_plain_case(suite, all);
    for (long done = 0; !plain && (done < suite->case_limit || suite->only >= done); done++) {
        if (suite->enough && suite->enough(suite->cookie)) break;
        if (!trine_cases_next(all, &entry)) break;
        if (suite->progress) suite->progress(suite->cookie, suite->op, done);
        if (wanted(suite, all, &entry))
            run_case(suite, &entry, false);
        else
            suite->filtered++;
        if (suite->only == entry.number) break;
        if (suite->only < 0 && done + 1 >= suite->case_minimum && !trine_cases_coverage(all).open)
            break;
    }
    if (suite->only < 0 && !suite->mutants_only) run_plain_cases(suite, all);
    suite->coverage = trine_cases_coverage(all);
    if (!cases) trine_cases_destroy(&own);
    return TRINE_OK;
}
