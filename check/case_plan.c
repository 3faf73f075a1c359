// SPDX-License-Identifier: Apache-2.0
/* From choices to a call. */
#include "check/case_plan.h"

#include "check/dims.h"
#include "check/hints.h"
#include "check/rng.h"

#include <stdio.h>
#include <string.h>

static int choice_of(const trine_cases *cases, const trine_case *entry, trine_factor_kind kind,
                     int index, int missing)
{
    for (int f = 0; f < cases->factor_count; f++) {
        if (cases->factors[f].kind == kind && cases->factors[f].index == index)
            return entry->choice[f];
    }
    return missing;
}

static bool set_params(const trine_cases *cases, trine_case *entry)
{
    char text[64];

    for (int f = 0; f < cases->factor_count; f++) {
        const trine_factor *factor = &cases->factors[f];
        if (factor->kind != TRINE_FACTOR_PARAM) continue;
        const trine_param_description *param = &cases->op->params[factor->index];
        if (param->type == TRINE_PARAM_FLOAT)
            snprintf(text, sizeof text, "%.17g", factor->values[entry->choice[f]]);
        else
            trine_choice_name(cases, f, entry->choice[f], text, sizeof text);
        if (trine_args_set_param(cases->op->op, &entry->plan.args, param->name, text)) return false;
    }
    return true;
}

/* ---------------------------------------------------------------- sizes */

static int64_t size_of_class(const trine_size_hint *hint, int class, trine_rng *rng)
{
    uint64_t count = 0, odd = 0;

    while (count < 15 && hint->sizes[count]) odd += hint->sizes[count++] & 1;
    const uint64_t third = count / 3 ? count / 3 : 1;
    switch (class) {
    case TRINE_SIZE_SMALL:
        return hint->sizes[trine_rng_draw(rng, third)];
    case TRINE_SIZE_LARGE:
        return hint->sizes[count - 1 - trine_rng_draw(rng, third)];
    case TRINE_SIZE_ODD:
        for (uint64_t nth = odd ? trine_rng_draw(rng, odd) : 0, i = 0; odd && i < count; i++) {
            if (hint->sizes[i] & 1 && nth-- == 0) return hint->sizes[i];
        }
        break;
    default:
        break;
    }
    return hint->sizes[trine_rng_draw(rng, count)];
}

/* A size for each letter but `kept`; `cap`, which an earlier shape bounds from below, comes later.
 */
static void draw_sizes(const trine_cases *cases, trine_case *entry, int class, size_t kept,
                       trine_rng *rng, trine_dims *dims)
{
    const uint64_t empty = trine_rng_draw(rng, dims->count ? dims->count : 1);
    for (size_t i = 0; i < dims->count; i++) {
        const trine_size_hint *hint = trine_size_hint_of(cases->op->op, dims->names[i]);
        /* A large case is large in some letters only: the rest keeps it affordable. */
        const int own = class == TRINE_SIZE_LARGE && trine_rng_draw(rng, 2) ? TRINE_SIZE_TILE
                        : class == TRINE_SIZE_EMPTY                         ? TRINE_SIZE_SMALL
                                                                            : class;
        int64_t size = size_of_class(hint, own, rng);
        if (strcmp(dims->names[i], "cap") == 0 || i == kept) continue;
        if (hint->unit) size *= (int64_t)trine_plan_number(&entry->plan, hint->unit);
        if (hint->limit) {
            const int64_t limit = trine_dims_get(dims, hint->limit) / hint->divide;
            if (size > limit) size = limit;
        }
        if (class == TRINE_SIZE_EMPTY && i == empty) size = 0;
        dims->values[i] = size;
    }
}

/* Sizes by the case's class; `modest`: small ones around the largest. */
static void set_sizes(const trine_cases *cases, trine_case *entry, bool modest, trine_rng *rng,
                      trine_dims *dims)
{
    size_t largest = 0;

    trine_dims_of_op(cases->op, dims);
    draw_sizes(cases, entry, choice_of(cases, entry, TRINE_FACTOR_SIZE, 0, 0), SIZE_MAX, rng, dims);
    for (size_t i = 1; i < dims->count; i++)
        if (dims->values[i] > dims->values[largest]) largest = i;
    if (modest) draw_sizes(cases, entry, TRINE_SIZE_SMALL, largest, rng, dims);
}

