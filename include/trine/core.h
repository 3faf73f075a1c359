// SPDX-License-Identifier: Apache-2.0
/**
 * @file core.h
 * Status codes, contexts, devices and capabilities.
 *
 * Nothing in this API aborts, exits, prints or throws. Every call that can fail returns a
 * `trine_status`; the sentence behind it (argument, value, rule) is `trine_last_error()`.
 */
#ifndef TRINE_CORE_H
#define TRINE_CORE_H

#include <dlpack/dlpack.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define TRINE_API
#else
#define TRINE_API __attribute__((visibility("default")))
#endif

#define TRINE_VERSION_MAJOR 0
#define TRINE_VERSION_MINOR 1
#define TRINE_VERSION_PATCH 0
/** Version of the library that is running, as "major.minor.patch". Thread-safe. */
TRINE_API const char *trine_version(void);

/* ---------------------------------------------------------------- status */

typedef enum trine_status {
    TRINE_OK = 0,
    TRINE_INVALID_ARGUMENT = 1,    /**< null, unknown name, or a param outside its range */
    TRINE_INVALID_DTYPE = 2,       /**< an element type that the op does not take there */
    TRINE_INVALID_SHAPE = 3,       /**< rank or sizes that do not fit each other */
    TRINE_INVALID_LAYOUT = 4,      /**< strides or alignment */
    TRINE_INVALID_DEVICE = 5,      /**< tensors on different or unknown devices */
    TRINE_OVERLAP = 6,             /**< an output shares memory with another tensor */
    TRINE_WORKSPACE_TOO_SMALL = 7, /**< missing, short or misaligned workspace */
    TRINE_SIZE_OVERFLOW = 8,       /**< a size or offset does not fit 63 bits */
    TRINE_UNSUPPORTED = 9,         /**< legal, but no kernel takes it on this device */
    TRINE_OUT_OF_MEMORY = 10,      /**< only from calls that create something */
    TRINE_BACKEND_ERROR = 11,      /**< the driver refused a launch or a query */
    TRINE_DEVICE_LOST = 12,        /**< sticky: the device reported a fatal error earlier */
    TRINE_ABI_MISMATCH = 13,       /**< a module or struct of another version */
    TRINE_STATUS_COUNT = 14
} trine_status;

/** Lower-case name of a status, e.g. "invalid_shape". Never NULL. Thread-safe. */
TRINE_API const char *trine_status_name(trine_status status);

/** The sentence of the last failure on the calling thread; "" if there was none. Valid until the
 * next failing call on this thread. */
TRINE_API const char *trine_last_error(void);

