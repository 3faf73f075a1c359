// SPDX-License-Identifier: Apache-2.0
/* Element types and backends: names, sizes, DLPack codes. */
#include <trine/core.h>

static const struct {
    const char *name;
    uint8_t size, code, bits;
} dtypes[TRINE_DTYPE_COUNT] = {
    [TRINE_F32] = {"f32", 4, kDLFloat, 32},
    [TRINE_F16] = {"f16", 2, kDLFloat, 16},
    [TRINE_BF16] = {"bf16", 2, kDLBfloat, 16},
    [TRINE_E4M3FN] = {"e4m3fn", 1, TRINE_DL_FLOAT8_E4M3FN, 8},
    [TRINE_E4M3FNUZ] = {"e4m3fnuz", 1, TRINE_DL_FLOAT8_E4M3FNUZ, 8},
    [TRINE_E5M2] = {"e5m2", 1, TRINE_DL_FLOAT8_E5M2, 8},
    [TRINE_I8] = {"i8", 1, kDLInt, 8},
    [TRINE_U8] = {"u8", 1, kDLUInt, 8},
    [TRINE_I32] = {"i32", 4, kDLInt, 32},
};

const char *trine_dtype_name(trine_dtype dtype)
{
    return (unsigned)dtype < TRINE_DTYPE_COUNT ? dtypes[dtype].name : "unknown";
}

size_t trine_dtype_size(trine_dtype dtype)
{
    return (unsigned)dtype < TRINE_DTYPE_COUNT ? dtypes[dtype].size : 0;
}

DLDataType trine_dtype_to_dl(trine_dtype dtype)
{
    DLDataType type = {0, 0, 0};
    if ((unsigned)dtype < TRINE_DTYPE_COUNT)
        type = (DLDataType){dtypes[dtype].code, dtypes[dtype].bits, 1};
    return type;
}

trine_dtype trine_dtype_from_dl(DLDataType type)
{
    for (int i = 0; i < TRINE_DTYPE_COUNT; i++)
        if (type.code == dtypes[i].code && type.bits == dtypes[i].bits && type.lanes == 1)
            return (trine_dtype)i;
    return TRINE_DTYPE_COUNT;
}

const char *trine_backend_name(trine_backend backend)
{
    static const char *const names[TRINE_BACKEND_COUNT] = {"host", "cuda", "hip"};
    return (unsigned)backend < TRINE_BACKEND_COUNT ? names[backend] : "unknown";
}

const char *trine_feature_name(trine_feature feature)
{
    static const char *const names[TRINE_FEATURE_COUNT] = {
#define FEATURE_NAME(id, name, doc) #name,
        TRINE_FEATURES(FEATURE_NAME)
#undef FEATURE_NAME
    };
    return (unsigned)feature < TRINE_FEATURE_COUNT ? names[feature] : NULL;
}

const char *trine_feature_doc(trine_feature feature)
{
    static const char *const docs[TRINE_FEATURE_COUNT] = {
#define FEATURE_DOC(id, name, doc) doc,
        TRINE_FEATURES(FEATURE_DOC)
#undef FEATURE_DOC
    };
    return (unsigned)feature < TRINE_FEATURE_COUNT ? docs[feature] : NULL;
}
