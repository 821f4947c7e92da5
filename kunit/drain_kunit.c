// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emptying the caches of running CPUs, by request and for idleness. The suites
 * run with idle_drain_ms=0, so that nothing but what is called here drains.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/prandom.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "cache.h"
#include "crew.h"
#include "drain.h"
#include "fake_source.h"
#include "shot.h"
#include "stats.h"

#define PARAM_MS "/sys/module/goalloc/parameters/idle_drain_ms"

/* Objects that a piece of a test has at once, and how often it takes one. */
#define WORK_OBJS 64
#define WORK_STEPS 2000

static int drain_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 2048, 2);
	/* Whatever other suites left behind is not to be looked for here. */
	goalloc_flush(NULL);
	return 0;
}

static void drain_suite_exit(struct kunit *test)
{
	struct fake_heap *fh = test->priv;

	if (fh)
		fake_heap_destroy(test, fh);
}

/**
 * struct drain_hand - objects in one context
 * @fh: heap
 * @obj: objects, NULL where there is none
 * @size: their bytes
 * @tag: what they are filled with
 * @rnd: random numbers
 * @wrong: bytes that were not as left, refusals
 */
struct drain_hand {
	struct fake_heap *fh;
	u8 *obj[WORK_OBJS];
	size_t size[WORK_OBJS];
	u8 tag;
	struct rnd_state rnd;
	unsigned int wrong;
};

static void hand_begin(struct drain_hand *hand, struct fake_heap *fh, u8 tag)
{
	memset(hand, 0, sizeof(*hand));
	hand->fh = fh;
	hand->tag = tag;
	prandom_seed_state(&hand->rnd, tag + 1);
}

/* Take or give one object. */
static void hand_step(struct drain_hand *hand, gfp_t gfp)
{
	unsigned int i = prandom_u32_state(&hand->rnd) % WORK_OBJS;
	size_t size;

	if (hand->obj[i]) {
		if (memchr_inv(hand->obj[i], hand->tag, hand->size[i]))
			hand->wrong++;
		goalloc_heap_free(hand->fh->heap, hand->obj[i]);
		hand->obj[i] = NULL;
		return;
	}
	size = 1 + prandom_u32_state(&hand->rnd) % (i % 8 ? 500 : 9000);
	if (i % 4 == 1)
		size = 1 + size % 15;
	hand->obj[i] = size < 16 ? tiny_alloc(hand->fh->heap, size, gfp) :
				   goalloc_heap_alloc(hand->fh->heap, size, gfp);
	hand->size[i] = size;
	if (hand->obj[i])
		memset(hand->obj[i], hand->tag, size);
}

static void hand_end(struct drain_hand *hand)
{
	unsigned int i;

	for (i = 0; i < WORK_OBJS; i++) {
		if (!hand->obj[i])
			continue;
		if (memchr_inv(hand->obj[i], hand->tag, hand->size[i]))
			hand->wrong++;
		goalloc_heap_free(hand->fh->heap, hand->obj[i]);
		hand->obj[i] = NULL;
	}
}

static void hand_steps_atomic(void *arg)
{
	unsigned int i;

	for (i = 0; i < 30; i++)
		hand_step(arg, GFP_ATOMIC | __GFP_NOWARN);
}

static void hand_end_call(void *arg)
{
	hand_end(arg);
}

/* Every cache of every CPU and level holds nothing and is closed. */
static unsigned int drain_test_used(struct goalloc_heap *heap)
{
	unsigned int used = 0;
	unsigned int cpu, level, bin;

	for_each_possible_cpu(cpu) {
		struct goalloc_pcpu *pcpu = per_cpu_ptr(heap->cpus, cpu);

		used += !page_cache_empty(&per_cpu_ptr(heap->cpu_pages, cpu)->cache);
		for (level = 0; level < CACHE_LEVELS; level++) {
			struct goalloc_cache *cache = pcpu->level[level];

			used += cache->tiny.span || cache->cap.used;
			for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
				used += cache->bin[bin].count || cache->bin[bin].cap ||
					cache->bin[bin].span != &cache_no_span;
		}
	}
	return used;
}

