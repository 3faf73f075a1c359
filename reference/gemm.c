// SPDX-License-Identifier: Apache-2.0
// Decoding of operands.
#include "reference/gemm.h"
#include "reference/element.h"

void trine_decode(const trine_view *view, int64_t offset, int64_t stride, int64_t count,
                  float *restrict out)
{
    const uint8_t *bytes = (const uint8_t *)view->data + offset;
    switch (view->dtype) {
    case TRINE_E4M3FN:
        for (int64_t i = 0; i < count; i++) out[i] = trine_e4m3fn_to_f32(bytes[i * stride]);
        break;
    case TRINE_E4M3FNUZ:
        for (int64_t i = 0; i < count; i++) out[i] = trine_e4m3fnuz_to_f32(bytes[i * stride]);
        break;
    case TRINE_I8:
        for (int64_t i = 0; i < count; i++) out[i] = (float)(int8_t)bytes[i * stride];
        break;
    case TRINE_BF16:
        for (int64_t i = 0; i < count; i++)
            out[i] = trine_bf16_to_f32(trine_load_u16(view, offset + i * stride));
        break;
    default:
        for (int64_t i = 0; i < count; i++) out[i] = trine_load(view, offset + i * stride);
        break;
    }
}
