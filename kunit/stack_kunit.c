// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stacks: of every size, moved to larger and smaller ones, used wrongly, and by all CPUs
 * at once.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <goalloc.h>
#include <goalloc_gc.h>
#include <goalloc_stack.h>

#include "compat.h"
#include "crew.h"
#include "fault.h"
#include "listen.h"
#include "stack.h"

#define SCALE (IS_ENABLED(CONFIG_KASAN) || IS_ENABLED(CONFIG_KCSAN) ? 10 : 1)

static struct goalloc_stacks *stacks_make(struct kunit *test,
					  const struct goalloc_stacks_attr *attr)
{
	struct goalloc_stacks *stacks = goalloc_stacks_create("stacks", attr);

	KUNIT_ASSERT_FALSE(test, IS_ERR(stacks));
	test->priv = stacks;
	return stacks;
}

static int stack_init(struct kunit *test)
{
	test->priv = NULL;
	return 0;
}

/* Everything was freed; what the heap says is right. */
static void stack_exit(struct kunit *test)
{
	struct goalloc_stacks *stacks = test->priv;

	listen_stop();
	if (!stacks)
		return;
	KUNIT_EXPECT_EQ(test, 0, goalloc_validate(goalloc_stacks_heap(stacks)));
	KUNIT_EXPECT_EQ(test, 0, goalloc_stacks_destroy(stacks));
}

/* Of each size there is what was asked for, to the last byte, and nobody else's. */
static void stack_sizes(struct kunit *test)
{
	struct goalloc_stacks *stacks = stacks_make(test, NULL);
	struct goalloc_stack (*stack)[16] = kunit_kcalloc(test, 32, sizeof(**stack), GFP_KERNEL);
	struct goalloc_stacks_stats st;
	unsigned int i, j;
	u64 bytes = 0;

	KUNIT_ASSERT_NOT_NULL(test, stack);
	for (j = 0; j < 2; j++)
		for (i = 0; i < 16; i++) {
			size_t min = (1UL << i) * 256 + j;

			KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack[j][i], min,
								     GFP_KERNEL));
			KUNIT_EXPECT_EQ(test, stack[j][i].size,
					max_t(size_t, 2048, roundup_pow_of_two(min)));
			KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)stack[j][i].base,
							   min_t(size_t, stack[j][i].size,
								 PAGE_SIZE)));
			memset(stack[j][i].base, 16 * j + i, stack[j][i].size);
			bytes += stack[j][i].size;
		}
	goalloc_stacks_get_stats(stacks, &st);
	KUNIT_EXPECT_EQ(test, bytes, st.used_bytes);
	KUNIT_EXPECT_EQ(test, 32, st.allocs);
	KUNIT_EXPECT_EQ(test, st.span_bytes, st.used_bytes + st.cached_bytes + st.pool_bytes);
	for (j = 0; j < 2; j++)
		for (i = 0; i < 16; i++) {
			KUNIT_EXPECT_NULL(test, memchr_inv(stack[j][i].base, 16 * j + i,
							   stack[j][i].size));
			goalloc_stack_free(stacks, &stack[j][i]);
			KUNIT_EXPECT_NULL(test, stack[j][i].base);
			/* There is none any more. */
			goalloc_stack_free(stacks, &stack[j][i]);
		}
	goalloc_stacks_get_stats(stacks, &st);
	KUNIT_EXPECT_EQ(test, 0, st.used_bytes);
	KUNIT_EXPECT_EQ(test, 32, st.frees);
	KUNIT_EXPECT_NE(test, 0, st.cached_bytes);
	KUNIT_EXPECT_EQ(test, st.cached_bytes, goalloc_stacks_drain(stacks));
	goalloc_stacks_get_stats(stacks, &st);
	KUNIT_EXPECT_EQ(test, 0, st.span_bytes);
}

