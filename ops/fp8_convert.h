// SPDX-License-Identifier: Apache-2.0
/* Numbers of fp8_convert's tensors and params, for rows. */
#ifndef TRINE_OPS_FP8_CONVERT_H
#define TRINE_OPS_FP8_CONVERT_H

enum {
    TRINE_FP8_CONVERT_W,
    TRINE_FP8_CONVERT_SCALE,
    TRINE_FP8_CONVERT_OUT,
    TRINE_FP8_CONVERT_OUT_SCALE,
    TRINE_FP8_CONVERT_TENSORS
};

enum { TRINE_FP8_CONVERT_PARAMS };

#endif
