// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc check: everything that must be equal is compared: the rows of the ledger
 * with what is held, and each file with the others.
 *
 * The files are read one after the other while the heap is in use, so equality can
 * be asked for only if nothing moved meanwhile: vmstat has to say the same before
 * and after. If that does not come to pass in some tries, nothing is judged.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

#define CHECK_TRIES 20
#define CHECK_PAUSE 0.1		/* seconds */

#define CHECK_PARTS (PART_CLASSES | PART_NODES | PART_PAGEHEAP | PART_SPANS | PART_HEAPMAP)

struct check_args {
	bool quiet, verbose;
};

struct check {
	const struct check_args *args;
	const struct heap *heap;
	unsigned int held, broken;	/* identities */
};

static void check_equal(struct check *c, int64_t is, int64_t want, const char *format, ...)
	PRINTF(4, 5);

static void check_equal(struct check *c, int64_t is, int64_t want, const char *format, ...)
{
	char name[160];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	if (is == want) {
		c->held++;
		if (c->args->verbose)
			printf("heap %s: %s: %lld, holds\n", c->heap->name, name,
			       (long long)is);
		return;
	}
	c->broken++;
	if (!c->args->quiet)
		printf("heap %s: %s: DOES NOT HOLD: %lld = %lld, off by %lld\n", c->heap->name,
		       name, (long long)is, (long long)want, (long long)(is - want));
}

static int64_t table_sum(const struct table *table, const char *col)
{
	int c = table_col(table, col);
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < table->nrows; i++)
		sum += table_cell(table, i, c)->num;
	return sum;
}

static void check_vmstat(struct check *c)
{
	const struct heap *heap = c->heap;
	int64_t held = heap_stat(heap, "held_bytes");
	int64_t over = heap_stat(heap, "alloc_bytes") - heap_stat(heap, "asked_bytes");

	check_equal(c, held, heap_ledger_sum(heap), "held = the rows of the ledger");
	check_equal(c, held, heap_stat(heap, "grown_bytes") - heap_stat(heap, "released_bytes"),
		    "held = grown - released");
	check_equal(c, heap_stat(heap, "live_objects"),
		    heap_stat(heap, "allocs") - heap_stat(heap, "frees"),
		    "live objects = allocs - frees");
	check_equal(c, over < 0 ? over : 0, 0, "classes gave no less than was requested");
}

static void check_class(struct check *c, size_t row, int64_t page_size)
{
	const struct table *t = &c->heap->classes;
	const char *cls = table_text(t, row, "cls");
	int64_t live = table_num(t, row, "live");
	int64_t objs = table_num(t, row, "objs");
	int64_t spans = table_num(t, row, "spans");
	int64_t size = table_num(t, row, "size");
	int64_t room = spans * table_num(t, row, "pages") * page_size;

	check_equal(c, live, table_num(t, row, "allocs") - table_num(t, row, "frees"),
		    "class %s: live = allocs - frees", cls);
	/* Large objects are cut from nothing; what is in quarantine is in no column. */
	if (!size || heap_stat(c->heap, "quarantine_bytes"))
		return;
	check_equal(c, spans * objs,
		    live + table_num(t, row, "cached") + table_num(t, row, "central"),
		    "class %s: slots = live + cached + central", cls);
	check_equal(c, table_num(t, row, "waste"), room - live * size,
		    "class %s: waste = spans - live", cls);
}

static void check_classes(struct check *c)
{
	const struct table *t = &c->heap->classes;
	const struct heap *heap = c->heap;
	int64_t page_size = heap_page_size(heap);
	int64_t guard = heap_stat(heap, "guard_allocs");
	size_t i;

	for (i = 0; i < t->nrows; i++)
		check_class(c, i, page_size);
	check_equal(c, table_sum(t, "allocs"), heap_stat(heap, "allocs") - guard,
		    "allocs of all classes = allocs - guarded");
	check_equal(c, table_sum(t, "frees"),
		    heap_stat(heap, "frees") - guard + heap_stat(heap, "guard_objects"),
		    "frees of all classes = frees - guarded");
}

