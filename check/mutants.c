// SPDX-License-Identifier: Apache-2.0
/* Deliberately broken kernels. */
#include "check/mutants.h"

#include "check/rng.h"
#include "check/tensor.h"
#include "check/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

static trine_view *view_of(trine_problem *problem, size_t offset)
{
    return (trine_view *)(void *)((char *)problem + offset);
}

static trine_layout layout_of(const trine_view *view)
{
    trine_layout layout = {.dtype = view->dtype, .rank = view->rank};

    memcpy(layout.shape, view->shape, sizeof layout.shape);
    memcpy(layout.stride, view->stride, sizeof layout.stride);
    return layout;
}

/* ---------------------------------------------------------------- defects of outputs */

/* An output before and after the reference wrote it. */
typedef struct output {
    trine_mutant *mutant;
    const trine_view *view;
    trine_layout layout;
    size_t width;
    int64_t count, extent;
    uint8_t *bytes; /* element 0 */
    uint8_t *old;   /* its extent as it was */
} output;

/* Is element i (row-major) one that the defect leaves unwritten? */
static bool left_out(const output *out, trine_defect defect, int64_t i, const trine_walk *walk)
{
    const int32_t rank = out->layout.rank, last = rank - 1;
    const int32_t row = rank > 1 ? rank - 2 : 0;

    switch (defect) {
    case TRINE_DEFECT_LAST_ROW:
        return rank > 0 && walk->index[row] == out->layout.shape[row] - 1;
    case TRINE_DEFECT_LAST_COLUMN:
        return rank > 0 && walk->index[last] == out->layout.shape[last] - 1;
    case TRINE_DEFECT_LAST_BLOCK:
        return i >= (out->count - 1) / 16 * 16;
    case TRINE_DEFECT_HALF_WAVE:
        return i % 64 >= 32;
    default:
        return false;
    }
}

/* One step toward (or away from) zero, for finite numbers that have one. */
static void step(trine_dtype dtype, uint8_t *element, bool away)
{
    const double value = trine_value_get(dtype, element);
    const uint32_t bits = trine_value_bits(dtype, element);

    if (!trine_value_is_float(dtype)) {
        trine_value_set_bits(dtype, element, bits + 1);
    } else if (isfinite(value) && (away || value != 0) &&
               !(away && fabs(value) >= trine_value_largest(dtype))) {
        trine_value_set_bits(dtype, element, away ? bits + 1 : bits - 1);
    }
}

static bool is_parallel(void)
{
#ifdef _OPENMP
    return omp_get_max_threads() > 1;
#else
    return false;
#endif
}

static void spoil_element(const output *out, trine_defect defect, int64_t i, uint8_t *element,
                          const uint8_t *old)
{
    const trine_dtype dtype = out->layout.dtype;
    const uint32_t was = trine_value_bits(dtype, element);
    const double value = trine_value_get(dtype, element), before = trine_value_get(dtype, old);
    const uint64_t random = trine_rng_at(99, (uint64_t)i);

    switch (defect) {
    case TRINE_DEFECT_ROUNDING:
        if (random % 8 == 0) step(dtype, element, false);
        break;
    case TRINE_DEFECT_RARE_STEP:
        if (random % 200 == 0) step(dtype, element, true);
        break;
    case TRINE_DEFECT_UNORDERED:
        if (i % 3 == 0 && out->mutant->launches % 2) step(dtype, element, true);
        break;
    case TRINE_DEFECT_THREADS:
        if (i % 3 == 0 && is_parallel()) step(dtype, element, true);
        break;
    case TRINE_DEFECT_NAN:
        if (isnan(value)) trine_value_set(dtype, element, 0);
        break;
    case TRINE_DEFECT_INFINITY:
        if (isinf(value))
            trine_value_set(dtype, element, copysign(trine_value_largest(dtype), value));
        break;
    case TRINE_DEFECT_NEGATIVE_ZERO:
        if (value == 0) trine_value_set(dtype, element, 0);
        break;
    case TRINE_DEFECT_STALE_OUTPUT:
        if (isfinite(before) && fabs(before) < 1e6) step(dtype, element, true);
        break;
    default:
        break;
    }
    out->mutant->chances += trine_value_bits(dtype, element) != was;
}

