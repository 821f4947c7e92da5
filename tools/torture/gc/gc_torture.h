/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * goalloc_torture_gc: what its parts share.
 *
 * There are a few collected heaps, each with a graph of cells that all mutators change.
 * A cell has a number that no other has, and a sum over the numbers of what it points
 * to, so whoever follows a pointer to what was freed, or used again, notices. The lock
 * of a cell guards its pointers and its sum; its number never changes.
 *
 * Whoever enters a heap's section, collects it, or makes and ends it, passes its gate:
 * the first two for reading. With the gate for writing a heap stands still but for what
 * it does by itself.
 */
#ifndef GOALLOC_TORTURE_GC_H
#define GOALLOC_TORTURE_GC_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <goalloc.h>
#include <goalloc_gc.h>

#define CELL_EDGES 3

#define HEAP_ROOTS 64
#define HEAP_SHELVES 2
#define HEAP_LOCKS 64
#define HEAP_WEAKS 256
#define HEAP_HANDLES 8

/* Heaps that stay, one per way to make it; and those that come and go. */
#define NR_STAYING 5
#define NR_PASSING 2
#define NR_HEAPS (NR_STAYING + NR_PASSING)

/**
 * struct cell - a vertex of the graph: an object, or an element of an array
 * @id: a number that no other cell or blob has, with CELL_MAGIC on top
 * @sum: of the numbers of what it points to, see cell_is_sound()
 * @seen: the census that has come here; of the first element that of the array
 * @index: which element of its array it is
 * @nr: how many elements the array has
 * @heap: number of its heap, for the finalizer
 * @finalizer: it has one
 * @finalized: it was called so often
 * @leaf_is: what @leaf points to, and how long that is
 * @edge: cells, of which any may be in the middle of an array
 * @blob: an object without pointers
 * @leaf: a tiny object
 */
struct cell {
	u64 id;
	u64 sum;
	u64 seen;
	u32 index;
	u32 nr;
	u16 heap;
	u16 finalizer;
	atomic_t finalized;
	u64 leaf_is;
	struct cell *edge[CELL_EDGES];
	u64 *blob;
	u8 *leaf;
};

/**
 * struct heap_weak - a place for a weak handle
 * @weak: the handle, or NULL
 * @id: number of the cell that it was made for
 * @gone: it has led nowhere
 */
struct heap_weak {
	struct goalloc_weak *weak;
	u64 id;
	bool gone;
};

/**
 * struct heap - a collected heap under torture
 * @gc: the heap; changes with the gate for writing
 * @gate: see above
 * @in_roots: @root, for the collector
 * @root: where the graph can be got at; behind that the shelves, see shelf.c
 * @lock: of cells, by their address
 * @root_lock: guards @root, @closed, @handle and @weak
 * @closed: finalizers save nothing any more, for what is in @root is no root soon
 * @handle: handles of cells
 * @weak: weak handles of cells
 * @max_bytes: how large the graph may become
 * @shelf_size: elements of a shelf
 * @limited: allocations are expected to fail, for it has a limit
 * @made: cells with finalizers
 * @finalized: finalizers that were called
 */
struct heap {
	struct goalloc_gc *gc;
	struct rw_semaphore gate;
	struct goalloc_root in_roots;
	struct cell *root[HEAP_ROOTS + HEAP_SHELVES];
	spinlock_t lock[HEAP_LOCKS]; /* pointers and sums of cells */
	spinlock_t root_lock; /* what follows up to @weak, and @root */
	bool closed;
	struct goalloc_handle *handle[HEAP_HANDLES];
	struct heap_weak weak[HEAP_WEAKS];
	size_t max_bytes;
	unsigned int shelf_size;
	bool limited;
	atomic64_t made;
	atomic64_t finalized;
};

