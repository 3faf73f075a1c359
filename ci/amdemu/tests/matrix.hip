// SPDX-License-Identifier: Apache-2.0
// Matrix instructions, 8-bit floats, LDS transfers and two timed kernels. Every check compares with
// host arithmetic.
#include "check.h"
#include <chrono>
#include <string>
// Reference 8-bit floats by table search: man 3 = E4M3, 2 = E5M2.
static float f8(int b, int man, bool fnuz)
{
    int eb = 7 - man, bias = (1 << (eb - 1)) - 1 + fnuz, s = b & 128,
        e = b >> man & ((1 << eb) - 1), m = b & ((1 << man) - 1);
    if (fnuz ? b == 128 : man == 3 ? (e == 15 && m == 7) : (e == 31 && m)) return NAN;
    if (!fnuz && man == 2 && e == 31) return s ? -INFINITY : INFINITY;
    float v = e ? ldexpf(1 + ldexpf(m, -man), e - bias) : ldexpf(m, 1 - bias - man);
    return s ? -v : v;
}
static int tof8(float f, int man, bool fnuz)
{ // nearest even; beyond the largest finite value is the caller's business
    int best = 0;
    double bd = 1e30;
    for (int b = 0; b < 256; b++) {
        float v = f8(b, man, fnuz);
        if (v != v || std::isinf(v) || (b == 128)) continue;
        if ((b & 128) && !(f < 0)) continue;
        if (!(b & 128) && f < 0 && b) continue;
        double d = fabs((double)v - f);
        if (d < bd || (d == bd && !(b & 1))) bd = d, best = b;
    }
    if (f < 0 && best == 0 && !fnuz) best = 128;
    return best;
}

typedef float f4 __attribute__((ext_vector_type(4)));
typedef float f8v __attribute__((ext_vector_type(8)));
typedef float f16v __attribute__((ext_vector_type(16)));
typedef short s4 __attribute__((ext_vector_type(4)));
typedef short s8 __attribute__((ext_vector_type(8)));
typedef short s16 __attribute__((ext_vector_type(16)));
typedef __bf16 b8 __attribute__((ext_vector_type(8)));
typedef int i2 __attribute__((ext_vector_type(2)));
typedef int i4 __attribute__((ext_vector_type(4)));
typedef int i8v __attribute__((ext_vector_type(8)));
#if defined(__gfx90a__) || defined(__gfx942__) || defined(__gfx950__)
#define CDNA 1
#endif
#if defined(__gfx942__) || defined(__gfx950__)
#define CDNA3 1
#endif
#if defined(__gfx1201__) || defined(__gfx1200__)
#define RDNA4 1
#endif
#if defined(__gfx1100__)
#define RDNA3 1
#endif

