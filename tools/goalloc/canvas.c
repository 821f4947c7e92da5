// SPDX-License-Identifier: GPL-2.0-only
/* What pictures are drawn on: which kind it is, and SVG. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "util.h"

static bool has_suffix(const char *path, const char *suffix)
{
	size_t len = strlen(path), n = strlen(suffix);

	return len > n && !strcasecmp(path + len - n, suffix);
}

void canvas_open(struct canvas *canvas, const char *path)
{
	memset(canvas, 0, sizeof(*canvas));
	canvas->path = path;
	if (has_suffix(path, ".svg")) {
		canvas_svg(canvas);
		return;
	}
	if (!has_suffix(path, ".png"))
		die(STATUS_USAGE, "%s: a picture's name ends in .svg or .png", path);
#if HAVE_CAIRO
	canvas_png(canvas);
#else
	die(STATUS_TROUBLE, "%s: PNG was not built in (no cairo); SVG was", path);
#endif
}

static uint32_t channel(double p, double q, double t)
{
	double value = p;

	t -= floor(t);
	if (t < 1 / 6.0)
		value = p + (q - p) * 6 * t;
	else if (t < 1 / 2.0)
		value = q;
	else if (t < 2 / 3.0)
		value = p + (q - p) * (2 / 3.0 - t) * 6;
	return lround(value * 255);
}

uint32_t colour_hsl(double hue, double saturation, double lightness)
{
	double q = lightness < 0.5 ? lightness * (1 + saturation) :
				     lightness + saturation - lightness * saturation;
	double p = 2 * lightness - q;

	return channel(p, q, hue + 1 / 3.0) << 16 | channel(p, q, hue) << 8 |
	       channel(p, q, hue - 1 / 3.0);
}

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			/* XML has no control characters. */
			fputc((unsigned char)*text < ' ' ? '?' : *text, out);
		}
	}
}

static void svg_begin(struct canvas *canvas, double width, double height)
{
	struct new_file *file = xcalloc(1, sizeof(*file));

	canvas->priv = file;
	new_file_begin(file, canvas->path);
	fprintf(file->out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
		"viewBox=\"0 0 %.0f %.0f\" font-family=\"DejaVu Sans Mono, monospace\" "
		"shape-rendering=\"crispEdges\">\n", width, height, width, height);
}

static void svg_rect(struct canvas *canvas, double x, double y, double w, double h,
		     uint32_t colour, const char *title)
{
	FILE *out = ((struct new_file *)canvas->priv)->out;

	fprintf(out, "<rect x=\"%.6g\" y=\"%.6g\" width=\"%.6g\" height=\"%.6g\" fill=\"#%06x\"",
		x, y, w, h, colour);
	if (!title) {
		fputs("/>\n", out);
		return;
	}
	fputs("><title>", out);
	put_escaped(out, title);
	fputs("</title></rect>\n", out);
}

static void svg_text(struct canvas *canvas, double x, double y, double size,
		     enum anchor anchor, const char *text)
{
	static const char *const anchors[] = { "start", "end", "middle" };
	FILE *out = ((struct new_file *)canvas->priv)->out;

	fprintf(out,
		"<text x=\"%.6g\" y=\"%.6g\" font-size=\"%.6g\" text-anchor=\"%s\" pointer-events=\"none\">",
		x, y, size, anchors[anchor]);
	put_escaped(out, text);
	fputs("</text>\n", out);
}

static void svg_end(struct canvas *canvas)
{
	struct new_file *file = canvas->priv;

	fputs("</svg>\n", file->out);
	new_file_end(file);
	free(file);
}

void canvas_svg(struct canvas *canvas)
{
	canvas->begin = svg_begin;
	canvas->rect = svg_rect;
	canvas->text = svg_text;
	canvas->end = svg_end;
}
