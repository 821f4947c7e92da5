// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cells, and what hangs on them: how they are made, checked and changed.
 *
 * A cell is alone or in an array, which may be large enough to be marked in pieces, and
 * may have a finalizer, which stores every other one of them in a root again. Blobs have
 * no pointers, but a pattern; leaves are tiny objects.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "gc_torture.h"

#define CELL_MAGIC 0x60a1000000000000ULL
#define CELL_MAGIC_MASK GENMASK_ULL(63, 48)

/* The last of these words of a blob are all looked at, of the rest a few. */
#define BLOB_CLOSE 8

static atomic64_t cell_ids;

static void cell_finalize(struct goalloc_mutator *m, void *obj);

static GOALLOC_TYPE(cell_type, struct cell, edge[0], edge[1], edge[2], blob, leaf);
static struct goalloc_type final_type = {
	GOALLOC_TYPE_INIT(struct cell, edge[0], edge[1], edge[2], blob, leaf),
	.finalizer = cell_finalize,
};

static GOALLOC_TYPE_NOSCAN(blob_type, u64);
static GOALLOC_TYPE_NOSCAN(leaf_type, u8);

static u64 id_of(const struct cell *c)
{
	return c ? c->id : 0;
}

static u64 id_new(void)
{
	return CELL_MAGIC + atomic64_inc_return(&cell_ids);
}

spinlock_t *cell_lock(struct heap *h, const struct cell *c)
{
	return &h->lock[((unsigned long)c >> 4) % HEAP_LOCKS];
}

/* An edge's part of the sum: others, if two edges are mixed up. */
static u64 edge_sum(unsigned int i, const struct cell *to)
{
	return id_of(to) * (2 * i + 1);
}

static u64 blob_sum(const u64 *blob)
{
	return blob ? blob[BLOB_ID] * 11 : 0;
}

static bool leaf_is_sound(const struct cell *c)
{
	return !c->leaf || !memchr_inv(c->leaf, c->leaf_is & 0xff, c->leaf_is >> 8);
}

/**
 * blob_is_sound - is all of it, or what was looked at, as it was made?
 * @blob: the blob
 *
 * Context: Any, while it is there.
 * Return: true if so.
 */
bool blob_is_sound(const u64 *blob)
{
	u64 id = blob[BLOB_ID], nr = blob[BLOB_NR], i, step;

	if ((id & CELL_MAGIC_MASK) != CELL_MAGIC || nr > SZ_1M)
		return false;
	step = nr > 2 * BLOB_CLOSE ? nr / BLOB_CLOSE : 1;
	for (i = BLOB_HEAD; i < nr; i += i + BLOB_CLOSE < nr ? step : 1)
		if (blob[i] != id + i)
			return false;
	return true;
}

/**
 * cell_is_sound - does it point to what it should point to?
 * @c: the cell
 *
 * Context: Its lock held, or the gate for writing.
 * Return: true if so.
 */
bool cell_is_sound(const struct cell *c)
{
	u64 sum = blob_sum(c->blob);
	unsigned int i;

	if ((c->id & CELL_MAGIC_MASK) != CELL_MAGIC || c->index >= c->nr)
		return false;
	for (i = 0; i < CELL_EDGES; i++)
		sum += edge_sum(i, c->edge[i]);
	return sum == c->sum && leaf_is_sound(c) && (!c->blob || blob_is_sound(c->blob));
}

/**
 * cell_is_good - look at a cell, and say so if it is not sound
 * @h: its heap
 * @c: the cell
 * @where: who looks
 *
 * Context: In a mutator's section.
 * Return: true if it is.
 */
bool cell_is_good(struct heap *h, struct cell *c, const char *where)
{
	bool good;

	spin_lock(cell_lock(h, c));
	good = cell_is_sound(c);
	if (!good)
		tg_problem("%s: heap %td: cell %p, %llx, %u of %u, leads where it should not",
			   where, h - heaps, c, c->id, c->index, c->nr);
	spin_unlock(cell_lock(h, c));
	return good;
}

static gfp_t some_gfp(struct rnd_state *rnd)
{
	switch (below(rnd, 8)) {
	case 0:
		return GFP_NOWAIT | __GFP_NOWARN;
	case 1:
		return GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;
	case 2:
		return GFP_NOIO | __GFP_NOWARN;
	default:
		return GFP_KERNEL | __GFP_NOWARN;
	}
}

