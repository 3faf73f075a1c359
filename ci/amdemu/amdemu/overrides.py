# SPDX-License-Identifier: Apache-2.0
"""Instructions that libemuexec executes itself: their decoded parameters."""
import ctypes, re, struct

from .codeobject import EmuError
from .inst import *

_MEM_SIZE = {"UBYTE": 1, "SBYTE": 1, "USHORT": 2, "SSHORT": 2, "BYTE": 1, "SHORT": 2, "DWORD": 4, "DWORDX2": 8, "DWORDX3": 12, "DWORDX4": 16,
             "U8": 1, "I8": 1, "U16": 2, "I16": 2, "B8": 1, "B16": 2, "B32": 4, "B64": 8, "B96": 12, "B128": 16}
_ATOMIC = {"SWAP": 0, "CMPSWAP": 1, "ADD": 2, "SUB": 3, "RSUB": 4, "SMIN": 5, "UMIN": 6, "SMAX": 7, "UMAX": 8, "AND": 9, "OR": 10, "XOR": 11,
           "INC": 12, "DEC": 13, "WRXCHG": 0, "STOREXCHG": 0, "CMPST": 1, "CMPSTORE": 1, "MSKOR": 20}


def _atomic(name, typ):
  """(opcode, bytes) of an atomic from its operation and its data type (None: gfx9 naming without a type)."""
  if name == "PK_ADD": return (17 if typ == "F16" else 18), 4
  n = 8 if typ and (typ.endswith("64") or typ == "X2") else 4
  if typ and typ[0] == "F":
    op = name.replace("_NUM", "").replace("_RTN", "")
    return {"ADD": 14, "MIN": 15, "MAX": 16, "CMPST": 19, "CMPSTORE": 19, "CMPSWAP": 19}[op], n
  if name in ("MIN", "MAX"): name = ("S" if typ[0] == "I" else "U") + name
  return _ATOMIC[name], n


