/* SPDX-License-Identifier: GPL-2.0-only */
/* Rounding and such, in user space. */
#ifndef SIM_LINUX_KERNEL_H
#define SIM_LINUX_KERNEL_H

#include <linux/types.h>
#include <linux/minmax.h>
#include <assert.h>

/* @y is a power of two. */
#define round_down(x, y)	((x) & ~((__typeof__(x))(y) - 1))
#define round_up(x, y)		((((x) - 1) | ((__typeof__(x))(y) - 1)) + 1)

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((unsigned long long)(n), d)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* The kernel's needs no text. */
#undef static_assert
#define static_assert(expr)	_Static_assert(expr, #expr)

#endif /* SIM_LINUX_KERNEL_H */
