/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The heap: page trees, spans and caches under one name.
 */
#ifndef GOALLOC_HEAP_H
#define GOALLOC_HEAP_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <goalloc.h>

#include "central.h"
#include "cpu_pages.h"
#include "meta.h"
#include "node_order.h"
#include "page_source.h"
#include "pagemap.h"
#include "palloc.h"
#include "report.h"
#include "safe.h"
#include "span.h"

struct dentry;
struct drain_cpu;
struct goalloc_gc;
struct goalloc_stacks;
struct goalloc_pcpu;
struct harden;
struct heap_objects;
struct pglist_data;
struct profile;

#define HEAP_NAME_LEN 32

/* Objects of more bytes than a chunk holds are not promised to fit anywhere. */
#define HEAP_MAX_PAGES PAGE_SOURCE_MAX_PAGES

/**
 * struct heap_space - an address space that heaps live in
 * @source: where its pages come from
 * @map: from addresses to spans, of all heaps in it
 * @order: its nodes by distance; sorted under heaps_lock, read without
 * @meta: memory of @map and @order
 * @held: goalloc pages that all its heaps hold or are about to
 * @peak: the most that @held was since limit_forget_peak()
 * @limit: goalloc pages that they may hold, 0 for any number
 * @soft_limit: goalloc pages that they should hold, see limit.c; 0: any number
 *
 * All ordinary heaps share goalloc_space, so that the heap of any address can
 * be told. It only ever gets longer, see heap_space_extend().
 */
struct heap_space {
	struct page_source source;
	struct pagemap map;
	struct node_order order;
	struct goalloc_meta meta;
	atomic64_t held;
	atomic64_t peak;
	u64 limit;
	u64 soft_limit;
};

extern struct heap_space goalloc_space;

int heap_space_init(struct heap_space *space);
void heap_space_destroy(struct heap_space *space);
int heap_space_extend(struct heap_space *space, unsigned long end, int new_nid);

/**
 * struct heap_node - a heap's share of one NUMA node
 * @lock: "heap lock": guards everything below up to @central; interrupts off,
 *        not taken in NMI. May be taken with a central lock held, never the
 *        other way round. Nothing is called under it that can allocate, sleep
 *        or print.
 * @heap: heap it belongs to
 * @nid: node
 * @pgdat: the kernel's structure of it, for its counters; NULL in an invented
 *         address space
 * @gone: the kernel has no memory of the node left to give; changed under
 *        heaps_lock, read without
 * @palloc: tree of the node's pages
 * @large: spans of large objects
 * @large_pages: pages in spans of large objects
 * @large_asked: bytes requested with the large objects that live
 * @large_allocs: large objects ever handed out
 * @large_frees: large objects ever taken back
 * @grown: pages ever taken from the source
 * @released: pages ever given back
 * @peak: most goalloc pages in use in this generation, see scavenger.c; those in
 *        page caches count as used
 * @last_peak: the same for the generation before
 * @shown_used: pages in use that are in the kernel's counters, see account.c
 * @shown_free: free pages that are
 * @deferred: large spans freed in NMI, still to be taken back; no lock
 * @apart: goalloc pages in spans that are in no central: those that wait for a grace
 *         period, see heap_objects.c, and those of a collected heap
 * @quarantined: large objects freed and not taken back yet, in a hardened heap
 * @quarantined_asked: bytes requested with them
 * @quarantined_pages: their pages
 * @central: central lists by bin, each with a lock of its own
 */
struct heap_node {
	raw_spinlock_t lock;
	struct goalloc_heap *heap;
	int nid;
	struct pglist_data *pgdat;
	bool gone;
	struct palloc palloc;
	struct list_head large;
	u64 large_pages;
	u64 large_asked;
	u64 large_allocs;
	u64 large_frees;
	u64 grown;
	u64 released;
	u64 peak;
	u64 last_peak;
	u64 shown_used;
	u64 shown_free;
	struct llist_head deferred;
	atomic64_t apart;
	atomic64_t quarantined;
	atomic64_t quarantined_asked;
	atomic64_t quarantined_pages;
	struct goalloc_central *central;
};

