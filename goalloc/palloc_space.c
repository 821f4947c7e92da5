// SPDX-License-Identifier: GPL-2.0-only
/*
 * palloc_space.c - the arrays behind a palloc: making them, and making them
 * larger.
 *
 * There is one set of arrays for an address space: summaries for all of it, and
 * two tables of pointers to blocks, bitmaps of 32 chunks or scavenge index
 * words of 512.  Blocks come when memory is about to be ours there, and stay.
 *
 * Memory is got without the lock.  Blocks are put into the tables by
 * compare-and-exchange, so that several CPUs may do it at a time.  A larger set
 * of arrays is made without the lock and put in place under it.
 */
#include "palloc.h"

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

/* Of whole groups below the root: they are looked at as groups. */
static size_t sum_bytes(u64 nr_chunks, unsigned int level)
{
	u64 n = DIV_ROUND_UP_ULL(nr_chunks, 1ULL << PALLOC_FANOUT_SHIFT * (PALLOC_LEAF - level));

	return (level ? round_up(n, PALLOC_FANOUT) : n) * sizeof(palloc_sum_t);
}

/* Chunks of an address space: whole blocks of all tables, not much more. */
static u64 space_chunks(u64 nr_pages)
{
	u64 nr = DIV_ROUND_UP_ULL(nr_pages, PALLOC_CHUNK_PAGES);

	return round_up(nr, nr < PALLOC_ROOT_CHUNKS ? SCAVENGE_BLOCK_CHUNKS :
						       PALLOC_ROOT_CHUNKS);
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
	space->nr_chunks = space_chunks(nr_pages);
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
 * palloc_entries() - how many summaries a level has
 * @p: the page allocator
 * @level: level of the tree, 0 is the root
 *
 * Context: Any.
 * Return: those that have pages below them.
 */
u64 palloc_entries(const struct palloc *p, unsigned int level)
{
	return DIV_ROUND_UP_ULL(palloc_nr_pages(p), 1ULL << palloc_level_shift(level));
}
GOALLOC_EXPORT_KUNIT(palloc_entries);

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
