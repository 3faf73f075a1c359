// SPDX-License-Identifier: Apache-2.0
/*
 * Every kernel of Trine, in order of preference within its op: the one list that the core
 * (metadata, selection) and the modules (launchers) both read. Include it with ROW(BACKEND, OP, op,
 * row, ...fields of trine_row...) defined; no guard, by design.
 *
 * A kernel is added by one ROW in its op's list and a launcher: trine_host_<op>_<row> in
 * backends/host/, trine_gpu_<op>_<row> in backends/gpu/. A row without a launcher does not link.
 */
#include "ops/rows/act_and_mul.h"
#include "ops/rows/block_scaled_linear.h"
#include "ops/rows/dequantize.h"
#include "ops/rows/fp8_convert.h"
#include "ops/rows/fused_moe.h"
#include "ops/rows/moe_align_block_size.h"
#include "ops/rows/moe_sum.h"
#include "ops/rows/per_token_group_quant.h"
#include "ops/rows/rotary_embedding.h"
#include "ops/rows/scaled_mm.h"
#include "ops/rows/topk_gating.h"