static void check_nodes(struct check *c)
{
	const struct table *t = &c->heap->nodes;
	size_t i;

	for (i = 0; i < t->nrows; i++) {
		check_equal(c, table_num(t, i, "held"),
			    table_num(t, i, "large") + table_num(t, i, "small") +
			    table_num(t, i, "pcache") + table_num(t, i, "free"),
			    "node %s: held = large + small + page cache + free",
			    table_text(t, i, "node"));
		check_equal(c, table_num(t, i, "held"),
			    table_num(t, i, "grown") - table_num(t, i, "released"),
			    "node %s: held = grown - released", table_text(t, i, "node"));
	}
	check_equal(c, table_sum(t, "held"), heap_stat(c->heap, "held_bytes"),
		    "held of all nodes = held");
	check_equal(c, table_sum(t, "free"), heap_stat(c->heap, "free_bytes"),
		    "free of all nodes = free pages");
}

static void check_pageheap(struct check *c)
{
	const struct pageheap *ph = &c->heap->pageheap;
	int64_t page_size = heap_page_size(c->heap);
	int64_t pages = 0;
	size_t i;

	for (i = 0; i < ph->nr_runs; i++)
		pages += ph->runs[i].pages;
	check_equal(c, pages, pageheap_num(ph, -1, "free_pages"),
		    "page heap: pages of all free runs = free pages");
	check_equal(c, pageheap_num(ph, -1, "owned_pages"),
		    pageheap_num(ph, -1, "free_pages") + pageheap_num(ph, -1, "used_pages"),
		    "page heap: owned = free + used");
	check_equal(c, pageheap_num(ph, -1, "owned_pages") * page_size,
		    heap_stat(c->heap, "held_bytes"), "page heap: owned = held");
	check_equal(c, pageheap_num(ph, -1, "free_pages") * page_size,
		    heap_stat(c->heap, "free_bytes"), "page heap: free = free pages");
}

static void check_spans(struct check *c)
{
	const struct table *t = &c->heap->spans, *classes = &c->heap->classes;
	int64_t page_size = heap_page_size(c->heap);
	int64_t pages = table_sum(t, "pages");
	int class = table_col(t, "class"), used_col = table_col(t, "used");
	size_t row, i;

	check_equal(c, pages * page_size,
		    heap_stat(c->heap, "held_bytes") - heap_stat(c->heap, "page_cache_bytes") -
		    heap_stat(c->heap, "free_bytes"),
		    "spans: their pages = held - page caches - free pages");
	if (heap_stat(c->heap, "quarantine_bytes"))
		return;
	for (row = 0; row < classes->nrows; row++) {
		const char *cls = table_text(classes, row, "cls");
		int64_t spans = 0, used = 0;

		for (i = 0; i < t->nrows; i++)
			if (!strcmp(table_cell(t, i, class)->text, cls)) {
				spans++;
				used += table_cell(t, i, used_col)->num;
			}
		check_equal(c, spans, table_num(classes, row, "spans"),
			    "spans of class %s", cls);
		check_equal(c, used,
			    table_num(classes, row, "spans") * table_num(classes, row, "objs") -
			    table_num(classes, row, "central"), "used slots of class %s", cls);
	}
}

static void check_heapmap(struct check *c)
{
	const struct table *t = &c->heap->heapmap;
	int64_t page_size = heap_page_size(c->heap);
	int64_t owned = 0, free = 0, bad = 0;
	size_t i, j;

	for (i = 0; i < t->nrows; i++) {
		int64_t here = 0, here_free = 0;
		char pages[CHUNK_PAGES];

		if (heapmap_decode(table_text(t, i, "map"), pages)) {
			bad++;
			continue;
		}
		for (j = 0; j < CHUNK_PAGES; j++) {
			here += pages[j] != PAGE_FOREIGN;
			here_free += pages[j] == PAGE_FREE || pages[j] == PAGE_ZERO;
		}
		bad += here != table_num(t, i, "owned") || here_free != table_num(t, i, "free");
		owned += here;
		free += here_free;
	}
	check_equal(c, bad, 0, "heap map: chunks whose pages are not as counted");
	check_equal(c, owned * page_size, heap_stat(c->heap, "held_bytes"),
		    "heap map: owned = held");
	check_equal(c, free * page_size, heap_stat(c->heap, "free_bytes"),
		    "heap map: free = free pages");
}

