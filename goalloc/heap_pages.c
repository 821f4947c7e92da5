// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages, spans and large objects of a heap.
 *
 * Runs of pages come out of the node's page tree, lowest address first. When
 * the tree has no run that is long enough, the heap grows: a block is taken
 * from the page source with no lock held, its bookkeeping is made, and only
 * then is it entered into the tree and the run cut from it in one go, so that
 * nobody can snatch it. Two CPUs may grow at once; the loser's block is simply
 * more free pages.
 *
 * How much to grow: in proportion to what the heap holds already (1/64),
 * never more than a chunk. A small heap stays small, and a large one grows in
 * blocks that the buddy allocator can merge again.
 *
 * Locks: heap_node->lock, with nothing called under it that can allocate.
 */
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "account.h"
#include "compat.h"
#include "goalloc_trace.h"
#include "harden.h"
#include "heap.h"
#include "heap_objects.h"
#include "limit.h"
#include "sanitize.h"
#include "sanity.h"
#include "scavenger.h"
#include "spare.h"

/* Growth in goalloc pages: not below, and held pages shifted right by this. */
#define HEAP_GROW_MIN 8
#define HEAP_GROW_SHIFT 6

/*
 * Is the node's tree in order, and nothing else of the heap broken? Then it may
 * grow; what is wrong is not to spread.
 */
static bool heap_sound(struct heap_node *node)
{
	unsigned long flags;
	bool sound;

	raw_spin_lock_irqsave(&node->lock, flags);
	sound = sanity_tree(node);
	raw_spin_unlock_irqrestore(&node->lock, flags);
	return sound && !safe_is_on(node->heap);
}

/* Cut an aligned run out of the tree. */
static u64 heap_cut(struct heap_node *node, u64 npages, u64 align, bool *clean)
{
	u64 slack = align - 1;
	u64 page, first, scav;

	lockdep_assert_held(&node->lock);

	page = palloc_alloc(&node->palloc, npages + slack, &scav);
	if (!sanity_tree(node))
		return PALLOC_NONE;
	if (page == PALLOC_NONE)
		return page;
	heap_note_peak(node);
	*clean = scav == npages + slack;
	if (!slack)
		return page;
	first = round_up(page, align);
	if (first != page)
		palloc_free(&node->palloc, page, first - page);
	if (first - page != slack)
		palloc_free(&node->palloc, first + npages, slack - (first - page));
	return first;
}

/* Give pages back that are not, or no longer, in the tree. */
static void heap_put(struct goalloc_heap *heap, u64 page, u64 npages)
{
	struct page_source *source = &heap->space->source;

	source->put(source, page, npages);
	limit_uncharge(heap, npages);
}

/*
 * Take a block from the source and cut a run from it. The block may be on
 * another node than was asked for. With __GFP_ACCOUNT the run is the block, and
 * what is too much of it goes back at once: it is charged to somebody.
 */
static u64 heap_grow(struct heap_node *node, u64 npages, u64 align, gfp_t gfp,
		     struct heap_node **from, bool *clean)
{
	struct goalloc_heap *heap = node->heap;
	struct page_source *source = &heap->space->source;
	u64 need = roundup_pow_of_two(npages + align - 1);
	bool charged = gfp & __GFP_ACCOUNT;
	struct page_extent extent;
	u64 want, page = PALLOC_NONE, scav;
	unsigned long flags;

