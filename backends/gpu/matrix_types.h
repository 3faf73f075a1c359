// SPDX-License-Identifier: Apache-2.0
// What the matrix units multiply, as template arguments. A target that lacks a type has
// matrix_has<type> false, and its kernels' bodies are empty: their rows are not for that target.
#ifndef TRINE_BACKENDS_GPU_MATRIX_TYPES_H
#define TRINE_BACKENDS_GPU_MATRIX_TYPES_H

#include "backends/gpu/wave.h"

namespace trine_gpu
{

struct matrix_f16 {
    typedef float sum;
    static constexpr uint32_t bytes = 2;
};
struct matrix_bf16 {
    typedef float sum;
    static constexpr uint32_t bytes = 2;
};
struct matrix_i8 {
    typedef int32_t sum;
    static constexpr uint32_t bytes = 1;
};
// 8-bit floats that the unit itself reads: OCP's, or on gfx942 the FNUZ form of e4m3.
struct matrix_e4m3 {
    typedef float sum;
    static constexpr uint32_t bytes = 1;
};
struct matrix_e5m2 {
    typedef float sum;
    static constexpr uint32_t bytes = 1;
};

template <class A, class B>
constexpr bool matrix_same = false;
template <class A>
constexpr bool matrix_same<A, A> = true;

} // namespace trine_gpu

#endif
