// SPDX-License-Identifier: Apache-2.0
// The staged check through the public API: rows that are a little wrong between fused_moe's
// products are caught, rows that round otherwise are not.
#include <criterion/criterion.h>

#include "moe_case.h"
#include "reference/fused_moe_bound.h"
#include "reference/reference.h"

TestSuite(reference_staged, .fini = pool_clear);

/* ---------------------------------------------------------------- rows */

typedef enum defect {
    DEFECT_NONE,
    DEFECT_TWO_STEPS,  /* a code two steps off */
    DEFECT_ONE_STEP,   /* one step, where the interval holds no rounding boundary */
    DEFECT_BOUNDARY,   /* one step, where it holds one: no defect */
    DEFECT_SCALE_UP,   /* the float above the interval of a scale */
    DEFECT_SCALE_IN,   /* the upper end of a scale's interval: no defect */
    DEFECT_NAN_CODE,   /* a code that was not written */
    DEFECT_FOREIGN,    /* other ranks' slots hold anything: no defect */
    DEFECT_NO_EXPERT,  /* GEMM 2 of an expert is left out */
    DEFECT_LAST_COLUMN /* GEMM 2 leaves out A2's last column */
} defect;

static struct {
    defect defect;
    bool done; /* there was a place for it */
    int64_t slot, column;
} mutant;

static trine_bound_options options = {sizeof options, TRINE_ACCUMULATE_F32, TRINE_COMBINE_CLASS_F32,
                                      false};

/* A code whose value is `steps` steps further from zero, in a format of sign and magnitude or
 * int8; 0 when there is none. */
static uint8_t stepped(const trine_moe_gemm *g, uint8_t code, int steps)
{
    if (g->a.dtype == TRINE_I8)
        return (uint8_t)((int8_t)code + ((int8_t)code < 0 ? steps : -steps));
    uint8_t magnitude = code & 0x7f;
    return magnitude > steps ? (uint8_t)(code - steps) : 0;
}

static bool spoil_code(const trine_moe_gemm *g, const trine_moe_a2 *a2, int64_t at)
{
    uint8_t *code = (uint8_t *)g->a.data + at, own = *code;
    trine_interval i = a2->value[at];
    if (!(fabs(value_of_code(g->a.dtype, own)) >= 2.0)) return false;
    switch (mutant.defect) {
    case DEFECT_TWO_STEPS:
        *code = stepped(g, own, 2);
        return true;
    case DEFECT_ONE_STEP:
        if (i.lo != i.hi) return false;
        *code = stepped(g, own, 1);
        return true;
    case DEFECT_BOUNDARY:
        for (int steps = -1; steps <= 1; steps += 2) {
            double value = value_of_code(g->a.dtype, stepped(g, own, steps));
            if (!(i.lo <= value && value <= i.hi)) continue;
            *code = stepped(g, own, steps);
            return true;
        }
        return false;
    case DEFECT_NAN_CODE:
        *code = g->a.dtype == TRINE_E4M3FNUZ ? 0x80 : 0x7f;
        return true;
    default:
        return false;
    }
}

static bool spoil_scale(const trine_moe_gemm *g, const trine_moe_a2 *a2, int64_t slot)
{
    float *scale = (float *)g->a_scale.data + trine_at2(&g->a_scale, slot, a2->blocks - 1);
    float largest = (float)a2->scale[slot * a2->blocks + a2->blocks - 1].hi;
    *scale = mutant.defect == DEFECT_SCALE_UP ? nextafterf(largest, INFINITY) : largest;
    return true;
}

static void spoil(const trine_fused_moe_problem *p, void *workspace, const trine_moe_a2 *a2)
{
    trine_moe_gemm g = trine_moe_gemm_2(p, workspace);
    for (int64_t slot = p->slots - 1; slot >= 0 && !mutant.done; slot--) {
        bool here = trine_moe_slot_at(p, slot).expert >= 0;
        if (mutant.defect == DEFECT_FOREIGN && !here) {
            memset((uint8_t *)g.a.data + slot * g.k, 0x2a, (size_t)g.k);
            mutant.done = true;
        }
        if (!here) continue;
        if (mutant.defect == DEFECT_SCALE_UP || mutant.defect == DEFECT_SCALE_IN)
            mutant.done = spoil_scale(&g, a2, slot);
        for (int64_t i = 0; i < g.k && !mutant.done; i++) {
            mutant.done = spoil_code(&g, a2, slot * g.k + i);
            mutant.slot = slot;
            mutant.column = i;
        }
    }
}