/**
 * struct goalloc_heap - a heap
 * @cpus: caches per CPU
 * @cpu_pages: page caches per CPU
 * @drain: work that empties @cpus and @cpu_pages, per CPU
 * @space: address space it lives in
 * @gfp: flags added to every page allocation
 * @detour: DETOUR_* bits: why it must not use caches; 0 for most heaps
 * @track_bytes: bytes of a slot's record, see heap_track(); 0 if it has none
 * @redzone: bytes that large objects get in addition, at least
 * @harden: what a hardened heap has beside, else NULL
 * @objects: what it does when it is an object cache's and its objects keep their
 *           contents while they are free, else NULL; set before its first use
 * @gc: what is above it if it is the heap below a collected one, else NULL
 * @stacks: the source of stacks whose spans its large objects are, or NULL
 * @profile: its part of the heap profile, NULL before the first sample
 * @safe: what it does when it was found broken
 * @ended_told: 1 once its use after its end was reported
 * @limit: goalloc pages it may hold, 0 for any number
 * @soft_limit: goalloc pages that it should hold, see limit.c; 0: any number
 * @held: goalloc pages it holds or is about to; checked against the limits
 * @mapped: those of @held that are in no page tree: stacks that were mapped
 * @cache_max: bytes that the caches of all CPUs may keep, 0 for what the module's
 *             parameter says
 * @cache_share: bytes of that for each CPU, see room.c; changed under heaps_lock,
 *               read without
 * @meta: its own structures
 * @mem: hands @meta memory to the page trees
 * @nr_failed: allocations that returned NULL for want of memory
 * @nr_bad: refused frees by kind
 * @nr_guard_allocs: guarded objects ever handed out
 * @nr_guard_frees: guarded objects ever taken back
 * @nr_tiny_direct: tiny objects handed out past the caches, less those taken
 *                  back past them
 * @nr_drains: times that a CPU's caches were emptied while it was running
 * @nr_idle_drains: those of @nr_drains that were for not being used, when they
 *                  were asked for
 * @drained: bytes that left caches so
 * @name: for reports
 * @dir: its debugfs directory
 * @all: place among all heaps, heaps_lock
 * @nr_nodes: length of @node
 * @node: by node number, NULL for nodes without memory
 */
struct goalloc_heap {
	struct goalloc_pcpu __percpu *cpus;
	struct cpu_pages __percpu *cpu_pages;
	struct drain_cpu __percpu *drain;
	struct heap_space *space;
	gfp_t gfp;
	unsigned long detour;
	u32 track_bytes;
	u32 redzone;
	struct harden *harden;
	struct heap_objects *objects;
	struct goalloc_gc *gc;
	struct goalloc_stacks *stacks;
	struct profile *profile;
	struct safe_mode safe;
	atomic_t ended_told;
	u64 limit;
	u64 soft_limit;
	atomic64_t held;
	atomic64_t mapped;
	u64 cache_max;
	u64 cache_share;
	struct goalloc_meta meta;
	struct palloc_mem mem;
	atomic64_t nr_failed;
	atomic64_t nr_bad[NR_BAD_FREES];
	atomic64_t nr_guard_allocs;
	atomic64_t nr_guard_frees;
	atomic64_t nr_tiny_direct;
	atomic64_t nr_drains;
	atomic64_t nr_idle_drains;
	atomic64_t drained;
	char name[HEAP_NAME_LEN];
	struct dentry *dir;
	struct list_head all;
	int nr_nodes;
	struct heap_node *node[];
};

extern struct goalloc_heap *goalloc_default;

struct goalloc_heap *heap_create(const char *name,
				 const struct goalloc_heap_attr *attr,
				 struct heap_space *space);
int heap_destroy(struct goalloc_heap *heap, bool force);
int heap_exit(void);
void heap_for_each(void (*fn)(struct goalloc_heap *heap, void *arg), void *arg);
bool heap_try_for_each(void (*fn)(struct goalloc_heap *heap, void *arg), void *arg);

u64 heap_alloc_pages(struct heap_node *node, u64 npages, u64 align, gfp_t gfp,
		     struct heap_node **from, bool *clean);
void heap_free_pages(struct heap_node *node, u64 page, u64 npages);
u64 heap_scavenge(struct heap_node *node, u64 npages, bool force);

bool heap_bin_is_costly(unsigned int bin);
struct goalloc_span *heap_alloc_span(struct heap_node *node, unsigned int bin,
				     gfp_t gfp);
void heap_free_span(struct goalloc_span *span);
void *heap_alloc_large(struct goalloc_heap *heap, size_t size, size_t align,
		       gfp_t gfp, int nid);
void heap_free_large(struct goalloc_span *span);
void heap_drain_deferred(struct heap_node *node);
struct heap_node *heap_nearest(const struct goalloc_heap *heap, int nid);
void heap_space_refresh(struct heap_space *space);

