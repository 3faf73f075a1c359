// SPDX-License-Identifier: Apache-2.0
/* Files as calls. */
#include "check/file_case.h"

#include "check/settle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char expected_prefix[] = "expected.";

static trine_status read_metadata(trine_file_case *entry)
{
    const char *op = trine_file_metadata(entry->file, "op");
    const char *params = trine_file_metadata(entry->file, "params");
    const char *compare = trine_file_metadata(entry->file, "compare");
    const char *scale = trine_file_metadata(entry->file, "bound_scale");
    char *end;
    trine_status status;

    if (!op) return trine_fail(TRINE_INVALID_ARGUMENT, "__metadata__ names no op");
    const int32_t number = trine_op_from_name(op);
    if (number < 0) return trine_fail(TRINE_INVALID_ARGUMENT, "no op is named \"%.64s\"", op);
    status = trine_plan_init(&entry->plan, number);
    if (!status && params) status = trine_plan_read_params(&entry->plan, params);
    if (status) return status;
    entry->bounded = compare && strcmp(compare, "bounded") == 0;
    if (compare && !entry->bounded && strcmp(compare, "exact") != 0)
        return trine_fail(TRINE_INVALID_ARGUMENT, "compare \"%.32s\" must be exact or bounded",
                          compare);
    entry->bound_scale = scale ? strtod(scale, &end) : 1;
    if (scale && (end == scale || *end || !(entry->bound_scale > 0)))
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "bound_scale \"%.32s\" must be a decimal number above 0", scale);
    return TRINE_OK;
}

static void take_layout(trine_plan *plan, int index, const trine_file_tensor *tensor)
{
    trine_layout *layout = &plan->layout[index];

    plan->present[index] = true;
    layout->dtype = tensor->dtype;
    layout->rank = tensor->rank;
    memcpy(layout->shape, tensor->shape, sizeof layout->shape);
    trine_layout_contiguous(layout);
}

static trine_status take_values(trine_file_case *entry, int index, const trine_file_tensor *tensor)
{
    entry->data.values[index] = malloc(tensor->size + 1);
    if (!entry->data.values[index]) return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    memcpy(entry->data.values[index], tensor->data, tensor->size);
    return TRINE_OK;
}

static trine_status read_tensor(trine_file_case *entry, const trine_file_tensor *tensor)
{
    const trine_op_description *op = entry->plan.op;
    const bool expected = strncmp(tensor->name, expected_prefix, sizeof expected_prefix - 1) == 0;
    const char *name = tensor->name + (expected ? sizeof expected_prefix - 1 : 0);
    const int index = trine_plan_tensor(op, name);

    if (index < 0)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s has no tensor named \"%.64s\"", op->name,
                          name);
    const bool output = op->tensors[index].role == TRINE_OUT;
    if (expected) {
        if (!output)
            return trine_fail(TRINE_INVALID_ARGUMENT,
                              "%s is an input of %s: nothing is expected "
                              "of it",
                              name, op->name);
        entry->expected[index] = tensor;
        entry->has_expected = true;
        take_layout(&entry->plan, index, tensor);
        return TRINE_OK;
    }
    if (output && !trine_plan_reads_outputs(&entry->plan))
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "%s is an output of %s: it is read only with accumulate", name, op->name);
    if (!output || !entry->expected[index]) take_layout(&entry->plan, index, tensor);
    return take_values(entry, index, tensor);
}

/* Everything but the file itself has been zeroed. */
static trine_status read_case(trine_file_case *entry)
{
    trine_status status = read_metadata(entry);

    for (size_t i = 0; !status && i < entry->file->tensor_count; i++)
        status = read_tensor(entry, &entry->file->tensors[i]);
    for (int i = 0; !status && i < entry->plan.op->tensor_count; i++) {
        const trine_tensor_description *tensor = &entry->plan.op->tensors[i];
        if (tensor->role == TRINE_IN && !tensor->optional && !entry->plan.present[i])
            status = trine_fail(TRINE_INVALID_ARGUMENT, "the file has no tensor %s, which %s needs",
                                tensor->name, entry->plan.op->name);
        if (tensor->role == TRINE_OUT && trine_plan_reads_outputs(&entry->plan) &&
            !entry->data.values[i])
            status = trine_fail(TRINE_INVALID_ARGUMENT,
                                "accumulate adds onto %s: the file must hold its old values",
                                tensor->name);
    }
    if (status) trine_file_case_close(entry);
    return status;
}

trine_status trine_file_case_open(const char *path, trine_file_case *entry)
{
    memset(entry, 0, sizeof *entry);
    const trine_status status = trine_file_open(path, &entry->file);
    return status ? status : read_case(entry);
}

trine_status trine_file_case_parse(const void *bytes, size_t size, trine_file_case *entry)
{
    memset(entry, 0, sizeof *entry);
    const trine_status status = trine_file_parse(bytes, size, &entry->file);
    return status ? status : read_case(entry);
}

