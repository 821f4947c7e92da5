// SPDX-License-Identifier: GPL-2.0-only
/*
 * What mutators do to a graph: build, cut, move, share, and look at what they find.
 */
#include <linux/jiffies.h>

#include "gc_torture.h"

/* Pointers that a mutator has in a frame from step to step. */
#define KEPT 8

/* Steps of a section at least, however slow the kernel is. */
#define SECTION_STEPS 50

/* How deep frames are nested. */
#define GROW_DEPTH 6

/**
 * struct kept - what a mutator has in its frame
 * @cell: the cells
 * @id: their numbers, which nobody else has
 */
struct kept {
	struct cell *cell[KEPT];
	u64 id[KEPT];
};

static struct cell *graph_root(struct heap *h, unsigned int i)
{
	struct cell *c;

	spin_lock(&h->root_lock);
	c = h->root[i];
	spin_unlock(&h->root_lock);
	return c;
}

/**
 * graph_set_root - let a root lead to a cell
 * @h: the heap
 * @m: the mutator
 * @i: which root
 * @to: the cell, or NULL
 *
 * Context: In the mutator's section.
 */
void graph_set_root(struct heap *h, struct goalloc_mutator *m, unsigned int i,
		    struct cell *to)
{
	spin_lock(&h->root_lock);
	goalloc_store(m, &h->root[i], to);
	spin_unlock(&h->root_lock);
}

/**
 * graph_save - let a root lead to a cell whose finalizer is called
 * @h: the heap
 * @m: the finalizer's mutator
 * @i: which root
 * @c: the cell
 *
 * Context: In the mutator's section.
 * Return: false if the heap is about to end.
 */
bool graph_save(struct heap *h, struct goalloc_mutator *m, unsigned int i, struct cell *c)
{
	bool closed;

	spin_lock(&h->root_lock);
	closed = h->closed;
	if (!closed)
		goalloc_store(m, &h->root[i], c);
	spin_unlock(&h->root_lock);
	return !closed;
}

/**
 * graph_walk - go some steps from a root, or from what a handle keeps, and look around
 * @h: the heap
 * @rnd: random numbers
 *
 * Context: In a mutator's section.
 * Return: a cell, or NULL.
 */
struct cell *graph_walk(struct heap *h, struct rnd_state *rnd)
{
	struct cell *c = graph_root(h, below(rnd, HEAP_ROOTS)), *next;
	unsigned int steps = below(rnd, 12);

	while (c && steps--) {
		/* To another element of an array now and then. */
		if (c->nr > 1)
			c = cell_head(c) + below(rnd, c->nr);
		if (!cell_is_good(h, c, "walk"))
			return NULL;
		spin_lock(cell_lock(h, c));
		next = c->edge[below(rnd, CELL_EDGES)];
		spin_unlock(cell_lock(h, c));
		if (!next)
			break;
		c = next;
	}
	return c;
}

/* A new part of the graph, on top of what is there. */
static void graph_build(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd)
{
	unsigned int nr = 1 + below(rnd, 20);
	struct cell *top = graph_walk(h, rnd), *c;

	while (nr--) {
		c = cell_new(h, m, rnd);
		if (!c)
			break;
		c += below(rnd, c->nr);
		cell_set_edge(h, m, c, 0, top);
		cell_set_edge(h, m, c, 1, graph_walk(h, rnd));
		top = c;
		/* Half of it garbage at once. */
		if (!below(rnd, 4)) {
			u64 *blob = blob_new(h, m, rnd);

			if (below(rnd, 2))
				cell_set_blob(h, m, c, blob);
		}
		if (!below(rnd, 4))
			cell_new_leaf(h, m, rnd, c);
	}
	graph_set_root(h, m, below(rnd, HEAP_ROOTS), top);
}

/* A tree that only the frames of those who build it lead to until it is done. */
static struct cell *graph_grow(struct heap *h, struct goalloc_mutator *m,
			       struct rnd_state *rnd, unsigned int depth)
{
	struct cell *c = NULL, *child = NULL;
	unsigned int i;
	u64 id;

	GOALLOC_FRAME(frame, &c, &child);

	c = cell_new(h, m, rnd);
	if (!c)
		return NULL;
	id = c->id;
	goalloc_push(m, &frame);
	for (i = 0; i < 2 && depth; i++) {
		child = graph_grow(h, m, rnd, below(rnd, depth));
		goalloc_safepoint(m);
		cell_set_edge(h, m, c, i, child);
	}
	goalloc_pop(m, &frame);
	if (c->id != id)
		tg_problem("cell %p of heap %td was in a frame and has gone", c, h - heaps);
	return c;
}

/* Out of the graph: from here on perhaps only the caller's frame leads there. */
static struct cell *graph_take(struct heap *h, struct goalloc_mutator *m,
			       struct rnd_state *rnd)
{
	struct cell *c;

