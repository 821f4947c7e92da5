// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the functions may be called from: every one of them in every context,
 * with what the context allows; scopes of memalloc_*_save(); and callbacks of
 * CPU hotplug while the CPU comes and goes.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>

#include <goalloc.h>
#include <goalloc_stats.h>

#include "crew.h"
#include "heap.h"
#include "stats.h"

/**
 * struct context_run - one call of every function
 * @gfp: flags for all of them
 * @heap: a private heap
 * @done: calls that gave something
 * @none: calls that gave NULL
 * @wrong: what was not as promised
 */
struct context_run {
	gfp_t gfp;
	struct goalloc_heap *heap;
	unsigned int done;
	unsigned int none;
	unsigned int wrong;
};

/* Calls of context_family() that allocate. */
#define CONTEXT_CALLS 14

static size_t context_hide(size_t size)
{
	OPTIMIZER_HIDE_VAR(size);
	return size;
}

static void *context_got(struct context_run *run, void *p, size_t size)
{
	if (!p) {
		run->none++;
		return NULL;
	}
	run->done++;
	run->wrong += gosize(p) < size || !goalloc_owns(p);
	memset(p, 0x5a, size);
	return p;
}

/* Everything once, and everything freed again. */
static void context_family(void *arg)
{
	struct context_run *run = arg;
	gfp_t gfp = run->gfp;
	void *many[20], *p, *q;
	size_t n;

	gofree(context_got(run, goalloc(context_hide(100), gfp), 100));
	gofree(context_got(run, goalloc(context_hide(32768), gfp), 32768));
	gofree(context_got(run, goalloc(context_hide(50000), gfp), 50000));
	p = gozalloc(context_hide(700), gfp);
	run->wrong += p && memchr_inv(p, 0, 700);
	gofree_sensitive(context_got(run, p, 700));
	gofree(context_got(run, goalloc_tiny(context_hide(5), gfp), 5));
	p = context_got(run, goalloc_aligned(context_hide(300), 512, gfp), 300);
	run->wrong += !IS_ALIGNED((unsigned long)p, 512);
	gofree(p);
	gofree(context_got(run, goalloc_node(context_hide(64), gfp, 0), 64));
	gofree(context_got(run, goalloc_array(context_hide(10), 24, gfp), 240));
	gofree(context_got(run, gocalloc(context_hide(10), 24, gfp), 240));
	p = context_got(run, goalloc(context_hide(40), gfp), 40);
	q = gorealloc(p, context_hide(4000), gfp);
	run->wrong += p && q && memchr_inv(q, 0x5a, 40);
	gofree(q ?: p);
	p = context_got(run, gostrdup("a string", gfp), 9);
	gokvfree(p);
	gofree(context_got(run, gomemdup("four", 4, gfp), 4));
	n = goalloc_bulk(context_hide(128), gfp, ARRAY_SIZE(many), many);
	run->wrong += n && n != ARRAY_SIZE(many);
	gofree_bulk(n, many);
	p = goalloc_heap_alloc(run->heap, context_hide(200), gfp);
	goalloc_heap_free(run->heap, context_got(run, p, 200));
	p = gokvalloc(context_hide(3000), gfp);
	gokvfree(context_got(run, p, 3000));
	run->wrong += !!goalloc(context_hide(SIZE_MAX), gfp | __GFP_NOWARN);
	run->wrong += goalloc(0, gfp) != ZERO_SIZE_PTR;
	gofree(NULL);
	gofree(ZERO_SIZE_PTR);
}

static int context_suite_init(struct kunit *test)
{
	struct goalloc_heap *heap = goalloc_heap_create("context", NULL);

	if (IS_ERR(heap))
		return PTR_ERR(heap);
	test->priv = heap;
	return 0;
}

static void context_suite_exit(struct kunit *test)
{
	struct goalloc_stats st;

	if (test->priv)
		KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(test->priv, false));
	goalloc_heap_stats(NULL, &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
}

/* Nothing at hand: every call has to go all the way to the page allocator. */
static void context_cold(void)
{
	goalloc_flush(NULL);
	goalloc_scavenge(NULL, U64_MAX);
}