/* Number of the factor of that kind; -1 if there is none. */
static int factor_of(const trine_cases *cases, trine_factor_kind kind, int index)
{
    for (int f = 0; f < cases->factor_count; f++) {
        if (cases->factors[f].kind == kind && cases->factors[f].index == index) return f;
    }
    return -1;
}

/* The same of a param's factor. */
static int factor_of_param(const trine_cases *cases, const char *name)
{
    for (int f = 0; f < cases->factor_count; f++) {
        if (cases->factors[f].kind == TRINE_FACTOR_PARAM && !strcmp(cases->factors[f].name, name))
            return f;
    }
    return -1;
}

/* The least value of a param that is 16 or more, unless it is pinned. */
static void take_least_unit(const trine_cases *cases, trine_case *entry, const bool *pinned,
                            const char *param)
{
    const int f = factor_of_param(cases, param);
    char text[32];

    if (f < 0) return;
    const trine_factor *factor = &cases->factors[f];
    for (int c = 0; c < factor->count && !pinned[f]; c++) {
        if (factor->values[c] >= 16 && factor->values[c] < factor->values[entry->choice[f]])
            entry->choice[f] = (uint8_t)c;
    }
    snprintf(text, sizeof text, "%.0f", factor->values[entry->choice[f]]);
    (void)trine_args_set_param(cases->op->op, &entry->plan.args, param, text);
}

/* A letter of more than 2^16 units is affordable only where the unit and all other letters are as
 * small as they may be. (Units below 16 stand for a whole row.) */
static void bend_to_length(const trine_cases *cases, trine_case *entry, const bool *pinned,
                           trine_dims *dims)
{
    for (size_t i = 0; i < dims->count; i++) {
        const trine_size_hint *hint = trine_size_hint_of(cases->op->op, dims->names[i]);
        const int64_t unit =
            hint->unit ? (int64_t)trine_plan_number(&entry->plan, hint->unit) : INT64_MAX;
        if (dims->values[i] / unit <= 65536) continue;
        take_least_unit(cases, entry, pinned, hint->unit);
        dims->values[i] =
            dims->values[i] / unit * (int64_t)trine_plan_number(&entry->plan, hint->unit);
        for (size_t j = 0; j < dims->count; j++)
            if (j != i && dims->values[j] > 0)
                dims->values[j] = trine_size_hint_of(cases->op->op, dims->names[j])->sizes[0];
    }
}

/* Lets a letter that is still free be a little above what the first form of the tensor needs, or
 * far: then there is more to fill than a grid has threads. */
static void complete_sizes(trine_case *entry, int tensor, trine_rng *rng, trine_dims *dims)
{
    if (!strstr(entry->plan.op->tensors[tensor].shape, "cap") ||
        !trine_dims_shape(&entry->plan, dims, tensor, 0))
        return;
    const uint64_t above = trine_rng_draw(rng, 4) ? 40 : 6000;
    for (size_t i = 0; i < dims->count; i++) {
        if (strcmp(dims->names[i], "cap") == 0)
            dims->values[i] =
                entry->plan.layout[tensor].shape[0] + (int64_t)trine_rng_draw(rng, above);
    }
}

/* ---------------------------------------------------------------- layouts */

static int64_t next_prime(int64_t n)
{
    for (n = n < 3 ? 3 : n | 1;; n += 2) {
        bool prime = true;
        for (int64_t d = 3; d * d <= n && prime; d += 2) prime = n % d != 0;
        if (prime) return n;
    }
}

/* Rows apart by a prime, so that no power of two hides a wrong stride; the innermost stride stays
 * 1 where it must, and half of the time where it need not. */
static void stride_apart(trine_layout *layout, bool inner_contiguous, trine_rng *rng)
{
    int64_t stride =
        inner_contiguous || trine_rng_draw(rng, 2) ? 1 : 2 + (int64_t)trine_rng_draw(rng, 2);

    for (int32_t d = layout->rank - 1; d >= 0; d--) {
        layout->stride[d] = stride;
        stride = next_prime(stride * (layout->shape[d] > 0 ? layout->shape[d] : 1) + 1);
    }
}

