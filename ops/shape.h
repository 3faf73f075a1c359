// SPDX-License-Identifier: Apache-2.0
/*
 * The shape language of op tables (grammar in <trine/describe.h>): compiled once, then matched
 * against the tensors of a call, or evaluated for given letters.
 */
#ifndef TRINE_OPS_SHAPE_H
#define TRINE_OPS_SHAPE_H

#include <trine/describe.h>
#include <trine/kernel.h>

#define TRINE_SHAPE_LETTERS      24
#define TRINE_SHAPE_NODES        512
#define TRINE_SHAPE_ALTERNATIVES 64

typedef enum trine_shape_kind {
    TRINE_SHAPE_CONST,  /* value */
    TRINE_SHAPE_LETTER, /* letter number value */
    TRINE_SHAPE_PARAM,  /* int32 at offset value of args */
    TRINE_SHAPE_DIM,    /* size of dimension b of tensor a */
    TRINE_SHAPE_RANK,   /* rank of tensor a */
    TRINE_SHAPE_ADD,
    TRINE_SHAPE_SUB,
    TRINE_SHAPE_MUL,
    TRINE_SHAPE_DIV, /* exact */
    TRINE_SHAPE_CEIL,
    TRINE_SHAPE_FLOOR,
    TRINE_SHAPE_UP4,
    TRINE_SHAPE_MIN,
    TRINE_SHAPE_MAX,
    TRINE_SHAPE_EQ,
    TRINE_SHAPE_NE,
    TRINE_SHAPE_LT,
    TRINE_SHAPE_GT,
    TRINE_SHAPE_AND,
    TRINE_SHAPE_OR,
    TRINE_SHAPE_SELECT, /* a ? b : c */
} trine_shape_kind;

/* A piece of a tensor's shape string. */
typedef struct trine_shape_text {
    uint16_t begin, length;
} trine_shape_text;

typedef struct trine_shape_node {
    uint8_t kind;
    int16_t a, b, c; /* nodes, or see above */
    int32_t value;
    trine_shape_text text;
} trine_shape_node;

typedef struct trine_shape_alternative {
    int16_t guard; /* -1: always */
    int8_t rank;   /* -1: any shape */
    bool required; /* the tensor must be there when the guard holds */
    int16_t dims[TRINE_MAX_DIMS];
    trine_shape_text guard_text, dims_text;
} trine_shape_alternative;

/* The shapes of one op. */
typedef struct trine_shape {
    const trine_op_description *description;
    char letters[TRINE_SHAPE_LETTERS][8];
    uint32_t bindable; /* letters that some tensor can give a value to */
    int letter_count, node_count, alternative_count;
    int16_t first[TRINE_MAX_TENSORS + 1]; /* alternatives of tensor t: first[t] to first[t+1]-1 */
    trine_shape_node nodes[TRINE_SHAPE_NODES];
    trine_shape_alternative alternatives[TRINE_SHAPE_ALTERNATIVES];
} trine_shape;

/* Compiles the shapes of one table; refuses with tensor, offset and what is wrong there. */
trine_status trine_shape_compile(const trine_op_description *description, trine_shape *shape);

/* Compiles the shapes of every op, once. A table that does not parse is a programming error that
 * the tests catch. */
trine_status trine_shape_compile_all(void);

/*
 * Binds the letters of the table from the present tensors and holds every dimension against it.
 * A refusal names tensor, dimension, its size and the expression it should equal. Allocates
 * nothing.
 */
trine_status trine_shape_match(const trine_op_description *description, const void *args,
                               const trine_view *tensors);
/* The same with shapes compiled by the caller. */
trine_status trine_shape_match_compiled(const trine_shape *shape, const void *args,
                                        const trine_view *tensors);

#endif
