#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""layout.py [gfx ...]: the emulator's matrix instructions against AMD's register layouts, by execution.

  AMD_MATRIX_CALCULATOR  AMD's amd_matrix_instruction_calculator: its folder, or matrix_calculator.py itself
  TINYGRAD_PATH          as for ../../selftest          CLANG, ROCM_PATH  as there

For every dense matrix instruction that the calculator lists, a HIP kernel loads A, B and C registers as they are, executes
the instruction once and stores the registers of D. A, B and C are matrices of small integers (exact in their format), put
into registers where the calculator says; D, taken from where it says, must be A * B + C. The calculator (1.3.2) stops at
CDNA3: gfx950 is held to its CDNA3 tables for the instructions they share. What is new in gfx950 (source: rule) is held to
the rules of rules() and scaled() below; the README names their sources.
"""
import ctypes, os, random, re, struct, subprocess, sys

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
build = os.path.join(os.environ.get("AMDEMU_LIB") or sys.exit("set AMDEMU_LIB to the folder that make built into"), "layout")
sys.path.insert(0, root)
import amdemu

CALC = os.environ.get("AMD_MATRIX_CALCULATOR") or sys.exit("set AMD_MATRIX_CALCULATOR to AMD's matrix instruction calculator")
if os.path.isdir(CALC): CALC = os.path.join(CALC, "matrix_calculator.py")
ALL = ("gfx90a", "gfx942", "gfx950", "gfx1100", "gfx1201")
STANDIN = """# Stand-in for the package tabulate: tab-separated rows, whatever format is asked for.
def tabulate(rows, *_, **__): return "\\n".join("\\t".join(str(c) for c in r) for r in rows)
"""


def calc(arch, *args):
  env = dict(os.environ)
  try: import tabulate  # noqa: F401
  except ImportError:
    os.makedirs(f"{build}/standin", exist_ok=True)
    with open(f"{build}/standin/tabulate.py", "w") as f: f.write(STANDIN)
    env["PYTHONPATH"] = f"{build}/standin:" + env.get("PYTHONPATH", "")
  r = subprocess.run([sys.executable, CALC, "-a", arch, *args], capture_output=True, text=True, env=env)
  if r.returncode: raise RuntimeError(f"calculator {arch} {args}: {(r.stderr or r.stdout).strip()[-300:]}")
  return r.stdout


def places(cell):
  """A cell of the calculator's table: [(register, lane, low bit, bits), ...]; 64-bit elements start at their low register."""
  out = []
  for t in cell.split():
    if m := re.fullmatch(r"v(\d+)\{(\d+)\}(?:\.\[(\d+):(\d+)\])?", t):
      out.append((int(m[1]), int(m[2]), int(m[4] or 0), int(m[3]) - int(m[4]) + 1 if m[3] else 32))
    elif m := re.fullmatch(r"v\[(\d+):(\d+)\]\{(\d+)\}", t): out.append((int(m[2]), int(m[3]), 0, 64))
    else: raise RuntimeError(f"cannot read the calculator's {t!r}")
  return out


def table(arch, inst, matrix, *more):
  """{(block, row, column): places}"""
  out, block = {}, 0
  for line in calc(arch, "-i", inst, "-R", "--" + matrix + "-matrix", "-c", *more).splitlines():
    if m := re.match(r"Block (\d+)", line): block = int(m[1])
    cells = [c.strip() for c in line.split(",")]
    if not cells[0].isdigit(): continue
    for col, c in enumerate(cells[1:]):
      if c: out[block, int(cells[0]), col] = places(c)
  return out


# ------------------------------------------------------------------ instructions
class Inst:
  def __init__(self, asm, types, tabs, mods="", key="", source="calculator", signed=True, scale=None):
    self.asm, self.mods, self.key, self.source, self.signed, self.scale = asm, mods, key, source, signed, scale
    self.ta, self.tb, self.td = types
    self.A, self.B, self.C, self.D = tabs
    self.n = [1 + max(p[0] + (p[3] > 32) for ps in t.values() for p in ps) for t in tabs]

  @property
  def label(self): return self.asm + (" " + self.key if self.key else "")


def parse(inst):
  m = re.fullmatch(r"v_(mfma|wmma)_(f32|i32|f64|f16|bf16)_(\d+)x(\d+)x(\d+)_?(?:\d+b_)?(.+?)(?:_1k)?", inst)
  if not m: return None
  ty = m[6].split("_")
  if any(t in ("xf32", "f8f6f4") for t in ty): return None
  return (ty[0], ty[-1], m[2]), int(m[3]), int(m[5])


