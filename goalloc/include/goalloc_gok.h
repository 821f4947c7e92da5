/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kmalloc() and its relatives are for modules with <goalloc_kmalloc.h> in front:
 * gok_x() does what x() of the kernel does, and takes what x() takes. See there.
 */
#ifndef GOALLOC_GOK_H
#define GOALLOC_GOK_H

/* Here are functions that call what they are named after, before it is renamed. */
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/version.h>

struct list_lru;
struct rcu_head;

/* kmalloc() and relatives */

/**
 * gok_kmalloc - kmalloc()
 * @size: bytes wanted
 * @flags: as for kmalloc(); for a zone the kernel is asked
 *
 * Context: As kmalloc().
 * Return: the object, ZERO_SIZE_PTR if @size is 0, or NULL.
 */
void *gok_kmalloc(size_t size, gfp_t flags) __alloc_size(1);

/**
 * gok_kmalloc_node - kmalloc_node()
 * @size: bytes wanted
 * @flags: as for kmalloc()
 * @node: the node, or NUMA_NO_NODE for the nearest
 *
 * Context: As kmalloc().
 * Return: the object, ZERO_SIZE_PTR if @size is 0, or NULL.
 */
void *gok_kmalloc_node(size_t size, gfp_t flags, int node) __alloc_size(1);

/**
 * gok_kmalloc_track - kmalloc_node_track_caller()
 * @size: bytes wanted
 * @flags: as for kmalloc()
 * @node: the node, or NUMA_NO_NODE for the nearest
 * @caller: call site that reports and traces are to name
 *
 * Context: As kmalloc().
 * Return: the object, ZERO_SIZE_PTR if @size is 0, or NULL.
 */
void *gok_kmalloc_track(size_t size, gfp_t flags, int node, unsigned long caller)
	__alloc_size(1);

/**
 * gok_krealloc - krealloc()
 * @p: the object, NULL or ZERO_SIZE_PTR; of goalloc or of the kernel
 * @new_size: bytes wanted; 0 frees @p
 * @flags: as for kmalloc()
 *
 * Memory of the kernel's stays the kernel's.
 *
 * Context: As kmalloc().
 * Return: the object, perhaps elsewhere, ZERO_SIZE_PTR if @new_size is 0; NULL if there is no
 *         memory, and then @p is still valid.
 */
void *gok_krealloc(const void *p, size_t new_size, gfp_t flags)
	__realloc_size(2) __must_check;

/**
 * gok_kvmalloc_node - kvmalloc_node()
 * @size: bytes wanted; of more than a page it may be vmalloc()'s memory
 * @flags: as for kvmalloc()
 * @node: the node; for vmalloc() the nearest is taken
 *
 * Context: As kvmalloc().
 * Return: the memory, ZERO_SIZE_PTR if @size is 0, or NULL.
 */
void *gok_kvmalloc_node(size_t size, gfp_t flags, int node) __alloc_size(1);

/**
 * gok_kvrealloc - kvrealloc() of 6.12 and later
 * @p: the object, NULL or ZERO_SIZE_PTR; of goalloc or of the kernel, or vmalloc()'s
 * @size: bytes wanted; 0 frees @p
 * @flags: as for kvmalloc()
 *
 * Context: As kvmalloc().
 * Return: the memory, perhaps elsewhere; NULL if there is none, and then @p is still
 *         valid.
 */
void *gok_kvrealloc(const void *p, size_t size, gfp_t flags) __realloc_size(2);

/**
 * gok_kvrealloc_old - kvrealloc() before 6.12
 * @p: the object, NULL or ZERO_SIZE_PTR; of goalloc or of the kernel, or vmalloc()'s
 * @old_size: bytes that it has
 * @new_size: bytes wanted
 * @flags: as for kvmalloc()
 *
 * Context: As kvmalloc().
 * Return: the memory, elsewhere if it has to be longer; NULL if there is none, and then
 *         @p is still valid.
 */
