// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guard objects: from the pool and back to it.
 *
 * KFENCE's idea for goalloc. A slot of the pool is one page with an unmapped
 * page on either side (guard_page.c). An object is put at the left or the right
 * end of its page, whichever the coin says, and what is left of the page is
 * filled with a canary. An access past that end, or to the object after its
 * free, faults and is reported (guard_fault.c); what was written into the rest
 * of the page is found when the object is freed.
 *
 * Who gets one: of the default heap, every guard_interval milliseconds the next
 * allocation that finds its cache's list and span empty, so that the fast path
 * knows nothing of it; of a heap made with GOALLOC_HARDEN_GUARD every
 * allocation. Either only up to a page, and only while the pool has a free slot;
 * others are ordinary objects. Slots are used again first in, first out, so that
 * a freed object stays unmapped for as long as the pool allows.
 *
 * Locks: guard_pool.lock for the list of free slots, tried only in NMI. A free
 * takes none: it makes the slot its own by cmpxchg() and puts it on a lock-free
 * list, which the next allocation empties into the other.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/hash.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

#include "cache.h"
#include "compat.h"
#include "detour.h"
#include "guard_pool.h"

static unsigned int guard_slots;
module_param(guard_slots, uint, 0444);
MODULE_PARM_DESC(guard_slots,
		 "Objects with unmapped pages around them that may live at once (0: none; each takes a page)");

static unsigned int guard_interval = 100;

struct guard_pool guard_pool = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(guard_pool.lock),
};

DEFINE_STATIC_KEY_FALSE(guard_ready);
GOALLOC_EXPORT_KUNIT(guard_ready);
DEFINE_STATIC_KEY_FALSE(guard_sampling);

/* Guards the keys and the interval. */
static DEFINE_MUTEX(guard_mutex);

static void guard_set_interval(unsigned int ms)
{
	lockdep_assert_held(&guard_mutex);

	if (!static_key_enabled(&guard_ready) || !ms) {
		static_branch_disable(&guard_sampling);
		return;
	}
	WRITE_ONCE(guard_pool.interval, max(msecs_to_jiffies(ms), 1UL));
	WRITE_ONCE(guard_pool.next, jiffies + guard_pool.interval);
	static_branch_enable(&guard_sampling);
}

static int guard_interval_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint(val, kp);

	if (err)
		return err;
	mutex_lock(&guard_mutex);
	guard_set_interval(guard_interval);
	mutex_unlock(&guard_mutex);
	return 0;
}

static const struct kernel_param_ops guard_interval_ops = {
	.set = guard_interval_set,
	.get = param_get_uint,
};

module_param_cb(guard_interval, &guard_interval_ops, &guard_interval, 0644);
MODULE_PARM_DESC(guard_interval,
		 "Milliseconds from one guarded object of the default heap to the next (0: none; default 100)");

/**
 * guard_in_pool - does an address lie in the pool?
 * @p: any address
 *
 * Context: Any context.
 * Return: true if so, in an object or not.
 */
bool guard_in_pool(const void *p)
{
	return (unsigned long)p - guard_pool.base < READ_ONCE(guard_pool.bytes);
}
GOALLOC_EXPORT_KUNIT(guard_in_pool);

/* Who does it: from the caller of goalloc on. */
static void guard_note(struct guard_track *track)
{
	unsigned long entry[GUARD_STACK_DEPTH + 8];
	unsigned int nr = stack_trace_save(entry, ARRAY_SIZE(entry), 0);
	unsigned int first = 0;

	while (first + 1 < nr && within_module(entry[first], THIS_MODULE))
		first++;
	track->nr = min_t(unsigned int, nr - first, GUARD_STACK_DEPTH);
	memcpy(track->entry, entry + first, track->nr * sizeof(entry[0]));
	track->pid = task_pid_nr(current);
	track->cpu = raw_smp_processor_id();
	track->ns = ktime_get_mono_fast_ns();
}

