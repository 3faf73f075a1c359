// SPDX-License-Identifier: Apache-2.0
/* Values of a call's tensors. */
#include "check/generate.h"

#include "check/dims.h"
#include "check/rng.h"
#include "check/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const pattern_names[TRINE_PATTERN_COUNT] = {
    "normal", "edges", "constant", "exact", "ties", "wide", "special"};

const char *trine_pattern_name(trine_pattern pattern)
{
    return (unsigned)pattern < TRINE_PATTERN_COUNT ? pattern_names[pattern] : "?";
}

bool trine_pattern_fits(const trine_op_description *op, trine_pattern pattern)
{
    return op->bounded ? pattern <= TRINE_PATTERN_EXACT : pattern != TRINE_PATTERN_EXACT;
}

/* What one tensor's generator knows. */
typedef struct source {
    const trine_plan *plan;
    int tensor;
    trine_dtype dtype;
    trine_pattern pattern;
    uint64_t key;    /* of this tensor */
    uint64_t call;   /* of all tensors */
    int64_t experts; /* ids below this are experts of some rank */
    int64_t local;   /* and below this of this one */
    int64_t rows;    /* of masked rows */
} source;

static double pick(const double *values, size_t count, uint64_t random)
{
    return values[random % count];
}

#define PICK(random, ...)                                                                          \
    pick((const double[]){__VA_ARGS__}, sizeof((double[]){__VA_ARGS__}) / sizeof(double), random)

/* ---------------------------------------------------------------- real numbers */

static double exponent_between(uint64_t random, int low, int high)
{
    return ldexp(1, low + (int)(random % (uint64_t)(high - low + 1)));
}

/* Quotients by a power-of-two scale that lie between two codes: each stretch of 16 holds the group
 * maximum, so the scale is what is meant. */
static double tie(const source *s, uint64_t i)
{
    const double q_max = PICK(s->key >> 8, 448, 224, 127);
    const double unit = exponent_between(s->key, -8, 4);
    const uint64_t r = trine_rng_at(s->key, i);
    const double sign = r >> 63 ? -1 : 1;

    if (i % 16 == trine_rng_below(s->key, i / 16 + 77777, 16)) return sign * q_max * unit;
    if (q_max == 127) return sign * ((double)(r % 127) + 0.5) * unit;
    /* Halfway between neighbours of three mantissa bits, subnormals included. */
    const int exponent = (int)(r >> 8 & 15) - 8;
    return sign * ((double)(8 + (r & 7)) + 0.5) * ldexp(unit, exponent > 4 ? 4 : exponent);
}

static double special(uint64_t random)
{
    return PICK(random, NAN, INFINITY, -INFINITY, -0.0, NAN, 0x1p-149, -0x1p-126);
}

/* The row of a tensor that element i lies in. */
static uint64_t row_of(const source *s, uint64_t i)
{
    const trine_layout *layout = &s->plan->layout[s->tensor];

    return layout->rank > 0 ? i / (uint64_t)layout->shape[layout->rank - 1] : 0;
}

/* One of the eleven kinds of stretches. */
static double edge(const source *s, uint64_t i, uint64_t kind, double largest)
{
    const double smallest = trine_value_smallest(s->dtype);
    const double sign = i & 1 ? -1 : 1;

    switch (kind % 11) {
    case 0:
        return trine_rng_at(s->key, i) & 1 ? -0.0 : 0; /* equal, of either sign */
    case 1:
        return -0.0;
    case 2:
        return sign * largest;
    case 3:
        return sign * smallest;
    case 4:
        return sign * smallest * (double)(1 + trine_rng_below(s->key, i, 100));
    case 5:
        return i % 7 == 3 ? 1 : 0;
    case 6:
        return sign;
    case 7:
        return sign * PICK(trine_rng_at(s->key, i), 448, 464, 447, 240, 224, 248, 127, 127.5);
    case 8:
        return (double)(int64_t)(i % 64) - 32;
    case 9:
        return trine_rng_normal(s->key, i) * 0x1p-14;
    default:
        return trine_rng_normal(s->key, i);
    }
}