/* The reference with the defect: what follows it is right. */
static trine_status launch(const trine_launch *l)
{
    trine_fused_moe_problem p = l->problem->fused_moe;
    trine_moe_a2 a2;
    trine_status status = trine_moe_bound_stage_1(&p, &options, l->workspace, &a2);
    if (status) return status;
    spoil(&p, l->workspace, &a2);
    trine_moe_a2_free(&a2);
    if (mutant.defect == DEFECT_NO_EXPERT) {
        /* An id of this rank that several tokens have: not on this rank as far as GEMM 2 sees. */
        trine_view ids = tensor2(TRINE_I32, p.tokens, p.k);
        for (int64_t i = 0; i < p.slots; i++) {
            double id = get(&p.topk_ids, i);
            mutant.done |= id == 1.0;
            set(&ids, i, id == 1.0 ? -1.0 : id);
        }
        p.topk_ids = ids;
    }
    if (mutant.defect == DEFECT_LAST_COLUMN) {
        /* What stays in the workspace is right: only the sums are not. */
        trine_moe_gemm g = trine_moe_gemm_2(&p, l->workspace);
        size_t size = (size_t)(p.slots * g.k);
        void *codes = pool_alloc(size);
        memcpy(codes, g.a.data, size);
        for (int64_t slot = 0; slot < p.slots; slot++)
            ((uint8_t *)g.a.data)[slot * g.k + g.k - 1] = 0;
        trine_moe_stage_2(&p, l->workspace);
        memcpy(g.a.data, codes, size);
        mutant.done = true;
        return TRINE_OK;
    }
    trine_moe_stage_2(&p, l->workspace);
    return TRINE_OK;
}

/* ---------------------------------------------------------------- calls */

typedef struct call {
    trine_fused_moe_problem p;
    DLTensor tensors[15];
    trine_fused_moe_args args;
    void *workspace;
    size_t workspace_size;
    double *value, *bound, *whole_value, *whole_bound;
    int64_t count, outside, outside_whole; /* elements of out */
    trine_staged_report report;
} call;

static const DLTensor *dl(call *c, int index, const trine_view *v)
{
    DLTensor *t = &c->tensors[index];
    if (v->rank < 0) return NULL;
    *t = (DLTensor){.data = v->data,
                    .device = {kDLCPU, 0},
                    .ndim = v->rank,
                    .dtype = trine_dtype_to_dl(v->dtype),
                    .shape = (int64_t *)(uintptr_t)v->shape,
                    .strides = (int64_t *)(uintptr_t)v->stride};
    return t;
}

static void make_args(call *c)
{
    trine_fused_moe_problem *p = &c->p;
    c->args = (trine_fused_moe_args)TRINE_FUSED_MOE_ARGS_INIT;
    c->args.x = dl(c, 0, &p->x);
    c->args.w1 = dl(c, 1, &p->w1);
    c->args.w2 = dl(c, 2, &p->w2);
    c->args.topk_weights = dl(c, 3, &p->topk_weights);
    c->args.topk_ids = dl(c, 4, &p->topk_ids);
    c->args.w1_scale = dl(c, 5, &p->w1_scale);
    c->args.w2_scale = dl(c, 6, &p->w2_scale);
    c->args.w1_zero = dl(c, 7, &p->w1_zero);
    c->args.w2_zero = dl(c, 8, &p->w2_zero);
    c->args.a1_scale = dl(c, 9, &p->a1_scale);
    c->args.a2_scale = dl(c, 10, &p->a2_scale);
    c->args.b1 = dl(c, 11, &p->b1);
    c->args.b2 = dl(c, 12, &p->b2);
    c->args.expert_map = dl(c, 13, &p->expert_map);
    c->args.out = dl(c, 14, &p->out);
    c->args.quantization = p->quantization;
    c->args.block_n = (int32_t)p->block_n;
    c->args.block_k = (int32_t)p->block_k;
    c->args.group_size = (int32_t)p->group_size;
    c->args.intermediate_rounding = p->intermediate_rounding;
}