static void guard_fill(unsigned long from, unsigned long to)
{
	for (; from < to && from % 8; from++)
		*(u8 *)from = GUARD_CANARY(from);
	for (; from + 8 <= to; from += 8)
		*(u64 *)from = GUARD_CANARY_WORD;
	for (; from < to; from++)
		*(u8 *)from = GUARD_CANARY(from);
}

/* The first byte that is not as guard_fill() left it, or @to. */
static unsigned long guard_compare(unsigned long from, unsigned long to)
{
	while (from < to) {
		if (!(from % 8) && from + 8 <= to && *(u64 *)from == GUARD_CANARY_WORD)
			from += 8;
		else if (*(u8 *)from == GUARD_CANARY(from))
			from++;
		else
			break;
	}
	return from;
}

static void guard_check(struct guard_slot *slot)
{
	unsigned long ranges[2][2] = {
		{ slot->page, slot->addr },
		{ slot->addr + slot->size, slot->page + PAGE_SIZE },
	};
	unsigned long bad;
	bool damaged = false;
	int i;

	for (i = 0; i < 2; i++) {
		bad = guard_compare(ranges[i][0], ranges[i][1]);
		if (bad == ranges[i][1])
			continue;
		damaged = true;
		guard_report_damage(slot, bad, ranges[i][1]);
	}
	if (damaged)
		atomic_long_inc(&guard_pool.damaged);
}

/* The slot that was freed first, or NULL. */
static struct guard_slot *guard_take(void)
{
	struct guard_pool *pool = &guard_pool;
	struct guard_slot *slot, *next;
	unsigned long flags;

