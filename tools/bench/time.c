// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench_time.ko: the time that allocations and frees take, goalloc beside
 * kmalloc and an exact kmem_cache, by the kernel's clock.
 *
 * Meant for a kernel whose instructions the processor runs itself, with its caches
 * and its branch prediction: `make bench` loads it into user-mode Linux. Others may
 * use the same machine. So the contenders take turns, a round each, that what
 * disturbs one for long disturbs all; a round has so many operations that reading
 * the clock does not matter; and of the rounds the median counts. The smallest is
 * what an undisturbed round takes.
 *
 * What is allocated is not used, so that the cases say nothing of whose objects lie
 * better in the caches.
 *
 * Prints "<case>.<size>.<allocator>.<metric> <value>" lines when loaded, the metrics
 * ps_median and ps_min in picoseconds per object: an allocation and a free, in the
 * cases of pairs and bulk; else one of them.
 */
#define pr_fmt(fmt) "goalloc_bench: " fmt

#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/timekeeping.h>
#include <linux/vmalloc.h>

#include "bench.h"

static unsigned int time_rounds = 401;
module_param_named(rounds, time_rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "rounds of each contender, 51 to 10000 (401)");

static char *time_feature;
module_param_named(feature, time_feature, charp, 0444);
MODULE_PARM_DESC(feature, "take the times of the hot pair alone, as case pair_<feature>");

/* Pairs in a round, and before it, when the others have just had the caches. */
#define TIME_PAIRS 16384
#define TIME_WARM 512

/* Objects at once, and how often in a round. */
#define TIME_BULK 16
#define TIME_BULKS 1024

enum { TIME_GOALLOC, TIME_KMALLOC, TIME_CACHE, TIME_CONTENDERS };

static const char * const time_names[] = { "goalloc", "kmalloc", "kmem_cache" };

enum { ORDER_FIFO, ORDER_LIFO, ORDER_SHUFFLED, ORDERS };

static const char * const time_frees[] = { "free_fifo", "free_lifo", "free_shuffled" };

/* For bench.h. */
struct kmem_cache *bench_cache;

static void *time_obj[BENCH_BATCH];

/* By order: which object is freed next. */
static u16 time_order[ORDERS][BENCH_BATCH];

/* Nanoseconds of each round, and of a second thing that is timed in it. */
static u64 *time_ns[TIME_CONTENDERS];
static u64 *time_ns2[TIME_CONTENDERS];

static int time_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Sorts @ns, where @per objects were dealt with in each round. */
static void time_print(const char *what, size_t size, const char *name, u64 *ns,
		       unsigned int per)
{
	sort(ns, time_rounds, sizeof(ns[0]), time_compare, NULL);
	pr_info("%s.%zu.%s.ps_median %llu\n", what, size, name,
		div_u64(ns[time_rounds / 2] * 1000, per));
	pr_info("%s.%zu.%s.ps_min %llu\n", what, size, name, div_u64(ns[0] * 1000, per));
}

/*
 * A function of its own for each contender, with direct calls, as in bench_hot.c.
 * @size is hidden from the compiler, or it would choose kmalloc()'s cache. They
 * return 0 if there is no memory.
 */
static __always_inline u64 time_pair(const struct bench_allocator *a, size_t size, gfp_t gfp)
{
	unsigned int i;
	u64 begin;
	void *p;

	OPTIMIZER_HIDE_VAR(size);
	OPTIMIZER_HIDE_VAR(gfp);
	for (i = 0; i < TIME_WARM; i++) {
		p = a->alloc(size, gfp);
		if (!p)
			return 0;
		a->free(p);
	}
	begin = ktime_get_ns();
	for (i = 0; i < TIME_PAIRS; i++) {
		p = a->alloc(size, gfp);
		a->free(p);
	}
	return ktime_get_ns() - begin;
}

static noinline u64 time_pair_goalloc(size_t size, gfp_t gfp)
{
	return time_pair(&bench_goalloc, size, gfp);
}

static noinline u64 time_pair_kmalloc(size_t size, gfp_t gfp)
{
	return time_pair(&bench_kmalloc, size, gfp);
}

static noinline u64 time_pair_cache(size_t size, gfp_t gfp)
{
	return time_pair(&bench_kmem_cache, size, gfp);
}

