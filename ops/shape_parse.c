// SPDX-License-Identifier: Apache-2.0
/* From the shape strings of a table to nodes: a recursive descent over the grammar of describe.h.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ops/shape.h"

typedef struct parser {
    trine_shape *shape;
    const trine_tensor_description *tensor;
    const char *text; /* the whole string */
    size_t at;
    bool failed;
} parser;

static int fail(parser *p, const char *what)
{
    if (!p->failed)
        trine_fail(TRINE_INVALID_ARGUMENT, "%s: shape of %s, offset %zu: %s",
                   p->shape->description->name, p->tensor->name, p->at, what);
    p->failed = true;
    return -1;
}

static void skip_space(parser *p)
{
    while (p->text[p->at] == ' ') p->at++;
}

static bool take(parser *p, const char *token)
{
    skip_space(p);
    size_t length = strlen(token);
    if (strncmp(p->text + p->at, token, length) != 0) return false;
    p->at += length;
    return true;
}

/* The text since `begin`, without trailing blanks. */
static trine_shape_text text_since(const parser *p, size_t begin)
{
    size_t end = p->at;
    while (end > begin && p->text[end - 1] == ' ') end--;
    return (trine_shape_text){(uint16_t)begin, (uint16_t)(end - begin)};
}

static int node_add(parser *p, size_t begin, trine_shape_node node)
{
    trine_shape *shape = p->shape;
    if (p->failed) return -1;
    if (shape->node_count == TRINE_SHAPE_NODES) return fail(p, "too many expressions");
    node.text = text_since(p, begin);
    shape->nodes[shape->node_count] = node;
    return shape->node_count++;
}

static int binary(parser *p, size_t begin, trine_shape_kind kind, int a, int b)
{
    return node_add(p, begin,
                    (trine_shape_node){.kind = (uint8_t)kind, .a = (int16_t)a, .b = (int16_t)b});
}

static int expression(parser *p);

/* Reads an identifier into name; false when there is none or it is too long. */
static bool identifier(parser *p, char *name, size_t size)
{
    skip_space(p);
    size_t length = 0;
    const char *from = p->text + p->at;
    if (!isalpha((unsigned char)from[0])) return false;
    while (isalnum((unsigned char)from[length]) || from[length] == '_') length++;
    if (length >= size) return false;
    memcpy(name, from, length);
    name[length] = 0;
    p->at += length;
    return true;
}

static int tensor_number(const trine_op_description *d, const char *name)
{
    for (int i = 0; i < d->tensor_count; i++)
        if (!strcmp(d->tensors[i].name, name)) return i;
    return -1;
}

static const trine_param_description *param_of(const trine_op_description *d, const char *name)
{
    for (int i = 0; i < d->param_count; i++)
        if (!strcmp(d->params[i].name, name)) return &d->params[i];
    return NULL;
}

static int letter_node(parser *p, size_t begin, const char *name)
{
    trine_shape *shape = p->shape;
    int letter = 0;
    while (letter < shape->letter_count && strcmp(shape->letters[letter], name) != 0) letter++;
    if (letter == shape->letter_count) {
        if (strlen(name) >= sizeof shape->letters[0])
            return fail(p, "neither a param nor a letter of up to 7 characters");
        if (letter == TRINE_SHAPE_LETTERS) return fail(p, "too many letters");
        memcpy(shape->letters[letter], name, strlen(name) + 1);
        shape->letter_count++;
    }
    return node_add(p, begin, (trine_shape_node){.kind = TRINE_SHAPE_LETTER, .value = letter});
}

/* rank(tensor), dimN(tensor): the name and its "(" have been read. */
static int tensor_function(parser *p, size_t begin, trine_shape_kind kind, int axis)
{
    char name[40];
    if (!identifier(p, name, sizeof name)) return fail(p, "the name of a tensor expected");
    int tensor = tensor_number(p->shape->description, name);
    if (tensor < 0) return fail(p, "no tensor of that name");
    if (!take(p, ")")) return fail(p, "\")\" expected");
    return node_add(
        p, begin,
        (trine_shape_node){.kind = (uint8_t)kind, .a = (int16_t)tensor, .b = (int16_t)axis});
}

/* ceil(a/b), floor(a/b): turns the division at the top into the rounded one. */
static int rounded_division(parser *p, size_t begin, trine_shape_kind kind)
{
    int inner = expression(p);
    if (!take(p, ")")) return fail(p, "\")\" expected");
    if (inner < 0) return -1;
    const trine_shape_node *division = &p->shape->nodes[inner];
    if (division->kind != TRINE_SHAPE_DIV) return fail(p, "a division expected inside");
    return binary(p, begin, kind, division->a, division->b);
}