	if (in_nmi()) {
		if (!raw_spin_trylock_irqsave(&pool->lock, flags))
			return NULL;
	} else {
		raw_spin_lock_irqsave(&pool->lock, flags);
	}
	if (!llist_empty(&pool->freed))
		llist_for_each_entry_safe(slot, next,
					  llist_reverse_order(llist_del_all(&pool->freed)),
					  freed)
			list_add_tail(&slot->fifo, &pool->fifo);
	slot = list_first_entry_or_null(&pool->fifo, struct guard_slot, fifo);
	if (slot) {
		list_del_init(&slot->fifo);
		atomic_set(&slot->state, GUARD_BUSY);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return slot;
}

/* What goalloc() promises of an object's address. */
static size_t guard_align(size_t size)
{
	return clamp_t(size_t, size & -size, 8, PAGE_SIZE);
}

static void *guard_make(struct goalloc_heap *heap, struct guard_slot *slot,
			size_t size, size_t align, gfp_t gfp)
{
	struct guard_pool *pool = &guard_pool;

	slot->addr = slot->page;
	/* A multiplicative hash of a counter is as good as a coin here. */
	if (hash_32(atomic_inc_return(&pool->sides), 1))
		slot->addr += PAGE_SIZE - round_up(size, align);
	slot->size = size;
	slot->heap = heap;
	strscpy(slot->name, heap->name, sizeof(slot->name));
	slot->told = 0;
	slot->free.ns = 0;
	guard_note(&slot->alloc);

	guard_map(slot);
	guard_fill(slot->page, slot->addr);
	guard_fill(slot->addr + size, slot->page + PAGE_SIZE);
	if (want_init_on_alloc(gfp))
		memset((void *)slot->addr, 0, size);

	atomic64_inc(&heap->nr_guard_allocs);
	atomic_long_inc(&pool->allocs);
	atomic_long_inc(&pool->live);
	/* Pairs with guard_claim(). */
	atomic_set_release(&slot->state, GUARD_LIVE);
	return (void *)slot->addr;
}

/**
 * guard_alloc - allocate an object with unmapped pages around it
 * @heap: the heap
 * @size: bytes requested, not 0
 * @align: alignment in bytes, a power of two; 0 for the one that goalloc()
 *         promises
 * @gfp: as for goalloc()
 *
 * Context: Any context. Never sleeps.
 * Return: the object; NULL if it has to be an ordinary one: it is more than a
 *         page, of a certain zone or node, or no slot is free.
 */
void *guard_alloc(struct goalloc_heap *heap, size_t size, size_t align, gfp_t gfp)
{
	struct guard_slot *slot;

	if (!guard_available() || size > PAGE_SIZE || align > PAGE_SIZE ||
	    (gfp | heap->gfp) & (GFP_ZONEMASK | __GFP_THISNODE))
		return NULL;
	slot = guard_take();
	if (!slot) {
		atomic_long_inc(&guard_pool.full);
		return NULL;
	}
	return guard_make(heap, slot, size, align ?: guard_align(size), gfp);
}
GOALLOC_EXPORT_KUNIT(guard_alloc);

/* Is it time for another one? Whoever is told so is the only one. */
static bool guard_due(void)
{
	unsigned long next = READ_ONCE(guard_pool.next);
	unsigned long now = jiffies;

	return time_after_eq(now, next) &&
	       try_cmpxchg(&guard_pool.next, &next,
			   now + READ_ONCE(guard_pool.interval));
}

/**
 * guard_sample - allocate a guarded object if it is time for one
 * @heap: the heap
 * @bin: bin that the object would come from
 * @size: bytes requested
 * @gfp: as for goalloc()
 *
 * The bin stands for the alignment: where it is not the one of @size, the
 * caller has chosen it for that.
 *
 * Context: Any context. Never sleeps.
 * Return: the object; NULL if it has to be an ordinary one.
 */
void *guard_sample(struct goalloc_heap *heap, unsigned int bin, size_t size, gfp_t gfp)
{
	size_t align = 0;

	if (heap != goalloc_default || bin == GOALLOC_TINY_BIN || size > PAGE_SIZE ||
	    READ_ONCE(heap->detour) & ~DETOUR_HARDENED || !guard_due())
		return NULL;
	if (bin != sizeclass_of(size))
		align = sizeclass_size[bin] & -sizeclass_size[bin];
	return guard_alloc(heap, size, align, gfp);
}

/* Make a live object the caller's, to free it. */
static bool guard_claim(struct guard_slot *slot)
{
	int live = GUARD_LIVE;

	return atomic_try_cmpxchg(&slot->state, &live, GUARD_BUSY);
}

/* Free an object that was claimed. */
static void guard_release(struct guard_slot *slot)
{
	struct guard_pool *pool = &guard_pool;

	profile_freed((void *)slot->addr);
	guard_check(slot);
	if (want_init_on_free())
		memset((void *)slot->addr, 0, slot->size);
	guard_note(&slot->free);
	guard_unmap(slot);
	atomic64_inc(&slot->heap->nr_guard_frees);
	atomic_long_dec(&pool->live);
	atomic_set_release(&slot->state, GUARD_FREE);
	llist_add(&slot->freed, &pool->freed);
}

/* What is wrong with freeing @p, or NR_BAD_FREES if it was right until now. */
static enum bad_free guard_judge(const struct goalloc_heap *heap,
				 const struct guard_slot *slot, unsigned long addr)
{
	bool live;

	if (!slot || !READ_ONCE(slot->size))
		return BAD_FREE_FOREIGN;
	live = atomic_read_acquire(&slot->state) == GUARD_LIVE;
	if (addr % 8)
		return BAD_FREE_MISALIGNED;
	if (READ_ONCE(slot->addr) != addr)
		return live ? BAD_FREE_INTERIOR : BAD_FREE_SPAN;
	if (!live)
		return BAD_FREE_DOUBLE;
	return READ_ONCE(slot->heap) == heap ? NR_BAD_FREES : BAD_FREE_HEAP;
}

static void guard_report_free(struct goalloc_heap *heap, struct guard_slot *slot,
			      const void *p, enum bad_free kind, unsigned long caller)
{
	if (report_bad_guarded(heap, p, slot ? slot->size : 0,
			       slot ? slot - guard_pool.slot : 0, kind, caller) &&
	    slot && slot->size)
		guard_report_tracks(slot);
}

/**
 * guard_refuse - report what was no live object of a heap
 * @heap: the heap
 * @p: an address in the pool
 * @caller: call site
 *
 * Context: Any context.
 */
void guard_refuse(struct goalloc_heap *heap, const void *p, unsigned long caller)
{
	struct guard_slot *slot = guard_slot_of((unsigned long)p);
	enum bad_free kind = guard_judge(heap, slot, (unsigned long)p);

	/* It was none a moment ago. */
	if (kind == NR_BAD_FREES)
		kind = BAD_FREE_DOUBLE;
	guard_report_free(heap, slot, p, kind, caller);
}

/**
 * guard_free - check and free an object of the pool
 * @heap: heap it should belong to
 * @p: the object; an address in the pool in any case
 * @caller: call site, for reports
 *
 * Context: Any context.
 */
void guard_free(struct goalloc_heap *heap, const void *p, unsigned long caller)
{
	struct guard_slot *slot = guard_slot_of((unsigned long)p);
	enum bad_free kind = guard_judge(heap, slot, (unsigned long)p);

	if (kind == NR_BAD_FREES && guard_claim(slot)) {
		guard_release(slot);
		return;
	}
	/* Somebody was quicker. */
	if (kind == NR_BAD_FREES)
		kind = BAD_FREE_DOUBLE;
	guard_report_free(heap, slot, p, kind, caller);
}

/**
 * guard_size - bytes that may be used of an object
 * @heap: heap it should belong to, or NULL for any
 * @p: an address in the pool
 *
 * Context: Any context.
 * Return: what was requested, exactly; 0 if there is no such object.
 */
size_t guard_size(const struct goalloc_heap *heap, const void *p)
{
	const struct guard_slot *slot = guard_slot_of((unsigned long)p);

	if (!slot || atomic_read_acquire(&slot->state) != GUARD_LIVE ||
	    slot->addr != (unsigned long)p || (heap && slot->heap != heap))
		return 0;
	return slot->size;
}
GOALLOC_EXPORT_KUNIT(guard_size);

/**
 * guard_heap_of - the heap that an object is of
 * @p: an address in the pool
 *
 * Context: Any context.
 * Return: the heap; NULL if there is no live object.
 */
struct goalloc_heap *guard_heap_of(const void *p)
{
	const struct guard_slot *slot = guard_slot_of((unsigned long)p);

