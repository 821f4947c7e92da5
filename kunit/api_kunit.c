// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exported functions: what each promises in <goalloc.h>. Bad input has a
 * suite of its own, goalloc_misuse.
 *
 * This is the default heap, which nobody else in the test's guest uses.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <goalloc.h>
#include <goalloc_stats.h>

#include "crew.h"
#include "heap.h"
#include "shot.h"

/* Sizes that the compiler must not know. */
static noinline size_t api_hide(size_t size)
{
	OPTIMIZER_HIDE_VAR(size);
	return size;
}

/* Live objects; not the blocks of tiny ones, which caches may have open. */
static noinline u64 api_live(void)
{
	struct goalloc_stats st;
	struct bin_stats bs;

	goalloc_heap_stats(NULL, &st);
	stats_bin(goalloc_default, GOALLOC_TINY_BIN, &bs);
	return st.live_objects - (bs.allocs - bs.frees) + st.tiny_objects;
}

static int api_suite_init(struct kunit *test)
{
	test->priv = (void *)(unsigned long)api_live();
	crew_stay();
	return 0;
}

/* Every case gives back what it took, and the ledger holds. */
static void api_suite_exit(struct kunit *test)
{
	struct goalloc_stats st;

	/* Nothing is left that might be on its way because its CPU is idle. */
	goalloc_flush(NULL);
	goalloc_heap_stats(NULL, &st);
	KUNIT_EXPECT_EQ(test, (u64)(unsigned long)test->priv, api_live());
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
}

static size_t api_promised_align(size_t size)
{
	return clamp_t(size_t, size & -size, 8, PAGE_SIZE);
}

/* Every small size and some large ones: aligned, sized as said, writable. */
static void api_sizes(struct kunit *test)
{
	size_t size, usable, wrong = 0, missing = 0;
	void *p;

	for (size = 1; size <= GOALLOC_MAX_SIZE; size += size <= GOALLOC_MAX_SMALL_SIZE ? 1 :
							 size / 3 + 1) {
		p = goalloc(api_hide(size), GFP_KERNEL);
		if (!p) {
			missing++;
			continue;
		}
		usable = gosize(p);
		wrong += usable < size;
		wrong += usable != goalloc_size_roundup(size);
		wrong += !IS_ALIGNED((unsigned long)p, api_promised_align(size));
		memset(p, 0x11, usable);
		gofree(p);
		if (size % 4096 == 0)
			cond_resched();
	}
	KUNIT_EXPECT_EQ(test, (size_t)0, missing);
	KUNIT_EXPECT_EQ(test, (size_t)0, wrong);
	p = goalloc(api_hide(GOALLOC_MAX_SIZE), GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, GOALLOC_MAX_SIZE, gosize(p));
	gofree(p);
}

/* All objects of a span keep the promise, not only the first. */
static void api_alignment(struct kunit *test)
{
	static const u16 sizes[] = {
		8, 16, 24, 48, 64, 96, 192, 320, 640, 1024, 1280, 1536, 2048, 3072,
		4096, 5120, 6144, 8192, 9216, 12288, 16384, 20480, 24576, 28672, 32768,
	};
	unsigned int row, i, wrong = 0;
	void *p[40];

	for (row = 0; row < ARRAY_SIZE(sizes); row++) {
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			p[i] = goalloc(api_hide(sizes[row]), GFP_KERNEL);
			wrong += !p[i] || !IS_ALIGNED((unsigned long)p[i],
						      api_promised_align(sizes[row]));
		}
		KUNIT_EXPECT_EQ_MSG(test, 0U, wrong, "size %u", sizes[row]);
		for (i = 0; i < ARRAY_SIZE(p); i++)
			gofree(p[i]);
	}
}

