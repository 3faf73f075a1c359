// SPDX-License-Identifier: Apache-2.0
// The conversions as array functions, for oracle.py.
#include <stddef.h>

#include "numerics/format.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#define CONVERT(function, from, to)                                                                \
    EXPORT void oracle_##function(to *out, const from *in, size_t n);                              \
    void oracle_##function(to *out, const from *in, size_t n)                                      \
    {                                                                                              \
        for (size_t i = 0; i < n; i++) out[i] = trine_##function(in[i]);                           \
    }

CONVERT(bf16_to_f32, uint16_t, float)
CONVERT(f16_to_f32, uint16_t, float)
CONVERT(e4m3fn_to_f32, uint8_t, float)
CONVERT(e4m3fnuz_to_f32, uint8_t, float)
CONVERT(e5m2_to_f32, uint8_t, float)
CONVERT(ue8m0_to_f32, uint8_t, float)
CONVERT(f32_to_bf16, float, uint16_t)
CONVERT(f32_to_f16, float, uint16_t)
CONVERT(f32_to_e4m3fn, float, uint8_t)
CONVERT(f32_to_e4m3fnuz, float, uint8_t)
CONVERT(f32_to_e5m2, float, uint8_t)
CONVERT(f32_to_ue8m0, float, uint8_t)
CONVERT(f64_to_f16, double, uint16_t)
