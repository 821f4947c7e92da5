// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel's checkers are told, and what is added to their reports. When
 * to call what is in sanitize.h; Documentation/sanitizers.rst says what a user
 * gets from it.
 *
 * KASAN keeps a shadow byte per 8 bytes: how many of them may be touched, or why
 * none. Slots are multiples of 8 bytes, so the shadow of a slot belongs to
 * whoever has the slot in hand, and needs no lock.
 *
 * kmemleak keeps a tree of objects, with raw locks of its own. An object must be
 * out of that tree before its memory can be handed out again: kmemleak gives up
 * altogether when it sees two objects in one place. Only heaps in the kernel's
 * memory are told of; the space of an invented heap is an object of its own.
 *
 * Locks: none here.
 */
#include <linux/kasan.h>
#include <linux/kernel.h>
#include <linux/kmemleak.h>
#include <linux/kmsan-checks.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/tracepoint.h>
#include <trace/events/error_report.h>

#include "compat.h"
#include "heap.h"
#include "heap_objects.h"
#include "sanitize.h"

/* Bytes per shadow byte, and per block of tiny objects. */
#define GRANULE 8
#define TINY_BLOCK 16

/* What a shadow byte says of memory that must not be touched. */
#define SHADOW_PAGE_FREE 0xff	/* reported as use after free */
#define SHADOW_REDZONE 0xfc	/* out of bounds; never handed out, or not all of it */
#define SHADOW_FREED 0xfb	/* use after free */

/*
 * A tiny object was freed in NMI, and kmemleak could not be told. From then on
 * it is asked about every place in a block that comes home.
 */
static bool sanitize_tiny_missed;

#ifdef CONFIG_KASAN_GENERIC
/* Exported, but declared in a header of mm/ alone. */
void kasan_poison(const void *addr, size_t size, u8 value, bool init);

/* Without KASAN_VMALLOC the space of an invented heap has no shadow. */
static void shadow_fill(const void *p, size_t size, u8 value)
{
	if (size && (IS_ENABLED(CONFIG_KASAN_VMALLOC) || !is_vmalloc_addr(p)))
		kasan_poison(p, size, value, false);
}
#else
static void shadow_fill(const void *p, size_t size, u8 value)
{
}
#endif

static void shadow_open(const void *p, size_t size)
{
	size_t whole = round_down(size, GRANULE);

	shadow_fill(p, whole, 0);
	if (size != whole)
		shadow_fill(p + whole, GRANULE, size - whole);
}

/* Open the first @asked of @size bytes. */
static void shadow_object(const void *p, size_t asked, size_t size)
{
	size_t opened;

	asked = min(asked, size);
	opened = round_up(asked, GRANULE);
	shadow_open(p, asked);
	shadow_fill(p + opened, size - opened, SHADOW_REDZONE);
}

/* KMSAN: is what is handed out defined? */
static void init_alloc(const void *p, size_t size, gfp_t gfp)
{
	if (!IS_ENABLED(CONFIG_KMSAN) || in_nmi())
		return;
	if (want_init_on_alloc(gfp))
		kmsan_unpoison_memory(p, size);
	else
		kmsan_poison_memory(p, size, gfp & ~__GFP_DIRECT_RECLAIM);
}

/* KMSAN: what is in freed memory is nobody's value any more. */
static void init_free(const void *p, size_t size)
{
	if (IS_ENABLED(CONFIG_KMSAN) && !in_nmi() && !want_init_on_free())
		kmsan_poison_memory(p, size, GFP_NOWAIT);
}

static bool leak_watched(const struct goalloc_heap *heap)
{
	return IS_ENABLED(CONFIG_DEBUG_KMEMLEAK) && heap->space == &goalloc_space;
}

/*
 * kmemleak allocates with the caller's flags, so on PREEMPT_RT an object that is
 * allocated with preemption off stays unknown to it.
 */
static void leak_alloc(const struct goalloc_heap *heap, const void *p, size_t size,
		       gfp_t gfp)
{
	if (!leak_watched(heap) || in_nmi() ||
	    (IS_ENABLED(CONFIG_PREEMPT_RT) && !preemptible()))
		return;
	kmemleak_alloc(p, size, 1, gfp);
}

static void leak_free(const struct goalloc_heap *heap, const void *p)
{
	if (leak_watched(heap) && !in_nmi())
		kmemleak_free(p);
}

/* From the lowest address up: no object is then looked for inside another. */
static void leak_free_block(const struct goalloc_heap *heap, const void *block)
{
	unsigned int offset;

	for (offset = 0; offset < TINY_BLOCK; offset++)
		leak_free(heap, block + offset);
}

