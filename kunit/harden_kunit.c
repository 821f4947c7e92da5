// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardened heaps: one bug per case, and what is said about it.
 *
 * The heaps are private ones over the machine's pages. What they are asked to
 * find is done to them on purpose, at call sites of its own, because a site is
 * reported once.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/string.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "harden.h"
#include "listen.h"
#include "sanitize.h"
#include "shot.h"

static noinline size_t harden_hide(size_t size)
{
	OPTIMIZER_HIDE_VAR(size);
	return size;
}

/*
 * At the end of a function that is a call site: it must neither be merged with
 * another one nor end in a jump.
 */
#define HARDEN_NO_TAIL(name) ({ asm volatile("# " #name : : : "memory"); })

static struct goalloc_heap *harden_heap(struct kunit *test, unsigned int flags,
					size_t quarantine)
{
	struct goalloc_heap_attr attr = { .harden = flags, .quarantine = quarantine };
	struct goalloc_heap *heap = goalloc_heap_create("hard", &attr);

	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	crew_stay();
	return heap;
}

static void *harden_get(struct kunit *test, struct goalloc_heap *heap, size_t size)
{
	char *p = goalloc_heap_alloc(heap, harden_hide(size), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	/* So that no bound is known to the compiler. */
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

/* Write where one must not, without a word of the kernel's own checkers. */
static noinline void harden_write(void *at, const void *from, size_t len)
{
	sanitize_pause();
	memcpy(at, from, len);
	sanitize_resume();
}

static void harden_poke(void *at, u8 byte)
{
	harden_write(at, &byte, 1);
}

/* Read likewise: is it all the same byte? */
static noinline bool harden_holds(const void *at, u8 byte, size_t len)
{
	bool holds;

	sanitize_pause();
	holds = !memchr_inv(at, byte, len);
	sanitize_resume();
	return holds;
}

/* The books are right, and so many bugs were found. */
static void harden_expect(struct kunit *test, struct goalloc_heap *heap,
			  u64 overflows, u64 uses, const char *what)
{
	struct goalloc_stats st;

	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ_MSG(test, st.sys_bytes, stats_ledger_sum(&st), "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, 0ULL, st.cached_bytes, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, st.live_objects, st.allocs - st.frees, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, overflows, st.overflows, "%s", what);
	KUNIT_EXPECT_EQ_MSG(test, uses, st.use_after_frees, "%s", what);
}

static void harden_end_heap(struct kunit *test, struct goalloc_heap *heap)
{
	struct goalloc_stats st;

	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, false));
}

static struct goalloc_span *harden_span(const void *p)
{
	return pagemap_span(&goalloc_space.map, (unsigned long)p);
}

static void harden_suite_exit(struct kunit *test)
{
	listen_stop();
}

/* A line was heard that begins and ends so; between them is an offset. */
static void harden_heard(struct kunit *test, unsigned int line, const char *begin,
			 const char *end)
{
	const char *text = listen_line(line);
	size_t len = strlen(text);

	KUNIT_EXPECT_EQ_MSG(test, 0, strncmp(text, begin, strlen(begin)),
			    "line %u: \"%s\" does not begin with \"%s\"", line, text, begin);
	KUNIT_EXPECT_TRUE_MSG(test, len >= strlen(end) &&
			      !strcmp(text + len - strlen(end), end),
			      "line %u: \"%s\" does not end with \"%s\"", line, text, end);
}

/* The sizes around which something changes, for a class's @i-th case. */
static size_t harden_boundary(unsigned int class, unsigned int i)
{
	static const int from[] = { -17, -16, -15, -8, -1, 0, 1 };
	long size = (long)sizeclass_size[class] + from[i];

	return clamp_t(long, size, 1, GOALLOC_MAX_SMALL + 1);
}

#define HARDEN_BOUNDARIES 7

/* One byte too far, at every size that is a boundary of anything. */
static void harden_overflow_boundaries(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_REDZONE, 0);
	unsigned int class, i;
	u64 found = 0;

	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		for (i = 0; i < HARDEN_BOUNDARIES; i++) {
			size_t size = harden_boundary(class, i);
			u8 *p = harden_get(test, heap, size);

			KUNIT_EXPECT_EQ(test, size, gosize(p));
			KUNIT_EXPECT_GE(test, (size_t)harden_span(p)->elemsize, size + 16);
			KUNIT_EXPECT_EQ(test, 0UL, (unsigned long)p &
					(min_t(size_t, size & -size, PAGE_SIZE) - 1));
			memset(p, 0x11, size);
			goalloc_heap_free(heap, p);
			harden_expect(test, heap, found, 0, "to the last byte");

			p = harden_get(test, heap, size);
			harden_poke(p + size, 0x11);
			goalloc_heap_free(heap, p);
			harden_expect(test, heap, ++found, 0, "one byte further");

			/* The last byte before the neighbour. */
			p = harden_get(test, heap, size);
			harden_poke(p + harden_span(p)->elemsize - 1, 1);
			goalloc_heap_free(heap, p);
			harden_expect(test, heap, ++found, 0, "the last one of the slot");
		}
	}
	harden_end_heap(test, heap);
}

