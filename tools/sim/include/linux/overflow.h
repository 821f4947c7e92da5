/* SPDX-License-Identifier: GPL-2.0-only */
/* Checked arithmetic, in user space. */
#ifndef SIM_LINUX_OVERFLOW_H
#define SIM_LINUX_OVERFLOW_H

#define check_add_overflow(a, b, d)	__builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d)	__builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d)	__builtin_mul_overflow(a, b, d)

#endif /* SIM_LINUX_OVERFLOW_H */
