// SPDX-License-Identifier: GPL-2.0-only
/*
 * <goalloc_kmalloc.h>: this file is a module's source with it in front, and the names
 * of kmalloc's family in it are goalloc's.
 */
#include <goalloc_kmalloc.h>

#include <kunit/test.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include <goalloc.h>
#include <goalloc_stats.h>

#include "compat.h"
#include "listen.h"
#include "param.h"
#include "real.h"
#include "shim.h"

struct node {
	u64 value;
	struct rcu_head rcu;
};

static s64 shim_foreign_count(void)
{
	return atomic64_read(&shim_counts.foreign);
}

static u64 shim_live(void)
{
	struct goalloc_stats st;

	goalloc_heap_stats(NULL, &st);
	return st.live_objects;
}

static int shim_suite_init(struct kunit *test)
{
	test->priv = (void *)(unsigned long)shim_live();
	return 0;
}

/* Nothing of a case is left over. */
static void shim_suite_exit(struct kunit *test)
{
	listen_stop();
	param_set("stray_guard", "0");
	goalloc_rcu_barrier();
	KUNIT_EXPECT_EQ(test, (u64)(unsigned long)test->priv, shim_live());
}

#define SHIM_OURS(test, p)						\
do {									\
	const void *ours = (p);						\
									\
	KUNIT_EXPECT_TRUE(test, goalloc_owns(ours));		\
	kfree(ours);							\
} while (0)

static void shim_allocates(struct kunit *test)
{
	void *p;

	SHIM_OURS(test, kmalloc(100, GFP_KERNEL));
	SHIM_OURS(test, kzalloc(100, GFP_ATOMIC));
	SHIM_OURS(test, kmalloc_node(100, GFP_KERNEL, numa_mem_id()));
	SHIM_OURS(test, kzalloc_node(100, GFP_KERNEL, NUMA_NO_NODE));
	SHIM_OURS(test, kmalloc_array(10, 100, GFP_KERNEL));
	SHIM_OURS(test, kcalloc(10, 100, GFP_KERNEL));
	SHIM_OURS(test, kmalloc_array_node(10, 100, GFP_KERNEL, NUMA_NO_NODE));
	SHIM_OURS(test, kcalloc_node(10, 100, GFP_KERNEL, NUMA_NO_NODE));
	SHIM_OURS(test, kmalloc_track_caller(10, GFP_KERNEL));
	SHIM_OURS(test, kmalloc_node_track_caller(10, GFP_KERNEL, NUMA_NO_NODE));
	SHIM_OURS(test, kvmalloc(10000, GFP_KERNEL));
	SHIM_OURS(test, kvzalloc(10000, GFP_KERNEL));
	SHIM_OURS(test, kvmalloc_node(10000, GFP_KERNEL, NUMA_NO_NODE));
	SHIM_OURS(test, kvmalloc_node(10000, GFP_KERNEL | __GFP_NOFAIL, numa_mem_id()));
	SHIM_OURS(test, kvmalloc_array(10, 1000, GFP_KERNEL));
	SHIM_OURS(test, kvcalloc(10, 1000, GFP_KERNEL));
	SHIM_OURS(test, kstrdup("text", GFP_KERNEL));
	SHIM_OURS(test, kstrndup("text", 2, GFP_KERNEL));
	SHIM_OURS(test, kmemdup("text", 5, GFP_KERNEL));
	SHIM_OURS(test, kmemdup_nul("text", 4, GFP_KERNEL));
	SHIM_OURS(test, kasprintf(GFP_KERNEL, "text"));
#ifdef kmalloc_obj
	SHIM_OURS(test, kmalloc_obj(struct node));
	SHIM_OURS(test, kzalloc_objs(struct node, 3));
#endif
	KUNIT_EXPECT_PTR_EQ(test, kmalloc(0, GFP_KERNEL), ZERO_SIZE_PTR);
	kfree(NULL);
	kfree(ZERO_SIZE_PTR);
	kvfree(NULL);
	p = kcalloc(7, 9, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, 63));
	kfree(p);
}

static noinline size_t shim_hide(size_t n)
{
	OPTIMIZER_HIDE_VAR(n);
	return n;
}

