// SPDX-License-Identifier: Apache-2.0
/* Calls as data. */
#include "check/plan.h"

#include "check/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Strides that a param decides: the innermost two dimensions of `tensor` are stored column by
 * column, each column padded to a multiple of `align` rows. Words not listed are row-major. */
static const struct {
    const char *tensor, *param, *word;
    int64_t align;
} column_layouts[] = {
    {"scale", "scale_layout", "column", 1},
    {"scale", "scale_layout", "column_aligned", 4},
    {"scale", "scale_layout", "packed_ue8m0", 4},
};

trine_status trine_plan_init(trine_plan *plan, int32_t op)
{
    memset(plan, 0, sizeof *plan);
    plan->op = trine_op_describe(op);
    if (!plan->op) return trine_fail(TRINE_INVALID_ARGUMENT, "no op has number %d", op);
    if (plan->op->args_size > sizeof plan->args)
        return trine_fail(TRINE_ABI_MISMATCH, "%s: args of %zu bytes, at most %zu are known here",
                          plan->op->name, plan->op->args_size, sizeof plan->args);
    return trine_args_init(op, &plan->args);
}

int trine_plan_tensor(const trine_op_description *op, const char *name)
{
    for (int i = 0; i < op->tensor_count; i++) {
        if (strcmp(op->tensors[i].name, name) == 0) return i;
    }
    return -1;
}

int trine_plan_param(const trine_op_description *op, const char *name)
{
    for (int i = 0; i < op->param_count; i++) {
        if (strcmp(op->params[i].name, name) == 0) return i;
    }
    return -1;
}

double trine_plan_number(const trine_plan *plan, const char *name)
{
    const int index = trine_plan_param(plan->op, name);
    int32_t whole;
    float real;

    if (index < 0) return 0;
    const trine_param_description *param = &plan->op->params[index];
    if (param->type == TRINE_PARAM_FLOAT) {
        memcpy(&real, plan->args.bytes + param->offset, sizeof real);
        return real;
    }
    memcpy(&whole, plan->args.bytes + param->offset, sizeof whole);
    return whole;
}

bool trine_plan_is(const trine_plan *plan, const char *name, const char *word)
{
    char text[64];

    return trine_plan_param(plan->op, name) >= 0 &&
           !trine_args_get_param(plan->op->op, &plan->args, name, text, sizeof text) &&
           strcmp(text, word) == 0;
}

bool trine_plan_reads_outputs(const trine_plan *plan)
{
    return trine_plan_number(plan, "accumulate") != 0;
}

void trine_plan_arrange(trine_plan *plan)
{
    for (int i = 0; i < plan->op->tensor_count; i++) {
        trine_layout *layout = &plan->layout[i];
        if (!plan->present[i]) continue;
        trine_layout_contiguous(layout);
        for (size_t j = 0; j < sizeof column_layouts / sizeof *column_layouts; j++) {
            if (layout->rank < 2 || strcmp(plan->op->tensors[i].name, column_layouts[j].tensor) ||
                !trine_plan_is(plan, column_layouts[j].param, column_layouts[j].word))
                continue;
            const int32_t rows = layout->rank - 2, columns = layout->rank - 1;
            const int64_t align = column_layouts[j].align;
            const int64_t whole = layout->shape[rows] / align * align;
            const int64_t pitch =
                whole == layout->shape[rows] || whole > INT64_MAX - align ? whole : whole + align;
            layout->stride[rows] = 1;
            layout->stride[columns] = pitch > 0 ? pitch : 1;
            if (rows > 0)
                layout->stride[rows - 1] = trine_saturating_product(pitch, layout->shape[columns]);
        }
    }
}

void trine_plan_bind(const trine_plan *plan, DLDevice device, DLTensor storage[TRINE_MAX_TENSORS],
                     trine_args *args)
{
    *args = plan->args;
    for (int i = 0; i < plan->op->tensor_count; i++) {
        const trine_layout *layout = &plan->layout[i];
        const DLTensor *tensor = NULL;
        if (plan->present[i]) {
            /* The API takes shapes as DLPack has them: pointers to mutable numbers. */
            storage[i] = (DLTensor){.ndim = layout->rank,
                                    .dtype = trine_dtype_to_dl(layout->dtype),
                                    .shape = (int64_t *)(uintptr_t)layout->shape,
                                    .strides = (int64_t *)(uintptr_t)layout->stride};
            storage[i].device = device;
            tensor = &storage[i];
        }
        memcpy(args->bytes + plan->op->tensors[i].offset, &tensor, sizeof tensor);
    }
}

trine_status trine_plan_validate(const trine_plan *plan, trine_context *context, DLDevice device,
                                 size_t *workspace)
{
    DLTensor storage[TRINE_MAX_TENSORS];
    trine_args args;
    size_t size = 0;

    trine_plan_bind(plan, device, storage, &args);
    const trine_status status = trine_op_workspace_size(context, plan->op->op, &args, &size);
    if (workspace) *workspace = size;
    return status;
}

trine_status trine_plan_explain(const trine_plan *plan, trine_context *context, DLDevice device,
                                const char *named, uint32_t flags, trine_explanation *entries,
                                size_t capacity, size_t *count)
{
    DLTensor storage[TRINE_MAX_TENSORS];
    trine_args args;
    trine_exec exec = TRINE_EXEC_INIT;

    exec.flags = flags;
    trine_plan_bind(plan, device, storage, &args);
    /* Rows may ask how data is aligned and whether a call is in place: addresses that nobody
     * follows, far from each other, stand in for the data. */
    for (int i = 0; i < plan->op->tensor_count; i++) {
        if (!plan->present[i]) continue;
        storage[i].data = (void *)((uintptr_t)(trine_call_owner(plan, i) + 1) << 48);
        storage[i].byte_offset = plan->layout[i].misalignment;
    }
    return trine_op_explain(context, &exec, plan->op->op, &args, named, entries, capacity, count);
}

static void append(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
    const size_t used = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    if (used < size) vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

void trine_plan_print(const trine_plan *plan, char *text, size_t size)
{
    const trine_op_description *op = plan->op;
    char value[64];

    snprintf(text, size, "%s", op->name);
    for (int i = 0; i < op->param_count; i++) {
        const double number = trine_plan_number(plan, op->params[i].name);
        if ((number == op->params[i].default_value ||
             number == (double)(float)op->params[i].default_value) &&
            !op->params[i].required)
            continue;
        if (!trine_args_get_param(op->op, &plan->args, op->params[i].name, value, sizeof value))
            append(text, size, " %s=%s", op->params[i].name, value);
    }
    for (int i = 0; i < op->tensor_count; i++) {
        const trine_layout *layout = &plan->layout[i];
        if (!plan->present[i]) continue;
        append(text, size, " %s:%s[", op->tensors[i].name, trine_dtype_name(layout->dtype));
        for (int32_t d = 0; d < layout->rank; d++)
            append(text, size, "%s%" PRId64, d ? "," : "", layout->shape[d]);
        append(text, size, "]");
        if (!trine_layout_is_contiguous(layout)) {
            append(text, size, "/(");
            for (int32_t d = 0; d < layout->rank; d++)
                append(text, size, "%s%" PRId64, d ? "," : "", layout->stride[d]);
            append(text, size, ")");
        }
        if (layout->misalignment) append(text, size, "+%zuB", layout->misalignment);
        if (plan->in_place[i]) append(text, size, "=%s", op->tensors[i].alias);
    }
}
