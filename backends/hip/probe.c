// SPDX-License-Identifier: Apache-2.0
// Compiled and linked at configuration for each target: does this clang know it, and is its lld
// there?
void trine_probe(int *x)
{
    *x = 1;
}
