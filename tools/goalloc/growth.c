// SPDX-License-Identifier: GPL-2.0-only
/* What became more, and what less, between two snapshots of a heap. */
#include <stdlib.h>
#include <string.h>

#include "growth.h"

static int compare_growth(const void *a, const void *b)
{
	const struct growth *x = a, *y = b;
	int64_t p = llabs(x->bytes), q = llabs(y->bytes);

	if (p != q)
		return p < q ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* Rows of a table by what stands in their first column. */
static size_t find_row(const struct table *t, const char *cls, size_t guess)
{
	int col = table_col(t, "cls");
	size_t i;

	if (!strcmp(table_cell(t, guess, col)->text, cls))
		return guess;
	for (i = 0; i < t->nrows; i++)
		if (!strcmp(table_cell(t, i, col)->text, cls))
			break;
	return i;
}

/* Bytes of a class's objects in use; of large ones by the pages they have. */
static int64_t class_bytes(const struct heap *heap, size_t row)
{
	const struct table *t = &heap->classes;

	if (row >= t->nrows)
		return 0;
	return table_num(t, row, "live") * table_num(t, row, "size");
}

struct growth *growth_classes(const struct heap *before, const struct heap *now, size_t *nr)
{
	const struct table *t = &now->classes;
	struct growth *all = xcalloc(t->nrows, sizeof(*all));
	size_t i;

	*nr = 0;
	for (i = 0; i < t->nrows; i++) {
		struct growth *g = &all[*nr];
		size_t old = find_row(&before->classes, table_text(t, i, "cls"), i);

		g->name = table_text(t, i, "cls");
		g->size = table_num(t, i, "size");
		g->before = class_bytes(before, old);
		g->now = class_bytes(now, i);
		g->bytes = g->now - g->before;
		g->objects = table_num(t, i, "live") - table_num(&before->classes, old, "live");
		if (g->objects)
			++*nr;
	}
	qsort(all, *nr, sizeof(*all), compare_growth);
	return all;
}

static int compare_sites(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	return strcmp(x->where, y->where);
}

static struct site *sorted_sites(const struct sites *sites)
{
	struct site *copy = xcalloc(sites->nr, sizeof(*copy));

	if (sites->nr)
		memcpy(copy, sites->site, sites->nr * sizeof(*copy));
	qsort(copy, sites->nr, sizeof(*copy), compare_sites);
	return copy;
}

/* Both sides in the order of places, so that one walk sees them all. */
struct growth *growth_sites(const struct heap *before, const struct heap *now, size_t *nr)
{
	size_t na = before->sites.nr, nb = now->sites.nr, i = 0, j = 0;
	struct growth *all = xcalloc(na + nb, sizeof(*all));
	struct site *a = sorted_sites(&before->sites), *b = sorted_sites(&now->sites);

	*nr = 0;
	while (i < na || j < nb) {
		int order = i == na ? 1 : j == nb ? -1 : compare_sites(&a[i], &b[j]);
		struct growth *g = &all[*nr];

		memset(g, 0, sizeof(*g));
		if (order <= 0) {
			g->name = a[i].where;
			g->before = a[i].bytes;
			g->objects -= a[i++].objects;
		}
		if (order >= 0) {
			g->name = b[j].where;
			g->now = b[j].bytes;
			g->objects += b[j++].objects;
		}
		g->bytes = g->now - g->before;
		if (g->bytes || g->objects)
			++*nr;
	}
	free(a);
	free(b);
	qsort(all, *nr, sizeof(*all), compare_growth);
	return all;
}

struct growth *growth_vmstat(const struct heap *before, const struct heap *now, size_t *nr)
{
	const struct pairs *p = &now->vmstat;
	struct growth *all = xcalloc(p->nr, sizeof(*all));
	size_t i;

	*nr = 0;
	for (i = 0; i < p->nr; i++) {
		struct growth *g = &all[*nr];

		g->name = p->names[i];
		g->before = pairs_num(&before->vmstat, p->names[i]);
		g->now = p->values[i].num;
		g->bytes = g->now - g->before;
		if (g->bytes)
			++*nr;
	}
	return all;
}