// D[16][16] or D[32][32] = A[M][K] * B[N][K]^T + C, one wave; the index maps are those of AMD's
// matrix calculator.
template <int KIND>
__global__ void k_mm(const uint8_t *A, const uint8_t *B, const float *C, float *D)
{
    int l = threadIdx.x;
    (void)l;
#ifdef CDNA
    if constexpr (KIND == 0) { // bf16 16x16x16
        s4 a = *(const s4 *)(A + 2 * (l % 16 * 16 + 4 * (l / 16))),
           b = *(const s4 *)(B + 2 * (l % 16 * 16 + 4 * (l / 16)));
        f4 c;
        for (int r = 0; r < 4; r++) c[r] = C[(4 * (l / 16) + r) * 16 + l % 16];
        c = __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(a, b, c, 0, 0, 0);
        for (int r = 0; r < 4; r++) D[(4 * (l / 16) + r) * 16 + l % 16] = c[r];
    }
    if constexpr (KIND == 1) { // bf16 32x32x8
        s4 a = *(const s4 *)(A + 2 * (l % 32 * 8 + 4 * (l / 32))),
           b = *(const s4 *)(B + 2 * (l % 32 * 8 + 4 * (l / 32)));
        f16v c;
        for (int r = 0; r < 16; r++) c[r] = C[(8 * (r / 4) + 4 * (l / 32) + r % 4) * 32 + l % 32];
        c = __builtin_amdgcn_mfma_f32_32x32x8bf16_1k(a, b, c, 0, 0, 0);
        for (int r = 0; r < 16; r++) D[(8 * (r / 4) + 4 * (l / 32) + r % 4) * 32 + l % 32] = c[r];
    }
#endif
#ifdef CDNA3
    if constexpr (KIND == 2 || KIND == 3) { // fp8 16x16x32
        long a = *(const long *)(A + l % 16 * 32 + 8 * (l / 16)),
             b = *(const long *)(B + l % 16 * 32 + 8 * (l / 16));
        f4 c;
        for (int r = 0; r < 4; r++) c[r] = C[(4 * (l / 16) + r) * 16 + l % 16];
        if constexpr (KIND == 2)
            c = __builtin_amdgcn_mfma_f32_16x16x32_fp8_fp8(a, b, c, 0, 0, 0);
        else
            c = __builtin_amdgcn_mfma_f32_16x16x32_bf8_fp8(a, b, c, 0, 0, 0);
        for (int r = 0; r < 4; r++) D[(4 * (l / 16) + r) * 16 + l % 16] = c[r];
    }
    if constexpr (KIND == 4) { // fp8 32x32x16
        long a = *(const long *)(A + l % 32 * 16 + 8 * (l / 32)),
             b = *(const long *)(B + l % 32 * 16 + 8 * (l / 32));
        f16v c;
        for (int r = 0; r < 16; r++) c[r] = C[(8 * (r / 4) + 4 * (l / 32) + r % 4) * 32 + l % 32];
        c = __builtin_amdgcn_mfma_f32_32x32x16_fp8_fp8(a, b, c, 0, 0, 0);
        for (int r = 0; r < 16; r++) D[(8 * (r / 4) + 4 * (l / 32) + r % 4) * 32 + l % 32] = c[r];
    }
    if constexpr (KIND == 5) { // i8 16x16x32
        long a = *(const long *)(A + l % 16 * 32 + 8 * (l / 16)),
             b = *(const long *)(B + l % 16 * 32 + 8 * (l / 16));
        i4 c;
        for (int r = 0; r < 4; r++) c[r] = (int)C[(4 * (l / 16) + r) * 16 + l % 16];
        c = __builtin_amdgcn_mfma_i32_16x16x32_i8(a, b, c, 0, 0, 0);
        for (int r = 0; r < 4; r++) D[(4 * (l / 16) + r) * 16 + l % 16] = c[r];
    }
#endif
#ifdef __gfx950__
    if constexpr (KIND == 6) { // bf16 16x16x32
        b8 a = *(const b8 *)(A + 2 * (l % 16 * 32 + 8 * (l / 16))),
           b = *(const b8 *)(B + 2 * (l % 16 * 32 + 8 * (l / 16)));
        f4 c;
        for (int r = 0; r < 4; r++) c[r] = C[(4 * (l / 16) + r) * 16 + l % 16];
        c = __builtin_amdgcn_mfma_f32_16x16x32_bf16(a, b, c, 0, 0, 0);
        for (int r = 0; r < 4; r++) D[(4 * (l / 16) + r) * 16 + l % 16] = c[r];
    }
    if constexpr (KIND == 7) { // bf16 32x32x16
        b8 a = *(const b8 *)(A + 2 * (l % 32 * 16 + 8 * (l / 32))),
           b = *(const b8 *)(B + 2 * (l % 32 * 16 + 8 * (l / 32)));
        f16v c;
        for (int r = 0; r < 16; r++) c[r] = C[(8 * (r / 4) + 4 * (l / 32) + r % 4) * 32 + l % 32];
        c = __builtin_amdgcn_mfma_f32_32x32x16_bf16(a, b, c, 0, 0, 0);
        for (int r = 0; r < 16; r++) D[(8 * (r / 4) + 4 * (l / 32) + r % 4) * 32 + l % 32] = c[r];
    }
    if constexpr (KIND == 8) { // scaled fp8 16x16x128; scales 2^(3) and 2^(-2)
        i8v a = *(const i8v *)(A + l % 16 * 128 + 32 * (l / 16)),
            b = *(const i8v *)(B + l % 16 * 128 + 32 * (l / 16));
        f4 c;
        for (int r = 0; r < 4; r++) c[r] = C[(4 * (l / 16) + r) * 16 + l % 16];
        c = __builtin_amdgcn_mfma_scale_f32_16x16x128_f8f6f4(a, b, c, 0, 0, 0, 130, 0, 125);
        for (int r = 0; r < 4; r++) D[(4 * (l / 16) + r) * 16 + l % 16] = c[r];
    }
#endif
#ifdef __gfx950__
    if constexpr (KIND == 11 || KIND == 12) { // 11: scales that differ by row and by 32 values of
                                              // k; 12: no scales, two in a row
        i8v a, b; // a lane holds two runs of 16 values, 64 apart; lane 16 b + i holds the scale of
                  // k = 32 b .. 32 b + 31
        for (int h = 0; h < 2; h++)
            for (int r = 0; r < 4; r++) {
                a[4 * h + r] = *(const int *)(A + l % 16 * 128 + 64 * h + 16 * (l / 16) + 4 * r);
                b[4 * h + r] = *(const int *)(B + l % 16 * 128 + 64 * h + 16 * (l / 16) + 4 * r);
            }
        f4 c;
        for (int r = 0; r < 4; r++) c[r] = C[(4 * (l / 16) + r) * 16 + l % 16];
        if constexpr (KIND == 11)
            c = __builtin_amdgcn_mfma_scale_f32_16x16x128_f8f6f4(
                a, b, c, 0, 0, 0, 126 + (l % 16 + l / 16) % 3, 0, 126 + (l % 16 * 2 + l / 16) % 4);
        else
            for (int i = 0; i < 2; i++)
                c = __builtin_amdgcn_mfma_scale_f32_16x16x128_f8f6f4(a, b, c, 0, 0, 0, 0, 0, 0);
        for (int r = 0; r < 4; r++) D[(4 * (l / 16) + r) * 16 + l % 16] = c[r];
    }
#endif
#ifdef RDNA3
    if constexpr (KIND == 9 || KIND == 10) {
        s16 a, b;
        for (int k = 0; k < 16; k++)
            a[k] = ((const short *)A)[l % 16 * 16 + k], b[k] = ((const short *)B)[l % 16 * 16 + k];
        f8v c;
        for (int r = 0; r < 8; r++) c[r] = C[(2 * r + l / 16) * 16 + l % 16];
        if constexpr (KIND == 9)
            c = __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32(a, b, c);
        else {
            typedef _Float16 h16 __attribute__((ext_vector_type(16)));
            c = __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(__builtin_bit_cast(h16, a),
                                                           __builtin_bit_cast(h16, b), c);
        }
        for (int r = 0; r < 8; r++) D[(2 * r + l / 16) * 16 + l % 16] = c[r];
    }
#endif
#ifdef RDNA4
    if constexpr (KIND == 9 || KIND == 10) {
        s8 a = *(const s8 *)(A + 2 * (l % 16 * 16 + 8 * (l / 16))),
           b = *(const s8 *)(B + 2 * (l % 16 * 16 + 8 * (l / 16)));
        f8v c;
        for (int r = 0; r < 8; r++) c[r] = C[(r + 8 * (l / 16)) * 16 + l % 16];
        if constexpr (KIND == 9)
            c = __builtin_amdgcn_wmma_f32_16x16x16_bf16_w32_gfx12(a, b, c);
        else {
            typedef _Float16 h8 __attribute__((ext_vector_type(8)));
            c = __builtin_amdgcn_wmma_f32_16x16x16_f16_w32_gfx12(__builtin_bit_cast(h8, a),
                                                                 __builtin_bit_cast(h8, b), c);
        }
        for (int r = 0; r < 8; r++) D[(r + 8 * (l / 16)) * 16 + l % 16] = c[r];
    }
    if constexpr (KIND == 2) {
        i2 a = *(const i2 *)(A + l % 16 * 16 + 8 * (l / 16)),
           b = *(const i2 *)(B + l % 16 * 16 + 8 * (l / 16));
        f8v c;
        for (int r = 0; r < 8; r++) c[r] = C[(r + 8 * (l / 16)) * 16 + l % 16];
        c = __builtin_amdgcn_wmma_f32_16x16x16_fp8_fp8_w32_gfx12(a, b, c);
        for (int r = 0; r < 8; r++) D[(r + 8 * (l / 16)) * 16 + l % 16] = c[r];
    }
    if constexpr (KIND == 5) {
        i2 a = *(const i2 *)(A + l % 16 * 16 + 8 * (l / 16)),
           b = *(const i2 *)(B + l % 16 * 16 + 8 * (l / 16));
        i8v c;
        for (int r = 0; r < 8; r++) c[r] = (int)C[(r + 8 * (l / 16)) * 16 + l % 16];
        c = __builtin_amdgcn_wmma_i32_16x16x16_iu8_w32_gfx12(true, a, true, b, c, false);
        for (int r = 0; r < 8; r++) D[(r + 8 * (l / 16)) * 16 + l % 16] = c[r];
    }
#endif
}
enum { E_BF16, E_F16, E_FP8, E_BF8, E_I8 };
template <int KIND>
static void t_mm(const char *name, int M, int K, int ta, int tb, int warp, bool fnuz,
                 double scale = 1)
{
    std::vector<uint8_t> A(M * K * 2 + 64), B(M * K * 2 + 64);
    std::vector<double> fa(M * K), fb(M * K);
    for (int s = 0; s < 2; s++) {
        auto &X = s ? B : A;
        auto &F = s ? fb : fa;
        int t = s ? tb : ta;
        for (int i = 0; i < M * K; i++) {
            if (t == E_BF16) {
                uint16_t h = tobf(uni(-2, 2));
                memcpy(&X[2 * i], &h, 2);
                F[i] = bf(h);
            } else if (t == E_F16) {
                _Float16 h = (_Float16)uni(-2, 2);
                memcpy(&X[2 * i], &h, 2);
                F[i] = (float)h;
            } else if (t == E_I8) {
                X[i] = rnd() >> 8;
                F[i] = (int8_t)X[i];
            } else {
                int man = t == E_FP8 ? 3 : 2;
                do X[i] = rnd() >> 9;
                while (!(fabs(f8(X[i], man, fnuz)) < 20));
                F[i] = f8(X[i], man, fnuz);
            }
        }
    }
    std::vector<float> C(M * M), D;
    for (auto &c : C) c = ta == E_I8 ? (int)(rnd() % 100) : uni(-4, 4);
    Dev<uint8_t> dA(A), dB(B);
    Dev<float> dC(C), dD(M * M);
    k_mm<KIND><<<1, warp>>>(dA.p, dB.p, dC.p, dD.p);
    CK(hipGetLastError());
    D = dD.get();
    double err = 0;
    for (int i = 0; i < M; i++)
        for (int j = 0; j < M; j++) {
            double s = 0, m = 0;
            for (int k = 0; k < K; k++) {
                double p = fa[i * K + k] * fb[j * K + k];
                if (KIND == 11) p *= exp2((i + k / 32) % 3 - 1 + (2 * j + k / 32) % 4 - 1);
                s += p, m += fabs(p);
            }
            s = s * scale + C[i * M + j], m = m * scale + fabs(C[i * M + j]);
            double e = fabs(D[i * M + j] - s) / m;
            if (!(e <= err)) err = e;
        }
    report(name, err < 1e-6, err);
}

