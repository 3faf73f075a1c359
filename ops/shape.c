// SPDX-License-Identifier: Apache-2.0
/* Matches the tensors of a call against the compiled shapes of its op, and evaluates them. */
#include "ops/shape.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "ops/op.h"
#include "ops/tensors.h"

typedef enum state { KNOWN, UNKNOWN, INEXACT, OVERFLOWS } state;

typedef struct value {
    int64_t number;
    state state;
    int at; /* INEXACT, OVERFLOWS: the node to blame */
} value;

/* What expressions are evaluated in: a call's tensors, or (tensors NULL) letters alone. */
typedef struct scope {
    const trine_shape *shape;
    const void *args;
    const trine_view *tensors;
    int64_t letters[TRINE_SHAPE_LETTERS];
    uint32_t bound;
    int current; /* tensor whose shape is evaluated */
    int depth;   /* of tensors whose first alternative is evaluated for another's sake */
} scope;

static value evaluate(const scope *s, int at);

static value known(int64_t number)
{
    value v = {number, KNOWN, -1};
    return v;
}

static value poison(state state, int at)
{
    value v = {0, state, at};
    return v;
}

static const DLTensor *args_tensor(const scope *s, int tensor)
{
    const DLTensor *given;
    memcpy(&given, (const char *)s->args + s->shape->description->tensors[tensor].offset,
           sizeof given);
    return given;
}

static bool alternative_evaluate(scope *s, const trine_shape_alternative *alternative,
                                 int32_t *rank, int64_t *shape, value *failure);

/* rank() and dimN() where only letters are given: from the tensor in args, or else from the first
 * alternative of that tensor's shape. */
static value evaluate_planned(const scope *s, const trine_shape_node *node)
{
    const DLTensor *given = args_tensor(s, node->a);
    int64_t shape[TRINE_MAX_DIMS];
    int32_t rank = -1;
    if (given) {
        rank = given->ndim;
        if (rank < 0 || rank > TRINE_MAX_DIMS || (rank && !given->shape))
            return poison(UNKNOWN, -1);
        for (int i = 0; i < rank; i++) shape[i] = given->shape[i];
    } else {
        if (node->a == s->current || s->depth > 2) return poison(UNKNOWN, -1);
        scope inner = *s;
        value failure;
        inner.current = node->a;
        inner.depth++;
        for (int i = s->shape->first[node->a]; i < s->shape->first[node->a + 1]; i++)
            if (alternative_evaluate(&inner, &s->shape->alternatives[i], &rank, shape, &failure))
                break;
    }
    if (rank < 0) return poison(UNKNOWN, -1);
    if (node->kind == TRINE_SHAPE_RANK) return known(rank);
    return node->b < rank ? known(shape[node->b]) : poison(UNKNOWN, -1);
}

static value evaluate_tensor(const scope *s, const trine_shape_node *node)
{
    if (!s->tensors) return evaluate_planned(s, node);
    const trine_view *view = &s->tensors[node->a];
    if (view->rank < 0) return poison(UNKNOWN, -1);
    if (node->kind == TRINE_SHAPE_RANK) return known(view->rank);
    return node->b < view->rank ? known(view->shape[node->b]) : poison(UNKNOWN, -1);
}

static value divide(trine_shape_kind kind, int64_t a, int64_t b, int at)
{
    if (b <= 0 || a < 0) return poison(INEXACT, at);
    if (kind == TRINE_SHAPE_DIV && a % b) return poison(INEXACT, at);
    return known(a / b + (kind == TRINE_SHAPE_CEIL && a % b != 0));
}

/* a & b and a | b need only the side that decides. */
static value evaluate_logic(const scope *s, const trine_shape_node *node)
{
    bool decider = node->kind == TRINE_SHAPE_OR;
    value a = evaluate(s, node->a);
    if (a.state == KNOWN && !!a.number == decider) return known(decider);
    value b = evaluate(s, node->b);
    if (b.state == KNOWN && !!b.number == decider) return known(decider);
    if (a.state != KNOWN) return a;
    return b.state == KNOWN ? known(!decider) : b;
}

