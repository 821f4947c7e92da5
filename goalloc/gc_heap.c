// SPDX-License-Identifier: GPL-2.0-only
/*
 * Collected heaps: made, ended and counted.
 *
 * Below each is an ordinary heap: its pages, spans, limits and ledger. Its centrals and
 * caches are not used, so nothing can be allocated from it or freed to it but by what is
 * here.
 *
 * A CPU that goes leaves its spans; the next collection takes them back.
 *
 * Locks: gc->world, when a heap ends.
 */
#include <linux/slab.h>

#include <goalloc_stats.h>

#include "api.h"
#include "cache.h"
#include "compat.h"
#include "debugfs.h"
#include "detour.h"
#include "gc.h"
#include "stats.h"

static void gc_init_sets(struct goalloc_gc *gc)
{
	unsigned int cpu, sc;
	int i;

	for (sc = 0; sc < GC_SPANCLASSES; sc++) {
		spin_lock_init(&gc->central[sc].lock);
		for (i = 0; i < 2; i++) {
			INIT_LIST_HEAD(&gc->central[sc].partial[i]);
			INIT_LIST_HEAD(&gc->central[sc].full[i]);
		}
	}
	for_each_possible_cpu(cpu) {
		struct gc_cpu *c = per_cpu_ptr(gc->cpus, cpu);

		spin_lock_init(&c->lock);
		gc_work_init(gc, &c->work);
		for (sc = 0; sc < GC_SPANCLASSES; sc++)
			c->span[sc] = &cache_no_span;
	}
	for (i = 0; i < 2; i++)
		init_llist_head(&gc->large[i]);
}

static void gc_init(struct goalloc_gc *gc, const struct goalloc_gc_attr *attr)
{
	mutex_init(&gc->cycle);
	spin_lock_init(&gc->large_lock);
	spin_lock_init(&gc->work_lock);
	spin_lock_init(&gc->roots_lock);
	spin_lock_init(&gc->assist_lock);
	INIT_LIST_HEAD(&gc->assists);
	init_waitqueue_head(&gc->work_wait);
	init_waitqueue_head(&gc->idle_wait);
	INIT_LIST_HEAD(&gc->full);
	INIT_LIST_HEAD(&gc->empty);
	INIT_LIST_HEAD(&gc->roots);
	INIT_LIST_HEAD(&gc->scans);
	INIT_LIST_HEAD(&gc->areas);
	INIT_LIST_HEAD(&gc->handles);
	INIT_LIST_HEAD(&gc->weaks);
	INIT_LIST_HEAD(&gc->finals);
	INIT_LIST_HEAD(&gc->final_queue);
	INIT_LIST_HEAD(&gc->parked);
	kthread_init_work(&gc->cycle_work, gc_cycle);
	kthread_init_work(&gc->final_work, gc_finalizers);
	kthread_init_delayed_work(&gc->periodic, gc_periodic);
	gc->period = GC_PERIOD_SECONDS * HZ;
	spin_lock_init(&gc->limiter_lock);
	gc_limiter_init(&gc->limiter, ktime_get_ns(), num_online_cpus());
	gc->colour = SLOT_COLOUR_A;
	gc->sweepgen = 4;
	gc->max_bufs = UINT_MAX;
	gc->made = ktime_get();
	gc->percent = attr && attr->percent ? attr->percent : 100;
	gc->flags = attr ? attr->flags : 0;
	gc->track_bytes = gc->flags & (GOALLOC_GC_EXPLICIT | GOALLOC_GC_ORIGINS) ?
			  sizeof(struct gc_origin) : sizeof(u16);
	/* There is nothing for it to free. */
	if (gc->flags & GOALLOC_GC_EXPLICIT)
		gc->percent = GOALLOC_GC_OFF;
	gc_pace_init(gc, attr);
}

/* What a heap that nobody uses has beside its spans; any part of it may be missing. */
static void gc_dismantle(struct goalloc_gc *gc)
{
	if (!IS_ERR_OR_NULL(gc->collector))
		kthread_destroy_worker(gc->collector);
	if (!IS_ERR_OR_NULL(gc->finalizer))
		kthread_destroy_worker(gc->finalizer);
	gc_markers_put(gc);
	if (gc->heap) {
		gc_roots_forget(gc);
		gc_leaks_forget(gc);
		gc_work_trim(gc, 0);
	}
	gc_world_end(&gc->world);
	free_percpu(gc->cpus);
	kvfree(gc->central);
	kvfree(gc->records);
	kfree(gc);
}

