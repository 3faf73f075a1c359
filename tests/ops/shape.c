// SPDX-License-Identifier: Apache-2.0
/* The shape language: what compiles, what matches, what it says when it does not. */
#include "ops/shape.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* An op that only these tests know. */
typedef struct other_args {
    size_t struct_size;
    const DLTensor *a, *b, *c;
    int32_t n, mode, flag;
    float ratio;
} other_args;

static const trine_word mode_words[] = {{"plain", 0}, {"packed", 2}, {"none", 5}, {NULL, 0}};
static const trine_param_description params[] = {
    {.name = "n", .offset = offsetof(other_args, n), .type = TRINE_PARAM_INT},
    {.name = "mode",
     .offset = offsetof(other_args, mode),
     .type = TRINE_PARAM_ENUM,
     .words = mode_words},
    {.name = "flag", .offset = offsetof(other_args, flag), .type = TRINE_PARAM_BOOL},
    {.name = "ratio", .offset = offsetof(other_args, ratio), .type = TRINE_PARAM_FLOAT},
};

static trine_tensor_description tensors[3];
static trine_op_description description;
static trine_shape shape;

static trine_status compile(const char *a, const char *b, const char *c)
{
    tensors[0] = (trine_tensor_description){
        .name = "a", .shape = a, .offset = offsetof(other_args, a), .role = TRINE_IN};
    tensors[1] = (trine_tensor_description){
        .name = "b", .shape = b, .offset = offsetof(other_args, b), .optional = true};
    tensors[2] = (trine_tensor_description){
        .name = "c", .shape = c, .offset = offsetof(other_args, c), .optional = true};
    description = (trine_op_description){.name = "other",
                                         .args_size = sizeof(other_args),
                                         .tensor_count = 3,
                                         .param_count = 4,
                                         .tensors = tensors,
                                         .params = params};
    return trine_shape_compile(&description, &shape);
}

/* A view of the sizes in "4,5"; "" a scalar; NULL no tensor. */
static trine_view view_of(const char *sizes)
{
    trine_view view = {.rank = -1};
    if (!sizes) return view;
    view.rank = 0;
    while (*sizes) {
        char *end;
        view.shape[view.rank++] = strtoll(sizes, &end, 10);
        sizes = *end ? end + 1 : end;
    }
    return view;
}

typedef struct match_case {
    const char *shapes[3]; /* of the table; NULL: "..." */
    int32_t n, mode, flag;
    const char *sizes[3]; /* of the call */
    const char *says;     /* NULL: it matches */
    trine_status status;  /* 0: TRINE_INVALID_SHAPE */
} match_case;

#define A(a)                                                                                       \
    {                                                                                              \
        a, NULL, NULL                                                                              \
    }
#define AB(a, b)                                                                                   \
    {                                                                                              \
        a, b, NULL                                                                                 \
    }
#define ONLY(a)                                                                                    \
    {                                                                                              \
        a, NULL, NULL                                                                              \
    }
#define BOTH(a, b)                                                                                 \
    {                                                                                              \
        a, b, NULL                                                                                 \
    }