/* Large objects have their red zone in the rest of their pages. */
static void harden_overflow_large(struct kunit *test)
{
	static const size_t sizes[] = {
		GOALLOC_MAX_SMALL - 15, 40000, 5 * GOALLOC_PAGE_SIZE - 16,
		5 * GOALLOC_PAGE_SIZE - 15, 5 * GOALLOC_PAGE_SIZE, 1 << 20,
		GOALLOC_MAX_SIZE - 16,
	};
	struct goalloc_heap *heap;
	u64 found = 0;
	unsigned int i;
	u8 *p;

	if (GOALLOC_PAGE_SHIFT != 13)
		kunit_skip(test, "made for 8 KiB pages");
	heap = harden_heap(test, GOALLOC_HARDEN_REDZONE, 0);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = harden_get(test, heap, sizes[i]);
		KUNIT_EXPECT_EQ(test, (int)SPAN_LARGE, (int)harden_span(p)->kind);
		KUNIT_EXPECT_EQ(test, sizes[i], gosize(p));
		memset(p, 0x11, sizes[i]);
		KUNIT_EXPECT_EQ(test, 0ULL, harden_check_heap(heap, _THIS_IP_));
		harden_poke(p + sizes[i] + i, 0x11);
		goalloc_heap_free(heap, p);
		harden_expect(test, heap, ++found, 0, "large");
	}
	/* The largest has no room for one, and can be had all the same. */
	for (i = 0; i < 16; i += 5) {
		p = harden_get(test, heap, GOALLOC_MAX_SIZE - i);
		KUNIT_EXPECT_EQ(test, GOALLOC_MAX_SIZE - i, gosize(p));
		memset(p, 0x11, GOALLOC_MAX_SIZE - i);
		goalloc_heap_free(heap, p);
	}
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(heap, harden_hide(GOALLOC_MAX_SIZE + 1),
						   GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, goalloc_heap_alloc(heap, harden_hide(SIZE_MAX - 3), GFP_KERNEL));
	harden_expect(test, heap, found, 0, "largest");
	harden_end_heap(test, heap);
}

static noinline void harden_overflow_site(struct goalloc_heap *heap, void *p)
{
	goalloc_heap_free(heap, p);
	HARDEN_NO_TAIL(harden_overflow_site);
}

/* What is said: where, which object, which bytes; once per call site. */
static void harden_overflow_report(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_REDZONE, 0);
	char *mate = harden_get(test, heap, 100);
	char *p = harden_get(test, heap, 100);
	static char end[LISTEN_LEN];
	unsigned int i;

	harden_write(p + 103, "abc", 3);
	snprintf(end, sizeof(end),
		 ": %p, heap hard, object 1 of class 10 (128 bytes), 100 bytes requested: byte 3 behind its end changed: 61 62 63 cc cc cc cc cc instead of cc; look for a write past this object, or before the next one",
		 p);
	listen_start(test);
	harden_overflow_site(heap, p);
	for (i = 0; i < 5; i++) {
		p = harden_get(test, heap, 100);
		harden_poke(p + 127, 0);
		harden_overflow_site(heap, p);
	}
	KUNIT_EXPECT_EQ(test, 1U, listen_stop());
	harden_heard(test, 0, "goalloc: overflow found at harden_overflow_site+", end);
	harden_expect(test, heap, 6, 0, "counted each time");
	goalloc_heap_free(heap, mate);
	harden_end_heap(test, heap);
}

