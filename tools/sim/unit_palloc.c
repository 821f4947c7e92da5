// SPDX-License-Identifier: GPL-2.0-only
/*
 * unit_palloc.c - summaries, large address spaces, bad input, no memory.
 */
#include <pthread.h>
#include <stdlib.h>
#include "unit.h"

static struct sim_mem mem;

static void begin(struct palloc *p, u64 nr_pages)
{
	sim_mem_init(&mem);
	EXPECT(!palloc_init(p, &mem.mem, nr_pages, 0), "palloc_init");
}

static void add(struct palloc *p, u64 base, u64 n)
{
	EXPECT(!palloc_reserve(p, base, n, 0), "palloc_reserve");
	palloc_grow(p, base, n, true);
}

static void end(struct palloc *p)
{
	struct palloc_fault f = {};

	EXPECT(!palloc_check(p, &f), "%s, chunk %llu page %llu", f.what,
	       f.chunk, f.page);
	palloc_destroy(p);
	EXPECT(!mem.live, "%ld allocations left", mem.live);
}

/* All counts that occur can be packed and come back. */
static void pack(void)
{
	u64 rng = 1;
	int i;

	EXPECT(palloc_sum_pack(0, 0, 0) == 0, "nothing free is not 0");
	EXPECT(palloc_sum_pack(1 << 21, 1 << 21, 1 << 21) == 1ULL << 63,
	       "all free is not bit 63");
	EXPECT(palloc_sum_start(1ULL << 63) == 1 << 21 &&
	       palloc_sum_max(1ULL << 63) == 1 << 21 &&
	       palloc_sum_end(1ULL << 63) == 1 << 21, "all free");
	EXPECT(PALLOC_SUM_FREE_CHUNK == 0x0008000040000200ULL, "free chunk");
	for (i = 0; i < 100000; i++) {
		u32 max = sim_random(&rng) % (1 << 21);
		u32 start = sim_random(&rng) % (max + 1);
		u32 end = sim_random(&rng) % (max + 1);
		palloc_sum_t sum = palloc_sum_pack(start, max, end);

		EXPECT(palloc_sum_start(sum) == start &&
		       palloc_sum_max(sum) == max &&
		       palloc_sum_end(sum) == end, "%u %u %u", start, max, end);
	}
}

/* A root entry of which every page is free, on all levels. */
static void whole_root(void)
{
	u64 root = 1ULL << PALLOC_ROOT_SHIFT, scav, page;
	struct palloc p;

	begin(&p, 3 * root);
	add(&p, 0, 3 * root);
	EXPECT(p.sum[0][0] == 1ULL << 63 && p.sum[0][2] == 1ULL << 63,
	       "not all free");
	page = palloc_alloc(&p, 3 * root, &scav);
	EXPECT(page == 0 && scav == 3 * root, "all of it: %llu", page);
	EXPECT(palloc_alloc(&p, 1, &scav) == PALLOC_NONE, "one more");
	palloc_free(&p, 0, 3 * root);
	page = palloc_alloc(&p, 1, &scav);
	EXPECT(page == 0 && !scav, "first page: %llu", page);
	/* From the second page of the first root entry into the last. */
	page = palloc_alloc(&p, 2 * root, &scav);
	EXPECT(page == 1, "across root entries: %llu", page);
	page = palloc_alloc(&p, root, &scav);
	EXPECT(page == PALLOC_NONE, "too much: %llu", page);
	page = palloc_alloc(&p, root - 1, &scav);
	EXPECT(page == 2 * root + 1, "the rest: %llu", page);
	EXPECT(!p.nr_free && p.nr_owned == 3 * root, "counters");
	end(&p);
}

/* 64 TiB: islands far apart, and requests that only fit in one of them. */
static void far_apart(void)
{
	static const u64 tib[] = { 0, 1, 5, 33, 63 };
	u64 per_tib = (1ULL << 40) / GOALLOC_PAGE_SIZE;
	u64 scav, page, n;
	struct palloc p;
	size_t i;

	begin(&p, 64 * per_tib);
	for (i = ARRAY_SIZE(tib); i--;)
		add(&p, tib[i] * per_tib + 700, 1000 * (i + 1));
	EXPECT(p.nr_free == 15000, "free pages");
	for (i = ARRAY_SIZE(tib); i--;) {
		n = 1000 * i + 1;
		page = palloc_alloc(&p, n, &scav);
		EXPECT(page == tib[i] * per_tib + 700 && scav == n,
		       "%llu pages at %llu", n, page);
	}
	EXPECT(palloc_alloc(&p, 1000, &scav) == PALLOC_NONE, "no room");
	for (i = 0; i < ARRAY_SIZE(tib); i++)
		palloc_free(&p, tib[i] * per_tib + 700, 1000 * i + 1);
	EXPECT(palloc_alloc(&p, 1, &scav) == 700, "the first page");
	end(&p);
}

