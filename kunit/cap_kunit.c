// SPDX-License-Identifier: GPL-2.0-only
/*
 * What caches may keep: bounds per CPU and in total are kept whatever is done,
 * lists get as long as their use and the bounds allow, and the numbers in
 * debugfs are those of the ledger. The arithmetic alone, for 64 CPUs, is tested
 * by tools/sim/unit_cache_cap.c.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "debugfs.h"
#include "drain.h"
#include "fake_source.h"
#include "stats.h"

#define PARAMS "/sys/module/goalloc/parameters/"

static int cap_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 4096, 2);
	return 0;
}

static void cap_suite_exit(struct kunit *test)
{
	fake_heap_destroy(test, test->priv);
}

/* As the parameters do. */
static void cap_set(struct goalloc_heap *heap, u64 share)
{
	WRITE_ONCE(heap->cache_share, share);
	drain_over(heap);
}

/* Bytes that the caches of all CPUs have, and how many levels have too many. */
static u64 cap_used(struct goalloc_heap *heap, unsigned int *over)
{
	unsigned int cpu, level;
	struct level_stats ls;
	u64 used = 0;

	for_each_possible_cpu(cpu) {
		for (level = 0; level < CACHE_LEVELS; level++) {
			if (!stats_level(heap, cpu, level, &ls))
				continue;
			used += ls.used;
			*over += ls.charged > ls.allowed || ls.used > ls.charged;
		}
	}
	return used;
}

#define CAP_OBJS 256
#define CAP_STEPS 30000

/**
 * struct cap_load - several CPUs that allocate and free at random
 * @heap: the heap
 * @over: times that a cache had more than it may
 * @wrong: objects that were not had, or not as they were left
 */
struct cap_load {
	struct goalloc_heap *heap;
	atomic_t over;
	atomic_t wrong;
};

/* What this CPU's cache is charged with is never more than it may be. */
static void cap_look(struct cap_load *load)
{
	struct goalloc_cache *cache;

	preempt_disable();
	cache = cache_get(load->heap);
	if (cache != &cache_none &&
	    (cache->cap.used > room_allowed(cache) ||
	     cache->remote.bytes > room_remote_max(cache)))
		atomic_inc(&load->over);
	preempt_enable();
}

static void cap_load_member(void *arg, unsigned int member)
{
	struct cap_load *load = arg;
	struct rnd_state rnd;
	unsigned int i, step;
	size_t size;
	u8 **obj;

	obj = kcalloc(CAP_OBJS, sizeof(*obj), GFP_KERNEL);
	if (!obj) {
		atomic_inc(&load->wrong);
		return;
	}
	prandom_seed_state(&rnd, member + 1);
	for (step = 0; step < CAP_STEPS; step++) {
		i = prandom_u32_state(&rnd) % CAP_OBJS;
		if (obj[i]) {
			if (*obj[i] != (u8)(i ^ member))
				atomic_inc(&load->wrong);
			goalloc_heap_free(load->heap, obj[i]);
			obj[i] = NULL;
		} else {
			/* Sizes of every class, the small ones more often. */
			size = 1 + prandom_u32_state(&rnd) % (1 << (3 + i % 13));
			obj[i] = step % 7 ? goalloc_heap_alloc(load->heap, size, GFP_KERNEL) :
				 cache_alloc_node(load->heap, sizeclass_of(size), size,
						  GFP_KERNEL, member % 2);
			if (obj[i])
				*obj[i] = i ^ member;
			else
				atomic_inc(&load->wrong);
		}
		cap_look(load);
		if (step % 64 == 0)
			cond_resched();
	}
	for (i = 0; i < CAP_OBJS; i++)
		goalloc_heap_free(load->heap, obj[i]);
	kfree(obj);
}

