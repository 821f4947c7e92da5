// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench_stack.ko: what stacks cost, in ticks of the cycle counter (instructions
 * under QEMU's -icount).
 *
 * A pair is a stack that was in the CPU's list, allocated and freed, beside kmem_cache
 * and beside alloc_pages(). Growth is frames of 64 bytes, pushed until there are so many
 * KiB of them, from 2 KiB on, by being moved or in segments, and on a stack that was
 * large enough from the beginning. A split is a call and its return with so many bytes
 * used before, in a loop.
 *
 * Prints lines "stack_cache.SIZE.WHO.median N", "stack_pages.SIZE.WHO.median N",
 * "growth.KIB.HOW N", instructions for a KiB, and "split.BYTES.HOW N", for a call.
 */
#define pr_fmt(fmt) "goalloc_bench: " fmt

#include <linux/irqflags.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sort.h>

#include <goalloc_stack.h>

#include "bench.h"

#define ROUNDS 257
#define FRAME 64
#define CALLS 200
#define WARM 64

static u32 stack_ticks[ROUNDS];
static u64 stack_overhead;
static struct goalloc_stacks *stacks;

static u64 stack_net(u64 begin)
{
	u64 ticks = rdtsc_ordered() - begin;

	return ticks - min(ticks, stack_overhead);
}

static void stack_say(const char *what, size_t size, const char *who)
{
	sort(stack_ticks, ROUNDS, sizeof(stack_ticks[0]), bench_compare, NULL);
	pr_info("%s.%zu.%s.median %u\n", what, size, who, stack_ticks[ROUNDS / 2]);
	pr_info("%s.%zu.%s.p99 %u\n", what, size, who, stack_ticks[ROUNDS * 99 / 100]);
}

static void stack_pair_goalloc(size_t size, const char *what)
{
	struct goalloc_stack stack;
	unsigned int i;
	u64 begin;

	for (i = 0; i < ROUNDS + WARM; i++) {
		local_irq_disable();
		begin = rdtsc_ordered();
		goalloc_stack_alloc(stacks, &stack, size, GFP_ATOMIC);
		goalloc_stack_free(stacks, &stack);
		stack_ticks[i % ROUNDS] = stack_net(begin);
		local_irq_enable();
	}
	stack_say(what, size, "goalloc");
}

static void stack_pair_cache(size_t size)
{
	struct kmem_cache *cache = kmem_cache_create("bench_stack", size, size, 0, NULL);
	unsigned int i;
	u64 begin;

	if (!cache)
		return;
	for (i = 0; i < ROUNDS + WARM; i++) {
		local_irq_disable();
		begin = rdtsc_ordered();
		kmem_cache_free(cache, kmem_cache_alloc(cache, GFP_ATOMIC));
		stack_ticks[i % ROUNDS] = stack_net(begin);
		local_irq_enable();
	}
	stack_say("stack_cache", size, "kmem_cache");
	kmem_cache_destroy(cache);
}

static void stack_pair_pages(size_t size)
{
	unsigned int i, order = get_order(size);
	u64 begin;

	for (i = 0; i < ROUNDS + WARM; i++) {
		local_irq_disable();
		begin = rdtsc_ordered();
		__free_pages(alloc_pages(GFP_ATOMIC, order), order);
		stack_ticks[i % ROUNDS] = stack_net(begin);
		local_irq_enable();
	}
	stack_say("stack_pages", size, "alloc_pages");
}

/* Instructions to push @bytes in frames, from a stack of @begin bytes on. */
static int stack_growth(size_t bytes, size_t begin, enum goalloc_callstack_mode mode,
			const char *how)
{
	struct goalloc_callstack cs;
	size_t at;
	u64 ticks;
	int err = goalloc_callstack_init(&cs, stacks, mode, begin, NULL, NULL, GFP_KERNEL);

	if (err)
		return err;
	ticks = rdtsc_ordered();
	for (at = 0; at < bytes && !err; at += FRAME)
		err = PTR_ERR_OR_ZERO(goalloc_callstack_push(&cs, FRAME, GFP_KERNEL));
	ticks = stack_net(ticks);
	pr_info("growth.%zu.%s %llu\n", bytes >> 10, how, div64_u64(ticks << 10, bytes));
	goalloc_callstack_end(&cs);
	return err;
}

/* Instructions of a call and its return, with @used bytes used before. */
static int stack_split(size_t used, enum goalloc_callstack_mode mode, const char *how)
{
	struct goalloc_callstack cs;
	unsigned int i;
	u64 ticks;
	int err = goalloc_callstack_init(&cs, stacks, mode, GOALLOC_STACK_MIN, NULL, NULL,
					 GFP_KERNEL);

	if (!err && used)
		err = PTR_ERR_OR_ZERO(goalloc_callstack_push(&cs, used, GFP_KERNEL));
	ticks = rdtsc_ordered();
	for (i = 0; i < CALLS && !err; i++) {
		err = PTR_ERR_OR_ZERO(goalloc_callstack_push(&cs, FRAME, GFP_KERNEL));
		if (!err)
			err = goalloc_callstack_pop(&cs, FRAME);
	}
	ticks = stack_net(ticks);
	pr_info("split.%zu.%s %llu\n", used, how, div_u64(ticks, CALLS));
	goalloc_callstack_end(&cs);
	return err;
}

static int __init bench_init(void)
{
	static const size_t kib[] = { 4, 16, 64, 256, 1024, 4096, 16384, 65536 };
	size_t size, used;
	unsigned int i;
	int err = 0;
	u64 begin;

	stacks = goalloc_stacks_create("bench", NULL);
	if (IS_ERR(stacks))
		return PTR_ERR(stacks);
	local_irq_disable();
	begin = rdtsc_ordered();
	stack_overhead = rdtsc_ordered() - begin;
	local_irq_enable();
	for (size = 2048; size <= 16384; size *= 2) {
		stack_pair_goalloc(size, "stack_cache");
		stack_pair_cache(size);
	}
	for (size = 4096; size <= 16384; size *= 2) {
		stack_pair_goalloc(size, "stack_pages");
		stack_pair_pages(size);
	}
	for (i = 0; i < ARRAY_SIZE(kib) && !err; i++) {
		size = kib[i] << 10;
		err = stack_growth(size, size, GOALLOC_CALLSTACK_CONTIGUOUS, "ready") ?:
		      stack_growth(size, 2048, GOALLOC_CALLSTACK_CONTIGUOUS, "moved") ?:
		      stack_growth(size, 2048, GOALLOC_CALLSTACK_SEGMENTED, "segments");
	}
	for (used = 0; used <= 4096 && !err; used += FRAME)
		err = stack_split(used, GOALLOC_CALLSTACK_CONTIGUOUS, "moved") ?:
		      stack_split(used, GOALLOC_CALLSTACK_SEGMENTED, "segments");
	goalloc_stacks_destroy(stacks);
	return err;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What goalloc's stacks cost");