/* Dense rows that begin at odd multiples of 16 bytes: what kernels with 16-byte accesses take. */
static void pitch_rows(trine_layout *layout, trine_rng *rng)
{
    const int64_t unit = 16 / (int64_t)trine_dtype_size(layout->dtype);
    int64_t stride = 1;

    for (int32_t d = layout->rank - 1; d >= 0; d--) {
        layout->stride[d] = stride;
        stride *= layout->shape[d] > 0 ? layout->shape[d] : 1;
        stride = ((stride + unit - 1) / unit + (int64_t)trine_rng_draw(rng, 4)) | 1;
        stride *= unit;
    }
}

/* Where a dimension has one element its stride means nothing: it may be beyond 32 bits. */
static void stray(trine_layout *layout, bool inner_contiguous, trine_rng *rng)
{
    for (int32_t d = 0; d < layout->rank - (inner_contiguous ? 1 : 0); d++) {
        if (layout->shape[d] == 1 && trine_rng_draw(rng, 2))
            layout->stride[d] = (INT64_C(1) << 33) + 1;
    }
}

static void lay_out(const trine_cases *cases, trine_case *entry, trine_rng *rng)
{
    const int every = choice_of(cases, entry, TRINE_FACTOR_LAYOUT, 0, 0);
    /* Kernels look at their inputs' layout to choose a way, and may forget the outputs'. */
    static const int apart[] = {TRINE_LAYOUT_STRIDED, TRINE_LAYOUT_MISALIGNED, TRINE_LAYOUT_BOTH};
    const int outputs = every == TRINE_LAYOUT_OUTPUTS ? apart[trine_rng_draw(rng, 3)] : every;
    const int inputs = every == TRINE_LAYOUT_OUTPUTS ? TRINE_LAYOUT_PITCHED : every;

    trine_plan_arrange(&entry->plan);
    for (int i = 0; i < cases->op->tensor_count; i++) {
        trine_layout *layout = &entry->plan.layout[i];
        const trine_tensor_description *tensor = &cases->op->tensors[i];
        const int class = tensor->role == TRINE_OUT ? outputs : inputs;
        const bool strided = class == TRINE_LAYOUT_STRIDED || class == TRINE_LAYOUT_BOTH;
        const bool misaligned = class == TRINE_LAYOUT_MISALIGNED || class == TRINE_LAYOUT_BOTH;
        if (!entry->plan.present[i]) continue;
        /* A layout that a param decides is what it is. */
        const bool fixed = !trine_layout_is_contiguous(layout) ||
                           (strcmp(tensor->name, "scale") == 0 &&
                            trine_plan_param(cases->op, "scale_layout") >= 0 &&
                            !trine_plan_is(&entry->plan, "scale_layout", "row"));
        layout->implicit = class == TRINE_LAYOUT_PACKED && trine_layout_is_contiguous(layout);
        if (strided && !fixed) stride_apart(layout, tensor->inner_contiguous, rng);
        if (class == TRINE_LAYOUT_PITCHED && !fixed) pitch_rows(layout, rng);
        if (class != TRINE_LAYOUT_PACKED && !fixed) stray(layout, tensor->inner_contiguous, rng);
        if (misaligned) {
            static const size_t offsets[] = {1, 1, 2, 4, 8};
            layout->misalignment =
                offsets[trine_rng_draw(rng, 5)] * trine_dtype_size(layout->dtype);
        }
        if (class == TRINE_LAYOUT_BROADCAST && tensor->role == TRINE_IN && !fixed &&
            layout->rank > 0) {
            const int32_t d = (int32_t)trine_rng_draw(rng, (uint64_t)layout->rank);
            if (d < layout->rank - 1 || !tensor->inner_contiguous) layout->stride[d] = 0;
        }
    }
}

/* ---------------------------------------------------------------- the call */