static trine_context *make_context(void)
{
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    trine_context *context;
    params.ignore_environment = params.no_modules = true;
    cr_assert_eq(trine_context_create(&params, &context), TRINE_OK, "%s", trine_last_error());
    trine_row row = {.op = TRINE_OP_FUSED_MOE,
                     .backend = TRINE_BACKEND_HOST,
                     .name = "mutant",
                     .doc = "a defect",
                     .flags = TRINE_ROW_STAGED,
                     .accumulation = TRINE_ACCUMULATE_F32,
                     .launch = launch};
    cr_assert_eq(trine_context_add_rows(context, &row, 1), TRINE_OK, "%s", trine_last_error());
    return context;
}

static int64_t outside(const trine_view *out, const double *value, const double *bound)
{
    int64_t count = 0;
    for (int64_t i = 0; i < element_count(out); i++)
        count += !trine_within(get(out, i), value[i], bound[i], out->dtype);
    return count;
}

static void *unaligned_copy(const void *from, size_t size)
{
    return memcpy((char *)pool_alloc(size + 1) + 1, from, size);
}

/* Runs `defect` on a problem of `shape`, a small one if that has no sizes; judges it both ways. */
static void run(trine_context *context, const moe_case *shape, uint64_t seed, defect defect,
                call *c)
{
    rng r = {seed};
    void *unused;
    moe_case small = shape->tokens ? *shape : moe_small(*shape);
    *c = (call){.p = moe_problem(&small, &r, &unused)};
    trine_fused_moe_problem *p = &c->p;
    for (int64_t i = 0; i < p->slots; i++) set(&p->topk_ids, i, (double)(i % (p->experts + 1)));
    make_args(c);
    cr_assert_eq(trine_op_workspace_size(context, TRINE_OP_FUSED_MOE, &c->args, &c->workspace_size),
                 TRINE_OK, "%s", trine_last_error());
    char *memory = pool_alloc(c->workspace_size + TRINE_WORKSPACE_ALIGNMENT);
    c->workspace =
        memory + TRINE_WORKSPACE_ALIGNMENT - (uintptr_t)memory % TRINE_WORKSPACE_ALIGNMENT;
    memset(c->workspace, 0xff, c->workspace_size);
    mutant.defect = defect;
    mutant.done = false;
    trine_exec exec = TRINE_EXEC_INIT;
    exec.workspace = c->workspace;
    exec.workspace_size = c->workspace_size;
    cr_assert_eq(trine_op_run(context, &exec, TRINE_OP_FUSED_MOE, &c->args), TRINE_OK, "%s",
                 trine_last_error());
    c->count = element_count(&p->out);
    double *doubles = pool_alloc(4 * (size_t)c->count * sizeof *doubles);
    c->value = doubles;
    c->bound = doubles + c->count;
    c->whole_value = doubles + 2 * c->count;
    c->whole_bound = doubles + 3 * c->count;
    c->report = (trine_staged_report)TRINE_STAGED_REPORT_INIT;
    cr_assert_eq(trine_op_staged(context, TRINE_OP_FUSED_MOE, &c->args, &options,
                                 unaligned_copy(c->workspace, c->workspace_size), c->workspace_size,
                                 &c->report, c->value, c->bound),
                 TRINE_OK, "%s", trine_last_error());
    cr_assert_eq(trine_op_bound(context, TRINE_OP_FUSED_MOE, &c->args, &options, c->whole_value,
                                c->whole_bound),
                 TRINE_OK);
    c->outside = outside(&p->out, c->value, c->bound);
    c->outside_whole = outside(&p->out, c->whole_value, c->whole_bound);
}

static bool has_stages(const moe_case *c)
{
    return c->quantization >= TRINE_MOE_FP8_TENSOR && c->quantization <= TRINE_MOE_INT8_BLOCK;
}

/* ---------------------------------------------------------------- tests */