/* Two objects of which the second lies right behind the first. */
static void harden_neighbours(struct kunit *test, struct goalloc_heap *heap,
			      size_t size, char **low, char **high)
{
	/* Without a random start slot the lowest is taken first. */
	*low = harden_get(test, heap, size);
	*high = harden_get(test, heap, size);
	KUNIT_ASSERT_PTR_EQ(test, *low + harden_span(*low)->elemsize, *high);
}

static noinline void harden_underflow_site(struct goalloc_heap *heap, void *p)
{
	goalloc_heap_free(heap, p);
	HARDEN_NO_TAIL(harden_underflow_site);
}

/* Before the beginning of an object is the red zone of the one before it. */
static void harden_underflow(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_REDZONE, 0);
	char *low, *high;
	static char end[LISTEN_LEN];

	harden_neighbours(test, heap, 48, &low, &high);
	harden_poke(high - 1, 0x55);
	goalloc_heap_free(heap, high);
	harden_expect(test, heap, 0, 0, "the one that was written before");
	snprintf(end, sizeof(end),
		 ": %p, heap hard, object 0 of class 6 (64 bytes), 48 bytes requested: byte 15 behind its end changed: 55 instead of cc; look for a write past this object, or before the next one",
		 low);
	listen_start(test);
	harden_underflow_site(heap, low);
	KUNIT_EXPECT_EQ(test, 1U, listen_stop());
	harden_heard(test, 0, "goalloc: overflow found at harden_underflow_site+", end);
	harden_expect(test, heap, 1, 0, "its neighbour");
	harden_end_heap(test, heap);
}

/* A check of the whole heap, and its end, find what no free has found. */
static void harden_overflow_swept(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_REDZONE, 0);
	char *small = harden_get(test, heap, 10);
	char *large = harden_get(test, heap, 100001);

	KUNIT_EXPECT_EQ(test, 0ULL, harden_check_heap(heap, _THIS_IP_));
	harden_poke(small + 10, 0);
	KUNIT_EXPECT_EQ(test, 1ULL, harden_check_heap(heap, _THIS_IP_));
	harden_poke(large + 100001, 0);
	KUNIT_EXPECT_EQ(test, -EUCLEAN, goalloc_validate(heap));
	harden_expect(test, heap, 3, 0, "swept");
	/* It leaves things as they are. */
	KUNIT_EXPECT_TRUE(test, harden_holds(small + 10, 0, 1));
	listen_start(test);
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
	listen_stop();
	KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc: overflow found at "));
}

static noinline void harden_other_site(struct goalloc_heap *heap, void *p)
{
	goalloc_heap_free(heap, p);
	HARDEN_NO_TAIL(harden_other_site);
}

/* What no red zone sees: a write far into a neighbour that stays in bounds. */
static void harden_overflow_missed(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_REDZONE, 0);
	char *low, *high;

	harden_neighbours(test, heap, 48, &low, &high);
	harden_poke(low + 64 + 5, 1);
	goalloc_heap_free(heap, low);
	goalloc_heap_free(heap, high);
	harden_expect(test, heap, 0, 0, "over the red zone");
	harden_end_heap(test, heap);
}

static noinline void *harden_reuse_site(struct goalloc_heap *heap, size_t size)
{
	void *p = goalloc_heap_alloc(heap, size, GFP_KERNEL);

	HARDEN_NO_TAIL(harden_reuse_site);
	return p;
}

/* Written to after its free: found when it would be handed out again. */
static void harden_use_write(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_POISON, 0);
	char *mate = harden_get(test, heap, 100);
	char *p = harden_get(test, heap, 100);
	char *q, *r;
	static char end[LISTEN_LEN];

	goalloc_heap_free(heap, p);
	harden_write(p + 7, "xyz", 3);
	snprintf(end, sizeof(end),
		 ": %p, heap hard, object 1 of class 9 (112 bytes), 100 bytes requested: byte 7 changed: 78 79 7a 6b 6b 6b 6b 6b instead of 6b; look for a write to this object after its free",
		 p);
	listen_start(test);
	q = harden_reuse_site(heap, harden_hide(100));
	KUNIT_EXPECT_EQ(test, 1U, listen_stop());
	harden_heard(test, 0, "goalloc: use after free found at harden_reuse_site+", end);
	harden_expect(test, heap, 0, 1, "written to");
	/* Not in this round; next time it is as it should be. */
	KUNIT_EXPECT_PTR_NE(test, p, q);
	r = harden_reuse_site(heap, harden_hide(100));
	KUNIT_EXPECT_PTR_EQ(test, p, r);
	harden_expect(test, heap, 0, 1, "overwritten again");
	goalloc_heap_free(heap, mate);
	goalloc_heap_free(heap, q);
	goalloc_heap_free(heap, r);
	harden_end_heap(test, heap);
}

