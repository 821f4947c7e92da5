// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests that nobody can serve: refused, told once per call site in exact
 * words, and nothing changed. One bug per case.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include <goalloc.h>

#include "cache.h"
#include "listen.h"
#include "misuse.h"

static noinline size_t alloc_hide(size_t size)
{
	OPTIMIZER_HIDE_VAR(size);
	return size;
}

#define ALLOC_SIZE_TEXT \
	"heap default has objects of up to %lu bytes; larger ones need gokvalloc() and a context that may sleep"

/*
 * Since misuse_watch() this was said and nothing else, of a call in @site, and
 * the default heap is as it was.
 */
__printf(4, 5)
static void alloc_told(struct kunit *test, const char *site, const char *what,
		       const char *text, ...)
{
	char *line = kunit_kzalloc(test, LISTEN_LEN, GFP_KERNEL);
	char *want = kunit_kzalloc(test, LISTEN_LEN, GFP_KERNEL);
	struct misuse *m = test->priv;
	unsigned int offset, size;
	int begin, end = 0;
	va_list args;

	KUNIT_ASSERT_NOT_NULL(test, line);
	KUNIT_ASSERT_NOT_NULL(test, want);
	KUNIT_EXPECT_EQ(test, 1U, listen_heard());
	strscpy(line, listen_line(0), LISTEN_LEN);
	strim(line);
	begin = snprintf(want, LISTEN_LEN, "goalloc: bad %s at %s", what, site);
	KUNIT_EXPECT_EQ_MSG(test, 0, strncmp(line, want, begin), "%s", line);
	/* Where exactly, and in which clone, is the compiler's business. */
	if (begin < strlen(line) && (line[begin] == '.' || line[begin] == '+')) {
		begin += strcspn(line + begin, "+");
		if (sscanf(line + begin, "+0x%x/0x%x [goalloc_kunit]%n", &offset, &size, &end) != 2)
			end = 0;
	}
	KUNIT_EXPECT_GT_MSG(test, end, 0, "%s", line);
	va_start(args, text);
	vsnprintf(want, LISTEN_LEN, text, args);
	va_end(args);
	KUNIT_EXPECT_STREQ(test, (const char *)want, (const char *)line + begin + end);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&m->events));
	shot_expect_same(test, goalloc_default, &m->shot, what);
}

/* One place per function. */
static noinline void *site_goalloc(size_t size, gfp_t gfp)
{
	void *p = goalloc(alloc_hide(size), gfp);

	/* No tail call, or the site would be the caller's. */
	barrier();
	return p;
}

static noinline void *site_node(size_t size, int nid)
{
	void *p = goalloc_node(alloc_hide(size), GFP_KERNEL, nid);

	barrier();
	return p;
}

static noinline void *site_aligned(size_t size, size_t align)
{
	void *p = goalloc_aligned(alloc_hide(size), alloc_hide(align), GFP_KERNEL);

	barrier();
	return p;
}

static noinline void *site_heap_alloc(struct goalloc_heap *heap, size_t size)
{
	void *p = goalloc_heap_alloc(heap, alloc_hide(size), GFP_KERNEL);

	barrier();
	return p;
}

static noinline void site_heap_free(struct goalloc_heap *heap, void *p)
{
	barrier();
	goalloc_heap_free(heap, p);
	barrier();
}

static noinline struct goalloc_heap *site_create(const char *name,
						 const struct goalloc_heap_attr *attr)
{
	struct goalloc_heap *heap = goalloc_heap_create(name, attr);

	barrier();
	return heap;
}

/* Zones that the default heap has no memory of. */
static void alloc_zone(struct kunit *test, gfp_t zone, size_t size)
{
	gfp_t gfp = GFP_KERNEL | zone;
	char flags[80];

	snprintf(flags, sizeof(flags), "flags %pGg", &gfp);
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, site_goalloc(size, gfp));
	KUNIT_EXPECT_NULL(test, site_goalloc(size, gfp));
	alloc_told(test, "site_goalloc", flags,
		   ": heap default has no memory of that zone; create a heap for it with goalloc_heap_create(); refused");
}

