// SPDX-License-Identifier: Apache-2.0
// One kernel for each function, compiled as CUDA and as HIP by device_code.py, which reads the
// instructions.
#include "numerics/activation.h"
#include "numerics/format.h"
#include "numerics/group_scale.h"

#if defined(__HIP__)
#define KERNEL extern "C" __attribute__((global)) void
#define INDEX  __builtin_amdgcn_workitem_id_x()
#else
#define KERNEL extern "C" __global__ void
#define INDEX  threadIdx.x
#endif

#define MAP(name, from, to, function)                                                              \
    KERNEL map_##name(const from *in, to *out)                                                     \
    {                                                                                              \
        out[INDEX] = function(in[INDEX]);                                                          \
    }

// What a kernel costs without a function in it.
MAP(nothing, float, float, )

MAP(exp, float, float, trine_expf)
MAP(sigmoid, float, float, trine_sigmoidf)
MAP(tanh, float, float, trine_tanhf)
MAP(erf, float, float, trine_erff)
MAP(silu, float, float, trine_silu)
MAP(gelu_erf, float, float, trine_gelu_erf)
MAP(gelu_tanh, float, float, trine_gelu_tanh)
MAP(relu2, float, float, trine_relu2)
MAP(bf16_to_f32, uint16_t, float, trine_bf16_to_f32)
MAP(f16_to_f32, uint16_t, float, trine_f16_to_f32)
MAP(e4m3fn_to_f32, uint8_t, float, trine_e4m3fn_to_f32)
MAP(e4m3fnuz_to_f32, uint8_t, float, trine_e4m3fnuz_to_f32)
MAP(e5m2_to_f32, uint8_t, float, trine_e5m2_to_f32)
MAP(ue8m0_to_f32, uint8_t, float, trine_ue8m0_to_f32)
MAP(f32_to_bf16, float, uint16_t, trine_f32_to_bf16)
MAP(f32_to_f16, float, uint16_t, trine_f32_to_f16)
MAP(f32_to_e4m3fn, float, uint8_t, trine_f32_to_e4m3fn)
MAP(f32_to_e4m3fnuz, float, uint8_t, trine_f32_to_e4m3fnuz)
MAP(f32_to_e5m2, float, uint8_t, trine_f32_to_e5m2)
MAP(f32_to_ue8m0, float, uint8_t, trine_f32_to_ue8m0)
MAP(f32_to_i8_nearest, float, int8_t, trine_f32_to_i8_nearest)
MAP(f32_to_i8_truncate, float, int8_t, trine_f32_to_i8_truncate)

KERNEL map_divide(const float *in, float *out)
{
    out[INDEX] = trine_divf(in[INDEX], out[INDEX]);
}

KERNEL map_swiglu_oai(const float *in, float *out, float alpha, float limit)
{
    out[INDEX] = trine_swiglu_oai(in[INDEX], out[INDEX], alpha, limit);
}

KERNEL map_quotient(const float *in, float *out, float s, float r)
{
    out[INDEX] = trine_group_clamp(trine_group_quotient_any(in[INDEX], s, r), 448.0f);
}
