// SPDX-License-Identifier: Apache-2.0
/**
 * @file describe.h
 * What an op is, as data: its tensors and params by name. Command lines, checkers, fuzzers and
 * bindings are made from these tables; none of them knows an op by heart.
 */
#ifndef TRINE_DESCRIBE_H
#define TRINE_DESCRIBE_H

#include <trine/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TRINE_MAX_TENSORS 16
#define TRINE_MAX_PARAMS  16
#define TRINE_MAX_DIMS    8

typedef enum trine_role { TRINE_IN = 0, TRINE_OUT = 1 } trine_role;

/** What the numbers of a tensor mean: tells a generator which values make sense. */
typedef enum trine_domain {
    TRINE_DOMAIN_REAL = 0,        /**< activations, logits, weights */
    TRINE_DOMAIN_ANGLE = 1,       /**< cosines and sines */
    TRINE_DOMAIN_SCALE = 2,       /**< positive scales */
    TRINE_DOMAIN_CODE = 3,        /**< quantized codes */
    TRINE_DOMAIN_PROBABILITY = 4, /**< router weights */
    TRINE_DOMAIN_EXPERT = 5,      /**< expert ids; ids outside the range are legal */
    TRINE_DOMAIN_EXPERT_MAP = 6,  /**< local expert of each global expert, -1 = elsewhere */
    TRINE_DOMAIN_COUNT = 7,       /**< row counts */
    TRINE_DOMAIN_ZERO = 8,        /**< zero points of packed weights */
    TRINE_DOMAIN_INDEX = 9        /**< outputs that hold positions */
} trine_domain;

/**
 * `shape` is a list of alternatives "[guard: ]dim, dim, ..." separated by ";"; the first whose
 * guard holds and whose dimensions all fit is taken. "..." as only dim means any shape. An optional
 * tensor must be absent while no guard holds; a guard that ends in "!" makes it required.
 *
 * A dim or guard is an expression over dimension letters (up to 7 characters), int, bool and enum
 * params, and integers, from loosest to tightest: c ? a : b, |, &, = != < >, + -, * /, and the
 * functions ceil(a/b), floor(a/b), up4(a) (rounded up to 4), min(a, b), max(a, b), rank(tensor),
 * dim0(tensor) to dim7(tensor). a/b must leave no remainder. Beside a comparison with an enum param
 * stands one of its words. Letters are bound from the call's tensors, in table order, where they
 * stand alone or as c*L or L/c. The empty string is a scalar.
 */
typedef struct trine_tensor_description {
    const char *name;
    const char *shape;
    uint32_t dtypes;        /**< TRINE_DTYPE_BIT() mask */
    const char *same_dtype; /**< NULL, or the tensor whose dtype this one shares */
    const char *alias; /**< NULL, or the input that this output may be (same pointer, strides) */
    const char *doc;
    uint16_t offset; /**< of the const DLTensor * in the args struct */
    uint8_t role;    /**< trine_role */
    uint8_t domain;  /**< trine_domain */
    bool optional;
    bool inner_contiguous; /**< the last dimension must have stride 1 */
    bool or_f32;           /**< with same_dtype: f32 is taken as well */
} trine_tensor_description;

typedef enum trine_param_type {
    TRINE_PARAM_INT = 0,  /**< int32_t */
    TRINE_PARAM_BOOL = 1, /**< int32_t, 0 or 1 */
    TRINE_PARAM_ENUM = 2, /**< int32_t, one of `words` */
    TRINE_PARAM_FLOAT = 3 /**< float */
} trine_param_type;

typedef struct trine_word {
    const char *name;
    int32_t value;
} trine_word;

typedef struct trine_param_description {
    const char *name;
    const char *doc;
    const trine_word *words; /**< enums: ends with a NULL name */
    double default_value;    /**< enums and bools: the number */
    double minimum, maximum; /**< inclusive; NaN is always refused */
    uint16_t offset;         /**< in the args struct */
    uint8_t type;            /**< trine_param_type */
    bool required;           /**< has no default: the caller must set it */
} trine_param_description;

typedef struct trine_op_description {
    int32_t op;
    const char *name;
    const char *doc;
    const char *dims; /**< "M tokens; K columns; ...": the letters, for help texts */
    size_t args_size;
    bool bounded; /**< false: exact */
    uint8_t tensor_count, param_count;
    const trine_tensor_description *tensors;
    const trine_param_description *params;
} trine_op_description;

/** Table of op number `op`; NULL if there is none. */
TRINE_API const trine_op_description *trine_op_describe(int32_t op);

/** Fills an args struct with the defaults of its table and its own struct_size. */
TRINE_API trine_status trine_args_init(int32_t op, void *args);
/** Sets a param from text ("128", "true", "packed_ue8m0"). Unknown names and values are refused. */
TRINE_API trine_status trine_args_set_param(int32_t op, void *args, const char *name,
                                            const char *value);
/** Reads a param back as text into `text` (NUL-terminated). */
TRINE_API trine_status trine_args_get_param(int32_t op, const void *args, const char *name,
                                            char *text, size_t size);
/** Sets a tensor by name. */
TRINE_API trine_status trine_args_set_tensor(int32_t op, void *args, const char *name,
                                             const DLTensor *tensor);

/** Values of dimension letters. */
typedef struct trine_dims {
    char names[24][8];
    int64_t values[24];
    size_t count;
} trine_dims;

/** Adds or replaces a letter; false when the table is full or the name too long. */
TRINE_API bool trine_dims_set(trine_dims *dims, const char *name, int64_t value);

/**
 * The sizes of `tensor` (index in the table) for given letters and the params of `args`: writes
 * *rank and shape[TRINE_MAX_DIMS]. `alternative`: which of the alternatives whose guard holds and
 * whose letters are given (0 the first); past the last one the call is refused. Needs no tensors in
 * args: rank() and dim0() of one that is NULL are those of its first alternative. Filled in table
 * order, tensors of other alternatives agree with each other. "..." gives no sizes.
 */
TRINE_API trine_status trine_op_shape(int32_t op, const void *args, const trine_dims *dims,
                                      size_t tensor, size_t alternative, int32_t *rank,
                                      int64_t *shape);

typedef enum trine_need {
    TRINE_NEED_ABSENT = 0,   /**< must be NULL with these params */
    TRINE_NEED_OPTIONAL = 1, /**< may be given */
    TRINE_NEED_REQUIRED = 2  /**< must be given */
} trine_need;
/** Whether `tensor` must, may or must not be there: the guards of its shape for given letters. */
TRINE_API trine_status trine_op_tensor_need(int32_t op, const void *args, const trine_dims *dims,
                                            size_t tensor, trine_need *need);

/** Floating point and integer work, and bytes that must move (inputs once, outputs once). */
typedef struct trine_cost {
    double flops;
    double bytes;
} trine_cost;
TRINE_API trine_status trine_op_cost(trine_context *context, int32_t op, const void *args,
                                     trine_cost *cost);

#ifdef __cplusplus
}
#endif

#endif