static void spoil_place(const output *out, trine_defect defect)
{
    const int32_t rank = out->layout.rank;
    uint8_t first[4], *at = out->bytes;

    switch (defect) {
    case TRINE_DEFECT_PAST_END:
        at += (size_t)out->extent * out->width;
        break;
    case TRINE_DEFECT_BEFORE_BEGIN:
        at -= out->width;
        break;
    case TRINE_DEFECT_BETWEEN_ROWS:
        if (rank < 2 || out->layout.stride[rank - 1] != 1 || out->layout.shape[rank - 2] < 2 ||
            out->layout.stride[rank - 2] <= out->layout.shape[rank - 1])
            return;
        at += (size_t)out->layout.shape[rank - 1] * out->width;
        break;
    case TRINE_DEFECT_SWAPPED:
        if (out->count < 2 || rank == 0 || out->layout.shape[rank - 1] < 2) return;
        memcpy(first, at, out->width);
        memcpy(at, at + (size_t)out->layout.stride[rank - 1] * out->width, out->width);
        memcpy(at + (size_t)out->layout.stride[rank - 1] * out->width, first, out->width);
        out->mutant->chances += memcmp(at, first, out->width) != 0;
        return;
    default:
        return;
    }
    memset(at, 0x77, out->width);
    out->mutant->chances++;
}

/* Elements from 2^12 on land where their offset without its high bits says. */
static void cut_offsets(const output *out)
{
    trine_walk walk = trine_walk_begin(&out->layout);
    uint8_t *all = malloc((size_t)out->extent * out->width + 1);

    if (!all) return;
    out->mutant->chances += out->extent > 4096;
    memcpy(all, out->bytes, (size_t)out->extent * out->width);
    for (int64_t i = 0; i < out->count; i++, trine_walk_next(&walk)) {
        const size_t at = (size_t)walk.offset * out->width;
        if (walk.offset >= 4096) memcpy(out->bytes + at, out->old + at, out->width);
    }
    walk = trine_walk_begin(&out->layout);
    for (int64_t i = 0; i < out->count; i++, trine_walk_next(&walk))
        memcpy(out->bytes + (size_t)(walk.offset & 4095) * out->width,
               all + (size_t)walk.offset * out->width, out->width);
    free(all);
}

static void spoil(const output *out, trine_defect defect)
{
    trine_walk walk = trine_walk_begin(&out->layout);

    if (out->count == 0) return;
    if (defect == TRINE_DEFECT_OFFSET_BITS) cut_offsets(out);
    for (int64_t i = 0; i < out->count; i++, trine_walk_next(&walk)) {
        const size_t at = (size_t)walk.offset * out->width;
        if (left_out(out, defect, i, &walk)) {
            memcpy(out->bytes + at, out->old + at, out->width);
            out->mutant->chances++;
        } else {
            spoil_element(out, defect, i, out->bytes + at, out->old + at);
        }
    }
    spoil_place(out, defect);
}

static trine_status run_and_spoil(trine_mutant *mutant, const trine_launch *launch,
                                  trine_problem *problem)
{
    const trine_view *view = view_of(problem, mutant->offset);
    output out = {.mutant = mutant, .view = view, .layout = layout_of(view), .bytes = view->data};
    trine_status status;

    if (view->rank < 0) return mutant->reference(launch);
    out.width = trine_dtype_size(view->dtype);
    out.extent = trine_layout_extent(&out.layout);
    out.count = 1;
    for (int32_t d = 0; d < view->rank; d++) out.count *= view->shape[d];
    out.old = malloc((size_t)out.extent * out.width + 1);
    if (!out.old) return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    memcpy(out.old, out.bytes, (size_t)out.extent * out.width);
    status = mutant->reference(launch);
    if (!status) spoil(&out, mutant->defect);
    free(out.old);
    return status;
}

/* ---------------------------------------------------------------- defects of problems */

static bool closer_rows(trine_view *view)
{
    for (int32_t d = view->rank - 2; d >= 0; d--) {
        if (view->shape[d] > 1 && view->stride[d] > 1) {
            view->stride[d]--;
            return true;
        }
    }
    return false;
}

