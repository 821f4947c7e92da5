// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc top: the panes that are tables, with rates and in an order: classes, CPUs
 * and call sites.
 */
#include <stdlib.h>
#include <string.h>

#include "spark.h"
#include "top.h"

#define COLUMNS_MAX 16

/* How a cell's value is shown. */
enum kind {
	KIND_LEVEL,		/* as it is */
	KIND_BYTES,
	KIND_COUNT,		/* with a decimal unit */
	KIND_RATE,		/* change per second of a counter */
	KIND_PERCENT,
	KIND_NAME,
};

struct column {
	const char *title;
	const char *col;	/* in the file; NULL: computed, see value_of() */
	enum kind kind;
	unsigned int width;
	unsigned int from;	/* shown from this width of the terminal on */
};

static const struct column class_columns[] = {
	{ "CLASS", "cls", KIND_NAME, 5, 0 },
	{ "SIZE", "size", KIND_LEVEL, 6, 0 },
	{ "LIVE", "live", KIND_LEVEL, 8, 0 },
	{ "BYTES", NULL, KIND_BYTES, 6, 0 },
	{ "ALLOC/s", "allocs", KIND_RATE, 7, 0 },
	{ "FREE/s", "frees", KIND_RATE, 7, 0 },
	{ "CACHED", "cached", KIND_COUNT, 6, 0 },
	{ "CENTRAL", "central", KIND_COUNT, 7, 0 },
	{ "SPANS", "spans", KIND_LEVEL, 6, 0 },
	{ "USE%", NULL, KIND_PERCENT, 4, 0 },
	{ "WASTE", "waste", KIND_BYTES, 6, 96 },
	{ "LOCK/s", "locks", KIND_RATE, 7, 110 },
	{ "WAIT/s", "contended", KIND_RATE, 7, 110 },
};

static const struct column cpu_columns[] = {
	{ "CPU", "cpu", KIND_LEVEL, 4, 0 },
	{ "LEVEL", "level", KIND_NAME, 7, 0 },
	{ "ALLOWED", "allowed", KIND_BYTES, 7, 0 },
	{ "CHARGED", "charged", KIND_BYTES, 7, 0 },
	{ "USED", "used", KIND_BYTES, 6, 0 },
	{ "ALLOC/s", "allocs", KIND_RATE, 7, 0 },
	{ "HIT%", NULL, KIND_PERCENT, 4, 0 },
	{ "REFIL/s", "refills", KIND_RATE, 7, 0 },
	{ "FREE/s", "frees", KIND_RATE, 7, 0 },
	{ "FLUSH/s", "flushes", KIND_RATE, 7, 0 },
	{ "PASS/s", "passed", KIND_RATE, 6, 0 },
	{ "STEALS", "steals", KIND_COUNT, 6, 90 },
	{ "DENIED", "denied", KIND_COUNT, 6, 90 },
	{ "HOME/s", "remote", KIND_RATE, 7, 100 },
};

static const struct {
	const struct column *column;
	unsigned int nr;
	unsigned int first;	/* sorted by this one in the beginning */
} columns_of[NR_PANES] = {
	[PANE_CLASSES] = { class_columns, ARRAY_SIZE(class_columns), 3 },
	[PANE_CPUS] = { cpu_columns, ARRAY_SIZE(cpu_columns), 0 },
};

unsigned int top_nr_columns(enum pane pane)
{
	return columns_of[pane].nr;
}

const char *top_column(enum pane pane, unsigned int column)
{
	return column < columns_of[pane].nr ? columns_of[pane].column[column].title : "";
}

struct row {
	size_t nr;		/* in the file */
	const char *name;
	double value[COLUMNS_MAX];
	bool known[COLUMNS_MAX];
	double key;
	const char *text_key;
};

static double value_of(const struct top *top, const struct table *t, const struct table *old,
		       size_t nr, const struct column *c, bool *known)
{
	int64_t live = table_num(t, nr, "live"), slots;
	const struct cell *cell;

	*known = true;
	if (c->kind == KIND_BYTES && !c->col)
		return (double)live * table_num(t, nr, "size");
	if (c->kind == KIND_PERCENT && t == &top_now(top)->classes) {
		slots = table_num(t, nr, "spans") * table_num(t, nr, "objs");
		*known = slots;
		return percent(live, slots);
	}
	if (c->kind == KIND_PERCENT) {
		*known = table_num(t, nr, "allocs");
		return percent(table_num(t, nr, "hits"), table_num(t, nr, "allocs"));
	}
	cell = table_cell(t, nr, table_col(t, c->col));
	*known = cell->is_num;
	if (c->kind == KIND_RATE)
		return top->has_before && t->nrows == old->nrows ?
		       top_rate(top, cell->num, table_num(old, nr, c->col)) : 0;
	return cell->num;
}

static const struct top *sorting;

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order;

	if (x->text_key)
		order = strcmp(x->text_key, y->text_key);
	else
		order = x->key < y->key ? 1 : x->key > y->key ? -1 : 0;
	if (sorting->reverse)
		order = -order;
	return order ?: (x->nr < y->nr ? -1 : x->nr > y->nr);
}

static void format_cell(const struct column *c, const struct row *row, unsigned int i, char *out)
{
	if (c->kind == KIND_NAME)
		snprintf(out, BYTES_LEN, "%.15s", row->name);
	else if (!row->known[i])
		snprintf(out, BYTES_LEN, "-");
	else if (c->kind == KIND_BYTES)
		format_bytes(out, row->value[i]);
	else if (c->kind == KIND_COUNT || c->kind == KIND_RATE)
		format_count(out, row->value[i]);
	else
		snprintf(out, BYTES_LEN, "%.0f", row->value[i]);
}

