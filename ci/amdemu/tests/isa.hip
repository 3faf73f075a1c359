// SPDX-License-Identifier: Apache-2.0
// Kernels that ci/amd-isa must accept (good_...) and must refuse (bad_...). Never executed.
#include <hip/hip_runtime.h>
#include <stdint.h>

#include "numerics/elementary.h"

#define I (blockIdx.x * blockDim.x + threadIdx.x)

extern "C" {
__global__ void good_division(float *q, const float *s)
{
    q[I] /= s[I];
}
__global__ void good_sigmoid(float *q)
{
    q[I] = trine_sigmoidf(q[I]);
}
__global__ void good_sigmoids(float4 *q)
{
    float4 v = q[I];
    q[I] = {trine_sigmoidf(v.x), trine_sigmoidf(v.y), trine_tanhf(v.z), trine_erff(v.w)};
}
__global__ void good_integer_division(uint64_t *q, uint32_t *u)
{
    q[I] /= q[I + 64];
    u[I] %= u[I + 64];
    u[0] = u[1] / u[2];
}
// The same by the scalar unit, where there is one for floats (gfx1201).
__global__ void good_uniform(float *q, float x, uint64_t n, uint64_t d)
{
    q[I] *= trine_sigmoidf(x) + trine_tanhf(x) + (float)(n / d);
}

__global__ void good_f16(_Float16 *h, const float *q)
{
    h[I] = (_Float16)(q[I] + 1);
}

__global__ void bad_exp(float *q)
{
    q[I] = __expf(q[I]);
}
__global__ void bad_log(float *q)
{
    q[I] = __logf(q[I]);
}
__global__ void bad_sin(float *q)
{
    q[I] = __sinf(q[I]);
}
__global__ void bad_rsqrt(float *q)
{
    q[I] = __frsqrt_rn(q[I]);
}
__global__ void bad_reciprocal(float *q)
{
    q[I] = __builtin_amdgcn_rcpf(q[I]);
}
__global__ void bad_uniform_reciprocal(float *q, float x)
{
    q[I] *= __builtin_amdgcn_rcpf(x + 1.0f);
}
// A Newton step without the correction term: 11 quotients are wrong.
__global__ void bad_newton(float *q)
{
    float d = q[I], r = __builtin_amdgcn_rcpf(d);
    q[I] = __builtin_fmaf(r, __builtin_fmaf(-d, r, 1.0f), r);
}
// A product rounded to f16 becomes fma(a, b, +0), which makes +0 of -0.
__global__ void bad_mixed(_Float16 *h, const float *q)
{
    h[I] = (_Float16)(q[I] * (float)h[I]);
}
__global__ void bad_scratch(float *q, int n)
{
    float a[128];
    for (int i = 0; i < 128; i++) a[i] = q[i * 7 + threadIdx.x];
    for (int i = 0; i < 128; i++) a[(i * n) & 127] += 1;
    for (int i = 0; i < 128; i++) q[a[i] > 0 ? i : n] = a[i];
}
}
