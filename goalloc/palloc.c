// SPDX-License-Identifier: GPL-2.0-only
/*
 * palloc.c - runs of pages, lowest address first, at a cost that does not
 * depend on how large the heap is.
 *
 * The problem: find the lowest run of n free pages in an address space of up
 * to 2^52 bytes, most of which is not ours.
 *
 * Bitmap.  Address space is cut into chunks of 512 pages.  A chunk has a bit
 * per page that says "not available" (and a second one, see palloc_chunk.h).
 * A chunk in which no page was ever ours has no bitmap at all.
 *
 * Summaries.  Reading bitmaps from the beginning until something fits would be
 * exact and slow.  So each chunk has a summary: how many pages are free at its
 * low end, at its high end, and in the longest run anywhere in it.  That is
 * enough to know, without the bitmap, whether a run begins here, is in here,
 * or goes through here from the chunk before to the chunk after.
 *
 * Levels.  Summaries of eight neighbours merge into one of the same form, for
 * the same questions about a region eight times as large.  Four times over:
 *
 *	level	0	1	2	3	4
 *	pages	2^21	2^18	2^15	2^12	2^9 (one chunk)
 *
 * Each level is an array, indexed by page number >> shift.  There are no
 * pointers in the tree; the eight children of entry i are entries 8i to 8i+7
 * one level down, one cache line.  Above the root entries there is nothing:
 * they are scanned, which is short (one per 16 GiB with 8 KiB pages).
 *
 * Search.  Take the entries of a block in address order and carry the length
 * of the free run that reaches up to the current entry.  If that plus the
 * entry's start is enough, the run has been found, whatever is inside.  Else
 * if the entry's max is enough, it is in there: go down.  Else carry its end,
 * or add all of it if it is free.  Asking in this order is what makes it exact
 * first fit: a run that ends in this entry is at a lower address than any run
 * within it.  A search reads a root scan and at most 8 summaries on each level
 * below, then eight words of one bitmap.
 *
 * Update.  A change in a chunk changes its summary, perhaps its parent's, and
 * so on; climbing ends as soon as a summary comes out as it was.
 *
 * search.  No page below p->search is free, so every scan begins there.  It
 * must stay in a chunk that exists, as the fast path looks at that chunk.
 * After an allocation it moves to the first free page the search has seen.
 * Often that is known exactly; sometimes only "somewhere in this entry", and
 * the entry may begin with address space that is not ours.  Go consults a
 * sorted list of mapped ranges then.  With partly owned chunks such a list
 * would get long, so here the same guarantee comes from going down the
 * summaries of the entry to its first free page.
 *
 * Why address-ordered first fit: it packs the heap towards low addresses, so
 * that high ones drain and can be returned, and it needs no memory of its own.
 *
 * Locking: palloc.h.  The caller's lock guards everything but palloc_reserve()
 * and palloc_extend_prepare(), see there.
 */
#include "palloc.h"

/**
 * palloc_fail() - remember the first broken rule
 * @p: the page allocator
 * @what: the rule
 * @page: page it was noticed at
 * @n: length of the run concerned
 *
 * Whoever grows the heap looks at p->fault first.
 *
 * Context: Any; the lock held.
 */
void palloc_fail(struct palloc *p, const char *what, u64 page, u64 n)
{
	if (p->fault.what)
		return;
	p->fault.what = what;
	p->fault.chunk = page >> PALLOC_CHUNK_SHIFT;
	p->fault.page = page;
	p->fault.nr_pages = n;
}

/* Pages of the run [@page, @page + @n) that are in the first chunk of it. */
static inline unsigned int pages_here(u64 page, u64 n)
{
	return min_t(u64, n, PALLOC_CHUNK_PAGES -
		     (page & (PALLOC_CHUNK_PAGES - 1)));
}

/**
 * palloc_update_chunk() - the alloc bits of one chunk have changed
 * @p: the page allocator
 * @c: the chunk
 * @chunk: its number
 *
 * Context: Any; the lock held.
 */
void palloc_update_chunk(struct palloc *p, const struct palloc_chunk *c,
			 u64 chunk)
{
	palloc_sum_t sum = palloc_bits_summarize(c->alloc);
	unsigned int level = PALLOC_LEAF;
	u64 i = chunk;

	while (p->sum[level][i] != sum) {
		p->sum[level][i] = sum;
		if (!level)
			break;
		i = round_down(i, PALLOC_FANOUT);
		sum = palloc_sum_merge(p->sum[level] + i,
				       palloc_level_shift(level));
		i >>= PALLOC_FANOUT_SHIFT;
		level--;
	}
}
GOALLOC_EXPORT_KUNIT(palloc_update_chunk);

