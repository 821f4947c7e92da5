/* SPDX-License-Identifier: GPL-2.0-only */
/* min() and max() that insist on equal types, in user space. */
#ifndef SIM_LINUX_MINMAX_H
#define SIM_LINUX_MINMAX_H

#define sim_pick(x, y, op) ({			\
	__auto_type pick_x = (x);		\
	__auto_type pick_y = (y);		\
	(void)(&pick_x == &pick_y);		\
	pick_x op pick_y ? pick_x : pick_y;	\
})

#define min(x, y)	sim_pick(x, y, <)
#define max(x, y)	sim_pick(x, y, >)
#define min_t(type, x, y) ({			\
	type min_x = (x);			\
	type min_y = (y);			\
	min_x < min_y ? min_x : min_y;		\
})
#define max_t(type, x, y) ({			\
	type max_x = (x);			\
	type max_y = (y);			\
	max_x > max_y ? max_x : max_y;		\
})
#define max3(x, y, z) ({			\
	__auto_type max3_x = (x);		\
	__auto_type max3_y = (y);		\
	__auto_type max3_z = (z);		\
	(void)(&max3_x == &max3_y);		\
	(void)(&max3_x == &max3_z);		\
	if (max3_x < max3_y)			\
		max3_x = max3_y;		\
	max3_x < max3_z ? max3_z : max3_x;	\
})
#define clamp(val, lo, hi) ({			\
	__auto_type clamp_v = (val);		\
	__auto_type clamp_lo = (lo);		\
	__auto_type clamp_hi = (hi);		\
	(void)(&clamp_v == &clamp_lo);		\
	(void)(&clamp_v == &clamp_hi);		\
	clamp_v < clamp_lo ? clamp_lo :		\
	clamp_v > clamp_hi ? clamp_hi : clamp_v;\
})
#define swap(a, b) do {				\
	__auto_type swap_tmp = (a);		\
	(a) = (b);				\
	(b) = swap_tmp;				\
} while (0)

#endif /* SIM_LINUX_MINMAX_H */