def dense(gfx):
  arch = "gfx942" if gfx == "gfx950" else gfx
  out, skipped = [], []
  for inst in calc(arch, "-L").split():
    if not inst.startswith("v_"): continue
    ty = parse(inst)
    if not ty: skipped.append(inst); continue
    ty = ty[0]
    tabs = [table(arch, inst, x) for x in "ABCD"]
    if ty[0] in ("iu8", "iu4"):
      out.append(Inst(inst, ty, tabs, key="unsigned", signed=False))
      out.append(Inst(inst, ty, tabs, " neg_lo:[1,1,0]", "signed"))
    else: out.append(Inst(inst, ty, tabs))
    if gfx.startswith("gfx11") and ty[2] in ("f16", "bf16"):
      hi = [*tabs[:2], table(arch, inst, "C", "--opsel", "4"), table(arch, inst, "D", "--opsel", "4")]
      out.append(Inst(inst, ty, hi, " op_sel:[0,0,1]", "high halves"))
  return out, skipped


def operand(dim, K, bits, chunk=None, isb=False):
  """Lane group g holds K/groups consecutive values of k, or, with chunk, every groups-th run of that many."""
  groups, t = 64 // dim, {}
  per = chunk or K // groups
  for i in range(dim):
    for k in range(K):
      g, e = k // per % groups, k // (per * groups) * per + k % per
      t[(0, k, i) if isb else (0, i, k)] = [(e * bits // 32, g * dim + i, e * bits % 32, bits)]
  return t


def rules(gfx):
  """Instructions new in gfx950. C and D are as in the calculator's CDNA3 tables, whatever the inputs are."""
  if gfx != "gfx950": return []
  cd = {16: table("gfx942", "v_mfma_f32_16x16x16_f16", "D"), 32: table("gfx942", "v_mfma_f32_32x32x8_f16", "D")}
  out = []
  for dim, K, t, td in ((16, 32, "f16", "f32"), (32, 16, "f16", "f32"), (16, 32, "bf16", "f32"), (32, 16, "bf16", "f32"), (16, 64, "i8", "i32"), (32, 32, "i8", "i32")):
    b = 8 if t == "i8" else 16
    out.append(Inst(f"v_mfma_{td}_{dim}x{dim}x{K}_{t}", (t, t, td), [operand(dim, K, b), operand(dim, K, b, isb=True), cd[dim], cd[dim]], source="rule"))
  for dim, K in ((16, 128), (32, 64)):
    # 8-bit inputs: a lane's 32 values are two runs of 16, K/2 apart.
    tabs = [operand(dim, K, 8, 16), operand(dim, K, 8, 16, True), cd[dim], cd[dim]]
    for fa in (0, 1):
      for fb in (0, 1):
        ty = (("fp8", "bf8")[fa], ("fp8", "bf8")[fb], "f32")
        fm = f" cbsz:{fa} blgp:{fb}"
        out.append(Inst(f"v_mfma_f32_{dim}x{dim}x{K}_f8f6f4", ty, tabs, fm, f"{ty[0]}*{ty[1]}", "rule"))
        for sa, sb in ((fa * 2 + fb, 3 - fa), (fb, fa)):
          mods = f" op_sel:[{sa & 1},{sb & 1},0] op_sel_hi:[{sa >> 1},{sb >> 1},0]{fm}"
          out.append(Inst(f"v_mfma_scale_f32_{dim}x{dim}x{K}_f8f6f4", ty, tabs, mods, f"{ty[0]}*{ty[1]} bytes {sa},{sb}", "rule", scale=(dim, sa, sb)))
  return out


def scaled(inst, rng, regs):
  """Scale of row i and k = 32 b .. 32 b + 31: the selected byte of lane b * dim + i. Returns a function (operand, row, k)."""
  dim, sel = inst.scale[0], inst.scale[1:]
  for r in regs: r[:] = [sum(rng.randint(125, 129) << 8 * b for b in range(4)) for _ in range(64)]
  return lambda s, i, k: 2.0 ** ((regs[s][k // 32 * dim + i] >> 8 * sel[s] & 255) - 127)


# ------------------------------------------------------------------ numbers
def table8(man, fnuz):
  bias, out = (1 << (6 - man)) - 1 + fnuz, {}
  for b in range(256):
    e, m = b >> man & ((1 << (7 - man)) - 1), b & ((1 << man) - 1)
    if (b == 128) or (not fnuz and (e == 15 and m == 7 if man == 3 else e == 31)): continue
    v = (m if e == 0 else m + (1 << man)) * 2.0 ** ((e or 1) - bias - man)
    out[-v if b & 128 else v] = b
  return out


TAB8 = {(t, f): table8(m, f) for t, m in (("fp8", 3), ("bf8", 2)) for f in (0, 1)}


def encode(v, t, fnuz):
  if t == "f64": return struct.unpack("<Q", struct.pack("<d", v))[0]
  if t == "f32": return struct.unpack("<I", struct.pack("<f", v))[0]
  if t == "bf16": return struct.unpack("<I", struct.pack("<f", v))[0] >> 16
  if t == "f16": return struct.unpack("<H", struct.pack("<e", v))[0]
  if t in ("fp8", "bf8"): return TAB8[t, fnuz][float(v)]
  return v & {"i8": 255, "iu8": 255, "iu4": 15, "i32": 0xffffffff}[t]


def decode(b, t):
  if t == "f64": return struct.unpack("<d", struct.pack("<Q", b))[0]
  if t == "f32": return struct.unpack("<f", struct.pack("<I", b))[0]
  if t == "bf16": return struct.unpack("<f", struct.pack("<I", b << 16))[0]
  if t == "f16": return struct.unpack("<e", struct.pack("<H", b))[0]
  return b - (1 << 32) if b >> 31 else b


def values(rng, keys, t, inst):
  """Distinct integers where the format has enough, else random ones; every sum of products stays exact."""
  if inst.td in ("f16", "bf16"): lo, hi = -3, 3
  elif inst.scale: lo, hi = -4, 4
  else:
    lo, hi = {"f64": (-999, 999), "f32": (-300, 300), "f16": (-300, 300), "bf16": (-256, 256), "fp8": (-16, 16), "bf8": (-8, 8), "i8": (-128, 127),
              "iu8": (-128, 127) if inst.signed else (0, 255), "iu4": (-8, 7) if inst.signed else (0, 15)}[t]
  n = len(keys)
  v = rng.sample(range(lo, hi + 1), n) if n <= hi - lo + 1 else [rng.randint(lo, hi) for _ in range(n)]
  return dict(zip(keys, v))


def put(regs, where, bits):
  for r, lane, low, n in where:
    for w in range(2 if n == 64 else 1):
      mask = (1 << min(n, 32)) - 1
      regs[r + w][lane] = regs[r + w][lane] & ~(mask << low) | (bits >> 32 * w & mask) << low


def get(regs, where):
  r, lane, low, n = where
  return regs[r][lane] | regs[r + 1][lane] << 32 if n == 64 else regs[r][lane] >> low & ((1 << n) - 1)


# ------------------------------------------------------------------ kernels
def source(insts, wave, acc):
  vec = lambda n: "int" if n == 1 else f"V{n}"
  s = ["#define K extern \"C\" __attribute__((global)) __attribute__((amdgpu_flat_work_group_size(1, 64))) void"]
  s += [f"typedef int V{n} __attribute__((ext_vector_type({n})));" for n in (2, 4, 8, 16, 32)]
  for i, x in enumerate(insts):
    for c in ("v", "a") if acc else ("v",):
      el = lambda v, n, r: v if n == 1 else f"{v}[{r}]"
      b = [f"K k{i}{c}(const int *A, const int *B, const int *C, int *D, const int *S) {{ int l = __builtin_amdgcn_workitem_id_x();"]
      for v, n in zip("abcd", x.n):
        src = {"a": "A", "b": "B", "c": "C", "d": "C"}[v]
        b.append(f"{vec(n)} {v}; " + " ".join(f"{el(v, n, r)} = " + (f"{src}[{r * wave} + l];" if v != "d" else "0x5a5a5a5a;") for r in range(n)))
      ins = f'"{c}"(a), "{c}"(b), "{c}"(c)'
      ops = "%0, %1, %2, %3"
      if x.scale: ins += ', "v"(S[l]), "v"(S[64 + l])'; ops += ", %4, %5"
      nop = r"s_nop 15\n s_nop 15\n"
      b.append(f'asm volatile("{nop} {x.asm} {ops}{x.mods}\\n {nop}" : "+&{c}"(d) : {ins});')
      b += [f"D[{r * wave} + l] = {el('d', x.n[3], r)};" for r in range(x.n[3])] + ["}"]
      s.append("\n  ".join(b))
  return "\n".join(s) + "\n"


def compile_all(gfx, insts, wave):
  os.makedirs(build, exist_ok=True)
  clang = os.environ.get("CLANG") or next((c for c in ("clang++-22", "clang++-21", "clang++") if subprocess.run(["which", c], capture_output=True).returncode == 0), "clang++")
  src, obj = f"{build}/{gfx}.hip", f"{build}/{gfx}.hsaco"
  with open(src, "w") as f: f.write(source(insts, wave, gfx.startswith("gfx9")))
  r = subprocess.run([clang, "-x", "hip", "--cuda-device-only", "--no-gpu-bundle-output", f"--offload-arch={gfx}", "-nogpuinc", "-nogpulib", "-O1", "-w", src, "-o", obj],
                     capture_output=True, text=True)
  if r.returncode: sys.exit(f"{gfx}: does not build\n" + "\n".join(x for x in r.stderr.splitlines() if "error" in x)[:3000])
  with open(obj, "rb") as f: return amdemu.CodeObject(f.read())


def check(x, kernel, gfx, wave, seed):
  rng, fnuz = random.Random(seed), int(gfx == "gfx942")
  regs = [[[0] * wave for _ in range(n)] for n in x.n]
  A, B = values(rng, list(x.A), x.ta, x), values(rng, list(x.B), x.tb, x)
  C = {k: rng.randint(-20, 20) for k in x.C}
  for r, t, ty, v in ((regs[0], x.A, x.ta, A), (regs[1], x.B, x.tb, B), (regs[2], x.C, x.td, C)):
    for k, where in t.items(): put(r, where, encode(v[k], ty, fnuz))
  sregs = [[0] * 64, [0] * 64]
  scale = scaled(x, rng, sregs) if x.scale else None
  buf = [(ctypes.c_uint32 * (n * wave))(*[w for r in rr for w in r]) for n, rr in zip(x.n, regs)]
  sb = (ctypes.c_uint32 * 128)(*sregs[0], *sregs[1])
  amdemu.run(kernel, [struct.pack("<Q", ctypes.addressof(b)) for b in (*buf, sb)], (1, 1, 1), (wave, 1, 1))
  out = [list(buf[3][r * wave:(r + 1) * wave]) for r in range(x.n[3])]
  K, bad = 1 + max(k for _, _, k in x.A), []
  for (b, i, j), where in x.D.items():
    want = C[b, i, j]
    for k in range(K):
      p = A[b, i, k] * B[b, k, j]
      want += p * scale(0, i, k) * scale(1, j, k) if scale else p
    for w in where:
      have = decode(get(out, w), x.td)
      if have != want: bad.append(f"D[{i}][{j}] block {b} in v{w[0]} lane {w[1]}: {have}, should be {want}")
  return bad


def main():
  fails = 0
  for gfx in sys.argv[1:] or ALL:
    wave = 64 if gfx.startswith("gfx9") else 32
    insts, skipped = dense(gfx)
    insts += rules(gfx)
    co = compile_all(gfx, insts, wave)
    count = {}
    for i, x in enumerate(insts):
      res = []
      for c in ("v", "a") if wave == 64 else ("v",):
        try:
          bad = [m for seed in (1, 2) for m in check(x, co.kernels[f"k{i}{c}"], gfx, wave, seed)]
          res.append((c, "agrees" if not bad else f"DIFFERS in {len(bad)} places: {bad[0]}"))
        except amdemu.EmuError as e: res.append((c, "not emulated: " + str(e).split("\n")[0][-110:]))
      text = res[0][1] if all(r[1] == res[0][1] for r in res) else "; ".join(f"{c} registers: {t}" for c, t in res)
      state = "DIFFERS" if "DIFFERS" in text else "not emulated" if "not emulated" in text else "agrees"
      count[state, x.source] = count.get((state, x.source), 0) + 1
      fails += state == "DIFFERS"
      if state != "agrees" or os.environ.get("VERBOSE"): print(f"  {gfx} {x.label} ({x.source}): {text}")
    print(f"{gfx}: " + ", ".join(f"{n} {s} ({src})" for (s, src), n in sorted(count.items())) + (f"; not tried: {' '.join(skipped)}" if skipped else ""), flush=True)
  print("layout: passed" if not fails else f"layout: {fails} differ")
  return 1 if fails else 0


if __name__ == "__main__": sys.exit(main())
