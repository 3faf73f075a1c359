# SPDX-License-Identifier: Apache-2.0
"""Running a kernel: the kernarg segment, the initial registers, the launch."""
import ctypes, os, struct, sys, time

from .codeobject import EmuError, _env_flag
from .inst import *
from .inst import _RESOLVE
from .target import target

LDS_BASE, LDS_ALL, PRIVATE_HI = 0x510000000000, 1 << 28, 0x5200
_lds_ready = False
_tables = {}
ERRORS = {1: "an instruction could not be prepared", 2: "memory fault", 3: "instruction limit reached", 4: "s_trap (assert or abort in the kernel)",
          5: "not executable", 6: "out of memory"}
stats = {"launches": 0, "insts": 0, "seconds": 0.0}


def pack_kernarg(kr, values, grid, block, dyn_lds):
  """The kernarg segment. values: one bytes object per explicit argument."""
  buf = bytearray(kr.kernarg_size + 256)
  total = [g * b for g, b in zip(grid, block)]
  vi = 0
  for a in kr.args:
    kind, o, n = a[".value_kind"], a[".offset"], a[".size"]
    if not kind.startswith("hidden_"):
      if vi >= len(values): raise EmuError(f"{kr.name}: too few arguments")
      v = values[vi]; vi += 1
      if len(v) != n: raise EmuError(f"{kr.name}: argument {vi - 1} has {len(v)} bytes, not {n}")
      buf[o:o + n] = v
      continue
    axis = {"x": 0, "y": 1, "z": 2}.get(kind[-1])
    if kind.startswith("hidden_block_count"): v = grid[axis]
    elif kind.startswith("hidden_group_size"): v = block[axis]
    elif kind == "hidden_grid_dims": v = 3 if grid[2] * block[2] > 1 else 2 if grid[1] * block[1] > 1 else 1
    elif kind == "hidden_dynamic_lds_size": v = dyn_lds
    elif kind == "hidden_shared_base": v = LDS_BASE >> 32
    elif kind == "hidden_private_base": v = PRIVATE_HI
    else: v = 0  # remainders, offsets, host call and heap pointers
    buf[o:o + n] = int(v).to_bytes(n, "little")
  return buf


def _traffic(L, on):
  """Starts or ends counting; (read, fetched into the cache, written back) bytes since it was last called."""
  out = (ctypes.c_uint64 * 3)()
  L.emu_traffic(int(on), out)
  return tuple(out)



