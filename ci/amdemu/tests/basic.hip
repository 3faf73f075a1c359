// SPDX-License-Identifier: Apache-2.0
// Self-checking kernels for the emulated HIP runtime. Every check prints one line; the exit status
// counts failures.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <hip/hip_runtime.h>
#include <vector>
#define CK(x)                                                                                      \
    do {                                                                                           \
        hipError_t e_ = (x);                                                                       \
        if (e_ != hipSuccess) {                                                                    \
            printf("%s:%d %s\n", __FILE__, __LINE__, hipGetErrorString(e_));                       \
            bad++;                                                                                 \
        }                                                                                          \
    } while (0)
static int bad;
static void report(const char *name, bool ok, double err = -1)
{
    if (err >= 0)
        printf("%-34s %s  (max err %.3g)\n", name, ok ? "ok" : "FAIL", err);
    else
        printf("%-34s %s\n", name, ok ? "ok" : "FAIL");
    if (!ok) bad++;
}
template <class T>
struct Dev {
    T *p;
    size_t n;
    Dev(size_t n_) : n(n_) { CK(hipMalloc((void **)&p, n * sizeof(T))); }
    Dev(const std::vector<T> &v) : Dev(v.size())
    {
        CK(hipMemcpy(p, v.data(), n * sizeof(T), hipMemcpyHostToDevice));
    }
    ~Dev() { CK(hipFree(p)); }
    std::vector<T> get()
    {
        std::vector<T> v(n);
        CK(hipMemcpy(v.data(), p, n * sizeof(T), hipMemcpyDeviceToHost));
        return v;
    }
};
static uint32_t rs = 12345;
static uint32_t rnd()
{
    rs ^= rs << 13;
    rs ^= rs >> 17;
    rs ^= rs << 5;
    return rs;
}
static float uni(float a, float b)
{
    return a + (b - a) * (rnd() >> 8) / 16777216.f;
}
static float bf(uint16_t h)
{
    uint32_t u = (uint32_t)h << 16;
    float f;
    memcpy(&f, &u, 4);
    return f;
}
static uint16_t tobf(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    if ((u & 0x7fffffff) > 0x7f800000) return u >> 16 | 0x40;
    return (u + 0x7fff + (u >> 16 & 1)) >> 16;
}

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

