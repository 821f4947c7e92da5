// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who marks and sweeps, and when: the threads beside the collector's, how work is shared,
 * mutators that wait for it or sweep before they get memory, and collections that nobody
 * has asked for.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sizes.h>

#include <goalloc.h>
#include <goalloc_gc.h>

#include "compat.h"
#include "gc.h"
#include "goalloc_trace.h"

#define SCALE (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN) ? 10 : 1)
#define FANOUT 4
#define WIDE (20000 / SCALE)
#define WAIT_MS 20000

struct leaf {
	struct leaf *kid[FANOUT];
};

static GOALLOC_TYPE(leaf_type, struct leaf, kid[0], kid[1], kid[2], kid[3]);

static int gc_marking_init(struct kunit *test)
{
	const struct goalloc_gc_attr attr = { .percent = GOALLOC_GC_OFF };
	struct goalloc_gc *gc = goalloc_gc_create("marking", &attr);

	test->priv = NULL;
	KUNIT_ASSERT_FALSE(test, IS_ERR(gc));
	test->priv = gc;
	return 0;
}

static void gc_marking_exit(struct kunit *test)
{
	struct goalloc_gc *gc = test->priv;

	if (!gc)
		return;
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(goalloc_gc_heap(gc)));
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(gc));
}

/* A tree of @nr objects, each but the first found by one. */
static struct leaf **marking_tree(struct kunit *test, struct goalloc_gc *gc, unsigned int nr)
{
	struct leaf **all = kvcalloc(nr, sizeof(*all), GFP_KERNEL);
	struct goalloc_mutator m;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, all);
	goalloc_enter(gc, &m);
	for (i = 0; i < nr; i++) {
		all[i] = goalloc_new(&m, &leaf_type, GFP_KERNEL);
		if (!all[i])
			break;
		if (i)
			goalloc_store(&m, &all[(i - 1) / FANOUT]->kid[(i - 1) % FANOUT], all[i]);
	}
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, nr, i);
	if (i == nr)
		return all;
	kvfree(all);
	KUNIT_ASSERT_TRUE(test, false);
	return NULL;
}

static bool marking_is_marked(struct goalloc_gc *gc, void *obj)
{
	struct goalloc_span *span = pagemap_span(&gc->heap->space->map, (unsigned long)obj);

	return gc_is_marked(gc, span, gc_slot(span, obj));
}

/* Everybody is stopped, and nothing is marked. */
static void marking_begin(struct goalloc_gc *gc, struct gc_work *w)
{
	mutex_lock(&gc->cycle);
	gc_stop(gc);
	gc->colour = gc_other_colour(gc->colour);
	gc->phase = GC_MARK;
	atomic64_set(&gc->marked, 0);
	atomic64_set(&gc->scanned, 0);
	gc_work_init(gc, w);
}

static void marking_end(struct goalloc_gc *gc)
{
	gc->phase = GC_OFF;
	gc_start(gc);
	mutex_unlock(&gc->cycle);
}

/* The collector looks on: the others mark everything, and say when they have. */
static void marking_others(struct kunit *test, bool busy)
{
	struct goalloc_gc *gc = test->priv;
	unsigned int i, marked = 0, nr;
	struct leaf **all;
	struct gc_work w;

	if (num_online_cpus() == 1)
		kunit_skip(test, "there is nobody beside the collector");
	all = marking_tree(test, gc, WIDE);
	marking_begin(gc, &w);
	gc->pacer.dedicated = 1;
	gc->pacer.fractional = 0;
	gc_grey(&w, all[0], NULL);
	gc_work_done(&w);
	gc_markers_start(&w, busy, true);
	while (gc_markers_more(&w)) {
		/* What it takes it would have to scan. */
		gc_markers_unrecall(gc);
		usleep_range(1000, 2000);
	}
	KUNIT_EXPECT_TRUE(test, gc->paused);
	KUNIT_EXPECT_EQ(test, gc->nr_idle, gc->nr_markers);
	KUNIT_EXPECT_FALSE(test, gc_work_any(gc));
	for (i = 0; i < WIDE; i++)
		marked += marking_is_marked(gc, all[i]);
	KUNIT_EXPECT_EQ(test, WIDE, marked);
	/* Twice if two came upon it at once. */
	KUNIT_EXPECT_GE(test, atomic64_read(&gc->marked), (s64)WIDE * sizeof(struct leaf));
	KUNIT_EXPECT_GE(test, atomic64_read(&gc->scanned), (s64)WIDE * sizeof(struct leaf));
	KUNIT_EXPECT_EQ(test, busy, !atomic64_read(&gc->idle_ns));
	KUNIT_EXPECT_EQ(test, busy, !!atomic64_read(&gc->background_ns));
	nr = gc->nr_started;
	KUNIT_EXPECT_GE(test, nr, 1);
	KUNIT_EXPECT_LT(test, nr, num_online_cpus());
	gc_markers_end(gc);
	KUNIT_EXPECT_EQ(test, 0, gc->nr_markers);
	marking_end(gc);
	kvfree(all);
}

