// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports: their exact words.
 *
 * Call sites are made up, a new one for each report, because a site is
 * reported only once.
 */
#include <kunit/test.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "cache.h"
#include "fake_source.h"
#include "listen.h"

static int report_suite_init(struct kunit *test)
{
	test->priv = fake_heap_create(test, 256, 1);
	return 0;
}

static void report_suite_exit(struct kunit *test)
{
	listen_stop();
	fake_heap_destroy(test, test->priv);
}

/* Some address in this module's code that was no call site before. */
static unsigned long report_site(void)
{
	static unsigned long used;

	return (unsigned long)report_suite_exit + used++;
}

/* Free @p from a new site, and expect to hear @what about it and no more. */
static void report_expect(struct kunit *test, struct goalloc_heap *heap, void *p,
			  const char *kind, const char *what)
{
	struct fake_heap *fh = test->priv;
	unsigned long site = report_site();
	char *want, raw[24];

	want = kunit_kzalloc(test, 2 * LISTEN_LEN, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, want);
	snprintf(want, LISTEN_LEN, "goalloc: bad free (%s) at %pS: %p, heap %s; refused\n", kind,
		 (void *)site, p, what);
	snprintf(raw, sizeof(raw), "%lx", (unsigned long)p);
	listen_start(test);
	cache_free(heap, &fh->fake.space.map, p, site);
	/* The same place again says nothing. */
	cache_free(heap, &fh->fake.space.map, p, site);
	KUNIT_EXPECT_EQ(test, 1U, listen_stop());
	/* Some kernels leave the newline on. */
	if (!strchr(listen_line(0), '\n'))
		want[strlen(want) - 1] = '\0';
	KUNIT_EXPECT_STREQ(test, (const char *)want, listen_line(0));
	KUNIT_EXPECT_EQ_MSG(test, 0U, listen_count(raw), "the address as it is");
}

/* Each kind of bad free, for each kind of span. */
static void report_bad_frees(struct kunit *test)
{
	struct fake_heap *fh = test->priv;
	struct goalloc_heap *other;
	char *small, *mate, *large, *tiny, *p;
	char *span;
	char text[160];

	other = heap_create("neighbour", NULL, &fh->fake.space);
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	span = goalloc_heap_alloc(fh->heap, 100, GFP_KERNEL);
	mate = goalloc_heap_alloc(fh->heap, 100, GFP_KERNEL);
	small = goalloc_heap_alloc(fh->heap, 100, GFP_KERNEL);
	large = goalloc_heap_alloc(fh->heap, 50000, GFP_KERNEL);
	tiny = tiny_alloc(fh->heap, 8, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, span);
	KUNIT_ASSERT_NOT_NULL(test, mate);
	KUNIT_ASSERT_NOT_NULL(test, small);
	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_ASSERT_NOT_NULL(test, tiny);

	report_expect(test, fh->heap, text, "foreign", /* the stack */
		      "test, is not goalloc memory; free it where it came from");
	report_expect(test, fh->heap, mate + 16, "interior",
		      "test, object 1 of a 112-byte small span, is inside an object; free its first byte");
	goalloc_heap_free(fh->heap, small);
	report_expect(test, fh->heap, small, "double",
		      "test, object 2 of a 112-byte small span, is free already; look for a second free of this object");
	snprintf(text, sizeof(text),
		 "test, object 0 of a %lu-byte large span, is inside an object; free its first byte",
		 round_up(50000UL, GOALLOC_PAGE_SIZE));
	report_expect(test, fh->heap, large + 8, "interior", text);
	snprintf(text, sizeof(text),
		 "test, object 0 of a %lu-byte large span, %s",
		 round_up(50000UL, GOALLOC_PAGE_SIZE),
		 "is of another heap; use goalloc_heap_free() with that one");
	report_expect(test, other, large, "wrong_heap", text);
	report_expect(test, other, mate, "wrong_heap",
		      "test, object 1 of a 112-byte small span, is of another heap; use goalloc_heap_free() with that one");
	report_expect(test, fh->heap, tiny + 3, "interior",
		      "test, object 0 of a 16-byte small span, is inside an object; free its first byte");
	goalloc_heap_free(fh->heap, tiny);
	report_expect(test, fh->heap, tiny, "double",
		      "test, object 0 of a 16-byte small span, is free already; look for a second free of this object");
	goalloc_heap_free(fh->heap, large);
	report_expect(test, fh->heap, large, "freed_span",
		      "test, is in pages freed before; look for a second free of this object");
	goalloc_heap_free(fh->heap, span);
	goalloc_heap_free(fh->heap, mate);
	/* The heap that it was tried on is named when none has it. */
	p = (char *)fh->fake.space.source.base - 8;
	report_expect(test, other, p, "foreign",
		      "neighbour, is not goalloc memory; free it where it came from");
	KUNIT_EXPECT_EQ(test, 0, heap_destroy(other, false));
}

/* The names that statistics use are those of the reports. */
static void report_names(struct kunit *test)
{
	static const char *const names[] = {
		"foreign", "interior", "double", "freed_span", "wrong_heap", "race",
	};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, (int)ARRAY_SIZE(names), (int)NR_BAD_FREES);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_STREQ(test, names[i], report_bad_free_name(i));
}

static struct kunit_case report_cases[] = {
	KUNIT_CASE(report_bad_frees),
	KUNIT_CASE(report_names),
	{}
};

static struct kunit_suite report_suite = {
	.name = "goalloc_report",
	.init = report_suite_init,
	.exit = report_suite_exit,
	.test_cases = report_cases,
};

kunit_test_suites(&report_suite);
