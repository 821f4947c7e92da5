/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * palloc.h - the page allocator: a radix tree of summaries over page bitmaps.
 *
 * Page numbers and counts are u64 in goalloc pages, relative to page 0 of the
 * palloc.  palloc.c begins with an explanation of the structure.
 */
#ifndef GOALLOC_PALLOC_H
#define GOALLOC_PALLOC_H

#include "palloc_chunk.h"
#include "scavenge_index.h"
#include "sizeclass.h"

/* "No such page." */
#define PALLOC_NONE		(~0ULL)

/* Chunks per block of bitmaps: a block is 4 KiB. */
#define PALLOC_BLOCK_SHIFT	5
#define PALLOC_BLOCK_CHUNKS	((u32)BIT(PALLOC_BLOCK_SHIFT))

/* What a huge page is, in goalloc pages: 2 MiB. */
#define PALLOC_HUGE_PAGES	(SZ_2M >> GOALLOC_PAGE_SHIFT)

/**
 * struct palloc_mem - where a palloc gets memory for itself
 * @zalloc: returns @bytes of zeroed memory or NULL; @gfp is passed through as
 *	the caller of the palloc function gave it
 * @free: gives back what @zalloc returned, with the same size
 */
struct palloc_mem {
	void *(*zalloc)(const struct palloc_mem *mem, size_t bytes, gfp_t gfp);
	void (*free)(const struct palloc_mem *mem, void *p, size_t bytes);
};

/**
 * struct palloc_fault - the first broken rule that was noticed
 * @what: the rule in a few words, NULL as long as all is well
 * @chunk: chunk it was noticed in
 * @page: page number
 * @nr_pages: length of the run concerned
 */
struct palloc_fault {
	const char *what;
	u64 chunk;
	u64 page;
	u64 nr_pages;
};

/* Sets of page states, see palloc_all_are(): bit 2 * alloc + scavenged. */
#define PALLOC_PAGES_FREE	(BIT(0) | BIT(1))
#define PALLOC_PAGES_ALLOCATED	BIT(2)
#define PALLOC_PAGES_NOT_OURS	BIT(3)
#define PALLOC_PAGES_OURS	(PALLOC_PAGES_FREE | PALLOC_PAGES_ALLOCATED)

struct palloc_space;

/**
 * struct palloc - a page allocator over an address space
 * @sum: summaries by level, root first; under the lock
 * @blocks: bitmaps, a block of struct palloc_chunk per PALLOC_BLOCK_CHUNKS
 *	chunks, NULL where nothing was reserved; under the lock (lock-free users
 *	go by @space)
 * @search: no page below it is free; in an existing chunk, or PALLOC_NONE when
 *	nothing is free at all; under the lock
 * @start: lowest chunk ever grown; under the lock
 * @end: one more than the highest chunk ever grown; under the lock
 * @nr_free: free pages in the tree; under the lock
 * @nr_owned: pages grown and not disowned; under the lock
 * @changes: counts everything that changes a bitmap or a count; under the lock
 * @scav: what could be released
 * @fault: first broken rule; under the lock.  Whoever grows a heap looks here
 *	first and refuses when @fault.what is set.
 * @release_disowns: releasing pages means that they are no longer ours, and
 *	scavenged ones are worth releasing as well; set once, after
 *	palloc_init().  False is Go's meaning: a released page stays ours, and
 *	a scavenged one has no memory behind it any more.
 * @huge_pages: pages of a huge page, which releasing keeps whole; 0 for none;
 *	PALLOC_HUGE_PAGES unless set otherwise after palloc_init()
 * @space: the arrays behind @sum and @blocks; published with release, read
 *	with acquire by palloc_reserve()
 * @mem: where the arrays come from
 * @metadata: bytes taken from @mem
 *
 * "The lock" is the caller's: every function that changes a palloc needs it
 * held unless it says otherwise.  A palloc has none of its own, so that it can
 * be part of a larger structure, and be tested without one.
 */
struct palloc {
	palloc_sum_t *sum[PALLOC_LEVELS];
	void **blocks;
	u64 search;
	u64 start;
	u64 end;
	u64 nr_free;
	u64 nr_owned;
	u64 changes;
	struct scavenge_index scav;
	struct palloc_fault fault;
	bool release_disowns;
	unsigned int huge_pages;
	struct palloc_space *space;
	const struct palloc_mem *mem;
	atomic64_t metadata;
};

/*
 * Lets go of the memory behind @nr_pages (never 0) free pages from @base on.
 * Called with the lock held; may drop it and take it again, because nobody can
 * allocate the pages meanwhile.
 */
