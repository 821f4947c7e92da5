// SPDX-License-Identifier: GPL-2.0-only
/*
 * model.c - a slow and obvious page allocator, and the real one beside it.
 *
 * The model keeps a byte per page that says what state the page is in.  It
 * finds the lowest run by looking at one byte after another.  After each step
 * it compares with the real allocator: the result of the operation; both
 * bitmaps of every chunk; the summaries of every entry on every level; the
 * counters; the rule for the search page; what the scavenge index counts.
 *
 * The expected summaries are computed from the bytes, for a chunk bit by bit,
 * and for what is above it by laying the runs of eight children end to end: not
 * packed, and not with the code under test.  To be fast enough for ten million
 * steps, only entries above pages that the step touched are computed again; but
 * all are compared, also those the step had no business to change.  At the
 * end model_check_all() computes every entry of every level anew from the
 * bytes alone.
 *
 * This file is compiled without sanitizers, as it is not what is being tested.
 */
#include <stdio.h>
#include <stdlib.h>
#include "model.h"

/* States of a page. */
enum {
	NOT_OURS,	/* also where no chunk exists */
	FREE,		/* free, contents unknown */
	CLEAN,		/* free, known to be zero */
	USED,		/* allocated */
	CACHED,		/* in a page cache, free there */
	CACHED_CLEAN,
	NR_STATES
};

#define MAX_ROOTS	3
#define MAX_CHUNKS	(MAX_ROOTS * PALLOC_ROOT_CHUNKS)
#define MAX_PAGES	((u64)MAX_CHUNKS << PALLOC_CHUNK_SHIFT)
#define NR_CACHES	4

struct run {
	u64 base;
	u64 n;
};

struct counts {
	u32 start;
	u32 max;
	u32 end;
};

struct model {
	struct palloc p;
	struct sim_mem mem;
	u8 *state;
	/* Chunks the run plays with; ascending. */
	const u16 *chunks;
	unsigned int nr_chunks;
	/* Chunks that have been reserved, by number. */
	bool exists[MAX_CHUNKS];
	/* What every summary ought to be. */
	palloc_sum_t *sum[PALLOC_LEVELS];
	struct counts *counts[PALLOC_LEVELS];
	/* What the bitmaps of every chunk ought to be. */
	struct palloc_chunk *bits;
	struct run *live;
	unsigned int nr_live;
	unsigned int max_live;
	struct page_cache cache[NR_CACHES];
	u64 nr_free;
	u64 nr_owned;
	/* No page below this one is free. */
	u64 low;
	/* Chunks the step has touched. */
	u16 *touched;
	unsigned int nr_touched;
	bool is_touched[MAX_CHUNKS];
	u64 released;
	const char *wrong;
	char text[256];
};

