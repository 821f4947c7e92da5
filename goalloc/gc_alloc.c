// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation from a collected heap.
 *
 * Each CPU allocates from a span of its own per span class, without a lock, as it does
 * from those of other heaps. A new object gets the heap's colour, which is that of
 * marked ones: while the collector marks, it counts as marked. Its slot is cleared as a
 * whole, so that whoever scans it finds nothing but pointers that were stored.
 *
 * Tiny objects without pointers share blocks of 16 bytes, which go when none of them
 * is reached any more.
 *
 * Locks: none; preemption is off while a CPU's span is used.
 */
#include <linux/kmemleak.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/string.h>

#include "cache.h"
#include "compat.h"
#include "gc.h"
#include "sanitize.h"

/* What callers may ask for: how hard to try, and nothing about where. */
#define GC_GFP_ALLOWED (GFP_KERNEL | GFP_ATOMIC | GFP_NOIO | __GFP_NOWARN | __GFP_ZERO | \
			__GFP_NORETRY | __GFP_RETRY_MAYFAIL | __GFP_NOMEMALLOC | \
			__GFP_MEMALLOC)

#define GC_TINY_BLOCK 16

/**
 * struct gc_new - what was allocated
 * @obj: the object
 * @slot: number of its slot
 * @span: its span
 * @dirty: it may hold something else than zeros
 */
struct gc_new {
	void *obj;
	unsigned int slot;
	struct goalloc_span *span;
	bool dirty;
};

/* From the span of this CPU. */
static bool gc_take(struct goalloc_gc *gc, u8 sc, u32 id, struct gc_new *new)
{
	struct goalloc_span *span;
	unsigned int slot;
	bool taken;

	preempt_disable();
	span = this_cpu_ptr(gc->cpus)->span[sc];
	slot = span_bits_next_fast(&span->bits);
	if (unlikely(slot >= span->bits.nelems))
		slot = span_bits_next(&span->bits);
	taken = slot < span->bits.nelems;
	if (likely(taken)) {
		WARN_ON_ONCE(span->state[slot] != SLOT_FREE);
		*gc_track(gc, span, slot) = id;
		WRITE_ONCE(span->state[slot], gc->colour);
		new->obj = (void *)span_slot_addr(span, slot);
		new->slot = slot;
		new->span = span;
		new->dirty = span->needzero;
	}
	preempt_enable();
	return taken;
}

/* Give this CPU another span. */
static bool gc_refill(struct goalloc_mutator *m, u8 sc, gfp_t gfp)
{
	struct goalloc_gc *gc = m->gc;
	struct goalloc_span *span, *old;
	struct gc_cpu *cpu;

	span = gc_span_get(gc, sc, gfp);
	if (!span)
		return false;
	if (gfpflags_allow_blocking(gfp))
		gc_assist(m, (u64)span->lent * span->elemsize);
	preempt_disable();
	cpu = this_cpu_ptr(gc->cpus);
	old = cpu->span[sc];
	cpu->span[sc] = span;
	__set_bit(sc, cpu->used);
	preempt_enable();
	/* Perhaps not used up: another thread has been here, or this is another CPU. */
	if (old != &cache_no_span)
		gc_span_put(gc, old);
	return true;
}

static noinline void gc_note_origin(struct goalloc_gc *gc, struct goalloc_span *span,
				    unsigned int slot)
{
	struct gc_origin *origin = gc_origin(gc, span, slot);

	origin->missed = 0;
	if (gc->flags & GOALLOC_GC_ORIGINS)
		harden_record(&origin->event, 0);
	else
		origin->event = (struct harden_event){};
}

static void *gc_small(struct goalloc_mutator *m, u8 sc, u32 id, size_t size, gfp_t gfp)
{
	struct goalloc_gc *gc = m->gc;
	struct gc_new new;

	while (!gc_take(gc, sc, id, &new))
		if (!gc_refill(m, sc, gfp))
			return NULL;
	if (new.dirty) {
		sanitize_open(new.obj, new.span->elemsize);
		memset(new.obj, 0, new.span->elemsize);
	}
	sanitize_alloc(gc->heap, new.obj, new.span->bin, size, gfp | __GFP_ZERO);
	if (unlikely(gc_has_origins(gc)))
		gc_note_origin(gc, new.span, new.slot);
	/* kmemleak is to look for pointers in it, and not to miss it. */
	kmemleak_not_leak(new.obj);
	return new.obj;
}

static void *gc_large(struct goalloc_mutator *m, size_t size, u32 id, bool noscan, gfp_t gfp)
{
	struct goalloc_gc *gc = m->gc;
	void *obj = gc_large_alloc(gc, size, id, noscan, gfp);

	if (obj && gfpflags_allow_blocking(gfp))
		gc_assist(m, size);
	if (obj && unlikely(gc_has_origins(gc)))
		gc_note_origin(gc, pagemap_find(&gc->heap->space->map, (unsigned long)obj), 0);
	return obj;
}

/* Behind the last tiny object, if there is room. */
static void *gc_tiny_pack(struct goalloc_gc *gc, size_t size)
{
	struct gc_cpu *cpu;
	void *obj = NULL;
	unsigned int at;

	preempt_disable();
	cpu = this_cpu_ptr(gc->cpus);
	at = tiny_align(cpu->tiny_used, size);
	if (cpu->tiny && at + size <= GC_TINY_BLOCK) {
		struct goalloc_span *span;

		obj = (void *)(cpu->tiny + at);
		cpu->tiny_used = at + size;
		cpu->tiny_allocs++;
		/* The block may be older than the marking that is going on. */
		span = pagemap_find(&gc->heap->space->map, cpu->tiny);
		WRITE_ONCE(span->state[span_slot(span, cpu->tiny)], gc->colour);
	}
	preempt_enable();
	return obj;
}

