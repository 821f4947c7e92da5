/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks that grow: for coroutines, interpreters and whatever else recurses deeper than
 * a kernel stack is.
 *
 * A stack is memory, contiguous, that is used from its end down. When there is no room
 * goalloc_stack_grow() moves it to one of twice the size, and a function of the
 * caller's adjusts the pointers that lead into it.
 *
 *	struct goalloc_stack stack;
 *	size_t used = 0;
 *
 *	goalloc_stack_alloc(stacks, &stack, 2048, GFP_KERNEL);
 *	...
 *	if (stack.size - used < frame)
 *		err = goalloc_stack_grow(stacks, &stack, used, frame, adjust, arg, GFP_KERNEL);
 *	...
 *	goalloc_stack_free(stacks, &stack);
 *
 * Sizes are powers of two, from 2 KiB. Those to 16 KiB come from lists of the CPU's,
 * larger ones are whole pages, and those for which there are no pages in a row are mapped
 * (vmalloc()).
 */
#ifndef GOALLOC_STACK_PUBLIC_H
#define GOALLOC_STACK_PUBLIC_H

#include <linux/gfp.h>
#include <linux/types.h>

struct goalloc_heap;
struct goalloc_stacks;

/* Bytes of the smallest stack. */
#define GOALLOC_STACK_MIN 2048

/* Fill the lowest bytes of each stack with a pattern, and look whether it is still there. */
#define GOALLOC_STACK_GUARD 1

/* Bytes of that. */
#define GOALLOC_STACK_GUARD_BYTES 128

/**
 * struct goalloc_stacks_attr - how stacks are made
 * @max: bytes of the largest stack; 0 stands for 64 MiB
 * @limit: bytes of pages that all stacks may hold at once, 0 for no limit
 * @flags: GOALLOC_STACK_* flags
 */
struct goalloc_stacks_attr {
	size_t max;
	size_t limit;
	unsigned int flags;
};

/**
 * struct goalloc_stack - a stack
 * @base: its lowest byte; NULL if there is none
 * @size: bytes
 */
struct goalloc_stack {
	void *base;
	size_t size;
};

/**
 * struct goalloc_stacks_stats - what stacks there are
 * @used_bytes: stacks in use
 * @cached_bytes: stacks in lists of CPUs
 * @pool_bytes: stacks in spans of which some are used
 * @span_bytes: all of the above
 * @mapped_bytes: those of @used_bytes that are mapped
 * @allocs: stacks ever handed out
 * @frees: stacks ever freed
 * @grown: moved to larger ones
 * @shrunk: moved to smaller ones
 * @copied_bytes: bytes copied by that
 */
struct goalloc_stacks_stats {
	u64 used_bytes;
	u64 cached_bytes;
	u64 pool_bytes;
	u64 span_bytes;
	u64 mapped_bytes;
	u64 allocs;
	u64 frees;
	u64 grown;
	u64 shrunk;
	u64 copied_bytes;
};

/**
 * typedef goalloc_stack_adjust_t - adjust pointers into a stack
 * @arg: as given to goalloc_stack_grow() or goalloc_stack_shrink()
 * @from: where the stack was; can still be read
 * @to: where it is now, its used bytes copied
 * @used: bytes used, at the end of both
 *
 * A pointer p into @from becomes p + goalloc_stack_delta(from, to). Must not fail, and
 * must not sleep if the flags of the call do not allow it.
 */
typedef void (*goalloc_stack_adjust_t)(void *arg, const struct goalloc_stack *from,
				       const struct goalloc_stack *to, size_t used);

/* What is added to a pointer into a stack that was moved. */
static inline ptrdiff_t goalloc_stack_delta(const struct goalloc_stack *from,
					    const struct goalloc_stack *to)
{
	return ((char *)to->base + to->size) - ((char *)from->base + from->size);
}

/**
 * goalloc_stacks_create - make a source of stacks
 * @name: its name; its heap is heaps/<name> in debugfs
 * @attr: how, or NULL
 *
 * Context: Process context, may sleep.
 * Return: it, or an ERR_PTR(): -ENOMEM, -EINVAL.
 */
