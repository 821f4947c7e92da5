// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps as instances: how they are made and how they end.
 *
 * Ordinary heaps share one address space, the direct map, and one page map, so
 * that it can be told whose object an address is. Each has its own page trees,
 * centrals and caches, so that ending it gives back everything it held.
 *
 * A heap that has ended leaves its structure behind for a while, see ended.c.
 * One that ended with live objects leaves everything that describes them, until
 * the module goes; one that was found broken leaves all of it for good.
 *
 * Locks: heaps_lock guards the lists of heaps (a mutex, never taken with
 * another goalloc lock held). For the rest see central.c and heap_pages.c.
 */
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "account.h"
#include "allocinfo.h"
#include "cache.h"
#include "compat.h"
#include "debugfs.h"
#include "detour.h"
#include "drain.h"
#include "ended.h"
#include "gc_heap.h"
#include "guard.h"
#include "harden.h"
#include "heap.h"
#include "heap_objects.h"
#include "profile.h"

static LIST_HEAD(heaps);
/* Those that ended with live objects. */
static LIST_HEAD(heaps_lost);
static DEFINE_MUTEX(heaps_lock);

struct heap_space goalloc_space;
GOALLOC_EXPORT_KUNIT(goalloc_space);

/**
 * heap_space_init - make an address space
 * @space: what to fill in; @space->source is set already
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int heap_space_init(struct heap_space *space)
{
	int err;

	err = node_order_init(&space->order, &space->source, &space->meta);
	if (err)
		return err;
	err = pagemap_init(&space->map, &space->meta, space->source.base,
			   space->source.nr_pages);
	if (err)
		node_order_destroy(&space->order, &space->meta);
	return err;
}
GOALLOC_EXPORT_KUNIT(heap_space_init);

/**
 * heap_space_destroy - end an address space
 * @space: one in which no heap lives any more
 *
 * Context: Process context.
 */
void heap_space_destroy(struct heap_space *space)
{
	pagemap_destroy(&space->map);
	node_order_destroy(&space->order, &space->meta);
}
GOALLOC_EXPORT_KUNIT(heap_space_destroy);

static void *heap_mem_zalloc(const struct palloc_mem *mem, size_t bytes, gfp_t gfp)
{
	struct goalloc_heap *heap = container_of(mem, struct goalloc_heap, mem);

	return meta_zalloc(&heap->meta, bytes, gfp, NUMA_NO_NODE);
}

static void heap_mem_free(const struct palloc_mem *mem, void *p, size_t bytes)
{
	struct goalloc_heap *heap = container_of(mem, struct goalloc_heap, mem);

	meta_free(&heap->meta, p, bytes);
}

/* One class for the nodes of all heaps. */
static struct lock_class_key heap_lock_class;

/*
 * Tell lockdep the order of the locks as it is documented, so that it objects
 * to the first function that takes them the other way round, whether or not
 * anybody comes by the right way.
 */
static void heap_teach_order(struct heap_node *node)
{
	unsigned long outer, inner;

	lockdep_assert_held(&heaps_lock);

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
		return;
	raw_spin_lock_irqsave(&node->central[0].lock, outer);
	raw_spin_lock_irqsave(&node->lock, inner);
	raw_spin_unlock_irqrestore(&node->lock, inner);
	raw_spin_unlock_irqrestore(&node->central[0].lock, outer);
}

static size_t heap_central_bytes(void)
{
	return GOALLOC_NR_BINS * sizeof(struct goalloc_central);
}

static void heap_free_node(struct goalloc_heap *heap, struct heap_node *node)
{
	if (node)
		meta_free(&heap->meta, node->central, heap_central_bytes());
	meta_free(&heap->meta, node, sizeof(*node));
}

