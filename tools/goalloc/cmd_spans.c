// SPDX-License-Identifier: GPL-2.0-only
/* goalloc spans: every span, or how full those of each class are. */
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

struct spans_args {
	const char *class, *place, *sort;
	const char *node;
	unsigned int lines;	/* 0: all */
	bool summary;
};

/* What is shown of a row, and by what it is sorted. */
struct span {
	size_t row;
	int64_t key;
};

static const struct argp_option spans_options[] = {
	{ "class", 'c', "CLASS", 0, "only spans of CLASS: a number, tiny or large", 0 },
	{ "place", 'p', "PLACE", 0, "only owned, partial, full or large ones", 0 },
	{ "node", 'N', "NODE", 0, "only those on NODE", 0 },
	{ "sort", 's', "COLUMN", 0,
	  "largest COLUMN first, instead of by page; fill: used/objs", 0 },
	{ "lines", 'n', "COUNT", 0, "only the first COUNT", 0 },
	{ "summary", 'S', NULL, 0, "a line per class: how full its spans are", 0 },
	{}
};

static error_t spans_parse(int key, char *arg, struct argp_state *state)
{
	struct spans_args *args = state->input;

	switch (key) {
	case 'c':
		args->class = arg;
		return 0;
	case 'p':
		args->place = arg;
		return 0;
	case 'N':
		args->node = arg;
		return 0;
	case 's':
		args->sort = arg;
		return 0;
	case 'n':
		args->lines = parse_count(arg, state);
		return 0;
	case 'S':
		args->summary = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is one too many", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Per mille of a span's slots that are used. */
static int64_t span_fill(const struct table *t, size_t row)
{
	int64_t objs = table_num(t, row, "objs");

	return objs ? table_num(t, row, "used") * 1000 / objs : 0;
}

static bool span_wanted(const struct spans_args *args, const struct table *t, size_t row)
{
	return (!args->class || !strcmp(args->class, table_text(t, row, "class"))) &&
	       (!args->place || !strcmp(args->place, table_text(t, row, "place"))) &&
	       (!args->node || !strcmp(args->node, table_text(t, row, "node")));
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static void print_spans(const struct spans_args *args, const struct table *t)
{
	struct span *spans = xcalloc(t->nrows, sizeof(*spans));
	size_t nr = 0, i, shown;

	for (i = 0; i < t->nrows; i++) {
		if (!span_wanted(args, t, i))
			continue;
		spans[nr].row = i;
		if (args->sort)
			spans[nr].key = !strcmp(args->sort, "fill") ?
					span_fill(t, i) : table_num(t, i, args->sort);
		nr++;
	}
	if (args->sort)
		qsort(spans, nr, sizeof(*spans), compare_spans);
	shown = args->lines && args->lines < nr ? args->lines : nr;
	printf("%12s %6s %5s %8s %5s %5s %5s  %-8s %4s %10s\n", "page", "pages", "class", "size",
	       "objs", "used", "fill", "place", "node", "asked");
	for (i = 0; i < shown; i++) {
		size_t row = spans[i].row;

		printf("%12s %6s %5s %8s %5s %5s %4lld%%  %-8s %4s %10s\n",
		       table_text(t, row, "page"), table_text(t, row, "pages"),
		       table_text(t, row, "class"), table_text(t, row, "size"),
		       table_text(t, row, "objs"), table_text(t, row, "used"),
		       (long long)span_fill(t, row) / 10, table_text(t, row, "place"),
		       table_text(t, row, "node"), table_text(t, row, "asked"));
	}
	if (shown < nr)
		printf("... and %zu more\n", nr - shown);
	free(spans);
}

/* Spans of one class by tenths of their fill; full ones have the last column. */
static void print_class(const struct spans_args *args, const struct table *t, const char *class,
			int64_t page_size)
{
	int64_t spans = 0, pages = 0, used = 0, objs = 0, tenths[11] = {};
	int class_col = table_col(t, "class");
	char bytes[BYTES_LEN];
	size_t i;

	for (i = 0; i < t->nrows; i++) {
		int64_t fill;

		if (strcmp(table_cell(t, i, class_col)->text, class) || !span_wanted(args, t, i))
			continue;
		spans++;
		pages += table_num(t, i, "pages");
		used += table_num(t, i, "used");
		objs += table_num(t, i, "objs");
		fill = span_fill(t, i);
		tenths[fill < 0 ? 0 : fill >= 1000 ? 10 : fill / 100]++;
	}
	if (!spans)
		return;
	printf("%5s %7lld %8s %9lld %9lld %4.0f%% ", class, (long long)spans,
	       format_bytes(bytes, pages * page_size), (long long)used, (long long)objs,
	       percent(used, objs));
	for (i = 0; i < ARRAY_SIZE(tenths); i++)
		printf(tenths[i] ? " %5lld" : "     .", (long long)tenths[i]);
	putchar('\n');
}

static void print_summary(const struct spans_args *args, const struct heap *heap)
{
	const struct table *classes = &heap->classes;
	size_t i;

	printf("%5s %7s %8s %9s %9s %5s ", "class", "spans", "bytes", "used", "slots", "fill");
	for (i = 0; i < 10; i++)
		printf(" %4zu%%", i * 10);
	printf("  full\n");
	for (i = 0; i < classes->nrows; i++)
		print_class(args, &heap->spans, table_text(classes, i, "cls"),
			    heap_page_size(heap));
}

int cmd_spans(int argc, char **argv)
{
	static const struct argp argp = {
		.options = spans_options,
		.parser = spans_parse,
		.doc = "List the spans of a heap, by their place in memory.\v"
		       "used: slots that are not free in the central's books, which are "
		       "objects in use and objects in CPU caches. With --summary the columns "
		       "count spans that are at least so full.",
		.children = options_children,
	};
	struct spans_args args = {};
	struct snapshot snap;
	struct heap *heap;

	run_argp(&argp, argc, argv, &args);
	snapshot_read_one(&snap, PART_SPANS | PART_CLASSES);
	heap = &snap.heaps[0];
	heap_require(heap, PART_SPANS);
	if (args.sort && strcmp(args.sort, "fill") && heap->spans.nrows &&
	    table_col(&heap->spans, args.sort) < 0)
		die(STATUS_USAGE, "there is no column \"%s\"", args.sort);
	if (args.summary)
		print_summary(&args, heap);
	else
		print_spans(&args, &heap->spans);
	snapshot_free(&snap);
	return STATUS_OK;
}
