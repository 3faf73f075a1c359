#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares numerics/ with ml_dtypes and numpy, two implementations written by others.

usage: oracle.py LIBRARY    (the shared library built from oracle_lib.c)

Where numpy or ml_dtypes is missing it runs in the virtual environment that ci/setup makes (TRINE_VENV). Exits 77 (skipped) when they are
not there either, 1 when something differs or nothing was compared.
"""
import ctypes
import os
import sys

try:
    import ml_dtypes
    import numpy as np
except ImportError as missing:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    venv = os.environ.get("TRINE_VENV") or os.path.join(cache, "trine", "venv")
    python = os.path.join(venv, "bin", "python3")
    if os.path.exists(python) and os.path.realpath(sys.prefix) != os.path.realpath(venv):
        os.execv(python, [python] + sys.argv)
    print(f"skipped: {missing}; ci/setup installs it")
    sys.exit(77)

# name, storage, the other implementation's type, what a NaN becomes, largest finite (None: overflow gives Inf)
FORMATS = [
    ("bf16", np.uint16, ml_dtypes.bfloat16, 0x7FFF, None),
    ("f16", np.uint16, np.float16, 0x7FFF, None),
    ("e4m3fn", np.uint8, ml_dtypes.float8_e4m3fn, 0x7F, 448.0),
    ("e4m3fnuz", np.uint8, ml_dtypes.float8_e4m3fnuz, 0x80, 240.0),
    ("e5m2", np.uint8, ml_dtypes.float8_e5m2, 0x7F, 57344.0),
    ("ue8m0", np.uint8, ml_dtypes.float8_e8m0fnu, 0xFF, None),
]

failures = 0
compared = 0


def convert(library, function, values, out_type):
    values = np.ascontiguousarray(values)
    out = np.empty(values.shape, out_type)
    call = getattr(library, "oracle_" + function)
    call.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    call.restype = None
    call(out.ctypes.data, values.ctypes.data, values.size)
    return out


def check(what, got, want, inputs):
    global failures, compared
    assert got.shape == want.shape and got.size > 0
    wrong = np.nonzero(got != want)[0]
    compared += got.size
    print(f"{what}: {got.size} compared, {wrong.size} differ")
    if wrong.size:
        failures += 1
        i = wrong[0]
        print(f"  first: {inputs[i]!r} gives 0x{int(got[i]):x}, the oracle says 0x{int(want[i]):x}")


def canonical_f32(values):
    bits = values.astype(np.float32).view(np.uint32).copy()
    bits[np.isnan(values)] = 0x7FC00000
    return bits


def interesting_f32(all_values):
    """Every value of the format, every middle of two neighbours, both with the f32 beside them, and random bits."""
    finite = np.unique(all_values[np.isfinite(all_values)].astype(np.float64))
    middles = (finite[1:] + finite[:-1]) / 2
    points = np.concatenate([finite, middles]).astype(np.float32)
    around = [points, np.nextafter(points, np.float32(np.inf)), np.nextafter(points, np.float32(-np.inf))]
    rng = np.random.default_rng(20240229)
    bits = rng.integers(0, 1 << 32, 1 << 20, dtype=np.uint32).view(np.float32)
    scale = np.exp2(rng.uniform(-14, 12, 1 << 20)).astype(np.float32)
    smooth = rng.standard_normal(1 << 20).astype(np.float32) * scale
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan, 65519.996, 65520.0, 3.4e38], np.float32)
    return np.concatenate(around + [bits, smooth, special])


def check_format(library, name, storage, other, nan_code, largest):
    codes = np.arange(1 << (8 * np.dtype(storage).itemsize)).astype(storage)
    theirs = codes.view(other).astype(np.float32)
    ours = convert(library, f"{name}_to_f32", codes, np.float32)
    check(f"{name} -> f32", canonical_f32(ours), canonical_f32(theirs), codes)
    if name == "ue8m0":
        # Rounding up is our rule, not theirs: only exact powers of two can be compared.
        powers = np.exp2(np.arange(-127.0, 128.0)).astype(np.float32)
        check(f"f32 -> {name} (powers of two)", convert(library, f"f32_to_{name}", powers, storage),
              powers.astype(other).view(storage), powers)
        return
    inputs = interesting_f32(theirs)
    # Their 8-bit casts overflow to NaN or Inf; ours saturate: clamped first, both say the same.
    clamped = inputs if largest is None else np.clip(inputs, -largest, largest)
    with np.errstate(over="ignore", invalid="ignore"):
        want = clamped.astype(other).view(storage).copy()
    want[np.isnan(inputs)] = nan_code
    check(f"f32 -> {name}", convert(library, f"f32_to_{name}", inputs, storage), want, inputs)


def check_f64_to_f16(library):
    rng = np.random.default_rng(7)
    base = interesting_f32(np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32))
    with np.errstate(invalid="ignore"):  # signalling NaN
        inputs = base.astype(np.float64)
    inputs = np.concatenate([inputs, np.nextafter(inputs, np.inf), np.nextafter(inputs, -np.inf),
                             rng.standard_normal(1 << 20)])
    with np.errstate(over="ignore", invalid="ignore"):
        want = inputs.astype(np.float16).view(np.uint16).copy()
    want[np.isnan(inputs)] = 0x7FFF
    check("f64 -> f16", convert(library, "f64_to_f16", inputs, np.uint16), want, inputs)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    library = ctypes.CDLL(sys.argv[1])
    for row in FORMATS:
        check_format(library, *row)
    check_f64_to_f16(library)
    print(f"ml_dtypes {ml_dtypes.__version__}, numpy {np.__version__}: {compared} compared, {failures} conversions differ")
    return 1 if failures or compared == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