/* What is counted, by all together; after a while none of it may be 0. */
enum tg_count {
	COUNT_STEP,
	COUNT_CELL,
	COUNT_BLOB,
	COUNT_LEAF,
	COUNT_LARGE,
	COUNT_FAILED,
	COUNT_SHELVED,		/* cells that changed places */
	COUNT_FINALIZED,
	COUNT_SAVED,		/* by their finalizers */
	COUNT_WEAK_LOADED,
	COUNT_WEAK_GONE,
	COUNT_HANDLE,
	COUNT_COLLECTED,
	COUNT_BY_ITSELF,	/* collections that nobody asked for */
	COUNT_CENSUS,
	COUNT_COUNTED,		/* objects, in a census */
	COUNT_ENDED,		/* heaps, and in which phase */
	COUNT_ENDED_MARK,
	COUNT_ENDED_OFF,
	NR_COUNTS
};

/* main.c */
extern bool tg_stop;
DECLARE_PER_CPU(u64 [NR_COUNTS], tg_counts);
__printf(1, 2) void tg_problem(const char *fmt, ...);

static inline void tg_count(enum tg_count what)
{
	this_cpu_inc(tg_counts[what]);
}

/* 0 to @n - 1 */
static inline u32 below(struct rnd_state *rnd, u32 n)
{
	return ((u64)prandom_u32_state(rnd) * n) >> 32;
}

/* heap.c */
extern struct heap heaps[NR_HEAPS];
void heaps_init(void);
int heap_make(struct heap *h, const char *name, const struct goalloc_gc_attr *attr);
void heap_clear(struct heap *h);
void heap_end(struct heap *h);
int heaps_start(void);
void heaps_end(void);

/* cell.c */
struct cell *cell_array(struct heap *h, struct goalloc_mutator *m, unsigned int nr,
			struct goalloc_type *type, gfp_t gfp);
struct cell *cell_new(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd);
bool cell_is_good(struct heap *h, struct cell *c, const char *where);
bool cell_is_sound(const struct cell *c);
bool blob_is_sound(const u64 *blob);
u64 *blob_new(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd);
spinlock_t *cell_lock(struct heap *h, const struct cell *c);
void cell_set_edge(struct heap *h, struct goalloc_mutator *m, struct cell *c,
		   unsigned int i, struct cell *to);
struct cell *cell_take_edge(struct heap *h, struct goalloc_mutator *m, struct cell *c,
			    unsigned int i);
void cell_set_blob(struct heap *h, struct goalloc_mutator *m, struct cell *c, u64 *blob);
u64 *cell_take_blob(struct heap *h, struct goalloc_mutator *m, struct cell *c);
void cell_new_leaf(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd,
		   struct cell *c);
void cell_move_leaf(struct heap *h, struct goalloc_mutator *m, struct cell *from,
		    struct cell *to);

static inline struct cell *cell_head(struct cell *c)
{
	return c - c->index;
}

/* Where a blob has what struct cell has in members; the rest of it is a pattern. */
#define BLOB_ID 0
#define BLOB_NR 1
#define BLOB_SEEN 2
#define BLOB_HEAD 3

/* graph.c */
void graph_section(struct heap *h, struct rnd_state *rnd, unsigned int ms);
struct cell *graph_walk(struct heap *h, struct rnd_state *rnd);
void graph_set_root(struct heap *h, struct goalloc_mutator *m, unsigned int i,
		    struct cell *to);
bool graph_save(struct heap *h, struct goalloc_mutator *m, unsigned int i, struct cell *c);

/* shelf.c */
void shelf_step(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd,
		bool grow);
struct cell *shelf_take(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd);
void shelf_put(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd,
	       struct cell *c);

/* handle.c */
struct cell *weak_step(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd);
void handle_step(struct heap *h, struct goalloc_mutator *m, struct rnd_state *rnd);
void handles_put(struct heap *h, struct goalloc_mutator *m);

/* census.c */
int census_init(void);
void census_exit(void);
void heap_settle(struct heap *h);
u64 census(struct heap *h);

/* passing.c */
void passing_round(struct heap *h, struct rnd_state *rnd);

/* pressure.c, of the other torture */
int pressure_start(void);
void pressure_stop(void);
extern atomic_long_t pressure_rounds;

#endif /* GOALLOC_TORTURE_GC_H */
