/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's own allocator, for suites in which its names are goalloc's.
 */
#ifndef GOALLOC_REAL_H
#define GOALLOC_REAL_H

#include <linux/gfp.h>
#include <linux/rcupdate.h>

struct kmem_cache;

void *real_kmalloc(size_t size, gfp_t gfp);
void real_kfree(const void *p);
void real_kfree_sensitive(const void *p);
void real_kfree_rcu(struct rcu_head *head, void *p);
void *real_krealloc(void *p, size_t size, gfp_t gfp);
size_t real_ksize(const void *p);
struct kmem_cache *real_cache_create(const char *name, unsigned int size);
void real_cache_destroy(struct kmem_cache *s);
void real_cache_free(struct kmem_cache *s, void *p);

#endif /* GOALLOC_REAL_H */
