// SPDX-License-Identifier: Apache-2.0
// The inner loop of amdemu: waves, decoded instructions, a launch, and what the instruction files
// share.
#ifndef AMDEMU_EMU_H
#define AMDEMU_EMU_H
#include <math.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

enum { PC_LO = 256, PC_HI = 257, STRIDE = 259, NSGPR = 264, EXEC_LO = 126 };
enum { F_BARRIER = 1, F_TRAP = 2, F_OVERRIDE = 4, F_EACH_LANE = 8 };
enum {
    E_OK = 0,
    E_RESOLVE = 1,
    E_FAULT = 2,
    E_LIMIT = 3,
    E_TRAP = 4,
    E_OVERRIDE = 5,
    E_MEMORY = 6
};

// One decoded instruction.  p[] is filled by the Python package; the meaning depends on kind.
typedef struct Op {
    void *fn;
    u8 g[6];
    u8 ng, flags;
    u16 size, kind;
    i32 p[20];
    u64 count;
} Op;

typedef struct Wave {
    u32 *sgpr, *vgpr, *acc;
    u8 *scratch, *lds;
    u32 wsz, block;
    int state; // 0 runs, 1 waits at a barrier, 2 ended
} Wave;

typedef struct Launch { // mirrored by a ctypes.Structure in amdemu/inst.py
    u64 entry, code_lo, code_hi;
    Op **table; // one slot per 4 bytes of code
    u32 grid[3], block[3];
    u32 wave_size, n_user, ttmp_ids, wgid_mask, wginfo, sgpr_scratch_offset;
    u32 user[32];
    u32 lds_bytes, scratch_bytes, unpacked_tid, ftz, no_lds_limit;
    u64 lds_base, private_hi;
    u64 max_insts;
    u32 resident, quantum, vgprs,
        agprs; // blocks run together, instructions a wave runs before the next gets its turn
    Op *(*resolve)(u64 pc);
    u64 insts, waves;         // results
    u64 fault_pc, fault_addr; // where it failed
    u32 fault_wg[3], fault_wave, trace;
    char msg[160];
} Launch;

// Seen from outside of the library; everything else is built with hidden visibility.
#define EMU_API __attribute__((visibility("default")))

// The launch in progress on this thread, where a failing instruction jumps to, the wave, the last
// global address.
extern _Thread_local sigjmp_buf *emu_jmp;
extern _Thread_local Launch *emu_launch;
extern _Thread_local Wave *emu_wave;
extern _Thread_local u64 emu_addr;

// Ends the launch with a message.
_Noreturn void emu_fail(const char *m);

// Host pointer for a lane's access, or 0 when it falls outside of LDS (reads give 0, writes
// vanish). space: 0 global, 1 flat, 2 scratch, 3 LDS.
u8 *emu_locate(Wave *w, int space, u64 a, int lane, int n);

// traffic.c: one access of `size` bytes a lane; kind: 0 load, 1 store, 2 atomic.
void emu_count_traffic(Wave *w, int space, int kind, const u64 *address, i64 offset, int size);

// Element types of matrix instructions and conversions.
enum { T_F32, T_F16, T_BF16, T_FP8, T_BF8, T_I8, T_F64, T_U8, T_I4, T_U4 };

// Handlers: each executes one instruction for the whole wave and moves the program counter on.
void emu_x_mem(Wave *w, Op *o);
void emu_x_perm(Wave *w, Op *o);
void emu_x_dstr(Wave *w, Op *o);
void emu_x_mfma(Wave *w, Op *o);
void emu_x_wmma(Wave *w, Op *o);
void emu_x_cvt8(Wave *w, Op *o);
void emu_x_aperture(Wave *w, Op *o);
void emu_x_time(Wave *w, Op *o);
void emu_x_zero(Wave *w, Op *o);
void emu_x_nop(Wave *w, Op *o);
void emu_x_dppmov(Wave *w, Op *o);
void emu_x_fma(Wave *w, Op *o);
void emu_x_pc(Wave *w, Op *o);
void emu_x_valu(Wave *w, Op *o);
void emu_x_permlane(Wave *w, Op *o);
void emu_x_vopd(Wave *w, Op *o);
void emu_x_laneswap(Wave *w, Op *o);
void emu_x_scale(Wave *w, Op *o);

static inline u64 exec_of(Wave *w)
{
    return w->wsz == 64 ? w->sgpr[EXEC_LO] | (u64)w->sgpr[EXEC_LO + 1] << 32 : w->sgpr[EXEC_LO];
}
static inline u32 *vreg(Wave *w, int r)
{
    return w->vgpr + (size_t)(r & 255) * w->wsz;
}
static inline u32 *areg(Wave *w, int r)
{
    return w->acc + (size_t)(r & 255) * w->wsz;
}
static inline u32 *xreg(Wave *w, int acc, int r)
{
    return acc ? areg(w, r) : vreg(w, r);
}
static inline u32 src32(Wave *w, int code, int lane, u32 lit)
{
    if (code >= 256) return vreg(w, code - 256)[lane];
    if (code == 255) return lit;
    return w->sgpr[code];
}
static inline void advance(Wave *w, Op *o)
{
    u64 pc = (w->sgpr[PC_LO] | (u64)w->sgpr[PC_HI] << 32) + o->size;
    w->sgpr[PC_LO] = (u32)pc, w->sgpr[PC_HI] = pc >> 32;
}
#endif