static const match_case cases[] = {
    /* Letters, integers, ranks. */
    {A("M, K"), 0, 0, 0, ONLY("4,5"), NULL, 0},
    {A("M, K"), 0, 0, 0, ONLY("0,0"), NULL, 0},
    {A("M, M"), 0, 0, 0, ONLY("4,4"), NULL, 0},
    {A("M, M"), 0, 0, 0, ONLY("4,5"), "a dimension 1 is 5, must be M = 4", 0},
    {A("M, 3"), 0, 0, 0, ONLY("4,5"), "a dimension 1 is 5, must be 3", 0},
    {A("M, K"), 0, 0, 0, ONLY("4"), "a has 1 dimensions, must be [M, K]", 0},
    {A("M; M, K"), 0, 0, 0, ONLY("4,5,6"), "must be [M] or [M, K]", 0},
    {A(""), 0, 0, 0, ONLY(""), NULL, 0},
    {A(""), 0, 0, 0, ONLY("1"), "a has 1 dimensions, must be []", 0},
    {A("..."), 0, 0, 0, ONLY("1,2,3,4,5,6,7,8"), NULL, 0},
    {A("..."), 0, 0, 0, ONLY(""), NULL, 0},
    {AB("M", "M"), 0, 0, 0, BOTH("4", "5"), "b dimension 0 is 5, must be M = 4", 0},
    {AB("M", "M"), 0, 0, 0, ONLY("4"), NULL, 0},
    /* Params. */
    {A("M, n"), 7, 0, 0, ONLY("4,7"), NULL, 0},
    {A("M, n"), 7, 0, 0, ONLY("4,8"), "a dimension 1 is 8, must be n = 7", 0},
    /* Arithmetic and its order. */
    {AB("M", "1 + 2*M - 3"), 0, 0, 0, BOTH("4", "6"), NULL, 0},
    {AB("M", "(1 + 2)*M - 3"), 0, 0, 0, BOTH("4", "9"), NULL, 0},
    {AB("M", "10 - 3 - 2"), 0, 0, 0, BOTH("4", "5"), NULL, 0},
    {AB("M", "M/2*3"), 0, 0, 0, BOTH("4", "6"), NULL, 0},
    {AB("M", "M/3"), 0, 0, 0, BOTH("4", "1"), "M = 4 is not a multiple of 3 = 3", 0},
    {AB("M", "M/n"), 0, 0, 0, BOTH("4", "1"), "M = 4 is not a multiple of n = 0", 0},
    {AB("M", "ceil(M/3)"), 0, 0, 0, BOTH("4", "2"), NULL, 0},
    {AB("M", "ceil(M/3)"), 0, 0, 0, BOTH("6", "2"), NULL, 0},
    {AB("M", "ceil(M/3)"), 0, 0, 0, BOTH("0", "0"), NULL, 0},
    {AB("M", "ceil(ceil(M/2)/3)"), 0, 0, 0, BOTH("7", "2"), NULL, 0},
    {AB("M", "floor(M/3)"), 0, 0, 0, BOTH("5", "1"), NULL, 0},
    {AB("M", "up4(M)"), 0, 0, 0, BOTH("5", "8"), NULL, 0},
    {AB("M", "up4(M)"), 0, 0, 0, BOTH("8", "8"), NULL, 0},
    {AB("M", "up4(M)"), 0, 0, 0, BOTH("0", "0"), NULL, 0},
    {AB("M", "up4(M)"), 0, 0, 0, BOTH("5", "5"), "b dimension 0 is 5, must be up4(M) = 8", 0},
    {AB("M", "min(M, 3)"), 0, 0, 0, BOTH("5", "3"), NULL, 0},
    {AB("M", "max(M, 3)"), 0, 0, 0, BOTH("5", "5"), NULL, 0},
    {AB("M", "M*M"), 0, 0, 0, BOTH("4", "16"), NULL, 0},
    {AB("M", "M*M"), 0, 0, 0, BOTH("4", "15"), "b dimension 0 is 15, must be M*M = 16", 0},
    {AB("M", "M*M + 0"), 0, 0, 0, BOTH("3037000500", "4"), "does not fit 63 bits",
     TRINE_SIZE_OVERFLOW},
    {AB("M", "M + 9223372"), 0, 0, 0, BOTH("9223372036854775807", "4"), "does not fit 63 bits",
     TRINE_SIZE_OVERFLOW},
    {AB("M", "0 - M - M - M"), 0, 0, 0, BOTH("9223372036854775807", "4"), "does not fit 63 bits",
     TRINE_SIZE_OVERFLOW},
    /* Letters that must be solved for. */
    {AB("2*L", "L"), 0, 0, 0, BOTH("8", "4"), NULL, 0},
    {AB("2*L", "L"), 0, 0, 0, BOTH("8", "5"), "b dimension 0 is 5, must be L = 4", 0},
    {AB("2*L", "L"), 0, 0, 0, BOTH("7", "3"), "a dimension 0 is 7, must be 2*L, a multiple of 2",
     0},
    {AB("n*L", "L"), 3, 0, 0, BOTH("12", "4"), NULL, 0},
    {AB("L/2", "L"), 0, 0, 0, BOTH("8", "16"), NULL, 0},
    {AB("L/2", "L"), 0, 0, 0, BOTH("8", "17"), "b dimension 0 is 17, must be L = 16", 0},
    {AB("flag ? 2*L : L", "L"), 0, 0, 1, BOTH("8", "4"), NULL, 0},
    {AB("flag ? 2*L : L", "L"), 0, 0, 0, BOTH("8", "8"), NULL, 0},
    {AB("flag ? 2*L : L", "L"), 0, 0, 1, BOTH("8", "8"), "b dimension 0 is 8, must be L = 4", 0},
    {AB("n = 1 ? L : n = 2 ? 3*L : 5*L", "L"), 2, 0, 0, BOTH("12", "4"), NULL, 0},
    {AB("n = 1 ? L : n = 2 ? 3*L : 5*L", "L"), 3, 0, 0, BOTH("20", "4"), NULL, 0},
    /* A later tensor gives the letter. */
    {AB("ceil(L/4)", "L"), 0, 0, 0, BOTH("3", "12"), NULL, 0},
    {AB("ceil(L/4)", "L"), 0, 0, 0, BOTH("3", "13"), "a dimension 0 is 3, must be ceil(L/4) = 4",
     0},
    {AB("L = 2: 7; L = 3: 8", "L"), 0, 0, 0, BOTH("8", "3"), NULL, 0},
    {AB("L = 2: 7; L = 3: 8", "L"), 0, 0, 0, BOTH("8", "2"), "a dimension 0 is 8, must be 7", 0},
    {AB("L = 2: 7; L = 3: 8", "L"), 0, 0, 0, BOTH("8", "4"), "a is given, but taken only with",
     TRINE_INVALID_ARGUMENT},
    {AB("flag & L = 2: 7; L = 3: 8", "L"), 0, 0, 1, BOTH("7", "2"), NULL, 0},
    {AB("flag & L = 2: 7; L = 3: 8", "L"), 0, 0, 1, BOTH("7", "3"), "must be 8", 0},
    {AB("flag & L = 2: 7; L = 3: 8", "L"), 0, 0, 0, BOTH("8", "3"), NULL, 0},
    {AB("flag & L = 2: 7; L = 3: 8", "L"), 0, 0, 1, BOTH("8", "2"), "must be 7", 0},
    {AB("flag | L = 2: 7; L = 3: 8", "L"), 0, 0, 0, BOTH("7", "2"), NULL, 0},
    {AB("flag | L = 2: 7; L = 3: 8", "L"), 0, 0, 0, BOTH("7", "3"), "must be 8", 0},
    {AB("M", "dim1(a) = 0: M"), 0, 0, 0, BOTH("4", "4"), "b needs a letter that no tensor gives",
     0},
    {A("M"), 0, 0, 0, ONLY(""), "a has 0 dimensions, must be [M]", 0},
    /* Guards. */
    {A("mode = packed: M; M, K"), 0, 2, 0, ONLY("4"), NULL, 0},
    {A("mode = packed: M; M, K"), 0, 0, 0, ONLY("4"), "must be [M, K]", 0},
    {A("mode != packed: M; M, K"), 0, 0, 0, ONLY("4"), NULL, 0},
    {A("mode > plain: M; M, K"), 0, 2, 0, ONLY("4"), NULL, 0},
    {A("mode < packed: M; M, K"), 0, 2, 0, ONLY("4"), "must be [M, K]", 0},
    {A("mode = none & n > 3: M; M, K"), 4, 5, 0, ONLY("4"), NULL, 0},
    {A("mode = none & n > 3: M; M, K"), 3, 5, 0, ONLY("4"), "must be [M, K]", 0},
    {A("mode = none | n > 3: M; M, K"), 4, 0, 0, ONLY("4"), NULL, 0},
    {A("n = 1 | n = 2 & flag: M; M, K"), 1, 0, 0, ONLY("4"), NULL, 0},
    {A("(n = 1 | n = 2) & flag: M; M, K"), 1, 0, 0, ONLY("4"), "must be [M, K]", 0},
    {AB("M; M, K", "rank(a) = 2: M; rank(a) = 1: M, 1"), 0, 0, 0, BOTH("4,5", "4"), NULL, 0},
    {AB("M; M, K", "rank(a) = 2: M; rank(a) = 1: M, 1"), 0, 0, 0, BOTH("4", "4"),
     "b has 1 dimensions, must be [M, 1]", 0},
    {AB("M, K", "dim1(a)"), 0, 0, 0, BOTH("4,5", "5"), NULL, 0},
    {AB("M, K", "dim1(a) = 5: M"), 0, 0, 0, BOTH("4,5", "4"), NULL, 0},
    {AB("M", "dim0(b) > M: dim0(b)"), 0, 0, 0, BOTH("4", "5"), NULL, 0},
    {AB("M", "dim0(b) > M: dim0(b)"), 0, 0, 0, BOTH("4", "4"), "b is given, but taken only with",
     TRINE_INVALID_ARGUMENT},
    {AB("M", "flag: M"), 0, 0, 0, BOTH("4", "4"), "b is given, but taken only with flag",
     TRINE_INVALID_ARGUMENT},
    {AB("M", "flag!: M"), 0, 0, 1, ONLY("4"), "b is NULL, required with flag",
     TRINE_INVALID_ARGUMENT},
    {AB("M", "flag!: M"), 0, 0, 0, ONLY("4"), NULL, 0},
    {AB("M", "n = 1: M; flag!: M"), 1, 0, 1, ONLY("4"), "b is NULL, required with flag",
     TRINE_INVALID_ARGUMENT},
    {AB("M", "n = 1: M; flag!: M"), 1, 0, 0, ONLY("4"), NULL, 0},
    {AB("M", "M != 4!: M"), 0, 0, 0, ONLY("5"), "b is NULL, required with M != 4",
     TRINE_INVALID_ARGUMENT},
    {AB("M", "M != 4!: M"), 0, 0, 0, ONLY("4"), NULL, 0},
    /* The first alternative that fits; a refusal tells of the one that fitted longest. */
    {AB("M, K", "M, 1; M, K"), 0, 0, 0, BOTH("4,5", "4,5"), NULL, 0},
    {AB("M, K", "7, 7; M, 9"), 0, 0, 0, BOTH("4,5", "4,5"), "b dimension 1 is 5, must be 9", 0},
    {AB("M, K", "L, 9; M, L"), 0, 0, 0, BOTH("4,5", "4,6"), NULL, 0},
    {{"M, K", "L, 9; M, L", "L"}, 0, 0, 0, {"4,5", "4,6", "6"}, NULL, 0},
    {{"M, K", "L, 9; M, L", "L"},
     0,
     0,
     0,
     {"4,5", "4,6", "4"},
     "c dimension 0 is 4, must be L = 6",
     0},
    {AB("M", "2*M; L"), 0, 0, 0, BOTH("4", "9"), NULL, 0},
};