/* "param = word" and "param != word", of which guards are made, without the way through evaluate.
 */
static bool evaluate_guard(const scope *s, const trine_shape_node *node, value *v)
{
    if (node->kind != TRINE_SHAPE_EQ && node->kind != TRINE_SHAPE_NE) return false;
    const trine_shape_node *a = &s->shape->nodes[node->a], *b = &s->shape->nodes[node->b];
    if (a->kind != TRINE_SHAPE_PARAM || b->kind != TRINE_SHAPE_CONST) return false;
    int32_t param;
    memcpy(&param, (const char *)s->args + a->value, sizeof param);
    *v = known((param == b->value) == (node->kind == TRINE_SHAPE_EQ));
    return true;
}

static value evaluate(const scope *s, int at)
{
    const trine_shape_node *node = &s->shape->nodes[at];
    int32_t param;
    value guard;
    if (evaluate_guard(s, node, &guard)) return guard;
    switch ((trine_shape_kind)node->kind) {
    case TRINE_SHAPE_CONST:
        return known(node->value);
    case TRINE_SHAPE_LETTER:
        if (!(s->bound & 1u << node->value)) return poison(UNKNOWN, at);
        return known(s->letters[node->value]);
    case TRINE_SHAPE_PARAM:
        memcpy(&param, (const char *)s->args + node->value, sizeof param);
        return known(param);
    case TRINE_SHAPE_DIM:
    case TRINE_SHAPE_RANK:
        return evaluate_tensor(s, node);
    case TRINE_SHAPE_AND:
    case TRINE_SHAPE_OR:
        return evaluate_logic(s, node);
    default:
        break;
    }
    value a = evaluate(s, node->a);
    if (a.state != KNOWN) return a;
    if (node->kind == TRINE_SHAPE_SELECT) return evaluate(s, a.number ? node->b : node->c);
    int64_t result;
    if (node->kind == TRINE_SHAPE_UP4) {
        if (__builtin_add_overflow(a.number, 3, &result)) return poison(OVERFLOWS, at);
        return known(result / 4 * 4);
    }
    value b = evaluate(s, node->b);
    if (b.state != KNOWN) return b;
    bool overflow = false;
    switch ((trine_shape_kind)node->kind) {
    case TRINE_SHAPE_ADD:
        overflow = __builtin_add_overflow(a.number, b.number, &result);
        break;
    case TRINE_SHAPE_SUB:
        overflow = __builtin_sub_overflow(a.number, b.number, &result);
        break;
    case TRINE_SHAPE_MUL:
        overflow = __builtin_mul_overflow(a.number, b.number, &result);
        break;
    case TRINE_SHAPE_DIV:
    case TRINE_SHAPE_CEIL:
    case TRINE_SHAPE_FLOOR:
        return divide((trine_shape_kind)node->kind, a.number, b.number, at);
    case TRINE_SHAPE_MIN:
        return known(a.number < b.number ? a.number : b.number);
    case TRINE_SHAPE_MAX:
        return known(a.number > b.number ? a.number : b.number);
    case TRINE_SHAPE_EQ:
        return known(a.number == b.number);
    case TRINE_SHAPE_NE:
        return known(a.number != b.number);
    case TRINE_SHAPE_LT:
        return known(a.number < b.number);
    default: /* TRINE_SHAPE_GT */
        return known(a.number > b.number);
    }
    return overflow ? poison(OVERFLOWS, at) : known(result);
}

/* ---------------------------------------------------------------- matching */

typedef enum fit { FITS, UNFIT, LATER } fit;

/* Holds the expression against a size, binding the letter it comes down to. LATER: letters are
 * missing that a later tensor may bind. */
