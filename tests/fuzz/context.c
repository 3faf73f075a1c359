// SPDX-License-Identifier: Apache-2.0
/* What the environment may hold: the strings that simulate devices, mask features, force rows. */
#include <stdlib.h>
#include <string.h>
#include <trine/trine.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    trine_context_params params = TRINE_CONTEXT_PARAMS_INIT;
    trine_context *context = NULL;
    char *text = malloc(size + 1), *second, *third = NULL;

    if (!text) return 0;
    memcpy(text, bytes, size);
    text[size] = 0;
    second = strchr(text, '\n');
    if (second) *second++ = 0;
    if (second && (third = strchr(second, '\n')) != NULL) *third++ = 0;
    params.ignore_environment = true;
    params.no_modules = true;
    params.simulate = text;
    params.mask = second;
    params.kernel = third;
    if (trine_context_create(&params, &context)) {
        if (context || !trine_last_error()[0]) abort();
    } else if (!trine_device_at(context, 0)) {
        abort();
    }
    trine_context_destroy(&context);
    trine_caps caps;
    if (trine_known_device_caps(text, &caps) && !trine_last_error()[0]) abort();
    free(text);
    return 0;
}
