// SPDX-License-Identifier: GPL-2.0-only
/*
 * What collected heaps find wrong, in words.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/kernel.h>
#include <linux/printk.h>

#include "compat.h"
#include "gc.h"
#include "report.h"
#include "report_site.h"

/* Topics of report_site_first(), far behind those of others. */
enum report_gc_topic {
	REPORT_GC_USE = 96,
	REPORT_GC_OUTSIDE,
	REPORT_GC_POINTER,
	REPORT_GC_MISSED,
};

#define REPORT_GC_FIELD_LEN 160

/**
 * report_gc - report a wrong use of a collected heap, once per call site
 * @gc: the heap, or NULL if it is not known
 * @where: what was called
 * @what: what is wrong, and what would be right
 * @caller: call site
 *
 * Context: Any context.
 */
void report_gc(const struct goalloc_gc *gc, const char *where, const char *what,
	       unsigned long caller)
{
	if (report_site_first(caller, REPORT_GC_USE))
		pr_err("bad use of collected heap %s at %pS: %s(): %s\n",
		       gc ? gc->heap->name : "(none)", (void *)caller, where, what);
}

/**
 * report_gc_outside - report an allocation that went past the collector
 * @heap: the heap below a collected one
 *
 * Context: Any context.
 */
void report_gc_outside(struct goalloc_heap *heap)
{
	atomic64_inc(&heap->nr_failed);
	if (report_site_first((unsigned long)heap, REPORT_GC_OUTSIDE))
		pr_err("bad allocation from heap %s: it is collected; use goalloc_new()\n",
		       heap->name);
}

/* Why a pointer leads to a slot that is free. */
#define TO_FREE "to what is free; look for a store without goalloc_store(), or a variable that was in no frame across a safe point"

/* Which field of which object; false if it is in no object. */
static bool report_gc_field(const struct goalloc_gc *gc, const void *from, char *buf,
			    size_t len)
{
	const struct goalloc_span *span;
	char obj[REPORT_OBJECT_LEN];
	unsigned int slot;

	span = pagemap_find(&gc->heap->space->map, (unsigned long)from);
	if (heap_of(span) != gc->heap)
		return false;
	slot = gc_slot(span, from);
	report_object(obj, span, slot);
	scnprintf(buf, len, "%lu bytes into %p, %s of type %s",
		  (unsigned long)from - span_slot_addr(span, slot),
		  (void *)span_slot_addr(span, slot), obj,
		  gc_type(*gc_track(gc, span, slot))->name);
	return true;
}

/**
 * report_gc_pointer - report a pointer that leads to no object
 * @gc: the heap that is being marked
 * @p: the pointer
 * @from: where it is, or NULL if that is not known any more
 *
 * Once per heap; all are counted.
 *
 * Context: Any but an interrupt.
 */
void report_gc_pointer(const struct goalloc_gc *gc, const void *p, const void *from)
{
	char field[REPORT_GC_FIELD_LEN];
	bool free;

	if (!report_site_first((unsigned long)gc, REPORT_GC_POINTER))
		return;
	free = heap_of(pagemap_find(&gc->heap->space->map, (unsigned long)p)) == gc->heap;
	if (report_gc_field(gc, from, field, sizeof(field)))
		pr_err("bad pointer in heap %s: %p, %s, leads %s\n", gc->heap->name, p, field,
		       free ? TO_FREE : "out of the heap; list only pointers into it in the type");
	else
		pr_err("bad pointer in heap %s: %p in a root, a frame or a store leads %s\n",
		       gc->heap->name, p, free ? TO_FREE : "out of the heap");
}

/**
 * report_gc_missed - report an object that is reachable and was not marked
 * @gc: the heap
 * @p: pointer to it
 * @from: where it is
 *
 * Once per heap; all are counted.
 *
 * Context: Any but an interrupt.
 */
void report_gc_missed(const struct goalloc_gc *gc, const void *p, const void *from)
{
	char field[REPORT_GC_FIELD_LEN];

	if (!report_site_first((unsigned long)gc, REPORT_GC_MISSED))
		return;
	if (!report_gc_field(gc, from, field, sizeof(field)))
		field[0] = '\0';
	pr_err("bad store in heap %s: %p, %s, was stored without goalloc_store() while the heap was marked\n",
	       gc->heap->name, p, field);
}

/**
 * report_gc_leaks - report that there are objects which nothing reaches
 * @gc: the heap
 *
 * Context: gc->cycle held.
 */
void report_gc_leaks(const struct goalloc_gc *gc)
{
	pr_warn("heap %s: %llu objects of %llu bytes are reached by nothing, see heaps/%s/leaks\n",
		gc->heap->name, gc->leaks.found, gc->leaks.bytes, gc->heap->name);
}
