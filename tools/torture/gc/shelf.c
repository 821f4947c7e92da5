// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shelves: arrays whose elements lead to cells that little else leads to, and which
 * change places all the time.
 *
 * It takes a while to mark a shelf from one end to the other. What is moved meanwhile from
 * where marking has not been to where it has been is found by it nowhere: only the write
 * barrier tells of it. So this is where a pointer that was not told is missed first.
 */
#include <linux/gfp.h>

#include "gc_torture.h"

/* Places that are exchanged in a step. */
#define SHELF_MOVES 16

/* A place on some shelf: an element, of which any edge will do. */
static struct cell *shelf_place(struct heap *h, struct goalloc_mutator *m,
				struct rnd_state *rnd)
{
	unsigned int i = HEAP_ROOTS + below(rnd, HEAP_SHELVES);
	struct cell *shelf, *fresh;

	spin_lock(&h->root_lock);
	shelf = h->root[i];
	spin_unlock(&h->root_lock);
	if (!shelf) {
		fresh = cell_array(h, m, h->shelf_size, NULL, GFP_KERNEL | __GFP_NOWARN);
		if (!fresh)
			return NULL;
		spin_lock(&h->root_lock);
		shelf = h->root[i];
		if (!shelf) {
			shelf = fresh;
			goalloc_store(m, &h->root[i], shelf);
		}
		spin_unlock(&h->root_lock);
	}
	return &shelf[below(rnd, shelf->nr)];
}

/* Exchange what two places lead to; for a moment nothing does. */
static void shelf_move(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd)
{
	struct cell *a = shelf_place(h, m, rnd), *b = shelf_place(h, m, rnd);
	unsigned int i = below(rnd, CELL_EDGES), k = below(rnd, CELL_EDGES);
	struct cell *from_a, *from_b;

	if (!a || !b)
		return;
	from_a = cell_take_edge(h, m, a, i);
	from_b = cell_take_edge(h, m, b, k);
	if (from_a)
		cell_is_good(h, from_a, "shelf");
	if (from_b)
		cell_is_good(h, from_b, "shelf");
	cell_set_edge(h, m, a, i, from_b);
	cell_set_edge(h, m, b, k, from_a);
	tg_count(COUNT_SHELVED);
}

/**
 * shelf_take - take a cell off a shelf
 * @h: the heap
 * @m: the mutator
 * @rnd: random numbers
 *
 * Context: In the mutator's section.
 * Return: the cell, or NULL: from here on most likely only the caller knows it.
 */
struct cell *shelf_take(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd)
{
	struct cell *place = shelf_place(h, m, rnd);

	return place ? cell_take_edge(h, m, place, below(rnd, CELL_EDGES)) : NULL;
}

/**
 * shelf_put - put a cell on a shelf
 * @h: the heap
 * @m: the mutator
 * @rnd: random numbers
 * @c: the cell, or NULL
 *
 * What was there goes.
 *
 * Context: In the mutator's section.
 */
void shelf_put(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd,
	       struct cell *c)
{
	struct cell *place = shelf_place(h, m, rnd);

	if (place)
		cell_set_edge(h, m, place, below(rnd, CELL_EDGES), c);
}

/**
 * shelf_step - let some cells on the shelves change places
 * @h: the heap
 * @m: the mutator
 * @rnd: random numbers
 * @grow: there may be more of them
 *
 * Context: In the mutator's section. A safe point.
 */
void shelf_step(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd,
		bool grow)
{
	unsigned int n;

	for (n = 0; n < SHELF_MOVES; n++) {
		shelf_move(h, m, rnd);
		goalloc_safepoint(m);
	}
	for (n = below(rnd, SHELF_MOVES); n; n--)
		shelf_put(h, m, rnd, grow ? cell_array(h, m, 1, NULL,
						       GFP_KERNEL | __GFP_NOWARN) : NULL);
}