static bool set_dtype(const trine_cases *cases, trine_case *entry, int index)
{
    const trine_tensor_description *tensor = &cases->op->tensors[index];
    const int choice = choice_of(cases, entry, TRINE_FACTOR_DTYPE, index, -1);
    double value = -1;

    for (int f = 0; f < cases->factor_count && choice >= 0; f++) {
        if (cases->factors[f].kind == TRINE_FACTOR_DTYPE && cases->factors[f].index == index)
            value = cases->factors[f].values[choice];
    }
    if (value < 0) {
        const int other =
            tensor->same_dtype ? trine_plan_tensor(cases->op, tensor->same_dtype) : -1;
        if (other < 0) return false;
        /* Of a later tensor (a bias like out), the dtype is that tensor's choice. */
        if (other > index && !set_dtype(cases, entry, other)) return false;
        value = entry->plan.layout[other].dtype;
    }
    entry->plan.layout[index].dtype = (trine_dtype)value;
    return true;
}

/* Should the tensor be there? Bends the choice to what the call needs; false when it is pinned. */
static bool decide_presence(const trine_cases *cases, trine_case *entry, int index,
                            const trine_dims *dims, const bool *pinned, bool *present)
{
    const int factor = factor_of(cases, TRINE_FACTOR_HAS, index);
    trine_need need;

    if (trine_dims_need(&entry->plan, dims, index, &need)) return false;
    *present = need == TRINE_NEED_REQUIRED || (need == TRINE_NEED_OPTIONAL && factor < 0) ||
               (need == TRINE_NEED_OPTIONAL && entry->choice[factor]);
    if (factor < 0 || entry->choice[factor] == *present) return true;
    entry->choice[factor] = *present;
    return !pinned[factor];
}

static bool set_tensor(const trine_cases *cases, trine_case *entry, int index, trine_rng *rng,
                       trine_dims *dims, const bool *pinned)
{
    const int form = factor_of(cases, TRINE_FACTOR_FORM, index);
    bool present;

    if (!decide_presence(cases, entry, index, dims, pinned, &present)) return false;
    if (!present) return true;
    complete_sizes(entry, index, rng, dims);
    if (!trine_dims_shape(&entry->plan, dims, index, form < 0 ? 0 : entry->choice[form])) {
        if (form < 0 || pinned[form] || !trine_dims_shape(&entry->plan, dims, index, 0))
            return false;
        entry->choice[form] = 0;
    }
    entry->plan.present[index] = true;
    return true;
}

static bool set_dtypes(const trine_cases *cases, trine_case *entry)
{
    for (int i = 0; i < cases->op->tensor_count; i++) {
        if (entry->plan.present[i] && !set_dtype(cases, entry, i)) return false;
    }
    return true;
}

/* Draws other dtypes until the call takes them. */
static bool bend_dtypes(const trine_cases *cases, trine_case *entry, const bool *pinned,
                        trine_rng *rng)
{
    enum { TRIES = 60 };
    trine_status status = TRINE_INVALID_DTYPE;

    for (int i = 0; i < TRIES && status == TRINE_INVALID_DTYPE; i++) {
        const int f = (int)trine_rng_draw(rng, (uint64_t)cases->factor_count);
        const trine_factor *factor = &cases->factors[f];
        if (i > 0 && (factor->kind != TRINE_FACTOR_DTYPE || pinned[f])) continue;
        if (i > 0) entry->choice[f] = (uint8_t)trine_rng_draw(rng, (uint64_t)factor->count);
        if (!set_dtypes(cases, entry)) return false;
        status = trine_plan_validate(&entry->plan, cases->context, (DLDevice){kDLCPU, 0}, NULL);
    }
    return status == TRINE_OK;
}

/* Do two elements lie at one address? */
static bool overlaps_itself(const trine_layout *layout)
{
    for (int32_t d = 0; d < layout->rank; d++) {
        if (layout->shape[d] > 1 && layout->stride[d] == 0) return true;
    }
    return false;
}

static bool set_in_place(const trine_cases *cases, trine_case *entry)
{
    bool any = false;

    if (!choice_of(cases, entry, TRINE_FACTOR_IN_PLACE, 0, 0)) return true;
    for (int i = 0; i < cases->op->tensor_count; i++) {
        const char *alias = cases->op->tensors[i].alias;
        const int other = alias ? trine_plan_tensor(cases->op, alias) : -1;
        if (other < 0 || !entry->plan.present[i] || !entry->plan.present[other]) continue;
        if (trine_dtype_size(entry->plan.layout[i].dtype) !=
            trine_dtype_size(entry->plan.layout[other].dtype))
            continue;
        if (overlaps_itself(&entry->plan.layout[other])) return false;
        const trine_dtype dtype = entry->plan.layout[i].dtype;
        entry->plan.layout[i] = entry->plan.layout[other];
        entry->plan.layout[i].dtype = dtype;
        entry->plan.in_place[i] = any = true;
    }
    return any;
}