static void alloc_zone_dma(struct kunit *test)
{
	alloc_zone(test, __GFP_DMA, 100);
}

static void alloc_zone_dma32(struct kunit *test)
{
	alloc_zone(test, __GFP_DMA32, 100);
}

static void alloc_zone_highmem(struct kunit *test)
{
	alloc_zone(test, __GFP_HIGHMEM, 100);
}

static void alloc_zone_large(struct kunit *test)
{
	alloc_zone(test, __GFP_DMA, 100000);
}

/* Every function looks at them. */
static void alloc_zone_everywhere(struct kunit *test)
{
	static const gfp_t zones[] = { __GFP_DMA, __GFP_DMA32, __GFP_HIGHMEM };
	struct misuse *m = test->priv;
	void *q[2], *keep;
	unsigned int i;

	keep = goalloc(alloc_hide(50), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, keep);
	misuse_watch(test, goalloc_default);
	for (i = 0; i < ARRAY_SIZE(zones); i++) {
		gfp_t gfp = GFP_KERNEL | zones[i];

		KUNIT_EXPECT_NULL(test, goalloc(alloc_hide(0), gfp));
		KUNIT_EXPECT_NULL(test, goalloc_node(alloc_hide(10), gfp, 0));
		KUNIT_EXPECT_NULL(test, goalloc_aligned(alloc_hide(10), 16, gfp));
		KUNIT_EXPECT_NULL(test, goalloc_tiny(alloc_hide(10), gfp));
		KUNIT_EXPECT_NULL(test, goalloc_array(alloc_hide(10), 3, gfp));
		KUNIT_EXPECT_NULL(test, gorealloc(keep, alloc_hide(1000), gfp));
		KUNIT_EXPECT_NULL(test, gomemdup("abc", alloc_hide(3), gfp));
		KUNIT_EXPECT_NULL(test, gostrdup("abc", gfp));
		KUNIT_EXPECT_NULL(test, gokvalloc(alloc_hide(5 << 20), gfp));
		KUNIT_EXPECT_EQ(test, (size_t)0, goalloc_bulk(alloc_hide(10), gfp, 2, q));
	}
	KUNIT_EXPECT_EQ(test, listen_heard(), listen_count("goalloc: bad flags "));
	KUNIT_EXPECT_EQ(test, 10U, listen_heard());
	shot_expect_same(test, goalloc_default, &m->shot, "flags");
	KUNIT_EXPECT_EQ(test, (size_t)64, gosize(keep));
	gofree(keep);
}

static void alloc_size(struct kunit *test, size_t size)
{
	char what[40];

	snprintf(what, sizeof(what), "size %zu", size);
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, site_goalloc(size, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, site_goalloc(size, GFP_ATOMIC));
	alloc_told(test, "site_goalloc", what, ": " ALLOC_SIZE_TEXT "; refused",
		   GOALLOC_MAX_SIZE);
}

static void alloc_size_next(struct kunit *test)
{
	alloc_size(test, GOALLOC_MAX_SIZE + 1);
}

/* A negative number that became unsigned. */
static void alloc_size_minus_one(struct kunit *test)
{
	alloc_size(test, SIZE_MAX);
}

static void alloc_size_int(struct kunit *test)
{
	alloc_size(test, (size_t)INT_MAX + 1);
}

static void alloc_size_page_less(struct kunit *test)
{
	alloc_size(test, SIZE_MAX - GOALLOC_PAGE_SIZE + 2);
}

static void alloc_size_nowarn(struct kunit *test)
{
	struct misuse *m = test->priv;

	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, site_goalloc(SIZE_MAX, GFP_KERNEL | __GFP_NOWARN));
	misuse_silent(test, "__GFP_NOWARN");
	shot_expect_same(test, goalloc_default, &m->shot, "__GFP_NOWARN");
}

