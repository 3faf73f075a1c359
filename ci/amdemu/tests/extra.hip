// SPDX-License-Identifier: Apache-2.0
// Less common instructions, blocks that wait for each other, and modules loaded at run time.
#include "check.h"
template <class T>
static std::vector<T> run(void (*k)(T *), int n, int threads, int blocks = 1)
{
    T *d;
    std::vector<T> v(n);
    CK(hipMalloc((void **)&d, n * sizeof(T)));
    CK(hipMemset(d, 0, n * sizeof(T)));
    k<<<blocks, threads>>>(d);
    CK(hipGetLastError());
    CK(hipMemcpy(v.data(), d, n * sizeof(T), hipMemcpyDeviceToHost));
    CK(hipFree(d));
    return v;
}
#if defined(__gfx942__) || defined(__gfx950__)
#define CDNA3 1
#endif
typedef short s2 __attribute__((ext_vector_type(2)));
typedef __bf16 b2 __attribute__((ext_vector_type(2)));
typedef _Float16 h2 __attribute__((ext_vector_type(2)));
typedef unsigned u2 __attribute__((ext_vector_type(2)));
typedef float f2 __attribute__((ext_vector_type(2)));

__global__ void k_spin(unsigned *o)
{ // every block waits for all the others
    __shared__ unsigned seen;
    if (threadIdx.x == 0) {
        atomicAdd(o, 1u);
        while (__hip_atomic_load(o, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT) < gridDim.x)
            __builtin_amdgcn_s_sleep(1);
        seen = *o;
    }
    __syncthreads();
    if (threadIdx.x == 70) o[1 + blockIdx.x] = seen;
}
__global__ void k_waveflag(unsigned *o)
{ // one wave waits for another one without a barrier
    __shared__ volatile unsigned flag;
    if (threadIdx.x == 0) flag = 0;
    __syncthreads();
    if (threadIdx.x / warpSize == 0) {
        while (flag != 7) {
        }
        if (threadIdx.x == 0) o[0] = 42;
    } else if (threadIdx.x == blockDim.x - 1)
        flag = 7;
}
__global__ void k_misc(unsigned *o)
{
    unsigned t = threadIdx.x, a = t * 0x9e3779b9u + 1, b = t * 0x85ebca6bu + 7, *p = o + t * 16;
    p[0] = __builtin_amdgcn_perm(a, b, 0x05010004);
    p[1] = __builtin_amdgcn_alignbyte(a, b, 3);
    p[2] = __builtin_amdgcn_ubfe(a, 5, 9);
    p[3] = __builtin_amdgcn_sad_u8(a, b, 3);
    p[4] = __float_as_uint(__builtin_amdgcn_fmed3f((float)(int)a, -1.5f, 2.f));
    p[5] = (a & 0xffffff) * (b & 0xffffff);
    p[6] = a + b < a;
    p[7] = __builtin_amdgcn_lerp(a, b, 0x01010101);
    unsigned c;
    p[8] = __builtin_addc(a, b, 1u, &c);
    p[9] = c;
    p[10] = __float_as_uint(__builtin_amdgcn_fractf((float)t * 0.37f));
    p[11] = __builtin_amdgcn_frexp_expf((float)(a >> 8));
    p[12] = __float_as_uint(__builtin_amdgcn_ldexpf(1.5f, (int)t - 32));
    p[13] = __builtin_amdgcn_cvt_pk_u8_f32((float)(t * 3), 2, a);
    p[14] = __ffs((int)a);
    p[15] = __builtin_bit_cast(unsigned, __builtin_amdgcn_cvt_pkrtz(0.1f * t, -2.5f));
}
static float rtz16(float f)
{
    uint32_t u;
    _Float16 h = (_Float16)f;
    if (fabsf((float)h) > fabsf(f)) {
        uint16_t b;
        memcpy(&b, &h, 2);
        b--;
        memcpy(&h, &b, 2);
    }
    (void)u;
    return (float)h;
}
static void t_misc(int w)
{
    auto v = run<unsigned>(k_misc, 16 * w, w);
    int e[16] = {0};
    auto F = [](float f) {
        uint32_t u;
        memcpy(&u, &f, 4);
        return u;
    };
    for (unsigned t = 0; t < (unsigned)w; t++) {
        unsigned a = t * 0x9e3779b9u + 1, b = t * 0x85ebca6bu + 7, *p = &v[16 * t];
        uint64_t ab = (uint64_t)a << 32 | b;
        auto by = [&](int i) { return (unsigned)(ab >> (8 * i) & 255); };
        e[0] += p[0] != (by(4) | by(0) << 8 | by(1) << 16 | by(5) << 24);
        e[1] += p[1] != (unsigned)(ab >> 24);
        e[2] += p[2] != (a >> 5 & 511);
        unsigned s = 3, lp = 0;
        for (int i = 0; i < 4; i++) {
            int x = a >> 8 * i & 255, y = b >> 8 * i & 255;
            s += abs(x - y);
            lp |= (unsigned)((x + y + 1) >> 1) << 8 * i;
        }
        e[3] += p[3] != s;
        e[4] += p[4] != F(fmaxf(-1.5f, fminf(2.f, (float)(int)a)));
        e[5] += p[5] != (a & 0xffffff) * (b & 0xffffff);
        e[6] += p[6] != (a + b < a);
        e[7] += p[7] != lp;
        e[8] += p[8] != a + b + 1;
        e[9] += p[9] != (((uint64_t)a + b + 1) >> 32);
        float fr = (float)t * 0.37f;
        e[10] += p[10] != F(fr - floorf(fr));
        int ex;
        frexpf((float)(a >> 8), &ex);
        e[11] += (int)p[11] != ((a >> 8) ? ex : 0);
        e[12] += p[12] != F(ldexpf(1.5f, (int)t - 32));
        e[13] += p[13] != ((a & ~0xff0000u) | (t * 3 & 255) << 16);
        e[14] += (int)p[14] != __builtin_ffs((int)a);
        h2 r;
        memcpy(&r, &p[15], 4);
        e[15] += (float)r.x != rtz16(0.1f * t) || (float)r.y != -2.5f;
    }
    const char *n[16] = {
        "perm", "alignbyte",      "bit-field extract", "sad",   "fmed3",     "mul_u24", "carry",
        "lerp", "add with carry", "carry out",         "fract", "frexp_exp", "ldexp",   "cvt_pk_u8",
        "ffs",  "cvt_pkrtz"};
    bool ok = true;
    for (int i = 0; i < 16; i++)
        if (e[i]) {
            printf("  %s: %d lanes differ\n", n[i], e[i]);
            ok = false;
        }
    report("assorted instructions", ok);
}
__global__ void k_buf(unsigned *o)
{ // raw buffer access: the last 16 of 64 lanes are out of range
#if defined(__gfx942__) || defined(__gfx950__) || defined(__gfx90a__)
    auto r = __builtin_amdgcn_make_buffer_rsrc(o, 0, 48 * 4, 0x27000);
    __builtin_amdgcn_raw_buffer_store_b32(threadIdx.x + 5, r, threadIdx.x * 4, 0, 0);
    __builtin_amdgcn_s_waitcnt(0);
    unsigned v = __builtin_amdgcn_raw_buffer_load_b32(r, threadIdx.x * 4, 0, 0);
    o[64 + threadIdx.x] = v;
#endif
}
__global__ void k_dot(float *o)
{
#if defined(__gfx950__) || defined(__gfx1100__) || defined(__gfx1201__)
    s2 x = {(short)(0x3f80 + threadIdx.x), (short)0x4000}, y = {(short)0x4040, (short)(0xbf80)};
    o[threadIdx.x] = __builtin_amdgcn_fdot2_f32_bf16(__builtin_bit_cast(b2, x),
                                                     __builtin_bit_cast(b2, y), 0.5f, false);
#endif
}
__global__ void k_950(unsigned *o)
{
#ifdef __gfx950__
    unsigned t = threadIdx.x;
    u2 a = __builtin_amdgcn_permlane32_swap(t, t + 100, false, false),
       b = __builtin_amdgcn_permlane16_swap(t, t + 100, false, false);
    o[t] = a.x, o[64 + t] = a.y, o[128 + t] = b.x, o[192 + t] = b.y;
    s2 z = {0, 0};
    z = __builtin_amdgcn_cvt_scalef32_pk_fp8_f32(z, 0.5f * t, -3.0f, 2.0f, false);
    b2 x = {(__bf16)(1.0f * t), (__bf16)-8.f};
    z = __builtin_amdgcn_cvt_scalef32_pk_fp8_bf16(z, x, 4.0f, true);
    o[256 + t] = __builtin_bit_cast(unsigned, z);
    f2 w = __builtin_amdgcn_cvt_scalef32_pk_f32_fp8((unsigned)0x38b8, 2.0f, false);
    o[320 + t] = __float_as_uint(w.x), o[384 + t] = __float_as_uint(w.y);
    o[448 + t] = __builtin_amdgcn_cvt_scalef32_pk_fp4_f32(0, 1.0f, -3.0f, 1.0f, 0);
#endif
}
__global__ void k_lds942(unsigned *o)
{
#ifdef CDNA3
    __shared__ unsigned buf[64];
    o[64 + threadIdx.x] = threadIdx.x * 7;
    __syncthreads();
    __builtin_amdgcn_global_load_lds(
        (__attribute__((address_space(1))) void *)(uintptr_t)(o + 64 + threadIdx.x),
        (__attribute__((address_space(3))) void *)(uint32_t)(uintptr_t)buf, 4, 0, 0);
    __builtin_amdgcn_s_waitcnt(0);
    __syncthreads();
    o[threadIdx.x] = buf[63 - threadIdx.x];
#endif
}
__global__ void k_time(unsigned long long *o)
{
    o[0] = clock64();
    o[1] = 1;
    __threadfence();
    __threadfence_system();
}
__global__ void k_ldsatomic(unsigned *o)
{
#if defined(__gfx942__) || defined(__gfx950__) || defined(__gfx1201__)
    __shared__ s2 v[2];
    if (threadIdx.x < 2) v[threadIdx.x] = s2{0, 0};
    __syncthreads();
    s2 x = {0x3f80, 0x4000};
    __builtin_amdgcn_ds_atomic_fadd_v2bf16(
        (__attribute__((address_space(3))) s2 *)&v[threadIdx.x & 1], x);
    __syncthreads();
    if (threadIdx.x < 2) o[threadIdx.x] = __builtin_bit_cast(unsigned, v[threadIdx.x]);
#endif
}
struct Big {
    int a[40];
    float s;
};
__global__ void k_struct(Big b, int *o, long n)
{
    int s = 0;
    for (int i = 0; i < 40; i++) s += b.a[i] * (i + 1);
    o[threadIdx.x] = s + (int)b.s + (int)n;
}

