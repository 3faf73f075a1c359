// SPDX-License-Identifier: Apache-2.0
/* Verdicts. */
#include "check/judge.h"

#include "check/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static void set_threads(int count)
{
#ifdef _OPENMP
    omp_set_num_threads(count);
#else
    (void)count;
#endif
}

/* What the environment asks for (OMP_NUM_THREADS), before any of our own changes. */
static int all_threads(void)
{
#ifdef _OPENMP
    static int threads;

    if (threads == 0) threads = omp_get_max_threads();
    return threads;
#else
    return 1;
#endif
}

/* ---------------------------------------------------------------- the oracle */

/* The output that a bound judges: the first floating-point one. */
static int bounded_output(const trine_plan *plan)
{
    for (int i = 0; i < plan->op->tensor_count; i++) {
        if (plan->present[i] && plan->op->tensors[i].role == TRINE_OUT &&
            plan->layout[i].dtype <= TRINE_BF16)
            return i;
    }
    return -1;
}

trine_status trine_oracle_create(trine_oracle *oracle, trine_target *target, const trine_plan *plan,
                                 const trine_data *data)
{
    trine_status status;

    memset(oracle, 0, sizeof *oracle);
    oracle->target = target;
    oracle->plan = plan;
    oracle->data = data;
    oracle->apart = *plan;
    oracle->bound_scale = 1;
    memset(oracle->apart.in_place, 0, sizeof oracle->apart.in_place);
    oracle->bounded = plan->op->bounded ? bounded_output(plan) : -1;
    status =
        trine_call_create(&oracle->call, &oracle->apart, data, target->oracle, trine_host_device);
    set_threads(all_threads());
    for (int i = 0; i < 2 && !status; i++) {
        trine_outcome *outcome = &oracle->outcome[i];
        status = trine_call_run(&oracle->call, target->oracle,
                                i ? TRINE_POISON_NUMBER : TRINE_POISON_NAN, 0, outcome);
        if (!status && outcome->status) status = trine_fail(outcome->status, "%s", outcome->error);
        if (!status && outcome->damage[0])
            status = trine_fail(TRINE_BACKEND_ERROR, "the reference %s", outcome->damage);
    }
    if (status) trine_oracle_destroy(oracle);
    return status;
}

void trine_oracle_destroy(trine_oracle *oracle)
{
    for (size_t i = 0; i < oracle->bound_count; i++) {
        free(oracle->bounds[i].value);
        free(oracle->bounds[i].bound);
    }
    oracle->bound_count = 0;
    for (int i = 0; i < 2; i++) trine_outcome_destroy(&oracle->outcome[i]);
    trine_call_destroy(&oracle->call);
}

trine_status trine_oracle_restore(trine_oracle *oracle)
{
    const int out = oracle->bounded;

    if (!trine_plan_reads_outputs(oracle->plan) || !oracle->data->values[out]) return TRINE_OK;
    trine_tensor_scatter(&oracle->call.tensors[out], oracle->data->values[out]);
    return trine_tensor_upload(&oracle->call.tensors[out]);
}

trine_status trine_oracle_bound(trine_oracle *oracle, trine_accumulation accumulation,
                                trine_combine_class combine, const trine_bounds **bounds)
{
    const int out = oracle->bounded >= 0 ? oracle->bounded : bounded_output(oracle->plan);
    trine_status status;

    for (size_t i = 0; i < oracle->bound_count; i++) {
        *bounds = &oracle->bounds[i];
        if ((*bounds)->options.accumulation == (int32_t)accumulation &&
            (*bounds)->options.combine == (int32_t)combine)
            return TRINE_OK;
    }
    if (oracle->bound_count == TRINE_MAX_BOUNDS)
        return trine_fail(TRINE_OUT_OF_MEMORY, "more than %d classes of rows", TRINE_MAX_BOUNDS);
    if (out < 0)
        return trine_fail(TRINE_UNSUPPORTED, "%s has no floating-point output",
                          oracle->plan->op->name);
    const size_t count = (size_t)oracle->call.tensors[out].count;
    trine_bounds made = {
        .options = {sizeof(trine_bound_options), (int32_t)accumulation, (int32_t)combine,
                    oracle->typical},
        .value = malloc((count + 1) * sizeof(double)),
        .bound = malloc((count + 1) * sizeof(double)),
    };
    status = made.value && made.bound ? trine_oracle_restore(oracle)
                                      : trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    if (!status)
        status = trine_op_bound(oracle->target->oracle, oracle->plan->op->op, &oracle->call.args,
                                &made.options, made.value, made.bound);
    if (status) {
        free(made.value);
        free(made.bound);
        return status;
    }
    for (size_t i = 0; i < count; i++) made.bound[i] *= oracle->bound_scale;
    *bounds = &oracle->bounds[oracle->bound_count];
    oracle->bounds[oracle->bound_count++] = made;
    return TRINE_OK;
}

