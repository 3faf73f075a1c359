// SPDX-License-Identifier: Apache-2.0
// What fused_moe's GPU rows leave to each other.
#include "backends/gpu/refuse.h"

static bool is_weight_only(const trine_fused_moe_problem *p)
{
    return p->quantization == TRINE_MOE_INT8_W8A16 || p->quantization == TRINE_MOE_INT4_W4A16;
}

/* Whether pairs of out's dtype (single f32) are added by an instruction. */
static bool adds_natively(trine_dtype dtype, const trine_caps *caps)
{
    trine_feature feature = dtype == TRINE_BF16  ? TRINE_FEATURE_ATOMIC_ADD_BF16X2
                            : dtype == TRINE_F16 ? TRINE_FEATURE_ATOMIC_ADD_F16X2
                                                 : TRINE_FEATURE_ATOMIC_ADD_F32;
    return caps->usable[feature] == TRINE_NATIVE;
}

/* Where combine = auto adds atomically. Up to two contributions cost no more one after the other,
 * and are then rounded once. */
const char *trine_gpu_fused_moe_atomic_refuse(const trine_problem *problem, const trine_caps *caps)
{
    const trine_fused_moe_problem *p = &problem->fused_moe;
    if (p->combine != TRINE_COMBINE_AUTO) return NULL;
    if (p->k <= 2) return "combine = auto adds atomically only for k > 2";
    if (is_weight_only(p))
        return "combine = auto does not add atomically with weights alone quantized";
    if (p->out.dtype != p->x.dtype)
        return "combine = auto adds atomically only into an out of x's dtype";
    return adds_natively(p->out.dtype, caps)
               ? NULL
               : "combine = auto adds atomically only where an instruction does";
}

/* ---------------------------------------------------------------- rows on matrix units */

static bool is_i8(const trine_fused_moe_problem *p)
{
    return p->quantization == TRINE_MOE_INT8_CHANNEL || p->quantization == TRINE_MOE_INT8_BLOCK;
}

static bool is_per_block(const trine_fused_moe_problem *p)
{
    return p->quantization == TRINE_MOE_FP8_BLOCK || p->quantization == TRINE_MOE_INT8_BLOCK;
}

static bool is_power_of_two(int64_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

static int64_t bytes_of(trine_dtype dtype)
{
    if (dtype == TRINE_F32) return 4;
    return dtype == TRINE_BF16 || dtype == TRINE_F16 ? 2 : 1;
}

/* Rows of 16-byte accesses. */
static bool is_aligned(const trine_view *v)
{
    int64_t size = bytes_of(v->dtype);
    if ((uintptr_t)v->data % 16 || v->stride[v->rank - 1] != 1) return false;
    for (int32_t d = 0; d + 1 < v->rank; d++)
        if (v->shape[d] > 1 && v->stride[d] * size % 16) return false;
    return v->shape[v->rank - 1] * size % 16 == 0;
}

/* `depth`: columns of a tile's step, which a k-block must be a multiple of. */
static const char *refuse_products(const trine_fused_moe_problem *p, int64_t depth)
{
    int64_t least = p->hidden < p->intermediate ? p->hidden : p->intermediate;
    int64_t most = p->hidden > p->intermediate ? p->hidden : p->intermediate;
    /* One access of weights. */
    int64_t run = p->quantization == TRINE_MOE_INT4_W4A16 ? 32 : 16 / bytes_of(p->w1.dtype);
    if (least == 0) return "needs columns to multiply";
    if (p->hidden % run || p->intermediate % run)
        return "needs the hidden and the intermediate size to be multiples of what 16 bytes of "
               "weights hold";
    if (!is_aligned(&p->w1) || !is_aligned(&p->w2))
        return "needs rows of weights that begin at multiples of 16 bytes";
    /* Columns of tiles lie on grid.y. */
    if (p->n1 > INT64_C(65535) * 128 || most > INT64_C(65535) * 128)
        return "needs 65535 * 128 columns or fewer";
    if (!is_per_block(p)) return NULL;
    if (most > p->block_k && p->block_k % depth) return "needs k-blocks of whole steps of a tile";
    return is_power_of_two(p->block_n) ? NULL : "needs block_n to be a power of two";
}

/* x itself is multiplied. */
static const char *refuse_x(const trine_fused_moe_problem *p, const trine_caps *caps)
{
    if (p->x.dtype == TRINE_F32) return "needs an x of 16 bits";
    trine_feature feature =
        p->x.dtype == TRINE_BF16 ? TRINE_FEATURE_BF16_MATRIX : TRINE_FEATURE_F16_MATRIX;
    if (caps->usable[feature] != TRINE_NATIVE) return "needs a matrix unit that takes x's dtype";
    /* The first generations of MFMA, which have no 8-bit floats. */
    if (p->x.dtype == TRINE_F16 && caps->has[TRINE_FEATURE_MFMA] == TRINE_NATIVE &&
        caps->has[TRINE_FEATURE_FP8_FNUZ_MATRIX] != TRINE_NATIVE &&
        caps->has[TRINE_FEATURE_FP8_OCP_MATRIX] != TRINE_NATIVE)
        return "needs a matrix unit that keeps subnormals of f16";
    if (!is_aligned(&p->x)) return "needs rows of x that begin at multiples of 16 bytes";
    if (!is_weight_only(p) || p->group_size == 0) return NULL;
    int64_t run = p->quantization == TRINE_MOE_INT4_W4A16 ? 32 : 16;
    return is_power_of_two(p->group_size) && p->group_size >= run
               ? NULL
               : "needs group_size to be a power of two, and what 16 bytes of weights hold at "
                 "least";
}

const char *trine_gpu_fused_moe_matrix_refuse(const trine_problem *problem, const trine_caps *caps)
{
    const trine_fused_moe_problem *p = &problem->fused_moe;
    if (is_i8(p)) return "does not multiply i8 by i8";
    if (p->quantization == TRINE_MOE_NONE || is_weight_only(p)) {
        const char *why = refuse_x(p, caps);
        if (why) return why;
    } else if (caps->usable[TRINE_FEATURE_F16_MATRIX] != TRINE_NATIVE) {
        return "needs a matrix unit that takes f16";
    }
    return refuse_products(p, 64);
}

const char *trine_gpu_fused_moe_matrix_atomic_refuse(const trine_problem *problem,
                                                     const trine_caps *caps)
{
    const char *why = trine_gpu_fused_moe_matrix_refuse(problem, caps);
    return why ? why : trine_gpu_fused_moe_atomic_refuse(problem, caps);
}

const char *trine_gpu_fused_moe_matrix_i8_refuse(const trine_problem *problem,
                                                 const trine_caps *caps)
{
    (void)caps;
    const trine_fused_moe_problem *p = &problem->fused_moe;
    if (!is_i8(p)) return "multiplies i8 by i8 only";
    int64_t most = p->hidden > p->intermediate ? p->hidden : p->intermediate;
    int64_t block = is_per_block(p) && p->block_k < most ? p->block_k : most;
    /* Sums of products of up to 2^14 stay in i32. */
    if (block >= INT64_C(1) << 17) return "needs k-blocks of fewer than 2^17 columns";
    return refuse_products(p, 128);
}

const char *trine_gpu_fused_moe_matrix_i8_atomic_refuse(const trine_problem *problem,
                                                        const trine_caps *caps)
{
    const char *why = trine_gpu_fused_moe_matrix_i8_refuse(problem, caps);
    return why ? why : trine_gpu_fused_moe_atomic_refuse(problem, caps);
}