static trine_status match(const match_case *c)
{
    other_args args = {sizeof args, NULL, NULL, NULL, c->n, c->mode, c->flag, 0};
    trine_view views[3];
    trine_status status = compile(c->shapes[0], c->shapes[1] ? c->shapes[1] : "...",
                                  c->shapes[2] ? c->shapes[2] : "...");
    cr_assert_eq(status, TRINE_OK, "%s; %s: %s", c->shapes[0], c->shapes[1], trine_last_error());
    for (int i = 0; i < 3; i++) views[i] = view_of(c->sizes[i]);
    return trine_shape_match_compiled(&shape, &args, views);
}

Test(shape, matches_and_refuses)
{
    size_t count = sizeof cases / sizeof *cases;
    for (size_t i = 0; i < count; i++) {
        const match_case *c = &cases[i];
        trine_status want = !c->says ? TRINE_OK : c->status ? c->status : TRINE_INVALID_SHAPE;
        trine_status status = match(c);
        cr_expect_eq(status, want, "case %zu, %s: %s (%s)", i, c->shapes[0],
                     trine_status_name(status), status ? trine_last_error() : "");
        if (status && c->says)
            cr_expect(strstr(trine_last_error(), c->says), "case %zu: \"%s\" does not say \"%s\"",
                      i, trine_last_error(), c->says);
    }
    cr_assert_gt(count, 80);
}