/* Every byte of a free slot is looked at, at every size. */
static void harden_use_sizes(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_POISON, 0);
	unsigned int class;
	u64 found = 0;

	for (class = 1; class < GOALLOC_NR_CLASSES; class++) {
		size_t size = sizeclass_size[class];
		char *mate = harden_get(test, heap, size);
		char *p = harden_get(test, heap, size);
		char *q;

		/* Where a span has one object, its end is where it is found. */
		goalloc_heap_free(heap, p);
		if (harden_span(p)) {
			harden_poke(p, 0);
			q = harden_get(test, heap, size);
			harden_expect(test, heap, 0, ++found, "the first byte");
			goalloc_heap_free(heap, q);
			harden_poke(p + size - 1, 0);
			q = harden_get(test, heap, size);
			harden_expect(test, heap, 0, ++found, "the last byte");
			goalloc_heap_free(heap, q);
		}
		goalloc_heap_free(heap, mate);
	}
	KUNIT_EXPECT_GT(test, found, 100ULL);
	harden_end_heap(test, heap);
}

/* Read after its free: not noticed, but what is read is not what was there. */
static void harden_use_read(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_POISON, 0);
	char *mate = harden_get(test, heap, 64);
	char *p = harden_get(test, heap, 64);

	memset(p, 'a', 64);
	goalloc_heap_free(heap, p);
	KUNIT_EXPECT_TRUE(test, harden_holds(p, POISON_FREE, 64));
	KUNIT_EXPECT_PTR_EQ(test, p, harden_get(test, heap, 64));
	harden_expect(test, heap, 0, 0, "read");
	goalloc_heap_free(heap, p);
	goalloc_heap_free(heap, mate);
	harden_end_heap(test, heap);
}

/* A slot that never was handed out is nobody's to write to either. */
static void harden_use_never(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_POISON, 0);
	char *p = harden_get(test, heap, 64);
	char *q;

	harden_poke(p + 64, 1);
	KUNIT_EXPECT_EQ(test, 1ULL, harden_check_heap(heap, _THIS_IP_));
	q = harden_get(test, heap, 64);
	KUNIT_EXPECT_PTR_EQ(test, p + 128, q);
	harden_expect(test, heap, 0, 2, "swept, and then not handed out");
	goalloc_heap_free(heap, p);
	goalloc_heap_free(heap, q);
	harden_end_heap(test, heap);
}

static noinline void harden_span_site(struct goalloc_heap *heap, void *p)
{
	goalloc_heap_free(heap, p);
	HARDEN_NO_TAIL(harden_span_site);
}

/* The last free of a span: what was written to the others is found then. */
static void harden_use_span(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_POISON, 0);
	char *p = harden_get(test, heap, 64);
	char *q = harden_get(test, heap, 64);

	goalloc_heap_free(heap, q);
	harden_poke(q + 1, 1);
	listen_start(test);
	harden_span_site(heap, p);
	listen_stop();
	KUNIT_EXPECT_EQ(test, 1U,
			listen_count("goalloc: use after free found at harden_span_site+"));
	harden_expect(test, heap, 0, 1, "the span ends");
	harden_end_heap(test, heap);
}

/* In quarantine: found when it leaves, or by a sweep, or at the end. */
static void harden_use_quarantine(struct kunit *test)
{
	struct goalloc_heap *heap =
		harden_heap(test, GOALLOC_HARDEN_POISON | GOALLOC_HARDEN_QUARANTINE, 1 << 20);
	char *p[3];
	int i;

	for (i = 0; i < 3; i++)
		p[i] = harden_get(test, heap, i < 2 ? 64 : 70000);
	for (i = 0; i < 3; i++)
		goalloc_heap_free(heap, p[i]);
	KUNIT_EXPECT_EQ(test, 0ULL, harden_check_heap(heap, _THIS_IP_));
	harden_poke(p[0] + 63, 0);
	harden_poke(p[2] + 69999, 0);
	KUNIT_EXPECT_EQ(test, 2ULL, harden_check_heap(heap, _THIS_IP_));
	harden_expect(test, heap, 0, 2, "swept");
	harden_drain(heap->harden, U64_MAX);
	harden_expect(test, heap, 0, 4, "let out");
	harden_end_heap(test, heap);
}