static bool affordable(const trine_cases *cases, const trine_plan *plan)
{
    DLTensor storage[TRINE_MAX_TENSORS];
    trine_args args;
    trine_cost cost;

    trine_plan_bind(plan, (DLDevice){kDLCPU, 0}, storage, &args);
    return !trine_op_cost(cases->context, cases->op->op, &args, &cost) &&
           cost.flops <= 2 * cases->max_bytes && cost.bytes <= cases->max_bytes;
}

static bool wants_exact_data(const trine_cases *cases, const trine_case *entry)
{
    const int f = factor_of(cases, TRINE_FACTOR_PATTERN, 0);

    return (trine_pattern)cases->factors[f].values[entry->choice[f]] == TRINE_PATTERN_EXACT;
}

/* Exact data is not to be had with every param, nor where elements share memory: what is not pinned
 * gives way. */
static void bend_to_exact_data(const trine_cases *cases, trine_case *entry, const bool *pinned)
{
    static const struct {
        const char *param;
        double value;
    } wanted[] = {{"limit", 0}, {"alpha", 1.702}, {"routed_scaling_factor", 2.5}};

    for (int f = 0; f < cases->factor_count; f++) {
        const trine_factor *factor = &cases->factors[f];
        if (factor->kind == TRINE_FACTOR_LAYOUT && entry->choice[f] == TRINE_LAYOUT_BROADCAST &&
            !pinned[f])
            entry->choice[f] = TRINE_LAYOUT_PACKED;
    }
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const int f = factor_of_param(cases, wanted[i].param);
        for (int c = 0; f >= 0 && c < cases->factors[f].count && !pinned[f]; c++) {
            if (cases->factors[f].values[c] == wanted[i].value) entry->choice[f] = (uint8_t)c;
        }
    }
}

/* *too_large: that is all that speaks against the case. */
static bool plan_case(const trine_cases *cases, trine_case *entry,
                      const bool pinned[TRINE_MAX_FACTORS], bool modest, bool *too_large)
{
    trine_rng rng = {.key = trine_rng_key(entry->key, 4711), .next = 0};
    trine_dims dims;

    if (wants_exact_data(cases, entry)) bend_to_exact_data(cases, entry, pinned);
    if (trine_plan_init(&entry->plan, cases->op->op) || !set_params(cases, entry)) return false;
    set_sizes(cases, entry, modest, &rng, &dims);
    bend_to_length(cases, entry, pinned, &dims);
    for (int i = 0; i < cases->op->tensor_count; i++) {
        if (!set_tensor(cases, entry, i, &rng, &dims, pinned)) return false;
    }
    if (!set_dtypes(cases, entry)) return false;
    trine_plan_arrange(&entry->plan);
    if (!bend_dtypes(cases, entry, pinned, &rng)) return false;
    lay_out(cases, entry, &rng);
    if (!set_in_place(cases, entry)) return false;
    for (int f = 0; f < cases->factor_count; f++) {
        if (cases->factors[f].kind == TRINE_FACTOR_PATTERN)
            entry->pattern = (trine_pattern)cases->factors[f].values[entry->choice[f]];
    }
    if (trine_plan_validate(&entry->plan, cases->context, (DLDevice){kDLCPU, 0}, NULL))
        return false;
    if (entry->pattern == TRINE_PATTERN_EXACT &&
        (!trine_exact_possible(&entry->plan) ||
         choice_of(cases, entry, TRINE_FACTOR_LAYOUT, 0, 0) == TRINE_LAYOUT_BROADCAST))
        return false;
    *too_large = !affordable(cases, &entry->plan);
    return !*too_large;
}

bool trine_case_plan(const trine_cases *cases, trine_case *entry,
                     const bool pinned[TRINE_MAX_FACTORS])
{
    bool too_large = false;

    /* One large size is affordable where the others are small. */
    return plan_case(cases, entry, pinned, false, &too_large) ||
           (too_large && plan_case(cases, entry, pinned, true, &too_large));
}