static bool other_fp8(trine_view *view)
{
    const trine_dtype dtype = view->dtype;

    if (view->rank < 0 || (dtype != TRINE_E4M3FN && dtype != TRINE_E4M3FNUZ)) return false;
    view->dtype = dtype == TRINE_E4M3FN ? TRINE_E4M3FNUZ : TRINE_E4M3FN;
    return true;
}

static void change_field(const trine_mutant *mutant, trine_problem *problem)
{
    char *field = (char *)problem + mutant->offset;
    int64_t size = 0;
    int32_t choice = 0;
    float number;

    switch (mutant->defect) {
    case TRINE_DEFECT_LESS:
        memcpy(&size, field, sizeof size);
        if (size > 0) size--;
        memcpy(field, &size, sizeof size);
        break;
    case TRINE_DEFECT_CLEARED:
        memset(field, 0, mutant->size);
        break;
    case TRINE_DEFECT_FLIPPED:
        memcpy(&choice, field, mutant->size);
        choice = choice == 0 ? 1 : choice - 1; /* never past an enum's last word */
        memcpy(field, &choice, mutant->size);
        break;
    case TRINE_DEFECT_RECHOSEN:
        memcpy(&choice, field, mutant->size);
        if (choice != 0) choice = choice == 1 ? 2 : choice - 1;
        memcpy(field, &choice, mutant->size);
        break;
    case TRINE_DEFECT_SCALED:
        memcpy(&number, field, sizeof number);
        number *= 1.000001f;
        memcpy(field, &number, sizeof number);
        break;
    default:
        break;
    }
}

/* What the workspace held decides over one step of every third element of out. */
static trine_status stale_workspace(trine_mutant *mutant, const trine_launch *launch,
                                    trine_problem *problem)
{
    const bool stale = launch->workspace && *(const uint8_t *)launch->workspace == 0xFF;
    const trine_status status = mutant->reference(launch);
    const trine_view *view = view_of(problem, mutant->offset);
    const trine_layout layout = layout_of(view);
    trine_walk walk = trine_walk_begin(&layout);
    int64_t count = 1;

    for (int32_t d = 0; d < view->rank; d++) count *= view->shape[d];
    mutant->chances += launch->workspace_size > 0;
    for (int64_t i = 0; i < count && stale && !status; i++, trine_walk_next(&walk)) {
        if (i % 3 == 0)
            step(view->dtype,
                 (uint8_t *)view->data + (size_t)walk.offset * trine_dtype_size(view->dtype), true);
    }
    return status;
}

/* Changes the problem; says whether the reference will see another one. */
static bool change_problem(const trine_mutant *mutant, trine_problem *problem)
{
    trine_view *view = view_of(problem, mutant->offset);
    const trine_problem before = *problem;

    switch (mutant->defect) {
    case TRINE_DEFECT_OUTPUT_STRIDE:
    case TRINE_DEFECT_INPUT_STRIDE:
        return closer_rows(view);
    case TRINE_DEFECT_OTHER_FP8:
        return other_fp8(view);
    case TRINE_DEFECT_ABSENT:
        if (view->rank < 0) return false;
        view->data = NULL;
        view->rank = -1;
        return true;
    default:
        change_field(mutant, problem);
        return memcmp((const char *)&before + mutant->offset,
                      (const char *)problem + mutant->offset, mutant->size) != 0;
    }
}

static bool is_empty(const trine_view *view)
{
    for (int32_t d = 0; d < view->rank; d++)
        if (view->shape[d] == 0) return true;
    return false;
}

static bool changes_problem(trine_defect defect)
{
    return defect >= TRINE_DEFECT_LESS || defect == TRINE_DEFECT_OUTPUT_STRIDE ||
           defect == TRINE_DEFECT_INPUT_STRIDE || defect == TRINE_DEFECT_OTHER_FP8;
}