// ---- 8-bit float conversions
__global__ void k_cvt(int n, const float *x, uint32_t *pk, uint32_t *pb, float *back, uint32_t *sr)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
#if defined(CDNA3) || defined(RDNA4)
    int v = __builtin_amdgcn_cvt_pk_fp8_f32(x[4 * i], x[4 * i + 1], 0, false);
    v = __builtin_amdgcn_cvt_pk_fp8_f32(x[4 * i + 2], x[4 * i + 3], v, true);
    pk[i] = v;
    int w = __builtin_amdgcn_cvt_pk_bf8_f32(x[4 * i], x[4 * i + 1], 0, false);
    pb[i] = __builtin_amdgcn_cvt_pk_bf8_f32(x[4 * i + 2], x[4 * i + 3], w, true);
    back[8 * i] = __builtin_amdgcn_cvt_f32_fp8(v, 0);
    back[8 * i + 1] = __builtin_amdgcn_cvt_f32_fp8(v, 1);
    back[8 * i + 2] = __builtin_amdgcn_cvt_f32_fp8(v, 2);
    back[8 * i + 3] = __builtin_amdgcn_cvt_f32_fp8(v, 3);
    typedef float f2 __attribute__((ext_vector_type(2)));
    f2 lo = __builtin_amdgcn_cvt_pk_f32_fp8(v, false),
       hi = __builtin_amdgcn_cvt_pk_f32_fp8(v, true);
    back[8 * i + 4] = lo.x, back[8 * i + 5] = lo.y, back[8 * i + 6] = hi.x, back[8 * i + 7] = hi.y;
    sr[i] = __builtin_amdgcn_cvt_sr_fp8_f32(x[4 * i], 0x12345678u * i, 0x01020304, 2);
