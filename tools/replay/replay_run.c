// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replay a trace: one thread per recorded CPU does that CPU's records.
 *
 * Order. The trace is a total order, the replay keeps two parts of it. Within
 * a slot every record waits for its turn (struct replay_slot.turn against
 * replay.turns): an object is allocated before it is freed and freed before
 * its slot is used again, on whichever threads that happens. And no thread
 * runs ahead: the trace is cut into windows of REPLAY_WINDOW records, and the
 * next window begins when all threads are through with the last. Inside a
 * window the threads race, which is what an allocator has to stand; across
 * windows the set of live objects is the recorded one. There is no deadlock:
 * the earliest record that is not done has all its predecessors behind it, so
 * its thread can go on.
 *
 * Between windows nothing moves, and there the heap is sampled. One window is
 * cut to end with the record at which the trace has most bytes live, so the
 * numbers "at peak" are of exactly that moment, and the same one for every
 * allocator.
 *
 * Context. Records of hardirq context are done in an irq_work, those of softirq
 * context in a tasklet, both on the thread's CPU, in batches of neighbouring
 * records, so that an allocator meets the contexts it was recorded in. What
 * the interrupt handler may not do, wait, is done by the thread beforehand.
 *
 * No locks: a slot belongs to the thread whose turn it is, counters are per
 * thread and read between windows.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include "replay.h"
#include "replay_pattern.h"

#define REPLAY_WINDOW	2048	/* records between two samples */
#define REPLAY_BATCH	64	/* records in one interrupt */
#define REPLAY_SPINS	500	/* looks at a slot before its waiter sleeps */
#define REPLAY_LINGER	4	/* samples in a second at the end */
#define REPLAY_CALIBRATE 1000	/* calls of nothing */

struct replay_thread {
	struct replay *r;
	struct replay_crew *crew;
	struct task_struct *task;
	unsigned int cpu;		/* as recorded */

	/* The thread's, and its handlers' while it waits for @handled. */
	u32 next;			/* record to do */
	u32 end;			/* of the window */
	bool handled;			/* release, acquire */
	struct irq_work irq_work;
	struct tasklet_struct tasklet;
	struct replay_count count;
	struct replay_ticks *ticks;	/* NULL: not wanted */
};

struct replay_crew {
	wait_queue_head_t go;
	wait_queue_head_t done;
	u32 window;			/* number of the current one; release, acquire */
	u32 begin;			/* its records; before @window */
	u32 end;
	atomic_t busy;			/* threads that are not through with it */
	unsigned int nthreads;
	struct replay_thread threads[];
};

static struct replay_slot *record_slot(struct replay *r, u32 n)
{
	return &r->slots[le32_to_cpu(r->rec[n].slot)];
}

static bool record_is_due(struct replay *r, u32 n)
{
	/* Pairs with the release in record_do() of the slot's record before. */
	return smp_load_acquire(&record_slot(r, n)->turn) == r->turns[n];
}

/*
 * Call the allocator. With @ticks, see how long that takes. Not inline, so that
 * calibrate() clocks the same instructions, the indirect call among them.
 */
static noinline void *call_alloc(const struct replay_allocator *allocator,
				 struct replay_ticks *ticks, u64 overhead,
				 const struct replay_slot *slot, gfp_t gfp)
{
	cycles_t begin, took;
	void *p;

	if (!ticks)
		return allocator->alloc(slot->bytes, gfp, slot->exact);
	begin = get_cycles();
	p = allocator->alloc(slot->bytes, gfp, slot->exact);
	took = get_cycles() - begin;
	latency_add(&ticks->alloc, took > overhead ? took - overhead : 0);
	return p;
}

static noinline void call_free(const struct replay_allocator *allocator,
			       struct replay_ticks *ticks, u64 overhead,
			       const struct replay_slot *slot)
{
	cycles_t begin, took;

	if (!ticks) {
		allocator->free(slot->p, slot->bytes, slot->exact);
		return;
	}
	begin = get_cycles();
	allocator->free(slot->p, slot->bytes, slot->exact);
	took = get_cycles() - begin;
	latency_add(&ticks->free, took > overhead ? took - overhead : 0);
}