static int function(parser *p, size_t begin, const char *name)
{
    if (!strcmp(name, "ceil")) return rounded_division(p, begin, TRINE_SHAPE_CEIL);
    if (!strcmp(name, "floor")) return rounded_division(p, begin, TRINE_SHAPE_FLOOR);
    if (!strcmp(name, "rank")) return tensor_function(p, begin, TRINE_SHAPE_RANK, 0);
    if (!strncmp(name, "dim", 3) && name[3] >= '0' && name[3] <= '7' && !name[4])
        return tensor_function(p, begin, TRINE_SHAPE_DIM, name[3] - '0');
    if (!strcmp(name, "up4")) {
        int a = expression(p);
        if (!take(p, ")")) return fail(p, "\")\" expected");
        return binary(p, begin, TRINE_SHAPE_UP4, a, -1);
    }
    if (!strcmp(name, "min") || !strcmp(name, "max")) {
        int a = expression(p);
        if (!take(p, ",")) return fail(p, "\",\" expected");
        int b = expression(p);
        if (!take(p, ")")) return fail(p, "\")\" expected");
        return binary(p, begin, name[1] == 'i' ? TRINE_SHAPE_MIN : TRINE_SHAPE_MAX, a, b);
    }
    return fail(p, "no function of that name");
}

static int primary(parser *p)
{
    skip_space(p);
    size_t begin = p->at;
    if (take(p, "(")) {
        int inner = expression(p);
        if (!take(p, ")")) return fail(p, "\")\" expected");
        return inner;
    }
    if (isdigit((unsigned char)p->text[p->at])) {
        char *end;
        long value = strtol(p->text + p->at, &end, 10);
        if (value > INT32_MAX) return fail(p, "the number is too large");
        p->at = (size_t)(end - p->text);
        return node_add(p, begin,
                        (trine_shape_node){.kind = TRINE_SHAPE_CONST, .value = (int32_t)value});
    }
    char name[40];
    if (!identifier(p, name, sizeof name)) return fail(p, "an expression expected");
    if (take(p, "(")) return function(p, begin, name);
    const trine_param_description *param = param_of(p->shape->description, name);
    if (!param) return letter_node(p, begin, name);
    if (param->type == TRINE_PARAM_FLOAT) return fail(p, "a float param gives no size");
    return node_add(p, begin,
                    (trine_shape_node){.kind = TRINE_SHAPE_PARAM, .value = param->offset});
}

static int product(parser *p)
{
    skip_space(p);
    size_t begin = p->at;
    int a = primary(p);
    for (;;) {
        trine_shape_kind kind = TRINE_SHAPE_MUL;
        if (!take(p, "*")) {
            if (!take(p, "/")) return a;
            kind = TRINE_SHAPE_DIV;
        }
        int b = primary(p);
        a = binary(p, begin, kind, a, b);
    }
}

static int sum(parser *p)
{
    skip_space(p);
    size_t begin = p->at;
    int a = product(p);
    for (;;) {
        trine_shape_kind kind = TRINE_SHAPE_ADD;
        if (!take(p, "+")) {
            if (!take(p, "-")) return a;
            kind = TRINE_SHAPE_SUB;
        }
        int b = product(p);
        a = binary(p, begin, kind, a, b);
    }
}

/* The enum param that node `a` reads, or NULL. */
static const trine_param_description *enum_of(const parser *p, int a)
{
    const trine_op_description *d = p->shape->description;
    if (a < 0 || p->shape->nodes[a].kind != TRINE_SHAPE_PARAM) return NULL;
    for (int i = 0; i < d->param_count; i++)
        if (d->params[i].offset == p->shape->nodes[a].value)
            return d->params[i].type == TRINE_PARAM_ENUM ? &d->params[i] : NULL;
    return NULL;
}

static int word_node(parser *p, const trine_param_description *param)
{
    skip_space(p);
    size_t begin = p->at;
    char name[40];
    if (!identifier(p, name, sizeof name)) return fail(p, "a word of the enum expected");
    for (const trine_word *word = param->words; word->name; word++)
        if (!strcmp(word->name, name))
            return node_add(p, begin,
                            (trine_shape_node){.kind = TRINE_SHAPE_CONST, .value = word->value});
    return fail(p, "not a word of that enum");
}

static int comparison(parser *p)
{
    skip_space(p);
    size_t begin = p->at;
    int a = sum(p);
    trine_shape_kind kind;
    if (take(p, "="))
        kind = TRINE_SHAPE_EQ;
    else if (take(p, "!="))
        kind = TRINE_SHAPE_NE;
    else if (take(p, "<"))
        kind = TRINE_SHAPE_LT;
    else if (take(p, ">"))
        kind = TRINE_SHAPE_GT;
    else
        return a;
    const trine_param_description *param = enum_of(p, a);
    int b = param ? word_node(p, param) : sum(p);
    return binary(p, begin, kind, a, b);
}

