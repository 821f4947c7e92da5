// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees of old pointers when their pages have been used anew: what can be told
 * then, and what cannot.
 *
 * A fresh heap hands out slot 0, 1, 2 of a class in that order, and spans from
 * its lowest free pages.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include <goalloc.h>

#include "cache.h"
#include "misuse.h"

#define REUSE_LIVE \
	"is %u bytes into it; free its first byte, or look for an earlier free, its pages being used anew"
#define REUSE_FREE \
	"is %u bytes into it, and it is free; look for an earlier free, its pages perhaps being used anew"
#define REUSE_TAIL \
	"is behind its last object; look for a damaged pointer, or an earlier free, its pages being used anew"

/* Every object @size bytes of one span, of which number @slot is returned, gone. */
static char *reuse_old(struct kunit *test, size_t size, unsigned int slot)
{
	struct misuse *m = test->priv;
	char **p = kunit_kcalloc(test, slot + 1, sizeof(*p), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (i = 0; i <= slot; i++)
		p[i] = misuse_get(test, size);
	for (i = 0; i <= slot; i++)
		misuse_put(test, p[i]);
	cache_drain_all(m->fh->heap);
	/* They are what they are taken for, and free. */
	KUNIT_ASSERT_PTR_EQ(test, p[0] + slot * goalloc_size_roundup(size), p[slot]);
	KUNIT_ASSERT_NULL(test, pagemap_span(&m->fh->fake.space.map, (unsigned long)p[0]));
	return p[slot];
}

static void reuse_free(struct kunit *test, void *old)
{
	struct misuse *m = test->priv;

	misuse_watch(test, m->fh->heap);
	misuse_free(m->fh->heap, old);
}

static void reuse_inside_live(struct kunit *test)
{
	char *old = reuse_old(test, 112, 1);
	char *p = misuse_get(test, 256);

	KUNIT_ASSERT_PTR_EQ(test, p + 112, old);
	memset(p, 0x2b, 256);
	reuse_free(test, old);
	misuse_told(test, BAD_FREE_INTERIOR, old,
		    ", object 0 of class 18 (256 bytes): " REUSE_LIVE, 112);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x2b, 256));
	misuse_put(test, p);
}

static void reuse_inside_free(struct kunit *test)
{
	char *old = reuse_old(test, 112, 3);
	char *p = misuse_get(test, 256);

	KUNIT_ASSERT_PTR_EQ(test, p + 336, old);
	reuse_free(test, old);
	misuse_told(test, BAD_FREE_INTERIOR, old,
		    ", object 1 of class 18 (256 bytes): " REUSE_FREE, 80);
	misuse_put(test, p);
}

/* The start of a slot of the new class, which happens to be free. */
static void reuse_start_of_free(struct kunit *test)
{
	char *old = reuse_old(test, 64, 4);
	char *p = misuse_get(test, 256);

	KUNIT_ASSERT_PTR_EQ(test, p + 256, old);
	reuse_free(test, old);
	misuse_told(test, BAD_FREE_DOUBLE, old,
		    ", object 1 of class 18 (256 bytes): is free already; look for a second free of this object");
	misuse_put(test, p);
}

static void reuse_tail(struct kunit *test)
{
	unsigned int slot = GOALLOC_PAGE_SIZE / 48 * 48 / 16;
	char *old = reuse_old(test, 16, slot);
	char *p = misuse_get(test, 48);

	KUNIT_ASSERT_PTR_EQ(test, p + slot * 16, old);
	reuse_free(test, old);
	misuse_told(test, BAD_FREE_MISALIGNED, old,
		    ", a span of class 5 (48 bytes): " REUSE_TAIL);
	misuse_put(test, p);
}

static void reuse_by_large(struct kunit *test)
{
	char *old, *p;

	if (GOALLOC_PAGE_SHIFT != 13)
		kunit_skip(test, "made for 8 KiB pages");
	old = reuse_old(test, 112, 2);
	p = misuse_get(test, 60000);
	KUNIT_ASSERT_PTR_EQ(test, p + 224, old);
	reuse_free(test, old);
	misuse_told(test, BAD_FREE_INTERIOR, old, ", large object of %u bytes: " REUSE_LIVE,
		    (unsigned int)round_up(60000, GOALLOC_PAGE_SIZE), 224);
	misuse_put(test, p);
}

