// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc watch: what grows. Each time the classes and the call sites that have more
 * bytes in use than in the beginning are listed, those that grew most first: what
 * leaks rises to the top and stays there.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "growth.h"

struct watch_args {
	double interval;
	unsigned int count;	/* 0: for ever */
	unsigned int lines;
	bool step;
};

static const struct argp_option watch_options[] = {
	{ "interval", 'i', "SEC", 0, "look every SEC seconds (5)", 0 },
	{ "count", 'n', "COUNT", 0, "end after COUNT times", 0 },
	{ "lines", 'l', "LINES", 0, "at most LINES classes and call sites (10)", 0 },
	{ "step", 's', NULL, 0, "since the time before, not since the beginning", 0 },
	{}
};

static error_t watch_parse(int key, char *arg, struct argp_state *state)
{
	struct watch_args *args = state->input;

	switch (key) {
	case 'i':
		args->interval = parse_seconds(arg, state);
		if (args->interval <= 0)
			argp_error(state, "the interval cannot be 0");
		return 0;
	case 'n':
		args->count = parse_count(arg, state);
		return 0;
	case 'l':
		args->lines = parse_count(arg, state);
		return 0;
	case 's':
		args->step = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is one too many", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_growing(const struct growth *all, size_t nr, unsigned int lines,
			  const char *what)
{
	char bytes[BYTES_LEN], now[BYTES_LEN];
	unsigned int shown = 0;
	size_t i;

	for (i = 0; i < nr && shown < lines; i++) {
		/* The list has what shrank, too. Large objects have no bytes there. */
		if (all[i].bytes < 0 || (!all[i].bytes && all[i].objects <= 0))
			continue;
		if (!shown)
			printf("  %9s %12s %9s  %s\n", "more", "objects", "now", what);
		shown++;
		printf("  %9s %+12lld %9s  %s", format_bytes(bytes, all[i].bytes),
		       (long long)all[i].objects, format_bytes(now, all[i].now), all[i].name);
		if (all[i].size)
			printf(" (%lld bytes)", (long long)all[i].size);
		putchar('\n');
	}
	if (!shown)
		printf("  no %s grew\n", what);
}

static void watch_once(const struct watch_args *args, const struct snapshot *first,
		       const struct snapshot *now)
{
	const struct heap *a = &first->heaps[0], *b = &now->heaps[0];
	time_t seconds = now->time;
	char held[BYTES_LEN], live[BYTES_LEN], text[BYTES_LEN];
	struct growth *all;
	struct tm tm;
	size_t nr;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&seconds, &tm));
	printf("%s heap %s, %.0f s: held %s, live %s\n", text, b->name,
	       now->monotonic - first->monotonic,
	       format_bytes(held, heap_stat(b, "held_bytes") - heap_stat(a, "held_bytes")),
	       format_bytes(live, heap_stat(b, "live_bytes") - heap_stat(a, "live_bytes")));
	all = growth_classes(a, b, &nr);
	print_growing(all, nr, args->lines, "class");
	free(all);
	if (b->parts & PART_SITES) {
		all = growth_sites(a, b, &nr);
		print_growing(all, nr, args->lines, "call site (sampled)");
		free(all);
	}
}

int cmd_watch(int argc, char **argv)
{
	static const struct argp argp = {
		.options = watch_options,
		.parser = watch_parse,
		.doc = "List the classes and call sites whose objects in use become more.\v"
		       "Call sites are there if the module has its sampled profile on.",
		.children = options_children,
	};
	struct watch_args args = { .interval = 5, .lines = 10 };
	struct snapshot first, now;
	unsigned int nr = 0;

	run_argp(&argp, argc, argv, &args);
	snapshot_read_one(&first, PART_CLASSES | PART_SITES);
	do {
		sleep_seconds(args.interval);
		snapshot_read_one(&now, PART_CLASSES | PART_SITES);
		watch_once(&args, &first, &now);
		flush_stdout();
		if (args.step) {
			snapshot_free(&first);
			first = now;
		} else {
			snapshot_free(&now);
		}
	} while (!args.count || ++nr < args.count);
	snapshot_free(&first);
	return STATUS_OK;
}
