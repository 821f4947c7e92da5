// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects that heaps in safe mode have from kmalloc().
 *
 * They keep what goalloc promises of its own: size and alignment, that every
 * free is checked, and that gosize(), gorealloc(), goalloc_owns() and gokvfree()
 * know them. So each has a record, found by address in an xarray.
 *
 * A record says who may free the object: whoever changes @freed from 0 to 1.
 * Looking up takes no lock, so it works in NMI as well; records are freed by
 * RCU for its sake. Where the xarray's lock and kfree() are out of bounds (NMI;
 * on PREEMPT_RT everything that cannot be preempted) the record goes on a
 * lock-free list, and an irq_work does the rest.
 *
 * Locks: the xarray's (irqs off, spinlock), alone.
 */
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/llist.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "fault.h"
#include "guard.h"
#include "safe.h"
#include "sanity.h"

/**
 * struct safe_object - an object from kmalloc()
 * @heap: heap it was asked of
 * @p: the object
 * @size: bytes that may be used
 * @bytes: bytes asked of kmalloc()
 * @freed: 0 while it lives; changed once, by whoever frees it
 * @later: place in safe_later
 * @rcu: frees the record when nobody can be looking at it
 */
struct safe_object {
	struct goalloc_heap *heap;
	void *p;
	size_t size;
	size_t bytes;
	atomic_t freed;
	struct llist_node later;
	struct rcu_head rcu;
};

/* Every object is at least so long, and so aligned. */
#define SAFE_MIN_SHIFT 4

/* By address, shifted right by SAFE_MIN_SHIFT. */
static DEFINE_XARRAY_FLAGS(safe_objects, XA_FLAGS_LOCK_IRQ);

/* Freed, and still to be taken out; no lock. */
static LLIST_HEAD(safe_later);

static unsigned long safe_index(const void *p)
{
	return (unsigned long)p >> SAFE_MIN_SHIFT;
}

/* The record of an object, freed or not. RCU read section. */
static struct safe_object *safe_find(const void *p)
{
	struct safe_object *obj = xa_load(&safe_objects, safe_index(p));

	return obj && obj->p == p ? obj : NULL;
}

/* May nothing be locked, allocated or freed here? */
static bool safe_bound(void)
{
	return in_nmi() ||
	       ((IS_ENABLED(CONFIG_PREEMPT_RT) ||
		 IS_ENABLED(CONFIG_PROVE_RAW_LOCK_NESTING)) && !preemptible());
}

/* Free an object; the caller is who may. */
static void safe_drop(struct safe_object *obj)
{
	struct goalloc_heap *heap = obj->heap;
	unsigned long flags;

	/* Out of the xarray before kmalloc() can hand it out again. */
	xa_lock_irqsave(&safe_objects, flags);
	__xa_erase(&safe_objects, safe_index(obj->p));
	xa_unlock_irqrestore(&safe_objects, flags);
	kfree(obj->p);
	atomic64_dec(&heap->safe.objects);
	atomic64_sub(obj->bytes, &heap->safe.bytes);
	meta_forget(&heap->meta, obj, sizeof(*obj));
	kfree_rcu(obj, rcu);
}

static void safe_drop_later(struct irq_work *work)
{
	struct safe_object *obj, *next;

	llist_for_each_entry_safe(obj, next, llist_del_all(&safe_later), later)
		safe_drop(obj);
}

/* On PREEMPT_RT it runs in a thread. */
static struct irq_work safe_later_work = IRQ_WORK_INIT(safe_drop_later);

/* Take @bytes of the heap's limit, which whoever must not fail may pass. */
static bool safe_charge(struct goalloc_heap *heap, size_t bytes, bool nofail)
{
	u64 all = atomic64_add_return(bytes, &heap->safe.bytes);

	all += atomic64_read(&heap->held) << GOALLOC_PAGE_SHIFT;
	if (!heap->limit || nofail || all <= heap->limit << GOALLOC_PAGE_SHIFT)
		return true;
	atomic64_sub(bytes, &heap->safe.bytes);
	return false;
}

