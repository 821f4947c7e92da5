// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints: each comes once for what it is about, with the fields that
 * it should have, and not for anything else. bad_free is in the misuse suites.
 */
#include <kunit/test.h>
#include <linux/sched.h>
#include <linux/string.h>

#include <goalloc.h>

#include "cache.h"
#include "fake_source.h"
#include "goalloc_trace.h"

#ifdef CONFIG_TRACEPOINTS

/* The last events of each kind that the test's own thread caused. */
struct trace_seen {
	struct task_struct *task;
	unsigned int allocs, frees, span_allocs, span_frees, refills, flushes;
	unsigned int grows, scavenges;
	struct {
		unsigned long site;
		const void *ptr;
		size_t asked, usable;
		gfp_t gfp;
		int node;
	} alloc;
	struct {
		unsigned long site;
		const void *ptr;
	} free;
	const struct goalloc_span *span;
	u64 span_page;
	const struct goalloc_central *central;
	u32 objects, slots;
	bool remote;
	const struct heap_node *node;
	u64 page, npages, scavenged;
};

static bool trace_mine(const struct trace_seen *seen)
{
	return in_task() && current == seen->task;
}

static void trace_on_alloc(void *data, unsigned long site, const void *ptr, size_t asked,
			   size_t usable, gfp_t gfp, int node)
{
	struct trace_seen *seen = data;

	if (!trace_mine(seen))
		return;
	seen->allocs++;
	seen->alloc.site = site;
	seen->alloc.ptr = ptr;
	seen->alloc.asked = asked;
	seen->alloc.usable = usable;
	seen->alloc.gfp = gfp;
	seen->alloc.node = node;
}

static void trace_on_free(void *data, unsigned long site, const void *ptr)
{
	struct trace_seen *seen = data;

	if (!trace_mine(seen))
		return;
	seen->frees++;
	seen->free.site = site;
	seen->free.ptr = ptr;
}

static void trace_on_span_alloc(void *data, const struct goalloc_span *span)
{
	struct trace_seen *seen = data;

	if (!trace_mine(seen))
		return;
	seen->span_allocs++;
	seen->span = span;
	seen->span_page = span->page;
}

static void trace_on_span_free(void *data, const struct goalloc_span *span)
{
	struct trace_seen *seen = data;

	if (!trace_mine(seen))
		return;
	seen->span_frees++;
	seen->span = span;
	seen->span_page = span->page;
}

static void trace_on_refill(void *data, const struct goalloc_central *central, u32 objects,
			    u32 slots)
{
	struct trace_seen *seen = data;

	if (!trace_mine(seen))
		return;
	seen->refills++;
	seen->central = central;
	seen->objects = objects;
	seen->slots = slots;
}

static void trace_on_flush(void *data, const struct goalloc_central *central, u32 objects,
			   bool remote)
{
	struct trace_seen *seen = data;

	if (!trace_mine(seen))
		return;
	seen->flushes++;
	seen->central = central;
	seen->objects = objects;
	seen->remote = remote;
}

static void trace_on_grow(void *data, const struct heap_node *node, u64 page, u64 npages)
{
	struct trace_seen *seen = data;

	if (!trace_mine(seen))
		return;
	seen->grows++;
	seen->node = node;
	seen->page = page;
	seen->npages = npages;
}

static void trace_on_scavenge(void *data, const struct heap_node *node, u64 page, u64 npages)
{
	struct trace_seen *seen = data;

	if (!trace_mine(seen))
		return;
	seen->scavenges++;
	seen->node = node;
	seen->page = page;
	seen->scavenged += npages;
}

static struct trace_seen trace_seen;

static int trace_init(struct kunit *test)
{
	struct trace_seen *seen = &trace_seen;

	memset(seen, 0, sizeof(*seen));
	seen->task = current;
	test->priv = fake_heap_create(test, 2048, 2);
	KUNIT_EXPECT_EQ(test, 0, register_trace_alloc(trace_on_alloc, seen));
	KUNIT_EXPECT_EQ(test, 0, register_trace_free(trace_on_free, seen));
	KUNIT_EXPECT_EQ(test, 0, register_trace_span_alloc(trace_on_span_alloc, seen));
	KUNIT_EXPECT_EQ(test, 0, register_trace_span_free(trace_on_span_free, seen));
	KUNIT_EXPECT_EQ(test, 0, register_trace_refill(trace_on_refill, seen));
	KUNIT_EXPECT_EQ(test, 0, register_trace_flush(trace_on_flush, seen));
	KUNIT_EXPECT_EQ(test, 0, register_trace_grow(trace_on_grow, seen));
	KUNIT_EXPECT_EQ(test, 0, register_trace_scavenge(trace_on_scavenge, seen));
	return 0;
}

static void trace_exit(struct kunit *test)
{
	struct trace_seen *seen = &trace_seen;

	unregister_trace_alloc(trace_on_alloc, seen);
	unregister_trace_free(trace_on_free, seen);
	unregister_trace_span_alloc(trace_on_span_alloc, seen);
	unregister_trace_span_free(trace_on_span_free, seen);
	unregister_trace_refill(trace_on_refill, seen);
	unregister_trace_flush(trace_on_flush, seen);
	unregister_trace_grow(trace_on_grow, seen);
	unregister_trace_scavenge(trace_on_scavenge, seen);
	tracepoint_synchronize_unregister();
	fake_heap_destroy(test, test->priv);
}