static void shim_overflows(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, kmalloc_array(shim_hide(SIZE_MAX), 2, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, kcalloc(shim_hide(SIZE_MAX), 2, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, kvmalloc_array(shim_hide(SIZE_MAX), 2, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, krealloc_array(NULL, shim_hide(SIZE_MAX), 2, GFP_KERNEL));
}

static void shim_texts(struct kunit *test)
{
	char *s = kasprintf(GFP_KERNEL, "%s-%03d", "cache", 7);
	char *t = kstrndup("abcdef", 3, GFP_KERNEL);
	char *u = kmemdup_nul("abcdef", 4, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_ASSERT_NOT_NULL(test, u);
	KUNIT_EXPECT_STREQ(test, (char *)"cache-007", s);
	KUNIT_EXPECT_STREQ(test, (char *)"abc", t);
	KUNIT_EXPECT_STREQ(test, (char *)"abcd", u);
	KUNIT_EXPECT_NULL(test, kstrdup(NULL, GFP_KERNEL));
	kfree_const(s);
	kfree_const(t);
	kfree_sensitive(u);
}

static void shim_resizes(struct kunit *test)
{
	char *p = krealloc(NULL, 10, GFP_KERNEL);
	char *more, *most;

	KUNIT_ASSERT_NOT_NULL(test, p);
	strscpy(p, "contents", 10);
	more = krealloc(p, 5000, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, more);
	KUNIT_EXPECT_TRUE(test, goalloc_owns(more));
	KUNIT_EXPECT_STREQ(test, (char *)"contents", more);
	KUNIT_EXPECT_GE(test, ksize(more), 5000UL);
#if GOALLOC_KERNEL_FROM(6, 12)
	most = kvrealloc(more, 8 * GOALLOC_MAX_SIZE, GFP_KERNEL);
#else
	most = kvrealloc(more, 5000, 8 * GOALLOC_MAX_SIZE, GFP_KERNEL);
#endif
	KUNIT_ASSERT_NOT_NULL(test, most);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(most));
	KUNIT_EXPECT_STREQ(test, (char *)"contents", most);
	kvfree(most);
	p = kmalloc(10, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, (void *)krealloc(p, 0, GFP_KERNEL), ZERO_SIZE_PTR);
}

/* By a pointer, at the end of a scope, and through a header's inline function. */
static void shim_redirects_all(struct kunit *test)
{
	void (*by_pointer)(const void *p) = kfree;
	u64 live = shim_live();

	by_pointer(kmalloc(64, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, live, shim_live());
#ifdef __free
	{
		void *scoped __free(kfree) = kmalloc(64, GFP_KERNEL);
		void *valued __free(kvfree) = kvmalloc(64, GFP_KERNEL);

		KUNIT_EXPECT_TRUE(test, goalloc_owns(scoped) && goalloc_owns(valued));
		KUNIT_EXPECT_EQ(test, live + 2, shim_live());
	}
#endif
	KUNIT_EXPECT_EQ(test, live, shim_live());
}

/* The kernel's memory goes back to the kernel. */
static void shim_foreign_memory(struct kunit *test)
{
	s64 foreign = shim_foreign_count();
	struct node *node;
	char *p, *more;

	listen_start(test);
	kfree(real_kmalloc(100, GFP_KERNEL));
	kfree(real_kmalloc(100000, GFP_KERNEL));
	kvfree(real_kmalloc(100, GFP_KERNEL));
	kfree_sensitive(real_kmalloc(100, GFP_KERNEL));
	node = real_kmalloc(sizeof(*node), GFP_KERNEL);
	kfree_rcu(node, rcu);
	KUNIT_EXPECT_EQ(test, foreign + 5, shim_foreign_count());
	p = real_kmalloc(100, GFP_KERNEL);
	KUNIT_EXPECT_GE(test, ksize(p), 100UL);
	more = krealloc(p, 1000, GFP_KERNEL);
	KUNIT_EXPECT_FALSE(test, goalloc_owns(more));
	kfree(more);
	KUNIT_EXPECT_EQ(test, foreign + 7, shim_foreign_count());
	KUNIT_EXPECT_EQ(test, 0U, listen_stop());
}

/* Zones are the kernel's business. */
static void shim_zones(struct kunit *test)
{
	s64 fallback = atomic64_read(&shim_counts.fallback);
	void *p = kmalloc(100, GFP_KERNEL | GFP_DMA);

	KUNIT_EXPECT_EQ(test, fallback + 1, atomic64_read(&shim_counts.fallback));
	KUNIT_EXPECT_FALSE(test, goalloc_owns(p));
	kfree(p);
}

static noinline void shim_free_again(const void *p)
{
	kfree(p);
}

/*
 * An object that was freed, and its span with it, is in no span; still it is nothing
 * that the kernel's kfree() must see.
 */
static void shim_double_free(struct kunit *test)
{
	void *p = kmalloc(GOALLOC_MAX_SMALL_SIZE * 2, GFP_KERNEL);
	s64 foreign = shim_foreign_count();

	KUNIT_ASSERT_NOT_NULL(test, p);
	kfree(p);
	listen_start(test);
	shim_free_again(p);
	KUNIT_EXPECT_EQ(test, 1U, listen_count("bad free"));
	KUNIT_EXPECT_EQ(test, 1U, listen_stop());
	KUNIT_EXPECT_EQ(test, foreign, shim_foreign_count());
}

static void shim_waits_for_readers(struct kunit *test)
{
	struct node *node = kmalloc(sizeof(*node), GFP_KERNEL);
	struct node *headless = kmalloc(sizeof(*headless), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, node);
	KUNIT_ASSERT_NOT_NULL(test, headless);
	rcu_read_lock();
	kfree_rcu(node, rcu);
	KUNIT_EXPECT_GE(test, ksize(node), sizeof(*node));
	rcu_read_unlock();
	kvfree_rcu_mightsleep(headless);
	goalloc_rcu_barrier();
	KUNIT_EXPECT_EQ(test, 0UL, gosize(node));
	KUNIT_EXPECT_EQ(test, 0UL, gosize(headless));
}

static void shim_set_value(void *p)
{
	((struct node *)p)->value = 42;
}

static void shim_caches(struct kunit *test)
{
	s64 caches = atomic64_read(&shim_counts.caches);
	struct kmem_cache *s = kmem_cache_create("a/name with/slashes", sizeof(struct node), 64,
						 SLAB_TYPESAFE_BY_RCU, shim_set_value);
	struct kmem_cache *plain = KMEM_CACHE(node, SLAB_HWCACHE_ALIGN);
	struct node *node;
	void *many[30];

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_ASSERT_NOT_NULL(test, plain);
	KUNIT_EXPECT_EQ(test, caches + 2, atomic64_read(&shim_counts.caches));
	KUNIT_EXPECT_EQ(test, (unsigned int)sizeof(struct node), kmem_cache_size(s));
	node = kmem_cache_alloc(s, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, node);
	KUNIT_EXPECT_EQ(test, 42ULL, node->value);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)node, 64));
	kmem_cache_free(s, node);
	node = kmem_cache_zalloc(plain, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, node);
	KUNIT_EXPECT_EQ(test, 0ULL, node->value);
	/* The kernel allows it. */
	kfree(node);
	node = kmem_cache_alloc_node(plain, GFP_KERNEL, numa_mem_id());
	KUNIT_ASSERT_NOT_NULL(test, node);
	kfree_rcu(node, rcu);
	KUNIT_EXPECT_EQ(test, (int)ARRAY_SIZE(many),
			kmem_cache_alloc_bulk(plain, GFP_KERNEL, ARRAY_SIZE(many), many));
	kmem_cache_free_bulk(plain, 10, many);
	kfree_bulk(ARRAY_SIZE(many) - 10, many + 10);
	KUNIT_EXPECT_EQ(test, 0, kmem_cache_shrink(plain));
	/* Waits for what was given to kfree_rcu(). */
	kmem_cache_destroy(plain);
	kmem_cache_destroy(s);
	kmem_cache_destroy(NULL);
	KUNIT_EXPECT_EQ(test, caches, atomic64_read(&shim_counts.caches));
}

