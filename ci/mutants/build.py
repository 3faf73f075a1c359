# SPDX-License-Identifier: Apache-2.0
"""A copy of the project with all mutants in it: built, and packed for a machine without compilers."""
import glob, json, os, re, shutil, subprocess, sys, time
from . import generate, reach, schema

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ("tools/trine", "tools/serve-mutants", "tests/gpu/suite/trine-gpu-suite")  # and the module
# Sources that instantiate the templates of another one with other arguments: of the common code only branches of `if constexpr`
# are mutated in them, which saves most of the time.
TWINS = ("group_quant_gelu_erf", "group_quant_gelu_tanh", "group_quant_silu", "rotary_embedding_f16", "act_and_mul_gelu_erf", "act_and_mul_gelu_tanh",
         "act_and_mul_relu2", "act_and_mul_swiglu_oai", "scaled_mm_e4m3fnuz", "scaled_mm_e5m2", "fused_moe_matrix_fp8", "fused_moe_matrix_f16")


def write(path, data, mode_of=None):
  """An unchanged file keeps its time stamp, so that nothing is compiled again for it."""
  data = data.encode() if isinstance(data, str) else data
  if os.path.exists(path):
    with open(path, "rb") as f:
      if f.read() == data: return
  os.makedirs(os.path.dirname(path), exist_ok=True)
  with open(path, "wb") as f: f.write(data)
  if mode_of: shutil.copymode(mode_of, path)


def read(root, *names):
  with open(os.path.join(root, *names)) as f: return f.read()


def copy_tree(root, to, leave_out):
  """The product's sources, as they are in the working tree."""
  top = ("backends", "bench", "check", "include", "numerics", "ops", "packaging", "reference", "tools", "tests", "ci/mutants", "meson.build", "meson_options.txt")
  names = subprocess.run(["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard", *top], capture_output=True, text=True)
  files = names.stdout.split("\0")[:-1] if names.returncode == 0 else [
    os.path.relpath(os.path.join(d, f), root) for t in top for d, _, fs in (os.walk(os.path.join(root, t)) if os.path.isdir(os.path.join(root, t)) else [(root, [], [t])]) for f in fs]
  for name in files:
    source = os.path.join(root, name)
    if name in leave_out or not os.path.isfile(source): continue
    with open(source, "rb") as f: write(os.path.join(to, name), f.read(), source)


def compile_errors(text):
  """[(file, line)] of clang's and nvcc's errors."""
  out = [(m[1], int(m[2])) for m in re.finditer(r"^(\S+?):(\d+):\d+: (?:fatal )?error:", text, re.M)]
  return out + [(m[1], int(m[2])) for m in re.finditer(r"^(\S+?)\((\d+)\): error", text, re.M)]


