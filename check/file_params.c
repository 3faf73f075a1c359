// SPDX-License-Identifier: Apache-2.0
/* Params as JSON objects. */
#include "check/file_case.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

static trine_status set_param(trine_plan *plan, const char *name, const json_t *value)
{
    char text[64];

    if (json_is_string(value)) {
        snprintf(text, sizeof text, "%s", json_string_value(value));
    } else if (json_is_boolean(value)) {
        snprintf(text, sizeof text, "%s", json_is_true(value) ? "true" : "false");
    } else if (json_is_integer(value)) {
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_real(value)) {
        snprintf(text, sizeof text, "%.17g", json_real_value(value));
    } else {
        return trine_fail(TRINE_INVALID_ARGUMENT,
                          "params: %.64s must be a string, a number or a bool", name);
    }
    return trine_args_set_param(plan->op->op, &plan->args, name, text);
}

trine_status trine_plan_read_params(trine_plan *plan, const char *json)
{
    json_error_t error;
    json_t *params = json_loads(json, JSON_REJECT_DUPLICATES, &error), *value;
    const char *name;
    trine_status status = TRINE_OK;

    if (!json_is_object(params)) {
        json_decref(params);
        return trine_fail(TRINE_INVALID_ARGUMENT, "params must be a JSON object%s%s",
                          error.text[0] ? ": " : "", error.text);
    }
    json_object_foreach(params, name, value)
    {
        if (!status) status = set_param(plan, name, value);
    }
    json_decref(params);
    return status;
}

static json_t *param_value(const trine_plan *plan, const trine_param_description *param)
{
    const double number = trine_plan_number(plan, param->name);
    char text[64];

    switch (param->type) {
    case TRINE_PARAM_INT:
        return json_integer((json_int_t)number);
    case TRINE_PARAM_BOOL:
        return json_boolean(number != 0);
    case TRINE_PARAM_FLOAT:
        return json_real(number);
    default:
        if (trine_args_get_param(plan->op->op, &plan->args, param->name, text, sizeof text))
            return NULL;
        return json_string(text);
    }
}

char *trine_plan_write_params(const trine_plan *plan)
{
    json_t *params = json_object();
    char *text = NULL;

    for (int i = 0; params && i < plan->op->param_count; i++) {
        const trine_param_description *param = &plan->op->params[i];
        const double number = trine_plan_number(plan, param->name);
        if (!param->required &&
            (number == param->default_value || number == (double)(float)param->default_value))
            continue;
        json_object_set_new(params, param->name, param_value(plan, param));
    }
    if (params) text = json_dumps(params, JSON_COMPACT);
    json_decref(params);
    return text;
}
