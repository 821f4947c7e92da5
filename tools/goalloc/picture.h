/* SPDX-License-Identifier: GPL-2.0-only */
/* Every page of a heap, by state and class: what the map's pictures are made from. */
#ifndef GOALLOC_PICTURE_H
#define GOALLOC_PICTURE_H

#include "snapshot.h"

/* What a page is; small objects' are KIND_SMALL plus the number of their class. */
enum page_kind {
	KIND_FOREIGN,		/* not goalloc's */
	KIND_FREE,
	KIND_ZERO,		/* free and zero */
	KIND_CACHED,		/* in a CPU's page cache */
	KIND_USED,		/* in use, and it is not known for what */
	KIND_OTHER,		/* a letter that this program does not know */
	KIND_LARGE,
	KIND_TINY,
	KIND_SMALL,
	KIND_MAX = 255,
};

struct picture_chunk {
	int64_t node, chunk, page;
	uint8_t kind[CHUNK_PAGES];
};

struct picture {
	const char *heap;
	int64_t page_size;
	size_t nr;
	struct picture_chunk *chunk;	/* by node and number */
	int64_t count[KIND_MAX + 1];	/* pages of each kind */
	int64_t size[KIND_MAX + 1];	/* bytes per object of small kinds */
	unsigned int classes;		/* the largest class is this one */
};

/* Of a heap with PART_HEAPMAP, PART_CLASSES and, if it is there, PART_SPANS. */
void picture_make(struct picture *pic, const struct heap *heap);
void picture_free(struct picture *pic);

uint32_t picture_colour(const struct picture *pic, unsigned int kind);

/* "class 5, 48 bytes"; @out has 64 bytes. */
const char *picture_name(const struct picture *pic, unsigned int kind, char *out);

#define PICTURE_NAME_LEN 64

void picture_draw(const struct picture *pic, const char *path);

/* Lines of text; with colours by escape sequences if @colour. */
void picture_print(const struct picture *pic, unsigned int width, bool colour);

#endif /* GOALLOC_PICTURE_H */
