// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page map: what is found at which address, to the byte.
 *
 * Nothing is read or written at the addresses, so they are made up.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/slab.h>

#include "crew.h"
#include "pagemap.h"

#define BASE 0xffff900000000000UL
#define ARENA_PAGES (ARENA_LEAVES * ARENA_LEAF_PAGES)
#define PAGE_BYTES GOALLOC_PAGE_SIZE

struct pagemap_test {
	struct pagemap map;
	struct goalloc_meta meta;
};

static void pagemap_start(struct kunit *test, u64 nr_pages)
{
	struct pagemap_test *pt = test->priv;

	KUNIT_ASSERT_EQ(test, 0, pagemap_init(&pt->map, &pt->meta, BASE, nr_pages));
}

static int pagemap_suite_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct pagemap_test), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	return 0;
}

static void pagemap_suite_exit(struct kunit *test)
{
	struct pagemap_test *pt = test->priv;

	pagemap_destroy(&pt->map);
	KUNIT_EXPECT_EQ(test, 0L, atomic_long_read(&pt->meta.bytes));
	KUNIT_EXPECT_EQ(test, 0L, atomic_long_read(&pt->meta.objects));
}

static unsigned long at(u64 page)
{
	return BASE + page * PAGE_BYTES;
}

/* A span of @bin, or a large one of @npages, that lies at @page. */
static struct goalloc_span *pagemap_put(struct kunit *test, unsigned int bin,
					u32 npages, u64 page)
{
	struct span_shape shape = npages ? span_shape_large(npages) : span_shape_small(bin);
	struct pagemap_test *pt = test->priv;
	struct goalloc_span *span;

	span = kunit_kzalloc(test, span_bytes(&shape), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, span);
	span_init(span, &shape);
	span->page = page;
	span->base = at(page);
	KUNIT_ASSERT_EQ(test, 0, pagemap_reserve(&pt->map, page, span->npages, GFP_KERNEL));
	pagemap_set(&pt->map, page, span->npages, span);
	return span;
}

/* Whole arenas; an empty map finds nothing, anywhere. */
static void pagemap_empty(struct kunit *test)
{
	static const struct {
		u64 asked, has;
	} rows[] = {
		{ 1, ARENA_PAGES }, { ARENA_PAGES, ARENA_PAGES },
		{ ARENA_PAGES + 1, 2 * ARENA_PAGES }, { 5 * ARENA_PAGES, 5 * ARENA_PAGES },
	};
	struct pagemap_test *pt = test->priv;
	unsigned int row;

	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		const unsigned long addr[] = {
			0, 1, 4096, BASE - 1, BASE, BASE + 1, at(rows[row].has) - 1,
			at(rows[row].has), at(rows[row].has) + 1, ULONG_MAX, LONG_MAX,
		};
		unsigned int i;

		pagemap_start(test, rows[row].asked);
		KUNIT_EXPECT_EQ(test, rows[row].has, pagemap_nr_pages(&pt->map));
		for (i = 0; i < ARRAY_SIZE(addr); i++) {
			struct slot_ref ref;

			KUNIT_EXPECT_NULL(test, pagemap_span(&pt->map, addr[i]));
			KUNIT_EXPECT_PTR_EQ(test, &pagemap_no_span,
					    pagemap_find(&pt->map, addr[i]));
			KUNIT_EXPECT_FALSE(test, slot_find(&pt->map, addr[i], &ref));
			KUNIT_EXPECT_NULL(test, ref.span);
		}
		/* What the stand-in says of any address: no slot begins here. */
		for (i = 0; i < 3 * PAGE_BYTES; i++) {
			unsigned int slot;

			if (span_slot_exact(&pagemap_no_span, at(7) + i, &slot))
				break;
		}
		KUNIT_EXPECT_EQ(test, (unsigned int)(3 * PAGE_BYTES), i);
		KUNIT_EXPECT_EQ(test, 1L, atomic_long_read(&pt->meta.objects));
		pagemap_destroy(&pt->map);
	}
	pagemap_start(test, 1);
}

