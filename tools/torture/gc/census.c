// SPDX-License-Identifier: GPL-2.0-only
/*
 * A census: when all mutators are out of a heap, and it has been collected until nothing
 * more dies, its graph is gone through from the roots in a way of the torture's own. All
 * that is found has to be sound, and it has to be exactly what the heap says there is:
 * less would be lost, more would be garbage that stays.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

#include "gc_torture.h"

/* More objects than there can be. */
#define CENSUS_MAX (512U << 10)

/* Collections in a row in which finalizers may still be called. */
#define SETTLE_TRIES 50

/* Somebody else may be collecting, who sweeps and finds nothing. */
#define COUNT_TRIES 50

/**
 * struct census - one that is going on
 * @h: the heap
 * @stack: cells still to be looked at: heads of their arrays
 * @nr: how many
 * @leaf: blocks of tiny objects, some of them more than once
 * @nr_leaf: how many
 * @epoch: what is noted in what was found
 * @cells: objects found that are cells or arrays of them
 * @blobs: blobs found
 * @waiting: cells whose finalizers are still to be called
 */
static struct census {
	struct heap *h;
	struct cell **stack;
	unsigned int nr;
	unsigned long *leaf;
	unsigned int nr_leaf;
	u64 epoch;
	u64 cells;
	u64 blobs;
	u64 waiting;
} census_now;

static DEFINE_MUTEX(census_lock); /* census_now */

int census_init(void)
{
	census_now.stack = vmalloc(array_size(CENSUS_MAX, sizeof(*census_now.stack)));
	census_now.leaf = vmalloc(array_size(CENSUS_MAX, sizeof(*census_now.leaf)));
	return census_now.stack && census_now.leaf ? 0 : -ENOMEM;
}

void census_exit(void)
{
	vfree(census_now.stack);
	vfree(census_now.leaf);
}

static void census_find(struct census *cs, struct cell *c)
{
	if (!c)
		return;
	c = cell_head(c);
	if (c->seen == cs->epoch)
		return;
	c->seen = cs->epoch;
	cs->cells++;
	if (cs->nr == CENSUS_MAX) {
		tg_problem("heap %td is larger than a census can count", cs->h - heaps);
		return;
	}
	cs->stack[cs->nr++] = c;
}

static void census_cell(struct census *cs, struct cell *c)
{
	unsigned int i;

	if (!cell_is_good(cs->h, c, "census"))
		return;
	for (i = 0; i < CELL_EDGES; i++)
		census_find(cs, c->edge[i]);
	if (c->blob && c->blob[BLOB_SEEN] != cs->epoch) {
		c->blob[BLOB_SEEN] = cs->epoch;
		cs->blobs++;
	}
	if (c->leaf && cs->nr_leaf < CENSUS_MAX)
		cs->leaf[cs->nr_leaf++] = (unsigned long)c->leaf / 16;
}

static int census_order(const void *a, const void *b)
{
	const unsigned long *l = a, *r = b;

	return *l < *r ? -1 : *l > *r;
}

/* Tiny objects share blocks, and each block is an object. */
static u64 census_leaves(struct census *cs)
{
	u64 blocks = 0;
	unsigned int i;

	sort(cs->leaf, cs->nr_leaf, sizeof(*cs->leaf), census_order, NULL);
	for (i = 0; i < cs->nr_leaf; i++)
		blocks += !i || cs->leaf[i] != cs->leaf[i - 1];
	return blocks;
}