static const char *gc_attr_wrong(const struct goalloc_gc_attr *attr)
{
	if (attr && attr->percent < GOALLOC_GC_OFF)
		return "its percentage must be GOALLOC_GC_OFF, 0 for 100, or more";
	if (attr && attr->flags & ~GOALLOC_GC_FLAGS)
		return "it has flags that are not there";
	return NULL;
}

/* See <goalloc_gc.h> for this and what follows. */
struct goalloc_gc *goalloc_gc_create(const char *name, const struct goalloc_gc_attr *attr)
{
	struct goalloc_heap_attr heap_attr = {
		.limit = attr ? attr->limit : 0,
		.soft_limit = attr ? attr->soft_limit : 0,
	};
	const char *wrong = gc_attr_wrong(attr);
	struct goalloc_heap *heap;
	struct goalloc_gc *gc;
	int err = -ENOMEM;

	if (wrong) {
		report_bad_attr(wrong, _RET_IP_);
		return ERR_PTR(-EINVAL);
	}
	gc = kzalloc(sizeof(*gc), GFP_KERNEL);
	if (!gc)
		return ERR_PTR(-ENOMEM);
	gc_init(gc, attr);
	gc->cpus = alloc_percpu(struct gc_cpu);
	gc->central = kvcalloc(GC_SPANCLASSES, sizeof(*gc->central), GFP_KERNEL);
	gc->records = kvcalloc(GC_RECORDS, sizeof(*gc->records), GFP_KERNEL);
	if (!gc->cpus || !gc->central || !gc->records || gc_world_init(&gc->world) ||
	    gc_markers_get(gc))
		goto fail;
	gc_init_sets(gc);
	heap = api_heap_create(name, &heap_attr, _RET_IP_);
	if (IS_ERR(heap)) {
		err = PTR_ERR(heap);
		goto fail;
	}
	heap->track_bytes = gc->track_bytes;
	set_bit(ilog2(DETOUR_COLLECTED), &heap->detour);
	gc->heap = heap;
	err = gc->flags & GOALLOC_GC_ORIGINS ? harden_track_init() : 0;
	if (err)
		goto fail_heap;
	err = gc_work_fill(gc, num_possible_cpus());
	if (err)
		goto fail_heap;
	gc->collector = kthread_create_worker(0, "goalloc_gc/%s", heap->name);
	gc->finalizer = kthread_create_worker(0, "goalloc_fin/%s", heap->name);
	if (IS_ERR(gc->collector) || IS_ERR(gc->finalizer)) {
		err = IS_ERR(gc->collector) ? PTR_ERR(gc->collector) : PTR_ERR(gc->finalizer);
		goto fail_heap;
	}
	gc_types_get();
	gc_set_goal(gc, true);
	/* From here on statistics count what is here. */
	smp_store_release(&heap->gc, gc);
	debugfs_add_gc(heap);
	return gc;

fail_heap:
	gc_work_trim(gc, 0);
	heap_destroy(heap, true);
	gc->heap = NULL;
fail:
	gc_dismantle(gc);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(goalloc_gc_create);

/**
 * gc_end_heap - the heap below ends: free all its objects
 * @heap: the heap, which nobody uses
 *
 * Context: Process context, may sleep.
 */
void gc_end_heap(struct goalloc_heap *heap)
{
	struct goalloc_gc *gc = heap->gc;

	if (!gc)
		return;
	/*
	 * Its thread may be in the middle of a collection: let it end, and let no other
	 * begin, because finalizers that are still being called may allocate.
	 */
	mutex_lock(&gc->cycle);
	gc->ending = true;
	WRITE_ONCE(gc->trigger, U64_MAX);
	WRITE_ONCE(gc->heap_goal, U64_MAX);
	mutex_unlock(&gc->cycle);
	kthread_cancel_work_sync(&gc->final_work);
	kthread_cancel_work_sync(&gc->cycle_work);
	kthread_cancel_delayed_work_sync(&gc->periodic);
	gc_world_close(&gc->world);
	gc_world_wait(&gc->world);
	gc_free_all(gc);
	gc_world_start(&gc->world);
	heap->gc = NULL;
	gc_dismantle(gc);
	gc_types_put();
}

int goalloc_gc_destroy(struct goalloc_gc *gc)
{
	unsigned int left;

	if (IS_ERR_OR_NULL(gc))
		return 0;
	left = gc_roots_left(gc);
	if (left) {
		report_gc(gc, __func__,
			  "roots, scans, areas, handles or weak handles are left; take them back first",
			  _RET_IP_);
		return -EBUSY;
	}
	return heap_destroy(gc->heap, true);
}
EXPORT_SYMBOL_GPL(goalloc_gc_destroy);

struct goalloc_heap *goalloc_gc_heap(const struct goalloc_gc *gc)
{
	return gc->heap;
}
EXPORT_SYMBOL_GPL(goalloc_gc_heap);

void goalloc_gc_drain(struct goalloc_gc *gc)
{
	kthread_flush_work(&gc->final_work);
}
EXPORT_SYMBOL_GPL(goalloc_gc_drain);

/* One span class: slots that are free in sets, free on CPUs, and in all. */
static void gc_stats_class(struct goalloc_gc *gc, unsigned int sc, struct gc_sums *sums)
{
	struct span_shape shape = span_shape_small(spanclass_class(sc));
	struct gc_central *central = &gc->central[sc];
	u64 cached = 0, used = 0, spans, central_free;
	unsigned int cpu;

	spin_lock(&central->lock);
	spans = central->nr_spans;
	central_free = central->nr_free;
	sums->allocs += central->allocs;
	sums->frees += central->frees;
	spin_unlock(&central->lock);
	for_each_possible_cpu(cpu) {
		const struct goalloc_span *span;
		unsigned int unused;

		span = READ_ONCE(per_cpu_ptr(gc->cpus, cpu)->span[sc]);
		if (span == &cache_no_span)
			continue;
		/* Its CPU goes on allocating: a race by intention. */
		unused = data_race(span_bits_unused(&span->bits));
		cached += unused + READ_ONCE(span->bits.nr_freed);
		used += READ_ONCE(span->lent) - unused;
	}
	sums->allocs += used;
	sums->cached += cached * shape.elemsize;
	sums->central += central_free * shape.elemsize;
	sums->live += (spans * shape.nelems - cached - central_free) * shape.elemsize;
	sums->tail += spans * ((shape.npages << GOALLOC_PAGE_SHIFT) -
			       shape.elemsize * shape.nelems);
}

/**
 * gc_stats_sum - add up a collected heap, but for large objects
 * @gc: the heap
 * @sums: what to fill in
 *
 * Context: Process context.
 */
void gc_stats_sum(struct goalloc_gc *gc, struct gc_sums *sums)
{
	unsigned int sc;

	*sums = (struct gc_sums){};
	for (sc = 2; sc < GC_SPANCLASSES; sc++)
		gc_stats_class(gc, sc, sums);
}

void goalloc_gc_get_stats(struct goalloc_gc *gc, struct goalloc_gc_stats *st)
{
	struct goalloc_stats all;
	unsigned int cpu;

	goalloc_heap_stats(gc->heap, &all);
	*st = (struct goalloc_gc_stats){
		.cycles = READ_ONCE(gc->cycles),
		.forced = READ_ONCE(gc->forced),
		.heap_live = atomic64_read(&gc->heap_live),
		.heap_marked = READ_ONCE(gc->heap_marked),
		.heap_goal = READ_ONCE(gc->heap_goal),
		.allocs = all.allocs,
		.frees = all.frees,
		.live_objects = all.live_objects,
		.live_bytes = all.live_bytes,
		.finalized = READ_ONCE(gc->finalized),
		.stop_ns = READ_ONCE(gc->stop_ns),
		.stop_total_ns = READ_ONCE(gc->stop_total_ns),
		.mark_ns = READ_ONCE(gc->mark_ns),
		.assist_ns = READ_ONCE(gc->assist_total_ns),
		.bad_pointers = atomic64_read(&gc->bad_pointers),
	};
	for_each_possible_cpu(cpu)
		st->tiny_allocs += READ_ONCE(per_cpu_ptr(gc->cpus, cpu)->tiny_allocs);
}
EXPORT_SYMBOL_GPL(goalloc_gc_get_stats);