/* Nothing is cached, and the books are right to the byte. */
static void drain_expect_empty(struct kunit *test, struct fake_heap *fh)
{
	struct goalloc_stats st;

	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.cached_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.page_cache_bytes);
	KUNIT_EXPECT_EQ(test, 0U, drain_test_used(fh->heap));
	fake_heap_check(test, fh);
}

/* Fill the caches of the CPU and of all its levels; all objects are freed. */
static void drain_fill_member(void *arg, unsigned int member)
{
	struct fake_heap *fh = arg;
	struct drain_hand *hand = kmalloc(sizeof(*hand), GFP_KERNEL);
	unsigned int i;

	if (!hand)
		return;
	hand_begin(hand, fh, member);
	for (i = 0; i < 300; i++)
		hand_step(hand, GFP_KERNEL);
	hand_end(hand);
	crew_in_softirq(hand_steps_atomic, hand);
	crew_in_softirq(hand_end_call, hand);
	crew_in_hardirq(hand_steps_atomic, hand);
	crew_in_hardirq(hand_end_call, hand);
	kfree(hand);
}

static void drain_fill(struct kunit *test, struct fake_heap *fh)
{
	struct heap_node *node = fh->heap->node[0], *from;
	unsigned int i;
	bool clean;
	u64 page;

	/* Slack, or no cache of pages is filled. */
	page = heap_alloc_pages(node, 512, 1, GFP_KERNEL, &from, &clean);
	KUNIT_ASSERT_NE(test, PALLOC_NONE, page);
	heap_free_pages(from, page, 512);
	KUNIT_ASSERT_EQ(test, 0, crew_run(num_online_cpus(), drain_fill_member, fh));
	/* Each CPU may just have used its last page; ours, where we stay, shall have some. */
	for (i = 0; i < 8 && page_cache_empty(&raw_cpu_ptr(fh->heap->cpu_pages)->cache); i++) {
		page = cpu_pages_alloc(node, 1, &clean);
		if (page != PALLOC_NONE)
			heap_free_pages(node, page, 1);
	}
}

/* A quiet heap: everything leaves the caches, and is counted. */
static void drain_flush(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_stats before, after;
	struct heap_node *node;
	u64 bytes;

	KUNIT_EXPECT_EQ(test, 0ULL, goalloc_flush(fh->heap));
	drain_fill(test, fh);
	goalloc_heap_stats(fh->heap, &before);
	KUNIT_EXPECT_GT(test, before.cached_bytes, 0ULL);
	KUNIT_EXPECT_GT(test, before.page_cache_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, 0ULL, before.tiny_objects);

	bytes = goalloc_flush(fh->heap);
	drain_expect_empty(test, fh);
	goalloc_heap_stats(fh->heap, &after);
	KUNIT_EXPECT_EQ(test, after.drains, before.drains + num_online_cpus());
	KUNIT_EXPECT_EQ(test, 0ULL, after.idle_drains);
	KUNIT_EXPECT_EQ(test, bytes, after.drained_bytes - before.drained_bytes);
	/* A block of tiny objects that is dropped counts when it is in the list. */
	KUNIT_EXPECT_GE(test, bytes, before.cached_bytes + before.page_cache_bytes);
	KUNIT_EXPECT_LT(test, bytes, before.cached_bytes + before.page_cache_bytes + 4096);
	KUNIT_EXPECT_EQ(test, before.allocs, after.allocs);
	/* What was live were blocks that caches packed. */
	KUNIT_EXPECT_EQ(test, before.frees + before.live_objects, after.frees);
	/* Every object is freed, so every page is in a tree now. */
	KUNIT_EXPECT_EQ(test, after.sys_bytes, after.free_bytes);
	for (node = heap_first_node(fh->heap); node; node = heap_next_node(node))
		heap_scavenge(node, U64_MAX, true);
	KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.nr_out);
	/* Whoever has nothing is not disturbed. */
	KUNIT_EXPECT_EQ(test, 0ULL, goalloc_flush(fh->heap));
	goalloc_heap_stats(fh->heap, &before);
	KUNIT_EXPECT_EQ(test, before.drains, after.drains);
	/* And it works as before. */
	drain_fill(test, fh);
	goalloc_flush(fh->heap);
	drain_expect_empty(test, fh);
}