/*
 * The lowest entry with free pages does not fit the request, and begins with
 * memory that is not ours: the search page must not end up there.
 */
static void search_page_exists(void)
{
	u64 root = 1ULL << PALLOC_ROOT_SHIFT;
	u64 island = root + 40 * 512 + 100;
	struct palloc p;
	u64 scav;

	begin(&p, 3 * root);
	add(&p, 0, 1);
	add(&p, island, 10);
	add(&p, 2 * root, 100);
	EXPECT(palloc_alloc(&p, 1, &scav) == 0, "first");
	EXPECT(palloc_alloc(&p, 50, &scav) == 2 * root, "second");
	EXPECT(p.search == island, "search page %llu", p.search);
	EXPECT(palloc_alloc(&p, 10, &scav) == island, "third");
	end(&p);
}

static void expect_fault(struct palloc *p, const char *what)
{
	EXPECT(p->fault.what && !strcmp(p->fault.what, what),
	       "fault: expected '%s', got '%s'", what,
	       p->fault.what ? p->fault.what : "none");
	memset(&p->fault, 0, sizeof(p->fault));
}

static void bad_input(void)
{
	struct page_cache c;
	struct palloc p;
	u64 scav, page;

	begin(&p, 1 << 21);
	add(&p, 0, 2048);
	page = palloc_alloc(&p, 600, &scav);
	palloc_free(&p, page, 10);

	palloc_free(&p, page, 10);
	expect_fault(&p, "freeing a page that is not allocated");
	palloc_free(&p, page + 500, 101);
	expect_fault(&p, "freeing a page that is not allocated");
	palloc_free(&p, 5 * 512, 1);
	expect_fault(&p, "freeing a page that is not allocated");
	palloc_free(&p, 100000, 1);
	expect_fault(&p, "pages that were never reserved");
	palloc_free(&p, 1ULL << 40, 1);
	expect_fault(&p, "pages beyond the address space");
	palloc_free(&p, 0, PALLOC_NONE);
	expect_fault(&p, "pages beyond the address space");

	palloc_alloc_at(&p, page, 11, &scav);
	expect_fault(&p, "allocating a page that is not free");
	EXPECT(!scav, "scavenged pages of a refused allocation");

	palloc_grow(&p, 1000, 1, true);
	expect_fault(&p, "growing over a page that is owned");
	palloc_grow(&p, 2040, 16, true);
	expect_fault(&p, "growing over a page that is owned");
	palloc_grow(&p, 100000, 1, true);
	expect_fault(&p, "pages that were never reserved");

	palloc_alloc_to_cache(&p, &c);
	palloc_free_window(&p, c.base, 1, 0);
	palloc_free_window(&p, c.base, 1, 0);
	expect_fault(&p, "flushing a page that is not allocated");
	palloc_disown(&p, 1999, 49);
	palloc_free_window(&p, 1984, 1ULL << 63, 0);
	expect_fault(&p, "flushing a page that is not allocated");
	palloc_disown(&p, 1999, 1);
	expect_fault(&p, "disowning a page that is not ours");

	/* Only the first is remembered. */
	palloc_grow(&p, 1000, 1, true);
	palloc_free(&p, 100000, 1);
	EXPECT(p.fault.page == 1000 && p.fault.chunk == 1, "first fault");
	memset(&p.fault, 0, sizeof(p.fault));
	end(&p);
}

static void expect_damage(struct palloc *p, const char *what)
{
	struct palloc_fault f = {};

	EXPECT(palloc_check(p, &f) && !strcmp(f.what, what),
	       "palloc_check: expected '%s', got '%s'", what, f.what);
}

