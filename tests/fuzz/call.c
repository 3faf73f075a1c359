// SPDX-License-Identifier: Apache-2.0
/*
 * Validation: any args struct, with any tensors, through trine_op_run on the CPU. Refused calls
 * must leave every output byte alone; those that run must stay within their tensors.
 *
 * Most inputs describe a call that is legal but for a few changes, the others anything at all. Each
 * tensor has memory of just its size, so AddressSanitizer sees what strays.
 */
#include "check/settle.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define MAX_BYTES (1 << 16)

typedef struct reader {
    const uint8_t *bytes;
    size_t size;
} reader;

static uint8_t next(reader *r)
{
    if (!r->size) return 0;
    r->size--;
    return *r->bytes++;
}

/* Sizes as calls have them, and now and then one as no call should. */
static int64_t next_size(reader *r)
{
    static const int64_t odd[] = {-1, 0, INT64_MAX, INT64_C(1) << 32, INT64_C(1) << 61, INT64_MIN};
    const uint8_t b = next(r);

    return b < 200 ? b % 20 : b < 240 ? (b - 200) * 16 : odd[b % 6];
}

typedef struct fuzz_tensor {
    DLTensor dl;
    int64_t shape[TRINE_MAX_DIMS], stride[TRINE_MAX_DIMS];
    uint8_t *memory, *copy;
    size_t size;
} fuzz_tensor;

/* Bytes that the tensor's elements span; false when they would not fit the fuzzer's memory. */
static bool span_of(const fuzz_tensor *t, size_t *span)
{
    int64_t last = 0, compact = 1;

    *span = 0;
    for (int d = t->dl.ndim - 1; d >= 0; d--) {
        const int64_t stride = t->dl.strides ? t->stride[d] : compact;
        int64_t part;
        if (t->shape[d] == 0) return true;
        if (t->shape[d] < 0 || stride < 0 ||
            __builtin_mul_overflow(t->shape[d] - 1, stride, &part) ||
            __builtin_add_overflow(last, part, &last) ||
            __builtin_mul_overflow(compact, t->shape[d], &compact) || last > MAX_BYTES)
            return false;
    }
    *span = ((size_t)last + 1) * (size_t)((t->dl.dtype.bits * t->dl.dtype.lanes + 7) / 8);
    return *span <= MAX_BYTES;
}

/* Any tensor; false: none. */
static bool any_tensor(reader *r, fuzz_tensor *t)
{
    const uint8_t kind = next(r);

    if (kind % 16 == 15) return false;
    t->dl.ndim = kind % 4 + 1;
    if (kind % 64 == 33) t->dl.ndim = (int)next(r) - 10;
    for (int d = 0; d < t->dl.ndim && d < TRINE_MAX_DIMS; d++) t->shape[d] = next_size(r);
    if (kind % 64 != 34) t->dl.shape = t->shape;
    if (kind & 0x80) t->dl.strides = t->stride;
    for (int d = 0; d < t->dl.ndim && d < TRINE_MAX_DIMS && kind & 0x80; d++)
        t->stride[d] = next_size(r);
    t->dl.dtype = trine_dtype_to_dl((trine_dtype)(next(r) % TRINE_DTYPE_COUNT));
    if (kind % 64 == 35) t->dl.dtype = (DLDataType){next(r), next(r), next(r)};
    t->dl.device.device_type = kind % 64 == 36 ? (DLDeviceType)next(r) : kDLCPU;
    t->dl.byte_offset = kind % 64 == 37 ? next(r) : 0;
    return true;
}

/* The tensor of a legal plan, with at most one change. */
static bool nearly_legal_tensor(reader *r, const trine_plan *plan, int index, fuzz_tensor *t)
{
    const trine_layout *layout = &plan->layout[index];
    const uint8_t change = next(r), where = next(r);

    if (!plan->present[index]) return change == 1 && any_tensor(r, t);
    t->dl.ndim = layout->rank;
    memcpy(t->shape, layout->shape, sizeof t->shape);
    memcpy(t->stride, layout->stride, sizeof t->stride);
    t->dl.shape = t->shape;
    t->dl.strides = t->stride;
    t->dl.dtype = trine_dtype_to_dl(layout->dtype);
    t->dl.device.device_type = kDLCPU;
    const int d = layout->rank ? where % layout->rank : 0;
    switch (change) {
    case 1:
        return false;
    case 2:
        t->shape[d] = next_size(r);
        break;
    case 3:
        t->stride[d] = next_size(r);
        break;
    case 4:
        t->dl.dtype = trine_dtype_to_dl((trine_dtype)(where % TRINE_DTYPE_COUNT));
        break;
    case 5:
        t->dl.ndim = where % (TRINE_MAX_DIMS + 2) - 1;
        break;
    case 6:
        t->dl.device.device_id = where;
        break;
    case 7:
        t->dl.byte_offset = where;
        break;
    case 8:
        t->dl.strides = NULL;
        break;
    default:
        break;
    }
    return true;
}