#endif
}
static void t_cvt(bool fnuz)
{
    const int n = 400;
    std::vector<float> x(4 * n);
    float top = fnuz ? 240 : 448;
    for (int i = 0; i < 4 * n; i++)
        x[i] = i % 3 == 0   ? uni(-top, top)
               : i % 3 == 1 ? uni(-1, 1)
                            : ldexpf(uni(-2, 2), -(int)(rnd() % 14));
    for (int i = 0; i < 256; i++) {
        float v = f8(i, 3, fnuz), u = f8((i & 128) | ((i + 1) & 127), 3, fnuz);
        if (v == v && u == u && fabs(u) <= top) x[i] = (v + u) / 2;
    } // ties
    Dev<float> dx(x), db(8 * n);
    Dev<uint32_t> dp(n), dq(n), ds(n);
    k_cvt<<<(n + 63) / 64, 64>>>(n, dx.p, dp.p, dq.p, db.p, ds.p);
    CK(hipGetLastError());
    auto p = dp.get(), q = dq.get(), s = ds.get();
    auto b = db.get();
    int e[4] = {0};
    for (int i = 0; i < n; i++)
        for (int j = 0; j < 4; j++) {
            int c = p[i] >> (8 * j) & 255, d = q[i] >> (8 * j) & 255;
            e[0] += c != tof8(x[4 * i + j], 3, fnuz);
            e[1] += d != tof8(x[4 * i + j], 2, fnuz);
            e[2] += b[8 * i + j] != f8(c, 3, fnuz) || b[8 * i + 4 + j] != f8(c, 3, fnuz);
            if (j == 0) {
                float g = f8(s[i] >> 16 & 255, 3, fnuz);
                e[3] += (s[i] & 0xff00ffff) != 0x01000304 ||
                        !(fabs(g - x[4 * i]) <= fmax(fabs(x[4 * i]) / 8, 0x1p-9));
            }
        }
    report("fp8 (E4M3) pack", !e[0], e[0]);
    report("bf8 (E5M2) pack", !e[1], e[1]);
    report("fp8 unpack", !e[2], e[2]);
    report("fp8 stochastic rounding", !e[3], e[3]);
}