	/*
	 * PREEMPT_RT: the page allocator takes sleeping locks, whatever the
	 * flags say. A spare structure may have brought us here all the same.
	 */
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && !preemptible())
		return PALLOC_NONE;
	/* Blocks are as aligned as they are long. */
	if (align > 1)
		need = max(roundup_pow_of_two(npages), align);
	if (need > HEAP_MAX_PAGES || !heap_sound(node))
		return PALLOC_NONE;

	/* Of what is mapped none has ever come from here. */
	want = (u64)(atomic64_read(&heap->held) - atomic64_read(&heap->mapped));
	want = max_t(u64, HEAP_GROW_MIN, want >> HEAP_GROW_SHIFT);
	want = clamp_t(u64, rounddown_pow_of_two(want), need, max_t(u64, need, PALLOC_CHUNK_PAGES));
	if (charged)
		want = need;
	if (!limit_make_room(heap, want))
		want = need;
	if (!limit_charge(heap, want, gfp & ~__GFP_NOFAIL)) {
		want = need;
		if (!limit_charge(heap, want, gfp))
			return PALLOC_NONE;
	}

	gfp = (gfp & ~(__GFP_ZERO | __GFP_COMP | __GFP_MOVABLE)) | heap->gfp;
	if (source->get(source, need, want, node->nid, gfp, &extent)) {
		limit_uncharge(heap, want);
		return PALLOC_NONE;
	}
	/* What is charged is what came. */
	limit_uncharge(heap, want - extent.npages);
	if (charged && extent.npages > npages) {
		heap_put(heap, extent.page + npages, extent.npages - npages);
		extent.npages = npages;
	}

	node = heap_node_at(heap, extent.nid);
	if (!node || palloc_reserve(&node->palloc, extent.page, extent.npages, gfp) ||
	    pagemap_reserve(&heap->space->map, extent.page, extent.npages, gfp)) {
		heap_put(heap, extent.page, extent.npages);
		return PALLOC_NONE;
	}

	sanitize_pages(node, extent.page, extent.npages, true);
	raw_spin_lock_irqsave(&node->lock, flags);
	palloc_grow(&node->palloc, extent.page, extent.npages, extent.clean);
	node->grown += extent.npages;
	if (!charged)
		page = heap_cut(node, npages, align, clean);
	if (page == PALLOC_NONE && !node->palloc.fault.what) {
		/*
		 * A block of just the size has no room for the slack, but
		 * begins where the run may.
		 */
		page = extent.page;
		palloc_alloc_at(&node->palloc, page, npages, &scav);
		heap_note_peak(node);
		*clean = scav == npages;
	}
	account_sync(node);
	raw_spin_unlock_irqrestore(&node->lock, flags);
	trace_grow(node, extent.page, extent.npages);
	*from = node;
	return page;
}

/**
 * heap_drain_deferred - take back the large objects that NMIs freed
 * @node: the node
 *
 * Context: Any but NMI.
 */
void heap_drain_deferred(struct heap_node *node)
{
	struct goalloc_span *span, *next;

	if (likely(llist_empty(&node->deferred)))
		return;
	llist_for_each_entry_safe(span, next, llist_del_all(&node->deferred), deferred)
		heap_free_large(span);
}

/*
 * The node's tree has no such run: grow by memory of the node, if there is any
 * without effort, else take what the heap has lying on others, the nearest
 * first. Growing by another node's memory for every run that this one lacks
 * would pile up there, so the trees of all nodes that are equally near come
 * before it; but it comes before the trees of nodes that are farther away.
 */
static u64 heap_alloc_near(struct heap_node *node, u64 npages, u64 align,
			   gfp_t gfp, struct heap_node **from, bool *clean)
{
	const struct node_order *order = &node->heap->space->order;
	gfp_t here = heap_easy(gfp);
	unsigned long flags;
	int first, i, end;
	u64 page;

	page = heap_grow(node, npages, align, here, from, clean);
	for (first = 1; page == PALLOC_NONE && first < order->nr; first = end) {
		unsigned int distance = node_order_distance(order, node->nid, first);

		for (i = first; page == PALLOC_NONE && i < order->nr; i++) {
			struct heap_node *other = heap_near(node->heap, node->nid, i);

			if (node_order_distance(order, node->nid, i) != distance)
				break;
			if (!other)
				continue;
			raw_spin_lock_irqsave(&other->lock, flags);
			page = heap_cut(other, npages, align, clean);
			account_sync(other);
			raw_spin_unlock_irqrestore(&other->lock, flags);
			*from = other;
		}
		end = i;
		/* When all have been looked at, whoever calls grows as well as can be. */
		for (i = first; page == PALLOC_NONE && end < order->nr && i < end; i++) {
			struct heap_node *other = heap_near(node->heap, node->nid, i);

			if (other && !READ_ONCE(other->gone))
				page = heap_grow(other, npages, align, here, from, clean);
		}
	}
	return page;
}

