/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Things that wait for an RCU grace period in company.
 */
#ifndef GOALLOC_RCU_BATCH_H
#define GOALLOC_RCU_BATCH_H

#include <linux/atomic.h>
#include <linux/llist.h>
#include <linux/workqueue.h>

/**
 * struct rcu_batch - things that wait for a grace period
 * @fresh: those that have come since the last grace period was asked for; no lock
 * @waiting: those that wait for it, the last one first; whoever has @busy
 * @work: runs when it is over
 * @busy: 1 from when a grace period is asked for until nothing is left; who changes
 *        it from 0 to 1 asks
 * @end: called for @waiting in process context, and may sleep
 */
struct rcu_batch {
	struct llist_head fresh;
	struct llist_node *waiting;
	struct rcu_work work;
	atomic_t busy;
	void (*end)(struct llist_node *list);
};

int rcu_batch_setup(void);
void rcu_batch_teardown(void);
void rcu_batch_init(struct rcu_batch *batch, void (*end)(struct llist_node *list));
void rcu_batch_add(struct rcu_batch *batch, struct llist_node *node);
void rcu_batch_wait(struct rcu_batch *batch);

#endif /* GOALLOC_RCU_BATCH_H */
