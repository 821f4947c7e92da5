// SPDX-License-Identifier: GPL-2.0-only
/*
 * Second frees, one bug per case: at once, from every context and CPU, after
 * the memory has gone home, and after it was used for something else.
 *
 * A fresh heap hands out slot 0, 1, 2 of a class in that order, and spans from
 * its lowest free pages.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "listen.h"
#include "misuse.h"

#define DOUBLE "is free already; look for a second free of this object"
#define DOUBLE_NMI "is free already, since an NMI; look for a second free of this object"
#define DOUBLE_SPAN "is in pages freed before; look for a second free of this object"
/* The fake page source has its pages from vmalloc(). */
#define DOUBLE_GIVEN_BACK "is vmalloc() memory; use vfree() or gokvfree()"

static struct goalloc_heap *double_heap(struct kunit *test)
{
	struct misuse *m = test->priv;

	return m->fh->heap;
}

static void double_again(struct kunit *test, void *p)
{
	misuse_watch(test, double_heap(test));
	misuse_free(double_heap(test), p);
}

static void double_at_once(struct kunit *test)
{
	void *mate = misuse_get(test, 112);
	void *p = misuse_get(test, 112);

	misuse_put(test, p);
	double_again(test, p);
	misuse_told(test, BAD_FREE_DOUBLE, p, ", object 1 of class 9 (112 bytes): " DOUBLE);
	misuse_put(test, mate);
}

static void double_smallest(struct kunit *test)
{
	void *mate = misuse_get(test, 8);
	void *p = misuse_get(test, 1);

	misuse_put(test, p);
	double_again(test, p);
	misuse_told(test, BAD_FREE_DOUBLE, p, ", object 1 of class 1 (8 bytes): " DOUBLE);
	misuse_put(test, mate);
}

/* A list keeps one of these, and so the span is there yet. */
static void double_largest_class(struct kunit *test)
{
	void *p = misuse_get(test, GOALLOC_MAX_SMALL_SIZE);

	misuse_put(test, p);
	double_again(test, p);
	misuse_told(test, BAD_FREE_DOUBLE, p, ", object 0 of class 67 (32768 bytes): " DOUBLE);
}

/* Other frees and allocations of the class in between. */
static void double_much_later(struct kunit *test)
{
	void *p[60];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p); i++)
		p[i] = misuse_get(test, 128);
	misuse_put(test, p[7]);
	for (i = 10; i < ARRAY_SIZE(p); i++)
		misuse_put(test, p[i]);
	double_again(test, p[7]);
	misuse_told(test, BAD_FREE_DOUBLE, p[7], ", object 7 of class 10 (128 bytes): " DOUBLE);
	for (i = 0; i < 10; i++)
		if (i != 7)
			misuse_put(test, p[i]);
}

/* No cache has it any more. */
static void double_in_central(struct kunit *test)
{
	void *mate = misuse_get(test, 112);
	void *p = misuse_get(test, 112);

	misuse_put(test, p);
	cache_drain_all(double_heap(test));
	double_again(test, p);
	misuse_told(test, BAD_FREE_DOUBLE, p, ", object 1 of class 9 (112 bytes): " DOUBLE);
	misuse_put(test, mate);
}

/* Nobody ever had it. */
static void double_never_had(struct kunit *test)
{
	char *p = misuse_get(test, 112);

	double_again(test, p + 5 * 112);
	misuse_told(test, BAD_FREE_DOUBLE, p + 5 * 112,
		    ", object 5 of class 9 (112 bytes): " DOUBLE);
	misuse_put(test, p);
}

static void double_tiny_first(struct kunit *test)
{
	void *p, *q;

	migrate_disable();
	p = misuse_get_tiny(test, 4);
	q = misuse_get_tiny(test, 4);
	misuse_put(test, p);
	double_again(test, p);
	misuse_told(test, BAD_FREE_DOUBLE, p, ", block 0 of tiny objects: " DOUBLE);
	misuse_put(test, q);
	migrate_enable();
}

