// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's own allocator, for suites in which its names are goalloc's. See
 * real.h.
 */
#include <linux/slab.h>

#include "compat.h"
#include "real.h"

void *real_kmalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp);
}

void real_kfree(const void *p)
{
	kfree(p);
}

void real_kfree_sensitive(const void *p)
{
	kfree_sensitive(p);
}

void real_kfree_rcu(struct rcu_head *head, void *p)
{
#if GOALLOC_KERNEL_FROM(6, 2)
	kvfree_call_rcu(head, p);
#else
	kvfree_call_rcu(head, (rcu_callback_t)((void *)head - p));
#endif
}

void *real_krealloc(void *p, size_t size, gfp_t gfp)
{
	return krealloc(p, size, gfp);
}

size_t real_ksize(const void *p)
{
	return ksize(p);
}

struct kmem_cache *real_cache_create(const char *name, unsigned int size)
{
	return kmem_cache_create(name, size, 0, 0, NULL);
}

void real_cache_destroy(struct kmem_cache *s)
{
	kmem_cache_destroy(s);
}

void real_cache_free(struct kmem_cache *s, void *p)
{
	kmem_cache_free(s, p);
}
