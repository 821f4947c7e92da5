// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heaps: how they grow, fail, keep to their limit and node, and end.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/log2.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "cache.h"
#include "crew.h"
#include "fake_source.h"
#include "listen.h"
#include "shot.h"

#define PAGES 1024
#define PAGE_BYTES GOALLOC_PAGE_SIZE

static int heap_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, PAGES, 1);
	return 0;
}

static void heap_suite_exit(struct kunit *test)
{
	listen_stop();
	fake_heap_destroy(test, test->priv);
}

/* The same pages under a heap made otherwise. */
static void heap_replace(struct kunit *test, const struct goalloc_heap_attr *attr)
{
	struct fake_heap *fh = test->priv;

	KUNIT_ASSERT_EQ(test, 0, heap_destroy(fh->heap, true));
	fh->heap = heap_create("test", attr, &fh->fake.space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
}

/* The same over other pages. */
static struct fake_heap *heap_restart(struct kunit *test, u64 nr_pages, int nr_nodes)
{
	fake_heap_destroy(test, test->priv);
	test->priv = fake_heap_create(test, nr_pages, nr_nodes);
	return test->priv;
}

static void *page_alloc(struct fake_heap *fh, u64 npages, u64 align)
{
	return heap_alloc_large(fh->heap, npages * PAGE_BYTES, align * PAGE_BYTES,
				GFP_KERNEL, 0);
}

/* A heap without an object holds nothing when it has ended, force or not. */
static void heap_ends_empty(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int force, i;
	void *p[20];

	for (force = 0; force < 2; force++) {
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = goalloc_heap_alloc(fh->heap, 1UL << i, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
		}
		for (i = 0; i < ARRAY_SIZE(p); i++)
			goalloc_heap_free(fh->heap, p[i]);
		KUNIT_EXPECT_GT(test, fh->fake.nr_out, 0ULL);
		KUNIT_EXPECT_EQ(test, 0, heap_destroy(fh->heap, force));
		KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.nr_out);
		fh->heap = heap_create("test", NULL, &fh->fake.space);
		KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
	}
}

/* With force everything comes back, live objects' pages as well. */
static void heap_ends_by_force(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int size;

	for (size = 1; size <= 1U << 20; size = size * 3 / 2 + 1)
		KUNIT_ASSERT_NOT_NULL(test, goalloc_heap_alloc(fh->heap, size, GFP_KERNEL));
	for (size = 1; size < 16; size++)
		KUNIT_ASSERT_NOT_NULL(test, tiny_alloc(fh->heap, size, GFP_KERNEL));
	fake_heap_check(test, fh);
	listen_start(test);
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(fh->heap, true));
	KUNIT_EXPECT_EQ(test, 0U, listen_stop());
	fh->heap = NULL;
	KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.nr_out);
}

