// SPDX-License-Identifier: Apache-2.0
// The kernels of per_token_group_quant's row `vector`, compiled one activation a file; NULL when
// there is none for a problem.
#ifndef TRINE_BACKENDS_HIP_GROUP_QUANT_H
#define TRINE_BACKENDS_HIP_GROUP_QUANT_H

#include <trine/kernel.h>

const void *trine_hip_group_quant_plain(const trine_per_token_group_quant_problem *problem);
const void *trine_hip_group_quant_silu(const trine_per_token_group_quant_problem *problem);
const void *trine_hip_group_quant_gelu_erf(const trine_per_token_group_quant_problem *problem);
const void *trine_hip_group_quant_gelu_tanh(const trine_per_token_group_quant_problem *problem);

#endif