/** Sets the calling thread's last error and returns `status`: for launchers of one's own rows. */
TRINE_API trine_status trine_fail(trine_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---------------------------------------------------------------- dtypes */

/** DLPack 1.1 type codes that older headers lack. */
enum {
    TRINE_DL_FLOAT8_E4M3FN = 10,
    TRINE_DL_FLOAT8_E4M3FNUZ = 11,
    TRINE_DL_FLOAT8_E5M2 = 12,
};

/** Element types. FP8 encodings are different dtypes: the same byte has another value. */
typedef enum trine_dtype {
    TRINE_F32 = 0,
    TRINE_F16 = 1,
    TRINE_BF16 = 2,
    TRINE_E4M3FN = 3,   /**< OCP FP8: max 448, NaN 0x7F and 0xFF */
    TRINE_E4M3FNUZ = 4, /**< AMD CDNA3 FP8: max 240, NaN 0x80, no -0 */
    TRINE_E5M2 = 5,     /**< OCP FP8 with five exponent bits */
    TRINE_I8 = 6,
    TRINE_U8 = 7,
    TRINE_I32 = 8,
    TRINE_DTYPE_COUNT = 9
} trine_dtype;

#define TRINE_DTYPE_BIT(dtype) (1u << (dtype))

/** "bf16", "e4m3fn", ... Never NULL. */
TRINE_API const char *trine_dtype_name(trine_dtype dtype);
/** Bytes of one element; 0 for an unknown dtype. */
TRINE_API size_t trine_dtype_size(trine_dtype dtype);
/** DLPack's form of a dtype. */
TRINE_API DLDataType trine_dtype_to_dl(trine_dtype dtype);
/** The dtype of a DLPack type; TRINE_DTYPE_COUNT if Trine has none for it. */
TRINE_API trine_dtype trine_dtype_from_dl(DLDataType type);

/* ---------------------------------------------------------------- capabilities */

typedef enum trine_backend {
    TRINE_BACKEND_HOST = 0, /**< kDLCPU */
    TRINE_BACKEND_CUDA = 1, /**< kDLCUDA */
    TRINE_BACKEND_HIP = 2,  /**< kDLROCM */
    TRINE_BACKEND_COUNT = 3
} trine_backend;

/** "host", "cuda", "hip". */
TRINE_API const char *trine_backend_name(trine_backend backend);

typedef enum trine_support {
    TRINE_NONE = 0,     /**< not there */
    TRINE_EMULATED = 1, /**< several instructions; for atomics a compare-and-swap loop */
    TRINE_NATIVE = 2    /**< one instruction */
} trine_support;

/** Every named feature: identifier, name, what it means. */
#define TRINE_FEATURES(X)                                                                          \
    X(BF16_FMA, bf16_fma, "packed bf16 fused multiply-add")                                        \
    X(BF16_CONVERT, bf16_convert, "f32 to bf16 conversion")                                        \
    X(F32X2_FMA, f32x2_fma, "packed f32 fused multiply-add")                                       \
    X(FP8_OCP_CONVERT, fp8_ocp_convert, "e4m3fn and e5m2 conversion")                              \
    X(FP8_FNUZ_CONVERT, fp8_fnuz_convert, "e4m3fnuz conversion")                                   \
    X(UE8M0_CONVERT, ue8m0_convert, "ue8m0 scale conversion")                                      \
    X(F16_MATRIX, f16_matrix, "f16 matrix instruction")                                            \
    X(BF16_MATRIX, bf16_matrix, "bf16 matrix instruction")                                         \
    X(I8_MATRIX, i8_matrix, "int8 matrix instruction")                                             \
    X(I4_MATRIX, i4_matrix, "int4 matrix instruction")                                             \
    X(FP8_OCP_MATRIX, fp8_ocp_matrix, "warp-level OCP fp8 matrix instruction")                     \
    X(FP8_FNUZ_MATRIX, fp8_fnuz_matrix, "FNUZ fp8 matrix instruction")                             \
    X(MX_MATRIX, mx_matrix, "block-scaled matrix instruction with ue8m0 scales")                   \
    X(FP4_MATRIX, fp4_matrix, "block-scaled 4-bit float matrix instruction")                       \
    X(WGMMA, wgmma, "Hopper warpgroup matrix instruction")                                         \
    X(TCGEN05, tcgen05, "Blackwell data-center matrix instruction")                                \
    X(MFMA, mfma, "CDNA matrix instruction")                                                       \
    X(WMMA, wmma, "RDNA3 wave matrix instruction")                                                 \
    X(WMMA_GFX12, wmma_gfx12, "RDNA4 wave matrix instruction (other operand layout)")              \
    X(I8_DOT4, i8_dot4, "four-way int8 dot product")                                               \
    X(BF16_DOT2, bf16_dot2, "two-way bf16 dot product")                                            \
    X(ATOMIC_ADD_F32, atomic_add_f32, "global f32 atomic add")                                     \
    X(ATOMIC_ADD_F16X2, atomic_add_f16x2, "global packed f16 atomic add")                          \
    X(ATOMIC_ADD_BF16X2, atomic_add_bf16x2, "global packed bf16 atomic add")                       \
    X(ATOMIC_ADD_SCALAR16, atomic_add_scalar16, "global scalar f16 or bf16 atomic add")            \
    X(ATOMIC_ADD_VECTOR, atomic_add_vector, "16-byte vector atomic add")                           \
    X(SHARED_ATOMIC_F32, shared_atomic_f32, "shared-memory f32 atomic add")                        \
    X(SHARED_ATOMIC_BF16X2, shared_atomic_bf16x2, "shared-memory packed bf16 atomic add")          \
    X(ASYNC_COPY, async_copy, "16-byte asynchronous copy from global to shared memory")            \
    X(BULK_COPY, bulk_copy, "bulk tensor copy engine with transaction barriers")                   \
    X(CLUSTERS, clusters, "thread block clusters")                                                 \
    X(DEPENDENT_LAUNCH, dependent_launch, "programmatic dependent launch")                         \
    X(REGISTER_REALLOCATION, register_reallocation, "register reallocation between warps")         \
    X(WIDE_LOAD, wide_load, "32-byte global loads and stores")

typedef enum trine_feature {
#define TRINE_FEATURE_ENUM(id, name, doc) TRINE_FEATURE_##id,
    TRINE_FEATURES(TRINE_FEATURE_ENUM)
#undef TRINE_FEATURE_ENUM
        TRINE_FEATURE_COUNT
} trine_feature;

#define TRINE_FEATURE_BIT(feature) (UINT64_C(1) << (feature))

/** "atomic_add_bf16x2", ...; NULL for an unknown feature. */
TRINE_API const char *trine_feature_name(trine_feature feature);
/** One line that says what the feature is. */
TRINE_API const char *trine_feature_doc(trine_feature feature);

/** How many blocks, threads and bytes a device takes. 0 = unknown or not applicable. */
typedef struct trine_limits {
    uint32_t wave_width;          /**< lanes of a warp or wave; 1 on the host */
    uint32_t max_block_threads;   /**< threads of a block */
    uint32_t max_shared_memory;   /**< bytes of shared memory a block can get (after opt-in) */
    uint32_t max_load_bytes;      /**< widest global access of one lane */
    uint32_t max_grid_x;          /**< blocks */
    uint32_t max_grid_yz;         /**< blocks */
    uint64_t max_grid_work_items; /**< gridDim.x * blockDim.x must stay below; 0 = no such rule */
    uint32_t compute_units;       /**< SMs or CUs; 0 when it depends on the product */
} trine_limits;

/**
 * What one device can do for this build and this context: what the device has AND what this build
 * was compiled for AND what the user's mask allows. `has` keeps the device's own answer.
 */
typedef struct trine_caps {
    char name[32];                         /**< "sm_90", "gfx942", "cpu" */
    char family[32];                       /**< "Hopper", "CDNA3", ... */
    trine_backend backend;                 /**< */
    bool known;                            /**< in the table; false: generic kernels only */
    bool compiled;                         /**< this build holds code that runs on it */
    bool compiled_exact;                   /**< for exactly this target, arch-specific included */
    trine_dtype fp8;                       /**< the FP8 encoding that engines should feed */
    uint8_t has[TRINE_FEATURE_COUNT];      /**< trine_support of the device itself */
    uint8_t usable[TRINE_FEATURE_COUNT];   /**< trine_support left after build and mask */
    uint8_t evidence[TRINE_FEATURE_COUNT]; /**< ASCII letters of docs/capabilities.md: p s l h d */
    trine_limits limits;
} trine_caps;

/** Devices of the capability table, present or not. */
TRINE_API size_t trine_known_device_count(void);
/** Name of table row `index` ("sm_75" ... "gfx1201"); NULL past the end. */
TRINE_API const char *trine_known_device_name(size_t index);
/** Table record of a device by name, as this build would use it. */
TRINE_API trine_status trine_known_device_caps(const char *name, trine_caps *caps);

/* ---------------------------------------------------------------- context */

typedef enum trine_log_level {
    TRINE_LOG_ERROR = 0, /**< a call failed */
    TRINE_LOG_WARN = 1,  /**< something was given up: an unknown device, an unloadable module */
    TRINE_LOG_INFO = 2,  /**< devices and their capabilities */
    TRINE_LOG_DEBUG = 3  /**< which kernel each call chose, and why not the others */
} trine_log_level;

typedef void (*trine_log_fn)(void *cookie, trine_log_level level, const char *message);

typedef struct trine_context trine_context;

/** All of it may be zero. Strings are copied. */
typedef struct trine_context_params {
    size_t struct_size;        /**< sizeof(trine_context_params) */
    trine_log_fn log;          /**< NULL: silent unless TRINE_LOG is set */
    void *log_cookie;          /**< handed to log */
    trine_log_level log_level; /**< most verbose level handed to log */
    const char *simulate;      /**< as TRINE_SIMULATE: "rocm:0=gfx942,cuda:0=sm_90" */
    const char *mask;   /**< as TRINE_MASK: what to take away, "bulk_copy,mfma,compute_units=8" */
    const char *kernel; /**< as TRINE_KERNEL: force rows, "fused_moe=reference" */
    const char *backend_dir; /**< as TRINE_BACKEND_DIR: absolute folder of the modules */
    bool ignore_environment; /**< read no TRINE_* variable */
    bool no_modules;         /**< load no GPU module: only cpu and simulated devices */
} trine_context_params;

#define TRINE_CONTEXT_PARAMS_INIT                                                                  \
    {                                                                                              \
        sizeof(trine_context_params), NULL, NULL, TRINE_LOG_INFO, NULL, NULL, NULL, NULL, false,   \
            false                                                                                  \
    }

/**
 * Makes a context: reads the environment once, loads the GPU modules, asks each for its devices.
 * NULL params means defaults. The context may be used from any number of threads at once; only
 * creation, destruction and trine_context_add_rows need the caller's own exclusion.
 */
TRINE_API trine_status trine_context_create(const trine_context_params *params,
                                            trine_context **context);
/** Frees the context and sets *context to NULL. NULL and pointer to NULL are fine. */
TRINE_API void trine_context_destroy(trine_context **context);

/** One device of a context. */
typedef struct trine_device {
    DLDevice dl;      /**< the device that tensors carry */
    char id[16];      /**< "cpu", "cuda:0", "hip:1" */
    char product[96]; /**< marketing name where the driver gives one */
    bool simulated;   /**< host memory, host execution, this device's gates */
    trine_caps caps;  /**< after build and mask */
} trine_device;

TRINE_API size_t trine_device_count(const trine_context *context);
/** Device `index` of the context; NULL past the end. Lives as long as the context. */
TRINE_API const trine_device *trine_device_at(const trine_context *context, size_t index);
/** The device of a DLPack slot; NULL if the context has none. */
TRINE_API const trine_device *trine_device_find(const trine_context *context, DLDevice device);

/**
 * Does now what a first launch of `op` (-1: every op) would do lazily on that device: loads
 * kernels, raises shared-memory limits. Call it before capturing a graph. May synchronize the
 * device.
 */
TRINE_API trine_status trine_prepare(trine_context *context, DLDevice device, int32_t op);

/* ---------------------------------------------------------------- execution */

enum {
    TRINE_DETERMINISTIC = 1u << 0,     /**< only rows whose repeated runs give the same bits */
    TRINE_BATCH_INVARIANT = 1u << 1,   /**< reserved; refused */
    TRINE_VALIDATE_POINTERS = 1u << 2, /**< ask the driver whose memory each pointer is */
};

/** Where and how one call runs. The caller owns all of it. */
typedef struct trine_exec {
    size_t struct_size;    /**< sizeof(trine_exec) */
    void *stream;          /**< cudaStream_t or hipStream_t of the tensors' device; NULL = default
                                stream; ignored on cpu and simulated devices */
    void *workspace;       /**< on the tensors' device, 256-byte aligned, any content; one per
                                concurrent call */
    size_t workspace_size; /**< bytes */
    uint32_t flags;        /**< TRINE_DETERMINISTIC, ... */
} trine_exec;

#define TRINE_EXEC_INIT                                                                            \
    {                                                                                              \
        sizeof(trine_exec), NULL, NULL, 0, 0                                                       \
    }

#define TRINE_WORKSPACE_ALIGNMENT 256

/* ---------------------------------------------------------------- memory, for tools and tests */

/* Engines own their memory; these spare a test or a tool its own CUDA and HIP code. Ops never call
 * them. On cpu and simulated devices they are plain host memory. */
TRINE_API trine_status trine_device_alloc(trine_context *context, DLDevice device, size_t size,
                                          void **data);
TRINE_API void trine_device_free(trine_context *context, DLDevice device, void *data);
/** Copies host to device (to_device) or device to host; returns when done. */
TRINE_API trine_status trine_device_copy(trine_context *context, DLDevice device, void *dst,
                                         const void *src, size_t size, bool to_device);
TRINE_API trine_status trine_device_synchronize(trine_context *context, DLDevice device);

#ifdef __cplusplus
}
#endif

#endif