/* Caches of pages alone. */
static void drain_pages_only(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_stats before, after;

	drain_fill(test, fh);
	goalloc_heap_stats(fh->heap, &before);
	KUNIT_EXPECT_GT(test, before.page_cache_bytes, 0ULL);
	drain_queue(fh->heap, DRAIN_PAGES);
	drain_wait(fh->heap);
	goalloc_heap_stats(fh->heap, &after);
	KUNIT_EXPECT_EQ(test, 0ULL, after.page_cache_bytes);
	KUNIT_EXPECT_EQ(test, before.cached_bytes, after.cached_bytes);
	KUNIT_EXPECT_EQ(test, before.free_bytes + before.page_cache_bytes, after.free_bytes);
	fake_heap_check(test, fh);
}

struct drain_storm {
	struct fake_heap *fh;
	atomic_t running;
	atomic_t wrong;
	atomic_t flushes;
	bool tick;
};

static void drain_storm_member(void *arg, unsigned int member)
{
	struct drain_storm *storm = arg;
	struct drain_hand *task, *soft, *hard;
	unsigned int i;

	if (!member) {
		/* The first drains the others, and so itself. */
		do {
			goalloc_flush(storm->fh->heap);
			if (storm->tick)
				drain_tick();
			atomic_inc(&storm->flushes);
			cond_resched();
		} while (atomic_read(&storm->running));
		return;
	}
	task = kcalloc(3, sizeof(*task), GFP_KERNEL);
	if (!task) {
		atomic_inc(&storm->wrong);
		atomic_dec(&storm->running);
		return;
	}
	soft = task + 1;
	hard = task + 2;
	hand_begin(task, storm->fh, 3 * member);
	hand_begin(soft, storm->fh, 3 * member + 1);
	hand_begin(hard, storm->fh, 3 * member + 2);
	/* Until it was drained a few times meanwhile. */
	for (i = 0; i < WORK_STEPS || atomic_read(&storm->flushes) < 3; i++) {
		hand_step(task, GFP_KERNEL);
		if (i % 16 == 3)
			crew_in_softirq(hand_steps_atomic, soft);
		if (i % 16 == 11)
			crew_in_hardirq(hand_steps_atomic, hard);
		cond_resched();
	}
	hand_end(task);
	crew_in_softirq(hand_end_call, soft);
	crew_in_hardirq(hand_end_call, hard);
	atomic_add(task->wrong + soft->wrong + hard->wrong, &storm->wrong);
	kfree(task);
	atomic_dec(&storm->running);
}

/* With traffic on all CPUs and levels nothing is lost and nothing is wrong. */
static void drain_under_fire(struct kunit *test)
{
	struct drain_storm storm = {
		.fh = test->priv,
		.running = ATOMIC_INIT(CREW_FULL),
		.tick = true,
	};
	struct goalloc_stats st;

	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL + 1, drain_storm_member, &storm));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&storm.wrong));
	goalloc_flush(storm.fh->heap);
	drain_expect_empty(test, storm.fh);
	goalloc_heap_stats(storm.fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, 0ULL, st.tiny_objects);
	KUNIT_EXPECT_EQ(test, 0ULL, st.bad_frees);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, st.free_bytes);
	KUNIT_EXPECT_GT(test, st.drains, 3ULL);
}

/* As reclaim would: lockdep objects if the work needs memory. */
static void drain_in_reclaim(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int nofs;

	drain_fill(test, fh);
	nofs = memalloc_noreclaim_save();
	fs_reclaim_acquire(GFP_KERNEL);
	drain_queue(fh->heap, DRAIN_ALL);
	drain_wait(fh->heap);
	fs_reclaim_release(GFP_KERNEL);
	memalloc_noreclaim_restore(nofs);
	drain_expect_empty(test, fh);
}