static void *alloc_nothing(size_t size, gfp_t gfp, bool exact)
{
	return NULL;
}

static void free_nothing(void *p, size_t size, bool exact)
{
}

/* What clocking takes: an allocator that does nothing, at its fastest. */
static int calibrate(struct replay *r)
{
	static const struct replay_allocator nothing = {
		.alloc = alloc_nothing,
		.free = free_nothing,
	};
	struct replay_slot slot = { .bytes = 8 };
	struct replay_ticks *ticks = vzalloc(sizeof(*ticks));
	unsigned int i;

	if (!ticks)
		return -ENOMEM;
	for (i = 0; i < REPLAY_CALIBRATE; i++) {
		call_alloc(&nothing, ticks, 0, &slot, GFP_KERNEL);
		call_free(&nothing, ticks, 0, &slot);
	}
	r->overhead_alloc = latency_percentile(&ticks->alloc, 0);
	r->overhead_free = latency_percentile(&ticks->free, 0);
	vfree(ticks);
	return 0;
}

static void record_alloc(struct replay *r, struct replay_count *count,
			 struct replay_ticks *ticks, u32 n)
{
	const struct trace_record *rec = &r->rec[n];
	struct replay_slot *slot = record_slot(r, n);
	bool atomic = rec->flags & TRACE_F_ATOMIC || trace_context(rec) != TRACE_TASK;
	gfp_t gfp = (atomic ? GFP_ATOMIC : GFP_KERNEL) | __GFP_NOWARN;

	if (rec->flags & TRACE_F_ZERO)
		gfp |= __GFP_ZERO;
	slot->bytes = le32_to_cpu(rec->bytes);
	slot->exact = rec->flags & TRACE_F_CACHE;
	slot->record = n;
	slot->usable = 0;
	count->allocs++;
	if (atomic && r->allocator->may_sleep) {
		slot->p = NULL;
		count->refused++;
		return;
	}
	slot->p = call_alloc(r->allocator, ticks, r->overhead_alloc, slot, gfp);
	if (!slot->p) {
		count->failures++;
		return;
	}
	if (ZERO_OR_NULL_PTR(slot->p)) {
		count->empty_allocs++;
		return;
	}
	count->objects++;
	count->requested += slot->bytes;
	slot->usable = r->allocator->usable(slot->p, slot->bytes);
	count->allocated += slot->usable;
	if (!IS_ALIGNED((unsigned long)slot->p, replay_align(slot->bytes)))
		count->align_errors++;
	if (slot->usable < slot->bytes) {
		count->short_errors++;
		return;
	}
	if (rec->flags & TRACE_F_ZERO && memchr_inv(slot->p, 0, slot->bytes))
		count->zero_errors++;
	pattern_fill(slot->p, slot->bytes, n);
}

static void slot_free(struct replay *r, struct replay_count *count,
		      struct replay_ticks *ticks, struct replay_slot *slot)
{
	if (!slot->p)		/* the allocation failed, or was refused */
		return;
	if (!ZERO_OR_NULL_PTR(slot->p)) {
		if (slot->usable >= slot->bytes &&
		    !pattern_is_good(slot->p, slot->bytes, slot->record))
			count->pattern_errors++;
		count->objects--;
		count->requested -= slot->bytes;
		count->allocated -= slot->usable;
	}
	call_free(r->allocator, ticks, r->overhead_free, slot);
	slot->p = NULL;
}

static void record_do(struct replay_thread *t, u32 n)
{
	struct replay_count *count = &t->count;
	struct replay *r = t->r;
	struct replay_slot *slot = record_slot(r, n);

	if (r->rec[n].flags & TRACE_F_FREE) {
		count->frees++;
		count->empty_frees += slot->p == ZERO_SIZE_PTR;
		slot_free(r, count, t->ticks, slot);
	} else {
		record_alloc(r, count, t->ticks, n);
	}
	/* Hands the slot to the thread that waits in record_is_due(). */
	smp_store_release(&slot->turn, r->turns[n] + 1);
}