/* From plenty to nothing: the bounds are kept by every CPU at every moment. */
static void cap_total_kept(struct kunit *test)
{
	static const u64 shares[] = { SZ_1M, SZ_256K, SZ_64K, 5000, 0 };
	struct fake_heap *fh = test->priv;
	struct cap_load load = { .heap = fh->heap };
	struct goalloc_stats st;
	unsigned int i, over;
	u64 used;

	for (i = 0; i < ARRAY_SIZE(shares); i++) {
		cap_set(fh->heap, shares[i]);
		KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, cap_load_member, &load));
		KUNIT_EXPECT_EQ_MSG(test, 0, atomic_read(&load.over), "share %llu", shares[i]);
		KUNIT_EXPECT_EQ(test, 0, atomic_read(&load.wrong));
		over = 0;
		used = cap_used(fh->heap, &over);
		KUNIT_EXPECT_EQ(test, 0U, over);
		KUNIT_EXPECT_LE(test, used, shares[i] * num_possible_cpus());
		if (shares[i] >= SZ_64K)
			KUNIT_EXPECT_GT(test, used, shares[i] / 4);
		goalloc_heap_stats(fh->heap, &st);
		KUNIT_EXPECT_EQ(test, st.cached_bytes, used);
		KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
		KUNIT_EXPECT_LE(test, st.page_cache_bytes, shares[i] * num_possible_cpus() / 2);
		KUNIT_EXPECT_EQ(test, 0ULL, st.bad_frees);
		fake_heap_check(test, fh);
		KUNIT_EXPECT_EQ(test, 0, goalloc_validate(fh->heap));
	}
}

static ssize_t param_write(const char *name, const char *text)
{
	struct file *file;
	char path[80];
	loff_t pos = 0;
	ssize_t n;

	snprintf(path, sizeof(path), PARAMS "%s", name);
	file = filp_open(path, O_WRONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_write(file, text, strlen(text), &pos);
	filp_close(file, NULL);
	return n;
}

/* Lowered while caches are full: at once, on all CPUs. Then raised again. */
static void cap_lowered(struct kunit *test)
{
	static const struct {
		const char *name;
		const char *text;
		u64 share;	/* for each CPU, from then on; with 0 it is refused */
	} writes[] = {
		{ "cache_cpu_max", "100000", 100000 },
		{ "cache_cpu_max", "2M\n", SZ_2M },
		{ "cache_total_max", "-1", 0 },
		{ "cache_total_max", "", 0 },
		{ "cache_total_max", "1M1", 0 },
		{ "cache_total_max", "many", 0 },
		{ "cache_total_max", "64K", SZ_64K },	/* of all */
	};
	unsigned long cpu_max = room_cpu_max, total_max = room_total_max;
	struct fake_heap *fh = test->priv;
	struct cap_load load = { .heap = fh->heap };
	struct goalloc_stats st;
	unsigned int i, over;
	char text[32];
	u64 share;

	KUNIT_EXPECT_EQ(test, (unsigned long)SZ_1M, cpu_max);
	KUNIT_EXPECT_EQ(test, (unsigned long)SZ_32M, total_max);
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, cap_load_member, &load));
		share = fh->heap->cache_share;
		if (writes[i].share) {
			KUNIT_EXPECT_EQ(test, (ssize_t)strlen(writes[i].text),
					param_write(writes[i].name, writes[i].text));
			share = writes[i].share;
			if (!strcmp(writes[i].name, "cache_total_max"))
				share /= num_possible_cpus();
		} else if (*writes[i].text) {
			KUNIT_EXPECT_EQ(test, (ssize_t)-EINVAL,
					param_write(writes[i].name, writes[i].text));
		}
		KUNIT_EXPECT_EQ_MSG(test, share, fh->heap->cache_share, "write %u", i);
		over = 0;
		KUNIT_EXPECT_LE(test, cap_used(fh->heap, &over), share * num_possible_cpus());
		KUNIT_EXPECT_EQ(test, 0U, over);
		goalloc_heap_stats(fh->heap, &st);
		KUNIT_EXPECT_LE(test, st.page_cache_bytes, share * num_possible_cpus() / 2);
		fake_heap_check(test, fh);
	}
	snprintf(text, sizeof(text), "%lu", cpu_max);
	KUNIT_EXPECT_GT(test, param_write("cache_cpu_max", text), 0L);
	snprintf(text, sizeof(text), "%lu", total_max);
	KUNIT_EXPECT_GT(test, param_write("cache_total_max", text), 0L);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&load.wrong));
}

