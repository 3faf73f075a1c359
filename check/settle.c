// SPDX-License-Identifier: Apache-2.0
/* Filling in what a caller left open. */
#include "check/settle.h"

#include "check/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TRIES 20000

/* Likeliest first; e4m3fn stands for the device's encoding, e4m3fnuz for the other one. */
static const trine_dtype value_order[TRINE_DTYPE_COUNT] = {TRINE_BF16, TRINE_E4M3FN,   TRINE_I8,
                                                           TRINE_F32,  TRINE_F16,      TRINE_U8,
                                                           TRINE_I32,  TRINE_E4M3FNUZ, TRINE_E5M2};
static const trine_dtype scale_order[TRINE_DTYPE_COUNT] = {TRINE_F32,      TRINE_I32,  TRINE_U8,
                                                           TRINE_BF16,     TRINE_F16,  TRINE_E4M3FN,
                                                           TRINE_E4M3FNUZ, TRINE_E5M2, TRINE_I8};

/* The attempt-th dtype to try for a tensor. False: no more. */
static bool candidate(const trine_plan *plan, int index, trine_dtype fp8, unsigned attempt,
                      trine_dtype *dtype)
{
    const trine_tensor_description *tensor = &plan->op->tensors[index];
    const trine_dtype *order = tensor->domain == TRINE_DOMAIN_SCALE ? scale_order : value_order;
    const int other = tensor->same_dtype ? trine_plan_tensor(plan->op, tensor->same_dtype) : -1;

    if (other >= 0 && plan->present[other]) {
        *dtype = attempt ? TRINE_F32 : plan->layout[other].dtype;
        return attempt < (tensor->or_f32 ? 2u : 1u);
    }
    for (int i = 0; i < TRINE_DTYPE_COUNT; i++) {
        trine_dtype type = order[i];
        if (fp8 == TRINE_E4M3FNUZ && (type == TRINE_E4M3FN || type == TRINE_E4M3FNUZ))
            type = type == TRINE_E4M3FN ? TRINE_E4M3FNUZ : TRINE_E4M3FN;
        if (tensor->dtypes & TRINE_DTYPE_BIT(type) && attempt-- == 0) {
            *dtype = type;
            return true;
        }
    }
    return false;
}

/* Sets the dtypes that the odometer's digits say, in table order: ties look at earlier tensors. */
static void apply(trine_plan *plan, const bool *open, trine_dtype fp8, const unsigned *digit)
{
    for (int i = 0; i < plan->op->tensor_count; i++) {
        if (open[i] && plan->present[i]) candidate(plan, i, fp8, digit[i], &plan->layout[i].dtype);
    }
}

/* The next combination; false when all were seen. */
static bool advance(const trine_plan *plan, const bool *open, trine_dtype fp8, unsigned *digit)
{
    trine_dtype unused;

    for (int i = plan->op->tensor_count - 1; i >= 0; i--) {
        if (!open[i] || !plan->present[i]) continue;
        if (candidate(plan, i, fp8, ++digit[i], &unused)) return true;
        digit[i] = 0;
    }
    return false;
}

trine_status trine_plan_settle(trine_plan *plan, const bool open[TRINE_MAX_TENSORS],
                               trine_dtype fp8, trine_context *context, DLDevice device)
{
    unsigned digit[TRINE_MAX_TENSORS] = {0};
    trine_status status;

    for (int tries = 0;; tries++) {
        apply(plan, open, fp8, digit);
        trine_plan_arrange(plan);
        status = trine_plan_validate(plan, context, device, NULL);
        if (status != TRINE_INVALID_DTYPE || tries == MAX_TRIES || !advance(plan, open, fp8, digit))
            break;
    }
    if (status != TRINE_INVALID_DTYPE) return status;
    /* No combination is legal: tell the reason of the likeliest one. */
    memset(digit, 0, sizeof digit);
    apply(plan, open, fp8, digit);
    return trine_plan_validate(plan, context, device, NULL);
}

/* ---------------------------------------------------------------- words */

/* The next "name=value" (or "name" when there is no "=") of a list; false at its end. */
static bool next_entry(const char **at, char *name, size_t name_size, char *value,
                       size_t value_size, trine_status *status)
{
    if (!*at || !**at || *status) return false;
    const size_t length = strcspn(*at, ",");
    const char *equals = memchr(*at, '=', length);
    const size_t name_length = equals ? (size_t)(equals - *at) : length;
    const size_t value_length = equals ? length - name_length - 1 : 0;

    if (name_length == 0 || name_length >= name_size || value_length >= value_size) {
        *status = trine_fail(TRINE_INVALID_ARGUMENT, "\"%.*s\" is no entry of a list like A=1,B=2",
                             (int)(length < 80 ? length : 80), *at);
        return false;
    }
    memcpy(name, *at, name_length);
    name[name_length] = 0;
    if (equals) memcpy(value, equals + 1, value_length);
    value[value_length] = 0;
    *at += length;
    *at += **at == ',';
    return true;
}

