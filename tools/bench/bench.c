// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench.ko: what an allocation and a free cost, goalloc beside kmalloc
 * and an exact kmem_cache, in ticks of the cycle counter.
 *
 * Under QEMU's -icount shift=0 a tick is one guest instruction and every figure
 * is the same in each run; that is what the module is meant for. Interrupts are
 * off while something is counted, and the cost of reading the counter is taken
 * off.
 *
 * Prints "<case>.<size>.<allocator>.<metric> <value>" lines when loaded, and
 * then fails to load on purpose, so that it can be loaded again.
 */
#define pr_fmt(fmt) "goalloc_bench: " fmt

#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/timex.h>
#include <linux/vmalloc.h>

#include <goalloc.h>

#define BATCH 4096
#define ROUNDS 257

static u64 bench_overhead;
static void **bench_obj;
static u32 *bench_ticks;
static u32 *bench_order;

/**
 * struct bench_allocator - one contender
 * @name: for the output
 * @alloc: allocate @size bytes
 * @free: free
 */
struct bench_allocator {
	const char *name;
	void *(*alloc)(size_t size, gfp_t gfp);
	void (*free)(void *p);
};

static struct kmem_cache *bench_cache;

static void *bench_goalloc(size_t size, gfp_t gfp)
{
	return goalloc(size, gfp);
}

static void bench_gofree(void *p)
{
	gofree(p);
}

static noinline void *bench_kmalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp);
}

static void bench_kfree(void *p)
{
	kfree(p);
}

static void *bench_cache_alloc(size_t size, gfp_t gfp)
{
	return kmem_cache_alloc(bench_cache, gfp);
}

static void bench_cache_free(void *p)
{
	kmem_cache_free(bench_cache, p);
}

static const struct bench_allocator bench_allocators[] = {
	{ "goalloc", bench_goalloc, bench_gofree },
	{ "kmalloc", bench_kmalloc, bench_kfree },
	{ "kmem_cache", bench_cache_alloc, bench_cache_free },
};

static int bench_compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void bench_print(const char *what, size_t size, const char *name,
			unsigned int nr, unsigned int per)
{
	sort(bench_ticks, nr, sizeof(bench_ticks[0]), bench_compare, NULL);
	pr_info("%s.%zu.%s.median %u\n", what, size, name, bench_ticks[nr / 2] / per);
	pr_info("%s.%zu.%s.p99 %u\n", what, size, name,
		bench_ticks[nr - 1 - nr / 100] / per);
}

/* An indirect call is part of every figure; both sides make the same. */
#define BENCH_COUNT(i, stmt) do {					\
	u64 begin_, end_;						\
									\
	begin_ = rdtsc_ordered();					\
	stmt;								\
	end_ = rdtsc_ordered();						\
	bench_ticks[i] = end_ - begin_ - min(bench_overhead, end_ - begin_); \
} while (0)

static void bench_pair(const struct bench_allocator *a, size_t size)
{
	unsigned int i;
	void *p;

	for (i = 0; i < ROUNDS; i++)
		a->free(a->alloc(size, GFP_ATOMIC));
	local_irq_disable();
	for (i = 0; i < ROUNDS; i++)
		BENCH_COUNT(i, p = a->alloc(size, GFP_ATOMIC); a->free(p));
	local_irq_enable();
	bench_print("pair", size, a->name, ROUNDS, 1);

	local_irq_disable();
	for (i = 0; i < ROUNDS; i++) {
		BENCH_COUNT(i, p = a->alloc(size, GFP_ATOMIC));
		a->free(p);
	}
	local_irq_enable();
	bench_print("alloc", size, a->name, ROUNDS, 1);

	local_irq_disable();
	for (i = 0; i < ROUNDS; i++) {
		p = a->alloc(size, GFP_ATOMIC);
		BENCH_COUNT(i, a->free(p));
	}
	local_irq_enable();
	bench_print("free", size, a->name, ROUNDS, 1);
}

static u64 bench_sum(unsigned int nr)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < nr; i++)
		sum += bench_ticks[i];
	return sum;
}

static void bench_batch(const struct bench_allocator *a, size_t size)
{
	static const char * const orders[] = { "fifo", "lifo", "shuffled" };
	unsigned int nr = min_t(size_t, BATCH, (64 << 20) / size);
	unsigned int o, i;
	char what[16];

	for (o = 0; o < ARRAY_SIZE(orders); o++) {
		for (i = 0; i < nr; i++) {
			local_irq_disable();
			BENCH_COUNT(i, bench_obj[i] = a->alloc(size, GFP_ATOMIC));
			local_irq_enable();
			if (!bench_obj[i])
				break;
			cond_resched();
		}
		nr = i;
		if (!o) {
			pr_info("batch_alloc.%zu.%s.mean %llu\n", size, a->name,
				bench_sum(nr) / nr);
			bench_print("batch_alloc", size, a->name, nr, 1);
		}
		for (i = 0; i < nr; i++) {
			unsigned int j = o == 0 ? i : o == 1 ? nr - 1 - i :
					 bench_order[i] % nr;

			/* The shuffle is of BATCH; what it does not reach goes last. */
			if (o == 2 && !bench_obj[j])
				continue;
			local_irq_disable();
			BENCH_COUNT(i, a->free(bench_obj[j]));
			local_irq_enable();
			bench_obj[j] = NULL;
		}
		for (i = 0; i < nr; i++)
			if (bench_obj[i])
				a->free(bench_obj[i]);
		snprintf(what, sizeof(what), "free_%s", orders[o]);
		pr_info("%s.%zu.%s.mean %llu\n", what, size, a->name,
			bench_sum(nr) / nr);
		bench_print(what, size, a->name, nr, 1);
	}
}

static void bench_calibrate(void)
{
	unsigned int i;
	u64 best = U64_MAX;

	local_irq_disable();
	for (i = 0; i < ROUNDS; i++) {
		u64 begin = rdtsc_ordered(), end = rdtsc_ordered();

		best = min(best, end - begin);
	}
	local_irq_enable();
	bench_overhead = best;
	pr_info("overhead %llu\n", best);
}

static int __init bench_init(void)
{
	static const size_t sizes[] = { 8, 64, 256, 1024, 4096, 8192, 16384, 32768 };
	unsigned int i, s, a;
	u32 seed = 1;

	bench_obj = vcalloc(BATCH, sizeof(*bench_obj));
	bench_ticks = vcalloc(BATCH, sizeof(*bench_ticks));
	bench_order = vcalloc(BATCH, sizeof(*bench_order));
	if (!bench_obj || !bench_ticks || !bench_order)
		goto out;
	for (i = 0; i < BATCH; i++)
		bench_order[i] = i;
	for (i = BATCH - 1; i; i--) {
		seed = seed * 1664525 + 1013904223;
		swap(bench_order[i], bench_order[(seed >> 8) % (i + 1)]);
	}
	bench_calibrate();
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		bench_cache = kmem_cache_create("goalloc_bench", sizes[s], 0, 0, NULL);
		if (!bench_cache)
			break;
		for (a = 0; a < ARRAY_SIZE(bench_allocators); a++) {
			bench_pair(&bench_allocators[a], sizes[s]);
			bench_batch(&bench_allocators[a], sizes[s]);
		}
		kmem_cache_destroy(bench_cache);
	}
out:
	vfree(bench_obj);
	vfree(bench_ticks);
	vfree(bench_order);
	return -ECANCELED;
}
module_init(bench_init);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What goalloc costs beside kmalloc");