/* Mostly alone; else an array, now and then one that is large or has oblets. */
static unsigned int some_cells(struct heap *h, struct rnd_state *rnd)
{
	u32 what = below(rnd, 1024);

	if (what < 1 && !h->limited)
		return SZ_128K / sizeof(struct cell) + 1 + below(rnd, 3000);
	if (what < 3)
		return SZ_32K / sizeof(struct cell) + 1 + below(rnd, 500);
	if (what < 20)
		return 1 + below(rnd, 100);
	return what < 200 ? 1 + below(rnd, 6) : 1;
}

/**
 * cell_array - make some cells in a row
 * @h: the heap
 * @m: the mutator
 * @nr: how many
 * @type: their type, or NULL for one without a finalizer
 * @gfp: how hard to try
 *
 * Context: In the mutator's section.
 * Return: the first of them, all without edges, or NULL.
 */
struct cell *cell_array(struct heap *h, struct goalloc_mutator *m, unsigned int nr,
			struct goalloc_type *type, gfp_t gfp)
{
	struct cell *c;
	unsigned int i;

	type = type ?: &cell_type;
	c = nr == 1 ? goalloc_new(m, type, gfp) : goalloc_new_array(m, type, nr, gfp);
	if (!c) {
		tg_count(COUNT_FAILED);
		return NULL;
	}
	for (i = 0; i < nr; i++) {
		if (c[i].id || c[i].sum || c[i].edge[0] || c[i].edge[2] || c[i].leaf)
			tg_problem("element %u of %u of new cell %p of heap %td is not zero",
				   i, nr, c, h - heaps);
		c[i].id = id_new();
		c[i].index = i;
		c[i].nr = nr;
		c[i].heap = h - heaps;
		c[i].finalizer = !!type->finalizer;
	}
	if (type->finalizer)
		atomic64_inc(&h->made);
	tg_count(nr * sizeof(*c) > SZ_32K ? COUNT_LARGE : COUNT_CELL);
	return c;
}

/**
 * cell_new - make a cell
 * @h: the heap
 * @m: the mutator
 * @rnd: random numbers
 *
 * Context: In the mutator's section.
 * Return: a cell without edges, the first of those that were made with it, or NULL.
 */
struct cell *cell_new(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd)
{
	bool finalizer = !below(rnd, 16);
	unsigned int nr = finalizer ? 1 + below(rnd, 3) : some_cells(h, rnd);

	return cell_array(h, m, nr, finalizer ? &final_type : NULL, some_gfp(rnd));
}

/**
 * blob_new - make an object without pointers
 * @h: the heap
 * @m: the mutator
 * @rnd: random numbers
 *
 * Context: In the mutator's section.
 * Return: the blob or NULL.
 */
u64 *blob_new(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd)
{
	u32 what = below(rnd, 1024);
	unsigned int nr, i;
	u64 *blob;

	if (what < 1 && !h->limited)
		nr = SZ_128K / 8 + below(rnd, 4096);
	else if (what < 3)
		nr = SZ_32K / 8 + below(rnd, 1024);
	else
		nr = BLOB_HEAD + below(rnd, what < 20 ? 1000 : 20);
	blob = goalloc_new_array(m, &blob_type, nr, some_gfp(rnd));
	if (!blob) {
		tg_count(COUNT_FAILED);
		return NULL;
	}
	if (blob[0] || blob[nr / 2] || blob[nr - 1])
		tg_problem("new blob %p of %u words of heap %td is not zero", blob, nr,
			   h - heaps);
	blob[BLOB_ID] = id_new();
	blob[BLOB_NR] = nr;
	for (i = BLOB_HEAD; i < nr; i++)
		blob[i] = blob[BLOB_ID] + i;
	tg_count(nr > SZ_32K / 8 ? COUNT_LARGE : COUNT_BLOB);
	return blob;
}

/**
 * cell_set_edge - let a cell point to another
 * @h: their heap
 * @m: the mutator
 * @c: the cell
 * @i: which edge
 * @to: the other, or NULL
 *
 * Context: In the mutator's section.
 */
void cell_set_edge(struct heap *h, struct goalloc_mutator *m, struct cell *c,
		   unsigned int i, struct cell *to)
{
	spin_lock(cell_lock(h, c));
	c->sum += edge_sum(i, to) - edge_sum(i, c->edge[i]);
	goalloc_store(m, &c->edge[i], to);
	spin_unlock(cell_lock(h, c));
}

/**
 * cell_take_edge - take an edge away
 * @h: the heap
 * @m: the mutator
 * @c: the cell
 * @i: which edge
 *
 * Context: In the mutator's section.
 * Return: where it led: from here on perhaps only the caller knows.
 */
struct cell *cell_take_edge(struct heap *h, struct goalloc_mutator *m, struct cell *c,
			    unsigned int i)
{
	struct cell *to;

	spin_lock(cell_lock(h, c));
	to = c->edge[i];
	c->sum -= edge_sum(i, to);
	goalloc_store(m, &c->edge[i], (struct cell *)NULL);
	spin_unlock(cell_lock(h, c));
	return to;
}

