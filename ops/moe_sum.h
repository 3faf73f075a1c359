// SPDX-License-Identifier: Apache-2.0
/* Numbers of moe_sum's tensors and params, for rows. */
#ifndef TRINE_OPS_MOE_SUM_H
#define TRINE_OPS_MOE_SUM_H

enum { TRINE_MOE_SUM_Y, TRINE_MOE_SUM_OUT, TRINE_MOE_SUM_TENSORS };

enum { TRINE_MOE_SUM_SCALING_FACTOR, TRINE_MOE_SUM_ACCUMULATE, TRINE_MOE_SUM_PARAMS };

#endif
