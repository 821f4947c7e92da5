// SPDX-License-Identifier: GPL-2.0-only
/* goalloc diff: what changed between two files of goalloc stat --json. */
#include <stdlib.h>
#include <string.h>

#include "growth.h"
#include "json.h"

struct diff_args {
	const char *file[2];
	unsigned int lines;
};

static const struct argp_option diff_options[] = {
	{ "lines", 'n', "COUNT", 0, "at most COUNT classes and call sites (20), 0 for all", 0 },
	{}
};

static error_t diff_parse(int key, char *arg, struct argp_state *state)
{
	struct diff_args *args = state->input;

	switch (key) {
	case 'n':
		args->lines = parse_count(arg, state);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num >= ARRAY_SIZE(args->file))
			argp_error(state, "two files, not more");
		args->file[state->arg_num] = arg;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < ARRAY_SIZE(args->file))
			argp_error(state, "two files of goalloc stat --json are needed");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_vmstat(const struct heap *before, const struct heap *now, double seconds)
{
	struct growth *all;
	size_t nr, i;

	all = growth_vmstat(before, now, &nr);
	printf("  %-24s %16s %16s %16s", "", "before", "after", "change");
	printf(seconds > 0 ? " %12s\n" : "\n", "per second");
	for (i = 0; i < nr; i++) {
		printf("  %-24s %16lld %16lld %+16lld", all[i].name, (long long)all[i].before,
		       (long long)all[i].now, (long long)all[i].bytes);
		if (seconds > 0)
			printf(" %+12.1f", all[i].bytes / seconds);
		putchar('\n');
	}
	if (!nr)
		printf("  nothing changed\n");
	free(all);
}

static void print_growth(const struct growth *all, size_t nr, unsigned int lines,
			 const char *what, bool sizes)
{
	size_t shown = lines && lines < nr ? lines : nr, i;
	char change[BYTES_LEN], now[BYTES_LEN];

	if (!nr)
		return;
	printf("\n  %8s %8s %12s  %s\n", "change", "after", "objects", what);
	for (i = 0; i < shown; i++) {
		printf("  %8s %8s %+12lld  %s", format_bytes(change, all[i].bytes),
		       format_bytes(now, all[i].now), (long long)all[i].objects, all[i].name);
		if (sizes && all[i].size)
			printf(" (%lld bytes)", (long long)all[i].size);
		putchar('\n');
	}
	if (shown < nr)
		printf("  ... and %zu more\n", nr - shown);
}

static void diff_heap(const struct diff_args *args, const struct heap *before,
		      const struct heap *now, double seconds)
{
	struct growth *all;
	size_t nr;

	printf("heap %s\n", now->name);
	print_vmstat(before, now, seconds);
	all = growth_classes(before, now, &nr);
	print_growth(all, nr, args->lines, "class", true);
	free(all);
	all = growth_sites(before, now, &nr);
	print_growth(all, nr, args->lines, "call site (sampled)", false);
	free(all);
}

int cmd_diff(int argc, char **argv)
{
	static const struct argp argp = {
		.options = diff_options,
		.parser = diff_parse,
		.args_doc = "BEFORE.json AFTER.json",
		.doc = "Say what changed between two files that goalloc stat --json wrote.",
		.children = options_children,
	};
	struct diff_args args = { .lines = 20 };
	struct snapshot before, now;
	size_t i;

	run_argp(&argp, argc, argv, &args);
	json_read(&before, args.file[0]);
	json_read(&now, args.file[1]);
	if (options.heap && !snapshot_heap(&now, options.heap))
		die(STATUS_NO_MODULE, "%s has no heap \"%s\"", args.file[1], options.heap);
	if (now.time > before.time)
		printf("%.3f seconds\n", now.time - before.time);
	for (i = 0; i < now.nr_heaps; i++) {
		const struct heap *heap = &now.heaps[i];
		const struct heap *old = snapshot_heap(&before, heap->name);
		static const struct heap none;

		if (options.heap && strcmp(options.heap, heap->name))
			continue;
		if (!old)
			printf("heap %s is new\n", heap->name);
		diff_heap(&args, old ?: &none, heap, now.time - before.time);
	}
	for (i = 0; i < before.nr_heaps && !options.heap; i++)
		if (!snapshot_heap(&now, before.heaps[i].name))
			printf("heap %s is gone\n", before.heaps[i].name);
	snapshot_free(&before);
	snapshot_free(&now);
	return STATUS_OK;
}
