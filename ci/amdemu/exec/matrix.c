// SPDX-License-Identifier: Apache-2.0
// MFMA and WMMA.
#include "emu.h"
#include "formats.h"

static float elem_f(u32 raw, int idx, int t, int fnuz)
{
    switch (t) {
    case T_F32:
        return f_of(raw);
    case T_F16:
        return f16_f(raw >> (16 * idx) & 0xffff);
    case T_BF16:
        return bf16_f(raw >> (16 * idx) & 0xffff);
    case T_FP8:
        return f8_f(raw >> (8 * idx) & 0xff, 3, fnuz);
    case T_BF8:
        return f8_f(raw >> (8 * idx) & 0xff, 2, fnuz);
    }
    return 0;
}
static i32 elem_i(u32 raw, int idx, int t)
{
    switch (t) {
    case T_I8:
        return (int8_t)(raw >> (8 * idx));
    case T_U8:
        return (u8)(raw >> (8 * idx));
    case T_I4:
        return (i32)(raw >> (4 * idx) << 28) >> 28;
    case T_U4:
        return raw >> (4 * idx) & 15;
    }
    return 0;
}
static int per_reg(int t)
{
    return t == T_F32 ? 1 : t == T_F16 || t == T_BF16 ? 2 : t == T_I4 || t == T_U4 ? 8 : 4;
}

// MFMA. p: 0 M 1 N 2 K 3 blocks 4 type A 5 type B 6 int result 7 vdst 8 src0 9 src1 10 src2 11 acc
// (bit 0 A, bit 1 B) 12 acc_cd
//  13 fnuz 14 scaled 15/16 scale sources 17/18 byte selects 19 f64
void emu_x_mfma(Wave *w, Op *o)
{
    static _Thread_local float A[16][32][128], B[16][32][128];
    i32 *p = o->p;
    int M = p[0], N = p[1], K = p[2], blk = p[3], L = 64;
    if (p[19]) { // f64: 16x16x4 (one block) and 4x4x4 (four blocks); one element per lane of A and
                 // B
        double a[64], b[64], c[4][64];
        int nr = M == 16 ? 4 : 1;
        for (int l = 0; l < L; l++) {
            a[l] = d_of(xreg(w, p[11] & 1, p[8] - 256)[l] | (u64)xreg(w, p[11] & 1, p[8] - 255)[l]
                                                                << 32);
            b[l] = d_of(xreg(w, p[11] & 2, p[9] - 256)[l] | (u64)xreg(w, p[11] & 2, p[9] - 255)[l]
                                                                << 32);
            for (int r = 0; r < nr; r++)
                c[r][l] = p[10] >= 256
                              ? d_of(xreg(w, p[12], p[10] - 256 + 2 * r)[l] |
                                     (u64)xreg(w, p[12], p[10] - 255 + 2 * r)[l] << 32)
                              : (p[10] >= 240 && p[10] <= 247 ? f_of(w->sgpr[p[10]]) : 0.0);
        }
        for (int r = 0; r < nr; r++)
            for (int l = 0; l < L; l++) {
                double s = c[r][l];
                if (M == 16) {
                    int i = l / 16 + 4 * r, j = l % 16;
                    for (int k = 0; k < 4; k++) s = fma(a[k * 16 + i], b[k * 16 + j], s);
                } else {
                    int bl = l / 4 % 4, i = l / 16, j = l % 4;
                    for (int k = 0; k < 4; k++)
                        s = fma(a[k * 16 + bl * 4 + i], b[k * 16 + bl * 4 + j], s);
                }
                xreg(w, p[12], p[7] + 2 * r)[l] = (u32)db_of(s),
                                          xreg(w, p[12], p[7] + 2 * r + 1)[l] = db_of(s) >> 32;
            }
        advance(w, o);
        return;
    }
    int isint = p[6];
    u8 S[2][32][4]; // scaled: exponent of each row (column) and block of 32 k values
    for (int s = 0; s < 2; s++) {
        int D = s ? N : M, t = p[4 + s], src = p[8 + s], acc = p[11] >> s & 1, pr = per_reg(t);
        int groups = L / D, kpl = K * blk / groups; // k values held by a lane
        int run = kpl > 16 ? 16 : kpl; // consecutive ones: the 32 8-bit values of f8f6f4 are two
                                       // runs of 16, K / 2 apart
        float(*X)[32][128] = s ? B : A;
        if (p[14] && p[15 + s] >= 240 && p[15 + s] <= 248)
            emu_fail("MFMA scale from a floating-point constant");
        for (int l = 0; l < L; l++) {
            int g = l / D, b = blk > 1 ? g : 0;
            // Lane g * D + i scales k = 32 g .. 32 g + 31 of row i, which are not the values of
            // that lane alone.
            if (p[14]) S[s][l % D][g] = src32(w, p[15 + s], l, 0) >> (8 * p[17 + s]);
            for (int k = 0; k < kpl; k++) {
                u32 raw = src >= 256 ? xreg(w, acc, src - 256 + k / pr)[l] : w->sgpr[src];
                X[b][l % D][blk > 1 ? k : k / run * run * groups + g * run + k % run] =
                    isint ? (float)elem_i(raw, k % pr, t) : elem_f(raw, k % pr, t, p[13]);
            }
        }
    }
    int nout = M * N * blk / L;
    u32 out[32][64];
    for (int r = 0; r < nout; r++)
        for (int l = 0; l < L; l++) {
            int b, row, col = l % N;
            if (M == 4)
                b = l / 4, row = r;
            else if (M == 16)
                b = r / 4, row = 4 * (l / 16) + r % 4;
            else
                b = r / 16, row = 8 * (r % 16 / 4) + 4 * (l / 32) + r % 4;
            u32 c = p[10] >= 256 ? xreg(w, p[12], p[10] - 256 + r)[l] : w->sgpr[p[10]];
            float *x = A[b][row], *y = B[b][col];
            if (isint) {
                i64 s = (i32)c;
                for (int k = 0; k < K; k++) s += (i32)x[k] * (i32)y[k];
                out[r][l] = (u32)s;
            } else {
                float s = f_of(c);
                if (p[14])
                    for (int k = 0; k < K; k++) {
                        int ea = S[0][row][k / 32], eb = S[1][col][k / 32];
                        s += ea == 255 || eb == 255 ? NAN : ldexpf(x[k] * y[k], ea + eb - 254);
                    }
                else
                    for (int k = 0; k < K; k++) s = __builtin_fmaf(x[k], y[k], s);
                out[r][l] = b_of(s);
            }
        }
    for (int r = 0; r < nout; r++) memcpy(xreg(w, p[12], p[7] + r), out[r], sizeof out[r]);
    advance(w, o);
}

