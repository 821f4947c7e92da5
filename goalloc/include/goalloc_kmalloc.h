/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A module's kmalloc() becomes goalloc's, without a change to its source.
 *
 * Force-include this file when the module is compiled,
 *
 *	ccflags-y += -I<goalloc>/include -include goalloc_kmalloc.h
 *
 * and kmalloc(), kmem_cache_create() and all their relatives in it, and in what it
 * includes, are goalloc's. See Documentation/porting.rst for what that means, and for
 * memory that one side allocates and the other frees.
 *
 * Names become other names here, whatever follows them, so that a pointer to kfree()
 * is redirected as well. Where the kernel has functions with "_noprof" and macros
 * over them, these are the functions' names, and the macros stay the kernel's: then
 * /proc/allocinfo goes on telling callers apart.
 *
 * Each gok_x() does what x() of the kernel does, in the contexts that x() is allowed
 * in, and takes what x() takes. What differs:
 *  - memory that is not goalloc's goes where it came from, to the kernel's kfree() and
 *    so on, and is counted; but what is neither slab memory nor a large kmalloc()
 *    object is refused and reported as a bad free;
 *  - requests for a zone (__GFP_DMA, __GFP_DMA32) go to the kernel's kmalloc(), and
 *    are counted;
 *  - a kmem_cache is an object cache with a heap of its own. A pointer to one is of
 *    use to the functions here only; that of a cache of the kernel's is passed on to
 *    the kernel. SLAB_ACCOUNT, SLAB_RECLAIM_ACCOUNT and the debugging flags are
 *    ignored.
 */
#ifndef GOALLOC_KMALLOC_H
#define GOALLOC_KMALLOC_H

/* Here are functions that call what they are named after, before it is renamed. */
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/version.h>

struct rcu_head;

/* kmalloc() and relatives */
void *gok_kmalloc(size_t size, gfp_t flags) __alloc_size(1);
void *gok_kmalloc_node(size_t size, gfp_t flags, int node) __alloc_size(1);
void *gok_kmalloc_track(size_t size, gfp_t flags, int node, unsigned long caller)
	__alloc_size(1);
void *gok_krealloc(const void *p, size_t new_size, gfp_t flags)
	__realloc_size(2) __must_check;
void *gok_kvmalloc_node(size_t size, gfp_t flags, int node) __alloc_size(1);
#if KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE
void *gok_kvrealloc(const void *p, size_t size, gfp_t flags) __realloc_size(2);
#else
void *gok_kvrealloc(const void *p, size_t old_size, size_t new_size, gfp_t flags)
	__realloc_size(3);
#endif
void gok_kfree(const void *p);
void gok_kfree_sensitive(const void *p);
void gok_kfree_bulk(size_t nr, void **p);
void gok_kvfree(const void *p);
void gok_kvfree_sensitive(const void *p, size_t len);
size_t gok_ksize(const void *p);
size_t gok_kmalloc_size_roundup(size_t size);

/* After a grace period */
#if KERNEL_VERSION(6, 2, 0) <= LINUX_VERSION_CODE
void gok_kvfree_call_rcu(struct rcu_head *head, void *p);
#else
void gok_kvfree_call_rcu(struct rcu_head *head, rcu_callback_t func);
#endif
void gok_kvfree_rcu_barrier(void);

/* Copies and texts */
char *gok_kstrdup(const char *s, gfp_t flags) __malloc;
char *gok_kstrndup(const char *s, size_t max, gfp_t flags);
void *gok_kmemdup(const void *src, size_t len, gfp_t flags) __realloc_size(2);
void *gok_kvmemdup(const void *src, size_t len, gfp_t flags) __realloc_size(2);
char *gok_kmemdup_nul(const char *s, size_t len, gfp_t flags);
void gok_kfree_const(const void *p);
void gok_kfree_link(void *p);
__printf(2, 3) __malloc char *gok_kasprintf(gfp_t flags, const char *fmt, ...);
__printf(2, 0) __malloc char *gok_kvasprintf(gfp_t flags, const char *fmt, va_list args);
void *gok_memdup_user(const void __user *src, size_t len) __realloc_size(2);
void *gok_vmemdup_user(const void __user *src, size_t len) __realloc_size(2);
void *gok_memdup_user_nul(const void __user *src, size_t len);
char *gok_strndup_user(const char __user *s, long max);

/* Object caches */
struct kmem_cache *gok_kmem_cache_create(const char *name, unsigned int size,
					 unsigned int align, slab_flags_t flags,
					 void (*ctor)(void *));
void gok_kmem_cache_destroy(struct kmem_cache *s);
int gok_kmem_cache_shrink(struct kmem_cache *s);
unsigned int gok_kmem_cache_size(struct kmem_cache *s);
void *gok_kmem_cache_alloc(struct kmem_cache *s, gfp_t flags) __malloc;
void *gok_kmem_cache_alloc_node(struct kmem_cache *s, gfp_t flags, int node) __malloc;
void *gok_kmem_cache_alloc_lru(struct kmem_cache *s, struct list_lru *lru, gfp_t flags)
	__malloc;
