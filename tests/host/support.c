// SPDX-License-Identifier: Apache-2.0
/* Calls with random tensors. */
#include "tests/host/support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "numerics/format.h"

uint64_t random_bits(rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

int64_t random_int(rng *r, int64_t lo, int64_t hi)
{
    return lo + (int64_t)(random_bits(r) % (uint64_t)(hi - lo + 1));
}

bool random_bool(rng *r)
{
    return random_bits(r) >> 63;
}

trine_dtype random_dtype(rng *r, uint32_t dtypes)
{
    trine_dtype dtype;
    do dtype = (trine_dtype)random_int(r, 0, TRINE_DTYPE_COUNT - 1);
    while (!(dtypes & TRINE_DTYPE_BIT(dtype)));
    return dtype;
}

static float random_real(rng *r)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++) sum += (double)(random_bits(r) >> 40) * 0x1p-24;
    return (float)sum;
}

static float random_special(rng *r)
{
    static const float values[] = {0.0f,     -0.0f,    1e-42f, -1e-40f,   1e-30f,    3.3e38f,
                                   -3.0e38f, 65504.0f, 6e-8f,  INFINITY,  -INFINITY, NAN,
                                   1e-20f,   448.0f,   -1.5f,  0x1p-126f, 104.0f,    -89.0f};
    size_t count = sizeof values / sizeof *values;
    return random_bits(r) % 4 ? random_real(r) : values[random_bits(r) % count];
}

static bool is_number(trine_dtype dtype, uint8_t code)
{
    float x = dtype == TRINE_E4M3FN     ? trine_e4m3fn_to_f32(code)
              : dtype == TRINE_E4M3FNUZ ? trine_e4m3fnuz_to_f32(code)
              : dtype == TRINE_E5M2     ? trine_e5m2_to_f32(code)
                                        : 0.0f;
    return isfinite(x);
}

static void fill_element(rng *r, uint8_t *at, trine_dtype dtype, filling fill)
{
    float x = fill == FILL_SCALE ? 0x1p-6f * (float)(1.0 + (double)(random_bits(r) >> 40) * 0x1p-24)
              : fill == FILL_SPECIAL ? random_special(r)
                                     : random_real(r);
    uint16_t h = dtype == TRINE_BF16 ? trine_f32_to_bf16(x) : trine_f32_to_f16(x);
    if (dtype == TRINE_F32)
        memcpy(at, &x, 4);
    else if (dtype == TRINE_BF16 || dtype == TRINE_F16)
        memcpy(at, &h, 2);
    else
        do *at = (uint8_t)random_bits(r);
        while (fill == FILL_CODE && !is_number(dtype, *at));
}

/* ---------------------------------------------------------------- tensors */

void call_begin(call *c, int32_t op)
{
    memset(c, 0, sizeof *c);
    c->op = op;
    cr_assert_eq(trine_args_init(op, &c->args), TRINE_OK);
}

/* Offset in elements of the index-th element in row-major order. */
static int64_t offset_of(const DLTensor *t, int64_t index)
{
    int64_t offset = 0;
    for (int d = t->ndim - 1; d >= 0; d--) {
        offset += index % t->shape[d] * t->strides[d];
        index /= t->shape[d];
    }
    return offset;
}

static int64_t count_of(const DLTensor *t)
{
    int64_t count = 1;
    for (int d = 0; d < t->ndim; d++) count *= t->shape[d];
    return count;
}

static DLTensor *add(call *c, rng *r, trine_dtype dtype, filling fill, int rank,
                     const int64_t *shape, bool gaps)
{
    cr_assert_lt(c->count, MAX_TENSORS);
    int i = c->count++;
    DLTensor *t = &c->tensors[i];
    size_t element = trine_dtype_size(dtype);
    int64_t stride = 1, last = 0;
    for (int d = rank - 1; d >= 0; d--) {
        c->shape[i][d] = shape[d];
        c->stride[i][d] = stride;
        last += (shape[d] > 0 ? shape[d] - 1 : 0) * stride;
        stride = stride * (shape[d] > 0 ? shape[d] : 1);
        if (gaps && random_bool(r)) stride += random_int(r, 0, 9);
    }
    size_t misalignment = gaps && random_bool(r) ? (size_t)random_int(r, 1, 31) * element : 0;
    size_t extent = (size_t)(last + 1) * element;
    t->device.device_type = kDLCPU;
    t->dtype = trine_dtype_to_dl(dtype);
    t->ndim = rank;
    t->shape = c->shape[i];
    t->strides = c->stride[i];
    c->out[i] = fill == FILL_OUT;
    c->size[i] = 2 * GUARD + misalignment + extent;
    c->memory[i] = malloc(c->size[i]);
    c->initial[i] = malloc(c->size[i]);
    cr_assert(c->memory[i] && c->initial[i]);
    memset(c->memory[i], 0xa7, c->size[i]);
    t->data = c->memory[i] + GUARD + misalignment;
    if (fill != FILL_OUT)
        for (int64_t e = 0; e < count_of(t); e++)
            fill_element(r, (uint8_t *)t->data + (size_t)offset_of(t, e) * element, dtype, fill);
    memcpy(c->initial[i], c->memory[i], c->size[i]);
    return t;
}

DLTensor *call_tensor(call *c, rng *r, trine_dtype dtype, filling fill, int rank,
                      const int64_t *shape)
{
    return add(c, r, dtype, fill, rank, shape, true);
}

DLTensor *call_packed(call *c, rng *r, trine_dtype dtype, filling fill, int rank,
                      const int64_t *shape)
{
    return add(c, r, dtype, fill, rank, shape, false);
}