static void marking_dedicated(struct kunit *test)
{
	marking_others(test, true);
}

static void marking_idle(struct kunit *test)
{
	marking_others(test, false);
}

/* Those who are paused take nothing up, and go on when they may. */
static void marking_pause(struct kunit *test)
{
	struct goalloc_gc *gc = test->priv;
	struct leaf **all;
	struct gc_work w;

	if (num_online_cpus() == 1)
		kunit_skip(test, "there is nobody beside the collector");
	all = marking_tree(test, gc, 64);
	marking_begin(gc, &w);
	gc_markers_start(&w, true, true);
	while (gc_markers_more(&w))
		usleep_range(1000, 2000);
	gc_grey(&w, all[0], NULL);
	gc_work_done(&w);
	msleep(50);
	KUNIT_EXPECT_TRUE(test, gc_work_any(gc));
	KUNIT_EXPECT_FALSE(test, marking_is_marked(gc, all[1]));
	gc_markers_resume(gc);
	while (gc_markers_more(&w))
		usleep_range(1000, 2000);
	KUNIT_EXPECT_TRUE(test, marking_is_marked(gc, all[63]));
	gc_markers_end(gc);
	marking_end(gc);
	kvfree(all);
}

/**
 * struct helper - a mutator that scans
 * @gc: the heap
 * @has: it has taken work
 * @go: it may go on
 * @joined: it was let
 */
struct helper {
	struct goalloc_gc *gc;
	struct completion has;
	struct completion go;
	bool joined;
};

static int helper_run(void *arg)
{
	struct helper *h = arg;
	cache_entry_t obj;
	struct gc_work w;

	gc_work_init(h->gc, &w);
	h->joined = gc_markers_join(h->gc);
	if (h->joined) {
		gc_work_get(&w, &obj);
		gc_work_put(&w, obj);
		complete(&h->has);
		wait_for_completion(&h->go);
		gc_markers_leave(&w);
	} else {
		complete(&h->has);
		wait_for_completion(&h->go);
	}
	return 0;
}

static struct task_struct *helper_start(struct kunit *test, struct helper *h)
{
	struct task_struct *task;

	*h = (struct helper){ .gc = test->priv };
	init_completion(&h->has);
	init_completion(&h->go);
	task = kthread_run(helper_run, h, "helper");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wait_for_completion(&h->has);
	return task;
}

static void helper_stop(struct helper *h, struct task_struct *task)
{
	complete(&h->go);
	kthread_stop(task);
	put_task_struct(task);
}

static int collector_run(void *arg)
{
	struct gc_work *w = arg;

	return gc_markers_more(w);
}

/*
 * Marking has not ended while a mutator scans: no stop is to wait for it. When it has
 * ended no mutator takes anything up.
 */