/* Leaves are made for what is reserved, once, and for nothing else. */
static void pagemap_reserves(struct kunit *test)
{
	static const struct {
		u64 page, npages;
		int err;
		int leaves;	/* after it */
	} rows[] = {
		{ 0, 1, 0, 1 },
		{ 0, ARENA_LEAF_PAGES, 0, 1 },
		{ ARENA_LEAF_PAGES - 1, 1, 0, 1 },
		{ ARENA_LEAF_PAGES - 1, 2, 0, 2 },
		{ 3 * ARENA_LEAF_PAGES + 5, 2 * ARENA_LEAF_PAGES, 0, 5 },
		{ ARENA_PAGES - 1, 2, 0, 7 },
		{ 2 * ARENA_PAGES - 1, 1, 0, 8 },
		{ 2 * ARENA_PAGES - 1, 2, -ERANGE, 8 },
		{ 2 * ARENA_PAGES, 1, -ERANGE, 8 },
		{ 0, 2 * ARENA_PAGES + 1, -ERANGE, 8 },
		{ ~0ULL, 1, -ERANGE, 8 },
		{ 1, ~0ULL, -ERANGE, 8 },
		{ ~0ULL, ~0ULL, -ERANGE, 8 },
	};
	struct pagemap_test *pt = test->priv;
	unsigned int row;

	pagemap_start(test, 2 * ARENA_PAGES);
	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		KUNIT_EXPECT_EQ_MSG(test, rows[row].err,
				    pagemap_reserve(&pt->map, rows[row].page, rows[row].npages,
						    GFP_KERNEL), "row %u", row);
		KUNIT_EXPECT_EQ_MSG(test, rows[row].leaves + 1L,
				    atomic_long_read(&pt->meta.objects), "row %u", row);
	}
	KUNIT_EXPECT_NULL(test, pagemap_span(&pt->map, at(0)));
}

/* A span is found at its first byte, its last, and nowhere else. */
static void pagemap_edges(struct kunit *test)
{
	static const struct {
		u64 page;
		u32 npages;
	} rows[] = {
		{ 0, 1 }, { 1, 2 }, { 7, 1 },
		{ ARENA_LEAF_PAGES - 3, 3 }, { ARENA_LEAF_PAGES, 1 },
		{ 2 * ARENA_LEAF_PAGES - 1, 2 }, { 3 * ARENA_LEAF_PAGES - 2, 600 },
		{ ARENA_PAGES - 1, 2 }, { 2 * ARENA_PAGES - 1, 1 },
	};
	struct pagemap_test *pt = test->priv;
	struct goalloc_span *span[ARRAY_SIZE(rows)];
	unsigned int row, i;

	pagemap_start(test, 2 * ARENA_PAGES);
	for (row = 0; row < ARRAY_SIZE(rows); row++)
		span[row] = pagemap_put(test, 0, rows[row].npages, rows[row].page);
	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		unsigned long first = at(rows[row].page);
		unsigned long end = first + rows[row].npages * PAGE_BYTES;

		for (i = 0; i < rows[row].npages; i++) {
			KUNIT_EXPECT_PTR_EQ(test, span[row],
					    pagemap_span(&pt->map, first + i * PAGE_BYTES));
			KUNIT_EXPECT_PTR_EQ(test, span[row],
					    pagemap_span(&pt->map,
							 first + (i + 1) * PAGE_BYTES - 1));
		}
		KUNIT_EXPECT_PTR_NE(test, span[row], pagemap_span(&pt->map, first - 1));
		KUNIT_EXPECT_PTR_NE(test, span[row], pagemap_span(&pt->map, end));
	}
	/* Taken out, each alone, in another order. */
	for (row = 0; row < ARRAY_SIZE(rows); row++) {
		unsigned int out = row * 2 % ARRAY_SIZE(rows), j;

		pagemap_set(&pt->map, rows[out].page, rows[out].npages, NULL);
		span[out] = NULL;
		for (j = 0; j < ARRAY_SIZE(rows); j++) {
			KUNIT_EXPECT_PTR_EQ(test, span[j],
					    pagemap_span(&pt->map, at(rows[j].page)));
			KUNIT_EXPECT_PTR_EQ(test, span[j],
					    pagemap_span(&pt->map, at(rows[j].page +
								      rows[j].npages) - 1));
		}
	}
}

/* slot_find(): the slot, and whether it begins there, for every byte of a span. */
static void pagemap_slots(struct kunit *test)
{
	static const unsigned int bins[] = { 0, 1, 3, 10, 36, 53, 66, 67 };
	struct pagemap_test *pt = test->priv;
	unsigned int row, byte;

	pagemap_start(test, ARENA_PAGES);
	for (row = 0; row < ARRAY_SIZE(bins); row++) {
		struct goalloc_span *span = pagemap_put(test, bins[row], 0, 100 * row + 1);
		unsigned int wrong = 0;

		for (byte = 0; byte < span->npages * PAGE_BYTES; byte++) {
			unsigned int want = byte / span->elemsize;
			struct slot_ref ref;
			bool begins;

			begins = slot_find(&pt->map, span->base + byte, &ref);
			wrong += ref.span != span;
			wrong += ref.slot != want;
			wrong += ref.state != &span->state[want];
			wrong += begins != (byte % span->elemsize == 0);
			/* Behind the last slot is the tail, never beyond it. */
			wrong += want >= span->bits.nelems && *ref.state != SLOT_TAIL;
		}
		KUNIT_EXPECT_EQ_MSG(test, 0U, wrong, "bin %u", bins[row]);
	}
}