void *gok_kvrealloc_old(const void *p, size_t old_size, size_t new_size, gfp_t flags)
	__realloc_size(3);

/**
 * gok_kfree - kfree()
 * @p: the object, NULL or ZERO_SIZE_PTR; of goalloc or of the kernel
 *
 * Context: Any context, NMI only for memory of goalloc's.
 */
void gok_kfree(const void *p);

/**
 * gok_kfree_sensitive - kfree_sensitive()
 * @p: the object, NULL or ZERO_SIZE_PTR; of goalloc or of the kernel
 *
 * Context: As gok_kfree().
 */
void gok_kfree_sensitive(const void *p);

/**
 * gok_kfree_bulk - kfree_bulk()
 * @nr: number of objects
 * @p: array of @nr objects, of goalloc or of the kernel
 *
 * Context: As gok_kfree().
 */
void gok_kfree_bulk(size_t nr, void **p);

/**
 * gok_kvfree - kvfree()
 * @p: the object, NULL or ZERO_SIZE_PTR; of goalloc or of the kernel, or vmalloc()'s
 *
 * Context: As kvfree().
 */
void gok_kvfree(const void *p);

/**
 * gok_kvfree_sensitive - kvfree_sensitive()
 * @p: the object, NULL or ZERO_SIZE_PTR; of goalloc or of the kernel, or vmalloc()'s
 * @len: bytes to clear
 *
 * Context: As kvfree().
 */
void gok_kvfree_sensitive(const void *p, size_t len);

/**
 * gok_ksize - ksize()
 * @p: the object, NULL or ZERO_SIZE_PTR; of goalloc or of the kernel
 *
 * Context: Any context.
 * Return: bytes that may be used at @p.
 */
size_t gok_ksize(const void *p);

/**
 * gok_kmalloc_size_roundup - kmalloc_size_roundup()
 * @size: bytes wanted
 *
 * Context: Any context.
 * Return: what gok_ksize() would say of gok_kmalloc(@size).
 */
size_t gok_kmalloc_size_roundup(size_t size);

/* After a grace period */

/**
 * gok_kvfree_call_rcu - what kfree_rcu() and kvfree_rcu() call from 6.2 on
 * @head: the rcu_head in the object, or NULL: then the caller may sleep
 * @p: the object; of goalloc or of the kernel, or vmalloc()'s
 *
 * Context: Any but NMI.
 */
void gok_kvfree_call_rcu(struct rcu_head *head, void *p);

/**
 * gok_kvfree_call_rcu_old - what they call before
 * @head: the rcu_head in the object, or NULL: then the caller may sleep
 * @func: offset of @head in the object; without @head the object
 *
 * Context: Any but NMI.
 */
void gok_kvfree_call_rcu_old(struct rcu_head *head, rcu_callback_t func);

/**
 * gok_kvfree_rcu_barrier - kvfree_rcu_barrier(), for goalloc and the kernel
 *
 * Context: Process context, may sleep.
 */
void gok_kvfree_rcu_barrier(void);

/* Copies and texts */

/**
 * gok_kstrdup - kstrdup()
 * @s: a string, or NULL
 * @flags: as for kmalloc()
 *
 * Context: As kmalloc().
 * Return: the copy; NULL if @s is NULL or there is no memory.
 */
char *gok_kstrdup(const char *s, gfp_t flags) __malloc;

/**
 * gok_kstrndup - kstrndup()
 * @s: a string, or NULL
 * @max: bytes to copy at most; one for the end is added
 * @flags: as for kmalloc()
 *
 * Context: As kmalloc().
 * Return: the copy; NULL if @s is NULL or there is no memory.
 */
char *gok_kstrndup(const char *s, size_t max, gfp_t flags);

/**
 * gok_kmemdup - kmemdup()
 * @src: what to copy
 * @len: bytes
 * @flags: as for kmalloc()
 *
 * Context: As kmalloc().
 * Return: the copy, or NULL.
 */