/* No bytes: ZERO_SIZE_PTR from everybody, and nothing was allocated. */
static void api_no_bytes(struct kunit *test)
{
	struct heap_shot shot;
	void *p[2];

	shot_take(goalloc_default, &shot);
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, goalloc(api_hide(0), GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, gozalloc(api_hide(0), GFP_ATOMIC));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, goalloc_node(api_hide(0), GFP_KERNEL, 0));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, goalloc_aligned(api_hide(0), 64, GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, goalloc_tiny(api_hide(0), GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, goalloc_array(api_hide(0), 8, GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, gocalloc(8, api_hide(0), GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, gorealloc(NULL, api_hide(0), GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR,
			    gorealloc(ZERO_SIZE_PTR, api_hide(0), GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, gomemdup("", api_hide(0), GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, gokvalloc(api_hide(0), GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR,
			    goalloc_heap_alloc(goalloc_default, api_hide(0), GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, (size_t)2, goalloc_bulk(api_hide(0), GFP_KERNEL, 2, p));
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, p[0]);
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, p[1]);
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(ZERO_SIZE_PTR));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(NULL));
	KUNIT_EXPECT_EQ(test, (size_t)0, goalloc_size_roundup(0));
	/* And both nothings can be freed in every way. */
	gofree(NULL);
	gofree(ZERO_SIZE_PTR);
	gofree_sensitive(NULL);
	gofree_sensitive(ZERO_SIZE_PTR);
	gokvfree(NULL);
	gokvfree(ZERO_SIZE_PTR);
	goalloc_heap_free(goalloc_default, NULL);
	goalloc_heap_free(goalloc_default, ZERO_SIZE_PTR);
	p[0] = NULL;
	gofree_bulk(2, p);
	gofree_bulk(0, NULL);
	shot_expect_same(test, goalloc_default, &shot, "nothing");
}

/* Zeroed memory is zero over its whole usable size, after dirty frees. */
static void api_zeroed(struct kunit *test)
{
	static const u32 sizes[] = { 1, 8, 100, 1000, 5000, 32768, 32769, 200000 };
	unsigned int row, round, wrong = 0;

	for (row = 0; row < ARRAY_SIZE(sizes); row++) {
		for (round = 0; round < 20; round++) {
			size_t size = api_hide(sizes[row]);
			void *p = round % 3 == 0 ? gozalloc(size, GFP_KERNEL) :
				  round % 3 == 1 ? gocalloc(1, size, GFP_KERNEL) :
				  goalloc_aligned(size, 16, GFP_KERNEL | __GFP_ZERO);

			KUNIT_ASSERT_NOT_NULL(test, p);
			wrong += !!memchr_inv(p, 0, size);
			memset(p, 0xdd, gosize(p));
			gofree(p);
		}
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
}

/* Arrays are as large as the product. */
static void api_arrays(struct kunit *test)
{
	void *p = goalloc_array(api_hide(13), 77, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, goalloc_size_roundup(13 * 77), gosize(p));
	p = gorealloc_array(p, api_hide(500), 77, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, goalloc_size_roundup(500 * 77), gosize(p));
	gofree(p);
}

/* krealloc()'s rules, one by one. */
static void api_realloc(struct kunit *test)
{
	u64 live = api_live();
	char *p, *q;

	/* NULL and ZERO_SIZE_PTR: an allocation. */
	p = gorealloc(NULL, api_hide(100), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	q = gorealloc(ZERO_SIZE_PTR, api_hide(100), GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, q);
	/* gosize() is what allows to touch more than was asked for, each time. */
	KUNIT_ASSERT_EQ(test, (size_t)112, gosize(q));
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 0, 112));
	KUNIT_EXPECT_EQ(test, live + 2, api_live());
	/* No bytes: a free. */
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, gorealloc(q, api_hide(0), GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, live + 1, api_live());

	/* What fits already stays where it is, smaller or as large as usable. */
	KUNIT_ASSERT_EQ(test, (size_t)112, gosize(p));
	memset(p, 0x33, 112);
	KUNIT_EXPECT_PTR_EQ(test, p, (char *)gorealloc(p, api_hide(112), GFP_KERNEL));
	KUNIT_EXPECT_PTR_EQ(test, p, (char *)gorealloc(p, api_hide(1), GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, (size_t)112, gosize(p));
	if (!want_init_on_alloc(0))
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x33, 112));
	/* With __GFP_ZERO what lies behind the new size is cleared. */
	KUNIT_EXPECT_PTR_EQ(test, p, (char *)gorealloc(p, api_hide(60), GFP_KERNEL | __GFP_ZERO));
	KUNIT_EXPECT_EQ(test, 0x33, (int)p[0]);
	KUNIT_ASSERT_EQ(test, (size_t)112, gosize(p));
	KUNIT_EXPECT_NULL(test, memchr_inv(p + 60, 0, 112 - 60));

	/* Grown: the old usable bytes are kept, the rest zero if asked for. */
	memset(p, 0x44, 112);
	p = gorealloc(p, api_hide(3000), GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x44, 112));
	KUNIT_EXPECT_NULL(test, memchr_inv(p + 112, 0, gosize(p) - 112));
	memset(p, 0x45, 3000);
	p = gorealloc(p, api_hide(100000), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x45, 3000));
	KUNIT_EXPECT_EQ(test, live + 1, api_live());

	/* What cannot be had leaves the old one as it was. */
	KUNIT_EXPECT_NULL(test, gorealloc(p, api_hide(SIZE_MAX), GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gorealloc(p, api_hide(GOALLOC_MAX_SIZE + 1), GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gorealloc_array(p, api_hide(SIZE_MAX / 2), 3, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x45, 3000));
	KUNIT_EXPECT_GE(test, gosize(p), (size_t)100000);
	gofree(p);

	/* A tiny object is exactly as large as it is. */
	p = goalloc_tiny(api_hide(3), GFP_KERNEL);
	q = goalloc_tiny(api_hide(3), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	memcpy(p, "abc", 3);
	memcpy(q, "def", 3);
	p = gorealloc(p, api_hide(5), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, 0, memcmp(p, "abc", 3));
	memset(p, 0, 5);
	KUNIT_EXPECT_EQ(test, 0, memcmp(q, "def", 3));
	gofree(p);
	gofree(q);
}

/* Every power of two as alignment, for sizes on both sides of it. */
static void api_aligned(struct kunit *test)
{
	static const u32 sizes[] = { 1, 100, 4096, 5000, 32768, 40000, 1000000 };
	unsigned int row, i;
	size_t align;
	void *p[3];

	for (align = 1; align <= GOALLOC_MAX_SIZE; align *= 2) {
		for (row = 0; row < ARRAY_SIZE(sizes); row++) {
			/* A block is as aligned as it is long: no more of these. */
			unsigned int n = align > 1 << 20 ? 1 : ARRAY_SIZE(p);

			for (i = 0; i < n; i++) {
				p[i] = goalloc_aligned(api_hide(sizes[row]), align, GFP_KERNEL);
				KUNIT_EXPECT_NOT_NULL_MSG(test, p[i], "%u at %zu",
							  sizes[row], align);
				KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p[i], align));
				KUNIT_EXPECT_GE(test, gosize(p[i]), (size_t)sizes[row]);
			}
			for (i = 0; i < n; i++)
				gofree(p[i]);
		}
	}
	KUNIT_EXPECT_NULL(test, goalloc_aligned(api_hide(8), 0, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_aligned(api_hide(8), 3, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_aligned(api_hide(8), 24, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_aligned(api_hide(8), 2 * GOALLOC_MAX_SIZE, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_aligned(api_hide(8), SIZE_MAX, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_aligned(api_hide(SIZE_MAX), 8, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_aligned(api_hide(GOALLOC_MAX_SIZE + 1), 8, GFP_KERNEL));
}

/* Memory of the node that was asked for. */
static void api_nodes(struct kunit *test)
{
	static const u32 sizes[] = { 8, 1000, 32768, 50000 };
	unsigned int row;
	void *p;
	int nid;

	for (row = 0; row < ARRAY_SIZE(sizes); row++) {
		size_t size = api_hide(sizes[row]);

		for_each_online_node(nid) {
			p = goalloc_node(size, GFP_KERNEL | __GFP_THISNODE, nid);
			KUNIT_ASSERT_NOT_NULL(test, p);
			KUNIT_EXPECT_EQ(test, nid, page_to_nid(virt_to_page(p)));
			gofree(p);
		}
		p = goalloc_node(size, GFP_KERNEL, NUMA_NO_NODE);
		KUNIT_EXPECT_NOT_NULL(test, p);
		gofree(p);
		/* A node that is not there cannot be insisted on. */
		nid = MAX_NUMNODES - 1;
		if (!node_online(nid)) {
			p = goalloc_node(size, GFP_KERNEL | __GFP_THISNODE, nid);
			KUNIT_EXPECT_NULL(test, p);
			p = goalloc_node(size, GFP_KERNEL, nid);
			KUNIT_EXPECT_NOT_NULL(test, p);
			gofree(p);
		}
		KUNIT_EXPECT_NULL(test, goalloc_node(api_hide(SIZE_MAX), GFP_KERNEL, 0));
	}
}

/* Many at once: all of them, different ones, or none. */
static void api_bulk(struct kunit *test)
{
	static const u32 sizes[] = { 8, 64, 3000, 40000 };
	struct goalloc_stats st;
	unsigned int row, i, j, wrong = 0;
	u64 live;
	void *p[48];

	for (row = 0; row < ARRAY_SIZE(sizes); row++) {
		KUNIT_ASSERT_EQ(test, ARRAY_SIZE(p), goalloc_bulk(api_hide(sizes[row]), GFP_KERNEL,
								  ARRAY_SIZE(p), p));
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			wrong += gosize(p[i]) < sizes[row];
			for (j = 0; j < i; j++)
				wrong += p[i] == p[j];
		}
		gofree_bulk(ARRAY_SIZE(p), p);
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	KUNIT_EXPECT_EQ(test, (size_t)0, goalloc_bulk(api_hide(SIZE_MAX), GFP_KERNEL, 3, p));
	KUNIT_EXPECT_EQ(test, (size_t)0, goalloc_bulk(api_hide(8), GFP_KERNEL, 0, p));

	/* Memory ends on the way: those that were had are given back. */
	goalloc_heap_stats(NULL, &st);
	live = api_live();
	goalloc_default->limit = (st.sys_bytes >> GOALLOC_PAGE_SHIFT) + 100;
	KUNIT_EXPECT_EQ(test, (size_t)0,
			goalloc_bulk(api_hide(1 << 20), GFP_KERNEL, ARRAY_SIZE(p), p));
	goalloc_default->limit = 0;
	KUNIT_EXPECT_EQ(test, live, api_live());
}

/* Copies of strings and memory. */
static void api_copies(struct kunit *test)
{
	static const char *const texts[] = { "", "a", "a fine string", "0123456789abcdef" };
	unsigned int i;
	char *s;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		s = gostrdup(texts[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, s);
		KUNIT_EXPECT_PTR_NE(test, (const char *)s, texts[i]);
		KUNIT_EXPECT_STREQ(test, texts[i], (const char *)s);
		gofree(s);
		s = gomemdup(texts[i], strlen(texts[i]) + 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, s);
		KUNIT_EXPECT_STREQ(test, texts[i], (const char *)s);
		gofree(s);
	}
	KUNIT_EXPECT_NULL(test, gostrdup(NULL, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gomemdup("x", api_hide(SIZE_MAX), GFP_KERNEL));
}

/* Beyond what is contiguous it is vmalloc() memory, and one function frees it. */
static void api_kvalloc(struct kunit *test)
{
	static const u32 sizes[] = { 1, 100, 4096, 4097, 100000, 4 << 20, (4 << 20) + 1, 9 << 20 };
	unsigned int row, zero;

	for (row = 0; row < ARRAY_SIZE(sizes); row++) {
		for (zero = 0; zero < 2; zero++) {
			char *p = gokvalloc(api_hide(sizes[row]),
					    zero ? GFP_KERNEL | __GFP_ZERO : GFP_KERNEL);

			KUNIT_ASSERT_NOT_NULL(test, p);
			if (zero)
				KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, sizes[row]));
			p[0] = 1;
			p[sizes[row] - 1] = 1;
			if (sizes[row] > GOALLOC_MAX_SIZE)
				KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(p));
			KUNIT_EXPECT_EQ(test, !is_vmalloc_addr(p), goalloc_owns(p));
			gokvfree(p);
		}
	}
	KUNIT_EXPECT_NULL(test, gokvalloc(api_hide(9 << 20), GFP_NOWAIT));
	KUNIT_EXPECT_NULL(test, gokvalloc(api_hide((size_t)INT_MAX + 1), GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gokvalloc(api_hide(SIZE_MAX), GFP_KERNEL));
}

/* Whose memory an address is, to the byte. */
static void api_owns(struct kunit *test)
{
	struct goalloc_heap *heap = goalloc_heap_create("owner", NULL);
	char *small = goalloc(api_hide(500), GFP_KERNEL);
	char *large = goalloc(api_hide(50000), GFP_KERNEL);
	char *other = kmalloc(api_hide(500), GFP_KERNEL);
	char *its;

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	its = goalloc_heap_alloc(heap, api_hide(500), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, small);
	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_ASSERT_NOT_NULL(test, its);
	KUNIT_EXPECT_TRUE(test, goalloc_owns(small));
	KUNIT_EXPECT_TRUE(test, goalloc_owns(small + 499));
	KUNIT_EXPECT_TRUE(test, goalloc_owns(large));
	KUNIT_EXPECT_TRUE(test, goalloc_owns(large + 49999));
	KUNIT_EXPECT_TRUE(test, goalloc_owns(its));
	KUNIT_EXPECT_FALSE(test, goalloc_owns(other));
	KUNIT_EXPECT_FALSE(test, goalloc_owns(test));
	KUNIT_EXPECT_FALSE(test, goalloc_owns(&heap));
	KUNIT_EXPECT_FALSE(test, goalloc_owns(api_owns));
	KUNIT_EXPECT_FALSE(test, goalloc_owns(NULL));
	KUNIT_EXPECT_FALSE(test, goalloc_owns(ZERO_SIZE_PTR));
	KUNIT_EXPECT_FALSE(test, goalloc_owns((void *)ULONG_MAX));
	gofree(small);
	gofree(large);
	kfree(other);
	KUNIT_EXPECT_FALSE(test, goalloc_owns(large));
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
	KUNIT_EXPECT_FALSE(test, goalloc_owns(its));
}

/* What gosize() says of what is no object. */
static void api_size_of_nothing(struct kunit *test)
{
	char *p = goalloc(api_hide(500), GFP_KERNEL);
	char *large = goalloc(api_hide(50000), GFP_KERNEL);
	int stack;

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_EXPECT_EQ(test, (size_t)512, gosize(p));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(p + 1));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(p + 500));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(large + GOALLOC_PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(&stack));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize((void *)ULONG_MAX));
	gofree(p);
	gofree(large);
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(p));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(large));
	/* The other way round: what an allocation would get. */
	KUNIT_EXPECT_EQ(test, GOALLOC_MAX_SIZE, goalloc_size_roundup(GOALLOC_MAX_SIZE));
	KUNIT_EXPECT_EQ(test, GOALLOC_MAX_SIZE + 1, goalloc_size_roundup(GOALLOC_MAX_SIZE + 1));
	KUNIT_EXPECT_EQ(test, SIZE_MAX, goalloc_size_roundup(SIZE_MAX));
}

/* Cleared before it goes. */
static void api_sensitive(struct kunit *test)
{
	char *p, *q;

	migrate_disable();
	p = goalloc(api_hide(200), GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	memset(p, 0x99, 200);
	gofree_sensitive(p);
	/* The last one freed is the first handed out. */
	q = goalloc(api_hide(200), GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, p, q);
	KUNIT_EXPECT_NULL(test, memchr_inv(q, 0, 200));
	gofree_sensitive(q);
	migrate_enable();
}

#ifdef DEFINE_FREE
static unsigned int api_scope(u64 live)
{
	void *p __free(gofree) = goalloc(api_hide(100), GFP_KERNEL);
	void *v __free(gokvfree) = gokvalloc(api_hide(5 << 20), GFP_KERNEL);
	void *none __free(gofree) = NULL;
	void *err __free(gofree) = ERR_PTR(-EIO);

	return p && v && !none && IS_ERR(err) && api_live() == live + 1;
}
#endif

/* Freed at the end of a scope, where the kernel has that. */
static void api_cleanup(struct kunit *test)
{
#ifdef DEFINE_FREE
	struct heap_shot shot;
	u64 live = api_live();

	shot_take(goalloc_default, &shot);
	KUNIT_EXPECT_EQ(test, 1U, api_scope(live));
	KUNIT_EXPECT_EQ(test, live, api_live());
	KUNIT_EXPECT_EQ(test, shot.st.bad_frees,
			(u64)atomic64_read(&goalloc_default->nr_bad[BAD_FREE_FOREIGN]) +
			shot.st.bad_frees - shot.bad[BAD_FREE_FOREIGN]);
#endif
}

static void api_irq_work(void *arg)
{
	unsigned int *ok = arg;
	void *p = goalloc(api_hide(64), GFP_ATOMIC);
	void *t = goalloc_tiny(api_hide(6), GFP_ATOMIC);
	void *l = goalloc(api_hide(40000), GFP_ATOMIC);

	*ok = p && t && l && gosize(p) == 64 && gosize(t) == 6;
	gofree(p);
	gofree(t);
	gofree(l);
}

static void api_nmi_work(void *arg)
{
	unsigned int *ok = arg;
	/* Perhaps nothing is at hand; never a crash, and large ones never. */
	void *p = goalloc(api_hide(64), GFP_ATOMIC);

	*ok = !goalloc(api_hide(40000), GFP_ATOMIC);
	gofree(p);
}

/* From interrupts as well. */
static void api_contexts(struct kunit *test)
{
	unsigned int ok = 0;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return;
	crew_in_hardirq(api_irq_work, &ok);
	KUNIT_EXPECT_EQ(test, 1U, ok);
	ok = 0;
	crew_in_softirq(api_irq_work, &ok);
	KUNIT_EXPECT_EQ(test, 1U, ok);
	ok = 0;
	crew_as_nmi(api_nmi_work, &ok);
	KUNIT_EXPECT_EQ(test, 1U, ok);
	/* What NMI freed without a lock is collected by whoever comes next. */
	gofree(goalloc_node(api_hide(64), GFP_KERNEL, 0));
	gofree(goalloc_node(api_hide(64), GFP_KERNEL, 1));
}

/* Heaps of one's own. */
static void api_heaps(struct kunit *test)
{
	static const struct goalloc_heap_attr bad[] = {
		{ .gfp = __GFP_DMA | __GFP_DMA32 }, { .gfp = __GFP_HIGHMEM },
		{ .gfp = __GFP_ZERO }, { .gfp = __GFP_COMP }, { .limit = 1 },
		{ .limit = GOALLOC_PAGE_SIZE - 1 },
	};
	struct goalloc_heap_attr attr = { .limit = 64 * GOALLOC_PAGE_SIZE };
	struct goalloc_heap *heap;
	struct goalloc_stats st;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, -EINVAL, (int)PTR_ERR(goalloc_heap_create("bad", &bad[i])));
	KUNIT_EXPECT_EQ(test, -EINVAL, (int)PTR_ERR(goalloc_heap_create(NULL, NULL)));
	KUNIT_EXPECT_EQ(test, -EINVAL, (int)PTR_ERR(goalloc_heap_create("", NULL)));
	KUNIT_EXPECT_EQ(test, -EINVAL, (int)PTR_ERR(goalloc_heap_create("a/b", NULL)));
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(NULL, true));
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(ERR_PTR(-ENOMEM), false));

	heap = goalloc_heap_create("a name that is longer than thirty-one bytes", &attr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	KUNIT_EXPECT_STREQ(test, "a name that is longer than thir", (const char *)heap->name);
	for (n = 0; goalloc_heap_alloc(heap, api_hide(8000), GFP_KERNEL); n++)
		;
	KUNIT_EXPECT_EQ(test, (unsigned int)(64 * GOALLOC_PAGE_SIZE / 8192), n);
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, (u64)attr.limit, st.sys_bytes);
	KUNIT_EXPECT_EQ(test, (u64)n, st.live_objects);
	KUNIT_EXPECT_EQ(test, st.sys_bytes, stats_ledger_sum(&st));
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
}