/* One round of each. Interrupts are off in it, as where `make bench` counts. */
static bool time_pair_round(size_t size, gfp_t gfp, unsigned int round)
{
	unsigned int i;

	local_irq_disable();
	time_ns[TIME_GOALLOC][round] = time_pair_goalloc(size, gfp);
	local_irq_enable();
	local_irq_disable();
	time_ns[TIME_KMALLOC][round] = time_pair_kmalloc(size, gfp);
	local_irq_enable();
	local_irq_disable();
	time_ns[TIME_CACHE][round] = time_pair_cache(size, gfp);
	local_irq_enable();
	for (i = 0; i < TIME_CONTENDERS; i++)
		if (!time_ns[i][round])
			return false;
	return true;
}

static bool time_pairs(const char *what, size_t size, gfp_t gfp)
{
	unsigned int i;

	for (i = 0; i < time_rounds; i++) {
		if (!time_pair_round(size, gfp, i))
			return false;
		cond_resched();
	}
	for (i = 0; i < TIME_CONTENDERS; i++)
		time_print(what, size, time_names[i], time_ns[i], TIME_PAIRS);
	return true;
}

/* A row of allocations, then their frees; @ns gets what either took. */
static __always_inline bool time_row(const struct bench_allocator *a, size_t size,
				     const u16 *order, u64 *alloc_ns, u64 *free_ns)
{
	u64 begin, middle;
	unsigned int i;

	OPTIMIZER_HIDE_VAR(size);
	begin = ktime_get_ns();
	for (i = 0; i < BENCH_BATCH; i++) {
		time_obj[i] = a->alloc(size, GFP_ATOMIC);
		if (!time_obj[i])
			break;
	}
	middle = ktime_get_ns();
	if (i < BENCH_BATCH) {
		while (i--)
			a->free(time_obj[i]);
		return false;
	}
	for (i = 0; i < BENCH_BATCH; i++)
		a->free(time_obj[order[i]]);
	*free_ns = ktime_get_ns() - middle;
	*alloc_ns = middle - begin;
	return true;
}

static noinline bool time_row_goalloc(size_t size, const u16 *order, u64 *a, u64 *f)
{
	return time_row(&bench_goalloc, size, order, a, f);
}

static noinline bool time_row_kmalloc(size_t size, const u16 *order, u64 *a, u64 *f)
{
	return time_row(&bench_kmalloc, size, order, a, f);
}

static noinline bool time_row_cache(size_t size, const u16 *order, u64 *a, u64 *f)
{
	return time_row(&bench_kmem_cache, size, order, a, f);
}

static bool time_row_round(size_t size, const u16 *order, unsigned int round)
{
	bool ok;

	local_irq_disable();
	ok = time_row_goalloc(size, order, &time_ns[TIME_GOALLOC][round],
			      &time_ns2[TIME_GOALLOC][round]);
	local_irq_enable();
	local_irq_disable();
	ok = ok && time_row_kmalloc(size, order, &time_ns[TIME_KMALLOC][round],
				    &time_ns2[TIME_KMALLOC][round]);
	local_irq_enable();
	local_irq_disable();
	ok = ok && time_row_cache(size, order, &time_ns[TIME_CACHE][round],
				  &time_ns2[TIME_CACHE][round]);
	local_irq_enable();
	return ok;
}

static bool time_rows(size_t size)
{
	unsigned int i, o;

	for (o = 0; o < ORDERS; o++) {
		/* The first round is for those that come after it. */
		if (!time_row_round(size, time_order[o], 0))
			return false;
		for (i = 0; i < time_rounds; i++) {
			if (!time_row_round(size, time_order[o], i))
				return false;
			cond_resched();
		}
		/* How they will be freed is nothing to allocations. */
		for (i = 0; !o && i < TIME_CONTENDERS; i++)
			time_print("batch_alloc", size, time_names[i], time_ns[i], BENCH_BATCH);
		for (i = 0; i < TIME_CONTENDERS; i++)
			time_print(time_frees[o], size, time_names[i], time_ns2[i],
				   BENCH_BATCH);
	}
	return true;
}

static noinline u64 time_bulk_goalloc(size_t size, size_t nr)
{
	unsigned int i;
	u64 begin = 0;

	for (i = 0; i < TIME_WARM + TIME_BULKS; i++) {
		if (i == TIME_WARM)
			begin = ktime_get_ns();
		if (!goalloc_bulk(size, GFP_ATOMIC, nr, time_obj))
			return 0;
		gofree_bulk(nr, time_obj);
	}
	return ktime_get_ns() - begin;
}

