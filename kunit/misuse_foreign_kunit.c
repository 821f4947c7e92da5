// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees of what never came from goalloc, one bug per case. They are done to the
 * default heap, whose address space is that of the kernel.
 */
#include <kunit/test.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <goalloc.h>

#include "cache.h"
#include "misuse.h"

static int misuse_foreign_static;

/* Freed with gofree() and refused as foreign, in these words. */
static void foreign_expect(struct kunit *test, const void *p, const char *text)
{
	misuse_watch(test, goalloc_default);
	misuse_gofree(p);
	misuse_told(test, BAD_FREE_FOREIGN, p, ": %s", text);
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(p));
	KUNIT_EXPECT_FALSE(test, goalloc_owns(p));
}

#define FOREIGN_SLAB "is slab memory; use kfree() or kmem_cache_free()"
#define FOREIGN_ELSE "is not goalloc memory; free it where it came from"
#define FOREIGN_STATIC "is code or static data; it was never allocated"
#define FOREIGN_VMALLOC "is vmalloc() memory; use vfree() or gokvfree()"
#define FOREIGN_STACK "is on the stack; it was never allocated"
#define FOREIGN_USER "is an address of user space; it was never allocated here"
#define FOREIGN_ERROR "is an error pointer; test it with IS_ERR() before"
#define FOREIGN_NULL "is next to NULL; look for a member of a structure that is not there"

static void foreign_kmalloc(struct kunit *test)
{
	char *p = kmalloc(64, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 0x3c, 64);
	foreign_expect(test, p, FOREIGN_SLAB);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x3c, 64));
	kfree(p);
}

static void foreign_kmem_cache(struct kunit *test)
{
	struct kmem_cache *cache = kmem_cache_create("goalloc_misuse", 200, 0,
						     0, NULL);
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, cache);
	p = kmem_cache_alloc(cache, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, p);
	if (p) {
		foreign_expect(test, p, FOREIGN_SLAB);
		kmem_cache_free(cache, p);
	}
	kmem_cache_destroy(cache);
}

/* Only asked about, never touched: a sanitizer would say if it were. */
static void foreign_kfreed(struct kunit *test)
{
	unsigned long mate = (unsigned long)kmalloc(64, GFP_KERNEL);
	unsigned long addr = (unsigned long)kmalloc(64, GFP_KERNEL);

	KUNIT_ASSERT_NE(test, 0UL, mate);
	KUNIT_ASSERT_NE(test, 0UL, addr);
	kfree((void *)addr);
	/* In a page that is still a slab's, if the mate is in it. */
	foreign_expect(test, (void *)addr,
		       PageSlab(virt_to_head_page((void *)addr)) ? FOREIGN_SLAB : FOREIGN_ELSE);
	kfree((void *)mate);
}

static void foreign_page(struct kunit *test)
{
	unsigned long page = __get_free_page(GFP_KERNEL);

	KUNIT_ASSERT_NE(test, 0UL, page);
	foreign_expect(test, (void *)page, FOREIGN_ELSE);
	free_page(page);
}

