// SPDX-License-Identifier: Apache-2.0
// DS, FLAT, GLOBAL, SCRATCH and buffer-to-scratch accesses, atomics, and the LDS permutes.
#include "emu.h"
#include "formats.h"
#include <stdio.h>

// p: 0 space (0 global, 1 flat, 2 scratch, 3 lds)  1 class (0 load 1 store 2 atomic)  2 bytes per
// element  3 flags
//    4 addr vgpr  5 data vgpr  6 data1 vgpr  7 vdst  8 saddr (-1: none)  9 offset  10 offset of the
//    second element (-1: none) 11 atomic opcode  12 returns  13 acc  14 use vaddr (scratch)
enum { M_SEXT = 1, M_D16 = 2, M_D16HI = 4, M_CMP_FIRST = 8, M_TO_LDS = 16, M_XCHG2 = 32 };
enum {
    A_SWAP,
    A_CMPSWAP,
    A_ADD,
    A_SUB,
    A_RSUB,
    A_SMIN,
    A_UMIN,
    A_SMAX,
    A_UMAX,
    A_AND,
    A_OR,
    A_XOR,
    A_INC,
    A_DEC,
    A_FADD,
    A_FMIN,
    A_FMAX,
    A_PKF16,
    A_PKBF16,
    A_FCMPSWAP,
    A_MSKOR
};

u8 *emu_locate(Wave *w, int space, u64 a, int lane, int n)
{
    if (space == 1) {
        if ((a >> 32) == (emu_launch->lds_base >> 32)) {
            space = 3;
            a &= 0xffffffffu;
        } else if ((a >> 32) == emu_launch->private_hi) {
            space = 2;
            a &= 0xffffffffu;
        }
    }
    if (space == 3) {
        if (a + n > emu_launch->lds_bytes) {
            if (emu_launch->no_lds_limit) return 0;
            snprintf(emu_launch->msg, sizeof emu_launch->msg,
                     "LDS access at byte %llu (+%d) of lane %d; the group has %u bytes",
                     (unsigned long long)a, n, lane, emu_launch->lds_bytes);
            siglongjmp(*emu_jmp, E_OVERRIDE);
        }
        return w->lds + a;
    }
    if (space == 2) {
        if (a + n > w->sgpr[STRIDE]) {
            snprintf(emu_launch->msg, sizeof emu_launch->msg,
                     "scratch access at byte %llu (+%d) of lane %d; a lane has %u bytes",
                     (unsigned long long)a, n, lane, w->sgpr[STRIDE]);
            siglongjmp(*emu_jmp, E_OVERRIDE);
        }
        return w->scratch + (u64)lane * w->sgpr[STRIDE] + a;
    }
    emu_addr = a;
    return (u8 *)a;
}

static u64 atomic_do(int op, u64 old, u64 d, u64 cmp, int n)
{
    u64 m = n == 8 ? ~0ull : 0xffffffffu;
    i64 so = n == 8 ? (i64)old : (i32)old, sd = n == 8 ? (i64)d : (i32)d;
    old &= m, d &= m, cmp &= m;
    switch (op) {
    case A_SWAP:
        return d;
    case A_CMPSWAP:
        return old == cmp ? d : old;
    case A_FCMPSWAP:
        return (n == 8 ? d_of(old) == d_of(cmp) : f_of(old) == f_of(cmp)) ? d : old;
    case A_ADD:
        return (old + d) & m;
    case A_SUB:
        return (old - d) & m;
    case A_RSUB:
        return (d - old) & m;
    case A_SMIN:
        return (u64)(so < sd ? so : sd) & m;
    case A_SMAX:
        return (u64)(so > sd ? so : sd) & m;
    case A_UMIN:
        return old < d ? old : d;
    case A_UMAX:
        return old > d ? old : d;
    case A_AND:
        return old & d;
    case A_OR:
        return old | d;
    case A_XOR:
        return old ^ d;
    case A_INC:
        return old >= d ? 0 : old + 1;
    case A_DEC:
        return old == 0 || old > d ? d : old - 1;
    case A_MSKOR:
        return (old & ~d) | cmp;
    case A_FADD:
        return n == 8 ? db_of(d_of(old) + d_of(d)) : b_of(f_of(old) + f_of(d));
    case A_FMIN:
        return n == 8 ? db_of(fmin(d_of(old), d_of(d))) : b_of(fminf(f_of(old), f_of(d)));
    case A_FMAX:
        return n == 8 ? db_of(fmax(d_of(old), d_of(d))) : b_of(fmaxf(f_of(old), f_of(d)));
    case A_PKF16:
        return f_f16(f16_f(old & 0xffff) + f16_f(d & 0xffff)) |
               f_f16(f16_f(old >> 16) + f16_f(d >> 16)) << 16;
    case A_PKBF16:
        return f_bf16(bf16_f(old & 0xffff) + bf16_f(d & 0xffff)) |
               f_bf16(bf16_f(old >> 16) + bf16_f(d >> 16)) << 16;
    }
    emu_fail("unknown atomic");
    return 0;
}

