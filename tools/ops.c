// SPDX-License-Identifier: Apache-2.0
/* trine ops: the ops, and which backend has which kernel of each. */
#include "tools/commands.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *number_text(double number, char *text, size_t size)
{
    snprintf(text, size, "%g", number);
    return text;
}

static void dtype_words(uint32_t mask, char *text, size_t size)
{
    text[0] = 0;
    for (int i = 0; i < TRINE_DTYPE_COUNT; i++) {
        if (!(mask & TRINE_DTYPE_BIT(i))) continue;
        if (text[0]) strncat(text, "|", size - strlen(text) - 1);
        strncat(text, trine_dtype_name((trine_dtype)i), size - strlen(text) - 1);
    }
}

static void param_default(const trine_param_description *param, char *text, size_t size)
{
    if (param->required) {
        snprintf(text, size, "required");
    } else if (param->type == TRINE_PARAM_ENUM) {
        text[0] = 0;
        for (const trine_word *word = param->words; word->name; word++) {
            if (word->value == (int32_t)param->default_value)
                snprintf(text, size, "%s", word->name);
        }
    } else if (param->type == TRINE_PARAM_BOOL) {
        snprintf(text, size, "%s", param->default_value != 0 ? "true" : "false");
    } else {
        number_text(param->default_value, text, size);
    }
}

static void print_op(const trine_op_description *op)
{
    char text[160];

    printf("%s (%s)\n  %s\n  dimensions: %s\n", op->name, op->bounded ? "bounded" : "exact",
           op->doc, op->dims);
    for (int i = 0; i < op->tensor_count; i++) {
        const trine_tensor_description *tensor = &op->tensors[i];
        dtype_words(tensor->dtypes, text, sizeof text);
        printf("  %-3s %s%s  [%s]  %s%s%s%s%s%s\n      %s\n",
               tensor->role == TRINE_OUT ? "out" : "in", tensor->name, tensor->optional ? "?" : "",
               tensor->shape, text, tensor->same_dtype ? ", as " : "",
               tensor->same_dtype ? tensor->same_dtype : "", tensor->or_f32 ? " or f32" : "",
               tensor->alias ? ", may be " : "", tensor->alias ? tensor->alias : "", tensor->doc);
    }
    for (int i = 0; i < op->param_count; i++) {
        const trine_param_description *param = &op->params[i];
        param_default(param, text, sizeof text);
        printf("  param %s (%s): %s", param->name, text, param->doc);
        for (const trine_word *word = param->words;
             param->type == TRINE_PARAM_ENUM && word && word->name; word++)
            printf("%s%s", word == param->words ? ": " : "|", word->name);
        putchar('\n');
    }
}

static json_t *op_json(const trine_op_description *op, const trine_context *context)
{
    json_t *tensors = json_array(), *params = json_array(), *rows = json_array();
    const trine_row *row;
    char text[160];

    for (int i = 0; i < op->tensor_count; i++) {
        const trine_tensor_description *tensor = &op->tensors[i];
        dtype_words(tensor->dtypes, text, sizeof text);
        json_array_append_new(
            tensors, json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "name", tensor->name, "role",
                               tensor->role == TRINE_OUT ? "out" : "in", "shape", tensor->shape,
                               "dtypes", text, "optional", tensor->optional, "doc", tensor->doc));
    }
    for (int i = 0; i < op->param_count; i++) {
        const trine_param_description *param = &op->params[i];
        json_t *words = json_array();
        param_default(param, text, sizeof text);
        for (const trine_word *word = param->words;
             param->type == TRINE_PARAM_ENUM && word && word->name; word++)
            json_array_append_new(words, json_string(word->name));
        json_array_append_new(params, json_pack("{s:s, s:s, s:s, s:o}", "name", param->name, "doc",
                                                param->doc, "default", text, "words", words));
    }
    for (size_t i = 0; (row = trine_row_at(context, op->op, i)) != NULL; i++)
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:b, s:b}", "name", row->name,
                                              "backend", trine_backend_name(row->backend), "doc",
                                              row->doc ? row->doc : "", "deterministic",
                                              (row->flags & TRINE_ROW_DETERMINISTIC) != 0, "loaded",
                                              row->launch != NULL));
    return json_pack("{s:s, s:s, s:b, s:s, s:o, s:o, s:o}", "name", op->name, "doc", op->doc,
                     "bounded", op->bounded, "dims", op->dims, "tensors", tensors, "params", params,
                     "rows", rows);
}

/* Kernels of one op on one backend: "rows, reference"; (name) when its module is not loaded. */
static void backend_rows(const trine_context *context, int32_t op, trine_backend backend,
                         char *text, size_t size)
{
    const trine_row *row;

    text[0] = 0;
    for (size_t i = 0; (row = trine_row_at(context, op, i)) != NULL; i++) {
        if (row->backend != backend) continue;
        const size_t used = strlen(text);
        snprintf(text + used, size - used, "%s%s%s%s", used ? ", " : "", row->launch ? "" : "(",
                 row->name, row->launch ? "" : ")");
    }
    if (!text[0]) snprintf(text, size, "-");
}

static void print_table(const trine_context *context)
{
    char text[3][160];

    printf("%-22s %-8s %-28s %-28s %s\n", "op", "verdict", "host", "cuda", "hip");
    for (int32_t op = 0; op < TRINE_OP_COUNT; op++) {
        for (int b = 0; b < 3; b++)
            backend_rows(context, op, (trine_backend)b, text[b], sizeof text[b]);
        printf("%-22s %-8s %-28s %-28s %s\n", trine_op_describe(op)->name,
               trine_op_describe(op)->bounded ? "bounded" : "exact", text[0], text[1], text[2]);
    }
    printf("(name): the kernel is known here, its module is not loaded\n");
}

static int run_ops(const arguments *arguments)
{
    trine_context *context;
    json_t *list = json_array();
    int code = EXIT_GOOD;

    if (trine_context_create(NULL, &context)) return complain_of("ops", TRINE_BACKEND_ERROR);
    for (size_t i = 0; i < arguments->positional_count && !code; i++) {
        const int32_t op = trine_op_from_name(arguments->positional[i]);
        if (op < 0)
            code = complain("no op is named \"%s\"", arguments->positional[i]);
        else if (arguments->json)
            json_array_append_new(list, op_json(trine_op_describe(op), context));
        else
            print_op(trine_op_describe(op));
    }
    if (arguments->positional_count == 0 && !arguments->json) print_table(context);
    for (int32_t op = 0; arguments->positional_count == 0 && op < TRINE_OP_COUNT; op++)
        json_array_append_new(list, op_json(trine_op_describe(op), context));
    if (arguments->json && !code) print_json(json_pack("{s:O}", "ops", list));
    json_decref(list);
    trine_context_destroy(&context);
    return code;
}

const command command_ops = {
    .name = "ops",
    .usage = "[OP...]",
    .doc = "List the ops and the kernels that each backend has of them.\n\nWith OP, its tensors, "
           "dimensions and params.",
    .run = run_ops,
};
