// SPDX-License-Identifier: Apache-2.0
// Steps waves over a table that maps each instruction address to host code.
//
// Most entries are functions that tinygrad's AMD emulator generated (called with the addresses of
// the register files); memory, matrix and a few other instructions are executed by the functions of
// this folder, because the generated ones are wrong or incomplete for what a HIP compiler emits
// (see README.md). Python fills the table through a callback, once per address.
#include "emu.h"
#include "formats.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xmmintrin.h>

_Thread_local sigjmp_buf *emu_jmp;
_Thread_local Launch *emu_launch;
_Thread_local Wave *emu_wave;
_Thread_local u64 emu_addr;

_Noreturn void emu_fail(const char *m)
{
    snprintf(emu_launch->msg, sizeof emu_launch->msg, "%s", m);
    siglongjmp(*emu_jmp, E_OVERRIDE);
}

typedef void (*Handler)(Wave *, Op *);
static const Handler handlers[] = {
    emu_x_mem,      emu_x_perm, emu_x_dstr,     emu_x_mfma, emu_x_wmma,     emu_x_cvt8,
    emu_x_aperture, emu_x_time, emu_x_zero,     emu_x_nop,  emu_x_dppmov,   emu_x_fma,
    emu_x_pc,       emu_x_valu, emu_x_permlane, emu_x_vopd, emu_x_laneswap, emu_x_scale};

static struct sigaction old_segv, old_bus, old_fpe;
static int installed;
static void on_fault(int sig, siginfo_t *si, void *uc)
{
    (void)uc;
    if (emu_jmp) {
        emu_launch->fault_addr = (u64)si->si_addr;
        siglongjmp(*emu_jmp, E_FAULT);
    }
    sigaction(sig, sig == SIGSEGV ? &old_segv : sig == SIGBUS ? &old_bus : &old_fpe, 0);
}
static void install(void)
{
    if (installed) return;
    installed = 1;
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_sigaction = on_fault;
    sa.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGSEGV, &sa, &old_segv);
    sigaction(SIGBUS, &sa, &old_bus);
    sigaction(SIGFPE, &sa, &old_fpe);
}

static void init_wave(Launch *L, Wave *w, u32 first, u32 total, const u32 *wg)
{
    static const u32 fl[9] = {0x3f000000, 0xbf000000, 0x3f800000, 0xbf800000, 0x40000000,
                              0xc0000000, 0x40800000, 0xc0800000, 0x3e22f983};
    u32 n = total - first < w->wsz ? total - first : w->wsz, ws = w->wsz;
    memset(w->sgpr, 0, NSGPR * 4);
    // Registers start with a recognisable value: a kernel must not rely on zeros.
    for (int i = 0; i < 106; i++) w->sgpr[i] = 0xdeadbeef;
    for (size_t i = 0; i < L->vgprs * (size_t)ws; i++) w->vgpr[i] = 0x7fc0dead;
    if (w->acc != w->vgpr)
        for (size_t i = 0; i < L->agprs * (size_t)ws; i++) w->acc[i] = 0x7fc0dead;
    for (int i = 0; i <= 64; i++) w->sgpr[128 + i] = i;
    for (int i = 1; i <= 16; i++) w->sgpr[192 + i] = (u32)-i;
    for (int i = 0; i < 9; i++) w->sgpr[240 + i] = fl[i];
    u64 ex = n >= 64 ? ~0ull : (1ull << n) - 1;
    w->sgpr[EXEC_LO] = (u32)ex;
    if (ws == 64) w->sgpr[EXEC_LO + 1] = ex >> 32;
    u32 s = L->n_user;
    for (u32 i = 0; i < L->n_user; i++) w->sgpr[i] = L->user[i];
    if (L->ttmp_ids) w->sgpr[117] = wg[0], w->sgpr[115] = (wg[1] & 0xffff) | wg[2] << 16;
    for (int i = 0; i < 3; i++)
        if (L->wgid_mask >> i & 1) w->sgpr[s++] = wg[i];
    if (L->wginfo) w->sgpr[s++] = 0;
    if (L->sgpr_scratch_offset) w->sgpr[s++] = 0;
    for (u32 l = 0; l < n; l++) {
        u32 t = first + l, x = t % L->block[0], y = t / L->block[0] % L->block[1],
            z = t / (L->block[0] * L->block[1]);
        if (L->unpacked_tid)
            vreg(w, 0)[l] = x, vreg(w, 1)[l] = y, vreg(w, 2)[l] = z;
        else
            vreg(w, 0)[l] = x | y << 10 | z << 20;
    }
    w->sgpr[PC_LO] = (u32)L->entry, w->sgpr[PC_HI] = L->entry >> 32;
    w->sgpr[STRIDE] = L->scratch_bytes;
    w->state = 0;
    L->waves++;
}

