// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad frees: counted, traced, and told once per call site and kind. What it is
 * was found out by those who refused it; here it is put in words.
 *
 * What a span says about a slot is read without a lock, for the text only.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/printk.h>

#include "compat.h"
#include "foreign.h"
#include "heap.h"
#include "report_site.h"

#define CREATE_TRACE_POINTS
#include "goalloc_trace.h"

EXPORT_TRACEPOINT_SYMBOL_GPL(alloc);
EXPORT_TRACEPOINT_SYMBOL_GPL(bad_free);
EXPORT_TRACEPOINT_SYMBOL_GPL(flush);
EXPORT_TRACEPOINT_SYMBOL_GPL(free);
EXPORT_TRACEPOINT_SYMBOL_GPL(gc_assist);
EXPORT_TRACEPOINT_SYMBOL_GPL(gc_phase);
EXPORT_TRACEPOINT_SYMBOL_GPL(grow);
EXPORT_TRACEPOINT_SYMBOL_GPL(refill);
EXPORT_TRACEPOINT_SYMBOL_GPL(scavenge);
EXPORT_TRACEPOINT_SYMBOL_GPL(span_alloc);
EXPORT_TRACEPOINT_SYMBOL_GPL(span_free);

/* Room for a sentence. */
#define REPORT_TEXT_LEN 160

static const char *const bad_free_names[] = {
	[BAD_FREE_FOREIGN] = "foreign",
	[BAD_FREE_INTERIOR] = "interior",
	[BAD_FREE_MISALIGNED] = "misaligned",
	[BAD_FREE_DOUBLE] = "double",
	[BAD_FREE_SPAN] = "freed_span",
	[BAD_FREE_HEAP] = "wrong_heap",
	[BAD_FREE_RACE] = "race",
	[BAD_FREE_ENDED] = "ended",
};

static_assert(ARRAY_SIZE(bad_free_names) == NR_BAD_FREES);

/**
 * report_bad_free_name - name of a kind of bad free
 * @kind: the kind
 *
 * Return: one word, as in the statistics.
 */
const char *report_bad_free_name(enum bad_free kind)
{
	return bad_free_names[kind];
}
GOALLOC_EXPORT_KUNIT(report_bad_free_name);

/**
 * report_object - say which object it is
 * @buf: room for REPORT_OBJECT_LEN bytes
 * @span: its span
 * @slot: its slot
 */
void report_object(char *buf, const struct goalloc_span *span, unsigned int slot)
{
	if (span->kind == SPAN_LARGE)
		scnprintf(buf, REPORT_OBJECT_LEN, "large object of %u bytes",
			  span->elemsize);
	else if (slot >= span->bits.nelems)
		scnprintf(buf, REPORT_OBJECT_LEN, "a span of class %u (%u bytes)",
			  span->bin, span->elemsize);
	else if (span->kind == SPAN_TINY)
		scnprintf(buf, REPORT_OBJECT_LEN, "block %u of tiny objects", slot);
	else
		scnprintf(buf, REPORT_OBJECT_LEN, "object %u of class %u (%u bytes)",
			  slot, span->bin, span->elemsize);
}

/* What is wrong with an address inside a slot, and what to do. */
static void report_inside(char *buf, const struct goalloc_span *span,
			  unsigned int slot, unsigned long addr)
{
	unsigned long offset = addr - span_slot_addr(span, slot);
	u8 state = READ_ONCE(*span_slot_state(span, slot));

	if (span->kind == SPAN_TINY)
		scnprintf(buf, REPORT_TEXT_LEN,
			  "no object begins %lu bytes into it; free the first byte of one",
			  offset);
	else if (state == SLOT_LIVE || state == SLOT_SAMPLED ||
		 state == SLOT_LARGE)
		scnprintf(buf, REPORT_TEXT_LEN,
			  "is %lu bytes into it; free its first byte, or look for an earlier free, its pages being used anew",
			  offset);
	else
		scnprintf(buf, REPORT_TEXT_LEN,
			  "is %lu bytes into it, and it is free; look for an earlier free, its pages perhaps being used anew",
			  offset);
}

/* What is wrong, and what to do. */
static void report_text(char *buf, const void *p, const struct goalloc_span *span,
			unsigned int slot, enum bad_free kind)
{
	u8 state;

	switch (kind) {
	case BAD_FREE_FOREIGN:
		scnprintf(buf, REPORT_TEXT_LEN, "%s", foreign_text(p));
		break;
	case BAD_FREE_INTERIOR:
		report_inside(buf, span, slot, (unsigned long)p);
		break;
	case BAD_FREE_MISALIGNED:
		if (slot >= span->bits.nelems)
			scnprintf(buf, REPORT_TEXT_LEN,
				  "is behind its last object; look for a damaged pointer, or an earlier free, its pages being used anew");
		else
			scnprintf(buf, REPORT_TEXT_LEN,
				  "is no multiple of 8 as every object is; look for a damaged pointer, or a tag bit left in it");
		break;
	case BAD_FREE_DOUBLE:
		state = READ_ONCE(*span_slot_state(span, slot));
		scnprintf(buf, REPORT_TEXT_LEN,
			  "is free already%s; look for a second free of this object",
			  state == SLOT_DEFERRED ? ", since an NMI" :
			  state == SLOT_QUARANTINE ? ", in quarantine" : "");
		break;
	case BAD_FREE_SPAN:
		scnprintf(buf, REPORT_TEXT_LEN,
			  "is in pages freed before; look for a second free of this object");
		break;
	case BAD_FREE_ENDED:
		scnprintf(buf, REPORT_TEXT_LEN,
			  "the heap has ended; free its objects before goalloc_heap_destroy()");
		break;
	case BAD_FREE_HEAP:
		if (!span) {
			scnprintf(buf, REPORT_TEXT_LEN,
				  "belongs to another heap, which is in safe mode; use goalloc_heap_free() with that one");
			break;
		}
		if (heap_of(span)->gc) {
			scnprintf(buf, REPORT_TEXT_LEN,
				  "belongs to the collected heap %s, which frees it when nothing reaches it",
				  heap_of(span)->name);
			break;
		}
		scnprintf(buf, REPORT_TEXT_LEN,
			  "belongs to heap %s; use goalloc_heap_free() with that one",
			  heap_of(span)->name);
		break;
	default:
		buf[0] = '\0';
		break;
	}
}

