#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""generator.py ROOT: tests of ci/mutants, on small sources and on the project's own."""
import os, re, subprocess, sys, tempfile

ROOT = os.path.abspath(sys.argv[1])
sys.path.insert(0, os.path.join(ROOT, "ci"))
from mutants import generate, parse, reach, schema

passed = failed = 0


def expect(what, seen, wanted):
  global passed, failed
  if seen == wanted: passed += 1
  else:
    failed += 1
    print(f"FAILED {what}:\n    {seen!r}\n    instead of\n    {wanted!r}")


def mutants(text, kind=None):
  maker = generate.Maker("t.h", text, 0, set())
  return [m["name"].split(":", 3)[3] for m in maker.mutants if kind in (None, m["kind"])]


def body(code): return f"TRINE_DEVICE void f(const params &p, int a, int b)\n{{\n{code}\n}}\n"


# What is found where, and what is not.
expect("a bound", mutants(body("if (a < b) x[a] = 2;"), "bound"), ["a < b -> a <= b"])
expect("a guard", mutants(body("if (live) g(a);"), "guard"), ["if (live) always", "if (live) never"])
expect("operands", mutants(body("const bool l = a < b && live;"), "guard"), ["a < b && live without the first", "a < b && live without the second"])
expect("template brackets are no comparison", mutants(body("auto v = cast<int32_t>(a), w = g<4, h<2>>(b);")), [])
expect("constants are left alone", mutants(body("constexpr int n = 4 < 5 ? 1 : 2; static_assert(n + 1 == 2, \"\"); if constexpr (n == 1) return;")), [])
expect("constant functions too", mutants("constexpr int f(int a) { return a < 1 ? a : 2; }"), [])
expect("a barrier", mutants(body("__syncthreads();")), ["without __syncthreads();"])
expect("a stride", mutants(body("at = a * p.x.stride[0] + b * p.x_row;"), "stride"), ["p.x.stride[0] + 1", "p.x_row + 1"])
expect("a scale index", mutants(body("float s = scale[a * row_stride + b];"), "scale"), ["scale[a * row_stride + b] of the neighbour", "row_stride + 1"])
expect("an assigned stride is no read", mutants(body("p->scale_row = 3;"), "stride"), [])
expect("the larger of two", mutants(body("int m = a > b ? a : b;")), ["a > b ? a : b the other way"])
expect("an exchange", mutants(body("v = other_half<4>(v);"), "lanes"), ["other_half<4>(v) not exchanged"])
expect("a rounding", mutants(body("v = X::round(a);"), "rounding"), ["X::round(a) not rounded"])
expect("an encoding", mutants(body("v = trine_e4m3fn_to_f32(c);"), "encoding"), ["trine_e4m3fn_to_f32(c) -> trine_e4m3fnuz_to_f32(c)"])
expect("its group", [m.get("group") for m in generate.Maker("t.h", body("v = __builtin_amdgcn_ballot_w64(c);"), 0, set()).mutants if m["kind"] == "lanes"], ["assume-32-lanes"])
expect("zeroing in memory", mutants(body("p.q[a] = 0;"), "zeroing"), ["p.q[a] = 0; as 1", "without p.q[a] = 0;"])
expect("a local is not left without a value", mutants(body("int x; x = 0;"), "zeroing"), ["x = 0; as 1"])
expect("an unrolled loop keeps its trip count", mutants(body("#pragma unroll\nfor (int i = 0; i < 4; i++) g(i);"), "bound"),
       ["for (i < 4; i++) without the first", "for (i < 4; i++) without the last"])
