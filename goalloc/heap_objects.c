// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the heap of an object cache does that others do not: it constructs the slots
 * of a new span, and where objects may be looked at while they are free it lets
 * spans that have become free wait for a grace period before their pages can be
 * anything else.
 *
 * Locks: none; retiring is called when the central's has been dropped.
 */
#include <linux/sched.h>

#include "heap_objects.h"
#include "sanitize.h"

/**
 * heap_objects_construct - construct the slots of a new span
 * @span: the span, not in the page map yet, of a heap with objects
 *
 * Context: That of an allocation.
 */
void heap_objects_construct(struct goalloc_span *span)
{
	const struct heap_objects *ho = span->home->heap->objects;
	unsigned int slot;

	if (!ho->ctor || span->bin != ho->bin)
		return;
	for (slot = 0; slot < span->bits.nelems; slot++) {
		void *obj = (void *)span_slot_addr(span, slot);

		sanitize_open(obj, span->elemsize);
		ho->ctor(obj);
	}
	sanitize_span(span);
}

static void retired_over(struct llist_node *list)
{
	struct goalloc_span *span, *next;

	llist_for_each_entry_safe(span, next, list, deferred) {
		atomic64_sub(span->npages, &span->home->apart);
		heap_free_span(span);
		cond_resched();
	}
}

/**
 * heap_objects_retire - free a span after a grace period
 * @span: span in no list, all of whose slots are free, of a heap that is type-safe
 *
 * Context: Any but NMI.
 */
void heap_objects_retire(struct goalloc_span *span)
{
	struct heap_objects *ho = span->home->heap->objects;

	atomic64_add(span->npages, &span->home->apart);
	rcu_batch_add(&ho->retired, &span->deferred);
}

/**
 * heap_objects_init - let a heap be one of an object cache
 * @heap: the heap, used by nobody yet
 * @bin: the bin of the objects
 * @ctor: called for every slot of a new span, or NULL
 * @typesafe: spans that have become free wait for a grace period
 *
 * Context: Process context, may sleep.
 * Return: 0 or -ENOMEM.
 */
int heap_objects_init(struct goalloc_heap *heap, unsigned int bin,
		      void (*ctor)(void *obj), bool typesafe)
{
	struct heap_objects *ho;

	ho = meta_zalloc(&heap->meta, sizeof(*ho), GFP_KERNEL, NUMA_NO_NODE);
	if (!ho)
		return -ENOMEM;
	ho->ctor = ctor;
	ho->bin = bin;
	ho->typesafe = typesafe;
	rcu_batch_init(&ho->retired, retired_over);
	heap->objects = ho;
	return 0;
}

/**
 * heap_objects_end - the heap ends: wait for what waits, and be like others
 * @heap: the heap, drained and used by nobody
 *
 * Context: Process context, may sleep.
 */
void heap_objects_end(struct goalloc_heap *heap)
{
	struct heap_objects *ho = heap->objects;

	if (!ho)
		return;
	if (ho->typesafe)
		rcu_batch_wait(&ho->retired);
	heap->objects = NULL;
	meta_free(&heap->meta, ho, sizeof(*ho));
}