static u64 heap_try_pages(struct heap_node *node, u64 npages, u64 align,
			  gfp_t gfp, struct heap_node **from, bool *clean)
{
	unsigned long flags;
	u64 page;

	heap_drain_deferred(node);
	*from = node;
	/* Whoever is charged for his pages gets no others. */
	if (gfp & __GFP_ACCOUNT)
		return heap_grow(node, npages, align, gfp, from, clean);
	if (align == 1 && npages < PAGE_CACHE_MAX_REQUEST) {
		page = cpu_pages_alloc(node, npages, clean);
		if (page != PALLOC_NONE)
			return page;
	}
	raw_spin_lock_irqsave(&node->lock, flags);
	page = heap_cut(node, npages, align, clean);
	account_sync(node);
	raw_spin_unlock_irqrestore(&node->lock, flags);
	if (page != PALLOC_NONE)
		return page;
	if (node->heap->nr_nodes > 1 && !((gfp | node->heap->gfp) & __GFP_THISNODE)) {
		page = heap_alloc_near(node, npages, align, gfp, from, clean);
		if (page != PALLOC_NONE)
			return page;
	}
	return heap_grow(node, npages, align, gfp, from, clean);
}

/**
 * heap_alloc_pages - allocate a run of pages
 * @node: preferred node of the heap
 * @npages: length in goalloc pages
 * @align: alignment of the page number, a power of two
 * @gfp: how hard to try; with __GFP_ACCOUNT the pages come from the source and
 *       are charged
 * @from: the node that the pages are on
 * @clean: whether they are known to hold zeros
 *
 * With __GFP_NOFAIL and leave to sleep it waits until there are pages.
 *
 * Context: Any that @gfp allows but NMI; no goalloc lock may be held.
 * Return: number of the first page, or PALLOC_NONE.
 */
u64 heap_alloc_pages(struct heap_node *node, u64 npages, u64 align, gfp_t gfp,
		     struct heap_node **from, bool *clean)
{
	u64 page;

	for (;;) {
		page = heap_try_pages(node, npages, align, gfp, from, clean);
		if (page != PALLOC_NONE || !(gfp & __GFP_NOFAIL) ||
		    !gfpflags_allow_blocking(gfp) ||
		    npages + align - 1 > HEAP_MAX_PAGES || !heap_sound(node))
			return page;
		/* Somebody has to free something; a tick is soon enough to look. */
		schedule_timeout_uninterruptible(1);
	}
}
GOALLOC_EXPORT_KUNIT(heap_alloc_pages);

/**
 * heap_free_pages - free a run of pages into the tree
 * @node: node they are on
 * @page: first page
 * @npages: length in goalloc pages
 *
 * Context: Any but NMI.
 */
void heap_free_pages(struct heap_node *node, u64 page, u64 npages)
{
	unsigned long flags;
	bool poke;

	sanitize_pages(node, page, npages, true);
	raw_spin_lock_irqsave(&node->lock, flags);
	palloc_free(&node->palloc, page, npages);
	account_sync(node);
	poke = READ_ONCE(scavenger_parked);
	sanity_tree(node);
	raw_spin_unlock_irqrestore(&node->lock, flags);
	if (unlikely(poke))
		scavenger_unpark();
}
GOALLOC_EXPORT_KUNIT(heap_free_pages);

/* What palloc_scavenge() hands through to heap_release_run(). */
struct heap_release {
	struct heap_node *node;
	unsigned long flags;
};