/* Is a call site in this function of the test's, or one that it was put into? */
#define trace_here(site) ({						\
	char here_[64], name_[64];					\
									\
	snprintf(here_, sizeof(here_), "%ps", (void *)_THIS_IP_);	\
	snprintf(name_, sizeof(name_), "%ps", (void *)(site));		\
	!strcmp(here_, name_);						\
})

static void trace_expect_alloc(struct kunit *test, unsigned int nr, const void *p,
			       size_t asked, size_t usable, gfp_t gfp, int node)
{
	struct trace_seen *seen = &trace_seen;

	KUNIT_EXPECT_EQ(test, nr, seen->allocs);
	KUNIT_EXPECT_PTR_EQ(test, p, seen->alloc.ptr);
	KUNIT_EXPECT_EQ(test, asked, seen->alloc.asked);
	KUNIT_EXPECT_EQ(test, usable, seen->alloc.usable);
	KUNIT_EXPECT_EQ(test, (__force u32)gfp, (__force u32)seen->alloc.gfp);
	KUNIT_EXPECT_EQ(test, node, seen->alloc.node);
}

/* Every function that allocates says so once, and so does each that frees. */
static void trace_api(struct kunit *test)
{
	struct trace_seen *seen = &trace_seen;
	void *p, *q, *bulk[3];

	p = goalloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	trace_expect_alloc(test, 1, p, 100, gosize(p), GFP_KERNEL, NUMA_NO_NODE);
	KUNIT_EXPECT_TRUE(test, trace_here(seen->alloc.site));
	gofree(p);
	KUNIT_EXPECT_EQ(test, 1U, seen->frees);
	KUNIT_EXPECT_PTR_EQ(test, (const void *)p, seen->free.ptr);
	KUNIT_EXPECT_TRUE(test, trace_here(seen->free.site));

	p = goalloc_node(200, GFP_ATOMIC, 0);
	trace_expect_alloc(test, 2, p, 200, gosize(p), GFP_ATOMIC, 0);
	KUNIT_EXPECT_TRUE(test, trace_here(seen->alloc.site));
	q = goalloc_aligned(24, 4096, GFP_KERNEL);
	trace_expect_alloc(test, 3, q, 24, gosize(q), GFP_KERNEL, NUMA_NO_NODE);
	KUNIT_EXPECT_TRUE(test, trace_here(seen->alloc.site));
	gofree(q);
	gofree(p);
	p = goalloc_tiny(5, GFP_KERNEL);
	trace_expect_alloc(test, 4, p, 5, gosize(p), GFP_KERNEL, NUMA_NO_NODE);
	KUNIT_EXPECT_TRUE(test, trace_here(seen->alloc.site));
	gofree(p);
	KUNIT_EXPECT_EQ(test, 4U, seen->frees);
	p = goalloc(100000, GFP_KERNEL | __GFP_ZERO);
	trace_expect_alloc(test, 5, p, 100000, round_up(100000, GOALLOC_PAGE_SIZE),
			   GFP_KERNEL | __GFP_ZERO, NUMA_NO_NODE);
	gofree(p);
	/* Nothing to free is not worth a word; nothing to be had is. */
	gofree(NULL);
	gofree(ZERO_SIZE_PTR);
	KUNIT_EXPECT_EQ(test, 5U, seen->frees);
	p = goalloc(0, GFP_KERNEL);
	trace_expect_alloc(test, 6, ZERO_SIZE_PTR, 0, 0, GFP_KERNEL, NUMA_NO_NODE);

	KUNIT_ASSERT_EQ(test, (size_t)3, goalloc_bulk(64, GFP_KERNEL, 3, bulk));
	trace_expect_alloc(test, 9, bulk[2], 64, gosize(bulk[2]), GFP_KERNEL, NUMA_NO_NODE);
	gofree_bulk(3, bulk);
	KUNIT_EXPECT_EQ(test, 8U, seen->frees);
	KUNIT_EXPECT_PTR_EQ(test, (const void *)bulk[2], seen->free.ptr);
	/* One that is moved is one allocated and one freed; the other is neither. */
	p = goalloc(100, GFP_KERNEL);
	q = gorealloc(p, 90, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, 10U, seen->allocs);
	p = gorealloc(q, 9000, GFP_KERNEL);
	trace_expect_alloc(test, 11, p, 9000, gosize(p), GFP_KERNEL, NUMA_NO_NODE);
	KUNIT_EXPECT_EQ(test, 9U, seen->frees);
	KUNIT_EXPECT_PTR_EQ(test, (const void *)q, seen->free.ptr);
	gofree(p);
}

