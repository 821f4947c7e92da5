// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parsers on text that may be anything: they may refuse it, but not fall over,
 * and what they took they must hand out and free. The first byte says which parser.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "heapmap.h"
#include "json.h"
#include "pageheap.h"
#include "parse.h"
#include "picture.h"
#include "source.h"
#include "stacks.h"

struct options options = { .root = "." };

static volatile int64_t sink;

static void try_table(char *text)
{
	static const char *const names[] = { "classes", "spans", "heapmap", "nodes", "percpu" };
	char pages[CHUNK_PAGES], *copy;
	struct fault fault;
	struct table table;
	size_t n, row;

	for (n = 0; n < ARRAY_SIZE(names); n++) {
		copy = xstrdup(text);
		if (!parse_table(&table, copy, names[n], &fault)) {
			for (row = 0; row < table.nrows; row++) {
				sink += table_num(&table, row, "page");
				sink += heapmap_decode(table_text(&table, row, "map"), pages);
			}
			if (n == 0) {
				struct heap heap = { .classes = table };

				sink += heap_page_size(&heap);
			}
		}
		table_free(&table);
	}
	free(text);
}

static void try_pairs(char *text)
{
	struct fault fault;
	struct pairs pairs;

	if (!parse_pairs(&pairs, text, "vmstat", &fault)) {
		struct heap heap = { .vmstat = pairs };

		sink += heap_ledger_sum(&heap) + heap_bad_frees(&heap);
	}
	pairs_free(&pairs);
}

static void try_pageheap(char *text)
{
	struct fault fault;
	struct pageheap ph;

	if (!parse_pageheap(&ph, text, &fault))
		sink += pageheap_num(&ph, -1, "free_pages");
	pageheap_free(&ph);
}

static void try_stacks(char *text)
{
	struct frame_name name;
	struct stacks stacks;
	struct fault fault;
	size_t i, j;

	if (!parse_stacks(&stacks, text, &fault)) {
		for (i = 0; i < stacks.nr; i++)
			for (j = 0; j < stacks.stack[i].nr_frames; j++)
				frame_split(stacks.frames[stacks.stack[i].first_frame + j],
					    &name);
	}
	stacks_free(&stacks);
}

static void try_sites(char *text)
{
	struct sites sites;
	struct fault fault;

	if (!parse_sites(&sites, text, &fault) && sites.nr)
		sink += sites.site[sites.nr - 1].bytes;
	sites_free(&sites);
}

static void try_json(char *text, size_t size)
{
	struct snapshot snap;
	struct fault fault;
	size_t i;

	if (!json_parse(&snap, text, size, &fault))
		for (i = 0; i < snap.nr_heaps; i++)
			sink += heap_ledger_sum(&snap.heaps[i]) + heap_page_size(&snap.heaps[i]);
	snapshot_free(&snap);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	/* NUL behind it, as source_read() leaves it. */
	text = xmalloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 6) {
	case 0:
		try_table(text);
		break;
	case 1:
		try_pairs(text);
		break;
	case 2:
		try_pageheap(text);
		break;
	case 3:
		try_stacks(text);
		break;
	case 4:
		try_sites(text);
		break;
	default:
		try_json(text, size - 1);
		break;
	}
	return 0;
}
