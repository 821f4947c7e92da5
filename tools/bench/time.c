// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench_time.ko: the time that allocations and frees take, goalloc beside
 * kmalloc and an exact kmem_cache, by the kernel's clock.
 *
 * Meant for a kernel whose instructions the processor runs itself, with its caches
 * and its branch prediction: `make bench` loads it into user-mode Linux. Others may
 * use the same machine. So the contenders take turns, a round each, that what
 * disturbs one disturbs all; the cases take turns, a lap each, that what lasts for a
 * second is a part of each of them, and a small one; a round has so many operations
 * that reading the clock does not matter; and of the rounds the median counts. The
 * smallest is what an undisturbed round takes.
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

static unsigned int time_laps = 20;
module_param_named(laps, time_laps, uint, 0444);
MODULE_PARM_DESC(laps, "how often each case has its turn, 3 to 1000 (20)");

static char *time_feature;
module_param_named(feature, time_feature, charp, 0444);
MODULE_PARM_DESC(feature, "take the times of the hot pair alone, as case pair_<feature>");

/* Rounds of each contender when a case has its turn, and all of them. */
#define TIME_LAP 20
#define TIME_ROUNDS (TIME_LAP * time_laps)

/* Pairs in a round, and before it, when the others have just had the caches. */
#define TIME_PAIRS 16384
#define TIME_WARM 512

/* Objects at once, and how often in a round. */
#define TIME_BULK 16
#define TIME_BULKS 1024

enum { TIME_GOALLOC, TIME_KMALLOC, TIME_CACHE, TIME_CONTENDERS };

static const char * const time_names[] = { "goalloc", "kmalloc", "kmem_cache" };

enum { ORDER_FIFO, ORDER_LIFO, ORDER_SHUFFLED, ORDERS };

/* For bench.h. */
struct kmem_cache *bench_cache;

static void *time_obj[BENCH_BATCH];

/* By order: which object is freed next. */
static u16 time_order[ORDERS][BENCH_BATCH];

/**
 * struct time_case - what is timed
 * @what: for the output; the second name is of @then_ns
 * @then: NULL if only one thing is timed
 * @size: bytes
 * @per: objects dealt with in a round
 * @round: one round of each contender; false if there is no memory
 * @gfp: flags for those that take them
 * @order: of rows, how their objects are freed
 * @ns: nanoseconds of each round, by contender
 * @then_ns: the same of the second thing
 */
struct time_case {
	const char *what, *then;
	size_t size;
	unsigned int per;
	bool (*round)(struct time_case *c, unsigned int round);
	gfp_t gfp;
	const u16 *order;
	u64 *ns[TIME_CONTENDERS];
	u64 *then_ns[TIME_CONTENDERS];
};

static int time_compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Sorts @ns, where @per objects were dealt with in each round. */
static void time_print(const char *what, size_t size, const char *name, u64 *ns,
		       unsigned int per)
{
	sort(ns, TIME_ROUNDS, sizeof(ns[0]), time_compare, NULL);
	/* Of a case with fewer contenders. */
	if (!ns[0])
		return;
	pr_info("%s.%zu.%s.ps_median %llu\n", what, size, name,
		div_u64(ns[TIME_ROUNDS / 2] * 1000, per));
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

/* Interrupts are off in a round, as where `make bench` counts. */
static bool time_pair_round(struct time_case *c, unsigned int round)
{
	unsigned int i;

	local_irq_disable();
	c->ns[TIME_GOALLOC][round] = time_pair_goalloc(c->size, c->gfp);
	local_irq_enable();
	local_irq_disable();
	c->ns[TIME_KMALLOC][round] = time_pair_kmalloc(c->size, c->gfp);
	local_irq_enable();
	local_irq_disable();
	c->ns[TIME_CACHE][round] = time_pair_cache(c->size, c->gfp);
	local_irq_enable();
	for (i = 0; i < TIME_CONTENDERS; i++)
		if (!c->ns[i][round])
			return false;
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

static bool time_row_round(struct time_case *c, unsigned int round)
{
	bool ok;

	local_irq_disable();
	ok = time_row_goalloc(c->size, c->order, &c->ns[TIME_GOALLOC][round],
			      &c->then_ns[TIME_GOALLOC][round]);
	local_irq_enable();
	local_irq_disable();
	ok = ok && time_row_kmalloc(c->size, c->order, &c->ns[TIME_KMALLOC][round],
				    &c->then_ns[TIME_KMALLOC][round]);
	local_irq_enable();
	local_irq_disable();
	ok = ok && time_row_cache(c->size, c->order, &c->ns[TIME_CACHE][round],
				  &c->then_ns[TIME_CACHE][round]);
	local_irq_enable();
	return ok;
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
static bool time_bulk_round(struct time_case *c, unsigned int round)
{
	size_t size = c->size, nr = TIME_BULK;

	OPTIMIZER_HIDE_VAR(size);
	OPTIMIZER_HIDE_VAR(nr);
	local_irq_disable();
	c->ns[TIME_GOALLOC][round] = time_bulk_goalloc(size, nr);
	local_irq_enable();
	local_irq_disable();
	c->ns[TIME_CACHE][round] = time_bulk_cache(size, nr);
	local_irq_enable();
	return c->ns[TIME_GOALLOC][round] && c->ns[TIME_CACHE][round];
}

#define PAIR(name, bytes, flags) {					\
	.what = (name), .size = (bytes), .per = TIME_PAIRS,		\
	.round = time_pair_round, .gfp = GFP_ATOMIC | (flags),		\
}

#define BULK(bytes) {							\
	.what = "bulk16", .size = (bytes), .per = TIME_BULK * TIME_BULKS, \
	.round = time_bulk_round,					\
}

/* How they will be freed is nothing to allocations: those of one row are enough. */
#define ROW(bytes, alloc, free, o) {					\
	.what = (alloc), .then = (free), .size = (bytes),		\
	.per = BENCH_BATCH, .round = time_row_round, .order = time_order[o], \
}