def run(kr, values, grid=(1, 1, 1), block=(1, 1, 1), dyn_lds=0, raw_kernarg=None):
  """Execute a kernel. values: explicit arguments as bytes objects, in order (or raw_kernarg: the explicit part, packed)."""
  global _lds_ready
  L = lib()
  t = target(kr.obj.gfx)
  if kr.wave != t.wave: raise EmuError(f"{kr.name}: wave{kr.wave} code for {kr.obj.gfx} is not emulated (only wave{t.wave})")
  if not _lds_ready:
    if not L.emu_lds(LDS_BASE, LDS_ALL): raise EmuError("no room at the LDS address")
    _lds_ready = True
  grid, block = tuple(grid) + (1,) * (3 - len(grid)), tuple(block) + (1,) * (3 - len(block))
  limit = kr.meta.get(".max_flat_workgroup_size", 1024)
  if block[0] * block[1] * block[2] > limit: raise EmuError(f"{kr.name}: {block} threads per block, at most {limit}")
  lds = kr.lds + dyn_lds
  max_lds = 163840 if kr.obj.gfx == "gfx950" else 65536
  if lds > max_lds: raise EmuError(f"{kr.name}: {lds} bytes of LDS, at most {max_lds}")
  if raw_kernarg is not None:
    values = [raw_kernarg[a[".offset"]:a[".offset"] + a[".size"]] for a in kr.args if not a[".value_kind"].startswith("hidden_")]
  arg = pack_kernarg(kr, values, grid, block, dyn_lds)
  kbuf = ctypes.create_string_buffer(bytes(arg), len(arg) + 64)
  kptr = (ctypes.addressof(kbuf) + 63) & ~63
  ctypes.memmove(kptr, bytes(arg), len(arg))
  disp = ctypes.create_string_buffer(128)
  dptr = (ctypes.addressof(disp) + 63) & ~63
  ctypes.memmove(dptr, struct.pack("<HHHHHHIIIIIQQQQ", 0, 3, *block, 0, *(g * b for g, b in zip(grid, block)), kr.scratch, lds, kr.kd, kptr, 0, 0), 64)
  l = Launch()
  code_lo, code_hi = kr.obj.code
  key = kr.obj.base
  if key not in _tables: _tables[key] = (ctypes.c_void_p * ((code_hi - code_lo + 3) // 4))()
  table = _tables[key]
  l.entry, l.code_lo, l.code_hi, l.table = kr.entry, code_lo, code_hi, ctypes.addressof(table)
  l.grid, l.block, l.wave_size = grid, block, kr.wave
  user, pr = [], kr.props
  if pr & 1: user += [0, (PRIVATE_HI & 0xffff), 0xffffffff, 0]  # private segment buffer
  if pr & 2: user += [dptr & 0xffffffff, dptr >> 32]
  if pr & 4: user += [0, 0]                                      # queue
  if pr & 8: user += [kptr & 0xffffffff, kptr >> 32]
  if pr & 16: user += [0, 0]                                     # dispatch id
  if pr & 32: user += [0, 0]                                     # flat scratch
  if pr & 64: user += [kr.scratch]
  count = kr.rsrc2 >> 1 & 31
  if kr.preload: user += [0xdeadbeef] * max(0, count - len(user))  # the code at the entry point loads them itself
  if len(user) > count and not kr.preload: user = user[:count]
  l.n_user = count
  for i, v in enumerate(user[:32]): l.user[i] = v & 0xffffffff
  l.ttmp_ids = int(t.arch == "rdna4")
  l.wgid_mask = 0 if t.arch == "rdna4" else kr.rsrc2 >> 7 & 7
  l.wginfo, l.sgpr_scratch_offset = kr.rsrc2 >> 10 & 1, int(kr.obj.gfx == "gfx90a" and kr.rsrc2 & 1)
  l.lds_bytes, l.lds_base, l.private_hi = lds, LDS_BASE, PRIVATE_HI
  # Dynamic stack use (recursion, indirect calls) is not in the fixed size.
  l.scratch_bytes = (kr.scratch + 15 & ~15) + (16384 if pr & 0x800 or kr.meta.get(".uses_dynamic_stack") else 0)
  l.ftz = int((kr.rsrc1 >> 16 & 3) != 3)
  l.max_insts = int(os.environ.get("AMDEMU_MAX_INSTS", "20000000000"))
  l.resident = max(1, min(int(os.environ.get("AMDEMU_RESIDENT", "8")), LDS_ALL // max(lds + 255 & ~255, 256)))
  l.quantum = int(os.environ.get("AMDEMU_QUANTUM", "20000"))
  l.vgprs, l.agprs = (min(256, (kr.meta.get(n, 256) or 0) + 8) for n in (".vgpr_count", ".agpr_count"))
  problem = []
  def resolve(pc):
    try:
      op = t.op_at(pc)
      if _env_flag("AMDEMU_TRACE"): print(f"[amdemu] {pc - code_lo:#x} {op.name}", file=sys.stderr)
      return ctypes.addressof(op)
    except BaseException as e:
      problem.append(e)
      return None
  cb = _RESOLVE(resolve)
  l.resolve = cb
  counting = _env_flag("AMDEMU_TRAFFIC")
  if counting: _traffic(L, True)
  t0 = time.time()
  rc = L.emu_run(ctypes.byref(l))
  dt = time.time() - t0
  t.save()
  stats["launches"] += 1; stats["insts"] += l.insts; stats["seconds"] += dt
  if _env_flag("AMDEMU_STATS"):
    print(f"[amdemu] {kr.name}: {l.waves} waves, {l.insts} instructions, {dt:.3f} s ({t.compiled} handlers compiled so far, {t.compile_s:.1f} s)", file=sys.stderr)
  if counting:
    read, fetched, written = _traffic(L, False)
    print(f"[amdemu] {kr.name}: {read} bytes read; behind a cache of 4 MiB: {fetched} read, {written} written", file=sys.stderr)
  if rc:
    try: where = repr(t.decode(l.fault_pc))
    except Exception: where = "?"
    what = ERRORS.get(rc, str(rc))
    detail = f" ({problem[-1]})" if problem else f" ({l.msg.decode()})" if l.msg else f" at address {l.fault_addr:#x}" if rc == 2 else ""
    raise EmuError(f"{kr.name}: {what}{detail}; block {tuple(l.fault_wg)}, wave {l.fault_wave}, code offset {l.fault_pc - kr.entry:#x}, instruction {where}")
  return l.insts