/* Without, live objects are said, their pages kept and their bytes untouched. */
static void heap_ends_busy(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int i, wrong = 0;
	void *p[8], *large, *tiny;
	char line[128];

	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
		memset(p[i], 0x77, 64);
	}
	large = goalloc_heap_alloc(fh->heap, 100000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, large);
	memset(large, 0x66, 100000);
	tiny = tiny_alloc(fh->heap, 5, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tiny);
	/* A class that is not in use any more keeps nothing. */
	goalloc_heap_free(fh->heap, goalloc_heap_alloc(fh->heap, 1024, GFP_KERNEL));
	for (i = 3; i < ARRAY_SIZE(p); i++)
		goalloc_heap_free(fh->heap, p[i]);

	listen_start(test);
	KUNIT_EXPECT_EQ(test, -EBUSY, heap_destroy(fh->heap, false));
	KUNIT_EXPECT_EQ(test, 4U, listen_stop());
	KUNIT_EXPECT_EQ(test, 1U, listen_count("heap test: 3 live objects of 64 bytes in 1 span"));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("heap test: 1 live tiny blocks of 16 bytes"));
	snprintf(line, sizeof(line),
		 "heap test: live large object of 100000 bytes in %lu pages on node 0",
		 DIV_ROUND_UP(100000, PAGE_BYTES));
	KUNIT_EXPECT_EQ(test, 1U, listen_count(line));
	snprintf(line, sizeof(line),
		 "heap test: ended with live objects; their %llu KiB of pages are not given back",
		 fh->fake.nr_out * PAGE_BYTES / 1024);
	KUNIT_EXPECT_EQ(test, 1U, listen_count(line));

	/* The pages of the three and no others. */
	KUNIT_EXPECT_EQ(test, (u64)DIV_ROUND_UP(100000, PAGE_BYTES) +
			span_shape_small(sizeclass_of(64)).npages +
			span_shape_small(GOALLOC_TINY_BIN).npages, fh->fake.nr_out);
	for (i = 0; i < 3; i++)
		wrong += !!memchr_inv(p[i], 0x77, 64);
	wrong += !!memchr_inv(large, 0x66, 100000);
	KUNIT_EXPECT_EQ(test, 0U, wrong);

	/* A late free is refused, a second end as well; force ends it after all. */
	goalloc_heap_free(fh->heap, p[0]);
	goalloc_heap_free(fh->heap, large);
	KUNIT_EXPECT_EQ(test, 2LL, (s64)atomic64_read(&fh->heap->nr_bad[BAD_FREE_ENDED]));
	KUNIT_EXPECT_EQ(test, -EINVAL, heap_destroy(fh->heap, false));
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(fh->heap, true));
	fh->heap = NULL;
	KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.nr_out);
}

/* The page that would pass the limit is not taken. */
static void heap_keeps_limit(struct kunit *test)
{
	static const u32 limits[] = { 1, 2, 7, 8, 9, 100, 129 };
	struct fake_heap *fh = test->priv;
	unsigned int row, n;
	void **p;

	p = kunit_kcalloc(test, 200, sizeof(*p), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	for (row = 0; row < ARRAY_SIZE(limits); row++) {
		struct goalloc_heap_attr attr = { .limit = limits[row] * PAGE_BYTES };

		heap_replace(test, &attr);
		for (n = 0; n < 200; n++) {
			p[n] = page_alloc(fh, 1, 1);
			if (!p[n])
				break;
			KUNIT_ASSERT_LE(test, fh->fake.nr_out, (u64)limits[row]);
		}
		/* To the last page. */
		KUNIT_EXPECT_EQ_MSG(test, limits[row], n, "limit %u", limits[row]);
		KUNIT_EXPECT_EQ(test, (u64)limits[row], (u64)atomic64_read(&fh->heap->held));
		fake_heap_check(test, fh);
		/* Not by a large object, nor by a small one, nor forever. */
		KUNIT_EXPECT_NULL(test, page_alloc(fh, 2, 1));
		KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, 8, GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, 1LL, (s64)atomic64_read(&fh->heap->nr_failed));
		heap_free_large(pagemap_span(&fh->fake.space.map, (unsigned long)p[--n]));
		p[n] = goalloc_heap_alloc(fh->heap, 8, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, p[n]);
		goalloc_heap_free(fh->heap, p[n]);
		while (n)
			goalloc_heap_free(fh->heap, p[--n]);
		fake_heap_check(test, fh);
	}
}

/* Growth: a power of two, a few pages at least, in proportion to what is held. */
static void heap_grows_in_proportion(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int gets = 0;
	u64 held, grown, i;

	for (i = 0; i < PAGES; i++) {
		held = fh->fake.nr_out;
		KUNIT_ASSERT_NOT_NULL(test, page_alloc(fh, 1, 1));
		grown = fh->fake.nr_out - held;
		if (!grown)
			continue;
		/* Only when every page was in use. */
		KUNIT_EXPECT_EQ(test, held, i);
		KUNIT_EXPECT_TRUE(test, is_power_of_2(grown));
		KUNIT_EXPECT_GE(test, grown, 8ULL);
		KUNIT_EXPECT_LE(test, grown, max(8ULL, held / 16));
		gets++;
	}
	KUNIT_EXPECT_EQ(test, gets, fh->fake.gets);
	fake_heap_check(test, fh);
}

