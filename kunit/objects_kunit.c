// SPDX-License-Identifier: GPL-2.0-only
/*
 * Object caches: what they promise about objects that are free.
 */
#include <kunit/test.h>
#include <linux/cache.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include <goalloc_objects.h>
#include <goalloc_stats.h>

#include "compat.h"
#include "crew.h"
#include "listen.h"

#define MAGIC 0x60a110c0U

struct thing {
	u32 magic;
	u32 mark;
	u8 rest[92];
};

static atomic_t objects_made;

static void objects_ctor(void *p)
{
	struct thing *t = p;

	memset(t, 0xa5, sizeof(*t));
	t->magic = MAGIC;
	t->mark = 0;
	atomic_inc(&objects_made);
}

static struct goalloc_objects *objects_make(struct kunit *test, unsigned int flags,
					    void (*ctor)(void *))
{
	struct goalloc_objects_attr attr = {
		.size = sizeof(struct thing),
		.flags = flags,
		.ctor = ctor,
	};
	struct goalloc_objects *objects = goalloc_objects_create("things", &attr);

	KUNIT_ASSERT_FALSE(test, IS_ERR(objects));
	return objects;
}

static void objects_exit(struct kunit *test)
{
	listen_stop();
}

#define THINGS 500

static void objects_fill(struct kunit *test, struct goalloc_objects *objects,
			 struct thing **t)
{
	int i;

	for (i = 0; i < THINGS; i++) {
		t[i] = goalloc_objects_alloc(objects, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t[i]);
	}
}

static void objects_clear(struct goalloc_objects *objects, struct thing **t)
{
	int i;

	for (i = 0; i < THINGS; i++)
		goalloc_objects_free(objects, t[i]);
}

static struct thing **objects_array(struct kunit *test)
{
	struct thing **t = kunit_kcalloc(test, THINGS, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	return t;
}

/* Constructed once, and handed out as they were freed. */
static void objects_constructed_once(struct kunit *test)
{
	struct goalloc_objects *objects;
	struct thing **t = objects_array(test);
	int i, made, marked = 0;

	atomic_set(&objects_made, 0);
	objects = objects_make(test, 0, objects_ctor);
	objects_fill(test, objects, t);
	made = atomic_read(&objects_made);
	KUNIT_EXPECT_GE(test, made, THINGS);
	for (i = 0; i < THINGS; i++) {
		KUNIT_ASSERT_EQ(test, MAGIC, t[i]->magic);
		KUNIT_ASSERT_EQ(test, 0U, t[i]->mark);
		t[i]->mark = 1;
	}
	/* One stays, so that its neighbours' span does. */
	for (i = 1; i < THINGS; i++)
		goalloc_objects_free(objects, t[i]);
	for (i = 1; i < THINGS; i++) {
		t[i] = goalloc_objects_alloc(objects, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t[i]);
		KUNIT_ASSERT_EQ(test, MAGIC, t[i]->magic);
		marked += t[i]->mark;
	}
	KUNIT_EXPECT_GT(test, marked, 0);
	/* Every object that was not marked was constructed since. */
	KUNIT_EXPECT_LE(test, THINGS - 1 - marked, atomic_read(&objects_made) - THINGS);
	objects_clear(objects, t);
	KUNIT_EXPECT_EQ(test, 0, goalloc_objects_destroy(objects));
}

/* The memory of a span that went is constructed when it comes again. */
static void objects_constructed_again(struct kunit *test)
{
	struct goalloc_objects *objects = objects_make(test, 0, objects_ctor);
	struct thing **t = objects_array(test);
	int i, round;

	for (round = 0; round < 3; round++) {
		objects_fill(test, objects, t);
		for (i = 0; i < THINGS; i++) {
			KUNIT_ASSERT_EQ(test, MAGIC, t[i]->magic);
			/* Not how an object is to be freed; but it shows what was made. */
			if (round == 1)
				t[i]->magic = 0;
		}
		objects_clear(objects, t);
		if (round == 1) {
			goalloc_flush(goalloc_objects_heap(objects));
			goalloc_scavenge(goalloc_objects_heap(objects), U64_MAX);
		}
	}
	KUNIT_EXPECT_EQ(test, 0, goalloc_objects_destroy(objects));
}

static noinline void *objects_zeroed(struct goalloc_objects *objects)
{
	return goalloc_objects_alloc(objects, GFP_KERNEL | __GFP_ZERO);
}

static void objects_zeros(struct kunit *test)
{
	struct goalloc_objects *objects = objects_make(test, 0, objects_ctor);
	struct thing *t;

	listen_start(test);
	KUNIT_EXPECT_NULL(test, objects_zeroed(objects));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("objects of things have a constructor"));
	listen_stop();
	KUNIT_EXPECT_EQ(test, 0, goalloc_objects_destroy(objects));

