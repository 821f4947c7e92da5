// SPDX-License-Identifier: GPL-2.0-only
/*
 * The map as a picture: a chunk is four lines of 128 pages, chunks stand below each
 * other in the order of addresses, in one column or in several.
 */
#include <string.h>

#include "canvas.h"
#include "picture.h"

#define LINE_PAGES	128
#define CHUNK_LINES	(CHUNK_PAGES / LINE_PAGES)
#define MARGIN		16.0
#define LABEL		96.0	/* width of the numbers beside a column */
#define FONT		11.0
#define LEGEND_ROW	18.0
#define LEGEND_WIDTH	(LABEL + LINE_PAGES * 6)

struct layout {
	unsigned int columns;
	size_t rows;		/* chunks below each other */
	double page;		/* a page's width and height */
	double chunk;		/* from a chunk to the next below it */
	double top;		/* where the first begins */
	double width, height;
};

static void layout_make(struct layout *l, const struct picture *pic)
{
	double content;

	l->columns = pic->nr <= 64 ? 1 : pic->nr <= 512 ? 2 : 4;
	l->page = l->columns == 1 ? 6 : l->columns == 2 ? 4 : 2;
	l->rows = (pic->nr + l->columns - 1) / l->columns;
	l->chunk = CHUNK_LINES * l->page + 3 + l->page;
	/* Numbers beside small chunks would run into each other: see draw_label(). */
	content = l->columns * (LABEL + LINE_PAGES * l->page);
	l->width = 2 * MARGIN + (content > LEGEND_WIDTH ? content : LEGEND_WIDTH);
	l->top = MARGIN + 7.5 * LEGEND_ROW;
	l->height = l->top + (l->rows ?: 1) * l->chunk + MARGIN;
}

static double draw_key(struct canvas *c, const struct picture *pic, double x, double y,
		       unsigned int kind)
{
	char name[PICTURE_NAME_LEN], text[PICTURE_NAME_LEN + 32], bytes[BYTES_LEN];

	/* White on white needs an edge. */
	c->rect(c, x, y - 10, 12, 12, 0x808080, NULL);
	c->rect(c, x + 1, y - 9, 10, 10, picture_colour(pic, kind), NULL);
	snprintf(text, sizeof(text), "%s %s", picture_name(pic, kind, name),
		 format_bytes(bytes, pic->count[kind] * pic->page_size));
	c->text(c, x + 17, y, FONT, ANCHOR_LEFT, text);
	return x + 34 + strlen(text) * CANVAS_CHAR(FONT);
}

/* The spectrum of classes, with the sizes of some below. */
static void draw_classes(struct canvas *c, const struct picture *pic, double y)
{
	double x = MARGIN, w = (LEGEND_WIDTH - MARGIN) / ((double)pic->classes + 1);
	unsigned int class;

	c->text(c, x, y, FONT, ANCHOR_LEFT, "small objects, by the bytes of their class:");
	for (class = 1; class <= pic->classes; class++) {
		char name[PICTURE_NAME_LEN], title[PICTURE_NAME_LEN + 40], bytes[BYTES_LEN];
		unsigned int kind = KIND_SMALL + class;

		snprintf(title, sizeof(title), "%s: %s", picture_name(pic, kind, name),
			 format_bytes(bytes, pic->count[kind] * pic->page_size));
		c->rect(c, x + (class - 1) * w, y + 7, w, 12, picture_colour(pic, kind), title);
		if (class % 6 == 1 || class == pic->classes)
			c->text(c, x + (class - 0.5) * w, y + 31, 10, ANCHOR_MIDDLE,
				format_bytes(bytes, pic->size[kind]));
	}
}