/* Rows that are right pass, and stage 2's bound is the narrower one. */
Test(reference_staged, right_rows_pass)
{
    trine_context *context = make_context();
    double narrow = 0.0, wide = 0.0;
    int modes = 0;
    for (int mode = 0; mode < MOE_MODES; mode++) {
        call c;
        if (!has_stages(&moe_modes[mode])) continue;
        for (int each = 0; each < 2; each++) {
            moe_case m = moe_modes[mode];
            m.rounding = each ? TRINE_ROUND_EACH : TRINE_ROUND_ONCE;
            m.bias = true;
            run(context, &m, (uint64_t)(20 + mode), DEFECT_NONE, &c);
            int64_t local = 0, blocks = 1;
            for (int64_t i = 0; i < c.p.slots; i++) local += get(&c.p.topk_ids, i) < 4.0;
            if (m.quantization == TRINE_MOE_FP8_BLOCK || m.quantization == TRINE_MOE_INT8_BLOCK)
                blocks = 2;
            cr_assert_lt(local, c.p.slots);
            cr_assert_eq(c.report.codes, local * c.p.intermediate);
            cr_assert_eq(c.report.scales, m.static_scales ? 0
                                          : m.quantization == TRINE_MOE_FP8_TENSOR
                                              ? 1
                                              : local * blocks);
            cr_assert_eq(c.report.codes_wrong + c.report.scales_wrong, 0, "mode %d: %s", mode,
                         c.report.first);
            cr_assert_eq(c.report.codes_moved + c.report.scales_moved, 0);
            cr_assert_eq(c.report.first[0], 0);
            cr_assert_eq(c.report.row, -1);
            cr_assert_eq(c.outside, 0, "mode %d", mode);
            for (int64_t i = 0; i < c.count; i++) {
                narrow += c.bound[i];
                wide += c.whole_bound[i];
            }
            modes++;
        }
    }
    cr_assert_eq(modes, 14);
    cr_assert_lt(narrow, 0.9 * wide);
    trine_context_destroy(&context);
}

/* Codes and scales that stage 1 must refuse; out follows from them, so stage 2 holds. */
Test(reference_staged, stage_1_catches)
{
    static const defect defects[] = {DEFECT_TWO_STEPS, DEFECT_ONE_STEP, DEFECT_SCALE_UP,
                                     DEFECT_NAN_CODE};
    trine_context *context = make_context();
    int caught[4] = {0}, missed_by_bound[4] = {0};
    for (int mode = 0; mode < MOE_MODES; mode++) {
        const moe_case *m = &moe_modes[mode];
        if (!has_stages(m)) continue;
        for (int d = 0; d < 4; d++) {
            call c;
            if (defects[d] == DEFECT_SCALE_UP && m->static_scales) continue;
            if (defects[d] == DEFECT_NAN_CODE && m->w == TRINE_I8) continue;
            run(context, m, (uint64_t)(40 + mode), defects[d], &c);
            cr_assert(mutant.done, "mode %d defect %d: no place for it", mode, d);
            cr_assert(c.report.first[0], "mode %d defect %d", mode, d);
            if (defects[d] == DEFECT_SCALE_UP) {
                cr_assert_geq(c.report.scales_wrong, 1, "mode %d", mode);
                cr_assert_eq(c.report.codes_wrong, 0);
            } else {
                cr_assert_eq(c.report.codes_wrong, 1, "mode %d defect %d: %s", mode, d,
                             c.report.first);
                cr_assert_eq(c.report.scales_wrong, 0);
                cr_assert_eq(c.report.row, mutant.slot);
                cr_assert_eq(c.report.column, mutant.column);
                cr_assert_neq(c.report.code, c.report.reference_code);
            }
            if (defects[d] != DEFECT_NAN_CODE) cr_assert_eq(c.outside, 0, "mode %d", mode);
            caught[d]++;
            missed_by_bound[d] += c.outside_whole == 0;
        }
    }
    for (int d = 0; d < 4; d++) cr_assert_geq(caught[d], 5, "defect %d", d);
    /* Scales are off by an ulp: the bound over both stages can't see it. */
    cr_assert_eq(missed_by_bound[2], caught[2]);
    trine_context_destroy(&context);
}

