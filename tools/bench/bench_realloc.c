// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench.ko: an object that grows, where it is and to another place.
 */
#include <linux/irqflags.h>

#include "bench.h"

/**
 * struct bench_resizer - one contender
 * @base: the rest of it
 * @realloc: change the size of an object
 */
struct bench_resizer {
	const struct bench_allocator *base;
	void *(*realloc)(void *p, size_t size, gfp_t gfp);
};

static __always_inline void *realloc_goalloc(void *p, size_t size, gfp_t gfp)
{
	return gorealloc(p, size, gfp);
}

static __always_inline void *realloc_kmalloc(void *p, size_t size, gfp_t gfp)
{
	return krealloc(p, size, gfp);
}

static const struct bench_resizer bench_gorealloc = { &bench_goalloc, realloc_goalloc };
static const struct bench_resizer bench_krealloc = { &bench_kmalloc, realloc_kmalloc };

/* Growing alone is counted, from @from to @to bytes; @size is for the output. */
static __always_inline void bench_grow(const char *what, const struct bench_resizer *r,
				       size_t size, size_t from, size_t to)
{
	const struct bench_allocator *a = r->base;
	unsigned int i, round;
	void *p, *new;

	OPTIMIZER_HIDE_VAR(from);
	OPTIMIZER_HIDE_VAR(to);
	/* The first round is to have everything at hand. */
	for (round = 0; round < 2; round++) {
		for (i = 0; i < BENCH_ROUNDS; i++) {
			p = a->alloc(from, GFP_KERNEL);
			if (!p)
				return;
			local_irq_disable();
			BENCH_COUNT(i, new = r->realloc(p, to, GFP_ATOMIC));
			local_irq_enable();
			a->free(new ? new : p);
			if (!new)
				return;
		}
	}
	bench_print(what, size, a->name, BENCH_ROUNDS, 1);
}

/**
 * bench_realloc - what it costs to make an object larger
 * @size: bytes it has; when it stays, it has 8 less and grows into what is left
 *        of its class
 */
void bench_realloc(size_t size)
{
	bench_grow("realloc_stay", &bench_gorealloc, size, size - 8, size);
	bench_grow("realloc_stay", &bench_krealloc, size, size - 8, size);
	bench_grow("realloc_move", &bench_gorealloc, size, size, 2 * size);
	bench_grow("realloc_move", &bench_krealloc, size, size, 2 * size);
}