static noinline u64 time_bulk_cache(size_t size, size_t nr)
{
	unsigned int i;
	u64 begin = 0;

	for (i = 0; i < TIME_WARM + TIME_BULKS; i++) {
		if (i == TIME_WARM)
			begin = ktime_get_ns();
		if (!kmem_cache_alloc_bulk(bench_cache, GFP_ATOMIC, nr, time_obj))
			return 0;
		kmem_cache_free_bulk(bench_cache, nr, time_obj);
	}
	return ktime_get_ns() - begin;
}

/* kmalloc() has no such call. */
static bool time_bulks(size_t size)
{
	size_t nr = TIME_BULK;
	unsigned int i;

	OPTIMIZER_HIDE_VAR(size);
	OPTIMIZER_HIDE_VAR(nr);
	for (i = 0; i < time_rounds; i++) {
		local_irq_disable();
		time_ns[TIME_GOALLOC][i] = time_bulk_goalloc(size, nr);
		local_irq_enable();
		local_irq_disable();
		time_ns[TIME_CACHE][i] = time_bulk_cache(size, nr);
		local_irq_enable();
		if (!time_ns[TIME_GOALLOC][i] || !time_ns[TIME_CACHE][i])
			return false;
		cond_resched();
	}
	time_print("bulk16", size, "goalloc", time_ns[TIME_GOALLOC], TIME_BULK * TIME_BULKS);
	time_print("bulk16", size, "kmem_cache", time_ns[TIME_CACHE], TIME_BULK * TIME_BULKS);
	return true;
}

/* One case of one size, with a kmem_cache of exactly that. */
static bool time_pair_atomic(size_t size)
{
	char what[32] = "pair";

	if (time_feature)
		snprintf(what, sizeof(what), "pair_%s", time_feature);
	return time_pairs(what, size, GFP_ATOMIC);
}

static bool time_pair_zero(size_t size)
{
	return time_pairs("pair_zero", size, GFP_ATOMIC | __GFP_ZERO);
}

static int time_sizes(const size_t *sizes, unsigned int nr, bool (*measure)(size_t size))
{
	unsigned int i;
	bool ok;

	for (i = 0; i < nr; i++) {
		bench_cache = kmem_cache_create("goalloc_bench", sizes[i], 0, 0, NULL);
		if (!bench_cache)
			return -ENOMEM;
		ok = measure(sizes[i]);
		kmem_cache_destroy(bench_cache);
		if (!ok)
			return -ENOMEM;
	}
	return 0;
}

static int time_all(void)
{
	static const size_t hot[] = {
		8, 16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768
	};
	static const size_t zero[] = { 1024 };
	static const size_t row[] = { 64, 1024, 8192 };
	static const size_t bulk[] = { 64, 256, 1024 };
	int err;

	err = time_sizes(hot, ARRAY_SIZE(hot), time_pair_atomic);
	if (time_feature)
		return err;
	err = err ?: time_sizes(zero, ARRAY_SIZE(zero), time_pair_zero);
	err = err ?: time_sizes(bulk, ARRAY_SIZE(bulk), time_bulks);
	err = err ?: time_sizes(row, ARRAY_SIZE(row), time_rows);
	return err;
}

/* The shuffle is the same in every run. */
static void time_shuffle(void)
{
	u16 *shuffled = time_order[ORDER_SHUFFLED];
	unsigned int i;
	u32 seed = 1;

	for (i = 0; i < BENCH_BATCH; i++) {
		time_order[ORDER_FIFO][i] = i;
		time_order[ORDER_LIFO][i] = BENCH_BATCH - 1 - i;
		shuffled[i] = i;
	}
	for (i = BENCH_BATCH - 1; i; i--) {
		seed = seed * 1664525 + 1013904223;
		swap(shuffled[i], shuffled[(seed >> 8) % (i + 1)]);
	}
}

static int __init bench_time_init(void)
{
	int err = -ENOMEM;
	unsigned int i;
	u64 *ns;

	if (time_rounds < 51 || time_rounds > 10000)
		return -EINVAL;
	ns = vcalloc(2 * TIME_CONTENDERS * time_rounds, sizeof(*ns));
	if (!ns)
		return err;
	for (i = 0; i < TIME_CONTENDERS; i++) {
		time_ns[i] = ns + 2 * i * time_rounds;
		time_ns2[i] = time_ns[i] + time_rounds;
	}
	time_shuffle();
	err = time_all();
	vfree(ns);
	return err;
}

static void __exit bench_time_exit(void)
{
}

module_init(bench_time_init);
module_exit(bench_time_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("How long goalloc takes beside kmalloc");
