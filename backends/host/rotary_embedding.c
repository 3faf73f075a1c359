// SPDX-License-Identifier: Apache-2.0
/* rotary_embedding by runs of pairs: a table row is widened once and serves all heads; exact. */
#include "backends/host/convert.h"
#include "backends/host/kernels.h"
#include "numerics/fp_env.h"

#define RUN 512 /* pairs */

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FIRST_IS_LOW 0
#else
#define FIRST_IS_LOW 1
#endif

TRINE_INLINE float widen(uint32_t h, trine_dtype dtype)
{
    return dtype == TRINE_BF16 ? trine_bf16_to_f32((uint16_t)h) : trine_f16_to_f32((uint16_t)h);
}

TRINE_INLINE uint32_t narrow(float x, trine_dtype dtype)
{
    return dtype == TRINE_BF16 ? trine_f32_to_bf16(x) : trine_f32_to_f16(x);
}

/* a c + b s before its rounding to out. */
TRINE_INLINE float rotate(trine_rotary_rounding rounding, trine_dtype low, float a, float c,
                          float b, float s)
{
    if (rounding == TRINE_ROUNDING_F32_FMA) return trine_fmaf(b, s, a * c);
    float ac = a * c, bs = b * s;
    if (rounding != TRINE_ROUNDING_F32_2MUL) ac = trine_round_one(ac, low);
    if (rounding == TRINE_ROUNDING_ALL_LOW) bs = trine_round_one(bs, low);
    return ac + bs;
}

/* Pairs side by side; 16-bit ones travel as one word. Iterations touch nothing of each other, also
 * when out is x. dtype and rounding are constants at every call. */
TRINE_INLINE void rotate_adjacent(char *out, const char *x, const float *restrict c,
                                  const float *restrict s, int64_t count, trine_dtype dtype,
                                  trine_rotary_rounding rounding)
{
    if (dtype == TRINE_F32) {
        const trine_float *from = (const trine_float *)x;
        trine_float *to = (trine_float *)out;
#pragma omp simd
        for (int64_t i = 0; i < count; i++) {
            float a = from[2 * i], b = from[2 * i + 1];
            to[2 * i] = rotate(rounding, dtype, a, c[i], -b, s[i]);
            to[2 * i + 1] = rotate(rounding, dtype, b, c[i], a, s[i]);
        }
        return;
    }
    const trine_u32 *from = (const trine_u32 *)x;
    trine_u32 *to = (trine_u32 *)out;
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        uint32_t w = from[i];
        float a = widen(FIRST_IS_LOW ? w & 0xffffu : w >> 16, dtype);
        float b = widen(FIRST_IS_LOW ? w >> 16 : w & 0xffffu, dtype);
        uint32_t first = narrow(rotate(rounding, dtype, a, c[i], -b, s[i]), dtype);
        uint32_t second = narrow(rotate(rounding, dtype, b, c[i], a, s[i]), dtype);
        to[i] = FIRST_IS_LOW ? first | second << 16 : second | first << 16;
    }
}

/* Pairs (i, i + distance). */
TRINE_INLINE void rotate_half(char *out, const char *x, int64_t distance, const float *restrict c,
                              const float *restrict s, int64_t count, trine_dtype dtype,
                              trine_rotary_rounding rounding)
{
    if (dtype == TRINE_F32) {
        const trine_float *from = (const trine_float *)x;
        trine_float *to = (trine_float *)out;
#pragma omp simd
        for (int64_t i = 0; i < count; i++) {
            float a = from[i], b = from[i + distance];
            to[i] = rotate(rounding, dtype, a, c[i], -b, s[i]);
            to[i + distance] = rotate(rounding, dtype, b, c[i], a, s[i]);
        }
        return;
    }
    const trine_u16 *from = (const trine_u16 *)x;
    trine_u16 *to = (trine_u16 *)out;
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        float a = widen(from[i], dtype), b = widen(from[i + distance], dtype);
        to[i] = (uint16_t)narrow(rotate(rounding, dtype, a, c[i], -b, s[i]), dtype);
        to[i + distance] = (uint16_t)narrow(rotate(rounding, dtype, b, c[i], a, s[i]), dtype);
    }
}

typedef struct head {
    char *out;
    const char *x;
    int64_t first;    /* pair */
    int64_t distance; /* half: between the members of a pair */
    const float *c, *s;
    int64_t count;
} head;

