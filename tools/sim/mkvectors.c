// SPDX-License-Identifier: GPL-2.0-only
/*
 * mkvectors palloc|page_cache DIR - print vectors as tables for a KUnit suite.
 *
 * The kernel reads no JSON, so the suites include what this prints from the
 * files in DIR.  Kept small: Go's tables as they are, and of the recorded
 * traces and random cases the first ones.
 *
 * Lists of different lengths are slices ("from", "nr") of a few long arrays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "json_text.h"

#define MAX_RANDOM	40

typedef unsigned long long u64;

/* One of the long arrays: text that grows, and how many elements it has. */
struct list {
	char *text;
	size_t len;
	FILE *f;
	unsigned int nr;
};

static struct list ranges, chunks, ops, hits;

static void list_open(struct list *l)
{
	l->f = open_memstream(&l->text, &l->len);
}

static void list_print(struct list *l, const char *type, const char *name)
{
	fclose(l->f);
	if (l->nr)
		printf("static const %s %s[] = {\n%s};\n\n", type, name,
		       l->text);
	free(l->text);
}

static u64 number(const json_t *v, u64 none)
{
	if (json_is_integer(v))
		return json_integer_value(v);
	if (json_is_string(v))
		return strtoull(json_string_value(v), NULL, 0);
	return none;
}

static u64 item(const json_t *array, size_t i)
{
	return number(json_array_get(array, i), ~0ULL);
}

static const json_t *get(const json_t *object, const char *key)
{
	return json_object_get(object, key);
}

/* A slice is printed as { from, nr }. */
struct slice {
	unsigned int from, nr;
};

static struct slice put_ranges(const json_t *list)
{
	struct slice s = { ranges.nr, 0 };
	json_t *r;
	size_t i;

	json_array_foreach(list, i, r) {
		if (!item(r, 1))
			continue;
		fprintf(ranges.f, "\t{ %llu, %llu },\n", item(r, 0),
			item(r, 1));
		s.nr++;
	}
	ranges.nr += s.nr;
	return s;
}

/* The ones of a bitmap of eight words, as ranges. */
static struct slice put_words(const json_t *words)
{
	struct slice s = { ranges.nr, 0 };
	unsigned int i, from = 0, run = 0;

	for (i = 0; i <= 512; i++) {
		if (i < 512 && item(words, i / 64) >> i % 64 & 1) {
			if (!run++)
				from = i;
			continue;
		}
		if (run) {
			fprintf(ranges.f, "\t{ %u, %u },\n", from, run);
			s.nr++;
		}
		run = 0;
	}
	ranges.nr += s.nr;
	return s;
}

static void put_chunk(u64 chunk, struct slice alloc, struct slice scav)
{
	fprintf(chunks.f, "\t{ %llu, { %u, %u }, { %u, %u } },\n", chunk,
		alloc.from, alloc.nr, scav.from, scav.nr);
	chunks.nr++;
}

/* A state: objects from chunk to ranges, for allocated and for scavenged. */
static struct slice put_state(const json_t *alloc, const json_t *scav)
{
	struct slice s = { chunks.nr, 0 };
	const char *key;
	json_t *list;

	json_object_foreach((json_t *)alloc, key, list)
		put_chunk(strtoull(key, NULL, 10), put_ranges(list),
			  put_ranges(get(scav, key)));
	s.nr = chunks.nr - s.from;
	return s;
}

static void put_op(const char *kind, unsigned int id, u64 n, u64 page, u64 a,
		   u64 b)
{
	fprintf(ops.f, "\t{ OP_%s, %u, 0x%llx, ", kind, id, n);
	if (page == ~0ULL)
		fprintf(ops.f, "PALLOC_NONE");
	else
		fprintf(ops.f, "%llu", page);
	fprintf(ops.f, ", 0x%llx, 0x%llx },\n", a, b);
	ops.nr++;
}

static u64 pages(u64 bytes)
{
	return bytes == ~0ULL ? bytes : bytes / 8192 + (bytes % 8192 != 0);
}

static void put_case(FILE *f, const char *name, struct slice before,
		     struct slice after, unsigned int from)
{
	fprintf(f, "\t{ \"%s\", { %u, %u }, { %u, %u }, { %u, %u } },\n", name,
		before.from, before.nr, after.from, after.nr, from,
		ops.nr - from);
}

static void page_alloc_cases(FILE *f, const json_t *section)
{
	const char *name;
	json_t *e, *h;
	size_t i;

	json_object_foreach((json_t *)section, name, e) {
		struct slice before, after;
		unsigned int from = ops.nr;

		before = put_state(get(e, "before"), get(e, "scav"));
		json_array_foreach(get(e, "hits"), i, h)
			put_op("ALLOC", 0, item(h, 0), item(h, 1),
			       pages(item(h, 2)), 0);
		after = put_state(get(e, "after"), get(e, "scav"));
		put_case(f, name, before, after, from);
	}
}

