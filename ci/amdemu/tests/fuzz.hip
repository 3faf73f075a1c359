// SPDX-License-Identifier: Apache-2.0
// The same integer, half and float expressions on the device and on the host, bit for bit; and
// cross-lane operations.
#include "check.h"
#define HD __host__ __device__ static inline
#ifndef __HIP_DEVICE_COMPILE__
// Older libgcc lacks this one, which the host compiler calls for float -> __bf16.
extern "C" __attribute__((weak)) __bf16 __truncsfbf2(float f)
{
    uint32_t u = __builtin_bit_cast(uint32_t, f);
    uint16_t h =
        (u & 0x7fffffff) > 0x7f800000 ? (u >> 16 | 0x40) : (u + 0x7fff + (u >> 16 & 1)) >> 16;
    return __builtin_bit_cast(__bf16, h);
}
#endif
template <class T, class U>
HD T as(U u)
{
    return __builtin_bit_cast(T, u);
}

enum { NI = 40, NF = 32, NH = 16 };
HD void f_int(uint32_t a, uint32_t b, uint32_t c, uint64_t *o)
{
    int32_t sa = a, sb = b, sc = c;
    uint64_t A = (uint64_t)a << 32 | b, B = (uint64_t)c << 32 | (a ^ b);
    int k = 0;
    o[k++] = a + b * c;
    o[k++] = a - b;
    o[k++] = (uint64_t)a * b;
    o[k++] = (uint64_t)((int64_t)sa * sb);
    o[k++] = A + B;
    o[k++] = A - B;
    o[k++] = A * B;
    o[k++] = a << (b & 31);
    o[k++] = a >> (b & 31);
    o[k++] = (uint32_t)(sa >> (b & 31));
    o[k++] = A << (c & 63);
    o[k++] = A >> (c & 63);
    o[k++] = (uint64_t)((int64_t)A >> (c & 63));
    o[k++] = (a << (b & 31)) | (a >> ((32 - b) & 31));
    o[k++] = (uint32_t)(A >> (c & 31));
    o[k++] = (a >> 5 & 0x7ff) + (b >> 13 & 0x3f);
    o[k++] = (uint32_t)((int32_t)(a << 7) >> 20);
    o[k++] = (a & b) | (~a & c);
    o[k++] = a ^ b ^ c;
    o[k++] = (a & b) | (b & c) | (a & c);
    o[k++] = __builtin_popcount(a) + __builtin_popcountll(B);
    o[k++] = a ? __builtin_clz(a) : 99;
    o[k++] = a ? __builtin_ctz(a) : 99;
    o[k++] = A ? __builtin_clzll(A) : 7;
    o[k++] = sa < sb ? sa : sb;
    o[k++] = a > b ? a : b;
    o[k++] = (uint32_t)(sa < sb ? (sb < sc ? sb : sc) : sa);
    o[k++] = a / (b | 1);
    o[k++] = a % (b >> 20 | 1);
    int32_t d1 = (sb | 1) == -1 ? 3 : sb | 1, d2 = (sb >> 9 | 1) == -1 ? 5 : sb >> 9 | 1;
    o[k++] = (uint32_t)(sa / d1);
    o[k++] = (uint32_t)(sa % d2);
    o[k++] = A / (B >> 30 | 1);
    o[k++] = A % (B >> 11 | 1);
    o[k++] = (uint32_t)(int8_t)a + (uint32_t)(int16_t)b;
    o[k++] = (uint8_t)(a >> 8) * (uint16_t)c;
    o[k++] = (a & 0xffffff) * (b & 0xffffff);
    o[k++] = __builtin_bswap32(a) ^ __builtin_bitreverse32(b);
    o[k++] = (a & 0xff) | (b & 0xff00) | (c & 0xff0000) | (a & 0xff000000u);
    o[k++] = (uint64_t)((unsigned __int128)A * B >> 64);
    o[k++] = A < B ? (int64_t)A < (int64_t)B : 5;
}
HD void f_flt(float a, float b, float c, uint32_t *o)
{
#pragma clang fp contract(off)
    int k = 0;
    float t = fabsf(a) < 1e9f ? a : 3.5f, p = a * a < 1e30f ? fabsf(a) : 2.f;
    o[k++] = as<uint32_t>(a + b);
    o[k++] = as<uint32_t>(a - b);
    o[k++] = as<uint32_t>(a * b);
    o[k++] = as<uint32_t>(a * b + c);
    o[k++] = as<uint32_t>(__builtin_fmaf(a, b, c));
    o[k++] = as<uint32_t>(a / b);
    o[k++] = as<uint32_t>(__builtin_sqrtf(p));
    o[k++] = as<uint32_t>(a < b ? a : b);
    o[k++] = a == b ? 0 : as<uint32_t>(__builtin_fminf(a, b));
    o[k++] = as<uint32_t>(__builtin_fmaxf(__builtin_fminf(a, 1.f), -1.f));
    o[k++] = a < b;
    o[k++] = a >= b;
    o[k++] = a != b;
    o[k++] = (uint32_t)(int)t;
    o[k++] = (uint32_t)(t < 0 ? 0 : t);
    o[k++] = as<uint32_t>((float)(int)as<uint32_t>(a));
    o[k++] = as<uint32_t>((float)as<uint32_t>(b));
    o[k++] = as<uint32_t>((float)(uint64_t)((uint64_t)as<uint32_t>(a) << 20 | as<uint32_t>(b)));
    o[k++] = as<uint32_t>(__builtin_floorf(a));
    o[k++] = as<uint32_t>(__builtin_ceilf(a));
    o[k++] = as<uint32_t>(__builtin_truncf(a));
    o[k++] = as<uint32_t>(__builtin_rintf(a));
    o[k++] = as<uint32_t>(__builtin_copysignf(a, b));
    o[k++] = as<uint32_t>(-__builtin_fabsf(c));
    o[k++] = as<uint32_t>((float)((double)a * b + c));
    o[k++] = as<uint16_t>((_Float16)(fabsf(a) < 6e4f ? a : 1.f));
    o[k++] = as<uint32_t>(__builtin_ldexpf(t, (int)(as<uint32_t>(c) & 15) - 8));
    o[k++] = (uint32_t)(int64_t)(t * 1000.f);
    o[k++] = as<uint16_t>((__bf16)a);
    o[k++] = as<uint32_t>((float)as<__bf16>((uint16_t)(as<uint32_t>(b) >> 16)) + 1.f);
    o[k++] = as<uint32_t>(a * 0.15915494f);
    o[k++] = as<uint32_t>((a + 1.f) * (b - 2.f) - 4.f * c);
}
typedef _Float16 h2 __attribute__((ext_vector_type(2)));
HD void f_half(_Float16 a, _Float16 b, _Float16 c, uint32_t *o)
{
#pragma clang fp contract(off)
    int k = 0;
    h2 x = {a, b}, y = {c, a}, z = {b, c};
    o[k++] = as<uint16_t>((_Float16)(a + b));
    o[k++] = as<uint16_t>((_Float16)(a * b));
    o[k++] = as<uint16_t>((_Float16)(a - c));
    o[k++] = as<uint32_t>(x + y);
    o[k++] = as<uint32_t>(x * y);
    o[k++] = as<uint32_t>(x - z);
    h2 xy = x * y;
    o[k++] = as<uint32_t>(xy + z);
    o[k++] = as<uint32_t>((float)a + (float)b * (float)c);
    o[k++] = a == 0 ? 0 : as<uint16_t>((_Float16)((float)a * 1.7f));
    o[k++] = (uint32_t)(int)a;
    o[k++] = as<uint16_t>((_Float16)(short)as<uint16_t>(b));
    o[k++] = a < b;
    o[k++] = as<uint32_t>(h2{x.y, y.x});
    o[k++] = as<uint32_t>((float)x.y);
    o[k++] = as<uint16_t>((_Float16)-a);
    o[k++] = as<uint16_t>(a < b ? a : b);
}
__global__ void k_int(int n, const uint32_t *x, uint64_t *o)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        uint64_t t[NI];
        f_int(x[3 * i], x[3 * i + 1], x[3 * i + 2], t);
        for (int k = 0; k < NI; k++) o[(size_t)i * NI + k] = t[k];
    }
}
__global__ void k_flt(int n, const float *x, uint32_t *o)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        uint32_t t[NF];
        f_flt(x[3 * i], x[3 * i + 1], x[3 * i + 2], t);
        for (int k = 0; k < NF; k++) o[(size_t)i * NF + k] = t[k];
    }
}
__global__ void k_half(int n, const _Float16 *x, uint32_t *o)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        uint32_t t[NH];
        f_half(x[3 * i], x[3 * i + 1], x[3 * i + 2], t);
        for (int k = 0; k < NH; k++) o[(size_t)i * NH + k] = t[k];
    }
}

