// SPDX-License-Identifier: Apache-2.0
#include "check/twin.h"

#include <stdio.h>
#include <string.h>

static int64_t count_of(const trine_layout *layout)
{
    int64_t count = 1;

    for (int d = 0; d < layout->rank; d++) count *= layout->shape[d];
    return count;
}

static void convert_codes(uint8_t *codes, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        if (codes[i] == 0x80)
            codes[i] = 0x00; /* -0, which e4m3fnuz lacks */
        else if ((codes[i] & 0x7f) == 0x7f)
            codes[i] = 0x80; /* NaN */
    }
}

static void double_bytes(uint8_t *scales, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (scales[i] < 254) scales[i]++;
}

static trine_status double_scales(trine_plan *plan, trine_data *data, int index)
{
    const int64_t count = count_of(&plan->layout[index]);
    float *wide = data->values[index];

    switch (plan->layout[index].dtype) {
    case TRINE_F32:
        for (int64_t i = 0; i < count; i++) wide[i] *= 2;
        return TRINE_OK;
    case TRINE_I32:
        double_bytes(data->values[index], 4 * count);
        return TRINE_OK;
    case TRINE_U8:
        double_bytes(data->values[index], count);
        return TRINE_OK;
    default:
        return trine_fail(TRINE_UNSUPPORTED, "scale %s is %s: it can't be doubled",
                          plan->op->tensors[index].name,
                          trine_dtype_name(plan->layout[index].dtype));
    }
}

/* "w1" has "w1_scale", and an op with one scale calls it "scale". */
static int scale_of(const trine_plan *plan, const char *codes)
{
    char name[64];

    snprintf(name, sizeof name, "%s_scale", codes);
    const int own = trine_plan_tensor(plan->op, name);
    return own >= 0 ? own : trine_plan_tensor(plan->op, "scale");
}

/* Static scales of activations that the op itself quantizes to its weights' format. */
static trine_status double_activation_scales(trine_plan *plan, trine_data *data)
{
    static const char *const names[] = {"a1_scale", "a2_scale"};
    trine_status status = TRINE_OK;

    for (size_t i = 0; i < sizeof names / sizeof *names && !status; i++) {
        const int index = trine_plan_tensor(plan->op, names[i]);
        if (index >= 0 && plan->present[index] && data->values[index])
            status = double_scales(plan, data, index);
    }
    return status;
}

trine_status trine_file_case_twin(trine_file_case *entry)
{
    trine_plan *plan = &entry->plan;
    bool converted = false, inputs = false;
    trine_status status = TRINE_OK;

    if (plan->op->op == TRINE_OP_FP8_CONVERT)
        return trine_fail(TRINE_UNSUPPORTED, "fp8_convert makes e4m3fnuz itself: it has no twin");
    for (int i = 0; i < plan->op->tensor_count && !status; i++) {
        if (!plan->present[i] || plan->layout[i].dtype != TRINE_E4M3FN) continue;
        plan->layout[i].dtype = TRINE_E4M3FNUZ;
        converted = true;
        if (!entry->data.values[i]) continue;
        convert_codes(entry->data.values[i], count_of(&plan->layout[i]));
        const int scale = scale_of(plan, plan->op->tensors[i].name);
        inputs = true;
        if (scale >= 0 && plan->present[scale] && entry->data.values[scale])
            status = double_scales(plan, &entry->data, scale);
    }
    if (!status && inputs && plan->op->op == TRINE_OP_FUSED_MOE)
        status = double_activation_scales(plan, &entry->data);
    if (!status && !converted)
        status =
            trine_fail(TRINE_UNSUPPORTED, "the call of %s has no e4m3fn tensor", plan->op->name);
    return status;
}
