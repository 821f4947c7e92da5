// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes: which memory is taken in turn, what __GFP_THISNODE means, and how
 * objects get home.
 */
#include <kunit/test.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "cache.h"
#include "crew.h"
#include "debugfs.h"
#include "fake_source.h"
#include "stats.h"

#define NR_NODES 4
#define NODE_PAGES 96ULL

/* Nodes in a row: each is a step farther than the one before. */
static const u8 numa_line[NR_NODES][FAKE_MAX_NODES] = {
	{ 10, 20, 30, 40 },
	{ 20, 10, 20, 30 },
	{ 30, 20, 10, 20 },
	{ 40, 30, 20, 10 },
};

/* Two pairs that are far apart; firmware that says nonsense of 3. */
static const u8 numa_pairs[NR_NODES][FAKE_MAX_NODES] = {
	{ 10, 12, 40, 40 },
	{ 12, 10, 40, 40 },
	{ 40, 40, 10, 12 },
	{ 40, 40, 5, 10 },
};

static struct fake_heap *numa_heap(struct kunit *test,
				   const u8 (*distance)[FAKE_MAX_NODES],
				   const struct goalloc_heap_attr *attr)
{
	struct fake_heap *fh = kunit_kzalloc(test, sizeof(*fh), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fh);
	KUNIT_ASSERT_EQ(test, 0, fake_source_init(&fh->fake, NODE_PAGES * NR_NODES, NR_NODES));
	fh->fake.distance = distance;
	KUNIT_ASSERT_EQ(test, 0, heap_space_init(&fh->fake.space));
	fh->heap = heap_create("numa", attr, &fh->fake.space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fh->heap));
	return fh;
}

/* The node that an object's memory is on, by its address. */
static int numa_nid(struct fake_heap *fh, const void *p)
{
	u64 page = ((unsigned long)p - fh->fake.space.source.base) >> GOALLOC_PAGE_SHIFT;

	return page / NODE_PAGES;
}

static void *numa_page(struct fake_heap *fh, int nid, gfp_t gfp)
{
	return heap_alloc_large(fh->heap, GOALLOC_PAGE_SIZE, 1, gfp, nid);
}

/* Take all pages of a node; they are large objects on it afterwards. */
static void numa_use_up(struct kunit *test, struct fake_heap *fh, int nid)
{
	struct heap_node *node = fh->heap->node[nid];

	cache_drain_all(fh->heap);
	while (numa_page(fh, nid, GFP_KERNEL | __GFP_THISNODE))
		;
	KUNIT_EXPECT_EQ(test, NODE_PAGES, node->palloc.nr_owned);
	KUNIT_EXPECT_EQ(test, 0ULL, node->palloc.nr_free);
}

static int numa_local(struct fake_heap *fh)
{
	return heap_node_of(fh->heap, numa_mem_id())->nid;
}

/* Rows: itself first, then by distance, those equally far away in a ring. */
static void numa_order(struct kunit *test)
{
	static const struct {
		const u8 (*distance)[FAKE_MAX_NODES];
		int row[NR_NODES][NR_NODES];
	} orders[] = {
		{ NULL, { { 0, 1, 2, 3 }, { 1, 2, 3, 0 }, { 2, 3, 0, 1 }, { 3, 0, 1, 2 } } },
		{ numa_line, { { 0, 1, 2, 3 }, { 1, 2, 0, 3 }, { 2, 3, 1, 0 }, { 3, 2, 1, 0 } } },
		{ numa_pairs, { { 0, 1, 2, 3 }, { 1, 0, 2, 3 }, { 2, 3, 0, 1 }, { 3, 2, 0, 1 } } },
	};
	unsigned int which;
	int nid, i;

	for (which = 0; which < ARRAY_SIZE(orders); which++) {
		struct fake_heap *fh = numa_heap(test, orders[which].distance, NULL);
		const struct node_order *order = &fh->fake.space.order;

		for (nid = 0; nid < NR_NODES; nid++) {
			for (i = 0; i < NR_NODES; i++)
				KUNIT_EXPECT_EQ_MSG(test, orders[which].row[nid][i],
						    node_order_nid(order, nid, i),
						    "order %u, node %d, place %d", which, nid, i);
			KUNIT_EXPECT_EQ(test, 10U, node_order_distance(order, nid, 0));
			for (i = 1; i < NR_NODES; i++) {
				KUNIT_EXPECT_GT(test, node_order_distance(order, nid, i), 10U);
				KUNIT_EXPECT_GE(test, node_order_distance(order, nid, i),
						node_order_distance(order, nid, i - 1));
			}
		}
		fake_heap_destroy(test, fh);
	}
}