int gok_kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t flags, size_t nr, void **p);
void gok_kmem_cache_free(struct kmem_cache *s, void *p);
void gok_kmem_cache_free_bulk(struct kmem_cache *s, size_t nr, void **p);
bool gok_kmem_cache_charge(void *p, gfp_t flags);

/* For mempools, which call them with what they were made with */
void *gok_mempool_alloc_slab(gfp_t flags, void *pool_data);
void gok_mempool_free_slab(void *element, void *pool_data);
void *gok_mempool_kmalloc(gfp_t flags, void *pool_data);
void gok_mempool_kfree(void *element, void *pool_data);
void *gok_mempool_kvmalloc(gfp_t flags, void *pool_data);
void gok_mempool_kvfree(void *element, void *pool_data);

DEFINE_FREE(gok_kfree, void *, if (!IS_ERR_OR_NULL(_T)) gok_kfree(_T))
DEFINE_FREE(gok_kvfree, void *, if (!IS_ERR_OR_NULL(_T)) gok_kvfree(_T))

static inline void *gok_kzalloc(size_t size, gfp_t flags)
{
	return gok_kmalloc(size, flags | __GFP_ZERO);
}

static inline void *gok_kzalloc_node(size_t size, gfp_t flags, int node)
{
	return gok_kmalloc_node(size, flags | __GFP_ZERO, node);
}

static inline void *gok_kmalloc_array(size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	return unlikely(check_mul_overflow(n, size, &bytes)) ? NULL :
	       gok_kmalloc(bytes, flags);
}

static inline void *gok_kcalloc(size_t n, size_t size, gfp_t flags)
{
	return gok_kmalloc_array(n, size, flags | __GFP_ZERO);
}

static inline void *gok_kmalloc_array_node(size_t n, size_t size, gfp_t flags, int node)
{
	size_t bytes;

	return unlikely(check_mul_overflow(n, size, &bytes)) ? NULL :
	       gok_kmalloc_node(bytes, flags, node);
}

static inline void *gok_kcalloc_node(size_t n, size_t size, gfp_t flags, int node)
{
	return gok_kmalloc_array_node(n, size, flags | __GFP_ZERO, node);
}

static inline void *gok_krealloc_array(void *p, size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	return unlikely(check_mul_overflow(n, size, &bytes)) ? NULL :
	       gok_krealloc(p, bytes, flags);
}

static inline void *gok_kvmalloc(size_t size, gfp_t flags)
{
	return gok_kvmalloc_node(size, flags, NUMA_NO_NODE);
}

static inline void *gok_kvzalloc(size_t size, gfp_t flags)
{
	return gok_kvmalloc_node(size, flags | __GFP_ZERO, NUMA_NO_NODE);
}

static inline void *gok_kvzalloc_node(size_t size, gfp_t flags, int node)
{
	return gok_kvmalloc_node(size, flags | __GFP_ZERO, node);
}

static inline void *gok_kvmalloc_array_node(size_t n, size_t size, gfp_t flags, int node)
{
	size_t bytes;

	return unlikely(check_mul_overflow(n, size, &bytes)) ? NULL :
	       gok_kvmalloc_node(bytes, flags, node);
}

static inline void *gok_kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return gok_kvmalloc_array_node(n, size, flags, NUMA_NO_NODE);
}

static inline void *gok_kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return gok_kvmalloc_array(n, size, flags | __GFP_ZERO);
}

static inline void *gok_kmemdup_array(const void *src, size_t n, size_t size, gfp_t flags)
{
	return gok_kmemdup(src, size_mul(size, n), flags);
}

static inline void *gok_kmem_cache_zalloc(struct kmem_cache *s, gfp_t flags)
{
	return gok_kmem_cache_alloc(s, flags | __GFP_ZERO);
}

static inline struct kmem_cache *
gok_kmem_cache_create_usercopy(const char *name, unsigned int size, unsigned int align,
			       slab_flags_t flags, unsigned int useroffset,
			       unsigned int usersize, void (*ctor)(void *))
{
	return gok_kmem_cache_create(name, size, align, flags, ctor);
}

#ifdef kmem_cache_create
static inline struct kmem_cache *
gok_kmem_cache_create_args(const char *name, unsigned int size,
			   struct kmem_cache_args *args, slab_flags_t flags)
{
	return gok_kmem_cache_create(name, size, args ? args->align : 0, flags,
				     args ? args->ctor : NULL);
}
#endif

/* From here on they have other names, unless this is where they are made. */
#ifndef GOALLOC_KMALLOC_KEEP_NAMES

