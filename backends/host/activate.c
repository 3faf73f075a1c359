// SPDX-License-Identifier: Apache-2.0
/* Activation of a run: one loop per step, each a vector loop without branches. */
#include "backends/host/activate.h"

#include "numerics/activation.h"

void trine_activate_run(const trine_host_activation *a, float *restrict gate, float *restrict up,
                        int64_t count)
{
    if (a->limit > 0.0f)
        for (int64_t i = 0; i < count; i++)
            gate[i] = trine_swiglu_oai_limit_gate(gate[i], a->limit);
    switch (a->activation) {
    case TRINE_ACTIVATION_SILU:
        for (int64_t i = 0; i < count; i++) gate[i] = trine_silu(gate[i]);
        break;
    case TRINE_ACTIVATION_GELU_ERF:
        for (int64_t i = 0; i < count; i++) gate[i] = trine_gelu_erf(gate[i]);
        break;
    case TRINE_ACTIVATION_GELU_TANH:
        for (int64_t i = 0; i < count; i++) gate[i] = trine_gelu_tanh(gate[i]);
        break;
    case TRINE_ACTIVATION_RELU2:
        for (int64_t i = 0; i < count; i++) gate[i] = trine_relu2(gate[i]);
        break;
    case TRINE_ACTIVATION_SWIGLU_OAI:
        for (int64_t i = 0; i < count; i++) gate[i] = trine_swiglu_oai_gate(gate[i], a->alpha);
        break;
    default:
        break;
    }
    if (!a->gated) return;
    if (a->rounding == TRINE_ROUND_EACH) trine_round_run(gate, a->dtype, count);
    if (a->limit > 0.0f)
        for (int64_t i = 0; i < count; i++) up[i] = trine_swiglu_oai_limit_up(up[i], a->limit);
    if (a->activation == TRINE_ACTIVATION_SWIGLU_OAI)
        for (int64_t i = 0; i < count; i++) up[i] = up[i] + 1.0f;
    for (int64_t i = 0; i < count; i++) gate[i] = gate[i] * up[i];
}
