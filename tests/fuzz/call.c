// SPDX-License-Identifier: Apache-2.0
/*
 * Validation: any args struct, with any tensors, through trine_op_run on the CPU. Refused calls
 * must leave every output byte alone; those that run must stay within their tensors.
 *
 * Shapes, strides and dtypes come from the input, mostly small; data pointers lead into one buffer
 * that is poisoned around what the input asks for, so AddressSanitizer sees what the guards don't.
 */
#include <stdlib.h>
#include <string.h>
#include <trine/trine.h>

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

static bool make_tensor(reader *r, fuzz_tensor *t)
{
    const uint8_t kind = next(r);

    memset(t, 0, sizeof *t);
    if (kind % 16 == 15) return false;
    t->dl.ndim = kind % 4 + 1;
    if (kind % 64 == 33) t->dl.ndim = (int)next(r) - 10;
    for (int d = 0; d < t->dl.ndim && d < TRINE_MAX_DIMS; d++) t->shape[d] = next_size(r);
    t->dl.shape = kind % 64 == 34 ? NULL : t->shape;
    if (kind & 0x80) {
        for (int d = 0; d < t->dl.ndim && d < TRINE_MAX_DIMS; d++) t->stride[d] = next_size(r);
        t->dl.strides = t->stride;
    }
    t->dl.dtype = trine_dtype_to_dl((trine_dtype)(next(r) % TRINE_DTYPE_COUNT));
    if (kind % 64 == 35) t->dl.dtype = (DLDataType){next(r), next(r), next(r)};
    t->dl.device.device_type = kind % 64 == 36 ? (DLDeviceType)next(r) : kDLCPU;
    t->dl.byte_offset = kind % 64 == 37 ? next(r) : 0;
    if (kind % 64 != 38 && t->dl.shape && t->dl.ndim >= 0 && t->dl.ndim <= TRINE_MAX_DIMS &&
        span_of(t, &t->size)) {
        t->size += t->dl.byte_offset;
        t->memory = malloc(t->size + 1);
        t->copy = malloc(t->size + 1);
        if (!t->memory || !t->copy) abort();
        memset(t->memory, next(r), t->size);
        for (size_t i = 0; i < t->size && i < 64; i++) t->memory[i] = next(r);
        memcpy(t->copy, t->memory, t->size);
        t->dl.data = t->memory;
    }
    return true;
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
    union {
        size_t struct_size;
        double align;
        uint8_t bytes[512];
    } args;
    void *workspace = NULL;
    size_t needed = 0;

    params.ignore_environment = true;
    params.no_modules = true;
    if (!context && trine_context_create(&params, &context)) abort();
    const trine_op_description *op = trine_op_describe(next(&r) % TRINE_OP_COUNT);
    memset(tensors, 0, sizeof tensors);
    if (trine_args_init(op->op, &args)) abort();
    make_params(&r, op, args.bytes);
    for (int i = 0; i < op->tensor_count; i++) {
        const DLTensor *tensor = make_tensor(&r, &tensors[i]) ? &tensors[i].dl : NULL;
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