struct goalloc_stacks *goalloc_stacks_create(const char *name,
					     const struct goalloc_stacks_attr *attr);

/**
 * goalloc_stacks_destroy - end a source of stacks
 * @stacks: it, or NULL or an ERR_PTR()
 *
 * Context: Process context, may sleep.
 * Return: 0; -EBUSY if stacks are in use, which are reported: nothing has happened then.
 */
int goalloc_stacks_destroy(struct goalloc_stacks *stacks);

/**
 * goalloc_stacks_heap - the heap that stacks are of, for goalloc_validate() and statistics
 * @stacks: the source
 *
 * Nothing else may be allocated from it.
 *
 * Context: Any.
 * Return: the heap.
 */
struct goalloc_heap *goalloc_stacks_heap(const struct goalloc_stacks *stacks);

/**
 * goalloc_stack_alloc - get a stack
 * @stacks: where from
 * @stack: what to fill in
 * @min: bytes that it has to have at least
 * @flags: GFP_KERNEL, or how else to try
 *
 * What is in it is not known.
 *
 * Context: Any that @flags allow, but an interrupt.
 * Return: 0, -ENOMEM; -EOVERFLOW if @min is more than a stack may have.
 */
int goalloc_stack_alloc(struct goalloc_stacks *stacks, struct goalloc_stack *stack, size_t min,
			gfp_t flags);

/**
 * goalloc_stack_free - give a stack back
 * @stacks: where it is from
 * @stack: the stack; one without base is ignored
 *
 * What is no stack of these, or was freed, is reported and left alone.
 *
 * Context: Any but an interrupt; may sleep if it is of 64 KiB or more.
 */
void goalloc_stack_free(struct goalloc_stacks *stacks, struct goalloc_stack *stack);

/**
 * goalloc_stack_grow - make room on a stack
 * @stacks: where it is from
 * @stack: the stack; what was at its end is at the end of the new one
 * @used: bytes used, at its end
 * @more: bytes that have to be free below them
 * @adjust: called when they have been copied, or NULL
 * @arg: what @adjust is given
 * @flags: GFP_KERNEL, or how else to try
 *
 * It is doubled until there is room. If there is, nothing happens.
 *
 * Context: Any that @flags allow, but an interrupt; nobody else uses the stack.
 * Return: 0; -ENOMEM; -EOVERFLOW if it would be larger than a stack may be; -EINVAL if
 *         it is none of these, or @used is more than it has. Nothing has happened then.
 */
int goalloc_stack_grow(struct goalloc_stacks *stacks, struct goalloc_stack *stack, size_t used,
		       size_t more, goalloc_stack_adjust_t adjust, void *arg, gfp_t flags);

/**
 * goalloc_stack_shrink - give back half of a stack of which little is used
 * @stacks: where it is from
 * @stack: the stack
 * @used: bytes used, at its end
 * @adjust: as for goalloc_stack_grow()
 * @arg: what @adjust is given
 * @flags: GFP_KERNEL, or how else to try
 *
 * That is if less than a quarter is used, and it is not the smallest.
 *
 * Context: As goalloc_stack_grow().
 * Return: 1 if it was halved, 0 if not; -ENOMEM; -EINVAL as of goalloc_stack_grow().
 */
int goalloc_stack_shrink(struct goalloc_stacks *stacks, struct goalloc_stack *stack,
			 size_t used, goalloc_stack_adjust_t adjust, void *arg, gfp_t flags);

/**
 * goalloc_stack_check - has anybody written below a stack's end?
 * @stacks: where it is from, with GOALLOC_STACK_GUARD
 * @stack: the stack
 *
 * Also looked at when it is freed, and when it grows or shrinks.
 *
 * Context: Any but an interrupt.
 * Return: 0, also without GOALLOC_STACK_GUARD; -EUCLEAN if so, which is reported.
 */
