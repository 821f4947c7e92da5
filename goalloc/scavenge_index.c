// SPDX-License-Identifier: GPL-2.0-only
/*
 * scavenge_index.c - where to look for memory to release, and the step that
 * releases it.
 *
 * A heap has far more chunks than chunks worth looking at.  One word per chunk
 * says how many of its pages are in use, how many were at the end of the
 * generation before, and whether something has become free since somebody last
 * looked (SCAVENGE_HAS_FREE):
 *
 *	bits  0..15	in_use
 *	bits 16..25	last_in_use
 *	bits 26..31	flags
 *	bits 32..63	gen
 *
 * A generation ends when memory use is at its peak (in Go: once per garbage
 * collection).  Background work leaves alone what was dense now or then, for
 * it will be wanted again; forced work takes everything.
 *
 * Two cursors, background and forced, say where a search begins; searches go
 * downwards from there and move the cursor along.  Freeing memory above a
 * cursor must move it up again.  The forced one moves at once; the background
 * one at the end of the generation, to the highest page freed in it, so that
 * memory freed a moment ago is not released a moment later.
 *
 * Searches need no lock.  They move a cursor by compare-and-exchange, and a
 * cursor moved upwards is marked: a search that began before that must not
 * pull it down again past the new memory.  A marked cursor gives way only to a
 * search that began at exactly this value; a sequence number in the cursor
 * tells two marks at the same page apart.
 *
 *	bits  0..43	page + 1, 0 = nothing to find
 *	bit  44		marked
 *	bits 45..63	sequence number of the last mark
 *
 * Locking: chunk words, gen, min_chunk and free_hwm are written under the lock
 * of the palloc and read anywhere.
 */
#include "scavenge_index.h"
#include "palloc.h"

#define CURSOR_PAGE	GENMASK_ULL(43, 0)
#define CURSOR_MARK	BIT_ULL(44)
#define CURSOR_SEQ	BIT_ULL(45)

/**
 * scavenge_data_pack() - make a chunk's word
 * @d: what it says
 *
 * Context: Any.
 * Return: the word.
 */
u64 scavenge_data_pack(const struct scavenge_data *d)
{
	return (u64)d->in_use | (u64)(d->last_in_use & 0x3ff) << 16 |
	       (u64)(d->flags & 0x3f) << 26 | (u64)d->gen << 32;
}
GOALLOC_EXPORT_KUNIT(scavenge_data_pack);

/**
 * scavenge_data_unpack() - read a chunk's word
 * @word: the word; 0 for a chunk without anything to scavenge
 *
 * Context: Any.
 * Return: what it says.
 */
struct scavenge_data scavenge_data_unpack(u64 word)
{
	return (struct scavenge_data){
		.in_use = word,
		.last_in_use = (word >> 16) & 0x3ff,
		.flags = (word >> 26) & 0x3f,
		.gen = word >> 32,
	};
}
GOALLOC_EXPORT_KUNIT(scavenge_data_unpack);

/* The word of a chunk, or NULL where no chunk was reserved. */
static inline u64 *word_of(void **blocks, u64 chunk)
{
	/* Pairs with cmpxchg() in palloc_reserve_table(). */
	u64 *block = smp_load_acquire(&blocks[chunk >> SCAVENGE_BLOCK_SHIFT]);

	return block ? block + (chunk & (SCAVENGE_BLOCK_CHUNKS - 1)) : NULL;
}

/**
 * scavenge_index_init() - begin with nothing to scavenge
 * @si: the index
 * @blocks: table of blocks for the address space
 *
 * Context: Any.
 */
void scavenge_index_init(struct scavenge_index *si, void **blocks)
{
	*si = (struct scavenge_index){
		.blocks = blocks,
		.min_chunk = U64_MAX,
	};
}

/**
 * scavenge_index_get() - what the index knows about a chunk
 * @si: the index
 * @chunk: a chunk of the address space
 *
 * Context: Any.
 * Return: the chunk's word, unpacked; zeros where no chunk was reserved.
 */
struct scavenge_data scavenge_index_get(const struct scavenge_index *si,
					u64 chunk)
{
	u64 *word = word_of(si->blocks, chunk);

	return scavenge_data_unpack(word ? READ_ONCE(*word) : 0);
}
GOALLOC_EXPORT_KUNIT(scavenge_index_get);

