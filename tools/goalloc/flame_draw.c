// SPDX-License-Identifier: GPL-2.0-only
/*
 * A flame graph: a box per function, as wide as its share, on that of its caller;
 * the root is at the bottom.
 */
#include <stdio.h>
#include <string.h>

#include "canvas.h"
#include "flame.h"
#include "util.h"

#define MARGIN	10.0
#define ROW	17.0
#define FONT	11.0
#define TOP	46.0	/* room for the title */
#define WIDTH	1200.0
#define NARROW	0.3	/* pixels: what is less is not drawn */

struct picture_of {
	struct canvas canvas;
	int64_t total;
	const char *unit;
	double scale;		/* pixels per unit of value */
	double bottom;		/* y of the root's lower edge */
};

unsigned int flame_depth(const struct flame *node)
{
	unsigned int deepest = 0, depth;
	size_t i;

	for (i = 0; i < node->nr; i++) {
		depth = flame_depth(&node->child[i]);
		if (depth > deepest)
			deepest = depth;
	}
	return deepest + 1;
}

/* Warm colours, the same for the same name in every picture. */
static uint32_t colour_of(const char *name)
{
	uint32_t h = 2166136261u;

	/* All functions of a module look alike, in a cooler tone. */
	if (strchr(name, '[')) {
		for (name = strchr(name, '['); *name; name++)
			h = (h ^ (unsigned char)*name) * 16777619;
		return colour_hsl(0.40 + (h >> 8 & 0xff) / 255.0 * 0.2, 0.45, 0.66);
	}
	while (*name)
		h = (h ^ (unsigned char)*name++) * 16777619;
	return colour_hsl((h >> 8 & 0xff) / 255.0 * 0.13, 0.75,
			  0.58 + (h >> 16 & 0xff) / 255.0 * 0.12);
}

static const char *format_value(const struct picture_of *p, char *out, int64_t value)
{
	return !strcmp(p->unit, "bytes") ? format_bytes(out, value) : format_count(out, value);
}

static void draw_node(struct picture_of *p, const struct flame *node, double x,
		      unsigned int level)
{
	double width = node->value * p->scale, y = p->bottom - (level + 1) * ROW;
	size_t fits = width > 8 ? (size_t)((width - 6) / CANVAS_CHAR(FONT)) : 0, i;
	char title[256], text[160], value[BYTES_LEN];

	if (width < NARROW)
		return;
	snprintf(title, sizeof(title), "%s: %s, %.1f%%", node->name,
		 format_value(p, value, node->value), percent(node->value, p->total));
	p->canvas.rect(&p->canvas, x, y, width > 1.5 ? width - 0.5 : width, ROW - 1,
		       colour_of(node->name), title);
	if (fits >= 3) {
		size_t len = strlen(node->name);

		if (len <= fits)
			snprintf(text, sizeof(text), "%s", node->name);
		else
			snprintf(text, sizeof(text), "%.*s..", (int)(fits - 2), node->name);
		p->canvas.text(&p->canvas, x + 3, y + 12, FONT, ANCHOR_LEFT, text);
	}
	for (i = 0; i < node->nr; i++) {
		draw_node(p, &node->child[i], x, level + 1);
		x += node->child[i].value * p->scale;
	}
}

void flame_draw(const struct flame *root, const char *title, const char *unit, double width,
		const char *path)
{
	struct picture_of p = { .total = root->value, .unit = unit };
	char text[200], value[BYTES_LEN];

	if (width <= 0)
		width = WIDTH;
	canvas_open(&p.canvas, path);
	p.bottom = TOP + flame_depth(root) * ROW;
	p.scale = root->value ? (width - 2 * MARGIN) / root->value : 0;
	p.canvas.begin(&p.canvas, width, p.bottom + MARGIN);
	p.canvas.rect(&p.canvas, 0, 0, width, p.bottom + MARGIN, 0xffffff, NULL);
	p.canvas.text(&p.canvas, width / 2, 22, 15, ANCHOR_MIDDLE, title);
	snprintf(text, sizeof(text), "%s%s in all; a box is a function, on its caller; green: modules",
		 format_value(&p, value, root->value), !strcmp(unit, "bytes") ? "" : " objects");
	p.canvas.text(&p.canvas, width / 2, 38, FONT, ANCHOR_MIDDLE, text);
	draw_node(&p, root, MARGIN, 0);
	p.canvas.end(&p.canvas);
}
