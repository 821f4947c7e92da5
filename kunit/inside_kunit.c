// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files that show what lies where: spans, heapmap, pageheap. That they agree
 * with the books and with each other, that they can be read while the heap is
 * used, and how long a large heap takes. And how often locks were taken.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include <goalloc.h>

#include "cache.h"
#include "crew.h"
#include "debugfs.h"
#include "fake_source.h"
#include "stats.h"

#define INSIDE_PAGES 4096
#define INSIDE_OBJS 300
#define INSIDE_LARGE 12

/* Room for a file of a heap of 100 MiB. */
#define INSIDE_TEXT (4 << 20)

typedef void (*inside_show_t)(struct seq_file *m, struct goalloc_heap *heap);

/**
 * struct inside - a heap with something in it, and room for a file
 * @fh: the heap, of two nodes
 * @text: the file
 * @obj: small objects
 * @large: large objects
 */
struct inside {
	struct fake_heap *fh;
	char *text;
	void *obj[INSIDE_OBJS];
	void *large[INSIDE_LARGE];
};

static int inside_init(struct kunit *test)
{
	struct inside *in = kunit_kzalloc(test, sizeof(*in), GFP_KERNEL);

	if (!in)
		return -ENOMEM;
	in->fh = fake_heap_create(test, INSIDE_PAGES, 2);
	in->text = kvmalloc(INSIDE_TEXT, GFP_KERNEL);
	test->priv = in;
	return in->text ? 0 : -ENOMEM;
}

static void inside_exit(struct kunit *test)
{
	struct inside *in = test->priv;

	if (!in)
		return;
	kvfree(in->text);
	if (in->fh)
		fake_heap_destroy(test, in->fh);
}

/* A file as text; false if there was no room. */
static bool inside_read(struct inside *in, inside_show_t show, struct goalloc_heap *heap)
{
	struct seq_file m = { .buf = in->text, .size = INSIDE_TEXT - 1 };

	show(&m, heap);
	in->text[m.count] = '\0';
	return m.count < INSIDE_TEXT - 1;
}

/* The first line behind the head, or NULL. */
static char *inside_rows(struct inside *in, const char *first)
{
	char *line = in->text;

	if (strncmp(line, first, strlen(first)))
		return NULL;
	line = strchr(line, '\n');
	while (line && line[1] == '#')
		line = strchr(line + 1, '\n');
	return line ? line + 1 : NULL;
}

static char *inside_next(char *line)
{
	return strchr(line, '\n') + 1;
}

/* Objects of many classes, large ones between them, and holes. */
static void inside_fill(struct kunit *test, struct inside *in)
{
	struct goalloc_heap *heap = in->fh->heap;
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, 6);
	for (i = 0; i < INSIDE_OBJS; i++) {
		in->obj[i] = i % 10 ? goalloc_heap_alloc(heap, 1 + prandom_u32_state(&rnd) %
							 6000, GFP_KERNEL) :
				      tiny_alloc(heap, 1 + i % 15, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, in->obj[i]);
		if (i % (INSIDE_OBJS / INSIDE_LARGE))
			continue;
		in->large[i / (INSIDE_OBJS / INSIDE_LARGE)] =
			goalloc_heap_alloc(heap, 33000 + 1000 * i, GFP_KERNEL);
	}
	for (i = 0; i < INSIDE_OBJS; i += 3) {
		goalloc_heap_free(heap, in->obj[i]);
		in->obj[i] = NULL;
	}
	for (i = 0; i < INSIDE_LARGE; i += 4) {
		goalloc_heap_free(heap, in->large[i]);
		in->large[i] = NULL;
	}
	/* Last, so that its CPU still has the span at hand. */
	in->large[0] = goalloc_heap_alloc(heap, 9000, GFP_KERNEL);
}

/* A row of spans. */
struct inside_span {
	u64 page, pages, size, objs, used, node, asked;
	char class[8], place[8];
};