void sanitize_do_alloc(struct goalloc_heap *heap, void *obj, unsigned int bin,
		       size_t asked, gfp_t gfp)
{
	if (!obj)
		return;
	if (bin == GOALLOC_TINY_BIN) {
		shadow_fill(obj, TINY_BLOCK, SHADOW_REDZONE);
		return;
	}
	if (!heap->objects)
		init_alloc(obj, sizeclass_size[bin], gfp);
	shadow_object(obj, asked, sizeclass_size[bin]);
	leak_alloc(heap, obj, asked, gfp);
}
GOALLOC_EXPORT_KUNIT(sanitize_do_alloc);

void sanitize_do_free(struct goalloc_span *span, const void *obj)
{
	leak_free(heap_of(span), obj);
	/* Its contents are kept, and perhaps it may still be looked at. */
	if (!heap_of(span)->objects)
		init_free(obj, span->elemsize);
	if (!objects_are_typesafe(heap_of(span)))
		shadow_fill(obj, span->elemsize, SHADOW_FREED);
}
GOALLOC_EXPORT_KUNIT(sanitize_do_free);

void sanitize_do_collect(struct goalloc_span *span, unsigned int slot)
{
	void *p = (void *)span_slot_addr(span, slot);

	if (span->kind == SPAN_TINY)
		leak_free_block(heap_of(span), p);
	else
		leak_free(heap_of(span), p);
}

void sanitize_do_resize(struct goalloc_heap *heap, const void *obj,
			size_t asked, size_t size, gfp_t gfp)
{
	/* Else it is tiny: its last bytes' granule may have others in it. */
	if (size % GRANULE == 0)
		shadow_object(obj, asked, size);
	leak_free(heap, obj);
	leak_alloc(heap, obj, asked, gfp);
}

void sanitize_do_large(struct goalloc_span *span, gfp_t gfp)
{
	void *p = (void *)span->base;

	init_alloc(p, span->elemsize, gfp);
	shadow_object(p, span->asked, span->elemsize);
	leak_alloc(heap_of(span), p, span->asked, gfp);
}

void sanitize_do_open(const void *p, size_t size)
{
	shadow_open(p, size);
}

void sanitize_do_close(const void *p, size_t size)
{
	shadow_fill(p, size, SHADOW_FREED);
}

/* Sizes that are no multiple of 8 are those of tiny objects, which are exact. */
void sanitize_do_usable(const void *p, size_t size)
{
	if (size % GRANULE == 0)
		shadow_open(p, size);
}

void sanitize_do_pages(struct heap_node *node, u64 page, u64 npages, bool ours)
{
	shadow_fill((void *)heap_page_addr(node->heap, page),
		    npages << GOALLOC_PAGE_SHIFT, ours ? SHADOW_PAGE_FREE : 0);
}

/* Of the structure kmemleak shall look at the links alone. */
void sanitize_do_span_new(struct goalloc_span *span, gfp_t gfp)
{
	const size_t first = offsetof(struct goalloc_span, list);
	const size_t end = offsetofend(struct goalloc_span, deferred);

	kmemleak_scan_area((void *)span + first, end - first, gfp);
}

void sanitize_do_span(struct goalloc_span *span)
{
	shadow_fill((void *)span->base, (size_t)span->npages << GOALLOC_PAGE_SHIFT,
		    objects_are_typesafe(heap_of(span)) ? 0 : SHADOW_REDZONE);
}

void sanitize_do_span_end(struct goalloc_span *span)
{
	struct goalloc_heap *heap = heap_of(span);
	unsigned int slot;

	if (!leak_watched(heap))
		return;
	for (slot = 0; slot < span->bits.nelems; slot++) {
		void *p = (void *)span_slot_addr(span, slot);

		if (span->kind == SPAN_LARGE || span->state[slot] == SLOT_LIVE ||
		    span->state[slot] == SLOT_SAMPLED)
			leak_free(heap, p);
		else if (span->kind == SPAN_TINY && !slot_is_free(span->state[slot]) &&
			 span->state[slot] != SLOT_TAIL)
			leak_free_block(heap, p);
	}
}

/*
 * Tiny objects. A shadow byte can say that the first bytes of 8 are open, so of
 * a granule with several objects it says where the last one ends. A granule is
 * closed when no object lives in it and none will be packed into it.
 */

/* Does an object other than that at @except have bytes of the granule? */
static bool tiny_granule_used(const struct tiny_block *block, unsigned int granule,
			      unsigned int except, bool share)
{
	unsigned int start, end;
	unsigned long live = READ_ONCE(block->live);
	unsigned long ends = READ_ONCE(block->ends);

	for_each_set_bit(start, &live, TINY_BLOCK) {
		if (start == except || (share && start == TINY_BLOCK - 1))
			continue;
		end = find_next_bit(&ends, TINY_BLOCK, start);
		if (start / GRANULE <= granule && end / GRANULE >= granule)
			return true;
	}
	return false;
}

