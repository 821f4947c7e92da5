// SPDX-License-Identifier: GPL-2.0-only
/*
 * model_check.c - what the model expects, and the comparison after each step.
 *
 * The expected summaries are computed from the bytes, for a chunk bit by bit,
 * and for what is above it by laying the runs of eight children end to end: not
 * packed, and not with the code under test.  To be fast enough for ten million
 * steps, only entries above pages that the step touched are computed again; but
 * all are compared, also those the step had no business to change.  At the
 * end model_check_all() computes every entry of every level anew from the
 * bytes alone.
 */
#include <stdio.h>
#include "model_state.h"

void model_wrong(struct model *m, const char *what, u64 want, u64 got)
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

void model_set_state(struct model *m, u64 page, u8 state)
{
	u8 old = m->state[page];

	m->nr_free += model_is_free(state) - model_is_free(old);
	m->nr_owned += (state != NOT_OURS) - (old != NOT_OURS);
	m->state[page] = state;
	if (model_is_free(state) && page < m->low)
		m->low = page;
	touch(m, page >> PALLOC_CHUNK_SHIFT);
}

void model_set_run(struct model *m, u64 base, u64 n, u8 state)
{
	u64 i;

	for (i = 0; i < n; i++)
		model_set_state(m, base + i, state);
}

/* The lowest run of @n free pages, byte by byte. */
u64 model_first_fit(struct model *m, u64 n)
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
			if (!model_is_free(m->state[page])) {
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
		if (model_is_free(m->state[page + i])) {
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
			model_wrong(m, "chunk without bitmaps", chunk, 0);
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
			model_wrong(m, "alloc bits", alloc, c->alloc[w]);
		if (c->scavenged[w] != scavenged)
			model_wrong(m, "scavenged bits", scavenged, c->scavenged[w]);
	}
	d = scavenge_index_get(&m->p.scav, chunk);
	if (d.in_use != used)
		model_wrong(m, "pages in use in the index", used, d.in_use);
	if (dirty && !(d.flags & SCAVENGE_HAS_FREE))
		model_wrong(m, "pages to release the index does not know", dirty, 0);
}

u64 model_lowest_free(struct model *m)
{
	return model_first_fit(m, 1);
}

void model_check_step(struct model *m)
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
			model_wrong(m, "bits of a chunk that was not touched", chunk,
				    chunk);
	}

	for (level = 4; level >= 0; level--) {
		u64 n = DIV_ROUND_UP(nr_chunks, 1ULL << 3 * (4 - level));
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
		model_wrong(m, "free pages", m->nr_free, m->p.nr_free);
	if (m->p.nr_owned != m->nr_owned)
		model_wrong(m, "owned pages", m->nr_owned, m->p.nr_owned);
	if (m->p.fault.what)
		m->wrong = m->p.fault.what;

	low = model_lowest_free(m);
	if (m->p.search > low)
		model_wrong(m, "search page beyond the lowest free one", low,
			    m->p.search);
	if (m->p.search != PALLOC_NONE &&
	    (m->p.search >= MAX_PAGES ||
	     !m->exists[m->p.search >> PALLOC_CHUNK_SHIFT]))
		model_wrong(m, "search page where no chunk is", 0, m->p.search);
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
		u64 n = DIV_ROUND_UP(nr_chunks, 1ULL << 3 * (4 - level));
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
				model_wrong(m, "summary from bytes", pack(&counts),
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