void *gok_kmemdup(const void *src, size_t len, gfp_t flags) __realloc_size(2);

/* As the kernel has it with FORTIFY_SOURCE: what is copied must be that long. */
#ifdef __compiletime_lessthan
static __always_inline __realloc_size(2)
void *gok_kmemdup_checked(const void * const __pass_object_size(0) src, size_t len,
			  gfp_t flags)
{
	const size_t src_size = __struct_size(src);

	if (__compiletime_lessthan(src_size, len))
		__read_overflow();
	if (src_size < len) {
#ifdef FORTIFY_REASON
		fortify_panic(FORTIFY_FUNC_kmemdup, FORTIFY_READ, src_size, len,
			      gok_kmemdup(src, 0, flags));
#else
		fortify_panic("kmemdup");
#endif
	}
	return gok_kmemdup(src, len, flags);
}
#else
#define gok_kmemdup_checked gok_kmemdup
#endif

/**
 * gok_kvmemdup - kvmemdup()
 * @src: what to copy
 * @len: bytes
 * @flags: as for kvmalloc()
 *
 * Context: As kvmalloc().
 * Return: the copy, or NULL.
 */
void *gok_kvmemdup(const void *src, size_t len, gfp_t flags) __realloc_size(2);

/**
 * gok_kmemdup_nul - kmemdup_nul()
 * @s: what to copy, or NULL
 * @len: bytes; one for the end is added
 * @flags: as for kmalloc()
 *
 * Context: As kmalloc().
 * Return: the copy; NULL if @s is NULL or there is no memory.
 */
char *gok_kmemdup_nul(const char *s, size_t len, gfp_t flags);

/**
 * gok_kfree_const - kfree_const()
 * @p: the object, NULL or ZERO_SIZE_PTR; of goalloc or of the kernel, or read-only
 *      data of the kernel's
 *
 * Context: As gok_kfree().
 */
void gok_kfree_const(const void *p);

/**
 * gok_kfree_link - kfree_link(), for set_delayed_call()
 * @p: the object, NULL or ZERO_SIZE_PTR; of goalloc or of the kernel
 *
 * Context: As gok_kfree().
 */
void gok_kfree_link(void *p);

/**
 * gok_kasprintf - kasprintf()
 * @flags: as for kmalloc()
 * @fmt: as for snprintf()
 *
 * Context: As kmalloc().
 * Return: the text, or NULL.
 */
__printf(2, 3) __malloc char *gok_kasprintf(gfp_t flags, const char *fmt, ...);

/**
 * gok_kvasprintf - kvasprintf()
 * @flags: as for kmalloc()
 * @fmt: as for snprintf()
 * @args: what belongs to @fmt
 *
 * Context: As kmalloc().
 * Return: the text, or NULL.
 */
__printf(2, 0) __malloc char *gok_kvasprintf(gfp_t flags, const char *fmt, va_list args);

/**
 * gok_memdup_user - memdup_user()
 * @src: where in user space
 * @len: bytes
 *
 * Context: Process context, may sleep.
 * Return: the copy, or an ERR_PTR(): -ENOMEM, -EFAULT.
 */
void *gok_memdup_user(const void __user *src, size_t len) __realloc_size(2);

/**
 * gok_vmemdup_user - vmemdup_user()
 * @src: where in user space
 * @len: bytes
 *
 * Context: Process context, may sleep.
 * Return: the copy, or an ERR_PTR(): -ENOMEM, -EFAULT.
 */
void *gok_vmemdup_user(const void __user *src, size_t len) __realloc_size(2);

/**
 * gok_memdup_user_nul - memdup_user_nul()
 * @src: where in user space
 * @len: bytes; one for the end is added
 *
 * Context: Process context, may sleep.
 * Return: the copy, or an ERR_PTR(): -ENOMEM, -EFAULT.
 */
