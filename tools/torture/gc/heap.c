// SPDX-License-Identifier: GPL-2.0-only
/*
 * The heaps: how each is made, emptied and ended.
 */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "gc_torture.h"

/* So often what finalizers have saved is dropped before it is too much. */
#define EMPTY_TRIES 20

/* And so often one of the heaps that stay is made, if it fails. */
#define MAKE_TRIES 20

struct heap heaps[NR_HEAPS];

static const struct {
	const char *name;
	struct goalloc_gc_attr attr;
	size_t max_bytes;
} staying[NR_STAYING] = {
	{ "default", {}, SZ_4M },
	{ "verify", { .percent = 20, .flags = GOALLOC_GC_VERIFY }, SZ_2M },
	{ "limit", { .percent = 50, .limit = SZ_4M }, SZ_1G },
	{ "soft", { .soft_limit = SZ_8M, .flags = GOALLOC_GC_ORIGINS }, SZ_2M },
	{ "stopped", { .percent = 30, .flags = GOALLOC_GC_STOP_THE_WORLD }, SZ_2M },
};

/**
 * heaps_init - before anything else
 */
void heaps_init(void)
{
	unsigned int n, i;

	for (n = 0; n < NR_HEAPS; n++) {
		init_rwsem(&heaps[n].gate);
		spin_lock_init(&heaps[n].root_lock);
		for (i = 0; i < HEAP_LOCKS; i++)
			spin_lock_init(&heaps[n].lock[i]);
	}
}

/**
 * heap_make - make a heap
 * @h: which
 * @name: its name
 * @attr: how
 *
 * Context: Process context, the gate for writing.
 * Return: 0 or an error, when there is no memory.
 */
int heap_make(struct heap *h, const char *name, const struct goalloc_gc_attr *attr)
{
	struct goalloc_gc *gc = goalloc_gc_create(name, attr);

	if (IS_ERR(gc)) {
		if (PTR_ERR(gc) != -ENOMEM)
			tg_problem("heap %s cannot be made: %pe", name, gc);
		return PTR_ERR(gc);
	}
	h->limited = attr->limit;
	h->closed = false;
	/* Of one piece, or of two. */
	h->shelf_size = (h->limited ? SZ_32K : SZ_128K) / sizeof(struct cell) + 100;
	atomic64_set(&h->made, 0);
	atomic64_set(&h->finalized, 0);
	goalloc_root_add(gc, &h->in_roots, h->root, ARRAY_SIZE(h->root));
	h->gc = gc;
	return 0;
}

/**
 * heap_clear - let nothing lead into a heap
 * @h: the heap
 *
 * Context: Process context, may sleep; the gate for writing.
 */
void heap_clear(struct heap *h)
{
	struct goalloc_mutator m;
	unsigned int i;

	spin_lock(&h->root_lock);
	h->closed = true;
	spin_unlock(&h->root_lock);
	goalloc_enter(h->gc, &m);
	handles_put(h, &m);
	for (i = 0; i < ARRAY_SIZE(h->root); i++)
		graph_set_root(h, &m, i, NULL);
	goalloc_exit(&m);
}

/**
 * heap_end - end a heap, whatever it is doing
 * @h: the heap, into which nothing leads
 *
 * Context: Process context, may sleep; the gate for writing.
 */
void heap_end(struct heap *h)
{
	int err;

	err = goalloc_gc_destroy(h->gc);
	if (err)
		tg_problem("heap %td cannot be ended: %pe", h - heaps, ERR_PTR(err));
	if (atomic64_read(&h->finalized) > atomic64_read(&h->made))
		tg_problem("heap %td: %lld finalizers called for %lld objects", h - heaps,
			   atomic64_read(&h->finalized), atomic64_read(&h->made));
	h->gc = NULL;
}

/**
 * heaps_start - make those that stay
 *
 * Return: 0 or an error.
 */
int heaps_start(void)
{
	unsigned int i;
	int tries, err;

	for (i = 0; i < NR_STAYING; i++) {
		/* Allocations may be failing on purpose already. */
		for (tries = 0; tries < MAKE_TRIES; tries++) {
			err = heap_make(&heaps[i], staying[i].name, &staying[i].attr);
			if (!err)
				break;
		}
		if (err)
			return err;
		heaps[i].max_bytes = staying[i].max_bytes;
	}
	return 0;
}

/* With nothing that leads into it nothing may be left, and each finalizer was called. */
static void heap_empty(struct heap *h)
{
	struct goalloc_gc_stats st;
	int tries = 0;
	u64 left;

	do {
		heap_clear(h);
		left = census(h);
	} while (left && ++tries < EMPTY_TRIES);
	goalloc_gc_get_stats(h->gc, &st);
	pr_info("heap %td: %llu collections (%llu forced), %llu objects, %llu tiny, %llu finalized, longest stop %llu us, assists %llu ms\n",
		h - heaps, st.cycles, st.forced, st.allocs, st.tiny_allocs, st.finalized,
		st.stop_ns / NSEC_PER_USEC, st.assist_ns / NSEC_PER_MSEC);
	if (left)
		tg_problem("heap %td: %llu objects are left though nothing leads to them",
			   h - heaps, left);
	if (atomic64_read(&h->made) != atomic64_read(&h->finalized))
		tg_problem("heap %td: %lld of %lld objects were finalized", h - heaps,
			   atomic64_read(&h->finalized), atomic64_read(&h->made));
	this_cpu_add(tg_counts[COUNT_BY_ITSELF], st.cycles - st.forced);
}

/**
 * heaps_end - count, empty and end those that stay
 *
 * Context: Process context, may sleep; nobody else uses them.
 */
void heaps_end(void)
{
	unsigned int i;

	for (i = 0; i < NR_HEAPS; i++) {
		struct heap *h = &heaps[i];

		if (!h->gc)
			continue;
		down_write(&h->gate);
		census(h);
		heap_empty(h);
		goalloc_root_remove(h->gc, &h->in_roots);
		heap_end(h);
		up_write(&h->gate);
	}
}
