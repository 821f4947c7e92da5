// SPDX-License-Identifier: GPL-2.0-only
/*
 * What heaps hold shows in the kernel's counters, and pages that somebody is to
 * be charged for are his alone. Whether the kernel charges them is seen with
 * cgroups, by the script of the guest (tools/qemu/kunit-main).
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include <goalloc.h>
#include <goalloc_stats.h>

#include "fake_source.h"
#include "stats.h"

#define OBJECTS 3000
#define SIZE 2048

/* Others allocate slabs meanwhile: 2 MiB. */
#define SLACK 512

/* A counter of the kernel's, with what CPUs have not folded in yet. */
static long counter(enum node_stat_item item)
{
	long pages = global_node_page_state_pages(item);
	int cpu, nid;

	for_each_online_node(nid)
		for_each_online_cpu(cpu)
			pages += per_cpu_ptr(NODE_DATA(nid)->per_cpu_nodestats,
					     cpu)->vm_node_stat_diff[item];
	return pages;
}

static long unused(void)
{
	return counter(NR_KERNEL_MISC_RECLAIMABLE);
}

static long used(void)
{
	return counter(NR_SLAB_UNRECLAIMABLE_B);
}

/* Free pages of a heap, in pages of the kernel's. */
static long heap_unused(struct goalloc_heap *heap)
{
	struct goalloc_stats st;

	goalloc_heap_stats(heap, &st);
	return st.free_bytes >> PAGE_SHIFT;
}

/* What a node shows is what it has. */
static void expect_shown(struct kunit *test, struct goalloc_heap *heap)
{
	struct heap_node *node;

	for (node = heap_first_node(heap); node; node = heap_next_node(node)) {
		KUNIT_EXPECT_EQ(test, node->palloc.nr_free, node->shown_free);
		KUNIT_EXPECT_EQ(test, node->palloc.nr_owned - node->palloc.nr_free,
				node->shown_used);
	}
}