/* Large objects of every size in pages, and at the edges of pages. */
static void heap_large_sizes(struct kunit *test)
{
	struct fake_heap *fh = heap_restart(test, (8 << 20) / PAGE_BYTES, 1);
	u64 npages;
	int edge;

	for (npages = 1; npages * PAGE_BYTES <= GOALLOC_MAX_SIZE;
	     npages += npages < 40 ? 1 : 31) {
		for (edge = -1; edge <= 1; edge++) {
			size_t size = npages * PAGE_BYTES + edge;
			struct large_stats ls;
			void *p;

			p = heap_alloc_large(fh->heap, size, 1, GFP_KERNEL, 0);
			if (size > GOALLOC_MAX_SIZE) {
				KUNIT_EXPECT_NULL(test, p);
				continue;
			}
			KUNIT_ASSERT_NOT_NULL_MSG(test, p, "%zu bytes", size);
			stats_large(fh->heap, &ls);
			KUNIT_EXPECT_EQ(test, (u64)size, ls.asked);
			KUNIT_EXPECT_EQ(test, npages + (edge > 0), ls.pages);
			((char *)p)[0] = 1;
			((char *)p)[size - 1] = 1;
			goalloc_heap_free(fh->heap, p);
			stats_large(fh->heap, &ls);
			KUNIT_EXPECT_EQ(test, 0ULL, ls.asked);
			KUNIT_EXPECT_EQ(test, ls.allocs, ls.frees);
		}
	}
	fake_heap_check(test, fh);
	KUNIT_EXPECT_NULL(test, heap_alloc_large(fh->heap, SIZE_MAX, 1, GFP_KERNEL, 0));
	KUNIT_EXPECT_NULL(test, heap_alloc_large(fh->heap, GOALLOC_MAX_SIZE + 1, 1,
						 GFP_KERNEL, 0));
}

/* Zero on request, whatever the pages held before. */
static void heap_large_zero(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int clean, round;

	for (clean = 0; clean < 2; clean++) {
		heap_replace(test, NULL);
		fh->fake.clean = clean;
		for (round = 0; round < 3; round++) {
			char *p = heap_alloc_large(fh->heap, 70000, 1,
						   GFP_KERNEL | __GFP_ZERO, 0);

			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, 70000));
			memset(p, 0xff, 70000);
			goalloc_heap_free(fh->heap, p);
		}
	}
}

/* Every alignment with every size, in a heap with holes everywhere. */
static void heap_large_aligned(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_span *span;
	u64 align, npages;
	void *p[64], *q;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p); i++) {
		p[i] = page_alloc(fh, 1 + i % 3, 1);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	for (i = 0; i < ARRAY_SIZE(p); i += 2) {
		goalloc_heap_free(fh->heap, p[i]);
		p[i] = NULL;
	}
	for (align = 1; align <= 128; align *= 2) {
		for (npages = 1; npages <= 130; npages += 1 + npages / 5) {
			q = page_alloc(fh, npages, align);
			KUNIT_ASSERT_NOT_NULL_MSG(test, q, "%llu pages at %llu", npages, align);
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)q, align * PAGE_BYTES));
			span = pagemap_span(&fh->fake.space.map, (unsigned long)q);
			KUNIT_EXPECT_EQ(test, npages, (u64)span->npages);
			goalloc_heap_free(fh->heap, q);
			fake_heap_check(test, fh);
		}
	}
	for (i = 0; i < ARRAY_SIZE(p); i++)
		if (p[i])
			goalloc_heap_free(fh->heap, p[i]);
}

/*
 * A free run that is long enough but not aligned must not keep the heap from
 * using the aligned block that it just grew by.
 */
