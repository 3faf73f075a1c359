// SPDX-License-Identifier: Apache-2.0
/* Kernels of moe_align_block_size, best first; the format is in ops/rows.h. */
ROW(CUDA, MOE_ALIGN_BLOCK_SIZE, moe_align_block_size, small, .doc = "one kernel, counters in shared memory: up to 4096 slots and 1024 experts",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_moe_align_block_size_small_refuse)
ROW(CUDA, MOE_ALIGN_BLOCK_SIZE, moe_align_block_size, chunked, .doc = "three kernels, counters in shared memory: up to 1024 experts",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_moe_align_block_size_chunked_refuse)
ROW(CUDA, MOE_ALIGN_BLOCK_SIZE, moe_align_block_size, generic, .doc = "five kernels and counters in global memory: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HIP, MOE_ALIGN_BLOCK_SIZE, moe_align_block_size, small, .doc = "one kernel, counters in shared memory: up to 4096 slots and 1024 experts",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_moe_align_block_size_small_refuse)
ROW(HIP, MOE_ALIGN_BLOCK_SIZE, moe_align_block_size, chunked, .doc = "three kernels, counters in shared memory: up to 1024 experts",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT,
    .refuse = trine_gpu_moe_align_block_size_chunked_refuse)
ROW(HIP, MOE_ALIGN_BLOCK_SIZE, moe_align_block_size, generic, .doc = "five kernels and counters in global memory: any legal call",
    .flags = TRINE_ROW_DETERMINISTIC, .accumulation = TRINE_ACCUMULATE_EXACT)
ROW(HOST, MOE_ALIGN_BLOCK_SIZE, moe_align_block_size, reference, .doc = "the oracle: naive C, any legal call",
    .flags = TRINE_ROW_DETERMINISTIC | TRINE_ROW_REFERENCE, .accumulation = TRINE_ACCUMULATE_EXACT)
