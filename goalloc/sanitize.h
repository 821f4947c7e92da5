/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel's own checkers are told: KASAN, KMSAN and kmemleak.
 *
 * Without any of them in the kernel every function here is empty, and the paths
 * that call it are the same to the last instruction. The rule that keeps the
 * calls few: whatever the heap holds may not be touched unless an object is
 * handed out there, so pages are closed when they come, objects opened when
 * they go out, and everything opened again when pages leave.
 *
 * Goalloc itself touches memory it does not hand out in few places only, to
 * clear it or to look for damage. It says sanitize_open() first, and whoever
 * gets or leaves the slot afterwards sets it right.
 */
#ifndef GOALLOC_SANITIZE_H
#define GOALLOC_SANITIZE_H

#include <linux/gfp.h>
#include <linux/types.h>
#if IS_ENABLED(CONFIG_KASAN_GENERIC)
#include <linux/kasan.h>
#endif

struct goalloc_heap;
struct goalloc_span;
struct heap_node;

/*
 * KASAN with tags (SW_TAGS, HW_TAGS) is not supported: it wants tagged pointers
 * in every object's address. It sees pages of the kernel's, no objects.
 */
#if IS_ENABLED(CONFIG_KASAN_GENERIC) || IS_ENABLED(CONFIG_KMSAN) || \
	IS_ENABLED(CONFIG_DEBUG_KMEMLEAK)
#define GOALLOC_SANITIZE 1
#else
#define GOALLOC_SANITIZE 0
#endif

void sanitize_init(void);
void sanitize_exit(void);

void sanitize_do_alloc(struct goalloc_heap *heap, void *obj, unsigned int bin,
		       size_t asked, gfp_t gfp);
void sanitize_do_free(struct goalloc_span *span, const void *obj);
void sanitize_do_collect(struct goalloc_span *span, unsigned int slot);
void sanitize_do_resize(struct goalloc_heap *heap, const void *obj,
			size_t asked, size_t size, gfp_t gfp);
void sanitize_do_large(struct goalloc_span *span, gfp_t gfp);
void sanitize_do_tiny_shadow(const void *obj, size_t size);
void sanitize_do_tiny_alloc(struct goalloc_heap *heap, const void *obj,
			    size_t size, gfp_t gfp);
void sanitize_do_tiny_free(struct goalloc_span *span, unsigned int slot,
			   unsigned int offset, size_t size, unsigned int packed);
void sanitize_do_tiny_close(struct goalloc_span *span, unsigned int slot);
void sanitize_do_tiny_release(struct goalloc_span *span, unsigned int slot);
void sanitize_do_open(const void *p, size_t size);
void sanitize_do_close(const void *p, size_t size);
void sanitize_do_usable(const void *p, size_t size);
void sanitize_do_pages(struct heap_node *node, u64 page, u64 npages, bool ours);
void sanitize_do_span(struct goalloc_span *span);
void sanitize_do_span_new(struct goalloc_span *span, gfp_t gfp);
void sanitize_do_span_end(struct goalloc_span *span);

/**
 * sanitize_alloc - a small object is handed out
 * @heap: its heap
 * @obj: the object, or NULL; the whole slot has been cleared if @gfp or the
 *       kernel wants that
 * @bin: its bin; a block of tiny objects stays closed, see tiny.c
 * @asked: bytes requested: so many may be used
 * @gfp: the caller's flags
 *
 * Context: Any context.
 * Return: @obj.
 */
static __always_inline void *sanitize_alloc(struct goalloc_heap *heap, void *obj,
					    unsigned int bin, size_t asked, gfp_t gfp)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_alloc(heap, obj, bin, asked, gfp);
	return obj;
}

/**
 * sanitize_free - a small object is taken back
 * @span: its span
 * @obj: the object, in the caller's hands, and not in a cache or central yet
 *
 * Context: Any context. What takes a lock is left to sanitize_collect() in NMI.
 */
static __always_inline void sanitize_free(struct goalloc_span *span, const void *obj)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_free(span, obj);
}

/**
 * sanitize_collect - a slot that was freed in NMI comes home
 * @span: its span
 * @slot: its slot, not free in the central's books yet
 *
 * Context: Any but NMI.
 */
static inline void sanitize_collect(struct goalloc_span *span, unsigned int slot)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_collect(span, slot);
}

/**
 * sanitize_resize - an object stays where it is and gets another size
 * @heap: its heap
 * @obj: the object
 * @asked: bytes requested now
 * @size: bytes that it could have
 * @gfp: the caller's flags
 *
 * Context: Any context; the caller alone uses the object.
 */
static inline void sanitize_resize(struct goalloc_heap *heap, const void *obj,
				   size_t asked, size_t size, gfp_t gfp)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_resize(heap, obj, asked, size, gfp);
}

/**
 * sanitize_large - a large object is handed out
 * @span: its span; cleared if @gfp or the kernel wants that
 * @gfp: the caller's flags
 *
 * Context: Any but NMI.
 */