int goalloc_stack_check(struct goalloc_stacks *stacks, const struct goalloc_stack *stack);

/**
 * goalloc_stacks_drain - give stacks that nobody uses back
 * @stacks: where from
 *
 * Context: Any but an interrupt.
 * Return: bytes of stacks that were taken from lists of CPUs.
 */
u64 goalloc_stacks_drain(struct goalloc_stacks *stacks);

/**
 * goalloc_stacks_get_stats - what stacks there are
 * @stacks: the source
 * @st: what to fill in
 *
 * Context: Any but an interrupt.
 */
void goalloc_stacks_get_stats(struct goalloc_stacks *stacks, struct goalloc_stacks_stats *st);

/**
 * enum goalloc_callstack_mode - how a stack of frames gets room
 * @GOALLOC_CALLSTACK_CONTIGUOUS: it is moved to a larger stack, as in Go since 1.3
 * @GOALLOC_CALLSTACK_SEGMENTED: it goes on in another stack, and comes back when that is
 *                               not used any more, as in Go before
 */
enum goalloc_callstack_mode {
	GOALLOC_CALLSTACK_CONTIGUOUS,
	GOALLOC_CALLSTACK_SEGMENTED,
};

/**
 * struct goalloc_callstack - frames, the last on top
 * @stacks: where its stacks are from
 * @mode: enum goalloc_callstack_mode
 * @segment: bytes of a segment; the smallest size of the stack if it is contiguous
 * @stack: the stack, or the top segment
 * @used: bytes used of it
 * @depth: bytes of all frames
 * @segments: how many there are, with the top one
 * @adjust: as for goalloc_stack_grow()
 * @arg: what @adjust is given
 *
 * Its owner's.
 */
struct goalloc_callstack {
	struct goalloc_stacks *stacks;
	enum goalloc_callstack_mode mode;
	size_t segment;
	struct goalloc_stack stack;
	size_t used;
	size_t depth;
	unsigned int segments;
	goalloc_stack_adjust_t adjust;
	void *arg;
};

/**
 * goalloc_callstack_init - begin without frames
 * @cs: what to fill in
 * @stacks: where its stacks are to be from
 * @mode: how it is to grow
 * @segment: bytes of a segment, or of the stack at first
 * @adjust: called when frames were moved, or NULL; frames of segments never are
 * @arg: what @adjust is given
 * @flags: GFP_KERNEL, or how else to try
 *
 * Context: Any that @flags allow, but an interrupt.
 * Return: 0, or as goalloc_stack_alloc().
 */
int goalloc_callstack_init(struct goalloc_callstack *cs, struct goalloc_stacks *stacks,
			   enum goalloc_callstack_mode mode, size_t segment,
			   goalloc_stack_adjust_t adjust, void *arg, gfp_t flags);

/**
 * goalloc_callstack_end - give all of it back
 * @cs: it, with whatever frames are left
 *
 * Context: As goalloc_stack_free().
 */
void goalloc_callstack_end(struct goalloc_callstack *cs);

/**
 * goalloc_callstack_push - a frame
 * @cs: where
 * @bytes: its size; what it is rounded up to is a multiple of 16
 * @flags: GFP_KERNEL, or how else to try
 *
 * Frames before it may have been moved, see goalloc_callstack_init().
 *
 * Context: Any that @flags allow, but an interrupt.
 * Return: the frame, aligned to 16 bytes, or an ERR_PTR() as of goalloc_stack_grow():
 *         nothing has happened then.
 */
void *goalloc_callstack_push(struct goalloc_callstack *cs, size_t bytes, gfp_t flags);

/**
 * goalloc_callstack_pop - the last frame goes
 * @cs: where
 * @bytes: its size, as it was pushed
 *
 * A segment that is not used any more is freed at once.
 *
 * Context: As goalloc_stack_free().
 * Return: 0; -EINVAL if there are not so many bytes, which is reported.
 */
int goalloc_callstack_pop(struct goalloc_callstack *cs, size_t bytes);

#endif /* GOALLOC_STACK_PUBLIC_H */
