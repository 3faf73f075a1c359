// SPDX-License-Identifier: Apache-2.0
// backends/gpu/per_token_group_quant.h forms the scale amax / q_max without a division. This tries
// every float from 2^-67, which is below the smallest eps, up to the largest: the same three
// operations, on the host, against the IEEE quotient.
#include <criterion/criterion.h>

#include "numerics/portable.h"

static uint32_t differing(float q_max, float inverse, uint32_t *tried)
{
    uint32_t wrong = 0, count = 0;
    for (uint32_t bits = 60u << 23; bits < 255u << 23; bits++) {
        float amax = trine_f32_from_bits(bits);
        float s = amax * inverse;
        float remainder = trine_fmaf(-s, q_max, amax);
        wrong += trine_fmaf(remainder, inverse, s) != amax / q_max;
        count++;
    }
    *tried = count;
    return wrong;
}

// The constants as backends/gpu/format.h writes them.
Test(scale_division, equals_the_quotient)
{
    static const float q_max[] = {448.0f, 224.0f, 127.0f};
    static const float inverse[] = {0x1.24924ap-9f, 0x1.24924ap-8f, 0x1.020408p-7f};
    for (int i = 0; i < 3; i++) {
        uint32_t tried = 0, wrong = differing(q_max[i], inverse[i], &tried);
        cr_assert_eq(inverse[i], 1.0f / q_max[i]);
        cr_assert_eq(tried, 195u << 23);
        cr_assert_eq(wrong, 0u, "q_max %g: %u of %u quotients differ", (double)q_max[i], wrong,
                     tried);
    }
}
