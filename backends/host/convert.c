// SPDX-License-Identifier: Apache-2.0
/* Runs of elements to f32 and back. */
#include "backends/host/convert.h"

/* Elements 0, step, 2 step ... of src as f32; step is a constant 1 or 2 at every call. */
TRINE_INLINE void load_run_step(float *restrict dst, const void *restrict src, trine_dtype dtype,
                                int64_t count, int64_t step)
{
    const uint8_t *b = src;
    const trine_u16 *h = src;
    const trine_float *f = src;
    switch (dtype) {
    case TRINE_BF16:
        for (int64_t i = 0; i < count; i++) dst[i] = trine_bf16_to_f32(h[step * i]);
        break;
    case TRINE_F16:
        for (int64_t i = 0; i < count; i++) dst[i] = trine_f16_to_f32(h[step * i]);
        break;
    case TRINE_E4M3FN:
        for (int64_t i = 0; i < count; i++) dst[i] = trine_e4m3fn_to_f32(b[step * i]);
        break;
    case TRINE_E4M3FNUZ:
        for (int64_t i = 0; i < count; i++) dst[i] = trine_e4m3fnuz_to_f32(b[step * i]);
        break;
    case TRINE_E5M2:
        for (int64_t i = 0; i < count; i++) dst[i] = trine_e5m2_to_f32(b[step * i]);
        break;
    case TRINE_I8:
        for (int64_t i = 0; i < count; i++) dst[i] = (float)(int8_t)b[step * i];
        break;
    case TRINE_U8:
        for (int64_t i = 0; i < count; i++) dst[i] = (float)b[step * i];
        break;
    default:
        for (int64_t i = 0; i < count; i++) dst[i] = f[step * i];
        break;
    }
}

void trine_load_run(float *restrict dst, const void *restrict src, trine_dtype dtype, int64_t count)
{
    load_run_step(dst, src, dtype, count, 1);
}

void trine_load_run_2(float *restrict dst, const void *restrict src, trine_dtype dtype,
                      int64_t count)
{
    load_run_step(dst, src, dtype, count, 2);
}

void trine_store_run(void *restrict dst, const float *restrict src, trine_dtype dtype,
                     int64_t count)
{
    trine_u16 *h = dst;
    trine_float *f = dst;
    if (dtype == TRINE_BF16)
        for (int64_t i = 0; i < count; i++) h[i] = trine_f32_to_bf16(src[i]);
    else if (dtype == TRINE_F16)
        for (int64_t i = 0; i < count; i++) h[i] = trine_f32_to_f16(src[i]);
    else
        for (int64_t i = 0; i < count; i++) f[i] = src[i];
}

void trine_round_run(float *x, trine_dtype dtype, int64_t count)
{
    if (dtype == TRINE_BF16)
        for (int64_t i = 0; i < count; i++) x[i] = trine_round_bf16(x[i]);
    else if (dtype == TRINE_F16)
        for (int64_t i = 0; i < count; i++) x[i] = trine_round_f16(x[i]);
}
