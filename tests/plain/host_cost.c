// SPDX-License-Identifier: Apache-2.0
/*
 * What one call costs the host: validation, selection and a launcher that does nothing, on a
 * simulated GPU. Prints the median and fails above the limit, or when the call allocated. A plain
 * program: it replaces malloc, which no test framework likes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <trine/trine.h>

enum { BATCH = 1000, BATCHES = 101 };

static _Thread_local size_t allocations;
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *data, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *data, size_t size)
{
    allocations++;
    return __libc_realloc(data, size);
}

static size_t launches;

static trine_status launch_nothing(const trine_launch *launch)
{
    launches += launch->problem != NULL;
    return TRINE_OK;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A tensor that is never read: only its description matters here. */
static DLTensor tensor(trine_dtype dtype, int rank, int64_t *shape, uintptr_t address)
{
    DLTensor t;
    memset(&t, 0, sizeof t);
    t.data = (void *)address;
    t.device = (DLDevice){kDLCUDA, 0};
    t.ndim = rank;
    t.dtype = trine_dtype_to_dl(dtype);
    t.shape = shape;
    return t;
}

static int measure(trine_context *context, int32_t op, const void *args, const trine_exec *exec,
                   double limit)
{
    double times[BATCHES];
    const char *name = trine_op_describe(op)->name;
    launches = 0;
    if (trine_op_run(context, exec, op, args)) {
        printf("%s: %s\n", name, trine_last_error());
        return 1;
    }
    size_t before = allocations;
    for (int b = 0; b < BATCHES; b++) {
        double start = now();
        for (int i = 0; i < BATCH; i++) trine_op_run(context, exec, op, args);
        times[b] = (now() - start) / BATCH;
    }
    size_t allocated = allocations - before;
    qsort(times, BATCHES, sizeof *times, compare);
    printf("%s: median %.0f ns a call, %zu allocations in %d calls, %zu launches\n", name,
           times[BATCHES / 2], allocated, BATCH * BATCHES, launches);
    return !(times[BATCHES / 2] < limit && !allocated && launches == 1 + (size_t)BATCH * BATCHES);
}

int main(int argc, char **argv)
{
    /* The limit in nanoseconds: sanitizer and coverage builds pass a wide one. */
    double limit = argc > 1 ? atof(argv[1]) : 1000;
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    trine_context *context;
    params.simulate = "cuda:0=sm_90";
    params.ignore_environment = params.no_modules = true;
    trine_row rows[2] = {
        {.op = TRINE_OP_FUSED_MOE, .backend = TRINE_BACKEND_CUDA, .name = "nothing"},
        {.op = TRINE_OP_PER_TOKEN_GROUP_QUANT, .backend = TRINE_BACKEND_CUDA, .name = "nothing"}};
    for (int i = 0; i < 2; i++) {
        rows[i].flags = TRINE_ROW_HOST_CALLABLE;
        rows[i].launch = launch_nothing;
    }
    if (trine_context_create(&params, &context) || trine_context_add_rows(context, rows, 2)) {
        printf("%s\n", trine_last_error());
        return 1;
    }

    int64_t x_shape[] = {1024, 7168}, s_shape[] = {1024, 56};
    DLTensor x = tensor(TRINE_BF16, 2, x_shape, 0x10000000);
    DLTensor q = tensor(TRINE_E4M3FN, 2, x_shape, 0x20000000);
    DLTensor scale = tensor(TRINE_F32, 2, s_shape, 0x30000000);
    trine_per_token_group_quant_args quant = TRINE_PER_TOKEN_GROUP_QUANT_ARGS_INIT;
    quant.x = &x;
    quant.q = &q;
    quant.scale = &scale;

    int64_t h_shape[] = {64, 2048}, w1_shape[] = {128, 1536, 2048}, w2_shape[] = {128, 2048, 768};
    int64_t s1_shape[] = {128, 12, 16}, s2_shape[] = {128, 16, 6}, k_shape[] = {64, 8};
    DLTensor hidden = tensor(TRINE_BF16, 2, h_shape, 0x10000000);
    DLTensor out = tensor(TRINE_BF16, 2, h_shape, 0x20000000);
    DLTensor w1 = tensor(TRINE_E4M3FN, 3, w1_shape, 0x30000000);
    DLTensor w2 = tensor(TRINE_E4M3FN, 3, w2_shape, 0x60000000);
    DLTensor w1_scale = tensor(TRINE_F32, 3, s1_shape, 0x80000000);
    DLTensor w2_scale = tensor(TRINE_F32, 3, s2_shape, 0x81000000);
    DLTensor weights = tensor(TRINE_F32, 2, k_shape, 0x82000000);
    DLTensor ids = tensor(TRINE_I32, 2, k_shape, 0x83000000);
    trine_fused_moe_args moe = TRINE_FUSED_MOE_ARGS_INIT;
    moe.x = &hidden;
    moe.w1 = &w1;
    moe.w2 = &w2;
    moe.w1_scale = &w1_scale;
    moe.w2_scale = &w2_scale;
    moe.topk_weights = &weights;
    moe.topk_ids = &ids;
    moe.out = &out;
    moe.quantization = TRINE_MOE_FP8_BLOCK;
    trine_exec exec = TRINE_EXEC_INIT;
    if (trine_fused_moe_workspace_size(context, &moe, &exec.workspace_size)) {
        printf("%s\n", trine_last_error());
        return 1;
    }
    exec.workspace = (void *)(uintptr_t)0x100000000;

    int failed = measure(context, TRINE_OP_PER_TOKEN_GROUP_QUANT, &quant, &exec, limit) +
                 measure(context, TRINE_OP_FUSED_MOE, &moe, &exec, limit);
    trine_context_destroy(&context);
    printf("%d passed, %d failed\n", 2 - failed, failed);
    return failed != 0;
}