void emu_x_mem(Wave *w, Op *o)
{
    i32 *p = o->p;
    int space = p[0], n = p[2], fl = p[3], nel = p[10] >= 0 ? 2 : 1, dw = (n + 3) / 4;
    u64 ex = exec_of(w), sbase = 0;
    u64 addr[64];
    if (p[8] >= 0)
        sbase = space == 2 ? w->sgpr[p[8]] : w->sgpr[p[8]] | (u64)w->sgpr[p[8] + 1] << 32;
    if (p[16]) { // buffer access to scratch (gfx90a): the scalar offset counts bytes of the whole
                 // wave
        if ((w->sgpr[p[17] + 1] & 0xffff) != emu_launch->private_hi)
            emu_fail("buffer instruction with a resource other than scratch");
        sbase = w->sgpr[p[16] - 1] / w->wsz;
    }
    for (u32 l = 0; l < w->wsz; l++) {
        if (!(ex >> l & 1)) continue;
        u64 a;
        if (space == 3)
            a = vreg(w, p[4])[l];
        else if (space == 2)
            a = (u32)((p[14] ? vreg(w, p[4])[l] : 0) + sbase);
        else if (p[8] >= 0)
            a = sbase + vreg(w, p[4])[l];
        else
            a = vreg(w, p[4])[l] | (u64)vreg(w, p[4] + 1)[l] << 32;
        addr[l] = a;
    }
    emu_count_traffic(w, space, p[1], addr, p[9], n);
    for (u32 l = 0; l < w->wsz; l++) {
        if (!(ex >> l & 1)) continue;
        for (int e = 0; e < nel; e++) {
            i64 off = e ? p[10] : p[9];
            u64 a = space == 2   ? (u64)(u32)(addr[l] + off)
                    : space == 3 ? (u64)(u32)(addr[l] + off)
                                 : addr[l] + off;
            u8 *q = emu_locate(w, space, a, l, n);
            if (p[1] == 0) {
                u32 v[4] = {0};
                if (q) memcpy(v, q, n);
                if (fl & M_SEXT) v[0] = n == 1 ? (u32)(i32)(int8_t)v[0] : (u32)(i32)(int16_t)v[0];
                if (fl & M_TO_LDS) {
                    u64 la = (w->sgpr[p[15]] & 0x3ffff) + (u64)off + (u64)l * (dw * 4);
                    if (la + dw * 4 > emu_launch->lds_bytes)
                        emu_fail("load to LDS outside of the group's LDS");
                    memcpy(w->lds + la, v, dw * 4);
                    continue;
                }
                for (int i = 0; i < dw; i++) {
                    u32 *d = &xreg(w, p[13], p[7] + e * dw + i)[l];
                    if (fl & M_D16)
                        *d = (*d & 0xffff0000u) | (v[0] & 0xffff);
                    else if (fl & M_D16HI)
                        *d = (*d & 0xffff) | v[0] << 16;
                    else
                        *d = v[i];
                }
            } else if (p[1] == 1) {
                u32 v[4];
                for (int i = 0; i < dw; i++) v[i] = xreg(w, p[13], (e ? p[6] : p[5]) + i)[l];
                if (fl & M_D16HI) v[0] >>= 16;
                if (q) memcpy(q, v, n);
            } else {
                u32 d0 = xreg(w, p[13], e && (fl & M_XCHG2) ? p[6] : p[5])[l];
                u64 d = d0, c = 0, old = 0;
                int r = e && (fl & M_XCHG2) ? p[6] : p[5];
                if (n == 8) d |= (u64)xreg(w, p[13], r + 1)[l] << 32;
                int op = p[11];
                if (op == A_CMPSWAP || op == A_FCMPSWAP || op == A_MSKOR) {
                    int cr = space == 3 ? p[6] : p[5] + n / 4;
                    c = xreg(w, p[13], cr)[l];
                    if (n == 8) c |= (u64)xreg(w, p[13], cr + 1)[l] << 32;
                    if (fl & M_CMP_FIRST) {
                        u64 t = c;
                        c = d;
                        d = t;
                    }
                }
                if (q) {
                    memcpy(&old, q, n);
                    u64 nv = atomic_do(op, old, d, c, n);
                    memcpy(q, &nv, n);
                }
                if (p[12])
                    for (int i = 0; i < dw; i++)
                        xreg(w, p[13], p[7] + e * dw + i)[l] = (u32)(old >> (32 * i));
            }
        }
    }
    advance(w, o);
}