/* A cache of the kernel's, as that of path names is. */
static void shim_kernel_caches(struct kunit *test)
{
	struct kmem_cache *s = real_cache_create("real", 200);
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, s);
	p = kmem_cache_alloc(s, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_FALSE(test, goalloc_owns(p));
	kmem_cache_free(s, p);
	KUNIT_EXPECT_EQ(test, 200U, kmem_cache_size(s));
	kmem_cache_destroy(s);
}

static void shim_mempools(struct kunit *test)
{
	struct kmem_cache *s = KMEM_CACHE(node, 0);
	mempool_t *of_cache = mempool_create_slab_pool(4, s);
	mempool_t *of_size = mempool_create_kmalloc_pool(4, 300);
	void *p, *q;

	KUNIT_ASSERT_NOT_NULL(test, of_cache);
	KUNIT_ASSERT_NOT_NULL(test, of_size);
	p = mempool_alloc(of_cache, GFP_KERNEL);
	q = mempool_alloc(of_size, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, goalloc_owns(p));
	KUNIT_EXPECT_TRUE(test, goalloc_owns(q));
	mempool_free(p, of_cache);
	mempool_free(q, of_size);
	mempool_destroy(of_cache);
	mempool_destroy(of_size);
	kmem_cache_destroy(s);
}

