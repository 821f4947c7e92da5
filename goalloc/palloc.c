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
 * and palloc_extend_prepare(), which are in palloc_space.c.
 */
#include "palloc.h"

/* The leaf of a chunk may be another one now: make those above it follow. */
static void palloc_set_leaf(struct palloc *p, u64 chunk, palloc_sum_t sum)
{
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
	palloc_set_leaf(p, chunk, palloc_bits_summarize(c->alloc));
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
		const u64 *bits = palloc_chunk_of(p, lo)->alloc;

		palloc_set_leaf(p, lo, now_free ?
				palloc_bits_joined(bits, leaf[lo], palloc_page_in_chunk(base), n) :
				palloc_bits_summarize(bits));
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
		unsigned int here = palloc_pages_here(page, left);

		scav += palloc_chunk_take(palloc_chunk_of(p, chunk),
					  palloc_page_in_chunk(page), here);
		scavenge_index_alloc(&p->scav, chunk, here);
		page += here;
		left -= here;
	}
	p->nr_free -= n;
	p->changes++;
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
	    !palloc_all_are(p, base, nr_pages, PALLOC_PAGES_FREE,
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
	    !palloc_all_are(p, base, nr_pages, PALLOC_PAGES_ALLOCATED,
			    "freeing a page that is not allocated"))
		return;

	while (left) {
		u64 chunk = page >> PALLOC_CHUNK_SHIFT;
		unsigned int here = palloc_pages_here(page, left);
		unsigned int i = palloc_page_in_chunk(page);

		palloc_bits_clear(palloc_chunk_of(p, chunk)->alloc, i, here);
		scavenge_index_free(&p->scav, chunk, i + here - 1, here);
		page += here;
		left -= here;
	}
	p->nr_free += nr_pages;
	p->changes++;
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
	if (!palloc_all_are(p, base, nr_pages, PALLOC_PAGES_NOT_OURS,
			    "growing over a page that is owned"))
		return;

	while (left) {
		u64 chunk = page >> PALLOC_CHUNK_SHIFT;
		unsigned int here = palloc_pages_here(page, left);
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
	p->changes++;
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
	    !palloc_all_are(p, base, nr_pages, PALLOC_PAGES_OURS,
			    "disowning a page that is not ours"))
		return;

	while (left) {
		u64 chunk = page >> PALLOC_CHUNK_SHIFT;
		unsigned int here = palloc_pages_here(page, left);
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
	p->changes++;
	palloc_update(p, base, nr_pages, false);
}
GOALLOC_EXPORT_KUNIT(palloc_disown);
