// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench_pages.ko: what the page tree costs in the kernel, by size of
 * the heap, in ticks of the cycle counter (instructions under QEMU's -icount).
 *
 * The tree is the module's own, compiled from the same files, over an invented
 * address space: dense up to 16 GiB, and as much memory spread evenly over 4
 * and 64 TiB. A heap is laid out in groups of 2048 pages that hold objects of 1
 * to 2048 pages, a part of which is free, chosen at random. Then runs are
 * allocated and freed again, so the heap stays as it was.
 *
 * Prints "pages.<heap MiB>.<percent full>.<run>.<metric> <value>" lines when
 * loaded.
 */
#define pr_fmt(fmt) "goalloc_bench: " fmt

#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/timex.h>

#include "../../goalloc/palloc_chunk.c"
#include "../../goalloc/scavenge_index.c"
#include "../../goalloc/palloc_check.c"
#include "../../goalloc/palloc_space.c"
#include "../../goalloc/palloc.c"
#include "../../goalloc/page_cache.c"

#define GROUP_PAGES 2048
#define ROUNDS 101

static u32 pages_ticks[2][ROUNDS];
static u64 pages_overhead;
static u32 pages_seed = 1;

static u32 pages_random(void)
{
	pages_seed = pages_seed * 1664525 + 1013904223;
	return pages_seed >> 8;
}

static void *pages_zalloc(const struct palloc_mem *mem, size_t bytes, gfp_t gfp)
{
	return kvzalloc(bytes, GFP_KERNEL);
}

static void pages_mem_free(const struct palloc_mem *mem, void *p, size_t bytes)
{
	kvfree(p);
}

static const struct palloc_mem pages_mem = {
	.zalloc = pages_zalloc,
	.free = pages_mem_free,
};

static int pages_compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static u32 pages_median(u32 *ticks, unsigned int nr)
{
	sort(ticks, nr, sizeof(*ticks), pages_compare, NULL);
	return nr ? ticks[nr / 2] : 0;
}

/* Fill one group: objects of @size pages, @percent of them in use. */
static void pages_fill(struct palloc *p, u64 base, unsigned int size,
		       unsigned int percent)
{
	unsigned int i;
	u64 scav;

	palloc_grow(p, base, GROUP_PAGES, false);
	/* Everything else is in use, so this is the group. */
	palloc_alloc(p, GROUP_PAGES, &scav);
	for (i = 0; i < GROUP_PAGES; i += size)
		if (pages_random() % 100 >= percent)
			palloc_free(p, base + i, size);
}

static int pages_make(struct palloc *p, u64 nr_pages, u64 nr_groups,
		      unsigned int percent)
{
	static const unsigned int sizes[] = { 1, 64, 2048, 16, 512, 4 };
	u64 stride = nr_pages / nr_groups;
	u64 group;

	if (palloc_init(p, &pages_mem, nr_pages, GFP_KERNEL))
		return -ENOMEM;
	for (group = 0; group < nr_groups; group++) {
		/* From the top, so that each is alone when it is filled. */
		u64 base = (nr_groups - 1 - group) * stride;

		if (palloc_reserve(p, base, GROUP_PAGES, GFP_KERNEL)) {
			palloc_destroy(p);
			return -ENOMEM;
		}
		pages_fill(p, base, sizes[group % ARRAY_SIZE(sizes)], percent);
		cond_resched();
	}
	return 0;
}

static u64 pages_net(u64 begin)
{
	u64 ticks = rdtsc_ordered() - begin;

	return ticks - min(ticks, pages_overhead);
}

static void pages_measure(struct palloc *p, u64 heap_mib, unsigned int percent,
			  unsigned int run)
{
	unsigned int i, failed = 0, freed = 0;
	u64 begin, base, scav;

	for (i = 0; i < ROUNDS; i++) {
		local_irq_disable();
		begin = rdtsc_ordered();
		base = palloc_alloc(p, run, &scav);
		pages_ticks[0][i] = pages_net(begin);
		if (base == PALLOC_NONE) {
			failed++;
		} else {
			begin = rdtsc_ordered();
			palloc_free(p, base, run);
			pages_ticks[1][freed++] = pages_net(begin);
		}
		local_irq_enable();
	}
	pr_info("pages.%llu.%u.%u.alloc %u\n", heap_mib, percent, run,
		pages_median(pages_ticks[0], ROUNDS));
	if (freed)
		pr_info("pages.%llu.%u.%u.free %u\n", heap_mib, percent, run,
			pages_median(pages_ticks[1], freed));
	pr_info("pages.%llu.%u.%u.failed %u\n", heap_mib, percent, run,
		failed * 100 / ROUNDS);
}

/* A page out of a cache that has one. */
static void pages_cache_hit(void)
{
	struct page_cache c = { .base = 64 };
	unsigned int i, scav;
	u64 begin;

	local_irq_disable();
	for (i = 0; i < ROUNDS; i++) {
		c.cache = ~0ULL << (i % 60);
		c.scav = 0;
		begin = rdtsc_ordered();
		page_cache_alloc(&c, 1, &scav);
		pages_ticks[0][i] = pages_net(begin);
	}
	local_irq_enable();
	pr_info("pages.cache_hit.0.1.alloc %u\n", pages_median(pages_ticks[0], ROUNDS));
}

static int __init pages_init(void)
{
	static const struct {
		u64 mib;
		u64 held_mib;
	} heaps[] = {
		{ 64, 64 }, { 1 << 10, 1 << 10 }, { 16 << 10, 16 << 10 },
		{ 4 << 20, 16 << 10 }, { 64 << 20, 16 << 10 },
	};
	static const unsigned int percents[] = { 10, 50, 90, 99 };
	static const unsigned int runs[] = { 1, 4, 16, 64, 512, 2048 };
	u64 group_mib = (u64)GROUP_PAGES << GOALLOC_PAGE_SHIFT >> 20;
	unsigned int h, f, r, i;
	struct palloc *p;

	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	local_irq_disable();
	pages_overhead = U64_MAX;
	for (i = 0; i < ROUNDS; i++) {
		u64 begin = rdtsc_ordered();

		pages_overhead = min(pages_overhead, rdtsc_ordered() - begin);
	}
	local_irq_enable();
	pages_cache_hit();
	for (h = 0; h < ARRAY_SIZE(heaps); h++) {
		for (f = 0; f < ARRAY_SIZE(percents); f++) {
			if (pages_make(p, heaps[h].mib << 20 >> GOALLOC_PAGE_SHIFT,
				       heaps[h].held_mib / group_mib, percents[f])) {
				pr_info("pages.%llu: no memory\n", heaps[h].mib);
				break;
			}
			for (r = 0; r < ARRAY_SIZE(runs); r++)
				pages_measure(p, heaps[h].mib, percents[f], runs[r]);
			palloc_destroy(p);
		}
	}
	kfree(p);
	return 0;
}

static void __exit pages_exit(void)
{
}

module_init(pages_init);
module_exit(pages_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("What goalloc's page tree costs");