/* What lies before it in its first granule is opened with it. */
void sanitize_do_tiny_shadow(const void *obj, size_t size)
{
	unsigned long first = round_down((unsigned long)obj, GRANULE);

	shadow_open((void *)first, (unsigned long)obj + size - first);
}

void sanitize_do_tiny_alloc(struct goalloc_heap *heap, const void *obj,
			    size_t size, gfp_t gfp)
{
	init_alloc(obj, size, gfp);
	leak_alloc(heap, obj, size, gfp);
}

void sanitize_do_tiny_free(struct goalloc_span *span, unsigned int slot,
			   unsigned int offset, size_t size, unsigned int packed)
{
	const struct tiny_block *block = &span->tiny[slot];
	void *p = (void *)span_slot_addr(span, slot);
	unsigned int granule;

	if (in_nmi())
		WRITE_ONCE(sanitize_tiny_missed, true);
	leak_free(heap_of(span), p + offset);
	init_free(p + offset, size);
	/* The block was seen closed: so are its last objects. Pairs with tiny_enter(). */
	smp_rmb();
	for (granule = offset / GRANULE; granule * GRANULE < offset + size; granule++) {
		/*
		 * Two frees at once may each see the other's object and leave
		 * the granule open until the block is released.
		 */
		if (packed >= (granule + 1) * GRANULE &&
		    !tiny_granule_used(block, granule, offset, false))
			shadow_fill(p + granule * GRANULE, GRANULE, SHADOW_FREED);
	}
}

void sanitize_do_tiny_close(struct goalloc_span *span, unsigned int slot)
{
	void *p = (void *)span_slot_addr(span, slot);
	unsigned int granule;

	for (granule = 0; granule < TINY_BLOCK / GRANULE; granule++)
		if (!tiny_granule_used(&span->tiny[slot], granule, TINY_BLOCK, true))
			shadow_fill(p + granule * GRANULE, GRANULE, SHADOW_FREED);
}

void sanitize_do_tiny_release(struct goalloc_span *span, unsigned int slot)
{
	void *p = (void *)span_slot_addr(span, slot);

	if (READ_ONCE(sanitize_tiny_missed))
		leak_free_block(heap_of(span), p);
	shadow_fill(p, TINY_BLOCK, SHADOW_FREED);
}

static const char *sanitize_state_name(u8 state)
{
	switch (state) {
	case SLOT_LIVE:
	case SLOT_SAMPLED:
	case SLOT_LARGE:
		return "live";
	case SLOT_TINY:
	case SLOT_TINY_OPEN:
		return "of tiny objects, live";
	case SLOT_TAIL:
		return "behind the last one";
	default:
		return "free";
	}
}

/*
 * KASAN has printed what it knows, which of goalloc's memory is a page number;
 * this goes inside its frame. Interrupts are off, and a raw lock is held.
 */
static void sanitize_report(void *data, enum error_detector detector, unsigned long addr)
{
	struct slot_ref ref;

	if (detector != ERROR_DETECTOR_KASAN)
		return;
	slot_find(&goalloc_space.map, addr, &ref);
	if (!ref.span)
		return;
	if (ref.span->kind == SPAN_LARGE)
		ref.slot = 0;
	else if (ref.slot > ref.span->bits.nelems)
		ref.slot = ref.span->bits.nelems;
	pr_err("goalloc: heap %s, class %u, object %u of %u bytes, %s: the address is %lu bytes in\n",
	       heap_of(ref.span)->name, ref.span->spanclass >> 1, ref.slot,
	       ref.span->elemsize,
	       sanitize_state_name(READ_ONCE(ref.span->state[ref.slot])),
	       addr - span_slot_addr(ref.span, ref.slot));
}

/**
 * sanitize_init - begin to add to the checkers' reports
 *
 * Context: Process context, may sleep.
 */
void sanitize_init(void)
{
	if (IS_ENABLED(CONFIG_KASAN_GENERIC) &&
	    register_trace_error_report_end(sanitize_report, NULL))
		pr_info("goalloc: no addition to KASAN's reports: no tracepoint error_report_end\n");
}

/**
 * sanitize_exit - stop adding to the checkers' reports
 *
 * Context: Process context, may sleep.
 */
void sanitize_exit(void)
{
	if (!IS_ENABLED(CONFIG_KASAN_GENERIC))
		return;
	unregister_trace_error_report_end(sanitize_report, NULL);
	tracepoint_synchronize_unregister();
}
