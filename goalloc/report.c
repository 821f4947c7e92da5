// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goalloc says when something is wrong: the wording, and nothing else. A
 * report says what happened, where, and what to do. It comes once per call site
 * and is counted every time.
 *
 * Addresses go out hashed (%p), call sites as symbols. Printing is safe in any
 * context; no goalloc lock may be held.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/printk.h>

#include "compat.h"
#include "heap.h"

#define REPORT_SITES_SHIFT 8

/* Call sites that were reported; 0 is an empty entry, set by cmpxchg(). */
static unsigned long report_sites[1 << REPORT_SITES_SHIFT];

/* The first time for this site? Once the table is full: no more reports. */
static bool report_first(unsigned long site)
{
	unsigned int start = hash_long(site, REPORT_SITES_SHIFT);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(report_sites); i++) {
		unsigned long *entry = &report_sites[(start + i) % ARRAY_SIZE(report_sites)];
		unsigned long seen = READ_ONCE(*entry);

		if (!seen)
			seen = cmpxchg(entry, 0, site);
		if (!seen)
			return true;
		if (seen == site)
			return false;
	}
	return false;
}

static const char *const bad_free_names[] = {
	[BAD_FREE_FOREIGN] = "foreign",
	[BAD_FREE_INTERIOR] = "interior",
	[BAD_FREE_DOUBLE] = "double",
	[BAD_FREE_SPAN] = "freed_span",
	[BAD_FREE_HEAP] = "wrong_heap",
	[BAD_FREE_RACE] = "race",
};

static_assert(ARRAY_SIZE(bad_free_names) == NR_BAD_FREES);

static const char *const bad_free_texts[] = {
	[BAD_FREE_FOREIGN] = "is not goalloc memory; free it where it came from",
	[BAD_FREE_INTERIOR] = "is inside an object; free its first byte",
	[BAD_FREE_DOUBLE] = "is free already; look for a second free of this object",
	[BAD_FREE_SPAN] = "is in pages freed before; look for a second free of this object",
	[BAD_FREE_HEAP] = "is of another heap; use goalloc_heap_free() with that one",
	[BAD_FREE_RACE] = "was freed on two CPUs at once; look for a second free of this object",
};

static_assert(ARRAY_SIZE(bad_free_texts) == NR_BAD_FREES);

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
	atomic64_inc(&heap->nr_bad[kind]);
	if (!report_first(caller))
		return;
	if (span && heap_of(span))
		pr_err("bad free (%s) at %pS: %p, heap %s, object %u of a %u-byte %s span, %s; refused\n",
		       bad_free_names[kind], (void *)caller, p,
		       heap_of(span)->name, slot, span->elemsize,
		       span->kind == SPAN_LARGE ? "large" : "small",
		       bad_free_texts[kind]);
	else
		pr_err("bad free (%s) at %pS: %p, heap %s, %s; refused\n",
		       bad_free_names[kind], (void *)caller, p, heap->name,
		       bad_free_texts[kind]);
}

/**
 * report_bad_gfp - report flags that an allocation was refused for
 * @heap: heap it was asked of
 * @gfp: the flags
 * @caller: call site
 *
 * Context: Any context.
 */
void report_bad_gfp(const struct goalloc_heap *heap, gfp_t gfp,
		    unsigned long caller)
{
	if (report_first(caller))
		pr_err("bad flags %pGg at %pS: heap %s has no memory of that zone; create a heap for it with goalloc_heap_create(); refused\n",
		       &gfp, (void *)caller, heap->name);
}

/* Live slots of a span. */
static unsigned int report_live(const struct goalloc_span *span)
{
	unsigned int live = 0;
	unsigned int i;

	for (i = 0; i < span->bits.nelems; i++)
		live += READ_ONCE(span->state[i]) != SLOT_FREE;
	return live;
}

static void report_leak_list(const struct list_head *list, u64 *objects,
			     u64 *spans)
{
	struct goalloc_span *span;

	list_for_each_entry(span, list, list) {
		*objects += report_live(span);
		*spans += 1;
	}
}

/**
 * report_leaks - say what lives in a heap that is going away
 * @heap: the heap, drained and no longer in use
 *
 * Context: Process context.
 */
void report_leaks(struct goalloc_heap *heap)
{
	struct goalloc_span *span;
	struct heap_node *node;
	int bin, i;

	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
			struct goalloc_central *central = &node->central[bin];
			u64 objects = 0, spans = 0;

			for (i = 0; i < CENTRAL_BUCKETS; i++)
				report_leak_list(&central->partial[i], &objects, &spans);
			report_leak_list(&central->full, &objects, &spans);
			if (objects)
				pr_err("heap %s: %llu live %s of %u bytes in %llu spans on node %d\n",
				       heap->name, objects,
				       bin == GOALLOC_TINY_BIN ? "tiny blocks" : "objects",
				       span_shape_small(bin).elemsize, spans, node->nid);
		}
		list_for_each_entry(span, &node->large, list)
			pr_err("heap %s: live large object of %zu bytes in %u pages on node %d\n",
			       heap->name, span->asked, span->npages, node->nid);
	}
}

/**
 * report_lost - say what a heap that went away could not give back
 * @heap: the heap
 * @npages: goalloc pages in spans with live objects
 *
 * Context: Process context.
 */
void report_lost(const struct goalloc_heap *heap, u64 npages)
{
	pr_err("heap %s: ended with live objects; their %llu KiB of pages are not given back; free every object first, or end the heap by force\n",
	       heap->name, npages << (GOALLOC_PAGE_SHIFT - 10));
}

/**
 * report_fault - say that a page tree was found broken
 * @heap: the heap
 * @nid: node of the tree
 * @what: the rule that does not hold
 * @chunk: chunk it was noticed in
 * @page: goalloc page it was noticed at
 * @npages: length of the run concerned
 *
 * Context: Any context.
 */
void report_fault(const struct goalloc_heap *heap, int nid, const char *what,
		  u64 chunk, u64 page, u64 npages)
{
	pr_err("heap %s: page tree of node %d is broken: %s, chunk %llu, page %llu, %llu pages; the heap takes no more pages there; please report this\n",
	       heap->name, nid, what, chunk, page, npages);
}
