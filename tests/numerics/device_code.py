#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles device_code.cu as CUDA and as HIP and reads what came out: no approximate instruction may stand in a function, but the
reciprocal that a correctly rounded division starts from. Prints the instructions of each function.

usage: device_code.py SOURCE_ROOT

Exits 77 (skipped) when neither compiler is there, 1 when something is found or nothing was looked at.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

NVCC = shutil.which("nvcc") or (os.access("/usr/local/cuda/bin/nvcc", os.X_OK) and "/usr/local/cuda/bin/nvcc")
CUOBJDUMP = shutil.which("cuobjdump") or (
    os.access("/usr/local/cuda/bin/cuobjdump", os.X_OK) and "/usr/local/cuda/bin/cuobjdump")
CLANG = shutil.which("clang-22") or shutil.which("amdclang++")
CUDA_TARGETS = ["sm_75", "sm_90"]
HIP_TARGETS = ["gfx942", "gfx1100"]

# Which kernels may hold which approximate instruction.
RECIPROCAL = {"map_sigmoid", "map_tanh", "map_silu", "map_gelu_tanh", "map_swiglu_oai", "map_divide"}
DIVISION = {"map_divide"}

failures = 0
kernels_read = 0


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        print(done.stdout)
        sys.exit(f"failed: {' '.join(command)}")
    return done.stdout


def judge(target, kernel, instructions, approximate, allowed):
    global failures, kernels_read
    kernels_read += 1
    for instruction in instructions:
        if re.search(approximate, instruction) and not allowed(kernel, instruction):
            print(f"{target} {kernel}: {instruction}: FAILED")
            failures += 1


def report(target, counts):
    if len(counts) < 20 or "map_nothing" not in counts:
        sys.exit(f"{target}: only {len(counts)} kernels found in the listing")
    base = counts["map_nothing"]
    print(f"{target}: instructions beyond a copy: " +
          ", ".join(f"{k[4:]} {n - base}" for k, n in sorted(counts.items()) if k != "map_nothing"))


def split_kernels(text, start, instruction, end=None):
    """{kernel: [instructions]} of a listing; `end` is the last instruction counted, what follows is a slow path."""
    kernels, current = {}, None
    for line in text.splitlines():
        found = re.search(start, line)
        if found:
            current = kernels.setdefault(found.group(1), [])
            continue
        found = re.search(instruction, line)
        if found and current is not None:
            current.append(found.group(1))
    return kernels


def main_path(instructions, last):
    for i, text in enumerate(instructions):
        if re.match(last, text):
            return instructions[:i + 1]
    return instructions


def check_cuda(root, source, folder):
    flags = ["-std=c++17", "-fmad=false", f"-I{root}"]
    for target in CUDA_TARGETS:
        ptx = os.path.join(folder, target + ".ptx")
        run(NVCC, *flags, f"-arch={target.replace('sm', 'compute')}", "-ptx", "-o", ptx, source)
        with open(ptx, encoding="utf-8") as file:
            kernels = split_kernels(file.read(), r"\.entry (map_\w+)\(", r"^\s+([a-z][\w.]+\s.*;)")
        if len(kernels) < 20:
            sys.exit(f"{target}: only {len(kernels)} kernels in the PTX")
        for kernel, instructions in kernels.items():
            judge(target, kernel, instructions, r"\.approx|\.full|\.ftz|^fma(?!\.rn)|^mad.*f32",
                  lambda k, i: i.startswith("rcp.approx.ftz.f32") and k in RECIPROCAL)
        print(f"{target}: {len(kernels)} kernels of PTX read")
        if not CUOBJDUMP:
            continue
        cubin = os.path.join(folder, target + ".cubin")
        run(NVCC, *flags, f"-arch={target}", "-cubin", "-o", cubin, source)
        kernels = split_kernels(run(CUOBJDUMP, "-sass", cubin), r"Function : (map_\w+)",
                                r"/\*[0-9a-f]{4,}\*/\s+(?!NOP)((?:@!?U?P\d+ )?[A-Z].*?);")
        for kernel, instructions in kernels.items():
            # A division's slow path makes its NaN by MUFU.RSQ.
            judge(target, kernel, instructions, r"\bMUFU",
                  lambda k, i: ("MUFU.RCP" in i and k in RECIPROCAL) or ("MUFU.RSQ" in i and k in DIVISION))
        report(target, {k: len(main_path(v, r"EXIT")) for k, v in kernels.items()})


def check_hip(root, source, folder):
    for target in HIP_TARGETS:
        listing = os.path.join(folder, target + ".s")
        run(CLANG, "-x", "hip", "--cuda-device-only", "-nogpulib", "-nogpuinc", f"--offload-arch={target}", "-std=c++17", "-O3",
            "-ffp-contract=off", f"-I{root}", "-S", "-o", listing, source)
        with open(listing, encoding="utf-8") as file:
            kernels = split_kernels(file.read(), r"^(map_\w+):", r"^\t((?:v|s|global|flat|buffer)_(?!nop|waitcnt|delay|code_end).*)")
        for kernel, instructions in kernels.items():
            judge(target, kernel, instructions, r"^v_(s_)?(exp|log|rcp|rsq|sqrt|sin|cos|div_fmas_ftz|mad_legacy|mac)_",
                  lambda k, i: i.startswith("v_rcp_f32") and k in RECIPROCAL)
            if kernel in DIVISION and not any(i.startswith("v_div_fixup_f32") for i in instructions):
                judge(target, kernel, ["division without v_div_fixup_f32"], "division", lambda k, i: False)
        report(target, {k: len(main_path(v, r"s_endpgm")) for k, v in kernels.items()})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = sys.argv[1]
    source = os.path.join(root, "tests", "numerics", "device_code.cu")
    if not NVCC and not CLANG:
        print("skipped: neither nvcc nor clang-22")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        if NVCC:
            check_cuda(root, source, folder)
        else:
            print("CUDA skipped: no nvcc")
        if CLANG:
            check_hip(root, source, folder)
        else:
            print("HIP skipped: no clang-22")
    print(f"{kernels_read} kernels read, {failures} approximate instructions")
    return 1 if failures or kernels_read == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