/**
 * cell_set_blob - hang a blob on a cell
 * @h: the heap
 * @m: the mutator
 * @c: the cell
 * @blob: the blob, or NULL
 *
 * Context: In the mutator's section.
 */
void cell_set_blob(struct heap *h, struct goalloc_mutator *m, struct cell *c, u64 *blob)
{
	spin_lock(cell_lock(h, c));
	c->sum += blob_sum(blob) - blob_sum(c->blob);
	goalloc_store(m, &c->blob, blob);
	spin_unlock(cell_lock(h, c));
}

/**
 * cell_take_blob - take a cell's blob away
 * @h: the heap
 * @m: the mutator
 * @c: the cell
 *
 * Context: In the mutator's section.
 * Return: the blob, or NULL.
 */
u64 *cell_take_blob(struct heap *h, struct goalloc_mutator *m, struct cell *c)
{
	u64 *blob;

	spin_lock(cell_lock(h, c));
	blob = c->blob;
	c->sum -= blob_sum(blob);
	goalloc_store(m, &c->blob, (u64 *)NULL);
	spin_unlock(cell_lock(h, c));
	return blob;
}

/**
 * cell_new_leaf - hang a new tiny object on a cell
 * @h: the heap
 * @m: the mutator
 * @rnd: random numbers
 * @c: the cell
 *
 * Context: In the mutator's section.
 */
void cell_new_leaf(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd,
		   struct cell *c)
{
	unsigned int len = 1 + below(rnd, 15), byte = 1 + below(rnd, 255);
	u8 *leaf = goalloc_new_array(m, &leaf_type, len, some_gfp(rnd));

	if (!leaf) {
		tg_count(COUNT_FAILED);
		return;
	}
	if (memchr_inv(leaf, 0, len))
		tg_problem("new leaf %p of %u bytes of heap %td is not zero", leaf, len,
			   h - heaps);
	memset(leaf, byte, len);
	spin_lock(cell_lock(h, c));
	c->leaf_is = len << 8 | byte;
	goalloc_store(m, &c->leaf, leaf);
	spin_unlock(cell_lock(h, c));
	tg_count(COUNT_LEAF);
}

/**
 * cell_move_leaf - move the tiny object of a cell to another
 * @h: the heap
 * @m: the mutator
 * @from: the cell
 * @to: the other
 *
 * Context: In the mutator's section.
 */
void cell_move_leaf(struct heap *h, struct goalloc_mutator *m, struct cell *from,
		    struct cell *to)
{
	u64 leaf_is;
	u8 *leaf;

	spin_lock(cell_lock(h, from));
	leaf = from->leaf;
	leaf_is = from->leaf_is;
	goalloc_store(m, &from->leaf, (u8 *)NULL);
	spin_unlock(cell_lock(h, from));
	spin_lock(cell_lock(h, to));
	to->leaf_is = leaf_is;
	goalloc_store(m, &to->leaf, leaf);
	spin_unlock(cell_lock(h, to));
}

/*
 * Nothing has led to it, so everything it points to is as it was. Every other one lives
 * on, and dies without a finalizer some day. Some leave garbage behind: that begins
 * collections while the heap ends.
 */
static void cell_finalize(struct goalloc_mutator *m, void *obj)
{
	struct cell *c = obj;
	struct rnd_state rnd;
	struct heap *h;
	unsigned int i;

	if ((c->id & CELL_MAGIC_MASK) != CELL_MAGIC || c->heap >= NR_HEAPS ||
	    heaps[c->heap].gc != m->gc) {
		tg_problem("what is finalized is no cell of the heap: %p, %llx", c, c->id);
		return;
	}
	h = &heaps[c->heap];
	prandom_seed_state(&rnd, c->id);
	for (i = 0; i < c->nr; i++)
		cell_is_good(h, &c[i], "finalizer");
	if (!c->finalizer || c->index)
		tg_problem("cell %p of heap %td is finalized and has no finalizer", c, h - heaps);
	if (atomic_inc_return(&c->finalized) != 1)
		tg_problem("cell %p of heap %td is finalized twice", c, h - heaps);
	atomic64_inc(&h->finalized);
	tg_count(COUNT_FINALIZED);
	if (below(&rnd, 2) &&
	    graph_save(h, m, below(&rnd, HEAP_ROOTS), &c[below(&rnd, c->nr)])) {
		tg_count(COUNT_SAVED);
	} else {
		for (i = below(&rnd, 128); i; i--)
			blob_new(h, m, &rnd);
	}
}
