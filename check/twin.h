// SPDX-License-Identifier: Apache-2.0
/* The FNUZ twin of a call: what an engine makes of an OCP checkpoint on gfx942. */
#ifndef TRINE_CHECK_TWIN_H
#define TRINE_CHECK_TWIN_H

#include "check/file_case.h"

/*
 * Turns a file's call into one with e4m3fnuz wherever it has e4m3fn: the bytes of codes that go in
 * are kept as fp8_convert keeps them, so each means half as much, and the scales that belong to
 * them are doubled; codes that come out change their dtype. Expected tensors no longer apply.
 * TRINE_UNSUPPORTED when the call has no e4m3fn, or converts it.
 */
trine_status trine_file_case_twin(trine_file_case *entry);

#endif
