// SPDX-License-Identifier: GPL-2.0-only
/* Pictures as PNG, by cairo. */
#include <cairo.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "util.h"

/* cairo's images have no more pixels in a direction. */
#define PNG_MAX 32767

static void png_begin(struct canvas *canvas, double width, double height)
{
	cairo_surface_t *surface;
	cairo_t *cairo;

	if (width > PNG_MAX || height > PNG_MAX)
		die(STATUS_TROUBLE, "%s: %.0f by %.0f pixels are too many for PNG; SVG has no limit",
		    canvas->path, width, height);
	surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
	cairo = cairo_create(surface);
	cairo_surface_destroy(surface);
	if (cairo_status(cairo))
		die(STATUS_TROUBLE, "%s: %s", canvas->path,
		    cairo_status_to_string(cairo_status(cairo)));
	cairo_set_antialias(cairo, CAIRO_ANTIALIAS_NONE);
	cairo_select_font_face(cairo, "DejaVu Sans Mono", CAIRO_FONT_SLANT_NORMAL,
			       CAIRO_FONT_WEIGHT_NORMAL);
	canvas->priv = cairo;
}

static void png_rect(struct canvas *canvas, double x, double y, double w, double h,
		     uint32_t colour, const char *title)
{
	cairo_t *cairo = canvas->priv;

	(void)title;
	cairo_set_source_rgb(cairo, (colour >> 16) / 255.0, (colour >> 8 & 0xff) / 255.0,
			     (colour & 0xff) / 255.0);
	cairo_rectangle(cairo, x, y, w, h);
	cairo_fill(cairo);
}

static void png_text(struct canvas *canvas, double x, double y, double size,
		     enum anchor anchor, const char *text)
{
	cairo_t *cairo = canvas->priv;
	cairo_text_extents_t extents;

	cairo_set_source_rgb(cairo, 0, 0, 0);
	cairo_set_font_size(cairo, size);
	cairo_text_extents(cairo, text, &extents);
	if (anchor == ANCHOR_RIGHT)
		x -= extents.x_advance;
	else if (anchor == ANCHOR_MIDDLE)
		x -= extents.x_advance / 2;
	cairo_move_to(cairo, x, y);
	cairo_show_text(cairo, text);
}

static cairo_status_t png_write(void *closure, const unsigned char *data, unsigned int length)
{
	return fwrite(data, 1, length, closure) == length ? CAIRO_STATUS_SUCCESS :
							    CAIRO_STATUS_WRITE_ERROR;
}

static void png_end(struct canvas *canvas)
{
	cairo_t *cairo = canvas->priv;
	struct new_file file;
	cairo_status_t status;

	new_file_begin(&file, canvas->path);
	status = cairo_surface_write_to_png_stream(cairo_get_target(cairo), png_write, file.out);
	if (status && status != CAIRO_STATUS_WRITE_ERROR)
		die(STATUS_TROUBLE, "%s: %s", canvas->path, cairo_status_to_string(status));
	new_file_end(&file);
	cairo_destroy(cairo);
}

void canvas_png(struct canvas *canvas)
{
	canvas->begin = png_begin;
	canvas->rect = png_rect;
	canvas->text = png_text;
	canvas->end = png_end;
}