static void *safe_try(struct goalloc_heap *heap, size_t bytes, size_t usable,
		      gfp_t gfp, int nid)
{
	struct safe_object *obj;
	unsigned long flags;
	int err;

	if (fault_fails(gfp, bytes))
		return NULL;
	obj = meta_zalloc(&heap->meta, sizeof(*obj), gfp, NUMA_NO_NODE);
	if (!obj)
		return NULL;
	obj->heap = heap;
	obj->size = usable;
	obj->bytes = bytes;
	obj->p = goalloc_kmalloc_node(bytes, gfp, nid);
	if (!obj->p)
		goto fail;
	/* Drops the lock and enables interrupts to allocate, if @gfp may sleep. */
	xa_lock_irqsave(&safe_objects, flags);
	err = xa_err(__xa_store(&safe_objects, safe_index(obj->p), obj,
				gfp & META_GFP_MASK));
	xa_unlock_irqrestore(&safe_objects, flags);
	if (!err)
		return obj->p;
	kfree(obj->p);
fail:
	meta_free(&heap->meta, obj, sizeof(*obj));
	return NULL;
}

/**
 * safe_alloc - allocate an object of a heap in safe mode
 * @heap: the heap
 * @size: bytes requested, not 0
 * @usable: bytes that gosize() is to tell, @size or more
 * @align: alignment in bytes, a power of two, or 0 for what goalloc() promises
 * @gfp: as for goalloc()
 * @nid: preferred node
 *
 * What must not fail comes from kmalloc() whatever the parameter says.
 *
 * Context: Any context that @gfp allows; none in NMI, nor on PREEMPT_RT where
 *          the caller cannot be preempted.
 * Return: the object or NULL.
 */
void *safe_alloc(struct goalloc_heap *heap, size_t size, size_t usable,
		 size_t align, gfp_t gfp, int nid)
{
	gfp_t zones = heap->gfp & (__GFP_DMA | __GFP_DMA32);
	bool nofail = gfp & __GFP_NOFAIL && gfpflags_allow_blocking(gfp);
	size_t bytes;
	void *p;

	if (size > GOALLOC_MAX_SIZE || align > GOALLOC_MAX_SIZE || safe_bound() ||
	    (!nofail && !safe_uses_kmalloc()) ||
	    (zones && !IS_ENABLED(CONFIG_ZONE_DMA)))
		goto fail;
	/* A power of two is aligned to itself, whatever else kmalloc() promises. */
	bytes = roundup_pow_of_two(max3(usable, align, (size_t)BIT(SAFE_MIN_SHIFT)));
	gfp = (gfp | heap->gfp) & ~(__GFP_NOFAIL | __GFP_HIGHMEM | __GFP_DMA32 |
				    __GFP_MOVABLE | __GFP_ACCOUNT | __GFP_COMP);
	/* kmalloc() knows the lower of the two zones only. */
	if (zones)
		gfp |= __GFP_DMA;
	if (nofail)
		gfp |= __GFP_NOWARN;
	/* Nodes of an invented address space need not be the machine's. */
	if (nid < 0 || nid >= nr_node_ids || !node_online(nid))
		nid = NUMA_NO_NODE;

	if (!safe_charge(heap, bytes, nofail))
		goto fail;
	while (!(p = safe_try(heap, bytes, usable, gfp, nid)) && nofail)
		schedule_timeout_uninterruptible(1);
	if (p) {
		atomic64_inc(&heap->safe.objects);
		return p;
	}
	atomic64_sub(bytes, &heap->safe.bytes);
fail:
	atomic64_inc(&heap->nr_failed);
	return NULL;
}

/* Free it if it is from kmalloc(). False if it is not. */
static bool safe_free_object(struct goalloc_heap *heap, const void *p,
			     unsigned long caller)
{
	bool bound = safe_bound();
	struct safe_object *obj;

	rcu_read_lock();
	obj = safe_find(p);
	if (!obj) {
		rcu_read_unlock();
		return false;
	}
	if (obj->heap != heap || atomic_xchg(&obj->freed, 1)) {
		enum bad_free kind = obj->heap != heap ? BAD_FREE_HEAP : BAD_FREE_DOUBLE;

		rcu_read_unlock();
		report_bad_free(heap, p, NULL, 0, kind, caller);
		return true;
	}
	rcu_read_unlock();
	if (bound) {
		llist_add(&obj->later, &safe_later);
		irq_work_queue(&safe_later_work);
	} else {
		safe_drop(obj);
	}
	return true;
}