static void page_free_cases(FILE *f, const json_t *section)
{
	const char *name;
	json_t *e, *page;
	size_t i;

	json_object_foreach((json_t *)section, name, e) {
		struct slice before, after;
		unsigned int from = ops.nr;

		before = put_state(get(e, "before"), NULL);
		json_array_foreach(get(e, "frees"), i, page)
			put_op("FREE", 0, number(get(e, "npages"), 0),
			       number(page, 0), 0, 0);
		after = put_state(get(e, "after"), NULL);
		put_case(f, name, before, after, from);
	}
}

static void alloc_and_free_cases(FILE *f, const json_t *section)
{
	struct slice none = {};
	const char *name;
	json_t *e, *h;
	size_t i;

	json_object_foreach((json_t *)section, name, e) {
		unsigned int from = ops.nr;
		struct slice before = put_state(get(e, "init"), NULL);

		json_array_foreach(get(e, "hits"), i, h) {
			const char *op = json_string_value(json_array_get(h, 0));

			put_op(strcmp(op, "alloc") ? "FREE" : "ALLOC", 0,
			       item(h, 1), item(h, 2), 0, 0);
		}
		put_case(f, name, before, none, from);
	}
}

static void alloc_to_cache_cases(FILE *f, const json_t *section)
{
	const char *name;
	json_t *e, *h;
	size_t i;

	json_object_foreach((json_t *)section, name, e) {
		struct slice before, after;
		unsigned int from = ops.nr;

		before = put_state(get(e, "before_alloc"),
				   get(e, "before_scav"));
		json_array_foreach(get(e, "hits"), i, h)
			put_op("CACHE_GET", i, 0,
			       number(get(h, "base_page"), ~0ULL),
			       number(get(h, "cache"), 0),
			       number(get(h, "scav"), 0));
		after = put_state(get(e, "after_alloc"), get(e, "after_scav"));
		put_case(f, name, before, after, from);
	}
}

static void scavenge_cases(FILE *f, const json_t *section)
{
	const char *name;
	json_t *e, *h;
	size_t i;

	json_object_foreach((json_t *)section, name, e) {
		struct slice before, after;
		unsigned int from = ops.nr;

		before = put_state(get(e, "before_alloc"),
				   get(e, "before_scav"));
		json_array_foreach(get(e, "expect"), i, h)
			put_op("SCAVENGE", 0, pages(item(h, 0)),
			       pages(item(h, 1)), 0, 0);
		after = put_state(get(e, "before_alloc"),
				  get(e, "after_scav"));
		put_case(f, name, before, after, from);
	}
}

static void trace_op(const json_t *op)
{
	const char *name = json_string_value(json_array_get(op, 0));

	if (!strcmp(name, "alloc"))
		put_op("ALLOC", 0, item(op, 1), item(op, 2),
		       pages(item(op, 3)), 0);
	else if (!strcmp(name, "free"))
		put_op("FREE", 0, item(op, 1), item(op, 2), 0, 0);
	else if (!strcmp(name, "cache_get"))
		put_op("CACHE_GET", item(op, 1), 0, item(op, 2), item(op, 3),
		       item(op, 4));
	else if (!strcmp(name, "cache_alloc"))
		put_op("CACHE_ALLOC", item(op, 1), item(op, 2), item(op, 3),
		       pages(item(op, 4)), item(op, 5));
	else if (!strcmp(name, "cache_flush"))
		put_op("CACHE_FLUSH", item(op, 1), 0, 0, 0, 0);
	else
		put_op("SCAVENGE", 0, pages(item(op, 1)), pages(item(op, 2)),
		       0, 0);
}

/* The first of the recorded traces; all chunks free and scavenged at first. */
static void trace_case(FILE *f, const json_t *trace)
{
	struct slice before = { chunks.nr, 0 };
	struct slice after, none = {};
	unsigned int from;
	struct slice all = { ranges.nr, 1 };
	const char *key;
	json_t *v;
	size_t i;

	if (!trace)
		return;
	fprintf(ranges.f, "\t{ 0, 512 },\n");
	ranges.nr++;
	json_array_foreach(get(trace, "chunks"), i, v)
		put_chunk(number(v, 0), none, all);
	before.nr = chunks.nr - before.from;
	from = ops.nr;
	json_array_foreach(get(trace, "ops"), i, v)
		trace_op(v);
	after.from = chunks.nr;
	json_object_foreach((json_t *)get(trace, "final"), key, v) {
		struct slice a = put_words(get(v, "alloc"));

		put_chunk(strtoull(key, NULL, 10), a,
			  put_words(get(v, "scav")));
	}
	after.nr = chunks.nr - after.from;
	put_case(f, "trace", before, after, from);
}

