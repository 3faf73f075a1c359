// SPDX-License-Identifier: Apache-2.0
// Scalar instructions: apertures, clocks, the program counter, and those that do nothing here.
#include "emu.h"
#include <time.h>

// s_mov_b64 / s_mov_b32 of an aperture base. p: 0 sdst 1 source 2 is 64-bit
void emu_x_aperture(Wave *w, Op *o)
{
    u32 hi = o->p[1] <= 236 ? emu_launch->lds_base >> 32 : emu_launch->private_hi;
    if (o->p[2])
        w->sgpr[o->p[0]] = 0, w->sgpr[o->p[0] + 1] = hi;
    else
        w->sgpr[o->p[0]] = hi;
    advance(w, o);
}
// s_memtime and friends. p: 0 sdst (a pair)
void emu_x_time(Wave *w, Op *o)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    u64 v = (u64)t.tv_sec * 100000000ull + t.tv_nsec / 10;
    w->sgpr[o->p[0]] = (u32)v, w->sgpr[o->p[0] + 1] = v >> 32;
    advance(w, o);
}
// Program counter: p0 = 0 getpc, 1 setpc, 2 swappc, 3 call. p: 1 sdst 2 ssrc0 3 branch offset in
// dwords
void emu_x_pc(Wave *w, Op *o)
{
    i32 *p = o->p;
    u64 next = (w->sgpr[PC_LO] | (u64)w->sgpr[PC_HI] << 32) + o->size, to = next;
    if (p[0] == 1 || p[0] == 2) to = w->sgpr[p[2]] | (u64)w->sgpr[p[2] + 1] << 32;
    if (p[0] == 3) to = next + (i64)p[3] * 4;
    if (p[0] != 1) w->sgpr[p[1]] = (u32)next, w->sgpr[p[1] + 1] = next >> 32;
    w->sgpr[PC_LO] = (u32)to, w->sgpr[PC_HI] = to >> 32;
}
// s_getreg_b32: a cycle counter for the clock registers; else (mode, the wave's place) zero, which
// is valid. p: 0 sdst 1 clock
void emu_x_zero(Wave *w, Op *o)
{
    static u32 cycles;
    w->sgpr[o->p[0]] = o->p[1] ? (cycles += 64) & 0xfffff : 0;
    advance(w, o);
}
void emu_x_nop(Wave *w, Op *o)
{
    (void)w;
    advance(w, o);
}
