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
 * How that is compared is in model_check.c.
 *
 * Both files are compiled without sanitizers, as they are not what is being
 * tested.
 */
#include <stdio.h>
#include <stdlib.h>
#include "model_state.h"

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
	u64 want = model_first_fit(m, n);
	u64 want_scav = 0, scav, i, page;

	if (m->nr_live == m->max_live)
		return;
	if (want != PALLOC_NONE)
		for (i = 0; i < n; i++)
			want_scav += m->state[want + i] == CLEAN;
	page = palloc_alloc(&m->p, n, &scav);
	if (page != want)
		model_wrong(m, "page allocated", want, page);
	if (scav != want_scav)
		model_wrong(m, "scavenged pages", want_scav, scav);
	if (page != want || page == PALLOC_NONE)
		return;
	model_set_run(m, page, n, USED);
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
	while (n < want && page + n < MAX_PAGES && model_is_free(m->state[page + n]))
		want_scav += m->state[page + n++] == CLEAN;
	if (!n)
		return;
	palloc_alloc_at(&m->p, page, n, &scav);
	if (scav != want_scav)
		model_wrong(m, "scavenged pages", want_scav, scav);
	model_set_run(m, page, n, USED);
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
	model_set_run(m, base, n, FREE);
}

static bool reserve(struct model *m, u64 base, u64 n)
{
	u64 chunk, block;
	int err;

	err = palloc_reserve(&m->p, base, n, 0);
	if (base + n > palloc_nr_pages(&m->p)) {
		if (err != -EINVAL)
			model_wrong(m, "reserving beyond the end", -EINVAL, err);
		return false;
	}
	if (err && err != -ENOMEM)
		model_wrong(m, "reserving", 0, err);
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
	model_set_run(m, page, n, clean ? CLEAN : FREE);
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
	model_set_run(m, base, n, clean ? CLEAN : FREE);
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
		model_set_run(m, r->base, r->n, NOT_OURS);
		*r = m->live[--m->nr_live];
		return;
	}
	while (page < MAX_PAGES - 1 && m->exists[page >> 9] &&
	       !model_is_free(m->state[page]))
		page++;
	/* Free pages, across chunks if they go on there. */
	while (n < want && page + n < MAX_PAGES && model_is_free(m->state[page + n]))
		n++;
	if (!n)
		return;
	palloc_disown(&m->p, page, n);
	model_set_run(m, page, n, NOT_OURS);
}

static void do_cache_get(struct model *m, u8 a)
{
	struct page_cache *c = &m->cache[a % NR_CACHES];
	u64 low = model_lowest_free(m);
	u64 base = low & ~63ULL;
	u64 cache = 0, scav = 0, i;

	if (!page_cache_empty(c))
		return;
	palloc_alloc_to_cache(&m->p, c);
	if (low == PALLOC_NONE)
		base = 0;
	for (i = 0; low != PALLOC_NONE && i < 64; i++) {
		if (!model_is_free(m->state[base + i]))
			continue;
		cache |= 1ULL << i;
		if (m->state[base + i] == CLEAN) {
			scav |= 1ULL << i;
			model_set_state(m, base + i, CACHED_CLEAN);
		} else {
			model_set_state(m, base + i, CACHED);
		}
	}
	if (c->base != base)
		model_wrong(m, "base of cache", base, c->base);
	if (c->cache != cache)
		model_wrong(m, "pages in cache", cache, c->cache);
	if (c->scav != scav)
		model_wrong(m, "scavenged pages in cache", scav, c->scav);
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
			model_wrong(m, "state of a cached page", CACHED, s);
		run = mine ? run + 1 : 0;
	}
	if (run == n)
		want = c->base + i - n;
	for (i = 0; want != PALLOC_NONE && i < n; i++)
		want_scav += m->state[want + i] == CACHED_CLEAN;
	page = page_cache_alloc(c, n, &scav);
	if (page != want)
		model_wrong(m, "page from cache", want, page);
	if (scav != want_scav)
		model_wrong(m, "scavenged pages from cache", want_scav, scav);
	if (page != want || page == PALLOC_NONE)
		return;
	model_set_run(m, page, n, USED);
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
			model_set_state(m, was.base + i,
					m->state[was.base + i] == CACHED_CLEAN ?
				  CLEAN : FREE);
	if (!page_cache_empty(c) || c->scav)
		model_wrong(m, "pages in a flushed cache", 0, c->cache);
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
			model_wrong(m, "state of a page to release", FREE,
				    m->state[base + i]);
	/* Highest first: nothing to release above it in its chunk. */
	if (base >> 9 != (base + n - 1) >> 9)
		model_wrong(m, "run to release across chunks", base, n);
	model_set_run(m, base, n, m->p.release_disowns ? NOT_OURS : CLEAN);
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
		model_wrong(m, "pages released", m->released, got);
	if (got >= want || !force)
		return;
	/* Forced, and less than wanted: nothing may be left. */
	for (c = 0; c < m->nr_chunks; c++)
		for (i = 0; i < PALLOC_CHUNK_PAGES; i++)
			left += candidate(m, ((u64)m->chunks[c] << 9) + i);
	if (left)
		model_wrong(m, "pages a forced scavenge left", 0, left);
}

static void do_extend(struct model *m, u8 a)
{
	u64 roots = 1 + a % MAX_ROOTS;
	u64 before = palloc_nr_pages(&m->p);
	u64 want = roots << PALLOC_ROOT_SHIFT;
	int err = palloc_extend(&m->p, want, 0);

	if (err && err != -ENOMEM)
		model_wrong(m, "extending", 0, err);
	if (!err && palloc_nr_pages(&m->p) < max(want, before))
		model_wrong(m, "pages after extending", want, palloc_nr_pages(&m->p));
	if (palloc_nr_pages(&m->p) > MAX_PAGES)
		model_wrong(m, "pages after extending", MAX_PAGES,
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
	model_check_step(m);
	return m->wrong;
}