void *gok_memdup_user_nul(const void __user *src, size_t len);

/**
 * gok_strndup_user - strndup_user()
 * @s: a string in user space
 * @max: bytes of it at most, its end included
 *
 * Context: Process context, may sleep.
 * Return: the copy, or an ERR_PTR(): -ENOMEM, -EFAULT, -EINVAL if it is longer.
 */
char *gok_strndup_user(const char __user *s, long max);

/* Object caches */

/**
 * gok_kmem_cache_create - kmem_cache_create()
 * @name: its name; a slash becomes "_", and 31 bytes are kept
 * @size: bytes of an object
 * @align: alignment in bytes, or 0
 * @flags: SLAB_* flags: SLAB_HWCACHE_ALIGN, SLAB_TYPESAFE_BY_RCU,
 *         SLAB_CACHE_DMA, SLAB_CACHE_DMA32 and SLAB_PANIC count
 * @ctor: constructor, or NULL
 *
 * Context: Process context, may sleep.
 * Return: the cache, for the functions here only, or NULL.
 */
struct kmem_cache *gok_kmem_cache_create(const char *name, unsigned int size,
					 unsigned int align, slab_flags_t flags,
					 void (*ctor)(void *));

/**
 * gok_kmem_cache_destroy - kmem_cache_destroy()
 * @s: the cache, one of ours or of the kernel's, or NULL
 *
 * Context: Process context, may sleep.
 */
void gok_kmem_cache_destroy(struct kmem_cache *s);

/**
 * gok_kmem_cache_shrink - kmem_cache_shrink()
 * @s: the cache, one of ours or of the kernel's
 *
 * Context: Process context, may sleep.
 * Return: 0 if nothing is left of what was free.
 */
int gok_kmem_cache_shrink(struct kmem_cache *s);

/**
 * gok_kmem_cache_size - kmem_cache_size()
 * @s: the cache, one of ours or of the kernel's
 *
 * Context: Any context.
 * Return: bytes of an object, as requested.
 */
unsigned int gok_kmem_cache_size(struct kmem_cache *s);

/**
 * gok_kmem_cache_alloc - kmem_cache_alloc()
 * @s: the cache, one of ours or of the kernel's
 * @flags: as for kmalloc(); zones are the cache's
 *
 * Context: As kmalloc().
 * Return: the object, or NULL.
 */
void *gok_kmem_cache_alloc(struct kmem_cache *s, gfp_t flags) __malloc;

/**
 * gok_kmem_cache_alloc_node - kmem_cache_alloc_node()
 * @s: the cache, one of ours or of the kernel's
 * @flags: as for kmalloc(); zones are the cache's
 * @node: the node; of our caches the nearest is taken
 *
 * Context: As kmalloc().
 * Return: the object, or NULL.
 */
void *gok_kmem_cache_alloc_node(struct kmem_cache *s, gfp_t flags, int node) __malloc;

/**
 * gok_kmem_cache_alloc_lru - kmem_cache_alloc_lru()
 * @s: the cache, one of ours or of the kernel's
 * @lru: for caches of the kernel's
 * @flags: as for kmalloc(); zones are the cache's
 *
 * Context: As kmalloc().
 * Return: the object, or NULL.
 */
void *gok_kmem_cache_alloc_lru(struct kmem_cache *s, struct list_lru *lru, gfp_t flags)
	__malloc;

/**
 * gok_kmem_cache_alloc_bulk - kmem_cache_alloc_bulk()
 * @s: the cache, one of ours or of the kernel's
 * @flags: as for kmalloc(); zones are the cache's
 * @nr: number of objects
 * @p: array of @nr pointers to fill
 *
 * Context: As kmalloc().
 * Return: @nr, or 0.
 */
int gok_kmem_cache_alloc_bulk(struct kmem_cache *s, gfp_t flags, size_t nr, void **p);

