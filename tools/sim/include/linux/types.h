/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's integer types, in user space. */
#ifndef SIM_LINUX_TYPES_H
#define SIM_LINUX_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed char s8;
typedef short s16;
typedef int s32;
typedef long long s64;
typedef unsigned int gfp_t;

typedef struct {
	s64 counter;
} atomic64_t;

#endif /* SIM_LINUX_TYPES_H */