def module(home, root, vendor, targets, chosen, jobs, groups_only):
  """Writes home/source, builds home/build, returns the list of mutants. What a compiler refuses is left out. Sources that
  none of the chosen ops (none: all) uses are compiled without mutants."""
  source, build = os.path.join(home, "source"), os.path.join(home, "build")
  os.makedirs(home, exist_ok=True)
  paths = reach.sources(root)
  skip, texts, begin = set(), {}, time.time()
  refusals = os.path.join(home, "refused.json")
  if os.path.exists(refusals):
    with open(refusals) as f: skip = set(json.load(f))
  reached, units = reach.rows_of_functions(root, paths)
  # One build serves all groups and ops.
  mutated = {u for rows in units.values() for (op, _), names in rows.items() for u in names if groups_only or not chosen or op in chosen}
  unmutated = {os.path.splitext(os.path.basename(p))[0] for p in paths if not p.endswith(".h")} - mutated
  for attempt in range(12):
    texts, mutants, unparsed = generate.generate(root, paths, targets, skip, groups_only)
    if attempt == 0:
      folder = os.path.join("backends", vendor)
      copy_tree(root, source, {*texts, "tools/meson.build", *(os.path.join(folder, name) for name in ("launch.c", "module.c", "meson.build"))})
      ops = [n[:-2] for n in sorted(os.listdir(os.path.join(root, "ops", "rows"))) if n.endswith(".h")]
      write(os.path.join(source, folder, "launch.c"), schema.hook(read(root, folder, "launch.c")))
      write(os.path.join(source, folder, "module.c"), schema.fnuz_hook(read(root, folder, "module.c"), ops))
      meson = read(root, folder, "meson.build")
      flag, n = re.subn(r"(command: \[(?:nvcc|hip_cxx), (?:cuda|hip)_flags,)(?=[^\n]*-c')",
                        r"""\1 mutant_modes.get(@FS@.stem(s), '-DTRINE_MUTANT_MAIN'), '-DTRINE_MUTANT_UNIT="' + @FS@.stem(s) + '"',""", meson)
      if n != 1: sys.exit(f"ci/mutate: the command for device sources was not found in backends/{vendor}/meson.build")
      # Bodies are larger here; a loop that stays a loop would index registers, which the emulator doesn't do.
      if vendor == "hip": flag = flag.replace("hip_flags += [\n", "hip_flags += ['-mllvm', '-pragma-unroll-threshold=4000000', '-mllvm', '-disable-promote-alloca-to-vector', '-mllvm', '-disable-promote-alloca-to-lds']\n  hip_flags += [\n", 1).replace("'-O3'", "'-O1'")
      # With all mutants in it, a body that is unrolled takes the optimizer from minutes to hours; one that is not, seconds.
      else:
        flag = flag.replace("'-O3',", "'-O3', '-Xcicc=-O1', '-Xptxas=-O1',").replace("'-Xptxas=-warn-spills',", "")
        flag = re.sub(r"cuda_flags \+= '-gencode=arch=compute_@0@,code=compute_@0@'[^\n]*", "", flag)  # one machine, no PTX
      modes = {**{u: "TWIN" for u in TWINS}, **{u: "NONE" for u in unmutated}}
      flag = "mutant_modes = {" + ", ".join(f"'{u}': '-DTRINE_MUTANT_{mode}'" for u, mode in sorted(modes.items())) + "}\n" + flag.replace("@FS@", "hip_fs" if vendor == "hip" else "fs")
      write(os.path.join(source, folder, "meson.build"), flag)
      write(os.path.join(source, "backends", "gpu", "mutant.h"), schema.HEADER)
      write(os.path.join(source, "tools", "meson.build"), read(root, "tools", "meson.build") + "executable('serve-mutants', '../ci/mutants/serve.c', dependencies: check_dep)\n")
    for path, text in texts.items(): write(os.path.join(source, path), re.sub(r"#pragma unroll$", "#pragma unroll 1", text, flags=re.M) if vendor == "cuda" else text)
    if not os.path.exists(os.path.join(build, "build.ninja")):
      other = "hip" if vendor == "cuda" else "cuda"
      option = f"-Dnvcc_targets={','.join(t[3:] for t in targets)}" if vendor == "cuda" else f"-Dhip_targets={','.join(targets)}"
      r = subprocess.run(["meson", "setup", build, source, f"-D{vendor}=enabled", f"-D{other}=disabled", "-Dtests=disabled", "-Dbench=disabled", "-Dtools=enabled", "-Dwerror=false", option],
                         capture_output=True, text=True)
      if r.returncode: sys.exit(f"ci/mutate: meson setup: {r.stdout[-2000:]}{r.stderr[-500:]}")
    r = subprocess.run(["ninja", "-C", build, "-j", str(jobs), "-k", "0", *PROGRAMS, f"backends/{vendor}/trine_{vendor}.so"], capture_output=True, text=True, errors="replace")
    if r.returncode == 0: break
    bad = {}
    for file, line in compile_errors(r.stdout):
      name = os.path.relpath(os.path.normpath(os.path.join(build, file)), source)
      if name not in texts: continue
      lines = texts[name].splitlines()
      for at in range(line - 1, max(line - 12, -1), -1):
        numbers = {int(n) for n in re.findall(r"trine_on(?:_here)?\((\d+)", lines[at])}
        if numbers:
          for n in numbers: bad[n] = (name, line)
          break
    refused = [m for m in mutants if m["number"] in bad]
    if not refused:
      sys.exit(f"ci/mutate: the mutated copy does not compile:\n{r.stdout[-6000:]}")
    for m in refused: print(f"does not compile, left out: {m['name']}", flush=True)
    skip |= {m["name"] for m in refused}
    write(refusals, json.dumps(sorted(skip), indent=0))
  else: sys.exit("ci/mutate: still not compiling")
  for m in mutants:
    function = m["name"].split(":")[1]
    # What only a macro calls is reached by what its file is.
    m["rows"] = sorted(reached.get((m["file"], function)) or set().union(*(rows for (file, _), rows in reached.items() if file == m["file"])))
    m["units"] = sorted({u for row in map(tuple, m["rows"]) for u in units[m["file"]].get(row, ()) if m["here"] or u not in TWINS})
  result = {"vendor": vendor, "targets": targets, "unparsed": unparsed, "refused": sorted(skip), "mutants": mutants,
            "rows": sorted(set(reach.declared_rows(root).values()))}
  with open(os.path.join(home, "mutants.json"), "w") as f: json.dump(result, f, indent=0)
  print(f"{len(mutants)} mutants in {len(paths)} files, {len(skip)} that do not compile, {len(unparsed)} statements not understood ({time.time() - begin:.0f} s)")
  return result


def pack(home, folder, vendor):
  """What a run needs, without the sources."""
  build = os.path.join(home, "build")
  shutil.rmtree(folder, ignore_errors=True)
  def copy(source, name, strip=False):
    target = os.path.join(folder, name)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy(source, target)
    if strip: subprocess.run(["strip", "--strip-unneeded", target], check=False)
  files = [*PROGRAMS, f"backends/{vendor}/trine_{vendor}.so"] + [os.path.relpath(p, build) for p in glob.glob(os.path.join(build, "libtrine.so.[0-9]"))]
  libraries = {}
  for file in files:
    copy(os.path.join(build, file), os.path.join("build", file), True)
    for line in subprocess.run(["ldd", os.path.join(build, file)], capture_output=True, text=True).stdout.splitlines():
      m = re.match(r"\s*(\S+) => (/\S+)", line)
      if m and not re.match(r"(linux-vdso|ld-linux|libc|libm|libdl|libpthread|librt|libresolv|libutil|libtrine|libamdhip64)\b", m[1]): libraries[m[1]] = os.path.realpath(m[2])
  for name, path in libraries.items(): copy(path, os.path.join("build", "lib", name))
  copy(os.path.join(home, "mutants.json"), "mutants.json")
  copy(os.path.join(os.path.dirname(HERE), "mutate"), "ci/mutate")
  for name in sorted(os.listdir(HERE)):
    if os.path.isfile(os.path.join(HERE, name)) and not name.endswith(".c"): copy(os.path.join(HERE, name), os.path.join("ci/mutants", name))
  size = sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(folder) for f in fs)
  print(f"{folder}: {size / 2**20:.1f} MiB")