/* Move a cursor up to @page if it is below, and mark it. */
static void cursor_raise(u64 *cursor, u64 page)
{
	u64 old = READ_ONCE(*cursor);

	while ((old & CURSOR_PAGE) < page + 1) {
		u64 new = (old & ~(CURSOR_PAGE | CURSOR_MARK)) + CURSOR_SEQ;
		u64 seen;

		new |= CURSOR_MARK | (page + 1);
		seen = cmpxchg(cursor, old, new);
		if (seen == old)
			break;
		old = seen;
	}
}

/*
 * A search that began at @old has come down to @page (PALLOC_NONE: to the end).
 * If the cursor is not what it was, then either another search has moved it
 * down (and this result is as good), or it was raised and must stay.
 */
static void cursor_lower(u64 *cursor, u64 old, u64 page)
{
	u64 new = old & ~(CURSOR_PAGE | CURSOR_MARK);

	cmpxchg(cursor, old, new | (page + 1));
}

/* Adjust the count of a chunk by @n pages; a new generation rolls it over. */
static struct scavenge_data data_in_gen(const struct scavenge_index *si,
					const u64 *word)
{
	struct scavenge_data d = scavenge_data_unpack(*word);

	if (d.gen != si->gen) {
		d.last_in_use = d.in_use;
		d.gen = si->gen;
	}
	return d;
}

/**
 * scavenge_index_grow() - memory of a chunk has become ours
 * @si: the index
 * @chunk: the chunk; reserved
 *
 * Context: Any; the lock held.
 */
void scavenge_index_grow(struct scavenge_index *si, u64 chunk)
{
	if (chunk < si->min_chunk)
		WRITE_ONCE(si->min_chunk, chunk);
}

/**
 * scavenge_index_alloc() - pages of a chunk are in use
 * @si: the index
 * @chunk: the chunk
 * @n: number of pages
 *
 * Context: Any; the lock held.
 */
void scavenge_index_alloc(struct scavenge_index *si, u64 chunk, unsigned int n)
{
	u64 *word = word_of(si->blocks, chunk);
	struct scavenge_data d = data_in_gen(si, word);

	d.in_use += n;
	if (d.in_use == PALLOC_CHUNK_PAGES)
		d.flags &= ~SCAVENGE_HAS_FREE;
	WRITE_ONCE(*word, scavenge_data_pack(&d));
}
GOALLOC_EXPORT_KUNIT(scavenge_index_alloc);

/**
 * scavenge_index_free() - pages of a chunk are no longer in use
 * @si: the index
 * @chunk: the chunk
 * @page: highest of the pages, in the chunk
 * @n: number of pages; 0 for pages that are free without having been in use
 *
 * Context: Any; the lock held.
 */
void scavenge_index_free(struct scavenge_index *si, u64 chunk,
			 unsigned int page, unsigned int n)
{
	u64 *word = word_of(si->blocks, chunk);
	struct scavenge_data d = data_in_gen(si, word);
	u64 last = (chunk << PALLOC_CHUNK_SHIFT) + page;

	d.in_use -= n;
	d.flags |= SCAVENGE_HAS_FREE;
	WRITE_ONCE(*word, scavenge_data_pack(&d));

	si->free_hwm = max(si->free_hwm, last + 1);
	/* Compare first: most frees are below the cursor. */
	if ((READ_ONCE(si->forced) & CURSOR_PAGE) < last + 1)
		cursor_raise(&si->forced, last);
}
GOALLOC_EXPORT_KUNIT(scavenge_index_free);

/**
 * scavenge_index_drop() - pages in use are no longer ours
 * @si: the index
 * @chunk: the chunk
 * @n: number of pages
 *
 * Context: Any; the lock held.
 */
void scavenge_index_drop(struct scavenge_index *si, u64 chunk, unsigned int n)
{
	u64 *word = word_of(si->blocks, chunk);
	struct scavenge_data d = data_in_gen(si, word);

	d.in_use -= n;
	WRITE_ONCE(*word, scavenge_data_pack(&d));
}

/**
 * scavenge_index_set_empty() - a chunk has nothing to release
 * @si: the index
 * @chunk: the chunk
 *
 * Context: Any; the lock held.
 */
void scavenge_index_set_empty(struct scavenge_index *si, u64 chunk)
{
	u64 *word = word_of(si->blocks, chunk);
	struct scavenge_data d = scavenge_data_unpack(*word);

	d.flags &= ~SCAVENGE_HAS_FREE;
	WRITE_ONCE(*word, scavenge_data_pack(&d));
}
GOALLOC_EXPORT_KUNIT(scavenge_index_set_empty);

