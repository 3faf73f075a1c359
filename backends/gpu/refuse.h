// SPDX-License-Identifier: Apache-2.0
// Why a GPU row does not take a problem, where the fields of a row can't say it: the same for CUDA
// and HIP, and linked into the core, which selects for devices that are not there.
#ifndef TRINE_BACKENDS_GPU_REFUSE_H
#define TRINE_BACKENDS_GPU_REFUSE_H

#include <trine/kernel.h>

const char *trine_gpu_scaled_mm_matrix_refuse(const trine_problem *problem, const trine_caps *caps);
const char *trine_gpu_block_scaled_linear_matrix_refuse(const trine_problem *problem,
                                                        const trine_caps *caps);

const char *trine_gpu_act_and_mul_vector_refuse(const trine_problem *problem,
                                                const trine_caps *caps);
const char *trine_gpu_moe_sum_vector_refuse(const trine_problem *problem, const trine_caps *caps);
const char *trine_gpu_dequantize_vector_refuse(const trine_problem *problem,
                                               const trine_caps *caps);
const char *trine_gpu_fp8_convert_vector_refuse(const trine_problem *problem,
                                                const trine_caps *caps);

const char *trine_gpu_per_token_group_quant_vector_refuse(const trine_problem *problem,
                                                          const trine_caps *caps);
const char *trine_gpu_per_token_group_quant_table_refuse(const trine_problem *problem,
                                                         const trine_caps *caps);

const char *trine_gpu_rotary_embedding_tiled_refuse(const trine_problem *problem,
                                                    const trine_caps *caps);

const char *trine_gpu_fused_moe_matrix_refuse(const trine_problem *problem, const trine_caps *caps);
const char *trine_gpu_fused_moe_matrix_atomic_refuse(const trine_problem *problem,
                                                     const trine_caps *caps);
const char *trine_gpu_fused_moe_matrix_i8_refuse(const trine_problem *problem,
                                                 const trine_caps *caps);
const char *trine_gpu_fused_moe_matrix_i8_atomic_refuse(const trine_problem *problem,
                                                        const trine_caps *caps);
const char *trine_gpu_fused_moe_atomic_refuse(const trine_problem *problem, const trine_caps *caps);
const char *trine_gpu_topk_gating_wave_refuse(const trine_problem *problem, const trine_caps *caps);
const char *trine_gpu_moe_align_block_size_small_refuse(const trine_problem *problem,
                                                        const trine_caps *caps);
const char *trine_gpu_moe_align_block_size_chunked_refuse(const trine_problem *problem,
                                                          const trine_caps *caps);

#endif
