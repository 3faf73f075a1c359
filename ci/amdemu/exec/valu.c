// SPDX-License-Identifier: Apache-2.0
// Vector instructions whose generated host code fails or differs.
#include "emu.h"
#include "formats.h"

// VALU DPP moves that the generated code has wrong on GFX9 (row_bcast15/31). p: 0 vdst 1 vsrc0 2
// ctrl 3 row mask 4 bank mask 5 bound_ctrl
void emu_x_dppmov(Wave *w, Op *o)
{
    i32 *p = o->p;
    u32 in[64], *d = vreg(w, p[0]);
    u64 ex = exec_of(w);
    memcpy(in, vreg(w, p[1]), w->wsz * 4);
    for (u32 l = 0; l < w->wsz; l++) {
        if (!(ex >> l & 1) || !(p[3] >> (l / 16) & 1) || !(p[4] >> (l % 16 / 4) & 1)) continue;
        int s = p[2] == 0x142 ? (l < 16 ? -1 : (int)(l / 16) * 16 - 1) : (l < 32 ? -1 : 31);
        if (s >= 0 && ex >> s & 1)
            d[l] = in[s];
        else if (p[5])
            d[l] = 0;
    }
    advance(w, o);
}

// f32 fused multiply-add family with exact rounding. p: 0 vdst 1 src0 2 src1 3 src2 (-1: vdst) 4
// literal 5 abs 6 neg 7 clamp 8 omod
//  9 rounds the product too (gfx90a's mad)
void emu_x_fma(Wave *w, Op *o)
{
    i32 *p = o->p;
    u64 ex = exec_of(w);
    for (u32 l = 0; l < w->wsz; l++) {
        if (!(ex >> l & 1)) continue;
        u32 *d = &vreg(w, p[0])[l];
        u32 s[3] = {src32(w, p[1], l, p[4]), src32(w, p[2], l, p[4]),
                    p[3] < 0 ? *d : src32(w, p[3], l, p[4])};
        for (int i = 0; i < 3; i++) {
            if (p[5] >> i & 1) s[i] &= 0x7fffffff;
            if (p[6] >> i & 1) s[i] ^= 0x80000000u;
        }
        float prod = f_of(s[0]) * f_of(s[1]);
        float r = p[9] ? prod + f_of(s[2]) : fmaf(f_of(s[0]), f_of(s[1]), f_of(s[2]));
        if (p[8]) r *= p[8] == 1 ? 2.f : p[8] == 2 ? 4.f : .5f;
        if (p[7]) r = r > 0 ? (r < 1 ? r : 1) : 0;
        *d = b_of(r);
    }
    advance(w, o);
}

