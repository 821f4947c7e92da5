// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks: threads push and pop frames on stacks of both kinds, hand them to each other,
 * and end them, while CPUs go away and memory is used up.
 *
 * Each frame says which it is and how large, at both of its ends, and where the one pushed
 * before is; a stack that was moved has these adjusted. Sources of stacks are made and ended
 * all the time as well: then no stack may be in use, and the ledger must add up.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/rwsem.h>
#include <linux/sizes.h>

#include <goalloc_stack.h>

#include "torture.h"

#define STACK_THREADS 3
#define STACK_SOURCES 2
#define STACK_BOXES 12

/* Frames that a thread pushes and pops before it hands the stack on. */
#define STACK_STEPS 64

#define FRAME_MAX SZ_2K

/* Nobody is to be killed for it. */
#define STACK_GFP (GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/* Now and then one of these is large enough to be mapped. */
#define DEPTH_MAX_SHIFT 23
#define DEPTH_USUAL_SHIFT 17

/**
 * struct stack_frame - what a frame begins with; its last word is @key as well
 * @up: the frame pushed before
 * @key: what is to be found here
 * @bytes: size of the frame
 * @depth: how many there are with this one
 */
struct stack_frame {
	struct stack_frame *up;
	u64 key;
	u32 bytes;
	u32 depth;
};

/**
 * struct stack_user - a stack; whoever has taken it out of its box may use it
 * @cs: the stack
 * @top: its last frame
 * @depth: frames
 * @made: whether there is one
 */
struct stack_user {
	struct goalloc_callstack cs;
	struct stack_frame *top;
	u32 depth;
	bool made;
};

/**
 * struct stack_source - a source of stacks, with users of its own
 * @stacks: the source, or NULL if there was no memory for one
 * @user: stacks
 * @box: their places; NULL while somebody works on one
 * @end: held by threads to read while they use it, to be written when it is ended
 */
struct stack_source {
	struct goalloc_stacks *stacks;
	struct stack_user user[STACK_BOXES];
	struct stack_user *box[STACK_BOXES];
	struct rw_semaphore end;
};

static struct stack_source *sources;
/* The last one makes and ends sources. */
static struct task_struct *stack_task[STACK_THREADS + 1];
static struct torture_ctx *stack_ctx[STACK_THREADS + 1];
static atomic_long_t stack_pushes, stack_pops, stack_moves, stack_failures, stack_sources_ended;

static u64 *frame_last(struct stack_frame *f)
{
	return (u64 *)((char *)f + f->bytes) - 1;
}

static u64 frame_key(const struct stack_frame *f)
{
	return (f->depth * 0x9e3779b97f4a7c15ULL) ^ f->bytes;
}

/* A stack was moved, with all its frames. */
static void stack_adjust(void *arg, const struct goalloc_stack *from,
			 const struct goalloc_stack *to, size_t used)
{
	ptrdiff_t delta = goalloc_stack_delta(from, to);
	struct stack_user *u = arg;
	struct stack_frame **link;

	for (link = &u->top; *link; link = &(*link)->up)
		*link = (void *)*link + delta;
	atomic_long_inc(&stack_moves);
}

static bool frame_is_good(const struct stack_user *u, struct stack_frame *f)
{
	if (f->depth == u->depth && f->key == frame_key(f) && f->bytes <= FRAME_MAX &&
	    *frame_last(f) == f->key)
		return true;
	torture_fail("a frame of a stack was overwritten", f, f->depth, u->depth);
	return false;
}

static bool stack_push(struct torture_ctx *ctx, struct stack_user *u)
{
	size_t bytes = sizeof(*u->top) + 8 + torture_below(ctx, FRAME_MAX - 63);
	gfp_t gfp = torture_below(ctx, 4) ? STACK_GFP : GFP_NOWAIT | __GFP_NOWARN;
	struct stack_frame *f;

	bytes = ALIGN(bytes, 8);
	f = goalloc_callstack_push(&u->cs, bytes, gfp);
	if (IS_ERR(f)) {
		if (PTR_ERR(f) != -ENOMEM && PTR_ERR(f) != -EOVERFLOW)
			torture_fail("a frame was not pushed", u->top, -PTR_ERR(f), bytes);
		atomic_long_inc(&stack_failures);
		return false;
	}
	f->up = u->top;
	f->bytes = bytes;
	f->depth = ++u->depth;
	f->key = frame_key(f);
	*frame_last(f) = f->key;
	u->top = f;
	atomic_long_inc(&stack_pushes);
	return true;
}

