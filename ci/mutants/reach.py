# SPDX-License-Identifier: Apache-2.0
"""Which rows reach which function of the GPU sources: a mutant is tried by those rows alone."""
import collections, glob, os, re
from . import parse

# Not mutated: no kernel, or no part of an op.
LEFT_OUT = ("launch.h", "refuse.h", "cuda_api.h", "hip_api.h", "yardsticks.cu", "yardsticks.h")


def sources(root):
  out = []
  for folder in ("gpu", "cuda", "hip"):
    for pattern in ("*.cu", "*.hip", "*.h"): out += glob.glob(os.path.join(root, "backends", folder, pattern))
  out = sorted(os.path.relpath(p, root) for p in out if os.path.basename(p) not in LEFT_OUT)
  return [p for p in out if p != "backends/hip/wave.h"]


def closure(root, path, seen=None):
  """The files of backends/ that a source includes, itself among them."""
  seen = set() if seen is None else seen
  if path in seen or not os.path.exists(os.path.join(root, path)): return seen
  seen.add(path)
  with open(os.path.join(root, path)) as f:
    for name in re.findall(r'^\s*#\s*include\s+"(backends/[^"]+)"', f.read(), re.M): closure(root, name, seen)
  return seen


def declared_rows(root):
  """{launcher: (op, row)} of the tables in ops/rows."""
  out, folder = {}, os.path.join(root, "ops", "rows")
  for file in sorted(os.listdir(folder)):
    with open(os.path.join(folder, file)) as f:
      for op, row in re.findall(r"^ROW\((?:CUDA|HIP), \w+, (\w+), (\w+),", f.read(), re.M): out[f"trine_gpu_{op}_{row}"] = (op, row)
  return out


def rows_of_functions(root, paths):
  """({(file, function): {(op, row)}}, {file: {(op, row): {unit}}}): what each launcher reaches, by the names that are called in
  the files that its source includes."""
  declared = declared_rows(root)
  functions, launchers, kernels = collections.defaultdict(list), {}, set()
  for path in paths:
    with open(os.path.join(root, path)) as f: source = parse.Source(f.read())
    for f in source.functions:
      tokens = source.tokens[f.begin:f.end]
      called = {t.text for t, after in zip(tokens, tokens[1:]) if t.kind == "id" and (after.text == "(" or after.kind == "angle")}
      # Host code also hands functions on by name.
      if not f.device: called |= {t.text for t in tokens if t.kind == "id"}
      functions[f.name].append((path, called - {f.name}, {t.text for t in tokens if t.kind == "id"}))
      if f.kernel: kernels.add(f.name)
      if f.name in declared: launchers[f.name] = declared[f.name]
  out, units = collections.defaultdict(set), collections.defaultdict(lambda: collections.defaultdict(set))
  closures = {p: closure(root, p) for p in paths if p.endswith((".cu", ".hip"))}
  words_of = {}
  for header in set().union(*closures.values()):
    with open(os.path.join(root, header)) as f: words_of[header] = set(re.findall(r"\w+", f.read()))
  for launcher, row in launchers.items():
    pending, seen = [(path, launcher) for path, *_ in functions[launcher]], set()
    while pending:
      unit, name = pending.pop()
      if (unit, name) in seen: continue
      seen.add((unit, name))
      for path, called, words in functions.get(name, ()):
        home = path if path in closures else unit
        if path != unit and path not in closures[unit]:
          # Of another source: only what a header of both declares.
          if path not in closures or not any(name in words_of[h] for h in closures[path] & closures[unit]): continue
        out[path, name].add(row)
        units[path][row].add(os.path.splitext(os.path.basename(home))[0])
        pending += [(home, w) for w in called | words & kernels if w in functions and w not in launchers]
  return out, units
