# SPDX-License-Identifier: Apache-2.0
"""Run AMD code objects (HIP kernels compiled to machine code) on the CPU.

tinygrad's AMD emulator supplies the instruction decoder and, for most instructions, host code generated from AMD's
published pseudocode.  This package loads the code object, sets up waves the way the hardware does from the kernel
descriptor, and steps them in libemuexec.so, which also replaces the instructions listed in README.md.

  TINYGRAD_PATH  a tinygrad checkout (its tinygrad/ and test/ folders); needed unless both are importable
  AMDEMU_LIB     the folder of libemuexec.so, when the HIP shim has not named it (the folder that make built into)
"""
from .codeobject import CodeObject, EmuError
from .launch import run, stats
from .shim import install
from .target import target
