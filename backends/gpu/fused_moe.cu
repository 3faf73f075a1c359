// SPDX-License-Identifier: Apache-2.0
// Launchers of fused_moe: the steps around the products, and the rows `generic*`.
#include "backends/gpu/fused_moe.h"
#include "backends/gpu/fused_moe_generic.h"
#include "backends/gpu/fused_moe_steps.h"

extern "C" trine_status trine_gpu_moe_align_block_size_small(const trine_launch *launch);
extern "C" trine_status trine_gpu_moe_align_block_size_small_prepare(const trine_row *row,
                                                                     const trine_caps *caps,
                                                                     int32_t ordinal);
extern "C" trine_status trine_gpu_moe_align_block_size_chunked(const trine_launch *launch);
extern "C" trine_status trine_gpu_moe_align_block_size_chunked_prepare(const trine_row *row,
                                                                       const trine_caps *caps,
                                                                       int32_t ordinal);
extern "C" trine_status trine_gpu_moe_align_block_size_generic(const trine_launch *launch);
extern "C" trine_status trine_gpu_moe_align_block_size_generic_prepare(const trine_row *row,
                                                                       const trine_caps *caps,
                                                                       int32_t ordinal);
extern "C" trine_status trine_gpu_per_token_group_quant_vector(const trine_launch *launch);
extern "C" trine_status trine_gpu_per_token_group_quant_vector_prepare(const trine_row *row,
                                                                       const trine_caps *caps,
                                                                       int32_t ordinal);

