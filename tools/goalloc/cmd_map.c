// SPDX-License-Identifier: GPL-2.0-only
/* goalloc map: every page of a heap, as a picture or on the terminal. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "picture.h"

struct map_args {
	const char *output;
	unsigned int width;	/* pages per line on the terminal; 0: what fits */
	int colour;		/* -1: if it is a terminal */
};

static const struct argp_option map_options[] = {
	{ "output", 'o', "FILE", 0, "draw it into FILE, whose name ends in .svg or .png", 0 },
	{ "width", 'w', "PAGES", 0, "pages per line: 32, 64, 128, 256 or 512", 0 },
	{ "color", 'C', "WHEN", 0, "always, never, or auto: if it is a terminal", 0 },
	{}
};

static error_t map_parse(int key, char *arg, struct argp_state *state)
{
	struct map_args *args = state->input;

	switch (key) {
	case 'o':
		args->output = arg;
		return 0;
	case 'w':
		args->width = parse_count(arg, state);
		if (args->width < 32 || args->width > CHUNK_PAGES || CHUNK_PAGES % args->width)
			argp_error(state, "%s pages do not divide a chunk of %d", arg,
				   CHUNK_PAGES);
		return 0;
	case 'C':
		args->colour = !strcmp(arg, "always") ? 1 : !strcmp(arg, "never") ? 0 : -1;
		if (args->colour < 0 && strcmp(arg, "auto"))
			argp_error(state, "\"%s\" is not always, never or auto", arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is one too many", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The most pages that fit into a line behind the numbers. */
static unsigned int terminal_pages(void)
{
	struct winsize size;
	unsigned int pages = 64;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return pages;
	for (pages = CHUNK_PAGES; pages > 32 && pages + 11 > size.ws_col; pages /= 2)
		;
	return pages;
}

int cmd_map(int argc, char **argv)
{
	static const struct argp argp = {
		.options = map_options,
		.parser = map_parse,
		.doc = "Show every page of a heap, by state and class.\v"
		       "Without --output it comes as text, a character per page. Pages that "
		       "change while the files are read are shown as they were in the first.",
		.children = options_children,
	};
	struct map_args args = { .colour = -1 };
	struct snapshot snap;
	struct picture pic;

	run_argp(&argp, argc, argv, &args);
	snapshot_read_one(&snap, PART_HEAPMAP | PART_CLASSES | PART_SPANS);
	heap_require(&snap.heaps[0], PART_HEAPMAP);
	picture_make(&pic, &snap.heaps[0]);
	if (args.output)
		picture_draw(&pic, args.output);
	else
		picture_print(&pic, args.width ?: terminal_pages(),
			      args.colour < 0 ? isatty(STDOUT_FILENO) && !getenv("NO_COLOR") :
						args.colour);
	picture_free(&pic);
	snapshot_free(&snap);
	return STATUS_OK;
}