/*
 * Is an object to be cleared before it is handed out? Those of some object caches
 * keep what is in them.
 */
static inline bool heap_clears(const struct goalloc_heap *heap, gfp_t gfp)
{
	return want_init_on_alloc(gfp) && likely(!heap->objects);
}

/* The heap's share of a node; NULL if it has none, or there is no such node. */
static inline struct heap_node *heap_node_at(const struct goalloc_heap *heap, int nid)
{
	/* A node that gets its first memory may be added just now. */
	return nid >= 0 && nid < heap->nr_nodes ? READ_ONCE(heap->node[nid]) : NULL;
}

/* The node that serves @nid, which may have no memory or not exist. */
static inline struct heap_node *heap_node_of(const struct goalloc_heap *heap,
					     int nid)
{
	struct heap_node *node = heap_node_at(heap, nid);

	if (likely(node && !READ_ONCE(node->gone)))
		return node;
	return heap_nearest(heap, nid);
}

/* The heap's share of the @i-th nearest node to @nid, NULL if it has none. */
static inline struct heap_node *heap_near(const struct goalloc_heap *heap, int nid,
					  int i)
{
	return heap_node_at(heap, node_order_nid(&heap->space->order, nid, i));
}

/* Flags to try one node before the next: what it has without effort. */
static inline gfp_t heap_easy(gfp_t gfp)
{
	return (gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) | __GFP_THISNODE |
	       __GFP_NOWARN;
}

/* The node by whose distances a request for @nid goes: itself if there is one. */
static inline int heap_row(const struct goalloc_heap *heap, int nid)
{
	return nid >= 0 && nid < heap->nr_nodes ? nid : heap_node_of(heap, nid)->nid;
}

static inline struct goalloc_central *
heap_central_of(const struct goalloc_span *span)
{
	return &span->home->central[span->bin];
}

/* The heap of a span, NULL for the stand-in of what is no span. */
static inline struct goalloc_heap *heap_of(const struct goalloc_span *span)
{
	return span->home ? span->home->heap : NULL;
}

/* The record of a slot; of a span that has them, which tiny ones do not. */
static inline void *heap_track(const struct goalloc_span *span, unsigned int slot)
{
	return span->tracks + (size_t)slot * span->home->heap->track_bytes;
}

/* Is this one of a heap's nodes? Most have one. */
static inline bool heap_has_node(const struct goalloc_heap *heap,
				 const struct heap_node *home)
{
	int nid;

	for (nid = 0; nid < heap->nr_nodes; nid++)
		if (heap_node_at(heap, nid) == home)
			return home;
	return false;
}

/* Is a page one that the node holds? Heap lock. */
static inline bool heap_node_owns(const struct heap_node *node, u64 page)
{
	const struct palloc_chunk *chunk;
	unsigned int word = page % PALLOC_CHUNK_PAGES / 64;
	u64 bit = 1ULL << page % 64;

	lockdep_assert_held(&node->lock);

	chunk = palloc_chunk_of(&node->palloc, page / PALLOC_CHUNK_PAGES);
	/* Both bits set: not ours, see palloc.c. */
	return chunk && !(chunk->alloc[word] & chunk->scavenged[word] & bit);
}

/* Goalloc pages of a node that are not free in the tree. Heap lock. */
static inline u64 heap_node_used(const struct heap_node *node)
{
	lockdep_assert_held(&node->lock);
	return node->palloc.nr_owned - node->palloc.nr_free;
}

/* Pages have been taken out of the tree. Heap lock. */
static inline void heap_note_peak(struct heap_node *node)
{
	u64 used = heap_node_used(node);

	if (used > node->peak)
		WRITE_ONCE(node->peak, used);
}

static inline unsigned long heap_page_addr(const struct goalloc_heap *heap,
					   u64 page)
{
	return heap->space->source.base + (page << GOALLOC_PAGE_SHIFT);
}

/* A heap's nodes in turn: the first from number @nid on, or NULL. */
static inline struct heap_node *heap_node_from(const struct goalloc_heap *heap,
					       int nid)
{
	struct heap_node *node = NULL;

	for (; !node && nid < heap->nr_nodes; nid++)
		node = heap_node_at(heap, nid);
	return node;
}

static inline struct heap_node *heap_first_node(const struct goalloc_heap *heap)
{
	return heap_node_from(heap, 0);
}

static inline struct heap_node *heap_next_node(const struct heap_node *node)
{
	return heap_node_from(node->heap, node->nid + 1);
}

#endif /* GOALLOC_HEAP_H */