static void alloc_size_node(struct kunit *test)
{
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, site_node(5 << 20, 0));
	alloc_told(test, "site_node", "size 5242880", ": " ALLOC_SIZE_TEXT "; refused",
		   GOALLOC_MAX_SIZE);
}

static void alloc_size_aligned(struct kunit *test)
{
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, site_aligned(5 << 20, 64));
	alloc_told(test, "site_aligned", "size 5242880", ": " ALLOC_SIZE_TEXT "; refused",
		   GOALLOC_MAX_SIZE);
}

/* Every function looks at it, and says so in its caller's name. */
static void alloc_size_everywhere(struct kunit *test)
{
	size_t size = alloc_hide(SIZE_MAX - 100);
	struct misuse *m = test->priv;
	char where[40];
	void *p[2];

	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, gozalloc(size, GFP_ATOMIC));
	KUNIT_EXPECT_NULL(test, goalloc_tiny(size, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_array(size, alloc_hide(1), GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, gomemdup("x", size, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(goalloc_default, size, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, (size_t)0, goalloc_bulk(size, GFP_KERNEL, 2, p));
	KUNIT_EXPECT_NULL(test, gorealloc(NULL, size, GFP_KERNEL));
	/* Without a context that may sleep this is goalloc(). */
	KUNIT_EXPECT_NULL(test, gokvalloc(size, GFP_ATOMIC));
	KUNIT_EXPECT_EQ(test, 8U, listen_heard());
	KUNIT_EXPECT_EQ(test, 8U, listen_count("goalloc: bad size 18446744073709551515 at "));
	snprintf(where, sizeof(where), " at %s+", __func__);
	KUNIT_EXPECT_EQ(test, 8U, listen_count(where));
	shot_expect_same(test, goalloc_default, &m->shot, "sizes");
}

/* The object stays as it is. */
static void alloc_size_realloc(struct kunit *test)
{
	char *p = goalloc(alloc_hide(50), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 0x35, 50);
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, misuse_realloc(p, alloc_hide(GOALLOC_MAX_SIZE + 8)));
	alloc_told(test, "misuse_realloc", "size 4194312", ": " ALLOC_SIZE_TEXT "; refused",
		   GOALLOC_MAX_SIZE);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x35, 50));
	KUNIT_EXPECT_EQ(test, (size_t)64, gosize(p));
	gofree(p);
}

static noinline void *site_kvalloc(size_t size)
{
	void *p = gokvalloc(alloc_hide(size), GFP_KERNEL);

	barrier();
	return p;
}

/* More than anybody means, and vmalloc() is not even asked. */
static void alloc_size_kvalloc(struct kunit *test)
{
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, site_kvalloc((size_t)INT_MAX + 1));
	alloc_told(test, "site_kvalloc", "size 2147483648", ": " ALLOC_SIZE_TEXT "; refused",
		   GOALLOC_MAX_SIZE);
}

/* Products that wrap around to something small: NULL without a word, as the kernel's. */
static void alloc_overflow_array(struct kunit *test)
{
	struct misuse *m = test->priv;

	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, goalloc_array(alloc_hide(1UL << 63), 2, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_array(alloc_hide(1UL << 32), 1UL << 32, GFP_KERNEL));
	misuse_silent(test, "goalloc_array()");
	shot_expect_same(test, goalloc_default, &m->shot, "goalloc_array()");
}

static void alloc_overflow_calloc(struct kunit *test)
{
	struct misuse *m = test->priv;

	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, gocalloc(alloc_hide(SIZE_MAX / 8 + 2), 8, GFP_KERNEL));
	misuse_silent(test, "gocalloc()");
	shot_expect_same(test, goalloc_default, &m->shot, "gocalloc()");
}

