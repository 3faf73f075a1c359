// SPDX-License-Identifier: Apache-2.0
// Tensors, numbers and rounding for the tests of the matrix ops' references.
#include "support.h"

#include "numerics/format.h"

/* ---------------------------------------------------------------- random numbers */

uint64_t rng_next(rng *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

int64_t rng_below(rng *r, int64_t count)
{
    return (int64_t)(rng_next(r) % (uint64_t)count);
}

double rng_uniform(rng *r, double lo, double hi)
{
    return lo + (hi - lo) * ((double)(rng_next(r) >> 11) * 0x1p-53);
}

double rng_normal(rng *r)
{
    double sum = -6.0;
    for (int i = 0; i < 12; i++) sum += rng_uniform(r, 0.0, 1.0);
    return sum;
}

void rng_shuffle(rng *r, int64_t *order, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t j = rng_below(r, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}

/* ---------------------------------------------------------------- memory and tensors */

static struct block {
    struct block *next;
} * blocks;

void *pool_alloc(size_t size)
{
    struct block *b = calloc(1, 64 + size);
    if (!b) abort();
    b->next = blocks;
    blocks = b;
    return (char *)b + 64;
}

void pool_clear(void)
{
    while (blocks) {
        struct block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}

trine_view tensor(trine_dtype dtype, int32_t rank, const int64_t *shape, int64_t pad)
{
    static const size_t sizes[TRINE_DTYPE_COUNT] = {4, 2, 2, 1, 1, 1, 1, 1, 4};
    trine_view v = {NULL, dtype, rank, {0}, {0}};
    int64_t stride = 1 + pad;
    for (int32_t d = rank - 1; d >= 0; d--) {
        v.shape[d] = shape[d];
        v.stride[d] = stride;
        stride = stride * shape[d] + pad;
    }
    v.data = pool_alloc((size_t)(stride + 1) * sizes[dtype]);
    return v;
}

trine_view tensor1(trine_dtype dtype, int64_t a)
{
    return tensor(dtype, 1, (int64_t[]){a}, 0);
}

trine_view tensor2(trine_dtype dtype, int64_t a, int64_t b)
{
    return tensor(dtype, 2, (int64_t[]){a, b}, 0);
}

trine_view tensor3(trine_dtype dtype, int64_t a, int64_t b, int64_t c)
{
    return tensor(dtype, 3, (int64_t[]){a, b, c}, 0);
}

trine_view absent(void)
{
    trine_view v = {NULL, TRINE_F32, -1, {0}, {0}};
    return v;
}

int64_t element_count(const trine_view *v)
{
    int64_t count = 1;
    for (int32_t d = 0; d < v->rank; d++) count *= v->shape[d];
    return count;
}

int64_t offset_of(const trine_view *v, int64_t index)
{
    int64_t offset = 0;
    for (int32_t d = v->rank - 1; d >= 0; d--) {
        offset += index % v->shape[d] * v->stride[d];
        index /= v->shape[d];
    }
    return offset;
}

double get(const trine_view *v, int64_t index)
{
    int64_t at = offset_of(v, index);
    switch (v->dtype) {
    case TRINE_F32:
        return ((const float *)v->data)[at];
    case TRINE_F16:
        return trine_f16_to_f32(((const uint16_t *)v->data)[at]);
    case TRINE_BF16:
        return trine_bf16_to_f32(((const uint16_t *)v->data)[at]);
    case TRINE_I32:
        return ((const int32_t *)v->data)[at];
    default:
        return value_of_code(v->dtype, ((const uint8_t *)v->data)[at]);
    }
}

void set(const trine_view *v, int64_t index, double value)
{
    int64_t at = offset_of(v, index);
    switch (v->dtype) {
    case TRINE_F32:
        ((float *)v->data)[at] = (float)value;
        break;
    case TRINE_F16:
        ((uint16_t *)v->data)[at] = trine_f32_to_f16((float)round_to(TRINE_F16, value));
        break;
    case TRINE_BF16:
        ((uint16_t *)v->data)[at] = trine_f32_to_bf16((float)round_to(TRINE_BF16, value));
        break;
    case TRINE_I32:
        ((int32_t *)v->data)[at] = (int32_t)value;
        break;
    default:
        ((uint8_t *)v->data)[at] = nearest_code(v->dtype, value);
        break;
    }
}

void fill_normal(rng *r, const trine_view *v, double deviation)
{
    for (int64_t i = 0; i < element_count(v); i++) set(v, i, deviation * rng_normal(r));
}

void fill_uniform(rng *r, const trine_view *v, double lo, double hi)
{
    for (int64_t i = 0; i < element_count(v); i++) set(v, i, rng_uniform(r, lo, hi));
}

void fill_integers(rng *r, const trine_view *v, int64_t lo, int64_t hi)
{
    for (int64_t i = 0; i < element_count(v); i++)
        set(v, i, (double)(lo + rng_below(r, hi - lo + 1)));
}

void fill_codes(rng *r, const trine_view *v)
{
    for (int64_t i = 0; i < element_count(v); i++) {
        uint8_t code = (uint8_t)rng_next(r);
        while (!isfinite(value_of_code(v->dtype, code))) code = (uint8_t)rng_next(r);
        ((uint8_t *)v->data)[offset_of(v, i)] = code;
    }
}

/* ---------------------------------------------------------------- rounding */

long double round_to(trine_dtype dtype, long double value)
{
    int bits = dtype == TRINE_BF16 ? 8 : dtype == TRINE_F16 ? 11 : 24;
    int least = dtype == TRINE_BF16 ? -133 : dtype == TRINE_F16 ? -24 : -149;
    if (value == 0.0L || !isfinite(value)) return value;
    int exponent;
    frexpl(value, &exponent);
    int step = exponent - bits > least ? exponent - bits : least;
    long double rounded = ldexpl(rintl(ldexpl(value, -step)), step);
    int limit = dtype == TRINE_F16 ? 16 : 128;
    if (fabsl(rounded) >= ldexpl(1.0L, limit)) return copysignl(INFINITY, value);
    return rounded;
}

double value_of_code(trine_dtype dtype, uint8_t code)
{
    if (dtype == TRINE_U8) return code;
    if (dtype == TRINE_I8) return (int8_t)code;
    int mantissa_bits = dtype == TRINE_E5M2 ? 2 : 3;
    int bias = dtype == TRINE_E5M2 ? 15 : dtype == TRINE_E4M3FN ? 7 : 8;
    int mantissa = code & ((1 << mantissa_bits) - 1), exponent = (code & 0x7f) >> mantissa_bits;
    if (dtype == TRINE_E4M3FN && (code & 0x7f) == 0x7f) return NAN;
    if (dtype == TRINE_E4M3FNUZ && code == 0x80) return NAN;
    if (dtype == TRINE_E5M2 && exponent == 31)
        return mantissa ? NAN : code & 0x80 ? -INFINITY : INFINITY;
    double value = exponent == 0
                       ? ldexp(mantissa, 1 - bias - mantissa_bits)
                       : ldexp((1 << mantissa_bits) + mantissa, exponent - bias - mantissa_bits);
    return code & 0x80 ? -value : value;
}

uint8_t nearest_code(trine_dtype dtype, double q)
{
    static double values[TRINE_DTYPE_COUNT][256];
    static bool filled[TRINE_DTYPE_COUNT];
    double *value = values[dtype], best_distance = INFINITY;
    for (int code = 0; code < 256 && !filled[dtype]; code++)
        value[code] = value_of_code(dtype, (uint8_t)code);
    filled[dtype] = true;
    int best = -1;
    for (int code = 0; code < 256; code++) {
        double distance = fabs(value[code] - q);
        if (!isfinite(value[code]) || distance > best_distance) continue;
        /* A tie: of 0 and -0 the one with q's sign, else the even code. */
        if (distance == best_distance &&
            (value[code] == value[best] ? !signbit(value[code]) != !signbit(q) : code % 2 != 0))
            continue;
        best = code;
        best_distance = distance;
    }
    return (uint8_t)best;
}

double q_max_of(trine_dtype dtype)
{
    return dtype == TRINE_E4M3FN ? 448.0 : dtype == TRINE_E4M3FNUZ ? 224.0 : 127.0;
}