/* Sentences end where they should: nothing of the next tensor's shapes gets in, and long lists are
 * cut off whole. */
Test(shape, sentences_are_exact)
{
    static const struct {
        match_case match;
        const char *sentence;
    } exact[] = {
        {{{"M", "flag: M", "n = 1: M"}, 0, 0, 0, {"4", "4", NULL}, NULL, 0},
         "other: b is given, but taken only with flag"},
        {{{"M", "flag: M; n = 2: M", "n = 1: M"}, 0, 0, 0, {"4", "4", NULL}, NULL, 0},
         "other: b is given, but taken only with flag or n = 2"},
        {{{"M", "flag!: M", "n = 1!: M"}, 0, 0, 1, {"4", NULL, NULL}, NULL, 0},
         "other: b is NULL, required with flag"},
        {{{"M; M, K", "M", "M"}, 0, 0, 0, {"4,5,6", NULL, NULL}, NULL, 0},
         "other: a has 3 dimensions, must be [M] or [M, K]"},
    };
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        cr_expect_neq(match(&exact[i].match), TRINE_OK);
        cr_expect_str_eq(trine_last_error(), exact[i].sentence);
    }
    /* Tensor b may be absent although c, its neighbour, is required. */
    static const match_case neighbour = {{"M", "M", "flag!: M"}, 0,    0, 1,
                                         {"4", NULL, "4"},       NULL, 0};
    cr_expect_eq(match(&neighbour), TRINE_OK, "%s", trine_last_error());
    char ranks[400] = "M, K", guards[400] = "flag: M";
    for (int i = 0; i < 30; i++) strcat(ranks, "; M, K, 9");
    for (int i = 0; i < 30; i++) strcat(guards, "; flag: M");
    match_case list = {{ranks, guards, NULL}, 0, 0, 0, {"4", NULL, NULL}, NULL, 0};
    cr_expect_eq(match(&list), TRINE_INVALID_SHAPE);
    cr_expect(strstr(trine_last_error(), "must be [M, K] or [M, K, 9]"));
    cr_expect_lt(strlen(trine_last_error()), 400);
    list.sizes[0] = "4,5";
    list.sizes[1] = "4";
    cr_expect_eq(match(&list), TRINE_INVALID_ARGUMENT);
    cr_expect_lt(strlen(trine_last_error()), 400);
}