/* Titles, that of the column it is sorted by in brackets; returns the width used. */
static unsigned int table_head(const struct top *top, enum pane pane, struct page *page)
{
	char line[256] = "", *at = line;
	unsigned int i, width = 0;

	for (i = 0; i < columns_of[pane].nr; i++) {
		const struct column *c = &columns_of[pane].column[i];
		bool sorted = i == top->sort[pane];
		char title[16];

		if (c->from > page->width)
			continue;
		/* The mark stands in the gap before the column. */
		snprintf(title, sizeof(title), "%s%s",
			 sorted ? (top->reverse ? "^" : ">") : "", c->title);
		at += sprintf(at, c->kind == KIND_NAME ? " %-*s" : "%*s",
			      c->width + (c->kind != KIND_NAME), title);
		width += c->width + 1;
	}
	page_add(page, STYLE_HEAD, "%s%s", line, pane == PANE_CLASSES ? " ALLOC/s THEN" : "");
	return width;
}

static void table_line(const struct top *top, enum pane pane, struct page *page,
		       const struct row *row, unsigned int used)
{
	char line[512] = "", *at = line, cell[BYTES_LEN], spark[SPARK_BYTES(HISTORY)] = "";
	unsigned int i;

	for (i = 0; i < columns_of[pane].nr; i++) {
		const struct column *c = &columns_of[pane].column[i];

		if (c->from > page->width)
			continue;
		format_cell(c, row, i, cell);
		at += sprintf(at, c->kind == KIND_NAME ? " %-*s" : " %*s", c->width, cell);
	}
	if (pane == PANE_CLASSES && page->width > used + 1) {
		char name[32];

		snprintf(name, sizeof(name), "class %s", row->name);
		top_spark(top_history(top, name), page->width - used - 1, spark);
	}
	page_add(page, STYLE_PLAIN, "%s %s", line, spark);
}

/* Anything that is worth a line? */
static bool row_idle(const struct row *row, unsigned int nr)
{
	unsigned int i;

	/* Behind the name and the size, or the level. */
	for (i = 2; i < nr; i++)
		if (row->value[i])
			return false;
	return true;
}

static void top_table(const struct top *top, enum pane pane, struct page *page,
		      const struct table *t, const struct table *old)
{
	unsigned int nr_columns = columns_of[pane].nr, sort = top->sort[pane], used, i;
	struct row *rows = xcalloc(t->nrows, sizeof(*rows));
	size_t nr = 0, n;

	for (n = 0; n < t->nrows; n++) {
		struct row *row = &rows[nr];

		memset(row, 0, sizeof(*row));
		row->nr = n;
		row->name = table_text(t, n, pane == PANE_CLASSES ? "cls" : "level");
		for (i = 0; i < nr_columns; i++) {
			const struct column *c = &columns_of[pane].column[i];

			row->value[i] = value_of(top, t, old, n, c, &row->known[i]);
		}
		row->key = row->value[sort];
		/* The first one of each pane goes up, as the file does. */
		if (!sort)
			row->key = -(double)n;
		else if (columns_of[pane].column[sort].kind == KIND_NAME)
			row->text_key = row->name;
		if (top->idle || !row_idle(row, nr_columns))
			nr++;
	}
	sorting = top;
	qsort(rows, nr, sizeof(*rows), compare_rows);
	used = table_head(top, pane, page);
	for (n = 0; n < nr; n++)
		table_line(top, pane, page, &rows[n], used);
	free(rows);
}

void top_classes(const struct top *top, struct page *page)
{
	static const struct table none;

	top_table(top, PANE_CLASSES, page, &top_now(top)->classes,
		  top->has_before ? &top->before.heaps[0].classes : &none);
}

void top_cpus(const struct top *top, struct page *page)
{
	static const struct table none;

	if (!(top_now(top)->parts & PART_PERCPU)) {
		page_add(page, STYLE_HEAD, "CPUS");
		page_add(page, STYLE_PLAIN, "this module has no file \"percpu\"");
		return;
	}
	top_table(top, PANE_CPUS, page, &top_now(top)->percpu,
		  top->has_before ? &top->before.heaps[0].percpu : &none);
}

static int compare_sites(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return strcmp(x->where, y->where);
}

void top_sites(const struct top *top, struct page *page)
{
	const struct sites *sites = &top_now(top)->sites;
	struct site *sorted;
	size_t i;

	page_add(page, STYLE_HEAD, "%8s %10s  CALL SITE (sampled)", "BYTES", "OBJECTS");
	if (!(top_now(top)->parts & PART_SITES)) {
		page_add(page, STYLE_PLAIN, "this module has no file \"sites\"");
		return;
	}
	sorted = xcalloc(sites->nr, sizeof(*sorted));
	if (sites->nr)
		memcpy(sorted, sites->site, sites->nr * sizeof(*sorted));
	qsort(sorted, sites->nr, sizeof(*sorted), compare_sites);
	for (i = 0; i < sites->nr; i++) {
		char bytes[BYTES_LEN];

		page_add(page, STYLE_PLAIN, "%8s %10lld  %s", format_bytes(bytes, sorted[i].bytes),
			 (long long)sorted[i].objects, sorted[i].where);
	}
	free(sorted);
}
