// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goalloc says when something is wrong, except for bad frees, which have
 * report_free.c: the wording, and nothing else. A report says what happened,
 * where, and what to do.
 *
 * Addresses go out hashed (%p), call sites as symbols. Printing is safe in any
 * context; no goalloc lock may be held.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/kernel.h>
#include <linux/numa.h>
#include <linux/printk.h>

#include "compat.h"
#include "heap.h"
#include "report_site.h"
#include "validate.h"

/* Topics of report_site_first(), behind those of bad frees. */
enum report_topic {
	REPORT_GFP = NR_BAD_FREES,
	REPORT_SIZE,
	REPORT_ALIGN,
	REPORT_NODE,
	REPORT_HEAP,
	REPORT_ATTR,
};

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
	if (report_site_first(caller, REPORT_GFP))
		pr_err("bad flags %pGg at %pS: heap %s has no memory of that zone; create a heap for it with goalloc_heap_create(); refused\n",
		       &gfp, (void *)caller, heap->name);
}

/**
 * report_bad_zero - report that zeros were wanted of what is constructed
 * @heap: heap of an object cache
 * @gfp: the flags
 * @caller: call site
 *
 * Context: Any context.
 */
void report_bad_zero(const struct goalloc_heap *heap, gfp_t gfp, unsigned long caller)
{
	if (report_site_first(caller, REPORT_GFP))
		pr_err("bad flags %pGg at %pS: objects of %s have a constructor, which zeros would undo; leave __GFP_ZERO out; refused\n",
		       &gfp, (void *)caller, heap->name);
}

/**
 * report_bad_size - report a size that no allocation can have
 * @heap: heap it was asked of
 * @size: bytes
 * @gfp: flags; nothing is said with __GFP_NOWARN
 * @caller: call site
 *
 * Context: Any context.
 */
void report_bad_size(const struct goalloc_heap *heap, size_t size, gfp_t gfp,
		     unsigned long caller)
{
	if (!(gfp & __GFP_NOWARN) && report_site_first(caller, REPORT_SIZE))
		pr_err("bad size %zu at %pS: heap %s has objects of up to %lu bytes; larger ones need gokvalloc() and a context that may sleep; refused\n",
		       size, (void *)caller, heap->name, GOALLOC_MAX_SIZE);
}

/**
 * report_bad_align - report an alignment that no allocation can have
 * @heap: heap it was asked of
 * @align: bytes
 * @caller: call site
 *
 * Context: Any context.
 */
void report_bad_align(const struct goalloc_heap *heap, size_t align,
		      unsigned long caller)
{
	if (report_site_first(caller, REPORT_ALIGN))
		pr_err("bad alignment %zu at %pS: heap %s has powers of two of up to %lu bytes; refused\n",
		       align, (void *)caller, heap->name, GOALLOC_MAX_SIZE);
}

/**
 * report_bad_node - report a node that cannot exist
 * @heap: heap it was asked of
 * @nid: the number
 * @caller: call site
 *
 * Context: Any context.
 */
void report_bad_node(const struct goalloc_heap *heap, int nid,
		     unsigned long caller)
{
	if (report_site_first(caller, REPORT_NODE))
		pr_err("bad node %d at %pS: heap %s knows nodes 0 to %d; use NUMA_NO_NODE for the local one; refused\n",
		       nid, (void *)caller, heap->name, MAX_NUMNODES - 1);
}

/**
 * report_bad_heap - report what cannot be a heap
 * @heap: NULL or an error pointer
 * @caller: call site
 *
 * Context: Any context.
 */
void report_bad_heap(const struct goalloc_heap *heap, unsigned long caller)
{
	if (report_site_first(caller, REPORT_HEAP))
		pr_err("bad heap (%ld) at %pS: is no heap; test what goalloc_heap_create() returned with IS_ERR(); refused\n",
		       PTR_ERR(heap), (void *)caller);
}

/**
 * report_bad_attr - report a heap that was not made
 * @what: what is wrong, and what would be right
 * @caller: call site
 *
 * Context: Any context.
 */
void report_bad_attr(const char *what, unsigned long caller)
{
	if (report_site_first(caller, REPORT_ATTR))
		pr_err("bad new heap at %pS: %s; refused\n", (void *)caller, what);
}

/* Live slots of a span. */
static unsigned int report_live(const struct goalloc_span *span)
{
	unsigned int live = 0;
	unsigned int i;

	for (i = 0; i < span->bits.nelems; i++)
		live += !slot_is_free(READ_ONCE(span->state[i]));
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
 * report_forgotten - say that the module goes before a heap
 * @heap: the heap
 *
 * Context: Process context.
 */
void report_forgotten(const struct goalloc_heap *heap)
{
	pr_err("heap %s: was never destroyed; call goalloc_heap_destroy() before its user goes\n",
	       heap->name);
}

/* Where a check found something: " on node 0, class 5, page 77, slot 3". */
static void report_place(const struct validate *v, char *text, size_t size)
{
	int n = 0;

	*text = '\0';
	if (v->nid != NUMA_NO_NODE)
		n += scnprintf(text + n, size - n, ", node %d", v->nid);
	if (v->bin == GOALLOC_TINY_BIN)
		n += scnprintf(text + n, size - n, ", tiny blocks");
	else if (v->bin > 0)
		n += scnprintf(text + n, size - n, ", class %d", v->bin);
	if (v->page)
		n += scnprintf(text + n, size - n, ", page %llu", v->page);
	if (v->slot >= 0)
		n += scnprintf(text + n, size - n, ", slot %d", v->slot);
}

/**
 * report_validate - say what a check of a heap has found
 * @v: what it found: a rule that does not hold, or what it could not judge
 *
 * Context: Process context.
 */
void report_validate(const struct validate *v)
{
	char place[80], numbers[80] = "";

	report_place(v, place, sizeof(place));
	if (v->is != v->want)
		scnprintf(numbers, sizeof(numbers), ": is %llu, should be %llu", v->is, v->want);
	if (v->rule)
		pr_err("heap %s: validate: %s%s%s; nothing was changed; please report this\n",
		       v->heap->name, v->rule, place, numbers);
	else
		pr_info("heap %s: validate: nothing wrong in %llu spans; in use, so not judged: the ledger, free slots by class, %u lists, sums of %u page trees\n",
			v->heap->name, v->spans, v->skipped, v->sums_skipped);
}