void trine_file_case_close(trine_file_case *entry)
{
    trine_data_destroy(&entry->data);
    trine_file_close(&entry->file);
}

/* ---------------------------------------------------------------- outputs */

/* The expected tensor may hold fewer entries than the op writes: then the table's shape counts. */
static void widen(trine_plan *plan, const trine_dims *dims, int index)
{
    const trine_layout stored = plan->layout[index];
    const trine_layout *table = &plan->layout[index];
    bool wider = false, fits;

    fits = trine_dims_shape(plan, dims, index, 0) && table->rank == stored.rank;
    for (int32_t d = 0; fits && d < stored.rank; d++) {
        fits = table->shape[d] >= stored.shape[d];
        wider |= table->shape[d] > stored.shape[d];
    }
    if (!fits || !wider) plan->layout[index] = stored;
}

trine_status trine_file_case_plan(trine_file_case *entry, trine_target *target)
{
    trine_plan *plan = &entry->plan;
    bool open[TRINE_MAX_TENSORS] = {false};
    trine_dims dims;

    trine_dims_bind(plan, &dims);
    for (int i = 0; i < plan->op->tensor_count; i++) {
        const trine_tensor_description *tensor = &plan->op->tensors[i];
        if (tensor->role != TRINE_OUT) continue;
        if (plan->present[i]) {
            widen(plan, &dims, i);
            continue;
        }
        if (tensor->optional) continue;
        if (!trine_dims_shape(plan, &dims, i, 0))
            return trine_fail(TRINE_INVALID_SHAPE, "the shape of %s does not follow from the file",
                              tensor->name);
        plan->present[i] = true;
        open[i] = true;
    }
    return trine_plan_settle(plan, open, target->info->caps.fp8, target->context, target->device);
}

/* ---------------------------------------------------------------- verdicts */

/* May the expected tensor be compared with the output? It may be shorter, not longer. */
static bool fits(const trine_layout *layout, const trine_file_tensor *expected)
{
    if (layout->dtype != expected->dtype || layout->rank != expected->rank) return false;
    for (int32_t d = 0; d < layout->rank; d++) {
        if (expected->shape[d] > layout->shape[d]) return false;
    }
    return true;
}

/* The combine class that a file's expected tensor was made with. */
static trine_combine_class expected_combine(const trine_plan *plan)
{
    return trine_plan_is(plan, "combine", "atomic_f32") ? TRINE_COMBINE_CLASS_F32
           : trine_plan_is(plan, "combine", "atomic")   ? TRINE_COMBINE_CLASS_ATOMIC
                                                        : TRINE_COMBINE_CLASS_ROUNDED;
}

/* The output that the file's bound judges; -1 when the file is exact. */
static int bounded_expected(const trine_file_case *entry)
{
    for (int i = 0; entry->bounded && i < entry->plan.op->tensor_count; i++) {
        if (entry->plan.present[i] && entry->plan.op->tensors[i].role == TRINE_OUT &&
            entry->plan.layout[i].dtype <= TRINE_BF16)
            return i;
    }
    return -1;
}

void trine_file_case_judge_expected(const trine_file_case *entry, trine_oracle *oracle,
                                    trine_result *result)
{
    const trine_plan *plan = &entry->plan;
    const int index = bounded_expected(entry);
    const trine_bounds *bounds;

    memset(result, 0, sizeof *result);
    snprintf(result->row, sizeof result->row, "expected");
    if (index < 0 || !entry->expected[index]) return;
    const trine_layout *layout = &plan->layout[index];
    if (!fits(layout, entry->expected[index]) ||
        memcmp(layout->shape, entry->expected[index]->shape,
               (size_t)layout->rank * sizeof *layout->shape) != 0) {
        result->verdict = TRINE_FAILED;
        snprintf(result->reason, sizeof result->reason, "expected.%s has another shape or dtype",
                 plan->op->tensors[index].name);
        return;
    }
    if (trine_oracle_bound(oracle, trine_expected_accumulation(plan), expected_combine(plan),
                           &bounds)) {
        result->verdict = TRINE_FAILED;
        snprintf(result->reason, sizeof result->reason, "no bound: %s", trine_last_error());
        return;
    }
    const trine_elements got = {entry->expected[index]->data, NULL};
    char name[80];
    snprintf(name, sizeof name, "expected.%s", plan->op->tensors[index].name);
    trine_compare_bounded(&result->comparison, name, layout->dtype, layout->rank, layout->shape,
                          got, bounds->value, bounds->bound);
    if (result->comparison.wrong) {
        result->verdict = TRINE_FAILED;
        snprintf(result->reason, sizeof result->reason,
                 "%" PRId64 " of %" PRId64 " elements are outside the bound: %s",
                 result->comparison.wrong, result->comparison.compared, result->comparison.first);
    }
}

