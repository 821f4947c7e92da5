// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small objects of other nodes than the local one, or of that one and no other.
 *
 * A cache has the memory of the nearest node. What somebody wants of another one
 * comes from there past the cache, and what the nearest cannot give any more
 * comes from the other nodes, in the order of their distance. On each of them
 * free objects come before new spans, or a CPU whose node is full would take
 * span after span elsewhere, and never what it gave back there.
 *
 * __GFP_THISNODE: nothing but the node's own, and NULL if there is none. The
 * span that a cache has may be of another node when there was no choice, so such
 * requests never take the fast path.
 *
 * Locks: none here; central and heap locks are taken inside their functions.
 */
#include <linux/kernel.h>

#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "safe.h"

/* Is a request for one node, come what may? */
static bool cache_insists(const struct goalloc_heap *heap, gfp_t gfp)
{
	return (gfp | heap->gfp) & __GFP_THISNODE;
}

/* Any node that has an object, the nearest first. */
static void *cache_alloc_anywhere(struct goalloc_heap *heap, unsigned int bin,
				  size_t asked, int nid)
{
	int row = heap_row(heap, nid);
	struct heap_node *node;
	void *obj = NULL;
	int i;

	for (i = 0; !obj && i < heap->nr_nodes; i++) {
		node = heap_near(heap, row, i);
		if (node)
			obj = central_alloc(&node->central[bin], asked);
	}
	return obj;
}

/**
 * cache_grow - find memory for objects when the nearest node's central has none
 * @heap: the heap
 * @bin: the bin
 * @gfp: as for goalloc()
 * @nid: the node
 * @asked: bytes requested
 * @obj: set to an object that was free somewhere, or to NULL
 *
 * Context: Any that @gfp allows but NMI.
 * Return: a new span, in no central; or NULL, and then @obj is what there was.
 */
struct goalloc_span *cache_grow(struct goalloc_heap *heap, unsigned int bin,
				gfp_t gfp, int nid, size_t asked, void **obj)
{
	gfp_t easy = heap_easy(gfp);
	struct heap_node *home = heap_node_of(heap, nid);
	struct goalloc_span *span;
	int row = heap_row(heap, nid);
	int i;

	*obj = NULL;
	if (heap->nr_nodes == 1 || cache_insists(heap, gfp))
		return heap_alloc_span(home, bin, gfp);

	for (i = 0; i < heap->nr_nodes; i++) {
		struct heap_node *node = heap_near(heap, row, i);

		if (!node)
			continue;
		*obj = central_alloc(&node->central[bin], asked);
		if (*obj)
			return NULL;
		if (READ_ONCE(node->gone))
			continue;
		span = heap_alloc_span(node, bin, easy);
		if (span)
			return span;
	}
	/* Nowhere without effort. Meanwhile somebody may have freed something. */
	span = heap_alloc_span(home, bin, gfp);
	if (!span)
		*obj = cache_alloc_anywhere(heap, bin, asked, nid);
	return span;
}

/**
 * cache_alloc_past - allocate a small object past the caches
 * @heap: the heap
 * @bin: bin
 * @asked: bytes requested
 * @gfp: as for goalloc()
 * @nid: the node
 *
 * Context: Any context that @gfp allows.
 * Return: the object or NULL.
 */
void *cache_alloc_past(struct goalloc_heap *heap, unsigned int bin, size_t asked,
		       gfp_t gfp, int nid)
{
	struct heap_node *node = heap_node_of(heap, nid);
	struct goalloc_span *span;
	void *obj;

	/* Whoever is quicker may empty the new span; then make another. */
	while (!(obj = central_alloc(&node->central[bin], asked))) {
		if (in_nmi()) {
			obj = cache_insists(heap, gfp) ? NULL :
			      cache_alloc_anywhere(heap, bin, asked, nid);
			break;
		}
		/* Found broken on the way: then its memory is left alone. */
		if (safe_is_on(heap))
			break;
		span = cache_grow(heap, bin, gfp, nid, asked, &obj);
		if (!span)
			break;
		node = span->home;
		central_add(&node->central[bin], span);
	}
	if (!obj && safe_is_on(heap))
		return detour_alloc(heap, asked, 0, gfp, nid);
	obj = cache_alloc_done(heap, bin, asked, obj, true, gfp, nid);
	return bin == GOALLOC_TINY_BIN ? obj : profile_odd(heap, obj, asked);
}
GOALLOC_EXPORT_KUNIT(cache_alloc_past);

/*
 * From this CPU's cache, if that is of the node and allocates from no other. Its
 * list is always of one node; the span it has need not be.
 */
static void *cache_alloc_strict(const struct heap_node *node, unsigned int bin,
				size_t asked, gfp_t gfp)
{
	struct goalloc_cache *cache;
	struct cache_bin *b;
	void *obj = NULL;
	bool dirty = true;
	bool hit = false;

	preempt_disable();
	cache = cache_get(node->heap);
	b = &cache->bin[bin];
	if (cache->home == node &&
	    (b->span == &cache_no_span || b->span->home == node))
		obj = cache_take(cache, bin, &dirty);
	if (obj)
		hit = cache_count(cache, bin, asked);
	preempt_enable();
	if (!obj)
		return NULL;
	obj = cache_alloc_done(node->heap, bin, asked, obj, dirty, gfp, node->nid);
	return profile_mark(node->heap, obj, asked, hit);
}

/**
 * cache_alloc_node - allocate a small object on a node
 * @heap: the heap
 * @bin: bin
 * @asked: bytes requested
 * @gfp: as for goalloc()
 * @nid: the node; if it has no memory, the nearest that has takes its place
 *
 * What the local node has is served by the cache, other nodes by their centrals.
 *
 * Context: Any context that @gfp allows.
 * Return: the object or NULL.
 */
void *cache_alloc_node(struct goalloc_heap *heap, unsigned int bin, size_t asked,
		       gfp_t gfp, int nid)
{
	struct heap_node *node = heap_node_of(heap, nid);
	void *obj;

	if (detour_taken(heap))
		return detour_alloc(heap, asked, 0, gfp, nid);
	if ((gfp | heap->gfp) & __GFP_THISNODE) {
		obj = cache_alloc_strict(node, bin, asked, gfp);
		if (obj)
			return obj;
	} else if (node == heap_node_of(heap, numa_mem_id())) {
		return cache_alloc(heap, bin, asked, gfp);
	}
	return cache_alloc_past(heap, bin, asked, gfp, nid);
}
GOALLOC_EXPORT_KUNIT(cache_alloc_node);