struct drain_busy {
	struct fake_heap *fh;
	unsigned int cpu;
	struct completion go, done;
	bool stop;
};

/* A step for each one that is ordered. */
static int drain_busy_thread(void *arg)
{
	struct drain_busy *busy = arg;

	for (;;) {
		wait_for_completion(&busy->go);
		if (READ_ONCE(busy->stop))
			break;
		goalloc_heap_free(busy->fh->heap,
				  goalloc_heap_alloc(busy->fh->heap, 64, GFP_KERNEL));
		complete(&busy->done);
	}
	complete(&busy->done);
	while (!kthread_should_stop())
		cond_resched();
	return 0;
}

static void drain_busy_step(struct drain_busy *busy)
{
	complete(&busy->go);
	wait_for_completion(&busy->done);
}

/* Free objects in lists of a CPU's task level. */
static unsigned int drain_cached_on(struct goalloc_heap *heap, unsigned int cpu)
{
	struct goalloc_cache *cache = per_cpu_ptr(heap->cpus, cpu)->level[0];
	unsigned int bin, n = 0;

	for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
		n += cache->bin[bin].count;
	return n;
}

/*
 * A CPU that stands still between two looks is drained; one that does as
 * little as one allocation is not.
 */
static void drain_idle(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct drain_busy busy = { .fh = fh };
	struct goalloc_stats st;
	struct task_struct *thread;
	unsigned int cpu, i;

	busy.cpu = cpumask_last(cpu_online_mask);
	if (!busy.cpu)
		kunit_skip(test, "needs two CPUs");
	init_completion(&busy.go);
	init_completion(&busy.done);
	drain_fill(test, fh);
	thread = kthread_create(drain_busy_thread, &busy, "goalloc_busy");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	kthread_bind(thread, busy.cpu);
	wake_up_process(thread);
	drain_busy_step(&busy);

	/* The first look only remembers. */
	KUNIT_EXPECT_TRUE(test, drain_tick());
	drain_wait(fh->heap);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.idle_drains);
	for (i = 0; i < 3; i++) {
		drain_busy_step(&busy);
		KUNIT_EXPECT_TRUE(test, drain_tick());
		drain_wait(fh->heap);
		for_each_online_cpu(cpu) {
			if (cpu == busy.cpu)
				KUNIT_EXPECT_GT(test, drain_cached_on(fh->heap, cpu), 0U);
			else
				KUNIT_EXPECT_EQ(test, drain_cached_on(fh->heap, cpu), 0U);
		}
	}
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, st.idle_drains, num_online_cpus() - 1ULL);
	KUNIT_EXPECT_EQ(test, st.drains, st.idle_drains);
	/* Then it stands still, too. */
	KUNIT_EXPECT_TRUE(test, drain_tick());
	drain_wait(fh->heap);
	drain_expect_empty(test, fh);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, st.idle_drains, 1ULL * num_online_cpus());

	WRITE_ONCE(busy.stop, true);
	drain_busy_step(&busy);
	kthread_stop(thread);
}

/* Each way to use a cache counts as activity; a drain does not. */
static void drain_activity_kinds(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_stats st;
	unsigned int kind;
	void *p;

	migrate_disable();
	p = goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL);
	goalloc_heap_free(fh->heap, p);
	p = tiny_alloc(fh->heap, 5, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, drain_tick());
	for (kind = 0; kind < 6; kind++) {
		switch (kind) {
		case 0:	/* a tiny object, whose block stays open */
			goalloc_heap_free(fh->heap, p);
			break;
		case 1:
			p = goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL);
			break;
		case 2:
			goalloc_heap_free(fh->heap, p);
			break;
		case 3:
			p = tiny_alloc(fh->heap, 3, GFP_KERNEL);
			break;
		case 4:
			goalloc_heap_free(fh->heap, p);
			break;
		case 5:
			p = goalloc_heap_alloc(fh->heap, 40000, GFP_KERNEL);
			goalloc_heap_free(fh->heap, p);
			break;
		}
		KUNIT_EXPECT_TRUE(test, drain_tick());
		drain_wait(fh->heap);
		goalloc_heap_stats(fh->heap, &st);
		KUNIT_EXPECT_EQ_MSG(test, 0ULL, st.idle_drains, "kind %u", kind);
	}
	KUNIT_EXPECT_TRUE(test, drain_tick());
	drain_wait(fh->heap);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 1ULL, st.idle_drains);
	drain_expect_empty(test, fh);
	migrate_enable();
}

