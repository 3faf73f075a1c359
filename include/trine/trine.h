// SPDX-License-Identifier: Apache-2.0
/** @file trine.h The whole API in one include. */
#ifndef TRINE_TRINE_H
#define TRINE_TRINE_H

#include <trine/core.h>
#include <trine/describe.h>
#include <trine/kernel.h>
#include <trine/ops.h>

#endif
