// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees that wait for an RCU grace period.
 *
 * Objects wait in a list per CPU that is made of their own rcu_heads, so nothing
 * is allocated and none can fail. What one CPU has freed while a grace period
 * lasted is freed by one work item, on that CPU as a rule, into whose caches it
 * goes in handfuls.
 *
 * A second free of an object that still waits would close the list to a ring. The
 * head of one that waits names it, with some bits turned over that nobody else
 * knows, until just before it is freed; whoever comes with such a head is refused.
 *
 * An object without a rcu_head waits in a carrier, or if there is no memory for
 * one, its owner waits.
 */
/* The functions themselves are here. */
#define GOALLOC_NO_HOOKS

#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "api.h"
#include "compat.h"
#include "rcu_batch.h"
#include "rcu_free.h"

/* How many objects are handed to gofree_bulk() at once. */
#define RCU_FREE_HANDFUL 32

/**
 * struct rcu_carrier - what stands in for the rcu_head that an object has not got
 * @head: waits; its function is NULL
 * @p: the object
 */
struct rcu_carrier {
	struct rcu_head head;
	const void *p;
};

static DEFINE_PER_CPU(struct rcu_batch, rcu_free_batch);

/* What the head of a waiting object is told from any other by. */
static unsigned long rcu_free_secret;

/* Objects on their way, carried ones included. */
static atomic64_t rcu_free_count;

static void *rcu_free_name(const void *p)
{
	return (void *)((unsigned long)p ^ rcu_free_secret);
}

/* Free a few; the default heap's together. */
static void rcu_free_handful(void **p, unsigned int nr)
{
	unsigned int i, plain = 0;

	for (i = 0; i < nr; i++) {
		if (api_heap_of(p[i]) == goalloc_default)
			p[plain++] = p[i];
		else
			api_free_any(p[i], _RET_IP_);
	}
	gofree_bulk(plain, p);
	atomic64_sub(nr, &rcu_free_count);
}

static void rcu_free_all(struct llist_node *list)
{
	void *p[RCU_FREE_HANDFUL];
	struct rcu_head *head;
	unsigned int nr = 0;

	while (list) {
		head = (struct rcu_head *)list;
		list = list->next;
		if (head->func) {
			p[nr++] = rcu_free_name(head->func);
			/* So that the next object there may be freed. */
			head->func = NULL;
		} else {
			p[nr++] = (void *)container_of(head, struct rcu_carrier, head)->p;
			gofree(head);
		}
		if (nr == RCU_FREE_HANDFUL) {
			rcu_free_handful(p, nr);
			nr = 0;
			cond_resched();
		}
	}
	rcu_free_handful(p, nr);
}

static void rcu_free_enter(struct rcu_head *head)
{
	/* A rcu_head begins with the link. */
	BUILD_BUG_ON(offsetof(struct rcu_head, next) ||
		     sizeof(head->next) != sizeof(struct llist_node));
	atomic64_inc(&rcu_free_count);
	rcu_batch_add(raw_cpu_ptr(&rcu_free_batch), (struct llist_node *)head);
}

/* Is there nothing to free, or nothing that may be? The second is refused. */
static bool rcu_free_idle(const void *p, unsigned long caller)
{
	if (ZERO_OR_NULL_PTR(p))
		return true;
	/* What is not live is not to be written to. */
	if (likely(api_size(NULL, p)))
		return false;
	cache_refuse(api_heap_of(p) ?: goalloc_default, p, caller);
	return true;
}

/**
 * rcu_free - free an object after a grace period
 * @head: a rcu_head inside it
 * @p: the object, of any heap
 * @caller: call site, for reports
 *
 * Context: Any but NMI.
 */
void rcu_free(struct rcu_head *head, const void *p, unsigned long caller)
{
	void *name = rcu_free_name(p);

	if (rcu_free_idle(p, caller))
		return;
	if (unlikely(READ_ONCE(head->func) == name)) {
		report_bad_rcu(api_heap_of(p), p, caller);
		return;
	}
	WRITE_ONCE(head->func, name);
	rcu_free_enter(head);
}

/**
 * rcu_free_mightsleep - free an object that has no rcu_head after a grace period
 * @p: the object, of any heap
 * @caller: call site, for reports
 *
 * Context: Process context, may sleep.
 */
void rcu_free_mightsleep(const void *p, unsigned long caller)
{
	struct rcu_carrier *carrier;

	might_sleep();
	if (rcu_free_idle(p, caller))
		return;
	carrier = goalloc(sizeof(*carrier), GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (!carrier) {
		synchronize_rcu();
		api_free_any(p, caller);
		return;
	}
	carrier->head.func = NULL;
	carrier->p = p;
	rcu_free_enter(&carrier->head);
}

/**
 * rcu_free_waiting - how many objects wait for a grace period
 *
 * Context: Any.
 * Return: their number, of a moment ago.
 */
u64 rcu_free_waiting(void)
{
	return atomic64_read(&rcu_free_count);
}
GOALLOC_EXPORT_KUNIT(rcu_free_waiting);

/* See <goalloc.h> for these. */
void goalloc_free_rcu(struct rcu_head *head, const void *p)
{
	rcu_free(head, p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_free_rcu);

void gofree_rcu_mightsleep(const void *p)
{
	rcu_free_mightsleep(p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gofree_rcu_mightsleep);

void gofree_bulk_rcu_mightsleep(size_t nr, void **p)
{
	might_sleep();
	if (!nr)
		return;
	synchronize_rcu();
	gofree_bulk(nr, p);
}
EXPORT_SYMBOL_GPL(gofree_bulk_rcu_mightsleep);

void goalloc_rcu_barrier(void)
{
	int cpu;

	might_sleep();
	for_each_possible_cpu(cpu)
		rcu_batch_wait(per_cpu_ptr(&rcu_free_batch, cpu));
}
EXPORT_SYMBOL_GPL(goalloc_rcu_barrier);

/**
 * rcu_free_init - make ready for frees that wait
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int rcu_free_init(void)
{
	int cpu;

	/* The lowest bit keeps it from being NULL for any object. */
	rcu_free_secret = get_random_long() | 1;
	for_each_possible_cpu(cpu)
		rcu_batch_init(per_cpu_ptr(&rcu_free_batch, cpu), rcu_free_all);
	return rcu_batch_setup();
}

/**
 * rcu_free_exit - free what waits; the module goes
 *
 * Context: Process context, may sleep; nobody frees anything any more.
 */
void rcu_free_exit(void)
{
	goalloc_rcu_barrier();
	rcu_batch_teardown();
}