Test(shape, malformed_tables_are_refused)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"M,", "offset 2: an expression expected"},
        {"M,,K", "offset 2: an expression expected"},
        {";", "an expression expected"},
        {"M +", "an expression expected"},
        {"M K", "offset 2: what stands here"},
        {"M)", "offset 1: what stands here"},
        {"(M", "\")\" expected"},
        {"M = 3", "no tensor gives"},
        {"flag ? M", "\":\" expected"},
        {"flag! M", "\":\" expected after \"!\""},
        {"flag:", "an expression expected"},
        {"mode = pakced: M", "not a word of that enum"},
        {"mode = 2: M", "a word of the enum expected"},
        {"M, ratio", "a float param gives no size"},
        {"abcdefgh", "neither a param nor a letter"},
        {"M, ceil(M)", "a division expected"},
        {"M, ceil(M/2", "\")\" expected"},
        {"M, up4(M", "\")\" expected"},
        {"M, min(M)", "\",\" expected"},
        {"M, max(M, 3", "\")\" expected"},
        {"M, sqrt(M)", "no function of that name"},
        {"M, dim8(a)", "no function of that name"},
        {"M, dim0()", "the name of a tensor expected"},
        {"M, dim0(z)", "no tensor of that name"},
        {"M, rank(a", "\")\" expected"},
        {"M, 99999999999", "the number is too large"},
        {"M, .5", "an expression expected"},
        {"M, ....", "an expression expected"},
        {"..., M", "what stands here"},
        {"A,B,C,D,E,F,G,H,I", "too many dimensions"},
        {"ceil(M/4)", "no tensor gives letter M a value"},
        {"M, K + L", "no tensor gives letter K a value"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        trine_status status = compile(bad[i].text, "", "");
        cr_expect_eq(status, TRINE_INVALID_ARGUMENT, "\"%s\" was taken", bad[i].text);
        if (status)
            cr_expect(strstr(trine_last_error(), bad[i].says), "\"%s\": \"%s\" does not say \"%s\"",
                      bad[i].text, trine_last_error(), bad[i].says);
    }
}

