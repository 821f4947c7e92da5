// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaks: objects that nothing reaches, in a heap whose objects their owners free.
 *
 * The heap is marked from its roots while everybody is stopped, as a collection would
 * do it. What is not marked is not freed but given the heap's colour like the rest, and
 * its record counts by how many scans in a row it was missed. From the second on it is
 * a leak: a pointer that was for a moment in a variable the collector does not know of
 * is not there both times. There is no guessing in it, other than in the kernel's own
 * kmemleak: types say where the pointers are, and nothing else is taken for one.
 *
 * Locks: gc->cycle, gc->world.
 */
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "compat.h"
#include "gc.h"

/* Leaks that can be told one by one; more are counted. */
#define GC_LEAKS_MAX 1024

/* An object that was missed so often is a leak. */
#define GC_LEAK_MISSED 2

static void gc_leaks_note(struct goalloc_gc *gc, struct goalloc_span *span,
			  unsigned int slot)
{
	const struct gc_origin *origin = gc_origin(gc, span, slot);
	struct gc_leaks *leaks = &gc->leaks;

	leaks->found++;
	leaks->bytes += span->elemsize;
	if (leaks->nr == GC_LEAKS_MAX)
		return;
	leaks->leak[leaks->nr++] = (struct gc_leak){
		.obj = (void *)span_slot_addr(span, slot),
		.type = gc_type(origin->type),
		.size = span->elemsize,
		.missed = origin->missed,
		.event = origin->event,
	};
}

/* After marking: what was missed, and how often. */
static void gc_leaks_span(struct goalloc_span *span, void *arg)
{
	struct goalloc_gc *gc = arg;
	unsigned int slot;

	for (slot = 0; slot < span->bits.nelems; slot++) {
		struct gc_origin *origin = gc_origin(gc, span, slot);

		if (gc_is_marked(gc, span, slot)) {
			origin->missed = 0;
			continue;
		}
		if (READ_ONCE(span->state[slot]) != gc_other_colour(gc->colour))
			continue;
		WRITE_ONCE(span->state[slot], gc->colour);
		if (origin->missed == GC_MISSED_KNOWN)
			continue;
		if (origin->missed < GC_MISSED_KNOWN - 1)
			origin->missed++;
		if (origin->missed >= GC_LEAK_MISSED)
			gc_leaks_note(gc, span, slot);
	}
}

/**
 * gc_leaks_scan - look for leaks
 * @gc: a heap with origins
 *
 * Context: Process context, may sleep; in no mutator section.
 * Return: 1 if there are some, 0 if not, -ENOMEM.
 */
int gc_leaks_scan(struct goalloc_gc *gc)
{
	struct gc_leaks *leaks = &gc->leaks;
	struct gc_work w;
	u64 before;
	int found;

	mutex_lock(&gc->cycle);
	if (!leaks->leak) {
		leaks->leak = kvcalloc(GC_LEAKS_MAX, sizeof(*leaks->leak), GFP_KERNEL);
		if (!leaks->leak) {
			mutex_unlock(&gc->cycle);
			return -ENOMEM;
		}
	}
	before = leaks->found;
	leaks->nr = 0;
	leaks->found = 0;
	leaks->bytes = 0;
	gc_work_init(gc, &w);
	gc_stop(gc);
	gc_mark_world(gc, &w);
	gc_spans_walk(gc, gc_leaks_span, gc);
	gc_start(gc);
	leaks->scans++;
	found = !!leaks->found;
	if (leaks->found > before)
		report_gc_leaks(gc);
	mutex_unlock(&gc->cycle);
	return found;
}

/* What was told is known. In a stop. */
static void gc_leaks_known(struct goalloc_span *span, void *arg)
{
	struct goalloc_gc *gc = arg;
	unsigned int slot;

	for (slot = 0; slot < span->bits.nelems; slot++) {
		struct gc_origin *origin = gc_origin(gc, span, slot);

		if (gc_is_marked(gc, span, slot) && origin->missed >= GC_LEAK_MISSED)
			origin->missed = GC_MISSED_KNOWN;
	}
}

/**
 * gc_leaks_clear - do not tell the leaks that were found again
 * @gc: the heap
 *
 * Context: Process context, may sleep; in no mutator section.
 * Return: 0, or -EINVAL if no leaks are looked for in it.
 */
int gc_leaks_clear(struct goalloc_gc *gc)
{
	if (!gc_has_origins(gc))
		return -EINVAL;
	mutex_lock(&gc->cycle);
	gc_stop(gc);
	gc_spans_walk(gc, gc_leaks_known, gc);
	gc_start(gc);
	gc->leaks.nr = 0;
	gc->leaks.found = 0;
	gc->leaks.bytes = 0;
	mutex_unlock(&gc->cycle);
	return 0;
}

/**
 * gc_leaks_forget - the heap ends
 * @gc: the heap, which nobody uses
 *
 * Context: Process context.
 */
void gc_leaks_forget(struct goalloc_gc *gc)
{
	kvfree(gc->leaks.leak);
	gc->leaks.leak = NULL;
}

/* See <goalloc_gc.h>. */
int goalloc_gc_find_leaks(struct goalloc_gc *gc)
{
	if (!gc_has_origins(gc)) {
		report_gc(gc, __func__,
			  "the heap has neither GOALLOC_GC_EXPLICIT nor GOALLOC_GC_ORIGINS",
			  _RET_IP_);
		return -EINVAL;
	}
	return gc_leaks_scan(gc);
}
EXPORT_SYMBOL_GPL(goalloc_gc_find_leaks);