static double real(const source *s, uint64_t i)
{
    const bool bounded = s->plan->op->bounded;
    const uint64_t r = trine_rng_at(s->key, i + 1000003);
    const uint64_t stretch = 7 + s->key % 50;
    /* Bounded ops sum products: extremes would overflow in f32 and not in the double oracle. */
    const double largest = bounded ? 256 : trine_value_largest(s->dtype);

    switch (s->pattern) {
    case TRINE_PATTERN_EDGES:
        /* Sums of infinities depend on their order: only what is quantized, or may be, holds them.
         */
        if (bounded && r % 997 == 0)
            return s->plan->op->op != TRINE_OP_SCALED_MM && s->tensor == 0
                       ? PICK(r >> 10, NAN, INFINITY, -INFINITY)
                       : NAN;
        return edge(s, i, trine_rng_at(s->key, i / stretch + 555), largest);
    case TRINE_PATTERN_CONSTANT:
        return bounded ? PICK(s->key, 0, 1, -1, 0.3, 3)
                       : PICK(s->key, 0, 1, -1, 672, 1e-12, 448, trine_value_largest(s->dtype), NAN,
                              INFINITY);
    case TRINE_PATTERN_TIES:
        return tie(s, i);
    case TRINE_PATTERN_WIDE:
        return trine_rng_normal(s->key, i) * exponent_between(r, s->dtype == TRINE_F16 ? -26 : -140,
                                                              s->dtype == TRINE_F16 ? 16 : 127);
    case TRINE_PATTERN_SPECIAL:
        /* Some rows hold nothing that is finite, nor +Inf, which topk_gating takes as finite. */
        if (trine_rng_below(s->key, row_of(s, i) + 77777, 8) == 0) return r & 1 ? NAN : -INFINITY;
        if (trine_rng_below(s->key, i / 64 + 333, 12) == 0 || r % 10 == 0) return special(r >> 8);
        return trine_rng_normal(s->key, i);
    default:
        return trine_rng_normal(s->key, i);
    }
}

/* ---------------------------------------------------------------- other domains */

static double scale(const source *s, uint64_t i)
{
    const uint64_t r = trine_rng_at(s->key, i);
    const bool bounded = s->plan->op->bounded;
    const double ordinary = exponent_between(r, -9, -4) * (1 + trine_rng_unit(s->key, i + 9999));

    switch (s->pattern) {
    case TRINE_PATTERN_NORMAL:
        return ordinary;
    case TRINE_PATTERN_CONSTANT:
        return PICK(s->key, 1, 0.5, 0.01, 0);
    case TRINE_PATTERN_SPECIAL:
        return r % 5 ? ordinary : PICK(r >> 8, 0, NAN, INFINITY, 0x1p-149, 0x1p127, -1.5, 0x1p-126);
    case TRINE_PATTERN_WIDE:
        return exponent_between(r, -140, 127) * (1 + trine_rng_unit(r, 1));
    default:
        return r % 4     ? ordinary
               : bounded ? PICK(r >> 8, 0, 1, 64, 0x1p-20)
                         : PICK(r >> 8, 0, 1, 1e30, 1e-38);
    }
}

