/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's allocations in the order of time, and the trace they make. */
#ifndef GOALLOC_RECORD_TRACE_H
#define GOALLOC_RECORD_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum event_kind { EVENT_KMALLOC, EVENT_CACHE_ALLOC, EVENT_FREE };

struct event {
	uint64_t time;		/* ns */
	uint64_t ptr;
	uint64_t nr;		/* as they came: the order of those of one time */
	uint32_t bytes;		/* requested; 0 in a free */
	uint16_t cpu;
	uint8_t kind;		/* enum event_kind */
	uint8_t flags;		/* TRACE_F_ZERO, TRACE_F_ATOMIC, context */
};

struct events {
	size_t nr, room;
	struct event *event;
};

struct record_sums {
	uint64_t allocs, frees;	/* records */
	uint64_t unknown;	/* frees of objects from before */
	uint64_t unseen;	/* frees that must have been, see traces/README.md */
};

struct event *events_add(struct events *events);
void events_free(struct events *events);

/* Sort @events by time and write the trace @name of them to @path. */
void record_write(struct events *events, const char *name, const char *path,
		  struct record_sums *sums);

#endif /* GOALLOC_RECORD_TRACE_H */
