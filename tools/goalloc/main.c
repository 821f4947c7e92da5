// SPDX-License-Identifier: GPL-2.0-only
/* goalloc(8): look into goalloc's heaps. Options, and which subcommand it is. */
#include <argp.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#ifndef GOALLOC_VERSION
#define GOALLOC_VERSION "unknown"
#endif

struct options options = { .root = DEFAULT_ROOT };

/* What was there when the program was built; the Makefile says it. */
static const struct feature {
	const char *name;
	bool on;
	const char *what;
} features[] = {
	{ "ncurses", HAVE_NCURSES, "top on a terminal" },
	{ "jansson", HAVE_JANSSON, "stat --json, diff" },
	{ "protobuf-c", HAVE_PROTOBUF, "pprof" },
	{ "cairo", HAVE_CAIRO, "map to PNG" },
	{ "libtracefs", HAVE_TRACEFS, "record" },
};

#if !HAVE_JANSSON
#define cmd_diff cmd_not_built
#endif
#if !HAVE_PROTOBUF
#define cmd_pprof cmd_not_built
#endif
#if !HAVE_TRACEFS
#define cmd_record cmd_not_built
#endif

static const struct command commands[] = {
	{ "stat", cmd_stat, "where every byte of a heap is; a line per interval; JSON, CSV" },
	{ "check", cmd_check, "are all identities true now?" },
	{ "top", cmd_top, "the same live, with rates, classes, CPUs and the page heap" },
	{ "prom", cmd_prom, "all numbers for Prometheus" },
	{ "spans", cmd_spans, "every span" },
	{ "map", cmd_map, "a picture of every page" },
	{ "diff", cmd_diff, "what changed between two files of stat --json" },
	{ "watch", cmd_watch, "what grows" },
	{ "pprof", cmd_pprof, "the sampled profile for go tool pprof" },
	{ "flame", cmd_flame, "the sampled profile as collapsed stacks or a flame graph" },
	{ "which", cmd_which, "the span that an address is in" },
	{ "record", cmd_record, "record the kernel's allocations as a trace" },
	{ "replay", cmd_replay, "replay a trace through goalloc in the kernel" },
};

int cmd_not_built(int argc, char **argv)
{
	(void)argc;
	die(STATUS_TROUBLE,
	    "\"%s\" was not built in, because a library was not there; goalloc --version says which",
	    argv[0] + strlen("goalloc "));
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	(void)state;
	switch (key) {
	case 'R':
		options.root = arg;
		options.root_given = true;
		return 0;
	case 'H':
		options.heap = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option common_options[] = {
	{ "root", 'R', "DIR", 0, "read goalloc's files from DIR instead of " DEFAULT_ROOT, 100 },
	{ "heap", 'H', "NAME", 0, "look at this heap", 100 },
	{}
};

static const struct argp common_argp = {
	.options = common_options,
	.parser = parse_common,
};

const struct argp_child options_children[] = {
	{ &common_argp, 0, NULL, 0 },
	{}
};

void run_argp(const struct argp *argp, int argc, char **argv, void *input)
{
	error_t err = argp_parse(argp, argc, argv, 0, NULL, input);

	if (err)
		die(STATUS_TROUBLE, "%s", strerror(err));
}

double parse_seconds(const char *text, struct argp_state *state)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < 0 || seconds > 1e6)
		argp_error(state, "\"%s\" is no number of seconds", text);
	return seconds;
}

unsigned int parse_count(const char *text, struct argp_state *state)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || count > 1000000000)
		argp_error(state, "\"%s\" is no number", text);
	return count;
}

static void print_version(FILE *out, struct argp_state *state)
{
	size_t i;

	(void)state;
	fprintf(out, "goalloc %s\n", GOALLOC_VERSION);
	for (i = 0; i < ARRAY_SIZE(features); i++)
		fprintf(out, "  %-12s [ %-3s ]  %s\n", features[i].name,
			features[i].on ? "on" : "off", features[i].what);
}

/* The list of subcommands, behind the options in --help. */
static char *help_filter(int key, const char *text, void *input)
{
	char *help;
	size_t i;

	(void)input;
	if (key != ARGP_KEY_HELP_PRE_DOC)
		return (char *)text;
	help = xstrdup("Look into the heaps of the goalloc kernel module.\n\nCommands:\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		char *more = xasprintf("%s  %-10s %s\n", help, commands[i].name,
				       commands[i].what);

		free(help);
		help = more;
	}
	return help;
}

struct main_args {
	const struct command *command;
	int first;		/* index of the command in argv */
};

static error_t parse_main(int key, char *arg, struct argp_state *state)
{
	struct main_args *args = state->input;
	size_t i;

	switch (key) {
	case ARGP_KEY_ARG:
		for (i = 0; i < ARRAY_SIZE(commands); i++)
			if (!strcmp(commands[i].name, arg))
				args->command = &commands[i];
		if (!args->command)
			argp_error(state, "there is no command \"%s\"", arg);
		/* All that follows is its own. */
		args->first = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a command is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_main,
		.args_doc = "COMMAND [ARGUMENT...]",
		.doc = "Look into the heaps of the goalloc kernel module.\v"
		       "goalloc COMMAND --help tells about a command.",
		.children = options_children,
		.help_filter = help_filter,
	};
	struct main_args args = {};
	int status;

	/* Numbers stay as they are in C; characters are the terminal's. */
	setlocale(LC_CTYPE, "");
	argp_err_exit_status = STATUS_USAGE;
	argp_program_version_hook = print_version;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &args))
		die(STATUS_TROUBLE, "cannot read the command line");
	argv[args.first] = xasprintf("goalloc %s", args.command->name);
	status = args.command->run(argc - args.first, argv + args.first);
	flush_stdout();
	free(argv[args.first]);
	return status;
}
