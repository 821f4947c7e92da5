// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames on a stack that grows: by being moved, or by going on in another segment.
 *
 * A segment's last bytes, which are its first to be used, say which was the one before.
 * The first segment stays until the end. Any other is freed when its last frame goes, as
 * in Go before 1.3; so a loop that calls across the end of a segment allocates and frees
 * one each time ("hot split"), which is why Go has moved on. Both are here to be compared.
 */
#include <linux/err.h>
#include <linux/overflow.h>

#include "compat.h"
#include "stack.h"

#define CALLSTACK_ALIGN 16

/**
 * struct callstack_segment - the segment before
 * @stack: it
 * @used: bytes used of it
 */
struct callstack_segment {
	struct goalloc_stack stack;
	size_t used;
} __aligned(CALLSTACK_ALIGN);

static struct callstack_segment *callstack_before(struct goalloc_callstack *cs)
{
	return cs->stack.base + cs->stack.size - sizeof(struct callstack_segment);
}

/* See <goalloc_stack.h> for this and what follows. */
int goalloc_callstack_init(struct goalloc_callstack *cs, struct goalloc_stacks *stacks,
			   enum goalloc_callstack_mode mode, size_t segment,
			   goalloc_stack_adjust_t adjust, void *arg, gfp_t flags)
{
	int err;

	*cs = (struct goalloc_callstack){
		.stacks = stacks,
		.mode = mode,
		.adjust = adjust,
		.arg = arg,
		.segments = 1,
	};
	err = goalloc_stack_alloc(stacks, &cs->stack, segment, flags);
	cs->segment = cs->stack.size;
	return err;
}
EXPORT_SYMBOL_GPL(goalloc_callstack_init);

/* Back to the segment before. */
static void callstack_leave(struct goalloc_callstack *cs)
{
	struct callstack_segment before = *callstack_before(cs);

	goalloc_stack_free(cs->stacks, &cs->stack);
	cs->stack = before.stack;
	cs->used = before.used;
	cs->segments--;
}

void goalloc_callstack_end(struct goalloc_callstack *cs)
{
	while (cs->segments > 1)
		callstack_leave(cs);
	goalloc_stack_free(cs->stacks, &cs->stack);
	cs->segments = 0;
	cs->used = 0;
	cs->depth = 0;
}
EXPORT_SYMBOL_GPL(goalloc_callstack_end);

/* Go on in a segment that has room for @bytes. */
static int callstack_enter(struct goalloc_callstack *cs, size_t bytes, gfp_t flags)
{
	const struct callstack_segment before = { .stack = cs->stack, .used = cs->used };
	struct goalloc_stack stack;
	size_t min;
	int err;

	if (check_add_overflow(bytes, sizeof(before) + GOALLOC_STACK_GUARD_BYTES, &min))
		return -EOVERFLOW;
	err = goalloc_stack_alloc(cs->stacks, &stack, max(min, cs->segment), flags);
	if (err)
		return err;
	cs->stack = stack;
	*callstack_before(cs) = before;
	cs->used = sizeof(before);
	cs->segments++;
	return 0;
}

static int callstack_room(struct goalloc_callstack *cs, size_t bytes, gfp_t flags)
{
	if (cs->mode == GOALLOC_CALLSTACK_CONTIGUOUS)
		return goalloc_stack_grow(cs->stacks, &cs->stack, cs->used, bytes, cs->adjust,
					  cs->arg, flags);
	return callstack_enter(cs, bytes, flags);
}

void *goalloc_callstack_push(struct goalloc_callstack *cs, size_t bytes, gfp_t flags)
{
	size_t guard = cs->stacks->flags & GOALLOC_STACK_GUARD ? GOALLOC_STACK_GUARD_BYTES : 0;
	int err;

	if (bytes > cs->stacks->max)
		return ERR_PTR(-EOVERFLOW);
	bytes = ALIGN(bytes, CALLSTACK_ALIGN);
	/* As much as a contiguous one has room for. */
	if (bytes > cs->stacks->max - cs->depth)
		return ERR_PTR(-EOVERFLOW);
	if (unlikely(cs->stack.size - cs->used < bytes + guard)) {
		err = callstack_room(cs, bytes, flags);
		if (err)
			return ERR_PTR(err);
	}
	cs->used += bytes;
	cs->depth += bytes;
	return cs->stack.base + cs->stack.size - cs->used;
}
EXPORT_SYMBOL_GPL(goalloc_callstack_push);

int goalloc_callstack_pop(struct goalloc_callstack *cs, size_t bytes)
{
	size_t keep = cs->segments > 1 ? sizeof(struct callstack_segment) : 0;

	if (bytes > cs->depth || ALIGN(bytes, CALLSTACK_ALIGN) > cs->used - keep) {
		report_stack(cs->stacks, cs->stack.base, __func__,
			     "no frame of that size is on top", _RET_IP_);
		return -EINVAL;
	}
	bytes = ALIGN(bytes, CALLSTACK_ALIGN);
	cs->used -= bytes;
	cs->depth -= bytes;
	if (unlikely(keep && cs->used == keep))
		callstack_leave(cs);
	else if (cs->mode == GOALLOC_CALLSTACK_CONTIGUOUS && cs->used < cs->stack.size / 4 &&
		 cs->stack.size > cs->segment)
		/*
		 * It stays as it is if there is no memory for less, and nobody is killed
		 * for that. What may have been mapped may sleep in any case, and could
		 * not be mapped else.
		 */
		goalloc_stack_shrink(cs->stacks, &cs->stack, cs->used, cs->adjust, cs->arg,
				     (cs->stack.size > STACK_SPAN_BYTES ?
				      GFP_KERNEL | __GFP_NORETRY : GFP_NOWAIT) | __GFP_NOWARN);
	return 0;
}
EXPORT_SYMBOL_GPL(goalloc_callstack_pop);