/* The distances change and are sorted anew. */
static void numa_sort_again(struct kunit *test)
{
	struct fake_heap *fh = numa_heap(test, numa_line, NULL);

	KUNIT_EXPECT_EQ(test, 2, node_order_nid(&fh->fake.space.order, 1, 1));
	fh->fake.distance = numa_pairs;
	KUNIT_EXPECT_EQ(test, 0, heap_space_extend(&fh->fake.space, 0, -1));
	/* Whole arenas; the fake has no more than it has. */
	fh->fake.space.source.nr_pages = NODE_PAGES * NR_NODES;
	KUNIT_EXPECT_EQ(test, 0, node_order_nid(&fh->fake.space.order, 1, 1));
	fake_heap_destroy(test, fh);
}

/* Page by page: all of the nearest node first, then all of the next. */
static void numa_fallback(struct kunit *test)
{
	static const u8 (*const spaces[])[FAKE_MAX_NODES] = { NULL, numa_line, numa_pairs };
	unsigned int which, i, wrong;
	int nid;

	for (which = 0; which < ARRAY_SIZE(spaces); which++) {
		for (nid = 0; nid < NR_NODES; nid++) {
			struct fake_heap *fh = numa_heap(test, spaces[which], NULL);
			const struct node_order *order = &fh->fake.space.order;

			wrong = 0;
			for (i = 0; i < NODE_PAGES * NR_NODES; i++) {
				void *p = numa_page(fh, nid, GFP_KERNEL);

				KUNIT_ASSERT_NOT_NULL(test, p);
				wrong += numa_nid(fh, p) !=
					 node_order_nid(order, nid, i / NODE_PAGES);
			}
			KUNIT_EXPECT_EQ_MSG(test, 0U, wrong, "space %u, node %d", which, nid);
			KUNIT_EXPECT_NULL(test, numa_page(fh, nid, GFP_KERNEL));
			fake_heap_check(test, fh);
			fake_heap_destroy(test, fh);
		}
	}
}

/* Small objects, too: past the caches, and what a cache takes from its centrals. */
static void numa_fallback_small(struct kunit *test)
{
	struct fake_heap *fh;
	unsigned int i, wrong;
	int nid, last;

	for (nid = 0; nid < NR_NODES; nid++) {
		fh = numa_heap(test, numa_line, NULL);
		last = nid;
		wrong = 0;
		for (i = 0; ; i++) {
			void *p = cache_alloc_node(fh->heap, 40, 1, GFP_KERNEL, nid);

			if (!p)
				break;
			wrong += numa_line[nid][numa_nid(fh, p)] < numa_line[nid][last];
			last = numa_nid(fh, p);
		}
		KUNIT_EXPECT_EQ_MSG(test, 0U, wrong, "node %d", nid);
		KUNIT_EXPECT_EQ(test, numa_line[nid][last],
				max(numa_line[nid][0], numa_line[nid][NR_NODES - 1]));
		fake_heap_check(test, fh);
		fake_heap_destroy(test, fh);
	}
}

/*
 * Free pages of the heap on a far node against pages that a near one could still
 * grow by: the near one. If both are equally far away: the free ones.
 */
