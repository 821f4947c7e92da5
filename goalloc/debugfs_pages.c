// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files about pages: heapmap, a row per chunk with the state of each page,
 * and pageheap, what the page tree knows.
 *
 * Bitmaps are copied under the heap lock, a block of chunks (4 KiB) at a time, and
 * looked at and printed afterwards. Each block is as it was at one moment; the
 * whole is so only while the heap is quiet.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "compat.h"
#include "debugfs.h"
#include "debugfs_rows.h"
#include "heap.h"

/* Blocks without bitmaps to pass over before others have their turn. */
#define PAGES_SKIP 1024

/* The longest run has less than 2 to this of pages. */
#define PAGES_MAX_SHIFT 41

/**
 * struct pages_block - a copy of the bitmaps of some chunks
 * @first: number of the first chunk
 * @nr: chunks
 * @chunk: their bitmaps
 */
struct pages_block {
	u64 first;
	unsigned int nr;
	struct palloc_chunk chunk[PALLOC_BLOCK_CHUNKS];
};

/* Copy the next block that there is from chunk @next on. False if none is left. */
static bool pages_copy(struct heap_node *node, u64 next, struct pages_block *block)
{
	const struct palloc_chunk *chunk = NULL;
	unsigned long flags;
	unsigned int i;
	bool more;

	do {
		raw_spin_lock_irqsave(&node->lock, flags);
		next = max(next, node->palloc.start);
		for (i = 0; !chunk && i < PAGES_SKIP && next < node->palloc.end; i++) {
			chunk = palloc_chunk_of(&node->palloc, next);
			if (!chunk)
				next = round_down(next, PALLOC_BLOCK_CHUNKS) +
				       PALLOC_BLOCK_CHUNKS;
		}
		more = next < node->palloc.end;
		if (chunk) {
			block->first = next;
			block->nr = min(PALLOC_BLOCK_CHUNKS - next % PALLOC_BLOCK_CHUNKS,
					node->palloc.end - next);
			memcpy(block->chunk, chunk, block->nr * sizeof(*chunk));
		}
		raw_spin_unlock_irqrestore(&node->lock, flags);
		cond_resched();
	} while (!chunk && more);
	return chunk;
}

/* Bits of a word: pages that are not ours, and pages that are free. */
static u64 pages_foreign(const struct palloc_chunk *chunk, unsigned int word)
{
	return chunk->alloc[word] & chunk->scavenged[word];
}

static unsigned int pages_owned(const struct palloc_chunk *chunk)
{
	unsigned int i, nr = PALLOC_CHUNK_PAGES;

	for (i = 0; i < PALLOC_CHUNK_WORDS; i++)
		nr -= hweight64(pages_foreign(chunk, i));
	return nr;
}

static unsigned int pages_free(const struct palloc_chunk *chunk)
{
	return PALLOC_CHUNK_PAGES - palloc_bits_popcount(chunk->alloc, 0, PALLOC_CHUNK_PAGES);
}

static unsigned int pages_clean(const struct palloc_chunk *chunk)
{
	unsigned int i, nr = 0;

	for (i = 0; i < PALLOC_CHUNK_WORDS; i++)
		nr += hweight64(~chunk->alloc[i] & chunk->scavenged[i]);
	return nr;
}

/* heapmap */

/**
 * struct heapmap_rows - a reader
 * @rows: how far it has come; @rows.next is a chunk
 * @nid: node of what was gathered
 * @row: of the block those chunks that have a page of ours
 * @block: what was gathered
 */
struct heapmap_rows {
	struct debugfs_rows rows;
	int nid;
	u8 row[PALLOC_BLOCK_CHUNKS];
	struct pages_block block;
};

static unsigned int heapmap_fill(struct debugfs_rows *rows)
{
	struct heapmap_rows *reader = container_of(rows, struct heapmap_rows, rows);
	struct pages_block *block = &reader->block;
	struct heap_node *node;
	unsigned int i, nr;

	for (;;) {
		node = heap_node_from(rows->heap, rows->node);
		if (!node)
			return 0;
		if (!pages_copy(node, rows->next, block)) {
			rows->node = node->nid + 1;
			rows->next = 0;
			continue;
		}
		rows->node = node->nid;
		rows->next = block->first + block->nr;
		reader->nid = node->nid;
		for (i = 0, nr = 0; i < block->nr; i++)
			if (pages_owned(&block->chunk[i]))
				reader->row[nr++] = i;
		if (nr)
			return nr;
	}
}

