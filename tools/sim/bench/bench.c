// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench [--max-heap GIB] - what allocating and freeing pages costs.
 *
 * For heaps of 64 MiB to 64 TiB of simulated address space, a part of which is
 * in use in pieces (heaps.h), in turn: n pages are allocated, and n pages that
 * are in use somewhere in the heap, chosen at random, are freed.  So the heap
 * stays as full as it was.  Each call is timed on its own; the median counts,
 * less what reading the clock costs.  Freeing at random touches memory that no
 * CPU cache has; so freeing what was just allocated is timed as well.
 *
 * Prints lines for programs:
 *
 *	allocator heap_mib percent_full pages alloc_ns free_ns free_near_ns
 *		failed_percent
 *	page_cache - - 1 ns
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>
#include "heaps.h"

#define MAX_OPS		4000
#define WARM_OPS	500
#define MIN_OPS		30
#define CELL_SECONDS	0.2

static double ns_per_tick;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void calibrate(void)
{
	double begin = seconds();
	u64 ticks = __rdtsc();

	while (seconds() < begin + 0.1)
		;
	ns_per_tick = (seconds() - begin) * 1e9 / (double)(__rdtsc() - ticks);
}

static inline u64 tick(void)
{
	unsigned int cpu;
	u64 t = __rdtscp(&cpu);

	_mm_lfence();
	return t;
}

static int compare(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static u64 median(u64 *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), compare);
	return n ? v[n / 2] : 0;
}

/* What two readings of the clock are apart. */
static u64 clock_cost(void)
{
	static u64 v[1001];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		u64 t = tick();

		v[i] = tick() - t;
	}
	return median(v, ARRAY_SIZE(v));
}

static double to_ns(u64 ticks)
{
	u64 cost = clock_cost();

	return ticks > cost ? (double)(ticks - cost) * ns_per_tick : 0;
}

/* @n pages in use somewhere, or PALLOC_NONE if none were found. */
static u64 pick_used(struct heap *h, u64 nr_pages, u64 n, u64 *rng)
{
	int try;

	for (try = 0; try < 2000; try++) {
		u64 group = sim_random(rng) % (nr_pages / GROUP_PAGES);
		unsigned int size = group_object(group);
		u64 page = group * GROUP_PAGES;

		if (size < n)
			continue;
		page += sim_random(rng) % (GROUP_PAGES / size) * size;
		if (h->used(h, page, n))
			return page;
	}
	return PALLOC_NONE;
}

static void cell(struct heap *h, u64 nr_pages, unsigned int percent, u64 n)
{
	static u64 alloc[MAX_OPS], release[MAX_OPS];
	unsigned int i, nr = 0, failed = 0;
	double begin = seconds(), warm_end = 0;
	u64 rng = 12345;

	for (i = 0; nr < MAX_OPS; i++) {
		u64 page, used, t0, t1, t2, t3;

		t0 = tick();
		page = h->alloc(h, n);
		t1 = tick();
		if (page == PALLOC_NONE) {
			failed++;
			if (failed > 20 && failed > i / 2)
				break;
			continue;
		}
		used = pick_used(h, nr_pages, n, &rng);
		if (used == PALLOC_NONE)
			used = page;
		t2 = tick();
		h->free(h, used, n);
		t3 = tick();
		if (warm_end) {
			alloc[nr] = t1 - t0;
			release[nr++] = t3 - t2;
			if (nr >= MIN_OPS && seconds() > warm_end + CELL_SECONDS)
				break;
		} else if (i >= WARM_OPS ||
			   (i >= MIN_OPS && seconds() > begin + CELL_SECONDS)) {
			warm_end = seconds();
		}
	}
	printf("%s %llu %u %llu", h->name, nr_pages * GOALLOC_PAGE_SIZE >> 20,
	       percent, n);
	if (nr < MIN_OPS) {
		printf(" - - - %u\n", 100 * failed / (failed + nr));
		return;
	}
	printf(" %.0f %.0f", to_ns(median(alloc, nr)),
	       to_ns(median(release, nr)));
	/* Once more, freeing what was allocated just now. */
	for (i = 0; i < nr; i++) {
		u64 page = h->alloc(h, n);
		u64 t = tick();

		if (page == PALLOC_NONE)
			break;
		h->free(h, page, n);
		release[i] = tick() - t;
	}
	printf(" %.0f %u\n", to_ns(median(release, i)),
	       100 * failed / (failed + nr));
}

typedef struct heap *(*new_heap_t)(u64 nr_pages, unsigned int percent);

static void heap_cells(new_heap_t new_heap, u64 nr_pages, unsigned int percent)
{
	static const u64 sizes[] = { 1, 4, 16, 64, 512, 2048 };
	struct heap *h = new_heap(nr_pages, percent);
	unsigned int i;

	if (!h) {
		fprintf(stderr, "not enough memory for %llu MiB at %u%%\n",
			nr_pages * GOALLOC_PAGE_SIZE >> 20, percent);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		cell(h, nr_pages, percent, sizes[i]);
	h->destroy(h);
}

/* A hit in the 64-page cache, one page: the mean over a window of hits. */
static void cache_hit(void)
{
	static u64 v[2000];
	unsigned int i, k, scav;
	volatile u64 sink;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		struct page_cache c = { 0, ~0ULL, 0 };
		u64 t = tick();

		for (k = 0; k < 64; k++)
			sink = page_cache_alloc(&c, 1, &scav);
		v[i] = tick() - t;
	}
	(void)sink;
	printf("page_cache - - 1 %.1f\n",
	       to_ns(median(v, ARRAY_SIZE(v))) / 64);
}

int main(int argc, char **argv)
{
	static const u64 mib[] = {
		64, 1 << 10, 16 << 10, 256 << 10, 4 << 20, 64 << 20
	};
	static const unsigned int full[] = { 10, 50, 90, 99 };
	u64 max_mib = 64 << 20;
	unsigned int i, k;

	if (argc == 3 && !strcmp(argv[1], "--max-heap")) {
		max_mib = strtoull(argv[2], NULL, 0) << 10;
	} else if (argc != 1) {
		fprintf(stderr, "usage: bench [--max-heap GIB]\n");
		return 2;
	}
	setlinebuf(stdout);
	calibrate();
	cache_hit();
	for (i = 0; i < ARRAY_SIZE(mib) && mib[i] <= max_mib; i++) {
		u64 nr_pages = (mib[i] << 20) / GOALLOC_PAGE_SIZE;

		for (k = 0; k < ARRAY_SIZE(full); k++) {
			heap_cells(tree_new, nr_pages, full[k]);
			/* Where their memory and time allow. */
			if (mib[i] <= 256 << 10)
				heap_cells(treap_new, nr_pages, full[k]);
			if (mib[i] <= 4 << 20)
				heap_cells(bitmap_new, nr_pages, full[k]);
		}
	}
	return 0;
}
