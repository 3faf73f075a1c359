# SPDX-License-Identifier: Apache-2.0
"""What is compiled beside the mutated sources: how a number that is set at run time reaches each of them, what cuts grids and makes
waves late, and the groups of mutants that have a name.
"""
import re

HEADER = r"""// Made by ci/mutate: which mutant runs, for the device and the host code of one source.
#ifndef TRINE_MUTANT_H
#define TRINE_MUTANT_H

#if defined(TRINE_MUTANT_NONE) || !defined(__cplusplus)
#include <stdbool.h>
#define trine_on(...) false
#define trine_on_here(...) false
#define trine_mutant_chop(x, bits) (x)
#define trine_mutant_late()
#else

#if defined(__HIP__)
#include <hip/hip_runtime.h>
#define TRINE_MUTANT_COPY(to, from) (void)hipMemcpyToSymbol(HIP_SYMBOL(to), from, sizeof *(from), 0, hipMemcpyHostToDevice), (void)hipDeviceSynchronize()
#else
#include <cuda_runtime.h>
#define TRINE_MUTANT_COPY(to, from) (void)cudaMemcpyToSymbol(to, from, sizeof *(from)), (void)cudaDeviceSynchronize()
#endif

extern "C" {
extern int trine_mutant_chosen, trine_mutant_skew;
void trine_mutant_register(const char *unit, void (*set)(void));
}

static __constant__ int trine_mutant_on_device, trine_mutant_skew_on_device;

static __host__ __device__ __forceinline__ bool trine_mutant_is(int number)
{
#if defined(__CUDA_ARCH__) || defined(__HIP_DEVICE_COMPILE__)
    return trine_mutant_on_device == number;
#else
    return trine_mutant_chosen == number;
#endif
}

// A mutant that belongs to a named group as well.
static __host__ __device__ __forceinline__ bool trine_mutant_is(int number, int group)
{
    return trine_mutant_is(number) || trine_mutant_is(group);
}

// A twin instantiates what another source does: only what is its own is mutated.
#define trine_on_here trine_mutant_is
#if defined(TRINE_MUTANT_TWIN)
#define trine_on(...) false
#else
#define trine_on trine_mutant_is
#endif

// Efforts "skewed": where a kernel begins and behind its barriers and its wait every other wave of a block, the odd (1) or the even ones (2),
// is so late that what nothing holds back is done before it.
static __device__ __forceinline__ void trine_mutant_late()
{
#if defined(__CUDA_ARCH__)
    const unsigned skew = trine_mutant_skew_on_device;
    if (skew && (threadIdx.x / 32 + blockIdx.x + skew) % 2 == 0) __nanosleep(20000);
#endif
}

static __host__ __device__ __forceinline__ float trine_mutant_chop(float x, int bits)
{
    union { float f; unsigned u; } v;
    v.f = x;
    v.u = v.u >> bits << bits;
    return v.f;
}

namespace
{
struct trine_mutant_unit {
    static void set()
    {
        TRINE_MUTANT_COPY(trine_mutant_on_device, &trine_mutant_chosen);
        TRINE_MUTANT_COPY(trine_mutant_skew_on_device, &trine_mutant_skew);
    }
    trine_mutant_unit() { trine_mutant_register(TRINE_MUTANT_UNIT, set); }
};
trine_mutant_unit trine_mutant_this_unit;
}

#endif
#endif
"""

# Goes to the end of a module's launch.c; HOOK is called where a kernel is loaded or launched.
HOOK = r"""
#include <stdlib.h>
#include <string.h>

int trine_mutant_chosen, trine_mutant_skew;
static struct { const char *unit; void (*set)(void); } trine_mutant_units[256];
static int trine_mutant_unit_count;
static char trine_mutant_set[256]; /* is a unit's number not 0? */

void trine_mutant_register(const char *unit, void (*set)(void));
void trine_mutant_register(const char *unit, void (*set)(void))
{
    trine_mutant_units[trine_mutant_unit_count].unit = unit;
    trine_mutant_units[trine_mutant_unit_count++].set = set;
}

/* TRINE_MUTANT is the number; TRINE_MUTANT_UNITS names the sources that hold it (",a,b,"). Both may change between calls. */
static void trine_mutant_choose(void)
{
    static char last[16] = "-", last_units[2048]; /* no number, so that the first call chooses */
    const char *number = getenv("TRINE_MUTANT"), *units = getenv("TRINE_MUTANT_UNITS"), *skew = getenv("TRINE_MUTANT_SKEW");
    if (!number) number = "";
    if (!units) units = "";
    if (strcmp(number, last) == 0 && strcmp(units, last_units) == 0) return;
    last[0] = last_units[0] = 0;
    strncat(last, number, sizeof last - 1);
    strncat(last_units, units, sizeof last_units - 1);
    trine_mutant_chosen = 0;
    trine_mutant_skew = skew ? atoi(skew) : 0;
    for (int i = 0; i < trine_mutant_unit_count; i++) {
        if (trine_mutant_set[i]) trine_mutant_units[i].set();
        trine_mutant_set[i] = 0;
    }
    trine_mutant_chosen = atoi(number);
    for (int i = 0; (trine_mutant_chosen || trine_mutant_skew) && i < trine_mutant_unit_count; i++) {
        char name[128] = ",";
        strncat(name, trine_mutant_units[i].unit, 100);
        strcat(name, ",");
        if (*units && !strstr(units, name)) continue;
        trine_mutant_units[i].set();
        trine_mutant_set[i] = 1;
    }
}

int trine_mutant_number(void);
int trine_mutant_number(void)
{
    trine_mutant_choose();
    return trine_mutant_chosen;
}

/* TRINE_MUTANT_GRID and TRINE_MUTANT_GRID_Y cut grids along x and along y and z, so that kernels go round. */
static unsigned trine_mutant_grid(const char *variable, unsigned blocks)
{
    const char *most = getenv(variable);
    return most && blocks > (unsigned)atoi(most) ? (unsigned)atoi(most) : blocks;
}
"""

