// SPDX-License-Identifier: GPL-2.0-only
/*
 * Things that wait for an RCU grace period in company.
 *
 * A grace period per thing would be one callback per thing. Here whatever has come
 * while one grace period lasts waits for the next one together, so there is never
 * more than one asked for per batch, and what it frees is freed in one go, by a
 * work item that may sleep.
 *
 * Locks: none.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "rcu_batch.h"

/* It may be what gives memory back when there is none. */
static struct workqueue_struct *rcu_batch_wq;

/* Ask for a grace period; @busy is ours. */
static void rcu_batch_begin(struct rcu_batch *batch)
{
	batch->waiting = llist_del_all(&batch->fresh);
	queue_rcu_work(rcu_batch_wq, &batch->work);
}

static void rcu_batch_over(struct work_struct *work)
{
	struct rcu_batch *batch = container_of(to_rcu_work(work), struct rcu_batch, work);

	batch->end(batch->waiting);
	if (!llist_empty(&batch->fresh)) {
		rcu_batch_begin(batch);
		return;
	}
	atomic_set(&batch->busy, 0);
	/* Whoever came meanwhile saw @busy or is seen here; pairs with rcu_batch_add(). */
	smp_mb();
	if (!llist_empty(&batch->fresh) && !atomic_xchg(&batch->busy, 1))
		rcu_batch_begin(batch);
}

/**
 * rcu_batch_init - make an empty batch
 * @batch: what to fill in
 * @end: what to do with a list of things whose grace period is over
 *
 * Context: Any.
 */
void rcu_batch_init(struct rcu_batch *batch, void (*end)(struct llist_node *list))
{
	init_llist_head(&batch->fresh);
	batch->waiting = NULL;
	batch->end = end;
	atomic_set(&batch->busy, 0);
	INIT_RCU_WORK(&batch->work, rcu_batch_over);
}

/**
 * rcu_batch_add - let a thing wait for a grace period
 * @batch: the batch
 * @node: the thing, in no other list
 *
 * Context: Any but NMI.
 */
void rcu_batch_add(struct rcu_batch *batch, struct llist_node *node)
{
	llist_add(node, &batch->fresh);
	/* The cmpxchg() in there orders; pairs with rcu_batch_over(). */
	if (!atomic_read(&batch->busy) && !atomic_xchg(&batch->busy, 1))
		rcu_batch_begin(batch);
}

/**
 * rcu_batch_wait - wait until nothing of a batch waits any more
 * @batch: the batch, to which nothing is added meanwhile
 *
 * Context: Process context, may sleep; not in a work item of a batch.
 */
void rcu_batch_wait(struct rcu_batch *batch)
{
	while (atomic_read(&batch->busy)) {
		/* Between taking @busy and asking there is nothing to flush. */
		if (!flush_rcu_work(&batch->work))
			schedule_timeout_uninterruptible(1);
	}
	/* What the work did comes before what the caller does. */
	smp_mb();
}

/**
 * rcu_batch_setup - make what all batches need
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int rcu_batch_setup(void)
{
	rcu_batch_wq = alloc_workqueue("goalloc_rcu", WQ_MEM_RECLAIM, 0);
	return rcu_batch_wq ? 0 : -ENOMEM;
}

/**
 * rcu_batch_teardown - the end; every batch is empty
 *
 * Context: Process context, may sleep.
 */
void rcu_batch_teardown(void)
{
	destroy_workqueue(rcu_batch_wq);
}