template <class I, class O, int N, class K, class F>
static void compare(const char *name, const std::vector<I> &x, K kernel, F host)
{
    int n = x.size() / 3, wrong[64] = {0}, total = 0, ex = 0;
    I *dx;
    O *dy;
    CK(hipMalloc((void **)&dx, x.size() * sizeof(I)));
    CK(hipMalloc((void **)&dy, (size_t)n * N * sizeof(O)));
    CK(hipMemcpy(dx, x.data(), x.size() * sizeof(I), hipMemcpyHostToDevice));
    kernel<<<(n + 63) / 64, 64>>>(n, dx, dy);
    CK(hipGetLastError());
    std::vector<O> y((size_t)n * N);
    CK(hipMemcpy(y.data(), dy, y.size() * sizeof(O), hipMemcpyDeviceToHost));
    for (int i = 0; i < n; i++) {
        O w[N];
        host(x[3 * i], x[3 * i + 1], x[3 * i + 2], w);
        for (int k = 0; k < N; k++)
            if (y[(size_t)i * N + k] != w[k]) {
                if (sizeof(O) == 4 && N != NI) { // any NaN matches any NaN
                    float p = as<float>((uint32_t)y[(size_t)i * N + k]),
                          q = as<float>((uint32_t)w[k]);
                    if (p != p && q != q) continue;
                    auto hn = [](uint32_t h) { return h < 65536 && (h & 0x7fff) > 0x7c00; };
                    if (hn(y[(size_t)i * N + k]) && hn(w[k])) continue;
                }
                if (!wrong[k]++ && ex++ < 6)
                    printf("  %s[%d] of %g %g %g: %llx, host %llx\n", name, k, (double)x[3 * i],
                           (double)x[3 * i + 1], (double)x[3 * i + 2],
                           (unsigned long long)y[(size_t)i * N + k], (unsigned long long)w[k]);
                total++;
            }
    }
    printf("%-34s %s\n", name, total ? "FAIL" : "ok");
    bad += total != 0;
    CK(hipFree(dx));
    CK(hipFree(dy));
}