static void marking_helper(struct kunit *test)
{
	struct goalloc_gc *gc = test->priv;
	struct task_struct *task, *collector;
	struct leaf **all;
	struct helper h;
	struct gc_work w, none;

	all = marking_tree(test, gc, 2);
	marking_begin(gc, &w);
	/* Nobody else is there. */
	gc->mark_over = false;
	gc->paused = false;
	gc_grey(&w, all[0], NULL);
	gc_work_done(&w);
	task = helper_start(test, &h);
	KUNIT_EXPECT_TRUE(test, h.joined);
	KUNIT_EXPECT_EQ(test, 1, gc->nr_markers);
	KUNIT_EXPECT_FALSE(test, gc_work_any(gc));
	gc_work_init(gc, &none);
	collector = kthread_run(collector_run, &none, "collector");
	KUNIT_ASSERT_FALSE(test, IS_ERR(collector));
	get_task_struct(collector);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, gc->paused);
	/* It gives back what it has, and so there is something to do. */
	helper_stop(&h, task);
	KUNIT_EXPECT_EQ(test, 1, kthread_stop(collector));
	put_task_struct(collector);
	KUNIT_EXPECT_EQ(test, 0, gc->nr_markers);
	KUNIT_EXPECT_TRUE(test, gc_work_any(gc));
	gc_drain(&w, U64_MAX);
	KUNIT_EXPECT_FALSE(test, gc_markers_more(&w));
	KUNIT_EXPECT_TRUE(test, gc->paused);
	task = helper_start(test, &h);
	KUNIT_EXPECT_FALSE(test, h.joined);
	KUNIT_EXPECT_EQ(test, 0, gc->nr_markers);
	helper_stop(&h, task);
	KUNIT_EXPECT_TRUE(test, marking_is_marked(gc, all[1]));
	gc->paused = false;
	marking_end(gc);
	kvfree(all);
}

/* A heap that could not be made leaves the threads to those that were. */
static void marking_not_made(struct kunit *test)
{
	struct goalloc_gc *none = kunit_kzalloc(test, sizeof(*none), GFP_KERNEL);
	struct goalloc_gc *gc = test->priv;
	struct gc_work w;

	if (num_online_cpus() == 1)
		kunit_skip(test, "there is nobody beside the collector");
	KUNIT_ASSERT_NOT_NULL(test, none);
	gc_markers_put(none);
	marking_begin(gc, &w);
	gc_markers_start(&w, true, true);
	KUNIT_EXPECT_GE(test, gc->nr_started, 1);
	gc_markers_end(gc);
	marking_end(gc);
}

/* Half of what one has is for others: the older half. */
static void marking_share(struct kunit *test)
{
	struct goalloc_gc *gc = test->priv;
	unsigned int i, n = 2 * GC_WORKBUF_ENTRIES;
	struct leaf **all = marking_tree(test, gc, n);
	struct gc_work w, other;
	cache_entry_t obj;

	marking_begin(gc, &w);
	gc_work_init(gc, &other);
	gc_work_share(&w);
	KUNIT_EXPECT_FALSE(test, gc_work_any(gc));
	for (i = 0; i < 10; i++)
		gc_grey(&w, all[i], NULL);
	gc_work_share(&w);
	KUNIT_EXPECT_EQ(test, 5, w.buf->nr);
	for (i = 5; i--; ) {
		KUNIT_ASSERT_TRUE(test, gc_work_get(&other, &obj));
		KUNIT_EXPECT_PTR_EQ(test, (void *)all[i],
				    (void *)span_slot_addr(cache_entry_span(obj),
							   cache_entry_slot(obj)));
	}
	KUNIT_EXPECT_FALSE(test, gc_work_get(&other, &obj));
	/* A whole buffer, if there is one beside that which is worked on. */
	for (i = 10; i < n; i++)
		gc_grey(&w, all[i], NULL);
	KUNIT_ASSERT_NOT_NULL(test, w.spare);
	gc_work_share(&w);
	KUNIT_EXPECT_NULL(test, w.spare);
	KUNIT_EXPECT_TRUE(test, gc_work_any(gc));
	/* Who is recalled takes nothing, not even of his own. */
	gc->recall = true;
	w.idle = true;
	KUNIT_EXPECT_FALSE(test, gc_work_get(&w, &obj));
	KUNIT_EXPECT_TRUE(test, gc_work_get(&other, &obj));
	w.idle = false;
	KUNIT_EXPECT_TRUE(test, gc_work_get(&w, &obj));
	gc->recall = false;
	gc_drain(&w, U64_MAX);
	gc_drain(&other, U64_MAX);
	gc_work_done(&w);
	gc_work_done(&other);
	gc_work_trim(gc, 0);
	KUNIT_EXPECT_EQ(test, 0, gc->nr_bufs);
	marking_end(gc);
	kvfree(all);
}