expect("a nested unrolled loop", len(mutants(body("#pragma unroll\nfor (int i = 0; i < 4; i++)\n#pragma unroll\nfor (int j = 0; j < 4; j++) g(i);"), "bound")), 4)
maker = generate.Maker("t.h", body("if (a) g(a); else g(b);"), 0, set())
expect("an else stays where it is", re.sub(r"\s+", " ", maker.written()).count("{ if (!trine_on(3)) g(a); } else { if (!trine_on(4)) g(b); }"), 1)
expect("host code has none", mutants("static int f(int a)\n{\n    if (a < 1) return g(a);\n    return 0;\n}\n"), [])
expect("what one lane does for all", mutants(body("if (leader) x[a] = b;"), "guard") + mutants(body("if (lane != 0) return;"), "guard"), ["if (leader) never", "if (lane != 0) always"])
expect("registers that are filled", mutants(body("float w[4];\n#pragma unroll\nfor (int i = 0; i < 4; i++) w[i] = 0;")), ["w[i] = 0; as 1"])
expect("a prefetch changes nothing", mutants(body("if (a < b) fetch_ahead(x);\nfor (int i = 0; i < 4; i++) fetch_ahead(x + i);")), [])
expect("what stands beside one does", mutants(body("if (live) { fetch_ahead(x); begin(); }"), "guard"), ["if (live) always", "if (live) never"])
every = generate.Maker("t.h", body("v = __builtin_amdgcn_ballot_w64(a < b);"), 0, set(), groups_only=True)
expect("a group alone", [m.get("group") for m in every.mutants if m["name"] not in every.skip], ["assume-32-lanes"])
expect("equal ones are numbered", mutants(body("g(a + 1); g(a + 1);"), "offset"), ["a + 1 -> a", "a + 1 -> a #2"])

expect("one of many parts of a condition is one lane", mutants(body("if (live && lane == 0) x[a] = b;"), "guard"), ["if (live && lane == 0) never", "live && lane == 0 without the first"])
expect("one block is another one elsewhere", mutants(body("g(blockIdx.x == 0 && lane == 0);"), "guard"), ["blockIdx.x == 0 -> blockIdx.x != 0"])
expect("a shortcut that is not taken", mutants(body("if (a + 8 <= b) { // shortcut\n g(a); }"), "guard") + mutants(body("if (a + 8 <= b) { // shortcut\n g(a); }"), "bound"), ["if (a + 8 <= b) always"])
expect("the long way all the time", mutants(body("if (a > b) // the long way: why\n g(a);"), "guard") + mutants(body("if (a > b) // the long way\n g(a);"), "bound"), ["if (a > b) never"])
expect("a round of many elements", mutants(body("for (int i = a; i < b; i += 4 * n) g(i);"), "bound"), ["for (i < b; i += 4 * n) without the last"])
expect("a round of a block's threads", mutants(body("for (int i = a; i < b; i += some_threads) g(i);"), "bound"), ["for (i < b; i += some_threads) without the last"])
expect("a round of one", mutants(body("for (int i = a; i < b; i += n) g(i);"), "bound"), ["for (i < b; i += n) without the last", "i < b -> i <= b"])
expect("the first of a grid", mutants(body("if (first_of_grid()) *x = b;"), "guard"), ["if (first_of_grid()) never"])
expect("an fma", mutants(body("float v = trine_fmaf(a, b, c);"), "rounding"), ["trine_fmaf(a, b, c) -> a * b + c"])
expect("an exact product rounds nothing", mutants(body("float v = trine_fmaf(a, 0x1p20f, c) + trine_fmaf(0.5f, a, c);"), "rounding"), [])
expect("any order", mutants(body("m = larger(m, w[i]); w[i] = 0; w[i] = v;"), "index"), ["w[i] of the neighbour"])
expect("a sign", mutants(body("g(a + b * 2);"), "sign"), ["a + b * 2 -> a - b * 2"])
expect("where the largest is sought", mutants(body("uint32_t largest = 0; float f = 0.0f;"), "zeroing"), ["uint32_t largest = 0; begins at 0x7fffffff", "float f = 0.0f; begins at 3"])
expect("no shift by the width", mutants(body("g(a >> 31);"), "mask"), ["a >> 31 -> a >> (31 - 1)"])

# Preprocessor conditions.
text = "#if defined(__HIP__)\nint a;\n#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890\nint b;\n#else\nint c;\n#endif\n"
for target, wanted in (("gfx942", "a"), ("sm_90a", "b"), ("sm_80", "c")):
  source = parse.Source(text)
  seen = [t.text for t, on in zip(source.tokens, parse.conditions(source, dict(generate.environments()[target]))) if on and t.text in ("a", "b", "c")]
  expect(f"what is compiled for {target}", seen, [wanted])

# The project's sources: nearly all is understood, and without mutants they come out as they went in.
lost, made = [], 0
files = [os.path.join(d, f) for d in (os.path.join(ROOT, "backends", v) for v in ("gpu", "cuda", "hip")) for f in sorted(os.listdir(d)) if f.endswith((".cu", ".hip", ".h"))]
for path in files:
  with open(path) as f: text = f.read()
  maker = generate.Maker(path, text, 0, set())
  every = {m["name"] for m in maker.mutants}
  made, lost = made + len(every), lost + [f"{path}: {e}" for e in maker.source.unparsed]
  bare = generate.Maker(path, text, 0, every)
  bare.mutants = []
  expect(f"{os.path.basename(path)} unchanged", bare.written(), text)
