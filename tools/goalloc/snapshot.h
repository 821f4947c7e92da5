/* SPDX-License-Identifier: GPL-2.0-only */
/* What goalloc's files said at one time, of one heap or of several. */
#ifndef GOALLOC_SNAPSHOT_H
#define GOALLOC_SNAPSHOT_H

#include "heapmap.h"
#include "pageheap.h"
#include "parse.h"
#include "stacks.h"

/* Files to read. vmstat is always read; those that may be missing are optional. */
enum snapshot_parts {
	PART_CLASSES	= 1 << 0,
	PART_SCAVENGER	= 1 << 1,
	PART_NODES	= 1 << 2,
	PART_PERCPU	= 1 << 3,
	PART_PAGEHEAP	= 1 << 4,
	PART_SPANS	= 1 << 5,
	PART_HEAPMAP	= 1 << 6,
	PART_SITES	= 1 << 7,
	PART_STACKS	= 1 << 8,
	PART_NUMBERS	= PART_CLASSES | PART_SCAVENGER | PART_NODES | PART_PERCPU |
			  PART_PAGEHEAP | PART_SITES,
};

/* Which of these were there is in @parts. */
struct heap {
	char *name;
	unsigned int parts;
	struct pairs vmstat, scavenger;
	struct table classes, nodes, percpu, spans, heapmap;
	struct pageheap pageheap;
	struct sites sites;
	struct stacks stacks;
};

struct snapshot {
	double time;		/* seconds since the epoch */
	double monotonic;	/* seconds, for rates */
	size_t nr_heaps;
	struct heap *heaps;
};

/* The heap that --heap names, or the default one. */
void snapshot_read_one(struct snapshot *snap, unsigned int parts);

/* The heap that --heap names, or all of them. */
void snapshot_read(struct snapshot *snap, unsigned int parts);

void snapshot_free(struct snapshot *snap);

struct heap *snapshot_heap(const struct snapshot *snap, const char *name);

/* End the program if a file that a subcommand cannot do without was not there. */
void heap_require(const struct heap *heap, unsigned int part);

/* A value of vmstat. */
int64_t heap_stat(const struct heap *heap, const char *name);

/* Refused frees of all kinds. */
int64_t heap_bad_frees(const struct heap *heap);

/* Bytes per goalloc page, which the classes tell; 0 without them. */
int64_t heap_page_size(const struct heap *heap);

/* The rows of the ledger, which add up to what is held. */
struct ledger_row {
	const char *stat;	/* in vmstat */
	const char *name;	/* for people */
	const char *what;
};

#define LEDGER_ROWS 8
extern const struct ledger_row ledger_rows[LEDGER_ROWS];

int64_t heap_ledger_sum(const struct heap *heap);

#endif /* GOALLOC_SNAPSHOT_H */