/**
 * struct debtor - a thread that allocates and has to wait
 * @gc: the heap
 * @bytes: what it allocates
 * @credit: what it had when it went on
 * @done: it went on
 */
struct debtor {
	struct goalloc_gc *gc;
	u64 bytes;
	s64 credit;
	struct completion done;
};

static int marking_debtor(void *arg)
{
	struct debtor *d = arg;
	struct goalloc_mutator m;

	goalloc_enter(d->gc, &m);
	gc_assist(&m, d->bytes);
	d->credit = m.credit;
	goalloc_exit(&m);
	complete(&d->done);
	return 0;
}

static unsigned int marking_waiting(struct goalloc_gc *gc)
{
	struct list_head *at;
	unsigned int nr = 0;

	spin_lock(&gc->assist_lock);
	list_for_each(at, &gc->assists)
		nr++;
	spin_unlock(&gc->assist_lock);
	return nr;
}

static void marking_debtor_run(struct kunit *test, struct debtor *d, struct goalloc_gc *gc,
			       unsigned int nr)
{
	struct task_struct *task;
	unsigned int ms;

	*d = (struct debtor){ .gc = gc, .bytes = 2 * GC_ASSIST_WORK };
	init_completion(&d->done);
	task = kthread_run(marking_debtor, d, "debtor");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (ms = 0; ms < WAIT_MS && marking_waiting(gc) < nr; ms += 20)
		msleep(20);
	KUNIT_EXPECT_EQ(test, nr, marking_waiting(gc));
}

/* Nothing is left to scan: they wait until others have scanned, or for a stop. */
static void marking_assists_wait(struct kunit *test)
{
	const unsigned long wait = msecs_to_jiffies(WAIT_MS);
	struct goalloc_gc *gc = test->priv;
	struct goalloc_mutator m;
	struct debtor d[3];

	mutex_lock(&gc->cycle);
	gc_stop(gc);
	gc->pacer.work_per_byte = GC_Q_ONE;
	gc->pacer.bytes_per_work = GC_Q_ONE;
	gc->phase = GC_MARK;
	atomic64_set(&gc->credit, 0);
	gc_start(gc);
	marking_debtor_run(test, &d[0], gc, 1);
	marking_debtor_run(test, &d[1], gc, 2);
	KUNIT_EXPECT_FALSE(test, completion_done(&d[0].done));
	/* A part of it: the first has to queue up again. */
	gc_credit_add(gc, GC_ASSIST_WORK);
	KUNIT_EXPECT_EQ(test, 2, marking_waiting(gc));
	gc_credit_add(gc, 2 * GC_ASSIST_WORK);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&d[1].done, wait));
	KUNIT_EXPECT_FALSE(test, completion_done(&d[0].done));
	KUNIT_EXPECT_EQ(test, 0, d[1].credit);
	/* More than it owes; the rest is there for who comes next. */
	gc_credit_add(gc, 4 * GC_ASSIST_WORK);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&d[0].done, wait));
	KUNIT_EXPECT_EQ(test, 3 * (s64)GC_ASSIST_WORK, atomic64_read(&gc->credit));
	KUNIT_EXPECT_EQ(test, 2, gc->assist_waits);
	/* Past the goal, and nothing has begun: until something does. */
	gc->phase = GC_OFF;
	gc->heap_goal = 0;
	marking_debtor_run(test, &d[1], gc, 1);
	KUNIT_EXPECT_EQ(test, 3, gc->assist_waits);
	gc_stop(gc);
	gc->phase = GC_MARK;
	gc->heap_goal = U64_MAX;
	atomic64_set(&gc->credit, 4 * GC_ASSIST_WORK);
	gc_start(gc);
	KUNIT_EXPECT_NE(test, 0, wait_for_completion_timeout(&d[1].done, wait));
	/* When collecting has taken half of the CPUs for long nobody helps. */
	atomic64_set(&gc->credit, 0);
	gc->limiter.limiting = true;
	goalloc_enter(gc, &m);
	gc_assist(&m, 4 * GC_ASSIST_WORK);
	KUNIT_EXPECT_EQ(test, 0, m.credit);
	goalloc_exit(&m);
	gc->limiter.limiting = false;
	/* A stop needs everybody out of their sections. */
	atomic64_set(&gc->credit, 0);
	marking_debtor_run(test, &d[2], gc, 1);
	gc_stop(gc);
	KUNIT_EXPECT_TRUE(test, completion_done(&d[2].done) ||
			  wait_for_completion_timeout(&d[2].done, wait));
	gc->phase = GC_OFF;
	gc_start(gc);
	mutex_unlock(&gc->cycle);
}