// Buffers kept from launch to launch (launches do not overlap).
static void *pooled(int i, size_t n)
{
    static void *p[2];
    static size_t have[2];
    if (have[i] < n) {
        free(p[i]);
        p[i] = malloc(n);
        have[i] = p[i] ? n : 0;
    }
    return p[i];
}

typedef void (*Fn)(u64, u64, u64, u64, u64, u64);
static void run_generated(const Op *o, const u64 *b)
{
    ((Fn)o->fn)(b[o->g[0]], b[o->g[1]], b[o->g[2]], b[o->g[3]], b[o->g[4]], b[o->g[5]]);
}

// For F_EACH_LANE: each lane runs by itself, on the registers as they were. p: 0 vdst
static void run_each_lane(Wave *w, const Op *o, const u64 *b)
{
    u32 *d = vreg(w, o->p[0]), before[64], after[64];
    const u64 ex = exec_of(w), pc = w->sgpr[PC_LO] | (u64)w->sgpr[PC_HI] << 32;
    memcpy(before, d, w->wsz * 4);
    memcpy(after, d, w->wsz * 4);
    for (u32 l = 0; l < w->wsz; l++) {
        if (!(ex >> l & 1)) continue;
        w->sgpr[PC_LO] = (u32)pc, w->sgpr[PC_HI] = pc >> 32;
        w->sgpr[EXEC_LO + l / 32] = 1u << l % 32;
        if (w->wsz == 64) w->sgpr[EXEC_LO + 1 - l / 32] = 0;
        run_generated(o, b);
        after[l] = d[l];
        memcpy(d, before, w->wsz * 4);
    }
    memcpy(d, after, w->wsz * 4);
    w->sgpr[EXEC_LO] = (u32)ex;
    if (w->wsz == 64) w->sgpr[EXEC_LO + 1] = ex >> 32;
    const u64 next = pc + o->size;
    w->sgpr[PC_LO] = (u32)next, w->sgpr[PC_HI] = next >> 32;
}

