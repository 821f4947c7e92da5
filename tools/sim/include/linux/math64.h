/* SPDX-License-Identifier: GPL-2.0-only */
/* 64-bit arithmetic with 128-bit products, in user space. */
#ifndef SIM_LINUX_MATH64_H
#define SIM_LINUX_MATH64_H

#include <linux/types.h>

static inline u64 div_u64(u64 a, u32 b)
{
	return a / b;
}

static inline u64 div64_u64(u64 a, u64 b)
{
	return a / b;
}

static inline u64 mul_u64_u64_div_u64(u64 a, u64 mul, u64 div)
{
	return (__uint128_t)a * mul / div;
}

static inline u64 mul_u64_u64_shr(u64 a, u64 mul, unsigned int shift)
{
	return (__uint128_t)a * mul >> shift;
}

#endif /* SIM_LINUX_MATH64_H */