static void alloc_overflow_realloc(struct kunit *test)
{
	char *p = goalloc(alloc_hide(50), GFP_KERNEL);
	struct misuse *m = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, p);
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, gorealloc_array(p, alloc_hide(SIZE_MAX / 8 + 2), 8,
						GFP_KERNEL));
	misuse_silent(test, "gorealloc_array()");
	shot_expect_same(test, goalloc_default, &m->shot, "gorealloc_array()");
	KUNIT_EXPECT_EQ(test, (size_t)64, gosize(p));
	gofree(p);
}

static void alloc_align(struct kunit *test, size_t align)
{
	char what[48];

	snprintf(what, sizeof(what), "alignment %zu", align);
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, site_aligned(64, align));
	alloc_told(test, "site_aligned", what,
		   ": heap default has powers of two of up to %lu bytes; refused",
		   GOALLOC_MAX_SIZE);
}

static void alloc_align_zero(struct kunit *test)
{
	alloc_align(test, 0);
}

static void alloc_align_odd(struct kunit *test)
{
	alloc_align(test, 48);
}

static void alloc_align_too_large(struct kunit *test)
{
	alloc_align(test, 2 * GOALLOC_MAX_SIZE);
}

static void alloc_node(struct kunit *test, int nid)
{
	char what[24];

	snprintf(what, sizeof(what), "node %d", nid);
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, site_node(64, nid));
	KUNIT_EXPECT_NULL(test, site_node(100000, nid));
	alloc_told(test, "site_node", what,
		   ": heap default knows nodes 0 to %d; use NUMA_NO_NODE for the local one; refused",
		   MAX_NUMNODES - 1);
}

static void alloc_node_negative(struct kunit *test)
{
	alloc_node(test, -2);
}

static void alloc_node_most_negative(struct kunit *test)
{
	alloc_node(test, INT_MIN);
}

static void alloc_node_too_large(struct kunit *test)
{
	alloc_node(test, MAX_NUMNODES);
}

#define ALLOC_HEAP_TEXT \
	": is no heap; test what goalloc_heap_create() returned with IS_ERR(); refused"

static void alloc_heap_null(struct kunit *test)
{
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, site_heap_alloc(NULL, 64));
	alloc_told(test, "site_heap_alloc", "heap (0)", ALLOC_HEAP_TEXT);
}

static void alloc_heap_error(struct kunit *test)
{
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, site_heap_alloc(ERR_PTR(-ENOMEM), 64));
	alloc_told(test, "site_heap_alloc", "heap (-12)", ALLOC_HEAP_TEXT);
}

static void free_heap_null(struct kunit *test)
{
	void *p = goalloc(alloc_hide(64), GFP_KERNEL);

	misuse_watch(test, goalloc_default);
	site_heap_free(NULL, p);
	alloc_told(test, "site_heap_free", "heap (0)", ALLOC_HEAP_TEXT);
	gofree(p);
}

static void free_heap_error(struct kunit *test)
{
	void *p = goalloc(alloc_hide(64), GFP_KERNEL);

	misuse_watch(test, goalloc_default);
	site_heap_free(ERR_PTR(-EINVAL), p);
	alloc_told(test, "site_heap_free", "heap (-22)", ALLOC_HEAP_TEXT);
	gofree(p);
}

/* A heap that could not be made may be ended all the same. */
static void destroy_heap_error(struct kunit *test)
{
	struct misuse *m = test->priv;

	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(NULL, false));
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(ERR_PTR(-ENOMEM), true));
	misuse_silent(test, "ending nothing");
	shot_expect_same(test, goalloc_default, &m->shot, "ending nothing");
}

static void create_refused(struct kunit *test, const char *name,
			   const struct goalloc_heap_attr *attr, const char *text)
{
	struct goalloc_heap *heap;

	misuse_watch(test, goalloc_default);
	heap = site_create(name, attr);
	KUNIT_EXPECT_EQ(test, -EINVAL, (int)PTR_ERR_OR_ZERO(heap));
	if (!IS_ERR(heap))
		goalloc_heap_destroy(heap, true);
	alloc_told(test, "site_create", "new heap", ": %s; refused", text);
}