EMU_API int emu_run(Launch *L)
{
    install();
    u32 total = L->block[0] * L->block[1] * L->block[2], ws = L->wave_size,
        nw = (total + ws - 1) / ws;
    u64 blocks = (u64)L->grid[0] * L->grid[1] * L->grid[2];
    u32 res = L->resident < blocks ? L->resident : (u32)blocks;
    int accs = ws == 64;
    // Each file has 16 registers to spare; tuples at its end may touch them.
    size_t vw = (256 + 16) * (size_t)ws, per = NSGPR + vw + (accs ? vw : 0),
           sc = (u64)L->scratch_bytes * ws + 64;
    size_t lds = (L->lds_bytes + 255) & ~255u, count = (size_t)nw * res;
    u32 *regs = pooled(0, per * 4 * count);
    u8 *scratch = L->scratch_bytes ? pooled(1, sc * count) : 0;
    Wave *waves = calloc(count, sizeof *waves);
    if (!regs || !waves || (L->scratch_bytes && !scratch)) return E_MEMORY;
    for (size_t i = 0; i < count; i++) {
        u32 *r = regs + per * i;
        waves[i] = (Wave){r,
                          r + NSGPR,
                          accs ? r + NSGPR + vw : r + NSGPR,
                          scratch ? scratch + sc * i : 0,
                          (u8 *)L->lds_base + i / nw * lds,
                          ws,
                          0,
                          0};
    }
    u32 mx = _mm_getcsr(), run_mx = (mx & ~0xe040u) | (L->ftz ? 0x8040u : 0) | 0x1f80;
    sigjmp_buf jb, *save_j = emu_jmp;
    Launch *save_l = emu_launch;
    emu_launch = L;
    volatile size_t cw = 0;
    volatile u64 insts = 0;
    int rc = sigsetjmp(jb, 1);
    if (rc == 0) {
        emu_jmp = &jb;
        _mm_setcsr(run_mx);
        for (u64 first = 0; first < blocks; first += res) {
            u32 n = blocks - first < res ? (u32)(blocks - first) : res;
            for (u32 b = 0; b < n; b++) {
                u64 x = first + b;
                u32 wg[3] = {x % L->grid[0], x / L->grid[0] % L->grid[1],
                             x / ((u64)L->grid[0] * L->grid[1])};
                if (L->lds_bytes) memset((u8 *)L->lds_base + b * lds, 0xfd, L->lds_bytes);
                for (u32 i = 0; i < nw; i++)
                    waves[b * nw + i].block = x,
                                   init_wave(L, &waves[b * nw + i], i * ws, total, wg);
            }
            for (size_t live = (size_t)n * nw; live;) {
                for (size_t i = 0; i < (size_t)n * nw; i++) {
                    Wave *w = &waves[i];
                    if (w->state) continue;
                    cw = i, emu_wave = w;
                    for (u32 left = L->quantum; left; left--) {
                        u64 pc = w->sgpr[PC_LO] | (u64)w->sgpr[PC_HI] << 32;
                        if (pc == ~0ull) {
                            w->state = 2;
                            live--;
                            break;
                        }
                        L->fault_pc = pc;
                        if (pc < L->code_lo || pc >= L->code_hi || pc & 3) {
                            snprintf(L->msg, sizeof L->msg, "the program counter left the code");
                            siglongjmp(jb, E_OVERRIDE);
                        }
                        Op *o = L->table[(pc - L->code_lo) >> 2];
                        if (!o) {
                            _mm_setcsr(mx);
                            emu_jmp = save_j;
                            o = L->resolve(pc);
                            emu_jmp = &jb;
                            _mm_setcsr(run_mx);
                            if (!o) siglongjmp(jb, E_RESOLVE);
                            L->table[(pc - L->code_lo) >> 2] = o;
                        }
                        o->count++;
                        if (++insts > L->max_insts) siglongjmp(jb, E_LIMIT);
                        if (o->flags & F_TRAP) siglongjmp(jb, E_TRAP);
                        if (o->flags & F_OVERRIDE)
                            handlers[o->kind](w, o);
                        else {
                            u64 b[6] = {(u64)w->sgpr, (u64)w->vgpr,    0,
                                        (u64)w->lds,  (u64)w->scratch, (u64)w->acc};
                            if (o->flags & F_EACH_LANE)
                                run_each_lane(w, o, b);
                            else
                                run_generated(o, b);
                        }
                        if (o->flags & F_BARRIER) {
                            w->state = 1;
                            break;
                        }
                    }
                }
                for (u32 b = 0; b < n;
                     b++) { // a barrier opens when every wave of the block is there or has ended
                    int waiting = 1;
                    for (u32 i = 0; i < nw; i++) waiting &= waves[b * nw + i].state != 0;
                    if (waiting)
                        for (u32 i = 0; i < nw; i++)
                            if (waves[b * nw + i].state == 1) waves[b * nw + i].state = 0;
                }
            }
        }
    }
    _mm_setcsr(mx);
    L->insts = insts, L->fault_wave = cw % nw;
    u64 x = waves[cw].block;
    L->fault_wg[0] = x % L->grid[0], L->fault_wg[1] = x / L->grid[0] % L->grid[1],
    L->fault_wg[2] = x / ((u64)L->grid[0] * L->grid[1]);
    emu_jmp = save_j, emu_launch = save_l;
    free(waves);
    return rc;
}

// Memory whose low 32 address bits are zero, so that a generic pointer's upper half alone tells LDS
// from the rest.
EMU_API void *emu_lds(u64 want, u64 size)
{
    void *p = mmap((void *)want, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    return p == MAP_FAILED || p != (void *)want ? 0 : p;
}
EMU_API u32 emu_f8(float f, int man, int fnuz)
{
    return f_f8(f, man, fnuz, 0, 0);
}
EMU_API float emu_f8f(u32 b, int man, int fnuz)
{
    return f8_f(b, man, fnuz);
}
EMU_API int emu_op_size(void)
{
    return sizeof(Op);
}
EMU_API int emu_launch_size(void)
{
    return sizeof(Launch);
}