	objects = objects_make(test, GOALLOC_OBJECTS_TYPESAFE, NULL);
	t = goalloc_objects_alloc(objects, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	memset(t, 0xff, sizeof(*t));
	goalloc_objects_free(objects, t);
	t = objects_zeroed(objects);
	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_EXPECT_NULL(test, memchr_inv(t, 0, sizeof(*t)));
	goalloc_objects_free(objects, t);
	KUNIT_EXPECT_EQ(test, 0, goalloc_objects_destroy(objects));
}

/*
 * While somebody reads, an object that was freed stays an object of the cache, with
 * what is in it, whatever is done to get rid of its pages; then they go.
 */
static void objects_typesafe(struct kunit *test)
{
	struct goalloc_objects *objects = objects_make(test, GOALLOC_OBJECTS_TYPESAFE,
						       objects_ctor);
	struct goalloc_heap *heap = goalloc_objects_heap(objects);
	struct thing **t = objects_array(test);
	struct goalloc_stats st;
	bool kept = true, owned = true;
	u64 held;
	int i;

	objects_fill(test, objects, t);
	goalloc_heap_stats(heap, &st);
	held = st.sys_bytes;
	KUNIT_EXPECT_GE(test, held, (u64)THINGS * sizeof(**t));

	/* Needs no sleep, and the CPU's own caches are all there is. */
	rcu_read_lock();
	objects_clear(objects, t);
	for (i = 0; i < THINGS; i++) {
		owned = owned && goalloc_owns(t[i]);
		kept = kept && READ_ONCE(t[i]->magic) == MAGIC;
	}
	goalloc_heap_stats(heap, &st);
	rcu_read_unlock();
	KUNIT_EXPECT_TRUE(test, owned);
	KUNIT_EXPECT_TRUE(test, kept);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, held, st.sys_bytes);
	/* Every byte is in a row, those of spans that wait as well. */
	KUNIT_EXPECT_EQ(test, st.sys_bytes,
			st.live_bytes + st.rounding_bytes + st.cached_bytes +
			st.central_bytes + st.tail_bytes + st.page_cache_bytes +
			st.free_bytes);
	/* 1 is that some of it was in use by then, which is the wait's end. */
	KUNIT_EXPECT_GE(test, goalloc_validate(heap), 0);

	goalloc_flush(heap);
	/* What waits is asked for by a callback; a work item ends it. */
	for (i = 0; i < 100; i++) {
		synchronize_rcu();
		goalloc_scavenge(heap, U64_MAX);
		goalloc_heap_stats(heap, &st);
		if (!st.sys_bytes)
			break;
		schedule_timeout_uninterruptible(1);
	}
	KUNIT_EXPECT_EQ(test, 0ULL, st.sys_bytes);
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(heap));
	KUNIT_EXPECT_EQ(test, 0, goalloc_objects_destroy(objects));
}

/* The end waits for what waits. */
static void objects_end_waits(struct kunit *test)
{
	struct goalloc_objects *objects = objects_make(test, GOALLOC_OBJECTS_TYPESAFE, NULL);
	struct thing **t = objects_array(test);

	objects_fill(test, objects, t);
	objects_clear(objects, t);
	KUNIT_EXPECT_EQ(test, 0, goalloc_objects_destroy(objects));
	KUNIT_EXPECT_FALSE(test, goalloc_owns(t[0]));
}

static void objects_aligned(struct kunit *test)
{
	struct goalloc_objects_attr attr = {};
	struct goalloc_objects *objects;
	size_t align, step;
	void *p[20];
	int i;

	for (align = 8; align <= PAGE_SIZE; align *= 2) {
		attr.size = align / 2 + 3;
		attr.align = align;
		objects = goalloc_objects_create("aligned", &attr);
		KUNIT_ASSERT_FALSE(test, IS_ERR(objects));
		KUNIT_EXPECT_EQ(test, attr.size, goalloc_objects_size(objects));
		KUNIT_ASSERT_EQ(test, ARRAY_SIZE(p),
				goalloc_objects_alloc_bulk(objects, GFP_KERNEL, ARRAY_SIZE(p), p));
		for (i = 0; i < ARRAY_SIZE(p); i++)
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p[i], align));
		goalloc_objects_free_bulk(objects, ARRAY_SIZE(p), p);
		KUNIT_EXPECT_EQ(test, 0, goalloc_objects_destroy(objects));
	}
	attr.align = 0;
	attr.flags = GOALLOC_OBJECTS_HWALIGN;
	for (step = cache_line_size(); step >= 8; step /= 2) {
		attr.size = step - 1;
		objects = goalloc_objects_create("lines", &attr);
		KUNIT_ASSERT_FALSE(test, IS_ERR(objects));
		p[0] = goalloc_objects_alloc(objects, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p[0]);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)p[0], step));
		goalloc_objects_free(objects, p[0]);
		KUNIT_EXPECT_EQ(test, 0, goalloc_objects_destroy(objects));
	}
}