Test(shape, too_large_tables_are_refused)
{
    static char text[20000];
    strcpy(text, "M");
    for (int i = 0; i < 70; i++) strcat(text, "; M");
    cr_expect_eq(compile(text, "", ""), TRINE_INVALID_ARGUMENT);
    cr_expect(strstr(trine_last_error(), "too many alternatives"), "%s", trine_last_error());
    strcpy(text, "M, M");
    for (int i = 0; i < 600; i++) strcat(text, " + M");
    cr_expect_eq(compile(text, "", ""), TRINE_INVALID_ARGUMENT);
    cr_expect(strstr(trine_last_error(), "too many expressions"), "%s", trine_last_error());
    strcpy(text, "M");
    for (int i = 0; i < 25; i++) {
        char more[16];
        snprintf(more, sizeof more, "; L%d", i);
        strcat(text, more);
    }
    cr_expect_eq(compile(text, "", ""), TRINE_INVALID_ARGUMENT);
    cr_expect(strstr(trine_last_error(), "too many letters"), "%s", trine_last_error());
}

Test(shape, tables_of_the_ops_compile_and_explain_their_letters)
{
    cr_assert_eq(trine_shape_compile_all(), TRINE_OK, "%s", trine_last_error());
    for (int32_t op = 0; op < TRINE_OP_COUNT; op++) {
        const trine_op_description *d = trine_op_describe(op);
        cr_assert_eq(trine_shape_compile(d, &shape), TRINE_OK, "%s", trine_last_error());
        cr_expect_gt(shape.letter_count, 0);
        for (int i = 0; i < shape.letter_count; i++) {
            char at_start[16], inside[16];
            snprintf(at_start, sizeof at_start, "%s ", shape.letters[i]);
            snprintf(inside, sizeof inside, "; %s ", shape.letters[i]);
            cr_expect(!strncmp(d->dims, at_start, strlen(at_start)) || strstr(d->dims, inside),
                      "%s does not say what %s is", d->name, shape.letters[i]);
        }
    }
}

/* Tables that a generator can trust: names, offsets, defaults. */
Test(shape, tables_of_the_ops_are_consistent)
{
    for (int32_t op = 0; op < TRINE_OP_COUNT; op++) {
        const trine_op_description *d = trine_op_describe(op);
        size_t end = sizeof(size_t);
        cr_expect_eq(d->op, op);
        cr_expect_eq(trine_op_from_name(d->name), op);
        cr_assert_leq(d->tensor_count, TRINE_MAX_TENSORS);
        cr_assert_leq(d->param_count, TRINE_MAX_PARAMS);
        for (int i = 0; i < d->tensor_count; i++) {
            const trine_tensor_description *t = &d->tensors[i];
            cr_expect_eq(t->offset, end, "%s.%s is out of order", d->name, t->name);
            end += sizeof(void *);
            cr_expect(t->doc && t->dtypes && t->shape, "%s.%s", d->name, t->name);
            bool source = !t->same_dtype, alias = !t->alias;
            for (int j = 0; j < d->tensor_count; j++) {
                source |= t->same_dtype && !strcmp(d->tensors[j].name, t->same_dtype);
                alias |= t->alias && !strcmp(d->tensors[j].name, t->alias) &&
                         d->tensors[j].role == TRINE_IN && t->role == TRINE_OUT;
            }
            cr_expect(source && alias, "%s.%s names a tensor that is not there", d->name, t->name);
        }
        for (int i = 0; i < d->param_count; i++) {
            const trine_param_description *p = &d->params[i];
            cr_expect_eq(p->offset, end, "%s.%s is out of order", d->name, p->name);
            end += 4;
            cr_expect(p->doc && (p->type == TRINE_PARAM_ENUM) == (p->words != NULL), "%s.%s",
                      d->name, p->name);
            bool listed = p->type != TRINE_PARAM_ENUM;
            for (const trine_word *w = p->words; w && w->name; w++)
                listed |= w->value == (int32_t)p->default_value;
            cr_expect(listed, "%s.%s defaults to no word", d->name, p->name);
        }
        cr_expect_eq((end + 7) / 8 * 8, d->args_size, "%s has fields that the table lacks",
                     d->name);
    }
}

