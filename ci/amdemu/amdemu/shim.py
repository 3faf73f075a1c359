# SPDX-License-Identifier: Apache-2.0
"""The entry points that the HIP shim (libamdhip64.so.5) calls."""
import ctypes, sys

from . import inst
from .codeobject import CodeObject, EmuError, _libc, bundle_length, unbundle
from .launch import run

_handles, _kernels = [], []
HIP_OK, HIP_INVALID, HIP_NO_BINARY, HIP_NOT_FOUND, HIP_ILLEGAL, HIP_FAILURE = 0, 1, 209, 500, 700, 719


_libc.getenv.restype = ctypes.c_char_p


def _say(e):
  if (_libc.getenv(b"FAKEHIP_QUIET") or b"0") == b"0": print(f"[fakehip] {e}", file=sys.stderr, flush=True)


def _load(addr, gfx):
  try:
    data = ctypes.string_at(addr, bundle_length(addr))
    co = CodeObject(unbundle(data, gfx.decode()))
    if co.gfx != gfx.decode(): raise EmuError(f"the code object is for {co.gfx}, the device is {gfx.decode()}")
    _handles.append(co)
    return len(_handles)
  except Exception as e:
    _say(e)
    return 0


def _function(handle, name):
  k = _handles[handle - 1].kernels.get(name.decode())
  if k is None: return 0
  _kernels.append(k)
  return len(_kernels)


def _symbol(handle, name, size):
  s = _handles[handle - 1].symbols.get(name.decode())
  if s is None: return 0
  if size: ctypes.c_uint64.from_address(size).value = s[1]
  return s[0]


def _attr(fid, what):
  """A kernel's figures; from 100 on: bytes of its arguments, one after the other, 0 past the last."""
  k = _kernels[fid - 1]
  if what >= 100:
    sizes = [a[".size"] for a in k.args if not a[".value_kind"].startswith("hidden_")]
    return sizes[what - 100] if what - 100 < len(sizes) else 0
  return {0: k.meta.get(".max_flat_workgroup_size", 1024), 1: k.lds, 2: k.scratch, 3: k.meta.get(".vgpr_count", 0), 4: k.wave}.get(what, 0)


def _launch(fid, gx, gy, gz, bx, by, bz, shared, args, extra, extra_size):
  k = _kernels[fid - 1]
  try:
    if extra:
      raw = ctypes.string_at(extra, extra_size)
      run(k, None, (gx, gy, gz), (bx, by, bz), shared, raw_kernarg=raw.ljust(k.kernarg_size, b"\0"))
    else:
      want = [a for a in k.args if not a[".value_kind"].startswith("hidden_")]
      ptrs = (ctypes.c_void_p * max(1, len(want))).from_address(args) if want else []
      run(k, [ctypes.string_at(ptrs[i], a[".size"]) for i, a in enumerate(want)], (gx, gy, gz), (bx, by, bz), shared)
    return HIP_OK
  except Exception as e:
    _say(e)
    return HIP_ILLEGAL if "memory fault" in str(e) else HIP_FAILURE


_installed = []


def install(table, lib_dir):
  """Write this module's entry points into the shim's table of function pointers; lib_dir holds libemuexec.so."""
  inst.lib_dir = lib_dir
  c, q, u = ctypes.c_int, ctypes.c_uint64, ctypes.c_uint32
  for i, (fn, proto) in enumerate([
      (_load, ctypes.CFUNCTYPE(c, q, ctypes.c_char_p)), (_function, ctypes.CFUNCTYPE(c, c, ctypes.c_char_p)),
      (_symbol, ctypes.CFUNCTYPE(q, c, ctypes.c_char_p, q)), (_attr, ctypes.CFUNCTYPE(c, c, c)),
      (_launch, ctypes.CFUNCTYPE(c, c, u, u, u, u, u, u, u, q, q, q))]):
    cb = proto(fn)
    _installed.append(cb)
    ctypes.c_uint64.from_address(table + 8 * i).value = ctypes.cast(cb, ctypes.c_void_p).value