static void print_bits(const json_t *bits)
{
	const char *name;
	json_t *e, *h;
	size_t i;
	struct slice a, b;
	unsigned int from;
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	json_object_foreach((json_t *)get(bits, "alloc"), name, e) {
		a = put_ranges(get(e, "before"));
		b = put_ranges(get(e, "after"));
		from = hits.nr;
		json_array_foreach(get(e, "hits"), i, h) {
			fprintf(hits.f, json_is_null(h) ?
				"\tPALLOC_CHUNK_NONE,\n" : "\t%llu,\n",
				number(h, 0));
			hits.nr++;
		}
		fprintf(f, "\t{ \"%s\", { %u, %u }, %llu, { %u, %u }, { %u, %u } },\n",
			name, a.from, a.nr, number(get(e, "npages"), 0),
			from, hits.nr - from, b.from, b.nr);
	}
	fclose(f);
	printf("static const struct bits_alloc_vector bits_alloc_vectors[] = {\n%s};\n\n",
	       text);
	free(text);

	printf("static const struct summarize_vector summarize_vectors[] = {\n");
	json_object_foreach((json_t *)get(bits, "summarize"), name, e) {
		const json_t *want = get(e, "expect");

		a = put_ranges(get(e, "free"));
		printf("\t{ \"%s\", { %u, %u }, %llu, %llu, %llu },\n", name,
		       a.from, a.nr, item(want, 0), item(want, 1),
		       item(want, 2));
	}
	printf("};\n\n");

	printf("static const struct find_vector find_vectors[] = {\n");
	json_array_foreach(get(bits, "find_random"), i, e) {
		int w;

		if (i == MAX_RANDOM)
			break;
		printf("\t{ {");
		for (w = 0; w < 8; w++)
			printf("%s0x%llx,", w % 3 ? " " : "\n\t\t",
			       item(get(e, "words"), w));
		printf("\n\t}, %llu, %llu, ", number(get(e, "npages"), 0),
		       number(get(e, "search_idx"), 0));
		if (json_is_null(get(e, "index")))
			printf("PALLOC_CHUNK_NONE, 0 },\n");
		else
			printf("%llu, %llu },\n", number(get(e, "index"), 0),
			       number(get(e, "new_search_idx"), 0));
	}
	printf("};\n\n");

	printf("static const struct word_vector find_word_vectors[] = {\n");
	json_array_foreach(get(bits, "find_bit_range64_cases"), i, e)
		printf("\t{ 0x%llx, %llu, %llu },\n", item(e, 0), item(e, 1),
		       number(json_array_get(e, 2), 64));
	printf("};\n\n");

	printf("static const struct word_vector fill_aligned_vectors[] = {\n");
	json_array_foreach(get(bits, "fill_aligned"), i, e)
		printf("\t{ 0x%llx, %llu, 0x%llx },\n", item(e, 0), item(e, 1),
		       item(e, 2));
	printf("};\n\n");
}

static void print_scavenge(const json_t *scavenge)
{
	const char *name;
	json_t *e, *op;
	size_t i, k;

	printf("static const struct candidate_vector candidate_vectors[] = {\n");
	json_object_foreach((json_t *)get(scavenge, "find_candidate"), name, e) {
		struct slice a = put_ranges(get(e, "alloc"));
		struct slice s = put_ranges(get(e, "scavenged"));

		printf("\t{ \"%s\", { %u, %u }, { %u, %u }, %llu, %llu, %llu, %llu },\n",
		       name, a.from, a.nr, s.from, s.nr,
		       number(get(e, "min"), 0), number(get(e, "max"), 0),
		       item(get(e, "want"), 0), item(get(e, "want"), 1));
	}
	printf("};\n\n");

	printf("static const struct index_vector index_vectors[] = {\n");
	json_array_foreach(get(scavenge, "scavenge_index"), i, e) {
		unsigned int from = ops.nr;

		json_array_foreach(get(e, "ops"), k, op) {
			const char *kind;

			kind = json_string_value(json_array_get(op, 0));
			if (!strcmp(kind, "mark"))
				put_op("MARK", 0, 0, item(op, 1), item(op, 2),
				       0);
			else if (!strcmp(kind, "nextgen"))
				put_op("NEXT_GEN", 0, 0, 0, 0, 0);
			else
				put_op("FIND", 0, 0, item(op, 1), item(op, 2),
				       0);
		}
		printf("\t{ \"%s\", %s, { %u, %u } },\n",
		       json_string_value(get(e, "name")),
		       json_is_true(get(e, "force")) ? "true" : "false", from,
		       ops.nr - from);
	}
	printf("};\n\n");
}