static void context_expect(struct kunit *test, const struct context_run *run,
			   const char *what)
{
	KUNIT_EXPECT_EQ_MSG(test, 0U, run->wrong, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, CONTEXT_CALLS, run->done + run->none, "%s", what);
}

/* Where it may sleep, and where it may not, nothing fails in a quiet machine. */
static void context_task(struct kunit *test)
{
	static const gfp_t flags[] = {
		GFP_KERNEL, GFP_NOIO, GFP_NOFS, GFP_NOWAIT, GFP_ATOMIC,
		GFP_KERNEL | __GFP_NORETRY, GFP_KERNEL | __GFP_RETRY_MAYFAIL,
		GFP_KERNEL | __GFP_NOFAIL, GFP_KERNEL | __GFP_ZERO,
		GFP_KERNEL_ACCOUNT, GFP_USER, GFP_KERNEL | __GFP_RECLAIMABLE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct context_run run = { .gfp = flags[i], .heap = test->priv };

		context_cold();
		context_family(&run);
		context_expect(test, &run, "task");
		KUNIT_EXPECT_EQ_MSG(test, 0U, run.none, "flags %u", i);
	}
}

/*
 * Under a raw lock with interrupts off: never sleeps, which a debug kernel would
 * tell. PREEMPT_RT has no pages to give there; then it says NULL.
 */
static void context_locked(struct kunit *test)
{
	static const gfp_t flags[] = { GFP_ATOMIC, GFP_NOWAIT };
	static DEFINE_RAW_SPINLOCK(lock);
	unsigned long irq;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct context_run run = {
			.gfp = flags[i] | __GFP_NOWARN, .heap = test->priv
		};

		context_cold();
		raw_spin_lock_irqsave(&lock, irq);
		context_family(&run);
		raw_spin_unlock_irqrestore(&lock, irq);
		context_expect(test, &run, "raw lock");
		if (!IS_ENABLED(CONFIG_PREEMPT_RT))
			KUNIT_EXPECT_EQ(test, 0U, run.none);
	}
}

/* Under an ordinary spinlock it is the same, but for PREEMPT_RT, where it sleeps. */
static void context_spinlock(struct kunit *test)
{
	struct context_run run = { .gfp = GFP_ATOMIC, .heap = test->priv };
	static DEFINE_SPINLOCK(lock);

	context_cold();
	spin_lock(&lock);
	context_family(&run);
	spin_unlock(&lock);
	context_expect(test, &run, "spinlock");
	KUNIT_EXPECT_EQ(test, 0U, run.none);
}

static void context_interrupts(struct kunit *test)
{
	struct context_run run = {
		.gfp = GFP_ATOMIC | __GFP_NOWARN, .heap = test->priv
	};

	context_cold();
	crew_in_softirq(context_family, &run);
	context_expect(test, &run, "softirq");
	KUNIT_EXPECT_EQ(test, 0U, run.none);

	run.done = 0;
	run.none = 0;
	context_cold();
	crew_in_hardirq(context_family, &run);
	context_expect(test, &run, "hardirq");
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_EQ(test, 0U, run.none);
}

/* An NMI gets what is at hand; with nothing at hand that is nothing. */
static void context_nmi(struct kunit *test)
{
	struct context_run run = {
		.gfp = GFP_ATOMIC | __GFP_NOWARN, .heap = test->priv
	};

	context_cold();
	crew_as_nmi(context_family, &run);
	context_expect(test, &run, "NMI, cold");
	KUNIT_EXPECT_EQ(test, 0U, run.done);

	/* Objects that went back to their spans are at hand. */
	run.gfp = GFP_KERNEL;
	run.none = 0;
	context_family(&run);
	run.gfp = GFP_ATOMIC | __GFP_NOWARN;
	run.done = 0;
	run.none = 0;
	goalloc_flush(NULL);
	crew_as_nmi(context_family, &run);
	context_expect(test, &run, "NMI");
	context_cold();
}

/*
 * In the scopes of memalloc_noio_save() and memalloc_nofs_save() flags that ask
 * for more are held back. Being in reclaim is what lockdep would report if
 * something reclaimed after all.
 */