#ifdef alloc_hooks
#define kmalloc_noprof gok_kmalloc
#define kzalloc_noprof gok_kzalloc
#define kmalloc_node_noprof gok_kmalloc_node
#define kmalloc_array_noprof gok_kmalloc_array
#define kmalloc_array_node_noprof gok_kmalloc_array_node
#define krealloc_noprof gok_krealloc
#define krealloc_array_noprof gok_krealloc_array
#define kvmalloc_array_node_noprof gok_kvmalloc_array_node
#define kvrealloc_noprof gok_kvrealloc
#define kmemdup_noprof gok_kmemdup
#define kmem_cache_alloc_noprof gok_kmem_cache_alloc
#define kmem_cache_alloc_node_noprof gok_kmem_cache_alloc_node
#define kmem_cache_alloc_lru_noprof gok_kmem_cache_alloc_lru
#define kmem_cache_alloc_bulk_noprof gok_kmem_cache_alloc_bulk
#define __kmalloc_noprof gok_kmalloc
#undef kmalloc_node_track_caller_noprof
#define kmalloc_node_track_caller_noprof gok_kmalloc_track
#undef kvmalloc_node_noprof
#define kvmalloc_node_noprof gok_kvmalloc_node
#else
#define kmalloc gok_kmalloc
#define kzalloc gok_kzalloc
#define kmalloc_node gok_kmalloc_node
#define kzalloc_node gok_kzalloc_node
#define kmalloc_array gok_kmalloc_array
#define kcalloc gok_kcalloc
#define kmalloc_array_node gok_kmalloc_array_node
#define kcalloc_node gok_kcalloc_node
#define krealloc gok_krealloc
#define krealloc_array gok_krealloc_array
#define kvmalloc gok_kvmalloc
#define kvzalloc gok_kvzalloc
#define kvmalloc_node gok_kvmalloc_node
#define kvzalloc_node gok_kvzalloc_node
#define kvmalloc_array gok_kvmalloc_array
#define kvcalloc gok_kvcalloc
#define kvrealloc gok_kvrealloc
#define kmemdup gok_kmemdup
#define kmem_cache_alloc gok_kmem_cache_alloc
#define kmem_cache_zalloc gok_kmem_cache_zalloc
#define kmem_cache_alloc_node gok_kmem_cache_alloc_node
#define kmem_cache_alloc_lru gok_kmem_cache_alloc_lru
#define kmem_cache_alloc_bulk gok_kmem_cache_alloc_bulk
#define __kmalloc gok_kmalloc
#define __kmalloc_node gok_kmalloc_node
#undef kmalloc_node_track_caller
#define kmalloc_node_track_caller(size, flags, node)			\
	gok_kmalloc_track(size, flags, node, _RET_IP_)
#undef kmalloc_track_caller
#define kmalloc_track_caller(size, flags)				\
	gok_kmalloc_track(size, flags, NUMA_NO_NODE, _RET_IP_)
#endif

#ifdef kmem_cache_create
#undef kmem_cache_create
#define kmem_cache_create(name, size, args, ...)			\
	_Generic((args),						\
		struct kmem_cache_args *: gok_kmem_cache_create_args,	\
		void *: gok_kmem_cache_create_args,			\
		default: gok_kmem_cache_create)(name, size, args, __VA_ARGS__)
#define __kmem_cache_create_args gok_kmem_cache_create_args
#else
#define kmem_cache_create gok_kmem_cache_create
#endif

#define kfree gok_kfree
#define kfree_sensitive gok_kfree_sensitive
#define kfree_bulk gok_kfree_bulk
#define kvfree gok_kvfree
#define kvfree_sensitive gok_kvfree_sensitive
#define ksize gok_ksize
#define kmalloc_size_roundup gok_kmalloc_size_roundup
#define kvfree_call_rcu gok_kvfree_call_rcu
#define kvfree_rcu_barrier gok_kvfree_rcu_barrier
#define kstrdup gok_kstrdup
#define kstrndup gok_kstrndup
#define kvmemdup gok_kvmemdup
#define kmemdup_nul gok_kmemdup_nul
#define kmemdup_array gok_kmemdup_array
#define kfree_const gok_kfree_const
#define kfree_link gok_kfree_link
#define kasprintf gok_kasprintf
#define kvasprintf gok_kvasprintf
#define memdup_user gok_memdup_user
#define vmemdup_user gok_vmemdup_user
#define memdup_user_nul gok_memdup_user_nul
#define strndup_user gok_strndup_user
#define kmem_cache_create_usercopy gok_kmem_cache_create_usercopy
#define kmem_cache_destroy gok_kmem_cache_destroy
#define kmem_cache_shrink gok_kmem_cache_shrink
#define kmem_cache_size gok_kmem_cache_size
#define kmem_cache_free gok_kmem_cache_free
#define kmem_cache_free_bulk gok_kmem_cache_free_bulk
#define kmem_cache_charge gok_kmem_cache_charge
#define mempool_alloc_slab gok_mempool_alloc_slab
#define mempool_free_slab gok_mempool_free_slab
#define mempool_kmalloc gok_mempool_kmalloc
#define mempool_kfree gok_mempool_kfree
#define mempool_kvmalloc gok_mempool_kvmalloc
#define mempool_kvfree gok_mempool_kvfree

/* What __free(kfree) and __free(kvfree) look for. */
#define __free_kfree __free_gok_kfree
#define __free_kvfree __free_gok_kvfree

#endif /* GOALLOC_KMALLOC_KEEP_NAMES */

#endif /* GOALLOC_KMALLOC_H */