static void double_tiny_second(struct kunit *test)
{
	char *p, *q;

	migrate_disable();
	p = misuse_get_tiny(test, 4);
	q = misuse_get_tiny(test, 6);
	KUNIT_EXPECT_PTR_EQ(test, p + 4, q);
	misuse_put(test, q);
	double_again(test, q);
	misuse_told(test, BAD_FREE_DOUBLE, q, ", block 0 of tiny objects: " DOUBLE);
	misuse_put(test, p);
	migrate_enable();
}

/* Of a block that is free as a whole. */
static void double_tiny_block(struct kunit *test)
{
	char *p;

	migrate_disable();
	p = misuse_get_tiny(test, 8);
	KUNIT_EXPECT_PTR_EQ(test, p + 8, (char *)misuse_get_tiny(test, 8));
	misuse_put(test, p);
	misuse_put(test, p + 8);
	double_again(test, p + 8);
	misuse_told(test, BAD_FREE_DOUBLE, p + 8, ", block 0 of tiny objects: " DOUBLE);
	migrate_enable();
}

/* It would clear what somebody else may have by now, if it went by its word. */
static void double_sensitive(struct kunit *test)
{
	char *mate, *p;

	mate = goalloc(4000, GFP_KERNEL);
	p = goalloc(4000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mate);
	KUNIT_ASSERT_NOT_NULL(test, p);
	gofree(p);
	cache_drain_all(goalloc_default);
	misuse_watch(test, goalloc_default);
	misuse_sensitive(p);
	if (goalloc_owns(p))
		misuse_told(test, BAD_FREE_DOUBLE, p,
			    ", object %u of class 44 (4096 bytes): " DOUBLE,
			    (unsigned int)(((unsigned long)p & (GOALLOC_PAGE_SIZE - 1)) / 4096));
	else
		misuse_told(test, BAD_FREE_SPAN, p, ": " DOUBLE_SPAN);
	gofree(mate);
}

static void double_realloc(struct kunit *test)
{
	void *p = goalloc(72, GFP_KERNEL);
	struct misuse *m = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, p);
	gofree(p);
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, misuse_realloc(p, 500));
	misuse_told(test, BAD_FREE_DOUBLE, p, ", object %u of class 7 (80 bytes): " DOUBLE,
		    m->event.slot);
}

static void double_realloc_zero(struct kunit *test)
{
	void *p = goalloc(72, GFP_KERNEL);
	struct misuse *m = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, p);
	gofree(p);
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, misuse_realloc(p, 0));
	misuse_told(test, BAD_FREE_DOUBLE, p, ", object %u of class 7 (80 bytes): " DOUBLE,
		    m->event.slot);
}

/* The same twice in one call: the first is freed, the second refused. */
static void double_in_bulk(struct kunit *test)
{
	struct misuse *m = test->priv;
	struct goalloc_stats st;
	void *p[4];
	u64 live;

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(p), goalloc_bulk(72, GFP_KERNEL, ARRAY_SIZE(p), p));
	gofree(p[3]);
	p[3] = p[1];
	goalloc_heap_stats(goalloc_default, &st);
	live = st.live_objects;
	misuse_watch(test, goalloc_default);
	misuse_bulk(ARRAY_SIZE(p), p);
	goalloc_heap_stats(goalloc_default, &st);
	KUNIT_EXPECT_EQ(test, live - 3, st.live_objects);
	shot_take(goalloc_default, &m->shot);
	m->shot.st.bad_frees--;
	m->shot.bad[BAD_FREE_DOUBLE]--;
	misuse_told(test, BAD_FREE_DOUBLE, p[1], ", object %u of class 7 (80 bytes): " DOUBLE,
		    m->event.slot);
}

/* Asking about it is no misuse: it has no size, and nothing is said. */
static void double_size(struct kunit *test)
{
	struct misuse *m = test->priv;
	void *p = goalloc(72, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	gofree(p);
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(p));
	misuse_silent(test, "gosize() of a free object");
	shot_expect_same(test, goalloc_default, &m->shot, "gosize()");
}

/* A free somewhere else. */
struct double_call {
	struct goalloc_heap *heap;
	void *p;
};