#if IS_ENABLED(CONFIG_KPROBES) && defined(CONFIG_X86_64)

static noinline void shim_give_away(const void *p)
{
	real_kfree(p);
	/* Not a jump: the call site is to be this function. */
	barrier();
}

/* What the kernel frees of ours is caught before it is looked at. */
static void shim_stray(struct kunit *test)
{
	s64 stray = atomic64_read(&shim_counts.stray);
	struct kmem_cache *s = real_cache_create("real", 64);
	u64 live = shim_live();
	struct node *node;
	void *p;

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_ASSERT_EQ(test, 0, param_set("stray_guard", "1"));
	p = kmalloc(100, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_GE(test, real_ksize(p), 100UL);
	listen_start(test);
	shim_give_away(p);
	KUNIT_EXPECT_EQ(test, 1U, listen_count("stray free at shim_give_away"));
	listen_stop();
	real_kfree_sensitive(kmalloc(100000, GFP_KERNEL));
	node = kmalloc(sizeof(*node), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, node);
	real_kfree_rcu(&node->rcu, node);
	real_cache_free(s, kmalloc(64, GFP_KERNEL));
	p = real_krealloc(kmalloc(10, GFP_KERNEL), 1000, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, goalloc_owns(p));
	kfree(p);
	goalloc_rcu_barrier();
	KUNIT_EXPECT_EQ(test, stray + 5, atomic64_read(&shim_counts.stray));
	KUNIT_EXPECT_EQ(test, live, shim_live());
	/* The kernel's own go by. */
	real_kfree(real_kmalloc(100, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, stray + 5, atomic64_read(&shim_counts.stray));
	KUNIT_EXPECT_EQ(test, 0, param_set("stray_guard", "0"));
	KUNIT_EXPECT_EQ(test, 0, param_set("stray_guard", "1"));
	KUNIT_EXPECT_EQ(test, 0, param_set("stray_guard", "0"));
	real_cache_destroy(s);
}

#else

static void shim_stray(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, -EOPNOTSUPP, param_set("stray_guard", "1"));
}

#endif

static struct kunit_case shim_cases[] = {
	KUNIT_CASE(shim_allocates),
	KUNIT_CASE(shim_overflows),
	KUNIT_CASE(shim_texts),
	KUNIT_CASE(shim_resizes),
	KUNIT_CASE(shim_redirects_all),
	KUNIT_CASE(shim_foreign_memory),
	KUNIT_CASE(shim_zones),
	KUNIT_CASE(shim_double_free),
	KUNIT_CASE(shim_waits_for_readers),
	KUNIT_CASE(shim_caches),
	KUNIT_CASE(shim_kernel_caches),
	KUNIT_CASE(shim_mempools),
	KUNIT_CASE(shim_stray),
	{}
};

static struct kunit_suite shim_suite = {
	.name = "goalloc_shim",
	.init = shim_suite_init,
	.exit = shim_suite_exit,
	.test_cases = shim_cases,
};

kunit_test_suite(shim_suite);