/**
 * report_bad_free - count a refused free, and report it once per call site
 * @heap: heap it was tried on
 * @p: what was to be freed
 * @span: span it is in, or NULL
 * @slot: slot it is in, if there is a span
 * @kind: what is wrong
 * @caller: call site
 *
 * Context: Any context; with @span, RCU read section.
 */
void report_bad_free(struct goalloc_heap *heap, const void *p,
		     struct goalloc_span *span, unsigned int slot,
		     enum bad_free kind, unsigned long caller)
{
	char object[REPORT_OBJECT_LEN];
	char text[REPORT_TEXT_LEN];

	atomic64_inc(&heap->nr_bad[kind]);
	trace_bad_free(heap, kind, p, span ? span->elemsize : 0, slot, caller);
	if (!report_site_first(caller, kind))
		return;
	report_text(text, p, span, slot, kind);
	if (span)
		report_object(object, span, slot);
	pr_err("bad free (%s) at %pS: %p, heap %s%s%s: %s; refused\n",
	       bad_free_names[kind], (void *)caller, p, heap->name,
	       span ? ", " : "", span ? object : "", text);
	if (span)
		report_track(span, slot);
}
GOALLOC_EXPORT_KUNIT(report_bad_free);

/**
 * report_bad_rcu - report a second free of what waits for a grace period
 * @heap: its heap
 * @p: the object
 * @caller: call site
 *
 * Context: Any context.
 */
void report_bad_rcu(struct goalloc_heap *heap, const void *p, unsigned long caller)
{
	atomic64_inc(&heap->nr_bad[BAD_FREE_DOUBLE]);
	trace_bad_free(heap, BAD_FREE_DOUBLE, p, 0, 0, caller);
	if (report_site_first(caller, BAD_FREE_DOUBLE))
		pr_err("bad free (%s) at %pS: %p, heap %s: waits for a grace period already; look for a second gofree_rcu() of this object; refused\n",
		       bad_free_names[BAD_FREE_DOUBLE], (void *)caller, p, heap->name);
}

static const char *const report_guarded_texts[NR_BAD_FREES] = {
	[BAD_FREE_FOREIGN] = "no object was ever there; look for a damaged pointer",
	[BAD_FREE_INTERIOR] = "is in its page, and not its first byte; free that",
	[BAD_FREE_MISALIGNED] =
		"is no multiple of 8 as every object is; look for a damaged pointer",
	[BAD_FREE_DOUBLE] = "is free already; look for a second free of this object",
	[BAD_FREE_SPAN] = "is in its page, and it is free; look for an earlier free",
	[BAD_FREE_HEAP] = "belongs to another heap; use goalloc_heap_free() with that one",
};

/**
 * report_bad_guarded - the same for the pool of guarded objects
 * @heap: heap it was tried on
 * @p: what was to be freed
 * @size: bytes requested of the object, 0 if there never was one
 * @slot: its number in the pool
 * @kind: what is wrong
 * @caller: call site
 *
 * Context: Any context.
 * Return: true if it was printed.
 */
bool report_bad_guarded(struct goalloc_heap *heap, const void *p, u32 size,
			unsigned int slot, enum bad_free kind, unsigned long caller)
{
	atomic64_inc(&heap->nr_bad[kind]);
	trace_bad_free(heap, kind, p, size, slot, caller);
	if (!report_site_first(caller, kind))
		return false;
	pr_err("bad free (%s) at %pS: %p, heap %s, guarded object %u of %u bytes: %s; refused\n",
	       bad_free_names[kind], (void *)caller, p, heap->name, slot, size,
	       report_guarded_texts[kind]);
	return true;
}

/**
 * report_race - count objects that were found to have been freed twice at once
 * @span: span of one of them
 * @slot: its slot
 * @nr: how many were found
 *
 * Two frees on two CPUs both passed the check, and one of the two is ignored
 * now. Nobody knows any more where they came from, so what is told once is the
 * heap and the class.
 *
 * Context: Any context.
 */
void report_race(struct goalloc_span *span, unsigned int slot, unsigned int nr)
{
	void *p = (void *)span_slot_addr(span, slot);
	struct goalloc_heap *heap = heap_of(span);
	char object[REPORT_OBJECT_LEN];

	atomic64_add(nr, &heap->nr_bad[BAD_FREE_RACE]);
	trace_bad_free(heap, BAD_FREE_RACE, p, span->elemsize, slot, 0);
	if (!report_site_first((unsigned long)heap + span->bin, BAD_FREE_RACE))
		return;
	report_object(object, span, slot);
	pr_err("bad free (race), found later: %p, heap %s, %s: was freed on two CPUs at once; look for a second free of this object; one is ignored\n",
	       p, heap->name, object);
}
GOALLOC_EXPORT_KUNIT(report_race);
