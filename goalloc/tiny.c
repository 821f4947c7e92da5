// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tiny objects: several under 16 bytes in one 16-byte block, by Go's rule.
 *
 * A cache packs one block at a time, from offset 0 up. Each block has a mask
 * with a bit per start offset of a live object. A free clears its bit from any
 * CPU, with a cmpxchg(); whoever clears the last bit has the block and gives
 * the slot back. Blocks are slots of an ordinary bin to everybody else.
 *
 * While a cache packs a block, the block must stay even if all objects in it
 * are freed, so the cache has a share in it. That share is bit 15: an object
 * can begin at offset 15 only if it has one byte and fills the block, and then
 * the cache lets go of the block and the share becomes that object's bit.
 * Until then the state byte says SLOT_TINY_OPEN, and nobody may free offset 15.
 */
#include <linux/atomic.h>

#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "drain.h"

#define TINY_BLOCK 16
#define TINY_SHARE BIT(TINY_BLOCK - 1)

/* Clear bits; returns the mask before. Full barrier. */
static u16 tiny_clear(struct tiny_block *block, u16 bits)
{
	u16 old = READ_ONCE(block->live);

	while (!try_cmpxchg(&block->live, &old, (u16)(old & ~bits)))
		;
	return old;
}

/* Enter an object, and let go of the share if it is the @last. */
static void tiny_enter(struct tiny_block *block, unsigned int offset, bool last)
{
	u16 old = READ_ONCE(block->live);
	u16 new;

	do {
		new = last ? old & ~TINY_SHARE : old;
		new |= BIT(offset);
	} while (!try_cmpxchg(&block->live, &old, new));
}

/*
 * The block is empty and ours: give the slot to @cache, which the caller may
 * use. Preemption is off.
 */
static void tiny_release(struct goalloc_cache *cache, struct slot_ref *ref)
{
	sanitize_tiny_release(ref->span, ref->slot);
	WRITE_ONCE(*ref->state, SLOT_FREE);
	if (in_nmi())
		central_defer(heap_central_of(ref->span), ref->span, ref->slot);
	else
		cache_put(ref->span, ref->slot, cache);
}

/**
 * tiny_drop - let go of the block that a cache packs
 * @cache: the cache
 *
 * Context: Any but NMI, preemption off; the caller may use the cache.
 */
void tiny_drop(struct goalloc_cache *cache)
{
	struct cache_tiny *tiny = &cache->tiny;
	struct slot_ref ref;

	if (!tiny->span)
		return;
	ref.span = tiny->span;
	ref.slot = tiny->slot;
	ref.state = ref.span->state + ref.slot;
	tiny->span = NULL;
	/* Before the share goes: then the block may be gone at once. */
	WRITE_ONCE(*ref.state, SLOT_TINY);
	sanitize_tiny_close(ref.span, ref.slot);
	if (tiny_clear(&ref.span->tiny[ref.slot], TINY_SHARE) == TINY_SHARE)
		tiny_release(cache, &ref);
}
GOALLOC_EXPORT_KUNIT(tiny_drop);

/* Count an object that a cache has handed out. Returns whether it is a sample. */
static bool tiny_count(struct goalloc_cache *cache, size_t size)
{
	struct cache_tiny *tiny = &cache->tiny;

	tiny->allocs++;
	tiny->left -= size;
	return unlikely(tiny->left < 0) &&
	       profile_due(&cache->gap[CACHE_TINY_GAP], &tiny->left, size);
}

/*
 * Pack an object into the cache's block if it fits, and say whether it is a
 * sample. Preemption is off.
 */
static void *tiny_pack(struct goalloc_cache *cache, size_t size, bool *hit)
{
	struct cache_tiny *tiny = &cache->tiny;
	struct goalloc_span *span = tiny->span;
	struct tiny_block *block;
	unsigned int offset, end;
	void *obj;

	if (!span)
		return NULL;
	offset = tiny_align(tiny->offset, size);
	end = offset + size;
	if (end > TINY_BLOCK)
		return NULL;
	block = &span->tiny[tiny->slot];
	/* tiny_size() of other objects in the block may read it meanwhile. */
	WRITE_ONCE(block->ends, block->ends | BIT(end - 1));
	obj = (void *)(span_slot_addr(span, tiny->slot) + offset);
	tiny->offset = end;
	*hit = tiny_count(cache, size);
	if (end == TINY_BLOCK)
		sanitize_tiny_close(span, tiny->slot);
	sanitize_tiny_shadow(obj, size);
	if (offset != TINY_BLOCK - 1)
		tiny_enter(block, offset, end == TINY_BLOCK);
	if (end == TINY_BLOCK) {
		/*
		 * Full: the new object keeps the block from here on. Closed
		 * only now, because offset 15 may be freed in a closed block
		 * and the share must not be taken for an object there.
		 */
		tiny->span = NULL;
		WRITE_ONCE(span->state[tiny->slot], SLOT_TINY);
	}
	return obj;
}