static void numa_near_before_free(struct kunit *test)
{
	static const struct {
		const u8 (*distance)[FAKE_MAX_NODES];
		int nid;
	} rows[] = { { numa_line, 1 }, { numa_pairs, 1 }, { NULL, 3 } };
	unsigned int which;
	void *p;

	for (which = 0; which < ARRAY_SIZE(rows); which++) {
		struct fake_heap *fh = numa_heap(test, rows[which].distance, NULL);

		p = numa_page(fh, 3, GFP_KERNEL | __GFP_THISNODE);
		KUNIT_ASSERT_NOT_NULL(test, p);
		goalloc_heap_free(fh->heap, p);
		KUNIT_EXPECT_GT(test, fh->heap->node[3]->palloc.nr_free, 0ULL);
		numa_use_up(test, fh, 0);
		p = numa_page(fh, 0, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ_MSG(test, rows[which].nid, numa_nid(fh, p), "row %u", which);
		fake_heap_check(test, fh);
		fake_heap_destroy(test, fh);
	}
}

/*
 * With __GFP_THISNODE nothing of another node is handed out, though it is lying
 * about: in trees, in centrals, and in the span that the cache allocates from.
 */
static void numa_thisnode(struct kunit *test)
{
	gfp_t strict = GFP_KERNEL | __GFP_THISNODE;
	struct fake_heap *fh = numa_heap(test, numa_line, NULL);
	unsigned int bin = 20, taken = 0, wrong = 0;
	struct goalloc_cache *cache;
	void *p, *spare;
	int local;

	migrate_disable();
	local = numa_local(fh);
	numa_use_up(test, fh, local);
	/* Without insisting the cache gets a span of another node. */
	p = cache_alloc_slow(fh->heap, bin, 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NE(test, local, numa_nid(fh, p));
	preempt_disable();
	cache = cache_get(fh->heap);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, local, cache->home->nid);
	KUNIT_EXPECT_NE(test, local, cache->bin[bin].span->home->nid);
	/* And the centrals of the others have free objects. */
	spare = cache_alloc_node(fh->heap, bin, 1, GFP_KERNEL, (local + 2) % NR_NODES);
	KUNIT_ASSERT_NOT_NULL(test, spare);

	KUNIT_EXPECT_NULL(test, cache_alloc_node(fh->heap, bin, 1, strict, local));
	KUNIT_EXPECT_NULL(test, cache_alloc_node(fh->heap, 30, 1, strict, local));
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, sizeclass_size[bin], strict));
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, 50000, strict));
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(fh->heap, sizeclass_size[bin],
						   GFP_ATOMIC | __GFP_THISNODE));
	KUNIT_EXPECT_NULL(test, tiny_alloc_local(fh->heap, 5, strict));
	KUNIT_EXPECT_NULL(test, numa_page(fh, local, strict));
	goalloc_heap_free(fh->heap, p);
	goalloc_heap_free(fh->heap, spare);

	/* What there is of the node is had, to the last object, and nothing else. */
	for (p = NULL; !p; ) {
		struct goalloc_span *span = list_first_entry(&fh->heap->node[local]->large,
							     struct goalloc_span, list);

		goalloc_heap_free(fh->heap, (void *)span->base);
		p = goalloc_heap_alloc(fh->heap, sizeclass_size[bin], strict);
		/* A span of that bin may take several pages. */
		if (++taken == 16)
			break;
	}
	KUNIT_ASSERT_NOT_NULL(test, p);
	for (; p; p = goalloc_heap_alloc(fh->heap, sizeclass_size[bin], strict))
		wrong += numa_nid(fh, p) != local;
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	migrate_enable();
	fake_heap_check(test, fh);
	fake_heap_destroy(test, fh);
}

/* A heap made with __GFP_THISNODE has only local objects. */
static void numa_strict_heap(struct kunit *test)
{
	static const struct goalloc_heap_attr attr = { .gfp = __GFP_THISNODE };
	struct fake_heap *fh = numa_heap(test, numa_line, &attr);
	void *other, *p;
	int local;

	migrate_disable();
	local = numa_local(fh);
	/* An object free in another node's central, which nobody may have. */
	other = cache_alloc_node(fh->heap, 20, 1, GFP_KERNEL, (local + 1) % NR_NODES);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, (local + 1) % NR_NODES, numa_nid(fh, other));
	p = goalloc_heap_alloc(fh->heap, sizeclass_size[20], GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, local, numa_nid(fh, p));
	numa_use_up(test, fh, local);
	while ((p = goalloc_heap_alloc(fh->heap, sizeclass_size[20], GFP_KERNEL)))
		KUNIT_ASSERT_EQ(test, local, numa_nid(fh, p));
	KUNIT_EXPECT_NULL(test, numa_page(fh, local, GFP_KERNEL));
	migrate_enable();
	fake_heap_destroy(test, fh);
}