static int heap_add_node(struct goalloc_heap *heap, int nid)
{
	struct heap_node *node;
	int bin;

	node = meta_zalloc(&heap->meta, sizeof(*node), GFP_KERNEL, nid);
	/* Not in one piece: kmalloc() would take twice as much for it. */
	if (node)
		node->central = meta_zalloc(&heap->meta, heap_central_bytes(), GFP_KERNEL, nid);
	if (!node || !node->central) {
		heap_free_node(heap, node);
		return -ENOMEM;
	}
	raw_spin_lock_init(&node->lock);
	lockdep_set_class_and_name(&node->lock, &heap_lock_class, "heap_node.lock");
	node->heap = heap;
	node->nid = nid;
	if (heap->space == &goalloc_space)
		node->pgdat = NODE_DATA(nid);
	INIT_LIST_HEAD(&node->large);
	init_llist_head(&node->deferred);
	for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
		central_init(&node->central[bin], node, bin);
	if (palloc_init(&node->palloc, &heap->mem, heap->space->source.nr_pages,
			GFP_KERNEL)) {
		heap_free_node(heap, node);
		return -ENOMEM;
	}
	/* What is given back is the kernel's, and no longer part of the tree. */
	node->palloc.release_disowns = true;
	heap_teach_order(node);
	/* Others may find the node from here on. */
	smp_store_release(&heap->node[nid], node);
	return 0;
}

static size_t heap_bytes(int nr_nodes)
{
	return struct_size((struct goalloc_heap *)NULL, node, nr_nodes);
}

static void heap_free_spares(struct goalloc_central *central)
{
	struct span_shape shape = span_shape_small(central->bin);
	struct goalloc_span *span, *next;

	shape.track_bytes = central->home->heap->track_bytes;
	list_for_each_entry_safe(span, next, &central->spare, list)
		meta_free(&central->home->heap->meta, span, span_bytes(&shape));
}

/*
 * From here on whoever uses the heap is refused. Nobody may be using it now, but
 * a bad free of somebody else's may be looking at its spans.
 */
static void heap_close(struct goalloc_heap *heap)
{
	struct goalloc_pcpu __percpu *cpus = heap->cpus;

	set_bit(ilog2(DETOUR_ENDED), &heap->detour);
	WRITE_ONCE(heap->cpus, ended_caches());
	/* The default heap's fast paths do not ask for heap->cpus. */
	cache_take_away(cpus);
	synchronize_rcu();
	drain_remove_heap(heap);
	cache_destroy_all(heap, cpus);
	free_percpu(heap->cpu_pages);
	heap->cpu_pages = NULL;
}

/* Free everything of a closed heap that holds no pages, but not itself. */
static void heap_dismantle(struct goalloc_heap *heap)
{
	struct heap_node *node, *next;
	int bin;

	for (node = heap_first_node(heap); node; node = next) {
		next = heap_next_node(node);
		account_forget(node);
		for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
			heap_free_spares(&node->central[bin]);
		palloc_destroy(&node->palloc);
		heap->node[node->nid] = NULL;
		heap_free_node(heap, node);
	}
	harden_destroy(heap);
}

/**
 * heap_create - make a heap
 * @name: name
 * @attr: attributes, or NULL
 * @space: address space to live in
 *
 * Context: Process context, may sleep.
 * Return: the heap or an ERR_PTR().
 */
struct goalloc_heap *heap_create(const char *name,
				 const struct goalloc_heap_attr *attr,
				 struct heap_space *space)
{
	struct goalloc_heap *heap;
	int nr_nodes = space->source.nr_nodes;
	int nid, err = -ENOMEM;