/* The expected tensor, but where the op writes nothing (rows that masked_m leaves out), which the
 * oracle's two poisons show, what the row left there. The caller frees it. */
static uint8_t *expected_where_written(const trine_oracle *oracle, int index,
                                       const trine_file_tensor *expected, trine_elements got)
{
    const trine_layout *layout = &oracle->plan->layout[index];
    const size_t width = trine_dtype_size(layout->dtype);
    uint8_t *copy = malloc(expected->size + 1);
    trine_layout region = *layout;
    int64_t count = 1;

    if (!copy) return NULL;
    memcpy(copy, expected->data, expected->size);
    for (int32_t d = 0; d < layout->rank; d++) {
        region.shape[d] = expected->shape[d];
        count *= expected->shape[d];
    }
    trine_walk walk = trine_walk_begin(&region);
    for (int64_t i = 0; i < count; i++, trine_walk_next(&walk)) {
        const size_t at = (size_t)walk.offset * width;
        bool written = false;
        for (int run = 0; run < 2; run++) {
            const uint8_t *element =
                trine_outcome_elements(&oracle->outcome[run], &oracle->call, index) + at;
            const uint8_t poison = run ? TRINE_POISON_NUMBER : TRINE_POISON_NAN;
            for (size_t b = 0; b < width; b++) written |= element[b] != poison;
        }
        if (!written) memcpy(copy + (size_t)i * width, got.bytes + at, width);
    }
    return copy;
}

static void judge_outcome(const trine_file_case *entry, trine_oracle *oracle, const trine_row *row,
                          const trine_call *call, const trine_outcome *outcome,
                          trine_result *result)
{
    const trine_plan *plan = &entry->plan;
    const int bounded = bounded_expected(entry);
    const trine_bounds *bounds;
    trine_comparison *comparison = &result->comparison;

    for (int i = 0; i < plan->op->tensor_count; i++) {
        const trine_file_tensor *expected = entry->expected[i];
        const trine_layout *layout = &plan->layout[i];
        if (!expected) continue;
        const char *name = plan->op->tensors[i].name;
        const trine_elements got = {trine_outcome_elements(outcome, call, i), layout->stride};
        uint8_t *wanted = NULL;
        if (!fits(layout, expected)) {
            comparison->wrong++;
            snprintf(comparison->first, sizeof comparison->first,
                     "expected.%s is longer than %s, or has another dtype or rank", name, name);
        } else if (i != bounded) {
            wanted = expected_where_written(oracle, i, expected, got);
            const trine_elements want = {wanted ? wanted : expected->data, NULL};
            trine_compare_exact(comparison, name, layout->dtype, layout->rank, expected->shape, got,
                                want);
            free(wanted);
        } else if (plan->op->bounded) {
            continue; /* the row was held against its own class's bound already */
        } else if (trine_oracle_bound(oracle, row->accumulation, row->combine, &bounds)) {
            comparison->wrong++;
            snprintf(comparison->first, sizeof comparison->first, "no bound: %s",
                     trine_last_error());
        } else {
            trine_compare_bounded(comparison, name, layout->dtype, layout->rank, layout->shape, got,
                                  bounds->value, bounds->bound);
        }
    }
    if (comparison->wrong && result->verdict != TRINE_FAILED) {
        result->verdict = TRINE_FAILED;
        snprintf(result->reason, sizeof result->reason,
                 "%" PRId64 " of %" PRId64 " elements differ from the file: %s", comparison->wrong,
                 comparison->compared, comparison->first);
    }
}

void trine_file_case_judge_row(const trine_file_case *entry, trine_oracle *oracle,
                               const trine_row *row, trine_context *context, trine_result *result)
{
    trine_outcome outcome;
    trine_call call;
    trine_target *target = oracle->target;

    trine_judge_row(oracle, row, context, 0, result);
    if (result->verdict == TRINE_FAILED) return;
    if ((!context && trine_target_force(target, entry->plan.op->op, row->name, &context)) ||
        trine_call_create(&call, &entry->plan, &entry->data, context, target->device)) {
        result->verdict = TRINE_FAILED;
        snprintf(result->reason, sizeof result->reason, "%s", trine_last_error());
        return;
    }
    if (trine_call_run(&call, context, TRINE_POISON_NAN, 0, &outcome)) {
        result->verdict = TRINE_FAILED;
        snprintf(result->reason, sizeof result->reason, "%s", trine_last_error());
    } else if (outcome.status) {
        result->verdict = TRINE_FAILED;
        snprintf(result->reason, sizeof result->reason, "%s", outcome.error);
    } else {
        judge_outcome(entry, oracle, row, &call, &outcome, result);
    }
    trine_outcome_destroy(&outcome);
    trine_call_destroy(&call);
}
