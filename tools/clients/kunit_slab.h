/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel's slub_kunit.c finds as "../mm/slab.h" when it is to test goalloc.
 *
 * It looks into SLUB's caches, so the shim is not enough: here a kmem_cache is a heap
 * of goalloc's that looks for what the cache's flags say, and what SLUB would check is
 * checked by goalloc_validate(). SLUB adds to the test's "slab_errors" one for each
 * line it prints, of damage and of repair; here that is one for each check that found
 * something, so what the test compares with its numbers is whether there was anything.
 */
#ifndef KUNIT_SLAB_H
#define KUNIT_SLAB_H

#include <kunit/resource.h>
#include <linux/err.h>
#include <linux/kasan.h>

#include <goalloc.h>

/*
 * @neighbour is an object beside those of the test's: pages without any are free at once,
 * and nobody looks at what is written to them any more. SLUB keeps some.
 */
struct kmem_cache {
	struct goalloc_heap *heap;
	void *neighbour;
	unsigned int size;
	slab_flags_t flags;
	unsigned int offset;
};

static void slab_error(void)
{
	struct kunit *test = kunit_get_current_test();
	struct kunit_resource *resource;

	resource = kunit_find_named_resource(test, "slab_errors");
	(*(int *)resource->data)++;
	kunit_put_resource(resource);
}

static inline struct kmem_cache *slab_create(const char *name, unsigned int size,
					     unsigned int align, slab_flags_t flags,
					     void (*ctor)(void *obj))
{
	struct kunit *test = kunit_get_current_test();
	struct goalloc_heap_attr attr = {};
	struct kmem_cache *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	/* SLUB's zone is looked at when the object is free, too; there that is poison's. */
	if (flags & SLAB_RED_ZONE)
		attr.harden |= GOALLOC_HARDEN_REDZONE | GOALLOC_HARDEN_POISON;
	if (flags & SLAB_POISON)
		attr.harden |= GOALLOC_HARDEN_POISON;
	if (flags & SLAB_STORE_USER)
		attr.harden |= GOALLOC_HARDEN_STACKS;
	s->heap = goalloc_heap_create(name, &attr);
	KUNIT_ASSERT_FALSE(test, IS_ERR(s->heap));
	s->neighbour = goalloc_heap_alloc(s->heap, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s->neighbour);
	s->size = size;
	s->flags = flags;
	return s;
}

static inline void *slab_alloc(struct kmem_cache *s, gfp_t flags, size_t size)
{
	struct kunit *test = kunit_get_current_test();
	void *p = goalloc_heap_alloc(s->heap, size, flags);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static inline void *slab_alloc_one(struct kmem_cache *s, gfp_t flags)
{
	return slab_alloc(s, flags, s->size);
}

static inline void slab_destroy(struct kmem_cache *s)
{
	goalloc_heap_free(s->heap, s->neighbour);
	goalloc_rcu_barrier();
	if (goalloc_heap_destroy(s->heap, false))
		slab_error();
}

static inline void slab_validate(struct kmem_cache *s)
{
	if (goalloc_validate(s->heap) < 0)
		slab_error();
}

#undef kmem_cache_create
#define kmem_cache_create slab_create
#undef kmem_cache_alloc
#define kmem_cache_alloc slab_alloc_one
#define __kmalloc_cache_noprof slab_alloc
#define kmem_cache_free(s, p) goalloc_heap_free((s)->heap, p)
#define kmem_cache_destroy slab_destroy
#define validate_slab_cache slab_validate
#undef kfree_rcu
#define kfree_rcu gofree_rcu

#undef KUNIT_EXPECT_EQ
#define KUNIT_EXPECT_EQ(test, wanted, found)				\
	KUNIT_EXPECT_EQ_MSG(test, !!(wanted), !!(found),		\
			    "SLUB finds " #wanted " here")

#endif /* KUNIT_SLAB_H */