/* Parks when nothing is left; whatever is put into a cache wakes it. */
static void drain_parks(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_node *node = fh->heap->node[0], *from;
	void *kept, *tiny, *p;
	bool clean;
	u64 page;

	kept = goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL);
	tiny = tiny_alloc(fh->heap, 7, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, kept);
	KUNIT_ASSERT_NOT_NULL(test, tiny);
	migrate_disable();
	/* A list to be closed and opened again. */
	goalloc_heap_free(fh->heap, goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL));
	migrate_enable();
	KUNIT_EXPECT_TRUE(test, drain_tick());
	KUNIT_EXPECT_EQ(test, 0U, drain_parked);
	KUNIT_EXPECT_TRUE(test, drain_tick());
	drain_wait(fh->heap);
	KUNIT_EXPECT_FALSE(test, drain_tick());
	KUNIT_EXPECT_EQ(test, 1U, drain_parked);
	KUNIT_EXPECT_FALSE(test, drain_tick());

	/* An object that was live all the time is freed. */
	goalloc_heap_free(fh->heap, kept);
	KUNIT_EXPECT_EQ(test, 0U, drain_parked);
	KUNIT_EXPECT_TRUE(test, drain_tick());
	goalloc_flush(fh->heap);
	KUNIT_EXPECT_FALSE(test, drain_tick());
	/* A block to be packed; the live one's was let go of. */
	goalloc_heap_free(fh->heap, tiny);
	tiny = tiny_alloc(fh->heap, 7, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 0U, drain_parked);
	goalloc_heap_free(fh->heap, tiny);
	goalloc_flush(fh->heap);
	KUNIT_EXPECT_FALSE(test, drain_tick());
	/* An allocation. */
	p = goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 0U, drain_parked);
	goalloc_flush(fh->heap);
	KUNIT_EXPECT_FALSE(test, drain_tick());
	KUNIT_EXPECT_EQ(test, 1U, drain_parked);
	goalloc_heap_free(fh->heap, p);
	KUNIT_EXPECT_EQ(test, 0U, drain_parked);
	goalloc_flush(fh->heap);
	/* Slack, or no cache of pages is filled. */
	page = heap_alloc_pages(node, 512, 1, GFP_KERNEL, &from, &clean);
	KUNIT_ASSERT_NE(test, PALLOC_NONE, page);
	heap_free_pages(from, page, 512);
	goalloc_flush(fh->heap);
	KUNIT_EXPECT_FALSE(test, drain_tick());
	KUNIT_EXPECT_EQ(test, 1U, drain_parked);
	page = heap_alloc_pages(from, 1, 1, GFP_KERNEL, &from, &clean);
	KUNIT_ASSERT_NE(test, PALLOC_NONE, page);
	KUNIT_EXPECT_EQ(test, 0U, drain_parked);
	heap_free_pages(from, page, 1);
	goalloc_flush(fh->heap);
	KUNIT_EXPECT_FALSE(test, drain_tick());
	drain_expect_empty(test, fh);
}

static void drain_wake_call(void *arg)
{
	drain_wake();
}

/* It may be woken from anywhere. */
static void drain_wakes_anywhere(struct kunit *test)
{
	static const struct {
		void (*in)(crew_call_t fn, void *arg);
	} from[] = { { crew_in_softirq }, { crew_in_hardirq }, { crew_as_nmi } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(from); i++) {
		goalloc_flush(NULL);
		KUNIT_EXPECT_FALSE(test, drain_tick());
		KUNIT_EXPECT_EQ(test, 1U, drain_parked);
		from[i].in(drain_wake_call, NULL);
		KUNIT_EXPECT_EQ(test, 0U, drain_parked);
	}
}