static bool inside_parse_span(const char *line, struct inside_span *s)
{
	return sscanf(line, "%llu %llu %7s %llu %llu %llu %7s %llu %llu", &s->page,
		      &s->pages, s->class, &s->size, &s->objs, &s->used, s->place,
		      &s->node, &s->asked) == 9;
}

/* The bin of a row of a small span, or -1. */
static int inside_bin(const struct inside_span *s)
{
	unsigned int bin;

	if (!strcmp(s->class, "tiny"))
		return GOALLOC_TINY_BIN;
	return kstrtouint(s->class, 10, &bin) || bin >= GOALLOC_NR_BINS ? -1 : bin;
}

/* Each span once, in order, and what the rows come to is what the books say. */
static void inside_spans(struct kunit *test)
{
	struct inside *in = test->priv;
	struct goalloc_heap *heap = in->fh->heap;
	u64 *spans = kunit_kcalloc(test, GOALLOC_NR_BINS, sizeof(*spans), GFP_KERNEL);
	u64 *used = kunit_kcalloc(test, GOALLOC_NR_BINS, sizeof(*used), GFP_KERNEL);
	u64 end = 0, pages = 0, large = 0, asked = 0;
	unsigned int wrong = 0, owned = 0, rows = 0;
	struct goalloc_stats st;
	struct inside_span s;
	struct large_stats ls;
	struct bin_stats bs;
	char *line;
	int bin;

	KUNIT_ASSERT_TRUE(test, spans && used);
	inside_fill(test, in);
	KUNIT_ASSERT_TRUE(test, inside_read(in, debugfs_show_spans, heap));
	line = inside_rows(in, "goalloc spans - version: 1.0\n");
	KUNIT_ASSERT_NOT_NULL(test, line);
	KUNIT_EXPECT_NOT_NULL(test, strstr(in->text, "class     size  objs  used    place node"));
	for (; *line; line = inside_next(line), rows++) {
		KUNIT_ASSERT_TRUE_MSG(test, inside_parse_span(line, &s), "row %u", rows);
		wrong += s.page < end;
		end = s.page + s.pages;
		pages += s.pages;
		wrong += s.used > s.objs;
		wrong += s.node != s.page / (INSIDE_PAGES / 2);
		if (!strcmp(s.class, "large")) {
			large++;
			asked += s.asked;
			wrong += s.objs != 1 || s.used != 1 || strcmp(s.place, "large") != 0;
			wrong += s.size != s.pages * GOALLOC_PAGE_SIZE || s.asked > s.size;
			continue;
		}
		bin = inside_bin(&s);
		KUNIT_ASSERT_GE(test, bin, 0);
		spans[bin]++;
		used[bin] += s.used;
		wrong += s.asked != 0 || s.size != span_shape_small(bin).elemsize;
		wrong += s.objs != span_shape_small(bin).nelems;
		if (!strcmp(s.place, "owned"))
			owned++;
		else
			wrong += strcmp(s.place, s.used == s.objs ? "full" : "partial") != 0;
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	KUNIT_EXPECT_GT(test, owned, 0U);
	for (bin = 0; bin < GOALLOC_NR_BINS; bin++) {
		stats_bin(heap, bin, &bs);
		KUNIT_EXPECT_EQ_MSG(test, bs.spans, spans[bin], "bin %d", bin);
		KUNIT_EXPECT_EQ_MSG(test, bs.allocs - bs.frees + bs.cached, used[bin],
				    "bin %d", bin);
		owned -= bs.owned;
	}
	KUNIT_EXPECT_EQ(test, 0U, owned);
	stats_large(heap, &ls);
	KUNIT_EXPECT_EQ(test, ls.allocs - ls.frees, large);
	KUNIT_EXPECT_EQ(test, ls.asked, asked);
	goalloc_heap_stats(heap, &st);
	KUNIT_EXPECT_EQ(test, st.sys_bytes - st.free_bytes - st.page_cache_bytes,
			pages << GOALLOC_PAGE_SHIFT);
}

/* Runs of a map into a letter per page; false if they are not 512. */
static bool inside_unpack(const char *map, char *page)
{
	unsigned int nr = 0, run;
	char letter;
	int used;

	while (*map && *map != '\n') {
		if (sscanf(map, "%c%u%n", &letter, &run, &used) != 2 || !run ||
		    nr + run > PALLOC_CHUNK_PAGES || !strchr("ufzn", letter) ||
		    (nr && page[nr - 1] == letter))
			return false;
		memset(page + nr, letter, run);
		nr += run;
		map += used;
	}
	return nr == PALLOC_CHUNK_PAGES;
}

static unsigned int inside_count(const char *page, const char *letters)
{
	unsigned int i, nr = 0;

	for (i = 0; i < PALLOC_CHUNK_PAGES; i++)
		nr += !!strchr(letters, page[i]);
	return nr;
}

/* The state of each page into @state; what the rows come to is in the books. */
static void inside_map(struct kunit *test, struct inside *in, char *state)
{
	struct goalloc_heap *heap = in->fh->heap;
	u64 node, chunk, first, owned, free;
	u64 sums[2][2] = {};
	unsigned int wrong = 0;
	char *line;
	int used, got;

	memset(state, 'n', INSIDE_PAGES);
	KUNIT_ASSERT_TRUE(test, inside_read(in, debugfs_show_heapmap, heap));
	line = inside_rows(in, "goalloc heapmap - version: 1.0\n");
	KUNIT_ASSERT_NOT_NULL(test, line);
	for (; *line; line = inside_next(line)) {
		char page[PALLOC_CHUNK_PAGES];

		got = sscanf(line, "%llu %llu %llu %llu %llu %n", &node, &chunk, &first,
			     &owned, &free, &used);
		KUNIT_ASSERT_EQ(test, 5, got);
		KUNIT_ASSERT_LT(test, node, 2ULL);
		KUNIT_ASSERT_LT(test, first, (u64)INSIDE_PAGES);
		KUNIT_ASSERT_TRUE(test, inside_unpack(line + used, page));
		wrong += first != chunk * PALLOC_CHUNK_PAGES;
		wrong += inside_count(page, "ufz") != owned || !owned;
		wrong += inside_count(page, "fz") != free;
		sums[node][0] += owned;
		sums[node][1] += free;
		memcpy(state + first, page, PALLOC_CHUNK_PAGES);
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	for (node = 0; node < 2; node++) {
		KUNIT_EXPECT_EQ(test, sums[node][0], heap->node[node]->palloc.nr_owned);
		KUNIT_EXPECT_EQ(test, sums[node][1], heap->node[node]->palloc.nr_free);
	}
}

/* heapmap against the books, and against spans. */
static void inside_heapmap(struct kunit *test)
{
	struct inside *in = test->priv;
	char *state = kunit_kzalloc(test, INSIDE_PAGES, GFP_KERNEL);
	struct inside_span s;
	unsigned int wrong = 0;
	char *line;
	u64 i;

	KUNIT_ASSERT_NOT_NULL(test, state);
	inside_fill(test, in);
	inside_map(test, in, state);
	KUNIT_EXPECT_NOT_NULL(test, memchr(state, 'f', INSIDE_PAGES));
	KUNIT_ASSERT_TRUE(test, inside_read(in, debugfs_show_spans, in->fh->heap));
	for (line = inside_rows(in, ""); *line; line = inside_next(line)) {
		KUNIT_ASSERT_TRUE(test, inside_parse_span(line, &s));
		for (i = s.page; i < s.page + s.pages; i++)
			wrong += state[i] != 'u';
	}
	KUNIT_EXPECT_EQ(test, 0U, wrong);
	/* What goes back is not goalloc's any more; what comes is known to be zero. */
	goalloc_scavenge(in->fh->heap, U64_MAX);
	inside_map(test, in, state);
	KUNIT_EXPECT_NULL(test, memchr(state, 'f', INSIDE_PAGES));
	in->fh->fake.clean = true;
	goalloc_heap_free(in->fh->heap, goalloc_heap_alloc(in->fh->heap, 50000, GFP_KERNEL));
	inside_map(test, in, state);
	KUNIT_EXPECT_NOT_NULL(test, memchr(state, 'z', INSIDE_PAGES));
}

/* "node N name value" of pageheap; U64_MAX for "none". */
static u64 inside_value(struct kunit *test, struct inside *in, int node, const char *name)
{
	char want[48];
	char *line;
	u64 value;
	int got;

	snprintf(want, sizeof(want), "\nnode %d %s ", node, name);
	line = strstr(in->text, want);
	KUNIT_EXPECT_NOT_NULL_MSG(test, line, "%s", want);
	if (!line || !strncmp(line + strlen(want), "none", 4))
		return U64_MAX;
	got = sscanf(line + strlen(want), "%llu", &value);
	KUNIT_EXPECT_EQ(test, 1, got);
	return got == 1 ? value : 0;
}

/* Runs of free pages in @state that are @min to @max long, within a node. */
static u64 inside_runs(const char *state, int node, u64 min, u64 max, u64 *pages)
{
	u64 i = node * (INSIDE_PAGES / 2), end = i + INSIDE_PAGES / 2;
	u64 runs = 0, len;

	*pages = 0;
	for (; i < end; i += max(len, 1ULL)) {
		for (len = 0; i + len < end && strchr("fz", state[i + len]); len++)
			;
		if (!len || len < min || len > max)
			continue;
		runs++;
		*pages += len;
	}
	return runs;
}

static void inside_pageheap_node(struct kunit *test, struct inside *in, const char *state,
				 int node)
{
	struct palloc *palloc = &in->fh->heap->node[node]->palloc;
	u64 pages, all, longest = 0, shown = 0, first = node * (INSIDE_PAGES / 2);
	u64 min, max, nr, nr_pages, at, start, end;
	char want[24];
	int root, got;
	char *line;

	KUNIT_EXPECT_EQ(test, palloc->nr_owned, inside_value(test, in, node, "owned_pages"));
	KUNIT_EXPECT_EQ(test, palloc->nr_free, inside_value(test, in, node, "free_pages"));
	KUNIT_EXPECT_EQ(test, palloc->nr_owned - palloc->nr_free,
			inside_value(test, in, node, "used_pages"));
	/* The search begins at or before the first free page. */
	for (at = first; at < first + INSIDE_PAGES / 2; at++)
		if (strchr("fz", state[at]))
			break;
	if (at == first + INSIDE_PAGES / 2)
		KUNIT_EXPECT_EQ(test, 0ULL, palloc->nr_free);
	else
		KUNIT_EXPECT_LE(test, inside_value(test, in, node, "search_page"), at);

	snprintf(want, sizeof(want), "\nruns %d ", node);
	for (line = in->text; (line = strstr(line, want)); line++) {
		got = sscanf(line + strlen(want), "%llu %llu %llu %llu", &min, &max, &nr,
			     &nr_pages);
		KUNIT_ASSERT_EQ(test, 4, got);
		KUNIT_EXPECT_EQ(test, 2 * min - 1, max);
		KUNIT_EXPECT_EQ(test, inside_runs(state, node, min, max, &pages), nr);
		KUNIT_EXPECT_EQ(test, pages, nr_pages);
		shown += nr;
	}
	KUNIT_EXPECT_EQ(test, inside_runs(state, node, 1, U64_MAX, &all), shown);
	KUNIT_EXPECT_EQ(test, all, palloc->nr_free);
	longest = inside_value(test, in, node, "longest_run_pages");
	if (longest)
		KUNIT_EXPECT_GT(test, inside_runs(state, node, longest, longest, &pages), 0ULL);
	KUNIT_EXPECT_EQ(test, 0ULL, inside_runs(state, node, longest + 1, U64_MAX, &pages));

	/* The whole space is in the first entry of the root. */
	snprintf(want, sizeof(want), "\nroot %d ", node);
	line = strstr(in->text, want);
	KUNIT_EXPECT_EQ(test, !line, !palloc->nr_free);
	if (!line)
		return;
	got = sscanf(line + strlen(want), "%d %llu %llu %llu %llu", &root, &at, &start, &max,
		     &end);
	KUNIT_ASSERT_EQ(test, 5, got);
	KUNIT_EXPECT_EQ(test, 0, root);
	KUNIT_EXPECT_EQ(test, 0ULL, at);
	KUNIT_EXPECT_EQ(test, longest, max);
	KUNIT_EXPECT_EQ(test, 0ULL, end);
	KUNIT_EXPECT_NULL(test, strstr(line + 1, want));
}

/* Pages of a large object, which no cache keeps, and bytes. */
#define HOLE_PAGES (GOALLOC_MAX_SMALL_SIZE / GOALLOC_PAGE_SIZE + 3)
#define HOLE_BYTES (HOLE_PAGES * GOALLOC_PAGE_SIZE)

/* pageheap against the map, and runs that are there for sure. */
static void inside_pageheap(struct kunit *test)
{
	struct inside *in = test->priv;
	struct goalloc_heap *heap = in->fh->heap;
	char *state = kunit_kzalloc(test, INSIDE_PAGES, GFP_KERNEL);
	u64 page, pages, before[2];
	unsigned int i;
	void *obj[24];
	int node;

	KUNIT_ASSERT_NOT_NULL(test, state);
	inside_fill(test, in);
	for (i = 0; i < 3; i++) {
		inside_map(test, in, state);
		KUNIT_ASSERT_TRUE(test, inside_read(in, debugfs_show_pageheap, heap));
		for (node = 0; node < 2; node++) {
			inside_pageheap_node(test, in, state, node);
			before[node] = inside_runs(state, node, HOLE_PAGES, HOLE_PAGES, &pages);
		}
		if (i == 1)
			goalloc_scavenge(heap, U64_MAX);
		if (i)
			continue;
		/* Of objects in a row every other one goes: holes of a large object. */
		for (page = 0; page < ARRAY_SIZE(obj); page++) {
			obj[page] = goalloc_heap_alloc(heap, HOLE_BYTES, GFP_KERNEL);
			KUNIT_ASSERT_NOT_NULL(test, obj[page]);
		}
		for (page = 1; page < ARRAY_SIZE(obj); page++)
			if (obj[page] == obj[page - 1] + HOLE_BYTES && page + 1 < 24 &&
			    obj[page + 1] == obj[page] + HOLE_BYTES)
				break;
		KUNIT_ASSERT_LT(test, page, (u64)ARRAY_SIZE(obj));
		goalloc_heap_free(heap, obj[page]);
		inside_map(test, in, state);
		KUNIT_EXPECT_GT(test, inside_runs(state, 0, HOLE_PAGES, HOLE_PAGES, &pages) +
				inside_runs(state, 1, HOLE_PAGES, HOLE_PAGES, &pages),
				before[0] + before[1]);
	}
}

static const inside_show_t inside_files[] = {
	debugfs_show_spans, debugfs_show_heapmap, debugfs_show_pageheap,
	debugfs_show_classes,
};

struct inside_busy {
	struct inside *in;
	atomic_t running;
	unsigned int shown;
	unsigned int wrong;
};

/* Is a text of whole rows of spans? */
static noinline_for_stack bool inside_spans_ok(struct inside *in)
{
	char *line = inside_rows(in, "goalloc spans - version: 1.0\n");
	struct inside_span s;
	u64 page = 0;

	for (; line && *line; line = inside_next(line)) {
		if (!inside_parse_span(line, &s) || s.page < page || s.page >= INSIDE_PAGES ||
		    s.used > s.objs || s.node > 1)
			return false;
		page = s.page + 1;
	}
	return line;
}

static noinline_for_stack bool inside_map_ok(struct inside *in)
{
	char *line = inside_rows(in, "goalloc heapmap - version: 1.0\n");
	u64 node, chunk, first, owned, free;
	char page[PALLOC_CHUNK_PAGES];
	int used;

	for (; line && *line; line = inside_next(line)) {
		if (sscanf(line, "%llu %llu %llu %llu %llu %n", &node, &chunk, &first, &owned,
			   &free, &used) != 5 || !inside_unpack(line + used, page) ||
		    inside_count(page, "fz") != free || inside_count(page, "ufz") != owned)
			return false;
	}
	return line;
}

static void inside_member(void *arg, unsigned int member)
{
	struct inside_busy *busy = arg;
	struct goalloc_heap *heap = busy->in->fh->heap;
	struct rnd_state rnd;
	void *obj[64] = {};
	unsigned int i, step;

	if (!member) {
		do {
			i = busy->shown % ARRAY_SIZE(inside_files);
			busy->wrong += !inside_read(busy->in, inside_files[i], heap);
			if (inside_files[i] == debugfs_show_spans)
				busy->wrong += !inside_spans_ok(busy->in);
			if (inside_files[i] == debugfs_show_heapmap)
				busy->wrong += !inside_map_ok(busy->in);
			WRITE_ONCE(busy->shown, busy->shown + 1);
			cond_resched();
		} while (atomic_read(&busy->running));
		return;
	}
	prandom_seed_state(&rnd, member);
	for (step = 0; step < 4000 ||
	     READ_ONCE(busy->shown) < 3 * ARRAY_SIZE(inside_files); step++) {
		i = prandom_u32_state(&rnd) % ARRAY_SIZE(obj);
		if (obj[i]) {
			goalloc_heap_free(heap, obj[i]);
			obj[i] = NULL;
		} else {
			obj[i] = goalloc_heap_alloc(heap, 1 + prandom_u32_state(&rnd) %
						    (step % 4 ? 9000 : 90000), GFP_KERNEL);
		}
		if (step % 512 == 0)
			goalloc_scavenge(heap, U64_MAX);
		if (step % 32 == 0)
			cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(obj); i++)
		if (obj[i])
			goalloc_heap_free(heap, obj[i]);
	atomic_dec(&busy->running);
}

/* What is read while the heap is used has whole rows that make sense. */
static void inside_while_busy(struct kunit *test)
{
	struct inside_busy busy = {
		.in = test->priv,
		.running = ATOMIC_INIT(CREW_FULL - 1),
	};

	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, inside_member, &busy));
	KUNIT_EXPECT_EQ(test, 0U, busy.wrong);
	KUNIT_EXPECT_GE(test, busy.shown, 3U * (unsigned int)ARRAY_SIZE(inside_files));
	fake_heap_check(test, busy.in->fh);
}