// Cross-lane operations; the host recomputes them from the lane number.
__global__ void k_lane(uint32_t *o)
{
    uint32_t t = threadIdx.x, v = t * 2654435761u, *p = o + t;
    int W = blockDim.x, k = 0;
    p[W * k++] = __shfl(v, (t * 5 + 3) % warpSize);
    p[W * k++] = __shfl_up(v, 3);
    p[W * k++] = __shfl_down(v, 7);
    p[W * k++] = __shfl_xor(v, 21, 32);
    p[W * k++] = __builtin_amdgcn_readfirstlane(v);
    p[W * k++] = __builtin_amdgcn_readlane(v, 11);
    p[W * k++] = __builtin_amdgcn_update_dpp(77, v, 0x111, 0xf, 0xf, false);
    p[W * k++] = __builtin_amdgcn_update_dpp(77, v, 0x104, 0xf, 0xf, true);
    p[W * k++] = __builtin_amdgcn_update_dpp(77, v, 0x1b, 0xf, 0xf, false);
    p[W * k++] = __builtin_amdgcn_update_dpp(77, v, 0x140, 0xf, 0xf, false);
    p[W * k++] = __builtin_amdgcn_update_dpp(77, v, 0x128, 0xf, 0xf, false);
    p[W * k++] = __builtin_amdgcn_ds_swizzle(v, 0x041f);
    p[W * k++] = __builtin_amdgcn_mbcnt_lo(0xf0f0f0f0u, 1);
    if (t & 1)
        p[W * k] = __popcll(__ballot(1));
    else
        p[W * k] = __popcll(__ballot(t % 4 == 0));
    k++;
    p[W * k++] = __any(t == 9) + 2 * __all(t < 64);
    p[W * k++] = t & 4 ? (uint32_t)__builtin_amdgcn_readfirstlane(v) : 0;
    // Each addition is one instruction, which writes the register whose other lanes it reads.
    v += __builtin_amdgcn_mov_dpp(v, 0xb1, 0xf, 0xf, true);
    v += __builtin_amdgcn_mov_dpp(v, 0x4e, 0xf, 0xf, true);
    p[W * k++] = v;
    v = t * 2654435761u;
#if defined(__gfx9__) || defined(__gfx90a__) || defined(__gfx942__) || defined(__gfx950__)
    p[W * k++] = __builtin_amdgcn_update_dpp(77, v, 0x142, 0xa, 0xf, false);
    p[W * k++] = __builtin_amdgcn_update_dpp(77, v, 0x143, 0xc, 0xf, false);
#else
    p[W * k++] = __builtin_amdgcn_permlane16(v, v, 0x76543210u, 0xfedcba98u, false, false);
    p[W * k++] = __builtin_amdgcn_permlanex16(v, v, 0x76543210u, 0xfedcba98u, false, false);
#endif
}
static void t_lane(int w)
{
    const int N = 19;
    uint32_t *d;
    CK(hipMalloc((void **)&d, N * w * 4));
    k_lane<<<1, w>>>(d);
    CK(hipGetLastError());
    std::vector<uint32_t> y(N * w);
    CK(hipMemcpy(y.data(), d, y.size() * 4, hipMemcpyDeviceToHost));
    auto V = [](int t) { return t * 2654435761u; };
    int wrong = 0;
    for (int t = 0; t < w; t++) {
        int row = t & ~15, r = t & 15;
        uint32_t e[N] = {V((t * 5 + 3) % w),
                         V(t >= 3 ? t - 3 : t),
                         V(t + 7 < w ? t + 7 : t),
                         V((t & 32) | ((t & 31) ^ 21)),
                         V(0),
                         V(11),
                         r >= 1 ? V(t - 1) : 77,
                         r + 4 < 16 ? V(t + 4) : 0,
                         V((t & ~3) | (3 - (t & 3))),
                         V(row + 15 - r),
                         V(row + ((r - 8) & 15)),
                         V(t ^ 1),
                         0,
                         0,
                         0,
                         t & 4 ? V(4) : 0,
                         V(t & ~3) + V((t & ~3) + 1) + V((t & ~3) + 2) + V(t | 3),
                         0,
                         0};
        uint32_t m = 0xf0f0f0f0u & (t >= 32 ? ~0u : (1u << t) - 1);
        e[12] = 1 + __builtin_popcount(m);
        e[13] = t & 1 ? w / 2 : w / 4;
        e[14] = 3;
        if (w == 64) {
            e[17] = (row / 16 & 1) ? V(row - 1) : 77;
            e[18] = t >= 32 ? V(31) : 77;
        } else {
            e[17] = V(t);
            e[18] = V(t ^ 16);
        }
        for (int k = 0; k < N; k++)
            if (y[k * w + t] != e[k]) {
                if (wrong++ < 8)
                    printf("  lane op %d, lane %d: %x, want %x\n", k, t, y[k * w + t], e[k]);
            }
    }
    printf("%-34s %s\n", "cross-lane operations", wrong ? "FAIL" : "ok");
    bad += wrong != 0;
    CK(hipFree(d));
}