#define CREATE_NAME "its name must be printable, without / and not . or .."

static void create_name_null(struct kunit *test)
{
	create_refused(test, NULL, NULL, CREATE_NAME);
}

static void create_name_empty(struct kunit *test)
{
	create_refused(test, "", NULL, CREATE_NAME);
}

static void create_name_slash(struct kunit *test)
{
	create_refused(test, "a/b", NULL, CREATE_NAME);
}

static void create_name_parent(struct kunit *test)
{
	create_refused(test, "..", NULL, CREATE_NAME);
}

/* It could fake a line in the log. */
static void create_name_newline(struct kunit *test)
{
	create_refused(test, "mine\nBUG: nothing", NULL, CREATE_NAME);
}

static void create_gfp(struct kunit *test)
{
	const struct goalloc_heap_attr attr = { .gfp = GFP_KERNEL };

	create_refused(test, "misuse", &attr,
		       "its gfp has other flags than a zone, how hard to try, and __GFP_ACCOUNT");
}

static void create_two_zones(struct kunit *test)
{
	const struct goalloc_heap_attr attr = { .gfp = __GFP_DMA | __GFP_DMA32 };

	create_refused(test, "misuse", &attr, "its gfp names two zones; name one");
}

static void create_limit(struct kunit *test)
{
	const struct goalloc_heap_attr attr = { .limit = GOALLOC_PAGE_SIZE - 1 };

	create_refused(test, "misuse", &attr,
		       "its limits are less than a goalloc page (0 is none), or soft is over hard");
}

static struct kunit_case misuse_alloc_cases[] = {
	KUNIT_CASE(alloc_zone_dma),
	KUNIT_CASE(alloc_zone_dma32),
	KUNIT_CASE(alloc_zone_highmem),
	KUNIT_CASE(alloc_zone_large),
	KUNIT_CASE(alloc_zone_everywhere),
	KUNIT_CASE(alloc_size_next),
	KUNIT_CASE(alloc_size_minus_one),
	KUNIT_CASE(alloc_size_int),
	KUNIT_CASE(alloc_size_page_less),
	KUNIT_CASE(alloc_size_nowarn),
	KUNIT_CASE(alloc_size_node),
	KUNIT_CASE(alloc_size_aligned),
	KUNIT_CASE(alloc_size_everywhere),
	KUNIT_CASE(alloc_size_realloc),
	KUNIT_CASE(alloc_size_kvalloc),
	KUNIT_CASE(alloc_overflow_array),
	KUNIT_CASE(alloc_overflow_calloc),
	KUNIT_CASE(alloc_overflow_realloc),
	KUNIT_CASE(alloc_align_zero),
	KUNIT_CASE(alloc_align_odd),
	KUNIT_CASE(alloc_align_too_large),
	KUNIT_CASE(alloc_node_negative),
	KUNIT_CASE(alloc_node_most_negative),
	KUNIT_CASE(alloc_node_too_large),
	KUNIT_CASE(alloc_heap_null),
	KUNIT_CASE(alloc_heap_error),
	KUNIT_CASE(free_heap_null),
	KUNIT_CASE(free_heap_error),
	KUNIT_CASE(destroy_heap_error),
	KUNIT_CASE(create_name_null),
	KUNIT_CASE(create_name_empty),
	KUNIT_CASE(create_name_slash),
	KUNIT_CASE(create_name_parent),
	KUNIT_CASE(create_name_newline),
	KUNIT_CASE(create_gfp),
	KUNIT_CASE(create_two_zones),
	KUNIT_CASE(create_limit),
	{}
};

static struct kunit_suite misuse_alloc_suite = {
	.name = "goalloc_misuse_alloc",
	.init = misuse_init,
	.exit = misuse_exit,
	.test_cases = misuse_alloc_cases,
};

kunit_test_suites(&misuse_alloc_suite);
