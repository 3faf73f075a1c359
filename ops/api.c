// SPDX-License-Identifier: Apache-2.0
/* The typed functions of each op: thin names for the calls by op number. */
#include <trine/ops.h>

#define DEFINE_OP(OP, name)                                                                        \
    trine_status trine_##name(trine_context *context, const trine_exec *exec,                      \
                              const trine_##name##_args *args)                                     \
    {                                                                                              \
        return trine_op_run(context, exec, TRINE_OP_##OP, args);                                   \
    }                                                                                              \
    trine_status trine_##name##_workspace_size(trine_context *context,                             \
                                               const trine_##name##_args *args, size_t *size)      \
    {                                                                                              \
        return trine_op_workspace_size(context, TRINE_OP_##OP, args, size);                        \
    }                                                                                              \
    trine_status trine_##name##_explain(                                                           \
        trine_context *context, const trine_exec *exec, const trine_##name##_args *args,           \
        const char *device, trine_explanation *entries, size_t capacity, size_t *count)            \
    {                                                                                              \
        return trine_op_explain(context, exec, TRINE_OP_##OP, args, device, entries, capacity,     \
                                count);                                                            \
    }                                                                                              \
    trine_status trine_##name##_bound(trine_context *context, const trine_##name##_args *args,     \
                                      const trine_bound_options *options, double *value,           \
                                      double *bound)                                               \
    {                                                                                              \
        return trine_op_bound(context, TRINE_OP_##OP, args, options, value, bound);                \
    }

TRINE_OPS(DEFINE_OP)
