// SPDX-License-Identifier: Apache-2.0
/* Args structs by name and text, and dimension letters. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trine/describe.h>

static trine_status op_fail(int32_t op)
{
    return trine_fail(TRINE_INVALID_ARGUMENT, "op is %d, must be 0 to %d", op, TRINE_OP_COUNT - 1);
}

static trine_status args_fail(const trine_op_description *d)
{
    return trine_fail(TRINE_INVALID_ARGUMENT, "%s: args is NULL", d->name);
}

static const trine_param_description *param_find(const trine_op_description *d, const char *name)
{
    for (int i = 0; name && i < d->param_count; i++)
        if (!strcmp(d->params[i].name, name)) return &d->params[i];
    trine_fail(TRINE_INVALID_ARGUMENT, "%s: no param is named \"%s\"", d->name,
               name ? name : "(null)");
    return NULL;
}

static void param_store(const trine_param_description *p, void *args, double value)
{
    void *field = (char *)args + p->offset;
    if (p->type == TRINE_PARAM_FLOAT) {
        float number = (float)value;
        memcpy(field, &number, sizeof number);
    } else {
        int32_t number = (int32_t)value;
        memcpy(field, &number, sizeof number);
    }
}

trine_status trine_args_init(int32_t op, void *args)
{
    const trine_op_description *d = trine_op_describe(op);
    if (!d) return op_fail(op);
    if (!args) return args_fail(d);
    memset(args, 0, d->args_size);
    memcpy(args, &d->args_size, sizeof d->args_size);
    for (int i = 0; i < d->tensor_count; i++) {
        const DLTensor *none = NULL;
        memcpy((char *)args + d->tensors[i].offset, &none, sizeof none);
    }
    for (int i = 0; i < d->param_count; i++)
        param_store(&d->params[i], args, d->params[i].default_value);
    return TRINE_OK;
}

/* "a, b or c" */
static const char *words_text(const trine_word *words, char *text, size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (const trine_word *w = words; w->name; w++) {
        const char *before = w == words ? "" : w[1].name ? ", " : " or ";
        int n = snprintf(text + used, size - used, "%s%s", before, w->name);
        if (n < 0 || (size_t)n >= size - used) break;
        used += (size_t)n;
    }
    return text;
}

static trine_status enum_set(const trine_op_description *d, const trine_param_description *p,
                             void *args, const char *value)
{
    char text[256];
    for (const trine_word *w = p->words; w->name; w++)
        if (!strcmp(w->name, value)) {
            param_store(p, args, w->value);
            return TRINE_OK;
        }
    return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s is \"%s\", must be %s", d->name, p->name,
                      value, words_text(p->words, text, sizeof text));
}

static trine_status bool_set(const trine_op_description *d, const trine_param_description *p,
                             void *args, const char *value)
{
    bool yes = !strcmp(value, "true") || !strcmp(value, "1");
    if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s is \"%s\", must be true or false",
                          d->name, p->name, value);
    param_store(p, args, yes);
    return TRINE_OK;
}

/* True when all of `value` is one number. */
static bool number_ends(const char *value, const char *end)
{
    return end != value && !*end && !isspace((unsigned char)value[0]);
}

trine_status trine_args_set_param(int32_t op, void *args, const char *name, const char *value)
{
    const trine_op_description *d = trine_op_describe(op);
    if (!d) return op_fail(op);
    if (!args) return args_fail(d);
    const trine_param_description *p = param_find(d, name);
    if (!p) return TRINE_INVALID_ARGUMENT;
    if (!value) return trine_fail(TRINE_INVALID_ARGUMENT, "%s: value of %s is NULL", d->name, name);
    if (p->type == TRINE_PARAM_ENUM) return enum_set(d, p, args, value);
    if (p->type == TRINE_PARAM_BOOL) return bool_set(d, p, args, value);
    char *end;
    errno = 0;
    if (p->type == TRINE_PARAM_INT) {
        long long number = strtoll(value, &end, 10);
        if (!number_ends(value, end) || errno || number < INT32_MIN || number > INT32_MAX)
            return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s is \"%s\", must be an integer",
                              d->name, name, value);
        param_store(p, args, (double)number);
        return TRINE_OK;
    }
    float number = strtof(value, &end);
    if (!number_ends(value, end) || !(number - number == 0.0f))
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s is \"%s\", must be a finite number",
                          d->name, name, value);
    memcpy((char *)args + p->offset, &number, sizeof number);
    return TRINE_OK;
}

/* True when a struct of `args`' size has the four bytes at `offset`. */
static bool field_given(const void *args, size_t offset)
{
    size_t given;
    memcpy(&given, args, sizeof given);
    return offset + 4 <= given;
}

trine_status trine_args_get_param(int32_t op, const void *args, const char *name, char *text,
                                  size_t size)
{
    const trine_op_description *d = trine_op_describe(op);
    if (!d) return op_fail(op);
    if (!args) return args_fail(d);
    const trine_param_description *p = param_find(d, name);
    if (!p) return TRINE_INVALID_ARGUMENT;
    if (!text || !size)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: text for %s has no room", d->name, name);
    int32_t integer = (int32_t)p->default_value;
    float number = (float)p->default_value;
    if (field_given(args, p->offset)) {
        memcpy(&integer, (const char *)args + p->offset, sizeof integer);
        memcpy(&number, (const char *)args + p->offset, sizeof number);
    }
    int length = -1;
    if (p->type == TRINE_PARAM_FLOAT) {
        length = snprintf(text, size, "%.9g", (double)number);
    } else if (p->type == TRINE_PARAM_BOOL) {
        length = snprintf(text, size, "%s", integer ? "true" : "false");
    } else {
        const char *word = NULL;
        for (const trine_word *w = p->words; w && w->name; w++)
            if (w->value == integer) word = w->name;
        length = word ? snprintf(text, size, "%s", word) : snprintf(text, size, "%d", integer);
    }
    if (length < 0 || (size_t)length >= size)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: text for %s has %zu bytes, needs %d",
                          d->name, name, size, length + 1);
    return TRINE_OK;
}

trine_status trine_args_set_tensor(int32_t op, void *args, const char *name, const DLTensor *tensor)
{
    const trine_op_description *d = trine_op_describe(op);
    if (!d) return op_fail(op);
    if (!args) return args_fail(d);
    for (int i = 0; name && i < d->tensor_count; i++)
        if (!strcmp(d->tensors[i].name, name)) {
            memcpy((char *)args + d->tensors[i].offset, &tensor, sizeof tensor);
            return TRINE_OK;
        }
    return trine_fail(TRINE_INVALID_ARGUMENT, "%s: no tensor is named \"%s\"", d->name,
                      name ? name : "(null)");
}

bool trine_dims_set(trine_dims *dims, const char *name, int64_t value)
{
    size_t length = strlen(name);
    if (!length || length >= sizeof dims->names[0]) return false;
    size_t i = 0;
    while (i < dims->count && strcmp(dims->names[i], name) != 0) i++;
    if (i == sizeof dims->values / sizeof dims->values[0]) return false;
    memcpy(dims->names[i], name, length + 1);
    dims->values[i] = value;
    if (i == dims->count) dims->count++;
    return true;
}
