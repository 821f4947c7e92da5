// SPDX-License-Identifier: GPL-2.0-only
/* goalloc stat: the ledger once, a line per interval, JSON or CSV. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "snapshot.h"

/* Lines between two headers of the interval's columns. */
#define HEADER_EVERY 20

enum form { FORM_TEXT, FORM_JSON, FORM_CSV };

struct stat_args {
	enum form form;
	double interval;	/* seconds; 0: once */
	unsigned int count;	/* 0: for ever */
};

static const struct argp_option stat_options[] = {
	{ "interval", 'i', "SEC", 0, "go on, every SEC seconds", 0 },
	{ "count", 'n', "COUNT", 0, "end after COUNT times", 0 },
	{ "json", 'j', NULL, 0, "all numbers of all heaps (or of --heap) as JSON", 0 },
	{ "csv", 'c', NULL, 0, "vmstat of all heaps (or of --heap), a line each, as CSV", 0 },
	{}
};

static error_t stat_parse(int key, char *arg, struct argp_state *state)
{
	struct stat_args *args = state->input;

	switch (key) {
	case 'i':
		args->interval = parse_seconds(arg, state);
		if (args->interval <= 0)
			argp_error(state, "the interval cannot be 0");
		return 0;
	case 'n':
		args->count = parse_count(arg, state);
		return 0;
	case 'j':
		args->form = FORM_JSON;
		return 0;
	case 'c':
		args->form = FORM_CSV;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is one too many", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_row(const char *name, int64_t bytes, int64_t held, const char *what)
{
	char human[BYTES_LEN];

	printf("  %-12s %14lld %8s %6.1f%%  %s\n", name, (long long)bytes,
	       format_bytes(human, bytes), percent(bytes, held), what);
}

/* The classes whose objects take most. */
static void print_classes(const struct heap *heap)
{
	const struct table *t = &heap->classes;
	bool *shown = xcalloc(t->nrows, sizeof(*shown));
	char bytes[BYTES_LEN], waste[BYTES_LEN];
	int i;

	printf("\n  %-6s %7s %9s %8s %8s %8s %8s\n", "class", "size", "live", "bytes",
	       "cached", "central", "waste");
	for (i = 0; i < 5; i++) {
		int64_t most = 0, live, size;
		size_t row, best = 0;

		for (row = 0; row < t->nrows; row++) {
			live = table_num(t, row, "live") * table_num(t, row, "size");
			if (!shown[row] && live > most) {
				most = live;
				best = row;
			}
		}
		if (!most)
			break;
		shown[best] = true;
		live = table_num(t, best, "live");
		size = table_num(t, best, "size");
		printf("  %-6s %7lld %9lld %8s %8lld %8lld %8s\n", table_text(t, best, "cls"),
		       (long long)size, (long long)live, format_bytes(bytes, live * size),
		       (long long)table_num(t, best, "cached"),
		       (long long)table_num(t, best, "central"),
		       format_bytes(waste, table_num(t, best, "waste")));
	}
	free(shown);
}

static void print_heap(const struct heap *heap)
{
	int64_t held = heap_stat(heap, "held_bytes");
	int64_t off = heap_ledger_sum(heap) - held;
	int64_t hits = heap_stat(heap, "page_cache_hits");
	int64_t misses = heap_stat(heap, "page_cache_misses");
	int64_t asked = heap_stat(heap, "asked_bytes");
	size_t i;

	printf("heap %s\n", heap->name);
	print_row("held", held, held, "pages taken from the kernel");
	for (i = 0; i < ARRAY_SIZE(ledger_rows); i++) {
		const struct ledger_row *row = &ledger_rows[i];

		/* Only hardened heaps have one. */
		if (!strcmp(row->name, "quarantine") && !heap_stat(heap, row->stat))
			continue;
		print_row(row->name, heap_stat(heap, row->stat), held, row->what);
	}
	print_row("metadata", heap_stat(heap, "metadata_bytes"), held,
		  "spans, bitmaps, maps, caches; beside held");
	if (off)
		printf("  the rows add up to held %+lld bytes (see goalloc check)\n",
		       (long long)off);
	printf("\n  objects      %14lld live, %lld allocated, %lld freed\n",
	       (long long)heap_stat(heap, "live_objects"),
	       (long long)heap_stat(heap, "allocs"), (long long)heap_stat(heap, "frees"));
	printf("  rounding     %13.1f%% of what small objects ever requested\n",
	       percent(heap_stat(heap, "alloc_bytes") - asked, asked));
	printf("  page caches  %13.1f%% of %lld requests\n", percent(hits, hits + misses),
	       (long long)(hits + misses));
	printf("  given back   %14lld of %lld bytes ever taken\n",
	       (long long)heap_stat(heap, "released_bytes"),
	       (long long)heap_stat(heap, "grown_bytes"));
	printf("  failed       %14lld allocations; %lld bad frees refused\n",
	       (long long)heap_stat(heap, "failed"), (long long)heap_bad_frees(heap));
	if (heap_stat(heap, "safe_mode"))
		printf("  SAFE MODE: the heap was found broken, see the kernel's log\n");
	if (heap->parts & PART_CLASSES)
		print_classes(heap);
}

/* The others, a line each. */
static void print_others(const struct snapshot *snap)
{
	char held[BYTES_LEN], live[BYTES_LEN];
	size_t i;

	if (snap->nr_heaps < 2)
		return;
	printf("\n  %-20s %8s %8s %12s\n", "other heaps", "held", "live", "objects");
	for (i = 1; i < snap->nr_heaps; i++) {
		const struct heap *heap = &snap->heaps[i];

		printf("  %-20s %8s %8s %12lld\n", heap->name,
		       format_bytes(held, heap_stat(heap, "held_bytes")),
		       format_bytes(live, heap_stat(heap, "live_bytes")),
		       (long long)heap_stat(heap, "live_objects"));
	}
}

static void print_interval_header(void)
{
	printf("%8s %7s %7s %7s %7s %7s %7s %8s %8s %8s %8s\n", "time", "held", "live",
	       "cached", "central", "pages", "meta", "allocs/s", "frees/s", "grown/s",
	       "back/s");
}

/* The first line has no rates. */
static void print_interval(const struct snapshot *now, const struct snapshot *before)
{
	static const char *const levels[] = {
		"held_bytes", "live_bytes", "cached_bytes", "central_bytes", "free_bytes",
		"metadata_bytes",
	};
	static const struct {
		const char *stat;
		bool bytes;
	} rates[] = {
		{ "allocs" }, { "frees" }, { "grown_bytes", true }, { "released_bytes", true },
	};
	const struct heap *heap = &now->heaps[0];
	time_t seconds = now->time;
	char text[BYTES_LEN];
	struct tm tm;
	size_t i;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&seconds, &tm));
	printf("%8s", text);
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		int64_t value = heap_stat(heap, levels[i]);

		if (!strcmp(levels[i], "free_bytes"))
			value += heap_stat(heap, "page_cache_bytes");
		printf(" %7s", format_bytes(text, value));
	}
	for (i = 0; i < ARRAY_SIZE(rates); i++) {
		double rate;

		if (!before) {
			printf(" %8s", "-");
			continue;
		}
		rate = heap_stat(heap, rates[i].stat) - heap_stat(&before->heaps[0], rates[i].stat);
		rate /= now->monotonic - before->monotonic;
		printf(" %8s", rates[i].bytes ? format_bytes(text, rate) :
						format_count(text, rate));
	}
	putchar('\n');
}