#define CAP_RING 512
#define CAP_PASSES 60000
#define CAP_LOOKS 60

/**
 * struct cap_ring - objects on their way from one CPU to another
 * @heap: the heap
 * @obj: those under way
 * @head: objects ever put in; the producer
 * @tail: objects ever taken out; the consumer
 * @held: bytes of pages that the heap held, at equal distances
 * @failed: objects that were not had
 */
struct cap_ring {
	struct goalloc_heap *heap;
	void *obj[CAP_RING];
	unsigned int head;
	unsigned int tail;
	u64 held[CAP_LOOKS];
	unsigned int failed;
};

static void cap_produce(struct cap_ring *ring)
{
	struct rnd_state rnd;
	unsigned int n;
	void *obj;

	prandom_seed_state(&rnd, 7);
	for (n = 0; n < CAP_PASSES; n++) {
		while (n - smp_load_acquire(&ring->tail) == CAP_RING)
			cond_resched();
		obj = goalloc_heap_alloc(ring->heap,
					 16 + prandom_u32_state(&rnd) % (n % 16 ? 500 : 8000),
					 GFP_KERNEL);
		ring->failed += !obj;
		ring->obj[n % CAP_RING] = obj;
		smp_store_release(&ring->head, n + 1);
		if (n % (CAP_PASSES / CAP_LOOKS) == 0)
			ring->held[n / (CAP_PASSES / CAP_LOOKS)] =
				atomic64_read(&ring->heap->held) << GOALLOC_PAGE_SHIFT;
	}
}

static void cap_ring_member(void *arg, unsigned int member)
{
	struct cap_ring *ring = arg;
	unsigned int n;

	if (!member) {
		cap_produce(ring);
		return;
	}
	for (n = 0; n < CAP_PASSES; n++) {
		while (smp_load_acquire(&ring->head) == n)
			cond_resched();
		goalloc_heap_free(ring->heap, ring->obj[n % CAP_RING]);
		smp_store_release(&ring->tail, n + 1);
	}
}

/* One CPU allocates, another frees: memory comes round, and stays flat. */
static void cap_producer_consumer(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct cap_ring *ring;
	u64 early = 0, late = 0;
	unsigned int i, over = 0;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ring);
	ring->heap = fh->heap;
	KUNIT_ASSERT_EQ(test, 0, crew_run(2, cap_ring_member, ring));
	KUNIT_EXPECT_EQ(test, 0U, ring->failed);
	for (i = 0; i < CAP_LOOKS; i++) {
		if (i < CAP_LOOKS / 3)
			early = max(early, ring->held[i]);
		else
			late = max(late, ring->held[i]);
	}
	kunit_info(test, "held at most %llu bytes in the first third, %llu then\n", early, late);
	/* 60,000 objects, of which 512 live at once: a fiftieth would be 1 MiB. */
	KUNIT_EXPECT_LE(test, late, early + SZ_512K);
	/* What lives, what two CPUs may keep and hold back in pages, and spans. */
	KUNIT_EXPECT_LE(test, late, (u64)SZ_8M);
	cap_used(fh->heap, &over);
	KUNIT_EXPECT_EQ(test, 0U, over);
	fake_heap_check(test, fh);
}

