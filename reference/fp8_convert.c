// SPDX-License-Identifier: Apache-2.0
// fp8_convert: the bytes of an e4m3fn weight mean half as much as e4m3fnuz, so the scale doubles.
#include "numerics/fp_env.h"
#include "reference/element.h"
#include "reference/reference.h"

static uint8_t to_fnuz(uint8_t code)
{
    if (code == 0x80) return 0x00;                 /* -0, which e4m3fnuz lacks */
    if (code == 0x7f || code == 0xff) return 0x80; /* NaN */
    return code;
}

/* 255 is NaN and stays; 254 is the largest scale there is. */
static uint8_t double_ue8m0(uint8_t code)
{
    return code < 254 ? (uint8_t)(code + 1) : code;
}

void trine_reference_fp8_convert(const trine_fp8_convert_problem *p)
{
#pragma omp parallel
    {
        trine_fp_env env = trine_fp_enter();
#pragma omp for nowait
        for (int64_t i = 0; i < p->elements; i++) {
            uint8_t code = trine_load_u8(&p->w, trine_at_linear(&p->w, i));
            trine_store_u8(&p->out, trine_at_linear(&p->out, i), to_fnuz(code));
        }
#pragma omp for
        for (int64_t i = 0; i < p->scale_elements; i++) {
            int64_t from = trine_at_linear(&p->scale, i), to = trine_at_linear(&p->out_scale, i);
            if (p->scale.dtype == TRINE_U8)
                trine_store_u8(&p->out_scale, to, double_ue8m0(trine_load_u8(&p->scale, from)));
            else
                trine_store_f32(&p->out_scale, to, trine_load_f32(&p->scale, from) * 2.0f);
        }
        trine_fp_leave(env);
    }
}