namespace trine_gpu
{

static uint32_t at_most_65535(int64_t count)
{
    return static_cast<uint32_t>(count < 65535 ? count : 65535);
}

static trine_view vector_of(void *data, int64_t count)
{
    trine_view v = {};
    v.data = data;
    v.dtype = TRINE_I32;
    v.rank = 1;
    v.shape[0] = count, v.stride[0] = 1;
    return v;
}

// Sorts the slots by expert into the workspace.
static trine_status align(const trine_launch *launch, bool vector)
{
    const trine_fused_moe_problem &p = launch->problem->fused_moe;
    const trine_fused_moe_workspace &at = p.workspace;
    trine_problem sub_problem = {};
    trine_moe_align_block_size_problem &a = sub_problem.moe_align_block_size;
    a.topk_ids = p.topk_ids;
    a.expert_map = p.expert_map;
    a.tokens = p.tokens, a.k = p.k, a.slots = p.slots;
    a.experts = p.experts, a.global_experts = p.global_experts;
    a.block_size = p.align_block_size;
    a.capacity = moe_capacity(p);
    a.blocks = a.capacity / p.align_block_size;
    a.sorted_token_ids = vector_of(moe_part(launch, at.sorted_token_ids), a.capacity);
    a.expert_ids = vector_of(moe_part(launch, at.expert_ids), a.blocks);
    a.num_tokens_post_padded = vector_of(moe_part(launch, at.num_tokens_post_padded), 1);
    a.workspace_size = at.a1 - at.align_scratch;
    trine_launch sub = *launch;
    sub.problem = &sub_problem;
    sub.workspace = moe_part(launch, at.align_scratch);
    sub.workspace_size = a.workspace_size;
    // What the refusals of these rows ask.
    if (!vector || p.experts > 1024) return trine_gpu_moe_align_block_size_generic(&sub);
    return p.slots <= 4096 ? trine_gpu_moe_align_block_size_small(&sub)
                           : trine_gpu_moe_align_block_size_chunked(&sub);
}

// What must be zero before the second product adds or leaves it.
static trine_status clear(const trine_launch *launch, const moe_routes &routes, moe_sink sink,
                          bool vector)
{
    const trine_fused_moe_problem &p = launch->problem->fused_moe;
    const moe_output o = moe_output_of(launch, sink);
    moe_clearing c = {};
    c.data = o.data;
    c.columns = p.hidden;
    c.token = o.token, c.rank = o.rank, c.column = o.column;
    c.dtype = o.dtype;
    c.slots = sink == MOE_TO_OUT_SLOTS;
    c.rows = c.slots ? p.slots : p.tokens;
    c.amax = moe_amax_words(launch);
    const bool adds = sink == MOE_ADD_TO_SUMS || (sink == MOE_ADD_TO_OUT && !p.accumulate);
    if (!c.slots && !adds) c.rows = 0;
    const bool dynamic = p.quantization == TRINE_MOE_FP8_TENSOR &&
                         (!moe_given(p.a1_scale) || !moe_given(p.a2_scale));
    if (c.rows == 0 && !dynamic) return TRINE_OK;
    if (vector && c.rows > 0 && moe_vector_clears(c)) return moe_vector_clear(launch, c);
    const trine_gpu_grid grid = {
        static_cast<uint64_t>(c.rows > 0 ? c.rows : 1), 1, 1, moe_step_threads, 0, false};
    moe_routes r = routes;
    void *args[] = {&r, &c};
    return trine_gpu_launch(launch, reinterpret_cast<const void *>(&moe_clear), &grid, args);
}

// Whether per_token_group_quant's row `vector` quantizes x as step 1 wants it.
static bool is_group_quant(const trine_fused_moe_problem &p)
{
#if defined(__HIP__)
    const bool has_code = true;
#else
    const bool has_code = p.w1.dtype != TRINE_E4M3FNUZ;
#endif
    const int64_t size = p.block_k, element = p.x.dtype == TRINE_F32 ? 4 : 2;
    return has_code && moe_per_block(p) && size >= 16 && size <= 512 && (size & (size - 1)) == 0 &&
           p.hidden % size == 0 && p.hidden <= INT64_C(65535) * 2048 && p.x.stride[1] == 1 &&
           reinterpret_cast<uintptr_t>(p.x.data) % 16 == 0 &&
           (p.tokens <= 1 || p.x.stride[0] * element % 16 == 0) && p.tokens <= INT64_C(0x7ffff000);
}

static trine_status group_quant(const trine_launch *launch)
{
    const trine_fused_moe_problem &p = launch->problem->fused_moe;
    trine_problem sub_problem = {};
    trine_per_token_group_quant_problem &g = sub_problem.per_token_group_quant;
    g.experts = 1, g.rows = g.q_rows = p.tokens, g.columns = p.hidden;
    g.group_size = p.block_k, g.groups = g.scale_columns = p.hidden / p.block_k;
    g.aligned_rows = (p.tokens + 3) / 4 * 4;
    g.scale_rows = p.tokens;
    g.scale_row_stride = g.groups, g.scale_column_stride = 1;
    g.x.data = p.x.data, g.x.dtype = p.x.dtype, g.x.rank = 3;
    g.x.shape[0] = 1, g.x.shape[1] = p.tokens, g.x.shape[2] = p.hidden;
    g.x.stride[1] = p.x.stride[0], g.x.stride[2] = 1;
    g.q = g.x;
    g.q.data = moe_part(launch, p.workspace.a1), g.q.dtype = p.w1.dtype;
    g.q.stride[1] = p.hidden;
    g.scale.data = moe_part(launch, p.workspace.a1_scale), g.scale.dtype = TRINE_F32;
    g.scale.rank = 2;
    g.masked_m.rank = -1;
    g.layout = TRINE_SCALE_ROW, g.format = TRINE_SCALE_F32;
    g.arithmetic = TRINE_ARITHMETIC_DIVIDE;
    g.eps = g.ue8m0_floor = 1e-10f;
    g.q_max = moe_q_max(p.w1.dtype), g.default_q_max = true;
    trine_launch sub = *launch;
    sub.problem = &sub_problem;
    return trine_gpu_per_token_group_quant_vector(&sub);
}

static trine_status quantize(const trine_launch *launch, const moe_routes &routes, bool second,
                             bool vector)
{
    if (vector && !second && is_group_quant(launch->problem->fused_moe)) return group_quant(launch);
    moe_routes r = routes;
    moe_quantizer q = moe_quantizer_of(launch, second);
    void *args[] = {&r, &q};
    if (q.per_tensor && !q.given) {
        // Enough blocks to fill a device; each ends with one atomic.
        const int64_t blocks = q.rows < 2048 ? q.rows : 2048;
        const trine_gpu_grid grid = {
            static_cast<uint64_t>(blocks), 1, 1, moe_step_threads, 0, false};
        trine_status status =
            trine_gpu_launch(launch, reinterpret_cast<const void *>(&moe_tensor_amax), &grid, args);
        if (status) return status;
    }
    if (vector && moe_vector_activates(q)) return moe_vector_activate(launch, routes, q);
    const bool wide = q.block > 1024;
    const void *kernel = wide ? reinterpret_cast<const void *>(&moe_quantize<moe_step_threads>)
                              : reinterpret_cast<const void *>(&moe_quantize<32>);
    const int64_t teams = wide ? 1 : moe_step_threads / 32;
    const trine_gpu_grid grid = {static_cast<uint64_t>((q.rows + teams - 1) / teams),
                                 at_most_65535(q.blocks > 0 ? q.blocks : 1),
                                 1,
                                 moe_step_threads,
                                 0,
                                 false};
    return trine_gpu_launch(launch, kernel, &grid, args);
}

static trine_status end(const trine_launch *launch, const moe_routes &routes, moe_sink sink,
                        bool vector)
{
    if (sink != MOE_TO_SUMMANDS && sink != MOE_ADD_TO_SUMS) return TRINE_OK;
    moe_routes r = routes;
    moe_ending e = moe_ending_of(launch, sink);
    if (vector && moe_vector_ends(routes, e))
        return moe_vector_end(launch, routes, e, sink == MOE_TO_SUMMANDS);
    const void *kernel = sink == MOE_TO_SUMMANDS ? reinterpret_cast<const void *>(&moe_sum_summands)
                                                 : reinterpret_cast<const void *>(&moe_round_sums);
    const trine_gpu_grid grid = {
        static_cast<uint64_t>(r.tokens),
        at_most_65535((e.hidden + moe_step_threads - 1) / moe_step_threads),
        1,
        moe_step_threads,
        0,
        false};
    void *args[] = {&r, &e};
    return trine_gpu_launch(launch, kernel, &grid, args);
}

trine_status moe_run(const trine_launch *launch, const moe_steps &steps, moe_sink row)
{
    const trine_fused_moe_problem &p = launch->problem->fused_moe;
    const moe_sink sink = moe_sink_of(p, row);
    const moe_routes routes = moe_routes_of(launch);
    trine_status status = clear(launch, routes, sink, steps.vector);
    if (p.slots > 0 && p.experts > 0) {
        if (!status) status = align(launch, steps.vector);
        if (!status && moe_quantizes(p)) status = quantize(launch, routes, false, steps.vector);
        if (!status)
            status = steps.product(launch, routes, moe_gemm_of(launch, false),
                                   moe_output_of(launch, MOE_TO_SLOTS));
        if (!status && !steps.activates) status = quantize(launch, routes, true, steps.vector);
        if (!status)
            status = steps.product(launch, routes, moe_gemm_of(launch, true),
                                   moe_output_of(launch, sink));
    }
    return status ? status : end(launch, routes, sink, steps.vector);
}

trine_status moe_prepare(const trine_row *row, const trine_caps *caps, int32_t ordinal, bool vector)
{
    const void *const kernels[] = {
        reinterpret_cast<const void *>(&moe_clear),
        reinterpret_cast<const void *>(&moe_tensor_amax),
        reinterpret_cast<const void *>(&moe_quantize<32>),
        reinterpret_cast<const void *>(&moe_quantize<moe_step_threads>),
        reinterpret_cast<const void *>(&moe_sum_summands),
        reinterpret_cast<const void *>(&moe_round_sums),
    };
    trine_status status = trine_gpu_moe_align_block_size_generic_prepare(row, caps, ordinal);
    if (!status && vector)
        status = trine_gpu_moe_align_block_size_small_prepare(row, caps, ordinal);
    if (!status && vector)
        status = trine_gpu_moe_align_block_size_chunked_prepare(row, caps, ordinal);
    if (!status && vector)
        status = trine_gpu_per_token_group_quant_vector_prepare(row, caps, ordinal);
    if (!status && vector) status = moe_vector_prepare(row, ordinal);
    for (const void *kernel : kernels)
        if (!status) status = trine_gpu_load(row, ordinal, kernel, 0);
    return status;
}

static trine_status generic_product(const trine_launch *launch, const moe_routes &routes,
                                    const moe_gemm &gemm, const moe_output &output)
{
    const bool tall = routes.block_size % 64 == 0;
    const int64_t rows = tall ? 64 : 16;
    const void *kernel = tall ? reinterpret_cast<const void *>(&moe_generic_product<4>)
                              : reinterpret_cast<const void *>(&moe_generic_product<1>);
    const trine_gpu_grid grid = {
        static_cast<uint64_t>(moe_capacity(launch->problem->fused_moe) / rows),
        at_most_65535((gemm.n + moe_generic_columns - 1) / moe_generic_columns),
        1,
        moe_generic_threads,
        0,
        false};
    moe_routes r = routes;
    moe_gemm g = gemm;
    moe_output o = output;
    void *args[] = {&r, &g, &o};
    return trine_gpu_launch(launch, kernel, &grid, args);
}

static trine_status generic_run(const trine_launch *launch, moe_sink sink)
{
    moe_steps steps = {};
    steps.product = generic_product;
    return moe_run(launch, steps, sink);
}

static trine_status generic_prepare(const trine_row *row, const trine_caps *caps, int32_t ordinal)
{
    trine_status status = moe_prepare(row, caps, ordinal, false);
    if (!status)
        status = trine_gpu_load(row, ordinal,
                                reinterpret_cast<const void *>(&moe_generic_product<1>), 0);
    if (!status)
        status = trine_gpu_load(row, ordinal,
                                reinterpret_cast<const void *>(&moe_generic_product<4>), 0);
    return status;
}

} // namespace trine_gpu