/* Asked for its own node, a CPU uses its cache: no object from the central. */
static void numa_local_cache(struct kunit *test)
{
	struct fake_heap *fh = numa_heap(test, numa_line, NULL);
	gfp_t gfps[] = { GFP_KERNEL, GFP_KERNEL | __GFP_THISNODE };
	struct goalloc_central *central;
	unsigned int i, j;
	void *p[20];
	int local;

	migrate_disable();
	local = numa_local(fh);
	/* There is a cache, and a list. */
	goalloc_heap_free(fh->heap, goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL));
	central = &fh->heap->node[local]->central[sizeclass_of(64)];
	for (i = 0; i < ARRAY_SIZE(gfps); i++) {
		for (j = 0; j < ARRAY_SIZE(p); j++) {
			p[j] = cache_alloc_node(fh->heap, sizeclass_of(64), 64, gfps[i], local);
			KUNIT_ASSERT_NOT_NULL(test, p[j]);
			KUNIT_EXPECT_EQ(test, local, numa_nid(fh, p[j]));
		}
		for (j = 0; j < ARRAY_SIZE(p); j++)
			goalloc_heap_free(fh->heap, p[j]);
		KUNIT_EXPECT_EQ(test, 0ULL, central->allocs);
	}
	/* Another node's come from there. */
	p[0] = cache_alloc_node(fh->heap, sizeclass_of(64), 64, GFP_KERNEL, (local + 1) % NR_NODES);
	KUNIT_ASSERT_NOT_NULL(test, p[0]);
	KUNIT_EXPECT_EQ(test, (local + 1) % NR_NODES, numa_nid(fh, p[0]));
	goalloc_heap_free(fh->heap, p[0]);
	migrate_enable();
	fake_heap_check(test, fh);
	fake_heap_destroy(test, fh);
}

static u64 numa_visits(struct fake_heap *fh, u64 *frees)
{
	struct heap_node *node;
	u64 visits = 0;

	*frees = 0;
	for (node = heap_first_node(fh->heap); node; node = heap_next_node(node)) {
		struct node_stats ns;

		stats_node(node, &ns);
		visits += ns.remote_visits;
		*frees += ns.remote_frees;
	}
	return visits;
}

/* One kind of object from one other node: 64 per lock, and the rest at the drain. */
static void numa_batches(struct kunit *test)
{
	struct fake_heap *fh = numa_heap(test, numa_line, NULL);
	unsigned int nr = 1000, i;
	void **p = kunit_kcalloc(test, nr, sizeof(*p), GFP_KERNEL);
	u64 frees, visits;
	int other;

	KUNIT_ASSERT_NOT_NULL(test, p);
	migrate_disable();
	/* Beginning with what makes the cache. */
	goalloc_heap_free(fh->heap, goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL));
	other = (numa_local(fh) + 1) % NR_NODES;
	for (i = 0; i < nr; i++) {
		p[i] = cache_alloc_node(fh->heap, sizeclass_of(64), 64, GFP_KERNEL, other);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	for (i = 0; i < nr; i++)
		goalloc_heap_free(fh->heap, p[i]);
	migrate_enable();
	cache_drain_all(fh->heap);
	visits = numa_visits(fh, &frees);
	KUNIT_EXPECT_EQ(test, (u64)nr, frees);
	/* Idle caches may be drained in between. */
	KUNIT_EXPECT_GE(test, visits, (u64)DIV_ROUND_UP(nr, REMOTE_MAX_OBJS));
	KUNIT_EXPECT_LE(test, visits, (u64)DIV_ROUND_UP(nr, REMOTE_MAX_OBJS) + 4);
	KUNIT_EXPECT_EQ(test, 0U, fh->heap->node[other]->central[sizeclass_of(64)].nr_spans);
	fake_heap_check(test, fh);
	fake_heap_destroy(test, fh);
}