/* A heap of 100 MiB: how many rows, and how long it takes. */
static void inside_large_heap(struct kunit *test)
{
	static const char *const names[] = { "spans", "heapmap", "pageheap", "classes" };
	struct inside *in = test->priv;
	struct goalloc_heap *heap;
	unsigned int per_span = span_shape_small(sizeclass_of(4096)).nelems;
	unsigned int i, rows;
	char *line;
	u64 bytes;
	ktime_t t;

	heap = goalloc_heap_create("inside_large", NULL);
	KUNIT_ASSERT_FALSE(test, IS_ERR(heap));
	for (bytes = 0; bytes < 100 << 20; bytes += 4096)
		if (!goalloc_heap_alloc(heap, 4096, GFP_KERNEL))
			break;
	KUNIT_EXPECT_EQ(test, 100ULL << 20, bytes);
	for (i = 0; i < ARRAY_SIZE(inside_files); i++) {
		t = ktime_get();
		KUNIT_EXPECT_TRUE(test, inside_read(in, inside_files[i], heap));
		t = ktime_sub(ktime_get(), t);
		line = inside_rows(in, "goalloc ");
		for (rows = 0; line && *line; line = inside_next(line))
			rows++;
		kunit_info(test, "heap of 100 MiB: %s, %u rows, %zu bytes in %lld us\n", names[i],
			   rows, strlen(in->text), ktime_to_us(t));
		if (!i)
			KUNIT_EXPECT_GE(test, rows, (100U << 20) / 4096 / per_span);
	}
	KUNIT_EXPECT_EQ(test, 0, goalloc_heap_destroy(heap, true));
}