static void context_scopes(struct kunit *test)
{
	struct context_run run = { .gfp = GFP_KERNEL, .heap = test->priv };
	unsigned int flags;

	context_cold();
	flags = memalloc_nofs_save();
	fs_reclaim_acquire(GFP_KERNEL);
	context_family(&run);
	fs_reclaim_release(GFP_KERNEL);
	memalloc_nofs_restore(flags);
	context_expect(test, &run, "nofs");
	KUNIT_EXPECT_EQ(test, 0U, run.none);

	run.done = 0;
	context_cold();
	flags = memalloc_noio_save();
	fs_reclaim_acquire(GFP_KERNEL);
	context_family(&run);
	fs_reclaim_release(GFP_KERNEL);
	memalloc_noio_restore(flags);
	context_expect(test, &run, "noio");
	KUNIT_EXPECT_EQ(test, 0U, run.none);

	/* Whoever frees memory by allocating may use the reserves. */
	run.done = 0;
	context_cold();
	flags = memalloc_noreclaim_save();
	context_family(&run);
	memalloc_noreclaim_restore(flags);
	context_expect(test, &run, "noreclaim");
	KUNIT_EXPECT_EQ(test, 0U, run.none);
}

/* What the callbacks below found; one CPU at a time. */
static struct context_run context_came, context_went, context_prepared;

static int context_cpu_online(unsigned int cpu)
{
	context_family(&context_came);
	return 0;
}

static int context_cpu_offline(unsigned int cpu)
{
	context_family(&context_went);
	return 0;
}

static int context_cpu_prepare(unsigned int cpu)
{
	context_family(&context_prepared);
	return 0;
}

/*
 * Callbacks of CPU hotplug, on the CPU and on another for it, allocate and free
 * while the CPU comes and goes; so does everybody else before and after.
 */
static void context_hotplug(struct kunit *test)
{
	struct context_run run = { .gfp = GFP_KERNEL, .heap = test->priv };
	struct goalloc_stats st;
	unsigned int cpu = 0, i;
	int online, prepare;

	for_each_online_cpu(i)
		cpu = i;
	if (!cpu)
		kunit_skip(test, "one CPU only");
	context_came = run;
	context_went = run;
	context_prepared = run;
	online = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "goalloc:test",
					   context_cpu_online, context_cpu_offline);
	KUNIT_ASSERT_GE(test, online, 0);
	prepare = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "goalloc:test",
					    context_cpu_prepare, context_cpu_prepare);
	if (prepare >= 0) {
		for (i = 0; i < 3; i++) {
			context_family(&run);
			KUNIT_EXPECT_EQ(test, 0, remove_cpu(cpu));
			context_family(&run);
			KUNIT_EXPECT_EQ(test, 0, add_cpu(cpu));
		}
		cpuhp_remove_state_nocalls(prepare);
	}
	cpuhp_remove_state_nocalls(online);
	KUNIT_ASSERT_GE(test, prepare, 0);

	KUNIT_EXPECT_EQ(test, 0U, run.wrong + run.none);
	KUNIT_EXPECT_EQ(test, 0U, context_came.wrong + context_came.none);
	KUNIT_EXPECT_EQ(test, 0U, context_went.wrong + context_went.none);
	KUNIT_EXPECT_EQ(test, 0U, context_prepared.wrong + context_prepared.none);
	KUNIT_EXPECT_EQ(test, 6U * CONTEXT_CALLS, run.done);
	KUNIT_EXPECT_EQ(test, 3U * CONTEXT_CALLS, context_came.done);
	KUNIT_EXPECT_EQ(test, 3U * CONTEXT_CALLS, context_went.done);
	KUNIT_EXPECT_EQ(test, 6U * CONTEXT_CALLS, context_prepared.done);
	goalloc_flush(test->priv);
	goalloc_heap_stats(test->priv, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, 0ULL, st.cached_bytes);
}

static struct kunit_case context_cases[] = {
	KUNIT_CASE(context_task),
	KUNIT_CASE(context_locked),
	KUNIT_CASE(context_spinlock),
	KUNIT_CASE(context_interrupts),
	KUNIT_CASE(context_nmi),
	KUNIT_CASE(context_scopes),
	KUNIT_CASE(context_hotplug),
	{}
};

static struct kunit_suite context_suite = {
	.name = "goalloc_context",
	.init = context_suite_init,
	.exit = context_suite_exit,
	.test_cases = context_cases,
};

kunit_test_suites(&context_suite);
