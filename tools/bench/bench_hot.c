// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench.ko: one object at a time, allocated and freed in turn, with
 * everything at hand.
 */
#include <linux/irqflags.h>

#include "bench.h"

/*
 * Nothing is counted if there is no memory. @size is hidden from the compiler,
 * or it would choose the cache of kmalloc() by itself, as it does for constants.
 */
static __always_inline bool bench_warm(const struct bench_allocator *a, size_t size, gfp_t gfp)
{
	unsigned int i;
	void *p;

	for (i = 0; i < BENCH_ROUNDS; i++) {
		p = a->alloc(size, gfp);
		if (!p)
			return false;
		a->free(p);
	}
	return true;
}

static __always_inline void bench_pair(const char *what, const struct bench_allocator *a,
				       size_t size, gfp_t gfp)
{
	unsigned int i;
	void *p;

	OPTIMIZER_HIDE_VAR(size);
	if (!bench_warm(a, size, gfp))
		return;
	/* What may sleep is counted as it is used. */
	if (!gfpflags_allow_blocking(gfp))
		local_irq_disable();
	for (i = 0; i < BENCH_ROUNDS; i++)
		BENCH_COUNT(i, p = a->alloc(size, gfp); a->free(p));
	if (!gfpflags_allow_blocking(gfp))
		local_irq_enable();
	bench_print(what, size, a->name, BENCH_ROUNDS, 1);
}

static __always_inline void bench_halves(const struct bench_allocator *a, size_t size)
{
	unsigned int i;
	void *p;

	OPTIMIZER_HIDE_VAR(size);
	if (!bench_warm(a, size, GFP_ATOMIC))
		return;
	local_irq_disable();
	for (i = 0; i < BENCH_ROUNDS; i++) {
		BENCH_COUNT(i, p = a->alloc(size, GFP_ATOMIC));
		a->free(p);
	}
	local_irq_enable();
	bench_print("alloc", size, a->name, BENCH_ROUNDS, 1);

	local_irq_disable();
	for (i = 0; i < BENCH_ROUNDS; i++) {
		p = a->alloc(size, GFP_ATOMIC);
		BENCH_COUNT(i, a->free(p));
	}
	local_irq_enable();
	bench_print("free", size, a->name, BENCH_ROUNDS, 1);
}

/* The cases of one contender, which end up in a function of its own. */
static __always_inline void bench_cases(const struct bench_allocator *a, size_t size)
{
	bench_pair("pair", a, size, GFP_ATOMIC);
	bench_halves(a, size);
	bench_pair("pair_kernel", a, size, GFP_KERNEL);
	bench_pair("pair_zero", a, size, GFP_ATOMIC | __GFP_ZERO);
}

static noinline void bench_hot_goalloc(size_t size)
{
	bench_cases(&bench_goalloc, size);
}

static noinline void bench_hot_kmalloc(size_t size)
{
	bench_cases(&bench_kmalloc, size);
}

static noinline void bench_hot_cache(size_t size)
{
	bench_cases(&bench_kmem_cache, size);
}

/**
 * bench_hot - what an allocation and a free of one size cost
 * @size: bytes
 */
void bench_hot(size_t size)
{
	bench_hot_goalloc(size);
	bench_hot_kmalloc(size);
	bench_hot_cache(size);
}

/**
 * bench_hot_feature - the hot pair alone, while something is on or off
 * @what: case
 * @size: bytes
 */
void bench_hot_feature(const char *what, size_t size)
{
	bench_pair(what, &bench_goalloc, size, GFP_ATOMIC);
	bench_pair(what, &bench_kmalloc, size, GFP_ATOMIC);
}

/**
 * bench_hot_large - the hot pair of an object beyond the size classes
 * @size: bytes
 */
void bench_hot_large(size_t size)
{
	bench_pair("large", &bench_goalloc, size, GFP_ATOMIC);
	bench_pair("large", &bench_kmalloc, size, GFP_ATOMIC);
	bench_pair("large", &bench_kmem_cache, size, GFP_ATOMIC);
}

/**
 * bench_hot_pages - goalloc in the place of alloc_pages()
 * @size: bytes, as many pages as bench_page_order says
 */
void bench_hot_pages(size_t size)
{
	bench_pair("page_run", &bench_goalloc, size, GFP_ATOMIC);
	bench_pair("page_run", &bench_alloc_pages, size, GFP_ATOMIC);
}