/**
 * gok_kmem_cache_free - kmem_cache_free()
 * @s: the cache, one of ours or of the kernel's
 * @p: the object
 *
 * Context: As gok_kfree().
 */
void gok_kmem_cache_free(struct kmem_cache *s, void *p);

/**
 * gok_kmem_cache_free_bulk - kmem_cache_free_bulk()
 * @s: the cache, one of ours or of the kernel's; NULL for any
 * @nr: number of objects
 * @p: array of @nr objects
 *
 * Context: As gok_kfree().
 */
void gok_kmem_cache_free_bulk(struct kmem_cache *s, size_t nr, void **p);

/**
 * gok_kmem_cache_charge - kmem_cache_charge()
 * @p: the object
 * @flags: as for kmalloc()
 *
 * Context: As kmalloc().
 * Return: true for what is goalloc's, which is charged to nobody.
 */
bool gok_kmem_cache_charge(void *p, gfp_t flags);

/* For mempools, which call them with what they were made with */

/**
 * gok_mempool_alloc_slab - mempool_alloc_slab()
 * @flags: as for kmalloc()
 * @pool_data: what the pool was made with
 *
 * Context: As kmalloc().
 * Return: the element, or NULL.
 */
void *gok_mempool_alloc_slab(gfp_t flags, void *pool_data);

/**
 * gok_mempool_free_slab - mempool_free_slab()
 * @element: what to free
 * @pool_data: what the pool was made with
 *
 * Context: As gok_kfree().
 */
void gok_mempool_free_slab(void *element, void *pool_data);

/**
 * gok_mempool_kmalloc - mempool_kmalloc()
 * @flags: as for kmalloc()
 * @pool_data: what the pool was made with
 *
 * Context: As kmalloc().
 * Return: the element, or NULL.
 */
void *gok_mempool_kmalloc(gfp_t flags, void *pool_data);

/**
 * gok_mempool_kfree - mempool_kfree()
 * @element: what to free
 * @pool_data: what the pool was made with
 *
 * Context: As gok_kfree().
 */
void gok_mempool_kfree(void *element, void *pool_data);

/**
 * gok_mempool_kvmalloc - mempool_kvmalloc()
 * @flags: as for kmalloc()
 * @pool_data: what the pool was made with
 *
 * Context: As gok_kvmalloc_node().
 * Return: the element, or NULL.
 */
void *gok_mempool_kvmalloc(gfp_t flags, void *pool_data);

/**
 * gok_mempool_kvfree - mempool_kvfree()
 * @element: what to free
 * @pool_data: what the pool was made with
 *
 * Context: As gok_kvfree().
 */
void gok_mempool_kvfree(void *element, void *pool_data);

DEFINE_FREE(gok_kfree, void *, gok_kfree(IS_ERR(_T) ? NULL : _T))
DEFINE_FREE(gok_kvfree, void *, gok_kvfree(IS_ERR(_T) ? NULL : _T))

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

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return gok_kmalloc(bytes, flags);
}

static inline void *gok_kcalloc(size_t n, size_t size, gfp_t flags)
{
	return gok_kmalloc_array(n, size, flags | __GFP_ZERO);
}

static inline void *gok_kmalloc_array_node(size_t n, size_t size, gfp_t flags, int node)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return gok_kmalloc_node(bytes, flags, node);
}

static inline void *gok_kcalloc_node(size_t n, size_t size, gfp_t flags, int node)
{
	return gok_kmalloc_array_node(n, size, flags | __GFP_ZERO, node);
}

static inline void *gok_krealloc_array(void *p, size_t n, size_t size, gfp_t flags)
{
	size_t bytes;

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return gok_krealloc(p, bytes, flags);
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

	if (unlikely(check_mul_overflow(n, size, &bytes)))
		return NULL;
	return gok_kvmalloc_node(bytes, flags, node);
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
	return gok_kmemdup_checked(src, size_mul(size, n), flags);
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

#endif /* GOALLOC_GOK_H */