/* The first record from @n on that is the thread's, or @t->end. */
static u32 record_own(struct replay_thread *t, u32 n)
{
	while (n < t->end && t->r->rec[n].cpu != t->cpu)
		n++;
	return n;
}

/*
 * In a handler: do the thread's next record, which is due, and those after it
 * as long as they are of the same context and due.
 */
static void thread_handle(struct replay_thread *t, enum trace_context context)
{
	u32 batch = 0;

	do {
		record_do(t, t->next);
		t->count.in_context[context]++;
		t->next = record_own(t, t->next + 1);
	} while (++batch < REPLAY_BATCH && t->next < t->end &&
		 trace_context(&t->r->rec[t->next]) == context &&
		 record_is_due(t->r, t->next));
	/* Pairs with the acquire in thread_softirq(). */
	smp_store_release(&t->handled, true);
}

static void replay_irq_work(struct irq_work *work)
{
	thread_handle(container_of(work, struct replay_thread, irq_work), TRACE_HARDIRQ);
}

static void replay_tasklet(struct tasklet_struct *tasklet)
{
	thread_handle(container_of(tasklet, struct replay_thread, tasklet), TRACE_SOFTIRQ);
}

static void thread_hardirq(struct replay_thread *t)
{
	irq_work_queue(&t->irq_work);
	irq_work_sync(&t->irq_work);
}

static void thread_softirq(struct replay_thread *t)
{
	t->handled = false;
	/* Enabling bottom halves runs the tasklet, unless ksoftirqd is at it. */
	local_bh_disable();
	tasklet_schedule(&t->tasklet);
	local_bh_enable();
	/* Pairs with the release in thread_handle(). */
	while (!smp_load_acquire(&t->handled))
		usleep_range(10, 50);
}

/* Wait for the other records of the slot that come first. */
static void thread_wait(struct replay_thread *t)
{
	unsigned int spins = 0;

	if (record_is_due(t->r, t->next))
		return;
	t->count.waits++;
	do {
		/* Who has to act may need this very CPU: do not just spin. */
		if (++spins < REPLAY_SPINS)
			cpu_relax();
		else
			usleep_range(10, 50);
	} while (!record_is_due(t->r, t->next));
}

static void thread_window(struct replay_thread *t)
{
	t->end = t->crew->end;
	t->next = record_own(t, t->crew->begin);
	while (t->next < t->end) {
		thread_wait(t);
		switch (trace_context(&t->r->rec[t->next])) {
		case TRACE_HARDIRQ:
			thread_hardirq(t);
			break;
		case TRACE_SOFTIRQ:
			thread_softirq(t);
			break;
		default:
			record_do(t, t->next);
			t->count.in_context[TRACE_TASK]++;
			t->next = record_own(t, t->next + 1);
			break;
		}
		cond_resched();
	}
}

static bool crew_has_moved(struct replay_crew *crew, u32 window)
{
	/* Pairs with the release in crew_window(): the window's records. */
	return smp_load_acquire(&crew->window) != window;
}

static int replay_thread(void *data)
{
	struct replay_thread *t = data;
	struct replay_crew *crew = t->crew;
	u32 window = 0;

	for (;;) {
		wait_event_idle(crew->go, kthread_should_stop() || crew_has_moved(crew, window));
		if (kthread_should_stop())
			return 0;
		window++;
		thread_window(t);
		if (atomic_dec_and_test(&crew->busy))
			wake_up(&crew->done);
	}
}

static void crew_dismiss(struct replay_crew *crew)
{
	unsigned int i;

	for (i = 0; i < crew->nthreads; i++) {
		struct replay_thread *t = &crew->threads[i];

		kthread_stop(t->task);
		irq_work_sync(&t->irq_work);
		tasklet_kill(&t->tasklet);
		vfree(t->ticks);
	}
	vfree(crew);
}

static struct replay_crew *crew_hire(struct replay *r)
{
	struct replay_crew *crew;
	unsigned int i;
	int cpu = -1;

	/* Not from an allocator under test: the crew comes before the baseline. */
	crew = vzalloc(struct_size(crew, threads, r->info.ncpu));
	if (!crew)
		return ERR_PTR(-ENOMEM);
	init_waitqueue_head(&crew->go);
	init_waitqueue_head(&crew->done);