/* A CPU keeps less than 32 KiB of an order, fetches 16 KiB, and brings them back. */
static void stack_caches(struct kunit *test)
{
	struct goalloc_stacks *stacks = stacks_make(test, NULL);
	struct goalloc_stacks_stats st;
	struct goalloc_stack *stack = kunit_kcalloc(test, 64, sizeof(*stack), GFP_KERNEL);
	unsigned int order, i;

	KUNIT_ASSERT_NOT_NULL(test, stack);
	/* One CPU's list: another's would have its own. */
	migrate_disable();
	for (order = 0; order < STACK_ORDERS; order++) {
		size_t size = stack_order_bytes(order);
		struct stack_cpu *cpu = raw_cpu_ptr(stacks->cpus);

		KUNIT_EXPECT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack[0], size, GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, SZ_16K / size - 1, cpu->nr[order]);
		for (i = 1; i < 64; i++)
			KUNIT_EXPECT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack[i], size,
								     GFP_KERNEL));
		goalloc_stacks_get_stats(stacks, &st);
		KUNIT_EXPECT_EQ(test, 64 * size, st.used_bytes);
		KUNIT_EXPECT_EQ(test, DIV_ROUND_UP(64 * size, SZ_32K) * SZ_32K, st.span_bytes);
		for (i = 0; i < 64; i++) {
			goalloc_stack_free(stacks, &stack[i]);
			KUNIT_EXPECT_LT(test, cpu->nr[order] * size, SZ_32K);
		}
		/* The last freed is the next. */
		KUNIT_EXPECT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack[0], size, GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack[1], size, GFP_KERNEL));
		stack[2] = stack[0];
		goalloc_stack_free(stacks, &stack[0]);
		KUNIT_EXPECT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack[0], size, GFP_KERNEL));
		KUNIT_EXPECT_PTR_EQ(test, stack[2].base, stack[0].base);
		goalloc_stack_free(stacks, &stack[0]);
		goalloc_stack_free(stacks, &stack[1]);
		goalloc_stacks_drain(stacks);
		goalloc_stacks_get_stats(stacks, &st);
		KUNIT_EXPECT_EQ(test, 0, st.span_bytes);
	}
	migrate_enable();
}

/* As all other caches: emptied when somebody asks for it, or a CPU goes. */
static void stack_drained(struct kunit *test)
{
	struct goalloc_stacks *stacks = stacks_make(test, NULL);
	struct goalloc_heap *heap = goalloc_stacks_heap(stacks);
	struct goalloc_stacks_stats st;
	struct goalloc_stack stack;
	unsigned int cpu;
	u64 before;

	migrate_disable();
	cpu = raw_smp_processor_id();
	KUNIT_EXPECT_FALSE(test, stack_cpu_used(heap, cpu));
	before = stack_cpu_activity(heap, cpu);
	KUNIT_EXPECT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack, 2048, GFP_KERNEL));
	goalloc_stack_free(stacks, &stack);
	KUNIT_EXPECT_TRUE(test, stack_cpu_used(heap, cpu));
	KUNIT_EXPECT_EQ(test, before + 2, stack_cpu_activity(heap, cpu));
	migrate_enable();
	KUNIT_EXPECT_GE(test, goalloc_flush(heap), SZ_16K);
	goalloc_stacks_get_stats(stacks, &st);
	KUNIT_EXPECT_EQ(test, 0, st.span_bytes);
	/* Of heaps without stacks there is nothing to say. */
	KUNIT_EXPECT_FALSE(test, stack_cpu_used(goalloc_default, cpu));
	KUNIT_EXPECT_EQ(test, 0, stack_drain_cpu(goalloc_default, cpu));
	KUNIT_EXPECT_EQ(test, 0, stack_cpu_activity(goalloc_default, cpu));
}

/* A frame of something that recurses: each leads to the one before. */
struct frame {
	struct frame *up;
	u64 depth;
	u64 pad[14];
};

/**
 * struct recursion - a stack with frames
 * @stacks: where it is from
 * @stack: the stack
 * @top: the innermost frame
 * @used: bytes used
 * @moved: how often it was moved
 */
struct recursion {
	struct goalloc_stacks *stacks;
	struct goalloc_stack stack;
	struct frame *top;
	size_t used;
	unsigned int moved;
};