/* All bins and nodes mixed: nothing is lost, the books are right at every step. */
static void numa_mixed(struct kunit *test)
{
	struct fake_heap *fh = numa_heap(test, numa_pairs, NULL);
	unsigned int nr = 300, i;
	void **p = kunit_kcalloc(test, nr, sizeof(*p), GFP_KERNEL);
	struct cache_remote *remote;
	struct node_stats ns;
	u64 frees;
	int nid;

	KUNIT_ASSERT_NOT_NULL(test, p);
	migrate_disable();
	goalloc_heap_free(fh->heap, goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL));
	for (i = 0; i < nr; i++) {
		p[i] = cache_alloc_node(fh->heap, 1 + i * 7 % 40, 8, GFP_KERNEL, i % NR_NODES);
		KUNIT_ASSERT_NOT_NULL(test, p[i]);
	}
	preempt_disable();
	remote = &cache_get(fh->heap)->remote;
	preempt_enable();
	for (i = 0; i < nr; i++) {
		goalloc_heap_free(fh->heap, p[i]);
		KUNIT_EXPECT_LT(test, (unsigned int)remote->count, REMOTE_MAX_OBJS);
		KUNIT_EXPECT_LT(test, remote->bytes, CACHE_CAP_REMOTE_BYTES);
		if (i % 16 == 0)
			fake_heap_check(test, fh);
	}
	migrate_enable();
	fake_heap_check(test, fh);
	cache_drain_all(fh->heap);
	fake_heap_check(test, fh);
	numa_visits(fh, &frees);
	KUNIT_EXPECT_EQ(test, (u64)nr * (NR_NODES - 1) / NR_NODES, frees);
	for (nid = 0; nid < NR_NODES; nid++) {
		stats_node(fh->heap->node[nid], &ns);
		KUNIT_EXPECT_EQ(test, 0ULL, ns.small);
		KUNIT_EXPECT_EQ(test, ns.held, ns.free);
		KUNIT_EXPECT_EQ(test, ns.held, ns.grown - ns.released);
	}
	fake_heap_destroy(test, fh);
}

/* Large among the small go home at once: they would fill the list alone. */
static void numa_big(struct kunit *test)
{
	struct fake_heap *fh = numa_heap(test, numa_line, NULL);
	struct node_stats ns;
	unsigned int i;
	void *p;
	int other;

	migrate_disable();
	goalloc_heap_free(fh->heap, goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL));
	other = (numa_local(fh) + 1) % NR_NODES;
	for (i = 1; i <= 5; i++) {
		p = cache_alloc_node(fh->heap, GOALLOC_NR_BINS - 1, 32768, GFP_KERNEL, other);
		KUNIT_ASSERT_NOT_NULL(test, p);
		goalloc_heap_free(fh->heap, p);
		stats_node(fh->heap->node[other], &ns);
		KUNIT_EXPECT_EQ(test, (u64)i, ns.remote_frees);
		KUNIT_EXPECT_EQ(test, 0ULL, ns.small);
	}
	migrate_enable();
	fake_heap_check(test, fh);
	fake_heap_destroy(test, fh);
}

#define STORM_OBJS 4000

struct numa_storm {
	struct fake_heap *fh;
	void *obj[CREW_FULL][64];
	atomic_t failed;
};

/* Everybody allocates everywhere and frees what the others left. */
static void numa_storm_member(void *arg, unsigned int member)
{
	struct numa_storm *storm = arg;
	unsigned int i;

	for (i = 0; i < STORM_OBJS; i++) {
		void **place = &storm->obj[(member + i) % CREW_FULL][i * 13 % 64];
		void *p = cache_alloc_node(storm->fh->heap, 1 + i % 20, 8, GFP_KERNEL,
					   (member + i) % NR_NODES);

		if (!p) {
			atomic_inc(&storm->failed);
			continue;
		}
		p = xchg(place, p);
		goalloc_heap_free(storm->fh->heap, p);
	}
}

