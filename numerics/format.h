// SPDX-License-Identifier: Apache-2.0
// All number formats: storage is a plain uint16_t, uint8_t or int8_t; the name of the function says
// the format.
#ifndef TRINE_NUMERICS_FORMAT_H
#define TRINE_NUMERICS_FORMAT_H

#include "numerics/bf16.h"
#include "numerics/f16.h"
#include "numerics/f64.h"
#include "numerics/fp8.h"
#include "numerics/int8.h"
#include "numerics/ue8m0.h"

#endif
