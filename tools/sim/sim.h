/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sim.h - counting results, and memory for a palloc, in user space.
 */
#ifndef SIM_H
#define SIM_H

#include "palloc.h"
#include "page_cache.h"

/* Cases that passed and failed, for the last line of each program. */
extern unsigned long sim_passed;
extern unsigned long sim_failed;

void sim_pass(void);
void sim_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int sim_result(void);

/**
 * struct sim_mem - a palloc_mem over calloc() that can be made to fail
 * @mem: what the palloc sees
 * @fail_after: allocations that still succeed; negative: all
 * @live: allocations not freed yet
 */
struct sim_mem {
	struct palloc_mem mem;
	long fail_after;
	long live;
};

void sim_mem_init(struct sim_mem *m);

/* xorshift64*: a sequence that is the same everywhere. */
static inline u64 sim_random(u64 *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ULL;
}

#endif /* SIM_H */