static fit unify(scope *s, int at, int64_t size)
{
    const trine_shape_node *node = &s->shape->nodes[at];
    int64_t product;
    value v;
    switch ((trine_shape_kind)node->kind) {
    case TRINE_SHAPE_LETTER:
        if (s->bound & 1u << node->value) return s->letters[node->value] == size ? FITS : UNFIT;
        s->letters[node->value] = size;
        s->bound |= 1u << node->value;
        return FITS;
    case TRINE_SHAPE_SELECT:
        v = evaluate(s, node->a);
        if (v.state != KNOWN) return v.state == UNKNOWN ? LATER : UNFIT;
        return unify(s, v.number ? node->b : node->c, size);
    case TRINE_SHAPE_MUL:
        v = evaluate(s, node->a);
        if (v.state != KNOWN || v.number <= 0) break;
        return size % v.number == 0 ? unify(s, node->b, size / v.number) : UNFIT;
    case TRINE_SHAPE_DIV:
        v = evaluate(s, node->b);
        if (v.state != KNOWN || v.number <= 0) break;
        if (__builtin_mul_overflow(size, v.number, &product)) return UNFIT;
        return unify(s, node->a, product);
    default:
        break;
    }
    v = evaluate(s, at);
    if (v.state == KNOWN) return v.number == size ? FITS : UNFIT;
    return v.state == UNKNOWN ? LATER : UNFIT;
}

/* The best that was found for a tensor that fits no alternative. */
typedef struct mismatch {
    const trine_shape_alternative *alternative; /* of the right rank, guard holding; or NULL */
    int dimension;
    uint32_t bound;
    bool guard_held;
} mismatch;

/* The guard's verdict; *later is set when letters are missing for one. */
static bool guard_holds(const scope *s, const trine_shape_alternative *alternative, bool *later)
{
    if (alternative->guard < 0) return true;
    value v = evaluate(s, alternative->guard);
    if (v.state == UNKNOWN) *later = true;
    return v.state == UNKNOWN || (v.state == KNOWN && v.number);
}

static bool tensor_fits(scope *s, int t, bool *later, mismatch *worst)
{
    const trine_view *view = &s->tensors[t];
    *worst = (mismatch){.dimension = -1};
    for (int i = s->shape->first[t]; i < s->shape->first[t + 1]; i++) {
        const trine_shape_alternative *alternative = &s->shape->alternatives[i];
        bool open = false;
        if (!guard_holds(s, alternative, &open)) continue;
        worst->guard_held = true;
        if (alternative->rank >= 0 && alternative->rank != view->rank) continue;
        uint32_t bound = s->bound;
        int dim = 0;
        for (; dim < alternative->rank; dim++) {
            fit f = unify(s, alternative->dims[dim], view->shape[dim]);
            if (f == UNFIT) break;
            if (f == LATER) open = true;
        }
        if (dim >= alternative->rank) {
            *later = open;
            return true;
        }
        if (dim > worst->dimension)
            *worst = (mismatch){alternative, dim, s->bound, worst->guard_held};
        s->bound = bound;
    }
    return false;
}

/* "guard or guard": when the tensor is taken. */
static const char *guards_text(const trine_shape *shape, int t, bool required, char *text,
                               size_t size)
{
    size_t used = 0;
    text[0] = 0;
    for (int i = shape->first[t]; i < shape->first[t + 1]; i++) {
        const trine_shape_alternative *a = &shape->alternatives[i];
        if (a->guard < 0 || (required && !a->required)) continue;
        int n =
            snprintf(text + used, size - used, "%s%.*s", used ? " or " : "", a->guard_text.length,
                     shape->description->tensors[t].shape + a->guard_text.begin);
        if (n < 0 || (size_t)n >= size - used) break;
        used += (size_t)n;
    }
    return text;
}

static const char *ranks_text(const scope *s, int t, char *text, size_t size)
{
    const trine_shape *shape = s->shape;
    size_t used = 0;
    text[0] = 0;
    for (int i = shape->first[t]; i < shape->first[t + 1]; i++) {
        const trine_shape_alternative *a = &shape->alternatives[i];
        bool later = false;
        if (!guard_holds(s, a, &later)) continue;
        int n =
            snprintf(text + used, size - used, "%s[%.*s]", used ? " or " : "", a->dims_text.length,
                     shape->description->tensors[t].shape + a->dims_text.begin);
        if (n < 0 || (size_t)n >= size - used) break;
        used += (size_t)n;
    }
    return text;
}