static inline void sanitize_large(struct goalloc_span *span, gfp_t gfp)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_large(span, gfp);
}

/**
 * sanitize_tiny_shadow - a tiny object is packed
 * @obj: the object; what lies before it in its block is in use or has been
 * @size: its bytes
 *
 * Context: As for packing: preemption off, or nobody else packs the block.
 */
static inline void sanitize_tiny_shadow(const void *obj, size_t size)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_tiny_shadow(obj, size);
}

/**
 * sanitize_tiny_alloc - a tiny object is handed out
 * @heap: its heap
 * @obj: the object, packed
 * @size: its bytes
 * @gfp: the caller's flags
 *
 * Context: Any context.
 */
static inline void sanitize_tiny_alloc(struct goalloc_heap *heap, const void *obj,
				       size_t size, gfp_t gfp)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_tiny_alloc(heap, obj, size, gfp);
}

/**
 * sanitize_tiny_free - a tiny object is about to be taken back
 * @span: its span
 * @slot: its block, which the object still keeps
 * @offset: where in the block it begins
 * @size: its bytes
 * @packed: bytes of the block that no other object will be packed into; 0 if
 *          another CPU or context level packs it
 *
 * Context: Any context.
 */
static inline void sanitize_tiny_free(struct goalloc_span *span, unsigned int slot,
				      unsigned int offset, size_t size,
				      unsigned int packed)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_tiny_free(span, slot, offset, size, packed);
}

/**
 * sanitize_tiny_close - no more objects will be packed into a block
 * @span: its span
 * @slot: the block; the caller's share or new object still keeps it
 *
 * Context: Any context.
 */
static inline void sanitize_tiny_close(struct goalloc_span *span, unsigned int slot)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_tiny_close(span, slot);
}

/**
 * sanitize_tiny_release - a block of tiny objects is taken back
 * @span: its span
 * @slot: the block, in the caller's hands, and not in a cache or central yet
 *
 * Context: Any context.
 */
static inline void sanitize_tiny_release(struct goalloc_span *span, unsigned int slot)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_tiny_release(span, slot);
}

/**
 * sanitize_usable - the caller may use all that an object has
 * @p: the object, or anything if @size is 0
 * @size: bytes that may be used of it
 *
 * Context: Any context.
 */
static inline void sanitize_usable(const void *p, size_t size)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_usable(p, size);
}

/**
 * sanitize_open - goalloc itself is about to touch memory
 * @p: where, aligned to 8 bytes
 * @size: bytes
 *
 * Context: Any context; the caller has the slot in hand.
 */
static __always_inline void sanitize_open(const void *p, size_t size)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_open(p, size);
}

/**
 * sanitize_close - what goalloc cuts by itself, a stack, is free until it is opened
 * @p: where, aligned to 8 bytes
 * @size: bytes, a multiple of 8
 *
 * Context: Any context; the caller has it in hand.
 */
static __always_inline void sanitize_close(const void *p, size_t size)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_close(p, size);
}

/**
 * sanitize_pages - pages become free pages of the heap, or are given back
 * @node: node they are on
 * @page: the first
 * @npages: goalloc pages
 * @ours: they belong to the heap from here on, and lie in its tree or are
 *        about to; false: they are about to leave
 *
 * Context: Any context; the caller has the pages in hand.
 */
static inline void sanitize_pages(struct heap_node *node, u64 page, u64 npages,
				  bool ours)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_pages(node, page, npages, ours);
}

/**
 * sanitize_span_new - the structure of a span was made
 * @span: the structure, in no list
 * @gfp: how hard to try
 *
 * The address of its first object is in it, which is no reference to that.
 *
 * Context: Any that @gfp allows but NMI.
 */
static inline void sanitize_span_new(struct goalloc_span *span, gfp_t gfp)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_span_new(span, gfp);
}

/**
 * sanitize_span - pages become a span of small objects, none of them in use
 * @span: the span, not in the page map yet
 *
 * Context: Any but NMI.
 */
static inline void sanitize_span(struct goalloc_span *span)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_span(span);
}

/**
 * sanitize_span_end - a span of small objects is about to be pages again
 * @span: the span, out of the page map; a heap that ends by force may have
 *        objects in it
 *
 * Context: Any but NMI.
 */
static inline void sanitize_span_end(struct goalloc_span *span)
{
	if (GOALLOC_SANITIZE)
		sanitize_do_span_end(span);
}

/**
 * sanitize_pause - this task is about to touch what is closed
 *
 * Context: Any context.
 */
static inline void sanitize_pause(void)
{
#if IS_ENABLED(CONFIG_KASAN_GENERIC)
	kasan_disable_current();
#endif
}

/* The end of what sanitize_pause() began. */
static inline void sanitize_resume(void)
{
#if IS_ENABLED(CONFIG_KASAN_GENERIC)
	kasan_enable_current();
#endif
}

#endif /* GOALLOC_SANITIZE_H */
