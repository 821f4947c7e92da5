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

#include <goalloc_gok.h>

#ifdef alloc_hooks
#define kmalloc_noprof gok_kmalloc
#define kzalloc_noprof gok_kzalloc
#define kmalloc_node_noprof gok_kmalloc_node
#define kmalloc_array_noprof gok_kmalloc_array
#define kmalloc_array_node_noprof gok_kmalloc_array_node
#define krealloc_noprof gok_krealloc
#define krealloc_array_noprof gok_krealloc_array
#define kvmalloc_array_node_noprof gok_kvmalloc_array_node
#if KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE
#define kvrealloc_noprof gok_kvrealloc
#else
#define kvrealloc_noprof gok_kvrealloc_old
#endif
#define kmemdup_noprof gok_kmemdup_checked
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
#define kvrealloc gok_kvrealloc_old
#define kmemdup gok_kmemdup_checked
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

/* From 6.12 on a macro, over these. */
#ifdef kmem_cache_create
#define __kmem_cache_create gok_kmem_cache_create
#define __kmem_cache_create_args gok_kmem_cache_create_args
#define __kmem_cache_default_args gok_kmem_cache_create_args
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
#if KERNEL_VERSION(6, 2, 0) <= LINUX_VERSION_CODE
#define kvfree_call_rcu gok_kvfree_call_rcu
#else
#define kvfree_call_rcu gok_kvfree_call_rcu_old
#endif
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

#endif /* GOALLOC_KMALLOC_H */