/* A list gets longer as it is used; for others, those that are idle give up. */
static void cap_adapts(struct kunit *test)
{
	unsigned int hot = sizeclass_of(64), bin, i, idle, cap = 0, last = 0;
	struct fake_heap *fh = test->priv;
	struct goalloc_cache *cache;
	void *obj[CACHE_CAP_MAX_OBJS];
	struct cache_bin *b;

	cap_set(fh->heap, SZ_128K);
	migrate_disable();
	for (bin = 1; bin < GOALLOC_NR_BINS; bin++)
		goalloc_heap_free(fh->heap, goalloc_heap_alloc(fh->heap, sizeclass_size[bin],
							       GFP_KERNEL));
	preempt_disable();
	cache = cache_get(fh->heap);
	preempt_enable();
	b = &cache->bin[hot];
	while (b->cap < room_max(hot, 0) && last++ < 100) {
		for (i = 0; i < room_max(hot, 0); i++)
			obj[i] = goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL);
		for (i = 0; i < room_max(hot, 0); i++)
			goalloc_heap_free(fh->heap, obj[i]);
		KUNIT_EXPECT_GE(test, (unsigned int)b->cap, cap);
		cap = b->cap;
		/* Something else as well, now and then. */
		goalloc_heap_free(fh->heap, goalloc_heap_alloc(fh->heap, 1000, GFP_KERNEL));
		fake_heap_check(test, fh);
	}
	KUNIT_EXPECT_EQ(test, room_max(hot, 0), (unsigned int)b->cap);
	KUNIT_EXPECT_GT(test, cache->cap.steals, 0ULL);
	/* Once long enough, the burst needs no more visits to the central. */
	last = b->flushes + b->refills;
	for (idle = 0; idle < 10; idle++) {
		for (i = 0; i < room_max(hot, 0); i++)
			obj[i] = goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL);
		for (i = 0; i < room_max(hot, 0); i++)
			goalloc_heap_free(fh->heap, obj[i]);
	}
	KUNIT_EXPECT_EQ(test, last, b->flushes + (unsigned int)b->refills);
	/* Another comes: the one that was hot has nothing left in the end. */
	for (i = 0; i < 100 && (b->cap || b->span != &cache_no_span); i++) {
		for (bin = 40; bin < 50; bin++)
			goalloc_heap_free(fh->heap,
					  goalloc_heap_alloc(fh->heap, sizeclass_size[bin],
							     GFP_KERNEL));
		goalloc_heap_alloc(fh->heap, 4096, GFP_KERNEL);
		goalloc_heap_alloc(fh->heap, 6144, GFP_KERNEL);
		fake_heap_check(test, fh);
	}
	KUNIT_EXPECT_EQ(test, 0, (int)b->cap);
	KUNIT_EXPECT_EQ(test, 0U, cache->cap.class[hot].list + cache->cap.class[hot].span);
	migrate_enable();
	fake_heap_check(test, fh);
}

#define CAP_PERCPU_OBJS 300