int main()
{
    hipDeviceProp_t p;
    CK(hipGetDeviceProperties(&p, 0));
    int w = p.warpSize;
    bool c3 = !strncmp(p.gcnArchName, "gfx94", 5) || !strncmp(p.gcnArchName, "gfx95", 5),
         g950 = !strncmp(p.gcnArchName, "gfx950", 6), g9 = p.gcnArchName[3] == '9',
         g12 = !strncmp(p.gcnArchName, "gfx12", 5), g90a = !strncmp(p.gcnArchName, "gfx90a", 6);
    printf("device: %s\n", p.gcnArchName);
    auto s = run<unsigned>(k_spin, 8, 128, 6);
    bool ok = true;
    for (int i = 1; i <= 6; i++) ok &= s[i] == 6;
    report("blocks waiting for each other", ok);
    report("wave waiting on an LDS flag", run<unsigned>(k_waveflag, 1, 3 * w)[0] == 42);
    t_misc(w);
    if (g9 && !g90a) {
        auto v = run<unsigned>(k_buf, 128, 64);
        ok = true;
        for (unsigned t = 0; t < 64; t++)
            ok &= v[t] == (t < 48 ? t + 5 : 0) && v[64 + t] == (t < 48 ? t + 5 : 0);
        report("raw buffer access with range check", ok);
    }
    if (g950 || !g9) {
        auto v = run<float>(k_dot, w, w);
        ok = true;
        for (int t = 0; t < w; t++) {
            uint32_t u = (uint32_t)(0x3f80 + t) << 16;
            float f;
            memcpy(&f, &u, 4);
            ok &= fabsf(v[t] - (f * 3 - 2 + .5f)) < 1e-5f;
        }
        report("bf16 dot product", ok);
    }
    if (g950) {
        auto v = run<unsigned>(k_950, 512, 64);
        ok = true;
        bool ok2 = true, ok3 = true, ok4 = true;
        for (unsigned t = 0; t < 64; t++) {
            ok &= v[t] == (t < 32 ? t : t - 32 + 100) && v[64 + t] == (t < 32 ? t + 32 : t + 100);
            unsigned r = t / 16;
            ok2 &= v[128 + t] == (r % 2 ? t - 16 + 100 : t) &&
                   v[192 + t] == (r % 2 ? t + 100 : t + 16);
            ok3 &= (v[256 + t] >> 8 & 255) == 0xbc && (v[256 + t] >> 24) == 0xc0 &&
                   (t != 4 || ((v[256 + t] & 255) == 0x38 && (v[256 + t] >> 16 & 255) == 0x38));
            float a, b;
            memcpy(&a, &v[320 + t], 4);
            memcpy(&b, &v[384 + t], 4);
            ok3 &= a == -2.f && b == 2.f;
            ok4 &= (v[448 + t] & 255) == 0xd2;
        }
        report("permlane32_swap", ok);
        report("permlane16_swap", ok2);
        report("scaled fp8 conversions", ok3);
        report("scaled fp4 conversion", ok4);
    }
    if (c3) {
        auto v = run<unsigned>(k_lds942, 128, 64);
        ok = true;
        for (int t = 0; t < 64; t++) ok &= v[t] == (63u - t) * 7;
        report("dword load to LDS", ok);
    }
    if (c3 || g12) {
        auto v = run<unsigned>(k_ldsatomic, 2, 64);
        report("packed bf16 LDS atomic", v[0] == 0x42804200 && v[1] == 0x42804200);
    }
    {
        auto v = run<unsigned long long>(k_time, 2, 32);
        report("clocks and fences", v[1] == 1 && v[0]);
    }
    Big b;
    int want = 3 + 9;
    for (int i = 0; i < 40; i++) b.a[i] = i * i, want += i * i * (i + 1);
    b.s = 3.5f;
    int *d;
    CK(hipMalloc((void **)&d, 256));
    k_struct<<<1, 64>>>(b, d, 9);
    CK(hipGetLastError());
    report("arguments by value", d[5] == want);
    CK(hipFree(d));
    printf("%s\n", bad ? "FAILED" : "all passed");
    return bad;
}
