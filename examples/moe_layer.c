// SPDX-License-Identifier: Apache-2.0
/*
 * One mixture-of-experts layer as an engine would call it, on any device:
 *
 *     moe_layer [cpu | simulated:gfx942 | simulated:sm_90 | cuda:0 | hip:0]
 *
 * topk_gating picks experts, fused_moe runs them with block-scaled FP8 weights, block_scaled_linear
 * is the projection that follows. The weights come as OCP e4m3fn, like every checkpoint; a device
 * that wants FNUZ (gfx942) gets them through fp8_convert. Uses nothing but the installed headers
 * and library.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trine/trine.h>

enum { M = 32, H = 512, I = 256, E = 8, K = 2, N = 384, BLOCK = 128 };

static trine_context *context;
static DLDevice device;

static void check(trine_status status, const char *what)
{
    if (status == TRINE_OK) return;
    fprintf(stderr, "%s: %s: %s\n", what, trine_status_name(status), trine_last_error());
    exit(1);
}

/* A compact tensor on the device; `host` (may be NULL) is copied in. */
typedef struct tensor {
    DLTensor dl;
    int64_t shape[3];
    size_t bytes;
} tensor;

static void tensor_make(tensor *t, trine_dtype dtype, int rank, int64_t a, int64_t b, int64_t c,
                        const void *host)
{
    memset(t, 0, sizeof *t);
    t->shape[0] = a;
    t->shape[1] = b;
    t->shape[2] = c;
    t->bytes = trine_dtype_size(dtype);
    for (int i = 0; i < rank; i++) t->bytes *= (size_t)t->shape[i];
    check(trine_device_alloc(context, device, t->bytes, &t->dl.data), "alloc");
    t->dl.device = device;
    t->dl.ndim = rank;
    t->dl.dtype = trine_dtype_to_dl(dtype);
    t->dl.shape = t->shape;
    if (host) check(trine_device_copy(context, device, t->dl.data, host, t->bytes, true), "copy");
}

static void tensor_free(tensor *t)
{
    trine_device_free(context, device, t->dl.data);
}

/* A small generator, so that every device sees the same numbers. */
static uint32_t state = 1;

static float uniform(void) /* (-1, 1) */
{
    state = state * 1664525u + 1013904223u;
    return (float)(int32_t)state * (1.0f / 2147483648.0f);
}

static void *bf16_values(size_t count)
{
    uint16_t *values = malloc(count * sizeof *values);
    for (size_t i = 0; values && i < count; i++) {
        float x = uniform();
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        values[i] = (uint16_t)(bits >> 16);
    }
    return values;
}

static void *f32_values(size_t count, float low, float high)
{
    float *values = malloc(count * sizeof *values);
    for (size_t i = 0; values && i < count; i++)
        values[i] = low + (high - low) * (uniform() * 0.5f + 0.5f);
    return values;
}

/* Random e4m3fn codes of modest size, both zeros included. */
static void *fp8_values(size_t count)
{
    uint8_t *values = malloc(count);
    for (size_t i = 0; values && i < count; i++) {
        uint32_t code = (uint32_t)((uniform() * 0.5f + 0.5f) * 0x40);
        values[i] = (uint8_t)(code | (uniform() < 0 ? 0x80 : 0));
    }
    return values;
}

static void upload(tensor *t, trine_dtype dtype, int rank, int64_t a, int64_t b, int64_t c,
                   void *host)
{
    if (!host) {
        fprintf(stderr, "no memory\n");
        exit(1);
    }
    tensor_make(t, dtype, rank, a, b, c, host);
    free(host);
}

/* In place: same bytes but for zeros and NaN, scales doubled, dtype FNUZ. */
static void to_fnuz(tensor *w, tensor *scale)
{
    trine_fp8_convert_args args = TRINE_FP8_CONVERT_ARGS_INIT;
    DLTensor out = w->dl;
    out.dtype = trine_dtype_to_dl(TRINE_E4M3FNUZ);
    args.w = &w->dl;
    args.scale = &scale->dl;
    args.out = &out;
    args.out_scale = &scale->dl;
    check(trine_fp8_convert(context, NULL, &args), "fp8_convert");
    w->dl.dtype = out.dtype;
}

/* Workspace for one call: asked once, kept as long as shapes stay. */
static void *workspace_make(size_t size)
{
    void *workspace = NULL;
    if (size) check(trine_device_alloc(context, device, size, &workspace), "workspace");
    return workspace;
}

static void open_device(const char *name)
{
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    char simulate[64];
    if (!strncmp(name, "simulated:", 10)) {
        bool amd = !strncmp(name + 10, "gfx", 3);
        snprintf(simulate, sizeof simulate, "%s:0=%s", amd ? "rocm" : "cuda", name + 10);
        params.simulate = simulate;
        device = (DLDevice){amd ? kDLROCM : kDLCUDA, 0};
    } else if (!strncmp(name, "cuda:", 5)) {
        device = (DLDevice){kDLCUDA, atoi(name + 5)};
    } else if (!strncmp(name, "hip:", 4)) {
        device = (DLDevice){kDLROCM, atoi(name + 4)};
    } else if (!strcmp(name, "cpu")) {
        device = (DLDevice){kDLCPU, 0};
    } else {
        fprintf(stderr, "device is \"%s\", must be cpu, simulated:NAME, cuda:N or hip:N\n", name);
        exit(2);
    }
    check(trine_context_create(&params, &context), "context");
    if (!trine_device_find(context, device)) {
        fprintf(stderr, "%s is not there\n", name);
        exit(77);
    }
}