/* What is in percpu is what was done, and the sum is the ledger's row. */
static void cap_percpu(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct level_stats before, after;
	struct goalloc_stats st;
	unsigned int over = 0, i;
	void **obj;
	int nid;

	obj = kunit_kcalloc(test, CAP_PERCPU_OBJS, sizeof(*obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	migrate_disable();
	nid = heap_node_of(fh->heap, numa_mem_id())->nid;
	KUNIT_EXPECT_FALSE(test, stats_level(fh->heap, smp_processor_id(), 0, &before));
	goalloc_heap_free(fh->heap, goalloc_heap_alloc(fh->heap, 100, GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, stats_level(fh->heap, smp_processor_id(), 0, &before));
	KUNIT_EXPECT_EQ(test, 1ULL, before.allocs);
	KUNIT_EXPECT_EQ(test, 1ULL, before.frees);
	for (i = 0; i < CAP_PERCPU_OBJS; i++)
		obj[i] = goalloc_heap_alloc(fh->heap, 16 + i * 10, GFP_KERNEL);
	for (i = 0; i < CAP_PERCPU_OBJS; i++)
		goalloc_heap_free(fh->heap, obj[i]);
	for (i = 0; i < 7; i++)
		obj[i] = cache_alloc_node(fh->heap, sizeclass_of(64), 64, GFP_KERNEL, !nid);
	for (i = 0; i < 7; i++)
		goalloc_heap_free(fh->heap, obj[i]);
	stats_level(fh->heap, smp_processor_id(), 0, &after);
	KUNIT_EXPECT_EQ(test, before.allocs + CAP_PERCPU_OBJS, after.allocs);
	KUNIT_EXPECT_EQ(test, before.frees + CAP_PERCPU_OBJS, after.frees + after.passed);
	KUNIT_EXPECT_EQ(test, 7ULL, after.remote);
	KUNIT_EXPECT_GE(test, after.refills, 30ULL);
	KUNIT_EXPECT_LE(test, after.refills, 2ULL * CAP_PERCPU_OBJS);
	KUNIT_EXPECT_EQ(test, 0ULL, after.denied);
	KUNIT_EXPECT_EQ(test, after.allowed, cache_cap_level(fh->heap->cache_share, 0));
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, st.cached_bytes, cap_used(fh->heap, &over));
	KUNIT_EXPECT_EQ(test, 0U, over);
	KUNIT_EXPECT_GT(test, after.used, 7ULL * 64);
	/* A drained cache has nothing, and has forgotten nothing. */
	goalloc_flush(fh->heap);
	stats_level(fh->heap, smp_processor_id(), 0, &before);
	KUNIT_EXPECT_EQ(test, 0ULL, before.used);
	KUNIT_EXPECT_EQ(test, 0ULL, before.charged);
	KUNIT_EXPECT_EQ(test, after.allocs, before.allocs);
	KUNIT_EXPECT_EQ(test, after.frees, before.frees);
	KUNIT_EXPECT_GT(test, before.flushes, after.flushes);
	migrate_enable();
}

/* The text of percpu: a row per cache, in numbers that add up to the same. */
static void cap_percpu_text(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct cap_load load = { .heap = fh->heap };
	unsigned int cpu, rows = 0, tasks = 0, pages = 0;
	u64 allowed, charged, used, sum = 0, page_sum = 0;
	struct goalloc_stats st;
	char *text, *line;
	char level[16];

	text = kunit_kzalloc(test, 16384, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, cap_load_member, &load));
	{
		struct seq_file m = { .buf = text, .size = 16383 };

		debugfs_show_percpu(&m, fh->heap);
		text[m.count] = '\0';
	}
	for (line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%u %15s %llu %llu %llu", &cpu, level, &allowed,
			   &charged, &used) != 5)
			continue;
		rows++;
		KUNIT_EXPECT_LE(test, used, charged);
		KUNIT_EXPECT_LE(test, charged, allowed);
		if (!strcmp(level, "pages")) {
			pages++;
			page_sum += used;
		} else {
			tasks += !strcmp(level, "task");
			sum += used;
		}
	}
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, st.cached_bytes, sum);
	KUNIT_EXPECT_EQ(test, st.page_cache_bytes, page_sum);
	KUNIT_EXPECT_EQ(test, min(num_online_cpus(), CREW_FULL + 0U), tasks);
	KUNIT_EXPECT_EQ(test, rows, tasks + pages);
}

/* A heap may have a bound of its own; the others go by the parameters. */
static void cap_of_heap(struct kunit *test)
{
	struct goalloc_heap_attr attr = { .cache_max = SZ_256K };
	struct cap_load load = {};
	struct goalloc_heap *heap;
	struct goalloc_stats st;

	heap = goalloc_heap_create("kunit_cap", &attr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	KUNIT_EXPECT_EQ(test, (u64)SZ_256K / num_possible_cpus(), heap->cache_share);
	load.heap = heap;
	KUNIT_EXPECT_EQ(test, 0, crew_run(CREW_FULL, cap_load_member, &load));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&load.over) + atomic_read(&load.wrong));
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_GT(test, st.cached_bytes, 0ULL);
	KUNIT_EXPECT_LE(test, st.cached_bytes, (u64)SZ_256K);
	KUNIT_EXPECT_EQ(test, goalloc_default->cache_share,
			min_t(u64, SZ_1M, SZ_32M / num_possible_cpus()));
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
}

static struct kunit_case cap_cases[] = {
	KUNIT_CASE(cap_total_kept),
	KUNIT_CASE(cap_lowered),
	KUNIT_CASE(cap_producer_consumer),
	KUNIT_CASE(cap_adapts),
	KUNIT_CASE(cap_percpu),
	KUNIT_CASE(cap_percpu_text),
	KUNIT_CASE(cap_of_heap),
	{}
};

static struct kunit_suite cap_suite = {
	.name = "goalloc_cap",
	.init = cap_suite_init,
	.exit = cap_suite_exit,
	.test_cases = cap_cases,
};

kunit_test_suites(&cap_suite);