static void stack_pop(struct stack_user *u)
{
	struct stack_frame *f = u->top;
	size_t bytes = f->bytes;

	if (!frame_is_good(u, f))
		return;
	u->top = f->up;
	u->depth--;
	if (goalloc_callstack_pop(&u->cs, bytes))
		torture_fail("a frame was not popped", f, bytes, u->depth);
	atomic_long_inc(&stack_pops);
}

static void stack_begin(struct torture_ctx *ctx, struct goalloc_stacks *stacks,
			struct stack_user *u)
{
	enum goalloc_callstack_mode mode = torture_below(ctx, 3) ?
		GOALLOC_CALLSTACK_CONTIGUOUS : GOALLOC_CALLSTACK_SEGMENTED;

	u->top = NULL;
	u->depth = 0;
	u->made = !goalloc_callstack_init(&u->cs, stacks, mode, SZ_2K << torture_below(ctx, 5),
					  stack_adjust, u, STACK_GFP);
}

/* Frames as they come off are good; what is left may be given back as it is. */
static void stack_end(struct torture_ctx *ctx, struct stack_user *u)
{
	u32 keep = torture_random(ctx) & 1 ? 0 : u->depth / 2;

	while (u->depth > keep && frame_is_good(u, u->top))
		stack_pop(u);
	goalloc_callstack_end(&u->cs);
	u->made = false;
}

/* Go down to some depth, and up again; now and then to where much has to be moved. */
static void stack_use(struct torture_ctx *ctx, struct stack_user *u)
{
	unsigned int shift = torture_below(ctx, 200) ? DEPTH_USUAL_SHIFT : DEPTH_MAX_SHIFT;
	size_t depth = 1UL << torture_below(ctx, shift + 1);
	unsigned int i;

	while (u->cs.depth < depth && !READ_ONCE(torture_stop) && stack_push(ctx, u))
		;
	for (i = 0; u->depth && i < STACK_STEPS; i++)
		if (torture_below(ctx, 3))
			stack_pop(u);
		else
			stack_push(ctx, u);
}

static void stack_step(struct torture_ctx *ctx, struct stack_source *s)
{
	struct stack_user **box = &s->box[torture_below(ctx, STACK_BOXES)];
	struct stack_user *u = xchg(box, NULL);

	if (!u)
		return;
	if (!u->made)
		stack_begin(ctx, s->stacks, u);
	if (u->made)
		stack_use(ctx, u);
	if (u->made && torture_below(ctx, 4) == 0)
		stack_end(ctx, u);
	xchg(box, u);
	if (torture_below(ctx, 500) == 0)
		goalloc_stacks_drain(s->stacks);
}

static int stack_thread(void *arg)
{
	struct torture_ctx *ctx = arg;

	while (!kthread_should_stop()) {
		struct stack_source *s = &sources[torture_below(ctx, STACK_SOURCES)];

		if (down_read_trylock(&s->end)) {
			if (s->stacks)
				stack_step(ctx, s);
			up_read(&s->end);
			cond_resched();
		} else {
			usleep_range(500, 2000);
		}
	}
	return 0;
}

/* Nobody uses it: all must have come back. */
static void source_verify(struct stack_source *s)
{
	struct goalloc_heap *heap = goalloc_stacks_heap(s->stacks);
	struct goalloc_stacks_stats ss;
	struct goalloc_stats st;
	u64 sum = ledger_read(heap, &st);

	goalloc_stacks_get_stats(s->stacks, &ss);
	if (ss.used_bytes || ss.mapped_bytes || ss.allocs != ss.frees)
		torture_fail("stacks are in use that were all freed", heap, ss.used_bytes,
			     ss.allocs - ss.frees);
	if (sum != st.sys_bytes)
		torture_fail("the ledger of a source of stacks does not add up", heap, sum,
			     st.sys_bytes);
	if (goalloc_validate(heap) < 0)
		torture_fail("the heap of a source of stacks is not as it must be", heap, 0, 0);
}

