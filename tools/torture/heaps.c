// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private heaps, made, used from every context and ended all the time.
 *
 * Each has a row of records that whoever takes one out with xchg() may work on.
 * A gate counts who is inside; the thread that ends the heap closes it when
 * nobody is, and then has the heap for itself: the ledger must add up to the
 * byte, and the statistics must count exactly the objects that the row holds.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "torture.h"

#define NR_HEAPS 3
#define HEAP_RECORDS 256
#define GATE_CLOSED (INT_MIN / 2)

/**
 * struct torture_heap - a private heap
 * @heap: the heap; changes only while the gate is closed
 * @gate: how many are inside; negative: closed
 * @nmi_frees: frees from NMI, which the statistics may not know of yet
 * @rec: records
 * @row: their places; NULL while somebody works on one
 * @task: thread that makes and ends it
 * @ctx: the thread's context
 */
struct torture_heap {
	struct goalloc_heap *heap;
	atomic_t gate;
	atomic_t nmi_frees;
	struct torture_obj rec[HEAP_RECORDS];
	struct torture_obj *row[HEAP_RECORDS];
	struct task_struct *task;
	struct torture_ctx *ctx;
};

static struct torture_heap *heaps;
atomic_t heaps_ended;
atomic_t heaps_forced;

static bool gate_enter(struct torture_heap *th)
{
	if (atomic_inc_return(&th->gate) > 0)
		return true;
	atomic_dec(&th->gate);
	return false;
}

static void gate_close(struct torture_heap *th)
{
	/* Those who try in vain come and go: count them out as well. */
	atomic_add(GATE_CLOSED, &th->gate);
	while (atomic_read(&th->gate) != GATE_CLOSED)
		usleep_range(50, 200);
	/* Whoever was inside is done with the rows: pairs with atomic_dec(). */
	smp_mb();
}

static void heaps_alloc(struct torture_ctx *ctx, struct torture_heap *th,
			struct torture_obj *o, gfp_t gfp)
{
	u64 key = (u64)torture_random(ctx) << 32 | torture_random(ctx);
	size_t size = obj_size(ctx);
	bool zero = torture_random(ctx) & 1;
	void *p;

	size = clamp_t(size_t, size, 1, 64 << 10);
	torture_count(ctx, COUNT_HEAP, 1);
	p = goalloc_heap_alloc(th->heap, size, zero ? gfp | __GFP_ZERO : gfp);
	if (!p) {
		torture_count(ctx, COUNT_FAILED, 1);
		return;
	}
	if (zero && memchr_inv(p, 0, size))
		torture_fail("an object of a private heap should be zero and is not",
			     p, size, 0);
	if (gosize(p) < size)
		torture_fail("gosize() is below what was requested of a private heap",
			     p, gosize(p), size);
	obj_fill(o, p, size, key);
}

static void heaps_free(struct torture_ctx *ctx, struct torture_heap *th,
		       struct torture_obj *o)
{
	void *p = o->p;

	obj_is_good(o);
	o->p = NULL;
	if (ctx->level == LEVEL_NMI)
		atomic_inc(&th->nmi_frees);
	goalloc_heap_free(th->heap, p);
	torture_count(ctx, COUNT_HEAP, 1);
}

/**
 * heaps_step - allocate or free an object of some private heap
 * @ctx: the context
 * @gfp: what it may do
 */
void heaps_step(struct torture_ctx *ctx, gfp_t gfp)
{
	struct torture_heap *th = &heaps[torture_below(ctx, NR_HEAPS)];
	struct torture_obj **place = &th->row[torture_below(ctx, HEAP_RECORDS)];
	struct torture_obj *o;

	if (!gate_enter(th))
		return;
	o = xchg(place, NULL);
	if (o) {
		if (o->p)
			heaps_free(ctx, th, o);
		else
			heaps_alloc(ctx, th, o, gfp);
		xchg(place, o);
	}
	/* Ordered: what was done inside is over. */
	smp_mb__before_atomic();
	atomic_dec(&th->gate);
}

static bool heaps_counted(struct torture_heap *th, const struct goalloc_stats *st, u64 live)
{
	return st->live_objects >= live &&
	       st->live_objects <= live + atomic_read(&th->nmi_frees);
}

/* The heap is quiet: everything must add up. */
static void heaps_verify(struct torture_heap *th)
{
	struct goalloc_stats st;
	u64 live = 0, sum;
	int i;

	for (i = 0; i < HEAP_RECORDS; i++) {
		if (!th->row[i])
			torture_fail("a record was lost", th, i, 0);
		else if (th->row[i]->p && obj_is_good(th->row[i]))
			live++;
	}
	/* One that leaves the quarantine meanwhile is for a moment in neither count. */
	for (i = 0; i < 5; i++) {
		sum = ledger_read(th->heap, &st);
		if (heaps_counted(th, &st, live))
			break;
		msleep(50);
	}
	if (goalloc_validate(th->heap) < 0)
		torture_fail("a private heap is not as it must be", th, 0, 0);
	if (sum != st.sys_bytes)
		torture_fail("the ledger of a private heap does not add up", th,
			     sum, st.sys_bytes);
	if (i == 5)
		torture_fail("a private heap has lost count of its objects", th,
			     st.live_objects, live);
	if (st.bad_frees)
		torture_fail("a private heap has refused a good free", th,
			     st.bad_frees, 0);
}