static ssize_t param_write(const char *text)
{
	struct file *file = filp_open(PARAM_MS, O_WRONLY, 0);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_write(file, text, strlen(text), &pos);
	filp_close(file, NULL);
	return n;
}

static ssize_t param_read(char *text, size_t size)
{
	struct file *file = filp_open(PARAM_MS, O_RDONLY, 0);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_read(file, text, size - 1, &pos);
	text[max(n, 0L)] = '\0';
	filp_close(file, NULL);
	return n;
}

/* The timer does what the calls above did; however long it takes. */
static bool drain_comes(struct fake_heap *fh)
{
	unsigned long end = jiffies + 60 * HZ;

	while (drain_test_used(fh->heap) && time_before(jiffies, end))
		msleep(20);
	return !drain_test_used(fh->heap);
}

/* The parameter: what it takes, and that it works at once. */
static void drain_parameter(struct kunit *test)
{
	static const char *const bad[] = {
		"-1", "x", "10 20", "4294967296", "86400001", "", "1e3",
	};
	struct fake_heap *fh = test->priv;
	struct goalloc_stats st;
	unsigned int i;
	char text[16];

	KUNIT_EXPECT_GT(test, param_read(text, sizeof(text)), 0L);
	KUNIT_EXPECT_STREQ(test, "0\n", (char *)text);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		/* A write of nothing is none. */
		if (*bad[i])
			KUNIT_EXPECT_LT_MSG(test, param_write(bad[i]), 0L, "%s", bad[i]);
		param_read(text, sizeof(text));
		KUNIT_EXPECT_STREQ(test, "0\n", (char *)text);
	}
	drain_fill(test, fh);
	KUNIT_EXPECT_GT(test, drain_test_used(fh->heap), 0U);
	/* On, with caches that hold something. */
	KUNIT_EXPECT_EQ(test, 3L, param_write("10\n"));
	param_read(text, sizeof(text));
	KUNIT_EXPECT_STREQ(test, "10\n", (char *)text);
	KUNIT_EXPECT_TRUE(test, drain_comes(fh));
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_GE(test, st.idle_drains, 1ULL);
	/* Parked or not, it comes again. */
	drain_fill(test, fh);
	KUNIT_EXPECT_TRUE(test, drain_comes(fh));
	for (i = 0; !READ_ONCE(drain_parked) && i < 3000; i++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, 1U, READ_ONCE(drain_parked));
	drain_fill(test, fh);
	KUNIT_EXPECT_TRUE(test, drain_comes(fh));
	/* Off again: nobody comes, and nobody is to be woken. */
	KUNIT_EXPECT_EQ(test, 1L, param_write("0"));
	KUNIT_EXPECT_EQ(test, 0U, drain_parked);
	goalloc_heap_stats(fh->heap, &st);
	drain_fill(test, fh);
	msleep(100);
	KUNIT_EXPECT_GT(test, drain_test_used(fh->heap), 0U);
	goalloc_flush(fh->heap);
	drain_expect_empty(test, fh);
}

/* A heap that ends while its caches are being drained. */
static void drain_destroy(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		drain_fill(test, fh);
		drain_queue(fh->heap, DRAIN_ALL);
		/* Not forced: every object is free, wherever it is just now. */
		KUNIT_ASSERT_EQ(test, 0, heap_destroy(fh->heap, false));
		KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.nr_out);
		fh->heap = heap_create("test", NULL, &fh->fake.space);
		KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
	}
}

struct drain_tiny {
	struct fake_heap *fh;
	unsigned int cpus;
};