// ---- LDS: direct loads and the transposing read of gfx950
__global__ void k_ldsload(const uint32_t *x, uint32_t *y, uint32_t *tr)
{
#ifdef __gfx950__
    __shared__ __align__(16) uint32_t buf[64 * 4];
    __builtin_amdgcn_global_load_lds(
        (__attribute__((address_space(1))) void *)(uintptr_t)(x + threadIdx.x * 4),
        (__attribute__((address_space(3))) void *)(uint32_t)(uintptr_t)buf, 16, 0, 0);
    __builtin_amdgcn_s_waitcnt(0);
    __syncthreads();
    for (int i = 0; i < 4; i++) y[i * 64 + threadIdx.x] = buf[i * 64 + threadIdx.x];
    typedef short s4v __attribute__((ext_vector_type(4)));
    // Each group of 16 lanes reads a 4 x 16 tile of halves, row-major: lane i's address is the tile
    // + 8 i.
    s4v t = __builtin_amdgcn_ds_read_tr16_b64_v4i16(
        (__attribute__((address_space(3))) s4v *)((uint32_t)(uintptr_t)buf + threadIdx.x * 8));
    i2 u = __builtin_bit_cast(i2, t);
    tr[2 * threadIdx.x] = u.x, tr[2 * threadIdx.x + 1] = u.y;
#endif
}
static void t_ldsload()
{
    std::vector<uint32_t> x(256);
    for (auto &v : x) v = rnd();
    Dev<uint32_t> dx(x), dy(256), dt(128);
    k_ldsload<<<1, 64>>>(dx.p, dy.p, dt.p);
    CK(hipGetLastError());
    report("direct load to LDS", dy.get() == x);
    auto t = dt.get();
    const uint16_t *h = (const uint16_t *)x.data(), *g = (const uint16_t *)t.data();
    int e = 0;
    for (int l = 0; l < 64; l++)
        for (int r = 0; r < 4; r++) e += g[4 * l + r] != h[(l / 16) * 64 + r * 16 + l % 16];
    report("transposing LDS read", !e, e);
}