/* Where the chunks are that a run plays with. */
static const u16 layout_chunks[MODEL_NR_LAYOUTS][16] = {
	{ 0 },
	{ 0, 1 },
	{ 0, 1, 2, 3 },
	/* Across two root entries. */
	{ 4092, 4093, 4094, 4095, 4096, 4097, 4098 },
	/* On the borders of entries of each level. */
	{ 0, 7, 8, 63, 64, 511, 512, 513, 4095, 4096 },
	/* A block of bitmaps and of index words each, and a gap. */
	{ 1, 2, 30, 31, 32, 33, 1000, 1001, 5000 },
	{ 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
	{ 100, 200, 300, 400, 4000, 4001, 4100, 8000, 8191 },
};

static const u8 layout_nr[MODEL_NR_LAYOUTS] = { 1, 2, 4, 7, 10, 9, 12, 9 };

const char *const model_kind_name[MODEL_NR_KINDS] = {
	[MODEL_ALLOC] = "alloc",
	[MODEL_ALLOC_LARGE] = "alloc_large",
	[MODEL_ALLOC_AT] = "alloc_at",
	[MODEL_FREE] = "free",
	[MODEL_FREE_PART] = "free_part",
	[MODEL_FREE_MANY] = "free_many",
	[MODEL_GROW] = "grow",
	[MODEL_GROW_CHUNKS] = "grow_chunks",
	[MODEL_DISOWN] = "disown",
	[MODEL_CACHE_GET] = "cache_get",
	[MODEL_CACHE_ALLOC] = "cache_alloc",
	[MODEL_CACHE_FLUSH] = "cache_flush",
	[MODEL_SCAVENGE] = "scavenge",
	[MODEL_NEXT_GEN] = "next_gen",
	[MODEL_EXTEND] = "extend",
	[MODEL_NO_MEMORY] = "no_memory",
};

int model_mutation;

static bool is_free(u8 state)
{
	return state == FREE || state == CLEAN;
}

static void wrong(struct model *m, const char *what, u64 want, u64 got)
{
	if (m->wrong)
		return;
	snprintf(m->text, sizeof(m->text), "%s: expected %lld, got %lld", what,
		 (long long)want, (long long)got);
	m->wrong = m->text;
}

static void touch(struct model *m, u64 chunk)
{
	if (m->is_touched[chunk])
		return;
	m->is_touched[chunk] = true;
	m->touched[m->nr_touched++] = chunk;
}

static void set_state(struct model *m, u64 page, u8 state)
{
	u8 old = m->state[page];

	m->nr_free += is_free(state) - is_free(old);
	m->nr_owned += (state != NOT_OURS) - (old != NOT_OURS);
	m->state[page] = state;
	if (is_free(state) && page < m->low)
		m->low = page;
	touch(m, page >> PALLOC_CHUNK_SHIFT);
}

static void set_run(struct model *m, u64 base, u64 n, u8 state)
{
	u64 i;

	for (i = 0; i < n; i++)
		set_state(m, base + i, state);
}

/* The lowest run of @n free pages, byte by byte. */
static u64 first_fit(struct model *m, u64 n)
{
	u64 run = 0;
	unsigned int c;
	u64 next = 0;

	for (c = 0; c < m->nr_chunks; c++) {
		u64 page = (u64)m->chunks[c] << PALLOC_CHUNK_SHIFT;
		u64 end = page + PALLOC_CHUNK_PAGES;

		if (page != next)
			run = 0;
		next = end;
		if (end <= m->low)
			continue;
		for (; page < end; page++) {
			if (!is_free(m->state[page])) {
				run = 0;
				continue;
			}
			if (!run && m->low < page && n == 1)
				m->low = page;
			if (++run == n)
				return page + 1 - n;
		}
	}
	return PALLOC_NONE;
}

static u64 pack(const struct counts *c)
{
	if (c->max == 1U << 21)
		return 1ULL << 63;
	return c->start | (u64)c->max << 21 | (u64)c->end << 42;
}

/* Counts of @n pages from @page on, one by one. */
static struct counts count_pages(const struct model *m, u64 page, u64 n)
{
	struct counts c = {};
	u32 run = 0;
	bool only = true;
	u64 i;

	for (i = 0; i < n; i++) {
		if (is_free(m->state[page + i])) {
			run++;
			if (run > c.max)
				c.max = run;
			continue;
		}
		if (only)
			c.start = run;
		only = false;
		run = 0;
	}
	if (only)
		c.start = run;
	c.end = run;
	return c;
}

/* Counts of eight regions of @size pages each, laid end to end. */
static struct counts count_children(const struct counts *child, u32 size)
{
	struct counts c = {};
	bool only = true;
	u32 run = 0;
	int i;

	for (i = 0; i < 8; i++) {
		bool all = child[i].start == size;

		if (child[i].max > c.max)
			c.max = child[i].max;
		run += child[i].start;
		if (run > c.max)
			c.max = run;
		if (all)
			continue;
		if (only)
			c.start = run;
		only = false;
		run = child[i].end;
	}
	if (only)
		c.start = run;
	c.end = run;
	if (run > c.max)
		c.max = run;
	return c;
}

/* Compute anew what ought to be above the chunks that were touched. */
static void expect_summaries(struct model *m)
{
	unsigned int t;
	int level;

	for (t = 0; t < m->nr_touched; t++) {
		u64 i = m->touched[t];

		m->counts[4][i] = count_pages(m, i << 9, 512);
		m->sum[4][i] = pack(&m->counts[4][i]);
	}
	for (level = 3; level >= 0; level--) {
		u64 last = PALLOC_NONE;

		for (t = 0; t < m->nr_touched; t++) {
			u64 i = m->touched[t] >> 3 * (4 - level);

			if (i == last)
				continue;
			last = i;
			m->counts[level][i] =
				count_children(&m->counts[level + 1][8 * i],
					       1U << (9 + 3 * (3 - level)));
			m->sum[level][i] = pack(&m->counts[level][i]);
		}
	}
}

/* The two bits of a page, and what the index ought to count for it. */
static const struct {
	bool alloc, scavenged, in_use;
} page_bits[NR_STATES] = {
	[NOT_OURS] = { true, true, false },
	[FREE] = { false, false, false },
	[CLEAN] = { false, true, false },
	[USED] = { true, false, true },
	[CACHED] = { true, false, true },
	[CACHED_CLEAN] = { true, false, true },
};

static const struct palloc_chunk *chunk_of(const struct model *m, u64 chunk)
{
	if (chunk >= palloc_nr_pages(&m->p) >> PALLOC_CHUNK_SHIFT)
		return NULL;
	return palloc_chunk_of(&m->p, chunk);
}

static void check_chunk(struct model *m, u64 chunk)
{
	const struct palloc_chunk *c = chunk_of(m, chunk);
	const u8 *state = m->state + (chunk << PALLOC_CHUNK_SHIFT);
	struct palloc_chunk *want = &m->bits[chunk];
	struct scavenge_data d;
	unsigned int w, b, used = 0, dirty = 0;

	if (!c) {
		if (m->exists[chunk])
			wrong(m, "chunk without bitmaps", chunk, 0);
		return;
	}
	for (w = 0; w < PALLOC_CHUNK_WORDS; w++) {
		u64 alloc = 0, scavenged = 0;

		for (b = 0; b < 64; b++, state++) {
			alloc |= (u64)page_bits[*state].alloc << b;
			scavenged |= (u64)page_bits[*state].scavenged << b;
			used += page_bits[*state].in_use;
			dirty += *state == FREE ||
				 (*state == CLEAN && m->p.release_disowns);
		}
		want->alloc[w] = alloc;
		want->scavenged[w] = scavenged;
		if (c->alloc[w] != alloc)
			wrong(m, "alloc bits", alloc, c->alloc[w]);
		if (c->scavenged[w] != scavenged)
			wrong(m, "scavenged bits", scavenged, c->scavenged[w]);
	}
	d = scavenge_index_get(&m->p.scav, chunk);
	if (d.in_use != used)
		wrong(m, "pages in use in the index", used, d.in_use);
	if (dirty && !(d.flags & SCAVENGE_HAS_FREE))
		wrong(m, "pages to release the index does not know", dirty, 0);
}

static u64 lowest_free(struct model *m)
{
	return first_fit(m, 1);
}

static void check_step(struct model *m)
{
	u64 nr_chunks = palloc_nr_pages(&m->p) >> PALLOC_CHUNK_SHIFT;
	unsigned int t;
	int level;
	u64 low;

	expect_summaries(m);
	for (t = 0; t < m->nr_touched; t++) {
		check_chunk(m, m->touched[t]);
		m->is_touched[m->touched[t]] = false;
	}
	m->nr_touched = 0;
	for (t = 0; t < m->nr_chunks; t++) {
		u64 chunk = m->chunks[t];

		if (m->exists[chunk] &&
		    memcmp(&m->bits[chunk], palloc_chunk_of(&m->p, chunk),
			   sizeof(struct palloc_chunk)))
			wrong(m, "bits of a chunk that was not touched", chunk,
			      chunk);
	}

	for (level = 4; level >= 0; level--) {
		u64 n = nr_chunks >> 3 * (4 - level);
		u64 i;

		if (!memcmp(m->sum[level], m->p.sum[level],
			    n * sizeof(palloc_sum_t)))
			continue;
		for (i = 0; m->sum[level][i] == m->p.sum[level][i]; i++)
			;
		snprintf(m->text, sizeof(m->text),
			 "summary %llu of level %d: expected %016llx, got %016llx",
			 i, level, m->sum[level][i], m->p.sum[level][i]);
		m->wrong = m->text;
	}
	if (m->p.nr_free != m->nr_free)
		wrong(m, "free pages", m->nr_free, m->p.nr_free);
	if (m->p.nr_owned != m->nr_owned)
		wrong(m, "owned pages", m->nr_owned, m->p.nr_owned);
	if (m->p.fault.what)
		m->wrong = m->p.fault.what;

	low = lowest_free(m);
	if (m->p.search > low)
		wrong(m, "search page beyond the lowest free one", low,
		      m->p.search);
	if (m->p.search != PALLOC_NONE &&
	    (m->p.search >= MAX_PAGES ||
	     !m->exists[m->p.search >> PALLOC_CHUNK_SHIFT]))
		wrong(m, "search page where no chunk is", 0, m->p.search);
}

/*
 * Everything from the bytes alone, and the allocator's own walk.  The upper two
 * levels, each entry over a million bytes, only if @thorough.
 */
const char *model_check_all(struct model *m, bool thorough)
{
	u64 nr_chunks = palloc_nr_pages(&m->p) >> PALLOC_CHUNK_SHIFT;
	struct palloc_fault fault;
	unsigned int c;
	int level;

	for (c = 0; c < m->nr_chunks; c++)
		check_chunk(m, m->chunks[c]);
	for (level = 4; level >= 0; level--) {
		unsigned int shift = 9 + 3 * (4 - level);
		u64 n = nr_chunks >> 3 * (4 - level);
		u64 last = PALLOC_NONE;

		if (level < 2 && !thorough)
			break;

		for (c = 0; c < m->nr_chunks; c++) {
			u64 i = m->chunks[c] >> 3 * (4 - level);
			struct counts counts;

			if (i == last || i >= n)
				continue;
			last = i;
			counts = count_pages(m, i << shift, 1ULL << shift);
			if (pack(&counts) != m->p.sum[level][i])
				wrong(m, "summary from bytes", pack(&counts),
				      m->p.sum[level][i]);
		}
	}
	if (palloc_check(&m->p, &fault) && !m->wrong) {
		snprintf(m->text, sizeof(m->text),
			 "palloc_check: %s, chunk %llu page %llu", fault.what,
			 fault.chunk, fault.page);
		m->wrong = m->text;
	}
	return m->wrong;
}

/* The arrays are large; one set is kept for the next model. */
static struct model *spare;

static struct model *model_alloc(void)
{
	struct model *m = spare;
	unsigned int level;
	bool ok;

	spare = NULL;
	if (m)
		return m;
	m = calloc(1, sizeof(*m));
	if (!m)
		goto fail;
	m->max_live = 8192;
	m->state = calloc(MAX_PAGES, 1);
	m->live = calloc(m->max_live, sizeof(*m->live));
	m->touched = calloc(MAX_CHUNKS, sizeof(*m->touched));
	m->bits = calloc(MAX_CHUNKS, sizeof(*m->bits));
	ok = m->state && m->live && m->touched && m->bits;
	for (level = 0; level < PALLOC_LEVELS; level++) {
		size_t n = (size_t)MAX_ROOTS << 3 * level;

		m->sum[level] = calloc(n, sizeof(palloc_sum_t));
		m->counts[level] = calloc(n, sizeof(struct counts));
		ok = ok && m->sum[level] && m->counts[level];
	}
	if (ok)
		return m;
fail:
	fprintf(stderr, "out of memory\n");
	exit(2);
}

struct model *model_new(unsigned int layout)
{
	struct model *m = model_alloc();

	layout %= 2 * MODEL_NR_LAYOUTS;
	m->chunks = layout_chunks[layout % MODEL_NR_LAYOUTS];
	m->nr_chunks = layout_nr[layout % MODEL_NR_LAYOUTS];
	m->low = PALLOC_NONE;
	m->nr_live = 0;
	m->nr_touched = 0;
	m->nr_free = 0;
	m->nr_owned = 0;
	m->wrong = NULL;
	memset(m->cache, 0, sizeof(m->cache));
	memset(m->exists, 0, sizeof(m->exists));
	memset(m->is_touched, 0, sizeof(m->is_touched));
	sim_mem_init(&m->mem);
	if (palloc_init(&m->p, &m->mem.mem, 1, 0)) {
		fprintf(stderr, "out of memory\n");
		exit(2);
	}
	m->p.release_disowns = layout >= MODEL_NR_LAYOUTS;
	return m;
}

/* Leave the arrays zeroed, as far as the layout's chunks reach. */
static void model_clear(struct model *m)
{
	unsigned int c, level;

	for (c = 0; c < m->nr_chunks; c++) {
		memset(m->state + ((u64)m->chunks[c] << PALLOC_CHUNK_SHIFT), 0,
		       PALLOC_CHUNK_PAGES);
		for (level = 0; level < PALLOC_LEVELS; level++) {
			u64 i = m->chunks[c] >> 3 * (4 - level);

			m->sum[level][i] = 0;
			m->counts[level][i] = (struct counts){};
		}
	}
}

void model_delete(struct model *m)
{
	m->mem.fail_after = -1;
	palloc_destroy(&m->p);
	if (m->mem.live || palloc_metadata_bytes(&m->p)) {
		fprintf(stderr, "palloc_destroy() left %ld allocations\n",
			m->mem.live);
		exit(1);
	}
	model_clear(m);
	spare = m;
}

void model_describe(const struct model *m, char *text, size_t size)
{
	snprintf(text, size, "%llu pages ours, %llu free, %u allocations",
		 m->nr_owned, m->nr_free, m->nr_live);
}

static void do_alloc(struct model *m, u64 n)
{
	u64 want = first_fit(m, n);
	u64 want_scav = 0, scav, i, page;

	if (m->nr_live == m->max_live)
		return;
	if (want != PALLOC_NONE)
		for (i = 0; i < n; i++)
			want_scav += m->state[want + i] == CLEAN;
	page = palloc_alloc(&m->p, n, &scav);
	if (page != want)
		wrong(m, "page allocated", want, page);
	if (scav != want_scav)
		wrong(m, "scavenged pages", want_scav, scav);
	if (page != want || page == PALLOC_NONE)
		return;
	set_run(m, page, n, USED);
	m->live[m->nr_live++] = (struct run){ page, n };
}

/* Free pages from page @b of chunk @a on, at most a few words of them. */
static void do_alloc_at(struct model *m, u8 a, u16 b)
{
	u64 chunk = m->chunks[a % m->nr_chunks];
	u64 page = (chunk << PALLOC_CHUNK_SHIFT) + b % PALLOC_CHUNK_PAGES;
	u64 want = 1 + (b >> 9) * 4;
	u64 n = 0, want_scav = 0, scav;

	if (m->nr_live == m->max_live)
		return;
	while (n < want && page + n < MAX_PAGES && is_free(m->state[page + n]))
		want_scav += m->state[page + n++] == CLEAN;
	if (!n)
		return;
	palloc_alloc_at(&m->p, page, n, &scav);
	if (scav != want_scav)
		wrong(m, "scavenged pages", want_scav, scav);
	set_run(m, page, n, USED);
	m->live[m->nr_live++] = (struct run){ page, n };
}

/* Free the first @n pages of allocation @i. */
static void do_free(struct model *m, unsigned int i, u64 n)
{
	struct run *r = &m->live[i];
	u64 base = r->base;

	if (n >= r->n) {
		n = r->n;
		*r = m->live[--m->nr_live];
	} else {
		r->base += n;
		r->n -= n;
	}
	palloc_free(&m->p, base, n);
	set_run(m, base, n, FREE);
}

static bool reserve(struct model *m, u64 base, u64 n)
{
	u64 chunk, block;
	int err;

	err = palloc_reserve(&m->p, base, n, 0);
	if (base + n > palloc_nr_pages(&m->p)) {
		if (err != -EINVAL)
			wrong(m, "reserving beyond the end", -EINVAL, err);
		return false;
	}
	if (err && err != -ENOMEM)
		wrong(m, "reserving", 0, err);
	if (err)
		return false;
	/* Bitmaps come by the block. */
	for (block = base >> 9 >> 5; block <= (base + n - 1) >> 9 >> 5; block++)
		for (chunk = block << 5; chunk < (block + 1) << 5; chunk++) {
			if (m->exists[chunk])
				continue;
			m->exists[chunk] = true;
			memset(&m->bits[chunk], 0xff, sizeof(m->bits[chunk]));
		}
	return true;
}

/* From page @b of chunk @a on, as much as is not ours, up to a length. */
static void do_grow(struct model *m, u8 a, u16 b)
{
	u64 chunk = m->chunks[a % m->nr_chunks];
	u64 page = (chunk << PALLOC_CHUNK_SHIFT) + b % PALLOC_CHUNK_PAGES;
	u64 end = (chunk + 1) << PALLOC_CHUNK_SHIFT;
	u64 want = b & 0x200 ? 1U + (b >> 10) : PALLOC_CHUNK_PAGES;
	bool clean = a & 0x80;
	u64 n = 0;

	while (page < end && m->state[page] != NOT_OURS)
		page++;
	while (page + n < end && n < want && m->state[page + n] == NOT_OURS)
		n++;
	if (!n || !reserve(m, page, n))
		return;
	palloc_grow(&m->p, page, n, clean);
	set_run(m, page, n, clean ? CLEAN : FREE);
}

/* Neighbouring chunks of which nothing is ours, at a stroke. */
static void do_grow_chunks(struct model *m, u8 a, u16 b)
{
	unsigned int c = a % m->nr_chunks;
	u64 base = (u64)m->chunks[c] << PALLOC_CHUNK_SHIFT;
	unsigned int want = 1 + b % 8;
	bool clean = b & 0x100;
	u64 n = 0;

	for (; c < m->nr_chunks && want; c++, want--) {
		u64 i;

		if ((u64)m->chunks[c] << PALLOC_CHUNK_SHIFT != base + n)
			break;
		for (i = 0; i < PALLOC_CHUNK_PAGES; i++)
			if (m->state[base + n + i] != NOT_OURS)
				break;
		if (i < PALLOC_CHUNK_PAGES)
			break;
		n += PALLOC_CHUNK_PAGES;
	}
	if (!n || !reserve(m, base, n))
		return;
	palloc_grow(&m->p, base, n, clean);
	set_run(m, base, n, clean ? CLEAN : FREE);
}

static void do_disown(struct model *m, u8 a, u16 b)
{
	u64 chunk = m->chunks[a % m->nr_chunks];
	u64 page = (chunk << PALLOC_CHUNK_SHIFT) + b % PALLOC_CHUNK_PAGES;
	u64 want = 1 + (b >> 9) * 16;
	u64 n = 0;

	if (a & 0x80 && m->nr_live) {
		struct run *r = &m->live[b % m->nr_live];

		palloc_disown(&m->p, r->base, r->n);
		set_run(m, r->base, r->n, NOT_OURS);
		*r = m->live[--m->nr_live];
		return;
	}
	while (page < MAX_PAGES - 1 && m->exists[page >> 9] &&
	       !is_free(m->state[page]))
		page++;
	/* Free pages, across chunks if they go on there. */
	while (n < want && page + n < MAX_PAGES && is_free(m->state[page + n]))
		n++;
	if (!n)
		return;
	palloc_disown(&m->p, page, n);
	set_run(m, page, n, NOT_OURS);
}

static void do_cache_get(struct model *m, u8 a)
{
	struct page_cache *c = &m->cache[a % NR_CACHES];
	u64 low = lowest_free(m);
	u64 base = low & ~63ULL;
	u64 cache = 0, scav = 0, i;

	if (!page_cache_empty(c))
		return;
	palloc_alloc_to_cache(&m->p, c);
	if (low == PALLOC_NONE)
		base = 0;
	for (i = 0; low != PALLOC_NONE && i < 64; i++) {
		if (!is_free(m->state[base + i]))
			continue;
		cache |= 1ULL << i;
		if (m->state[base + i] == CLEAN) {
			scav |= 1ULL << i;
			set_state(m, base + i, CACHED_CLEAN);
		} else {
			set_state(m, base + i, CACHED);
		}
	}
	if (c->base != base)
		wrong(m, "base of cache", base, c->base);
	if (c->cache != cache)
		wrong(m, "pages in cache", cache, c->cache);
	if (c->scav != scav)
		wrong(m, "scavenged pages in cache", scav, c->scav);
}

static void do_cache_alloc(struct model *m, u8 a, u16 b)
{
	struct page_cache *c = &m->cache[a % NR_CACHES];
	unsigned int n = b & 0x100 ? 1 + b % 64 : 1 + b % 4;
	unsigned int run = 0, want_scav = 0, scav, i;
	u64 want = PALLOC_NONE, page;

	if (m->nr_live == m->max_live)
		return;
	for (i = 0; i < 64 && run < n && !page_cache_empty(c); i++) {
		u8 s = m->state[c->base + i];
		bool mine = c->cache >> i & 1;

		if (mine && s != CACHED && s != CACHED_CLEAN)
			wrong(m, "state of a cached page", CACHED, s);
		run = mine ? run + 1 : 0;
	}
	if (run == n)
		want = c->base + i - n;
	for (i = 0; want != PALLOC_NONE && i < n; i++)
		want_scav += m->state[want + i] == CACHED_CLEAN;
	page = page_cache_alloc(c, n, &scav);
	if (page != want)
		wrong(m, "page from cache", want, page);
	if (scav != want_scav)
		wrong(m, "scavenged pages from cache", want_scav, scav);
	if (page != want || page == PALLOC_NONE)
		return;
	set_run(m, page, n, USED);
	m->live[m->nr_live++] = (struct run){ page, n };
}

static void do_cache_flush(struct model *m, u8 a)
{
	struct page_cache *c = &m->cache[a % NR_CACHES];
	struct page_cache was = *c;
	unsigned int i;

	page_cache_flush(c, &m->p);
	for (i = 0; i < 64; i++)
		if (was.cache >> i & 1)
			set_state(m, was.base + i,
				  m->state[was.base + i] == CACHED_CLEAN ?
				  CLEAN : FREE);
	if (!page_cache_empty(c) || c->scav)
		wrong(m, "pages in a flushed cache", 0, c->cache);
}

static bool candidate(const struct model *m, u64 page)
{
	return m->state[page] == FREE ||
	       (m->p.release_disowns && m->state[page] == CLEAN);
}

/* The allocator lets go of a run: it must be one that may be released. */
static void let_go(void *ctx, u64 base, u64 n)
{
	struct model *m = ctx;
	u64 i;

	for (i = 0; i < n; i++)
		if (!candidate(m, base + i))
			wrong(m, "state of a page to release", FREE,
			      m->state[base + i]);
	/* Highest first: nothing to release above it in its chunk. */
	if (base >> 9 != (base + n - 1) >> 9)
		wrong(m, "run to release across chunks", base, n);
	set_run(m, base, n, m->p.release_disowns ? NOT_OURS : CLEAN);
	m->released += n;
}

static void do_scavenge(struct model *m, u8 a, u16 b)
{
	u64 want = b & 0x8000 ? PALLOC_NONE : 1ULL + b % 600;
	bool force = a & 1;
	u64 left = 0, got;
	unsigned int c, i;

	m->released = 0;
	got = palloc_scavenge(&m->p, want, force, let_go, m);
	if (got != m->released)
		wrong(m, "pages released", m->released, got);
	if (got >= want || !force)
		return;
	/* Forced, and less than wanted: nothing may be left. */
	for (c = 0; c < m->nr_chunks; c++)
		for (i = 0; i < PALLOC_CHUNK_PAGES; i++)
			left += candidate(m, ((u64)m->chunks[c] << 9) + i);
	if (left)
		wrong(m, "pages a forced scavenge left", 0, left);
}

static void do_extend(struct model *m, u8 a)
{
	u64 roots = 1 + a % MAX_ROOTS;
	u64 before = palloc_nr_pages(&m->p);
	u64 want = roots << PALLOC_ROOT_SHIFT;
	int err = palloc_extend(&m->p, want, 0);

	if (err && err != -ENOMEM)
		wrong(m, "extending", 0, err);
	if (!err && palloc_nr_pages(&m->p) < max(want, before))
		wrong(m, "pages after extending", want, palloc_nr_pages(&m->p));
	if (palloc_nr_pages(&m->p) > MAX_PAGES)
		wrong(m, "pages after extending", MAX_PAGES,
		      palloc_nr_pages(&m->p));
}

/* Small requests are common, and some of every size. */
static u64 small_size(u16 b)
{
	switch (b >> 14) {
	case 0:
		return 1;
	case 1:
		return 1 + b % 8;
	case 2:
		return 1 + b % 70;
	default:
		return 1 + b % 300;
	}
}

/* Break the allocator on purpose. */
static void mutate(struct model *m)
{
	struct palloc_chunk *c = palloc_chunk_of(&m->p, m->chunks[0]);

	switch (model_mutation) {
	case 1:
		m->p.sum[0][0] ^= 1;
		break;
	case 2:
		m->p.sum[2][1] |= 1;
		break;
	case 3:
		if (c)
			c->scavenged[3] ^= 1ULL << 17;
		break;
	case 4:
		m->p.search = PALLOC_NONE;
		break;
	case 5:
		m->p.nr_free++;
		break;
	default:
		break;
	}
}

/* Do one step and compare; what is wrong, or NULL. */
const char *model_step(struct model *m, const struct model_op *op)
{
	unsigned int i;

	switch (op->kind % MODEL_NR_KINDS) {
	case MODEL_ALLOC:
		do_alloc(m, small_size(op->b));
		break;
	case MODEL_ALLOC_LARGE:
		do_alloc(m, 1 + op->b % 6200);
		break;
	case MODEL_ALLOC_AT:
		do_alloc_at(m, op->a, op->b);
		break;
	case MODEL_FREE:
		if (m->nr_live)
			do_free(m, op->b % m->nr_live, PALLOC_NONE);
		break;
	case MODEL_FREE_PART:
		if (m->nr_live)
			do_free(m, op->b % m->nr_live, 1 + op->a);
		break;
	case MODEL_FREE_MANY:
		for (i = 0; i < op->a % 16U && m->nr_live; i++)
			do_free(m, (op->b + i) % m->nr_live, PALLOC_NONE);
		break;
	case MODEL_GROW:
		do_grow(m, op->a, op->b);
		break;
	case MODEL_GROW_CHUNKS:
		do_grow_chunks(m, op->a, op->b);
		break;
	case MODEL_DISOWN:
		do_disown(m, op->a, op->b);
		break;
	case MODEL_CACHE_GET:
		do_cache_get(m, op->a);
		break;
	case MODEL_CACHE_ALLOC:
		do_cache_alloc(m, op->a, op->b);
		break;
	case MODEL_CACHE_FLUSH:
		do_cache_flush(m, op->a);
		break;
	case MODEL_SCAVENGE:
		do_scavenge(m, op->a, op->b);
		break;
	case MODEL_NEXT_GEN:
		scavenge_index_next_gen(&m->p.scav);
		break;
	case MODEL_EXTEND:
		do_extend(m, op->a);
		break;
	case MODEL_NO_MEMORY:
		m->mem.fail_after = op->a & 1 ? op->b % 6 : -1;
		break;
	}
	mutate(m);
	check_step(m);
	return m->wrong;
}