static trine_status launch_mutant(const trine_launch *launch)
{
    /* The row's name is its mutant's first member, and mutants are ours to write. */
    trine_mutant *mutant = (trine_mutant *)(uintptr_t)launch->row->name;
    trine_problem problem = *launch->problem;
    trine_launch changed = *launch;
    trine_view *view = view_of(&problem, mutant->offset);
    trine_status status;

    changed.problem = &problem;
    mutant->launches++;
    if (changes_problem(mutant->defect)) {
        mutant->chances += change_problem(mutant, &problem);
        return mutant->reference(&changed);
    }
    switch (mutant->defect) {
    case TRINE_DEFECT_NONE:
        return mutant->reference(launch);
    case TRINE_DEFECT_INPUT_CHANGED:
        status = mutant->reference(launch);
        if (view->rank < 0 || !view->data || is_empty(view)) return status;
        *(uint8_t *)view->data ^= 0x40;
        mutant->chances++;
        return status;
    case TRINE_DEFECT_STALE_WORKSPACE:
        return stale_workspace(mutant, launch, &problem);
    case TRINE_DEFECT_WORKSPACE_OVERRUN:
        status = mutant->reference(launch);
        if (launch->workspace_size == 0) return status;
        ((uint8_t *)launch->workspace)[launch->workspace_size] ^= 0x40;
        mutant->chances++;
        return status;
    default:
        return run_and_spoil(mutant, &changed, &problem);
    }
}

bool trine_row_is_mutant(const trine_row *row)
{
    return row->launch == launch_mutant;
}

/* ---------------------------------------------------------------- the set */

static const char *const defect_names[TRINE_DEFECT_COUNT] = {
    "control",       "last_row",      "last_column",     "last_block",
    "half_wave",     "rounding",      "rare_step",       "nan",
    "infinity",      "negative_zero", "swapped",         "offset_bits",
    "stale_output",  "past_end",      "before_begin",    "between_rows",
    "unordered",     "threads",       "output_stride",   "input_stride",
    "input_changed", "other_fp8",     "stale_workspace", "workspace_overrun",
    "less",          "flipped",       "rechosen",        "scaled",
    "cleared",       "absent"};

static void add(trine_mutants *set, const trine_row *reference, trine_defect defect,
                const trine_problem_field *field)
{
    trine_mutant *mutant = &set->mutants[set->count];
    trine_row *row = &set->rows[set->count];

    *mutant = (trine_mutant){.op = reference->op,
                             .defect = defect,
                             .offset = field ? field->offset : 0,
                             .size = field ? field->size : 0,
                             .reference = reference->launch};
    snprintf(mutant->name, sizeof mutant->name, "%s%s%s", defect_names[defect], field ? ":" : "",
             field ? field->name : "");
    *row = *reference;
    row->name = mutant->name;
    row->doc = "deliberately broken";
    row->flags = TRINE_ROW_DETERMINISTIC;
    row->launch = launch_mutant;
    row->prepare = NULL;
    set->count++;
}

/* Elements of a lower dimension than two have no rows to be apart; integers no NaN; a bound
 * tells neither zeros apart nor overflow from the largest number; fp8_convert looks at w's bytes
 * alone. */
static bool makes_sense(const trine_op_description *op, const trine_tensor_description *tensor,
                        const trine_problem_field *field, trine_defect defect)
{
    const uint32_t floats =
        TRINE_DTYPE_BIT(TRINE_F32) | TRINE_DTYPE_BIT(TRINE_F16) | TRINE_DTYPE_BIT(TRINE_BF16);
    const uint32_t narrow = TRINE_DTYPE_BIT(TRINE_E4M3FN) | TRINE_DTYPE_BIT(TRINE_E4M3FNUZ) |
                            TRINE_DTYPE_BIT(TRINE_E5M2);
    const bool rows = strchr(tensor->shape, ',') != NULL;
    const bool real = tensor->domain == TRINE_DOMAIN_REAL;

    switch (defect) {
    case TRINE_DEFECT_NAN:
        return (real || tensor->domain == TRINE_DOMAIN_CODE) && tensor->dtypes & (floats | narrow);
    case TRINE_DEFECT_INFINITY:
    case TRINE_DEFECT_NEGATIVE_ZERO:
        return real && tensor->dtypes & floats && !op->bounded;
    case TRINE_DEFECT_BETWEEN_ROWS:
        return rows;
    case TRINE_DEFECT_OUTPUT_STRIDE:
    case TRINE_DEFECT_INPUT_STRIDE:
        return rows && field->kind != TRINE_FIELD_FLAT;
    case TRINE_DEFECT_OTHER_FP8:
        return tensor->dtypes & narrow && op->op != TRINE_OP_FP8_CONVERT;
    default:
        return true;
    }
}

