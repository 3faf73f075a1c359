# SPDX-License-Identifier: Apache-2.0
"""The structures shared with libemuexec.so, and the library itself."""
import ctypes, os

class Op(ctypes.Structure):
  _fields_ = [("fn", ctypes.c_void_p), ("g", ctypes.c_uint8 * 6), ("ng", ctypes.c_uint8), ("flags", ctypes.c_uint8), ("size", ctypes.c_uint16),
              ("kind", ctypes.c_uint16), ("p", ctypes.c_int32 * 20), ("count", ctypes.c_uint64)]


_RESOLVE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_uint64)


class Launch(ctypes.Structure):
  _u, _q = ctypes.c_uint32, ctypes.c_uint64
  _fields_ = [("entry", _q), ("code_lo", _q), ("code_hi", _q), ("table", ctypes.c_void_p), ("grid", _u * 3), ("block", _u * 3), ("wave_size", _u),
              ("n_user", _u), ("ttmp_ids", _u), ("wgid_mask", _u), ("wginfo", _u), ("sgpr_scratch_offset", _u), ("user", _u * 32), ("lds_bytes", _u),
              ("scratch_bytes", _u), ("unpacked_tid", _u), ("ftz", _u), ("no_lds_limit", _u), ("lds_base", _q), ("private_hi", _q), ("max_insts", _q),
              ("resident", _u), ("quantum", _u), ("vgprs", _u), ("agprs", _u),
              ("resolve", _RESOLVE), ("insts", _q), ("waves", _q), ("fault_pc", _q), ("fault_addr", _q), ("fault_wg", _u * 3), ("fault_wave", _u),
              ("trace", _u), ("msg", ctypes.c_char * 160)]


F_BARRIER, F_TRAP, F_OVERRIDE, F_EACH_LANE = 1, 2, 4, 8
K_MEM, K_PERM, K_DSTR, K_MFMA, K_WMMA, K_CVT8, K_APERTURE, K_TIME, K_ZERO, K_NOP, K_DPPMOV, K_FMA, K_PC, K_VALU, K_PERMLANE, K_VOPD, K_LANESWAP, K_SCALE = range(18)
T_F32, T_F16, T_BF16, T_FP8, T_BF8, T_I8, T_F64, T_U8, T_I4, T_U4 = range(10)


_lib = None
lib_dir = os.environ.get("AMDEMU_LIB", "")  # the shim, which lies in the same folder, sets it


def lib():
  """libemuexec.so, loaded once."""
  global _lib
  if _lib is None:
    if not lib_dir: raise RuntimeError("set AMDEMU_LIB to the folder of libemuexec.so")
    _lib = ctypes.CDLL(os.path.join(lib_dir, "libemuexec.so"))
    _lib.emu_lds.restype = ctypes.c_void_p
    _lib.emu_lds.argtypes = [ctypes.c_uint64, ctypes.c_uint64]
    _lib.emu_run.argtypes = [ctypes.POINTER(Launch)]
    assert _lib.emu_op_size() == ctypes.sizeof(Op) and _lib.emu_launch_size() == ctypes.sizeof(Launch)
  return _lib