static void heap_large_aligned_past_hole(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	void *hole, *p;
	u64 out;

	/* Pages 0 and 15 taken: 14 free, no 8 of them aligned to 8. */
	p = page_alloc(fh, 16, 1);
	KUNIT_ASSERT_NOT_NULL(test, p);
	goalloc_heap_free(fh->heap, p);
	KUNIT_ASSERT_PTR_EQ(test, p, page_alloc(fh, 1, 1));
	hole = page_alloc(fh, 14, 1);
	KUNIT_ASSERT_PTR_EQ(test, p + PAGE_BYTES, hole);
	KUNIT_ASSERT_NOT_NULL(test, page_alloc(fh, 1, 1));
	KUNIT_ASSERT_EQ(test, 0ULL, fh->heap->node[0]->palloc.nr_free);
	goalloc_heap_free(fh->heap, hole);
	out = fh->fake.nr_out;
	p = page_alloc(fh, 8, 8);
	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p, 8 * PAGE_BYTES));
	KUNIT_EXPECT_LE(test, fh->fake.nr_out, out + 16);
	fake_heap_check(test, fh);
}

/* Each node's memory comes from there, and from others when it has no more. */
static void heap_nodes(struct kunit *test)
{
	int nr_nodes, nid, i;

	for (nr_nodes = 1; nr_nodes <= FAKE_MAX_NODES; nr_nodes++) {
		struct fake_heap *fh = heap_restart(test, 128 * nr_nodes, nr_nodes);
		struct goalloc_span *span;
		void *p;

		for (nid = 0; nid < nr_nodes; nid++) {
			for (i = 0; i < 10; i++) {
				p = cache_alloc_node(fh->heap, 1 + 5 * i, 8, GFP_KERNEL, nid);
				KUNIT_ASSERT_NOT_NULL(test, p);
				span = pagemap_span(&fh->fake.space.map, (unsigned long)p);
				KUNIT_EXPECT_EQ(test, nid, (int)span->home->nid);
				KUNIT_EXPECT_EQ(test, (u64)nid, span->page / 128);
				p = heap_alloc_large(fh->heap, 40000, 1, GFP_KERNEL, nid);
				KUNIT_ASSERT_NOT_NULL(test, p);
				span = pagemap_span(&fh->fake.space.map, (unsigned long)p);
				KUNIT_EXPECT_EQ(test, nid, (int)span->home->nid);
			}
			fake_heap_check(test, fh);
		}
		/* Use the last node up, then insist, then not. */
		nid = nr_nodes - 1;
		while (heap_alloc_large(fh->heap, PAGE_BYTES, 1, GFP_KERNEL | __GFP_THISNODE, nid))
			;
		KUNIT_EXPECT_EQ(test, 128ULL, fh->heap->node[nid]->palloc.nr_owned);
		KUNIT_EXPECT_EQ(test, 0ULL, fh->heap->node[nid]->palloc.nr_free);
		p = heap_alloc_large(fh->heap, PAGE_BYTES, 1, GFP_KERNEL, nid);
		if (nr_nodes == 1) {
			KUNIT_EXPECT_NULL(test, p);
		} else {
			KUNIT_ASSERT_NOT_NULL(test, p);
			span = pagemap_span(&fh->fake.space.map, (unsigned long)p);
			KUNIT_EXPECT_EQ(test, 0, (int)span->home->nid);
		}
		/* Nodes that are not there are served from the local one. */
		migrate_disable();
		nid = numa_mem_id() < nr_nodes ? numa_mem_id() : 0;
		KUNIT_EXPECT_PTR_EQ(test, fh->heap->node[nid], heap_node_of(fh->heap, -1));
		KUNIT_EXPECT_PTR_EQ(test, fh->heap->node[nid], heap_node_of(fh->heap, nr_nodes));
		migrate_enable();
		fake_heap_check(test, fh);
	}
}

#define SCRIPT_SIZES 12

