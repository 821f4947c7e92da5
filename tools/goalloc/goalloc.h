/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * goalloc(8): what the subcommands share.
 *
 * main.c reads the options; source.c opens debugfs's files and says what is wrong
 * where that fails; parse.c, heapmap.c, pageheap.c and stacks.c take their text
 * apart; snapshot.c holds what they found; the cmd_*.c are a subcommand each.
 */
#ifndef GOALLOC_TOOL_H
#define GOALLOC_TOOL_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define DEBUGFS_MOUNT	"/sys/kernel/debug"
#define DEFAULT_ROOT	DEBUGFS_MOUNT "/goalloc"
#define DEFAULT_HEAP	"default"

/* What the program ends with; goalloc(8) lists them. */
enum exit_status {
	STATUS_OK,
	STATUS_FALSE,		/* check: an identity does not hold */
	STATUS_USAGE,		/* the command line makes no sense */
	STATUS_NO_MODULE,	/* goalloc is not loaded, or no such heap */
	STATUS_NO_DEBUGFS,	/* debugfs is not mounted */
	STATUS_NO_PERMISSION,	/* not allowed to read */
	STATUS_FORMAT,		/* another version's file, or a damaged one */
	STATUS_TROUBLE,		/* memory, files, a feature that was not built in */
	STATUS_BUSY,		/* check: the heap never stood still */
};

/* Options that every subcommand takes. */
struct options {
	const char *root;	/* directory of goalloc's files */
	const char *heap;	/* NULL: the default one, or all where that is more useful */
	bool root_given;
};

extern struct options options;

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
};

/* Subcommands; each takes its own arguments, argv[0] is "goalloc NAME". */
int cmd_stat(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_prom(int argc, char **argv);
int cmd_spans(int argc, char **argv);
int cmd_map(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_pprof(int argc, char **argv);
int cmd_flame(int argc, char **argv);
int cmd_which(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_replay(int argc, char **argv);

/* Those that need a library, where it was not there. */
int cmd_not_built(int argc, char **argv);

/* main.c */
extern const struct argp_child options_children[];
void run_argp(const struct argp *argp, int argc, char **argv, void *input);
double parse_seconds(const char *text, struct argp_state *state);
unsigned int parse_count(const char *text, struct argp_state *state);

#endif /* GOALLOC_TOOL_H */
