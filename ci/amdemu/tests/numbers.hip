// SPDX-License-Identifier: Apache-2.0
// What arithmetic and conversions give on the emulated HIP runtime: against host arithmetic.
#include "check.h"

__global__ void k_math(int n, const float *x, float *y)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float v = x[i], a = fabsf(v) + 0.01f;
    float *o = y + 16 * i;
    o[0] = expf(v);
    o[1] = logf(a);
    o[2] = sinf(v);
    o[3] = cosf(v);
    o[4] = sqrtf(a);
    o[5] = 1.0f / v;
    o[6] = v / a;
    o[7] = powf(a, 1.7f);
    o[8] = rsqrtf(a);
    o[9] = tanhf(v);
    o[10] = exp2f(v);
    o[11] = fmaf(v, a, -1.25f);
    o[12] = rintf(v * 8);
    o[13] = floorf(v);
    o[14] = truncf(v * 3);
    o[15] = fmodf(v, 1.3f);
}
static void t_math()
{
    const int n = 333;
    std::vector<float> x(n);
    for (auto &v : x) v = uni(-9, 9);
    Dev<float> dx(x), dy(16 * n);
    k_math<<<(n + 127) / 128, 128>>>(n, dx.p, dy.p);
    CK(hipGetLastError());
    auto y = dy.get();
    double err = 0;
    int who = 0;
    for (int i = 0; i < n; i++) {
        double v = x[i], a = fabsf(x[i]) + 0.01f;
        double w[16] = {exp(v),      log(a),   sin(v),       cos(v),
                        sqrt(a),     1 / v,    v / a,        pow(a, 1.7f),
                        1 / sqrt(a), tanh(v),  exp2(v),      (double)fmaf(v, a, -1.25f),
                        rint(v * 8), floor(v), trunc(v * 3), fmod(v, 1.3f)};
        w[12] = rintf(x[i] * 8), w[14] = truncf(x[i] * 3);
        for (int j = 0; j < 16; j++) {
            double e = fabs(y[16 * i + j] - w[j]) / fmax(1.0, fabs(w[j]));
            if (!(e <= err)) err = e, who = j;
        }
    }
    if (!(err < 2e-6)) printf("  worst function %d\n", who);
    report("float math library", err < 2e-6, err);
}

__global__ void k_fma(int n, const float *a, const float *b, const float *c, float *o)
{
#pragma clang fp contract(off)
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        o[2 * i] = __builtin_fmaf(a[i], b[i], c[i]);
        o[2 * i + 1] = a[i] * b[i] + c[i];
    }
}
static void t_fma()
{
    const int n = 1024;
    std::vector<float> a(n), b(n), c(n);
    for (int i = 0; i < n; i++)
        a[i] = uni(1, 2), b[i] = uni(1, 2), c[i] = -(a[i] * b[i]) * (i & 1 ? 1.f : 0.999f);
    for (int i = 0; i < 64; i++)
        a[i] = ldexpf(uni(1, 2), -75), b[i] = ldexpf(uni(1, 2), -70), c[i] = 0; // denormal results
    Dev<float> da(a), db(b), dc(c), d(2 * n);
    k_fma<<<n / 256, 256>>>(n, da.p, db.p, dc.p, d.p);
    auto o = d.get();
    int e0 = 0, e1 = 0;
    for (int i = 0; i < n; i++) {
        volatile float m = a[i] * b[i];
        float s = m + c[i];
        e0 += o[2 * i] != fmaf(a[i], b[i], c[i]);
        e1 += o[2 * i + 1] != s;
    }
    report("fma bit-exact, denormals kept", !e0 && !e1, e0 + e1);
}

__global__ void k_bf16(int n, const float *x, uint16_t *manual, uint16_t *native, float *back,
                       uint32_t *pk)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    uint32_t u = __float_as_uint(x[i]);
    manual[i] = (u + 0x7fff + (u >> 16 & 1)) >> 16;
    __bf16 h = (__bf16)x[i];
    native[i] = __builtin_bit_cast(uint16_t, h);
    back[i] = (float)h * 2.0f;
    typedef __bf16 b2 __attribute__((ext_vector_type(2)));
    b2 v = {(__bf16)x[i], (__bf16)-x[i]};
    pk[i] = __builtin_bit_cast(uint32_t, v);
}
static void t_bf16()
{
    const int n = 700;
    std::vector<float> x(n);
    for (int i = 0; i < n; i++) {
        uint32_t u = rnd();
        if (i < 8) u = (0x3f80 + i) << 16 | 0x8000;
        memcpy(&x[i], &u, 4);
        if (x[i] != x[i]) x[i] = 1;
    }
    Dev<float> dx(x), dback(n);
    Dev<uint16_t> dm(n), dn(n);
    Dev<uint32_t> dp(n);
    k_bf16<<<(n + 255) / 256, 256>>>(n, dx.p, dm.p, dn.p, dback.p, dp.p);
    auto m = dm.get(), nn = dn.get();
    auto b = dback.get();
    auto p = dp.get();
    int e = 0;
    for (int i = 0; i < n; i++) {
        uint16_t w = tobf(x[i]);
        e += m[i] != w || nn[i] != w || b[i] != bf(w) * 2.f ||
             p[i] != (w | (uint32_t)tobf(-x[i]) << 16);
    }
    report("bf16 conversions", !e, e);
}