/* A bit of everything; what cannot be had is left out. Returns what failed. */
static unsigned int heap_script(struct fake_heap *fh)
{
	static const u32 sizes[SCRIPT_SIZES] = {
		8, 100, 1000, 5000, 32768, 32769, 100000, 24, 20000, 1 << 20, 3000, 300000,
	};
	void *p[SCRIPT_SIZES][3] = {};
	unsigned int failed = 0;
	unsigned int i, j;

	for (i = 0; i < SCRIPT_SIZES; i++) {
		for (j = 0; j < 3; j++) {
			p[i][j] = goalloc_heap_alloc(fh->heap, sizes[i], GFP_KERNEL | __GFP_ZERO);
			failed += !p[i][j];
			if (!p[i][j])
				continue;
			failed += 1000 * !!memchr_inv(p[i][j], 0, sizes[i]);
			memset(p[i][j], 0xee, sizes[i]);
		}
		/* So that pages come back in between. */
		goalloc_heap_free(fh->heap, p[i][1]);
		p[i][1] = NULL;
	}
	for (i = 0; i < SCRIPT_SIZES; i++)
		for (j = 0; j < 3; j++)
			if (p[i][j])
				goalloc_heap_free(fh->heap, p[i][j]);
	return failed;
}

/* Growing fails the kth time, for every k, once or from then on. */
static void heap_grow_fails(struct kunit *test)
{
	struct fake_heap *fh = heap_restart(test, (8 << 20) / PAGE_BYTES, 1);
	unsigned int k, mode, total, failed;

	heap_replace(test, NULL);
	fh->fake.gets = 0;
	KUNIT_ASSERT_EQ(test, 0U, heap_script(fh));
	total = fh->fake.gets;
	KUNIT_ASSERT_GT(test, total, 5U);

	for (mode = 0; mode < 2; mode++) {
		for (k = 1; k <= total + 1; k++) {
			heap_replace(test, NULL);
			fh->fake.gets = 0;
			fh->fake.fail_only = mode ? 0 : k;
			fh->fake.fail_from = mode ? k : 0;
			failed = heap_script(fh);
			KUNIT_EXPECT_LT(test, failed, 1000U);
			KUNIT_EXPECT_EQ_MSG(test, k <= total, !!failed, "call %u of %u", k, total);
			/* Fails alone fail nothing else. */
			if (!mode && k <= total)
				KUNIT_EXPECT_EQ(test, 1U, failed);
			KUNIT_EXPECT_EQ(test, (u64)failed,
					(u64)atomic64_read(&fh->heap->nr_failed));
			fake_heap_check(test, fh);
			KUNIT_EXPECT_EQ(test, fh->fake.nr_out,
					(u64)atomic64_read(&fh->heap->held));
			/* And all is well again afterwards. */
			fh->fake.fail_only = 0;
			fh->fake.fail_from = 0;
			KUNIT_EXPECT_EQ(test, 0U, heap_script(fh));
			KUNIT_EXPECT_EQ(test, 0, heap_destroy(fh->heap, false));
			KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.nr_out);
			fh->heap = heap_create("test", NULL, &fh->fake.space);
			KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
		}
	}
}

/* Memory in pieces: each piece is used, pieces that touch become one. */
static void heap_in_pieces(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	unsigned int piece, i;
	void *p[64], *q;

	for (piece = 1; piece <= 16; piece *= 2) {
		heap_replace(test, NULL);
		fh->fake.max_extent = piece;
		fh->fake.gets = 0;
		/* Longer than any piece, and nothing there yet. */
		KUNIT_EXPECT_NULL(test, page_alloc(fh, 17, 1));
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = page_alloc(fh, 1, 1);
			KUNIT_ASSERT_NOT_NULL(test, p[i]);
		}
		KUNIT_EXPECT_GE(test, fh->fake.gets, (unsigned int)ARRAY_SIZE(p) / piece);
		KUNIT_EXPECT_EQ(test, fh->fake.nr_out, (u64)atomic64_read(&fh->heap->held));
		fake_heap_check(test, fh);
		for (i = 0; i < ARRAY_SIZE(p); i++)
			goalloc_heap_free(fh->heap, p[i]);
		q = page_alloc(fh, 60, 1);
		KUNIT_EXPECT_NOT_NULL_MSG(test, q, "pieces of %u", piece);
		if (q)
			goalloc_heap_free(fh->heap, q);
		fake_heap_check(test, fh);
	}
	fh->fake.max_extent = 0;
}

