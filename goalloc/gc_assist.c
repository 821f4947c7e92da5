// SPDX-License-Identifier: GPL-2.0-only
/*
 * How mutators help.
 *
 * A mutator that allocates while the heap is marked has to scan for it, so that it
 * cannot be faster than marking. It is charged when a CPU gets a span, for all that is
 * free in it. What the collector's threads scan is credit for all; a mutator takes from
 * that first, and scans itself only if there is none. What it has scanned too much it
 * keeps until the collection ends.
 *
 * If there is nothing to be scanned either, as others have it all, it waits until they
 * have scanned what it owes: first come, first served, and who was paid a part goes to
 * the end. It waits inside of its section, so a stop lets everybody go.
 *
 * It also waits if a collection is due and the goal is reached: the collector has not
 * got a CPU yet, perhaps because of those who allocate. (In Go it is they who begin.)
 *
 * Locks: gc->assist_lock.
 */
#include <linux/completion.h>
#include <linux/lockdep.h>

#include "compat.h"
#include "gc.h"
#include "goalloc_trace.h"

/**
 * struct gc_assist - a mutator that waits
 * @list: place among all of its heap
 * @debt: bytes that others have to scan for it
 * @paid: they have, or it is not to wait any more
 *
 * gc->assist_lock.
 */
struct gc_assist {
	struct list_head list;
	u64 debt;
	struct completion paid;
};

/* The goal may have been changed meanwhile, so that no collection is due: look again. */
#define GC_ASSIST_JIFFIES (HZ / 5)

/* What others have scanned, up to @work bytes. */
static u64 gc_take_credit(struct goalloc_gc *gc, u64 work)
{
	s64 pool = atomic64_read(&gc->credit);
	s64 taken;

	do {
		if (pool <= 0)
			return 0;
		taken = min_t(u64, pool, work);
	} while (!atomic64_try_cmpxchg(&gc->credit, &pool, pool - taken));
	return taken;
}

/**
 * gc_credit_add - one who marks for everybody has scanned
 * @gc: the heap
 * @scanned: how many bytes
 *
 * Context: While the heap is marked; any but an interrupt.
 */
void gc_credit_add(struct goalloc_gc *gc, u64 scanned)
{
	if (unlikely(!list_empty(&gc->assists))) {
		struct gc_assist *assist;

		spin_lock(&gc->assist_lock);
		while (scanned && (assist = list_first_entry_or_null(&gc->assists,
								     struct gc_assist, list))) {
			u64 paid = min(scanned, assist->debt);

			scanned -= paid;
			assist->debt -= paid;
			list_move_tail(&assist->list, &gc->assists);
			if (assist->debt)
				continue;
			list_del_init(&assist->list);
			complete(&assist->paid);
		}
		spin_unlock(&gc->assist_lock);
	}
	atomic64_add(scanned, &gc->credit);
}
GOALLOC_EXPORT_KUNIT(gc_credit_add);

/**
 * gc_assist_release - nobody is to wait any more
 * @gc: the heap, that is about to be stopped
 *
 * Context: gc->cycle held, gc->world stopped or about to be.
 */
void gc_assist_release(struct goalloc_gc *gc)
{
	struct gc_assist *assist, *next;

	lockdep_assert_held(&gc->cycle);

	spin_lock(&gc->assist_lock);
	list_for_each_entry_safe(assist, next, &gc->assists, list) {
		list_del_init(&assist->list);
		complete(&assist->paid);
	}
	spin_unlock(&gc->assist_lock);
}

/* A collection is due, and should have begun. Its goal changes with gc->cycle held. */
static bool gc_is_late(struct goalloc_gc *gc)
{
	return READ_ONCE(gc->phase) == GC_OFF &&
	       atomic64_read(&gc->heap_live) >= READ_ONCE(gc->heap_goal);
}

