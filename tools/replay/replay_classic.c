// SPDX-License-Identifier: GPL-2.0-only
/*
 * Classical methods to replay a trace with, for comparison.
 *
 *	vmalloc		pages of its own for every object, mapped one after the other
 *	page_frag	bump: objects are cut off the end of a block of pages, which
 *			comes back when the last object in it has been freed
 *	next-fit	a circular free list with next fit (next_fit.c)
 *
 * replay_genalloc.c has first fit and best fit over a bitmap. These give what the
 * replay asks for: any size, the alignment of kmalloc(), zeroes on request. What
 * that takes which the method does not have is done here and is part of its cost.
 *
 * They hold what they have taken in pages, whoever uses them: chunks that do not
 * come back, bumped blocks with one object left. vmalloc() does not say what it
 * holds: pages, page tables and descriptors. There the account is what the buddy
 * allocator lacks.
 *
 * Locks: a spinlock each for the bump and for the free list, with interrupts off,
 * since the replay comes in interrupts too. No memory is taken below that of the
 * free list. The bump refills below its own, and does not wait for memory.
 */
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#include "next_fit.h"
#include "replay.h"
#include "replay_classic.h"

static void *vmalloc_do(size_t size, gfp_t gfp, bool exact)
{
	return size ? __vmalloc(size, gfp) : ZERO_SIZE_PTR;
}

static void vfree_do(void *p, size_t size, bool exact)
{
	if (p != ZERO_SIZE_PTR)
		vfree(p);	/* in an interrupt it leaves that to a worker */
}

static size_t vmalloc_usable(void *p, size_t size)
{
	return PAGE_ALIGN(size);
}

static u64 vmalloc_held(void)
{
	return ((u64)totalram_pages() << PAGE_SHIFT) - replay_pages_free();
}

const struct replay_allocator replay_vmalloc = {
	.name = "vmalloc",
	.alloc = vmalloc_do,
	.free = vfree_do,
	.usable = vmalloc_usable,
	.held = vmalloc_held,
	.is_shared = true,
	.may_sleep = true,
};

/* @frag_lock guards both. */
static DEFINE_SPINLOCK(frag_lock);
static struct page_frag_cache frag_cache;
static struct page *frag_page;		/* the one that is being cut up */
static atomic64_t frag_bytes;

#if KERNEL_VERSION(6, 9, 0) <= LINUX_VERSION_CODE
static void *frag_cut(size_t size, gfp_t gfp)
{
	return page_frag_alloc_align(&frag_cache, size, gfp, replay_align(size));
}

static void frag_drain(void)
{
	page_frag_cache_drain(&frag_cache);
}
#else
static void *frag_cut(size_t size, gfp_t gfp)
{
	return page_frag_alloc_align(&frag_cache, size, gfp, -replay_align(size));
}

static void frag_drain(void)
{
	if (frag_cache.va)
		__page_frag_cache_drain(virt_to_head_page(frag_cache.va),
					frag_cache.pagecnt_bias);
	frag_cache.va = NULL;
}
#endif

/* Larger than what it is for, a page: as its users do, whole pages. */
static void *frag_large(size_t size, gfp_t gfp)
{
	unsigned int order = get_order(size);
	struct page *page = alloc_pages(gfp | __GFP_COMP, order);

	if (!page)
		return NULL;
	atomic64_add(PAGE_SIZE << order, &frag_bytes);
	return page_address(page);
}

static void *frag_alloc(size_t size, gfp_t gfp, bool exact)
{
	gfp_t quiet = gfp & ~(__GFP_ZERO | __GFP_DIRECT_RECLAIM);
	unsigned long flags;
	struct page *page;
	void *p;

	if (!size)
		return ZERO_SIZE_PTR;
	if (size > PAGE_SIZE)
		return frag_large(size, gfp);

	spin_lock_irqsave(&frag_lock, flags);
	p = frag_cut(size, quiet);
	page = p ? virt_to_head_page(p) : frag_page;
	/* A block in which nothing was left is cut up again, and not a new one. */
	if (page != frag_page) {
		atomic64_add(page_size(page), &frag_bytes);
		frag_page = page;
	}
	spin_unlock_irqrestore(&frag_lock, flags);
	return classic_init(p, size, gfp);
}

