// SPDX-License-Identifier: Apache-2.0
/* The kernels' sources are compiled once per vector level, with TRINE_HOST_LEVEL naming it;
 * TRINE_HOST_SYMBOL(name) is a symbol of that level. */
#ifndef TRINE_BACKENDS_HOST_SYMBOL_H
#define TRINE_BACKENDS_HOST_SYMBOL_H

#define TRINE_HOST_PASTE_(a, b) trine_host_##a##_##b
#define TRINE_HOST_PASTE(a, b)  TRINE_HOST_PASTE_(a, b)
#define TRINE_HOST_SYMBOL(name) TRINE_HOST_PASTE(name, TRINE_HOST_LEVEL)

#endif
