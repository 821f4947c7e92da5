// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees of addresses in goalloc's memory that are not the start of an object,
 * or are one of another heap: one bug per case.
 *
 * A fresh heap hands out slot 0, 1, 2 of a class in that order.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/slab.h>

#include <goalloc.h>

#include "cache.h"
#include "misuse.h"

#define INSIDE_LIVE \
	"is %u bytes into it; free its first byte, or look for an earlier free, its pages being used anew"
#define INSIDE_FREE \
	"is %u bytes into it, and it is free; look for an earlier free, its pages perhaps being used anew"
#define INSIDE_TINY \
	"no object begins %u bytes into it; free the first byte of one"
#define MISALIGNED_ODD \
	"is no multiple of 8 as every object is; look for a damaged pointer, or a tag bit left in it"
#define MISALIGNED_TAIL \
	"is behind its last object; look for a damaged pointer, or an earlier free, its pages being used anew"

/* What a large object of so many bytes gets. */
static unsigned int inside_large_bytes(size_t size)
{
	return round_up(size, GOALLOC_PAGE_SIZE);
}

/* Do it to the private heap. */
static void inside_free(struct kunit *test, const void *p)
{
	struct misuse *m = test->priv;

	misuse_watch(test, m->fh->heap);
	misuse_free(m->fh->heap, p);
}

static void inside_second_word(struct kunit *test)
{
	char *p = misuse_get(test, 112);

	inside_free(test, p + 8);
	misuse_told(test, BAD_FREE_INTERIOR, p + 8,
		    ", object 0 of class 9 (112 bytes): " INSIDE_LIVE, 8);
	misuse_put(test, p);
}

static void inside_middle(struct kunit *test)
{
	char *p[4];
	int i;

	for (i = 0; i < 4; i++)
		p[i] = misuse_get(test, 105);
	memset(p[2], 0x42, 105);
	inside_free(test, p[2] + 56);
	misuse_told(test, BAD_FREE_INTERIOR, p[2] + 56,
		    ", object 2 of class 9 (112 bytes): " INSIDE_LIVE, 56);
	KUNIT_EXPECT_NULL(test, memchr_inv(p[2], 0x42, 105));
	for (i = 0; i < 4; i++)
		misuse_put(test, p[i]);
}

static void inside_last_word(struct kunit *test)
{
	char *p = misuse_get(test, 1024);

	inside_free(test, p + 1016);
	misuse_told(test, BAD_FREE_INTERIOR, p + 1016,
		    ", object 0 of class 32 (1024 bytes): " INSIDE_LIVE, 1016);
	misuse_put(test, p);
}

static void inside_largest_class(struct kunit *test)
{
	char *p = misuse_get(test, GOALLOC_MAX_SMALL_SIZE);

	inside_free(test, p + 16384);
	misuse_told(test, BAD_FREE_INTERIOR, p + 16384,
		    ", object 0 of class 67 (32768 bytes): " INSIDE_LIVE, 16384);
	misuse_put(test, p);
}

static void inside_free_object(struct kunit *test)
{
	char *mate = misuse_get(test, 112);
	char *p = misuse_get(test, 112);

	misuse_put(test, p);
	inside_free(test, p + 16);
	misuse_told(test, BAD_FREE_INTERIOR, p + 16,
		    ", object 1 of class 9 (112 bytes): " INSIDE_FREE, 16);
	misuse_put(test, mate);
}

/* In a slot that nobody ever had. */
static void inside_unused_slot(struct kunit *test)
{
	char *p = misuse_get(test, 112);

	inside_free(test, p + 3 * 112 + 24);
	misuse_told(test, BAD_FREE_INTERIOR, p + 3 * 112 + 24,
		    ", object 3 of class 9 (112 bytes): " INSIDE_FREE, 24);
	misuse_put(test, p);
}

static void inside_large_second_page(struct kunit *test)
{
	char *p = misuse_get(test, 50000);

	inside_free(test, p + GOALLOC_PAGE_SIZE);
	misuse_told(test, BAD_FREE_INTERIOR, p + GOALLOC_PAGE_SIZE,
		    ", large object of %u bytes: " INSIDE_LIVE, inside_large_bytes(50000),
		    (unsigned int)GOALLOC_PAGE_SIZE);
	misuse_put(test, p);
}

static void inside_large_each_page(struct kunit *test)
{
	char *p = misuse_get(test, 100000);
	unsigned int at;

	for (at = PAGE_SIZE; at < inside_large_bytes(100000); at += PAGE_SIZE) {
		inside_free(test, p + at);
		misuse_told(test, BAD_FREE_INTERIOR, p + at,
			    ", large object of %u bytes: " INSIDE_LIVE,
			    inside_large_bytes(100000), at);
	}
	misuse_put(test, p);
}

/* Beyond what was asked for, in what it was rounded up to. */
static void inside_large_rounding(struct kunit *test)
{
	unsigned int bytes = inside_large_bytes(33000);
	char *p = misuse_get(test, 33000);

	inside_free(test, p + bytes - 8);
	misuse_told(test, BAD_FREE_INTERIOR, p + bytes - 8,
		    ", large object of %u bytes: " INSIDE_LIVE, bytes, bytes - 8);
	misuse_put(test, p);
}