/* The page for users has a section for each op that names all its tensors, params and words. */
Test(shape, page_of_the_ops_is_complete)
{
    static char page[1 << 16];
    FILE *stream = fopen(TRINE_SOURCE_ROOT "/docs/ops.md", "rb");
    cr_assert(stream);
    size_t size = fread(page, 1, sizeof page - 1, stream);
    fclose(stream);
    cr_assert(size > 10000 && size < sizeof page - 1);
    for (int32_t op = 0; op < TRINE_OP_COUNT; op++) {
        const trine_op_description *d = trine_op_describe(op);
        char text[80];
        snprintf(text, sizeof text, "\n## %s\n", d->name);
        char *section = strstr(page, text), *end = section ? strstr(section + 3, "\n## ") : NULL;
        cr_assert(section, "%s has no section", d->name);
        if (end) *end = 0;
        for (int i = 0; i < d->tensor_count; i++) {
            snprintf(text, sizeof text, "`%s`", d->tensors[i].name);
            cr_expect(strstr(section, text), "%s: tensor %s is missing", d->name, text);
        }
        for (int i = 0; i < d->param_count; i++) {
            snprintf(text, sizeof text, "`%s`", d->params[i].name);
            cr_expect(strstr(section, text), "%s: param %s is missing", d->name, text);
        }
        if (end) *end = '\n';
    }
}

/* ---------------------------------------------------------------- sizes from letters */

static void shape_is(int32_t op, const void *args, const trine_dims *dims, size_t tensor,
                     size_t alternative, const char *sizes)
{
    int32_t rank = -1;
    int64_t got[TRINE_MAX_DIMS];
    trine_view want = view_of(sizes);
    trine_status status = trine_op_shape(op, args, dims, tensor, alternative, &rank, got);
    const char *name = trine_op_describe(op)->tensors[tensor].name;
    cr_expect_eq(status == TRINE_OK, sizes != NULL, "%s, alternative %zu: %s", name, alternative,
                 status ? trine_last_error() : "not refused");
    if (status || !sizes) return;
    cr_expect_eq(rank, want.rank, "%s, alternative %zu: rank %d", name, alternative, rank);
    for (int i = 0; i < rank && i < want.rank; i++)
        cr_expect_eq(got[i], want.shape[i], "%s, alternative %zu, dimension %d: %d", name,
                     alternative, i, (int)got[i]);
}

Test(shape, sizes_from_letters)
{
    trine_per_token_group_quant_args quant = TRINE_PER_TOKEN_GROUP_QUANT_ARGS_INIT;
    int32_t op = TRINE_OP_PER_TOKEN_GROUP_QUANT;
    trine_dims dims = {.count = 0};
    cr_assert(trine_dims_set(&dims, "M", 6) && trine_dims_set(&dims, "K", 640));
    quant.scale_layout = TRINE_SCALE_COLUMN_ALIGNED;
    quant.activation = TRINE_ACTIVATION_SILU;
    shape_is(op, &quant, &dims, 0, 0, "6,1280");
    shape_is(op, &quant, &dims, 0, 1, NULL);
    shape_is(op, &quant, &dims, 1, 0, NULL);
    shape_is(op, &quant, &dims, 2, 0, "6,640");
    shape_is(op, &quant, &dims, 2, 1, "8,640");
    shape_is(op, &quant, &dims, 2, 2, NULL);
    shape_is(op, &quant, &dims, 3, 0, "6,5");
    shape_is(op, &quant, &dims, 3, 1, "8,5");
    /* q of the second alternative: scale has Ma rows then. */
    int64_t q_shape[] = {8, 640};
    DLTensor q = {.ndim = 2, .shape = q_shape};
    quant.q = &q;
    shape_is(op, &quant, &dims, 3, 0, "8,5");
    shape_is(op, &quant, &dims, 3, 1, NULL);
    quant.q = NULL;
    quant.scale_layout = TRINE_SCALE_ROW_PACKED_UE8M0;
    shape_is(op, &quant, &dims, 3, 0, "6,2");
    trine_dims_set(&dims, "K", 0);
    shape_is(op, &quant, &dims, 3, 0, "6,0");
    trine_dims_set(&dims, "K", 640);
    /* With E given the call is the masked form, and so are all tensors' first alternatives. */
    cr_assert(trine_dims_set(&dims, "E", 3));
    shape_is(op, &quant, &dims, 0, 0, "3,6,1280");
    shape_is(op, &quant, &dims, 1, 0, "3");
    shape_is(op, &quant, &dims, 2, 0, "3,6,640");
    shape_is(op, &quant, &dims, 3, 0, "3,6,2");

    trine_moe_align_block_size_args align = TRINE_MOE_ALIGN_BLOCK_SIZE_ARGS_INIT;
    align.num_experts = 8;
    align.block_size = 4;
    dims.count = 0;
    trine_dims_set(&dims, "M", 5);
    trine_dims_set(&dims, "k", 2);
    shape_is(TRINE_OP_MOE_ALIGN_BLOCK_SIZE, &align, &dims, 2, 0, "32");
    shape_is(TRINE_OP_MOE_ALIGN_BLOCK_SIZE, &align, &dims, 2, 1, NULL);
    shape_is(TRINE_OP_MOE_ALIGN_BLOCK_SIZE, &align, &dims, 3, 0, "8");
    shape_is(TRINE_OP_MOE_ALIGN_BLOCK_SIZE, &align, &dims, 4, 0, "1");
    trine_dims_set(&dims, "cap", 50);
    shape_is(TRINE_OP_MOE_ALIGN_BLOCK_SIZE, &align, &dims, 2, 1, "50");

    trine_fp8_convert_args convert = TRINE_FP8_CONVERT_ARGS_INIT;
    dims.count = 0;
    trine_dims_set(&dims, "N", 5);
    trine_dims_set(&dims, "K", 7);
    shape_is(TRINE_OP_FP8_CONVERT, &convert, &dims, 0, 0, "5,7");
    shape_is(TRINE_OP_FP8_CONVERT, &convert, &dims, 0, 1, NULL); /* "..." gives no sizes */
    shape_is(TRINE_OP_FP8_CONVERT, &convert, &dims, 2, 0, "5,7");

    trine_scaled_mm_args mm = TRINE_SCALED_MM_ARGS_INIT;
    trine_dims_set(&dims, "M", 3);
    trine_dims_set(&dims, "K", 300);
    shape_is(TRINE_OP_SCALED_MM, &mm, &dims, 2, 0, "3,3");
    shape_is(TRINE_OP_SCALED_MM, &mm, &dims, 2, 1, "3,1");
    shape_is(TRINE_OP_SCALED_MM, &mm, &dims, 2, 2, "1");
    shape_is(TRINE_OP_SCALED_MM, &mm, &dims, 2, 3, "4,3");
    shape_is(TRINE_OP_SCALED_MM, &mm, &dims, 2, 4, NULL);
}

