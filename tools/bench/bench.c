// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench.ko: what an allocation and a free cost, goalloc beside kmalloc,
 * an exact kmem_cache and alloc_pages, in ticks of the cycle counter.
 *
 * Under QEMU's -icount shift=0 a tick is one guest instruction; that is what the
 * module is meant for. Interrupts are off while something is counted, unless the
 * case is about them, and the cost of reading the counter is taken off.
 *
 * Prints "<case>.<size>.<allocator>.<metric> <value>" lines when loaded.
 */
#define pr_fmt(fmt) "goalloc_bench: " fmt

#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include "bench.h"

static char *bench_feature;
module_param_named(feature, bench_feature, charp, 0444);
MODULE_PARM_DESC(feature, "count the hot pair alone, as case pair_<feature>");

/* Nothing is printed of the first pass. */
static bool bench_quiet;

u64 bench_overhead;
u32 *bench_ticks;
void **bench_obj;
struct kmem_cache *bench_cache;
unsigned int bench_page_order;

/**
 * bench_mean - print the mean of what was counted
 * @what: case
 * @size: bytes
 * @name: contender
 * @nr: figures in bench_ticks
 */
void bench_mean(const char *what, size_t size, const char *name, unsigned int nr)
{
	u64 sum = 0;
	unsigned int i;

	if (bench_quiet)
		return;
	for (i = 0; i < nr; i++)
		sum += bench_ticks[i];
	pr_info("%s.%zu.%s.mean %llu\n", what, size, name, sum / nr);
}

/**
 * bench_print - print how what was counted is distributed; sorts it
 * @what: case
 * @size: bytes
 * @name: contender
 * @nr: figures in bench_ticks
 * @per: objects in each of them
 */
void bench_print(const char *what, size_t size, const char *name, unsigned int nr,
		 unsigned int per)
{
	if (bench_quiet)
		return;
	sort(bench_ticks, nr, sizeof(bench_ticks[0]), bench_compare, NULL);
	pr_info("%s.%zu.%s.median %u\n", what, size, name, bench_ticks[nr / 2] / per);
	pr_info("%s.%zu.%s.p99 %u\n", what, size, name,
		bench_ticks[nr - 1 - nr / 100] / per);
	pr_info("%s.%zu.%s.max %u\n", what, size, name, bench_ticks[nr - 1] / per);
}

static void bench_calibrate(void)
{
	unsigned int i;
	u64 best = U64_MAX;

	local_irq_disable();
	for (i = 0; i < BENCH_ROUNDS; i++) {
		u64 begin = rdtsc_ordered(), end = rdtsc_ordered();

		best = min(best, end - begin);
	}
	local_irq_enable();
	bench_overhead = best;
	pr_info("overhead %llu\n", best);
}

/* Count @nr sizes with @count, each with a kmem_cache of objects of that size. */
static void bench_sizes(const size_t *sizes, unsigned int nr, void (*count)(size_t size))
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		bench_cache = kmem_cache_create("goalloc_bench", sizes[i], 0, 0, NULL);
		if (!bench_cache)
			break;
		count(sizes[i]);
		kmem_cache_destroy(bench_cache);
		cond_resched();
	}
}

static void bench_all(void)
{
	static const size_t hot[] = {
		8, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768
	};
	static const size_t batch[] = { 8, 64, 256, 1024, 4096, 8192, 16384, 32768 };
	static const size_t bulk[] = { 64, 256, 1024 };
	static const size_t resize[] = { 64, 256, 1024, 4096 };
	static const size_t large[] = { 64 << 10, 128 << 10, 256 << 10, 512 << 10, 1 << 20 };
	static const unsigned int orders[] = { 0, 1, 2, 4 };
	unsigned int i;

	bench_sizes(hot, ARRAY_SIZE(hot), bench_hot);
	bench_sizes(large, ARRAY_SIZE(large), bench_hot_large);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		bench_page_order = orders[i];
		bench_hot_pages(PAGE_SIZE << orders[i]);
	}
	for (i = 0; i < ARRAY_SIZE(resize); i++)
		bench_realloc(resize[i]);
	bench_sizes(bulk, ARRAY_SIZE(bulk), bench_bulk);
	bench_sizes(batch, ARRAY_SIZE(batch), bench_batch);
}

static void bench_one_feature(void)
{
	static const size_t sizes[] = { 8, 64, 1024, 8192 };
	unsigned int i;
	char what[32];

	snprintf(what, sizeof(what), "pair_%s", bench_feature);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		bench_hot_feature(what, sizes[i]);
}

static int __init bench_init(void)
{
	int err = -ENOMEM;

	bench_obj = vcalloc(BENCH_BATCH, sizeof(*bench_obj));
	bench_ticks = vcalloc(BENCH_BATCH, sizeof(*bench_ticks));
	if (!bench_obj || !bench_ticks || bench_batch_init())
		goto out;
	bench_calibrate();
	if (bench_feature) {
		bench_one_feature();
	} else {
		/* So that each case finds memory that has been in use before. */
		bench_quiet = true;
		bench_all();
		bench_quiet = false;
		bench_all();
	}
	err = 0;
out:
	bench_batch_exit();
	vfree(bench_obj);
	vfree(bench_ticks);
	return err;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What goalloc costs beside kmalloc");