static void frag_free(void *p, size_t size, bool exact)
{
	unsigned long flags;
	struct page *page;

	if (p == ZERO_SIZE_PTR)
		return;
	/* The lock is for the account: nobody else drops a reference meanwhile. */
	spin_lock_irqsave(&frag_lock, flags);
	page = virt_to_head_page(p);
	if (page_count(page) == 1)
		atomic64_sub(page_size(page), &frag_bytes);
	page_frag_free(p);
	spin_unlock_irqrestore(&frag_lock, flags);
}

static size_t frag_usable(void *p, size_t size)
{
	return size > PAGE_SIZE ? PAGE_SIZE << get_order(size) : ALIGN(size, 8);
}

static u64 frag_held(void)
{
	return atomic64_read(&frag_bytes);
}

static void frag_finish(void)
{
	frag_drain();
	frag_page = NULL;
	atomic64_set(&frag_bytes, 0);
}

const struct replay_allocator replay_page_frag = {
	.name = "page_frag",
	.finish = frag_finish,
	.alloc = frag_alloc,
	.free = frag_free,
	.usable = frag_usable,
	.held = frag_held,
};

/* In front of the memory that the list gets, so that no two chunks touch. */
struct fit_chunk {
	struct list_head chunks;
	unsigned int order;
};

#define FIT_CHUNK_HEAD ALIGN(sizeof(struct fit_chunk), NEXT_FIT_UNIT)

/* @fit_lock guards all of these. */
static DEFINE_SPINLOCK(fit_lock);
static struct next_fit fit;
static LIST_HEAD(fit_chunks);
static u64 fit_bytes;

static int fit_prepare(const struct trace_record *rec, u32 nrecords)
{
	next_fit_init(&fit);
	return 0;
}

static void fit_finish(void)
{
	struct fit_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &fit_chunks, chunks)
		free_pages((unsigned long)chunk, chunk->order);
	INIT_LIST_HEAD(&fit_chunks);
	fit_bytes = 0;
}

/*
 * Room for an object of @size. Where a chunk is not to be had at once, as little
 * as the object needs.
 */
static struct fit_chunk *fit_grow(size_t size, size_t align, gfp_t gfp)
{
	unsigned int least = get_order(FIT_CHUNK_HEAD + NEXT_FIT_UNIT + size + align);
	unsigned int order = max_t(unsigned int, least, CLASSIC_CHUNK_ORDER);
	struct fit_chunk *chunk;

	gfp &= ~__GFP_ZERO;
	chunk = (struct fit_chunk *)__get_free_pages(gfp, order);
	if (!chunk && least < order) {
		order = least;
		chunk = (struct fit_chunk *)__get_free_pages(gfp, order);
	}
	if (chunk)
		chunk->order = order;
	return chunk;
}

static void fit_add(struct fit_chunk *chunk)
{
	size_t bytes = PAGE_SIZE << chunk->order;

	list_add(&chunk->chunks, &fit_chunks);
	fit_bytes += bytes;
	next_fit_add(&fit, (void *)chunk + FIT_CHUNK_HEAD, bytes - FIT_CHUNK_HEAD);
}

static void *fit_alloc(size_t size, gfp_t gfp, bool exact)
{
	size_t align = replay_align(size);
	struct fit_chunk *chunk;
	unsigned long flags;
	void *p;

	if (!size)
		return ZERO_SIZE_PTR;
	spin_lock_irqsave(&fit_lock, flags);
	p = next_fit_alloc(&fit, size, align);
	while (!p) {
		/* Others may have used up by then what is added: once more. */
		spin_unlock_irqrestore(&fit_lock, flags);
		chunk = fit_grow(size, align, gfp);
		if (!chunk)
			return NULL;
		spin_lock_irqsave(&fit_lock, flags);
		fit_add(chunk);
		p = next_fit_alloc(&fit, size, align);
	}
	spin_unlock_irqrestore(&fit_lock, flags);
	return classic_init(p, size, gfp);
}

static void fit_free(void *p, size_t size, bool exact)
{
	unsigned long flags;

	if (p == ZERO_SIZE_PTR)
		return;
	spin_lock_irqsave(&fit_lock, flags);
	next_fit_free(&fit, p);
	spin_unlock_irqrestore(&fit_lock, flags);
}

static size_t fit_usable(void *p, size_t size)
{
	return next_fit_usable(p);
}

static u64 fit_held(void)
{
	return READ_ONCE(fit_bytes);
}

const struct replay_allocator replay_next_fit = {
	.name = "next-fit",
	.prepare = fit_prepare,
	.finish = fit_finish,
	.alloc = fit_alloc,
	.free = fit_free,
	.usable = fit_usable,
	.held = fit_held,
};
