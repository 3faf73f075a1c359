// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/suite/suite.h"

void suite_big(suite *s)
{
    suite_skip(s, "nothing yet");
}
