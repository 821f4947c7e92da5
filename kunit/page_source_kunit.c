// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page source over the kernel's buddy allocator, and the fake one that the
 * other suites trust.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat.h"
#include "fake_source.h"
#include "page_source.h"

#define PAGE_BYTES GOALLOC_PAGE_SIZE

static void *extent_addr(const struct page_source *src, u64 page)
{
	return (void *)(src->base + page * PAGE_BYTES);
}

static u64 kernel_free_pages(void)
{
	struct sysinfo si;

	si_meminfo(&si);
	return si.freeram;
}

/* Everything physical is inside the address space, whole arenas of it. */
static void source_space(struct kunit *test)
{
	struct page_source src;
	unsigned int i;

	page_source_init_buddy(&src);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(__pa((void *)src.base), 1UL << ARENA_SHIFT));
	KUNIT_EXPECT_EQ(test, 0ULL, (src.nr_pages * PAGE_BYTES) % (1UL << ARENA_SHIFT));
	KUNIT_EXPECT_EQ(test, (int)nr_node_ids, src.nr_nodes);
	for (i = 0; i < 64; i++) {
		struct page *page = alloc_page(GFP_KERNEL);
		u64 nr;

		KUNIT_ASSERT_NOT_NULL(test, page);
		nr = ((unsigned long)page_address(page) - src.base) / PAGE_BYTES;
		KUNIT_EXPECT_LT(test, nr, src.nr_pages);
		__free_page(page);
	}
}

/* Every size: as much as was needed, no more than was wanted, aligned, ours. */
static void source_sizes(struct kunit *test)
{
	struct page_extent extent;
	struct page_source src;
	u64 min, want;
	int nid;

	page_source_init_buddy(&src);
	for (min = 1; min <= PAGE_SOURCE_MAX_PAGES; min *= 2) {
		for (want = min; want <= PAGE_SOURCE_MAX_PAGES; want *= 4) {
			for_each_online_node(nid) {
				size_t bytes;
				char *addr;

				memset(&extent, 0xff, sizeof(extent));
				KUNIT_ASSERT_EQ(test, 0, src.get(&src, min, want, nid,
								 GFP_KERNEL, &extent));
				KUNIT_EXPECT_GE(test, extent.npages, min);
				KUNIT_EXPECT_LE(test, extent.npages, want);
				KUNIT_EXPECT_EQ(test, 0ULL, extent.page % extent.npages);
				addr = extent_addr(&src, extent.page);
				bytes = extent.npages * PAGE_BYTES;
				KUNIT_EXPECT_EQ(test, extent.nid, page_to_nid(virt_to_page(addr)));
				KUNIT_EXPECT_EQ(test, nid, extent.nid);
				if (extent.clean)
					KUNIT_EXPECT_NULL(test, memchr_inv(addr, 0, bytes));
				KUNIT_EXPECT_EQ(test, want_init_on_alloc(0), extent.clean);
				memset(addr, 0x5a, bytes);
				src.put(&src, extent.page, extent.npages);
			}
		}
	}
	/* A need that is no power of two is met by the next one. */
	KUNIT_ASSERT_EQ(test, 0, src.get(&src, 5, 7, 0, GFP_KERNEL, &extent));
	KUNIT_EXPECT_EQ(test, 8ULL, extent.npages);
	src.put(&src, extent.page, extent.npages);
}

/* More than a block of the largest order is refused without a word. */
static void source_too_much(struct kunit *test)
{
	static const u64 sizes[] = { PAGE_SOURCE_MAX_PAGES + 1, 2 * PAGE_SOURCE_MAX_PAGES };
	struct page_extent extent;
	struct page_source src;
	unsigned int i;

	page_source_init_buddy(&src);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_EQ(test, -ENOMEM, src.get(&src, sizes[i], sizes[i], 0,
						       GFP_KERNEL, &extent));
}

/* Each page of a block goes back on its own, in any order. */
static void source_pieces(struct kunit *test)
{
	struct page_extent extent;
	struct page_source src;
	struct page *page;
	u64 i, wrong = 0;

	page_source_init_buddy(&src);
	KUNIT_ASSERT_EQ(test, 0, src.get(&src, 64, 64, 0, GFP_KERNEL, &extent));
	for (i = 0; i < 64 * PAGE_BYTES / PAGE_SIZE; i++) {
		page = virt_to_page(extent_addr(&src, extent.page) + i * PAGE_SIZE);
		wrong += page_count(page) != 1;
		wrong += PageCompound(page);
	}
	KUNIT_EXPECT_EQ(test, 0ULL, wrong);
	src.put(&src, extent.page + 10, 3);
	for (i = 0; i < 10; i += 2)
		src.put(&src, extent.page + i, 1);
	for (i = 1; i < 10; i += 2)
		src.put(&src, extent.page + i, 1);
	src.put(&src, extent.page + 13, 51);
}

/* A page that somebody else holds for a moment keeps its block from being one. */
static void source_held(struct kunit *test)
{
	const unsigned int per = PAGE_BYTES / PAGE_SIZE;
	struct page_extent extent;
	struct page_source src;
	struct page *page;
	unsigned int i;

	page_source_init_buddy(&src);
	for (i = 0; i < 64 * per; i += 7) {
		KUNIT_ASSERT_EQ(test, 0, src.get(&src, 64, 64, 0, GFP_KERNEL, &extent));
		page = virt_to_page(extent_addr(&src, extent.page));
		get_page(page + i);
		src.put(&src, extent.page, extent.npages);
		/* The last reference is ours, and frees this page alone. */
		KUNIT_EXPECT_EQ(test, 1, page_count(page + i));
		put_page(page + i);
	}
}