/* A heap for a zone has memory of that zone, asked for or not. */
static void api_zone_heap(struct kunit *test)
{
	struct goalloc_heap_attr attr = { .gfp = __GFP_DMA32 };
	struct goalloc_heap *heap = goalloc_heap_create("dma32", &attr);
	void *p, *q;

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	p = goalloc_heap_alloc(heap, api_hide(3000), GFP_KERNEL);
	q = goalloc_heap_alloc(heap, api_hide(100000), GFP_KERNEL | __GFP_DMA32);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_NOT_NULL(test, q);
	KUNIT_EXPECT_LT(test, (u64)__pa(p), 1ULL << 32);
	KUNIT_EXPECT_LT(test, (u64)__pa(q), 1ULL << 32);
	goalloc_heap_free(heap, p);
	goalloc_heap_free(heap, q);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
}

static struct kunit_case api_cases[] = {
	KUNIT_CASE(api_sizes),
	KUNIT_CASE(api_alignment),
	KUNIT_CASE(api_no_bytes),
	KUNIT_CASE(api_zeroed),
	KUNIT_CASE(api_arrays),
	KUNIT_CASE(api_realloc),
	KUNIT_CASE(api_aligned),
	KUNIT_CASE(api_nodes),
	KUNIT_CASE(api_bulk),
	KUNIT_CASE(api_copies),
	KUNIT_CASE(api_kvalloc),
	KUNIT_CASE(api_owns),
	KUNIT_CASE(api_size_of_nothing),
	KUNIT_CASE(api_sensitive),
	KUNIT_CASE(api_cleanup),
	KUNIT_CASE(api_contexts),
	KUNIT_CASE(api_heaps),
	KUNIT_CASE(api_zone_heap),
	{}
};

static struct kunit_suite api_suite = {
	.name = "goalloc_api",
	.init = api_suite_init,
	.exit = api_suite_exit,
	.test_cases = api_cases,
};

kunit_test_suites(&api_suite);