static void draw_legend(struct canvas *c, const struct picture *pic)
{
	static const unsigned int kinds[] = {
		KIND_LARGE, KIND_TINY, KIND_CACHED, KIND_FREE, KIND_ZERO,
	};
	int64_t owned = pic->nr * CHUNK_PAGES - pic->count[KIND_FOREIGN];
	char text[200], bytes[BYTES_LEN], page[BYTES_LEN], chunk[BYTES_LEN];
	double x = MARGIN, y = MARGIN + 14;
	size_t i;

	snprintf(text, sizeof(text), "goalloc heap \"%.64s\": %s held, in %zu chunks", pic->heap,
		 format_bytes(bytes, owned * pic->page_size), pic->nr);
	c->text(c, x, y, 15, ANCHOR_LEFT, text);
	snprintf(text, sizeof(text),
		 "scale: a square is a page of %s, a line %s, a block of %d lines a chunk of %s; at the left its first page",
		 format_bytes(page, pic->page_size),
		 format_bytes(bytes, LINE_PAGES * pic->page_size), CHUNK_LINES,
		 format_bytes(chunk, CHUNK_PAGES * pic->page_size));
	c->text(c, x, y += LEGEND_ROW, FONT, ANCHOR_LEFT, text);
	y += LEGEND_ROW;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		x = draw_key(c, pic, x, y, kinds[i]);
	if (pic->count[KIND_USED])
		x = draw_key(c, pic, x, y, KIND_USED);
	if (pic->count[KIND_OTHER])
		draw_key(c, pic, x, y, KIND_OTHER);
	draw_classes(c, pic, y + LEGEND_ROW + 6);
}

/* A run of pages of one kind, in one line. */
static void draw_run(struct canvas *c, const struct picture *pic,
		     const struct picture_chunk *chunk, const struct layout *l, double x,
		     double y, unsigned int first, unsigned int nr)
{
	unsigned int kind = chunk->kind[first];
	char name[PICTURE_NAME_LEN], title[PICTURE_NAME_LEN + 80];

	if (kind == KIND_FOREIGN)
		return;
	snprintf(title, sizeof(title), "pages %lld to %lld: %s",
		 (long long)chunk->page + first, (long long)chunk->page + first + nr - 1,
		 picture_name(pic, kind, name));
	/* A gap between pages where there is room for one. */
	c->rect(c, x + first % LINE_PAGES * l->page, y + first / LINE_PAGES * l->page,
		nr * l->page - (l->page > 3 ? 0.5 : 0), l->page - (l->page > 3 ? 0.5 : 0),
		picture_colour(pic, kind), title);
}

static void draw_chunk(struct canvas *c, const struct picture *pic,
		       const struct picture_chunk *chunk, const struct layout *l, double x,
		       double y)
{
	unsigned int first = 0, i;

	c->rect(c, x - 1, y - 1, LINE_PAGES * l->page + 2, CHUNK_LINES * l->page + 2, 0xd8d8d8,
		NULL);
	c->rect(c, x, y, LINE_PAGES * l->page, CHUNK_LINES * l->page, 0xffffff, NULL);
	for (i = 1; i <= CHUNK_PAGES; i++) {
		if (i < CHUNK_PAGES && i % LINE_PAGES && chunk->kind[i] == chunk->kind[first])
			continue;
		draw_run(c, pic, chunk, l, x, y, first, i - first);
		first = i;
	}
}

void picture_draw(const struct picture *pic, const char *path)
{
	struct canvas canvas, *c = &canvas;
	struct layout l;
	size_t i;

	canvas_open(c, path);
	layout_make(&l, pic);
	c->begin(c, l.width, l.height);
	c->rect(c, 0, 0, l.width, l.height, 0xffffff, NULL);
	draw_legend(c, pic);
	for (i = 0; i < pic->nr; i++) {
		const struct picture_chunk *chunk = &pic->chunk[i];
		unsigned int every = l.chunk >= FONT ? 1 : 2;
		double x = MARGIN + LABEL + i / l.rows * (LABEL + LINE_PAGES * l.page);
		double y = l.top + i % l.rows * l.chunk;
		char label[40];

		draw_chunk(c, pic, chunk, &l, x, y);
		if (i % l.rows % every)
			continue;
		snprintf(label, sizeof(label), "%lld", (long long)chunk->page);
		c->text(c, x - 6, y + FONT, FONT, ANCHOR_RIGHT, label);
	}
	c->end(c);
}
