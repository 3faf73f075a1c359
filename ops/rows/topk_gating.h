// SPDX-License-Identifier: Apache-2.0
/* Kernels of topk_gating, best first; the format is in ops/rows.h. */
ROW(CUDA, TOPK_GATING, topk_gating, wave, .doc = "a team of lanes a token, all in registers: up to 512 experts",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_topk_gating_wave_refuse)
ROW(CUDA, TOPK_GATING, topk_gating, generic, .doc = "a block a token that looks through all experts for each pick: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HIP, TOPK_GATING, topk_gating, wave, .doc = "a team of lanes a token, all in registers: up to 512 experts",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_topk_gating_wave_refuse)
ROW(HIP, TOPK_GATING, topk_gating, generic, .doc = "a block a token that looks through all experts for each pick: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HOST, TOPK_GATING, topk_gating, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_EXACT)