/* The branch of ?: that counts. */
static int selected(const scope *s, int at)
{
    while (s->shape->nodes[at].kind == TRINE_SHAPE_SELECT) {
        value v = evaluate(s, s->shape->nodes[at].a);
        if (v.state != KNOWN) break;
        at = v.number ? s->shape->nodes[at].b : s->shape->nodes[at].c;
    }
    return at;
}

/* Refuses with the reason why the expression at a node has no value. */
static trine_status refuse_value(const scope *s, int t, int dim, int at, value v)
{
    const trine_op_description *d = s->shape->description;
    const trine_shape_node *nodes = s->shape->nodes, *node = &nodes[at];
    const char *name = d->tensors[t].name, *text = d->tensors[t].shape;
    if (v.state == OVERFLOWS)
        return trine_fail(TRINE_SIZE_OVERFLOW,
                          "%s: %s dimension %d must be %.*s, which does not fit 63 bits", d->name,
                          name, dim, node->text.length, text + node->text.begin);
    if (v.state == INEXACT) {
        const trine_shape_node *a = &nodes[nodes[v.at].a], *b = &nodes[nodes[v.at].b];
        return trine_fail(TRINE_INVALID_SHAPE,
                          "%s: %s dimension %d must be %.*s, but %.*s = %" PRId64
                          " is not a multiple of %.*s = %" PRId64,
                          d->name, name, dim, node->text.length, text + node->text.begin,
                          a->text.length, text + a->text.begin, evaluate(s, nodes[v.at].a).number,
                          b->text.length, text + b->text.begin, evaluate(s, nodes[v.at].b).number);
    }
    return trine_fail(TRINE_INVALID_SHAPE,
                      "%s: %s dimension %d must be %.*s, which no tensor gives", d->name, name, dim,
                      node->text.length, text + node->text.begin);
}

static trine_status refuse(scope *s, int t, const mismatch *worst)
{
    const trine_op_description *d = s->shape->description;
    const trine_tensor_description *tensor = &d->tensors[t];
    const trine_view *view = &s->tensors[t];
    char text[320];
    if (!worst->guard_held)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s is given, but taken only with %s",
                          d->name, tensor->name,
                          guards_text(s->shape, t, false, text, sizeof text));
    if (!worst->alternative)
        return trine_fail(TRINE_INVALID_SHAPE, "%s: %s has %d dimensions, must be %s", d->name,
                          tensor->name, view->rank, ranks_text(s, t, text, sizeof text));
    int dim = worst->dimension;
    s->bound = worst->bound; /* letters that earlier dimensions bound */
    int at = selected(s, worst->alternative->dims[dim]);
    const trine_shape_node *node = &s->shape->nodes[at];
    value v = evaluate(s, at);
    int64_t size = view->shape[dim];
    if (v.state == UNKNOWN && node->kind == TRINE_SHAPE_MUL)
        return trine_fail(TRINE_INVALID_SHAPE,
                          "%s: %s dimension %d is %" PRId64
                          ", must be %.*s, a multiple of %" PRId64,
                          d->name, tensor->name, dim, size, node->text.length,
                          tensor->shape + node->text.begin, evaluate(s, node->a).number);
    if (v.state != KNOWN) return refuse_value(s, t, dim, at, v);
    if (node->kind == TRINE_SHAPE_CONST)
        return trine_fail(TRINE_INVALID_SHAPE,
                          "%s: %s dimension %d is %" PRId64 ", must be %" PRId64, d->name,
                          tensor->name, dim, size, v.number);
    return trine_fail(
        TRINE_INVALID_SHAPE, "%s: %s dimension %d is %" PRId64 ", must be %.*s = %" PRId64, d->name,
        tensor->name, dim, size, node->text.length, tensor->shape + node->text.begin, v.number);
}