static void numa_crew(struct kunit *test)
{
	struct fake_heap *fh = numa_heap(test, numa_line, NULL);
	struct numa_storm *storm = kunit_kzalloc(test, sizeof(*storm), GFP_KERNEL);
	struct goalloc_stats st;
	unsigned int i, j;
	u64 frees;

	KUNIT_ASSERT_NOT_NULL(test, storm);
	storm->fh = fh;
	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, numa_storm_member, storm));
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&storm->failed));
	fake_heap_check(test, fh);
	for (i = 0; i < CREW_FULL; i++)
		for (j = 0; j < ARRAY_SIZE(storm->obj[i]); j++)
			goalloc_heap_free(fh->heap, storm->obj[i][j]);
	fake_heap_check(test, fh);
	goalloc_heap_stats(fh->heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, (u64)CREW_FULL * STORM_OBJS, st.frees);
	KUNIT_EXPECT_EQ(test, 0ULL, st.bad_frees);
	cache_drain_all(fh->heap);
	KUNIT_EXPECT_GT(test, numa_visits(fh, &frees), 0ULL);
	KUNIT_EXPECT_GT(test, frees, (u64)STORM_OBJS);
	fake_heap_check(test, fh);
	fake_heap_destroy(test, fh);
}

/* A node that has lost its memory: others serve it; when it is back, it does. */
static void numa_gone(struct kunit *test)
{
	struct fake_heap *fh = numa_heap(test, numa_line, NULL);
	struct goalloc_heap *heap = fh->heap;
	void *mine, *p;
	int local, near;

	migrate_disable();
	local = numa_local(fh);
	near = node_order_nid(&fh->fake.space.order, local, 1);
	mine = goalloc_heap_alloc(heap, 64, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mine);
	KUNIT_EXPECT_EQ(test, local, numa_nid(fh, mine));

	WRITE_ONCE(heap->node[local]->gone, true);
	KUNIT_EXPECT_PTR_EQ(test, heap->node[near], heap_node_of(heap, local));
	/* The next slow path moves the cache. */
	p = goalloc_heap_alloc(heap, 1000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, near, numa_nid(fh, p));
	goalloc_heap_free(heap, p);
	p = goalloc_heap_alloc(heap, 50000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, near, numa_nid(fh, p));
	goalloc_heap_free(heap, p);
	/* What was handed out before goes home all the same. */
	goalloc_heap_free(heap, mine);
	fake_heap_check(test, fh);

	/* Nodes of which none is left are not looked at in vain. */
	WRITE_ONCE(heap->node[near]->gone, true);
	KUNIT_EXPECT_PTR_EQ(test, heap->node[node_order_nid(&fh->fake.space.order, local, 2)],
			    heap_node_of(heap, local));

	WRITE_ONCE(heap->node[near]->gone, false);
	WRITE_ONCE(heap->node[local]->gone, false);
	KUNIT_EXPECT_PTR_EQ(test, heap->node[local], heap_node_of(heap, local));
	p = goalloc_heap_alloc(heap, 2000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, local, numa_nid(fh, p));
	goalloc_heap_free(heap, p);
	migrate_enable();
	fake_heap_check(test, fh);
	cache_drain_all(heap);
	KUNIT_EXPECT_EQ(test, 0U, heap->node[local]->central[sizeclass_of(64)].nr_spans);
	fake_heap_destroy(test, fh);
}

/*
 * Where a node stands in for one without memory, the next ones are those that are
 * near the latter.
 */
