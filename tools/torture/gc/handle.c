// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handles and weak handles of cells, which all mutators share.
 *
 * A weak handle leads to its cell or nowhere, and once nowhere, for ever. What it leads
 * to is as good as any other cell, however close to its end marking was.
 */
#include <linux/gfp.h>

#include "gc_torture.h"

/* Does a weak handle lead where it has to? Returns the cell. */
static struct cell *weak_load(struct heap *h, struct goalloc_mutator *m, struct heap_weak *w,
			      u64 *id)
{
	struct cell *c = NULL;

	spin_lock(&h->root_lock);
	*id = w->id;
	if (w->weak) {
		c = goalloc_weak_load(m, w->weak);
		if (c && w->gone)
			tg_problem("heap %td: a weak handle led nowhere, now to cell %llx at %p",
				   h - heaps, w->id, c);
		if (!c && !w->gone) {
			w->gone = true;
			tg_count(COUNT_WEAK_GONE);
		}
	}
	spin_unlock(&h->root_lock);
	return c;
}

static struct cell *weak_look(struct heap *h, struct goalloc_mutator *m,
			      struct rnd_state *rnd)
{
	struct heap_weak *w = &h->weak[below(rnd, HEAP_WEAKS)];
	unsigned int n = below(rnd, 4);
	struct cell *c = NULL;
	u64 id;

	GOALLOC_FRAME(frame, &c);

	c = weak_load(h, m, w, &id);
	if (!c)
		return NULL;
	tg_count(COUNT_WEAK_LOADED);
	goalloc_push(m, &frame);
	do {
		if (c->id != id)
			tg_problem("a weak handle of heap %td leads to cell %llx and not to %llx",
				   h - heaps, c->id, id);
		cell_is_good(h, c, "weak handle");
		goalloc_safepoint(m);
	} while (n--);
	if (!below(rnd, 4))
		shelf_put(h, m, rnd, c);
	goalloc_pop(m, &frame);
	return c;
}

static void weak_renew(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd)
{
	struct heap_weak *w = &h->weak[below(rnd, HEAP_WEAKS)];
	struct goalloc_weak *weak = NULL;
	struct cell *c;

	/* Every other one leads to what nothing else does. */
	c = below(rnd, 2) ? graph_walk(h, rnd) : cell_new(h, m, rnd);
	if (c)
		weak = goalloc_weak_new(m, c, GFP_KERNEL | __GFP_NOWARN);
	spin_lock(&h->root_lock);
	swap(w->weak, weak);
	w->id = c ? c->id : 0;
	w->gone = false;
	spin_unlock(&h->root_lock);
	goalloc_weak_put(m, weak);
}

/**
 * weak_step - use some weak handle, or make another
 * @h: the heap
 * @m: the mutator
 * @rnd: random numbers
 *
 * Context: In the mutator's section. A safe point.
 * Return: where it led to, perhaps nothing else does; or NULL.
 */
struct cell *weak_step(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd)
{
	if (below(rnd, 3))
		return weak_look(h, m, rnd);
	weak_renew(h, m, rnd);
	return NULL;
}

static void handle_look(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd)
{
	struct goalloc_handle *handle;
	struct cell *c;

	spin_lock(&h->root_lock);
	handle = h->handle[below(rnd, HEAP_HANDLES)];
	if (handle)
		goalloc_handle_get(handle);
	spin_unlock(&h->root_lock);
	if (!handle)
		return;
	/* Nothing else keeps it. */
	goalloc_safepoint(m);
	c = goalloc_handle_obj(m, handle);
	goalloc_handle_put(m, handle);
	if (!cell_is_good(h, c, "handle"))
		return;
	if (below(rnd, 2))
		graph_set_root(h, m, below(rnd, HEAP_ROOTS), c);
	else
		cell_set_edge(h, m, c, below(rnd, CELL_EDGES), graph_walk(h, rnd));
}

static void handle_renew(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd)
{
	struct goalloc_handle **place = &h->handle[below(rnd, HEAP_HANDLES)];
	struct goalloc_handle *handle = NULL;
	struct cell *c = graph_walk(h, rnd);

	if (c)
		handle = goalloc_handle_new(m, c, GFP_KERNEL | __GFP_NOWARN);
	spin_lock(&h->root_lock);
	swap(*place, handle);
	spin_unlock(&h->root_lock);
	goalloc_handle_put(m, handle);
}

/**
 * handle_step - use some handle, or make another
 * @h: the heap
 * @m: the mutator
 * @rnd: random numbers
 *
 * Context: In the mutator's section. A safe point.
 */
void handle_step(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd)
{
	tg_count(COUNT_HANDLE);
	if (below(rnd, 2))
		handle_look(h, m, rnd);
	else
		handle_renew(h, m, rnd);
}

/**
 * handles_put - give all handles back
 * @h: the heap
 * @m: a mutator
 *
 * Context: In the mutator's section; the gate for writing.
 */
void handles_put(struct heap *h, struct goalloc_mutator *m)
{
	unsigned int i;

	for (i = 0; i < HEAP_HANDLES; i++) {
		goalloc_handle_put(m, h->handle[i]);
		h->handle[i] = NULL;
	}
	for (i = 0; i < HEAP_WEAKS; i++) {
		goalloc_weak_put(m, h->weak[i].weak);
		h->weak[i] = (struct heap_weak){};
	}
}
