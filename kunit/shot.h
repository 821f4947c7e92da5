/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A heap's books at one moment, to see what an operation changed.
 */
#ifndef GOALLOC_SHOT_H
#define GOALLOC_SHOT_H

#include <kunit/test.h>

#include "heap.h"
#include "stats.h"

/**
 * struct heap_shot - the books of a heap
 * @st: its ledger
 * @bad: refused frees by kind
 */
struct heap_shot {
	struct goalloc_stats st;
	u64 bad[NR_BAD_FREES];
};

void shot_take(struct goalloc_heap *heap, struct heap_shot *shot);
void shot_expect_refused(struct kunit *test, struct goalloc_heap *heap,
			 const struct heap_shot *before, enum bad_free kind,
			 unsigned int nr, const char *what);
void shot_expect_same(struct kunit *test, struct goalloc_heap *heap,
		      const struct heap_shot *before, const char *what);

#endif /* GOALLOC_SHOT_H */