static char heapmap_letter(const struct palloc_chunk *chunk, unsigned int page)
{
	unsigned int alloc = chunk->alloc[page / 64] >> page % 64 & 1;
	unsigned int scavenged = chunk->scavenged[page / 64] >> page % 64 & 1;

	return "fzun"[2 * alloc + scavenged];
}

static void heapmap_show(struct seq_file *m, const struct debugfs_rows *rows,
			 unsigned int i)
{
	const struct heapmap_rows *reader = container_of(rows, struct heapmap_rows, rows);
	u64 number = reader->block.first + reader->row[i];
	const struct palloc_chunk *chunk = &reader->block.chunk[reader->row[i]];
	unsigned int page, run;
	char letter;

	seq_printf(m, "%6d %10llu %13llu %5u %5u ", reader->nid, number,
		   number << PALLOC_CHUNK_SHIFT, pages_owned(chunk), pages_free(chunk));
	for (page = 0; page < PALLOC_CHUNK_PAGES; page += run) {
		letter = heapmap_letter(chunk, page);
		for (run = 1; page + run < PALLOC_CHUNK_PAGES; run++)
			if (heapmap_letter(chunk, page + run) != letter)
				break;
		seq_printf(m, "%c%u", letter, run);
	}
	seq_putc(m, '\n');
}

static void heapmap_head(struct seq_file *m, struct goalloc_heap *heap)
{
	seq_puts(m, "goalloc heapmap - version: 1.0\n");
	seq_printf(m, "# heap %s; chunks of %u pages of %lu bytes that have a page of goalloc's; page: number of the first\n",
		   heap->name, PALLOC_CHUNK_PAGES, GOALLOC_PAGE_SIZE);
	seq_puts(m, "# map: the pages in order, a letter and how many: u in use or in a page cache, f free, z free and known to be zero, n not goalloc's\n");
	seq_printf(m, "#%5s %10s %13s %5s %5s %s\n", "node", "chunk", "page", "owned",
		   "free", "map");
}

static const struct debugfs_table heapmap_table = {
	.bytes = sizeof(struct heapmap_rows),
	.head = heapmap_head,
	.fill = heapmap_fill,
	.show = heapmap_show,
};

DEBUGFS_ROWS(heapmap, heapmap_table);

/**
 * debugfs_show_heapmap - the whole file, for tests
 * @m: where to print
 * @heap: the heap
 *
 * Context: Process context, may sleep.
 */
void debugfs_show_heapmap(struct seq_file *m, struct goalloc_heap *heap)
{
	debugfs_rows_print(m, heap, &heapmap_table);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_heapmap);

/* pageheap */

/**
 * struct pageheap_sums - what the chunks of a node come to
 * @chunks: chunks with bitmaps
 * @owned_chunks: of these, those with a page of ours
 * @full_chunks: of these, those without a free page
 * @clean: free pages known to be zero
 * @runs: runs of free pages, by the binary logarithm of their length
 * @pages: pages in them
 * @longest: length of the longest
 * @open: length of the run that ends where the walk has come to
 * @next: chunk that is next
 */
struct pageheap_sums {
	u64 chunks;
	u64 owned_chunks;
	u64 full_chunks;
	u64 clean;
	u64 runs[PAGES_MAX_SHIFT];
	u64 pages[PAGES_MAX_SHIFT];
	u64 longest;
	u64 open;
	u64 next;
};

static void pageheap_close_run(struct pageheap_sums *sums)
{
	if (!sums->open)
		return;
	sums->runs[ilog2(sums->open)]++;
	sums->pages[ilog2(sums->open)] += sums->open;
	sums->longest = max(sums->longest, sums->open);
	sums->open = 0;
}

static void pageheap_add_runs(struct pageheap_sums *sums, const struct palloc_chunk *chunk)
{
	unsigned int i, bit, len;
	u64 rest;

	for (i = 0; i < PALLOC_CHUNK_WORDS; i++) {
		for (bit = 0; bit < 64; bit += len) {
			rest = chunk->alloc[i] >> bit;
			if (rest & 1) {
				pageheap_close_run(sums);
				len = ~rest ? __ffs64(~rest) : 64;
			} else {
				len = rest ? __ffs64(rest) : 64 - bit;
				sums->open += len;
			}
		}
	}
}

static void pageheap_add_block(struct pageheap_sums *sums, const struct pages_block *block)
{
	unsigned int i, free;

	/* What lies between two blocks is not ours. */
	if (block->first != sums->next)
		pageheap_close_run(sums);
	for (i = 0; i < block->nr; i++) {
		const struct palloc_chunk *chunk = &block->chunk[i];

		free = pages_free(chunk);
		sums->chunks++;
		sums->owned_chunks += pages_owned(chunk) > 0;
		sums->full_chunks += pages_owned(chunk) && !free;
		sums->clean += pages_clean(chunk);
		pageheap_add_runs(sums, chunk);
	}
	sums->next = block->first + block->nr;
}