/* Every offset of a block with objects at 0 (8 bytes) and 8 (4 bytes). */
static void inside_tiny_each_offset(struct kunit *test)
{
	struct misuse *m = test->priv;
	char *p, *q;
	unsigned int at;

	migrate_disable();
	p = misuse_get_tiny(test, 8);
	q = misuse_get_tiny(test, 4);
	KUNIT_EXPECT_PTR_EQ(test, p + 8, q);
	for (at = 1; at < 16; at++) {
		/* Where one lives, and where one ended and another may have begun. */
		if (at == 8 || at == 12)
			continue;
		misuse_watch(test, m->fh->heap);
		misuse_free(m->fh->heap, p + at);
		misuse_told(test, BAD_FREE_INTERIOR, p + at,
			    ", block 0 of tiny objects: " INSIDE_TINY, at);
	}
	misuse_put(test, p);
	misuse_put(test, q);
	migrate_enable();
}

/* The last byte of a block that is still being packed is nobody's yet. */
static void inside_tiny_last_byte(struct kunit *test)
{
	char *p = misuse_get_tiny(test, 15);

	inside_free(test, p + 15);
	misuse_told(test, BAD_FREE_INTERIOR, p + 15,
		    ", block 0 of tiny objects: " INSIDE_TINY, 15);
	misuse_put(test, p);
}

static void misaligned_by_one(struct kunit *test)
{
	char *p = misuse_get(test, 112);

	inside_free(test, p + 1);
	misuse_told(test, BAD_FREE_MISALIGNED, p + 1,
		    ", object 0 of class 9 (112 bytes): " MISALIGNED_ODD);
	misuse_put(test, p);
}

/* Tag bits of every value, in the smallest class. */
static void misaligned_tag_bits(struct kunit *test)
{
	char *p = misuse_get(test, 8);
	unsigned int tag;

	for (tag = 1; tag < 8; tag++) {
		inside_free(test, p + tag);
		misuse_told(test, BAD_FREE_MISALIGNED, p + tag,
			    ", object 0 of class 1 (8 bytes): " MISALIGNED_ODD);
	}
	misuse_put(test, p);
}

static void misaligned_last_byte(struct kunit *test)
{
	char *p = misuse_get(test, 48);

	inside_free(test, p + 47);
	misuse_told(test, BAD_FREE_MISALIGNED, p + 47,
		    ", object 0 of class 5 (48 bytes): " MISALIGNED_ODD);
	misuse_put(test, p);
}

static void misaligned_in_free_object(struct kunit *test)
{
	char *mate = misuse_get(test, 48);
	char *p = misuse_get(test, 48);

	misuse_put(test, p);
	inside_free(test, p + 3);
	misuse_told(test, BAD_FREE_MISALIGNED, p + 3,
		    ", object 1 of class 5 (48 bytes): " MISALIGNED_ODD);
	misuse_put(test, mate);
}

static void misaligned_large(struct kunit *test)
{
	char *p = misuse_get(test, 40000);

	inside_free(test, p + 20001);
	misuse_told(test, BAD_FREE_MISALIGNED, p + 20001,
		    ", large object of %u bytes: " MISALIGNED_ODD, inside_large_bytes(40000));
	misuse_put(test, p);
}

/* Where the next object would be, if there were room for it. */
static void misaligned_tail(struct kunit *test)
{
	char *p = misuse_get(test, 48);
	char *tail = p + GOALLOC_PAGE_SIZE / 48 * 48;

	inside_free(test, tail);
	misuse_told(test, BAD_FREE_MISALIGNED, tail,
		    ", a span of class 5 (48 bytes): " MISALIGNED_TAIL);
	misuse_put(test, p);
}

static void misaligned_in_tail(struct kunit *test)
{
	char *p = misuse_get(test, 48);
	char *last = p + GOALLOC_PAGE_SIZE - 1;

	inside_free(test, last);
	misuse_told(test, BAD_FREE_MISALIGNED, last,
		    ", a span of class 5 (48 bytes): " MISALIGNED_TAIL);
	misuse_put(test, p);
}

/* A second heap in the same address space. */
static struct goalloc_heap *wrong_heap(struct kunit *test)
{
	struct misuse *m = test->priv;
	struct goalloc_heap *heap = heap_create("neighbour", NULL, &m->fh->fake.space);

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	return heap;
}

#define WRONG_HEAP "belongs to heap test; use goalloc_heap_free() with that one"

/* The private heap's @p, freed to its neighbour; its own heap stays as it was. */
static void wrong_heap_expect(struct kunit *test, const void *p, const char *object)
{
	struct goalloc_heap *heap = wrong_heap(test);
	struct misuse *m = test->priv;
	struct heap_shot shot;

	shot_take(m->fh->heap, &shot);
	misuse_watch(test, heap);
	misuse_free(heap, p);
	misuse_told(test, BAD_FREE_HEAP, p, ", %s: " WRONG_HEAP, object);
	shot_expect_same(test, m->fh->heap, &shot, "freed to another heap");
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(heap, false));
}