/* A run of free pages has left the tree: let the lock go and give it back. */
static void heap_release_run(void *ctx, u64 page, u64 npages)
{
	struct heap_release *release = ctx;
	struct heap_node *node = release->node;

	lockdep_assert_held(&node->lock);

	/* Perhaps somebody has them: rather lose them. */
	if (!sanity_tree(node))
		return;
	node->released += npages;
	account_sync(node);
	raw_spin_unlock_irqrestore(&node->lock, release->flags);
	sanitize_pages(node, page, npages, false);
	trace_scavenge(node, page, npages);
	heap_put(node->heap, page, npages);
	raw_spin_lock_irqsave(&node->lock, release->flags);
}

/**
 * heap_scavenge - give free pages of a node back to the page source
 * @node: the node
 * @npages: goalloc pages to give back; a few more where that keeps a huge page
 *          whole
 * @force: take pages of dense chunks and pages freed just now as well
 *
 * The highest addresses first. The lock is not held for longer than it takes to
 * find one run.
 *
 * Context: Any but NMI. On PREEMPT_RT preemptible, or the pages wait in the
 *          buddy allocator's lists.
 * Return: goalloc pages given back.
 */
u64 heap_scavenge(struct heap_node *node, u64 npages, bool force)
{
	struct heap_release release = { .node = node };
	u64 released;

	if (safe_is_on(node->heap))
		return 0;
	raw_spin_lock_irqsave(&node->lock, release.flags);
	released = palloc_scavenge(&node->palloc, npages, force,
				   heap_release_run, &release);
	raw_spin_unlock_irqrestore(&node->lock, release.flags);
	return released;
}
GOALLOC_EXPORT_KUNIT(heap_scavenge);

/* Give a new span pages, and enter it into the page map. */
static bool heap_equip_span(struct heap_node *node, struct goalloc_span *span,
			    u64 align, gfp_t gfp)
{
	struct goalloc_heap *heap = node->heap;
	bool clean;

	span->page = heap_alloc_pages(node, span->npages, align, gfp, &span->home,
				      &clean);
	if (span->page == PALLOC_NONE)
		return false;
	span->base = heap_page_addr(heap, span->page);
	span->needzero = !clean;
	return true;
}

static struct goalloc_span *heap_new_span(struct heap_node *node,
					  const struct span_shape *shape, gfp_t gfp)
{
	struct goalloc_span *span;

	span = meta_zalloc(&node->heap->meta, span_bytes(shape), gfp, node->nid);
	if (span) {
		span_init(span, shape);
		sanitize_span_new(span, gfp);
	}
	return span;
}

/**
 * heap_bin_is_costly - does a span take a block that the kernel does not kill for?
 * @bin: bin
 *
 * Nobody can wait for such a block: however little memory there is, reclaim of
 * the kernel gives up without making any.
 *
 * Return: true if so.
 */
bool heap_bin_is_costly(unsigned int bin)
{
	u64 npages = roundup_pow_of_two(span_shape_small(bin).npages);

	return npages << (GOALLOC_PAGE_SHIFT - PAGE_SHIFT) > 1UL << PAGE_ALLOC_COSTLY_ORDER;
}
GOALLOC_EXPORT_KUNIT(heap_bin_is_costly);

/**
 * heap_alloc_span - make a span of small objects
 * @node: preferred node
 * @bin: which objects
 * @gfp: how hard to try
 *
 * Context: Any that @gfp allows but NMI; no goalloc lock may be held.
 * Return: the span, in the page map and in no central list, or NULL.
 */