	for (i = 0; i < r->info.ncpu; i++) {
		struct replay_thread *t = &crew->threads[i];

		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
		t->r = r;
		t->crew = crew;
		t->cpu = i;
		t->irq_work = IRQ_WORK_INIT_HARD(replay_irq_work);
		tasklet_setup(&t->tasklet, replay_tasklet);
		if (r->latency) {
			t->ticks = vzalloc(sizeof(*t->ticks));
			if (!t->ticks) {
				crew_dismiss(crew);
				return ERR_PTR(-ENOMEM);
			}
		}
		t->task = kthread_create_on_node(replay_thread, t, cpu_to_node(cpu),
						 "goalloc_replay/%u", i);
		if (IS_ERR(t->task)) {
			struct task_struct *err = t->task;

			vfree(t->ticks);
			crew_dismiss(crew);
			return ERR_CAST(err);
		}
		kthread_bind(t->task, cpu);
		crew->nthreads++;
		wake_up_process(t->task);
	}
	return crew;
}

/* Have the records from @begin to before @end done. */
static void crew_window(struct replay_crew *crew, u32 begin, u32 end)
{
	crew->begin = begin;
	crew->end = end;
	atomic_set(&crew->busy, crew->nthreads);
	/* Pairs with the acquire in crew_has_moved(). */
	smp_store_release(&crew->window, crew->window + 1);
	wake_up_all(&crew->go);
	wait_event_idle(crew->done, !atomic_read_acquire(&crew->busy));
}

static void count_add(struct replay_count *sum, const struct replay_count *count)
{
	unsigned int i;

	sum->allocs += count->allocs;
	sum->frees += count->frees;
	sum->empty_allocs += count->empty_allocs;
	sum->empty_frees += count->empty_frees;
	for (i = 0; i < TRACE_NR_CONTEXTS; i++)
		sum->in_context[i] += count->in_context[i];
	sum->waits += count->waits;
	sum->failures += count->failures;
	sum->refused += count->refused;
	sum->pattern_errors += count->pattern_errors;
	sum->zero_errors += count->zero_errors;
	sum->align_errors += count->align_errors;
	sum->short_errors += count->short_errors;
	sum->objects += count->objects;
	sum->requested += count->requested;
	sum->allocated += count->allocated;
}

/* With all threads stopped: where are we? */
static void replay_sample(struct replay *r, u32 records, struct replay_sample *sample)
{
	sample->records = records;
	sample->objects = r->total.objects;
	sample->requested = r->total.requested;
	sample->allocated = r->total.allocated;
	sample->held = r->allocator->held() - (r->allocator->is_shared ? r->base_held : 0);
	sample->taken = r->base_free - replay_pages_free();
}

static void replay_sum(struct replay *r, struct replay_crew *crew)
{
	unsigned int i;

	memset(&r->total, 0, sizeof(r->total));
	for (i = 0; i < crew->nthreads; i++)
		count_add(&r->total, &crew->threads[i].count);
}

static void replay_sum_ticks(struct replay *r, struct replay_crew *crew)
{
	unsigned int i;

	for (i = 0; i < crew->nthreads; i++) {
		latency_merge(&r->ticks->alloc, &crew->threads[i].ticks->alloc);
		latency_merge(&r->ticks->free, &crew->threads[i].ticks->free);
	}
}

static void replay_baseline(struct replay *r)
{
	/* Let go of what waits for a grace period, or it looks like ours. */
	synchronize_rcu();
	rcu_barrier();
	r->base_held = r->allocator->held();
	r->base_free = replay_pages_free();
}

/* Keep a sample for the file of them. */
static void replay_keep(struct replay *r, u64 ns, const struct replay_sample *sample)
{
	struct replay_moment *m;

	if (r->nmoments == r->max_moments)
		return;
	m = &r->moments[r->nmoments++];
	m->ms = div_u64(ns, NSEC_PER_MSEC);
	m->sample = *sample;
}

/**
 * replay_moments_needed - how many samples a replay keeps
 * @r: a loaded trace
 *
 * Return: room that r->moments must have.
 */
