// SPDX-License-Identifier: Apache-2.0
/* The data of backends/capability_table.h. No cell was established by running on a GPU. */
#include "backends/capability_table.h"

#include <string.h>

#define KIB(n) ((n)*1024u)
/* wave, threads a block, shared memory, bytes a load, grid x, grid y and z, work items, units */
#define NVIDIA_LIMITS(shared_kib, load)                                                            \
    {                                                                                              \
        32, 1024, KIB(shared_kib), load, 0x7fffffffu, 65535, 0, 0                                  \
    }
#define AMD_LIMITS(wave, lds_kib)                                                                  \
    {                                                                                              \
        wave, 1024, KIB(lds_kib), 16, 0x7fffffffu, 65535, UINT64_C(1) << 32, 0                     \
    }
#define FEATURE(id, cells, evidence, how)                                                          \
    [TRINE_FEATURE_##id] = {TRINE_FEATURE_##id, cells, evidence, how}

/* ---------------------------------------------------------------- NVIDIA */

static const char nvidia_limits[] =
    "d: CUDA programming guide, table of compute capabilities; shared memory after opt-in; load "
    "width s";
static const char nvidia_120_limits[] =
    "d: 99 KiB by flashinfer#2786, the driver's answer replaces it; load width s";

static const trine_capability_device nvidia_devices[] = {
    {"sm_75", "Turing", TRINE_E4M3FN, NVIDIA_LIMITS(64, 16), false, nvidia_limits, NULL},
    {"sm_80", "Ampere", TRINE_E4M3FN, NVIDIA_LIMITS(163, 16), false, nvidia_limits, NULL},
    {"sm_86", "Ampere", TRINE_E4M3FN, NVIDIA_LIMITS(99, 16), false, nvidia_limits, NULL},
    {"sm_87", "Ampere", TRINE_E4M3FN, NVIDIA_LIMITS(163, 16), true, nvidia_limits, NULL},
    {"sm_89", "Ada", TRINE_E4M3FN, NVIDIA_LIMITS(99, 16), false, nvidia_limits, NULL},
    {"sm_90", "Hopper", TRINE_E4M3FN, NVIDIA_LIMITS(227, 16), false, nvidia_limits, NULL},
    {"sm_100", "Blackwell", TRINE_E4M3FN, NVIDIA_LIMITS(227, 32), false, nvidia_limits, NULL},
    {"sm_103", "Blackwell", TRINE_E4M3FN, NVIDIA_LIMITS(227, 32), false, nvidia_limits, NULL},
    {"sm_110", "Blackwell Thor", TRINE_E4M3FN, NVIDIA_LIMITS(227, 32), true, nvidia_limits, NULL},
    {"sm_120", "Blackwell RTX", TRINE_E4M3FN, NVIDIA_LIMITS(99, 32), false, nvidia_120_limits,
     NULL},
    {"sm_121", "Blackwell RTX", TRINE_E4M3FN, NVIDIA_LIMITS(99, 32), false, nvidia_120_limits,
     NULL},
};

/* clang-format off */
static const trine_capability_feature nvidia_features[TRINE_FEATURE_COUNT] = {
/*                                  75 80 86 87 89 90 100 103 110 120 121 */
FEATURE(BF16_FMA,             "E N N N N N N N N N N", "sph", "fma.rn.bf16x2; on 75 the header computes in f32"),
FEATURE(BF16_CONVERT,         "E N N N N N N N N N N", "p",   "cvt.rn.bf16x2.f32; on 75 integer code"),
FEATURE(F32X2_FMA,            "- - - - - - N N E E E", "sp",  "fma.rn.f32x2; two FFMA on 110 and 12x"),
FEATURE(FP8_OCP_CONVERT,      "E E E E N N N N N N N", "sph", "cvt.rn.satfinite.e4m3x2.f32; the header's integer code below 89"),
FEATURE(FP8_FNUZ_CONVERT,     "- - - - - - - - - - -", "h",   "PTX and cuda_fp8.h know OCP formats only"),
FEATURE(UE8M0_CONVERT,        "- - - - - - f f f f f", "sp",  "cvt.rp.satfinite.ue8m0x2.f32; base targets reject it (FBGEMM#4975)"),
FEATURE(F16_MATRIX,           "N N N N N N N N N N N", "sp",  "mma.sync m16n8k16 f16; m16n8k8 on 75"),
FEATURE(BF16_MATRIX,          "- N N N N N N N N N N", "sp",  "mma.sync m16n8k16 bf16"),
FEATURE(I8_MATRIX,            "N N N N N N N N N N N", "sp",  "mma.sync m16n8k32 s8; m8n8k16 on 75"),
FEATURE(I4_MATRIX,            "N N N N N E E E E E E", "sp",  "mma.sync m16n8k64 s4; over 200 instructions from 90 on"),
FEATURE(FP8_OCP_MATRIX,       "- - - - N E E E E N N", "sp",  "mma.sync m16n8k32 e4m3; 12 conversions and 2 HMMA on 90 to 110"),
FEATURE(FP8_FNUZ_MATRIX,      "- - - - - - - - - - -", "h",   "PTX knows OCP formats only"),
FEATURE(MX_MATRIX,            "- - - - - - f f f f f", "p",   "kind::mxf8f6f4.block_scale: tcgen05.mma on 10x and 11x, mma.sync on 12x (s)"),
FEATURE(FP4_MATRIX,           "- - - - - - f f f f f", "p",   "kind::mxf4 and mxf4nvf4; the scale_vec spelling on 10x and 11x needs `a`, .block16 and .block32 do not"),
FEATURE(WGMMA,                "- - - - - a - - - - -", "p",   "wgmma: 90a alone, not 100"),
FEATURE(TCGEN05,              "- - - - - - f f f - -", "p",   "tcgen05: 10x and 11x, not 12x"),
FEATURE(MFMA,                 "- - - - - - - - - - -", "d",   "AMD only"),
FEATURE(WMMA,                 "- - - - - - - - - - -", "d",   "AMD only (the CUDA wmma API is mma.sync)"),
FEATURE(WMMA_GFX12,           "- - - - - - - - - - -", "d",   "AMD only"),
FEATURE(I8_DOT4,              "N N N N N N N N N N N", "sp",  "dp4a"),
FEATURE(BF16_DOT2,            "- - - - - - - - - - -", "d",   "PTX has none"),
FEATURE(ATOMIC_ADD_F32,       "N N N N N N N N N N N", "s",   "red.global.add.f32"),
FEATURE(ATOMIC_ADD_F16X2,     "N N N N N N N N N N N", "s",   "red.global.add.noftz.f16x2"),
FEATURE(ATOMIC_ADD_BF16X2,    "E E E E E N N N N N N", "sp",  "red.global.add.noftz.bf16x2, written with .global; below 90 the header's loop"),
FEATURE(ATOMIC_ADD_SCALAR16,  "E E E E E E E E E E E", "sp",  "PTX accepts it from 90 on, the machine code is a loop everywhere"),
FEATURE(ATOMIC_ADD_VECTOR,    "- - - - - N N N N N N", "sp",  "red.global.v4.bf16x2.add.noftz, v4.f32"),
FEATURE(SHARED_ATOMIC_F32,    "E E E E E E E E E E E", "s",   "atom.shared.add.f32 is a loop"),
FEATURE(SHARED_ATOMIC_BF16X2, "E E E E E E E E E E E", "s",   "a loop, for f16x2 as well"),
FEATURE(ASYNC_COPY,           "- N N N N N N N N N N", "sp",  "cp.async 16 bytes"),
FEATURE(BULK_COPY,            "- - - - - N N N N N N", "p",   "cp.async.bulk.tensor, mbarrier.try_wait; no hardware multicast on 12x (pytorch#155991)"),
FEATURE(CLUSTERS,             "- - - - - N N N N N N", "p",   "barrier.cluster, mapa; accepted for 12x"),
FEATURE(DEPENDENT_LAUNCH,     "- - - - - N N N N N N", "p",   "griddepcontrol; accepted for 12x"),
FEATURE(REGISTER_REALLOCATION,"- - - - - a f f f f f", "p",   "setmaxnreg"),
FEATURE(WIDE_LOAD,            "- - - - - - N N N N N", "sp",  "ld.global.v8.b32 and its store, one instruction"),
};
/* clang-format on */

/* ---------------------------------------------------------------- AMD */

static const char amd_limits[] = "l: local memory is the backend's limit, wave width its default "
                                 "feature; d: grid x * block x below 2^32 (rocm-systems#2374)";
/* Compilers accept 64-wide waves on RDNA; HIP does not support them (llama.cpp#28313). */
static const char rdna_limits[] = "l: wave width; d: local memory; grid as above";

static const trine_capability_device amd_devices[] = {
    {"gfx908", "CDNA", TRINE_E4M3FN, AMD_LIMITS(64, 64), true, amd_limits, NULL},
    {"gfx90a", "CDNA2", TRINE_E4M3FN, AMD_LIMITS(64, 64), true, amd_limits, NULL},
    {"gfx942", "CDNA3", TRINE_E4M3FNUZ, AMD_LIMITS(64, 64), true, amd_limits, NULL},
    {"gfx950", "CDNA4", TRINE_E4M3FN, AMD_LIMITS(64, 160), true, amd_limits, NULL},
    {"gfx1030", "RDNA2", TRINE_E4M3FN, AMD_LIMITS(32, 64), true, rdna_limits, NULL},
    {"gfx1100", "RDNA3", TRINE_E4M3FN, AMD_LIMITS(32, 64), true, amd_limits, NULL},
    {"gfx1101", "RDNA3", TRINE_E4M3FN, AMD_LIMITS(32, 64), true, rdna_limits, "gfx1100"},
    {"gfx1102", "RDNA3", TRINE_E4M3FN, AMD_LIMITS(32, 64), true, rdna_limits, "gfx1100"},
    {"gfx1103", "RDNA3", TRINE_E4M3FN, AMD_LIMITS(32, 64), true, rdna_limits, "gfx1100"},
    {"gfx1150", "RDNA3.5", TRINE_E4M3FN, AMD_LIMITS(32, 64), true, rdna_limits, NULL},
    {"gfx1151", "RDNA3.5", TRINE_E4M3FN, AMD_LIMITS(32, 64), true, rdna_limits, "gfx1150"},
    {"gfx1200", "RDNA4", TRINE_E4M3FN, AMD_LIMITS(32, 64), true, amd_limits, NULL},
    {"gfx1201", "RDNA4", TRINE_E4M3FN, AMD_LIMITS(32, 64), true, rdna_limits, "gfx1200"},
};

/*
 * "with promise": native only in code compiled with -munsafe-fp-atomics, which promises that the
 * memory is neither fine-grained nor remote. Accumulation buffers must be plain hipMalloc memory.
 */
/* clang-format off */
static const trine_capability_feature amd_features[TRINE_FEATURE_COUNT] = {
/*                                 908 90a 942 950 1030 1100 1150 1200 */
FEATURE(BF16_FMA,             "E E E E E E E E", "l",  "through f32; only gfx1250 has it"),
FEATURE(BF16_CONVERT,         "E E E N E E E E", "l",  "v_cvt_pk_bf16_f32; integer rounding elsewhere"),
FEATURE(F32X2_FMA,            "E N N N E E E E", "l",  "v_pk_fma_f32; RDNA3 may pair two (VOPD)"),
FEATURE(FP8_OCP_CONVERT,      "- - - N - - - N", "ld", "v_cvt_pk_fp8_f32; which encoding it means is documentation, the bytes are the same on 942 and 950"),
FEATURE(FP8_FNUZ_CONVERT,     "- - N - - - - -", "ld", "v_cvt_pk_fp8_f32 on 942; as above"),
FEATURE(UE8M0_CONVERT,        "- - - N - - - -", "l",  "v_cvt_scalef32_*: clang knows them for 950 only"),
FEATURE(F16_MATRIX,           "N N N N - N N N", "l",  "v_mfma_f32_16x16x16f16, v_wmma_f32_16x16x16_f16"),
FEATURE(BF16_MATRIX,          "N N N N - N N N", "l",  "v_mfma_f32_16x16x8bf16 (gone from 942 on), 16x16x16_bf16, v_wmma_f32_16x16x16_bf16"),
FEATURE(I8_MATRIX,            "N N N N - N N N", "l",  "v_mfma_i32_16x16x16i8 (gone from 942 on), 16x16x32_i8, v_wmma_i32_16x16x16_iu8"),
FEATURE(I4_MATRIX,            "- - - - - N N N", "l",  "v_wmma_i32_16x16x16_iu4; 16x16x32 on gfx12"),
FEATURE(FP8_OCP_MATRIX,       "- - - N - - - N", "ld", "v_mfma_f32_16x16x32_fp8_fp8 on 950, v_wmma_f32_16x16x16_fp8_fp8 on gfx12"),
FEATURE(FP8_FNUZ_MATRIX,      "- - N - - - - -", "ld", "v_mfma_f32_16x16x32_fp8_fp8 on 942"),
FEATURE(MX_MATRIX,            "- - - N - - - -", "l",  "v_mfma_scale_f32_16x16x128_f8f6f4"),
FEATURE(FP4_MATRIX,           "- - - N - - - -", "l",  "v_mfma_scale_f32_16x16x128_f8f6f4"),
FEATURE(WGMMA,                "- - - - - - - -", "d",  "NVIDIA only"),
FEATURE(TCGEN05,              "- - - - - - - -", "d",  "NVIDIA only"),
FEATURE(MFMA,                 "N N N N - - - -", "l",  "v_mfma_*"),
FEATURE(WMMA,                 "- - - - - N N -", "l",  "v_wmma_* with 16-element operands"),
FEATURE(WMMA_GFX12,           "- - - - - - - N", "l",  "v_wmma_* with 8-element operands"),
FEATURE(I8_DOT4,              "N N N N N N N N", "l",  "v_dot4_i32_i8, v_dot4_i32_iu8"),
FEATURE(BF16_DOT2,            "- - - N - N N N", "l",  "v_dot2_f32_bf16"),
FEATURE(ATOMIC_ADD_F32,       "N N N N E N N N", "l",  "global_atomic_add_f32 at agent scope; with promise but for 942, 950 and gfx12; 908 returns no old value"),
FEATURE(ATOMIC_ADD_F16X2,     "N N N N E E E N", "l",  "global_atomic_pk_add_f16 at agent scope; with promise on 908 and 90a; 908 returns no old value"),
FEATURE(ATOMIC_ADD_BF16X2,    "E E N N E E E N", "l",  "global_atomic_pk_add_bf16 at agent scope; no buffer form on 942 (triton#7011)"),
FEATURE(ATOMIC_ADD_SCALAR16,  "E E E E E E E E", "l",  "a loop everywhere"),
FEATURE(ATOMIC_ADD_VECTOR,    "- - - - - - - -", "l",  "none"),
FEATURE(SHARED_ATOMIC_F32,    "N N N N N N N N", "l",  "ds_add_f32"),
FEATURE(SHARED_ATOMIC_BF16X2, "E E N N E E E N", "l",  "ds_pk_add_bf16"),
FEATURE(ASYNC_COPY,           "- - - N - - - -", "l",  "global_load_lds_dwordx4; older CDNA and RDNA2 copy 4 bytes, gfx11 and gfx12 none"),
FEATURE(BULK_COPY,            "- - - - - - - -", "l",  "none"),
FEATURE(CLUSTERS,             "- - - - - - - -", "l",  "none before gfx1250"),
FEATURE(DEPENDENT_LAUNCH,     "- - - - - - - -", "d",  "none"),
FEATURE(REGISTER_REALLOCATION,"- - - - - - - -", "d",  "none"),
FEATURE(WIDE_LOAD,            "- - - - - - - -", "l",  "16 bytes at most"),
};
/* clang-format on */

/* ---------------------------------------------------------------- the host */

static const trine_capability_device host_devices[] = {
    {"cpu",
     "host",
     TRINE_E4M3FN,
     {1, 0, 0, 16, 0, 0, 0, 0},
     true,
     "h: grids and blocks do not apply",
     NULL},
};

/* clang-format off */
#define NOT_ON_HOST(id) FEATURE(id, "-", "h", "a GPU feature")
static const trine_capability_feature host_features[TRINE_FEATURE_COUNT] = {
FEATURE(BF16_FMA,         "E", "h", "through f32"),
FEATURE(BF16_CONVERT,     "E", "h", "integer code of numerics/"),
FEATURE(F32X2_FMA,        "E", "h", "as the compiler vectorizes"),
FEATURE(FP8_OCP_CONVERT,  "E", "h", "integer code of numerics/"),
FEATURE(FP8_FNUZ_CONVERT, "E", "h", "integer code of numerics/"),
FEATURE(UE8M0_CONVERT,    "E", "h", "integer code of numerics/"),
NOT_ON_HOST(F16_MATRIX), NOT_ON_HOST(BF16_MATRIX), NOT_ON_HOST(I8_MATRIX), NOT_ON_HOST(I4_MATRIX),
NOT_ON_HOST(FP8_OCP_MATRIX), NOT_ON_HOST(FP8_FNUZ_MATRIX), NOT_ON_HOST(MX_MATRIX), NOT_ON_HOST(FP4_MATRIX),
NOT_ON_HOST(WGMMA), NOT_ON_HOST(TCGEN05), NOT_ON_HOST(MFMA), NOT_ON_HOST(WMMA), NOT_ON_HOST(WMMA_GFX12),
NOT_ON_HOST(I8_DOT4), NOT_ON_HOST(BF16_DOT2),
NOT_ON_HOST(ATOMIC_ADD_F32), NOT_ON_HOST(ATOMIC_ADD_F16X2), NOT_ON_HOST(ATOMIC_ADD_BF16X2),
NOT_ON_HOST(ATOMIC_ADD_SCALAR16), NOT_ON_HOST(ATOMIC_ADD_VECTOR),
NOT_ON_HOST(SHARED_ATOMIC_F32), NOT_ON_HOST(SHARED_ATOMIC_BF16X2),
NOT_ON_HOST(ASYNC_COPY), NOT_ON_HOST(BULK_COPY), NOT_ON_HOST(CLUSTERS), NOT_ON_HOST(DEPENDENT_LAUNCH),
NOT_ON_HOST(REGISTER_REALLOCATION), NOT_ON_HOST(WIDE_LOAD),
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof *(array))

const trine_capability_vendor trine_capability_vendors[TRINE_CAPABILITY_VENDOR_COUNT] = {
    {TRINE_BACKEND_CUDA, "NVIDIA", nvidia_devices, COUNT(nvidia_devices), nvidia_features},
    {TRINE_BACKEND_HIP, "AMD", amd_devices, COUNT(amd_devices), amd_features},
    {TRINE_BACKEND_HOST, "Host", host_devices, COUNT(host_devices), host_features},
};

char trine_capability_cell(const trine_capability_vendor *vendor, size_t device,
                           trine_feature feature)
{
    const trine_capability_device *devices = vendor->devices;
    const char *name = devices[device].like ? devices[device].like : devices[device].name;
    size_t column = 0;
    for (size_t d = 0; d < vendor->device_count && strcmp(devices[d].name, name); d++)
        if (!devices[d].like) column++;
    return vendor->features[feature].cells[2 * column];
}
