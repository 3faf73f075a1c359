# SPDX-License-Identifier: Apache-2.0
"""The code objects of a HIP module and their instructions, for the scripts that read machine code."""
import glob, os, re, shutil, struct, subprocess, sys, tempfile

from .codeobject import CodeObject

BUNDLE = b"__CLANG_OFFLOAD_BUNDLE__"


def objdump():
  """The path of an llvm-objdump that knows AMD code."""
  folders = [os.environ["LLVM"]] if os.environ.get("LLVM") else []
  folders += sorted(glob.glob("/usr/lib/llvm-*/bin"), key=lambda p: -int(re.search(r"llvm-(\d+)", p)[1]))
  folders += ["/opt/rocm/lib/llvm/bin", "/opt/rocm/llvm/bin"]
  for f in folders:
    if os.access(os.path.join(f, "llvm-objdump"), os.X_OK): return os.path.join(f, "llvm-objdump")
  return shutil.which("llvm-objdump") or sys.exit("no llvm-objdump")


def section(data, name):
  """The bytes of a section of an ELF file."""
  shoff, = struct.unpack_from("<Q", data, 40)
  shent, shnum, shstr = struct.unpack_from("<HHH", data, 58)
  heads = [struct.unpack_from("<IIQQQQ", data, shoff + i * shent) for i in range(shnum)]
  names = heads[shstr][4]
  for h in heads:
    if data[names + h[0]:data.index(b"\0", names + h[0])].decode() == name: return data[h[4]:h[4] + h[5]]
  return b""


def code_objects(path):
  """[(target, ELF bytes)] of all offload bundles in a module."""
  with open(path, "rb") as f: fat = section(f.read(), ".hip_fatbin")
  out, at = [], fat.find(BUNDLE)
  while at >= 0:
    o = at + 32
    for _ in range(struct.unpack_from("<Q", fat, at + 24)[0]):
      off, size, n = struct.unpack_from("<QQQ", fat, o)
      ident = fat[o + 24:o + 24 + n].decode()
      o += 24 + n
      if ident.startswith("hip") and size: out.append((ident.split("--")[-1].split(":")[0], fat[at + off:at + off + size]))
    at = fat.find(BUNDLE, at + 1)
  return out


def functions(text):
  """{symbol: [(instruction, operands)]} from llvm-objdump -d."""
  out, cur = {}, None
  for line in text.splitlines():
    if m := re.match(r"[0-9a-f]+ <(.*)>:", line): cur = out.setdefault(m[1], [])
    elif cur is not None and (m := re.match(r"\s+([a-z]\w+)\s*(.*?)\s*(//.*)?$", line)): cur.append((m[1], m[2]))
  return out


def read(path, want=()):
  """(target, CodeObject, {symbol: instructions}) of each code object in a module, or of those for the targets named."""
  tool = objdump()
  for gfx, data in code_objects(path):
    if want and gfx not in want: continue
    with tempfile.NamedTemporaryFile(suffix=".co") as f:
      f.write(data)
      f.flush()
      text = subprocess.run([tool, "-d", "--mcpu=" + gfx, f.name], capture_output=True, text=True, check=True).stdout
    yield gfx, CodeObject(data), functions(text)