void call_end(call *c)
{
    for (int i = 0; i < c->count; i++) {
        free(c->memory[i]);
        free(c->initial[i]);
    }
    c->count = 0;
}

/* ---------------------------------------------------------------- running */

static struct {
    const char *rows, *force;
    trine_context *context;
} contexts[] = {
    {REFERENCE,
     "rotary_embedding=reference,per_token_group_quant=reference,act_and_mul=reference,"
     "moe_sum=reference,scaled_mm=reference,block_scaled_linear=reference,fused_moe=reference",
     NULL},
    {FAST,
     "rotary_embedding=vector,per_token_group_quant=vector,act_and_mul=vector,moe_sum=vector,"
     "scaled_mm=tiled,block_scaled_linear=tiled,fused_moe=tiled",
     NULL},
    {FAST_I8, "scaled_mm=tiled_i8,fused_moe=tiled_i8", NULL},
};

trine_context *context_by(const char *rows)
{
    for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++) {
        if (strcmp(contexts[i].rows, rows)) continue;
        trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
        params.kernel = contexts[i].force;
        params.ignore_environment = params.no_modules = true;
        if (!contexts[i].context)
            cr_assert_eq(trine_context_create(&params, &contexts[i].context), TRINE_OK, "%s",
                         trine_last_error());
        return contexts[i].context;
    }
    cr_assert_fail("no rows %s", rows);
    return NULL;
}

void contexts_end(void)
{
    for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++)
        trine_context_destroy(&contexts[i].context);
}

result call_run(call *c, const char *rows, trine_host_level level, int threads)
{
    trine_context *context = context_by(rows);
    trine_exec exec = TRINE_EXEC_INIT;
    size_t size = 0;
    result r = {NULL, 0};
    cr_assert_eq(trine_op_workspace_size(context, c->op, &c->args, &size), TRINE_OK, "%s",
                 trine_last_error());
    size_t rounded =
        (size + TRINE_WORKSPACE_ALIGNMENT) / TRINE_WORKSPACE_ALIGNMENT * TRINE_WORKSPACE_ALIGNMENT;
    exec.workspace = aligned_alloc(TRINE_WORKSPACE_ALIGNMENT, rounded);
    cr_assert(exec.workspace);
    memset(exec.workspace, 0xff, rounded); /* NaN */
    exec.workspace_size = size;
    for (int i = 0; i < c->count; i++) memcpy(c->memory[i], c->initial[i], c->size[i]);
#ifdef _OPENMP
    omp_set_num_threads(threads);
#else
    (void)threads;
#endif
    trine_host_set_level(level);
    cr_assert_eq(trine_op_run(context, &exec, c->op, &c->args), TRINE_OK, "%s", trine_last_error());
    for (int i = 0; i < c->count; i++) {
        if (!c->out[i])
            cr_assert(!memcmp(c->memory[i], c->initial[i], c->size[i]), "an input was changed");
        else
            r.size += c->size[i];
    }
    r.bytes = malloc(r.size);
    cr_assert(r.bytes);
    for (int i = 0, at = 0; i < c->count; i++) {
        if (!c->out[i]) continue;
        memcpy(r.bytes + at, c->memory[i], c->size[i]);
        at += (int)c->size[i];
    }
    free(exec.workspace);
    return r;
}

static float element_value(const uint8_t *at, trine_dtype dtype)
{
    float x = 0.0f;
    uint16_t h;
    if (dtype == TRINE_F32) memcpy(&x, at, 4);
    if (dtype != TRINE_BF16 && dtype != TRINE_F16) return x;
    memcpy(&h, at, 2);
    return dtype == TRINE_BF16 ? trine_bf16_to_f32(h) : trine_f16_to_f32(h);
}

bool same_result(const call *c, const result *a, const result *b, char *where, size_t size)
{
    const uint8_t *pa = a->bytes, *pb = b->bytes;
    for (int i = 0; i < c->count; i++) {
        if (!c->out[i]) continue;
        const DLTensor *t = &c->tensors[i];
        trine_dtype dtype = trine_dtype_from_dl(t->dtype);
        size_t element = trine_dtype_size(dtype);
        size_t start = (size_t)((uint8_t *)t->data - c->memory[i]);
        size_t end = c->size[i] - GUARD;
        for (size_t at = 0; at < c->size[i];) {
            bool inside = at >= start && at < end;
            size_t step = inside ? element : 1;
            bool same = !memcmp(pa + at, pb + at, step);
            if (!same && inside)
                same = isnan(element_value(pa + at, dtype)) && isnan(element_value(pb + at, dtype));
            if (!same) {
                snprintf(where, size, "output %d, byte %zu of [%zu, %zu): %02x %02x", i, at, start,
                         end, pa[at], pb[at]);
                return false;
            }
            at += step;
        }
        pa += c->size[i];
        pb += c->size[i];
    }
    return true;
}

double *result_values(const call *c, const result *r, const DLTensor *out, int64_t *count)
{
    const uint8_t *p = r->bytes;
    for (int i = 0; i < c->count; i++) {
        if (!c->out[i]) continue;
        if (out == &c->tensors[i]) {
            trine_dtype dtype = trine_dtype_from_dl(out->dtype);
            *count = count_of(out);
            double *values = malloc((size_t)(*count + 1) * sizeof *values);
            cr_assert(values);
            p += (uint8_t *)out->data - c->memory[i];
            for (int64_t e = 0; e < *count; e++)
                values[e] =
                    element_value(p + (size_t)offset_of(out, e) * trine_dtype_size(dtype), dtype);
            return values;
        }
        p += c->size[i];
    }
    cr_assert_fail("no such output");
    return NULL;
}

void result_free(result *r)
{
    free(r->bytes);
    r->bytes = NULL;
}
