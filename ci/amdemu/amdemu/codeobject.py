# SPDX-License-Identifier: Apache-2.0
"""AMDGPU ELF files: offload bundles, metadata, loading, kernel descriptors."""
import ctypes, os, struct, zlib

class EmuError(RuntimeError):
  pass


def _env_flag(name): return os.environ.get(name, "") not in ("", "0")


def msgpack(b, o=0):
  """Decode one MessagePack value: (value, next offset)."""
  c = b[o]; o += 1
  if c < 0x80: return c, o
  if c >= 0xe0: return c - 256, o
  if 0xa0 <= c < 0xc0: return b[o:o + (c & 31)].decode(), o + (c & 31)
  def seq(n, o):
    r = []
    for _ in range(n): v, o = msgpack(b, o); r.append(v)
    return r, o
  def mapping(n, o):
    r, o = seq(2 * n, o)
    return dict(zip(r[::2], r[1::2])), o
  if 0x80 <= c < 0x90: return mapping(c & 15, o)
  if 0x90 <= c < 0xa0: return seq(c & 15, o)
  if c in (0xc0, 0xc2, 0xc3): return {0xc0: None, 0xc2: False, 0xc3: True}[c], o
  fixed = {0xca: ">f", 0xcb: ">d", 0xcc: ">B", 0xcd: ">H", 0xce: ">I", 0xcf: ">Q", 0xd0: ">b", 0xd1: ">h", 0xd2: ">i", 0xd3: ">q"}
  if c in fixed:
    n = struct.calcsize(fixed[c])
    return struct.unpack_from(fixed[c], b, o)[0], o + n
  sized = {0xc4: ">B", 0xc5: ">H", 0xc6: ">I", 0xd9: ">B", 0xda: ">H", 0xdb: ">I", 0xdc: ">H", 0xdd: ">I", 0xde: ">H", 0xdf: ">I"}
  if c in sized:
    n = struct.unpack_from(sized[c], b, o)[0]; o += struct.calcsize(sized[c])
    if c >= 0xde: return mapping(n, o)
    if c >= 0xdc: return seq(n, o)
    raw = b[o:o + n]
    return (raw.decode() if c >= 0xd9 else bytes(raw)), o + n
  raise EmuError(f"MessagePack type {c:#x}")


def unbundle(data, arch):
  """The code object for arch out of a clang offload bundle (or data itself when it is an ELF file)."""
  if data[:4] == b"\x7fELF": return data
  if data[:4] == b"CCOB":
    version, method = struct.unpack_from("<HH", data, 4)
    head = {1: 20, 2: 24, 3: 32}.get(version)
    if head is None: raise EmuError(f"compressed offload bundle, version {version}")
    if method != 0: raise EmuError("zstd-compressed offload bundle: build with -fno-offload-compress or --no-offload-compress")
    return unbundle(zlib.decompressobj().decompress(data[head:]), arch)
  if data[:24] != b"__CLANG_OFFLOAD_BUNDLE__": raise EmuError("neither an ELF file nor an offload bundle")
  o, seen = 32, []
  for _ in range(struct.unpack_from("<Q", data, 24)[0]):
    off, size, n = struct.unpack_from("<QQQ", data, o); o += 24
    ident = data[o:o + n].decode(); o += n
    seen.append(ident)
    target = ident.split("--", 1)[-1] if "--" in ident else ident.rsplit("-", 1)[-1]
    if ident.startswith(("hip", "hipv4")) and size and target.split(":")[0] == arch: return data[off:off + size]
  raise EmuError(f"no code object for {arch}; the bundle has {seen}")


def bundle_length(data_at):
  """Bytes of the offload bundle at an address."""
  head = ctypes.string_at(data_at, 32)
  if head[:4] == b"CCOB":
    version = struct.unpack_from("<H", head, 4)[0]
    return struct.unpack_from("<I", head, 8)[0] if version == 2 else struct.unpack_from("<Q", head, 8)[0] if version == 3 else 1 << 20
  if head[:4] == b"\x7fELF":
    h = ctypes.string_at(data_at, 64)
    return struct.unpack_from("<Q", h, 40)[0] + struct.unpack_from("<H", h, 58)[0] * struct.unpack_from("<H", h, 60)[0]
  n, o, end = struct.unpack_from("<Q", head, 24)[0], 32, 32
  for _ in range(n):
    off, size, ln = struct.unpack("<QQQ", ctypes.string_at(data_at + o, 24)); o += 24 + ln
    end = max(end, off + size, o)
  return end


_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]


def host_alloc(size):
  p = _libc.mmap(None, max(size, 1), 3, 0x22, -1, 0)
  if p in (None, ctypes.c_void_p(-1).value): raise EmuError("mmap failed")
  return p