/* Whole pages are constructed each time. */
static void objects_large(struct kunit *test)
{
	struct goalloc_objects_attr attr = {
		.size = GOALLOC_MAX_SMALL_SIZE + 1,
		.ctor = objects_ctor,
	};
	struct goalloc_objects *objects = goalloc_objects_create("large", &attr);
	struct thing *t;
	int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(objects));
	for (i = 0; i < 3; i++) {
		t = goalloc_objects_alloc(objects, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t);
		KUNIT_EXPECT_EQ(test, MAGIC, t->magic);
		t->magic = 0;
		goalloc_objects_free(objects, t);
	}
	KUNIT_EXPECT_EQ(test, 0, goalloc_objects_destroy(objects));
}

static noinline struct goalloc_objects *
objects_refused(const struct goalloc_objects_attr *attr, int which)
{
	return goalloc_objects_create("wrong", attr);
}

static void objects_bad(struct kunit *test)
{
	const struct goalloc_objects_attr wrong[] = {
		{ .size = 0 },
		{ .size = SIZE_MAX },
		{ .size = 8, .align = 24 },
		{ .size = 8, .align = 2 * PAGE_SIZE },
		{ .size = 8, .flags = 0x80 },
		{ .size = GOALLOC_MAX_SMALL_SIZE + 1, .flags = GOALLOC_OBJECTS_TYPESAFE },
		{ .size = 8, .gfp = __GFP_DMA | __GFP_DMA32 },
	};
	int i;

	listen_start(test);
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		KUNIT_EXPECT_EQ(test, (long)-EINVAL,
				PTR_ERR(objects_refused(&wrong[i], i)));
	KUNIT_EXPECT_EQ(test, (long)-EINVAL, PTR_ERR(objects_refused(NULL, i)));
	/* Of each call site the first is told. */
	KUNIT_EXPECT_EQ(test, 2U, listen_count("bad new heap at objects"));
	KUNIT_EXPECT_EQ(test, 2U, listen_heard());
	listen_stop();
	KUNIT_EXPECT_EQ(test, 0, goalloc_objects_destroy(NULL));
}

/* What is live at the end is told, by the name of the cache. */
static void objects_leak(struct kunit *test)
{
	struct goalloc_objects *objects = objects_make(test, 0, objects_ctor);
	struct goalloc_heap *heap = goalloc_objects_heap(objects);

	KUNIT_ASSERT_NOT_NULL(test, goalloc_objects_alloc(objects, GFP_KERNEL));
	listen_start(test);
	KUNIT_EXPECT_EQ(test, -EBUSY, goalloc_objects_destroy(objects));
	KUNIT_EXPECT_GE(test, listen_count("things"), 1U);
	listen_stop();
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
}

static void objects_storm_member(void *arg, unsigned int member)
{
	struct goalloc_objects *objects = arg;
	struct thing *t[64];
	unsigned int i, j;

	for (i = 0; i < 200; i++) {
		for (j = 0; j < ARRAY_SIZE(t); j++) {
			t[j] = goalloc_objects_alloc(objects, GFP_KERNEL);
			if (t[j] && t[j]->magic != MAGIC)
				atomic_set(&objects_made, -1000000000);
		}
		for (j = 0; j < ARRAY_SIZE(t); j++)
			goalloc_objects_free(objects, t[j]);
		cond_resched();
	}
}

/* Spans come and go on all CPUs; no object is ever seen before it is constructed. */
static void objects_storm(struct kunit *test)
{
	struct goalloc_objects *objects = objects_make(test, GOALLOC_OBJECTS_TYPESAFE,
						       objects_ctor);

	atomic_set(&objects_made, 0);
	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, objects_storm_member, objects));
	KUNIT_EXPECT_GT(test, atomic_read(&objects_made), 0);
	KUNIT_EXPECT_EQ(test, 0, goalloc_objects_destroy(objects));
}

static struct kunit_case objects_cases[] = {
	KUNIT_CASE(objects_constructed_once),
	KUNIT_CASE(objects_constructed_again),
	KUNIT_CASE(objects_zeros),
	KUNIT_CASE(objects_typesafe),
	KUNIT_CASE(objects_end_waits),
	KUNIT_CASE(objects_aligned),
	KUNIT_CASE(objects_large),
	KUNIT_CASE(objects_bad),
	KUNIT_CASE(objects_leak),
	KUNIT_CASE(objects_storm),
	{}
};

static struct kunit_suite objects_suite = {
	.name = "goalloc_objects",
	.exit = objects_exit,
	.test_cases = objects_cases,
};

kunit_test_suite(objects_suite);