static void give_memory(reader *r, fuzz_tensor *t)
{
    if (!t->dl.shape || t->dl.ndim < 0 || t->dl.ndim > TRINE_MAX_DIMS || !span_of(t, &t->size))
        return;
    t->size += t->dl.byte_offset;
    t->memory = malloc(t->size + 1);
    t->copy = malloc(t->size + 1);
    if (!t->memory || !t->copy) abort();
    memset(t->memory, next(r), t->size);
    for (size_t i = 0; i < t->size && i < 64; i++) t->memory[i] = next(r);
    memcpy(t->copy, t->memory, t->size);
    t->dl.data = t->memory;
}

/* Small sizes for every letter, then what the op's tables make of them. */
static void make_plan(reader *r, trine_context *context, trine_plan *plan)
{
    bool open[TRINE_MAX_TENSORS];
    trine_dims dims;

    trine_dims_of_op(plan->op, &dims);
    for (size_t i = 0; i < dims.count; i++) {
        const uint8_t b = next(r);
        dims.values[i] = b < 128 ? b % 9 : b < 200 ? (b - 128) * 8 : b < 250 ? 128 : -1;
    }
    for (int i = 0; i < plan->op->tensor_count; i++) {
        trine_need need;
        const uint8_t form = next(r);
        open[i] = true;
        plan->present[i] =
            !trine_dims_need(plan, &dims, i, &need) &&
            (need == TRINE_NEED_REQUIRED ||
             (need == TRINE_NEED_OPTIONAL && (!plan->op->tensors[i].optional || form & 0x80))) &&
            trine_dims_shape(plan, &dims, i, form % 3);
    }
    trine_plan_settle(plan, open, next(r) % 2 ? TRINE_E4M3FNUZ : TRINE_E4M3FN, context,
                      (DLDevice){kDLCPU, 0});
}

static void make_params(reader *r, const trine_op_description *op, uint8_t *args)
{
    for (int i = 0; i < op->param_count; i++) {
        const trine_param_description *param = &op->params[i];
        const uint8_t b = next(r);
        int32_t whole = b % 8;
        float number = (float)b / 16;
        if (b % 4 == 0) continue; /* the default */
        if (param->type == TRINE_PARAM_INT && b % 4 == 1) whole = b * 2;
        if (b == 255) whole = (int32_t)(next(r) * 0x01234567u);
        if (b == 254) memset(&number, 0xFF, sizeof number);
        if (param->type == TRINE_PARAM_FLOAT)
            memcpy(args + param->offset, &number, 4);
        else
            memcpy(args + param->offset, &whole, 4);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static trine_context *context;
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    reader r = {bytes, size};
    fuzz_tensor tensors[TRINE_MAX_TENSORS];
    trine_exec exec = TRINE_EXEC_INIT;
    trine_plan plan;
    trine_args args;
    void *workspace = NULL;
    size_t needed = 0;

    params.ignore_environment = true;
    params.no_modules = true;
    if (!context && trine_context_create(&params, &context)) abort();
    const trine_op_description *op = trine_op_describe(next(&r) % TRINE_OP_COUNT);
    memset(tensors, 0, sizeof tensors);
    if (trine_plan_init(&plan, op->op)) abort();
    make_params(&r, op, plan.args.bytes);
    const bool legal = next(&r) % 8 != 0;
    if (legal) make_plan(&r, context, &plan);
    args = plan.args;
    for (int i = 0; i < op->tensor_count; i++) {
        fuzz_tensor *t = &tensors[i];
        const bool there = legal ? nearly_legal_tensor(&r, &plan, i, t) : any_tensor(&r, t);
        const DLTensor *tensor = there ? &t->dl : NULL;
        if (there) give_memory(&r, t);
        memcpy(args.bytes + op->tensors[i].offset, &tensor, sizeof tensor);
    }
    exec.flags = next(&r) % 8;
    const uint8_t extra = next(&r);
    if (extra == 7) args.struct_size = next(&r);
    if (!trine_op_workspace_size(context, op->op, &args, &needed) && needed <= 1 << 24) {
        exec.workspace_size = extra == 8 ? needed / 2 : needed;
        workspace = aligned_alloc(256, (exec.workspace_size + 256) / 256 * 256);
        exec.workspace = workspace;
        const trine_status status = trine_op_run(context, &exec, op->op, &args);
        trine_explanation entries[8];
        size_t count;
        trine_op_explain(context, &exec, op->op, &args, extra % 2 ? "gfx942" : NULL, entries, 8,
                         &count);
        for (int i = 0; i < op->tensor_count; i++) {
            const bool untouched = status || op->tensors[i].role == TRINE_IN;
            if (untouched && tensors[i].memory &&
                memcmp(tensors[i].memory, tensors[i].copy, tensors[i].size) != 0)
                abort();
        }
    } else if (!trine_last_error()[0]) {
        abort();
    }
    free(workspace);
    for (int i = 0; i < TRINE_MAX_TENSORS; i++) {
        free(tensors[i].memory);
        free(tensors[i].copy);
    }
    return 0;
}