/**
 * safe_free - check and free any object of a heap in safe mode
 * @heap: the heap
 * @p: the object
 * @caller: call site, for reports
 *
 * An object from kmalloc() is freed. What the heap handed out before is counted
 * and left alone. Anything else is refused.
 *
 * Context: Any context.
 */
void safe_free(struct goalloc_heap *heap, const void *p, unsigned long caller)
{
	struct goalloc_span *span;
	enum bad_free kind = BAD_FREE_FOREIGN;
	struct goalloc_heap *of;

	if (safe_free_object(heap, p, caller))
		return;
	/* These have nothing to do with what is broken. */
	if (guard_owns(p)) {
		guard_free(heap, p, caller);
		return;
	}
	preempt_disable();
	span = pagemap_span(&heap->space->map, (unsigned long)p);
	if (span) {
		/* Whose it is may be what was overwritten. */
		of = sanity_heap_of(span);
		kind = BAD_FREE_HEAP;
		if (!of || of == heap) {
			atomic64_inc(&heap->safe.ignored);
			goto out;
		}
	}
	report_bad_free(heap, p, NULL, 0, kind, caller);
out:
	preempt_enable();
}

/**
 * safe_size - usable bytes of an object from kmalloc()
 * @heap: heap it has to be of, or NULL for any
 * @p: any address
 *
 * Context: Any context.
 * Return: bytes, or 0 if it is no live object from kmalloc().
 */
size_t safe_size(const struct goalloc_heap *heap, const void *p)
{
	struct safe_object *obj;
	size_t size = 0;

	rcu_read_lock();
	obj = safe_find(p);
	if (obj && (!heap || obj->heap == heap) && !atomic_read(&obj->freed))
		size = obj->size;
	rcu_read_unlock();
	return size;
}
GOALLOC_EXPORT_KUNIT(safe_size);

/**
 * safe_owns - is this an object from kmalloc() of some heap?
 * @p: any address
 *
 * Context: Any context.
 * Return: true if it is live.
 */
bool safe_owns(const void *p)
{
	return safe_size(NULL, p);
}
GOALLOC_EXPORT_KUNIT(safe_owns);

/**
 * safe_heap_of - the heap that an object from kmalloc() was asked of
 * @p: any address
 *
 * Context: Any context.
 * Return: the heap; NULL if it is no live object.
 */
struct goalloc_heap *safe_heap_of(const void *p)
{
	const struct safe_object *obj;
	struct goalloc_heap *heap = NULL;

	rcu_read_lock();
	obj = safe_find(p);
	if (obj && !atomic_read(&obj->freed))
		heap = obj->heap;
	rcu_read_unlock();
	return heap;
}

/**
 * safe_end_objects - count, or free, what a heap has from kmalloc()
 * @heap: the heap; nobody may be using it any more
 * @force: free it
 *
 * Context: Process context, may sleep.
 * Return: objects that were live.
 */
u64 safe_end_objects(struct goalloc_heap *heap, bool force)
{
	struct safe_object *obj;
	unsigned long index;
	u64 live = 0;

	irq_work_sync(&safe_later_work);
	xa_for_each(&safe_objects, index, obj) {
		if (obj->heap != heap)
			continue;
		live++;
		if (force && !atomic_xchg(&obj->freed, 1))
			safe_drop(obj);
		cond_resched();
	}
	return live;
}
GOALLOC_EXPORT_KUNIT(safe_end_objects);

/**
 * safe_exit - forget all objects that are left
 *
 * Their memory is still in use by whoever has not freed it.
 *
 * Context: Process context, may sleep; all heaps have ended.
 */
void safe_exit(void)
{
	struct safe_object *obj;
	unsigned long index;

	irq_work_sync(&safe_later_work);
	xa_for_each(&safe_objects, index, obj)
		kfree(obj);
	xa_destroy(&safe_objects);
}
