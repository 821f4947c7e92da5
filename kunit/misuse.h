/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doing something wrong and hearing exactly what goalloc has to say about it:
 * the line in the log, the tracepoint, the counters, and that nothing else in
 * the heap's books has changed.
 */
#ifndef GOALLOC_MISUSE_H
#define GOALLOC_MISUSE_H

#include <kunit/test.h>
#include <linux/types.h>

#include "fake_source.h"
#include "report.h"
#include "shot.h"

/* Goalloc pages of a test's private heap. */
#define MISUSE_PAGES 512

/**
 * struct misuse_event - what the tracepoint said
 * @heap: heap
 * @kind: enum bad_free
 * @p: address
 * @size: bytes of a slot
 * @slot: its number
 * @site: call site
 */
struct misuse_event {
	const struct goalloc_heap *heap;
	unsigned int kind;
	const void *p;
	u32 size;
	u32 slot;
	unsigned long site;
};

/**
 * struct misuse - a test of this kind
 * @fh: a private heap
 * @heap: heap that is watched: that one, or another
 * @shot: its books when misuse_watch() was called
 * @events: calls of the tracepoint since then
 * @event: the last of them
 */
struct misuse {
	struct fake_heap *fh;
	struct goalloc_heap *heap;
	struct heap_shot shot;
	atomic_t events;
	struct misuse_event event;
};

/* For struct kunit_suite; the test's priv is a struct misuse. */
int misuse_init(struct kunit *test);
void misuse_exit(struct kunit *test);

void misuse_watch(struct kunit *test, struct goalloc_heap *heap);
__printf(4, 5)
void misuse_told(struct kunit *test, enum bad_free kind, const void *p,
		 const char *text, ...);
void misuse_told_line(struct kunit *test, const char *line);
void misuse_silent(struct kunit *test, const char *what);

/* Objects of the private heap; a test that gets none ends. */
void *misuse_get(struct kunit *test, size_t size);
void *misuse_get_tiny(struct kunit *test, size_t size);
void misuse_put(struct kunit *test, void *p);

/* The bug: a call site each. */
void misuse_free(struct goalloc_heap *heap, const void *p);
void misuse_gofree(const void *p);
void misuse_sensitive(const void *p);
void misuse_kvfree(const void *p);
void misuse_bulk(size_t nr, void **p);
void *misuse_realloc(const void *p, size_t size);

#endif /* GOALLOC_MISUSE_H */
