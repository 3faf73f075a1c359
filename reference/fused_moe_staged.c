// SPDX-License-Identifier: Apache-2.0
/*
 * The staged check of a kernel that quantizes activations: stage 1 compares the codes and scales
 * of A2 that it left, stage 2 bounds out given them. One bound over both is wide, because there
 * every code may move.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference/fused_moe_bound.h"
#include "reference/reference.h"

/* The first failure is the one that is told. */
static void tell(trine_staged_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(trine_staged_report *report, const char *format, ...)
{
    va_list arguments;
    if (report->first[0]) return;
    va_start(arguments, format);
    vsnprintf(report->first, sizeof report->first, format, arguments);
    va_end(arguments);
}

static void compare_scale(float got, float own, trine_interval allowed, int64_t slot, int64_t block,
                          trine_staged_report *report)
{
    report->scales++;
    if (got == own) return;
    if (allowed.lo <= got && got <= allowed.hi) {
        report->scales_moved++;
        return;
    }
    report->scales_wrong++;
    tell(report,
         "scale of slot %" PRId64 ", block %" PRId64
         " is %.9g, the reference's %.9g; %.9g to %.9g is allowed",
         slot, block, (double)got, (double)own, allowed.lo, allowed.hi);
}

static void compare_code(trine_dtype dtype, uint8_t got, uint8_t own, trine_interval allowed,
                         bool typical, int64_t slot, int64_t column, trine_staged_report *report)
{
    report->codes++;
    /* Nothing may move where nothing is known: the same value, zeros of both signs included. */
    if (trine_moe_a2_allowed(dtype, got, own, trine_point(NAN), typical)) return;
    if (trine_moe_a2_allowed(dtype, got, own, allowed, typical)) {
        report->codes_moved++;
        return;
    }
    if (report->codes_wrong++ == 0) {
        report->row = slot;
        report->column = column;
        report->code = got;
        report->reference_code = own;
    }
    tell(report,
         "code of slot %" PRId64 ", column %" PRId64
         " is 0x%02x, the reference's 0x%02x; values %g to %g are allowed",
         slot, column, got, own, allowed.lo, allowed.hi);
}

/* `own`: the reference's workspace after stage 1, `got` the kernel's. */
static void compare(const trine_fused_moe_problem *p, void *own, const char *got,
                    const trine_moe_a2 *a2, bool typical, trine_staged_report *report)
{
    trine_moe_gemm g = trine_moe_gemm_2(p, own);
    bool tensor = p->quantization == TRINE_MOE_FP8_TENSOR;
    /* Not where the caller gave it, nor where it scales nothing. */
    bool scaled = p->a2_scale.rank < 0 && a2->columns > 0;
    const uint8_t *codes = (const uint8_t *)got + p->workspace.a2, *own_codes = g.a.data;
    for (int64_t slot = 0; slot < p->slots; slot++) {
        if (trine_moe_slot_at(p, slot).expert < 0) continue;
        for (int64_t b = 0; b < a2->blocks && scaled; b++) {
            int64_t at = trine_at2(&g.a_scale, slot, b);
            float scale;
            if (tensor && report->scales) break; /* one for all */
            memcpy(&scale, got + p->workspace.a2_scale + (size_t)at * sizeof scale, sizeof scale);
            compare_scale(scale, trine_load_f32(&g.a_scale, at), a2->scale[slot * a2->blocks + b],
                          slot, b, report);
        }
        for (int64_t i = slot * a2->columns; i < (slot + 1) * a2->columns; i++)
            compare_code(g.a.dtype, codes[i], own_codes[i], a2->value[i], typical, slot,
                         i - slot * a2->columns, report);
    }
}

/* The kernel's A2 becomes that of `own`. */
static void take(const trine_fused_moe_problem *p, char *own, const char *got)
{
    trine_moe_gemm g = trine_moe_gemm_2(p, own);
    const trine_fused_moe_workspace *at = &p->workspace;
    int64_t scales = p->quantization == TRINE_MOE_FP8_TENSOR ? 1 : p->slots * g.blocks;
    memcpy(own + at->a2, got + at->a2, (size_t)(p->slots * g.k));
    if (p->a2_scale.rank < 0)
        memcpy(own + at->a2_scale, got + at->a2_scale, (size_t)scales * sizeof(float));
}

trine_status trine_staged_fused_moe(const trine_fused_moe_problem *p,
                                    const trine_bound_options *options, const void *workspace,
                                    trine_staged_report *report, double *value, double *bound)
{
    trine_moe_a2 a2;
    char *own = malloc(p->workspace.size + 1);
    if (!own)
        return trine_fail(TRINE_OUT_OF_MEMORY,
                          "fused_moe: no memory for the staged check's workspace of %zu bytes",
                          p->workspace.size);
    trine_status status = trine_moe_bound_stage_1(p, options, own, &a2);
    if (status == TRINE_OK) {
        compare(p, own, workspace, &a2, options->typical, report);
        trine_moe_a2_free(&a2);
        take(p, own, workspace);
        status = trine_moe_a2_of_workspace(p, own, &a2);
    }
    if (status == TRINE_OK) {
        trine_moe_bound_stage_2(p, options, own, &a2, value, bound);
        trine_moe_a2_free(&a2);
    }
    free(own);
    return status;
}