	return slot && guard_size(NULL, p) ? slot->heap : NULL;
}

/**
 * guard_end_heap - take back or report a heap's objects
 * @heap: the heap, which nobody uses any more
 * @force: take them back
 *
 * Context: Process context.
 * Return: objects left, which were reported.
 */
u64 guard_end_heap(struct goalloc_heap *heap, bool force)
{
	struct guard_slot *slot;
	unsigned int i;
	u64 left = 0;

	for (i = 0; guard_available() && i < guard_pool.nr; i++) {
		slot = &guard_pool.slot[i];
		if (atomic_read_acquire(&slot->state) != GUARD_LIVE || slot->heap != heap)
			continue;
		if (force && guard_claim(slot)) {
			guard_release(slot);
			continue;
		}
		left++;
		pr_err("heap %s: live guarded object of %u bytes, allocated at %pS\n",
		       heap->name, slot->size, (void *)slot->alloc.entry[0]);
	}
	return left;
}

/**
 * guard_get_stats - what became of the pool
 * @gs: what to fill in
 *
 * Context: Any context.
 */
void guard_get_stats(struct guard_stats *gs)
{
	struct guard_pool *pool = &guard_pool;

	memset(gs, 0, sizeof(*gs));
	if (!guard_available())
		return;
	gs->slots = pool->nr;
	gs->bytes = (u64)(pool->nr + 1) << PAGE_SHIFT;
	gs->live = atomic_long_read(&pool->live);
	gs->allocs = atomic_long_read(&pool->allocs);
	gs->full = atomic_long_read(&pool->full);
	gs->faults = atomic_long_read(&pool->faults);
	gs->damaged = atomic_long_read(&pool->damaged);
}
GOALLOC_EXPORT_KUNIT(guard_get_stats);

/**
 * guard_elapse - let the next guarded object be due earlier, for tests
 * @ms: milliseconds
 */
void guard_elapse(unsigned int ms)
{
	WRITE_ONCE(guard_pool.next, guard_pool.next - msecs_to_jiffies(ms));
}
GOALLOC_EXPORT_KUNIT(guard_elapse);

static void guard_reset(unsigned int slots)
{
	struct guard_pool *pool = &guard_pool;
	unsigned int i;

	pool->nr = slots;
	INIT_LIST_HEAD(&pool->fifo);
	init_llist_head(&pool->freed);
	atomic_set(&pool->sides, get_random_u32());
	atomic_long_set(&pool->live, 0);
	atomic_long_set(&pool->allocs, 0);
	atomic_long_set(&pool->full, 0);
	atomic_long_set(&pool->faults, 0);
	atomic_long_set(&pool->damaged, 0);
	for (i = 0; i < slots; i++)
		list_add_tail(&pool->slot[i].fifo, &pool->fifo);
}

static size_t guard_slot_bytes(unsigned int slots)
{
	return array_size(slots, sizeof(struct guard_slot));
}

/**
 * guard_start - make the pool
 * @slots: objects that may live in it at once
 * @interval: milliseconds from one object of the default heap to the next, 0
 *            if none of it is to be guarded
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative error.
 */
int guard_start(unsigned int slots, unsigned int interval)
{
	struct guard_pool *pool = &guard_pool;
	int err;

	if (!slots || slots > GUARD_MAX_SLOTS)
		return -EINVAL;
	pool->slot = meta_zalloc(&goalloc_space.meta, guard_slot_bytes(slots),
				 GFP_KERNEL, NUMA_NO_NODE);
	if (!pool->slot)
		return -ENOMEM;
	guard_reset(slots);
	err = guard_pages_init();
	if (err)
		goto fail;
	err = guard_fault_init();
	if (err) {
		guard_pages_destroy();
		goto fail;
	}
	mutex_lock(&guard_mutex);
	static_branch_enable(&guard_ready);
	guard_set_interval(interval);
	mutex_unlock(&guard_mutex);
	return 0;

fail:
	pool->nr = 0;
	meta_free(&goalloc_space.meta, pool->slot, guard_slot_bytes(slots));
	pool->slot = NULL;
	return err;
}
GOALLOC_EXPORT_KUNIT(guard_start);

/**
 * guard_stop - end the pool
 *
 * Nobody allocates or frees guarded objects any more. Where some are live
 * their pages stay where they are for good.
 *
 * Context: Process context, may sleep.
 * Return: true if everything was given back.
 */
bool guard_stop(void)
{
	struct guard_pool *pool = &guard_pool;
	unsigned int slots = pool->nr;
	long live = atomic_long_read(&pool->live);

	if (!slots)
		return true;
	mutex_lock(&guard_mutex);
	static_branch_disable(&guard_sampling);
	static_branch_disable(&guard_ready);
	mutex_unlock(&guard_mutex);
	guard_fault_exit();
	guard_pages_destroy();
	meta_free(&goalloc_space.meta, pool->slot, guard_slot_bytes(slots));
	pool->slot = NULL;
	pool->nr = 0;
	if (live)
		pr_err("%ld live guarded objects; the %u pages of their pool are not given back\n",
		       live, slots + 1);
	return !live;
}
GOALLOC_EXPORT_KUNIT(guard_stop);

/**
 * guard_init - make the pool that the module's parameters ask for
 *
 * If that is not possible it is said, and things go on without.
 *
 * Context: Process context, may sleep.
 */
void guard_init(void)
{
	int err;

	if (!guard_slots)
		return;
	err = guard_start(guard_slots, guard_interval);
	if (err)
		pr_err("no guarded objects: a pool of guard_slots=%u (at most %u) cannot be made, error %d\n",
		       guard_slots, GUARD_MAX_SLOTS, err);
}

/**
 * guard_exit - end the pool; every heap has ended
 *
 * Context: Process context, may sleep.
 */
void guard_exit(void)
{
	guard_stop();
}
