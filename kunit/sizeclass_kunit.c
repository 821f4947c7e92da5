// SPDX-License-Identifier: GPL-2.0-only
/*
 * Size classes: every size, every class, every offset into a span.
 */
#include <kunit/test.h>

#include "sizeclass.h"

/* What kmalloc() promises for a size. */
static unsigned int promised(unsigned int size)
{
	unsigned int align = size & -size;

	return min_t(unsigned int, align, SIZECLASS_MAX_ALIGN);
}

/* The smallest class that is large enough and keeps the promise. */
static void sizeclass_every_size(struct kunit *test)
{
	unsigned int size, wrong = 0;

	for (size = 1; size <= GOALLOC_MAX_SMALL; size++) {
		unsigned int class = sizeclass_of(size);
		unsigned int want = 1;

		while (sizeclass_size[want] < size ||
		       !sizeclass_aligned(want, promised(size)))
			want++;
		if (class == want)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, want, class, "%u bytes", size);
		if (++wrong == 10)
			break;
	}
}

static void sizeclass_every_class(struct kunit *test)
{
	unsigned int class;

	/* Class 0: large objects, nothing of which is in a table. */
	KUNIT_EXPECT_EQ(test, 0U, (unsigned int)sizeclass_size[0]);
	KUNIT_EXPECT_EQ(test, 0U, (unsigned int)sizeclass_fine[0]);
	KUNIT_EXPECT_EQ(test, 0U, sizeclass_index(0, 12345));
	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		unsigned int size = sizeclass_size[class];
		unsigned int span = sizeclass_pages[class] * GOALLOC_PAGE_SIZE;
		unsigned int objs = sizeclass_objs[class];

		KUNIT_EXPECT_GT(test, size,
				(unsigned int)sizeclass_size[class - 1]);
		KUNIT_EXPECT_EQ_MSG(test, span / size, objs, "class %u", class);
		KUNIT_EXPECT_LE_MSG(test, span - objs * size, span / 8,
				    "class %u", class);
		KUNIT_EXPECT_EQ_MSG(test, class, sizeclass_of(size),
				    "class %u", class);
	}
	KUNIT_EXPECT_EQ(test, GOALLOC_MAX_SMALL,
			(int)sizeclass_size[GOALLOC_NR_CLASSES - 1]);
}

/* The multiplication is exact wherever an object may be pointed into. */
static void sizeclass_every_offset(struct kunit *test)
{
	unsigned int class, offset;

	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		unsigned int size = sizeclass_size[class];
		unsigned int span = sizeclass_pages[class] * GOALLOC_PAGE_SIZE;
		unsigned int magic = sizeclass_magic[class];

		for (offset = 0; offset <= span; offset++)
			if (sizeclass_index(magic, offset) != offset / size)
				break;
		KUNIT_EXPECT_EQ_MSG(test, span + 1, offset, "class %u", class);
	}
}

static void sizeclass_span_classes(struct kunit *test)
{
	unsigned int class;

	for (class = 0; class < GOALLOC_NR_CLASSES; class++) {
		u8 scan = spanclass_make(class, false);
		u8 noscan = spanclass_make(class, true);

		KUNIT_EXPECT_NE(test, scan, noscan);
		KUNIT_EXPECT_LT(test, (int)noscan, GOALLOC_NR_SPANCLASSES);
		KUNIT_EXPECT_EQ(test, class, spanclass_class(scan));
		KUNIT_EXPECT_EQ(test, class, spanclass_class(noscan));
		KUNIT_EXPECT_FALSE(test, spanclass_noscan(scan));
		KUNIT_EXPECT_TRUE(test, spanclass_noscan(noscan));
	}
}

static struct kunit_case sizeclass_cases[] = {
	KUNIT_CASE(sizeclass_every_size),
	KUNIT_CASE(sizeclass_every_class),
	KUNIT_CASE(sizeclass_every_offset),
	KUNIT_CASE(sizeclass_span_classes),
	{}
};

static struct kunit_suite sizeclass_suite = {
	.name = "goalloc_sizeclass",
	.test_cases = sizeclass_cases,
};

kunit_test_suites(&sizeclass_suite);