static void source_make(struct torture_ctx *ctx, struct stack_source *s)
{
	const struct goalloc_stacks_attr attr = {
		.max = SZ_1M << torture_below(ctx, 4),
		.limit = torture_below(ctx, 3) ? 0 : SZ_2M,
		.flags = torture_below(ctx, 2) ? GOALLOC_STACK_GUARD : 0,
	};

	s->stacks = goalloc_stacks_create("stacks", &attr);
	if (IS_ERR(s->stacks))
		s->stacks = NULL;
}

static void source_end(struct torture_ctx *ctx, struct stack_source *s)
{
	int i;

	if (!s->stacks)
		return;
	for (i = 0; i < STACK_BOXES; i++)
		if (s->user[i].made)
			stack_end(ctx, &s->user[i]);
	source_verify(s);
	if (goalloc_stacks_destroy(s->stacks))
		torture_fail("a source of stacks could not be ended", s, 0, 0);
	s->stacks = NULL;
	atomic_long_inc(&stack_sources_ended);
}

static int source_thread(void *arg)
{
	struct torture_ctx *ctx = arg;

	while (!kthread_should_stop()) {
		struct stack_source *s = &sources[torture_below(ctx, STACK_SOURCES)];

		down_write(&s->end);
		source_end(ctx, s);
		source_make(ctx, s);
		up_write(&s->end);
		msleep(100 + torture_below(ctx, 1000));
	}
	return 0;
}

/**
 * stacks_start - begin to use stacks
 *
 * Return: 0 or an error.
 */
int stacks_start(void)
{
	unsigned int i, j;

	sources = torture_mem(STACK_SOURCES * sizeof(*sources));
	if (!sources)
		return -ENOMEM;
	for (i = 0; i < STACK_SOURCES; i++) {
		init_rwsem(&sources[i].end);
		for (j = 0; j < STACK_BOXES; j++)
			sources[i].box[j] = &sources[i].user[j];
	}
	for (i = 0; i <= STACK_THREADS; i++) {
		struct torture_ctx *ctx = torture_ctx_create(LEVEL_TASK, 0, 0);
		struct task_struct *task;

		if (!ctx)
			return -ENOMEM;
		task = kthread_run(i < STACK_THREADS ? stack_thread : source_thread, ctx,
				   "torture_stack/%u", i);
		if (IS_ERR(task))
			return PTR_ERR(task);
		stack_ctx[i] = ctx;
		stack_task[i] = task;
	}
	return 0;
}

/**
 * stacks_stop - end all stacks, and say what was done
 *
 * Return: how many frames were pushed and popped.
 */
unsigned long stacks_stop(void)
{
	struct torture_ctx *ctx = stack_ctx[STACK_THREADS];
	unsigned long done;
	unsigned int i;

	for (i = 0; i <= STACK_THREADS; i++)
		if (stack_task[i])
			kthread_stop(stack_task[i]);
	if (!sources)
		return 0;
	for (i = 0; ctx && i < STACK_SOURCES; i++)
		source_end(ctx, &sources[i]);
	done = atomic_long_read(&stack_pushes) + atomic_long_read(&stack_pops);
	pr_info("goalloc_torture: stacks: %ld frames pushed, %ld popped, %ld stacks moved, %ld failures, %ld sources ended\n",
		atomic_long_read(&stack_pushes), atomic_long_read(&stack_pops),
		atomic_long_read(&stack_moves), atomic_long_read(&stack_failures),
		atomic_long_read(&stack_sources_ended));
	if (!done || !atomic_long_read(&stack_moves) || !atomic_long_read(&stack_sources_ended))
		torture_fail("stacks were not used", NULL, done, 0);
	return done;
}
