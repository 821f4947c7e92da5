// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports: when they come and when not. Their words are asserted by the
 * misuse_*_kunit.c suites.
 *
 * Call sites are made up where many are needed.
 */
#include <kunit/test.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>

#include <goalloc.h>

#include "cache.h"
#include "listen.h"
#include "misuse.h"
#include "report_site.h"

static int report_static;

/* Some address in this module's code that was no call site before. */
static unsigned long report_made_up(unsigned int nr)
{
	return (unsigned long)report_made_up + nr;
}

/* The names that statistics and tracepoint use are those of the reports. */
static void report_names(struct kunit *test)
{
	static const char *const names[] = {
		"foreign", "interior", "misaligned", "double", "freed_span",
		"wrong_heap", "race", "ended",
	};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, (int)ARRAY_SIZE(names), (int)NR_BAD_FREES);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		KUNIT_EXPECT_STREQ(test, names[i], report_bad_free_name(i));
}

static noinline void report_site_a(void *p)
{
	gofree(p);
	barrier();
}

/* Not the same code, or the compiler makes one function of both. */
static noinline void report_site_b(void *p)
{
	barrier();
	goalloc_heap_free(goalloc_default, p);
	barrier();
}

/* A site speaks once; another one speaks for itself; all are counted. */
static void report_once_per_site(struct kunit *test)
{
	struct misuse *m = test->priv;
	unsigned int i;

	misuse_watch(test, goalloc_default);
	for (i = 0; i < 10; i++)
		report_site_a(&report_static);
	KUNIT_EXPECT_EQ(test, 1U, listen_heard());
	KUNIT_EXPECT_EQ(test, 1U, listen_count("bad free (foreign) at report_site_a"));
	for (i = 0; i < 10; i++) {
		report_site_b(&report_static);
		report_site_a(&report_static);
	}
	KUNIT_EXPECT_EQ(test, 2U, listen_heard());
	KUNIT_EXPECT_EQ(test, 1U, listen_count("bad free (foreign) at report_site_b"));
	KUNIT_EXPECT_EQ(test, 30, atomic_read(&m->events));
	shot_expect_refused(test, goalloc_default, &m->shot, BAD_FREE_FOREIGN, 30, "sites");
}

/* A site with another kind of bug speaks again. */
static void report_once_per_kind(struct kunit *test)
{
	char *p = goalloc(100, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	misuse_watch(test, goalloc_default);
	for (i = 0; i < 5; i++) {
		report_site_a(&report_static);
		report_site_a(p + 8);
		report_site_a(p + 9);
	}
	KUNIT_EXPECT_EQ(test, 3U, listen_heard());
	KUNIT_EXPECT_EQ(test, 1U, listen_count("bad free (foreign) at report_site_a"));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("bad free (interior) at report_site_a"));
	KUNIT_EXPECT_EQ(test, 1U, listen_count("bad free (misaligned) at report_site_a"));
	gofree(p);
}

/* Many sites at once: ten speak, the others when there is time again. */
static void report_rate(struct kunit *test)
{
	struct misuse *m = test->priv;
	struct goalloc_heap *heap = m->fh->heap;
	char site[KSYM_SYMBOL_LEN];
	unsigned int i;

	misuse_watch(test, heap);
	for (i = 0; i < 25; i++)
		report_bad_free(heap, &report_static, NULL, 0, BAD_FREE_FOREIGN,
				report_made_up(i));
	KUNIT_EXPECT_EQ(test, (unsigned int)DEFAULT_RATELIMIT_BURST, listen_heard());
	KUNIT_EXPECT_EQ(test, 25, atomic_read(&m->events));
	shot_expect_refused(test, heap, &m->shot, BAD_FREE_FOREIGN, 25, "many sites");

	report_site_age();
	report_bad_free(heap, &report_static, NULL, 0, BAD_FREE_FOREIGN, report_made_up(20));
	/* One that has spoken is not made to speak again by that. */
	report_bad_free(heap, &report_static, NULL, 0, BAD_FREE_FOREIGN, report_made_up(0));
	KUNIT_EXPECT_EQ(test, DEFAULT_RATELIMIT_BURST + 2U, listen_heard());
	KUNIT_EXPECT_EQ(test, 1U,
			listen_count("15 reports were left out because there were so many; "
				     "all are counted"));
	snprintf(site, sizeof(site), " at %pS: ", (void *)report_made_up(20));
	KUNIT_EXPECT_NOT_NULL(test, strstr(listen_line(DEFAULT_RATELIMIT_BURST + 1), site));
}

/* The table of sites is full: that is said once, and counting goes on. */
static void report_table_full(struct kunit *test)
{
	struct misuse *m = test->priv;
	struct goalloc_heap *heap = m->fh->heap;
	unsigned int i, heard;

	misuse_watch(test, heap);
	for (i = 0; i < 300; i++) {
		report_site_age();
		report_bad_free(heap, &report_static, NULL, 0, BAD_FREE_FOREIGN,
				report_made_up(i));
		if (i == 255)
			heard = listen_heard();
	}
	KUNIT_EXPECT_EQ(test, 256U, heard);
	KUNIT_EXPECT_EQ(test, 257U, listen_heard());
	KUNIT_EXPECT_STREQ(test, "goalloc: bad calls from 256 places were reported; "
			   "further places are only counted",
			   (const char *)strim(listen_last()));
	KUNIT_EXPECT_EQ(test, 300, atomic_read(&m->events));
	shot_expect_refused(test, heap, &m->shot, BAD_FREE_FOREIGN, 300, "a full table");
}

static struct kunit_case report_cases[] = {
	KUNIT_CASE(report_names),
	KUNIT_CASE(report_once_per_site),
	KUNIT_CASE(report_once_per_kind),
	KUNIT_CASE(report_rate),
	KUNIT_CASE(report_table_full),
	{}
};

static struct kunit_suite report_suite = {
	.name = "goalloc_report",
	.init = misuse_init,
	.exit = misuse_exit,
	.test_cases = report_cases,
};

kunit_test_suites(&report_suite);