/* TRINE_NEED_*: the strongest of the alternatives whose guard holds. */
static trine_need need_of(const scope *s, int t)
{
    trine_need need = TRINE_NEED_ABSENT;
    bool optional = s->shape->description->tensors[t].optional;
    for (int i = s->shape->first[t]; i < s->shape->first[t + 1]; i++) {
        const trine_shape_alternative *a = &s->shape->alternatives[i];
        if (a->guard >= 0) {
            value v = evaluate(s, a->guard);
            if (v.state != KNOWN || !v.number) continue;
        }
        if (a->required || !optional) return TRINE_NEED_REQUIRED;
        need = TRINE_NEED_OPTIONAL;
    }
    return need;
}

static bool can_be_required(const trine_shape *shape, int t)
{
    for (int i = shape->first[t]; i < shape->first[t + 1]; i++)
        if (shape->alternatives[i].required) return true;
    return false;
}

trine_status trine_shape_match_compiled(const trine_shape *shape, const void *args,
                                        const trine_view *tensors)
{
    const trine_op_description *d = shape->description;
    scope s;
    s.shape = shape;
    s.args = args;
    s.tensors = tensors;
    s.bound = 0;
    s.current = -1;
    s.depth = 0;
    uint32_t open = 0;
    mismatch worst;
    for (int t = 0; t < d->tensor_count; t++) {
        bool later = false;
        if (tensors[t].rank < 0) continue;
        if (!tensor_fits(&s, t, &later, &worst)) return refuse(&s, t, &worst);
        if (later) open |= 1u << t;
    }
    for (int t = 0; t < d->tensor_count; t++) {
        bool later = false;
        char text[320];
        if (tensors[t].rank < 0) {
            if (can_be_required(shape, t) && need_of(&s, t) == TRINE_NEED_REQUIRED)
                return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s is NULL, required with %s",
                                  d->name, d->tensors[t].name,
                                  guards_text(shape, t, true, text, sizeof text));
        } else if (open & 1u << t) {
            /* Every letter that can be bound is bound now. */
            if (!tensor_fits(&s, t, &later, &worst)) return refuse(&s, t, &worst);
            if (later)
                return trine_fail(TRINE_INVALID_SHAPE, "%s: %s needs a letter that no tensor gives",
                                  d->name, d->tensors[t].name);
        }
    }
    return TRINE_OK;
}

/* ---------------------------------------------------------------- shapes of the ops */

static trine_shape shapes[TRINE_OP_COUNT];
static trine_status shapes_status;
static pthread_once_t shapes_once = PTHREAD_ONCE_INIT;

static void shapes_compile(void)
{
    for (int32_t op = 0; op < TRINE_OP_COUNT && !shapes_status; op++)
        shapes_status = trine_shape_compile(trine_op_describe(op), &shapes[op]);
}

trine_status trine_shape_compile_all(void)
{
    pthread_once(&shapes_once, shapes_compile);
    return shapes_status;
}

trine_status trine_shape_match(const trine_op_description *description, const void *args,
                               const trine_view *tensors)
{
    trine_status status = trine_shape_compile_all();
    if (status) return status;
    return trine_shape_match_compiled(&shapes[description->op], args, tensors);
}

/* ---------------------------------------------------------------- shapes from letters */

/* Sizes of one alternative; false, with the failure, when its guard does not hold or a size has no
 * value. */
static bool alternative_evaluate(scope *s, const trine_shape_alternative *alternative,
                                 int32_t *rank, int64_t *shape, value *failure)
{
    if (alternative->guard >= 0) {
        *failure = evaluate(s, alternative->guard);
        if (failure->state != KNOWN || !failure->number) return false;
    }
    *failure = poison(UNKNOWN, -1);
    if (alternative->rank < 0) return false;
    for (int i = 0; i < alternative->rank; i++) {
        value v = evaluate(s, alternative->dims[i]);
        if (v.state == KNOWN && v.number < 0) v = poison(OVERFLOWS, alternative->dims[i]);
        *failure = v;
        if (v.state != KNOWN) return false;
        shape[i] = v.number;
    }
    *rank = alternative->rank;
    return true;
}