struct goalloc_span *heap_alloc_span(struct heap_node *node, unsigned int bin,
				     gfp_t gfp)
{
	struct goalloc_span *span = spare_take(&node->central[bin]);

	if (span) {
		u8 *state = span_own_state(span, node->heap->track_bytes);

		/* For caches that have slots of it noted still, free in none. */
		memset(state, SLOT_FREE, span->bits.nelems);
		/* The bytes first; whoever asks depends on the pointer. */
		smp_store_release(&span->state, state);
		span_bits_init(&span->bits, span->bits.nelems);
		span->nr_free = 0;
	} else {
		struct span_shape shape = span_shape_small(bin);

		shape.track_bytes = node->heap->track_bytes;
		span = heap_new_span(node, &shape, gfp);
		if (!span)
			return NULL;
	}
	/* Objects of many share its pages, and some outlive the rest. */
	gfp &= ~__GFP_ACCOUNT;
	/* The caller will ask for less, see cache_alloc_done(). */
	if (gfp & __GFP_NOFAIL && heap_bin_is_costly(bin))
		gfp = (gfp & ~__GFP_NOFAIL) | __GFP_NORETRY | __GFP_NOWARN;
	if (!heap_equip_span(node, span, 1, gfp)) {
		span->home = node;
		spare_give(&node->central[bin], span);
		return NULL;
	}
	sanitize_span(span);
	if (node->heap->harden)
		harden_span_begins(span);
	if (node->heap->objects)
		heap_objects_construct(span);
	pagemap_set(&node->heap->space->map, span->page, span->npages, span);
	trace_span_alloc(span);
	return span;
}
GOALLOC_EXPORT_KUNIT(heap_alloc_span);

/**
 * heap_free_span - free a span of small objects
 * @span: span in no list, all of whose slots are free
 *
 * Context: Any but NMI.
 */
void heap_free_span(struct goalloc_span *span)
{
	struct heap_node *node = span->home;

	if (unlikely(!sanity_mapped(span))) {
		sanity_fail(node, "page map", "its pages name another span",
			    span->bin, span);
		return;
	}
	trace_span_free(span);
	/* Out of the map before the pages can be anybody else's. */
	pagemap_set(&node->heap->space->map, span->page, span->npages, NULL);
	sanitize_span_end(span);
	heap_free_pages(node, span->page, span->npages);
	spare_give(&node->central[span->bin], span);
}
GOALLOC_EXPORT_KUNIT(heap_free_span);

/* Is there anybody whom a large object could be charged to? */
static bool heap_charges(const struct goalloc_heap *heap)
{
	const struct page_source *source = &heap->space->source;

	return source->charges && source->charges();
}

/*
 * Pages for a large object. Where @node stands in for @nid, which has no memory,
 * it is by @nid's distances that others come next, not by those of @node.
 */
static bool heap_equip_large(struct heap_node *node, struct goalloc_span *span,
			     u64 align, gfp_t gfp, int nid)
{
	struct goalloc_heap *heap = node->heap;
	struct heap_node *other;
	int row = heap_row(heap, nid);
	int i;

	if (unlikely(row != node->nid) && !((gfp | heap->gfp) & __GFP_THISNODE)) {
		for (i = 0; i < heap->nr_nodes; i++) {
			other = heap_near(heap, row, i);
			if (other && !READ_ONCE(other->gone) &&
			    heap_equip_span(other, span, align, heap_easy(gfp)))
				return true;
		}
	}
	return heap_equip_span(node, span, align, gfp);
}

/**
 * heap_alloc_large - allocate whole pages for one object
 * @heap: the heap
 * @size: bytes, not 0
 * @align: alignment in bytes, a power of two
 * @gfp: as for goalloc()
 * @nid: preferred node
 *
 * Context: Any that @gfp allows but NMI.
 * Return: the object, or NULL.
 */