/* Zeros: nothing of what was there is left. */
static void harden_zero(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_ZERO, 0);
	char *mate = harden_get(test, heap, 1000);
	char *p = harden_get(test, heap, 1000);

	memset(p, 'a', 1000);
	goalloc_heap_free(heap, p);
	KUNIT_EXPECT_TRUE(test, harden_holds(p, 0, 1024));
	/* What is written now is not looked for. */
	harden_poke(p + 5, 1);
	KUNIT_EXPECT_PTR_EQ(test, p, harden_get(test, heap, 1000));
	KUNIT_EXPECT_EQ(test, (char)1, p[5]);
	goalloc_heap_free(heap, p);
	harden_poke(p + 5, 1);
	p = goalloc_heap_alloc(heap, harden_hide(1000), GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, 1000));
	harden_expect(test, heap, 0, 0, "zero");
	goalloc_heap_free(heap, p);
	goalloc_heap_free(heap, mate);
	harden_end_heap(test, heap);
}

/* Zeros that are looked for: all but another zero is seen. */
static void harden_zero_poison(struct kunit *test)
{
	struct goalloc_heap *heap =
		harden_heap(test, GOALLOC_HARDEN_ZERO | GOALLOC_HARDEN_POISON, 0);
	char *mate = harden_get(test, heap, 1000);
	char *p = harden_get(test, heap, 1000);
	char *q;

	memset(p, 'a', 1000);
	goalloc_heap_free(heap, p);
	KUNIT_EXPECT_TRUE(test, harden_holds(p, 0, 1024));
	harden_poke(p + 7, 0);
	q = harden_get(test, heap, 1000);
	KUNIT_EXPECT_PTR_EQ(test, p, q);
	harden_expect(test, heap, 0, 0, "a zero");
	goalloc_heap_free(heap, q);
	harden_poke(p + 7, 1);
	q = harden_get(test, heap, 1000);
	KUNIT_EXPECT_PTR_NE(test, p, q);
	harden_expect(test, heap, 0, 1, "not a zero");
	goalloc_heap_free(heap, q);
	goalloc_heap_free(heap, mate);
	harden_end_heap(test, heap);
}

/* First in, first out, and no more than the cap. */
static void harden_quarantine_order(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_QUARANTINE, 8 * 64);
	struct goalloc_stats st;
	void *keep = harden_get(test, heap, 64);
	static void *p[127];
	void *q;
	int i;

	/* A whole span, so that only what was freed can be had. */
	for (i = 0; i < 127; i++)
		p[i] = harden_get(test, heap, 64);
	KUNIT_ASSERT_EQ(test, 0U, (unsigned int)harden_span(keep)->nr_free);
	for (i = 0; i < 8; i++)
		goalloc_heap_free(heap, p[(i * 37) % 127]);
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, 8 * 64ULL, st.quarantine_bytes);
	KUNIT_EXPECT_EQ(test, 120ULL, st.live_objects);
	KUNIT_EXPECT_EQ(test, 120 * 64ULL, st.live_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.central_bytes);
	harden_expect(test, heap, 0, 0, "full");
	/* Whoever comes now pushes the oldest out, and only that. */
	for (i = 8; i < 100; i++) {
		goalloc_heap_free(heap, p[(i * 37) % 127]);
		goalloc_heap_stats(heap, &st);
		KUNIT_EXPECT_EQ(test, 8 * 64ULL, st.quarantine_bytes);
		KUNIT_EXPECT_EQ(test, 64ULL, st.central_bytes);
		q = harden_get(test, heap, 64);
		KUNIT_EXPECT_PTR_EQ(test, p[((i - 8) * 37) % 127], q);
		harden_expect(test, heap, 0, 0, "one in, one out");
	}
	KUNIT_EXPECT_EQ(test, 3 * 64ULL, harden_drain(heap->harden, 2 * 64 + 1));
	KUNIT_EXPECT_EQ(test, 5 * 64ULL, harden_drain(heap->harden, U64_MAX));
	KUNIT_EXPECT_EQ(test, 0ULL, harden_drain(heap->harden, U64_MAX));
	harden_expect(test, heap, 0, 0, "drained");
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
}