/* Nothing is kept: far more than the machine has goes through. */
static void source_keeps_nothing(struct kunit *test)
{
	struct page_extent extent;
	struct page_source src;
	u64 before, after;
	unsigned int i;

	page_source_init_buddy(&src);
	before = kernel_free_pages();
	for (i = 0; i < 400; i++) {
		KUNIT_ASSERT_EQ(test, 0, src.get(&src, 1, PAGE_SOURCE_MAX_PAGES, i % 2,
						 GFP_KERNEL, &extent));
		src.put(&src, extent.page, extent.npages);
	}
	/* Memory that the space does not reach goes back at once. */
	src.nr_pages = 0;
	for (i = 0; i < 400; i++)
		KUNIT_EXPECT_EQ(test, -ENOMEM, src.get(&src, 1, PAGE_SOURCE_MAX_PAGES, i % 2,
						       GFP_KERNEL, &extent));
	after = kernel_free_pages();
	/* Others use memory, too; but not 800 chunks. */
	KUNIT_EXPECT_LT(test, before, after + 20 * PAGE_SOURCE_MAX_PAGES);
}

/* Without being allowed to sleep it does not. */
static void source_atomic(struct kunit *test)
{
	struct page_extent extent;
	struct page_source src;
	unsigned long flags;
	int err;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return;
	page_source_init_buddy(&src);
	local_irq_save(flags);
	err = src.get(&src, 1, 512, NUMA_NO_NODE, GFP_ATOMIC, &extent);
	local_irq_restore(flags);
	KUNIT_ASSERT_EQ(test, 0, err);
	src.put(&src, extent.page, extent.npages);
}

/* The fake: keeps count, falls to smaller orders, fails when told to. */
static void source_fake(struct kunit *test)
{
	struct page_extent extent, other;
	struct fake_source *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);
	struct page_source *src;
	u64 i;

	KUNIT_ASSERT_NOT_NULL(test, fake);
	KUNIT_ASSERT_EQ(test, 0, fake_source_init(fake, 64, 2));
	src = &fake->space.source;
	KUNIT_EXPECT_EQ(test, 0, src->get(src, 3, 32, 1, GFP_KERNEL, &extent));
	KUNIT_EXPECT_EQ(test, 32ULL, extent.npages);
	KUNIT_EXPECT_EQ(test, 1, extent.nid);
	KUNIT_EXPECT_EQ(test, 32ULL, extent.page);
	/* None left there: from the other node, or not. */
	KUNIT_EXPECT_EQ(test, -ENOMEM, src->get(src, 1, 8, 1, GFP_KERNEL | __GFP_THISNODE, &other));
	KUNIT_EXPECT_EQ(test, 0, src->get(src, 1, 8, 1, GFP_KERNEL, &other));
	KUNIT_EXPECT_EQ(test, 0, other.nid);
	/* 24 of 32 left, in two aligned blocks at most: falls. */
	KUNIT_EXPECT_EQ(test, 0, src->get(src, 4, 32, 0, GFP_KERNEL, &other));
	KUNIT_EXPECT_EQ(test, 16ULL, other.npages);
	KUNIT_EXPECT_EQ(test, -ENOMEM, src->get(src, 16, 32, 0, GFP_KERNEL, &other));
	fake->max_extent = 2;
	KUNIT_EXPECT_EQ(test, 0, src->get(src, 1, 32, 0, GFP_KERNEL, &other));
	KUNIT_EXPECT_EQ(test, 2ULL, other.npages);
	KUNIT_EXPECT_EQ(test, -ENOMEM, src->get(src, 4, 32, 0, GFP_KERNEL, &other));
	fake->max_extent = 0;
	KUNIT_EXPECT_EQ(test, 58ULL, fake->nr_out);
	fake->fail_only = fake->gets + 2;
	KUNIT_EXPECT_EQ(test, 0, src->get(src, 1, 1, 0, GFP_KERNEL, &other));
	KUNIT_EXPECT_EQ(test, -ENOMEM, src->get(src, 1, 1, 0, GFP_KERNEL, &other));
	KUNIT_EXPECT_EQ(test, 0, src->get(src, 1, 1, 0, GFP_KERNEL, &other));
	/* What was never handed over, or came back already, is counted. */
	src->put(src, 32, 32);
	KUNIT_EXPECT_EQ(test, 0ULL, fake->bad_puts);
	src->put(src, 32, 3);
	KUNIT_EXPECT_EQ(test, 3ULL, fake->bad_puts);
	for (i = 0; i < 32; i++)
		if (test_bit(i, fake->out))
			src->put(src, i, 1);
	KUNIT_EXPECT_EQ(test, 0ULL, fake->nr_out);
	KUNIT_EXPECT_EQ(test, 3ULL, fake->bad_puts);
	fake_source_exit(fake);
}

static struct kunit_case page_source_cases[] = {
	KUNIT_CASE(source_space),
	KUNIT_CASE(source_sizes),
	KUNIT_CASE(source_too_much),
	KUNIT_CASE(source_pieces),
	KUNIT_CASE(source_held),
	KUNIT_CASE(source_keeps_nothing),
	KUNIT_CASE(source_atomic),
	KUNIT_CASE(source_fake),
	{}
};

static struct kunit_suite page_source_suite = {
	.name = "goalloc_page_source",
	.test_cases = page_source_cases,
};

kunit_test_suites(&page_source_suite);