/* Codes: numbers for smooth data, else any byte, NaN and -0 among them. */
static void put_code(const source *s, uint64_t i, void *element)
{
    const uint64_t r = trine_rng_at(s->key, i + 31);
    const double width = s->dtype == TRINE_I8 ? 40 : s->dtype == TRINE_E5M2 ? 1 : 60;
    uint32_t bits = (uint32_t)(r & 0xFF);

    if (s->dtype == TRINE_U8) {
        trine_value_set_bits(s->dtype, element, bits);
    } else if (s->pattern == TRINE_PATTERN_NORMAL || s->pattern == TRINE_PATTERN_TIES) {
        trine_value_set(s->dtype, element, trine_rng_normal(s->key, i) * width);
    } else if (s->pattern == TRINE_PATTERN_CONSTANT) {
        trine_value_set_bits(s->dtype, element, (uint32_t)(s->key & 0x7F));
    } else if (s->plan->op->bounded && s->dtype != TRINE_I8 && (r >> 17 & 0xFFF) == 0) {
        trine_value_set(s->dtype, element, NAN);
    } else if (s->plan->op->bounded && r >> 8 & 0x1FF) {
        /* NaN spreads over rows and columns: rare, so that most elements can tell something. */
        trine_value_set(s->dtype, element, edge(s, i, trine_rng_at(s->key, i / 9 + 5), width * 4));
    } else {
        trine_value_set_bits(s->dtype, element, bits);
    }
}

static double probability(const source *s, uint64_t i)
{
    const uint64_t r = trine_rng_at(s->key, i);
    const double ordinary = 0.02 + 0.5 * trine_rng_unit(s->key, i);

    return s->pattern == TRINE_PATTERN_NORMAL || r % 5 ? ordinary
                                                       : PICK(r >> 8, 0, 1, -0.25, 1e-6, 2);
}

static double expert(const source *s, uint64_t i)
{
    const uint64_t r = trine_rng_at(s->key, i);
    const uint64_t experts = s->experts > 0 ? (uint64_t)s->experts : 1;

    switch (s->pattern) {
    case TRINE_PATTERN_CONSTANT:
        return (double)(s->key % experts);
    case TRINE_PATTERN_NORMAL:
    case TRINE_PATTERN_EXACT:
        return (double)(r % experts);
    default:
        return r % 4 ? (double)(r % (experts < 3 ? experts : experts / 2 + 1))
                     : PICK(r >> 8, -1, (double)experts, (double)experts - 1, 0, INT32_MIN,
                            INT32_MAX, (double)experts + 100);
    }
}

/* Local experts in some order, the rest elsewhere. Where ids are not all good ones (expert), the
 * map holds what no rank should send, too. */
static double mapped(const source *s, uint64_t i)
{
    const uint64_t r = trine_rng_at(s->key, i);
    const uint64_t total = s->experts > 0 ? (uint64_t)s->experts : 1;
    const uint64_t shift = s->key % total;
    const uint64_t place = (i + shift) % total;

    if (s->pattern != TRINE_PATTERN_NORMAL && s->pattern != TRINE_PATTERN_CONSTANT &&
        s->pattern != TRINE_PATTERN_EXACT && r % 4 == 0)
        return PICK(r >> 8, -1, (double)s->local, -2, INT32_MAX);
    return place < (uint64_t)s->local ? (double)place : -1;
}

static double row_count(const source *s, uint64_t i)
{
    const uint64_t r = trine_rng_at(s->key, i);
    const double rows = (double)s->rows;

    if (s->pattern == TRINE_PATTERN_CONSTANT) return rows;
    return r % 3 ? (double)(r % (uint64_t)(s->rows + 1))
                 : PICK(r >> 8, 0, rows, rows + 1, -1, INT32_MIN, INT32_MAX, 1);
}

/* ---------------------------------------------------------------- tensors */