struct alignas(16) V4 {
    float a, b, c, d;
};
__global__ void k_types(int n, const uint8_t *u8, const int8_t *i8, const uint16_t *u16,
                        const int16_t *i16, const V4 *v4, const double *f64, const _Float16 *h,
                        int *o, V4 *o4, double *od, _Float16 *oh, uint8_t *ob, int64_t *ol)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    o[i] = u8[i] + 300 * i8[i] + u16[i] * 3 - i16[i];
    V4 v = v4[i];
    o4[i] = V4{v.d, v.c * 2, v.b, v.a + 1};
    od[i] = f64[i] * f64[i] + sqrt(fabs(f64[i])) / 3.0 - fma(f64[i], 0.1, 2.0);
    oh[i] = h[i] * (_Float16)1.5f + (_Float16)0.25f;
    ob[i] = (uint8_t)(u8[i] ^ 0x5a);
    int64_t a = (int64_t)u16[i] * 1000003 * (i8[i] | 1), b = i16[i] | 1;
    ol[i] = a / b + (a % b) * 7 + __popcll((unsigned long long)a) + __clz(i + 1) +
            __mulhi(i16[i] * 77777, u16[i] * 3333) +
            (int)((unsigned)u16[i] / (unsigned)(u8[i] | 1));
}
static void t_types()
{
    const int n = 500;
    std::vector<uint8_t> a(n);
    std::vector<int8_t> b(n);
    std::vector<uint16_t> c(n);
    std::vector<int16_t> d(n);
    std::vector<V4> v(n);
    std::vector<double> f(n);
    std::vector<_Float16> h(n);
    for (int i = 0; i < n; i++) {
        a[i] = rnd() >> 7;
        b[i] = rnd() >> 9;
        c[i] = rnd() >> 5;
        d[i] = rnd() >> 6;
        v[i] = V4{uni(-1, 1), uni(-1, 1), uni(-1, 1), uni(-1, 1)};
        f[i] = uni(-50, 50);
        h[i] = (_Float16)uni(-8, 8);
    }
    Dev<uint8_t> da(a), ob(n);
    Dev<int8_t> db(b);
    Dev<uint16_t> dc(c);
    Dev<int16_t> dd(d);
    Dev<V4> dv(v), o4(n);
    Dev<double> df(f), od(n);
    Dev<_Float16> dh(h), oh(n);
    Dev<int> o(n);
    Dev<int64_t> ol(n);
    k_types<<<(n + 127) / 128, 128>>>(n, da.p, db.p, dc.p, dd.p, dv.p, df.p, dh.p, o.p, o4.p, od.p,
                                      oh.p, ob.p, ol.p);
    CK(hipGetLastError());
    auto x = o.get();
    auto x4 = o4.get();
    auto xd = od.get();
    auto xh = oh.get();
    auto xb = ob.get();
    auto xl = ol.get();
    int e[6] = {0};
    for (int i = 0; i < n; i++) {
        e[0] += x[i] != a[i] + 300 * b[i] + c[i] * 3 - d[i];
        e[1] += x4[i].a != v[i].d || x4[i].b != v[i].c * 2 || x4[i].c != v[i].b ||
                x4[i].d != v[i].a + 1;
        double w = f[i] * f[i] + sqrt(fabs(f[i])) / 3.0 - fma(f[i], 0.1, 2.0);
        e[2] += !(fabs(xd[i] - w) <= 1e-13 * fmax(1, fabs(w)));
        e[3] += fabs((float)xh[i] - ((float)h[i] * 1.5f + .25f)) > 0.01f;
        e[4] += xb[i] != (a[i] ^ 0x5a);
        int64_t A = (int64_t)c[i] * 1000003 * (b[i] | 1), B = d[i] | 1;
        int64_t W = A / B + (A % B) * 7 + __builtin_popcountll(A) + __builtin_clz(i + 1) +
                    (int)(((int64_t)(d[i] * 77777) * (int)(c[i] * 3333)) >> 32) +
                    (int)((unsigned)c[i] / (unsigned)(a[i] | 1));
        e[5] += xl[i] != W;
    }
    report("8/16/32-bit loads", !e[0], e[0]);
    report("128-bit loads and stores", !e[1], e[1]);
    report("double arithmetic", !e[2], e[2]);
    report("half arithmetic", !e[3], e[3]);
    report("byte stores", !e[4], e[4]);
    report("64-bit integer arithmetic", !e[5], e[5]);
}

int main()
{
    print_device();
    t_math();
    t_fma();
    t_bf16();
    t_types();
    printf("%s\n", bad ? "FAILED" : "all passed");
    return bad;
}