static trine_status read_shape(const trine_op_description *op, const char *text, trine_dims *dims)
{
    char name[8], value[32], *end;
    trine_status status = TRINE_OK;

    trine_dims_of_op(op, dims);
    while (next_entry(&text, name, sizeof name, value, sizeof value, &status)) {
        bool known = false;
        for (size_t i = 0; i < dims->count; i++) known |= strcmp(dims->names[i], name) == 0;
        if (!known)
            return trine_fail(TRINE_INVALID_ARGUMENT, "%s has no dimension %s; it has %s", op->name,
                              name, op->dims);
        errno = 0;
        const long long size = strtoll(value, &end, 10);
        if (end == value || *end || errno || size < 0)
            return trine_fail(TRINE_INVALID_SHAPE,
                              "dimension %s is \"%s\": must be a whole number that is not negative",
                              name, value);
        trine_dims_set(dims, name, size);
    }
    return status;
}

static trine_status read_dtypes(trine_plan *plan, const char *text, bool *open)
{
    char name[48], value[32];
    trine_status status = TRINE_OK;

    while (next_entry(&text, name, sizeof name, value, sizeof value, &status)) {
        const int index = trine_plan_tensor(plan->op, name);
        const trine_dtype dtype = trine_dtype_from_name(value);
        if (index < 0)
            return trine_fail(TRINE_INVALID_ARGUMENT, "%s has no tensor %s", plan->op->name, name);
        if (dtype == TRINE_DTYPE_COUNT)
            return trine_fail(TRINE_INVALID_DTYPE, "%s: \"%s\" is no dtype", name, value);
        plan->layout[index].dtype = dtype;
        open[index] = false;
    }
    return status;
}

static trine_status read_with(const trine_plan *plan, const char *text, bool *wanted)
{
    char name[48], value[2];
    trine_status status = TRINE_OK;

    while (next_entry(&text, name, sizeof name, value, sizeof value, &status)) {
        const int index = trine_plan_tensor(plan->op, name);
        if (index < 0)
            return trine_fail(TRINE_INVALID_ARGUMENT, "%s has no tensor %s", plan->op->name, name);
        wanted[index] = true;
    }
    return status;
}

static trine_status unknown_letter(const trine_plan *plan, const trine_dims *dims, int tensor)
{
    char missing[256] = "";

    for (size_t i = 0; i < dims->count; i++) {
        if (dims->values[i] >= 0) continue;
        strncat(missing, missing[0] ? ", " : "", sizeof missing - strlen(missing) - 1);
        strncat(missing, dims->names[i], sizeof missing - strlen(missing) - 1);
    }
    return trine_fail(TRINE_INVALID_SHAPE,
                      "the shape of %s (%s) needs dimensions that were not given or don't fit; not "
                      "given: %s",
                      plan->op->tensors[tensor].name, plan->op->tensors[tensor].shape,
                      missing[0] ? missing : "none");
}

trine_status trine_plan_from_request(trine_plan *plan, const trine_request *request,
                                     trine_dtype fp8, trine_context *context, DLDevice device)
{
    const int32_t op = trine_op_from_name(request->op);
    bool wanted[TRINE_MAX_TENSORS] = {false}, open[TRINE_MAX_TENSORS];
    trine_dims dims;
    trine_status status;

    for (int i = 0; i < TRINE_MAX_TENSORS; i++) open[i] = true;
    if (op < 0) return trine_fail(TRINE_INVALID_ARGUMENT, "no op is named \"%.64s\"", request->op);
    status = trine_plan_init(plan, op);
    for (size_t i = 0; i < request->param_count && !status; i++)
        status = trine_args_set_param(op, &plan->args, request->names[i], request->values[i]);
    if (!status) status = read_shape(plan->op, request->shape, &dims);
    if (!status) status = read_dtypes(plan, request->dtype, open);
    if (!status) status = read_with(plan, request->with, wanted);
    for (int i = 0; i < plan->op->tensor_count && !status; i++) {
        trine_need need = TRINE_NEED_ABSENT;
        status = trine_dims_need(plan, &dims, i, &need);
        if (status) break;
        if (need == TRINE_NEED_ABSENT || (need == TRINE_NEED_OPTIONAL && !wanted[i])) continue;
        if (!trine_dims_shape(plan, &dims, i, 0)) return unknown_letter(plan, &dims, i);
        plan->present[i] = true;
    }
    return status ? status : trine_plan_settle(plan, open, fp8, context, device);
}