static int conjunction(parser *p)
{
    skip_space(p);
    size_t begin = p->at;
    int a = comparison(p);
    while (take(p, "&")) {
        int b = comparison(p);
        a = binary(p, begin, TRINE_SHAPE_AND, a, b);
    }
    return a;
}

static int disjunction(parser *p)
{
    skip_space(p);
    size_t begin = p->at;
    int a = conjunction(p);
    while (take(p, "|")) {
        int b = conjunction(p);
        a = binary(p, begin, TRINE_SHAPE_OR, a, b);
    }
    return a;
}

static int expression(parser *p)
{
    skip_space(p);
    size_t begin = p->at;
    int condition = disjunction(p);
    if (p->failed || !take(p, "?")) return condition;
    int yes = expression(p);
    if (!take(p, ":")) return fail(p, "\":\" expected");
    int no = expression(p);
    return node_add(p, begin,
                    (trine_shape_node){.kind = TRINE_SHAPE_SELECT,
                                       .a = (int16_t)condition,
                                       .b = (int16_t)yes,
                                       .c = (int16_t)no});
}

/* Letters that a size can be turned back into: alone, in c*L, in L/c, in the branches of ?: */
static void mark_bindable(trine_shape *shape, int at)
{
    const trine_shape_node *node = &shape->nodes[at];
    switch (node->kind) {
    case TRINE_SHAPE_LETTER:
        shape->bindable |= 1u << node->value;
        break;
    case TRINE_SHAPE_SELECT:
        mark_bindable(shape, node->b);
        mark_bindable(shape, node->c);
        break;
    case TRINE_SHAPE_MUL:
        mark_bindable(shape, node->b);
        break;
    case TRINE_SHAPE_DIV:
        mark_bindable(shape, node->a);
        break;
    default:
        break;
    }
}

static void alternative_parse(parser *p)
{
    trine_shape *shape = p->shape;
    if (shape->alternative_count == TRINE_SHAPE_ALTERNATIVES) {
        fail(p, "too many alternatives");
        return;
    }
    trine_shape_alternative *alternative = &shape->alternatives[shape->alternative_count++];
    *alternative = (trine_shape_alternative){.guard = -1};
    skip_space(p);
    if (!p->text[p->at]) return; /* a scalar */
    size_t begin = p->at;
    if (take(p, "...")) {
        alternative->rank = -1;
        alternative->dims_text = text_since(p, begin);
        return;
    }
    int first = expression(p);
    trine_shape_text text = text_since(p, begin);
    bool required = !p->failed && take(p, "!");
    if (!p->failed && take(p, ":")) {
        alternative->guard = (int16_t)first;
        alternative->guard_text = text;
        alternative->required = required;
        skip_space(p);
        begin = p->at;
        if (take(p, "...")) {
            alternative->rank = -1;
            alternative->dims_text = text_since(p, begin);
            return;
        }
        first = expression(p);
    } else if (required) {
        fail(p, "\":\" expected after \"!\"");
    }
    while (!p->failed) {
        alternative->dims[alternative->rank++] = (int16_t)first;
        mark_bindable(shape, first);
        if (!take(p, ",")) break;
        if (alternative->rank == TRINE_MAX_DIMS)
            fail(p, "too many dimensions");
        else
            first = expression(p);
    }
    alternative->dims_text = text_since(p, begin);
}

trine_status trine_shape_compile(const trine_op_description *description, trine_shape *shape)
{
    memset(shape, 0, sizeof *shape);
    shape->description = description;
    parser p = {.shape = shape};
    for (int t = 0; t < description->tensor_count; t++) {
        p.tensor = &description->tensors[t];
        p.text = p.tensor->shape;
        p.at = 0;
        shape->first[t] = (int16_t)shape->alternative_count;
        do alternative_parse(&p);
        while (!p.failed && take(&p, ";"));
        skip_space(&p);
        if (!p.failed && p.text[p.at]) fail(&p, "what stands here does not continue an expression");
        if (p.failed) return TRINE_INVALID_ARGUMENT;
    }
    shape->first[description->tensor_count] = (int16_t)shape->alternative_count;
    for (int i = 0; i < shape->letter_count; i++)
        if (!(shape->bindable & 1u << i))
            return trine_fail(TRINE_INVALID_ARGUMENT, "%s: no tensor gives letter %s a value",
                              description->name, shape->letters[i]);
    return TRINE_OK;
}
