// SPDX-License-Identifier: Apache-2.0
/* From choices to a call. */
#ifndef TRINE_CHECK_CASE_PLAN_H
#define TRINE_CHECK_CASE_PLAN_H

#include "check/cases.h"

enum {
    TRINE_SIZE_SMALL,
    TRINE_SIZE_ODD,
    TRINE_SIZE_TILE,
    TRINE_SIZE_LARGE,
    TRINE_SIZE_EMPTY,
    TRINE_SIZE_CLASSES
};
enum {
    TRINE_LAYOUT_PACKED,
    TRINE_LAYOUT_STRIDED,
    TRINE_LAYOUT_PITCHED,
    TRINE_LAYOUT_MISALIGNED,
    TRINE_LAYOUT_BOTH,
    TRINE_LAYOUT_BROADCAST,
    TRINE_LAYOUT_OUTPUTS, /* inputs pitched; outputs strided, misaligned or both */
    TRINE_LAYOUT_CLASSES
};

/* Makes entry->plan and entry->pattern from entry->choice and entry->key. Choices of factors that
 * are not pinned give way where they can't be: the presence of a tensor, its form, its dtype. False
 * when the call would still be illegal, or too large. */
bool trine_case_plan(const trine_cases *cases, trine_case *entry,
                     const bool pinned[TRINE_MAX_FACTORS]);

#endif