static void add_view(trine_mutants *set, const trine_row *reference, const trine_op_description *op,
                     const trine_problem_field *field, bool first_output)
{
    const trine_tensor_description *tensor = NULL;

    for (int i = 0; i < op->tensor_count; i++) {
        if (strcmp(op->tensors[i].name, field->name) == 0) tensor = &op->tensors[i];
    }
    if (!tensor) return;
    if (tensor->role == TRINE_OUT) {
        for (int d = TRINE_DEFECT_LAST_ROW; d <= TRINE_DEFECT_OUTPUT_STRIDE; d++) {
            if (makes_sense(op, tensor, field, (trine_defect)d))
                add(set, reference, (trine_defect)d, field);
        }
        if (first_output) {
            add(set, reference, TRINE_DEFECT_STALE_WORKSPACE, field);
            add(set, reference, TRINE_DEFECT_WORKSPACE_OVERRUN, field);
        }
        return;
    }
    for (int d = TRINE_DEFECT_INPUT_STRIDE; d <= TRINE_DEFECT_OTHER_FP8; d++) {
        if (makes_sense(op, tensor, field, (trine_defect)d))
            add(set, reference, (trine_defect)d, field);
    }
    if (tensor->optional && field->kind != TRINE_FIELD_NEEDED)
        add(set, reference, TRINE_DEFECT_ABSENT, field);
}

trine_status trine_mutants_create(trine_mutants *set, const trine_context *context, int32_t op)
{
    static const trine_defect by_kind[] = {[TRINE_FIELD_SIZE] = TRINE_DEFECT_LESS,
                                           [TRINE_FIELD_STRIDE] = TRINE_DEFECT_CLEARED,
                                           [TRINE_FIELD_CHOICE] = TRINE_DEFECT_FLIPPED,
                                           [TRINE_FIELD_FORM] = TRINE_DEFECT_RECHOSEN,
                                           [TRINE_FIELD_NUMBER] = TRINE_DEFECT_SCALED};
    const trine_row *row, *reference = NULL;
    bool first_output = true;

    memset(set, 0, sizeof *set);
    for (size_t i = 0; (row = trine_row_at(context, op, i)) != NULL; i++) {
        if (row->flags & TRINE_ROW_REFERENCE) reference = row;
    }
    if (!reference || !reference->launch)
        return trine_fail(TRINE_UNSUPPORTED, "op %d has no reference", op);
    const size_t most = 1 + trine_problem_field_count * TRINE_DEFECT_COUNT;
    set->mutants = calloc(most, sizeof *set->mutants);
    set->rows = calloc(most, sizeof *set->rows);
    if (!set->mutants || !set->rows) {
        trine_mutants_destroy(set);
        return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
    }
    add(set, reference, TRINE_DEFECT_NONE, NULL);
    for (size_t i = 0; i < trine_problem_field_count; i++) {
        const trine_problem_field *field = &trine_problem_fields[i];
        const trine_op_description *description = trine_op_describe(op);
        if (field->op != op) continue;
        if (field->kind > TRINE_FIELD_NEEDED) {
            add(set, reference, by_kind[field->kind], field);
            continue;
        }
        const int tensors = description->tensor_count;
        bool output = false;
        for (int t = 0; t < tensors; t++)
            output |= description->tensors[t].role == TRINE_OUT &&
                      strcmp(description->tensors[t].name, field->name) == 0;
        add_view(set, reference, description, field, output && first_output);
        if (output) first_output = false;
    }
    return TRINE_OK;
}

void trine_mutants_destroy(trine_mutants *set)
{
    free(set->mutants);
    free(set->rows);
    memset(set, 0, sizeof *set);
}