for e in lost: print(f"not understood: {e}")
expect("statements of the sources understood", made > 500 and len(lost) * 100 < made, True)
for vendor in ("cuda", "hip"):
  with open(os.path.join(ROOT, "backends", vendor, "launch.c")) as f: expect(f"the hook of {vendor}", schema.hook(f.read()).count("{\n    trine_mutant_choose();"), 3)
  with open(os.path.join(ROOT, "backends", vendor, "module.c")) as f: expect(f"the launchers of {vendor}", schema.fnuz_hook(f.read(), ["scaled_mm"]).count("as_fnuz_##op##_##row"), 2)

# Each row of the tables has a launcher, and each mutant a row: fused_moe's come through functions handed on by name.
paths = reach.sources(ROOT)
reached, _ = reach.rows_of_functions(ROOT, paths)
rows = set().union(*reached.values())
expect("rows that reach a function", sorted(set(reach.declared_rows(ROOT).values()) - rows), [])
expect("rows of one op", {op for op, _ in reached["backends/gpu/fused_moe_matrix.h", "moe_matrix_product"]}, {"fused_moe"})
expect("rows of a shared one", {op for op, _ in reached["backends/gpu/gemm_tile.h", "multiply_tile"]}, {"fused_moe", "scaled_mm"})

# Each mutant compiled beside its original does what its name says, when its number is set.
STAND_IN = """
#define TRINE_DEVICE static
#include <stdlib.h>
static int trine_chosen = -1;
static bool trine_on(int n)
{
    if (trine_chosen < 0) trine_chosen = atoi(getenv("TRINE_MUTANT"));
    return trine_chosen == n;
}
"""
PROGRAM = """#include <stdio.h>
TRINE_DEVICE int sum(const int *x, int n, int stride)
{
    int total = 0;
    for (int i = 0; i < n; i++) {
        if (i % 2 == 0 && x[i * stride] > 3) total += x[i * stride];
    }
    return total < 100 ? total : 100;
}
int main()
{
    const int x[16] = {1, 9, 5, 2, 4, 8, 7, 3, 60, 20, 31, 0, 33, 6, 35, 12};
    printf("%d", sum(x, 8, 1));
}
"""
maker = generate.Maker("t.cc", PROGRAM, 0, set())
sums = {m["name"].split(":", 3)[3]: m["number"] for m in maker.mutants if m["name"].split(":")[1] == "sum"}
wanted = {"int total = 0; begins at 1": 17, "for (i < n; i++) without the last": 16, "i < n -> i <= n": 76, "i % 2 == 0 && x[i * stride] > 3 without the first": 16 + 9 + 8,
          "i % 2 == 0 && x[i * stride] > 3 without the second": 17, "i % 2 == 0 -> i % 2 != 0": 9 + 8, "without total += x[i * stride];": 0,
          "total < 100 ? total : 100 the other way": 100, "i % 2 -> i": 0, "x[i * stride] of the neighbour #2": 9 + 2 + 3 - 9 + 2 + 8 + 3 - 2 - 2}
wanted["x[i * stride] of the neighbour #2"] = 2 + 8 + 3  # of x[2], x[4] and x[6], which are above 3, their neighbours
with tempfile.TemporaryDirectory() as folder:
  path = os.path.join(folder, "t.cc")
  with open(path, "w") as f: f.write(maker.written().replace('#include "backends/gpu/mutant.h"\n', STAND_IN))
  compiler = os.environ.get("CXX", "c++")
  built = subprocess.run([compiler, "-w", "-o", path + ".out", path], capture_output=True, text=True)
  expect("the mutated program compiles", (built.returncode, built.stderr), (0, ""))
  if built.returncode == 0:
    value = lambda n: int(subprocess.run([path + ".out"], capture_output=True, text=True, env={"TRINE_MUTANT": str(n)}).stdout)
    expect("without a mutant", value(0), 16)
    for name, result in wanted.items(): expect(name, value(sums[name]) if name in sums else sorted(sums), result)
    differ = sum(value(n) != 16 for n in sums.values())
    expect("most mutants show", differ * 10 >= 7 * len(sums), True)

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