void *heap_alloc_large(struct goalloc_heap *heap, size_t size, size_t align,
		       gfp_t gfp, int nid)
{
	struct heap_node *node = heap_node_of(heap, nid);
	struct goalloc_span *span;
	struct span_shape shape;
	unsigned long flags;

	if (size > GOALLOC_MAX_SIZE || align > GOALLOC_MAX_SIZE)
		return NULL;
	/* The largest object has no room for a red zone. */
	shape = span_shape_large(DIV_ROUND_UP(min_t(size_t, size + heap->redzone,
						    GOALLOC_MAX_SIZE),
					      GOALLOC_PAGE_SIZE));
	shape.track_bytes = heap->track_bytes;
	if (!heap_charges(heap))
		gfp &= ~__GFP_ACCOUNT;
	span = heap_new_span(node, &shape, gfp);
	if (!span)
		return NULL;
	span->charged = gfp & __GFP_ACCOUNT;
	if (!heap_equip_large(node, span, max_t(u64, align >> GOALLOC_PAGE_SHIFT, 1),
			      gfp, nid)) {
		meta_free(&heap->meta, span, span_bytes(&shape));
		return NULL;
	}
	span->asked = size;
	span->bits.freeindex = 1;
	if (span->needzero && want_init_on_alloc(gfp) && !heap->harden) {
		sanitize_open((void *)span->base, span->elemsize);
		memset((void *)span->base, 0, span->elemsize);
	}
	sanitize_large(span, gfp);
	if (heap->harden)
		harden_arm(span, 0, size, gfp, span->needzero);
	span->state[0] = SLOT_LARGE;
	pagemap_set(&heap->space->map, span->page, span->npages, span);

	node = span->home;
	raw_spin_lock_irqsave(&node->lock, flags);
	list_add(&span->list, &node->large);
	node->large_pages += span->npages;
	node->large_asked += size;
	node->large_allocs++;
	raw_spin_unlock_irqrestore(&node->lock, flags);
	trace_span_alloc(span);
	return (void *)span->base;
}
GOALLOC_EXPORT_KUNIT(heap_alloc_large);

/**
 * heap_free_large - free a large object
 * @span: its span, whose slot the caller has in hand
 *
 * Context: Any context. In NMI the work is left for later.
 */
void heap_free_large(struct goalloc_span *span)
{
	struct span_shape shape = span_shape_large(span->npages);
	struct heap_node *node = span->home;
	unsigned long flags;
	bool poke, back;

	/*
	 * Charged pages do not wait for the next request. On PREEMPT_RT those that
	 * are freed where no page can be given back do all the same.
	 */
	back = span->charged && (!IS_ENABLED(CONFIG_PREEMPT_RT) || preemptible());
	shape.track_bytes = node->heap->track_bytes;
	if (in_nmi()) {
		sanitize_pages(node, span->page, span->npages, true);
		WRITE_ONCE(span->state[0], SLOT_DEFERRED);
		llist_add(&span->deferred, &node->deferred);
		return;
	}
	WRITE_ONCE(span->state[0], SLOT_FREE);
	if (unlikely(!sanity_mapped(span))) {
		sanity_fail(node, "page map", "its pages name another span",
			    SAFE_NO_BIN, span);
		return;
	}
	/* A hardened heap has done that when it was freed. */
	if (want_init_on_free() && !node->heap->harden) {
		sanitize_open((void *)span->base, span->elemsize);
		memset((void *)span->base, 0, span->elemsize);
	}
	sanitize_span_end(span);
	sanitize_pages(node, span->page, span->npages, true);
	trace_span_free(span);
	pagemap_set(&node->heap->space->map, span->page, span->npages, NULL);
	raw_spin_lock_irqsave(&node->lock, flags);
	if (unlikely(!sanity_list(&span->list))) {
		sanity_fail(node, "list of large objects", "its neighbours do not know it",
			    SAFE_NO_BIN, span);
		raw_spin_unlock_irqrestore(&node->lock, flags);
		/* It is still there. */
		pagemap_set(&node->heap->space->map, span->page, span->npages, span);
		return;
	}
	list_del_init(&span->list);
	node->large_pages -= span->npages;
	node->large_asked -= span->asked;
	node->large_frees++;
	palloc_free(&node->palloc, span->page, span->npages);
	back = back && sanity_tree(node);
	if (back) {
		palloc_disown(&node->palloc, span->page, span->npages);
		node->released += span->npages;
	}
	account_sync(node);
	poke = READ_ONCE(scavenger_parked);
	sanity_tree(node);
	raw_spin_unlock_irqrestore(&node->lock, flags);
	if (back) {
		sanitize_pages(node, span->page, span->npages, false);
		heap_put(node->heap, span->page, span->npages);
	}
	if (unlikely(poke))
		scavenger_unpark();
	meta_forget(&node->heap->meta, span, span_bytes(&shape));
	kfree_rcu(span, rcu);
}
GOALLOC_EXPORT_KUNIT(heap_free_large);