# What ci/amd proves the emulator with, switched on by name. assume-32-lanes: every place that asks for the width of a wave or
# for a ballot over it. ocp-as-fnuz: launchers see inputs of e4m3fn as e4m3fnuz, which on gfx942 is what its matrix units and
# conversions take.
GROUPS = {"assume-32-lanes": -32, "ocp-as-fnuz": -240}
FNUZ_INPUTS = {"dequantize": ("q",), "scaled_mm": ("a", "b"), "block_scaled_linear": ("w",), "fused_moe": ("w1", "w2")}


def fnuz_hook(text, ops):
  """A module.c whose launchers are wrapped for ocp-as-fnuz."""
  out = ["int trine_mutant_number(void);"]
  for op in ops:
    views = ", ".join(f"&p->{op}.{v}" for v in FNUZ_INPUTS.get(op, ()))
    out.append(f"static __attribute__((unused)) bool as_fnuz_{op}(trine_problem *p)\n{{\n    trine_view *const views[] = {{{views + ', ' if views else ''}NULL}};\n    bool any = false;\n    (void)p;\n"
               f"    for (int i = 0; views[i]; i++)\n        if (views[i]->dtype == TRINE_E4M3FN) views[i]->dtype = TRINE_E4M3FNUZ, any = true;\n    return any;\n}}")
  out.append("""#define ROW(BACKEND, OP, op, row, ...) \\
    FOR_##BACKEND(static trine_status as_fnuz_##op##_##row(const trine_launch *launch) { \\
        trine_problem problem = *launch->problem; \\
        trine_launch own = *launch; \\
        if (trine_mutant_number() == %d && as_fnuz_##op(&problem)) own.problem = &problem; \\
        return trine_gpu_##op##_##row(&own); })
#include "ops/rows.h"
#undef ROW
""" % GROUPS["ocp-as-fnuz"])
  at = text.index("static const trine_launch_fn launchers")
  text = text[:at] + "\n".join(out) + "\n" + text[at:]
  text, n = re.subn(r"= trine_gpu_##op##_##row, \)", "= as_fnuz_##op##_##row, )", text)
  if n != 1: raise SystemExit(f"ci/mutate: {n} tables of launchers in module.c")
  return text


def hook(text):
  """A module's launch.c with the choice of the mutant before the first load or launch."""
  head, body = text.split("\n\n", 1)
  text = head + "\n" + HOOK + "\n" + body
  for name in ("trine_gpu_launch", "trine_gpu_load"):
    text, n = re.subn(r"(\b" + name + r"\([^)]*\)\s*\{)", r"\1\n    trine_mutant_choose();", text)
    if n != 1: raise SystemExit(f"ci/mutate: {n} definitions of {name} in launch.c")
  cut_x, cut_y = (lambda blocks: f'trine_mutant_grid("TRINE_MUTANT_GRID", {blocks})'), 'trine_mutant_grid("TRINE_MUTANT_GRID_Y", grid->y)'
  cut_z = cut_y.replace("grid->y", "grid->z")  # what has a z that goes round has a y that does
  text, n = re.subn(r"config\.gridDim\.x = (.*);\n(\s*)config\.gridDim\.y = grid->y, config\.gridDim\.z = grid->z;|dim3 blocks = \{(.*), grid->y, grid->z\};",
                    lambda m: f"config.gridDim.x = {cut_x(m[1])};\n{m[2]}config.gridDim.y = {cut_y}, config.gridDim.z = {cut_z};" if m[1] else f"dim3 blocks = {{{cut_x(m[3])}, {cut_y}, {cut_z}}};", text)
  if n != 1: raise SystemExit("ci/mutate: where launch.c sets the grid was not found")
  return text