static void heaps_end(struct torture_heap *th, bool force)
{
	int i;

	heaps_verify(th);
	for (i = 0; i < HEAP_RECORDS; i++) {
		if (!th->rec[i].p)
			continue;
		if (force)
			th->rec[i].p = NULL;
		else
			heaps_free(th->ctx, th, &th->rec[i]);
	}
	if (goalloc_heap_destroy(th->heap, force))
		torture_fail("a private heap could not be ended", th, force, 0);
	th->heap = NULL;
	atomic_inc(&heaps_ended);
	if (force)
		atomic_inc(&heaps_forced);
}

static DEFINE_MUTEX(reclaim_lock);

static void heaps_alloc_once(struct torture_heap *th, size_t size, gfp_t gfp)
{
	void *p = goalloc_heap_alloc(th->heap, size, gfp | __GFP_NOWARN);

	goalloc_heap_free(th->heap, p);
}

/*
 * Allocate for the first time, which makes caches and all else, with a lock
 * held that reclaim takes as well, as file systems do. lockdep finds out if
 * anything below goalloc would enter the file system.
 */
static void heaps_probe_reclaim(struct torture_heap *th)
{
	unsigned int old;

	/* What reclaim does. */
	fs_reclaim_acquire(GFP_KERNEL);
	mutex_lock(&reclaim_lock);
	mutex_unlock(&reclaim_lock);
	fs_reclaim_release(GFP_KERNEL);

	mutex_lock(&reclaim_lock);
	if (torture_random(th->ctx) & 1) {
		heaps_alloc_once(th, 64, GFP_NOFS);
		heaps_alloc_once(th, 9000, GFP_NOIO);
	} else {
		old = torture_scope_begin(true);
		heaps_alloc_once(th, 64, GFP_KERNEL);
		heaps_alloc_once(th, 70000, GFP_KERNEL);
		torture_scope_end(true, old);
	}
	mutex_unlock(&reclaim_lock);
}

static int heaps_make(struct torture_heap *th)
{
	struct goalloc_heap_attr attr = {};
	char name[40];

#ifdef GOALLOC_HARDEN_ALL
	if (torture_below(th->ctx, 4) == 0)
		attr.harden = torture_random(th->ctx) & GOALLOC_HARDEN_ALL;
#endif
	if (torture_below(th->ctx, 4) == 0)
		attr.limit = (64UL + torture_below(th->ctx, 1024)) << 10;
	if (torture_below(th->ctx, 4) == 0)
		attr.gfp = __GFP_DMA32;
	snprintf(name, sizeof(name), "torture%u-%u", (unsigned int)(th - heaps),
		 torture_below(th->ctx, 100));
	th->heap = goalloc_heap_create(name, &attr);
	if (IS_ERR(th->heap)) {
		th->heap = NULL;
		return -ENOMEM;
	}
	atomic_set(&th->nmi_frees, 0);
	heaps_probe_reclaim(th);
	return 0;
}

static int heaps_thread(void *arg)
{
	struct torture_heap *th = arg;

	while (!kthread_should_stop()) {
		if (heaps_make(th)) {
			/* No memory at the moment, by our own doing. */
			msleep(20);
			continue;
		}
		atomic_sub(GATE_CLOSED, &th->gate);
		msleep(10 + torture_below(th->ctx, 100));
		upkeep_step(th->ctx, th->heap);
		msleep(torture_below(th->ctx, 100));
		gate_close(th);
		heaps_end(th, torture_random(th->ctx) & 1);
	}
	return 0;
}

/**
 * heaps_start - begin to make and end heaps
 *
 * Return: 0 or -ENOMEM.
 */
int heaps_start(void)
{
	struct torture_heap *th;
	int i;

	heaps = kvcalloc(NR_HEAPS, sizeof(*heaps), GFP_KERNEL);
	if (!heaps)
		return -ENOMEM;
	for (th = heaps; th < heaps + NR_HEAPS; th++) {
		atomic_set(&th->gate, GATE_CLOSED);
		for (i = 0; i < HEAP_RECORDS; i++)
			th->row[i] = &th->rec[i];
		th->ctx = torture_ctx_create(LEVEL_TASK, 0, 0);
		if (!th->ctx)
			return -ENOMEM;
	}
	for (th = heaps; th < heaps + NR_HEAPS; th++) {
		th->task = kthread_run(heaps_thread, th, "torture_heap/%td", th - heaps);
		if (IS_ERR(th->task)) {
			th->task = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * heaps_stop - end all private heaps
 *
 * The row stays, with closed gates, until nobody can come any more.
 */
void heaps_stop(void)
{
	struct torture_heap *th;

	if (!heaps)
		return;
	for (th = heaps; th < heaps + NR_HEAPS; th++)
		if (th->task)
			kthread_stop(th->task);
	kvfree(heaps);
	heaps = NULL;
}