/* Large ones are kept as well, but none that would push all others out. */
static void harden_quarantine_large(struct kunit *test)
{
	size_t cap = 64 * GOALLOC_PAGE_SIZE;
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_QUARANTINE, cap);
	struct goalloc_stats st;
	void *p, *q;

	p = harden_get(test, heap, cap / 4);
	q = harden_get(test, heap, cap / 4 - 100);
	goalloc_heap_free(heap, q);
	goalloc_heap_free(heap, p);
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, (u64)cap / 2, st.quarantine_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.live_bytes);
	KUNIT_EXPECT_EQ(test, 0ULL, st.rounding_bytes);
	harden_expect(test, heap, 0, 0, "two");
	p = harden_get(test, heap, cap / 4 + 1);
	goalloc_heap_free(heap, p);
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, (u64)cap / 2, st.quarantine_bytes);
	harden_expect(test, heap, 0, 0, "too large");
	harden_end_heap(test, heap);
}

static noinline void *harden_first_site(struct goalloc_heap *heap, size_t size)
{
	void *p = goalloc_heap_alloc(heap, size, GFP_KERNEL);

	HARDEN_NO_TAIL(harden_first_site);
	return p;
}

static noinline void harden_once_site(struct goalloc_heap *heap, void *p)
{
	goalloc_heap_free(heap, p);
	HARDEN_NO_TAIL(harden_once_site);
}

static noinline void harden_twice_site(struct goalloc_heap *heap, void *p)
{
	goalloc_heap_free(heap, p);
	HARDEN_NO_TAIL(harden_twice_site);
}

/* Freed twice, the first still in quarantine: refused, and both are named. */
static void harden_double_quarantine(struct kunit *test)
{
	static const size_t sizes[] = { 100, 50000 };
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_ALL, 1 << 20);
	struct heap_shot shot;
	static char end[LISTEN_LEN];
	unsigned int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		p = harden_first_site(heap, sizes[i]);
		KUNIT_ASSERT_NOT_NULL(test, p);
		snprintf(end, sizeof(end),
			 ": %p, heap hard, object %u of class 10 (128 bytes): is free already, in quarantine; look for a second free of this object; refused",
			 p, span_slot(harden_span(p), (unsigned long)p));
		harden_once_site(heap, p);
		shot_take(heap, &shot);
		listen_start(test);
		harden_twice_site(heap, p);
		listen_stop();
		shot_expect_refused(test, heap, &shot, BAD_FREE_DOUBLE, 1, "twice");
		if (i)
			break;
		harden_heard(test, 0, "goalloc: bad free (double) at harden_twice_site+", end);
		KUNIT_EXPECT_EQ(test, 1U, listen_count("  allocated by task "));
		KUNIT_EXPECT_EQ(test, 1U, listen_count(" ms before, at harden_first_site+"));
		KUNIT_EXPECT_EQ(test, 1U, listen_count("  freed by task "));
		KUNIT_EXPECT_EQ(test, 1U, listen_count(" ms before, at harden_once_site+"));
		if (IS_ENABLED(CONFIG_STACKDEPOT)) {
			/* The stacks go on with who called them. */
			KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc:     harden_first_site+"));
			KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc:     harden_once_site+"));
			KUNIT_EXPECT_EQ(test, 2U, listen_count("goalloc:     kunit_try_run_case+"));
		}
	}
	harden_expect(test, heap, 0, 0, "double");
	harden_end_heap(test, heap);
}

/*
 * The slot is somebody else's by now: a stale pointer cannot be told from his.
 * In quarantine the slot is not reused, and the stale free is told.
 */
static void harden_stale(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_POISON, 0);
	char *mate = harden_get(test, heap, 200);
	char *stale = harden_get(test, heap, 200);
	struct heap_shot shot;
	char *p;

	goalloc_heap_free(heap, stale);
	p = harden_get(test, heap, 200);
	KUNIT_EXPECT_PTR_EQ(test, stale, p);
	goalloc_heap_free(heap, stale);
	shot_take(heap, &shot);
	KUNIT_EXPECT_EQ(test, 0ULL, shot.st.bad_frees);
	/* It is the rightful owner who is refused. */
	goalloc_heap_free(heap, p);
	shot_expect_refused(test, heap, &shot, BAD_FREE_DOUBLE, 1, "the owner");
	goalloc_heap_free(heap, mate);
	harden_end_heap(test, heap);

	heap = harden_heap(test, GOALLOC_HARDEN_QUARANTINE, 1 << 16);
	stale = harden_get(test, heap, 200);
	goalloc_heap_free(heap, stale);
	p = harden_get(test, heap, 200);
	KUNIT_EXPECT_PTR_NE(test, stale, p);
	shot_take(heap, &shot);
	goalloc_heap_free(heap, stale);
	shot_expect_refused(test, heap, &shot, BAD_FREE_DOUBLE, 1, "the stale one");
	goalloc_heap_free(heap, p);
	harden_end_heap(test, heap);
}