/*
 * The pages of a run have all become free, or all unavailable: chunks between
 * the first and the last need no look at their bitmaps.
 */
static void palloc_update(struct palloc *p, u64 base, u64 n, bool now_free)
{
	u64 lo = base >> PALLOC_CHUNK_SHIFT;
	u64 hi = (base + n - 1) >> PALLOC_CHUNK_SHIFT;
	palloc_sum_t *leaf = p->sum[PALLOC_LEAF];
	int level;
	u64 i;

	if (lo == hi) {
		palloc_update_chunk(p, palloc_chunk_of(p, lo), lo);
		return;
	}
	leaf[lo] = palloc_bits_summarize(palloc_chunk_of(p, lo)->alloc);
	for (i = lo + 1; i < hi; i++)
		leaf[i] = now_free ? PALLOC_SUM_FREE_CHUNK : 0;
	leaf[hi] = palloc_bits_summarize(palloc_chunk_of(p, hi)->alloc);

	for (level = PALLOC_LEAF - 1; level >= 0; level--) {
		const palloc_sum_t *child = p->sum[level + 1];
		bool changed = false;

		lo >>= PALLOC_FANOUT_SHIFT;
		hi >>= PALLOC_FANOUT_SHIFT;
		for (i = lo; i <= hi; i++) {
			palloc_sum_t sum;

			sum = palloc_sum_merge(child + (i << PALLOC_FANOUT_SHIFT),
					       palloc_level_shift(level + 1));
			changed |= sum != p->sum[level][i];
			p->sum[level][i] = sum;
		}
		if (!changed)
			return;
	}
}

/* The first free page of a region that has one: entry @i of level @level. */
static u64 palloc_first_in(const struct palloc *p, unsigned int level, u64 i)
{
	unsigned int first = 0;

	while (level < PALLOC_LEAF) {
		level++;
		i <<= PALLOC_FANOUT_SHIFT;
		while (!p->sum[level][i])
			i++;
	}
	palloc_bits_find(palloc_chunk_of(p, i)->alloc, 1, 0, &first);
	return (i << PALLOC_CHUNK_SHIFT) + first;
}

/**
 * palloc_find() - search the tree for a run of free pages
 * @p: the page allocator; p->search is not PALLOC_NONE
 * @n: length of the run, at least 1
 * @next: where to store a value for p->search that is right once the run is
 *	taken, or 0 if nothing better than the present one came to light
 *
 * Context: Any; the lock held.
 * Return: the first page of the lowest run, or PALLOC_NONE.
 */
u64 palloc_find(struct palloc *p, u64 n, u64 *next)
{
	/* The lowest free page is in entry @seen of level @seen_level. */
	unsigned int seen_level = 0;
	u64 seen = 0;
	/* The way down has been through the lowest entries with a free page. */
	bool lowest = true;
	/* The block looked at on each level: @nr entries from @i on. */
	u64 nr = DIV_ROUND_UP_ULL(p->end, PALLOC_ROOT_CHUNKS);
	u64 i = 0;
	u64 page = PALLOC_NONE;
	unsigned int level, at, first;

	*next = 0;
	for (level = 0; level < PALLOC_LEVELS; level++) {
		unsigned int shift = palloc_level_shift(level);
		u64 low = PALLOC_NONE;
		u64 base = 0;	/* where the run carried along begins */
		u64 size = 0;	/* its length */
		u64 end = i + nr;

		/* Nothing is free in entries below the search page's. */
		if (i < p->search >> shift && p->search >> shift < end)
			i = p->search >> shift;
		for (; i < end; i++) {
			palloc_sum_t sum = p->sum[level][i];
			u32 start;

			if (!sum) {
				size = 0;
				continue;
			}
			if (low == PALLOC_NONE)
				low = i;
			start = palloc_sum_start(sum);
			if (size + start >= n) {
				page = size ? base : i << shift;
				break;
			}
			if (palloc_sum_max(sum) >= n)
				break;
			if (!size || !(start >> shift)) {
				size = palloc_sum_end(sum);
				base = ((i + 1) << shift) - size;
			} else {
				size += start;
			}
		}
		if (lowest && low != PALLOC_NONE) {
			seen_level = level;
			seen = low;
			lowest = low == i;
		}
		if (page != PALLOC_NONE)
			goto found;
		if (i == end) {
			if (level)
				palloc_fail(p, "summary promises a run that is not there",
					    i << shift, n);
			return PALLOC_NONE;
		}
		/* It is in entry @i: go down. */
		if (level < PALLOC_LEAF) {
			i <<= PALLOC_FANOUT_SHIFT;
			nr = PALLOC_FANOUT;
		}
	}

	at = palloc_bits_find(palloc_chunk_of(p, i)->alloc, n, 0, &first);
	if (at == PALLOC_CHUNK_NONE) {
		palloc_fail(p, "summary promises a run the bitmap lacks",
			    i << PALLOC_CHUNK_SHIFT, n);
		return PALLOC_NONE;
	}
	page = (i << PALLOC_CHUNK_SHIFT) + at;
	if (lowest) {
		*next = (i << PALLOC_CHUNK_SHIFT) + first;
		return page;
	}
found:
	if (seen << palloc_level_shift(seen_level) > p->search)
		*next = palloc_first_in(p, seen_level, seen);
	return page;
}