typedef void (*palloc_release_t)(void *ctx, u64 base, u64 nr_pages);

/* Setting up and growing; the lock is not held unless stated. */
int palloc_init(struct palloc *p, const struct palloc_mem *mem, u64 nr_pages,
		gfp_t gfp);
void palloc_destroy(struct palloc *p);
u64 palloc_nr_pages(const struct palloc *p);
u64 palloc_entries(const struct palloc *p, unsigned int level);
int palloc_extend_prepare(struct palloc *p, u64 nr_pages, gfp_t gfp,
			  struct palloc_space **next);
void palloc_extend_commit(struct palloc *p, struct palloc_space *next);
int palloc_extend(struct palloc *p, u64 nr_pages, gfp_t gfp);
int palloc_reserve(struct palloc *p, u64 base, u64 nr_pages, gfp_t gfp);

/* Under the lock. */
void palloc_update_chunk(struct palloc *p, const struct palloc_chunk *c,
			 u64 chunk);
void palloc_fail(struct palloc *p, const char *what, u64 page, u64 n);
bool palloc_all_are(struct palloc *p, u64 base, u64 n, unsigned int states,
		    const char *what);
u64 palloc_find(struct palloc *p, u64 n, u64 *next);
void palloc_grow(struct palloc *p, u64 base, u64 nr_pages, bool clean);
u64 palloc_alloc(struct palloc *p, u64 nr_pages, u64 *scav_pages);
void palloc_alloc_at(struct palloc *p, u64 base, u64 nr_pages, u64 *scav_pages);
void palloc_free(struct palloc *p, u64 base, u64 nr_pages);
void palloc_disown(struct palloc *p, u64 base, u64 nr_pages);

struct page_cache;
void palloc_alloc_to_cache(struct palloc *p, struct page_cache *c);
void palloc_free_window(struct palloc *p, u64 base, u64 pages, u64 scav);

bool palloc_scavenge_find(struct palloc *p, u64 max_pages, bool force,
			  u64 *base, u64 *nr_pages);
void palloc_scavenge_hold(struct palloc *p, u64 base, u64 nr_pages);
void palloc_scavenge_done(struct palloc *p, u64 base, u64 nr_pages);
u64 palloc_scavenge(struct palloc *p, u64 nr_pages, bool force,
		    palloc_release_t release, void *ctx);

/**
 * struct palloc_check - how far a check has come
 * @level: level it is at, from the leaves to the root
 * @next: chunk, or entry of that level, that is next
 * @nr_free: free pages in the chunks so far
 * @nr_owned: pages of ours in them
 * @changes: those of the page allocator when the check began
 */
struct palloc_check {
	int level;
	u64 next;
	u64 nr_free;
	u64 nr_owned;
	u64 changes;
};

void palloc_check_begin(const struct palloc *p, struct palloc_check *check);
int palloc_check_step(const struct palloc *p, struct palloc_check *check,
		      struct palloc_fault *where);
int palloc_check(const struct palloc *p, struct palloc_fault *where);

/* The place of a page in its chunk. */
static inline unsigned int palloc_page_in_chunk(u64 page)
{
	return page & (PALLOC_CHUNK_PAGES - 1);
}

/* Pages of the run [@page, @page + @n) that are in the first chunk of it. */
static inline unsigned int palloc_pages_here(u64 page, u64 n)
{
	return min_t(u64, n, PALLOC_CHUNK_PAGES -
		     (page & (PALLOC_CHUNK_PAGES - 1)));
}

/**
 * palloc_metadata_bytes() - memory the palloc uses for itself
 * @p: the page allocator
 *
 * Context: Any.
 * Return: bytes of bitmaps, summaries and tables.
 */
static inline u64 palloc_metadata_bytes(const struct palloc *p)
{
	return atomic64_read(&p->metadata);
}

/**
 * palloc_chunk_of() - the bitmaps of a chunk
 * @p: the page allocator
 * @chunk: chunk number, below the end of the address space
 *
 * Context: The lock held.
 * Return: the chunk, or NULL if it was never reserved.
 */
static inline struct palloc_chunk *palloc_chunk_of(const struct palloc *p,
						   u64 chunk)
{
	struct palloc_chunk *block =
		READ_ONCE(p->blocks[chunk >> PALLOC_BLOCK_SHIFT]);

	return block ? block + (chunk & (PALLOC_BLOCK_CHUNKS - 1)) : NULL;
}

#endif /* GOALLOC_PALLOC_H */