/* Through a heap's life: in use, free, given back, ended. */
static void account_counters(struct kunit *test)
{
	long was_unused = unused(), was_used = used(), now;
	struct goalloc_heap *heap = goalloc_heap_create("account", NULL);
	void **obj, *large[8];
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	obj = kvcalloc(OBJECTS, sizeof(*obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	for (i = 0; i < OBJECTS; i++) {
		obj[i] = goalloc_heap_alloc(heap, SIZE, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, obj[i]);
	}
	for (i = 0; i < ARRAY_SIZE(large); i++) {
		large[i] = goalloc_heap_alloc(heap, 100000, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, large[i]);
	}
	expect_shown(test, heap);
	KUNIT_EXPECT_EQ(test, heap_unused(heap), unused() - was_unused);
	now = used() - was_used;
	KUNIT_EXPECT_GE(test, now, OBJECTS * SIZE / (long)PAGE_SIZE - SLACK);
	KUNIT_EXPECT_LE(test, now, OBJECTS * SIZE / (long)PAGE_SIZE + 8 * 32 + SLACK);

	for (i = 0; i < OBJECTS; i++)
		goalloc_heap_free(heap, obj[i]);
	for (i = 0; i < ARRAY_SIZE(large); i++)
		goalloc_heap_free(heap, large[i]);
	goalloc_flush(heap);
	expect_shown(test, heap);
	KUNIT_EXPECT_EQ(test, heap_unused(heap), unused() - was_unused);
	KUNIT_EXPECT_GE(test, unused() - was_unused, OBJECTS * SIZE / (long)PAGE_SIZE);
	KUNIT_EXPECT_LE(test, used() - was_used, (long)SLACK);

	goalloc_scavenge(heap, 1 << 20);
	KUNIT_EXPECT_EQ(test, heap_unused(heap), unused() - was_unused);
	goalloc_scavenge(heap, U64_MAX);
	expect_shown(test, heap);
	KUNIT_EXPECT_EQ(test, was_unused, unused());
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
	KUNIT_EXPECT_EQ(test, was_unused, unused());
	kvfree(obj);
}

/* A heap that ends with objects, by force or for good, is in no counter. */
static void account_ends(struct kunit *test)
{
	long was_unused = unused(), was_used = used();
	struct goalloc_heap *heap;
	unsigned int i;

	heap = goalloc_heap_create("account", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	for (i = 0; i < OBJECTS; i++)
		KUNIT_EXPECT_NOT_NULL(test, goalloc_heap_alloc(heap, SIZE, GFP_KERNEL));
	KUNIT_EXPECT_GT(test, used() - was_used, (long)SLACK);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
	KUNIT_EXPECT_EQ(test, was_unused, unused());
	KUNIT_EXPECT_LE(test, used() - was_used, (long)SLACK);
}

/* A heap of invented pages is in no counter. */
static void account_fake(struct kunit *test)
{
	struct fake_heap *fh = fake_heap_create(test, 1024, 1);
	long was_unused = unused();
	void *p = goalloc_heap_alloc(fh->heap, 100000, GFP_KERNEL);

	KUNIT_EXPECT_NOT_NULL(test, p);
	goalloc_heap_free(fh->heap, p);
	KUNIT_EXPECT_GT(test, fh->heap->node[0]->palloc.nr_free, 0ULL);
	KUNIT_EXPECT_EQ(test, was_unused, unused());
	fake_heap_destroy(test, fh);
	KUNIT_EXPECT_EQ(test, was_unused, unused());
}

/* A charged large object: exactly its pages, fresh, and back with it. */
static void account_large(struct kunit *test)
{
	struct fake_heap *fh = fake_heap_create(test, 1024, 1);
	struct fake_source *fake = &fh->fake;
	u64 out, npages;
	size_t size;
	void *p;

	/* Free pages are there, which would do for others. */
	p = goalloc_heap_alloc(fh->heap, 400000, GFP_KERNEL);
	goalloc_heap_free(fh->heap, p);
	out = fake->nr_out;
	KUNIT_EXPECT_GT(test, out, 0ULL);
	for (size = GOALLOC_MAX_SMALL_SIZE + 1; size < 500000; size += 12345) {
		npages = DIV_ROUND_UP(size, GOALLOC_PAGE_SIZE);
		p = goalloc_heap_alloc(fh->heap, size, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, size));
		KUNIT_EXPECT_EQ(test, out + npages, fake->nr_out);
		KUNIT_EXPECT_EQ(test, npages, (u64)bitmap_weight(fake->charged, 1024));
		fake_heap_check(test, fh);
		goalloc_heap_free(fh->heap, p);
		KUNIT_EXPECT_EQ(test, out, fake->nr_out);
		KUNIT_EXPECT_EQ(test, 0U, (unsigned int)bitmap_weight(fake->charged, 1024));
		fake_heap_check(test, fh);
	}
	/* Aligned to more than it is long. */
	p = heap_alloc_large(fh->heap, 40960, 65536, GFP_KERNEL_ACCOUNT, 0);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, 65536));
	KUNIT_EXPECT_EQ(test, out + DIV_ROUND_UP(40960, GOALLOC_PAGE_SIZE), fake->nr_out);
	goalloc_heap_free(fh->heap, p);
	KUNIT_EXPECT_EQ(test, out, fake->nr_out);
	/* None to be had, or no more than the limit: nothing is left behind. */
	fake->fail_from = fake->gets + 1;
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, 100000,
						   GFP_KERNEL_ACCOUNT | __GFP_NOWARN));
	fake->fail_from = 0;
	fh->heap->limit = out + 4;
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, 100000,
						   GFP_KERNEL_ACCOUNT | __GFP_NOWARN));
	fh->heap->limit = 0;
	KUNIT_EXPECT_EQ(test, out, fake->nr_out);
	KUNIT_EXPECT_EQ(test, out, (u64)atomic64_read(&fh->heap->held));
	fake_heap_check(test, fh);
	fake_heap_destroy(test, fh);
}

/* Small objects share pages: nobody is charged, unless the heap is somebody's. */
static void account_small(struct kunit *test)
{
	struct goalloc_heap_attr attr = { .gfp = __GFP_ACCOUNT };
	struct fake_heap *fh = fake_heap_create(test, 1024, 1);
	struct fake_source *fake = &fh->fake;
	unsigned int i;

	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_NOT_NULL(test, goalloc_heap_alloc(fh->heap, 1 + i * 30,
							       GFP_KERNEL_ACCOUNT));
	KUNIT_EXPECT_EQ(test, 0U, (unsigned int)bitmap_weight(fake->charged, 1024));
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(fh->heap, true));
	fh->heap = heap_create("test", &attr, &fake->space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_NOT_NULL(test, goalloc_heap_alloc(fh->heap, 1 + i * 30,
							       GFP_KERNEL));
	KUNIT_EXPECT_NOT_NULL(test, goalloc_heap_alloc(fh->heap, 100000, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, fake->nr_out, (u64)bitmap_weight(fake->charged, 1024));
	fake_heap_check(test, fh);
	fake_heap_destroy(test, fh);
}

static struct kunit_case account_cases[] = {
	KUNIT_CASE(account_counters),
	KUNIT_CASE(account_ends),
	KUNIT_CASE(account_fake),
	KUNIT_CASE(account_large),
	KUNIT_CASE(account_small),
	{}
};

static struct kunit_suite account_suite = {
	.name = "goalloc_account",
	.test_cases = account_cases,
};

kunit_test_suites(&account_suite);