static void pageheap_value(struct seq_file *m, const struct heap_node *node,
			   const char *name, u64 value)
{
	seq_printf(m, "node %d %s %llu\n", node->nid, name, value);
}

static void pageheap_show_node(struct seq_file *m, struct heap_node *node,
			       const struct pageheap_sums *sums)
{
	u64 owned, free, search, start, end;
	unsigned long flags;

	raw_spin_lock_irqsave(&node->lock, flags);
	owned = node->palloc.nr_owned;
	free = node->palloc.nr_free;
	search = node->palloc.search;
	start = node->palloc.start;
	end = node->palloc.end;
	raw_spin_unlock_irqrestore(&node->lock, flags);

	pageheap_value(m, node, "owned_pages", owned);
	pageheap_value(m, node, "free_pages", free);
	pageheap_value(m, node, "used_pages", owned - free);
	pageheap_value(m, node, "clean_pages", sums->clean);
	if (search == PALLOC_NONE)
		seq_printf(m, "node %d search_page none\n", node->nid);
	else
		pageheap_value(m, node, "search_page", search);
	pageheap_value(m, node, "start_chunk", start < end ? start : 0);
	pageheap_value(m, node, "end_chunk", end);
	pageheap_value(m, node, "chunks", sums->chunks);
	pageheap_value(m, node, "owned_chunks", sums->owned_chunks);
	pageheap_value(m, node, "full_chunks", sums->full_chunks);
	pageheap_value(m, node, "longest_run_pages", sums->longest);
	pageheap_value(m, node, "metadata_bytes", palloc_metadata_bytes(&node->palloc));
}

/* Root summaries that are not empty. */
static void pageheap_show_roots(struct seq_file *m, struct heap_node *node)
{
	unsigned int shift = palloc_level_shift(0);
	u64 entry, end;
	palloc_sum_t sum;
	unsigned long flags;

	entry = 0;
	do {
		raw_spin_lock_irqsave(&node->lock, flags);
		end = palloc_entries(&node->palloc, 0);
		for (sum = 0; !sum && entry < end; entry++)
			sum = node->palloc.sum[0][entry];
		raw_spin_unlock_irqrestore(&node->lock, flags);
		if (sum)
			seq_printf(m, "root %d %llu %llu %u %u %u\n", node->nid, entry - 1,
				   (entry - 1) << shift, palloc_sum_start(sum),
				   palloc_sum_max(sum), palloc_sum_end(sum));
	} while (entry < end);
}

/**
 * debugfs_show_pageheap - what the page trees know
 * @m: where to print
 * @heap: the heap
 *
 * Context: Process context, may sleep.
 */
void debugfs_show_pageheap(struct seq_file *m, struct goalloc_heap *heap)
{
	struct pageheap_sums *sums = kmalloc(sizeof(*sums), GFP_KERNEL);
	struct pages_block *block = kmalloc(sizeof(*block), GFP_KERNEL);
	struct heap_node *node;
	int i;

	seq_puts(m, "goalloc pageheap - version: 1.0\n");
	seq_printf(m, "# heap %s; pages of %lu bytes, chunks of %u pages; numbers of pages are from the start of the address space\n",
		   heap->name, GOALLOC_PAGE_SIZE, PALLOC_CHUNK_PAGES);
	seq_puts(m, "# node N name value; search_page: no page below it is free\n");
	seq_puts(m, "# root N entry first_page start max end: free pages at the start, in the longest run, at the end\n");
	seq_puts(m, "# runs N min max runs pages: runs of min to max free pages, and the pages in them\n");
	for (node = heap_first_node(heap); sums && block && node;
	     node = heap_next_node(node)) {
		memset(sums, 0, sizeof(*sums));
		while (pages_copy(node, sums->next, block))
			pageheap_add_block(sums, block);
		pageheap_close_run(sums);
		pageheap_show_node(m, node, sums);
		pageheap_show_roots(m, node);
		for (i = 0; i < PAGES_MAX_SHIFT; i++)
			if (sums->runs[i])
				seq_printf(m, "runs %d %llu %llu %llu %llu\n", node->nid,
					   1ULL << i, (2ULL << i) - 1, sums->runs[i],
					   sums->pages[i]);
	}
	kfree(block);
	kfree(sums);
}
GOALLOC_EXPORT_KUNIT(debugfs_show_pageheap);