/**
 * scavenge_index_pass() - search below a chunk from now on
 * @si: the index
 * @force: which search
 * @chunk: the chunk
 *
 * For a chunk whose free pages are all above the cursor: they are not for this
 * search, but the chunk is not empty either.
 *
 * Context: Any; the lock held.
 */
void scavenge_index_pass(struct scavenge_index *si, bool force, u64 chunk)
{
	u64 *cursor = force ? &si->forced : &si->background;
	u64 old = READ_ONCE(*cursor);
	u64 page = (chunk << PALLOC_CHUNK_SHIFT) - 1;

	/* Chunk 0 makes this PALLOC_NONE: the end. */
	if ((old & CURSOR_PAGE) > page + 1)
		cursor_lower(cursor, old, page);
}

/**
 * scavenge_index_next_gen() - memory use is at its peak: a generation ends
 * @si: the index
 *
 * What was freed in it is in reach of the background search from now on.
 *
 * Context: Any; the lock held.
 */
void scavenge_index_next_gen(struct scavenge_index *si)
{
	WRITE_ONCE(si->gen, si->gen + 1);
	if (si->free_hwm)
		cursor_raise(&si->background, si->free_hwm - 1);
	si->free_hwm = 0;
}
GOALLOC_EXPORT_KUNIT(scavenge_index_next_gen);

/* Is it worth looking for memory to release in a chunk with this word? */
static bool worth_it(u64 word, u32 gen, bool force)
{
	struct scavenge_data d = scavenge_data_unpack(word);

	if (!(d.flags & SCAVENGE_HAS_FREE))
		return false;
	if (force)
		return true;
	if (d.gen == gen && d.last_in_use >= SCAVENGE_DENSE_PAGES)
		return false;
	return d.in_use < SCAVENGE_DENSE_PAGES;
}

/**
 * scavenge_index_find() - find the next chunk to release memory from
 * @si: the index
 * @force: take dense chunks, and memory freed in this generation, as well
 * @chunk: where to store the chunk
 * @page: where to store the page of it to begin at, downwards
 *
 * Context: Any; no lock needed.
 * Return: true if there is such a chunk.
 */
bool scavenge_index_find(struct scavenge_index *si, bool force, u64 *chunk,
			 unsigned int *page)
{
	u64 *cursor = force ? &si->forced : &si->background;
	/* Pairs with cmpxchg() in cursor_raise(): the cursor, then the words. */
	u64 old = smp_load_acquire(cursor);
	/* Pairs with palloc_extend_commit(). */
	void **blocks = smp_load_acquire(&si->blocks);
	u64 least = READ_ONCE(si->min_chunk);
	u32 gen = READ_ONCE(si->gen);
	u64 start, i;

	if (!(old & CURSOR_PAGE))
		return false;
	start = ((old & CURSOR_PAGE) - 1) >> PALLOC_CHUNK_SHIFT;

	/* i is one more than the chunk looked at, which may be chunk 0. */
	for (i = start + 1; i > least; i--) {
		u64 *word = word_of(blocks, i - 1);

		if (!word) {
			/* On to the end of the next lower block. */
			i = round_down(i - 1, SCAVENGE_BLOCK_CHUNKS) + 1;
			continue;
		}
		if (!worth_it(READ_ONCE(*word), gen, force))
			continue;
		*chunk = i - 1;
		if (i - 1 == start) {
			*page = palloc_page_in_chunk((old & CURSOR_PAGE) - 1);
			return true;
		}
		*page = PALLOC_CHUNK_PAGES - 1;
		cursor_lower(cursor, old, (i << PALLOC_CHUNK_SHIFT) - 1);
		return true;
	}
	cursor_lower(cursor, old, PALLOC_NONE);
	return false;
}
GOALLOC_EXPORT_KUNIT(scavenge_index_find);

/* The highest pages of a chunk to release; how many, and the first in @i. */
static unsigned int candidates(const struct palloc *p, u64 chunk,
			       unsigned int from, unsigned int max,
			       unsigned int *i)
{
	unsigned int n;

	*i = palloc_chunk_find_candidate(palloc_chunk_of(p, chunk), from, 1,
					 max, p->huge_pages,
					 p->release_disowns, &n);
	return n;
}