TRINE_INLINE void rotate_as(const head *h, trine_pairing pairing, trine_dtype dtype,
                            trine_rotary_rounding rounding)
{
    int64_t size = trine_element_size(dtype);
    if (pairing == TRINE_PAIRING_ADJACENT)
        rotate_adjacent(h->out + 2 * h->first * size, h->x + 2 * h->first * size, h->c, h->s,
                        h->count, dtype, rounding);
    else
        rotate_half(h->out + h->first * size, h->x + h->first * size, h->distance, h->c, h->s,
                    h->count, dtype, rounding);
}

TRINE_INLINE void rotate_low(const head *h, trine_pairing pairing, trine_dtype dtype,
                             trine_rotary_rounding rounding)
{
    switch (rounding) {
    case TRINE_ROUNDING_F32_FMA:
        rotate_as(h, pairing, dtype, TRINE_ROUNDING_F32_FMA);
        break;
    case TRINE_ROUNDING_F32_2MUL:
        rotate_as(h, pairing, dtype, TRINE_ROUNDING_F32_2MUL);
        break;
    case TRINE_ROUNDING_LOW_MUL_F32_ADD:
        rotate_as(h, pairing, dtype, TRINE_ROUNDING_LOW_MUL_F32_ADD);
        break;
    default:
        rotate_as(h, pairing, dtype, TRINE_ROUNDING_ALL_LOW);
        break;
    }
}

TRINE_INLINE void rotate_pairing(const head *h, trine_pairing pairing, trine_dtype dtype,
                                 trine_rotary_rounding rounding)
{
    if (dtype == TRINE_BF16)
        rotate_low(h, pairing, TRINE_BF16, rounding);
    else if (dtype == TRINE_F16)
        rotate_low(h, pairing, TRINE_F16, rounding);
    else if (rounding == TRINE_ROUNDING_F32_FMA)
        rotate_as(h, pairing, TRINE_F32, TRINE_ROUNDING_F32_FMA);
    else
        rotate_as(h, pairing, TRINE_F32, TRINE_ROUNDING_F32_2MUL);
}

static void load_table(const trine_rotary_embedding_problem *p, int64_t b, int64_t t, int64_t h,
                       int64_t first, int64_t count, float *c, float *s)
{
    const trine_view *tables[2] = {&p->cos, &p->sin};
    float *runs[2] = {c, s};
    for (int i = 0; i < 2; i++) {
        const trine_view *v = tables[i];
        int64_t at = b * v->stride[0] + t * v->stride[1] + h * v->stride[2] + first * v->stride[3];
        if (v->stride[3] == 2)
            trine_load_run_2(runs[i], trine_element(v, at), v->dtype, count);
        else
            trine_load_run(runs[i], trine_element(v, at), v->dtype, count);
    }
    if (p->inverse)
        for (int64_t i = 0; i < count; i++) s[i] = -s[i];
}

static void rotate_token(const trine_rotary_embedding_problem *p, int64_t b, int64_t t)
{
    float c[RUN], s[RUN];
    const trine_view *x = &p->x, *out = &p->out;
    bool per_head = p->cos.stride[2] != 0 || p->sin.stride[2] != 0;
    int64_t size = trine_element_size(x->dtype);
    const char *from = trine_element(x, b * x->stride[0] + t * x->stride[1]);
    char *to = trine_element_out(out, b * out->stride[0] + t * out->stride[1]);
    for (int64_t first = 0; first < p->pairs; first += RUN) {
        int64_t count = p->pairs - first < RUN ? p->pairs - first : RUN;
        for (int64_t h = 0; h < p->heads; h++) {
            if (h == 0 || per_head) load_table(p, b, t, h, first, count, c, s);
            head run = {to + h * out->stride[2] * size,
                        from + h * x->stride[2] * size,
                        first,
                        p->pairs,
                        c,
                        s,
                        count};
            if (p->pairing == TRINE_PAIRING_ADJACENT)
                rotate_pairing(&run, TRINE_PAIRING_ADJACENT, x->dtype, p->rounding);
            else
                rotate_pairing(&run, TRINE_PAIRING_HALF, x->dtype, p->rounding);
        }
    }
    int64_t done = 2 * p->pairs * size, rest = p->head_size * size - done;
    if (rest == 0 || to == from) return;
    for (int64_t h = 0; h < p->heads; h++)
        memcpy(to + h * out->stride[2] * size + done, from + h * x->stride[2] * size + done,
               (size_t)rest);
}

void TRINE_HOST_SYMBOL(rotary_embedding)(const trine_rotary_embedding_problem *p)
{
#pragma omp parallel if (p->batch * p->tokens * p->heads * p->head_size > 16384)
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2)
        for (int64_t b = 0; b < p->batch; b++)
            for (int64_t t = 0; t < p->tokens; t++) rotate_token(p, b, t);
        trine_fp_leave(env);
    }
}