/* So many that there are pages enough to be counted, also of the largest size. */
#define GARBAGE 4000

/* Nothing is reachable, and everything is to be swept. */
static void sweeping_begin(struct kunit *test, struct goalloc_gc *gc)
{
	struct leaf **all = marking_tree(test, gc, GARBAGE);
	unsigned int cpu;

	kvfree(all);
	mutex_lock(&gc->cycle);
	gc_stop(gc);
	for_each_possible_cpu(cpu)
		gc_span_flush_cpu(gc, cpu);
	gc->colour = gc_other_colour(gc->colour);
	gc->sweepgen += 2;
	gc->sweep_next = 0;
	gc->sweeping = true;
	atomic64_set(&gc->pages_swept, 0);
	atomic64_set(&gc->reclaim_credit, 0);
	gc_start(gc);
	mutex_unlock(&gc->cycle);
}

/* Who wants pages sweeps until so many are free; what is too much is for the next. */
static void sweeping_reclaim(struct kunit *test)
{
	struct goalloc_gc *gc = test->priv;
	struct goalloc_mutator m;
	s64 before, credit;

	sweeping_begin(test, gc);
	before = atomic64_read(&gc->pages);
	KUNIT_ASSERT_GE(test, before, GARBAGE * (s64)sizeof(struct leaf) / GOALLOC_PAGE_SIZE);
	goalloc_enter(gc, &m);
	/* No more than it may look at. */
	gc_sweep_reclaim(gc, 5, 1);
	KUNIT_EXPECT_EQ(test, 1, atomic64_read(&gc->pages_swept));
	gc_sweep_reclaim(gc, 3, GC_RECLAIM_PAGES);
	KUNIT_EXPECT_EQ(test, 4, atomic64_read(&gc->pages_swept));
	KUNIT_EXPECT_EQ(test, before - 4, atomic64_read(&gc->pages));
	/* What others have left. */
	atomic64_set(&gc->reclaim_credit, 7);
	gc_sweep_reclaim(gc, 5, GC_RECLAIM_PAGES);
	KUNIT_EXPECT_EQ(test, 2, atomic64_read(&gc->reclaim_credit));
	KUNIT_EXPECT_EQ(test, 4, atomic64_read(&gc->pages_swept));
	/* All there is. */
	gc_sweep_reclaim(gc, U64_MAX, U64_MAX);
	KUNIT_EXPECT_FALSE(test, gc->sweeping);
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&gc->pages));
	credit = atomic64_read(&gc->reclaim_credit);
	gc_sweep_reclaim(gc, 1, 1);
	KUNIT_EXPECT_EQ(test, credit, atomic64_read(&gc->reclaim_credit));
	goalloc_exit(&m);
}

/* Who allocates sweeps as many pages as keep pace with the next collection. */
static void sweeping_pay(struct kunit *test)
{
	struct goalloc_gc *gc = test->priv;
	struct goalloc_mutator m;
	u64 least = GOALLOC_PAGE_SIZE;

	sweeping_begin(test, gc);
	goalloc_enter(gc, &m);
	/* Two pages for one. */
	gc->sweep_ratio = GC_Q(2, GOALLOC_PAGE_SIZE);
	gc->sweep_live = atomic64_read(&gc->heap_live);
	gc_sweep_pay(gc, 2 * least, 1);
	KUNIT_EXPECT_EQ(test, 3, atomic64_read(&gc->pages_swept));
	/* Done already. */
	gc_sweep_pay(gc, least, 0);
	KUNIT_EXPECT_EQ(test, 3, atomic64_read(&gc->pages_swept));
	/* What was allocated since counts. */
	gc->sweep_live -= least;
	gc_sweep_pay(gc, least, 0);
	KUNIT_EXPECT_EQ(test, 4, atomic64_read(&gc->pages_swept));
	KUNIT_EXPECT_EQ(test, 4, atomic64_read(&gc->reclaim_credit));
	gc_sweep_pay(gc, 1 << 30, 0);
	KUNIT_EXPECT_EQ(test, 0, gc->sweep_ratio);
	KUNIT_EXPECT_FALSE(test, gc->sweeping);
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&gc->pages));
	goalloc_exit(&m);
}

