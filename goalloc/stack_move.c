// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks that are moved: to one of twice the size when there is no room, and to one of
 * half the size when most of it is not used.
 *
 * The old one is freed when the caller has adjusted what leads into it. So there are two
 * for a moment; and if there is no memory nothing has happened.
 *
 * Locks: none but those of stack.c.
 */
#include <linux/overflow.h>
#include <linux/string.h>

#include "compat.h"
#include "stack.h"

static int stack_move(struct goalloc_stacks *stacks, struct goalloc_stack *stack, size_t size,
		      size_t used, goalloc_stack_adjust_t adjust, void *arg, gfp_t flags)
{
	struct goalloc_stack to, from = *stack;
	int err = goalloc_stack_alloc(stacks, &to, size, flags);

	if (err)
		return err;
	memcpy((char *)to.base + to.size - used, (char *)from.base + from.size - used, used);
	atomic64_add(used, &stacks->copied);
	if (adjust)
		adjust(arg, &from, &to, used);
	*stack = to;
	goalloc_stack_free(stacks, &from);
	return 0;
}

/* See <goalloc_stack.h> for this and what follows. */
int goalloc_stack_grow(struct goalloc_stacks *stacks, struct goalloc_stack *stack, size_t used,
		       size_t more, goalloc_stack_adjust_t adjust, void *arg, gfp_t flags)
{
	size_t guard = stacks->flags & GOALLOC_STACK_GUARD ? GOALLOC_STACK_GUARD_BYTES : 0;
	size_t size = stack->size, need;
	int err;

	if (!stack_is_ours(stacks, stack, __func__, _RET_IP_))
		return -EINVAL;
	if (used > size) {
		report_stack(stacks, stack->base, __func__, "more is used than it has", _RET_IP_);
		return -EINVAL;
	}
	if (guard)
		stack_guard_check(stacks, stack, _RET_IP_);
	if (check_add_overflow(used, more, &need) || check_add_overflow(need, guard, &need))
		return -EOVERFLOW;
	if (need <= size)
		return 0;
	if (need > stacks->max)
		return -EOVERFLOW;
	while (size < need)
		size *= 2;
	err = stack_move(stacks, stack, size, used, adjust, arg, flags);
	if (!err)
		atomic64_inc(&stacks->grown);
	return err;
}
EXPORT_SYMBOL_GPL(goalloc_stack_grow);

int goalloc_stack_shrink(struct goalloc_stacks *stacks, struct goalloc_stack *stack,
			 size_t used, goalloc_stack_adjust_t adjust, void *arg, gfp_t flags)
{
	int err;

	if (!stack_is_ours(stacks, stack, __func__, _RET_IP_))
		return -EINVAL;
	if (used > stack->size) {
		report_stack(stacks, stack->base, __func__, "more is used than it has", _RET_IP_);
		return -EINVAL;
	}
	if (stacks->flags & GOALLOC_STACK_GUARD)
		stack_guard_check(stacks, stack, _RET_IP_);
	if (stack->size == GOALLOC_STACK_MIN || used >= stack->size / 4)
		return 0;
	err = stack_move(stacks, stack, stack->size / 2, used, adjust, arg, flags);
	if (err)
		return err;
	atomic64_inc(&stacks->shrunk);
	return 1;
}
EXPORT_SYMBOL_GPL(goalloc_stack_shrink);
