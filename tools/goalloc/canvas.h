/* SPDX-License-Identifier: GPL-2.0-only */
/* What pictures are drawn on: a file of SVG or of PNG. */
#ifndef GOALLOC_CANVAS_H
#define GOALLOC_CANVAS_H

#include <stdint.h>

enum anchor { ANCHOR_LEFT, ANCHOR_RIGHT, ANCHOR_MIDDLE };

/* Lengths in pixels, colours 0xrrggbb. */
struct canvas {
	void (*begin)(struct canvas *canvas, double width, double height);
	/* @title: shown when pointed at, where there is such a thing; or NULL */
	void (*rect)(struct canvas *canvas, double x, double y, double w, double h,
		     uint32_t colour, const char *title);
	/* @y: of the baseline */
	void (*text)(struct canvas *canvas, double x, double y, double size,
		     enum anchor anchor, const char *text);
	void (*end)(struct canvas *canvas);
	const char *path;
	void *priv;
};

/* Width of a character of text of this size, nearly: the font is monospaced. */
#define CANVAS_CHAR(size) ((size) * 0.602)

/* By the end of @path's name; ends the program if it is neither .svg nor .png. */
void canvas_open(struct canvas *canvas, const char *path);

void canvas_svg(struct canvas *canvas);
void canvas_png(struct canvas *canvas);

/* A colour of this hue (0 to 1), saturation and lightness. */
uint32_t colour_hsl(double hue, double saturation, double lightness);

#endif /* GOALLOC_CANVAS_H */
