// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spans: their layout, and the bits that say which slots are free.
 */
#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/random.h>

#include "span.h"

static struct goalloc_span *span_make(struct kunit *test, unsigned int bin)
{
	struct span_shape shape = span_shape_small(bin);
	struct goalloc_span *span = kunit_kzalloc(test, span_bytes(&shape), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, span);
	span_init(span, &shape);
	return span;
}

/* Every bin's structure holds what it must, in its own bytes. */
static void span_layout(struct kunit *test)
{
	unsigned int bin;

	for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
		struct span_shape shape = span_shape_small(bin);
		struct goalloc_span *span = span_make(test, bin);
		char *end = (char *)span + span_bytes(&shape);
		unsigned int i;

		KUNIT_EXPECT_EQ(test, shape.nelems, span->bits.nelems);
		KUNIT_EXPECT_PTR_EQ(test, (char *)span->state + shape.nelems + 1, end);
		KUNIT_EXPECT_EQ(test, (u8)SLOT_TAIL, span->state[shape.nelems]);
		KUNIT_EXPECT_GE(test, (unsigned long)span->state,
				(unsigned long)(span_bits_freed(&span->bits) +
						span_bits_words(shape.nelems)));
		KUNIT_EXPECT_EQ(test, bin == GOALLOC_TINY_BIN, !!span->tiny);
		KUNIT_EXPECT_LE(test, (size_t)shape.nelems * shape.elemsize,
				(size_t)shape.npages << GOALLOC_PAGE_SHIFT);
		for (i = 0; i < shape.nelems; i++)
			KUNIT_EXPECT_EQ(test, (u8)SLOT_FREE, span->state[i]);
		KUNIT_EXPECT_EQ(test, span_tail(span),
				(u32)((shape.npages << GOALLOC_PAGE_SHIFT) -
				      shape.nelems * shape.elemsize));
		kunit_kfree(test, span);
	}
}

/* From a slot to its address and back, for every byte of every slot. */
static void span_slots(struct kunit *test)
{
	unsigned int bin, slot, byte;

	for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
		struct goalloc_span *span = span_make(test, bin);
		unsigned int wrong = 0;

		span->base = 0xffff888000000000UL;
		for (slot = 0; slot < span->bits.nelems; slot++)
			for (byte = 0; byte < span->elemsize; byte++) {
				unsigned long addr = span_slot_addr(span, slot) + byte;
				unsigned int exact_slot;
				bool exact = span_slot_exact(span, addr, &exact_slot);

				wrong += span_slot(span, addr) != slot;
				wrong += exact_slot != slot || exact != !byte;
			}
		/* What lies behind the last slot is no slot. */
		for (byte = 0; byte < span_tail(span); byte++)
			wrong += span_slot(span, span_slot_addr(span, slot) + byte) != slot;
		KUNIT_EXPECT_EQ_MSG(test, 0U, wrong, "bin %u", bin);
		kunit_kfree(test, span);
	}
}

/* A fresh span hands out each slot once, in order, fast path or slow. */
static void span_bits_walk(struct kunit *test)
{
	unsigned int bin, fast;

	for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
		for (fast = 0; fast < 2; fast++) {
			struct goalloc_span *span = span_make(test, bin);
			unsigned int n = span->bits.nelems, i;

			for (i = 0; i < n; i++) {
				unsigned int slot = n;

				KUNIT_EXPECT_EQ(test, n - i, span_bits_unused(&span->bits));
				if (fast)
					slot = span_bits_next_fast(&span->bits);
				if (slot >= n)
					slot = span_bits_next(&span->bits);
				KUNIT_ASSERT_EQ_MSG(test, i, slot, "bin %u", bin);
				KUNIT_EXPECT_FALSE(test, span_bits_is_free(&span->bits, i));
			}
			KUNIT_EXPECT_GE(test, span_bits_next_fast(&span->bits), n);
			KUNIT_EXPECT_EQ(test, n, span_bits_next(&span->bits));
			KUNIT_EXPECT_EQ(test, n, span_bits_next(&span->bits));
			KUNIT_EXPECT_EQ(test, 0U, span_bits_unused(&span->bits));
			kunit_kfree(test, span);
		}
	}
}

/* A slot comes back once; a sweep makes exactly what came back free again. */
static void span_bits_return(struct kunit *test)
{
	struct goalloc_span *span = span_make(test, 1);
	struct span_bits *b = &span->bits;
	unsigned int i;

	for (i = 0; i < 200; i++)
		KUNIT_ASSERT_EQ(test, i, span_bits_next(b));
	for (i = 0; i < 200; i += 3)
		KUNIT_EXPECT_TRUE(test, span_bits_free(b, i));
	KUNIT_EXPECT_FALSE(test, span_bits_free(b, 3));
	KUNIT_EXPECT_EQ(test, 67, (int)b->nr_freed);
	/* The owner does not see them before the sweep. */
	KUNIT_EXPECT_EQ(test, 200U, span_bits_next(b));
	KUNIT_EXPECT_EQ(test, b->nelems - 201 + 67U, span_bits_sweep(b));
	KUNIT_EXPECT_EQ(test, 0, (int)b->nr_freed);
	for (i = 0; i < 200; i += 3)
		KUNIT_ASSERT_EQ(test, i, span_bits_next(b));
	KUNIT_EXPECT_EQ(test, 201U, span_bits_next(b));
}

/* Random work against an array of bools. */
static void span_bits_random(struct kunit *test)
{
	static const unsigned int bins[] = { 1, 2, 5, 10, 26, 35, 44, 67 };
	unsigned int b, step, i;

	for (b = 0; b < ARRAY_SIZE(bins); b++) {
		struct goalloc_span *span = span_make(test, bins[b]);
		unsigned int n = span->bits.nelems;
		bool *taken = kunit_kzalloc(test, n, GFP_KERNEL);
		bool *back = kunit_kzalloc(test, n, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, taken);
		KUNIT_ASSERT_NOT_NULL(test, back);
		for (step = 0; step < 20000; step++) {
			unsigned int what = get_random_u32() % 16, slot, want, nr = 0;

			if (what == 0) {
				for (i = 0; i < n; i++) {
					taken[i] = taken[i] && !back[i];
					back[i] = false;
					nr += !taken[i];
				}
				KUNIT_ASSERT_EQ(test, nr, span_bits_sweep(&span->bits));
			} else if (what < 10) {
				slot = span_bits_next_fast(&span->bits);
				if (slot >= n)
					slot = span_bits_next(&span->bits);
				for (want = 0; want < n && taken[want]; want++)
					;
				KUNIT_ASSERT_EQ(test, want, slot);
				if (slot < n)
					taken[slot] = true;
			} else {
				slot = get_random_u32() % n;
				/* Whatever is not out is refused. */
				KUNIT_ASSERT_EQ(test, taken[slot] && !back[slot],
						span_bits_put(&span->bits, slot));
				back[slot] |= taken[slot];
			}
		}
		kunit_kfree(test, back);
		kunit_kfree(test, taken);
		kunit_kfree(test, span);
	}
}

static struct kunit_case span_cases[] = {
	KUNIT_CASE(span_layout),
	KUNIT_CASE(span_slots),
	KUNIT_CASE(span_bits_walk),
	KUNIT_CASE(span_bits_return),
	KUNIT_CASE(span_bits_random),
	{}
};

static struct kunit_suite span_suite = {
	.name = "goalloc_span",
	.test_cases = span_cases,
};

kunit_test_suites(&span_suite);
