// SPDX-License-Identifier: GPL-2.0-only
/* unit_sizeclass.c - every size, every class, every offset. */
#include "sizeclass.h"
#include "unit.h"

static unsigned int promise(size_t size)
{
	size_t align = size & -size;

	return align > SIZECLASS_MAX_ALIGN ? SIZECLASS_MAX_ALIGN : align;
}

static void every_size(void)
{
	size_t size;

	for (size = 1; size <= GOALLOC_MAX_SMALL; size++) {
		unsigned int class = sizeclass_of(size);
		unsigned int want = 1;

		while (sizeclass_size[want] < size ||
		       sizeclass_size[want] % promise(size))
			want++;
		EXPECT(class == want, "%zu bytes: expected class %u, got %u",
		       size, want, class);
	}
}

static void every_class(void)
{
	unsigned int class;

	EXPECT(!sizeclass_size[0] && !sizeclass_pages[0] && !sizeclass_magic[0],
	       "class 0 is not empty");
	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		unsigned int size = sizeclass_size[class];
		unsigned int span = sizeclass_pages[class] * GOALLOC_PAGE_SIZE;
		unsigned int tail = span - sizeclass_objs[class] * size;

		EXPECT(size > sizeclass_size[class - 1], "class %u: size %u",
		       class, size);
		EXPECT(size % 8 == 0, "class %u: size %u", class, size);
		EXPECT(tail < size, "class %u: room for another object", class);
		EXPECT(tail <= span / 8, "class %u: tail of %u", class, tail);
		EXPECT(sizeclass_of(size) == class, "class %u: not its own",
		       class);
		EXPECT(sizeclass_aligned(class, size & -size) &&
		       !sizeclass_aligned(class, 2 * (size & -size)),
		       "class %u: alignment", class);
	}
	EXPECT(sizeclass_size[GOALLOC_NR_CLASSES - 1] == GOALLOC_MAX_SMALL,
	       "largest class");
}

static void every_offset(void)
{
	unsigned int class, off;

	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		unsigned int span = sizeclass_pages[class] * GOALLOC_PAGE_SIZE;
		unsigned int magic = sizeclass_magic[class];

		for (off = 0; off <= span; off++)
			EXPECT(sizeclass_index(magic, off) ==
			       off / sizeclass_size[class],
			       "class %u offset %u", class, off);
	}
	EXPECT(!sizeclass_index(0, ~0U), "a large object has one index");
}

static void span_classes(void)
{
	unsigned int class;

	for (class = 0; class < GOALLOC_NR_CLASSES; class++) {
		u8 scan = spanclass_make(class, false);
		u8 noscan = spanclass_make(class, true);

		EXPECT(scan != noscan, "class %u", class);
		EXPECT(noscan < GOALLOC_NR_SPANCLASSES, "class %u", class);
		EXPECT(spanclass_class(scan) == class &&
		       spanclass_class(noscan) == class, "class %u", class);
		EXPECT(!spanclass_noscan(scan) && spanclass_noscan(noscan),
		       "class %u", class);
	}
}

const struct unit_case unit_sizeclass[] = {
	{ "sizeclass: every size", every_size },
	{ "sizeclass: every class", every_class },
	{ "sizeclass: every offset", every_offset },
	{ "sizeclass: span classes", span_classes },
	{}
};
