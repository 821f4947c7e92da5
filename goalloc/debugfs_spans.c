// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file spans: a row per span, in the order of addresses.
 *
 * The spans are found through the page map, which can be walked at any time: the
 * structure of a small span stays while its heap lives, that of a large one for
 * an RCU grace period. A batch is as many chunks, or rows, as are quickly
 * done with preemption off; then others have their turn.
 *
 * What the central knows of a span is read under the central's lock, one span at
 * a time. A span that is in the page map and in no central is being made or given
 * back, and is left out.
 */
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "compat.h"
#include "debugfs.h"
#include "debugfs_rows.h"
#include "heap.h"
#include "sanity.h"

/* At most so many rows and so many chunks at once. */
#define SPANS_BATCH 64
#define SPANS_CHUNKS 32

/**
 * struct spans_row - what is printed of a span
 * @page: its first page
 * @asked: bytes requested (large spans)
 * @npages: its length in goalloc pages
 * @size: bytes per slot
 * @objs: slots
 * @used: slots that are not free in the central's books
 * @bin: its bin
 * @kind: enum span_kind
 * @place: enum span_place
 * @nid: number of its node
 */
struct spans_row {
	u64 page;
	u64 asked;
	u32 npages;
	u32 size;
	u16 objs;
	u16 used;
	u8 bin;
	u8 kind;
	u8 place;
	int nid;
};

/**
 * struct spans_rows - a reader
 * @rows: how far it has come; @rows.next is a page
 * @row: the rows gathered
 */
struct spans_rows {
	struct debugfs_rows rows;
	struct spans_row row[SPANS_BATCH];
};

/* First page that a heap ever had, and the first behind the last. */
static void spans_range(const struct goalloc_heap *heap, u64 *first, u64 *end)
{
	struct heap_node *node;
	unsigned long flags;

	*first = U64_MAX;
	*end = 0;
	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		raw_spin_lock_irqsave(&node->lock, flags);
		if (node->palloc.start < node->palloc.end) {
			*first = min(*first, node->palloc.start << PALLOC_CHUNK_SHIFT);
			*end = max(*end, node->palloc.end << PALLOC_CHUNK_SHIFT);
		}
		raw_spin_unlock_irqrestore(&node->lock, flags);
	}
}

/* A small span. RCU read section. */
static bool spans_read_small(const struct goalloc_span *span, struct heap_node *home,
			     struct spans_row *row)
{
	struct goalloc_central *central = &home->central[row->bin];
	unsigned long flags;

	raw_spin_lock_irqsave(&central->lock, flags);
	/* It may have become another one while the lock was not held. */
	row->place = span->home == home ? span->place : SPAN_NOWHERE;
	row->used = span->bits.nelems - span->nr_free;
	raw_spin_unlock_irqrestore(&central->lock, flags);
	return row->place != SPAN_NOWHERE;
}

/*
 * Read a span of the heap. It may be in the middle of becoming another one:
 * fields are read while they change, and what does not fit is left out. RCU
 * read section.
 */
static bool spans_read(const struct goalloc_heap *heap, const struct goalloc_span *span,
		       struct spans_row *row)
{
	/* Races by intention, here and below: see above. */
	struct heap_node *home = data_race(READ_ONCE(span->home));

	if (!heap_has_node(heap, home) || !sanity_span(span))
		return false;
	/* The caller compares it. */
	row->page = data_race(READ_ONCE(span->page));
	row->npages = span->npages;
	row->size = span->elemsize;
	row->objs = span->bits.nelems;
	row->bin = span->bin;
	row->kind = span->kind;
	row->nid = home->nid;
	row->asked = 0;
	if (row->kind != SPAN_LARGE)
		return spans_read_small(span, home, row);
	/* It is set before the span is in the map. */
	row->asked = READ_ONCE(span->asked);
	row->used = 1;
	return true;
}

/* Gather rows of the chunk that *@page is in, which moves on. RCU read section. */
static unsigned int spans_fill_chunk(struct spans_rows *reader, u64 *page,
				     unsigned int nr)
{
	const struct goalloc_heap *heap = reader->rows.heap;
	u64 end = round_down(*page, PALLOC_CHUNK_PAGES) + PALLOC_CHUNK_PAGES;
	const struct goalloc_span *span;
	struct spans_row *row;

	if (!pagemap_has_chunk(&heap->space->map, *page)) {
		*page = end;
		return nr;
	}
	while (*page < end && nr < SPANS_BATCH) {
		span = pagemap_span(&heap->space->map, heap_page_addr(heap, *page));
		row = &reader->row[nr];
		/* Large ones begin in one chunk and end in another. */
		if (!span || !spans_read(heap, span, row) || row->page != *page) {
			++*page;
			continue;
		}
		*page += row->npages;
		nr++;
	}
	return nr;
}

static unsigned int spans_fill(struct debugfs_rows *rows)
{
	struct spans_rows *reader = container_of(rows, struct spans_rows, rows);
	unsigned int chunks, nr = 0;
	u64 first, end;

	spans_range(rows->heap, &first, &end);
	rows->next = max(rows->next, first);
	while (!nr && rows->next < end) {
		rcu_read_lock();
		for (chunks = 0; chunks < SPANS_CHUNKS && nr < SPANS_BATCH &&
		     rows->next < end; chunks++)
			nr = spans_fill_chunk(reader, &rows->next, nr);
		rcu_read_unlock();
		cond_resched();
	}
	return nr;
}

static void spans_head(struct seq_file *m, struct goalloc_heap *heap)
{
	seq_puts(m, "goalloc spans - version: 1.0\n");
	seq_printf(m, "# heap %s; page: number of the first page of %lu bytes; size: bytes per object\n",
		   heap->name, GOALLOC_PAGE_SIZE);
	seq_puts(m, "# used: objects in use or in CPU caches; asked: bytes requested of large objects\n");
	seq_printf(m, "#%12s %6s %5s %8s %5s %5s %8s %4s %10s\n", "page", "pages",
		   "class", "size", "objs", "used", "place", "node", "asked");
}

static void spans_show(struct seq_file *m, const struct debugfs_rows *rows, unsigned int i)
{
	static const char *const places[] = {
		[SPAN_OWNED] = "owned",
		[SPAN_PARTIAL] = "partial",
		[SPAN_FULL] = "full",
	};
	const struct spans_row *row = &container_of(rows, struct spans_rows, rows)->row[i];
	bool large = row->kind == SPAN_LARGE;
	char class[8];

	if (large)
		strscpy(class, "large", sizeof(class));
	else if (row->kind == SPAN_TINY)
		strscpy(class, "tiny", sizeof(class));
	else
		snprintf(class, sizeof(class), "%u", row->bin);
	seq_printf(m, "%13llu %6u %5s %8u %5u %5u %8s %4d %10llu\n", row->page,
		   row->npages, class, row->size, row->objs, row->used,
		   large ? "large" : places[row->place], row->nid, row->asked);
}

static const struct debugfs_table spans_table = {
	.bytes = sizeof(struct spans_rows),
	.head = spans_head,
	.fill = spans_fill,
	.show = spans_show,
};

DEBUGFS_ROWS(spans, spans_table);

/**
 * debugfs_show_spans - the whole file, for tests
 * @m: where to print
 * @heap: the heap
 *
 * Context: Process context, may sleep.
 */
void debugfs_show_spans(struct seq_file *m, struct goalloc_heap *heap)
{
	debugfs_rows_print(m, heap, &spans_table);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_spans);