/* Mark a run allocated, bitmaps and index; returns how much was scavenged. */
static u64 palloc_take(struct palloc *p, u64 base, u64 n)
{
	u64 page = base;
	u64 left = n;
	u64 scav = 0;

	while (left) {
		u64 chunk = page >> PALLOC_CHUNK_SHIFT;
		unsigned int here = pages_here(page, left);

		scav += palloc_chunk_take(palloc_chunk_of(p, chunk),
					  palloc_page_in_chunk(page), here);
		scavenge_index_alloc(&p->scav, chunk, here);
		page += here;
		left -= here;
	}
	p->nr_free -= n;
	palloc_update(p, base, n, false);
	return scav;
}

/**
 * palloc_alloc() - allocate a run of pages
 * @p: the page allocator
 * @nr_pages: length of the run, at least 1
 * @scav_pages: where to store how many of the pages were scavenged; if all
 *	were, the run is known to be zero
 *
 * Context: Any; the lock held.
 * Return: the first page of the lowest run that is long enough, or PALLOC_NONE.
 */
u64 palloc_alloc(struct palloc *p, u64 nr_pages, u64 *scav_pages)
{
	u64 chunk = p->search >> PALLOC_CHUNK_SHIFT;
	u64 page, next;

	*scav_pages = 0;
	/* True as well when search is PALLOC_NONE. */
	if (chunk >= p->end)
		return PALLOC_NONE;

	if (palloc_sum_max(p->sum[PALLOC_LEAF][chunk]) >= nr_pages) {
		/* In the search page's chunk: no need to ask the tree. */
		unsigned int first, at;

		at = palloc_bits_find(palloc_chunk_of(p, chunk)->alloc, nr_pages,
				      palloc_page_in_chunk(p->search), &first);
		if (unlikely(at == PALLOC_CHUNK_NONE)) {
			palloc_fail(p, "summary promises a run the bitmap lacks",
				    p->search, nr_pages);
			return PALLOC_NONE;
		}
		page = (chunk << PALLOC_CHUNK_SHIFT) + at;
		next = (chunk << PALLOC_CHUNK_SHIFT) + first;
	} else {
		page = palloc_find(p, nr_pages, &next);
		if (page == PALLOC_NONE) {
			/* Not one page: nothing to look for until a free. */
			if (nr_pages == 1)
				p->search = PALLOC_NONE;
			return PALLOC_NONE;
		}
	}

	*scav_pages = palloc_take(p, page, nr_pages);
	p->search = max(p->search, next);
	return page;
}
GOALLOC_EXPORT_KUNIT(palloc_alloc);

/* Sets of page states, see palloc_all_are() and palloc_chunk.h. */
#define PAGES_FREE	(BIT(0) | BIT(1))
#define PAGES_ALLOCATED	BIT(2)
#define PAGES_NOT_OURS	BIT(3)
#define PAGES_OURS	(PAGES_FREE | PAGES_ALLOCATED)

/*
 * Are all pages of the run in reserved chunks, and in a given state?  @states
 * has bit 2 * alloc + scavenged set for each state they may be in.
 */
static bool palloc_all_are(struct palloc *p, u64 base, u64 n,
			   unsigned int states, const char *what)
{
	u64 page = base;

	if (n > palloc_nr_pages(p) || base > palloc_nr_pages(p) - n) {
		palloc_fail(p, "pages beyond the address space", base, n);
		return false;
	}
	while (n) {
		const struct palloc_chunk *c;
		unsigned int here = pages_here(page, n);
		unsigned int i = palloc_page_in_chunk(page);

		c = palloc_chunk_of(p, page >> PALLOC_CHUNK_SHIFT);
		if (!c) {
			palloc_fail(p, "pages that were never reserved", page, n);
			return false;
		}
		for (; here; here--, i++, page++, n--) {
			unsigned int alloc = c->alloc[i / 64] >> i % 64 & 1;
			unsigned int scav = c->scavenged[i / 64] >> i % 64 & 1;

			if (states & BIT(2 * alloc + scav))
				continue;
			palloc_fail(p, what, page, n);
			return false;
		}
	}
	return true;
}