/* What a feature is timed with comes first. */
#define TIME_FEATURE_CASES 12

static struct time_case time_cases[] = {
	PAIR("pair", 8, 0), PAIR("pair", 16, 0), PAIR("pair", 64, 0),
	PAIR("pair", 128, 0), PAIR("pair", 256, 0), PAIR("pair", 512, 0),
	PAIR("pair", 1024, 0), PAIR("pair", 2048, 0), PAIR("pair", 4096, 0),
	PAIR("pair", 8192, 0), PAIR("pair", 16384, 0), PAIR("pair", 32768, 0),
	PAIR("pair_zero", 1024, __GFP_ZERO),
	BULK(64), BULK(256), BULK(1024),
	ROW(64, "batch_alloc", "free_fifo", ORDER_FIFO),
	ROW(64, NULL, "free_lifo", ORDER_LIFO),
	ROW(64, NULL, "free_shuffled", ORDER_SHUFFLED),
	ROW(1024, "batch_alloc", "free_fifo", ORDER_FIFO),
	ROW(1024, NULL, "free_lifo", ORDER_LIFO),
	ROW(1024, NULL, "free_shuffled", ORDER_SHUFFLED),
	ROW(8192, "batch_alloc", "free_fifo", ORDER_FIFO),
	ROW(8192, NULL, "free_lifo", ORDER_LIFO),
	ROW(8192, NULL, "free_shuffled", ORDER_SHUFFLED),
};

/* A case has its turn. The first round is not kept: others have had the memory. */
static int time_lap(struct time_case *c, unsigned int lap)
{
	unsigned int first = lap * TIME_LAP, i;
	bool ok;

	bench_cache = kmem_cache_create("goalloc_bench", c->size, 0, 0, NULL);
	if (!bench_cache)
		return -ENOMEM;
	ok = c->round(c, first);
	for (i = 0; ok && i < TIME_LAP; i++) {
		ok = c->round(c, first + i);
		cond_resched();
	}
	kmem_cache_destroy(bench_cache);
	return ok ? 0 : -ENOMEM;
}

static void time_show(struct time_case *c)
{
	char what[32];
	unsigned int i;

	for (i = 0; c->what && i < TIME_CONTENDERS; i++) {
		snprintf(what, sizeof(what), "%s%s%s", c->what, time_feature ? "_" : "",
			 time_feature ?: "");
		time_print(what, c->size, time_names[i], c->ns[i], c->per);
	}
	for (i = 0; c->then && i < TIME_CONTENDERS; i++)
		time_print(c->then, c->size, time_names[i], c->then_ns[i], c->per);
}

static void time_orders(void)
{
	unsigned int i;

	for (i = 0; i < BENCH_BATCH; i++) {
		time_order[ORDER_FIFO][i] = i;
		time_order[ORDER_LIFO][i] = BENCH_BATCH - 1 - i;
	}
	bench_shuffle(time_order[ORDER_SHUFFLED]);
}

static int __init bench_time_init(void)
{
	unsigned int nr = time_feature ? TIME_FEATURE_CASES : ARRAY_SIZE(time_cases);
	unsigned int i, k, lap;
	int err = 0;
	u64 *ns, *next;

	if (time_laps < 3 || time_laps > 1000)
		return -EINVAL;
	ns = vcalloc(nr * 2 * TIME_CONTENDERS * TIME_ROUNDS, sizeof(*ns));
	if (!ns)
		return -ENOMEM;
	next = ns;
	for (i = 0; i < nr; i++) {
		for (k = 0; k < TIME_CONTENDERS; k++) {
			time_cases[i].ns[k] = next;
			time_cases[i].then_ns[k] = next + TIME_ROUNDS;
			next += 2 * TIME_ROUNDS;
		}
	}
	time_orders();
	for (lap = 0; !err && lap < time_laps; lap++)
		for (i = 0; !err && i < nr; i++)
			err = time_lap(&time_cases[i], lap);
	for (i = 0; !err && i < nr; i++)
		time_show(&time_cases[i]);
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