// WMMA 16x16xK, wave32. p: 0 K 1 type A 2 type B 3 result (T_F32, T_F16, T_BF16, T_I8 = i32) 4 vdst
// 5 src0 6 src1 7 src2
//  8 gfx12 layout 9 result half (gfx11, 16-bit results) 10 neg_lo 11 neg_hi 12 clamp
void emu_x_wmma(Wave *w, Op *o)
{
    i32 *p = o->p;
    int K = p[0], rt = p[3], g12 = p[8];
    float X[2][16][32];
    if (w->wsz != 32) emu_fail("WMMA in wave64");
    for (int s = 0; s < 2; s++) {
        int t = p[1 + s], pr = per_reg(t), src = p[5 + s] - 256;
        if (src < 0) emu_fail("WMMA with a scalar A or B");
        int kpl = g12 ? K / 2 : K;
        for (int l = 0; l < 32; l++)
            for (int k = 0; k < kpl; k++) {
                u32 raw = vreg(w, src + k / pr)[l];
                float v = rt == T_I8 ? (float)elem_i(raw, k % pr, t) : elem_f(raw, k % pr, t, 0);
                int kk = g12 ? (l / 16) * kpl + k : k;
                if (!g12 && l >= 16) {
                    if (b_of(X[s][l % 16][kk]) != b_of(v))
                        emu_fail("WMMA: lanes 16..31 do not repeat lanes 0..15 of A or B (gfx11 "
                                 "needs that)");
                } else
                    X[s][l % 16][kk] = v;
            }
    }
    u32 out[8][32];
    int half16 = rt == T_F16 || rt == T_BF16;
    for (int r = 0; r < 8; r++)
        for (int l = 0; l < 32; l++) {
            int row = g12 ? r + 8 * (l / 16) : 2 * r + l / 16, col = l % 16, src2 = p[7];
            u32 c;
            if (src2 < 256)
                c = w->sgpr[src2];
            else if (!half16)
                c = vreg(w, src2 - 256 + r)[l];
            else if (g12)
                c = vreg(w, src2 - 256 + r / 2)[l] >> (16 * (r & 1)) & 0xffff;
            else
                c = vreg(w, src2 - 256 + r)[l] >> (16 * p[9]) & 0xffff;
            float *x = X[0][row], *y = X[1][col];
            if (rt == T_I8) {
                i64 s = (i32)c;
                for (int k = 0; k < K; k++) s += (i32)x[k] * (i32)y[k];
                if (p[12])
                    s = s > 0x7fffffffll ? 0x7fffffffll : s < -0x80000000ll ? -0x80000000ll : s;
                out[r][l] = (u32)s;
                continue;
            }
            float s = rt == T_F32   ? f_of(c)
                      : src2 < 256  ? f_of(c)
                      : rt == T_F16 ? f16_f(c)
                                    : bf16_f(c);
            if (p[11] & 4) s = fabsf(s);
            if (p[10] & 4) s = -s;
            for (int k = 0; k < K; k++)
                s = __builtin_fmaf((p[10] & 1 ? -1.f : 1.f) * x[k], (p[10] & 2 ? -1.f : 1.f) * y[k],
                                   s);
            out[r][l] = rt == T_F32 ? b_of(s) : rt == T_F16 ? f_f16(s) : f_bf16(s);
        }
    for (int r = 0; r < 8; r++)
        for (int l = 0; l < 32; l++) {
            if (!half16)
                vreg(w, p[4] + r)[l] = out[r][l];
            else if (g12) {
                u32 *d = &vreg(w, p[4] + r / 2)[l];
                *d = r & 1 ? (*d & 0xffff) | out[r][l] << 16 : (*d & 0xffff0000u) | out[r][l];
            } else {
                u32 *d = &vreg(w, p[4] + r)[l];
                *d = p[9] ? (*d & 0xffff) | out[r][l] << 16 : (*d & 0xffff0000u) | out[r][l];
            }
        }
    advance(w, o);
}