class Kernel:
  pass


class CodeObject:
  """A loaded AMDGPU ELF: .kernels[name], .symbols[name] = (address, size)."""

  MACH = {0x3f: "gfx90a", 0x40: "gfx940", 0x4b: "gfx941", 0x4c: "gfx942", 0x4f: "gfx950", 0x36: "gfx1030", 0x41: "gfx1100", 0x46: "gfx1101",
          0x47: "gfx1102", 0x44: "gfx1103", 0x43: "gfx1150", 0x4a: "gfx1151", 0x48: "gfx1200", 0x4e: "gfx1201"}

  def __init__(self, data):
    if data[:4] != b"\x7fELF" or struct.unpack_from("<H", data, 18)[0] != 224: raise EmuError("not an AMDGPU ELF file")
    phoff, shoff = struct.unpack_from("<QQ", data, 32)
    flags, = struct.unpack_from("<I", data, 48)
    phent, phnum, shent, shnum, _ = struct.unpack_from("<HHHHH", data, 54)
    self.mach = flags & 0xff
    self.gfx = self.MACH.get(self.mach)
    ph = [struct.unpack_from("<IIQQQQQQ", data, phoff + i * phent) for i in range(phnum)]
    load = [p for p in ph if p[0] == 1]
    span = max(p[3] + p[6] for p in load)
    self.base, self.size = host_alloc(span + 4096), span
    code = []
    for _, pf, off, va, _, fs, ms, _ in load:
      ctypes.memmove(self.base + va, data[off:off + fs], fs)
      if pf & 1: code.append((va, va + ms))
    self.code = (self.base + min(c[0] for c in code), self.base + max(c[1] for c in code)) if code else (0, 0)
    sh = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shent) for i in range(shnum)]
    self.symbols, dynsym = {}, []
    for s in sh:
      if s[1] not in (2, 11): continue  # SYMTAB, DYNSYM
      stro = sh[s[6]][4]
      for i in range(s[5] // 24):
        nm, info, other, idx, val, sz = struct.unpack_from("<IBBHQQ", data, s[4] + i * 24)
        name = data[stro + nm:data.index(b"\0", stro + nm)].decode()
        if s[1] == 11: dynsym.append((name, idx, val))
        if name and idx: self.symbols[name] = (self.base + val, sz)
    for s in sh:
      if s[1] != 4: continue  # RELA
      for i in range(s[5] // 24):
        off, info, add = struct.unpack_from("<QQq", data, s[4] + i * 24)
        typ, sym = info & 0xffffffff, info >> 32
        val = self.base + dynsym[sym][2] if sym else self.base
        if sym and dynsym[sym][1] == 0: raise EmuError(f"undefined symbol {dynsym[sym][0]}")
        if typ == 13: ctypes.c_uint64.from_address(self.base + off).value = self.base + add       # RELATIVE64
        elif typ == 3: ctypes.c_uint64.from_address(self.base + off).value = val + add            # ABS64
        elif typ == 6: ctypes.c_uint32.from_address(self.base + off).value = (val + add) & 0xffffffff  # ABS32
        elif typ: raise EmuError(f"relocation type {typ}")
    self.meta = {}
    for p in ph:
      if p[0] != 4: continue
      o, end = p[2], p[2] + p[5]
      while o + 12 <= end:
        n, d, t = struct.unpack_from("<III", data, o)
        name, body = data[o + 12:o + 12 + n].rstrip(b"\0"), o + 12 + (n + 3) // 4 * 4
        if name == b"AMDGPU" and t == 32: self.meta = msgpack(data[body:body + d])[0]
        o = body + (d + 3) // 4 * 4
    target = self.meta.get("amdhsa.target", "")
    if "gfx" in target: self.gfx = "gfx" + target.split("gfx", 1)[1].split(":")[0]
    self.kernels = {}
    for k in self.meta.get("amdhsa.kernels", []):
      kd = self.symbols[k[".symbol"]][0]
      kr = Kernel()
      kr.name, kr.meta, kr.obj, kr.kd = k[".name"], k, self, kd
      kr.args, kr.kernarg_size = k.get(".args", []), k[".kernarg_segment_size"]
      kr.lds, kr.scratch, _, kr.entry = *struct.unpack("<III", ctypes.string_at(kd, 12)), kd + struct.unpack("<q", ctypes.string_at(kd + 16, 8))[0]
      kr.rsrc3, kr.rsrc1, kr.rsrc2, kr.props, kr.preload = struct.unpack("<IIIHH", ctypes.string_at(kd + 44, 16))
      kr.wave = k.get(".wavefront_size", 32 if kr.props & 0x400 else 64)
      self.kernels[kr.name] = kr
