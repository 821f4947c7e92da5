// SPDX-License-Identifier: GPL-2.0-only
/* goalloc prom: all numbers for Prometheus, on stdout or in a file. */
#include "prom.h"

static const struct argp_option prom_options[] = {
	{ "textfile", 't', "FILE", 0,
	  "write FILE at once, for the textfile collector of the node exporter", 0 },
	{}
};

static error_t prom_parse(int key, char *arg, struct argp_state *state)
{
	const char **textfile = state->input;

	switch (key) {
	case 't':
		*textfile = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is one too many", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_prom(int argc, char **argv)
{
	static const struct argp argp = {
		.options = prom_options,
		.parser = prom_parse,
		.doc = "Print the numbers of all heaps, or of --heap, in Prometheus' text "
		       "format.\vWith --textfile a reader sees the old file or the new one, "
		       "never a part of it.",
		.children = options_children,
	};
	const char *textfile = NULL;
	struct snapshot snap;

	run_argp(&argp, argc, argv, &textfile);
	snapshot_read(&snap, PART_CLASSES | PART_NODES | PART_PERCPU | PART_PAGEHEAP |
		      PART_SCAVENGER);
	if (textfile) {
		struct new_file file;

		new_file_begin(&file, textfile);
		prom_write(&snap, file.out);
		new_file_end(&file);
	} else {
		prom_write(&snap, stdout);
	}
	snapshot_free(&snap);
	return STATUS_OK;
}
