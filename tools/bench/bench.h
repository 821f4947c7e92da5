/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * goalloc_bench.ko: the contenders, and how something is counted.
 *
 * A measuring function is __always_inline and gets its contender as a pointer
 * to a constant, so that what is counted has direct calls, as a user's code has:
 * an indirect one costs a dozen instructions where retpolines are on.
 */
#ifndef GOALLOC_BENCH_H
#define GOALLOC_BENCH_H

#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/timex.h>
#include <linux/types.h>

#include <goalloc.h>

#define BENCH_BATCH 4096
#define BENCH_ROUNDS 257

/* Ticks of a read of the counter, which is a part of no figure. */
extern u64 bench_overhead;

/* What was counted, and room for what was allocated: BENCH_BATCH each. */
extern u32 *bench_ticks;
extern void **bench_obj;

/* For the contenders that do not take a size. */
extern struct kmem_cache *bench_cache;
extern unsigned int bench_page_order;

/**
 * struct bench_allocator - one contender
 * @name: for the output
 * @alloc: allocate @size bytes
 * @free: free
 */
struct bench_allocator {
	const char *name;
	void *(*alloc)(size_t size, gfp_t gfp);
	void (*free)(void *p);
};

static __always_inline void *bench_goalloc_alloc(size_t size, gfp_t gfp)
{
	return goalloc(size, gfp);
}

static __always_inline void bench_goalloc_free(void *p)
{
	gofree(p);
}

static __always_inline void *bench_kmalloc_alloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp);
}

static __always_inline void bench_kmalloc_free(void *p)
{
	kfree(p);
}

static __always_inline void *bench_cache_alloc(size_t size, gfp_t gfp)
{
	return kmem_cache_alloc(bench_cache, gfp);
}

static __always_inline void bench_cache_free(void *p)
{
	kmem_cache_free(bench_cache, p);
}

/* Its objects are the struct pages: nobody asks for the address. */
static __always_inline void *bench_pages_alloc(size_t size, gfp_t gfp)
{
	return alloc_pages(gfp, bench_page_order);
}

static __always_inline void bench_pages_free(void *p)
{
	__free_pages(p, bench_page_order);
}

static const struct bench_allocator bench_goalloc __maybe_unused = {
	"goalloc", bench_goalloc_alloc, bench_goalloc_free
};

static const struct bench_allocator bench_kmalloc __maybe_unused = {
	"kmalloc", bench_kmalloc_alloc, bench_kmalloc_free
};

static const struct bench_allocator bench_kmem_cache __maybe_unused = {
	"kmem_cache", bench_cache_alloc, bench_cache_free
};

static const struct bench_allocator bench_alloc_pages __maybe_unused = {
	"alloc_pages", bench_pages_alloc, bench_pages_free
};

/* For sort(): of two u32, which is less. */
static inline int bench_compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* BENCH_BATCH numbers from 0 on, shuffled, in the same way each time. */
static inline void bench_shuffle(u16 *order)
{
	unsigned int i;
	u32 seed = 1;

	for (i = 0; i < BENCH_BATCH; i++)
		order[i] = i;
	for (i = BENCH_BATCH - 1; i; i--) {
		seed = seed * 1664525 + 1013904223;
		swap(order[i], order[(seed >> 8) % (i + 1)]);
	}
}

/* The ticks that @stmt takes go to @i of bench_ticks. */
#define BENCH_COUNT(i, stmt) do {					\
	u64 begin_, end_;						\
									\
	begin_ = rdtsc_ordered();					\
	stmt;								\
	end_ = rdtsc_ordered();						\
	bench_ticks[i] = end_ - begin_ - min(bench_overhead, end_ - begin_); \
} while (0)

void bench_mean(const char *what, size_t size, const char *name, unsigned int nr);
void bench_print(const char *what, size_t size, const char *name, unsigned int nr,
		 unsigned int per);

/* A file each; all count one size. */
void bench_hot(size_t size);
void bench_hot_feature(const char *what, size_t size);
void bench_hot_large(size_t size);
void bench_hot_pages(size_t size);
void bench_batch(size_t size);
void bench_bulk(size_t size);
void bench_realloc(size_t size);

int bench_batch_init(void);
void bench_batch_exit(void);

#endif /* GOALLOC_BENCH_H */