static void double_call(void *arg)
{
	struct double_call *call = arg;

	misuse_free(call->heap, call->p);
}

enum double_context { IN_TASK, IN_SOFTIRQ, IN_HARDIRQ, IN_NMI };

static void double_in(enum double_context context, struct double_call *call)
{
	switch (context) {
	case IN_TASK:
		double_call(call);
		break;
	case IN_SOFTIRQ:
		crew_in_softirq(double_call, call);
		break;
	case IN_HARDIRQ:
		crew_in_hardirq(double_call, call);
		break;
	case IN_NMI:
		crew_as_nmi(double_call, call);
		break;
	}
}

/* Freed in one context, freed again in another. */
static void double_contexts(struct kunit *test, enum double_context first,
			    enum double_context second, const char *text)
{
	void *mate = misuse_get(test, 112);
	void *p = misuse_get(test, 112);
	struct double_call call = { .heap = double_heap(test), .p = p };

	if (second == IN_NMI && !listen_hears_nmi()) {
		misuse_put(test, p);
		misuse_put(test, mate);
		kunit_skip(test, "this kernel cannot be listened to in NMI");
	}
	double_in(first, &call);
	misuse_watch(test, double_heap(test));
	double_in(second, &call);
	misuse_told(test, BAD_FREE_DOUBLE, p, ", object 1 of class 9 (112 bytes): %s", text);
	misuse_put(test, mate);
}

static void double_task_softirq(struct kunit *test)
{
	double_contexts(test, IN_TASK, IN_SOFTIRQ, DOUBLE);
}

static void double_task_hardirq(struct kunit *test)
{
	double_contexts(test, IN_TASK, IN_HARDIRQ, DOUBLE);
}

static void double_task_nmi(struct kunit *test)
{
	double_contexts(test, IN_TASK, IN_NMI, DOUBLE);
}

static void double_softirq_task(struct kunit *test)
{
	double_contexts(test, IN_SOFTIRQ, IN_TASK, DOUBLE);
}

static void double_softirq_hardirq(struct kunit *test)
{
	double_contexts(test, IN_SOFTIRQ, IN_HARDIRQ, DOUBLE);
}

static void double_hardirq_task(struct kunit *test)
{
	double_contexts(test, IN_HARDIRQ, IN_TASK, DOUBLE);
}

static void double_hardirq_softirq(struct kunit *test)
{
	double_contexts(test, IN_HARDIRQ, IN_SOFTIRQ, DOUBLE);
}

static void double_hardirq_hardirq(struct kunit *test)
{
	double_contexts(test, IN_HARDIRQ, IN_HARDIRQ, DOUBLE);
}

/* What was freed in NMI waits for somebody who may take a lock. */
static void double_nmi_task(struct kunit *test)
{
	double_contexts(test, IN_NMI, IN_TASK, DOUBLE_NMI);
}

static void double_nmi_nmi(struct kunit *test)
{
	double_contexts(test, IN_NMI, IN_NMI, DOUBLE_NMI);
}

/* A crew member frees if it is its turn. */
struct double_crew {
	struct double_call call;
	unsigned int member;
};

static void double_member(void *arg, unsigned int member)
{
	struct double_crew *crew = arg;

	if (member == crew->member)
		double_call(&crew->call);
}

static void double_on(struct kunit *test, unsigned int member, void *p)
{
	struct double_crew crew = {
		.call = { .heap = double_heap(test), .p = p },
		.member = member,
	};

	KUNIT_ASSERT_EQ(test, 0, crew_run(member + 1, double_member, &crew));
}

static void double_other_cpu(struct kunit *test)
{
	void *mate = misuse_get(test, 112);
	void *p = misuse_get(test, 112);

	double_on(test, 0, p);
	misuse_watch(test, double_heap(test));
	double_on(test, 1, p);
	misuse_told(test, BAD_FREE_DOUBLE, p, ", object 1 of class 9 (112 bytes): " DOUBLE);
	misuse_put(test, mate);
}