int main(int argc, char **argv)
{
    open_device(argc > 1 ? argv[1] : "cpu");
    const trine_device *info = trine_device_find(context, device);

    tensor x, logits, weights, ids, w1, w1_scale, w2, w2_scale, layer, w, w_scale, out;
    upload(&x, TRINE_BF16, 2, M, H, 0, bf16_values((size_t)M * H));
    upload(&logits, TRINE_F32, 2, M, E, 0, f32_values((size_t)M * E, -4, 4));
    upload(&w1, TRINE_E4M3FN, 3, E, 2 * I, H, fp8_values((size_t)E * 2 * I * H));
    upload(&w1_scale, TRINE_F32, 3, E, 2 * I / BLOCK, H / BLOCK,
           f32_values((size_t)E * (2 * I / BLOCK) * (H / BLOCK), 0.01f, 0.02f));
    upload(&w2, TRINE_E4M3FN, 3, E, H, I, fp8_values((size_t)E * H * I));
    upload(&w2_scale, TRINE_F32, 3, E, H / BLOCK, I / BLOCK,
           f32_values((size_t)E * (H / BLOCK) * (I / BLOCK), 0.01f, 0.02f));
    upload(&w, TRINE_E4M3FN, 2, N, H, 0, fp8_values((size_t)N * H));
    upload(&w_scale, TRINE_F32, 2, N / BLOCK, H / BLOCK, 0,
           f32_values((size_t)(N / BLOCK) * (H / BLOCK), 0.01f, 0.02f));
    tensor_make(&weights, TRINE_F32, 2, M, K, 0, NULL);
    tensor_make(&ids, TRINE_I32, 2, M, K, 0, NULL);
    tensor_make(&layer, TRINE_BF16, 2, M, H, 0, NULL);
    tensor_make(&out, TRINE_BF16, 2, M, N, 0, NULL);
    if (info->caps.fp8 == TRINE_E4M3FNUZ) {
        to_fnuz(&w1, &w1_scale);
        to_fnuz(&w2, &w2_scale);
        to_fnuz(&w, &w_scale);
    }

    trine_topk_gating_args gating = TRINE_TOPK_GATING_ARGS_INIT;
    gating.logits = &logits.dl;
    gating.topk_weights = &weights.dl;
    gating.topk_ids = &ids.dl;
    gating.k = K;

    trine_fused_moe_args moe = TRINE_FUSED_MOE_ARGS_INIT;
    moe.x = &x.dl;
    moe.w1 = &w1.dl;
    moe.w2 = &w2.dl;
    moe.w1_scale = &w1_scale.dl;
    moe.w2_scale = &w2_scale.dl;
    moe.topk_weights = &weights.dl;
    moe.topk_ids = &ids.dl;
    moe.out = &layer.dl;
    moe.quantization = TRINE_MOE_FP8_BLOCK;

    trine_block_scaled_linear_args linear = TRINE_BLOCK_SCALED_LINEAR_ARGS_INIT;
    linear.x = &layer.dl;
    linear.w = &w.dl;
    linear.w_scale = &w_scale.dl;
    linear.out = &out.dl;

    /* The calls run one after the other on one stream, so they can share one workspace. */
    trine_exec exec = TRINE_EXEC_INIT;
    size_t moe_size = 0, linear_size = 0;
    check(trine_fused_moe_workspace_size(context, &moe, &moe_size), "fused_moe workspace");
    check(trine_block_scaled_linear_workspace_size(context, &linear, &linear_size),
          "block_scaled_linear workspace");
    exec.workspace_size = moe_size > linear_size ? moe_size : linear_size;
    exec.workspace = workspace_make(exec.workspace_size);

    check(trine_prepare(context, device, -1), "prepare");
    check(trine_topk_gating(context, &exec, &gating), "topk_gating");
    check(trine_fused_moe(context, &exec, &moe), "fused_moe");
    check(trine_block_scaled_linear(context, &exec, &linear), "block_scaled_linear");
    check(trine_device_synchronize(context, device), "synchronize");

    uint16_t *result = malloc(out.bytes);
    if (!result) return 1;
    check(trine_device_copy(context, device, result, out.dl.data, out.bytes, false), "copy");
    double sum = 0, squares = 0;
    for (size_t i = 0; i < (size_t)M * N; i++) {
        uint32_t bits = (uint32_t)result[i] << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        sum += value;
        squares += (double)value * value;
    }
    printf("%s (%s, weights %s): mean %.6g, rms %.6g\n", info->id, info->caps.name,
           trine_dtype_name(trine_dtype_from_dl(w1.dl.dtype)), sum / (M * N),
           sqrt(squares / (M * N)));
    free(result);

    tensor *all[] = {&x,  &logits,   &weights, &ids, &w1,      &w1_scale,
                     &w2, &w2_scale, &layer,   &w,   &w_scale, &out};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) tensor_free(all[i]);
    trine_device_free(context, device, exec.workspace);
    trine_context_destroy(&context);
    return squares > 0 && isfinite(squares) ? 0 : 1;
}
