// SPDX-License-Identifier: Apache-2.0
#include "tests/ops/call_text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POISON = 0xa5, MOST_MEMORY = 1 << 22 };

static int tensor_index(const test_call *call, const char *name)
{
    for (int i = 0; i < call->op->tensor_count; i++)
        if (!strcmp(call->op->tensors[i].name, name)) return i;
    return -1;
}

static const trine_param_description *param_of(const test_call *call, const char *name)
{
    for (int i = 0; i < call->op->param_count; i++)
        if (!strcmp(call->op->params[i].name, name)) return &call->op->params[i];
    return NULL;
}

/* Numbers between the brackets that `text` starts with; returns how many. */
static int numbers_read(const char *text, int64_t *numbers)
{
    int count = 0;
    char *end = (char *)text + 1;
    while (*end != ')' && *end != ']') {
        cr_assert_lt(count, 16);
        char *from = end;
        numbers[count++] = strtoll(from, &end, 0);
        cr_assert(end != from, "a number expected at \"%s\"", from);
        if (*end == ',') end++;
    }
    return count;
}

static void option_read(test_call *call, int index, char *option, int *inside, int64_t *offset)
{
    test_tensor *t = &call->tensors[index];
    int64_t numbers[16];
    char *open = strchr(option, '(');
    if (!strncmp(option, "strides(", 8)) {
        numbers_read(open, t->strides);
        t->has_strides = true;
    } else if (!strncmp(option, "offset(", 7)) {
        numbers_read(open, numbers);
        t->tensor.byte_offset = (uint64_t)numbers[0];
    } else if (!strncmp(option, "on(", 3)) {
        numbers_read(open, numbers);
        t->tensor.device.device_type = (DLDeviceType)numbers[0];
        t->tensor.device.device_id = (int32_t)numbers[1];
    } else if (!strncmp(option, "in(", 3)) {
        char *comma = strchr(open, ',');
        cr_assert(comma);
        *comma = 0;
        *inside = tensor_index(call, open + 1);
        cr_assert_geq(*inside, 0);
        *offset = strtoll(comma + 1, NULL, 0);
    } else if (!strncmp(option, "ndim(", 5)) {
        numbers_read(open, numbers);
        t->tensor.ndim = (int32_t)numbers[0];
    } else if (!strncmp(option, "code(", 5)) {
        numbers_read(open, numbers);
        t->tensor.dtype =
            (DLDataType){(uint8_t)numbers[0], (uint8_t)numbers[1], (uint16_t)numbers[2]};
    } else if (!strcmp(option, "null")) {
        *inside = -2;
    } else if (!strcmp(option, "noshape")) {
        t->tensor.shape = NULL;
    } else if (!strcmp(option, "zero")) {
        *inside = -3;
    } else {
        cr_assert(0, "no tensor option \"%s\"", option);
    }
}

/* Bytes from data to the end of the last element, at most MOST_MEMORY. */
static size_t extent(const test_tensor *t)
{
    double last = 0, compact = 1;
    for (int i = t->tensor.ndim - 1; i >= 0 && i < 16 && t->tensor.ndim <= 16; i--) {
        if (t->shape[i] <= 0) return 0;
        last += (double)(t->shape[i] - 1) * (t->has_strides ? (double)t->strides[i] : compact);
        compact *= (double)t->shape[i];
    }
    double bytes = (last + 1) * ((t->tensor.dtype.bits + 7) / 8);
    if (bytes < 0) return 0;
    return bytes > MOST_MEMORY ? MOST_MEMORY : (size_t)bytes;
}

static void memory_make(test_call *call, test_tensor *t, int fill)
{
    t->size = extent(t) + (size_t)(t->tensor.byte_offset < 4096 ? t->tensor.byte_offset : 0) + 64;
    t->before = malloc(t->size);
    cr_assert(t->before);
    memset(t->before, fill, t->size);
    cr_assert_eq(trine_device_alloc(call->context, call->device, t->size, &t->memory), TRINE_OK,
                 "%s", trine_last_error());
    cr_assert_eq(
        trine_device_copy(call->context, call->device, t->memory, t->before, t->size, true),
        TRINE_OK, "%s", trine_last_error());
    t->tensor.data = t->memory;
}

static void memory_free(test_call *call, test_tensor *t)
{
    if (t->memory) trine_device_free(call->context, call->device, t->memory);
    free(t->before);
    t->memory = NULL;
    t->before = NULL;
}

static void tensor_set(test_call *call, int index, char *text)
{
    test_tensor *t = &call->tensors[index];
    memory_free(call, t);
    memset(t, 0, sizeof *t);
    trine_args_set_tensor(call->op->op, &call->args, call->op->tensors[index].name, NULL);
    if (!strcmp(text, "none")) return;
    char *bracket = strchr(text, '[');
    cr_assert(bracket, "no shape in \"%s\"", text);
    int dtype = 0;
    while (dtype < TRINE_DTYPE_COUNT &&
           (strncmp(text, trine_dtype_name((trine_dtype)dtype), (size_t)(bracket - text)) != 0 ||
            strlen(trine_dtype_name((trine_dtype)dtype)) != (size_t)(bracket - text)))
        dtype++;
    cr_assert_lt(dtype, TRINE_DTYPE_COUNT, "no dtype in \"%s\"", text);
    t->given = true;
    t->tensor.dtype = trine_dtype_to_dl((trine_dtype)dtype);
    t->tensor.device = call->device;
    t->tensor.shape = t->shape;
    t->tensor.ndim = numbers_read(bracket, t->shape);
    int inside = -1;
    int64_t offset = 0;
    char *option = strchr(bracket, '/');
    while (option) {
        char *next = strchr(++option, '/');
        if (next) *next = 0;
        option_read(call, index, option, &inside, &offset);
        option = next;
    }
    if (t->has_strides) t->tensor.strides = t->strides;
    if (inside >= 0)
        t->tensor.data = (char *)call->tensors[inside].memory + offset;
    else if (inside != -2)
        memory_make(call, t, inside == -3 ? 0 : POISON);
    trine_args_set_tensor(call->op->op, &call->args, call->op->tensors[index].name, &t->tensor);
}