/* What the check is for: a bound over both stages that is wide enough for codes to move is too wide
 * to see one that moved without reason. */
Test(reference_staged, catches_what_the_bound_misses)
{
    trine_context *context = make_context();
    int caught = 0, missed_by_bound = 0;
    options.accumulation = TRINE_ACCUMULATE_HOPPER_FP8;
    options.typical = true; /* the data is smooth: one step, and no more */
    for (uint64_t seed = 100; seed < 108; seed++) {
        call c;
        moe_case m = moe_small(moe_modes[6]); /* fp8_block, bf16 */
        m.hidden = 256;
        m.intermediate = 128;
        m.block = 128;
        run(context, &m, seed, DEFECT_TWO_STEPS, &c);
        cr_assert(mutant.done);
        cr_assert_eq(c.report.codes_wrong, 1, "%s", c.report.first);
        cr_assert_eq(c.outside, 0);
        caught++;
        missed_by_bound += c.outside_whole == 0;
        run(context, &m, seed, DEFECT_NONE, &c);
        cr_assert_eq(c.report.codes_wrong + c.report.scales_wrong, 0, "%s", c.report.first);
        pool_clear();
    }
    options.accumulation = TRINE_ACCUMULATE_F32;
    options.typical = false;
    cr_assert_gt(missed_by_bound, caught / 2, "%d of %d", missed_by_bound, caught);
    trine_context_destroy(&context);
}

/* What is allowed is counted and not refused. */
Test(reference_staged, stage_1_allows)
{
    trine_context *context = make_context();
    int boundaries = 0, scales = 0, foreign = 0;
    for (int mode = 0; mode < MOE_MODES; mode++) {
        const moe_case *m = &moe_modes[mode];
        if (!has_stages(m)) continue;
        for (uint64_t seed = 60; seed < 68; seed++) {
            call c;
            run(context, m, seed, DEFECT_BOUNDARY, &c);
            cr_assert_eq(c.report.codes_wrong + c.report.scales_wrong, 0, "%s", c.report.first);
            cr_assert_eq(c.report.codes_moved, mutant.done);
            cr_assert_eq(c.outside, 0);
            boundaries += mutant.done;
            run(context, m, seed, DEFECT_FOREIGN, &c);
            cr_assert(mutant.done);
            cr_assert_eq(c.report.codes_wrong + c.report.scales_wrong, 0, "%s", c.report.first);
            cr_assert_eq(c.outside, 0);
            foreign++;
            if (m->static_scales) continue;
            run(context, m, seed, DEFECT_SCALE_IN, &c);
            cr_assert_eq(c.report.codes_wrong + c.report.scales_wrong, 0, "%s", c.report.first);
            cr_assert_eq(c.outside, 0);
            scales += c.report.scales_moved > 0;
            pool_clear();
        }
    }
    cr_assert_gt(boundaries, 0, "no interval held a boundary: nothing was tested");
    cr_assert_gt(scales, 0, "no scale had an interval: nothing was tested");
    cr_assert_gt(foreign, 0);
    trine_context_destroy(&context);
}

/* A second product that is not all there: its A2 is right, out is not. */
Test(reference_staged, stage_2_catches)
{
    static const defect defects[] = {DEFECT_NO_EXPERT, DEFECT_LAST_COLUMN};
    trine_context *context = make_context();
    int runs = 0;
    for (int mode = 0; mode < MOE_MODES; mode++)
        for (int d = 0; d < 2; d++) {
            call c;
            if (!has_stages(&moe_modes[mode])) continue;
            run(context, &moe_modes[mode], (uint64_t)(80 + mode), defects[d], &c);
            cr_assert(mutant.done);
            cr_assert_eq(c.report.codes_wrong + c.report.scales_wrong, 0, "%s", c.report.first);
            cr_assert_gt(c.outside, c.count / 8, "mode %d defect %d: %d of %d", mode, d,
                         (int)c.outside, (int)c.count);
            cr_assert_geq(c.outside, c.outside_whole, "mode %d defect %d", mode, d);
            runs++;
        }
    cr_assert_eq(runs, 14);
    trine_context_destroy(&context);
}