/* A span is only taken from the kernel if nothing can be swept for it. */
static void sweeping_before_growing(struct kunit *test)
{
	struct goalloc_gc *gc = test->priv;
	struct goalloc_mutator m;
	s64 spans;

	sweeping_begin(test, gc);
	spans = atomic64_read(&gc->pages);
	goalloc_enter(gc, &m);
	KUNIT_EXPECT_NOT_NULL(test, goalloc_new_array(&m, &leaf_type, 4096 / sizeof(struct leaf),
						      GFP_KERNEL));
	goalloc_exit(&m);
	KUNIT_EXPECT_LE(test, atomic64_read(&gc->pages), spans);
	KUNIT_EXPECT_GE(test, atomic64_read(&gc->pages_swept), 1);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc(gc));
	KUNIT_EXPECT_EQ(test, 0, atomic64_read(&gc->pages));
}

/* Without anything allocated there is a collection now and then all the same. */
static void marking_periodic(struct kunit *test)
{
	struct goalloc_gc *gc = test->priv;
	struct goalloc_gc_stats st;
	unsigned int ms;
	u64 cycles;

	goalloc_gc(gc);
	msleep(50);
	/* Not with GOALLOC_GC_OFF. */
	goalloc_gc_get_stats(gc, &st);
	KUNIT_EXPECT_EQ(test, 1, st.cycles);
	goalloc_set_gc_percent(gc, 100);
	gc->period = 1;
	goalloc_gc(gc);
	for (ms = 0; ms < WAIT_MS && st.cycles < 4; ms += 20) {
		msleep(20);
		goalloc_gc_get_stats(gc, &st);
	}
	KUNIT_EXPECT_GE(test, st.cycles, 4);
	KUNIT_EXPECT_EQ(test, 2, st.forced);
	goalloc_set_gc_percent(gc, GOALLOC_GC_OFF);
	goalloc_gc(gc);
	goalloc_gc_get_stats(gc, &st);
	cycles = st.cycles;
	msleep(50);
	goalloc_gc_get_stats(gc, &st);
	KUNIT_EXPECT_EQ(test, cycles, st.cycles);
}

/* An allocation that finds no memory fails, and has the garbage collected. */
static void marking_wanted(struct kunit *test)
{
	const struct goalloc_gc_attr attr = { .limit = SZ_1M };
	struct goalloc_gc *gc = goalloc_gc_create("wanted", &attr);
	struct goalloc_gc_stats st = {};
	struct goalloc_mutator m;
	unsigned int ms, n = 0;

	KUNIT_ASSERT_FALSE(test, IS_ERR(gc));
	goalloc_enter(gc, &m);
	while (n < SZ_2M / sizeof(struct leaf) &&
	       goalloc_new(&m, &leaf_type, GFP_KERNEL | __GFP_NOWARN))
		n++;
	goalloc_exit(&m);
	KUNIT_EXPECT_LE(test, n, SZ_1M / sizeof(struct leaf));
	for (ms = 0; ms < WAIT_MS && !st.cycles; ms += 20) {
		msleep(20);
		goalloc_gc_get_stats(gc, &st);
	}
	KUNIT_EXPECT_GE(test, st.cycles, 1);
	KUNIT_EXPECT_EQ(test, 0, st.forced);
	goalloc_enter(gc, &m);
	KUNIT_EXPECT_NOT_NULL(test, goalloc_new(&m, &leaf_type, GFP_KERNEL));
	goalloc_exit(&m);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(gc));
}

#ifdef CONFIG_TRACEPOINTS

/* The events of one heap. */
struct marking_seen {
	const struct goalloc_heap *heap;
	unsigned int nr_phases;
	u8 phase[8];
	u64 cycle;
	unsigned int nr_assists;
	u64 bytes, credit, scanned, waited;
};