/**
 * palloc_alloc_at() - allocate a certain run of pages
 * @p: the page allocator
 * @base: first page
 * @nr_pages: length of the run, at least 1; every page of it is free
 * @scav_pages: where to store how many of the pages were scavenged
 *
 * For pages that the caller has just added, still under the same lock.
 *
 * Context: Any; the lock held.
 */
void palloc_alloc_at(struct palloc *p, u64 base, u64 nr_pages, u64 *scav_pages)
{
	*scav_pages = 0;
	if (GOALLOC_CORE_DEBUG &&
	    !palloc_all_are(p, base, nr_pages, PAGES_FREE,
			    "allocating a page that is not free"))
		return;
	*scav_pages = palloc_take(p, base, nr_pages);
}
GOALLOC_EXPORT_KUNIT(palloc_alloc_at);

/**
 * palloc_free() - give a run of allocated pages back to the tree
 * @p: the page allocator
 * @base: first page
 * @nr_pages: length of the run, at least 1; any allocated pages, not
 *	necessarily one allocation
 *
 * Context: Any; the lock held.
 */
void palloc_free(struct palloc *p, u64 base, u64 nr_pages)
{
	u64 page = base;
	u64 left = nr_pages;

	if (GOALLOC_CORE_DEBUG &&
	    !palloc_all_are(p, base, nr_pages, PAGES_ALLOCATED,
			    "freeing a page that is not allocated"))
		return;

	while (left) {
		u64 chunk = page >> PALLOC_CHUNK_SHIFT;
		unsigned int here = pages_here(page, left);
		unsigned int i = palloc_page_in_chunk(page);

		palloc_bits_clear(palloc_chunk_of(p, chunk)->alloc, i, here);
		scavenge_index_free(&p->scav, chunk, i + here - 1, here);
		page += here;
		left -= here;
	}
	p->nr_free += nr_pages;
	p->search = min(p->search, base);
	palloc_update(p, base, nr_pages, true);
}
GOALLOC_EXPORT_KUNIT(palloc_free);

/**
 * palloc_grow() - pages have become ours and are free
 * @p: the page allocator
 * @base: first page
 * @nr_pages: number of pages; reserved before, and not ours yet
 * @clean: the pages are known to be zero; they get their scavenged bits
 *
 * Growing over pages that are ours, or were not reserved, changes nothing but
 * p->fault.
 *
 * Context: Any; the lock held.
 */
void palloc_grow(struct palloc *p, u64 base, u64 nr_pages, bool clean)
{
	u64 page = base;
	u64 left = nr_pages;

	/* Growth is rare enough to be checked always. */
	if (!palloc_all_are(p, base, nr_pages, PAGES_NOT_OURS,
			    "growing over a page that is owned"))
		return;

	while (left) {
		u64 chunk = page >> PALLOC_CHUNK_SHIFT;
		unsigned int here = pages_here(page, left);
		unsigned int i = palloc_page_in_chunk(page);
		struct palloc_chunk *c = palloc_chunk_of(p, chunk);

		palloc_bits_clear(c->alloc, i, here);
		scavenge_index_grow(&p->scav, chunk);
		if (!clean) {
			palloc_bits_clear(c->scavenged, i, here);
			scavenge_index_free(&p->scav, chunk, i + here - 1, 0);
		} else if (p->release_disowns) {
			scavenge_index_free(&p->scav, chunk, i + here - 1, 0);
		}
		page += here;
		left -= here;
	}
	p->nr_owned += nr_pages;
	p->nr_free += nr_pages;
	p->start = min(p->start, base >> PALLOC_CHUNK_SHIFT);
	p->end = max(p->end, ((base + nr_pages - 1) >> PALLOC_CHUNK_SHIFT) + 1);
	p->search = min(p->search, base);
	palloc_update(p, base, nr_pages, true);
}
GOALLOC_EXPORT_KUNIT(palloc_grow);

/**
 * palloc_disown() - pages are no longer ours
 * @p: the page allocator
 * @base: first page
 * @nr_pages: number of pages, each of them ours: allocated or free in the tree
 *
 * The opposite of palloc_grow().
 *
 * Context: Any; the lock held.
 */
void palloc_disown(struct palloc *p, u64 base, u64 nr_pages)
{
	u64 page = base;
	u64 left = nr_pages;

	if (GOALLOC_CORE_DEBUG &&
	    !palloc_all_are(p, base, nr_pages, PAGES_OURS,
			    "disowning a page that is not ours"))
		return;

	while (left) {
		u64 chunk = page >> PALLOC_CHUNK_SHIFT;
		unsigned int here = pages_here(page, left);
		unsigned int i = palloc_page_in_chunk(page);
		struct palloc_chunk *c = palloc_chunk_of(p, chunk);
		unsigned int used = palloc_bits_popcount(c->alloc, i, here);

		palloc_bits_set(c->alloc, i, here);
		palloc_bits_set(c->scavenged, i, here);
		scavenge_index_drop(&p->scav, chunk, used);
		p->nr_free -= here - used;
		page += here;
		left -= here;
	}
	p->nr_owned -= nr_pages;
	palloc_update(p, base, nr_pages, false);
}
GOALLOC_EXPORT_KUNIT(palloc_disown);