int main()
{
    rs = 99;
    hipDeviceProp_t p;
    CK(hipGetDeviceProperties(&p, 0));
    printf("device: %s\n", p.gcnArchName);
    const uint32_t edge[] = {0,           1,           2,    31,     32,         0x7fffffff,
                             0x80000000u, 0xffffffffu, 0xff, 0x8000, 0xffff0000u};
    std::vector<uint32_t> x;
    for (int i = 0; i < 3 * 400; i++)
        x.push_back(i < 330 ? edge[rnd() % 11] : rnd() >> (rnd() % 3 * 9));
    compare<uint32_t, uint64_t, NI>("integers", x, k_int, f_int);
    const float fe[] = {0,       -0.f,  1,        -1,        0.5f, 2.5f,  -3.5f, 1e-40f,
                        -1e-42f, 3e38f, INFINITY, -INFINITY, NAN,  65504, 1e-7f, 16777217.f};
    std::vector<float> f;
    for (int i = 0; i < 3 * 500; i++) {
        float v;
        if (i < 600)
            v = fe[rnd() % 16];
        else if (i < 1000)
            v = ((int)rnd() >> 8) / 1e4f;
        else {
            uint32_t u = rnd();
            memcpy(&v, &u, 4);
        }
        f.push_back(v);
    }
    compare<float, uint32_t, NF>("floats", f, k_flt, f_flt);
    std::vector<_Float16> h;
    for (int i = 0; i < 3 * 400; i++)
        h.push_back(i < 300 ? (_Float16)(fe[rnd() % 8] * 3)
                            : (_Float16)(((int)(rnd() % 4001) - 2000) / 64.f));
    compare<_Float16, uint32_t, NH>("halves", h, k_half, f_half);
    t_lane(p.warpSize);
    printf("%s\n", bad ? "FAILED" : "all passed");
    return bad;
}
