// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench.ko: many allocations in a row, then their frees in three orders.
 */
#define pr_fmt(fmt) "goalloc_bench: " fmt

#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "bench.h"

/* A shuffle, the same in every run. */
static u16 *bench_order;

static __always_inline unsigned int bench_fill(const struct bench_allocator *a, size_t size)
{
	unsigned int nr = min_t(size_t, BENCH_BATCH, (64 << 20) / size);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		local_irq_disable();
		BENCH_COUNT(i, bench_obj[i] = a->alloc(size, GFP_ATOMIC));
		local_irq_enable();
		if (!bench_obj[i])
			break;
		cond_resched();
	}
	return i;
}

/* In order @o: as allocated, backwards, shuffled. Returns what was counted. */
static __always_inline unsigned int bench_empty(const struct bench_allocator *a,
						unsigned int nr, unsigned int o)
{
	unsigned int i, counted = 0;

	for (i = 0; i < nr; i++) {
		unsigned int j = o == 0 ? i : o == 1 ? nr - 1 - i : bench_order[i] % nr;

		/* The shuffle is of BENCH_BATCH; what it does not reach goes last. */
		if (!bench_obj[j])
			continue;
		local_irq_disable();
		BENCH_COUNT(counted, a->free(bench_obj[j]));
		local_irq_enable();
		bench_obj[j] = NULL;
		counted++;
	}
	for (i = 0; i < nr; i++) {
		if (bench_obj[i])
			a->free(bench_obj[i]);
		bench_obj[i] = NULL;
	}
	return counted;
}

static __always_inline void bench_many(const struct bench_allocator *a, size_t size)
{
	static const char * const cases[] = { "free_fifo", "free_lifo", "free_shuffled" };
	unsigned int o, nr;

	OPTIMIZER_HIDE_VAR(size);
	for (o = 0; o < ARRAY_SIZE(cases); o++) {
		nr = bench_fill(a, size);
		if (!nr)
			return;
		if (!o) {
			bench_mean("batch_alloc", size, a->name, nr);
			bench_print("batch_alloc", size, a->name, nr, 1);
		}
		nr = bench_empty(a, nr, o);
		bench_mean(cases[o], size, a->name, nr);
		bench_print(cases[o], size, a->name, nr, 1);
	}
}

static noinline void bench_batch_goalloc(size_t size)
{
	bench_many(&bench_goalloc, size);
}

static noinline void bench_batch_kmalloc(size_t size)
{
	bench_many(&bench_kmalloc, size);
}

static noinline void bench_batch_cache(size_t size)
{
	bench_many(&bench_kmem_cache, size);
}

/**
 * bench_batch - what many objects of one size cost, one after the other
 * @size: bytes
 */
void bench_batch(size_t size)
{
	bench_batch_goalloc(size);
	bench_batch_kmalloc(size);
	bench_batch_cache(size);
}

int bench_batch_init(void)
{
	bench_order = vcalloc(BENCH_BATCH, sizeof(*bench_order));
	if (!bench_order)
		return -ENOMEM;
	bench_shuffle(bench_order);
	return 0;
}

void bench_batch_exit(void)
{
	vfree(bench_order);
}