u32 replay_moments_needed(const struct replay *r)
{
	return r->info.nrecords / REPLAY_WINDOW + 2 + r->linger * REPLAY_LINGER;
}

/* The trace's time of a window. */
static u64 replay_window_ns(const struct replay *r, u32 begin, u32 end)
{
	u64 ns = 0;

	while (begin < end)
		ns += le32_to_cpu(r->rec[begin++].delta);
	return ns;
}

/* Not before the trace's time has come; false if a signal has. */
static bool replay_wait(u64 until)
{
	while (!signal_pending(current)) {
		u64 now = ktime_get_ns();

		if (now >= until)
			return true;
		schedule_timeout_interruptible(nsecs_to_jiffies(until - now) + 1);
	}
	return false;
}

/* Look on while nothing is done any more but in the background. */
static void replay_linger(struct replay *r, u64 ns)
{
	struct replay_sample sample;
	unsigned int i;

	for (i = 1; i <= r->linger * REPLAY_LINGER; i++) {
		u64 step = NSEC_PER_SEC / REPLAY_LINGER;

		if (!replay_wait(ktime_get_ns() + step))
			break;
		replay_sample(r, r->info.nrecords, &sample);
		replay_keep(r, ns + i * step, &sample);
		r->end = sample;
	}
}

/**
 * replay_run - replay a whole trace
 * @r: a loaded trace, its slots empty
 *
 * What the trace leaves live stays live until replay_release().
 *
 * Context: Process context; takes seconds to minutes.
 * Return: 0; -ENOMEM; -EINTR if a signal came first, then replay_release() is
 *         due as well.
 */
int replay_run(struct replay *r)
{
	const u32 nrecords = r->info.nrecords, at_peak = r->info.peak_record + 1;
	struct replay_sample sample = {};
	struct replay_crew *crew;
	u32 begin, end, tenth = 0;
	u64 begun, ns = 0;
	int err = 0;

	if (r->latency) {
		err = calibrate(r);
		if (err)
			return err;
	}
	crew = crew_hire(r);
	if (IS_ERR(crew))
		return PTR_ERR(crew);
	replay_baseline(r);
	begun = ktime_get_ns();

	for (begin = 0; begin < nrecords; begin = end) {
		u64 start;

		end = min(nrecords - begin, (u32)REPLAY_WINDOW) + begin;
		if (begin < at_peak && at_peak < end)
			end = at_peak;
		ns += replay_window_ns(r, begin, end);
		if (r->pace)
			replay_wait(begun + ns);
		start = ktime_get_ns();
		crew_window(crew, begin, end);
		r->run_ns += ktime_get_ns() - start;

		replay_sum(r, crew);
		replay_sample(r, end, &sample);
		replay_keep(r, ns, &sample);
		r->max_held = max(r->max_held, sample.held);
		if (end == at_peak)
			r->peak = sample;
		if ((u64)end * 10 / nrecords > tenth) {
			tenth = (u64)end * 10 / nrecords;
			pr_info("%s through %s: %u%%, %lld KiB requested, %lld KiB held\n",
				r->info.name, r->allocator->name, tenth * 10,
				sample.requested >> 10, sample.held >> 10);
		}
		if (signal_pending(current)) {
			err = -EINTR;
			break;
		}
	}
	r->end = sample;
	if (!err)
		replay_linger(r, ns);
	if (r->latency)
		replay_sum_ticks(r, crew);
	crew_dismiss(crew);
	return err;
}

/**
 * replay_release - free what a replay left live
 * @r: after replay_run()
 *
 * Every object is checked once more. Then r->released says what the allocator
 * holds although nothing is live.
 *
 * Context: Process context.
 */
void replay_release(struct replay *r)
{
	u64 start = ktime_get_ns();
	u32 i;

	for (i = 0; i < r->info.nslots; i++) {
		slot_free(r, &r->total, NULL, &r->slots[i]);
		cond_resched();
	}
	r->release_ns = ktime_get_ns() - start;
	replay_sample(r, r->end.records, &r->released);
	r->is_released = true;
}