static void recursion_adjust(void *arg, const struct goalloc_stack *from,
			     const struct goalloc_stack *to, size_t used)
{
	struct recursion *r = arg;
	ptrdiff_t delta = goalloc_stack_delta(from, to);
	struct frame *frame;

	if (!r->top)
		return;
	r->top = (void *)r->top + delta;
	for (frame = r->top; frame->up; frame = frame->up)
		frame->up = (void *)frame->up + delta;
	r->moved++;
}

static int recursion_call(struct recursion *r)
{
	struct frame *frame;
	int err = goalloc_stack_grow(r->stacks, &r->stack, r->used, sizeof(*frame),
				     recursion_adjust, r, GFP_KERNEL);

	if (err)
		return err;
	r->used += sizeof(*frame);
	frame = r->stack.base + r->stack.size - r->used;
	frame->up = r->top;
	frame->depth = r->top ? r->top->depth + 1 : 1;
	r->top = frame;
	return 0;
}

static int recursion_return(struct recursion *r)
{
	r->top = r->top->up;
	r->used -= sizeof(struct frame);
	return goalloc_stack_shrink(r->stacks, &r->stack, r->used, recursion_adjust, r,
				    GFP_KERNEL);
}

static bool recursion_sound(const struct recursion *r)
{
	u64 depth = r->used / sizeof(struct frame);
	const struct frame *frame;

	for (frame = r->top; frame; frame = frame->up)
		if (frame->depth != depth--)
			return false;
	return !depth;
}

/* From 2 KiB to the most there may be, and back; every frame is where it should be. */
static void stack_deep(struct kunit *test)
{
	const struct goalloc_stacks_attr attr = { .max = SZ_64M / SCALE / SCALE > SZ_1M ?
						  SZ_64M : SZ_1M };
	struct recursion r = { .stacks = stacks_make(test, &attr) };
	struct goalloc_stacks_stats st;
	u64 depth = 0;
	int err;

	KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(r.stacks, &r.stack, 1, GFP_KERNEL));
	while (!(err = recursion_call(&r)))
		depth++;
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, err);
	KUNIT_EXPECT_EQ(test, attr.max, r.stack.size);
	KUNIT_EXPECT_EQ(test, attr.max / sizeof(struct frame), depth);
	KUNIT_EXPECT_TRUE(test, recursion_sound(&r));
	KUNIT_EXPECT_EQ(test, ilog2(attr.max / 2048), r.moved);
	while (depth > 10 && recursion_return(&r) >= 0)
		depth--;
	KUNIT_EXPECT_EQ(test, 10, depth);
	KUNIT_EXPECT_TRUE(test, recursion_sound(&r));
	KUNIT_EXPECT_EQ(test, SZ_4K, r.stack.size);
	goalloc_stacks_get_stats(r.stacks, &st);
	KUNIT_EXPECT_EQ(test, ilog2(attr.max / 2048), st.grown);
	KUNIT_EXPECT_EQ(test, ilog2(attr.max / 4096), st.shrunk);
	/* Each byte is copied about once on the way there, and half of a quarter back. */
	KUNIT_EXPECT_LT(test, st.copied_bytes, 3 * attr.max / 2);
	goalloc_stack_free(r.stacks, &r.stack);
}

/* No memory: nothing has happened. */
static void stack_no_memory(struct kunit *test)
{
	const struct goalloc_stacks_attr attr = { .limit = SZ_256K };
	struct recursion r = { .stacks = stacks_make(test, &attr) };
	struct goalloc_stack stack;
	int err;

	KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(r.stacks, &r.stack, 1, GFP_KERNEL));
	while (!(err = recursion_call(&r)))
		;
	KUNIT_EXPECT_EQ(test, -ENOMEM, err);
	KUNIT_EXPECT_EQ(test, r.stack.size, r.used);
	KUNIT_EXPECT_TRUE(test, recursion_sound(&r));
	KUNIT_EXPECT_EQ(test, -ENOMEM, goalloc_stack_alloc(r.stacks, &stack, SZ_512K,
							   GFP_KERNEL | __GFP_NOWARN));
	KUNIT_EXPECT_NULL(test, stack.base);
	while (r.used)
		KUNIT_ASSERT_GE(test, recursion_return(&r), 0);
	KUNIT_EXPECT_EQ(test, GOALLOC_STACK_MIN, r.stack.size);
	goalloc_stack_free(r.stacks, &r.stack);
}