struct inside_lock {
	struct goalloc_central *central;
	bool done;
};

static void inside_lock_member(void *arg, unsigned int member)
{
	struct inside_lock *lock = arg;
	unsigned int i;
	void *obj;

	for (i = 0; i < 200000 && !READ_ONCE(lock->done); i++) {
		obj = central_alloc(lock->central, 64);
		if (obj)
			goalloc_heap_free(lock->central->home->heap, obj);
		/* Counted under the lock that the others are after. */
		if (data_race(READ_ONCE(lock->central->contended)))
			WRITE_ONCE(lock->done, true);
		if (i % 32 == 0)
			cond_resched();
	}
}

/* Locks are counted, and that somebody had to wait. */
static void inside_locks(struct kunit *test)
{
	struct inside *in = test->priv;
	struct heap_node *node = in->fh->heap->node[0];
	unsigned int bin = sizeclass_of(64), slot;
	struct inside_lock lock = { .central = &node->central[bin] };
	struct goalloc_span *span;
	struct bin_stats bs;
	u64 locks;

	span = heap_alloc_span(node, bin, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, span);
	central_add(lock.central, span);
	locks = lock.central->locks;
	span = central_take(lock.central, 64, SLOT_LIVE, NULL, &slot);
	KUNIT_ASSERT_NOT_NULL(test, span);
	WRITE_ONCE(span->state[slot], SLOT_FREE);
	central_free(lock.central, span, slot);
	/* Out, back, and once more for the structure of the span, which is all free. */
	KUNIT_EXPECT_GE(test, lock.central->locks, locks + 3);
	KUNIT_EXPECT_EQ(test, 0ULL, lock.central->contended);
	/* Whoever reads the statistics is not counted. */
	locks = lock.central->locks;
	stats_bin(in->fh->heap, bin, &bs);
	KUNIT_EXPECT_EQ(test, locks, lock.central->locks);
	KUNIT_EXPECT_EQ(test, locks, bs.locks);

	KUNIT_ASSERT_EQ(test, 0, crew_run(CREW_FULL, inside_lock_member, &lock));
	KUNIT_EXPECT_TRUE(test, lock.done);
	stats_bin(in->fh->heap, bin, &bs);
	KUNIT_EXPECT_GT(test, bs.contended, 0ULL);
	KUNIT_EXPECT_LE(test, bs.contended, bs.locks);
}

static struct kunit_case inside_cases[] = {
	KUNIT_CASE(inside_spans),
	KUNIT_CASE(inside_heapmap),
	KUNIT_CASE(inside_pageheap),
	KUNIT_CASE(inside_while_busy),
	KUNIT_CASE(inside_large_heap),
	KUNIT_CASE(inside_locks),
	{}
};

static struct kunit_suite inside_suite = {
	.name = "goalloc_inside",
	.init = inside_init,
	.exit = inside_exit,
	.test_cases = inside_cases,
};

kunit_test_suites(&inside_suite);