/* Calls that have no stages, and calls that are not right. */
Test(reference_staged, refusals)
{
    trine_context *context = make_context();
    call c;
    run(context, &moe_modes[6], 1, DEFECT_NONE, &c);
    trine_staged_report report = TRINE_STAGED_REPORT_INIT;
    const int32_t op = TRINE_OP_FUSED_MOE;
    const size_t size = c.workspace_size;
#define STAGED(context, op, args, options, workspace, size, report)                                \
    trine_op_staged(context, op, args, options, workspace, size, report, c.value, c.bound)
    cr_assert_eq(STAGED(NULL, op, &c.args, NULL, c.workspace, size, &report),
                 TRINE_INVALID_ARGUMENT);
    cr_assert_eq(STAGED(context, op, &c.args, NULL, c.workspace, size, NULL),
                 TRINE_INVALID_ARGUMENT);
    cr_assert(strstr(trine_last_error(), "report is NULL"));
    cr_assert_eq(STAGED(context, op, &c.args, NULL, NULL, size, &report),
                 TRINE_WORKSPACE_TOO_SMALL);
    cr_assert_eq(STAGED(context, op, &c.args, NULL, c.workspace, size - 1, &report),
                 TRINE_WORKSPACE_TOO_SMALL);
    report.struct_size = sizeof report + 1;
    cr_assert_eq(STAGED(context, op, &c.args, NULL, c.workspace, size, &report),
                 TRINE_ABI_MISMATCH);
    report.struct_size = 0;
    cr_assert_eq(STAGED(context, op, &c.args, NULL, c.workspace, size, &report),
                 TRINE_ABI_MISMATCH);
    /* A caller that knows less of the report gets that and no more. */
    memset(&report, 0x11, sizeof report);
    report.struct_size = offsetof(trine_staged_report, codes_moved);
    cr_assert_eq(STAGED(context, op, &c.args, NULL, c.workspace, size, &report), TRINE_OK);
    cr_assert_gt(report.codes, 0);
    cr_assert_eq(report.codes_moved, 0x1111111111111111);
    cr_assert_eq(report.struct_size, offsetof(trine_staged_report, codes_moved));
    trine_moe_sum_args sum = TRINE_MOE_SUM_ARGS_INIT;
    int64_t shape[3] = {2, 3, 4}, out_shape[2] = {2, 4};
    float y[24] = {0}, out[8];
    DLTensor y_dl = {y, {kDLCPU, 0}, 3, {kDLFloat, 32, 1}, shape, NULL, 0};
    DLTensor out_dl = {out, {kDLCPU, 0}, 2, {kDLFloat, 32, 1}, out_shape, NULL, 0};
    sum.y = &y_dl;
    sum.out = &out_dl;
    report.struct_size = sizeof report;
    cr_assert_eq(STAGED(context, TRINE_OP_MOE_SUM, &sum, NULL, c.workspace, size, &report),
                 TRINE_UNSUPPORTED, "%s", trine_last_error());
    cr_assert(strstr(trine_last_error(), "moe_sum has no stages"));
    for (int mode = 0; mode < MOE_MODES; mode++) {
        rng r = {5};
        void *unused;
        moe_case small = moe_small(moe_modes[mode]);
        if (has_stages(&small)) continue;
        c.p = moe_problem(&small, &r, &unused);
        if (small.w == TRINE_I8) { /* a scale per channel is f32 */
            c.p.w1_scale = tensor2(TRINE_F32, c.p.experts, c.p.n1);
            c.p.w2_scale = tensor2(TRINE_F32, c.p.experts, c.p.hidden);
        }
        make_args(&c);
        size_t needed = 0;
        cr_assert_eq(trine_op_workspace_size(context, op, &c.args, &needed), TRINE_OK, "%s",
                     trine_last_error());
        cr_assert_eq(STAGED(context, op, &c.args, NULL, pool_alloc(needed), needed, &report),
                     TRINE_UNSUPPORTED);
        cr_assert(strstr(trine_last_error(), "quantization is"), "%s", trine_last_error());
    }
    trine_context_destroy(&context);
}
