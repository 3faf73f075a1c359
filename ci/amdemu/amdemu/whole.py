# SPDX-License-Identifier: Apache-2.0
"""CDNA names 256 whole vector registers in 16-bit operands, where RDNA3 names halves of 128. tinygrad's decoder takes them for
halves on every architecture; this teaches it the difference."""
import inspect, types

from .codeobject import EmuError

FUNCTIONS = ("_load_vsrc0", "_compile_vop12", "_compile_vopc")
# A register's number that begins the upper halves, and one that no operand reaches.
HALVES = (("_c(128)", "_c(512)"), ("_c(384)", "_c(512)"))


def whole_registers(emu):
  """Replaces the functions that decode 16-bit operands. A process emulates one architecture."""
  if getattr(emu, "_whole_registers", False): return
  old = {}
  for name in FUNCTIONS:
    before = getattr(emu, name)
    source = inspect.getsource(before)
    text = source
    for half, beyond in HALVES:
      text = text.replace(">= " + half, ">= " + beyond)
    if text == source: raise EmuError(f"tinygrad's {name} no longer decodes halves of registers as expected")
    made = {}
    exec(compile(text, emu.__file__, "exec"), emu.__dict__, made)
    function = made[name]
    old[before] = types.FunctionType(function.__code__, emu.__dict__, name, function.__defaults__, function.__closure__)
    setattr(emu, name, old[before])
  for kind, handler in list(emu._INST_HANDLERS.items()): emu._INST_HANDLERS[kind] = old.get(handler, handler)
  emu._whole_registers = True