/*
 * Make the slot @obj a block that begins with an object. Returns whether that is
 * a sample.
 */
static bool tiny_begin(struct goalloc_heap *heap, void *obj, size_t size)
{
	struct goalloc_cache *cache;
	struct tiny_block *block;
	struct slot_ref ref;
	bool hit;

	preempt_disable();
	slot_find(&heap->space->map, (unsigned long)obj, &ref);
	block = &ref.span->tiny[ref.slot];
	/* Bad frees of what was here before may read it: tiny_judge(). */
	WRITE_ONCE(block->ends, BIT(size - 1));
	sanitize_tiny_shadow(obj, size);

	cache = cache_get(heap);
	if (cache != &cache_none) {
		hit = tiny_count(cache, size);
	} else {
		hit = profile_draw(size);
		atomic64_inc(&heap->nr_tiny_direct);
	}
	if (cache != &cache_none &&
	    (!cache->tiny.span || size < cache->tiny.offset)) {
		/* Go's rule: keep whichever block has more room left. */
		tiny_drop(cache);
		WRITE_ONCE(block->live, BIT(0) | TINY_SHARE);
		WRITE_ONCE(*ref.state, SLOT_TINY_OPEN);
		cache->tiny.span = ref.span;
		cache->tiny.slot = ref.slot;
		cache->tiny.offset = size;
		drain_note();
	} else {
		WRITE_ONCE(block->live, BIT(0));
		WRITE_ONCE(*ref.state, SLOT_TINY);
	}
	preempt_enable();
	return hit;
}

/**
 * tiny_alloc - allocate a tiny object
 * @heap: the heap
 * @size: bytes, 1 to 15
 * @gfp: as for goalloc()
 *
 * Context: Any context that @gfp allows. In NMI, and where no cache can be
 *          made, the object gets a block of its own.
 * Return: the object or NULL.
 */
void *tiny_alloc(struct goalloc_heap *heap, size_t size, gfp_t gfp)
{
	bool hit;
	void *obj;

	preempt_disable();
	obj = tiny_pack(cache_get(heap), size, &hit);
	preempt_enable();
	if (obj)
		goto out;
	if (detour_taken(heap))
		return detour_alloc_tiny(heap, size, gfp);

	obj = cache_alloc(heap, GOALLOC_TINY_BIN, TINY_BLOCK, gfp & ~__GFP_ZERO);
	if (!obj)
		return NULL;
	hit = tiny_begin(heap, obj, size);
out:
	if (want_init_on_alloc(gfp))
		memset(obj, 0, size);
	sanitize_tiny_alloc(heap, obj, size, gfp);
	return profile_mark(heap, obj, size, hit);
}
GOALLOC_EXPORT_KUNIT(tiny_alloc);

/**
 * tiny_alloc_local - allocate a tiny object on the local node and no other
 * @heap: the heap
 * @size: bytes, 1 to 15
 * @gfp: as for goalloc(), with __GFP_THISNODE
 *
 * It begins a block of its own: the one that the cache packs may be of any node.
 *
 * Context: Any context that @gfp allows.
 * Return: the object or NULL.
 */
void *tiny_alloc_local(struct goalloc_heap *heap, size_t size, gfp_t gfp)
{
	bool hit;
	void *obj;

	if (detour_taken(heap))
		return detour_alloc_tiny(heap, size, gfp);
	obj = cache_alloc_node(heap, GOALLOC_TINY_BIN, TINY_BLOCK,
			       gfp & ~__GFP_ZERO, numa_mem_id());
	if (!obj)
		return NULL;
	hit = tiny_begin(heap, obj, size);
	if (want_init_on_alloc(gfp))
		memset(obj, 0, size);
	sanitize_tiny_alloc(heap, obj, size, gfp);
	return profile_mark(heap, obj, size, hit);
}
GOALLOC_EXPORT_KUNIT(tiny_alloc_local);