/*
 * The arrays for an address space of a certain size.  A larger one replaces
 * them as a whole; blocks of bitmaps are pointed to by both.  Old arrays stay
 * until the palloc is destroyed, so that lock-free readers need not announce
 * themselves; as each is half again as large as the one before, the old ones
 * together are at most twice the size of the present one.
 */
struct palloc_space {
	u64 nr_chunks;			/* multiple of PALLOC_ROOT_CHUNKS */
	palloc_sum_t *sum[PALLOC_LEVELS];
	void **blocks;			/* of bitmaps */
	void **scav;			/* of scavenge index words */
	struct palloc_space *old;
};

/* Both kinds of block have this size. */
#define PALLOC_BLOCK_BYTES	(PALLOC_BLOCK_CHUNKS * sizeof(struct palloc_chunk))
static_assert(SCAVENGE_BLOCK_CHUNKS * sizeof(u64) == PALLOC_BLOCK_BYTES);

/* 2^52 bytes of 4 KiB pages. */
#define PALLOC_MAX_PAGES	BIT_ULL(40)

static void *palloc_get(struct palloc *p, size_t bytes, gfp_t gfp)
{
	void *mem = p->mem->zalloc(p->mem, bytes, gfp);

	if (mem)
		atomic64_add(bytes, &p->metadata);
	return mem;
}

static void palloc_put(struct palloc *p, void *mem, size_t bytes)
{
	if (!mem)
		return;
	p->mem->free(p->mem, mem, bytes);
	atomic64_sub(bytes, &p->metadata);
}

static size_t sum_bytes(u64 nr_chunks, unsigned int level)
{
	return (nr_chunks >> PALLOC_FANOUT_SHIFT * (PALLOC_LEAF - level)) *
	       sizeof(palloc_sum_t);
}

static size_t table_bytes(u64 nr_chunks, unsigned int block_shift)
{
	return (nr_chunks >> block_shift) * sizeof(void *);
}

static void palloc_space_free(struct palloc *p, struct palloc_space *space)
{
	unsigned int level;

	for (level = 0; level < PALLOC_LEVELS; level++)
		palloc_put(p, space->sum[level],
			   sum_bytes(space->nr_chunks, level));
	palloc_put(p, space->blocks,
		   table_bytes(space->nr_chunks, PALLOC_BLOCK_SHIFT));
	palloc_put(p, space->scav,
		   table_bytes(space->nr_chunks, SCAVENGE_BLOCK_SHIFT));
	palloc_put(p, space, sizeof(*space));
}

static struct palloc_space *palloc_space_alloc(struct palloc *p, u64 nr_pages,
					       gfp_t gfp)
{
	struct palloc_space *space = palloc_get(p, sizeof(*space), gfp);
	bool ok;
	int level;

	if (!space)
		return NULL;
	space->nr_chunks = round_up(nr_pages, 1ULL << PALLOC_ROOT_SHIFT) >>
			   PALLOC_CHUNK_SHIFT;
	space->blocks = palloc_get(p, table_bytes(space->nr_chunks,
						  PALLOC_BLOCK_SHIFT), gfp);
	space->scav = palloc_get(p, table_bytes(space->nr_chunks,
						SCAVENGE_BLOCK_SHIFT), gfp);
	ok = space->blocks && space->scav;
	for (level = 0; ok && level < PALLOC_LEVELS; level++) {
		space->sum[level] = palloc_get(p, sum_bytes(space->nr_chunks,
							    level), gfp);
		ok = space->sum[level];
	}
	if (ok)
		return space;
	palloc_space_free(p, space);
	return NULL;
}

static void palloc_use_space(struct palloc *p, struct palloc_space *space)
{
	memcpy(p->sum, space->sum, sizeof(p->sum));
	p->blocks = space->blocks;
	/* Pairs with scavenge_index_find(). */
	smp_store_release(&p->scav.blocks, space->scav);
	/* Pairs with palloc_reserve() and palloc_nr_pages(). */
	smp_store_release(&p->space, space);
}