Test(shape, needs_of_optional_tensors)
{
    trine_fused_moe_args args = TRINE_FUSED_MOE_ARGS_INIT;
    static const struct {
        int32_t quantization, group_size;
        int w1_scale, w1_zero, a1_scale;
    } rows[] = {
        {TRINE_MOE_NONE, 0, 0, 0, 0},         {TRINE_MOE_FP8_TENSOR, 0, 2, 0, 1},
        {TRINE_MOE_FP8_CHANNEL, 0, 2, 0, 0},  {TRINE_MOE_FP8_BLOCK, 0, 2, 0, 0},
        {TRINE_MOE_INT8_CHANNEL, 0, 2, 0, 0}, {TRINE_MOE_INT8_BLOCK, 0, 2, 0, 0},
        {TRINE_MOE_INT8_W8A16, 0, 2, 0, 0},   {TRINE_MOE_INT8_W8A16, 32, 2, 1, 0},
        {TRINE_MOE_INT4_W4A16, 32, 2, 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const int want[3] = {rows[i].w1_scale, rows[i].w1_zero, rows[i].a1_scale};
        static const char *const names[3] = {"w1_scale", "w1_zero", "a1_scale"};
        args.quantization = rows[i].quantization;
        args.group_size = rows[i].group_size;
        for (int n = 0; n < 3; n++) {
            const trine_op_description *d = trine_op_describe(TRINE_OP_FUSED_MOE);
            size_t tensor = 0;
            while (strcmp(d->tensors[tensor].name, names[n])) tensor++;
            trine_need need = (trine_need)9;
            cr_assert_eq(trine_op_tensor_need(TRINE_OP_FUSED_MOE, &args, NULL, tensor, &need),
                         TRINE_OK);
            cr_expect_eq((int)need, want[n], "%s with quantization %d, group_size %d: %d", names[n],
                         rows[i].quantization, rows[i].group_size, need);
        }
    }
    trine_need need;
    cr_assert_eq(trine_op_tensor_need(TRINE_OP_FUSED_MOE, &args, NULL, 0, &need), TRINE_OK);
    cr_expect_eq(need, TRINE_NEED_REQUIRED);
}