	heap = kzalloc(heap_bytes(nr_nodes), GFP_KERNEL);
	if (!heap)
		return ERR_PTR(-ENOMEM);
	strscpy(heap->name, name, sizeof(heap->name));
	heap->space = space;
	heap->mem.zalloc = heap_mem_zalloc;
	heap->mem.free = heap_mem_free;
	heap->nr_nodes = nr_nodes;
	INIT_LIST_HEAD(&heap->all);
	safe_init_heap(heap);
	if (attr) {
		heap->gfp = attr->gfp;
		heap->limit = attr->limit >> GOALLOC_PAGE_SHIFT;
		heap->soft_limit = attr->soft_limit >> GOALLOC_PAGE_SHIFT;
		heap->cache_max = attr->cache_max;
		if (attr->harden & GOALLOC_HARDEN_GUARD)
			heap->detour |= DETOUR_GUARDED;
	}
	heap->track_bytes = ALLOCINFO_BYTES;
	if (attr && attr->harden & HARDEN_FLAGS) {
		err = harden_create(heap, attr);
		if (err) {
			heap_dismantle(heap);
			return ERR_PTR(err);
		}
	}
	/*
	 * Held throughout, so that the space does not grow past a new heap, nor a
	 * parameter is changed.
	 */
	mutex_lock(&heaps_lock);
	heap->cache_share = room_share(heap);
	for (nid = 0; nid < nr_nodes; nid++) {
		/* An invented address space has all its nodes. */
		if (space == &goalloc_space && !node_state(nid, N_NORMAL_MEMORY))
			continue;
		err = heap_add_node(heap, nid);
		if (err)
			goto fail;
	}
	err = -ENOMEM;
	heap->cpu_pages = alloc_percpu(struct cpu_pages);
	if (!heap->cpu_pages)
		goto fail;
	err = cache_init_all(heap);
	if (err)
		goto fail;
	err = drain_add_heap(heap);
	if (err)
		goto fail;
	list_add_tail(&heap->all, &heaps);
	mutex_unlock(&heaps_lock);
	return heap;

fail:
	mutex_unlock(&heaps_lock);
	heap_close(heap);
	heap_dismantle(heap);
	kfree(heap);
	return ERR_PTR(err);
}
GOALLOC_EXPORT_KUNIT(heap_create);

/**
 * heap_nearest - the nearest node to another that has memory
 * @heap: the heap
 * @nid: any number; one that no node has stands for the local node
 *
 * Context: Any context.
 * Return: a node of the heap.
 */
struct heap_node *heap_nearest(const struct goalloc_heap *heap, int nid)
{
	struct heap_node *node;
	int i;

	if (nid < 0 || nid >= heap->nr_nodes)
		nid = numa_mem_id();
	/* An invented address space may have fewer nodes than the machine. */
	if (nid < heap->nr_nodes) {
		for (i = 0; i < heap->nr_nodes; i++) {
			node = heap_near(heap, nid, i);
			if (node && !READ_ONCE(node->gone))
				return node;
		}
	}
	return heap_first_node(heap);
}
GOALLOC_EXPORT_KUNIT(heap_nearest);

/* Make a heap's trees as long as the space is going to be. */
static int heap_extend(struct goalloc_heap *heap, u64 nr_pages, int new_nid)
{
	struct palloc_space *next;
	struct heap_node *node;
	unsigned long flags;
	int err;

	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		if (nr_pages <= palloc_nr_pages(&node->palloc))
			continue;
		err = palloc_extend_prepare(&node->palloc, nr_pages, GFP_KERNEL, &next);
		if (err)
			return err;
		raw_spin_lock_irqsave(&node->lock, flags);
		palloc_extend_commit(&node->palloc, next);
		raw_spin_unlock_irqrestore(&node->lock, flags);
	}
	if (new_nid >= 0 && new_nid < heap->nr_nodes && !heap->node[new_nid])
		return heap_add_node(heap, new_nid);
	return 0;
}

/**
 * heap_space_extend - make an address space longer
 * @space: the space
 * @end: first address behind it
 * @new_nid: node that gets its first memory, or a negative number
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM; then the space is as long as it was.
 */
int heap_space_extend(struct heap_space *space, unsigned long end, int new_nid)
{
	struct goalloc_heap *heap;
	u64 nr_pages = space->source.nr_pages;
	int err;

	mutex_lock(&heaps_lock);
	if (end > space->source.base)
		nr_pages = max_t(u64, nr_pages,
				 (end - space->source.base) >> GOALLOC_PAGE_SHIFT);
	nr_pages = round_up(nr_pages, ARENA_LEAF_PAGES * ARENA_LEAVES);
	node_order_sort(&space->order, &space->source);
	err = pagemap_extend(&space->map, nr_pages);
	list_for_each_entry(heap, &heaps, all) {
		if (err)
			break;
		if (heap->space == space)
			err = heap_extend(heap, nr_pages, new_nid);
	}
	/* Last: from here on the source may hand out the new pages. */
	if (!err)
		WRITE_ONCE(space->source.nr_pages, nr_pages);
	mutex_unlock(&heaps_lock);
	return err;
}
GOALLOC_EXPORT_KUNIT(heap_space_extend);