/**
 * palloc_scavenge_find() - find free pages to release
 * @p: the page allocator
 * @max_pages: pages wanted, at least 1
 * @force: look at dense chunks and at memory freed just now as well
 * @base: where to store the first page of the run
 * @nr_pages: where to store its length, which may be more than @max_pages to
 *	keep huge pages whole
 *
 * A chunk without a candidate is remembered as empty.  Go does so even if there
 * are candidates above the cursor, freed after it was set; they are then out of
 * sight until another page of the chunk is freed.  Here the chunk is passed by
 * and keeps its flag.
 *
 * Context: Any; the lock held.
 * Return: true if there is a run, all of it in one chunk.
 */
bool palloc_scavenge_find(struct palloc *p, u64 max_pages, bool force,
			  u64 *base, u64 *nr_pages)
{
	unsigned int max = min_t(u64, max_pages, PALLOC_CHUNK_PAGES);
	unsigned int from, i, n;
	u64 chunk;

	while (scavenge_index_find(&p->scav, force, &chunk, &from)) {
		n = candidates(p, chunk, from, max, &i);
		if (n) {
			*base = (chunk << PALLOC_CHUNK_SHIFT) + i;
			*nr_pages = n;
			return true;
		}
		if (candidates(p, chunk, PALLOC_CHUNK_PAGES - 1, 1, &i))
			scavenge_index_pass(&p->scav, force, chunk);
		else
			scavenge_index_set_empty(&p->scav, chunk);
	}
	return false;
}
GOALLOC_EXPORT_KUNIT(palloc_scavenge_find);

/**
 * palloc_scavenge_hold() - keep free pages from being allocated for a while
 * @p: the page allocator
 * @base: first page; free
 * @nr_pages: number of pages, all in one chunk
 *
 * For work on free pages that drops the lock: releasing the memory behind
 * them, or zeroing it.  The index is not told, as nothing is in use.
 *
 * Context: Any; the lock held.
 */
void palloc_scavenge_hold(struct palloc *p, u64 base, u64 nr_pages)
{
	u64 chunk = base >> PALLOC_CHUNK_SHIFT;
	struct palloc_chunk *c = palloc_chunk_of(p, chunk);

	palloc_chunk_take(c, palloc_page_in_chunk(base), nr_pages);
	p->nr_free -= nr_pages;
	palloc_update_chunk(p, c, chunk);
}
GOALLOC_EXPORT_KUNIT(palloc_scavenge_hold);

/**
 * palloc_scavenge_done() - pages held back are free again, and zero
 * @p: the page allocator
 * @base: first page, as given to palloc_scavenge_hold()
 * @nr_pages: number of pages, as given to palloc_scavenge_hold()
 *
 * Context: Any; the lock held.
 */
void palloc_scavenge_done(struct palloc *p, u64 base, u64 nr_pages)
{
	u64 chunk = base >> PALLOC_CHUNK_SHIFT;
	struct palloc_chunk *c = palloc_chunk_of(p, chunk);
	unsigned int i = palloc_page_in_chunk(base);

	palloc_bits_clear(c->alloc, i, nr_pages);
	palloc_bits_set(c->scavenged, i, nr_pages);
	p->nr_free += nr_pages;
	p->search = min(p->search, base);
	palloc_update_chunk(p, c, chunk);
}
GOALLOC_EXPORT_KUNIT(palloc_scavenge_done);

/**
 * palloc_scavenge() - release memory behind free pages, highest first
 * @p: the page allocator
 * @nr_pages: pages to release, more or less: whole huge pages go together
 * @force: look at dense chunks and at memory freed just now as well
 * @release: lets go of the memory of one run
 * @ctx: passed to @release
 *
 * With p->release_disowns the pages are disowned before @release is called,
 * else they are held during the call and become free and clean afterwards.
 *
 * Context: The lock held; @release may drop it for a while.
 * Return: pages released.
 */
u64 palloc_scavenge(struct palloc *p, u64 nr_pages, bool force,
		    palloc_release_t release, void *ctx)
{
	u64 released = 0;

	/* A tree that contradicts itself might promise pages for ever. */
	while (released < nr_pages && !p->fault.what) {
		u64 base, n;

		if (!palloc_scavenge_find(p, nr_pages - released, force, &base,
					  &n))
			break;
		if (p->release_disowns) {
			palloc_disown(p, base, n);
			release(ctx, base, n);
		} else {
			palloc_scavenge_hold(p, base, n);
			release(ctx, base, n);
			palloc_scavenge_done(p, base, n);
		}
		released += n;
	}
	return released;
}
GOALLOC_EXPORT_KUNIT(palloc_scavenge);