/* A large object that is no more, its second page a small span by now. */
static void reuse_of_large(struct kunit *test)
{
	char *old = misuse_get(test, 60000);
	char *first, *p;

	misuse_put(test, old);
	first = misuse_get(test, 1024);
	p = misuse_get(test, 2048);
	KUNIT_ASSERT_PTR_EQ(test, old, first);
	reuse_free(test, old + 8);
	misuse_told(test, BAD_FREE_INTERIOR, old + 8,
		    ", object 0 of class 32 (1024 bytes): " REUSE_LIVE, 8);
	misuse_put(test, first);
	misuse_put(test, p);
}

static void reuse_by_tiny(struct kunit *test)
{
	char *old = reuse_old(test, 24, 1);
	char *p;

	migrate_disable();
	p = misuse_get_tiny(test, 12);
	KUNIT_EXPECT_PTR_EQ(test, p + 24, old);
	/* In a block that nobody has: it is free as a whole. */
	reuse_free(test, old);
	misuse_told(test, BAD_FREE_DOUBLE, old,
		    ", block 1 of tiny objects: is free already; look for a second free of this object");
	misuse_put(test, p);
	migrate_enable();
}

/* The pages are a neighbour's now. */
static void reuse_by_other_heap(struct kunit *test)
{
	char *old = reuse_old(test, 112, 0);
	struct misuse *m = test->priv;
	struct goalloc_heap *heap;
	char *p;

	heap_scavenge(m->fh->heap->node[0], U64_MAX, true);
	heap = heap_create("neighbour", NULL, &m->fh->fake.space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	p = goalloc_heap_alloc(heap, 112, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, old, p);
	reuse_free(test, old);
	misuse_told(test, BAD_FREE_HEAP, old,
		    ", object 0 of class 9 (112 bytes): belongs to heap neighbour; use goalloc_heap_free() with that one");
	goalloc_heap_free(heap, p);
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(heap, false));
}

/*
 * What cannot be told in the default configuration: the old pointer is the
 * start of a live object again, and freeing it frees that. Its owner is the one
 * who gets the report, for a free that is right.
 */
static void reuse_same_object(struct kunit *test)
{
	struct misuse *m = test->priv;
	void *mate = misuse_get(test, 112);
	void *old = misuse_get(test, 112);
	void *p;

	misuse_put(test, old);
	p = misuse_get(test, 112);
	KUNIT_EXPECT_PTR_EQ(test, old, p);
	reuse_free(test, old);
	misuse_silent(test, "a stale pointer to what is live again");
	reuse_free(test, p);
	misuse_told(test, BAD_FREE_DOUBLE, p,
		    ", object 1 of class 9 (112 bytes): is free already; look for a second free of this object");
	misuse_put(test, mate);
	KUNIT_EXPECT_EQ(test, m->shot.st.live_objects, 1ULL);
}

/* The same with another class: only the address matters. */
static void reuse_same_start(struct kunit *test)
{
	struct misuse *m = test->priv;
	char *old = reuse_old(test, 64, 8);
	char *mate[2], *p;

	mate[0] = misuse_get(test, 256);
	mate[1] = misuse_get(test, 256);
	p = misuse_get(test, 256);
	KUNIT_EXPECT_PTR_EQ(test, old, p);
	reuse_free(test, old);
	misuse_silent(test, "a stale pointer to another class's live object");
	reuse_free(test, p);
	misuse_told(test, BAD_FREE_DOUBLE, p,
		    ", object 2 of class 18 (256 bytes): is free already; look for a second free of this object");
	misuse_put(test, mate[0]);
	misuse_put(test, mate[1]);
	KUNIT_EXPECT_EQ(test, m->shot.st.live_objects, 2ULL);
}

static struct kunit_case misuse_reuse_cases[] = {
	KUNIT_CASE(reuse_inside_live),
	KUNIT_CASE(reuse_inside_free),
	KUNIT_CASE(reuse_start_of_free),
	KUNIT_CASE(reuse_tail),
	KUNIT_CASE(reuse_by_large),
	KUNIT_CASE(reuse_of_large),
	KUNIT_CASE(reuse_by_tiny),
	KUNIT_CASE(reuse_by_other_heap),
	KUNIT_CASE(reuse_same_object),
	KUNIT_CASE(reuse_same_start),
	{}
};

static struct kunit_suite misuse_reuse_suite = {
	.name = "goalloc_misuse_reuse",
	.init = misuse_init,
	.exit = misuse_exit,
	.test_cases = misuse_reuse_cases,
};

kunit_test_suites(&misuse_reuse_suite);