/* The same for large objects: only the first byte. */
static void pagemap_large(struct kunit *test)
{
	struct pagemap_test *pt = test->priv;
	struct goalloc_span *span;
	unsigned int byte, begins = 0;
	struct slot_ref ref;

	pagemap_start(test, ARENA_PAGES);
	span = pagemap_put(test, 0, 5, ARENA_LEAF_PAGES - 2);
	for (byte = 0; byte < 5 * PAGE_BYTES; byte++) {
		begins += slot_find(&pt->map, span->base + byte, &ref);
		if (ref.span != span || ref.slot)
			break;
	}
	KUNIT_EXPECT_EQ(test, (unsigned int)(5 * PAGE_BYTES), byte);
	KUNIT_EXPECT_EQ(test, 1U, begins);
	KUNIT_EXPECT_TRUE(test, slot_find(&pt->map, span->base, &ref));
}

/* A longer map knows what it knew, and reaches further. */
static void pagemap_longer(struct kunit *test)
{
	struct pagemap_test *pt = test->priv;
	struct goalloc_span *a, *b;

	pagemap_start(test, ARENA_PAGES);
	a = pagemap_put(test, 0, 3, ARENA_PAGES - 3);
	KUNIT_EXPECT_EQ(test, -ERANGE, pagemap_reserve(&pt->map, ARENA_PAGES, 1, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, 0, pagemap_extend(&pt->map, ARENA_PAGES + 1));
	KUNIT_EXPECT_EQ(test, 2 * ARENA_PAGES, (unsigned long)pagemap_nr_pages(&pt->map));
	b = pagemap_put(test, 0, 1, ARENA_PAGES);
	KUNIT_EXPECT_PTR_EQ(test, a, pagemap_span(&pt->map, at(ARENA_PAGES) - 1));
	KUNIT_EXPECT_PTR_EQ(test, b, pagemap_span(&pt->map, at(ARENA_PAGES)));
	KUNIT_EXPECT_NULL(test, pagemap_span(&pt->map, at(ARENA_PAGES + 1)));
	KUNIT_EXPECT_NULL(test, pagemap_span(&pt->map, at(2 * ARENA_PAGES)));
	/* Shorter is no change. */
	KUNIT_EXPECT_EQ(test, 0, pagemap_extend(&pt->map, 1));
	KUNIT_EXPECT_EQ(test, 2 * ARENA_PAGES, (unsigned long)pagemap_nr_pages(&pt->map));
}

struct pagemap_storm {
	struct pagemap *map;
	struct goalloc_span *span[CREW_FULL];
	atomic_t wrong;
};

/* All members reserve the same pages; each maps every fourth of them. */
static void pagemap_storm_member(void *arg, unsigned int member)
{
	struct pagemap_storm *storm = arg;
	struct goalloc_span *mine = storm->span[member];
	u64 page;
	int round;

	for (round = 0; round < 20; round++) {
		for (page = member; page < ARENA_PAGES; page += 61 * CREW_FULL) {
			if (pagemap_reserve(storm->map, page, 1, GFP_KERNEL))
				atomic_inc(&storm->wrong);
			pagemap_set(storm->map, page, 1, mine);
			if (pagemap_span(storm->map, at(page)) != mine)
				atomic_inc(&storm->wrong);
			pagemap_set(storm->map, page, 1, NULL);
			if (pagemap_span(storm->map, at(page)))
				atomic_inc(&storm->wrong);
		}
		cond_resched();
	}
}

/* Four CPUs make the same leaves: one of each stays, no entry is lost. */
static void pagemap_storm(struct kunit *test)
{
	struct pagemap_test *pt = test->priv;
	struct pagemap_storm *storm = kunit_kzalloc(test, sizeof(*storm), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, storm);
	pagemap_start(test, ARENA_PAGES);
	storm->map = &pt->map;
	for (i = 0; i < CREW_FULL; i++) {
		storm->span[i] = kunit_kzalloc(test, sizeof(*storm->span[i]), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, storm->span[i]);
	}
	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, pagemap_storm_member, storm));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&storm->wrong));
	KUNIT_EXPECT_EQ(test, ARENA_LEAVES + 1, (unsigned long)atomic_long_read(&pt->meta.objects));
}

static struct kunit_case pagemap_cases[] = {
	KUNIT_CASE(pagemap_empty),
	KUNIT_CASE(pagemap_reserves),
	KUNIT_CASE(pagemap_edges),
	KUNIT_CASE(pagemap_slots),
	KUNIT_CASE(pagemap_large),
	KUNIT_CASE(pagemap_longer),
	KUNIT_CASE(pagemap_storm),
	{}
};

static struct kunit_suite pagemap_suite = {
	.name = "goalloc_pagemap",
	.init = pagemap_suite_init,
	.exit = pagemap_suite_exit,
	.test_cases = pagemap_cases,
};

kunit_test_suites(&pagemap_suite);
