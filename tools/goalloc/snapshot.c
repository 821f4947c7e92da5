// SPDX-License-Identifier: GPL-2.0-only
/* What goalloc's files said at one time, of one heap or of several. */
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"
#include "source.h"

const struct ledger_row ledger_rows[LEDGER_ROWS] = {
	{ "live_bytes", "live", "objects in use" },
	{ "rounding_bytes", "rounding", "large objects: whole pages less what was requested" },
	{ "cached_bytes", "cached", "free objects in CPU caches" },
	{ "central_bytes", "central", "free objects in central spans" },
	{ "quarantine_bytes", "quarantine", "free objects kept from reuse" },
	{ "tail_bytes", "tail", "room behind the last object of spans" },
	{ "page_cache_bytes", "page cache", "free pages in CPU caches" },
	{ "free_bytes", "free pages", "free pages in the page tree" },
};

/* A part and how it is read. */
struct part {
	unsigned int bit;
	const char *file;
	bool optional;
	size_t offset;		/* in struct heap */
	int (*parse)(void *out, char *text, const char *name, struct fault *fault);
};

static int part_pairs(void *out, char *text, const char *name, struct fault *fault)
{
	return parse_pairs(out, text, name, fault);
}

static int part_table(void *out, char *text, const char *name, struct fault *fault)
{
	return parse_table(out, text, name, fault);
}

static int part_pageheap(void *out, char *text, const char *name, struct fault *fault)
{
	(void)name;
	return parse_pageheap(out, text, fault);
}

static int part_sites(void *out, char *text, const char *name, struct fault *fault)
{
	(void)name;
	return parse_sites(out, text, fault);
}

static int part_stacks(void *out, char *text, const char *name, struct fault *fault)
{
	(void)name;
	return parse_stacks(out, text, fault);
}

#define PART(bit, name, optional, parse) \
	{ bit, #name, optional, offsetof(struct heap, name), parse }

static const struct part parts[] = {
	PART(PART_CLASSES, classes, false, part_table),
	PART(PART_SCAVENGER, scavenger, true, part_pairs),
	PART(PART_NODES, nodes, true, part_table),
	PART(PART_PERCPU, percpu, true, part_table),
	PART(PART_PAGEHEAP, pageheap, true, part_pageheap),
	PART(PART_SPANS, spans, true, part_table),
	PART(PART_HEAPMAP, heapmap, true, part_table),
	PART(PART_SITES, sites, true, part_sites),
	PART(PART_STACKS, stacks, true, part_stacks),
};

/* A heap that was in the list may be gone by now. */
static bool may_vanish(const struct heap *heap)
{
	return !options.heap && strcmp(heap->name, DEFAULT_HEAP);
}

static void read_part(struct heap *heap, const struct part *part)
{
	char *text = source_read(heap->name, part->file, part->optional || may_vanish(heap));
	struct fault fault = {};

	if (!text)
		return;
	if (part->parse((char *)heap + part->offset, text, part->file, &fault))
		source_fault(heap->name, part->file, &fault);
	heap->parts |= part->bit;
}

static void read_heap(struct snapshot *snap, const char *name, unsigned int want)
{
	static const struct part vmstat = {
		0, "vmstat", false, offsetof(struct heap, vmstat), part_pairs
	};
	struct heap *heap;
	size_t i;

	snap->heaps = xrealloc_array(snap->heaps, snap->nr_heaps + 1, sizeof(*snap->heaps));
	heap = &snap->heaps[snap->nr_heaps++];
	memset(heap, 0, sizeof(*heap));
	heap->name = xstrdup(name);
	read_part(heap, &vmstat);
	if (!heap->vmstat.text) {
		free(heap->name);
		snap->nr_heaps--;
		return;
	}
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (want & parts[i].bit)
			read_part(heap, &parts[i]);
}

static void snapshot_begin(struct snapshot *snap)
{
	memset(snap, 0, sizeof(*snap));
	snap->time = time_now();
	snap->monotonic = time_monotonic();
}

void snapshot_read_one(struct snapshot *snap, unsigned int want)
{
	snapshot_begin(snap);
	read_heap(snap, options.heap ?: DEFAULT_HEAP, want);
}

void snapshot_read(struct snapshot *snap, unsigned int want)
{
	char **names;
	size_t nr, i;

	if (options.heap) {
		snapshot_read_one(snap, want);
		return;
	}
	snapshot_begin(snap);
	names = source_heaps(&nr);
	for (i = 0; i < nr; i++) {
		read_heap(snap, names[i], want);
		free(names[i]);
	}
	free(names);
}

void snapshot_free(struct snapshot *snap)
{
	size_t i;

	for (i = 0; i < snap->nr_heaps; i++) {
		struct heap *heap = &snap->heaps[i];

		free(heap->name);
		pairs_free(&heap->vmstat);
		pairs_free(&heap->scavenger);
		table_free(&heap->classes);
		table_free(&heap->nodes);
		table_free(&heap->percpu);
		table_free(&heap->spans);
		table_free(&heap->heapmap);
		pageheap_free(&heap->pageheap);
		sites_free(&heap->sites);
		stacks_free(&heap->stacks);
	}
	free(snap->heaps);
	memset(snap, 0, sizeof(*snap));
}

struct heap *snapshot_heap(const struct snapshot *snap, const char *name)
{
	size_t i;

	for (i = 0; i < snap->nr_heaps; i++)
		if (!strcmp(snap->heaps[i].name, name))
			return &snap->heaps[i];
	return NULL;
}

void heap_require(const struct heap *heap, unsigned int part)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if ((part & parts[i].bit) && !(heap->parts & parts[i].bit))
			die(STATUS_FORMAT,
			    "the heap \"%s\" has no file \"%s\": this module is older than the program, or was built without it",
			    heap->name, parts[i].file);
}

int64_t heap_stat(const struct heap *heap, const char *name)
{
	return pairs_num(&heap->vmstat, name);
}

int64_t heap_bad_frees(const struct heap *heap)
{
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < heap->vmstat.nr; i++)
		if (!strncmp(heap->vmstat.names[i], "bad_frees_", 10))
			sum += heap->vmstat.values[i].num;
	return sum;
}

/* Spans of the classes that have no room left over are all objects. */
int64_t heap_page_size(const struct heap *heap)
{
	const struct table *t = &heap->classes;
	int64_t most = 0;
	size_t i;

	for (i = 0; i < t->nrows; i++) {
		int64_t pages = table_num(t, i, "pages");
		int64_t size = table_num(t, i, "size");
		int64_t objs = table_num(t, i, "objs");

		/* The numbers come from a file: keep them within reason. */
		if (pages <= 0 || pages > 1 << 20 || size <= 0 || size > 1 << 30 ||
		    objs <= 0 || objs > 1 << 20)
			continue;
		if (size * objs / pages > most)
			most = size * objs / pages;
	}
	return most;
}

int64_t heap_ledger_sum(const struct heap *heap)
{
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ledger_rows); i++)
		sum += heap_stat(heap, ledger_rows[i].stat);
	return sum;
}