static json_t *load(const char *dir, const char *file)
{
	char path[1024];
	json_error_t err;
	json_t *root;
	char *text;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	text = json_read(path);
	root = json_loads(text, JSON_REJECT_DUPLICATES, &err);
	free(text);
	if (!root) {
		fprintf(stderr, "%s:%d: %s\n", path, err.line, err.text);
		exit(1);
	}
	return root;
}

static void head(const char *name, const char *guard)
{
	printf("/* SPDX-License-Identifier: GPL-2.0-only */\n"
	       "/*\n"
	       " * %s - generated by tools/sim/mkvectors, do not edit.\n"
	       " *\n"
	       " * Inputs and outputs of Go's page allocator.\n"
	       " */\n"
	       "#ifndef %s\n"
	       "#define %s\n\n", name, guard, guard);
}

static void print_palloc(const char *dir)
{
	json_t *bits = load(dir, "palloc_bits.json");
	json_t *page_alloc = load(dir, "page_alloc.json");
	json_t *cache = load(dir, "page_cache.json");
	json_t *scavenge = load(dir, "scavenge.json");
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	head("palloc_vectors.h", "GOALLOC_PALLOC_VECTORS_H");
	list_open(&ranges);
	list_open(&chunks);
	list_open(&ops);
	list_open(&hits);

	page_alloc_cases(f, get(page_alloc, "alloc"));
	page_free_cases(f, get(page_alloc, "free"));
	alloc_and_free_cases(f, get(page_alloc, "alloc_and_free"));
	alloc_to_cache_cases(f, get(cache, "alloc_to_cache"));
	scavenge_cases(f, get(scavenge, "page_alloc_scavenge"));
	trace_case(f, json_array_get(get(page_alloc, "traces"), 0));
	fclose(f);
	printf("static const struct palloc_vector palloc_vectors[] = {\n%s};\n\n",
	       text);
	free(text);
	print_bits(bits);
	print_scavenge(scavenge);
	list_print(&ranges, "struct vector_range", "vector_ranges");
	list_print(&chunks, "struct vector_chunk", "vector_chunks");
	list_print(&ops, "struct vector_op", "vector_ops");
	list_print(&hits, "u32", "vector_hits");
	printf("#endif /* GOALLOC_PALLOC_VECTORS_H */\n");
}

static void print_page_cache(const char *dir)
{
	json_t *cache = load(dir, "page_cache.json");
	const char *name;
	json_t *e, *h;
	size_t i;

	head("page_cache_vectors.h", "GOALLOC_PAGE_CACHE_VECTORS_H");
	list_open(&ops);
	printf("static const struct cache_vector cache_vectors[] = {\n");
	json_object_foreach((json_t *)get(cache, "alloc"), name, e) {
		unsigned int from = ops.nr;

		json_array_foreach(get(e, "hits"), i, h) {
			u64 page = item(h, 1);

			fprintf(ops.f, "\t{ %llu, ", item(h, 0));
			fprintf(ops.f, page == ~0ULL ? "PALLOC_NONE" : "%llu",
				page);
			fprintf(ops.f, ", %llu },\n", pages(item(h, 2)));
			ops.nr++;
		}
		printf("\t{ \"%s\", 0x%llx, 0x%llx, %u, %u },\n", name,
		       number(get(e, "cache"), 0), number(get(e, "scav"), 0),
		       from, ops.nr - from);
	}
	printf("};\n\n");
	list_print(&ops, "struct cache_hit", "cache_hits");
	printf("static const struct flush_vector flush_vectors[] = {\n");
	json_array_foreach(get(cache, "flush"), i, e)
		if (i < MAX_RANDOM)
			printf("\t{ %llu, 0x%llx, 0x%llx },\n",
			       number(get(e, "base"), 0),
			       number(get(e, "cache"), 0),
			       number(get(e, "scav"), 0));
	printf("};\n\n#endif /* GOALLOC_PAGE_CACHE_VECTORS_H */\n");
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "palloc")) {
		print_palloc(argv[2]);
	} else if (argc == 3 && !strcmp(argv[1], "page_cache")) {
		print_page_cache(argv[2]);
	} else {
		fprintf(stderr, "usage: mkvectors palloc|page_cache DIR\n");
		return 2;
	}
	return 0;
}
