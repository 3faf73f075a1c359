// SPDX-License-Identifier: Apache-2.0
// Conversions of 8-bit and 4-bit floats.
#include "emu.h"
#include "formats.h"

// p: 0 what (0 f32<-f8, 1 pk f32<-f8, 2 pk f8<-f32, 3 sr f8<-f32)  1 man  2 fnuz  3 vdst 4 src0 5
// src1 6 select 7 abs 8 neg 9 literal
static float mods(u32 b, i32 *p, int i)
{
    if (p[7] >> i & 1) b &= 0x7fffffff;
    if (p[8] >> i & 1) b ^= 0x80000000u;
    return f_of(b);
}
void emu_x_cvt8(Wave *w, Op *o)
{
    i32 *p = o->p;
    u64 ex = exec_of(w);
    for (u32 l = 0; l < w->wsz; l++) {
        if (!(ex >> l & 1)) continue;
        u32 s0 = src32(w, p[4], l, p[9]), *d = &vreg(w, p[3])[l];
        if (p[0] == 0)
            *d = b_of(f8_f(s0 >> (8 * p[6]) & 0xff, p[1], p[2]));
        else if (p[0] == 1) {
            u32 h = s0 >> (16 * p[6]);
            u32 lo = b_of(f8_f(h & 0xff, p[1], p[2])), hi = b_of(f8_f(h >> 8 & 0xff, p[1], p[2]));
            *d = lo, vreg(w, p[3] + 1)[l] = hi;
        } else {
            u32 s1 = src32(w, p[5], l, p[9]);
            if (p[0] == 2) {
                u32 v = f_f8(mods(s0, p, 0), p[1], p[2], 0, 0) |
                        f_f8(mods(s1, p, 1), p[1], p[2], 0, 0) << 8;
                *d = p[6] ? (*d & 0xffff) | v << 16 : (*d & 0xffff0000u) | v;
            } else {
                u32 v = f_f8(mods(s0, p, 0), p[1], p[2], 1, s1);
                *d = (*d & ~(0xffu << (8 * p[6]))) | v << (8 * p[6]);
            }
        }
    }
    advance(w, o);
}

// gfx950 v_cvt_scalef32_*: the scale counts by its exponent. p: 0 from the small type  1 small (3
// E4M3, 2 E5M2, 1 E2M1)
//  2 wide (T_F32, T_F16, T_BF16)  3 pair  4 vdst 5 src0 6 src1 7 scale source 8 select 9 literal 10
//  abs 11 neg
static float f4_f(u32 b)
{
    static const float t[8] = {0, .5f, 1, 1.5f, 2, 3, 4, 6};
    return b & 8 ? -t[b & 7] : t[b & 7];
}
static u32 f_f4(float f)
{
    float a = fabsf(f), q = a < 2   ? nearbyintf(a * 2) / 2
                            : a < 4 ? nearbyintf(a)
                                    : nearbyintf(a / 2) * 2;
    u32 r = 7;
    if (f != f) return 7;
    for (u32 i = 0; i < 8; i++)
        if (f4_f(i) == q) r = i;
    return r | (signbit(f) ? 8 : 0);
}
void emu_x_scale(Wave *w, Op *o)
{
    i32 *p = o->p;
    u64 ex = exec_of(w);
    int bits = p[1] == 1 ? 4 : 8;
    for (u32 l = 0; l < w->wsz; l++) {
        if (!(ex >> l & 1)) continue;
        u32 a = src32(w, p[5], l, p[9]), b = src32(w, p[6], l, p[9]), sb = src32(w, p[7], l, p[9]),
            *d = &vreg(w, p[4])[l];
        int e = (int)(sb >> 23 & 255) - 127;
        if (p[0]) {
            u32 raw = a >> ((p[3] ? 2 * bits : 8) * p[8]), out[2] = {0, 0};
            for (int i = 0; i < 1 + p[3]; i++) {
                u32 c = raw >> (bits * i) & ((1 << bits) - 1);
                float v = ldexpf(p[1] == 1 ? f4_f(c) : f8_f(c, p[1], 0), e);
                out[i] = p[2] == T_F32 ? b_of(v) : p[2] == T_F16 ? f_f16(v) : f_bf16(v);
            }
            if (p[2] == T_F32) {
                *d = out[0];
                if (p[3]) vreg(w, p[4] + 1)[l] = out[1];
            } else
                *d = out[0] | out[1] << 16;
        } else {
            float v[2];
            if (p[2] == T_F32)
                v[0] = f_of(a), v[1] = f_of(b);
            else
                for (int i = 0; i < 2; i++)
                    v[i] = p[2] == T_F16 ? f16_f(a >> (16 * i) & 0xffff)
                                         : bf16_f(a >> (16 * i) & 0xffff);
            u32 r = 0;
            for (int i = 0; i < 2; i++) {
                if (p[10] >> i & 1) v[i] = fabsf(v[i]);
                if (p[11] >> i & 1) v[i] = -v[i];
                float x = ldexpf(v[i], -e);
                r |= (p[1] == 1 ? f_f4(x) : f_f8(x, p[1], 0, 0, 0)) << (bits * i);
            }
            u32 sh = p[1] == 1 ? 8 * p[8] : 16 * p[8], m = (p[1] == 1 ? 0xffu : 0xffffu) << sh;
            *d = (*d & ~m) | r << sh;
        }
    }
    advance(w, o);
}