/* Any slot may come first, and not always in the same order. */
static void harden_random(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_RANDOM, 0);
	unsigned int nelems = span_shape_small(sizeclass_of(512)).nelems;
	static unsigned int first[64], order[2][64];
	unsigned int round, i, seen = 0;
	static void *p[64];

	KUNIT_ASSERT_LE(test, nelems, 64U);
	memset(first, 0, sizeof(first));
	for (round = 0; round < 64 * nelems; round++) {
		p[0] = harden_get(test, heap, 512);
		first[span_slot(harden_span(p[0]), (unsigned long)p[0])]++;
		goalloc_heap_free(heap, p[0]);
	}
	for (i = 0; i < nelems; i++) {
		/* 64 on the average: 8 or 200 is less likely than 1 in 10^12. */
		KUNIT_EXPECT_GT(test, first[i], 8U);
		KUNIT_EXPECT_LT(test, first[i], 200U);
	}
	for (round = 0; round < 2; round++) {
		u64 all = 0;

		for (i = 0; i < nelems; i++) {
			p[i] = harden_get(test, heap, 512);
			order[round][i] = span_slot(harden_span(p[i]), (unsigned long)p[i]);
			all |= 1ULL << order[round][i];
		}
		KUNIT_EXPECT_EQ(test, nelems, (unsigned int)hweight64(all));
		for (i = 0; i < nelems; i++)
			goalloc_heap_free(heap, p[i]);
	}
	for (i = 0; i < nelems; i++)
		seen += order[0][i] == order[1][i];
	/* 1 in 16! */
	KUNIT_EXPECT_LT(test, seen, nelems);
	harden_expect(test, heap, 0, 0, "random");
	harden_end_heap(test, heap);
}

static noinline void harden_stacks_site(struct goalloc_heap *heap, void *p)
{
	goalloc_heap_free(heap, p);
	HARDEN_NO_TAIL(harden_stacks_site);
}

static noinline void *harden_stacks_alloc_site(struct goalloc_heap *heap, size_t size)
{
	void *p = goalloc_heap_alloc(heap, size, GFP_KERNEL);

	HARDEN_NO_TAIL(harden_stacks_alloc_site);
	return p;
}

/* Who did it is told with every kind of report. */
static void harden_stacks(struct kunit *test)
{
	struct goalloc_heap *heap =
		harden_heap(test, GOALLOC_HARDEN_STACKS | GOALLOC_HARDEN_REDZONE, 0);
	void *mate = harden_get(test, heap, 24);
	char *p = harden_stacks_alloc_site(heap, harden_hide(24));

	KUNIT_ASSERT_NOT_NULL(test, p);
	harden_poke(p + 24, 0);
	listen_start(test);
	goalloc_heap_free(heap, p + 8);
	listen_stop();
	KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc: bad free (interior) at "));
	KUNIT_EXPECT_EQ(test, 1U, listen_count(" ms before, at harden_stacks_alloc_site+"));
	/* It was not freed yet. */
	KUNIT_EXPECT_EQ(test, 0U, listen_count("  freed by task "));
	listen_start(test);
	harden_stacks_site(heap, p);
	listen_stop();
	KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc: overflow found at harden_stacks_site+"));
	KUNIT_EXPECT_EQ(test, 1U, listen_count(" ms before, at harden_stacks_alloc_site+"));
	/* No address as it is. */
	KUNIT_EXPECT_EQ(test, 0U, listen_count("ffff"));
	goalloc_heap_free(heap, mate);
	harden_end_heap(test, heap);
}