static void print_csv(const struct snapshot *snap, bool header)
{
	const struct heap *first = &snap->heaps[0];
	size_t i, j;

	if (header) {
		printf("time,heap");
		for (j = 0; j < first->vmstat.nr; j++)
			printf(",%s", first->vmstat.names[j]);
		putchar('\n');
	}
	for (i = 0; i < snap->nr_heaps; i++) {
		const char *c;

		/* A heap's name may have commas and quotes in it. */
		printf("%.3f,\"", snap->time);
		for (c = snap->heaps[i].name; *c; c++)
			printf(*c == '"' ? "\"\"" : "%c", *c);
		putchar('"');
		for (j = 0; j < first->vmstat.nr; j++)
			printf(",%lld", (long long)heap_stat(&snap->heaps[i],
							     first->vmstat.names[j]));
		putchar('\n');
	}
}

static void print_once(const struct stat_args *args, const struct snapshot *snap,
		       const struct snapshot *before, unsigned int nr)
{
	if (args->form == FORM_JSON) {
#if HAVE_JANSSON
		json_write(snap, stdout);
#endif
	} else if (args->form == FORM_CSV) {
		print_csv(snap, !nr);
	} else if (args->interval > 0) {
		if (nr % HEADER_EVERY == 0)
			print_interval_header();
		print_interval(snap, before);
	} else {
		print_heap(&snap->heaps[0]);
		print_others(snap);
	}
}

int cmd_stat(int argc, char **argv)
{
	static const struct argp argp = {
		.options = stat_options,
		.parser = stat_parse,
		.doc = "Show where every byte of a heap is.\v"
		       "With --interval, a line each time: levels, then rates per second. "
		       "back: bytes given back to the kernel.",
		.children = options_children,
	};
	struct stat_args args = {};
	struct snapshot snap[2];
	unsigned int nr = 0;

	run_argp(&argp, argc, argv, &args);
	if (args.form == FORM_JSON && !HAVE_JANSSON)
		die(STATUS_TROUBLE, "JSON was not built in; goalloc --version says why");
	if (args.interval <= 0)
		args.count = 1;
	for (;;) {
		unsigned int now = nr % 2;

		if (args.form == FORM_TEXT && args.interval > 0)
			snapshot_read_one(&snap[now], 0);
		else
			snapshot_read(&snap[now], args.form == FORM_JSON ? PART_NUMBERS :
				      args.form == FORM_TEXT ? PART_CLASSES : 0);
		print_once(&args, &snap[now], nr ? &snap[!now] : NULL, nr);
		flush_stdout();
		if (nr++)
			snapshot_free(&snap[!now]);
		if (args.count && nr == args.count)
			break;
		sleep_seconds(args.interval);
	}
	snapshot_free(&snap[(nr - 1) % 2]);
	return STATUS_OK;
}
