// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pattern at the low end of a stack, which nobody has to write over: who does has
 * run out of room without asking for more.
 */
#include <linux/string.h>

#include "compat.h"
#include "stack.h"

#define STACK_GUARD_BYTE 0xa7

/**
 * stack_guard_arm - write the pattern
 * @stacks: where the stack is from
 * @stack: the stack
 *
 * Context: Any.
 */
void stack_guard_arm(struct goalloc_stacks *stacks, const struct goalloc_stack *stack)
{
	memset(stack->base, STACK_GUARD_BYTE, GOALLOC_STACK_GUARD_BYTES);
}

/**
 * stack_guard_check - is it still there?
 * @stacks: where the stack is from
 * @stack: the stack
 * @caller: who is told of in the report
 *
 * Context: Any but an interrupt.
 * Return: 0, or -EUCLEAN if not, which was reported; the pattern is written anew.
 */
int stack_guard_check(struct goalloc_stacks *stacks, const struct goalloc_stack *stack,
		      unsigned long caller)
{
	if (!memchr_inv(stack->base, STACK_GUARD_BYTE, GOALLOC_STACK_GUARD_BYTES))
		return 0;
	report_stack(stacks, stack->base, "goalloc_stack_check",
		     "its lowest bytes were overwritten: it was used past its end", caller);
	stack_guard_arm(stacks, stack);
	return -EUCLEAN;
}

/* See <goalloc_stack.h>. */
int goalloc_stack_check(struct goalloc_stacks *stacks, const struct goalloc_stack *stack)
{
	if (!(stacks->flags & GOALLOC_STACK_GUARD))
		return 0;
	if (!stack_is_ours(stacks, stack, __func__, _RET_IP_))
		return -EINVAL;
	return stack_guard_check(stacks, stack, _RET_IP_);
}
EXPORT_SYMBOL_GPL(goalloc_stack_check);
