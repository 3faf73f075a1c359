# SPDX-License-Identifier: Apache-2.0
"""Instruction decoding and host code for one gfx target, by tinygrad's AMD emulator."""
import ctypes, hashlib, os, pickle, re, struct, sys, tempfile, time

from .codeobject import EmuError, _env_flag
from .inst import *
from .overrides import Overrides
from .whole import whole_registers

class Target(Overrides):
  """Instruction decoding and host code for one gfx target."""

  def __init__(self, gfx):
    self.gfx = gfx
    if gfx.startswith(("gfx94", "gfx95")) or gfx == "gfx90a": self.arch, self.wave = "cdna", 64
    elif gfx.startswith("gfx11"): self.arch, self.wave = "rdna3", 32
    elif gfx.startswith("gfx12"): self.arch, self.wave = "rdna4", 32
    else: raise EmuError(f"{gfx} cannot be emulated (only gfx90a, gfx94x, gfx950, gfx11xx, gfx12xx)")
    self.fnuz = gfx.startswith("gfx94")
    path = os.environ.get("TINYGRAD_PATH")
    if path:
      if path not in sys.path: sys.path.insert(0, path)
      for m in [m for m in sys.modules if m == "test" or m.startswith("test.")]:  # Python has a package of that name too
        if not (getattr(sys.modules[m], "__file__", None) or "").startswith(path): del sys.modules[m]
    os.environ.setdefault("DEV", "CPU")
    try: from test.mockgpu.amd import emu
    except ImportError as e: raise EmuError(f"no emulator ({e}): set TINYGRAD_PATH to a tinygrad checkout with its test folder") from e
    if self.arch == "cdna": whole_registers(emu)
    self.emu, self.ops, self.keep, self.loaded = emu, {}, [], {}
    self.compiled, self.compile_s = 0, 0.0
    self.cache, self.new = {"ops": {}, "objs": {}}, False
    self.cache_file = self._cache_name()
    if self.cache_file:
      try:
        with open(self.cache_file, "rb") as fh: self.cache = pickle.load(fh)
      except Exception: pass

  def _cache_name(self):
    """The file of generated host code for this instruction set, this emulator source and this CPU (None: no cache)."""
    d = os.environ.get("AMDEMU_CACHE", os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "amdemu"))
    if d in ("", "0"): return None
    h = hashlib.sha256()
    base = os.path.dirname(self.emu.__file__)
    for n in ("emu.py", "pcode.py"):
      with open(os.path.join(base, n), "rb") as fh: h.update(fh.read())
    with open(os.path.join(os.path.dirname(__file__), "whole.py"), "rb") as fh: h.update(fh.read())
    with open("/proc/cpuinfo", "rb") as fh: h.update(next((l for l in fh if l.startswith(b"flags")), b""))
    try: os.makedirs(d, exist_ok=True)
    except OSError: return None
    return os.path.join(d, f"{self.arch}-{h.hexdigest()[:16]}.pickle")

  def save(self):
    if not self.cache_file or not self.new: return
    self.new = False
    try:
      try:
        with open(self.cache_file, "rb") as fh: old = pickle.load(fh)
        for part in old: self.cache[part] = {**old[part], **self.cache[part]}
      except Exception: pass
      fd, tmp = tempfile.mkstemp(dir=os.path.dirname(self.cache_file))
      with os.fdopen(fd, "wb") as fh: pickle.dump(self.cache, fh)
      os.replace(tmp, self.cache_file)
    except Exception as e: print(f"[amdemu] cache not written: {e}", file=sys.stderr)

  def decode(self, pc):
    from tinygrad.renderer.amd import decode_inst
    b = ctypes.string_at(pc, 16)
    # The decoder takes any 8 bytes before an unscaled f8f6f4 MFMA for the first half of a scaled one; only that one is longer than 8.
    if self.arch == "cdna" and b[2:4] != b"\xac\xd3": b = b[:8] + bytes(8)
    return decode_inst(b, self.arch)

  def op_at(self, pc):
    word = ctypes.c_uint32.from_address(pc).value
    if self.arch == "rdna3" and word >> 26 == 0x38 and word >> 18 & 0xff in (43, 44):  # buffer_gl0_inv, buffer_gl1_inv: not in the decoder
      op = Op()
      op.size, op.flags, op.kind, op.name = 8, F_OVERRIDE, K_NOP, "BUFFER_GL_INV"
      self.keep.append(op)
      return op
    if self.gfx == "gfx90a" and (ov := self.gfx90a(pc)):
      op = Op()
      op.size, op.flags, op.kind, op.name = 8, F_OVERRIDE, ov[0], "(gfx90a)"
      for i, v in enumerate(ov[1]): op.p[i] = v
      self.keep.append(op)
      return op
    inst = self.decode(pc)
    size = inst.size()
    key = ctypes.string_at(pc, size)
    if key in self.ops: return self.ops[key]
    name = self.emu._op_name(inst)
    raw, cls = int.from_bytes(key, "little"), type(inst)
    op = Op()
    op.size = size
    def f(n, default=0):
      d = getattr(cls, n, None)
      return (raw >> d.lo) & ((1 << (d.hi - d.lo + 1)) - 1) if hasattr(d, "lo") else default
    if name.endswith(("S_TRAP",)): op.flags = F_TRAP
    # The code generator would take the marker that stands for src0 as the operand.
    if re.match(r"VOP3\w*_DPP", cls.__name__): raise EmuError(f"{name}: VOP3 with DPP")
    ov = None if _env_flag("AMDEMU_NO_OVERRIDES") else self.override(inst, name, f, cls.__name__.removesuffix("_LIT"), raw, size)
    if ov:
      op.flags |= F_OVERRIDE
      op.kind = ov[0]
      for i, v in enumerate(ov[1]): op.p[i] = v
    elif not op.flags & F_TRAP:
      have = self.cache["ops"].get(key)
      if have is None:
        t = time.time()
        prg, rt = self.emu._get_runner(key + bytes(4) if self.arch == "cdna" else ctypes.string_at(pc, size + 4), self.arch)
        self.compile_s += time.time() - t
        self.compiled += 1
        elf, glob = prg.to_elf(), tuple(prg.arg.globals)
        have = (elf.name, hashlib.sha256(elf.lib).hexdigest()[:16])
        self.cache["ops"][key], self.cache["objs"][have] = have, (glob, elf)
        self.loaded.setdefault(have, rt)
        self.new = True
      glob, elf = self.cache["objs"][have]
      if have not in self.loaded: self.loaded[have] = self.emu.Device["CPU"].runtime(elf)
      rt = self.loaded[have]
      fn = rt.addr
      if len(glob) > 6: raise EmuError(f"{name}: {len(glob)} buffers")
      op.fn, op.ng = fn, len(glob)
      for i, g in enumerate(glob): op.g[i] = g
      # The generated code goes lane by lane: one that writes the register whose other lanes it reads would read its own results.
      if re.match(r"VOP[12]_DPP16", cls.__name__) and f("vsrc0") == f("vdst"):
        if "_CO_" in name: raise EmuError(f"{name}: DPP in place, with a carry")
        op.flags |= F_EACH_LANE
        op.p[0] = f("vdst")
    if name in ("S_BARRIER", "S_BARRIER_WAIT"): op.flags |= F_BARRIER
    self.ops[key] = op
    op.name = name
    return op


_targets = {}


def target(gfx):
  if gfx not in _targets: _targets[gfx] = Target(gfx)
  return _targets[gfx]