/* A damaged summary is noticed when it is relied upon. */
static void damage(void)
{
	struct palloc_fault f;
	struct page_cache c;
	struct palloc p;
	u64 scav;

	begin(&p, 1 << 21);
	add(&p, 0, 4096);
	EXPECT(palloc_alloc(&p, 4096, &scav) == 0, "all of it");

	p.search = 0;
	p.sum[4][0] = palloc_sum_pack(1, 1, 0);
	EXPECT(palloc_alloc(&p, 1, &scav) == PALLOC_NONE, "leaf says free");
	expect_fault(&p, "summary promises a run the bitmap lacks");
	palloc_alloc_to_cache(&p, &c);
	EXPECT(page_cache_empty(&c), "leaf says free");
	expect_fault(&p, "summary promises a page the bitmap lacks");
	expect_damage(&p, "leaf summary differs from bitmap");
	p.sum[4][0] = 0;

	p.search = 0;
	p.sum[0][0] = palloc_sum_pack(0, 3, 0);
	EXPECT(palloc_alloc(&p, 3, &scav) == PALLOC_NONE, "root says free");
	expect_fault(&p, "summary promises a run that is not there");
	expect_damage(&p, "summary differs from its children");
	p.sum[1][0] = p.sum[0][0];
	p.sum[2][0] = p.sum[0][0];
	p.sum[3][0] = p.sum[0][0];
	p.sum[4][2] = p.sum[0][0];
	p.search = 512;
	EXPECT(palloc_alloc(&p, 3, &scav) == PALLOC_NONE, "tree says free");
	expect_fault(&p, "summary promises a run the bitmap lacks");
	p.sum[0][0] = 0;
	p.sum[1][0] = 0;
	p.sum[2][0] = 0;
	p.sum[3][0] = 0;
	p.sum[4][2] = 0;

	p.sum[4][1024] = p.sum[4][0] + 1;
	expect_damage(&p, "summary where no chunk is");
	p.sum[4][1024] = 0;

	p.search = 1024 * 512;
	expect_damage(&p, "search page where no chunk is");
	p.search = 0;
	p.nr_free++;
	expect_damage(&p, "free pages miscounted");
	p.nr_free--;
	p.nr_owned--;
	expect_damage(&p, "owned pages miscounted");
	p.nr_owned++;
	palloc_free(&p, 7, 1);
	p.search = 8;
	expect_damage(&p, "free page below the search page");
	p.search = 7;
	p.end = 0;
	expect_damage(&p, "free pages outside of what was grown");
	p.end = 8;
	palloc_fail(&p, "something", 9, 1);
	EXPECT(palloc_check(&p, &f) && f.page == 9, "a fault is a failure");
	memset(&p.fault, 0, sizeof(p.fault));
	end(&p);
}

/* Steps with changes between them: a part is right, a sum is left alone. */
static void check_in_steps(void)
{
	unsigned int changing, wrong, steps;
	struct palloc_check check;
	struct palloc_fault f;
	struct palloc p;
	int more;
	u64 scav;

	begin(&p, 1 << 21);
	add(&p, 0, 4096);
	for (changing = 0; changing < 2; changing++) {
		for (wrong = 0; wrong < 2; wrong++) {
			steps = 0;
			palloc_check_begin(&p, &check);
			p.nr_free += wrong;
			do {
				if (changing) {
					palloc_alloc(&p, 3, &scav);
					palloc_free(&p, 0, 3);
				}
				more = palloc_check_step(&p, &check, &f);
				steps++;
			} while (more > 0);
			p.nr_free -= wrong;
			EXPECT(steps > 4, "it is done in steps");
			EXPECT(more == (wrong && !changing ? -EUCLEAN : 0),
			       "changing %u, wrong %u: %d", changing, wrong, more);
		}
	}
	end(&p);
}

static void sizes(void)
{
	struct palloc p;

	sim_mem_init(&mem);
	EXPECT(palloc_init(&p, &mem.mem, 0, 0) == -EINVAL, "no pages");
	palloc_destroy(&p);
	EXPECT(palloc_init(&p, &mem.mem, (1ULL << 40) + 1, 0) == -EINVAL,
	       "too many pages");
	palloc_destroy(&p);
	begin(&p, 1);
	EXPECT(palloc_nr_pages(&p) == 1 << 18, "a block of every table at least");
	EXPECT(palloc_entries(&p, PALLOC_LEAF) == 1 << 9, "chunks");
	EXPECT(palloc_entries(&p, 1) == 1, "an entry for them");
	EXPECT(palloc_entries(&p, 0) == 1, "a root entry");
	EXPECT(palloc_reserve(&p, 0, 0, 0) == -EINVAL, "nothing");
	EXPECT(palloc_reserve(&p, 1 << 18, 1, 0) == -EINVAL, "beyond");
	EXPECT(palloc_reserve(&p, 5, PALLOC_NONE, 0) == -EINVAL, "wraps");
	EXPECT(palloc_extend(&p, (1ULL << 40) + 1, 0) == -EINVAL, "too many");
	EXPECT(!palloc_extend(&p, 10, 0), "large enough");
	EXPECT(palloc_nr_pages(&p) == 1 << 18, "no change");
	EXPECT(palloc_metadata_bytes(&p), "it costs something");
	end(&p);
}