// ---- timed: C[64][64] = A[64][128] * B[64][128]^T through LDS, one 256-thread block (4 waves, a
// 32 x 32 quarter each)
__global__ void k_gemm(const uint16_t *A, const uint16_t *B, float *C)
{
    __shared__ __align__(16) uint16_t sa[64 * 40], sb[64 * 40];
    int t = threadIdx.x, w = t / 64, l = t % 64, wm = w / 2 * 32, wn = w % 2 * 32;
    (void)l, (void)wm, (void)wn;
#ifdef CDNA
    f4 acc[2][2] = {};
    for (int k0 = 0; k0 < 128; k0 += 32) {
        __syncthreads();
        int r = t / 4, c = t % 4 * 8;
        *(i4 *)(sa + r * 40 + c) = *(const i4 *)(A + r * 128 + k0 + c);
        *(i4 *)(sb + r * 40 + c) = *(const i4 *)(B + r * 128 + k0 + c);
        __syncthreads();
        for (int kk = 0; kk < 32; kk += 16) {
            s4 a[2], b[2];
            for (int i = 0; i < 2; i++)
                a[i] = *(s4 *)(sa + (wm + i * 16 + l % 16) * 40 + kk + 4 * (l / 16)),
                b[i] = *(s4 *)(sb + (wn + i * 16 + l % 16) * 40 + kk + 4 * (l / 16));
            for (int i = 0; i < 2; i++)
                for (int j = 0; j < 2; j++)
                    acc[i][j] =
                        __builtin_amdgcn_mfma_f32_16x16x16bf16_1k(a[i], b[j], acc[i][j], 0, 0, 0);
        }
    }
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            for (int r = 0; r < 4; r++)
                C[(wm + i * 16 + 4 * (l / 16) + r) * 64 + wn + j * 16 + l % 16] = acc[i][j][r];
#else
    (void)sa, (void)sb;
    for (int i = t; i < 4096; i += 256) {
        float s = 0;
        for (int k = 0; k < 128; k++)
            s += __uint_as_float((uint32_t)A[i / 64 * 128 + k] << 16) *
                 __uint_as_float((uint32_t)B[i % 64 * 128 + k] << 16);
        C[i] = s;
    }
#endif
}
// One block per token: 1024 values to int8 with a scale per token.
__global__ void k_quant(const uint16_t *x, int8_t *q, float *scale)
{
    __shared__ float part[8];
    int t = threadIdx.x, tok = blockIdx.x;
    float v[4], m = 0;
    for (int i = 0; i < 4; i++)
        v[i] = __uint_as_float((uint32_t)x[tok * 1024 + i * 256 + t] << 16),
        m = fmaxf(m, fabsf(v[i]));
    for (int o = warpSize / 2; o; o >>= 1) m = fmaxf(m, __shfl_xor(m, o));
    if (t % warpSize == 0) part[t / warpSize] = m;
    __syncthreads();
    for (int i = 0; i < 256 / warpSize; i++) m = fmaxf(m, part[i]);
    float s = m / 127.f, inv = m > 0 ? 127.f / m : 0.f;
    for (int i = 0; i < 4; i++) q[tok * 1024 + i * 256 + t] = (int8_t)rintf(v[i] * inv);
    if (t == 0) scale[tok] = s;
}
static double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}
static void t_timed()
{
    std::vector<uint16_t> a(64 * 128), b(64 * 128);
    for (auto &v : a) v = tobf(uni(-1, 1));
    for (auto &v : b) v = tobf(uni(-1, 1));
    Dev<uint16_t> da(a), db(b);
    Dev<float> dc(4096);
    double t0 = now();
    k_gemm<<<1, 256>>>(da.p, db.p, dc.p);
    double t1 = now();
    for (int i = 0; i < 10; i++) k_gemm<<<1, 256>>>(da.p, db.p, dc.p);
    double t2 = now();
    CK(hipGetLastError());
    auto c = dc.get();
    double err = 0;
    for (int i = 0; i < 4096; i++) {
        double s = 0;
        for (int k = 0; k < 128; k++)
            s += (double)bf(a[i / 64 * 128 + k]) * bf(b[i % 64 * 128 + k]);
        if (!(fabs(s - c[i]) <= err)) err = fabs(s - c[i]);
    }
    report("64x64x128 bf16 GEMM", err < 1e-4, err);
    printf("  first launch %.3f s, then %.2f ms a launch\n", t1 - t0, (t2 - t1) * 100);
    const int T = 64;
    std::vector<uint16_t> x(T * 1024);
    for (auto &v : x) v = tobf(uni(-3, 3));
    Dev<uint16_t> dx(x);
    Dev<int8_t> dq(T * 1024);
    Dev<float> ds(T);
    t0 = now();
    k_quant<<<T, 256>>>(dx.p, dq.p, ds.p);
    t1 = now();
    for (int i = 0; i < 3; i++) k_quant<<<T, 256>>>(dx.p, dq.p, ds.p);
    t2 = now();
    CK(hipGetLastError());
    auto q = dq.get();
    auto s = ds.get();
    int e = 0;
    for (int t = 0; t < T; t++) {
        float m = 0;
        for (int i = 0; i < 1024; i++) m = fmaxf(m, fabsf(bf(x[t * 1024 + i])));
        e += fabsf(s[t] - m / 127.f) > 1e-6f * m;
        for (int i = 0; i < 1024; i++)
            e += abs(q[t * 1024 + i] - (int)rintf(bf(x[t * 1024 + i]) * (127.f / m))) > 0;
    }
    report("64-token int8 quantization", !e, e);
    printf("  first launch %.3f s, then %.2f ms a launch\n", t1 - t0, (t2 - t1) * 1000 / 3);
}