static bool vmstat_same(const struct pairs *a, const struct pairs *b)
{
	size_t i;

	if (a->nr != b->nr)
		return false;
	for (i = 0; i < a->nr; i++)
		if (strcmp(a->names[i], b->names[i]) || a->values[i].num != b->values[i].num)
			return false;
	return true;
}

static int check_heap(const struct check_args *args, const struct heap *heap)
{
	struct check c = { .args = args, .heap = heap };
	int64_t safe = heap_stat(heap, "safe_mode");

	check_equal(&c, safe, 0, "not in safe mode");
	check_vmstat(&c);
	if (heap->parts & PART_CLASSES)
		check_classes(&c);
	if (heap->parts & PART_NODES)
		check_nodes(&c);
	if (heap->parts & PART_PAGEHEAP)
		check_pageheap(&c);
	if (heap->parts & PART_SPANS)
		check_spans(&c);
	if (heap->parts & PART_HEAPMAP)
		check_heapmap(&c);
	if (!args->quiet)
		printf("heap %s: %u identities hold, %u do not\n", heap->name, c.held,
		       c.broken);
	return c.broken ? STATUS_FALSE : STATUS_OK;
}

/* A heap by its name, as soon as it stands still for the time of reading. */
static int check_by_name(const struct check_args *args, const char *name)
{
	struct snapshot snap, after;
	unsigned int try;
	int status;

	options.heap = name;
	for (try = 0; try < CHECK_TRIES; try++) {
		bool still;

		if (try)
			sleep_seconds(CHECK_PAUSE);
		snapshot_read_one(&snap, CHECK_PARTS);
		snapshot_read_one(&after, 0);
		still = vmstat_same(&snap.heaps[0].vmstat, &after.heaps[0].vmstat);
		snapshot_free(&after);
		if (still) {
			status = check_heap(args, &snap.heaps[0]);
			snapshot_free(&snap);
			return status;
		}
		snapshot_free(&snap);
	}
	if (!args->quiet)
		printf("heap %s: not judged: it is in use all the time\n", name);
	return STATUS_BUSY;
}

static const struct argp_option check_options[] = {
	{ "quiet", 'q', NULL, 0, "say nothing, only end with the status", 0 },
	{ "verbose", 'v', NULL, 0, "show what holds, too", 0 },
	{}
};

static error_t check_parse(int key, char *arg, struct argp_state *state)
{
	struct check_args *args = state->input;

	switch (key) {
	case 'q':
		args->quiet = true;
		return 0;
	case 'v':
		args->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is one too many", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_check(int argc, char **argv)
{
	static const struct argp argp = {
		.options = check_options,
		.parser = check_parse,
		.doc = "Compare everything that must be equal, in all heaps or in --heap.\v"
		       "Ends with 0 if all identities hold, 1 if one does not, 8 if a heap "
		       "was in use all the time and could not be judged.",
		.children = options_children,
	};
	struct check_args args = {};
	int status = STATUS_OK;
	struct snapshot snap;
	size_t i;

	run_argp(&argp, argc, argv, &args);
	snapshot_read(&snap, 0);
	for (i = 0; i < snap.nr_heaps; i++) {
		int one = check_by_name(&args, snap.heaps[i].name);

		if (one == STATUS_FALSE || status == STATUS_OK)
			status = one;
	}
	snapshot_free(&snap);
	return status;
}