static trine_status scope_of(int32_t op, const void *args, const trine_dims *dims, size_t tensor,
                             void *scratch, scope *s)
{
    const trine_op_description *d = trine_op_describe(op);
    if (!d)
        return trine_fail(TRINE_INVALID_ARGUMENT, "op is %d, must be 0 to %d", op,
                          TRINE_OP_COUNT - 1);
    if (tensor >= d->tensor_count)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: tensor is %zu, must be below %d", d->name,
                          tensor, d->tensor_count);
    trine_status status = trine_shape_compile_all();
    if (status) return status;
    const void *full = trine_args_complete(d, args, scratch);
    if (!full) return args ? TRINE_ABI_MISMATCH : TRINE_INVALID_ARGUMENT;
    *s = (scope){.shape = &shapes[op], .args = full, .current = (int)tensor};
    for (size_t i = 0; dims && i < dims->count; i++)
        for (int letter = 0; letter < s->shape->letter_count; letter++)
            if (!strcmp(s->shape->letters[letter], dims->names[i])) {
                s->letters[letter] = dims->values[i];
                s->bound |= 1u << letter;
            }
    return TRINE_OK;
}

typedef union any_args {
#define ARGS_MEMBER(OP, op) trine_##op##_args op;
    TRINE_OPS(ARGS_MEMBER)
#undef ARGS_MEMBER
} any_args;

trine_status trine_op_tensor_need(int32_t op, const void *args, const trine_dims *dims,
                                  size_t tensor, trine_need *need)
{
    scope s;
    any_args scratch;
    trine_status status = scope_of(op, args, dims, tensor, &scratch, &s);
    if (status) return status;
    if (!need) return trine_fail(TRINE_INVALID_ARGUMENT, "need is NULL");
    *need = need_of(&s, (int)tensor);
    return TRINE_OK;
}

trine_status trine_op_shape(int32_t op, const void *args, const trine_dims *dims, size_t tensor,
                            size_t alternative, int32_t *rank, int64_t *shape)
{
    scope s;
    any_args scratch;
    trine_status status = scope_of(op, args, dims, tensor, &scratch, &s);
    if (status) return status;
    const trine_op_description *d = s.shape->description;
    const char *name = d->tensors[tensor].name;
    if (!rank || !shape)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s is NULL", rank ? "shape" : "rank");
    size_t found = 0;
    value failure, reason = poison(UNKNOWN, -1);
    int64_t sizes[TRINE_MAX_DIMS] = {0};
    for (int i = s.shape->first[tensor]; i < s.shape->first[tensor + 1]; i++) {
        if (!alternative_evaluate(&s, &s.shape->alternatives[i], rank, sizes, &failure)) {
            /* A size that can't be says more than a letter that is missing. */
            if (reason.at < 0 || (reason.state == UNKNOWN && failure.state != UNKNOWN))
                reason = failure;
            continue;
        }
        if (found++ == alternative) {
            memcpy(shape, sizes, sizeof sizes);
            return TRINE_OK;
        }
    }
    if (found)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: alternative is %zu, %s has %zu here",
                          d->name, alternative, name, found);
    if (reason.at < 0)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: %s has no shape with these params", d->name,
                          name);
    const trine_shape_text text = s.shape->nodes[reason.at].text;
    const char *from = d->tensors[tensor].shape;
    if (s.shape->nodes[reason.at].kind == TRINE_SHAPE_LETTER)
        return trine_fail(TRINE_INVALID_ARGUMENT, "%s: letter %.*s of %s is not given", d->name,
                          text.length, from + text.begin, name);
    return trine_fail(reason.state == INEXACT ? TRINE_INVALID_SHAPE : TRINE_SIZE_OVERFLOW,
                      "%s: %.*s in the shape of %s has no value with these letters", d->name,
                      text.length, from + text.begin, name);
}