trine_accumulation trine_expected_accumulation(const trine_plan *plan)
{
    if (trine_plan_is(plan, "quantization", "int8_w8a16") ||
        trine_plan_is(plan, "quantization", "int4_w4a16"))
        return TRINE_ACCUMULATE_F32;
    for (int i = 0; i < plan->op->tensor_count; i++) {
        const trine_dtype dtype = plan->layout[i].dtype;
        if (!plan->present[i] || plan->op->tensors[i].role != TRINE_IN) continue;
        if (dtype == TRINE_E4M3FN || dtype == TRINE_E4M3FNUZ || dtype == TRINE_E5M2)
            return TRINE_ACCUMULATE_HOPPER_FP8;
        if (dtype == TRINE_I8) return TRINE_ACCUMULATE_INT;
    }
    return TRINE_ACCUMULATE_F32;
}

/* ---------------------------------------------------------------- rows */

trine_status trine_accepting_rows(trine_target *target, const trine_plan *plan, uint32_t flags,
                                  const trine_row **rows, size_t capacity, size_t *count,
                                  int *selected, char *reason, size_t reason_size)
{
    trine_explanation entries[256];
    size_t total = 0;
    const trine_status status = trine_plan_explain(plan, target->context, target->device, NULL,
                                                   flags, entries, 256, &total);

    *count = 0;
    *selected = -1;
    snprintf(reason, reason_size, "no row is registered");
    if (status) return status;
    for (size_t i = 0; i < total && i < 256 && *count < capacity; i++) {
        if (!entries[i].accepts) {
            /* The last refusal is the most general row's: the one that tells most. */
            snprintf(reason, reason_size, "%s: %s", entries[i].row, entries[i].reason);
            continue;
        }
        rows[*count] =
            trine_target_find_row(target, plan->op->op, entries[i].backend, entries[i].row);
        if (!rows[*count]) continue;
        if (entries[i].runs) *selected = (int)*count;
        (*count)++;
    }
    return TRINE_OK;
}