static void wrong_heap_small(struct kunit *test)
{
	void *mate = misuse_get(test, 700);
	void *p = misuse_get(test, 700);

	memset(p, 0x5c, 700);
	wrong_heap_expect(test, p, "object 1 of class 29 (704 bytes)");
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x5c, 700));
	misuse_put(test, p);
	misuse_put(test, mate);
}

/* The other way round: the neighbour's to ours. */
static void wrong_heap_reverse(struct kunit *test)
{
	struct goalloc_heap *heap = wrong_heap(test);
	void *p = goalloc_heap_alloc(heap, 64, GFP_KERNEL);

	KUNIT_EXPECT_NOT_NULL(test, p);
	inside_free(test, p);
	misuse_told(test, BAD_FREE_HEAP, p,
		    ", object 0 of class 6 (64 bytes): belongs to heap neighbour; use goalloc_heap_free() with that one");
	goalloc_heap_free(heap, p);
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(heap, false));
}

static void wrong_heap_large(struct kunit *test)
{
	void *p = misuse_get(test, 70000);
	char object[40];

	snprintf(object, sizeof(object), "large object of %u bytes", inside_large_bytes(70000));
	wrong_heap_expect(test, p, object);
	misuse_put(test, p);
}

static void wrong_heap_tiny(struct kunit *test)
{
	void *p = misuse_get_tiny(test, 4);

	wrong_heap_expect(test, p, "block 0 of tiny objects");
	misuse_put(test, p);
}

/* Whose it is comes before what else is wrong. */
static void wrong_heap_inside(struct kunit *test)
{
	char *p = misuse_get(test, 700);

	wrong_heap_expect(test, p + 8, "object 0 of class 29 (704 bytes)");
	misuse_put(test, p);
}

static void wrong_heap_free_object(struct kunit *test)
{
	void *mate = misuse_get(test, 700);
	void *p = misuse_get(test, 700);

	misuse_put(test, p);
	wrong_heap_expect(test, p, "object 1 of class 29 (704 bytes)");
	misuse_put(test, mate);
}

/* gofree() is for the default heap only. */
static void wrong_heap_default(struct kunit *test)
{
	struct goalloc_heap *heap = goalloc_heap_create("misuse", NULL);
	void *p;

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	p = goalloc_heap_alloc(heap, 30, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	misuse_watch(test, goalloc_default);
	misuse_gofree(p);
	misuse_told(test, BAD_FREE_HEAP, p,
		    ", object 0 of class 4 (32 bytes): belongs to heap misuse; use goalloc_heap_free() with that one");
	goalloc_heap_free(heap, p);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
}

/* Its heap was ended by force, and its page is no heap's any more. */
static void wrong_heap_gone(struct kunit *test)
{
	struct goalloc_heap *heap = wrong_heap(test);
	void *p = goalloc_heap_alloc(heap, 64, GFP_KERNEL);

	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(heap, true));
	inside_free(test, p);
	/* The fake page source has its pages from vmalloc(). */
	misuse_told(test, BAD_FREE_FOREIGN, p, ": is vmalloc() memory; use vfree() or gokvfree()");
}

static struct kunit_case misuse_inside_cases[] = {
	KUNIT_CASE(inside_second_word),
	KUNIT_CASE(inside_middle),
	KUNIT_CASE(inside_last_word),
	KUNIT_CASE(inside_largest_class),
	KUNIT_CASE(inside_free_object),
	KUNIT_CASE(inside_unused_slot),
	KUNIT_CASE(inside_large_second_page),
	KUNIT_CASE(inside_large_each_page),
	KUNIT_CASE(inside_large_rounding),
	KUNIT_CASE(inside_tiny_each_offset),
	KUNIT_CASE(inside_tiny_last_byte),
	KUNIT_CASE(misaligned_by_one),
	KUNIT_CASE(misaligned_tag_bits),
	KUNIT_CASE(misaligned_last_byte),
	KUNIT_CASE(misaligned_in_free_object),
	KUNIT_CASE(misaligned_large),
	KUNIT_CASE(misaligned_tail),
	KUNIT_CASE(misaligned_in_tail),
	KUNIT_CASE(wrong_heap_small),
	KUNIT_CASE(wrong_heap_reverse),
	KUNIT_CASE(wrong_heap_large),
	KUNIT_CASE(wrong_heap_tiny),
	KUNIT_CASE(wrong_heap_inside),
	KUNIT_CASE(wrong_heap_free_object),
	KUNIT_CASE(wrong_heap_default),
	KUNIT_CASE(wrong_heap_gone),
	{}
};

static struct kunit_suite misuse_inside_suite = {
	.name = "goalloc_misuse_inside",
	.init = misuse_init,
	.exit = misuse_exit,
	.test_cases = misuse_inside_cases,
};

kunit_test_suites(&misuse_inside_suite);