extern "C" trine_status trine_gpu_fused_moe_generic(const trine_launch *launch)
{
    return trine_gpu::generic_run(launch, trine_gpu::MOE_TO_SUMMANDS);
}

extern "C" trine_status trine_gpu_fused_moe_generic_atomic(const trine_launch *launch)
{
    return trine_gpu::generic_run(launch, trine_gpu::MOE_ADD_TO_OUT);
}

extern "C" trine_status trine_gpu_fused_moe_generic_atomic_f32(const trine_launch *launch)
{
    return trine_gpu::generic_run(launch, trine_gpu::MOE_ADD_TO_SUMS);
}

extern "C" trine_status trine_gpu_fused_moe_generic_prepare(const trine_row *row,
                                                            const trine_caps *caps, int32_t ordinal)
{
    return trine_gpu::generic_prepare(row, caps, ordinal);
}

extern "C" trine_status trine_gpu_fused_moe_generic_atomic_prepare(const trine_row *row,
                                                                   const trine_caps *caps,
                                                                   int32_t ordinal)
{
    return trine_gpu::generic_prepare(row, caps, ordinal);
}

extern "C" trine_status trine_gpu_fused_moe_generic_atomic_f32_prepare(const trine_row *row,
                                                                       const trine_caps *caps,
                                                                       int32_t ordinal)
{
    return trine_gpu::generic_prepare(row, caps, ordinal);
}
