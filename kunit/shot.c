// SPDX-License-Identifier: GPL-2.0-only
/*
 * A heap's books at one moment. See shot.h.
 */
#include "shot.h"

/**
 * shot_take - note down the books of a quiet heap
 * @heap: the heap
 * @shot: where to
 */
void shot_take(struct goalloc_heap *heap, struct heap_shot *shot)
{
	int i;

	goalloc_heap_stats(heap, &shot->st);
	for (i = 0; i < NR_BAD_FREES; i++)
		shot->bad[i] = atomic64_read(&heap->nr_bad[i]);
}

/**
 * shot_expect_refused - nothing but counters of refused frees has changed
 * @test: the test
 * @heap: the heap
 * @before: its books before
 * @kind: the counter that should have grown
 * @nr: by how much
 * @what: what was tried, for the failure's text
 */
void shot_expect_refused(struct kunit *test, struct goalloc_heap *heap,
			 const struct heap_shot *before, enum bad_free kind,
			 unsigned int nr, const char *what)
{
	struct heap_shot now;
	int i;

	shot_take(heap, &now);
	for (i = 0; i < NR_BAD_FREES; i++)
		KUNIT_EXPECT_EQ_MSG(test, now.bad[i], before->bad[i] + (i == kind ? nr : 0),
				    "%s: bad frees %s", what, report_bad_free_name(i));
	KUNIT_EXPECT_EQ_MSG(test, now.st.bad_frees, before->st.bad_frees + nr, "%s", what);
	now.st.bad_frees = before->st.bad_frees;
	KUNIT_EXPECT_EQ_MSG(test, 0, memcmp(&now.st, &before->st, sizeof(now.st)),
			    "%s: the ledger changed; live %llu was %llu, cached %llu was %llu, central %llu was %llu",
			    what, now.st.live_bytes, before->st.live_bytes,
			    now.st.cached_bytes, before->st.cached_bytes,
			    now.st.central_bytes, before->st.central_bytes);
}

/**
 * shot_expect_same - nothing at all has changed
 * @test: the test
 * @heap: the heap
 * @before: its books before
 * @what: what was tried, for the failure's text
 */
void shot_expect_same(struct kunit *test, struct goalloc_heap *heap,
		      const struct heap_shot *before, const char *what)
{
	shot_expect_refused(test, heap, before, NR_BAD_FREES, 0, what);
}
