/* SPDX-License-Identifier: GPL-2.0-only */
/* What replay_latency.h needs of the kernel's bitops.h, in user space. */
#ifndef REPLAY_USER_BITOPS_H
#define REPLAY_USER_BITOPS_H

#define BIT(n)	(1UL << (n))

static inline int fls64(unsigned long long x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

#endif /* REPLAY_USER_BITOPS_H */