/* Too large for a slab: pages, as far as anybody can see. */
static void foreign_kmalloc_large(struct kunit *test)
{
	void *p = kmalloc(PAGE_SIZE << 4, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	foreign_expect(test, p, FOREIGN_ELSE);
	kfree(p);
}

static void foreign_stack(struct kunit *test)
{
	u64 word = 0x1122334455667788ULL;

	foreign_expect(test, &word, FOREIGN_STACK);
	KUNIT_EXPECT_EQ(test, 0x1122334455667788ULL, word);
}

static void foreign_data(struct kunit *test)
{
	foreign_expect(test, &misuse_foreign_static, FOREIGN_STATIC);
}

static void foreign_rodata(struct kunit *test)
{
	foreign_expect(test, "a string", FOREIGN_STATIC);
}

static void foreign_code(struct kunit *test)
{
	foreign_expect(test, foreign_code, FOREIGN_STATIC);
}

static void foreign_kernel_image(struct kunit *test)
{
	foreign_expect(test, (const void *)&jiffies, FOREIGN_STATIC);
}

static void foreign_vmalloc(struct kunit *test)
{
	char *p = vmalloc(3 * PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, p);
	foreign_expect(test, p, FOREIGN_VMALLOC);
	foreign_expect(test, p + PAGE_SIZE, FOREIGN_VMALLOC);
	/* It is vfree()'s by its address, and so goes there. */
	misuse_watch(test, goalloc_default);
	gokvfree(p);
	misuse_silent(test, "gokvfree() of vmalloc() memory");
}

static void foreign_percpu(struct kunit *test)
{
	int __percpu *p = alloc_percpu(int);
	const void *here;

	KUNIT_ASSERT_TRUE(test, !!p);
	here = per_cpu_ptr(p, 0);
	foreign_expect(test, here, is_vmalloc_addr(here) ? FOREIGN_VMALLOC : FOREIGN_ELSE);
	free_percpu(p);
}

static void foreign_struct_page(struct kunit *test)
{
	unsigned long page = __get_free_page(GFP_KERNEL);

	KUNIT_ASSERT_NE(test, 0UL, page);
	foreign_expect(test, virt_to_page((void *)page), FOREIGN_ELSE);
	free_page(page);
}

static void foreign_error(struct kunit *test)
{
	foreign_expect(test, ERR_PTR(-ENOMEM), FOREIGN_ERROR);
}

static void foreign_minus_one(struct kunit *test)
{
	foreign_expect(test, (void *)-1L, FOREIGN_ERROR);
}

static void foreign_next_to_null(struct kunit *test)
{
	foreign_expect(test, (void *)24, FOREIGN_NULL);
}

/* What ZERO_SIZE_PTR becomes if it is walked through like an array. */
static void foreign_behind_zero_size(struct kunit *test)
{
	foreign_expect(test, (char *)ZERO_SIZE_PTR + 1, FOREIGN_NULL);
}

static void foreign_user(struct kunit *test)
{
	foreign_expect(test, (void *)0x5555deadb000, FOREIGN_USER);
}

/* Between user space and the kernel's half there is nothing. */
static void foreign_hole(struct kunit *test)
{
	foreign_expect(test, (void *)0x4141414141414141, FOREIGN_ELSE);
}

static void foreign_below_map(struct kunit *test)
{
	foreign_expect(test, (void *)goalloc_space.source.base - 8, FOREIGN_ELSE);
}

static void foreign_beyond_map(struct kunit *test)
{
	unsigned long end = goalloc_space.source.base +
			    goalloc_space.source.nr_pages * GOALLOC_PAGE_SIZE;

	foreign_expect(test, (void *)end, FOREIGN_ELSE);
}

static void foreign_unaligned(struct kunit *test)
{
	foreign_expect(test, (void *)LONG_MIN + 12345, FOREIGN_ELSE);
}

/* Not a byte of it is cleared. */
static void foreign_sensitive(struct kunit *test)
{
	char *p = kmalloc(100, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 0x77, 100);
	misuse_watch(test, goalloc_default);
	misuse_sensitive(p);
	misuse_told(test, BAD_FREE_FOREIGN, p, ": %s", FOREIGN_SLAB);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x77, 100));
	kfree(p);
}

/* Neither resized nor freed, and the caller gets nothing. */
static void foreign_realloc(struct kunit *test)
{
	char *p = kmalloc(100, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 0x66, 100);
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_NULL(test, misuse_realloc(p, 200));
	misuse_told(test, BAD_FREE_FOREIGN, p, ": %s", FOREIGN_SLAB);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0x66, 100));
	kfree(p);
}