/**
 * palloc_init() - begin with an empty address space
 * @p: the page allocator
 * @mem: where it gets memory for itself; must outlive it
 * @nr_pages: pages of address space, none of them ours yet
 * @gfp: for the allocation of arrays, see palloc.h
 *
 * Context: As @gfp says.
 * Return: 0, -ENOMEM, or -EINVAL for an address space of 0 pages or more than
 * 2^40.
 */
int palloc_init(struct palloc *p, const struct palloc_mem *mem, u64 nr_pages,
		gfp_t gfp)
{
	struct palloc_space *space;

	*p = (struct palloc){
		.search = PALLOC_NONE,
		.start = U64_MAX,
		.huge_pages = PALLOC_HUGE_PAGES,
		.mem = mem,
	};
	if (!nr_pages || nr_pages > PALLOC_MAX_PAGES)
		return -EINVAL;
	space = palloc_space_alloc(p, nr_pages, gfp);
	if (!space)
		return -ENOMEM;
	scavenge_index_init(&p->scav, space->scav);
	palloc_use_space(p, space);
	return 0;
}
GOALLOC_EXPORT_KUNIT(palloc_init);

/* Free the blocks of @space's tables that @keep does not have as well. */
static void palloc_free_blocks(struct palloc *p, struct palloc_space *space,
			       struct palloc_space *keep)
{
	u64 i;

	for (i = 0; i < space->nr_chunks >> PALLOC_BLOCK_SHIFT; i++)
		if (!keep || space->blocks[i] != keep->blocks[i])
			palloc_put(p, space->blocks[i], PALLOC_BLOCK_BYTES);
	for (i = 0; i < space->nr_chunks >> SCAVENGE_BLOCK_SHIFT; i++)
		if (!keep || space->scav[i] != keep->scav[i])
			palloc_put(p, space->scav[i], PALLOC_BLOCK_BYTES);
}

/**
 * palloc_destroy() - free everything the palloc allocated for itself
 * @p: the page allocator, possibly one whose palloc_init() failed
 *
 * Context: Any that suits the free function given to palloc_init(); nobody
 * else uses @p any more.
 */
void palloc_destroy(struct palloc *p)
{
	struct palloc_space *now = p->space;
	struct palloc_space *old;

	if (!now)
		return;
	while ((old = now->old)) {
		now->old = old->old;
		palloc_free_blocks(p, old, now);
		palloc_space_free(p, old);
	}
	palloc_free_blocks(p, now, NULL);
	palloc_space_free(p, now);
	p->space = NULL;
}
GOALLOC_EXPORT_KUNIT(palloc_destroy);

/**
 * palloc_nr_pages() - the size of the address space
 * @p: the page allocator
 *
 * Context: Any.
 * Return: pages, at least what palloc_init() was asked for.
 */
u64 palloc_nr_pages(const struct palloc *p)
{
	/* Pairs with palloc_use_space(). */
	return smp_load_acquire(&p->space)->nr_chunks << PALLOC_CHUNK_SHIFT;
}
GOALLOC_EXPORT_KUNIT(palloc_nr_pages);

/**
 * palloc_extend_prepare() - allocate arrays for a larger address space
 * @p: the page allocator
 * @nr_pages: pages of address space wanted
 * @gfp: for the allocation
 * @next: where to store the arrays, for palloc_extend_commit(); NULL if the
 *	address space is large enough already
 *
 * Context: As @gfp says; the lock not needed.
 * Return: 0, -ENOMEM, or -EINVAL for more than 2^40 pages.
 */
int palloc_extend_prepare(struct palloc *p, u64 nr_pages, gfp_t gfp,
			  struct palloc_space **next)
{
	u64 now = palloc_nr_pages(p);

	*next = NULL;
	if (nr_pages > PALLOC_MAX_PAGES)
		return -EINVAL;
	if (nr_pages <= now)
		return 0;
	nr_pages = max(nr_pages, now + now / 2);
	nr_pages = min_t(u64, nr_pages, PALLOC_MAX_PAGES);
	*next = palloc_space_alloc(p, nr_pages, gfp);
	return *next ? 0 : -ENOMEM;
}
GOALLOC_EXPORT_KUNIT(palloc_extend_prepare);

/* Copy what @from has and @to has not. */
static void palloc_copy_table(void **to, void **from, u64 n)
{
	u64 i;

	for (i = 0; i < n; i++) {
		void *block = READ_ONCE(from[i]);

		if (block && !READ_ONCE(to[i]))
			cmpxchg(&to[i], NULL, block);
	}
}

/**
 * palloc_extend_commit() - switch to a larger address space
 * @p: the page allocator
 * @next: what palloc_extend_prepare() made, or NULL
 *
 * Copies the summaries, 2 MiB per TiB of the old address space, and rarely
 * needed: address space is sized for the machine at first.
 *
 * Context: Any; the lock held.
 */