static void *gc_tiny(struct goalloc_mutator *m, u32 id, size_t size, gfp_t gfp)
{
	struct goalloc_gc *gc = m->gc;
	u8 sc = spanclass_make(sizeclass_of(GC_TINY_BLOCK), true);
	struct gc_cpu *cpu;
	void *obj;

	obj = gc_tiny_pack(gc, size);
	if (obj)
		return obj;
	obj = gc_small(m, sc, id, GC_TINY_BLOCK, gfp);
	if (!obj)
		return NULL;
	preempt_disable();
	cpu = this_cpu_ptr(gc->cpus);
	/* The one with more room is gone on with. */
	if (!cpu->tiny || cpu->tiny_used > size) {
		cpu->tiny = (unsigned long)obj;
		cpu->tiny_used = size;
	}
	preempt_enable();
	return obj;
}

/**
 * gc_alloc - allocate an object
 * @m: the mutator
 * @type: its type
 * @size: bytes, not 0
 * @gfp: how hard to try
 *
 * Context: In a mutator's section; any that @gfp allows.
 * Return: the object, all zeros, or NULL.
 */
void *gc_alloc(struct goalloc_mutator *m, struct goalloc_type *type, size_t size, gfp_t gfp)
{
	struct goalloc_gc *gc = m->gc;
	bool noscan = !type->map;
	void *obj;
	u32 id;

	might_alloc(gfp);
	gfp &= ~__GFP_ZERO;
	id = gc_type_id(type, gfp);
	if (unlikely(!id))
		obj = NULL;
	else if (noscan && size < GC_TINY_BLOCK && !type->finalizer &&
		 !(gc->flags & GOALLOC_GC_EXPLICIT))
		obj = gc_tiny(m, id, size, gfp);
	else if (size <= GOALLOC_MAX_SMALL)
		obj = gc_small(m, spanclass_make(sizeclass_of(size), noscan), id, size, gfp);
	else
		obj = gc_large(m, size, id, noscan, gfp);
	if (obj && unlikely(type->finalizer) && gc_final_add(gc, obj, gfp))
		obj = NULL;
	if (unlikely(!obj))
		atomic64_inc(&gc->heap->nr_failed);
	return obj;
}

static const char *gc_new_wrong(const struct goalloc_mutator *m,
				const struct goalloc_type *type, gfp_t flags)
{
	if (!m || !m->gc)
		return "it is called outside of goalloc_enter() and goalloc_exit()";
	if (in_interrupt())
		return "it is called in an interrupt";
	if (flags & ~GC_GFP_ALLOWED)
		return "its flags have others than how hard to try";
	if (!type || !type->size)
		return "its type has no size";
	if (type->map && type->size % 8)
		return "its type has pointers and a size that is no multiple of 8";
	return NULL;
}

static void *gc_new(struct goalloc_mutator *m, struct goalloc_type *type, size_t n,
		    gfp_t flags, unsigned long caller)
{
	const char *wrong = gc_new_wrong(m, type, flags);
	size_t size;

	if (unlikely(wrong)) {
		report_gc(m ? m->gc : NULL, "goalloc_new", wrong, caller);
		return NULL;
	}
	if (unlikely(check_mul_overflow(type->size, n, &size) || size > GOALLOC_MAX_SIZE)) {
		report_bad_size(m->gc->heap, size, flags, caller);
		return NULL;
	}
	/* As elsewhere: a pointer that may be compared, and nothing behind it. */
	return gc_alloc(m, type, size ?: 1, flags);
}

/* See <goalloc_gc.h>. */
void *goalloc_new(struct goalloc_mutator *m, struct goalloc_type *type, gfp_t flags)
{
	return gc_new(m, type, 1, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_new);

void *goalloc_new_array(struct goalloc_mutator *m, struct goalloc_type *type, size_t n,
			gfp_t flags)
{
	return gc_new(m, type, n, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_new_array);

/* What is there to be freed, and why not if it is not? */
static const char *gc_delete_wrong(struct goalloc_gc *gc, const void *obj,
				   struct slot_ref *ref)
{
	if (!(gc->flags & GOALLOC_GC_EXPLICIT))
		return "the heap is collected; objects go by themselves";
	if (!slot_find(&gc->heap->space->map, (unsigned long)obj, ref) ||
	    heap_of(ref->span) != gc->heap)
		return "no object of the heap begins there";
	return READ_ONCE(*ref->state) == gc->colour ? NULL : "the object is free already";
}

void goalloc_delete(struct goalloc_mutator *m, void *obj)
{
	const char *wrong;
	struct slot_ref ref;

	if (!obj)
		return;
	wrong = m->gc ? gc_delete_wrong(m->gc, obj, &ref) :
			"it is called outside of goalloc_enter() and goalloc_exit()";
	if (unlikely(wrong)) {
		report_gc(m->gc, __func__, wrong, _RET_IP_);
		return;
	}
	/* Two who free it at once: one has it. */
	if (cmpxchg(ref.state, m->gc->colour, SLOT_FREE) != m->gc->colour) {
		report_gc(m->gc, __func__, "the object is free already", _RET_IP_);
		return;
	}
	gc_span_free_slot(m->gc, ref.span, ref.slot);
}
EXPORT_SYMBOL_GPL(goalloc_delete);