static void put(const source *s, uint64_t i, const int64_t *index, void *element)
{
    const trine_tensor_description *tensor = &s->plan->op->tensors[s->tensor];
    const uint64_t r = trine_rng_at(s->key, i + 17);
    const bool narrow = s->dtype == TRINE_E4M3FN || s->dtype == TRINE_E4M3FNUZ ||
                        s->dtype == TRINE_E5M2 || s->dtype == TRINE_I8 || s->dtype == TRINE_U8;
    double value;

    if (s->pattern == TRINE_PATTERN_EXACT && tensor->domain != TRINE_DOMAIN_EXPERT &&
        tensor->domain != TRINE_DOMAIN_EXPERT_MAP) {
        trine_value_set(s->dtype, element, trine_exact_value(s->plan, s->tensor, index, s->call));
        return;
    }
    switch (tensor->domain) {
    case TRINE_DOMAIN_SCALE:
        if (!trine_value_is_float(s->dtype)) {
            /* ue8m0 bytes, one or four: ordinary exponents, or any. */
            const uint32_t wild = (uint32_t)(r >> 16);
            const uint32_t tame = 0x7A7A7A7Au + (wild & 0x07070707u);
            trine_value_set_bits(s->dtype, element,
                                 s->pattern == TRINE_PATTERN_NORMAL || r % 3 ? tame : wild);
            return;
        }
        value = scale(s, i);
        break;
    case TRINE_DOMAIN_CODE:
        if (narrow) {
            put_code(s, i, element);
            return;
        }
        value = real(s, i) * (s->plan->op->bounded ? 0.25 : 1);
        break;
    case TRINE_DOMAIN_ZERO:
        trine_value_set_bits(s->dtype, element, (uint32_t)(r & 0xFF));
        return;
    case TRINE_DOMAIN_PROBABILITY:
        value = probability(s, i);
        break;
    case TRINE_DOMAIN_EXPERT:
        value = expert(s, i);
        break;
    case TRINE_DOMAIN_EXPERT_MAP:
        value = mapped(s, i);
        break;
    case TRINE_DOMAIN_COUNT:
        value = row_count(s, i);
        break;
    case TRINE_DOMAIN_ANGLE:
        value = s->pattern == TRINE_PATTERN_NORMAL ? 2 * trine_rng_unit(s->key, i) - 1 : real(s, i);
        break;
    default:
        if (narrow) {
            put_code(s, i, element);
            return;
        }
        value = real(s, i);
    }
    trine_value_set(s->dtype, element, value);
}

static int64_t letter_or_param(const trine_plan *plan, const trine_dims *dims, const char *letter,
                               const char *param)
{
    const int64_t value = trine_dims_get(dims, letter);

    return value >= 0 ? value : (int64_t)trine_plan_number(plan, param);
}

trine_status trine_generate(const trine_plan *plan, trine_pattern pattern, uint64_t key,
                            trine_data *data)
{
    trine_dims dims;

    memset(data, 0, sizeof *data);
    trine_dims_bind(plan, &dims);
    const int64_t local = letter_or_param(plan, &dims, "E", "num_experts");
    const int64_t global = trine_dims_get(&dims, "Eg");
    for (int i = 0; i < plan->op->tensor_count; i++) {
        const trine_layout *layout = &plan->layout[i];
        const bool input = plan->op->tensors[i].role == TRINE_IN;
        if (!plan->present[i] || (!input && !trine_plan_reads_outputs(plan))) continue;
        trine_layout packed = *layout;
        trine_layout_contiguous(&packed);
        const size_t width = trine_dtype_size(layout->dtype);
        const int64_t count = trine_layout_extent(&packed);
        const source s = {.plan = plan,
                          .tensor = i,
                          .dtype = layout->dtype,
                          .pattern = pattern,
                          .key = trine_rng_key_text(key, plan->op->tensors[i].name),
                          .call = key,
                          .experts = global >= 0 ? global : local,
                          .local = local,
                          .rows = trine_dims_get(&dims, "M")};
        uint8_t *values = malloc((size_t)count * width + 1);
        if (!values) {
            trine_data_destroy(data);
            return trine_fail(TRINE_OUT_OF_MEMORY, "out of memory");
        }
        trine_walk walk = trine_walk_begin(&packed);
        for (int64_t j = 0; j < count; j++, trine_walk_next(&walk))
            put(&s, (uint64_t)j, walk.index, values + (size_t)j * width);
        data->values[i] = values;
    }
    return TRINE_OK;
}
