/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Object caches: many objects of one size, each cache a heap of its own.
 *
 * What kmem_cache is to kmalloc(). A cache's heap is named after it in reports and
 * under /sys/kernel/debug/goalloc/heaps, so what a cache holds and leaks can be seen.
 *
 * Two kinds of caches promise something about objects that are free:
 *  - with a constructor, an object is constructed once, when its memory comes into
 *    the cache, and is to be freed in the constructed state; so it is handed out as
 *    it was freed, whatever init_on_alloc says;
 *  - with GOALLOC_OBJECTS_TYPESAFE, memory that has been an object of the cache
 *    stays one until an RCU grace period has passed, though perhaps another one: who
 *    found it under rcu_read_lock() may look at it, lock it, and see whether it is
 *    still what he wants.
 */
#ifndef GOALLOC_OBJECTS_PUBLIC_H
#define GOALLOC_OBJECTS_PUBLIC_H

#include <goalloc.h>

/*
 * GOALLOC_OBJECTS_TYPESAFE - see above
 * GOALLOC_OBJECTS_HWALIGN - objects begin on a cache line; two or four that fit into
 *	one share it
 */
#define GOALLOC_OBJECTS_TYPESAFE 0x01U
#define GOALLOC_OBJECTS_HWALIGN 0x02U

struct goalloc_objects;

/**
 * struct goalloc_objects_attr - how an object cache is made
 * @size: bytes of an object, 1 to GOALLOC_MAX_SIZE; with GOALLOC_OBJECTS_TYPESAFE up
 *        to GOALLOC_MAX_SMALL_SIZE
 * @align: alignment in bytes, a power of two up to PAGE_SIZE, or 0 for what
 *         goalloc(@size) has
 * @flags: GOALLOC_OBJECTS_* flags
 * @gfp: as &struct goalloc_heap_attr.gfp
 * @ctor: brings new memory of @size bytes into the constructed state, or NULL; runs
 *        in the context of an allocation and must not sleep
 */
struct goalloc_objects_attr {
	size_t size;
	size_t align;
	unsigned int flags;
	gfp_t gfp;
	void (*ctor)(void *obj);
};

/**
 * goalloc_objects_create - make an object cache
 * @name: as for goalloc_heap_create()
 * @attr: how to make it
 *
 * Context: Process context, may sleep.
 * Return: the cache, or an ERR_PTR(): -EINVAL for a bad @name or @attr, -ENOMEM.
 */
struct goalloc_objects *goalloc_objects_create(const char *name,
					       const struct goalloc_objects_attr *attr);

/**
 * goalloc_objects_destroy - end an object cache
 * @objects: the cache, or NULL; nobody may be using it any more
 *
 * Waits for grace periods that memory of it waits for. Objects that are live are
 * reported, and their pages are given up for lost.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -EBUSY if live objects were left behind.
 */
int goalloc_objects_destroy(struct goalloc_objects *objects);

/**
 * goalloc_objects_alloc - allocate an object
 * @objects: the cache
 * @flags: as for goalloc(); not __GFP_ZERO if there is a constructor
 *
 * Context: As goalloc().
 * Return: the object, or NULL.
 */
void *goalloc_objects_alloc(struct goalloc_objects *objects, gfp_t flags) __malloc;

/**
 * goalloc_objects_free - free an object
 * @objects: the cache it came from
 * @p: the object, or NULL
 *
 * Context: As gofree().
 */
void goalloc_objects_free(struct goalloc_objects *objects, const void *p);

/**
 * goalloc_objects_alloc_bulk - allocate many objects
 * @objects: the cache
 * @flags: as for goalloc_objects_alloc()
 * @nr: number of objects
 * @p: array of @nr pointers to fill
 *
 * Context: As goalloc().
 * Return: @nr, or 0 if not all of them could be had; then none is held.
 */
size_t goalloc_objects_alloc_bulk(struct goalloc_objects *objects, gfp_t flags,
				  size_t nr, void **p) __must_check;

/**
 * goalloc_objects_free_bulk - free many objects
 * @objects: the cache they came from
 * @nr: number of objects
 * @p: array of @nr pointers
 *
 * Context: As gofree().
 */
void goalloc_objects_free_bulk(struct goalloc_objects *objects, size_t nr, void **p);

/**
 * goalloc_objects_size - the size of a cache's objects
 * @objects: the cache
 *
 * Context: Any.
 * Return: bytes, as the cache was made with.
 */
size_t goalloc_objects_size(const struct goalloc_objects *objects);

/**
 * goalloc_objects_heap - the heap of an object cache
 * @objects: the cache
 *
 * For goalloc_heap_set_limit(), goalloc_flush(), goalloc_scavenge(),
 * goalloc_validate() and statistics. Do not allocate from it.
 *
 * Context: Any.
 * Return: the heap.
 */
struct goalloc_heap *goalloc_objects_heap(const struct goalloc_objects *objects);

#endif /* GOALLOC_OBJECTS_PUBLIC_H */