/* What is reachable; the number of objects. */
static u64 census_trace(struct census *cs, struct goalloc_mutator *m)
{
	struct heap *h = cs->h;
	unsigned int i;

	cs->nr = 0;
	cs->nr_leaf = 0;
	cs->cells = 0;
	cs->blobs = 0;
	cs->waiting = 0;
	cs->epoch++;
	for (i = 0; i < ARRAY_SIZE(h->root); i++)
		census_find(cs, h->root[i]);
	for (i = 0; i < HEAP_HANDLES; i++)
		if (h->handle[i])
			census_find(cs, goalloc_handle_obj(m, h->handle[i]));
	while (cs->nr) {
		struct cell *c = cs->stack[--cs->nr];

		cs->waiting += c->finalizer && !atomic_read(&c->finalized);
		for (i = 0; i < c->nr; i++)
			census_cell(cs, &c[i]);
	}
	return cs->cells + cs->blobs + census_leaves(cs);
}

/* Nothing else is left, so a weak handle that leads somewhere leads to what was found. */
static void census_weaks(struct census *cs, struct goalloc_mutator *m)
{
	struct heap *h = cs->h;
	unsigned int i;

	for (i = 0; i < HEAP_WEAKS; i++) {
		struct heap_weak *w = &h->weak[i];
		struct cell *c = w->weak ? goalloc_weak_load(m, w->weak) : NULL;

		if (c && (w->gone || c->id != w->id || cell_head(c)->seen != cs->epoch))
			tg_problem("heap %td: only a weak handle leads to cell %llx at %p",
				   h - heaps, w->id, c);
	}
}

/**
 * heap_settle - collect until nothing more dies
 * @h: the heap
 *
 * Context: Process context, may sleep; the gate for writing.
 */
void heap_settle(struct heap *h)
{
	int tries = 0;
	s64 before;

	/* The first may have begun before the last mutator had left. */
	goalloc_gc(h->gc);
	do {
		before = atomic64_read(&h->finalized);
		goalloc_gc(h->gc);
		goalloc_gc_drain(h->gc);
	} while (atomic64_read(&h->finalized) != before && ++tries < SETTLE_TRIES);
	if (tries == SETTLE_TRIES)
		tg_problem("finalizers of heap %td come to no end", h - heaps);
}

static void census_stats(struct census *cs, u64 objects)
{
	struct heap *h = cs->h;
	struct goalloc_gc_stats st;
	int tries = 0;

	do {
		if (tries)
			msleep(20);
		goalloc_gc_get_stats(h->gc, &st);
	} while (st.live_objects != objects && ++tries < COUNT_TRIES);
	if (st.live_objects != objects)
		tg_problem("heap %td has %llu objects, %llu are reached: %llu cells, %llu blobs",
			   h - heaps, st.live_objects, objects, cs->cells, cs->blobs);
	if (atomic64_read(&h->made) - atomic64_read(&h->finalized) != cs->waiting)
		tg_problem("heap %td: %lld finalizers, %lld were called, %llu are left",
			   h - heaps, atomic64_read(&h->made), atomic64_read(&h->finalized),
			   cs->waiting);
	if (st.finalized != atomic64_read(&h->finalized))
		tg_problem("heap %td says it called %llu finalizers of %lld", h - heaps,
			   st.finalized, atomic64_read(&h->finalized));
	if (st.bad_pointers)
		tg_problem("heap %td has found %llu bad pointers", h - heaps, st.bad_pointers);
	if (goalloc_validate(goalloc_gc_heap(h->gc)) < 0)
		tg_problem("heap %td is not as it must be", h - heaps);
}

/**
 * census - count what lives in a heap in two ways
 * @h: the heap
 *
 * Context: Process context, may sleep; the gate for writing.
 * Return: how many objects live in it.
 */
u64 census(struct heap *h)
{
	struct census *cs = &census_now;
	struct goalloc_mutator m;
	u64 objects;

	mutex_lock(&census_lock);
	cs->h = h;
	heap_settle(h);
	goalloc_enter(h->gc, &m);
	objects = census_trace(cs, &m);
	census_weaks(cs, &m);
	goalloc_exit(&m);
	census_stats(cs, objects);
	mutex_unlock(&census_lock);
	tg_count(COUNT_CENSUS);
	this_cpu_add(tg_counts[COUNT_COUNTED], objects);
	return objects;
}