static void fail_with(trine_result *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The first failure is the one that is told. */
static void fail_with(trine_result *result, const char *format, ...)
{
    va_list arguments;

    if (result->verdict == TRINE_FAILED) return;
    result->verdict = TRINE_FAILED;
    va_start(arguments, format);
    vsnprintf(result->reason, sizeof result->reason, format, arguments);
    va_end(arguments);
}

/* Bytes between elements: the oracle's padding, and nothing but padding. */
static void compare_gaps(const trine_oracle *oracle, const trine_call *call, int tensor,
                         const trine_outcome *outcome, int poison, trine_result *result)
{
    const trine_tensor *ours = &call->tensors[trine_call_owner(call->plan, tensor)];
    const size_t width = trine_dtype_size(ours->layout.dtype);
    const size_t size = (size_t)ours->extent * width;
    const uint8_t *got = trine_outcome_elements(outcome, call, tensor);
    const uint8_t *want = trine_outcome_elements(&oracle->outcome[poison], &oracle->call, tensor);
    const uint8_t byte = poison ? TRINE_POISON_NUMBER : TRINE_POISON_NAN;
    uint8_t *element;

    if ((size_t)ours->count * width == size || !(element = calloc(size + 1, 1))) return;
    trine_walk walk = trine_walk_begin(&ours->layout);
    for (int64_t i = 0; i < ours->count; i++, trine_walk_next(&walk))
        memset(element + (size_t)walk.offset * width, 1, width);
    for (size_t i = 0; i < size; i++) {
        if (element[i]) continue;
        if (got[i] != want[i])
            fail_with(result,
                      "wrote 0x%02x between the elements of %s, %zu bytes behind the first"
                      " one: must be 0x%02x",
                      got[i], oracle->plan->op->tensors[tensor].name, i, want[i]);
        else if (want[i] != byte && want[i] != 0)
            fail_with(result, "the reference itself left 0x%02x in the padding of %s", want[i],
                      oracle->plan->op->tensors[tensor].name);
    }
    free(element);
}

void trine_judge_outcome(trine_oracle *oracle, const trine_row *row, const trine_call *call,
                         const trine_outcome *outcome, int poison, trine_result *result)
{
    const trine_plan *plan = oracle->plan;
    /* Sums in out's dtype depend on their order; and with up + 1 exact contributions have more bits
     * than x's dtype, in which some rows keep them. */
    const bool rounds = row->combine == TRINE_COMBINE_CLASS_ATOMIC ||
                        (row->combine == TRINE_COMBINE_CLASS_ROUNDED &&
                         trine_plan_is(plan, "activation", "swiglu_oai"));
    const trine_bounds *bounds = NULL;

    for (int i = 0; i < plan->op->tensor_count; i++) {
        const trine_layout *layout = &plan->layout[i];
        if (!plan->present[i] || plan->op->tensors[i].role != TRINE_OUT) continue;
        const trine_elements got = {trine_outcome_elements(outcome, call, i), layout->stride};
        const trine_elements want = {
            trine_outcome_elements(&oracle->outcome[poison], &oracle->call, i), layout->stride};
        const char *name = plan->op->tensors[i].name;
        if (i != oracle->bounded || (oracle->exact && !rounds)) {
            trine_compare_exact(&result->comparison, name, layout->dtype, layout->rank,
                                layout->shape, got, want);
        } else if (trine_oracle_bound(oracle, row->accumulation, row->combine, &bounds)) {
            fail_with(result, "no bound: %s", trine_last_error());
        } else {
            trine_compare_bounded(&result->comparison, name, layout->dtype, layout->rank,
                                  layout->shape, got, bounds->value, bounds->bound);
        }
        compare_gaps(oracle, call, i, outcome, poison, result);
    }
    if (result->comparison.wrong)
        fail_with(result, "%" PRId64 " of %" PRId64 " elements are wrong: %s",
                  result->comparison.wrong, result->comparison.compared, result->comparison.first);
}

/* Runs of a row that promises repeatable bits must agree, whatever memory held before. */
static void compare_runs(const trine_oracle *oracle, const trine_call *call,
                         const trine_outcome *first, const trine_outcome *other, int threads,
                         trine_result *result)
{
    const int out = oracle->bounded;
    trine_comparison difference = {0};

    if (out < 0) return; /* exact outputs were compared with the oracle already */
    const trine_layout *layout = &oracle->plan->layout[out];
    const trine_elements a = {trine_outcome_elements(other, call, out), layout->stride};
    const trine_elements b = {trine_outcome_elements(first, call, out), layout->stride};
    trine_compare_exact(&difference, oracle->plan->op->tensors[out].name, layout->dtype,
                        layout->rank, layout->shape, a, b);
    if (difference.wrong)
        fail_with(result,
                  "a repeated run (%d threads, other poison) gave other bits, though the row is "
                  "deterministic: %s",
                  threads, difference.first);
}

void trine_judge_row(trine_oracle *oracle, const trine_row *row, trine_context *context,
                     uint32_t flags, trine_result *result)
{
    trine_target *target = oracle->target;
    const bool deterministic = row->flags & TRINE_ROW_DETERMINISTIC;
    const int threads[3] = {all_threads(), 1, all_threads() == 2 ? 3 : 2};
    trine_outcome outcome[3] = {0};
    char staged[512];
    trine_call call;
    trine_status status = TRINE_OK;

    *result = (trine_result){.verdict = TRINE_PASSED, .backend = row->backend};
    snprintf(result->row, sizeof result->row, "%s", row->name);
    if (!context) status = trine_target_force(target, oracle->plan->op->op, row->name, &context);
    if (!status)
        status = trine_call_create(&call, oracle->plan, oracle->data, context, target->device);
    if (status) {
        fail_with(result, "%s", trine_last_error());
        return;
    }
    for (int i = 0; i < 3 && result->verdict != TRINE_FAILED; i++) {
        const int poison = i == 1;
        set_threads(threads[i]);
        call.wild = i == 2;
        status = trine_call_run(&call, context, poison ? TRINE_POISON_NUMBER : TRINE_POISON_NAN,
                                flags, &outcome[i]);
        if (status) {
            fail_with(result, "%s", trine_last_error());
            break;
        }
        if (outcome[i].status) {
            fail_with(result, "%s: %s", trine_status_name(outcome[i].status), outcome[i].error);
            break;
        }
        if (outcome[i].damage[0]) fail_with(result, "%s", outcome[i].damage);
        trine_judge_outcome(oracle, row, &call, &outcome[i], poison, result);
        if (i == 0 && !trine_judge_staged(oracle, row, &call, &outcome[i], &result->staged, staged,
                                          sizeof staged))
            fail_with(result, "%s", staged);
        if (i > 0 && deterministic)
            compare_runs(oracle, &call, &outcome[0], &outcome[i], threads[i], result);
    }
    set_threads(all_threads());
    for (int i = 0; i < 3; i++) trine_outcome_destroy(&outcome[i]);
    trine_call_destroy(&call);
    if (result->verdict == TRINE_PASSED && result->comparison.compared == 0) {
        result->verdict = TRINE_SKIPPED;
        snprintf(result->reason, sizeof result->reason, "no output elements to compare");
    }
}