static void marking_on_phase(void *data, const struct goalloc_heap *heap, u64 cycle, u8 phase,
			     u64 live, u64 goal)
{
	struct marking_seen *seen = data;

	if (heap != seen->heap)
		return;
	if (seen->nr_phases < ARRAY_SIZE(seen->phase))
		seen->phase[seen->nr_phases] = phase;
	seen->nr_phases++;
	seen->cycle = cycle;
}

static void marking_on_assist(void *data, const struct goalloc_heap *heap, u64 bytes,
			      u64 credit, u64 scanned, u64 waited)
{
	struct marking_seen *seen = data;

	if (heap != seen->heap)
		return;
	seen->nr_assists++;
	seen->bytes = bytes;
	seen->credit = credit;
	seen->scanned = scanned;
	seen->waited = waited;
}

/* Each phase is told once, and what a mutator had to do. */
static void marking_traced(struct kunit *test)
{
	struct goalloc_gc *gc = test->priv;
	struct marking_seen seen = { .heap = goalloc_gc_heap(gc) };
	struct goalloc_mutator m;
	struct leaf **all = marking_tree(test, gc, 3000);
	struct gc_work w;

	KUNIT_ASSERT_EQ(test, 0, register_trace_gc_phase(marking_on_phase, &seen));
	KUNIT_EXPECT_EQ(test, 0, register_trace_gc_assist(marking_on_assist, &seen));
	/* Work for a mutator, and a part of it paid. */
	marking_begin(gc, &w);
	gc->pacer.work_per_byte = GC_Q_ONE;
	gc->pacer.bytes_per_work = GC_Q_ONE;
	gc_grey(&w, all[0], NULL);
	gc_work_done(&w);
	atomic64_set(&gc->credit, 100);
	gc_start(gc);
	goalloc_enter(gc, &m);
	gc_assist(&m, GC_ASSIST_WORK + 1);
	goalloc_exit(&m);
	gc_stop(gc);
	gc_drain(&w, U64_MAX);
	gc_work_done(&w);
	marking_end(gc);
	KUNIT_EXPECT_EQ(test, 1, seen.nr_assists);
	KUNIT_EXPECT_EQ(test, GC_ASSIST_WORK + 1, seen.bytes);
	KUNIT_EXPECT_EQ(test, 100, seen.credit);
	KUNIT_EXPECT_GE(test, seen.scanned, GC_ASSIST_WORK + 1 - 100);
	KUNIT_EXPECT_EQ(test, 0, seen.waited);
	goalloc_gc(gc);
	unregister_trace_gc_assist(marking_on_assist, &seen);
	unregister_trace_gc_phase(marking_on_phase, &seen);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, 3, seen.nr_phases);
	KUNIT_EXPECT_EQ(test, GC_MARK, seen.phase[0]);
	KUNIT_EXPECT_EQ(test, GC_MARKTERM, seen.phase[1]);
	KUNIT_EXPECT_EQ(test, GC_OFF, seen.phase[2]);
	KUNIT_EXPECT_EQ(test, 1, seen.cycle);
	kvfree(all);
}

#endif /* CONFIG_TRACEPOINTS */

static struct kunit_case gc_marking_cases[] = {
	KUNIT_CASE(marking_dedicated),
	KUNIT_CASE(marking_idle),
	KUNIT_CASE(marking_pause),
	KUNIT_CASE(marking_not_made),
	KUNIT_CASE(marking_helper),
	KUNIT_CASE(marking_share),
	KUNIT_CASE(marking_assists_wait),
	KUNIT_CASE(sweeping_reclaim),
	KUNIT_CASE(sweeping_pay),
	KUNIT_CASE(sweeping_before_growing),
	KUNIT_CASE(marking_periodic),
	KUNIT_CASE(marking_wanted),
#ifdef CONFIG_TRACEPOINTS
	KUNIT_CASE(marking_traced),
#endif
	{}
};

static struct kunit_suite gc_marking_suite = {
	.name = "goalloc_gc_marking",
	.init = gc_marking_init,
	.exit = gc_marking_exit,
	.test_cases = gc_marking_cases,
};

kunit_test_suite(gc_marking_suite);