static void foreign_realloc_zero(struct kunit *test)
{
	void *p = kmalloc(100, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	misuse_watch(test, goalloc_default);
	KUNIT_EXPECT_PTR_EQ(test, ZERO_SIZE_PTR, misuse_realloc(p, 0));
	misuse_told(test, BAD_FREE_FOREIGN, p, ": %s", FOREIGN_SLAB);
	kfree(p);
}

static void foreign_kvfree(struct kunit *test)
{
	void *p = kmalloc(100, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	misuse_watch(test, goalloc_default);
	misuse_kvfree(p);
	misuse_told(test, BAD_FREE_FOREIGN, p, ": %s", FOREIGN_SLAB);
	kfree(p);
}

/* In the middle of good ones, which are freed. */
static void foreign_in_bulk(struct kunit *test)
{
	struct misuse *m = test->priv;
	struct goalloc_stats st;
	void *p[5];
	u64 live;

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(p), goalloc_bulk(72, GFP_KERNEL, ARRAY_SIZE(p), p));
	gofree(p[2]);
	p[2] = &misuse_foreign_static;
	goalloc_heap_stats(goalloc_default, &st);
	live = st.live_objects;
	misuse_watch(test, goalloc_default);
	misuse_bulk(ARRAY_SIZE(p), p);
	goalloc_heap_stats(goalloc_default, &st);
	KUNIT_EXPECT_EQ(test, live - 4, st.live_objects);
	KUNIT_EXPECT_EQ(test, m->shot.st.bad_frees + 1, st.bad_frees);
	/* The others left the books; what is said is about one. */
	shot_take(goalloc_default, &m->shot);
	m->shot.st.bad_frees--;
	m->shot.bad[BAD_FREE_FOREIGN]--;
	misuse_told(test, BAD_FREE_FOREIGN, &misuse_foreign_static, ": %s", FOREIGN_STATIC);
}

static void foreign_heap(struct kunit *test)
{
	struct misuse *m = test->priv;
	u64 word;

	misuse_watch(test, m->fh->heap);
	misuse_free(m->fh->heap, &word);
	misuse_told(test, BAD_FREE_FOREIGN, &word, ": %s", FOREIGN_STACK);
}

/* Nothing wrong: these two may be freed, as often as one likes. */
static void foreign_nothing(struct kunit *test)
{
	struct misuse *m = test->priv;
	void *nothing[3] = { NULL, ZERO_SIZE_PTR, NULL };

	misuse_watch(test, goalloc_default);
	misuse_gofree(NULL);
	misuse_gofree(ZERO_SIZE_PTR);
	misuse_gofree(ZERO_SIZE_PTR);
	misuse_sensitive(ZERO_SIZE_PTR);
	misuse_kvfree(NULL);
	misuse_bulk(ARRAY_SIZE(nothing), nothing);
	misuse_free(goalloc_default, ZERO_SIZE_PTR);
	misuse_silent(test, "freeing nothing");
	shot_expect_same(test, goalloc_default, &m->shot, "freeing nothing");
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(NULL));
	KUNIT_EXPECT_EQ(test, (size_t)0, gosize(ZERO_SIZE_PTR));
}

static struct kunit_case misuse_foreign_cases[] = {
	KUNIT_CASE(foreign_kmalloc),
	KUNIT_CASE(foreign_kmem_cache),
	KUNIT_CASE(foreign_kfreed),
	KUNIT_CASE(foreign_page),
	KUNIT_CASE(foreign_kmalloc_large),
	KUNIT_CASE(foreign_stack),
	KUNIT_CASE(foreign_data),
	KUNIT_CASE(foreign_rodata),
	KUNIT_CASE(foreign_code),
	KUNIT_CASE(foreign_kernel_image),
	KUNIT_CASE(foreign_vmalloc),
	KUNIT_CASE(foreign_percpu),
	KUNIT_CASE(foreign_struct_page),
	KUNIT_CASE(foreign_error),
	KUNIT_CASE(foreign_minus_one),
	KUNIT_CASE(foreign_next_to_null),
	KUNIT_CASE(foreign_behind_zero_size),
	KUNIT_CASE(foreign_user),
	KUNIT_CASE(foreign_hole),
	KUNIT_CASE(foreign_below_map),
	KUNIT_CASE(foreign_beyond_map),
	KUNIT_CASE(foreign_unaligned),
	KUNIT_CASE(foreign_sensitive),
	KUNIT_CASE(foreign_realloc),
	KUNIT_CASE(foreign_realloc_zero),
	KUNIT_CASE(foreign_kvfree),
	KUNIT_CASE(foreign_in_bulk),
	KUNIT_CASE(foreign_heap),
	KUNIT_CASE(foreign_nothing),
	{}
};

static struct kunit_suite misuse_foreign_suite = {
	.name = "goalloc_misuse_foreign",
	.init = misuse_init,
	.exit = misuse_exit,
	.test_cases = misuse_foreign_cases,
};

kunit_test_suites(&misuse_foreign_suite);