/**
 * heap_space_refresh - see which nodes have memory now
 * @space: an address space over the machine's nodes
 *
 * A node that has lost all its memory is no longer preferred by anybody, from
 * the next slow path on. One that has got some again is.
 *
 * Context: Process context, may sleep.
 */
void heap_space_refresh(struct heap_space *space)
{
	struct goalloc_heap *heap;
	struct heap_node *node;

	mutex_lock(&heaps_lock);
	list_for_each_entry(heap, &heaps, all) {
		if (heap->space != space)
			continue;
		for (node = heap_first_node(heap); node; node = heap_next_node(node))
			WRITE_ONCE(node->gone, !node_state(node->nid, N_NORMAL_MEMORY));
	}
	mutex_unlock(&heaps_lock);
}

/* Free every span in a list, objects or not. */
static void heap_free_list(struct list_head *list)
{
	struct goalloc_span *span, *next;

	list_for_each_entry_safe(span, next, list, list) {
		allocinfo_end_span(span);
		if (span->kind == SPAN_LARGE) {
			heap_free_large(span);
		} else {
			list_del_init(&span->list);
			heap_free_span(span);
		}
	}
}

/*
 * Nobody uses the heap and its caches are drained, so its lists may be walked
 * without their locks.
 */
static void heap_free_objects(struct heap_node *node)
{
	int bin, i;

	for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
		struct goalloc_central *central = &node->central[bin];

		for (i = 0; i < CENTRAL_BUCKETS; i++)
			heap_free_list(&central->partial[i]);
		heap_free_list(&central->full);
	}
	heap_free_list(&node->large);
}

/*
 * A heap that has ended: only one that was left behind with live objects can be
 * ended once more, by force.
 */
static int heap_destroy_again(struct goalloc_heap *heap, bool force)
{
	struct heap_node *node;

	if (!force || safe_is_on(heap) || !heap_first_node(heap)) {
		ended_destroy(heap);
		return -EINVAL;
	}
	mutex_lock(&heaps_lock);
	list_del_init(&heap->all);
	mutex_unlock(&heaps_lock);
	guard_end_heap(heap, true);
	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		heap_free_objects(node);
		heap_scavenge(node, U64_MAX, true);
	}
	heap_dismantle(heap);
	heap->space = &goalloc_space;
	ended_keep(heap);
	return 0;
}

/**
 * heap_destroy - end a heap
 * @heap: the heap; nobody may be using it any more
 * @force: take live objects' memory back as well
 *
 * Context: Process context, may sleep.
 * Return: 0; -EBUSY if live objects were left, then what describes them is left
 *         as well, so that a late free is told from a foreign one; -EBUSY also
 *         if the heap was found broken; -EINVAL if it has ended before, unless
 *         that left live objects and @force takes them back now.
 */
