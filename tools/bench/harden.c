// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench_harden.ko: what each feature of a hardened heap costs, in ticks
 * of the cycle counter. See bench.c for what a tick is.
 *
 * Counted is an allocation and a free, one after the other, in a heap where a
 * neighbour keeps the span and the quarantine is full, so that each free that
 * goes into it brings another object out.
 *
 * Prints "harden.<size>.<feature>.pair <instructions>" lines when loaded.
 */
#define pr_fmt(fmt) "goalloc_bench: " fmt

#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/sort.h>
#include <linux/timex.h>

#include <goalloc.h>

#define ROUNDS 257

/* Room in the quarantine, and objects that go through before it is counted. */
#define QUARANTINE (256UL << 10)
#define WARM(size) (QUARANTINE / (size) + ROUNDS)

static const struct {
	const char *name;
	unsigned int harden;
} bench_features[] = {
	{ "ordinary", 0 },
	{ "random", GOALLOC_HARDEN_RANDOM },
	{ "redzone", GOALLOC_HARDEN_REDZONE },
	{ "zero", GOALLOC_HARDEN_ZERO },
	{ "poison", GOALLOC_HARDEN_POISON },
	{ "quarantine", GOALLOC_HARDEN_QUARANTINE },
	{ "stacks", GOALLOC_HARDEN_STACKS },
	{ "all", GOALLOC_HARDEN_ALL },
};

static u32 bench_ticks[ROUNDS];

static int bench_compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void bench_feature(unsigned int harden, size_t size, const char *name)
{
	struct goalloc_heap_attr attr = {
		.harden = harden,
		.quarantine = harden & GOALLOC_HARDEN_QUARANTINE ? QUARANTINE : 0,
	};
	struct goalloc_heap *heap = goalloc_heap_create("bench", &attr);
	unsigned int i;
	void *mate;

	if (IS_ERR(heap))
		return;
	mate = goalloc_heap_alloc(heap, size, GFP_KERNEL);
	for (i = 0; i < WARM(size); i++)
		goalloc_heap_free(heap, goalloc_heap_alloc(heap, size, GFP_KERNEL));
	for (i = 0; i < ROUNDS; i++) {
		u64 begin;

		local_irq_disable();
		begin = rdtsc_ordered();
		goalloc_heap_free(heap, goalloc_heap_alloc(heap, size, GFP_ATOMIC));
		bench_ticks[i] = rdtsc_ordered() - begin;
		local_irq_enable();
	}
	sort(bench_ticks, ROUNDS, sizeof(bench_ticks[0]), bench_compare, NULL);
	pr_info("harden.%zu.%s.pair %u\n", size, name, bench_ticks[ROUNDS / 2]);
	goalloc_heap_free(heap, mate);
	goalloc_heap_destroy(heap, true);
}

static int __init bench_init(void)
{
	static const size_t sizes[] = { 8, 64, 1000, 8000 };
	unsigned int f, s;

	for (s = 0; s < ARRAY_SIZE(sizes); s++)
		for (f = 0; f < ARRAY_SIZE(bench_features); f++)
			bench_feature(bench_features[f].harden, sizes[s],
				      bench_features[f].name);
	return 0;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What goalloc's hardened heaps cost");