int main()
{
    rs = 777;
    hipDeviceProp_t p;
    CK(hipGetDeviceProperties(&p, 0));
    std::string g(p.gcnArchName, strcspn(p.gcnArchName, ":"));
    int w = p.warpSize;
    bool fnuz = g == "gfx942";
    printf("device: %s\n", g.c_str());
    if (g[3] == '9') {
        t_mm<0>("MFMA bf16 16x16x16", 16, 16, E_BF16, E_BF16, w, 0);
        t_mm<1>("MFMA bf16 32x32x8", 32, 8, E_BF16, E_BF16, w, 0);
    }
    if (g == "gfx942" || g == "gfx950") {
        t_mm<2>("MFMA fp8 16x16x32", 16, 32, E_FP8, E_FP8, w, fnuz);
        t_mm<3>("MFMA bf8*fp8 16x16x32", 16, 32, E_BF8, E_FP8, w, fnuz);
        t_mm<4>("MFMA fp8 32x32x16", 32, 16, E_FP8, E_FP8, w, fnuz);
        t_mm<5>("MFMA i8 16x16x32", 16, 32, E_I8, E_I8, w, 0);
    }
    if (g == "gfx950") {
        t_mm<6>("MFMA bf16 16x16x32", 16, 32, E_BF16, E_BF16, w, 0);
        t_mm<7>("MFMA bf16 32x32x16", 32, 16, E_BF16, E_BF16, w, 0);
        t_mm<8>("MFMA scaled fp8 16x16x128", 16, 128, E_FP8, E_FP8, w, 0, 2.0);
        t_mm<11>("MFMA scaled, scales by block", 16, 128, E_FP8, E_FP8, w, 0);
        t_mm<12>("MFMA f8f6f4 without scales, twice", 16, 128, E_FP8, E_FP8, w, 0, 2.0);
        t_ldsload();
    }
    if (g[3] == '1') {
        t_mm<9>("WMMA bf16 16x16x16", 16, 16, E_BF16, E_BF16, w, 0);
        t_mm<10>("WMMA f16 16x16x16", 16, 16, E_F16, E_F16, w, 0);
    }
    if (g[4] == '2') {
        t_mm<2>("WMMA fp8 16x16x16", 16, 16, E_FP8, E_FP8, w, 0);
        t_mm<5>("WMMA i8 16x16x16", 16, 16, E_I8, E_I8, w, 0);
    }
    if (g == "gfx942" || g == "gfx950" || g[4] == '2') t_cvt(fnuz);
    t_timed();
    printf("%s\n", bad ? "FAILED" : "all passed");
    return bad;
}