int heap_destroy(struct goalloc_heap *heap, bool force)
{
	struct heap_node *node;
	u64 guarded, lost = 0;
	int bin;

	if (READ_ONCE(heap->detour) & DETOUR_ENDED)
		return heap_destroy_again(heap, force);
	debugfs_remove_heap(heap);
	mutex_lock(&heaps_lock);
	list_del_init(&heap->all);
	mutex_unlock(&heaps_lock);

	/* Nobody finds the heap to ask for more. */
	gc_end_heap(heap);
	drain_remove_heap(heap);
	profile_end_heap(heap);
	if (safe_is_on(heap)) {
		set_bit(ilog2(DETOUR_ENDED), &heap->detour);
		guard_end_heap(heap, force);
		harden_destroy(heap);
		heap_objects_end(heap);
		safe_end_heap(heap, force);
		return -EBUSY;
	}
	if (heap->harden)
		harden_end(heap);
	cache_drain_all(heap);
	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		for (bin = 0; bin < GOALLOC_NR_BINS; bin++)
			central_drain_deferred(&node->central[bin]);
		heap_drain_deferred(node);
	}
	heap_objects_end(heap);
	if (!force)
		report_leaks(heap);
	guarded = guard_end_heap(heap, force);
	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		if (force)
			heap_free_objects(node);
		heap_scavenge(node, U64_MAX, true);
		lost += node->palloc.nr_owned;
	}
	/* Broken, as it turned out on the way. */
	if (safe_is_on(heap)) {
		set_bit(ilog2(DETOUR_ENDED), &heap->detour);
		harden_destroy(heap);
		safe_end_heap(heap, force);
		return -EBUSY;
	}
	heap_close(heap);
	if (lost)
		report_lost(heap, lost);
	if (lost || guarded) {
		mutex_lock(&heaps_lock);
		list_add(&heap->all, &heaps_lost);
		mutex_unlock(&heaps_lock);
		return -EBUSY;
	}
	heap_dismantle(heap);
	/* The one of a test may go before its heap is forgotten. */
	heap->space = &goalloc_space;
	ended_keep(heap);
	return 0;
}
GOALLOC_EXPORT_KUNIT(heap_destroy);

/* Free the structures of live objects' spans; their pages are lost. */
static void heap_forget_list(struct goalloc_heap *heap, struct list_head *list)
{
	struct goalloc_span *span, *next;

	list_for_each_entry_safe(span, next, list, list) {
		struct span_shape shape = span->kind == SPAN_LARGE ?
					  span_shape_large(span->npages) :
					  span_shape_small(span->bin);

		shape.track_bytes = heap->track_bytes;
		meta_free(&heap->meta, span, span_bytes(&shape));
	}
}

static void heap_forget(struct goalloc_heap *heap)
{
	struct heap_node *node;
	int bin, i;

	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
			for (i = 0; i < CENTRAL_BUCKETS; i++)
				heap_forget_list(heap, &node->central[bin].partial[i]);
			heap_forget_list(heap, &node->central[bin].full);
		}
		heap_forget_list(heap, &node->large);
	}
	heap_dismantle(heap);
	kfree(heap);
}

/**
 * heap_exit - end all heaps: the module goes
 *
 * Nobody can use or free anything from here on, so what described objects that
 * were never freed goes as well; their pages do not.
 *
 * Context: Process context, may sleep; debugfs has none of them any more.
 * Return: 0, or -EBUSY if pages were left behind.
 */
int heap_exit(void)
{
	struct goalloc_heap *heap, *next;
	int err = 0;

	while (!list_empty(&heaps)) {
		heap = list_first_entry(&heaps, struct goalloc_heap, all);
		if (heap != goalloc_default)
			report_forgotten(heap);
		heap->dir = NULL;
		err = heap_destroy(heap, false) ?: err;
	}
	list_for_each_entry_safe(heap, next, &heaps_lost, all) {
		heap_forget(heap);
		err = -EBUSY;
	}
	safe_exit();
	ended_exit();
	return err;
}

/**
 * heap_for_each - call a function for every heap
 * @fn: the function; may sleep
 * @arg: its second argument
 *
 * Context: Process context, may sleep.
 */
void heap_for_each(void (*fn)(struct goalloc_heap *heap, void *arg), void *arg)
{
	struct goalloc_heap *heap;

	mutex_lock(&heaps_lock);
	list_for_each_entry(heap, &heaps, all)
		fn(heap, arg);
	mutex_unlock(&heaps_lock);
}
GOALLOC_EXPORT_KUNIT(heap_for_each);

/**
 * heap_try_for_each - call a function for every heap, unless that means waiting
 * @fn: the function
 * @arg: its second argument
 *
 * Context: Process context, in reclaim, too, if @fn is right there.
 * Return: false if the list of heaps is locked; then nothing was called.
 */
bool heap_try_for_each(void (*fn)(struct goalloc_heap *heap, void *arg), void *arg)
{
	struct goalloc_heap *heap;

	if (!mutex_trylock(&heaps_lock))
		return false;
	list_for_each_entry(heap, &heaps, all)
		fn(heap, arg);
	mutex_unlock(&heaps_lock);
	return true;
}