/* An allocated run goes back, as a free one does in heap_scavenge(). */
static void give_back(struct heap_node *node, u64 page, u64 npages)
{
	struct page_source *source = &node->heap->space->source;
	unsigned long flags;

	raw_spin_lock_irqsave(&node->lock, flags);
	palloc_disown(&node->palloc, page, npages);
	node->released += npages;
	raw_spin_unlock_irqrestore(&node->lock, flags);
	source->put(source, page, npages);
	atomic64_sub(npages, &node->heap->held);
}

/* Pages go back from the middle of a chunk, and others come again. */
static void heap_partly_owned(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct heap_node *node = fh->heap->node[0];
	struct heap_node *from;
	unsigned int round, i;
	u64 page[40], back;
	bool clean;

	for (round = 0; round < 4; round++) {
		for (i = 0; i < ARRAY_SIZE(page); i++) {
			page[i] = heap_alloc_pages(node, 1 + i % 5, 1, GFP_KERNEL, &from, &clean);
			KUNIT_ASSERT_NE(test, PALLOC_NONE, page[i]);
			/* Nothing but what the source handed over, and to us. */
			KUNIT_EXPECT_GE(test, find_next_zero_bit(fh->fake.out, PAGES, page[i]),
					page[i] + 1 + i % 5);
		}
		for (i = round; i < ARRAY_SIZE(page); i += 4) {
			give_back(node, page[i], 1 + i % 5);
			KUNIT_EXPECT_FALSE(test, test_bit(page[i], fh->fake.out));
			page[i] = PALLOC_NONE;
		}
		back = node->palloc.nr_free;
		KUNIT_EXPECT_EQ(test, back, heap_scavenge(node, U64_MAX, true));
		KUNIT_EXPECT_EQ(test, 0ULL, node->palloc.nr_free);
		KUNIT_EXPECT_EQ(test, fh->fake.nr_out, node->palloc.nr_owned);
		KUNIT_EXPECT_EQ(test, fh->fake.nr_out, node->grown - node->released);
		for (i = 0; i < ARRAY_SIZE(page); i++)
			if (page[i] != PALLOC_NONE)
				heap_free_pages(node, page[i], 1 + i % 5);
		fake_heap_check(test, fh);
	}
	KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.bad_puts);
}