/* Leave a block open whose objects are all freed, and a list to be used. */
static void drain_tiny_member(void *arg, unsigned int member)
{
	struct drain_tiny *t = arg;
	void *obj[24];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(obj); i++)
		obj[i] = tiny_alloc(t->fh->heap, 8, GFP_KERNEL);
	for (i = 0; i < ARRAY_SIZE(obj); i++)
		goalloc_heap_free(t->fh->heap, obj[i]);
	goalloc_heap_free(t->fh->heap, tiny_alloc(t->fh->heap, 1, GFP_KERNEL));
}

struct drain_end {
	struct fake_heap *fh;
	int err;
};

static void drain_end_member(void *arg, unsigned int member)
{
	struct drain_end *end = arg;

	end->err = heap_destroy(end->fh->heap, false);
}

/*
 * The last object of a tiny block that a CPU packs is freed before another CPU
 * ends the heap: the block's slot must not end up in that CPU's own cache,
 * which may have been emptied already.
 */
static void drain_tiny_blocks(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct drain_tiny t = { .fh = fh };
	struct drain_end end = { .fh = fh };

	KUNIT_ASSERT_EQ(test, 0, crew_run(num_online_cpus(), drain_tiny_member, &t));
	/* On the first CPU. */
	KUNIT_ASSERT_EQ(test, 0, crew_run(1, drain_end_member, &end));
	KUNIT_EXPECT_EQ(test, 0, end.err);
	KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.nr_out);
	fh->heap = heap_create("test", NULL, &fh->fake.space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
}

#ifdef CONFIG_HOTPLUG_CPU
static int drain_flush_thread(void *arg)
{
	struct drain_storm *storm = arg;

	while (!kthread_should_stop()) {
		goalloc_flush(storm->fh->heap);
		drain_tick();
		atomic_inc(&storm->flushes);
		cond_resched();
	}
	return 0;
}

/* CPUs go and come while theirs and others' caches are drained. */
static void drain_hotplug(struct kunit *test)
{
	struct drain_storm storm = { .fh = test->priv };
	unsigned int cpu = cpumask_last(cpu_online_mask);
	struct goalloc_stats st;
	struct task_struct *thread;
	unsigned int i;

	if (!cpu)
		kunit_skip(test, "needs two CPUs");
	thread = kthread_run(drain_flush_thread, &storm, "goalloc_flush");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	for (i = 0; i < 4; i++) {
		int err;

		drain_fill(test, storm.fh);
		/* Queued, and on its way while the CPU goes. */
		drain_queue(storm.fh->heap, DRAIN_ALL);
		err = remove_cpu(cpu);
		KUNIT_EXPECT_EQ(test, 0, err);
		KUNIT_EXPECT_EQ(test, 0U, drain_cached_on(storm.fh->heap, cpu));
		drain_fill(test, storm.fh);
		if (!err)
			KUNIT_EXPECT_EQ(test, 0, add_cpu(cpu));
	}
	kthread_stop(thread);
	goalloc_flush(storm.fh->heap);
	drain_expect_empty(test, storm.fh);
	goalloc_heap_stats(storm.fh->heap, &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, st.free_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
}
#else
static void drain_hotplug(struct kunit *test)
{
	kunit_skip(test, "no CPU hotplug in this kernel");
}
#endif

static struct kunit_case drain_cases[] = {
	KUNIT_CASE(drain_flush),
	KUNIT_CASE(drain_pages_only),
	KUNIT_CASE(drain_under_fire),
	KUNIT_CASE(drain_in_reclaim),
	KUNIT_CASE(drain_idle),
	KUNIT_CASE(drain_activity_kinds),
	KUNIT_CASE(drain_parks),
	KUNIT_CASE(drain_wakes_anywhere),
	KUNIT_CASE(drain_parameter),
	KUNIT_CASE(drain_destroy),
	KUNIT_CASE(drain_tiny_blocks),
	KUNIT_CASE(drain_hotplug),
	{}
};

static struct kunit_suite drain_suite = {
	.name = "goalloc_drain",
	.init = drain_suite_init,
	.exit = drain_suite_exit,
	.test_cases = drain_cases,
};

kunit_test_suites(&drain_suite);