static void numa_stand_in(struct kunit *test)
{
	static const u8 distance[NR_NODES][FAKE_MAX_NODES] = {
		{ 10, 12, 24, 32 },
		{ 12, 10, 32, 20 },
		{ 24, 32, 10, 40 },
		{ 32, 20, 40, 10 },
	};
	struct fake_heap *fh = numa_heap(test, distance, NULL);
	struct goalloc_heap *heap = fh->heap;
	unsigned int i;
	void *p;

	WRITE_ONCE(heap->node[0]->gone, true);
	KUNIT_EXPECT_PTR_EQ(test, heap->node[1], heap_node_of(heap, 0));
	numa_use_up(test, fh, 1);
	for (i = 0; i < 3; i++) {
		p = numa_page(fh, 0, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, 2, numa_nid(fh, p));
		p = cache_alloc_past(heap, 20 + i, 8, GFP_KERNEL, 0);
		KUNIT_ASSERT_NOT_NULL(test, p);
		KUNIT_EXPECT_EQ(test, 2, numa_nid(fh, p));
	}
	WRITE_ONCE(heap->node[0]->gone, false);
	fake_heap_check(test, fh);
	fake_heap_destroy(test, fh);
}

/* The file nodes has each node's numbers, and they add up. */
static void numa_file(struct kunit *test)
{
	struct fake_heap *fh = numa_heap(test, numa_line, NULL);
	char *text = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct seq_file m = { .buf = text, .size = PAGE_SIZE - 1 };
	u64 held, large, small, pcache, free, grown, released, frees, visits;
	unsigned int rows = 0;
	char memory[8], near[40];
	char *line, *rest;
	int nid, got;
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (nid = 0; nid < NR_NODES; nid++) {
		p = cache_alloc_node(fh->heap, 10, 8, GFP_KERNEL, nid);
		KUNIT_ASSERT_NOT_NULL(test, p);
		goalloc_heap_free(fh->heap, p);
		KUNIT_ASSERT_NOT_NULL(test, cache_alloc_node(fh->heap, 30, 8, GFP_KERNEL, nid));
		KUNIT_ASSERT_NOT_NULL(test, numa_page(fh, nid, GFP_KERNEL));
	}
	WRITE_ONCE(fh->heap->node[2]->gone, true);
	debugfs_show_nodes(&m, fh->heap);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (*line != ' ')
			continue;
		got = sscanf(line, "%d %7s %llu %llu %llu %llu %llu %llu %llu %llu %llu %39[^\n]",
			     &nid, memory, &held, &large, &small, &pcache, &free,
			     &grown, &released, &frees, &visits, near);
		KUNIT_ASSERT_EQ_MSG(test, 12, got, "%s", line);
		KUNIT_EXPECT_EQ(test, (int)rows, nid);
		KUNIT_EXPECT_STREQ(test, nid == 2 ? "no" : "yes", (const char *)memory);
		KUNIT_EXPECT_EQ(test, held, large + small + pcache + free);
		KUNIT_EXPECT_EQ(test, held, grown - released);
		KUNIT_EXPECT_EQ(test, (u64)GOALLOC_PAGE_SIZE, large);
		KUNIT_EXPECT_GT(test, small, 0ULL);
		if (nid == 0)
			KUNIT_EXPECT_STREQ(test, "0:10 1:20 3:40 ", (const char *)near);
		rows++;
	}
	KUNIT_EXPECT_EQ(test, (unsigned int)NR_NODES, rows);
	WRITE_ONCE(fh->heap->node[2]->gone, false);
	fake_heap_destroy(test, fh);
}

static struct kunit_case numa_cases[] = {
	KUNIT_CASE(numa_order),
	KUNIT_CASE(numa_sort_again),
	KUNIT_CASE(numa_fallback),
	KUNIT_CASE(numa_fallback_small),
	KUNIT_CASE(numa_near_before_free),
	KUNIT_CASE(numa_thisnode),
	KUNIT_CASE(numa_strict_heap),
	KUNIT_CASE(numa_local_cache),
	KUNIT_CASE(numa_batches),
	KUNIT_CASE(numa_mixed),
	KUNIT_CASE(numa_big),
	KUNIT_CASE(numa_crew),
	KUNIT_CASE(numa_gone),
	KUNIT_CASE(numa_stand_in),
	KUNIT_CASE(numa_file),
	{}
};

static struct kunit_suite numa_suite = {
	.name = "goalloc_numa",
	.test_cases = numa_cases,
};

kunit_test_suites(&numa_suite);