// Assorted VALU instructions. p: 0 what 1 vdst 2-4 sources 5 literal 6 abs 7 neg 8 clamp 9 omod 10
// opsel 11 opsel_hi
enum {
    V_MULU24,
    V_MULI24,
    V_MULHIU24,
    V_MULHII24,
    V_MADU24,
    V_MADI24,
    V_RNDNE,
    V_FIXUP,
    V_MIX,
    V_MIXLO,
    V_MIXHI,
    V_PKFMA32,
    V_FMA64,
    V_FIXUP64,
    V_RNDNE64,
    V_FMA16,
    V_PKFMA16,
    V_FREXPEXP,
    V_PKRTZ,
    V_DOT2BF16
};
static u64 src64(Wave *w, int c, int l, u32 lit)
{
    if (c >= 256) return vreg(w, c - 256)[l] | (u64)vreg(w, c - 255)[l] << 32;
    if (c == 255) return (u64)lit << 32; // the high half of a double
    if (c >= 240 && c <= 248) return db_of(c == 248 ? 0.15915494309189532 : f_of(w->sgpr[c]));
    if (c >= 128) return (u64)(i64)(i32)w->sgpr[c];
    return w->sgpr[c] | (u64)w->sgpr[c + 1] << 32;
}
static double fixup(double den, double num, int f32)
{
    if (den != den || num != num) return NAN;
    return f32 ? (double)((float)num / (float)den) : num / den;
}
static float mixsrc(Wave *w, i32 *p, int i, int l)
{
    u32 b = src32(w, p[2 + i], l, p[5]);
    float v;
    if (!(p[11] >> i & 1))
        v = f_of(b);
    else if (p[2 + i] >= 240 && p[2 + i] <= 248)
        v = f16_f(f_f16(f_of(b)));
    else
        v = f16_f((p[10] >> i & 1 ? b >> 16 : b) & 0xffff);
    if (p[6] >> i & 1) v = fabsf(v);
    return p[7] >> i & 1 ? -v : v;
}
// One rounding to half of an exact a * b + c: a product of halves is exact in double, and so is its
// sum with a half unless the exponents are far apart, where round-to-odd keeps the second rounding
// right.
static u32 fma16(float a, float b, float c)
{
    double p = (double)a * b, s = p + c,
           err = fabs(p) >= fabs((double)c) ? c - (s - p) : p - (s - c);
    u64 u = db_of(s);
    if (err != 0 && !(u & 1) && s == s && !isinf(s)) u += (err > 0) == (s > 0) ? 1 : -1;
    s = d_of(u);
    double a0 = fabs(s);
    u32 sg = signbit(s) ? 0x8000 : 0;
    if (s != s) return 0x7e00;
    if (a0 >= 65520) return sg | 0x7c00;
    if (a0 < 0x1p-14) return sg | (u32)nearbyint(a0 * 0x1p24);
    int e;
    frexp(a0, &e);
    return sg | (((u32)(e + 14) << 10) + (u32)nearbyint(ldexp(a0, 11 - e)) - 1024);
}
static u32 rtz16(float f)
{
    u32 h = f_f16(f);
    if (f == f && !isinf(f) && fabsf(f16_f(h)) > fabsf(f))
        h--; // also turns an overflow into the largest finite value
    return h;
}
static u32 half_of(u32 b, int code, int hi)
{
    return code >= 240 && code <= 248 ? f_f16(f_of(b)) : (hi ? b >> 16 : b) & 0xffff;
}
void emu_x_valu(Wave *w, Op *o)
{
    i32 *p = o->p;
    u64 ex = exec_of(w);
    for (u32 l = 0; l < w->wsz; l++) {
        if (!(ex >> l & 1)) continue;
        u32 *d = &vreg(w, p[1])[l], r = 0;
        if (p[0] >= V_FMA64 && p[0] <= V_RNDNE64) {
            double s[3];
            for (int i = 0; i < 3; i++) {
                u64 b = p[2 + i] < 0 ? src64(w, p[1] + 256, l, 0) : src64(w, p[2 + i], l, p[5]);
                if (p[6] >> i & 1) b &= ~(1ull << 63);
                if (p[7] >> i & 1) b ^= 1ull << 63;
                s[i] = d_of(b);
            }
            double v = p[0] == V_FMA64     ? fma(s[0], s[1], s[2])
                       : p[0] == V_FIXUP64 ? fixup(s[1], s[2], 0)
                                           : nearbyint(s[0]);
            if (p[9]) v *= p[9] == 1 ? 2 : p[9] == 2 ? 4 : .5;
            if (p[8]) v = v > 0 ? (v < 1 ? v : 1) : 0;
            *d = (u32)db_of(v), vreg(w, p[1] + 1)[l] = db_of(v) >> 32;
            continue;
        }
        if (p[0] == V_PKFMA32) {
            u32 out[2];
            for (int h = 0; h < 2; h++) {
                float s[3];
                for (int i = 0; i < 3; i++) {
                    int sel = (h ? p[11] : p[10]) >> i & 1, c = p[2 + i];
                    u32 b = c >= 256  ? vreg(w, c - 256 + sel)[l]
                            : c < 128 ? w->sgpr[c + sel]
                                      : src32(w, c, l, p[5]);
                    if ((h ? p[6] : p[7]) >> i & 1)
                        b ^= 0x80000000u; // p6: negation of the high halves
                    s[i] = f_of(b);
                }
                out[h] = b_of(fmaf(s[0], s[1], s[2]));
            }
            *d = out[0], vreg(w, p[1] + 1)[l] = out[1];
            continue;
        }
        if (p[0] == V_MIX || p[0] == V_MIXLO || p[0] == V_MIXHI) {
            float a = mixsrc(w, p, 0, l), b = mixsrc(w, p, 1, l), c = mixsrc(w, p, 2, l),
                  v = fmaf(a, b, c);
            if (p[8]) v = v > 0 ? (v < 1 ? v : 1) : 0;
            u32 h = f_f16(v);
            *d = p[0] == V_MIX     ? b_of(v)
                 : p[0] == V_MIXLO ? (*d & 0xffff0000u) | h
                                   : (*d & 0xffff) | h << 16;
            continue;
        }
        if (p[0] == V_FMA16 || p[0] == V_PKFMA16) {
            u32 out = 0;
            for (int h = 0; h < (p[0] == V_PKFMA16 ? 2 : 1); h++) {
                float s[3];
                for (int i = 0; i < 3; i++) {
                    u32 b = half_of(src32(w, p[2 + i], l, p[5]), p[2 + i],
                                    (h ? p[11] : p[10]) >> i & 1);
                    if (p[0] == V_FMA16 && p[6] >> i & 1) b &= 0x7fff;
                    if ((p[0] == V_PKFMA16 && h ? p[6] : p[7]) >> i & 1) b ^= 0x8000;
                    s[i] = f16_f(b);
                }
                u32 v = fma16(s[0], s[1], s[2]);
                if (p[8]) v = v & 0x8000 || v > 0x7c00 ? 0 : v > 0x3c00 ? 0x3c00 : v;
                out |= v << (16 * h);
            }
            if (p[0] == V_PKFMA16)
                *d = out;
            else if (p[10] & 8)
                *d = (*d & 0xffff) | out << 16;
            else
                *d = w->wsz == 64 ? out : (*d & 0xffff0000u) | out;
            continue;
        }
        if (p[0] == V_DOT2BF16) {
            float v[3][2];
            for (int i = 0; i < 3; i++)
                for (int h = 0; h < 2; h++) {
                    u32 b = src32(w, p[2 + i], l, p[5]),
                        x = (h ? p[11] : p[10]) >> i & 1 ? b & 0xffff0000u : b << 16;
                    if (i == 2) x = b;
                    if ((h && i < 2 ? p[6] : p[7]) >> i & 1) x ^= 0x80000000u;
                    v[i][h] = f_of(x);
                }
            float r2 = fmaf(v[0][1], v[1][1], fmaf(v[0][0], v[1][0], v[2][0]));
            if (p[8]) r2 = r2 > 0 ? (r2 < 1 ? r2 : 1) : 0;
            *d = b_of(r2);
            continue;
        }
        u32 s[3] = {0};
        for (int i = 0; i < 3; i++) {
            if (p[2 + i] < 0) continue;
            s[i] = src32(w, p[2 + i], l, p[5]);
            if (p[6] >> i & 1) s[i] &= 0x7fffffff;
            if (p[7] >> i & 1) s[i] ^= 0x80000000u;
        }
        u32 ua = s[0] & 0xffffff, ub = s[1] & 0xffffff;
        i64 sa = (i32)(s[0] << 8) >> 8, sb = (i32)(s[1] << 8) >> 8;
        switch (p[0]) {
        case V_MULU24:
            r = ua * ub;
            break;
        case V_MULI24:
            r = (u32)(sa * sb);
            break;
        case V_MULHIU24:
            r = (u64)ua * ub >> 32;
            break;
        case V_MULHII24:
            r = (u64)(sa * sb) >> 32;
            break;
        case V_MADU24:
            r = ua * ub + s[2];
            break;
        case V_MADI24:
            r = (u32)(sa * sb) + s[2];
            break;
        case V_FREXPEXP: {
            float v = f_of(s[0]);
            int e = 0;
            if (v == v && !isinf(v) && v != 0) frexpf(v, &e);
            r = (u32)e;
            break;
        }
        case V_PKRTZ:
            r = rtz16(f_of(s[0])) | rtz16(f_of(s[1])) << 16;
            break;
        case V_RNDNE:
        case V_FIXUP: {
            float v =
                p[0] == V_RNDNE ? nearbyintf(f_of(s[0])) : (float)fixup(f_of(s[1]), f_of(s[2]), 1);
            if (p[9]) v *= p[9] == 1 ? 2.f : p[9] == 2 ? 4.f : .5f;
            if (p[8]) v = v > 0 ? (v < 1 ? v : 1) : 0;
            r = b_of(v);
        }
        }
        *d = r;
    }
    advance(w, o);
}
// v_permlane16 / v_permlanex16. p: 0 exchange 1 vdst 2 src0 3 src1 4 src2 5 literal 6 fetch
// inactive 7 bound control
void emu_x_permlane(Wave *w, Op *o)
{
    i32 *p = o->p;
    u64 ex = exec_of(w);
    u32 in[64], *d = vreg(w, p[1]), s1 = src32(w, p[3], 0, p[5]), s2 = src32(w, p[4], 0, p[5]);
    for (u32 l = 0; l < w->wsz; l++) in[l] = src32(w, p[2], l, p[5]);
    for (u32 l = 0; l < w->wsz; l++) {
        if (!(ex >> l & 1)) continue;
        u32 sel = (l & 8 ? s2 : s1) >> (4 * (l & 7)) & 15, f = ((l & ~15u) ^ (p[0] ? 16 : 0)) | sel;
        if (ex >> f & 1 || p[6])
            d[l] = in[f];
        else if (p[7])
            d[l] = 0;
    }
    advance(w, o);
}
// gfx950 v_permlane16_swap / v_permlane32_swap: odd blocks of vdst change places with even blocks
// of src. p: 0 width 1 vdst 2 src
void emu_x_laneswap(Wave *w, Op *o)
{
    u32 *d = vreg(w, o->p[1]), *s = vreg(w, o->p[2]), k = o->p[0];
    if (exec_of(w) != ~0ull) emu_fail("v_permlane_swap with inactive lanes");
    for (u32 l = 0; l < 64; l++)
        if (l & k) {
            u32 t = d[l];
            d[l] = s[l ^ k];
            s[l ^ k] = t;
        }
    advance(w, o);
}
// RDNA dual-issue pairs: both halves read before either writes. Per half p: op, src0, src1, vdst;
// p[8] literal.
enum {
    D_FMAC,
    D_FMAAK,
    D_FMAMK,
    D_MUL,
    D_ADD,
    D_SUB,
    D_SUBREV,
    D_MOV,
    D_CNDMASK,
    D_MAX,
    D_MIN,
    D_ADDU,
    D_LSHLREV,
    D_AND,
    D_MULDX9
};
void emu_x_vopd(Wave *w, Op *o)
{
    i32 *p = o->p;
    u64 ex = exec_of(w), vcc = w->sgpr[106];
    for (u32 l = 0; l < w->wsz; l++) {
        if (!(ex >> l & 1)) continue;
        u32 r[2];
        for (int h = 0; h < 2; h++) {
            i32 *q = p + 4 * h;
            u32 a = src32(w, q[1], l, p[8]), b = vreg(w, q[2])[l], d = vreg(w, q[3])[l];
            float x = f_of(a), y = f_of(b);
            switch (q[0]) {
            case D_FMAC:
                r[h] = b_of(fmaf(x, y, f_of(d)));
                break;
            case D_FMAAK:
                r[h] = b_of(fmaf(x, y, f_of(p[8])));
                break;
            case D_FMAMK:
                r[h] = b_of(fmaf(x, f_of(p[8]), y));
                break;
            case D_MUL:
                r[h] = b_of(x * y);
                break;
            case D_MULDX9:
                r[h] = x == 0 || y == 0 ? 0 : b_of(x * y);
                break;
            case D_ADD:
                r[h] = b_of(x + y);
                break;
            case D_SUB:
                r[h] = b_of(x - y);
                break;
            case D_SUBREV:
                r[h] = b_of(y - x);
                break;
            case D_MOV:
                r[h] = a;
                break;
            case D_CNDMASK:
                r[h] = vcc >> l & 1 ? b : a;
                break;
            case D_MAX:
                r[h] = x == 0 && y == 0 ? (a & b) : b_of(fmaxf(x, y));
                break;
            case D_MIN:
                r[h] = x == 0 && y == 0 ? (a | b) : b_of(fminf(x, y));
                break;
            case D_ADDU:
                r[h] = a + b;
                break;
            case D_LSHLREV:
                r[h] = b << (a & 31);
                break;
            default:
                r[h] = a & b;
            }
        }
        vreg(w, p[3])[l] = r[0], vreg(w, p[7])[l] = r[1];
    }
    advance(w, o);
}