/* Nothing that it may scan, and nothing that others have: but they are going to. */
static bool gc_assist_must_wait(struct goalloc_gc *gc)
{
	return READ_ONCE(gc->phase) == GC_MARK && atomic64_read(&gc->credit) <= 0 &&
	       (READ_ONCE(gc->paused) || !gc_work_any(gc));
}

/* Wait until others have scanned, or begun to; what they have. */
static u64 gc_assist_wait(struct goalloc_gc *gc, u64 work)
{
	struct gc_assist assist = { .debt = work };

	init_completion(&assist.paid);
	spin_lock(&gc->assist_lock);
	/* Who stops everybody sets it, and comes here then. */
	if (READ_ONCE(gc->world.stop) || !(gc_is_late(gc) || gc_assist_must_wait(gc))) {
		spin_unlock(&gc->assist_lock);
		return 0;
	}
	list_add_tail(&assist.list, &gc->assists);
	WRITE_ONCE(gc->assist_waits, gc->assist_waits + 1);
	spin_unlock(&gc->assist_lock);
	if (!wait_for_completion_timeout(&assist.paid, GC_ASSIST_JIFFIES)) {
		spin_lock(&gc->assist_lock);
		/* Paid just now, it is on no list, and this does nothing. */
		list_del_init(&assist.list);
		spin_unlock(&gc->assist_lock);
	}
	return work - assist.debt;
}

/* Scan that much, if there is that much. */
static u64 gc_assist_scan(struct goalloc_gc *gc, u64 bytes)
{
	u64 begin = gc_thread_ns();
	struct gc_work w;
	u64 scanned, ns;

	if (!gc_markers_join(gc))
		return 0;
	gc_work_init(gc, &w);
	scanned = gc_drain(&w, bytes);
	gc_markers_leave(&w);
	ns = gc_thread_since(begin);
	atomic64_add(ns, &gc->assist_ns);
	atomic64_add(ns, &gc->limiter_assist_ns);
	gc_limit_update(gc);
	return scanned;
}

/**
 * gc_assist - help marking for what is allocated
 * @m: the mutator
 * @bytes: what is allocated
 *
 * Context: In the mutator's section; process context, may sleep.
 */
void gc_assist(struct goalloc_mutator *m, u64 bytes)
{
	struct goalloc_gc *gc = m->gc;
	u64 work, per_work, debt, done = 0, taken = 0, scanned = 0, waited = 0;

	if (unlikely(gc_is_late(gc))) {
		kthread_queue_work(gc->collector, &gc->cycle_work);
		gc_assist_wait(gc, U64_MAX);
	}
	if (READ_ONCE(gc->phase) != GC_MARK || READ_ONCE(gc->limiter.limiting))
		return;
	/* Of an earlier collection. */
	if (m->cycle != gc->cycles) {
		m->cycle = gc->cycles;
		m->credit = 0;
	}
	m->credit -= bytes;
	if (m->credit >= 0)
		return;
	debt = -m->credit;
	work = gc_q_mul(READ_ONCE(gc->pacer.work_per_byte), debt);
	per_work = READ_ONCE(gc->pacer.bytes_per_work);
	/* Not for every little bit. */
	work = max_t(u64, work, GC_ASSIST_WORK);
	while (done < work) {
		u64 n = gc_take_credit(gc, work - done);

		taken += n;
		done += n;
		if (done < work) {
			n = gc_assist_scan(gc, work - done);
			scanned += n;
			done += n;
		}
		if (done < work) {
			n = gc_assist_wait(gc, work - done);
			waited += n;
			done += n;
		}
		/* A stop, or the end: nobody owes what there is not. */
		if (READ_ONCE(gc->world.stop) || READ_ONCE(gc->phase) != GC_MARK)
			break;
	}
	trace_gc_assist(gc->heap, bytes, taken, scanned, waited);
	m->credit = max_t(s64, m->credit + min_t(u64, gc_q_mul(per_work, done), S32_MAX), 0);
}
GOALLOC_EXPORT_KUNIT(gc_assist);