class Overrides:
  """Mixed into Target, which has gfx, arch, fnuz and emu."""

  def override(self, inst, name, f, fmt, raw, size):
    """(kind, parameters) for an instruction that libemuexec executes itself, or None."""
    lit = (raw >> (8 * (size - 4))) & 0xffffffff
    lit = lit - (1 << 32) if lit >> 31 else lit
    if fmt == "MUBUF" and self.gfx == "gfx90a" and name.startswith(("BUFFER_LOAD", "BUFFER_STORE")): return self.memory(name, f, fmt)
    if fmt == "DS" or fmt in ("FLAT", "GLOBAL", "SCRATCH", "VFLAT", "VGLOBAL", "VSCRATCH"): return self.memory(name, f, fmt)
    if "MFMA_" in name and "LD_SCALE" not in name and "SMFMAC" not in name: return self.mfma(name, f, fmt)
    if "V_WMMA_" in name: return self.wmma(name, f)
    if m := re.match(r"V_CVT_(SR_|PK_)?(F32|FP8|BF8)_(FP8|BF8|F32)(_E32|_E64)?$", name): return self.cvt8(m, f, fmt, lit)
    if m := re.match(r"V_CVT_SCALEF32_(PK_)?(F32|F16|BF16|FP8|BF8|FP4)_(F32|F16|BF16|FP8|BF8|FP4)$", name): return self.scaled(m, name, f, lit)
    if name in ("S_MOV_B64", "S_MOV_B32") and f("ssrc0") in (235, 236, 237, 238):
      return K_APERTURE, (f("sdst"), f("ssrc0"), int(name == "S_MOV_B64"))
    if m := re.match(r"S_(GETPC|SETPC|SWAPPC|CALL)_B64", name):
      imm = f("simm16")
      return K_PC, (("GETPC", "SETPC", "SWAPPC", "CALL").index(m[1]), f("sdst"), f("ssrc0"), imm - 65536 if imm >> 15 else imm)
    if name in ("S_MEMTIME", "S_MEMREALTIME"): return K_TIME, (f("sdata"),)
    if name == "S_SENDMSG_RTN_B64": return K_TIME, (f("sdst"),)
    if "S_GETREG" in name: return K_ZERO, (f("sdst"), int(f("simm16") & 63 == 29))
    if name.startswith(("S_SETREG", "S_DCACHE", "S_PREFETCH", "S_BUFFER_PREFETCH", "BUFFER_WB", "BUFFER_INV", "S_SET_VALU", "S_ICACHE")): return K_NOP, ()
    if "DPP16" in fmt and name.startswith("V_MOV_B32") and f("dpp") in (0x142, 0x143):
      return K_DPPMOV, (f("vdst"), f("vsrc0"), f("dpp"), f("row_mask"), f("bank_mask"), f("bc"))
    if v := self.valu(name, f, fmt, lit): return v
    if m := re.match(r"V_(FMA|FMAC|FMAMK|FMAAK)_F32(_E32|_E64)?$", name):
      if fmt == "VOP2":
        s1 = 256 + f("vsrc1")
        if m[1] == "FMAMK": return K_FMA, (f("vdst"), f("src0"), 255, s1, lit)
        if m[1] == "FMAAK": return K_FMA, (f("vdst"), f("src0"), s1, 255, lit)
        return K_FMA, (f("vdst"), f("src0"), s1, -1, lit)
      if fmt == "VOP3":
        return K_FMA, (f("vdst"), f("src0"), f("src1"), -1 if m[1] == "FMAC" else f("src2"), lit, f("abs"), f("neg"), f("clmp"), f("omod"))
    return None

  _VALU = {"V_MUL_U32_U24": (0, 2), "V_MUL_I32_I24": (1, 2), "V_MUL_HI_U32_U24": (2, 2), "V_MUL_HI_I32_I24": (3, 2), "V_MAD_U32_U24": (4, 3),
           "V_MAD_I32_I24": (5, 3), "V_RNDNE_F32": (6, 1), "V_DIV_FIXUP_F32": (7, 3), "V_FMA_F64": (12, 3), "V_FMAC_F64": (12, 2),
           "V_DIV_FIXUP_F64": (13, 3), "V_RNDNE_F64": (14, 1), "V_FMA_F16": (15, 3), "V_FREXP_EXP_I32_F32": (17, 1), "V_CVT_PKRTZ_F16_F32": (18, 2), "V_CVT_PK_RTZ_F16_F32": (18, 2)}
  _DUAL = ("FMAC_F32", "FMAAK_F32", "FMAMK_F32", "MUL_F32", "ADD_F32", "SUB_F32", "SUBREV_F32", "MOV_B32", "CNDMASK_B32", "MAX_F32", "MIN_F32",
           "ADD_NC_U32", "LSHLREV_B32", "AND_B32", "MUL_DX9_ZERO_F32")

  def valu(self, name, f, fmt, lit):
    if fmt == "VOPD":
      x, y = (n.removeprefix("V_DUAL_").replace("_NUM", "") for n in name.split("_V_DUAL_"))
      if x not in self._DUAL or y not in self._DUAL: return None
      vx, vy = f("vdstx"), f("vdsty") << 1
      return K_VOPD, (self._DUAL.index(x), f("srcx0"), f("vsrcx1"), vx, self._DUAL.index(y), f("srcy0"), f("vsrcy1"), vy | (~vx & 1), lit)
    base = name.removesuffix("_E32").removesuffix("_E64")
    if base in ("V_PERMLANE16_B32", "V_PERMLANEX16_B32") and fmt == "VOP3":
      return K_PERMLANE, (int("X16" in base), f("vdst"), f("src0"), f("src1"), f("src2"), lit, f("opsel") & 1, f("opsel") >> 1 & 1)
    if m := re.match(r"V_(?:FMA|MAD)_MIX(LO_F16|HI_F16|_F32)$", base):
      return K_VALU, ({"_F32": 8, "LO_F16": 9, "HI_F16": 10}[m[1]], f("vdst"), f("src0"), f("src1"), f("src2"), lit, f("neg_hi"), f("neg"), f("clmp"), 0,
                      f("opsel"), f("opsel_hi") | f("opsel_hi2") << 2)
    if m := re.match(r"V_PERMLANE(16|32)_SWAP_B32$", base): return K_LANESWAP, (int(m[1]), f("vdst"), f("src0") - 256)
    if base in ("V_PK_FMA_F32", "V_PK_FMA_F16") or base == "V_DOT2_F32_BF16" and fmt == "VOP3P":
      return K_VALU, (19 if "DOT2" in base else 11 if base[-2:] == "32" else 16, f("vdst"), f("src0"), f("src1"), f("src2"), lit, f("neg_hi"), f("neg"), f("clmp"), 0, f("opsel"),
                      f("opsel_hi") | f("opsel_hi2") << 2)
    if base not in self._VALU: return None
    what, n = self._VALU[base]
    wide = 12 <= what <= 14
    if fmt == "VOP1": return K_VALU, (what, f("vdst"), f("src0"), 128 if wide else -1, 128 if wide else -1, lit)
    if fmt == "VOP2": return K_VALU, (what, f("vdst"), f("src0"), 256 + f("vsrc1"), -1, lit)
    if fmt != "VOP3": return None
    s2 = -1 if base == "V_FMAC_F64" or n < 3 else f("src2")
    return K_VALU, (what, f("vdst"), f("src0"), f("src1") if n > 1 else 128, s2 if n > 1 else 128, lit, f("abs"), f("neg"), f("clmp"), f("omod"), f("opsel"))

  def gfx90a(self, pc):
    """Instructions of gfx90a whose encoding later CDNA parts dropped or reused."""
    w0, w1 = struct.unpack("<II", ctypes.string_at(pc, 8))
    src = (w1 & 511, w1 >> 9 & 511, w1 >> 18 & 511)
    if w0 >> 23 == 0x1a7:
      shape = {0x63: (32, 4, 2, T_BF16), 0x64: (16, 4, 4, T_BF16), 0x65: (4, 4, 16, T_BF16), 0x66: (32, 8, 1, T_BF16), 0x67: (16, 16, 1, T_BF16),
               0x68: (32, 2, 2, T_BF16), 0x69: (16, 2, 4, T_BF16), 0x6b: (4, 2, 16, T_BF16), 0x6c: (32, 4, 1, T_BF16), 0x6d: (16, 8, 1, T_BF16),
               0x54: (32, 8, 1, T_I8), 0x55: (16, 16, 1, T_I8)}.get(w0 >> 16 & 0x7f)
      if shape is None: return None
      if w0 >> 8 & 0x7f or w1 >> 29: raise EmuError("MFMA with cbsz, abid or blgp is not handled")
      m, k, blocks, t = shape
      return K_MFMA, (m, m, k, blocks, t, t, int(t == T_I8), w0 & 255, *src, w1 >> 27 & 3, w0 >> 15 & 1)
    if w0 >> 26 == 0x38 and w0 >> 18 & 0x7f in (0x28, 0x29, 0x3e, 0x3f): return K_NOP, ()  # cache control
    if w0 >> 26 == 0x34 and w0 >> 16 & 0x3ff == 0x1c1:  # v_mad_f32
      return K_FMA, (w0 & 255, *src, 0, w0 >> 8 & 7, w1 >> 29, w0 >> 15 & 1, w1 >> 27 & 3, 1)
    return None

  def memory(self, name, f, fmt):
    p = [0] * 20
    p[10] = -1
    lds = fmt == "DS"
    p[0] = 3 if lds else 2 if "SCRATCH" in fmt else 1 if "FLAT" in fmt else 0
    if lds:
      off = f("offset1") << 8 | f("offset0")
      p[4], p[5], p[6], p[7], p[8], p[9], p[13] = f("addr"), f("data0"), f("data1"), f("vdst"), -1, off, f("acc")
      if "PERMUTE" in name or "SWIZZLE" in name:
        kind = 2 if "SWIZZLE" in name else 1 if "BPERMUTE" in name else 0
        if "_FI" in name: return None
        return K_PERM, (kind, p[4], p[5], p[7], off)
      if m := re.match(r"DS_READ_B64_TR_B(8|16)$", name): return K_DSTR, (int(m[1]), p[4], p[7], off, p[13])
      body = name[3:]
      if name == "DS_NOP": return K_NOP, ()
      if f("gds") or any(s in body for s in ("ADDTID", "GWS", "CONSUME", "APPEND", "BVH", "CONDXCHG", "WRAP", "_TR_", "COND_SUB", "SUB_CLAMP")):
        raise EmuError(f"{name} is not handled")
      st64 = 64 if "ST64" in body or "STRIDE64" in body else 1
      two = re.match(r"(READ2|WRITE2|WRXCHG2|LOAD_2ADDR|STORE_2ADDR|STOREXCHG_2ADDR)", body)
      nbytes = 8 if body.endswith("64") else 4
      if two: p[9], p[10] = f("offset0") * nbytes * st64, f("offset1") * nbytes * st64
      if body.startswith(("READ", "LOAD", "WRITE", "STORE")) and "XCHG" not in body:
        p[1] = 0 if body.startswith(("READ", "LOAD")) else 1
        typ = re.search(r"_([UIB]\d+)", body)[1]
        p[2], p[3] = _MEM_SIZE[typ], 1 if typ[0] == "I" else 0
        if "D16" in body: p[3] |= 4 if "D16_HI" in body else 2 if p[1] == 0 else 0
        return K_MEM, p
      p[1] = 2
      p[12] = int("_RTN" in body)
      op = body.replace("_RTN", "")
      if m := re.match(r"(WRXCHG2|WRXCHG2ST64|STOREXCHG_2ADDR|STOREXCHG_2ADDR_STRIDE64)_B(32|64)$", op):
        p[11], p[2], p[3] = 0, int(m[2]) // 8, 32
        return K_MEM, p
      m = re.match(r"(.*)_([A-Z]+\d+)$", op)
      p[11], p[2] = _atomic(m[1], m[2])
      if m[1] == "CMPST" : p[3] = 8   # gfx9: data0 compares, data1 is stored
      return K_MEM, p
    if fmt == "MUBUF":
      if f("idxen") or f("lds"): raise EmuError(f"{name} is not handled")
      p[0], p[4], p[5], p[7], p[8], p[9], p[13] = 2, f("vaddr"), f("vdata"), f("vdata"), -1, f("offset"), f("acc")
      p[14], p[16], p[17] = f("offen"), f("soffset") + 1, f("srsrc") * 4
      parts = name.split("_")[1:]
      p[1] = {"LOAD": 0, "STORE": 1}[parts[0]]
      p[2], p[3] = _MEM_SIZE[parts[1]], 1 if p[1] == 0 and parts[1] in ("SBYTE", "SSHORT") else 0
      if "D16" in parts: p[3] |= 4 if "HI" in parts else 2 if p[1] == 0 else 0
      return K_MEM, p
    v = fmt.startswith("V")
    p[4], p[5], p[7] = f("vaddr" if v else "addr"), f("vsrc" if v else "data"), f("vdst")
    p[13] = f("acc")
    saddr = f("saddr")
    none = 0x7f if self.arch == "cdna" else 124
    p[8] = -1 if saddr in (none, 0x7f) or fmt in ("FLAT",) and self.arch == "cdna" else saddr
    width = 24 if v else 12 if fmt == "FLAT" and self.arch == "cdna" else 13
    o = f("ioffset" if v else "offset")
    p[9] = o - (1 << width) if o >> (width - 1) and not (fmt == "FLAT" and self.arch == "cdna") else o
    if p[0] == 2: p[14] = f("sve") if self.gfx != "gfx90a" else int(p[8] < 0)
    ret = (f("th") & 1) if v else f("sc0") if self.arch == "cdna" else f("glc")
    body = name.split("_", 1)[1]
    if body in ("INV", "WB", "WBINV"): return K_NOP, ()
    if "ADDTID" in body or "BLOCK" in body or "_TR_" in body or "ORDERED" in body or "CLAMP" in body or "COND_SUB" in body or "CSUB" in body:
      raise EmuError(f"{name} is not handled")
    if body.startswith(("LOAD", "STORE")):
      p[1] = 0 if body.startswith("LOAD") else 1
      parts = [x for x in body.split("_")[1:]]
      if "LDS" in parts: p[3] |= 16; p[15] = 124
      typ = next(x for x in parts if x in _MEM_SIZE)
      p[2] = _MEM_SIZE[typ]
      if p[1] == 0 and typ in ("SBYTE", "SSHORT", "I8", "I16"): p[3] |= 1
      if "D16" in parts: p[3] |= 4 if "HI" in parts else 2 if p[1] == 0 else 0
      return K_MEM, p
    op = body.removeprefix("ATOMIC_")
    p[1], p[12] = 2, ret
    if self.arch == "cdna":
      m = re.match(r"(.*?)_(X2|F32|F64|F16|BF16)$", op)
      p[11], p[2] = _atomic(m[1], m[2]) if m else _atomic(op, None)
    else:
      m = re.match(r"(.*)_([A-Z]+\d+)$", op)
      p[11], p[2] = _atomic(m[1], m[2])
    return K_MEM, p

  def mfma(self, name, f, fmt):
    m = re.match(r"V_MFMA_(?:SCALE_)?(F32|I32|F64)_(\d+)X(\d+)X(\d+)_(?:(\d+)B_)?(.*)$", name)
    M, N, K, blocks = int(m[2]), int(m[3]), int(m[4]), int(m[5] or 1)
    typ, scaled = m[6], fmt == "VOP3PX2"
    cbsz, abid, blgp = f("cbsz"), f("abid"), f("blgp")
    acc, acc_cd = f("acc"), f("acc_cd")
    if not hasattr(self.emu.irc, "VOP3P_MFMA"): raise EmuError("no MFMA encoding")
    if typ == "F8F6F4":
      if cbsz > 1 or blgp > 1: raise EmuError(f"{name}: 6- and 4-bit inputs are not handled")
      ta, tb = (T_FP8, T_BF8)[cbsz], (T_FP8, T_BF8)[blgp]
    else:
      if cbsz or blgp: raise EmuError(f"{name}: cbsz/blgp broadcast is not handled")
      one = {"F32": T_F32, "F16": T_F16, "BF16": T_BF16, "I8": T_I8, "FP8": T_FP8, "BF8": T_BF8, "F64": T_F64}
      if "_" in typ: ta, tb = (one[x] for x in typ.split("_"))
      elif typ in one: ta = tb = one[typ]
      else: raise EmuError(f"{name} is not handled")
    p = [M, N, K, blocks, ta, tb, int(m[1] == "I32"), f("vdst"), f("src0"), f("src1"), f("src2"), acc, acc_cd, int(self.fnuz), int(scaled)]
    p += [f("scale_src0"), f("scale_src1"), *((f("opsel") >> i & 1) | (f("opsel_hi") >> i & 1) << 1 for i in range(2))] if scaled else [0] * 4
    p.append(int(m[1] == "F64"))
    return K_MFMA, p

  def wmma(self, name, f):
    m = re.match(r"V_WMMA_(F32|F16|BF16|I32)_16X16X(\d+)_(.*)$", name)
    one = {"F16": T_F16, "BF16": T_BF16, "FP8": T_FP8, "BF8": T_BF8}
    neg, neg_hi = f("neg"), f("neg_hi")
    if m[3].startswith("IU"):
      ta, tb = ((T_I8 if neg >> i & 1 else T_U8) if m[3] == "IU8" else (T_I4 if neg >> i & 1 else T_U4) for i in range(2))
      neg = neg_hi = 0
    elif "_" in m[3]: ta, tb = (one[x] for x in m[3].split("_"))
    else:
      ta = tb = one[m[3]]
      if neg & 3 != neg_hi & 3: raise EmuError(f"{name}: negation of one half of a pair is not handled")
    rt = {"F32": T_F32, "F16": T_F16, "BF16": T_BF16, "I32": T_I8}[m[1]]
    half = (f("opsel") >> 2) & 1
    return K_WMMA, (int(m[2]), ta, tb, rt, f("vdst"), f("src0"), f("src1"), f("src2"), int(self.arch == "rdna4"), half, neg, neg_hi, f("clmp"))

  def scaled(self, m, name, f, lit):
    small, wide = {"FP8": 3, "BF8": 2, "FP4": 1}, {"F32": T_F32, "F16": T_F16, "BF16": T_BF16}
    pair, opsel = int(bool(m[1])), f("opsel")
    if m[2] in wide:
      if not pair and m[2] != "F32": raise EmuError(f"{name} is not handled")
      sel = opsel & 1 if pair and m[3] != "FP4" else opsel & 3
      return K_SCALE, (1, small[m[3]], wide[m[2]], pair, f("vdst"), f("src0"), 128, f("src1"), sel, lit)
    scale = "src2" if m[3] == "F32" else "src1"
    sel = opsel >> 2 & 3 if m[2] == "FP4" else opsel >> 3 & 1
    return K_SCALE, (0, small[m[2]], wide[m[3]], pair, f("vdst"), f("src0"), f("src1"), f(scale), sel, lit, f("abs"), f("neg"))

  def cvt8(self, m, f, fmt, lit):
    frm, to = m[3], m[2]
    t8 = frm if frm != "F32" else to
    man = 3 if t8 == "FP8" else 2
    what = (1 if m[1] else 0) if to == "F32" else 3 if m[1] == "SR_" else 2
    opsel = f("opsel")
    if fmt == "VOP1": src, sel = f("src0"), 0
    elif fmt == "VOP1_SDWA":
      src = f("vsrc0") + (0 if f("s0") else 256)
      s = f("src0_sel")
      sel = s if what == 0 and s < 4 else {4: 0, 5: 1}.get(s) if what == 1 else None
      if what == 0 and s == 6: sel = 0
      if sel is None: raise EmuError(f"SDWA select {s} of an 8-bit float conversion")
      if f("dst_sel", 6) != 6: raise EmuError("SDWA destination select of an 8-bit float conversion")
    elif fmt == "VOP3":
      src = f("src0")
      # f32 <- f8 takes its byte from opsel[0:1] (bit 0 is the high bit on gfx12), f8 <- f32 from opsel[2:3].
      if what == 0: sel = (opsel & 1) << 1 | (opsel >> 1 & 1)
      elif what == 1: sel = opsel & 1
      elif what == 2: sel = opsel >> 3 & 1
      else: sel = opsel >> 2 & 3
    else: return None
    return K_CVT8, (what, man, int(self.fnuz), f("vdst"), src, f("src1"), sel, f("abs"), f("neg"), lit)