/* What is no stack, or too much: told, and nothing happens. */
static void stack_misuse(struct kunit *test)
{
	struct goalloc_stacks *stacks = stacks_make(test, NULL);
	struct goalloc_stack stack, large, again, wrong;
	struct goalloc_stacks_stats st;
	static char foreign[64];

	KUNIT_EXPECT_EQ(test, -EOVERFLOW, goalloc_stack_alloc(stacks, &stack, SZ_64M + 1,
							      GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, goalloc_stack_alloc(stacks, &stack, SIZE_MAX,
							      GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack, 4096, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(stacks, &large, SZ_64K, GFP_KERNEL));
	listen_start(test);
	wrong = (struct goalloc_stack){ .base = foreign, .size = 2048 };
	goalloc_stack_free(stacks, &wrong);
	KUNIT_EXPECT_EQ(test, 1, listen_count("it is no stack of these"));
	wrong = (struct goalloc_stack){ .base = stack.base + 16, .size = 4096 };
	goalloc_stack_free(stacks, &wrong);
	wrong = (struct goalloc_stack){ .base = stack.base, .size = 2048 };
	goalloc_stack_free(stacks, &wrong);
	wrong = (struct goalloc_stack){ .base = large.base, .size = SZ_128K };
	goalloc_stack_free(stacks, &wrong);
	KUNIT_EXPECT_EQ(test, 3, listen_count("no stack of that size begins there"));
	again = stack;
	goalloc_stack_free(stacks, &again);
	again = stack;
	goalloc_stack_free(stacks, &again);
	KUNIT_EXPECT_EQ(test, 1, listen_count("it was freed already"));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_stack_grow(stacks, &stack, 0, 9999, NULL, NULL,
							  GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_stack_shrink(stacks, &stack, 0, NULL, NULL,
							    GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_stack_grow(stacks, &large, SZ_64K + 1, 1, NULL,
							  NULL, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_stack_shrink(stacks, &large, SZ_64K + 1, NULL,
							    NULL, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 2, listen_count("more is used than it has"));
	KUNIT_EXPECT_EQ(test, -EOVERFLOW, goalloc_stack_grow(stacks, &large, 16, SIZE_MAX, NULL,
							     NULL, GFP_KERNEL));
	/* More than half is used: it stays. */
	KUNIT_EXPECT_EQ(test, 0, goalloc_stack_shrink(stacks, &large, SZ_64K, NULL, NULL,
						      GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, -EBUSY, goalloc_stacks_destroy(stacks));
	KUNIT_EXPECT_EQ(test, 1, listen_count("stacks are in use"));
	goalloc_stacks_get_stats(stacks, &st);
	KUNIT_EXPECT_EQ(test, SZ_64K, st.used_bytes);
	goalloc_stack_free(stacks, &large);
}

/* Who writes below the end is told of, when he asks and when it is freed. */
static void stack_guard(struct kunit *test)
{
	const struct goalloc_stacks_attr attr = { .flags = GOALLOC_STACK_GUARD };
	struct goalloc_stacks *stacks = stacks_make(test, &attr);
	struct goalloc_stack stack;

	listen_start(test);
	KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(stacks, &stack, 2048, GFP_KERNEL));
	memset(stack.base + GOALLOC_STACK_GUARD_BYTES, 0, 2048 - GOALLOC_STACK_GUARD_BYTES);
	KUNIT_EXPECT_EQ(test, 0, goalloc_stack_check(stacks, &stack));
	/* The guard is no room. */
	KUNIT_EXPECT_EQ(test, 0, goalloc_stack_grow(stacks, &stack, 2048 -
						    GOALLOC_STACK_GUARD_BYTES, 1, NULL, NULL,
						    GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, 4096, stack.size);
	((char *)stack.base)[GOALLOC_STACK_GUARD_BYTES - 1] = 0;
	KUNIT_EXPECT_EQ(test, -EUCLEAN, goalloc_stack_check(stacks, &stack));
	KUNIT_EXPECT_EQ(test, 0, goalloc_stack_check(stacks, &stack));
	((char *)stack.base)[0] = 0;
	goalloc_stack_free(stacks, &stack);
	KUNIT_EXPECT_EQ(test, 2, listen_count("its lowest bytes were overwritten"));
}

/* Frames of random sizes, pushed and popped, in both modes: none changes. */
static void callstack_frames(struct kunit *test, enum goalloc_callstack_mode mode,
			     unsigned int flags)
{
	const struct goalloc_stacks_attr attr = { .flags = flags };
	struct goalloc_stacks *stacks = stacks_make(test, &attr);
	u16 *size = kunit_kcalloc(test, 4000, sizeof(*size), GFP_KERNEL);
	struct goalloc_callstack cs;
	struct rnd_state rnd;
	unsigned int n = 0, i, wrong = 0, most = 0;

	KUNIT_ASSERT_NOT_NULL(test, size);
	prandom_seed_state(&rnd, 7);
	KUNIT_ASSERT_EQ(test, 0, goalloc_callstack_init(&cs, stacks, mode, 2048, NULL, NULL,
							GFP_KERNEL));
	for (i = 0; i < 40000 / SCALE; i++) {
		/* Up, and then down. */
		bool push = prandom_u32_state(&rnd) % 100 < (i / 8000 % 2 ? 40 : 60);
		u8 *frame;

		if (push && n < 4000) {
			size[n] = prandom_u32_state(&rnd) % (i % 100 ? 200 : 5000) + 1;
			frame = goalloc_callstack_push(&cs, size[n], GFP_KERNEL);
			KUNIT_ASSERT_FALSE(test, IS_ERR(frame));
			wrong += !IS_ALIGNED((unsigned long)frame, 16);
			memset(frame, n, size[n]);
			n++;
		} else if (n) {
			n--;
			frame = cs.stack.base + cs.stack.size - cs.used;
			wrong += !!memchr_inv(frame, n, size[n]);
			wrong += !!goalloc_callstack_pop(&cs, size[n]);
		}
		most = max(most, cs.segments);
	}
	KUNIT_EXPECT_EQ(test, 0, wrong);
	KUNIT_EXPECT_EQ(test, mode == GOALLOC_CALLSTACK_SEGMENTED, most > 1);
	goalloc_callstack_end(&cs);
}

static void callstack_contiguous(struct kunit *test)
{
	callstack_frames(test, GOALLOC_CALLSTACK_CONTIGUOUS, 0);
}

static void callstack_segmented(struct kunit *test)
{
	callstack_frames(test, GOALLOC_CALLSTACK_SEGMENTED, 0);
}

static void callstack_guarded(struct kunit *test)
{
	callstack_frames(test, GOALLOC_CALLSTACK_SEGMENTED, GOALLOC_STACK_GUARD);
}

/* A stack that had to be mapped becomes small again, frame by frame. */
static void callstack_shrinks(struct kunit *test)
{
	struct goalloc_stacks *stacks = stacks_make(test, NULL);
	struct goalloc_callstack cs;
	unsigned int n;

	KUNIT_ASSERT_EQ(test, 0, goalloc_callstack_init(&cs, stacks,
							GOALLOC_CALLSTACK_CONTIGUOUS, 2048,
							NULL, NULL, GFP_KERNEL));
	for (n = 0; cs.depth < SZ_8M; n++)
		KUNIT_ASSERT_FALSE(test, IS_ERR(goalloc_callstack_push(&cs, SZ_32K,
								       GFP_KERNEL)));
	KUNIT_EXPECT_EQ(test, SZ_8M, cs.stack.size);
	while (n--)
		KUNIT_EXPECT_EQ(test, 0, goalloc_callstack_pop(&cs, SZ_32K));
	KUNIT_EXPECT_LE(test, cs.stack.size, SZ_64K);
	goalloc_callstack_end(&cs);
}

/* A loop that calls across the end: one move, or a segment for every call. */
static void callstack_hot_split(struct kunit *test)
{
	struct goalloc_stacks *stacks = stacks_make(test, NULL);
	struct goalloc_stacks_stats before, st;
	struct goalloc_callstack cs;
	unsigned int mode, i;

	for (mode = 0; mode < 2; mode++) {
		KUNIT_ASSERT_EQ(test, 0, goalloc_callstack_init(&cs, stacks, mode, 2048, NULL,
								NULL, GFP_KERNEL));
		KUNIT_EXPECT_FALSE(test, IS_ERR(goalloc_callstack_push(&cs, 2000, GFP_KERNEL)));
		goalloc_stacks_get_stats(stacks, &before);
		for (i = 0; i < 100; i++) {
			KUNIT_EXPECT_FALSE(test, IS_ERR(goalloc_callstack_push(&cs, 64,
									       GFP_KERNEL)));
			KUNIT_EXPECT_EQ(test, 0, goalloc_callstack_pop(&cs, 64));
		}
		goalloc_stacks_get_stats(stacks, &st);
		KUNIT_EXPECT_EQ(test, mode ? 100 : 1, st.allocs - before.allocs);
		KUNIT_EXPECT_EQ(test, mode ? 0 : 1, st.grown - before.grown);
		goalloc_callstack_end(&cs);
	}
}

static void callstack_misuse(struct kunit *test)
{
	const struct goalloc_stacks_attr attr = { .max = SZ_64K };
	struct goalloc_stacks *stacks = stacks_make(test, &attr);
	struct goalloc_callstack cs;
	unsigned int mode, n;
	void *frame;

	listen_start(test);
	for (mode = 0; mode < 2; mode++) {
		KUNIT_ASSERT_EQ(test, 0, goalloc_callstack_init(&cs, stacks, mode, 2048, NULL,
								NULL, GFP_KERNEL));
		KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_callstack_pop(&cs, 1));
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EOVERFLOW),
				    goalloc_callstack_push(&cs, SIZE_MAX, GFP_KERNEL));
		for (n = 0; !IS_ERR(frame = goalloc_callstack_push(&cs, 1000, GFP_KERNEL)); n++)
			;
		KUNIT_EXPECT_PTR_EQ(test, ERR_PTR(-EOVERFLOW), frame);
		KUNIT_EXPECT_EQ(test, SZ_64K / 1008, n);
		KUNIT_EXPECT_EQ(test, n * 1008, cs.depth);
		KUNIT_EXPECT_EQ(test, -EINVAL, goalloc_callstack_pop(&cs, cs.depth + 1));
		while (n--)
			KUNIT_EXPECT_EQ(test, 0, goalloc_callstack_pop(&cs, 1000));
		KUNIT_EXPECT_EQ(test, 0, cs.depth);
		goalloc_callstack_end(&cs);
	}
	/* Once for each place that it was called from. */
	KUNIT_EXPECT_EQ(test, 2, listen_count("no frame of that size is on top"));
}

struct knot {
	struct knot *next;
};

static GOALLOC_TYPE(knot_type, struct knot, next);

/* Frames of two words, the second of which is a pointer. */
static void gc_stack_scan(void *arg, struct goalloc_visitor *visitor)
{
	static const unsigned long map = 2;
	struct goalloc_callstack *cs = arg;
	void *at = cs->stack.base + cs->stack.size - cs->used;

	for (; at < cs->stack.base + cs->stack.size; at += 16)
		goalloc_visit_words(visitor, at, 2, &map);
}

/* What a stack leads to lives, wherever it is moved; what it does not any more goes. */
static void gc_stack(struct kunit *test)
{
	const struct goalloc_gc_attr attr = { .percent = GOALLOC_GC_OFF };
	struct goalloc_stacks *stacks = stacks_make(test, NULL);
	struct goalloc_gc *gc = goalloc_gc_create("knots", &attr);
	struct goalloc_gc_stats st;
	struct goalloc_callstack cs;
	struct goalloc_mutator m;
	struct goalloc_scan scan;
	unsigned int i;

	KUNIT_ASSERT_FALSE(test, IS_ERR(gc));
	KUNIT_ASSERT_EQ(test, 0, goalloc_callstack_init(&cs, stacks,
							GOALLOC_CALLSTACK_CONTIGUOUS, 2048,
							NULL, NULL, GFP_KERNEL));
	goalloc_scan_add(gc, &scan, gc_stack_scan, &cs);
	KUNIT_EXPECT_EQ(test, -EBUSY, goalloc_gc_destroy(gc));
	goalloc_enter(gc, &m);
	for (i = 0; i < 1000; i++) {
		void **frame = goalloc_callstack_push(&cs, 16, GFP_KERNEL);
		struct knot *knot = goalloc_new(&m, &knot_type, GFP_KERNEL);

		/* No pointer, and none that leads into the heap. */
		frame[0] = (void *)0xdead0000UL;
		frame[1] = knot;
		goalloc_store(&m, &knot->next, goalloc_new(&m, &knot_type, GFP_KERNEL));
	}
	goalloc_exit(&m);
	goalloc_gc(gc);
	goalloc_gc_get_stats(gc, &st);
	KUNIT_EXPECT_EQ(test, 2000, st.live_objects);
	KUNIT_EXPECT_EQ(test, 0, st.bad_pointers);
	KUNIT_EXPECT_EQ(test, SZ_16K, cs.stack.size);
	goalloc_enter(gc, &m);
	for (i = 0; i < 990; i++)
		goalloc_callstack_pop(&cs, 16);
	goalloc_exit(&m);
	goalloc_gc(gc);
	goalloc_gc_get_stats(gc, &st);
	KUNIT_EXPECT_EQ(test, 20, st.live_objects);
	goalloc_scan_remove(gc, &scan);
	goalloc_gc(gc);
	goalloc_gc_get_stats(gc, &st);
	KUNIT_EXPECT_EQ(test, 0, st.live_objects);
	goalloc_callstack_end(&cs);
	KUNIT_EXPECT_EQ(test, 0, goalloc_gc_destroy(gc));
}

#ifdef CONFIG_FAULT_INJECTION

/* Whatever fails, from the first page on, nothing has happened then. */
static void stack_faults(struct kunit *test)
{
	unsigned int nth, failed = 0, injected = 0, err;

	/*
	 * A large stack can be mapped instead, and what fails may be the refill of a spare
	 * part: how many failures are seen in a round of 12 varies.
	 */
	for (nth = 0; nth < 12 || (failed < 3 && nth < 48); nth++) {
		struct fault_attr armed = FAULT_ATTR_INITIALIZER, off = FAULT_ATTR_INITIALIZER;
		struct recursion r = { .stacks = stacks_make(test, NULL) };

		KUNIT_ASSERT_EQ(test, 0, goalloc_stack_alloc(r.stacks, &r.stack, 1, GFP_KERNEL));
		armed.probability = 100;
		armed.verbose = 0;
		atomic_set(&armed.times, 1);
		armed.interval = nth % 12 + 1;
		fault_attr_goalloc = armed;
		while (r.used < SZ_256K) {
			size_t used = r.used;

			err = recursion_call(&r);
			if (!err)
				continue;
			failed++;
			KUNIT_EXPECT_EQ(test, -ENOMEM, (int)err);
			KUNIT_EXPECT_EQ(test, used, r.used);
			KUNIT_EXPECT_TRUE(test, recursion_sound(&r));
		}
		injected += !atomic_read(&fault_attr_goalloc.times);
		fault_attr_goalloc = off;
		KUNIT_EXPECT_TRUE(test, recursion_sound(&r));
		goalloc_stack_free(r.stacks, &r.stack);
		KUNIT_EXPECT_EQ(test, 0, goalloc_validate(goalloc_stacks_heap(r.stacks)));
		KUNIT_EXPECT_EQ(test, 0, goalloc_stacks_destroy(r.stacks));
		test->priv = NULL;
	}
	KUNIT_EXPECT_GE(test, injected, 8);
	KUNIT_EXPECT_GE(test, failed, 3);
}

#else

static void stack_faults(struct kunit *test)
{
	kunit_skip(test, "the kernel has no fault injection");
}

#endif

#define STORM_STACKS 40
#define STORM_ROUNDS (20000 / SCALE)

struct storm {
	struct goalloc_stacks *stacks;
	struct goalloc_stack shared[STORM_STACKS];
	spinlock_t lock; /* @shared */
	atomic_t wrong;
};

/* Each stack has its address in its first and last word while it is somebody's. */
static bool storm_mark(struct goalloc_stack *stack, bool check)
{
	u64 *first = stack->base, *last = stack->base + stack->size - sizeof(u64);
	u64 mark = (unsigned long)stack->base ^ stack->size;
	bool good = !check || (*first == mark && *last == mark);

	*first = check ? 0 : mark;
	*last = check ? 0 : mark;
	return good;
}

static void storm_member(void *arg, unsigned int member)
{
	struct storm *s = arg;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, member + 1);
	for (i = 0; i < STORM_ROUNDS; i++) {
		u32 n = prandom_u32_state(&rnd);
		struct goalloc_stack mine = {}, *at = &s->shared[n % STORM_STACKS];
		size_t size = GOALLOC_STACK_MIN << (n >> 16) % 6;

		if (!goalloc_stack_alloc(s->stacks, &mine, size, GFP_KERNEL))
			storm_mark(&mine, false);
		/* What another has allocated is freed here. */
		spin_lock(&s->lock);
		swap(mine, *at);
		spin_unlock(&s->lock);
		if (!mine.base)
			continue;
		if (!storm_mark(&mine, true))
			atomic_inc(&s->wrong);
		goalloc_stack_free(s->stacks, &mine);
		if (n % 1000 == 0)
			goalloc_stacks_drain(s->stacks);
	}
}

static void stack_storm(struct kunit *test)
{
	struct storm *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct goalloc_stacks_stats st;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->stacks = stacks_make(test, NULL);
	spin_lock_init(&s->lock);
	KUNIT_EXPECT_EQ(test, 0, crew_run(CREW_FULL, storm_member, s));
	for (i = 0; i < STORM_STACKS; i++)
		goalloc_stack_free(s->stacks, &s->shared[i]);
	KUNIT_EXPECT_EQ(test, 0, atomic_read(&s->wrong));
	goalloc_stacks_get_stats(s->stacks, &st);
	KUNIT_EXPECT_EQ(test, 0, st.used_bytes);
	KUNIT_EXPECT_EQ(test, st.allocs, st.frees);
	KUNIT_EXPECT_EQ(test, CREW_FULL * STORM_ROUNDS, st.allocs);
}

static struct kunit_case stack_cases[] = {
	KUNIT_CASE(stack_sizes),
	KUNIT_CASE(stack_caches),
	KUNIT_CASE(stack_drained),
	KUNIT_CASE(stack_deep),
	KUNIT_CASE(stack_no_memory),
	KUNIT_CASE(stack_misuse),
	KUNIT_CASE(stack_guard),
	KUNIT_CASE(callstack_contiguous),
	KUNIT_CASE(callstack_segmented),
	KUNIT_CASE(callstack_guarded),
	KUNIT_CASE(callstack_shrinks),
	KUNIT_CASE(callstack_hot_split),
	KUNIT_CASE(callstack_misuse),
	KUNIT_CASE(gc_stack),
	KUNIT_CASE(stack_faults),
	KUNIT_CASE(stack_storm),
	{}
};

static struct kunit_suite stack_suite = {
	.name = "goalloc_stack",
	.init = stack_init,
	.exit = stack_exit,
	.test_cases = stack_cases,
};

kunit_test_suite(stack_suite);
