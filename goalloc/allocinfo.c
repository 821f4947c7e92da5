// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory allocation profiling, the kernel's own: /proc/allocinfo has a line for
 * each place in the code that allocates, with the bytes and objects it has.
 *
 * Whoever calls the allocator does so through alloc_hooks() (see
 * goalloc_hooks.h), which leaves the caller's line in current->alloc_tag. The
 * line that an object was put on is kept in the record of its slot, and the
 * object's state says SLOT_SAMPLED, so that its free leaves the fast path and
 * comes by here. Tiny objects share slots, and guarded ones have none: they are
 * on no line.
 *
 * The bytes are those of the slot, as kmalloc() has it. The pages of spans are on
 * page_source.c's line besides, as those of slabs are on SLUB's.
 *
 * Whether the kernel itself is counting (vm.mem_profiling) a module cannot see,
 * hence a parameter. Counting begins and ends with it at any time: an object that
 * was put on a line is taken off it whenever it is freed.
 *
 * Locks: none. Of all that take an object off its line one does, by xchg().
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "allocinfo.h"
#include "heap.h"
#include "pagemap.h"

#ifndef CONFIG_MEM_ALLOC_PROFILING_ENABLED_BY_DEFAULT
#define ALLOCINFO_DEFAULT 0
#else
#define ALLOCINFO_DEFAULT 1
#endif

static bool allocinfo_param = ALLOCINFO_DEFAULT;

DEFINE_STATIC_KEY_MAYBE(CONFIG_MEM_ALLOC_PROFILING_ENABLED_BY_DEFAULT, allocinfo_key);

/* Written with kernel_param_lock() held. */
static int allocinfo_set(const char *val, const struct kernel_param *kp)
{
	bool on;

	if (kstrtobool(val, &on)) {
		pr_err("%s: neither yes nor no (1 or 0)\n", kp->name);
		return -EINVAL;
	}
	if (on)
		static_branch_enable(&allocinfo_key);
	else
		static_branch_disable(&allocinfo_key);
	*(bool *)kp->arg = on;
	return 0;
}

static const struct kernel_param_ops allocinfo_ops = {
	.set = allocinfo_set,
	.get = param_get_bool,
};

module_param_cb(allocinfo, &allocinfo_ops, &allocinfo_param, 0644);
MODULE_PARM_DESC(allocinfo, "put objects on their lines in /proc/allocinfo (as the kernel is configured: 1 if it counts by default, else 0)");

/* Where it is noted which line an object is on, or NULL if it is on none. */
static union codetag_ref *allocinfo_ref(const struct goalloc_span *span, unsigned int slot)
{
	return span->kind == SPAN_TINY ? NULL : heap_track(span, slot);
}

/**
 * allocinfo_freed - take an object off its line
 * @span: its span
 * @slot: its slot, in the caller's hands; it need not be on a line
 *
 * Context: Any context.
 */
void allocinfo_freed(struct goalloc_span *span, unsigned int slot)
{
	union codetag_ref *ref = allocinfo_ref(span, slot);
	union codetag_ref old;

	if (!ref || !READ_ONCE(ref->ct))
		return;
	old.ct = xchg(&ref->ct, NULL);
	if (old.ct)
		alloc_tag_sub(&old, span->elemsize);
}

/**
 * allocinfo_add - put a new object on the line that asked for it
 * @obj: the object, not yet with whoever has asked for it; or NULL, or what is
 *       no object of a span
 *
 * Context: Any context.
 */
void allocinfo_add(const void *obj)
{
	struct alloc_tag *tag = current->alloc_tag;
	union codetag_ref *to;
	struct slot_ref ref;

	if (!tag || ZERO_OR_NULL_PTR(obj))
		return;
	preempt_disable();
	if (!slot_find(&goalloc_space.map, (unsigned long)obj, &ref))
		goto out;
	to = allocinfo_ref(ref.span, ref.slot);
	if (!to)
		goto out;
	alloc_tag_add(to, tag, ref.span->elemsize);
	/* Frees of others come by in any case. */
	if (ref.span->kind == SPAN_SMALL && !ref.span->home->heap->harden &&
	    cmpxchg(ref.state, SLOT_LIVE, SLOT_SAMPLED) != SLOT_LIVE &&
	    READ_ONCE(*ref.state) != SLOT_SAMPLED)
		allocinfo_freed(ref.span, ref.slot);	/* a bad free was first */
out:
	preempt_enable();
}

/**
 * allocinfo_end_span - take what a span still has off its lines
 * @span: the span, whose objects nobody uses any more
 *
 * Context: Process context.
 */
void allocinfo_end_span(struct goalloc_span *span)
{
	unsigned int slot;

	for (slot = 0; slot < span->bits.nelems; slot++)
		allocinfo_freed(span, slot);
}
