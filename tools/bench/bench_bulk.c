// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_bench.ko: objects by the handful, per object. kmalloc() has no such
 * call, so that the peer is the kmem_cache.
 */
#include <linux/irqflags.h>
#include <linux/kernel.h>

#include "bench.h"

/**
 * struct bench_bulk_allocator - one contender
 * @name: for the output
 * @alloc: allocate @nr objects of @size bytes; fails as a whole
 * @free: free them
 */
struct bench_bulk_allocator {
	const char *name;
	bool (*alloc)(size_t size, size_t nr);
	void (*free)(size_t nr);
};

static __always_inline bool bulk_goalloc_alloc(size_t size, size_t nr)
{
	return goalloc_bulk(size, GFP_ATOMIC, nr, bench_obj);
}

static __always_inline void bulk_goalloc_free(size_t nr)
{
	gofree_bulk(nr, bench_obj);
}

static __always_inline bool bulk_cache_alloc(size_t size, size_t nr)
{
	return kmem_cache_alloc_bulk(bench_cache, GFP_ATOMIC, nr, bench_obj);
}

static __always_inline void bulk_cache_free(size_t nr)
{
	kmem_cache_free_bulk(bench_cache, nr, bench_obj);
}

static const struct bench_bulk_allocator bulk_goalloc = {
	"goalloc", bulk_goalloc_alloc, bulk_goalloc_free
};

static const struct bench_bulk_allocator bulk_kmem_cache = {
	"kmem_cache", bulk_cache_alloc, bulk_cache_free
};

static __always_inline bool bulk_pair(const struct bench_bulk_allocator *a, size_t size,
				      unsigned int nr)
{
	if (!a->alloc(size, nr))
		return false;
	a->free(nr);
	return true;
}

static __always_inline void bulk_count(const struct bench_bulk_allocator *a, size_t size,
				       unsigned int nr)
{
	unsigned int i;
	bool ok = true;
	char what[16];

	OPTIMIZER_HIDE_VAR(size);
	OPTIMIZER_HIDE_VAR(nr);
	snprintf(what, sizeof(what), "bulk%u", nr);
	for (i = 0; ok && i < BENCH_ROUNDS; i++)
		ok = bulk_pair(a, size, nr);
	local_irq_disable();
	for (i = 0; ok && i < BENCH_ROUNDS; i++)
		BENCH_COUNT(i, ok = bulk_pair(a, size, nr));
	local_irq_enable();
	if (!ok)
		return;
	bench_print(what, size, a->name, BENCH_ROUNDS, nr);
}

/**
 * bench_bulk - what an object of one size costs if many are had at once
 * @size: bytes
 */
void bench_bulk(size_t size)
{
	static const unsigned int nrs[] = { 1, 4, 16, 64 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nrs); i++) {
		bulk_count(&bulk_goalloc, size, nrs[i]);
		bulk_count(&bulk_kmem_cache, size, nrs[i]);
	}
}