static void raw_param_set(test_call *call, const char *name, const char *value)
{
    const trine_param_description *p = param_of(call, name);
    cr_assert(p, "no param %s", name);
    float number = strtof(value, NULL);
    int32_t integer = (int32_t)strtol(value, NULL, 0);
    void *field = (char *)&call->args + p->offset;
    if (p->type == TRINE_PARAM_FLOAT)
        memcpy(field, &number, sizeof number);
    else
        memcpy(field, &integer, sizeof integer);
}

/* The workspace that the call needs, or the flawed one that `how` names. */
static void workspace_make(test_call *call, const char *how)
{
    size_t size = 0;
    if (trine_op_workspace_size(call->context, call->op->op, &call->args, &size)) size = 0;
    if (size > MOST_MEMORY) size = 0; /* a call that is refused before */
    cr_assert_eq(trine_device_alloc(call->context, call->device, size + 256, &call->workspace),
                 TRINE_OK);
    call->exec.workspace = call->workspace;
    call->exec.workspace_size = size;
    int inside = tensor_index(call, how);
    if (!strcmp(how, "null"))
        call->exec.workspace = NULL;
    else if (!strcmp(how, "short"))
        call->exec.workspace_size -= 1;
    else if (!strcmp(how, "odd"))
        call->exec.workspace = (char *)call->workspace + 1;
    else if (inside >= 0)
        call->exec.workspace = call->tensors[inside].memory;
    else
        cr_assert_str_empty(how);
}

static void word_read(test_call *call, char *word, char *workspace)
{
    char *equals = strchr(word, '=');
    cr_assert(equals, "\"%s\" is no word of a call", word);
    bool raw = equals > word && equals[-1] == ':';
    equals[raw ? -1 : 0] = 0;
    char *value = equals + 1;
    int index = tensor_index(call, word);
    if (!strcmp(word, "args.size")) {
        size_t size = strtoull(value, NULL, 0);
        memcpy(&call->args, &size, sizeof size);
    } else if (!strcmp(word, "exec.size")) {
        call->exec.struct_size = strtoull(value, NULL, 0);
    } else if (!strcmp(word, "exec.flags")) {
        call->exec.flags = (uint32_t)strtoul(value, NULL, 0);
    } else if (!strcmp(word, "exec.workspace")) {
        strcpy(workspace, value);
    } else if (!strcmp(word, "args")) {
        call->no_args = true;
    } else if (!strcmp(word, "context")) {
        call->no_context = true;
    } else if (!strcmp(word, "exec")) {
        call->no_exec = true;
    } else if (raw) {
        raw_param_set(call, word, value);
    } else if (index >= 0) {
        tensor_set(call, index, value);
    } else {
        cr_assert_eq(trine_args_set_param(call->op->op, &call->args, word, value), TRINE_OK, "%s",
                     trine_last_error());
    }
}

void test_call_make(test_call *call, trine_context *context, DLDevice device, const char *base,
                    const char *edit)
{
    char words[sizeof call->text], workspace[40] = "";
    memset(call, 0, sizeof *call);
    call->context = context;
    call->device = device;
    call->exec = (trine_exec)TRINE_EXEC_INIT;
    int length = snprintf(call->text, sizeof call->text, "%s %s", base, edit ? edit : "");
    cr_assert(length > 0 && (size_t)length < sizeof call->text);
    strcpy(words, call->text);
    char *rest, *word = strtok_r(words, " ", &rest);
    call->op = trine_op_describe(trine_op_from_name(word));
    cr_assert(call->op, "no op \"%s\"", word);
    trine_args_init(call->op->op, &call->args);
    while ((word = strtok_r(NULL, " ", &rest))) word_read(call, word, workspace);
    workspace_make(call, workspace);
}

trine_status test_call_run(test_call *call)
{
    return trine_op_run(call->no_context ? NULL : call->context, call->no_exec ? NULL : &call->exec,
                        call->op->op, call->no_args ? NULL : &call->args);
}

unsigned char *test_call_read(const test_call *call, const char *tensor, size_t *size)
{
    const test_tensor *t = &call->tensors[tensor_index(call, tensor)];
    unsigned char *now = malloc(t->size);
    cr_assert(now && t->memory);
    cr_assert_eq(trine_device_synchronize(call->context, call->device), TRINE_OK);
    cr_assert_eq(trine_device_copy(call->context, call->device, now, t->memory, t->size, false),
                 TRINE_OK, "%s", trine_last_error());
    *size = t->size;
    return now;
}

size_t test_call_changed(test_call *call)
{
    size_t changed = 0;
    for (int i = 0; i < call->op->tensor_count; i++) {
        size_t size;
        if (!call->tensors[i].memory) continue;
        unsigned char *now = test_call_read(call, call->op->tensors[i].name, &size);
        for (size_t b = 0; b < size; b++) changed += now[b] != call->tensors[i].before[b];
        free(now);
    }
    return changed;
}

void test_call_free(test_call *call)
{
    for (int i = 0; i < call->op->tensor_count; i++) memory_free(call, &call->tensors[i]);
    if (call->workspace) trine_device_free(call->context, call->device, call->workspace);
    call->workspace = NULL;
}