void palloc_extend_commit(struct palloc *p, struct palloc_space *next)
{
	struct palloc_space *old = p->space;
	u64 nr_blocks = old->nr_chunks >> PALLOC_BLOCK_SHIFT;
	u64 nr_scav = old->nr_chunks >> SCAVENGE_BLOCK_SHIFT;
	int level;

	if (!next)
		return;
	if (next->nr_chunks <= old->nr_chunks) {
		/* Somebody was faster; freed with the rest. */
		next->old = old->old;
		old->old = next;
		return;
	}
	for (level = 0; level < PALLOC_LEVELS; level++)
		memcpy(next->sum[level], old->sum[level],
		       sum_bytes(old->nr_chunks, level));
	palloc_copy_table(next->blocks, old->blocks, nr_blocks);
	palloc_copy_table(next->scav, old->scav, nr_scav);
	next->old = old;
	palloc_use_space(p, next);

	/*
	 * A palloc_reserve() on another CPU may have put a block into the old
	 * tables after they were copied.  Either it sees the new ones now and
	 * begins again, or its block is seen here: pairs with its smp_mb().
	 * If both happen, one of two blocks is lost, and unused, as using it
	 * takes the lock.
	 */
	smp_mb();
	palloc_copy_table(next->blocks, old->blocks, nr_blocks);
	palloc_copy_table(next->scav, old->scav, nr_scav);
}
GOALLOC_EXPORT_KUNIT(palloc_extend_commit);

/**
 * palloc_extend() - make the address space larger
 * @p: the page allocator
 * @nr_pages: pages of address space wanted
 * @gfp: for the allocation
 *
 * Both steps in one, for callers that hold the lock and may allocate.
 *
 * Context: As @gfp says; the lock held, or nobody else uses @p.
 * Return: 0, -ENOMEM or -EINVAL.
 */
int palloc_extend(struct palloc *p, u64 nr_pages, gfp_t gfp)
{
	struct palloc_space *next;
	int err = palloc_extend_prepare(p, nr_pages, gfp, &next);

	if (!err)
		palloc_extend_commit(p, next);
	return err;
}
GOALLOC_EXPORT_KUNIT(palloc_extend);

/* Make sure that blocks @lo to @hi of a table exist. */
static int palloc_reserve_table(struct palloc *p, void **table, u64 lo, u64 hi,
				u8 fill, gfp_t gfp)
{
	for (; lo <= hi; lo++) {
		void *block;

		/* Pairs with cmpxchg() below: the pointer, then what it has. */
		if (smp_load_acquire(&table[lo]))
			continue;
		block = palloc_get(p, PALLOC_BLOCK_BYTES, gfp);
		if (!block)
			return -ENOMEM;
		if (fill)
			memset(block, fill, PALLOC_BLOCK_BYTES);
		if (cmpxchg(&table[lo], NULL, block))
			palloc_put(p, block, PALLOC_BLOCK_BYTES);
	}
	return 0;
}

/**
 * palloc_reserve() - make the bitmaps for a range of pages exist
 * @p: the page allocator
 * @base: first page
 * @nr_pages: number of pages, at least 1
 * @gfp: for the allocation of blocks
 *
 * New pages are not ours until palloc_grow().  May be called for the same range
 * again, and on several CPUs at a time.
 *
 * Context: As @gfp says; the lock not needed.
 * Return: 0, -ENOMEM (what is there stays), or -EINVAL for a range beyond the
 * address space.
 */
int palloc_reserve(struct palloc *p, u64 base, u64 nr_pages, gfp_t gfp)
{
	u64 lo = base >> PALLOC_CHUNK_SHIFT;
	u64 hi = (base + nr_pages - 1) >> PALLOC_CHUNK_SHIFT;
	struct palloc_space *space, *now;
	int err;

	/* Pairs with palloc_use_space(). */
	now = smp_load_acquire(&p->space);
	do {
		space = now;
		if (!nr_pages || base + nr_pages < base ||
		    hi >= space->nr_chunks)
			return -EINVAL;
		err = palloc_reserve_table(p, space->blocks,
					   lo >> PALLOC_BLOCK_SHIFT,
					   hi >> PALLOC_BLOCK_SHIFT, 0xff, gfp);
		if (!err)
			err = palloc_reserve_table(p, space->scav,
						   lo >> SCAVENGE_BLOCK_SHIFT,
						   hi >> SCAVENGE_BLOCK_SHIFT,
						   0, gfp);
		if (err)
			return err;
		/* Pairs with the one in palloc_extend_commit(). */
		smp_mb();
		now = smp_load_acquire(&p->space); /* as above */
	} while (now != space);
	return 0;
}
GOALLOC_EXPORT_KUNIT(palloc_reserve);