// ds_permute (p0 = 0), ds_bpermute (1), ds_swizzle (2). p: 1 addr 2 data 3 vdst 4 offset
void emu_x_perm(Wave *w, Op *o)
{
    i32 *p = o->p;
    u64 ex = exec_of(w);
    u32 tmp[64] = {0}, *a = vreg(w, p[1]), *d = vreg(w, p[2]), *v = vreg(w, p[3]);
    if (p[0] == 2) {
        u32 off = p[4];
        for (u32 l = 0; l < w->wsz; l++) {
            u32 s;
            if (off & 0x8000) {
                if ((off & 0xe000) != 0x8000) emu_fail("ds_swizzle mode not handled");
                s = (l & ~3u) | (off >> (2 * (l & 3)) & 3);
            } else
                s = (l & ~31u) | ((((l & 31) & (off & 31)) | (off >> 5 & 31)) ^ (off >> 10 & 31));
            tmp[l] = ex >> s & 1 ? a[s] : 0;
        }
    } else if (p[0] == 1) {
        for (u32 l = 0; l < w->wsz; l++) {
            u32 s = ((a[l] + p[4]) >> 2) & (w->wsz - 1);
            tmp[l] = ex >> s & 1 ? d[s] : 0;
        }
    } else {
        for (u32 l = 0; l < w->wsz; l++)
            if (ex >> l & 1) tmp[((a[l] + p[4]) >> 2) & (w->wsz - 1)] = d[l];
    }
    for (u32 l = 0; l < w->wsz; l++)
        if (ex >> l & 1) v[l] = tmp[l];
    advance(w, o);
}

// gfx950 ds_read_b64_tr_b16 / _b8: each block of 16 lanes reads 16 x 64 bits and gets the
// transpose. p: 0 element bits, 1 addr, 2 vdst, 3 offset, 4 acc
void emu_x_dstr(Wave *w, Op *o)
{
    i32 *p = o->p;
    u8 blk[16][8], out[16][8];
    u64 ex = exec_of(w);
    if (ex != ~0ull) emu_fail("transposing LDS read with inactive lanes");
    u32 addr[64];
    memcpy(addr, vreg(w, p[1]), sizeof addr);
    int eb = p[0] / 8, per = 8 / eb; // elements per lane
    for (int b = 0; b < 4; b++) {
        for (int l = 0; l < 16; l++)
            memcpy(blk[l], emu_locate(w, 3, addr[b * 16 + l] + p[3], b * 16 + l, 8), 8);
        // The 16 lanes hold rows of 16 elements, 16/per lanes to a row; lane l gets column l.
        int lpr = 16 / per;
        for (int l = 0; l < 16; l++)
            for (int r = 0; r < per; r++)
                memcpy(out[l] + r * eb, blk[r * lpr + l / per] + (l % per) * eb, eb);
        for (int l = 0; l < 16; l++) {
            memcpy(&xreg(w, p[4], p[2])[b * 16 + l], out[l], 4);
            memcpy(&xreg(w, p[4], p[2] + 1)[b * 16 + l], out[l] + 4, 4);
        }
    }
    advance(w, o);
}