/* Two heaps over the same pages: each knows its own. */
static void heap_two_neighbours(struct kunit *test)
{
	static const u32 sizes[] = { 16, 700, 32768, 100000 };
	struct fake_heap *fh = test->priv;
	struct goalloc_heap *other;
	struct heap_shot shot;
	void *mine, *its;
	unsigned int i;

	other = heap_create("other", NULL, &fh->fake.space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		mine = goalloc_heap_alloc(fh->heap, sizes[i], GFP_KERNEL);
		its = goalloc_heap_alloc(other, sizes[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, mine);
		KUNIT_ASSERT_NOT_NULL(test, its);
		shot_take(fh->heap, &shot);
		goalloc_heap_free(fh->heap, its);
		shot_expect_refused(test, fh->heap, &shot, BAD_FREE_HEAP, 1, "its object");
		shot_take(other, &shot);
		goalloc_heap_free(other, mine);
		shot_expect_refused(test, other, &shot, BAD_FREE_HEAP, 1, "my object");
		goalloc_heap_free(fh->heap, mine);
		goalloc_heap_free(other, its);
	}
	/* When one ends, the other's memory stays. */
	mine = goalloc_heap_alloc(fh->heap, 5000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mine);
	memset(mine, 0x31, 5000);
	KUNIT_ASSERT_NOT_NULL(test, goalloc_heap_alloc(other, 5000, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(other, true));
	KUNIT_EXPECT_NULL(test, memchr_inv(mine, 0x31, 5000));
	fake_heap_check(test, fh);
	goalloc_heap_free(fh->heap, mine);
}

struct heap_storm {
	struct fake_heap *fh;
	atomic_t wrong;
};

/* Spans, large objects and bare pages come and go on one CPU. */
static void heap_storm_member(void *arg, unsigned int member)
{
	struct heap_storm *storm = arg;
	struct fake_heap *fh = storm->fh;
	struct heap_node *node = fh->heap->node[member % 2];
	struct { u64 page, npages; } run[8] = {};
	void *large[8] = {};
	struct heap_node *from;
	struct rnd_state rnd;
	unsigned int step, i;
	bool clean;

	prandom_seed_state(&rnd, member);
	for (step = 0; step < 1200; step++) {
		bool last = step >= 1200 - 8;

		i = last ? step % 8 : prandom_u32_state(&rnd) % 8;
		cond_resched();
		if (large[i]) {
			if (memchr_inv(large[i], member + 1, PAGE_BYTES))
				atomic_inc(&storm->wrong);
			goalloc_heap_free(fh->heap, large[i]);
			large[i] = NULL;
		} else if (!last) {
			large[i] = heap_alloc_large(fh->heap, PAGE_BYTES * (1 + step % 9),
						    PAGE_BYTES << (step % 3), GFP_KERNEL,
						    member % 2);
			if (large[i])
				memset(large[i], member + 1, PAGE_BYTES);
		}
		if (run[i].npages) {
			if (step % 2)
				heap_free_pages(node, run[i].page, run[i].npages);
			else
				give_back(node, run[i].page, run[i].npages);
			run[i].npages = 0;
		} else if (!last) {
			run[i].page = heap_alloc_pages(node, 1 + step % 7, 1,
						       GFP_KERNEL | __GFP_THISNODE, &from, &clean);
			if (run[i].page != PALLOC_NONE)
				run[i].npages = 1 + step % 7;
		}
		if (step % 100 == 50)
			heap_scavenge(node, U64_MAX, true);
	}
}

/* Four CPUs grow, cut and release two nodes, which are short of memory. */
static void heap_storm(struct kunit *test)
{
	struct fake_heap *fh = heap_restart(test, 256, 2);
	struct heap_storm storm = { .fh = fh };
	struct heap_node *node;

	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, heap_storm_member, &storm));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&storm.wrong));
	fake_heap_check(test, fh);
	cache_drain_all(fh->heap);
	for (node = heap_first_node(fh->heap); node; node = heap_next_node(node))
		heap_scavenge(node, U64_MAX, true);
	KUNIT_EXPECT_EQ(test, 0ULL, fh->fake.nr_out);
	KUNIT_EXPECT_EQ(test, 0ULL, (u64)atomic64_read(&fh->heap->held));
}

static struct kunit_case heap_cases[] = {
	KUNIT_CASE(heap_ends_empty),
	KUNIT_CASE(heap_ends_by_force),
	KUNIT_CASE(heap_ends_busy),
	KUNIT_CASE(heap_keeps_limit),
	KUNIT_CASE(heap_grows_in_proportion),
	KUNIT_CASE(heap_large_sizes),
	KUNIT_CASE(heap_large_zero),
	KUNIT_CASE(heap_large_aligned),
	KUNIT_CASE(heap_large_aligned_past_hole),
	KUNIT_CASE(heap_nodes),
	KUNIT_CASE(heap_grow_fails),
	KUNIT_CASE(heap_in_pieces),
	KUNIT_CASE(heap_partly_owned),
	KUNIT_CASE(heap_two_neighbours),
	KUNIT_CASE(heap_storm),
	{}
};

static struct kunit_suite heap_suite = {
	.name = "goalloc_heap",
	.init = heap_suite_init,
	.exit = heap_suite_exit,
	.test_cases = heap_cases,
};

kunit_test_suites(&heap_suite);
