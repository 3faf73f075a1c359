// SPDX-License-Identifier: Apache-2.0
// rotary_embedding: (a, b) -> (a c - b s, b c + a s), in one of four orders of rounding.
#include "numerics/fp_env.h"
#include "reference/element.h"
#include "reference/reference.h"

/* a c + b s before its rounding to out; `low` is the 16-bit dtype of the last two classes. */
static float rotate(trine_rotary_rounding rounding, trine_dtype low, float a, float c, float b,
                    float s)
{
    switch (rounding) {
    case TRINE_ROUNDING_F32_FMA:
        return trine_fmaf(b, s, a * c);
    case TRINE_ROUNDING_F32_2MUL:
        return a * c + b * s;
    case TRINE_ROUNDING_LOW_MUL_F32_ADD:
        return trine_round_to(low, a * c) + b * s;
    default: /* TRINE_ROUNDING_ALL_LOW */
        return trine_round_to(low, a * c) + trine_round_to(low, b * s);
    }
}

static void rotate_head(const trine_rotary_embedding_problem *p, int64_t b, int64_t t, int64_t h)
{
    bool half = p->pairing == TRINE_PAIRING_HALF;
    for (int64_t i = 0; i < p->pairs; i++) {
        int64_t first = half ? i : 2 * i;
        int64_t second = half ? i + p->pairs : 2 * i + 1;
        float c = trine_load(&p->cos, trine_at4(&p->cos, b, t, h, i));
        float s = trine_load(&p->sin, trine_at4(&p->sin, b, t, h, i));
        if (p->inverse) s = -s;
        /* Both are read before either is written: out may be x. */
        float u = trine_load(&p->x, trine_at4(&p->x, b, t, h, first));
        float v = trine_load(&p->x, trine_at4(&p->x, b, t, h, second));
        trine_dtype low = p->x.dtype;
        trine_store(&p->out, trine_at4(&p->out, b, t, h, first),
                    rotate(p->rounding, low, u, c, -v, s));
        trine_store(&p->out, trine_at4(&p->out, b, t, h, second),
                    rotate(p->rounding, low, v, c, u, s));
    }
    for (int64_t d = 2 * p->pairs; d < p->head_size; d++) {
        int64_t from = trine_at4(&p->x, b, t, h, d), to = trine_at4(&p->out, b, t, h, d);
        /* As bits, so that a NaN keeps its payload. */
        if (p->x.dtype == TRINE_F32)
            trine_store_i32(&p->out, to, trine_load_i32(&p->x, from));
        else
            trine_store_u16(&p->out, to, trine_load_u16(&p->x, from));
    }
}

void trine_reference_rotary_embedding(const trine_rotary_embedding_problem *p)
{
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for collapse(2)
        for (int64_t b = 0; b < p->batch; b++)
            for (int64_t t = 0; t < p->tokens; t++)
                for (int64_t h = 0; h < p->heads; h++) rotate_head(p, b, t, h);
        trine_fp_leave(env);
    }
}
