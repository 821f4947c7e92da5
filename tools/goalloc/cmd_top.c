// SPDX-License-Identifier: GPL-2.0-only
/* goalloc top: a heap live on the terminal, or once as text. */
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source.h"
#include "spark.h"
#include "top.h"

#define ONCE_WIDTH 100

struct top_args {
	double delay;
	bool once, ascii;
	unsigned int pane;	/* NR_PANES: as there is room */
};

static const struct argp_option top_options[] = {
	{ "delay", 'd', "SEC", 0, "seconds between samples (2)", 0 },
	{ "once", 'o', NULL, 0, "print all panes once, after one delay, and end", 0 },
	{ "pane", 'p', "PANE", 0, "begin with ledger, classes, cpus, pages, sites or gc", 0 },
	{ "ascii", 'a', NULL, 0, "no characters beyond ASCII, whatever the locale says", 0 },
	{}
};

static error_t top_parse(int key, char *arg, struct argp_state *state)
{
	static const char *const panes[NR_PANES] = {
		"ledger", "classes", "cpus", "pages", "sites", "gc",
	};
	struct top_args *args = state->input;

	switch (key) {
	case 'd':
		args->delay = parse_seconds(arg, state);
		return 0;
	case 'o':
		args->once = true;
		return 0;
	case 'p':
		for (args->pane = 0; args->pane < NR_PANES; args->pane++)
			if (!strcmp(panes[args->pane], arg))
				return 0;
		argp_error(state, "there is no pane \"%s\"", arg);
		return 0;
	case 'a':
		args->ascii = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is one too many", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Lines without the blanks at their ends. */
static void print_page(const struct page *page)
{
	size_t i;

	for (i = 0; i < page->nr; i++) {
		size_t len = strlen(page->line[i].text);

		while (len && page->line[i].text[len - 1] == ' ')
			len--;
		printf("%.*s\n", (int)len, page->line[i].text);
	}
}

static void print_once(struct top *top, const struct top_args *args)
{
	struct page page = { .width = ONCE_WIDTH };
	unsigned int pane;

	if (args->delay > 0) {
		sleep_seconds(args->delay);
		top_sample(top);
	}
	top_summary(top, &page);
	for (pane = 0; pane < NR_PANES; pane++) {
		if (args->pane < NR_PANES && args->pane != pane)
			continue;
		if (args->pane == NR_PANES && !top_has_pane(top, pane))
			continue;
		page_add(&page, STYLE_PLAIN, "%s", "");
		top_pane(top, pane, &page);
	}
	print_page(&page);
	page_free(&page);
}

int cmd_top(int argc, char **argv)
{
	static const struct argp argp = {
		.options = top_options,
		.parser = top_parse,
		.doc = "Show a heap live: where its bytes are, what its classes, CPUs and page "
		       "heap do.\vKeys: q ends, h helps.",
		.children = options_children,
	};
	struct top_args args = { .delay = 2, .pane = NR_PANES };
	struct top top = {};
	int status = STATUS_OK;

	run_argp(&argp, argc, argv, &args);
	spark_unicode = !args.ascii && !strcmp(nl_langinfo(CODESET), "UTF-8");
	top.delay = args.delay;
	top.pane = args.pane < NR_PANES ? args.pane : PANE_CLASSES;
	top.sort[PANE_CLASSES] = 3;
	top_heap(&top, options.heap ?: DEFAULT_HEAP);
	if (args.once) {
		print_once(&top, &args);
	} else {
#if HAVE_NCURSES
		if (args.delay < 0.1)
			die(STATUS_USAGE, "the delay is at least 0.1 seconds");
		if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
			die(STATUS_USAGE, "this is no terminal: goalloc top --once");
		status = top_run(&top);
#else
		die(STATUS_TROUBLE,
		    "the live display was not built in (no ncurses); goalloc top --once was");
#endif
	}
	top_free(&top);
	return status;
}