	if (below(rnd, 2))
		return shelf_take(h, m, rnd);
	c = graph_walk(h, rnd);
	return c ? cell_take_edge(h, m, c, below(rnd, CELL_EDGES)) : NULL;
}

/* Into the graph again, from the frame, and something else into the frame. */
static void graph_keep(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd,
		       struct kept *kept, struct cell *next)
{
	unsigned int k = below(rnd, KEPT);
	struct cell *c = kept->cell[k], *to;

	if (c) {
		if (c->id != kept->id[k])
			tg_problem("cell %p of heap %td is number %llx and was %llx in a frame",
				   c, h - heaps, c->id, kept->id[k]);
		cell_is_good(h, c, "frame");
	}
	to = graph_walk(h, rnd);
	if (c && below(rnd, 2))
		shelf_put(h, m, rnd, c);
	else if (to && below(rnd, 2))
		cell_set_edge(h, m, to, below(rnd, CELL_EDGES), c);
	else
		graph_set_root(h, m, below(rnd, HEAP_ROOTS), c);
	kept->cell[k] = next;
	kept->id[k] = next ? next->id : 0;
}

/* From one cell to another, with nothing but a register in between. */
static void graph_move(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd)
{
	struct cell *from = graph_walk(h, rnd), *to = graph_walk(h, rnd);
	struct cell *c;

	if (!from || !to)
		return;
	switch (below(rnd, 4)) {
	case 0:
		cell_set_blob(h, m, to, cell_take_blob(h, m, from));
		break;
	case 1:
		cell_move_leaf(h, m, from, to);
		break;
	default:
		c = cell_take_edge(h, m, from, below(rnd, CELL_EDGES));
		cell_set_edge(h, m, to, below(rnd, CELL_EDGES), c);
		break;
	}
}

static void graph_step(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd,
		       struct kept *kept, bool grow)
{
	struct cell *c;

	switch (below(rnd, 16)) {
	case 0:
	case 1:
		if (grow)
			graph_build(h, m, rnd);
		else
			graph_set_root(h, m, below(rnd, HEAP_ROOTS), NULL);
		break;
	case 2: /* cut */
		c = graph_walk(h, rnd);
		if (c)
			cell_set_edge(h, m, c, below(rnd, CELL_EDGES), NULL);
		break;
	case 3: /* share, and make circles */
	case 4:
		c = graph_walk(h, rnd);
		if (c)
			cell_set_edge(h, m, c, below(rnd, CELL_EDGES), graph_walk(h, rnd));
		break;
	case 5:
	case 6:
		graph_keep(h, m, rnd, kept, graph_take(h, m, rnd));
		break;
	case 7:
		graph_move(h, m, rnd);
		break;
	case 8: /* a whole part goes */
		graph_set_root(h, m, below(rnd, HEAP_ROOTS), NULL);
		break;
	case 9:
	case 10:
		shelf_step(h, m, rnd, grow);
		break;
	case 11:
		if (grow && !below(rnd, 4))
			graph_set_root(h, m, below(rnd, HEAP_ROOTS),
				       graph_grow(h, m, rnd, GROW_DEPTH));
		break;
	case 12:
	case 13:
		c = weak_step(h, m, rnd);
		if (c && below(rnd, 2))
			graph_keep(h, m, rnd, kept, c);
		break;
	case 14:
		handle_step(h, m, rnd);
		break;
	default:
		graph_walk(h, rnd);
		break;
	}
}

/**
 * graph_section - change a heap's graph for a while
 * @h: the heap
 * @rnd: random numbers
 * @ms: how long, in milliseconds; some steps at least
 *
 * Context: Process context, may sleep; the heap's gate held.
 */
void graph_section(struct heap *h, struct rnd_state *rnd, unsigned int ms)
{
	struct goalloc_gc_stats st;
	struct goalloc_mutator m;
	struct kept kept = {};
	unsigned int n = 0;
	unsigned long end;
	bool grow;

	GOALLOC_FRAME(frame, &kept.cell[0], &kept.cell[1], &kept.cell[2], &kept.cell[3],
		      &kept.cell[4], &kept.cell[5], &kept.cell[6], &kept.cell[7]);

	goalloc_gc_get_stats(h->gc, &st);
	grow = st.heap_marked < h->max_bytes;
	/* Roots go one by one, but what is found is let grow again only then. */
	goalloc_enter(h->gc, &m);
	goalloc_push(&m, &frame);
	end = jiffies + msecs_to_jiffies(ms);
	do {
		graph_step(h, &m, rnd, &kept, grow);
		/* Part of it is reachable through the frame alone by now. */
		goalloc_safepoint(&m);
		tg_count(COUNT_STEP);
	} while ((++n < SECTION_STEPS || time_before(jiffies, end)) && !READ_ONCE(tg_stop));
	goalloc_pop(&m, &frame);
	goalloc_exit(&m);
}
