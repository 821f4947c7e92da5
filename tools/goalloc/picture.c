// SPDX-License-Identifier: GPL-2.0-only
/* Every page of a heap, by state and class: the heap map and the spans together. */
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "picture.h"
#include "source.h"

/* Classes beyond share the last kind. */
#define CLASS_MAX (KIND_MAX - KIND_SMALL)

static unsigned int kind_of_letter(char letter)
{
	switch (letter) {
	case PAGE_FOREIGN:
		return KIND_FOREIGN;
	case PAGE_FREE:
		return KIND_FREE;
	case PAGE_ZERO:
		return KIND_ZERO;
	case PAGE_USED:
		return KIND_CACHED;	/* unless a span is there */
	default:
		return KIND_OTHER;
	}
}

static unsigned int kind_of_class(const struct cell *class)
{
	if (class->is_num)
		return KIND_SMALL + (class->num < 0 ? 0 :
				     class->num > CLASS_MAX ? CLASS_MAX : class->num);
	if (!strcmp(class->text, "large"))
		return KIND_LARGE;
	if (!strcmp(class->text, "tiny"))
		return KIND_TINY;
	return KIND_USED;
}

static int compare_chunks(const void *a, const void *b)
{
	const struct picture_chunk *x = a, *y = b;

	return x->page < y->page ? -1 : x->page > y->page;
}

/* A chunk where two nodes meet has a row of each: make it one. */
static void merge_chunks(struct picture *pic)
{
	size_t from, to = 0, i;

	for (from = 1; from < pic->nr; from++) {
		struct picture_chunk *a = &pic->chunk[to], *b = &pic->chunk[from];

		if (a->page != b->page) {
			pic->chunk[++to] = *b;
			continue;
		}
		for (i = 0; i < CHUNK_PAGES; i++)
			if (a->kind[i] == KIND_FOREIGN)
				a->kind[i] = b->kind[i];
	}
	if (pic->nr)
		pic->nr = to + 1;
}

/* The chunk that a page is in; @pic->chunk is sorted. */
static struct picture_chunk *find_chunk(struct picture *pic, int64_t page)
{
	size_t low = 0, high = pic->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (pic->chunk[mid].page > page)
			high = mid;
		else if (page - pic->chunk[mid].page >= CHUNK_PAGES)
			low = mid + 1;
		else
			return &pic->chunk[mid];
	}
	return NULL;
}

static void add_span(struct picture *pic, int64_t page, int64_t pages, unsigned int kind)
{
	int64_t i;

	/* A span reaches over several chunks if it must. */
	for (i = 0; i < pages; i++) {
		struct picture_chunk *chunk = find_chunk(pic, page + i);

		if (!chunk)
			return;
		/* What was taken or given back between the two files is left as it was. */
		if (chunk->kind[page + i - chunk->page] == KIND_CACHED)
			chunk->kind[page + i - chunk->page] = kind;
	}
}

static void add_classes(struct picture *pic, const struct table *classes)
{
	size_t i;

	for (i = 0; i < classes->nrows; i++) {
		const struct cell *class = table_cell(classes, i, table_col(classes, "cls"));
		unsigned int kind = kind_of_class(class);

		pic->size[kind] = table_num(classes, i, "size");
		if (class->is_num && kind - KIND_SMALL > pic->classes)
			pic->classes = kind - KIND_SMALL;
	}
}

void picture_make(struct picture *pic, const struct heap *heap)
{
	const struct table *map = &heap->heapmap, *spans = &heap->spans;
	int page = table_col(spans, "page"), pages = table_col(spans, "pages");
	int class = table_col(spans, "class");
	size_t i, j;

	memset(pic, 0, sizeof(*pic));
	pic->heap = heap->name;
	pic->page_size = heap_page_size(heap);
	pic->nr = map->nrows;
	pic->chunk = xcalloc(map->nrows, sizeof(*pic->chunk));
	for (i = 0; i < map->nrows; i++) {
		struct picture_chunk *chunk = &pic->chunk[i];
		char letters[CHUNK_PAGES];

		chunk->node = table_num(map, i, "node");
		chunk->chunk = table_num(map, i, "chunk");
		chunk->page = table_num(map, i, "page");
		if (heapmap_decode(table_text(map, i, "map"), letters)) {
			struct fault fault = {};

			fault_set(&fault, 0, "chunk %lld: its map is not one of %d pages",
				  (long long)chunk->chunk, CHUNK_PAGES);
			source_fault(heap->name, "heapmap", &fault);
		}
		for (j = 0; j < CHUNK_PAGES; j++)
			chunk->kind[j] = kind_of_letter(letters[j]);
	}
	qsort(pic->chunk, pic->nr, sizeof(*pic->chunk), compare_chunks);
	merge_chunks(pic);
	add_classes(pic, &heap->classes);
	for (i = 0; i < spans->nrows; i++)
		add_span(pic, table_cell(spans, i, page)->num, table_cell(spans, i, pages)->num,
			 kind_of_class(table_cell(spans, i, class)));
	for (i = 0; i < pic->nr; i++) {
		for (j = 0; j < CHUNK_PAGES; j++) {
			uint8_t *kind = &pic->chunk[i].kind[j];

			/* Without spans a page in use may be either. */
			if (*kind == KIND_CACHED && !(heap->parts & PART_SPANS))
				*kind = KIND_USED;
			pic->count[*kind]++;
		}
	}
}

void picture_free(struct picture *pic)
{
	free(pic->chunk);
	memset(pic, 0, sizeof(*pic));
}

/* Classes go from blue, the smallest, over green and yellow to red. */
uint32_t picture_colour(const struct picture *pic, unsigned int kind)
{
	switch (kind) {
	case KIND_FOREIGN:
		return 0xffffff;
	case KIND_FREE:
		return 0xc4c4c4;
	case KIND_ZERO:
		return 0xe4e4e4;
	case KIND_CACHED:
		return 0x8c8c8c;
	case KIND_USED:
	case KIND_OTHER:
		return 0x505050;
	case KIND_LARGE:
		return 0x202020;
	case KIND_TINY:
		return 0xd060d0;
	default:
		return colour_hsl(0.66 * (1 - (double)(kind - KIND_SMALL) /
					  (pic->classes ?: 1)), 0.75, 0.5);
	}
}

const char *picture_name(const struct picture *pic, unsigned int kind, char *out)
{
	static const char *const names[KIND_SMALL] = {
		[KIND_FOREIGN] = "not goalloc's",
		[KIND_FREE] = "free",
		[KIND_ZERO] = "free and zero",
		[KIND_CACHED] = "page cache",
		[KIND_USED] = "in use",
		[KIND_OTHER] = "of an unknown kind",
		[KIND_LARGE] = "large object",
		[KIND_TINY] = "tiny objects",
	};

	if (kind < KIND_SMALL)
		snprintf(out, PICTURE_NAME_LEN, "%s", names[kind]);
	else
		snprintf(out, PICTURE_NAME_LEN, "class %u, %lld bytes", kind - KIND_SMALL,
			 (long long)pic->size[kind]);
	return out;
}