/* Each allocation in turn fails; nothing leaks, and it works afterwards. */
static void no_memory(void)
{
	struct palloc p;
	u64 scav;
	int i, err = -ENOMEM;

	for (i = 0; err; i++) {
		sim_mem_init(&mem);
		mem.fail_after = i;
		err = palloc_init(&p, &mem.mem, 1 << 21, 0);
		EXPECT(err == -ENOMEM || !err, "palloc_init: %d", err);
		if (err)
			palloc_destroy(&p);
		EXPECT(!err || !mem.live, "%ld allocations left", mem.live);
	}
	EXPECT(i > 5, "%d allocations", i);
	for (i = 0, err = -ENOMEM; err; i++) {
		mem.fail_after = i;
		err = palloc_reserve(&p, 0, 40000, 0);
		EXPECT(err == -ENOMEM || !err, "palloc_reserve: %d", err);
	}
	for (i = 0, err = -ENOMEM; err; i++) {
		mem.fail_after = i;
		err = palloc_extend(&p, 1 << 22, 0);
		EXPECT(err == -ENOMEM || !err, "palloc_extend: %d", err);
	}
	mem.fail_after = -1;
	palloc_grow(&p, 0, 40000, false);
	EXPECT(palloc_alloc(&p, 40000, &scav) == 0 && !scav, "works");
	end(&p);
}

/* Address space grows twice at a time; the smaller one is not used. */
static void extend_twice(void)
{
	struct palloc_space *large, *small;
	u64 root = 1ULL << PALLOC_ROOT_SHIFT, scav;
	struct palloc p;

	begin(&p, 1);
	add(&p, 0, 100);
	EXPECT(palloc_alloc(&p, 60, &scav) == 0, "before");
	EXPECT(!palloc_extend_prepare(&p, 2 * root, 0, &small), "small");
	EXPECT(!palloc_extend_prepare(&p, 5 * root, 0, &large), "large");
	palloc_extend_commit(&p, large);
	palloc_extend_commit(&p, small);
	palloc_extend_commit(&p, NULL);
	EXPECT(palloc_nr_pages(&p) == 5 * root, "size");
	add(&p, 5 * root - 600, 600);
	EXPECT(palloc_alloc(&p, 40, &scav) == 60, "what was there");
	EXPECT(palloc_alloc(&p, 600, &scav) == 5 * root - 600, "what is new");
	end(&p);
}

/* Blocks are put in on other CPUs while the tables are replaced. */
#define RACE_PAGES	(600ULL << PALLOC_CHUNK_SHIFT)

static struct palloc race;

static void *race_reserve(void *arg)
{
	u64 rng = (uintptr_t)arg;
	int i;

	for (i = 0; i < 600; i++) {
		u64 base = sim_random(&rng) % RACE_PAGES;

		if (palloc_reserve(&race, base, 1, 0))
			return arg;
	}
	return NULL;
}

static void *race_zalloc(const struct palloc_mem *m, size_t bytes, gfp_t gfp)
{
	(void)m;
	(void)gfp;
	return calloc(1, bytes);
}

static void race_free(const struct palloc_mem *m, void *p, size_t bytes)
{
	(void)m;
	(void)bytes;
	free(p);
}

static void reserve_race(void)
{
	static const struct palloc_mem m = { race_zalloc, race_free };
	int round;

	for (round = 0; round < 100; round++) {
		struct palloc_fault f = {};
		pthread_t thread[3];
		uintptr_t i;
		u64 roots;

		EXPECT(!palloc_init(&race, &m, RACE_PAGES, 0), "init");
		for (i = 0; i < 3; i++)
			pthread_create(&thread[i], NULL, race_reserve,
				       (void *)(round * 3 + i + 1));
		for (roots = 2; roots < 20; roots += 2)
			EXPECT(!palloc_extend(&race, roots << 21, 0), "extend");
		for (i = 0; i < 3; i++) {
			void *failed;

			pthread_join(thread[i], &failed);
			EXPECT(!failed, "reserve");
		}
		/* Everything asked for is there, and not ours. */
		EXPECT(!palloc_check(&race, &f), "%s", f.what);
		for (i = 0; i < 3; i++) {
			u64 rng = round * 3 + i + 1;
			int k;

			for (k = 0; k < 600; k++) {
				u64 base = sim_random(&rng) % RACE_PAGES;

				EXPECT(palloc_chunk_of(&race, base >> 9),
				       "chunk %llu lost", base >> 9);
			}
		}
		palloc_destroy(&race);
		EXPECT(!palloc_metadata_bytes(&race), "bytes left");
	}
}

const struct unit_case unit_palloc[] = {
	{ "palloc: packed summaries", pack },
	{ "palloc: whole root entries", whole_root },
	{ "palloc: islands in 64 TiB", far_apart },
	{ "palloc: the search page is in a chunk that exists",
	  search_page_exists },
	{ "palloc: bad input changes nothing", bad_input },
	{ "palloc: damage is noticed", damage },
	{ "palloc: a check in steps", check_in_steps },
	{ "palloc: sizes", sizes },
	{ "palloc: every allocation fails once", no_memory },
	{ "palloc: two extensions at a time", extend_twice },
	{ "palloc: reserving while the tables are replaced", reserve_race },
	{}
};
