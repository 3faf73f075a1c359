// SPDX-License-Identifier: Apache-2.0
// Number formats of the emulated machine as host floats: bits of f32 and f64, bf16, f16, 8-bit
// floats.
#ifndef AMDEMU_FORMATS_H
#define AMDEMU_FORMATS_H
#include "emu.h"

static inline float f_of(u32 b)
{
    float f;
    memcpy(&f, &b, 4);
    return f;
}
static inline u32 b_of(float f)
{
    u32 b;
    memcpy(&b, &f, 4);
    return b;
}
static inline double d_of(u64 b)
{
    double f;
    memcpy(&f, &b, 8);
    return f;
}
static inline u64 db_of(double f)
{
    u64 b;
    memcpy(&b, &f, 8);
    return b;
}
static inline float bf16_f(u32 h)
{
    return f_of(h << 16);
}
static inline u32 f_bf16(float f)
{
    u32 b = b_of(f);
    if ((b & 0x7fffffff) > 0x7f800000) return (b >> 16) | 0x40;
    return (b + 0x7fff + ((b >> 16) & 1)) >> 16;
}
static inline float f16_f(u32 h)
{
    u32 e = (h >> 10) & 31, m = h & 1023;
    float v = e == 0    ? ldexpf(m, -24)
              : e == 31 ? (m ? NAN : INFINITY)
                        : ldexpf(m | 1024, (int)e - 25);
    return h & 0x8000 ? -v : v;
}
static inline u32 f_f16(float f)
{
    u32 s = (b_of(f) >> 16) & 0x8000;
    if (f != f) return s | 0x7e00;
    float a = fabsf(f);
    if (a >= 65520.f) return s | 0x7c00;
    if (a < 0x1p-14f) return s | (u32)lrintf(a * 0x1p24f);
    int e;
    frexpf(a, &e);                          // a = m * 2^e, m in [.5, 1)
    u32 q = (u32)lrintf(ldexpf(a, 11 - e)); // 1024..2048
    return s | (((u32)(e + 14) << 10) + q - 1024);
}
// 8-bit floats. man = 3: E4M3, man = 2: E5M2. fnuz: bias one larger, no inf, 0x80 is NaN.
static inline float f8_f(u32 b, int man, int fnuz)
{
    int ebits = 7 - man, bias = (1 << (ebits - 1)) - 1 + (fnuz ? 1 : 0);
    u32 s = b & 0x80, e = (b >> man) & ((1 << ebits) - 1), m = b & ((1 << man) - 1);
    float v;
    if (fnuz) {
        if ((b & 0xff) == 0x80) return NAN;
    } else if (man == 3) {
        if (e == 15 && m == 7) return NAN;
    } else if (e == 31) {
        if (m) return NAN;
        return s ? -INFINITY : INFINITY;
    }
    v = e == 0 ? ldexpf(m, 1 - bias - man) : ldexpf(m | (1 << man), (int)e - bias - man);
    return s ? -v : v;
}
static inline u32 f_f8(float f, int man, int fnuz, int sr, u32 rnd)
{
    int ebits = 7 - man, bias = (1 << (ebits - 1)) - 1 + (fnuz ? 1 : 0);
    u32 s = (b_of(f) >> 24) & 0x80, nan = fnuz ? 0x80 : s | 0x7f,
        inf = fnuz       ? 0x80
              : man == 3 ? s | 0x7f
                         : s | 0x7c;
    if (f != f) return nan;
    if (isinf(f)) return inf;
    float a = fabsf(f);
    if (a == 0) return fnuz ? 0 : s;
    int e;
    frexpf(a, &e);
    e -= 1;                         // a = 1.x * 2^e
    if (e < 1 - bias) e = 1 - bias; // denormal step
    double t = ldexp(a, man - e);   // in units of the last place
    double q = sr ? floor(t + (double)(rnd >> 12) / (1 << 20)) : nearbyint(t);
    double v = ldexp(q, e - man);
    double maxv = man == 3 ? (fnuz ? 240 : 448) : 57344;
    if (v > maxv) return inf;
    if (v == 0) return fnuz ? 0 : s;
    int e2;
    frexp(v, &e2);
    e2 -= 1;
    if (e2 < 1 - bias) return s | (u32)ldexp(v, man + bias - 1);
    return s | ((u32)(e2 + bias) << man) | ((u32)ldexp(v, man - e2) & ((1 << man) - 1));
}

#endif