/* Bytes of a block that nothing will be packed into any more, as we know. */
static unsigned int tiny_packed(const struct goalloc_heap *heap,
				const struct slot_ref *ref, u8 state)
{
	const struct cache_tiny *tiny = &cache_get(heap)->tiny;

	if (state == SLOT_TINY)
		return TINY_BLOCK;
	return tiny->span == ref->span && tiny->slot == ref->slot ? tiny->offset : 0;
}

/**
 * tiny_free - free a tiny object
 * @heap: its heap
 * @ref: slot it is in
 * @offset: where in the block it begins
 *
 * Context: Any context, preemption off.
 * Return: true if it was; false if no live object begins there.
 */
bool tiny_free(struct goalloc_heap *heap, const struct slot_ref *ref,
	       unsigned int offset)
{
	struct tiny_block *block = &ref->span->tiny[ref->slot];
	u8 state = READ_ONCE(*ref->state);
	u16 bit = BIT(offset);
	struct slot_ref mine = *ref;
	u16 old;

	if (state != SLOT_TINY && state != SLOT_TINY_OPEN)
		return false;
	if (state == SLOT_TINY_OPEN && bit == TINY_SHARE)
		return false;
	if (want_init_on_free())
		memset((void *)(span_slot_addr(ref->span, ref->slot) + offset), 0,
		       tiny_size(ref->span, ref->slot, offset));
	if (GOALLOC_SANITIZE && READ_ONCE(block->live) & bit)
		sanitize_tiny_free(ref->span, ref->slot, offset,
				   tiny_size(ref->span, ref->slot, offset),
				   tiny_packed(heap, ref, state));
	/* Before the place can be anybody else's. */
	if (READ_ONCE(block->live) & bit)
		profile_freed((void *)(span_slot_addr(ref->span, ref->slot) + offset));
	old = tiny_clear(block, bit);
	if (!(old & bit))
		return false;

	if (cache_get(heap) != &cache_none)
		cache_get(heap)->tiny.frees++;
	else
		atomic64_dec(&heap->nr_tiny_direct);
	if (old == bit)
		tiny_release(cache_get(heap), &mine);
	return true;
}
GOALLOC_EXPORT_KUNIT(tiny_free);

/**
 * tiny_judge - why an address in a tiny span cannot be freed
 * @ref: slot it is in
 * @offset: where in the block it is
 *
 * Context: Any context, RCU read section.
 * Return: BAD_FREE_DOUBLE if an object began there that is free now, or the
 *         whole block is free; else BAD_FREE_INTERIOR.
 */
enum bad_free tiny_judge(const struct slot_ref *ref, unsigned int offset)
{
	u16 ends = READ_ONCE(ref->span->tiny[ref->slot].ends);
	u8 state = READ_ONCE(*ref->state);

	if (state != SLOT_TINY && state != SLOT_TINY_OPEN)
		return BAD_FREE_DOUBLE;
	if (state == SLOT_TINY_OPEN && offset == TINY_BLOCK - 1)
		return BAD_FREE_INTERIOR;
	/* One began where another ended, if one began there at all. */
	return !offset || ends & BIT(offset - 1) ? BAD_FREE_DOUBLE : BAD_FREE_INTERIOR;
}

/**
 * tiny_size - bytes of a live tiny object
 * @span: its span
 * @slot: block it is in
 * @offset: where in the block it begins
 *
 * Context: Any; the caller has the object.
 * Return: bytes, or 0 if no live object begins there.
 */
size_t tiny_size(const struct goalloc_span *span, unsigned int slot,
		 unsigned int offset)
{
	const struct tiny_block *block = &span->tiny[slot];
	u16 ends;

	if (!(READ_ONCE(block->live) & BIT(offset)) ||
	    (offset == TINY_BLOCK - 1 && READ_ONCE(span->state[slot]) != SLOT_TINY))
		return 0;
	ends = READ_ONCE(block->ends) >> offset;
	return ends ? __ffs(ends) + 1 : 0;
}
GOALLOC_EXPORT_KUNIT(tiny_size);