template <int BS>
__global__ void k_reduce(int n, const float *x, float *out, unsigned *mask)
{
    __shared__ float part[BS / 32];
    float s = 0;
    for (int i = blockIdx.x * BS + threadIdx.x; i < n; i += gridDim.x * BS) s += x[i];
    for (int o = warpSize / 2; o; o >>= 1) s += __shfl_xor(s, o);
    if (threadIdx.x % warpSize == 0) part[threadIdx.x / warpSize] = s;
    __syncthreads();
    if (threadIdx.x < warpSize) {
        s = threadIdx.x < BS / warpSize ? part[threadIdx.x] : 0.f;
        for (int o = warpSize / 2; o; o >>= 1) s += __shfl_xor(s, o);
        if (threadIdx.x == 0) out[blockIdx.x] = s;
        unsigned long long b = __ballot(threadIdx.x % 3 == 0);
        if (threadIdx.x == 1)
            mask[blockIdx.x] = (unsigned)b, mask[gridDim.x + blockIdx.x] = __popcll(b);
    }
}
static void t_reduce(int warp)
{
    const int n = 5000, g = 3;
    std::vector<float> x(n);
    for (auto &v : x) v = (int)(rnd() % 64) - 20;
    Dev<float> dx(x), d(g);
    Dev<unsigned> dm(2 * g);
    k_reduce<256><<<g, 256>>>(n, dx.p, d.p, dm.p);
    auto o = d.get();
    auto m = dm.get();
    double s = 0, w = 0;
    for (float v : o) s += v;
    for (float v : x) w += v;
    bool ok = s == w;
    unsigned long long b = 0;
    for (int i = 0; i < warp; i += 3) b |= 1ull << i;
    for (int i = 0; i < g; i++)
        ok &= m[i] == (unsigned)b && m[g + i] == (unsigned)__builtin_popcountll(b);
    report("LDS + barrier + shuffle reduction", ok);
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

typedef __bf16 bf2 __attribute__((ext_vector_type(2)));
typedef short s2 __attribute__((ext_vector_type(2)));
__device__ void atomic_bf2(uint32_t *p, float a, float b)
{
#if defined(__gfx942__) || defined(__gfx950__) || defined(__gfx1201__)
    s2 v = {(short)__builtin_bit_cast(uint16_t, (__bf16)a),
            (short)__builtin_bit_cast(uint16_t, (__bf16)b)};
    __builtin_amdgcn_global_atomic_fadd_v2bf16((__attribute__((address_space(1))) s2 *)(uintptr_t)p,
                                               v);
#else
    uint32_t old = *(volatile uint32_t *)p, seen;
    do {
        seen = old;
        __bf16 lo = (__bf16)(__uint_as_float(seen << 16) + (float)(__bf16)a),
               hi = (__bf16)(__uint_as_float(seen & 0xffff0000u) + (float)(__bf16)b);
        old = atomicCAS(p, seen,
                        (uint32_t) __builtin_bit_cast(uint16_t, lo) |
                            (uint32_t) __builtin_bit_cast(uint16_t, hi) << 16);
    } while (old != seen);
#endif
}
__global__ void k_atomic(uint32_t *pk, float *f, int *mx, unsigned *ticket, unsigned *order,
                         int *lds_out, unsigned long long *big, unsigned *ex)
{
    __shared__ int hist[16];
    __shared__ float fsum;
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    if (threadIdx.x < 16) hist[threadIdx.x] = 0;
    if (threadIdx.x == 0) fsum = 0;
    __syncthreads();
    if (threadIdx.x % 2) atomic_bf2(pk + t % 4, 1.0f, -0.5f);
    atomicAdd(f, 0.25f);
    atomicMax(mx, t * 7 % 101 - 50);
    atomicMin(mx + 1, t * 7 % 101 - 50);
    if (threadIdx.x % 3 == 0) order[t] = atomicAdd(ticket, 1u);
    int before = atomicAdd(&hist[threadIdx.x % 16], 1);
    atomicAdd(&fsum, 1.5f);
    atomicAdd(big, 1ull << 33);
    ex[t] = atomicExch(ex + gridDim.x * blockDim.x, (unsigned)t);
    __syncthreads();
    if (threadIdx.x < 16) lds_out[blockIdx.x * 17 + threadIdx.x] = hist[threadIdx.x] + 0 * before;
    if (threadIdx.x == 0) lds_out[blockIdx.x * 17 + 16] = (int)fsum;
}
static void t_atomic()
{
    const int g = 3, b = 96, n = g * b;
    Dev<uint32_t> pk(std::vector<uint32_t>(4, 0)), ex(std::vector<uint32_t>(n + 1, 0xffffffffu));
    Dev<float> f(std::vector<float>(1, 0));
    Dev<int> mx(std::vector<int>(2, 0)), lo(g * 17);
    Dev<unsigned> tk(std::vector<unsigned>(1, 0)), ord(n);
    Dev<unsigned long long> big(std::vector<unsigned long long>(1, 5));
    k_atomic<<<g, b>>>(pk.p, f.p, mx.p, tk.p, ord.p, lo.p, big.p, ex.p);
    CK(hipGetLastError());
    auto p = pk.get();
    report("packed bf16 atomic add",
           bf(p[1]) == 72 && bf(p[3]) == 72 && bf(p[1] >> 16) == -36 && p[0] == 0 && p[2] == 0);
    report("f32 / i32 atomics", f.get()[0] == n * .25f && mx.get()[0] == 50 && mx.get()[1] == -50 &&
                                    big.get()[0] == 5 + ((unsigned long long)n << 33));
    auto o = ord.get();
    std::vector<int> seen(n / 3, 0);
    bool ok = tk.get()[0] == n / 3;
    for (int t = 0; t < n; t++)
        if (t % b % 3 == 0) {
            if (o[t] < (unsigned)n / 3)
                seen[o[t]]++;
            else
                ok = false;
        }
    for (int s : seen) ok &= s == 1;
    auto e = ex.get();
    unsigned long long sum = 0;
    for (unsigned v : e) sum += (unsigned)(v + 1);
    report("atomics that return a value", ok && sum == (unsigned long long)n * (n + 1) / 2);
    auto l = lo.get();
    ok = true;
    for (int i = 0; i < g; i++) {
        for (int j = 0; j < 16; j++) ok &= l[i * 17 + j] == b / 16;
        ok &= l[i * 17 + 16] == b * 3 / 2;
    }
    report("LDS atomics", ok);
}

__global__ void k_grid2d(int w, int h, int *o)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y,
        z = blockIdx.z * blockDim.z + threadIdx.z;
    if (x < w && y < h)
        o[(z * h + y) * w + x] =
            x + 1000 * y + 100000 * z + (int)(gridDim.x * 10000000 + gridDim.y * 1000000);
}
static void t_grid2d()
{
    const int w = 37, h = 21, d = 4;
    Dev<int> o(w * h * d);
    k_grid2d<<<dim3((w + 15) / 16, (h + 7) / 8, 2), dim3(16, 8, 2)>>>(w, h, o.p);
    auto v = o.get();
    int e = 0;
    for (int z = 0; z < d; z++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                e += v[(z * h + y) * w + x] != x + 1000 * y + 100000 * z + 33000000;
    report("3-D grid and block indices", !e, e);
}

extern __shared__ int dyn[];
__global__ void k_dyn(int n, const int *x, int *y, int *first)
{
    __shared__ int fixed[64];
    int t = threadIdx.x;
    for (int i = t; i < n; i += blockDim.x) dyn[i] = x[blockIdx.x * n + i];
    if (t < 64) fixed[t] = t * 3;
    __syncthreads();
    for (int i = t; i < n; i += blockDim.x) y[blockIdx.x * n + i] = dyn[n - 1 - i] + fixed[i % 64];
    if (t == 0) first[blockIdx.x] = n;
}
static void t_dyn()
{
    const int n = 3000, g = 2;
    std::vector<int> x(n * g);
    for (auto &v : x) v = rnd() % 10000;
    Dev<int> dx(x), dy(n * g), df(g);
    CK(hipFuncSetAttribute((const void *)k_dyn, hipFuncAttributeMaxDynamicSharedMemorySize, n * 4));
    k_dyn<<<g, 192, n * 4>>>(n, dx.p, dy.p, df.p);
    CK(hipGetLastError());
    auto y = dy.get();
    int e = 0;
    for (int b = 0; b < g; b++)
        for (int i = 0; i < n; i++) e += y[b * n + i] != x[b * n + n - 1 - i] + i % 64 * 3;
    report("dynamic LDS", !e, e);
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

__device__ int g_table[8] = {1, 2, 3, 5, 8, 13, 21, 34};
__constant__ float c_scale[4];
__device__ __noinline__ int through_pointer(int *p, int i)
{
    return p[i & 7] * 3;
}
__global__ void k_scratch(int n, int *o, float *s)
{
    __shared__ int sh[8];
    int local[8], t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    for (int j = 0; j < 8; j++) local[j] = t * j + g_table[j];
    if (t < 8) sh[t] = 100 + t;
    __syncthreads();
    int *p = t % 2 ? sh : local; // a generic pointer: LDS or private memory
    local[t & 7] += 1000;
    __syncthreads();
    if (i < n) {
        o[i] = through_pointer(p, t / 2) + local[(t * 5) & 7];
        s[i] = c_scale[t & 3];
    }
}
static void t_scratch()
{
    const int n = 256;
    Dev<int> o(n);
    Dev<float> s(n);
    float sc[4] = {1.5f, 2.5f, -3, 8};
    CK(hipMemcpyToSymbol(HIP_SYMBOL(c_scale), sc, sizeof sc));
    k_scratch<<<2, 128>>>(n, o.p, s.p);
    CK(hipGetLastError());
    auto v = o.get();
    auto f = s.get();
    int tb[8] = {1, 2, 3, 5, 8, 13, 21, 34}, e = 0;
    for (int i = 0; i < n; i++) {
        int t = i % 128, l[8];
        for (int j = 0; j < 8; j++) l[j] = t * j + tb[j];
        l[t & 7] += 1000;
        int q = t % 2 ? 100 + (t / 2 & 7) : l[t / 2 & 7];
        e += v[i] != q * 3 + l[(t * 5) & 7] || f[i] != sc[t & 3];
    }
    report("scratch, generic pointers, globals", !e, e);
}

__global__ void k_diverge(int n, const int *x, int *o)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int v = x[i], c = 0;
    while (v != 1 && c < 500) {
        v = v & 1 ? 3 * v + 1 : v / 2;
        c++;
    }
    switch (c % 5) {
    case 0:
        c += 10;
        break;
    case 1:
        c *= 2;
        break;
    case 3:
        c = -c;
        break;
    default:
        c ^= 7;
    }
    o[i] = c;
}
static void t_diverge()
{
    const int n = 200;
    std::vector<int> x(n);
    for (auto &v : x) v = rnd() % 1000 + 1;
    Dev<int> dx(x), d(n);
    k_diverge<<<(n + 63) / 64, 64>>>(n, dx.p, d.p);
    auto o = d.get();
    int e = 0;
    for (int i = 0; i < n; i++) {
        int v = x[i], c = 0;
        while (v != 1 && c < 500) {
            v = v & 1 ? 3 * v + 1 : v / 2;
            c++;
        }
        switch (c % 5) {
        case 0:
            c += 10;
            break;
        case 1:
            c *= 2;
            break;
        case 3:
            c = -c;
            break;
        default:
            c ^= 7;
        }
        e += o[i] != c;
    }
    report("divergent loops and switch", !e, e);
}

__global__ void k_oob(float *p, size_t off)
{
    p[off + threadIdx.x] = 1.0f;
}
__global__ void k_trap(int *p)
{
    if (threadIdx.x == 3 && *p) __builtin_trap();
}
static void t_errors()
{
    Dev<float> d(64);
    k_oob<<<1, 64>>>(d.p, 0);
    bool ok = hipGetLastError() == hipSuccess;
    setenv("FAKEHIP_QUIET", "1", 1);
    k_oob<<<1, 64>>>(d.p, 64);
    ok &= hipGetLastError() == hipErrorIllegalAddress;
    ok &= hipGetLastError() == hipSuccess;
    Dev<int> one(std::vector<int>(1, 1));
    k_trap<<<1, 64>>>(one.p);
    ok &= hipGetLastError() == hipErrorLaunchFailure;
    unsetenv("FAKEHIP_QUIET");
    report("out-of-bounds store and trap caught", ok);
}

int main()
{
    hipDeviceProp_t p;
    CK(hipGetDeviceProperties(&p, 0));
    printf("device: %s, %s, warp %d, LDS %zu\n", p.name, p.gcnArchName, p.warpSize,
           p.sharedMemPerBlock);
    t_math();
    t_fma();
    t_reduce(p.warpSize);
    t_bf16();
    t_atomic();
    t_grid2d();
    t_dyn();
    t_types();
    t_scratch();
    t_diverge();
    t_errors();
    hipStream_t s;
    hipEvent_t a, b;
    CK(hipStreamCreate(&s));
    CK(hipEventCreate(&a));
    CK(hipEventCreate(&b));
    CK(hipEventRecord(a, s));
    CK(hipEventRecord(b, s));
    CK(hipStreamSynchronize(s));
    float ms;
    CK(hipEventElapsedTime(&ms, a, b));
    void *q;
    CK(hipMallocAsync(&q, 100, s));
    CK(hipMemsetAsync(q, 0, 100, s));
    CK(hipFreeAsync(q, s));
    bool cap = hipStreamBeginCapture(s, hipStreamCaptureModeGlobal) == hipErrorNotSupported;
    (void)hipGetLastError();
    hipFuncAttributes fa;
    CK(hipFuncGetAttributes(&fa, (const void *)k_dyn));
    int nb = 0;
    CK(hipOccupancyMaxActiveBlocksPerMultiprocessor(&nb, (const void *)k_dyn, 192, 12000));
    report("runtime calls", cap && fa.sharedSizeBytes == 256 && nb > 0);
    printf("%s\n", bad ? "FAILED" : "all passed");
    return bad;
}