/* And the first CPU has given everything up meanwhile. */
static void double_other_cpu_drained(struct kunit *test)
{
	void *mate = misuse_get(test, 112);
	void *p = misuse_get(test, 112);

	double_on(test, 1, p);
	cache_drain_all(double_heap(test));
	misuse_watch(test, double_heap(test));
	double_on(test, 2, p);
	misuse_told(test, BAD_FREE_DOUBLE, p, ", object 1 of class 9 (112 bytes): " DOUBLE);
	misuse_put(test, mate);
}

/* With the last object the span went back to the page tree. */
static void double_span_released(struct kunit *test)
{
	void *p = misuse_get(test, 112);

	misuse_put(test, p);
	cache_drain_all(double_heap(test));
	double_again(test, p);
	misuse_told(test, BAD_FREE_SPAN, p, ": " DOUBLE_SPAN);
}

static void double_large(struct kunit *test)
{
	void *p = misuse_get(test, 50000);

	misuse_put(test, p);
	double_again(test, p);
	misuse_told(test, BAD_FREE_SPAN, p, ": " DOUBLE_SPAN);
}

static void double_large_inside(struct kunit *test)
{
	char *p = misuse_get(test, 50000);

	misuse_put(test, p);
	double_again(test, p + 40000);
	misuse_told(test, BAD_FREE_SPAN, p + 40000, ": " DOUBLE_SPAN);
}

static void double_large_nmi(struct kunit *test)
{
	void *p = misuse_get(test, 50000);
	struct double_call call = { .heap = double_heap(test), .p = p };

	misuse_put(test, p);
	if (!listen_hears_nmi())
		kunit_skip(test, "this kernel cannot be listened to in NMI");
	misuse_watch(test, double_heap(test));
	double_in(IN_NMI, &call);
	misuse_told(test, BAD_FREE_SPAN, p, ": " DOUBLE_SPAN);
}

/* The pages are the kernel's again: nobody knows what they were. */
static void double_given_back(struct kunit *test)
{
	void *p = misuse_get(test, 112);

	misuse_put(test, p);
	cache_drain_all(double_heap(test));
	heap_scavenge(double_heap(test)->node[0], U64_MAX, true);
	double_again(test, p);
	misuse_told(test, BAD_FREE_FOREIGN, p, ": " DOUBLE_GIVEN_BACK);
}

static struct kunit_case misuse_double_cases[] = {
	KUNIT_CASE(double_at_once),
	KUNIT_CASE(double_smallest),
	KUNIT_CASE(double_largest_class),
	KUNIT_CASE(double_much_later),
	KUNIT_CASE(double_in_central),
	KUNIT_CASE(double_never_had),
	KUNIT_CASE(double_tiny_first),
	KUNIT_CASE(double_tiny_second),
	KUNIT_CASE(double_tiny_block),
	KUNIT_CASE(double_sensitive),
	KUNIT_CASE(double_realloc),
	KUNIT_CASE(double_realloc_zero),
	KUNIT_CASE(double_in_bulk),
	KUNIT_CASE(double_size),
	KUNIT_CASE(double_task_softirq),
	KUNIT_CASE(double_task_hardirq),
	KUNIT_CASE(double_task_nmi),
	KUNIT_CASE(double_softirq_task),
	KUNIT_CASE(double_softirq_hardirq),
	KUNIT_CASE(double_hardirq_task),
	KUNIT_CASE(double_hardirq_softirq),
	KUNIT_CASE(double_hardirq_hardirq),
	KUNIT_CASE(double_nmi_task),
	KUNIT_CASE(double_nmi_nmi),
	KUNIT_CASE(double_other_cpu),
	KUNIT_CASE(double_other_cpu_drained),
	KUNIT_CASE(double_span_released),
	KUNIT_CASE(double_large),
	KUNIT_CASE(double_large_inside),
	KUNIT_CASE(double_large_nmi),
	KUNIT_CASE(double_given_back),
	{}
};

static struct kunit_suite misuse_double_suite = {
	.name = "goalloc_misuse_double",
	.init = misuse_init,
	.exit = misuse_exit,
	.test_cases = misuse_double_cases,
};

kunit_test_suites(&misuse_double_suite);