/* Without a record nothing is said of who it was. */
static void harden_no_stacks(struct kunit *test)
{
	struct goalloc_heap *heap = harden_heap(test, GOALLOC_HARDEN_REDZONE, 0);
	char *p = harden_get(test, heap, 24);

	harden_poke(p + 24, 0);
	listen_start(test);
	harden_other_site(heap, p);
	KUNIT_EXPECT_EQ(test, 1U, listen_stop());
	KUNIT_EXPECT_EQ(test, 1U, listen_count("goalloc: overflow found at harden_other_site+"));
	harden_end_heap(test, heap);
}

/* The words of the module parameter. */
static void harden_words(struct kunit *test)
{
	static const struct {
		const char *words;
		unsigned int flags;
	} good[] = {
		{ "", 0 },
		{ "redzone", GOALLOC_HARDEN_REDZONE },
		{ "poison", GOALLOC_HARDEN_POISON },
		{ "zero", GOALLOC_HARDEN_ZERO },
		{ "quarantine", GOALLOC_HARDEN_QUARANTINE },
		{ "random", GOALLOC_HARDEN_RANDOM },
		{ "stacks", GOALLOC_HARDEN_STACKS },
		{ "all", GOALLOC_HARDEN_ALL },
		{ "all,zero", HARDEN_FLAGS },
		{ "stacks,redzone,redzone", GOALLOC_HARDEN_STACKS | GOALLOC_HARDEN_REDZONE },
	};
	static const char *const bad[] = {
		"red", "redzones", "Redzone", "redzone;poison", "redzone, poison",
		",", "redzone,,poison", "all,none", "1",
	};
	unsigned int i, flags;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		flags = ~0U;
		KUNIT_EXPECT_EQ_MSG(test, 0, harden_parse(good[i].words, &flags), "%s",
				    good[i].words);
		KUNIT_EXPECT_EQ_MSG(test, good[i].flags, flags, "%s", good[i].words);
	}
	listen_start(test);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL, harden_parse(bad[i], &flags), "%s", bad[i]);
	KUNIT_EXPECT_EQ(test, (unsigned int)ARRAY_SIZE(bad), listen_stop());
	KUNIT_EXPECT_STREQ(test, listen_line(0),
			   "goalloc: harden=: \"red\" is not known; use any of redzone,poison,zero,quarantine,random,stacks, or all");
	KUNIT_EXPECT_EQ(test, 1U, listen_count("harden=: \"none\" is not known;"));
}

/* Attributes that cannot be. */
static void harden_attributes(struct kunit *test)
{
	struct goalloc_heap_attr attr = {};
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		struct goalloc_heap *heap;

		attr.harden = 1U << bit;
		/* Not of this suite. */
		if (attr.harden == GOALLOC_HARDEN_GUARD)
			continue;
		heap = goalloc_heap_create("hard", &attr);
		if (attr.harden & HARDEN_FLAGS) {
			KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
			harden_end_heap(test, heap);
		} else {
			KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL), (void *)heap);
		}
	}
	attr.harden = GOALLOC_HARDEN_ALL & ~GOALLOC_HARDEN_QUARANTINE;
	attr.quarantine = 4096;
	KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EINVAL), (void *)goalloc_heap_create("hard", &attr));
}

static struct kunit_case harden_cases[] = {
	KUNIT_CASE(harden_overflow_boundaries),
	KUNIT_CASE(harden_overflow_large),
	KUNIT_CASE(harden_overflow_report),
	KUNIT_CASE(harden_underflow),
	KUNIT_CASE(harden_overflow_swept),
	KUNIT_CASE(harden_overflow_missed),
	KUNIT_CASE(harden_use_write),
	KUNIT_CASE(harden_use_sizes),
	KUNIT_CASE(harden_use_read),
	KUNIT_CASE(harden_use_never),
	KUNIT_CASE(harden_use_span),
	KUNIT_CASE(harden_use_quarantine),
	KUNIT_CASE(harden_zero),
	KUNIT_CASE(harden_zero_poison),
	KUNIT_CASE(harden_quarantine_order),
	KUNIT_CASE(harden_quarantine_large),
	KUNIT_CASE(harden_double_quarantine),
	KUNIT_CASE(harden_stale),
	KUNIT_CASE(harden_random),
	KUNIT_CASE(harden_stacks),
	KUNIT_CASE(harden_no_stacks),
	KUNIT_CASE(harden_words),
	KUNIT_CASE(harden_attributes),
	{}
};

static struct kunit_suite harden_suite = {
	.name = "goalloc_harden",
	.exit = harden_suite_exit,
	.test_cases = harden_cases,
};

kunit_test_suites(&harden_suite);