/* Spans and the pages they come from, of a private heap. */
static void trace_spans(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct trace_seen *seen = &trace_seen;
	struct goalloc_span *span;
	u64 nr_out;
	void *p;

	p = goalloc_heap_alloc(fh->heap, 100000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, 1U, seen->allocs);
	span = pagemap_span(&fh->heap->space->map, (unsigned long)p);
	KUNIT_EXPECT_EQ(test, 1U, seen->span_allocs);
	KUNIT_EXPECT_PTR_EQ(test, (const struct goalloc_span *)span, seen->span);
	KUNIT_EXPECT_EQ(test, span->page, seen->span_page);
	KUNIT_EXPECT_EQ(test, 1U, seen->grows);
	KUNIT_EXPECT_PTR_EQ(test, (const struct heap_node *)span->home, seen->node);
	KUNIT_EXPECT_EQ(test, fh->fake.nr_out, seen->npages);
	KUNIT_EXPECT_LE(test, seen->page, span->page);
	KUNIT_EXPECT_GE(test, seen->page + seen->npages, span->page + span->npages);
	goalloc_heap_free(fh->heap, p);
	KUNIT_EXPECT_EQ(test, 1U, seen->span_frees);
	KUNIT_EXPECT_PTR_EQ(test, (const struct goalloc_span *)span, seen->span);

	nr_out = fh->fake.nr_out;
	KUNIT_EXPECT_EQ(test, 0U, seen->scavenges);
	goalloc_scavenge(fh->heap, U64_MAX);
	KUNIT_EXPECT_GT(test, seen->scavenges, 0U);
	KUNIT_EXPECT_EQ(test, nr_out - fh->fake.nr_out, seen->scavenged);
	KUNIT_EXPECT_GT(test, seen->scavenged, 0ULL);
}

/* The way of small objects between cache and central. */
static void trace_batches(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct trace_seen *seen = &trace_seen;
	unsigned int class = sizeclass_of(64), i, nr = sizeclass_objs[class] + 1;
	void **obj = kunit_kcalloc(test, nr, sizeof(*obj), GFP_KERNEL);
	u32 flushed;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	obj[0] = goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj[0]);
	/* It asked, there was nothing, and it got a new span. */
	KUNIT_EXPECT_GT(test, seen->refills, 0U);
	KUNIT_EXPECT_EQ(test, class, (unsigned int)seen->central->bin);
	KUNIT_EXPECT_PTR_EQ(test, fh->heap, seen->central->home->heap);
	KUNIT_EXPECT_EQ(test, 0U, seen->objects);
	KUNIT_EXPECT_EQ(test, 0U, seen->slots);
	KUNIT_EXPECT_EQ(test, 1U, seen->span_allocs);
	KUNIT_EXPECT_EQ(test, class, (unsigned int)seen->span->bin);
	for (i = 1; i < nr; i++) {
		obj[i] = goalloc_heap_alloc(fh->heap, 64, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, obj[i]);
	}
	KUNIT_EXPECT_EQ(test, 0U, seen->flushes);
	for (i = 0; i < nr; i++)
		goalloc_heap_free(fh->heap, obj[i]);
	KUNIT_EXPECT_GT(test, seen->flushes, 0U);
	KUNIT_EXPECT_EQ(test, class, (unsigned int)seen->central->bin);
	KUNIT_EXPECT_GT(test, seen->objects, 0U);
	KUNIT_EXPECT_FALSE(test, seen->remote);
	KUNIT_EXPECT_EQ(test, nr, seen->allocs);
	KUNIT_EXPECT_EQ(test, nr, seen->frees);

	/* What a central has is what a refill gets. */
	seen->flushes = 0;
	cache_drain_all(fh->heap);
	KUNIT_EXPECT_GT(test, seen->span_frees, 0U);
	flushed = seen->flushes;
	KUNIT_EXPECT_GT(test, flushed, 0U);
}

/* Once nobody listens any more, nothing comes. */
static void trace_off(struct kunit *test)
{
	struct trace_seen *seen = &trace_seen;

	KUNIT_EXPECT_TRUE(test, trace_alloc_enabled());
	unregister_trace_alloc(trace_on_alloc, seen);
	unregister_trace_free(trace_on_free, seen);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_FALSE(test, trace_alloc_enabled());
	gofree(goalloc(100, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 0U, seen->allocs);
	KUNIT_EXPECT_EQ(test, 0U, seen->frees);
	KUNIT_EXPECT_EQ(test, 0, register_trace_alloc(trace_on_alloc, seen));
	KUNIT_EXPECT_EQ(test, 0, register_trace_free(trace_on_free, seen));
	gofree(goalloc(100, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 1U, seen->allocs);
	KUNIT_EXPECT_EQ(test, 1U, seen->frees);
}

static struct kunit_case trace_cases[] = {
	KUNIT_CASE(trace_api),
	KUNIT_CASE(trace_spans),
	KUNIT_CASE(trace_batches),
	KUNIT_CASE(trace_off),
	{}
};

static struct kunit_suite trace_suite = {
	.name = "goalloc_trace",
	.init = trace_init,
	.exit = trace_exit,
	.test_cases = trace_cases,
};

kunit_test_suites(&trace_suite);

#endif /* CONFIG_TRACEPOINTS */
