// SPDX-License-Identifier: Apache-2.0
/* The staged check of a call: intermediates first, then out given them. */
#include "check/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool report_reason(const trine_staged_report *report, const trine_comparison *out,
                          char *reason, size_t size)
{
    if (report->codes_wrong || report->scales_wrong)
        snprintf(reason, size,
                 "stage 1: %" PRId64 " of %" PRId64 " codes and %" PRId64 " of %" PRId64
                 " scales are wrong: %s",
                 report->codes_wrong, report->codes, report->scales_wrong, report->scales,
                 report->first);
    else if (out->wrong)
        snprintf(reason, size, "stage 2: %" PRId64 " of %" PRId64 " elements are wrong: %s",
                 out->wrong, out->compared, out->first);
    else
        return true;
    return false;
}

bool trine_judge_staged(trine_oracle *oracle, const trine_row *row, const trine_call *call,
                        const trine_outcome *outcome, trine_staged *staged, char *reason,
                        size_t reason_size)
{
    const int index = oracle->bounded;
    trine_staged_report report = TRINE_STAGED_REPORT_INIT;
    const trine_bound_options options = {sizeof options, (int32_t)row->accumulation,
                                         (int32_t)row->combine, oracle->typical};
    bool good = true;

    reason[0] = 0;
    if (!(row->flags & TRINE_ROW_STAGED) || index < 0) return true;
    const trine_layout *layout = &oracle->plan->layout[index];
    const size_t count = (size_t)oracle->call.tensors[index].count;
    double *value = malloc((count + 1) * sizeof *value),
           *bound = malloc((count + 1) * sizeof *bound);
    trine_status status = value && bound ? trine_oracle_restore(oracle)
                                         : trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    if (!status)
        status = trine_op_staged(oracle->target->oracle, oracle->plan->op->op, &oracle->call.args,
                                 &options, trine_outcome_workspace(outcome, call),
                                 call->workspace_size, &report, value, bound);
    if (!status && count) {
        trine_staged made = {.calls = 1,
                             .codes = report.codes,
                             .codes_moved = report.codes_moved,
                             .codes_wrong = report.codes_wrong,
                             .scales = report.scales,
                             .scales_moved = report.scales_moved,
                             .scales_wrong = report.scales_wrong};
        const trine_elements got = {trine_outcome_elements(outcome, call, index), layout->stride};
        trine_compare_bounded(&made.out, oracle->plan->op->tensors[index].name, layout->dtype,
                              layout->rank, layout->shape, got, value, bound);
        good = report_reason(&report, &made.out, reason, reason_size);
        trine_staged_add(staged, &made);
    } else if (status && status != TRINE_UNSUPPORTED) { /* unsupported: the call has no stages */
        snprintf(reason, reason_size, "no staged check: %s", trine_last_error());
        good = false;
    }
    free(value);
    free(bound);
    return good;
}

void trine_staged_add(trine_staged *sum, const trine_staged *part)
{
    sum->calls += part->calls;
    sum->codes += part->codes;
    sum->codes_moved += part->codes_moved;
    sum->codes_wrong += part->codes_wrong;
    sum->scales += part->scales;
    sum->scales_moved += part->scales_moved;
    sum->scales_wrong += part->scales_wrong;
    sum->out.compared += part->out.compared;
    sum->out.wrong += part->out.wrong;
    if (part->out.used > sum->out.used) sum->out.used = part->out.used;
}

void trine_staged_print(const trine_staged *staged, char *text, size_t size)
{
    text[0] = 0;
    if (!staged->calls) return;
    snprintf(text, size,
             "staged: %ld calls, %" PRId64 " codes, %" PRId64 " one step off, %" PRId64
             " wrong; %" PRId64 " scales, %" PRId64 " moved, %" PRId64
             " wrong; stage 2 use %.2f of the bound",
             staged->calls, staged->codes, staged->codes_moved, staged->codes_wrong, staged->scales,
             staged->scales_moved, staged->scales_wrong, staged->out.used);
}
