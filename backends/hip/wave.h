// SPDX-License-Identifier: Apache-2.0
// Included first in every HIP source (-include): the wave width as a compile-time constant of each
// target.
//
// Clang defined __AMDGCN_WAVEFRONT_SIZE until version 21; HIP headers older than that still need
// it. GFX9 (CDNA) waves are 64 wide; RDNA's are 32, the only width HIP supports there. Host code
// must ask the device instead: the value that the host pass sees belongs to no device.
#ifndef TRINE_BACKENDS_HIP_WAVE_H
#define TRINE_BACKENDS_HIP_WAVE_H

#if !defined(__AMDGCN_WAVEFRONT_SIZE)
#if defined(__HIP_DEVICE_COMPILE__) && !defined(__GFX9__)
#define __AMDGCN_WAVEFRONT_SIZE 32
#else
#define __AMDGCN_WAVEFRONT_SIZE 64
#endif
#endif

#endif