static int palloc_check_failed(struct palloc_fault *where, const char *what,
			       u64 page, u64 n)
{
	*where = (struct palloc_fault){
		.what = what,
		.chunk = page >> PALLOC_CHUNK_SHIFT,
		.page = page,
		.nr_pages = n,
	};
	return -EUCLEAN;
}

/* A chunk: its summary against its bitmap; adds up what is free and ours. */
static int palloc_check_chunk(const struct palloc *p, u64 i, u64 *nr_free,
			      u64 *nr_owned, struct palloc_fault *where)
{
	const struct palloc_chunk *c = palloc_chunk_of(p, i);
	palloc_sum_t sum = palloc_bits_summarize(c->alloc);
	u64 base = i << PALLOC_CHUNK_SHIFT;
	unsigned int w;

	if (p->sum[PALLOC_LEAF][i] != sum)
		return palloc_check_failed(where, "leaf summary differs from bitmap",
					   base, PALLOC_CHUNK_PAGES);
	if (sum && (i < p->start || i >= p->end))
		return palloc_check_failed(where, "free pages outside of what was grown",
					   base, PALLOC_CHUNK_PAGES);
	for (w = 0; w < PALLOC_CHUNK_WORDS; w++) {
		u64 free = ~c->alloc[w];
		u64 first = base + w * 64 + (free ? __ffs64(free) : 0);

		*nr_free += hweight64(free);
		*nr_owned += hweight64(~(c->alloc[w] & c->scavenged[w]));
		if (free && first < p->search)
			return palloc_check_failed(where, "free page below the search page",
						   first, 1);
	}
	return 0;
}

/* All summaries of a level against those below. */
static int palloc_check_level(const struct palloc *p, unsigned int level,
			      struct palloc_fault *where)
{
	unsigned int shift = palloc_level_shift(level + 1);
	unsigned int up = palloc_level_shift(level);
	u64 n = palloc_nr_pages(p) >> up;
	const palloc_sum_t *sum = p->sum[level];
	const palloc_sum_t *child = p->sum[level + 1];
	u64 i;

	for (i = 0; i < n; i++, child += PALLOC_FANOUT) {
		/* Most of a large address space is empty. */
		if (!sum[i] && !memchr_inv(child, 0,
					   PALLOC_FANOUT * sizeof(*child)))
			continue;
		if (sum[i] != palloc_sum_merge(child, shift))
			return palloc_check_failed(where, "summary differs from its children",
						   i << up, 1ULL << up);
	}
	return 0;
}

/**
 * palloc_check() - compare every summary with what it summarizes
 * @p: the page allocator
 * @where: where to store the first difference
 *
 * Walks the whole address space: for tests, and for debugging.
 *
 * Context: Any; the lock held.
 * Return: 0 if all is as it must be, else -EUCLEAN.
 */
int palloc_check(const struct palloc *p, struct palloc_fault *where)
{
	u64 nr_chunks = palloc_nr_pages(p) >> PALLOC_CHUNK_SHIFT;
	u64 nr_free = 0, nr_owned = 0;
	int level, err;
	u64 i, k;

	if (p->fault.what) {
		*where = p->fault;
		return -EUCLEAN;
	}
	for (i = 0; i < nr_chunks; i += PALLOC_BLOCK_CHUNKS) {
		const palloc_sum_t *leaf = p->sum[PALLOC_LEAF] + i;

		if (!palloc_chunk_of(p, i)) {
			if (memchr_inv(leaf, 0,
				       PALLOC_BLOCK_CHUNKS * sizeof(*leaf)))
				return palloc_check_failed(where, "summary where no chunk is",
							   i << PALLOC_CHUNK_SHIFT,
							   PALLOC_CHUNK_PAGES);
			continue;
		}
		for (k = i; k < i + PALLOC_BLOCK_CHUNKS; k++) {
			err = palloc_check_chunk(p, k, &nr_free, &nr_owned,
						 where);
			if (err)
				return err;
		}
	}
	for (level = PALLOC_LEAF - 1; level >= 0; level--) {
		err = palloc_check_level(p, level, where);
		if (err)
			return err;
	}
	if (p->search != PALLOC_NONE &&
	    !palloc_chunk_of(p, p->search >> PALLOC_CHUNK_SHIFT))
		return palloc_check_failed(where, "search page where no chunk is",
					   p->search, 1);
	if (nr_free != p->nr_free)
		return palloc_check_failed(where, "free pages miscounted", 0,
					   nr_free);
	if (nr_owned != p->nr_owned)
		return palloc_check_failed(where, "owned pages miscounted", 0,
					   nr_owned);
	return 0;
}
GOALLOC_EXPORT_KUNIT(palloc_check);
