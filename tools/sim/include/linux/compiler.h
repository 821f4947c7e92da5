/* SPDX-License-Identifier: GPL-2.0-only */
/* Compiler annotations and single accesses, in user space. */
#ifndef SIM_LINUX_COMPILER_H
#define SIM_LINUX_COMPILER_H

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#ifndef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))
#endif

#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val) \
	do { *(volatile __typeof__(x) *)&(x) = (val); } while (0)

#endif /* SIM_LINUX_COMPILER_H */
