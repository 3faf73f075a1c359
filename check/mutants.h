// SPDX-License-Identifier: Apache-2.0
/*
 * Deliberately broken kernels, to test the checker: each wraps the reference with one systematic
 * defect, applied to the problem before it or to the outputs after it. Most are generated: every
 * defect of outputs for every output of every op, every field of every problem changed.
 */
#ifndef TRINE_CHECK_MUTANTS_H
#define TRINE_CHECK_MUTANTS_H

#include <trine/trine.h>

typedef enum trine_defect {
    TRINE_DEFECT_NONE = 0,          /* the control: must pass */
    TRINE_DEFECT_LAST_ROW,          /* guard of the row tail dropped: the last row is not written */
    TRINE_DEFECT_LAST_COLUMN,       /* the last column is not written */
    TRINE_DEFECT_LAST_BLOCK,        /* the last block of 16 of the flattened output */
    TRINE_DEFECT_HALF_WAVE,         /* 32 of 64 lanes work */
    TRINE_DEFECT_ROUNDING,          /* toward zero: a step less in one element of eight */
    TRINE_DEFECT_RARE_STEP,         /* a step more in one element of 200 */
    TRINE_DEFECT_NAN,               /* NaN becomes zero */
    TRINE_DEFECT_INFINITY,          /* Inf becomes the largest finite number */
    TRINE_DEFECT_NEGATIVE_ZERO,     /* -0 becomes +0 */
    TRINE_DEFECT_SWAPPED,           /* the first two elements change places */
    TRINE_DEFECT_OFFSET_BITS,       /* offsets cut to 12 bits, which stand for 32 */
    TRINE_DEFECT_STALE_OUTPUT,      /* what memory held is added when it is an ordinary number */
    TRINE_DEFECT_PAST_END,          /* one element written behind the last */
    TRINE_DEFECT_BEFORE_BEGIN,      /* one written before the first */
    TRINE_DEFECT_BETWEEN_ROWS,      /* one written behind the first row, where rows are apart */
    TRINE_DEFECT_UNORDERED,         /* another step each time, though the row says deterministic */
    TRINE_DEFECT_THREADS,           /* a step when more than one thread runs */
    TRINE_DEFECT_OUTPUT_STRIDE,     /* rows a step too close */
    TRINE_DEFECT_INPUT_STRIDE,      /* rows of an input a step too close */
    TRINE_DEFECT_INPUT_CHANGED,     /* an input is written */
    TRINE_DEFECT_OTHER_FP8,         /* an input's OCP bytes are read as FNUZ, or the reverse */
    TRINE_DEFECT_STALE_WORKSPACE,   /* what the workspace held moves the result */
    TRINE_DEFECT_WORKSPACE_OVERRUN, /* one byte written behind the workspace */
    TRINE_DEFECT_LESS,              /* a size of the problem is one less: a loop ends early */
    TRINE_DEFECT_FLIPPED,           /* a choice of the problem is another one */
    TRINE_DEFECT_RECHOSEN,          /* a choice other than the first is another such one */
    TRINE_DEFECT_SCALED,            /* a number of the problem is off by a millionth */
    TRINE_DEFECT_CLEARED,           /* a field is 0: a stride that is forgotten */
    TRINE_DEFECT_ABSENT,            /* an optional input is forgotten */
    TRINE_DEFECT_COUNT
} trine_defect;

typedef struct trine_mutant {
    char name[80]; /* first: the launcher finds its mutant by the row's name */
    int32_t op;
    trine_defect defect;
    size_t offset; /* of the view or field in the problem */
    size_t size;   /* of the field */
    trine_launch_fn reference;
    unsigned launches, chances; /* runs, and runs in which the defect could do anything */
} trine_mutant;

/* Makes every mutant of an op. *rows are ready for trine_context_add_rows; names and launchers
 * live until trine_mutants_destroy. */
typedef struct trine_mutants {
    trine_mutant *mutants;
    trine_row *rows;
    size_t count;
} trine_mutants;

trine_status trine_mutants_create(trine_mutants *set, const trine_context *context, int32_t op);
void trine_mutants_destroy(trine_mutants *set);
bool trine_row_is_mutant(const trine_row *row);

/* ---------------------------------------------------------------- problems as tables */

typedef enum trine_field_kind {
    TRINE_FIELD_VIEW,   /* a tensor, by the name it has in the op's table */
    TRINE_FIELD_FLAT,   /* a tensor whose strides stand in fields of their own */
    TRINE_FIELD_NEEDED, /* an optional tensor that is there whenever the op looks at it */
    TRINE_FIELD_SIZE,   /* int64_t loop bound */
    TRINE_FIELD_STRIDE, /* int64_t stride of a scale */
    TRINE_FIELD_CHOICE, /* enum or bool */
    TRINE_FIELD_FORM,   /* enum whose 0 gives a tensor another shape */
    TRINE_FIELD_NUMBER  /* float */
} trine_field_kind;

typedef struct trine_problem_field {
    int32_t op;
    trine_field_kind kind;
    const char *name;
    size_t offset, size;
} trine_problem_field;

extern const trine_problem_field trine_problem_fields[];
extern const size_t trine_problem_field_count;

#endif
