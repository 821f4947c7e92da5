// SPDX-License-Identifier: GPL-2.0-only
/*
 * palloc_check.c - noticing what must not be.
 *
 * Three prices.  Always: the search complains when a summary has promised what
 * is not there, and growth looks at each page.  With GOALLOC_DEBUG: so does
 * whatever frees.  On request: a walk over the whole address space.
 *
 * Nothing here repairs anything or stops anybody.  The first fault is kept, and
 * whoever grows the heap refuses.
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

/**
 * palloc_all_are() - are all pages of a run in a given state?
 * @p: the page allocator
 * @base: first page
 * @n: length of the run
 * @states: PALLOC_PAGES_*: the states they may be in
 * @what: what to record with palloc_fail() if not
 *
 * Context: Any; the lock held.
 * Return: true if they are; false too if some were never reserved.
 */
bool palloc_all_are(struct palloc *p, u64 base, u64 n, unsigned int states,
		    const char *what)
{
	u64 page = base;

	if (n > palloc_nr_pages(p) || base > palloc_nr_pages(p) - n) {
		palloc_fail(p, "pages beyond the address space", base, n);
		return false;
	}
	while (n) {
		const struct palloc_chunk *c;
		unsigned int here = palloc_pages_here(page, n);
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

/* Some summaries of a level against those below. */
static int palloc_check_parents(const struct palloc *p, unsigned int level,
				u64 i, u64 n, struct palloc_fault *where)
{
	unsigned int shift = palloc_level_shift(level + 1);
	unsigned int up = palloc_level_shift(level);
	const palloc_sum_t *sum = p->sum[level];
	const palloc_sum_t *child = p->sum[level + 1] + i * PALLOC_FANOUT;

	for (; n; n--, i++, child += PALLOC_FANOUT) {
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

/* A block of chunks, from chunk @i on. */
static int palloc_check_block(const struct palloc *p, u64 i,
			      struct palloc_check *check,
			      struct palloc_fault *where)
{
	const palloc_sum_t *leaf = p->sum[PALLOC_LEAF] + i;
	u64 k;
	int err;

	if (!palloc_chunk_of(p, i)) {
		if (memchr_inv(leaf, 0, PALLOC_BLOCK_CHUNKS * sizeof(*leaf)))
			return palloc_check_failed(where, "summary where no chunk is",
						   i << PALLOC_CHUNK_SHIFT,
						   PALLOC_CHUNK_PAGES);
		return 0;
	}
	for (k = i; k < i + PALLOC_BLOCK_CHUNKS; k++) {
		err = palloc_check_chunk(p, k, &check->nr_free, &check->nr_owned, where);
		if (err)
			return err;
	}
	return 0;
}

/* The sums, if nothing has changed since the check began. */
static int palloc_check_sums(const struct palloc *p,
			     const struct palloc_check *check,
			     struct palloc_fault *where)
{
	if (p->search != PALLOC_NONE &&
	    !palloc_chunk_of(p, p->search >> PALLOC_CHUNK_SHIFT))
		return palloc_check_failed(where, "search page where no chunk is",
					   p->search, 1);
	if (p->changes != check->changes)
		return 0;
	if (check->nr_free != p->nr_free)
		return palloc_check_failed(where, "free pages miscounted", 0,
					   check->nr_free);
	if (check->nr_owned != p->nr_owned)
		return palloc_check_failed(where, "owned pages miscounted", 0,
					   check->nr_owned);
	return 0;
}

/**
 * palloc_check_begin() - prepare to check a page allocator in steps
 * @p: the page allocator
 * @check: what palloc_check_step() is to be called with
 *
 * Context: Any; the lock held.
 */
void palloc_check_begin(const struct palloc *p, struct palloc_check *check)
{
	*check = (struct palloc_check){
		.level = PALLOC_LEAF,
		.changes = p->changes,
	};
}
GOALLOC_EXPORT_KUNIT(palloc_check_begin);

/**
 * palloc_check_step() - check a small part of a page allocator
 * @p: the page allocator
 * @check: how far it has come
 * @where: where to store the first difference
 *
 * A part is always compared as a whole, and right under the lock whatever has
 * happened between the steps. Pages are counted over all steps; should there
 * have been changes, see @check->changes, their sums are not compared.
 *
 * Context: Any; the lock held, which may be let go between the steps.
 * Return: 1 if there is more to do, 0 when done, -EUCLEAN for a difference.
 */
int palloc_check_step(const struct palloc *p, struct palloc_check *check,
		      struct palloc_fault *where)
{
	u64 i = check->next;
	u64 n;
	int err;

	if (p->fault.what) {
		*where = p->fault;
		return -EUCLEAN;
	}
	if (check->level == PALLOC_LEAF) {
		n = PALLOC_BLOCK_CHUNKS;
		err = palloc_check_block(p, i, check, where);
	} else {
		n = min_t(u64, PALLOC_BLOCK_CHUNKS,
			  palloc_entries(p, check->level) - i);
		err = palloc_check_parents(p, check->level, i, n, where);
	}
	if (err)
		return err;
	check->next = i + n;
	if (check->next < palloc_entries(p, check->level))
		return 1;
	check->next = 0;
	if (--check->level >= 0)
		return 1;
	return palloc_check_sums(p, check, where);
}
GOALLOC_EXPORT_KUNIT(palloc_check_step);

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
	struct palloc_check check;
	int more;

	palloc_check_begin(p, &check);
	do {
		more = palloc_check_step(p, &check, where);
	} while (more > 0);
	return more;
}
GOALLOC_EXPORT_KUNIT(palloc_check);
