// SPDX-License-Identifier: GPL-2.0-only
/*
 * mksizeclasses - generate goalloc/sizeclass_table.h
 *
 *	mksizeclasses			print the header
 *	mksizeclasses --check FILE	compare FILE with what would be printed
 *	mksizeclasses --list		print the classes as text, a row each
 *	mksizeclasses --no-24		the same without the 24-byte class: the
 *					66 classes and numbering of older Go
 *
 * --page-shift 12 before --list chooses the spans for 4 KiB pages.
 *
 * How the classes come about.  Candidate sizes go from 8 bytes to 32 KiB in
 * steps of the alignment the size calls for: 8 at first, 16 from 32 bytes, an
 * eighth of the last power of two from 128, never more than 256.  A span is
 * the least number of pages whose tail, the part no object fits in, is at most
 * an eighth.  A candidate that has the same span and the same number of
 * objects as the one before replaces it, for the smaller one saves nothing.
 * At last each size grows into its span's tail as far as multiples of 128
 * allow.
 *
 * The sizes are those of 8 KiB pages whatever the page size is.  With 4 KiB
 * pages only the spans are chosen anew, by the same rule for the tail; the
 * classes keep their numbers, and a span can be half as large.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIN_SIZE	8
#define MAX_SIZE	32768
#define FINE_MAX	1024
#define COARSE		128
#define MAX_ALIGN	4096
#define SIZES_SHIFT	13
#define MAX_CLASSES	128
#define WANT_CLASSES	68

struct class {
	unsigned int size;
	unsigned int span;
};

struct table {
	struct class class[MAX_CLASSES];
	unsigned int nr;		/* including class 0 */
	unsigned int page_shift;
};

static bool is_power_of_2(unsigned int n)
{
	return !(n & (n - 1));
}

/* The step from @size to the next candidate; @old is the step so far. */
static unsigned int step_at(unsigned int size, unsigned int old, bool no_24)
{
	if (!is_power_of_2(size))
		return old;
	if (size >= 2048)
		return 256;
	if (size >= 128)
		return size / 8;
	if (size >= 32 || (no_24 && size >= 16))
		return 16;
	return old;
}

static unsigned int span_for(unsigned int size, unsigned int page)
{
	unsigned int span = page;

	while (span % size > span / 8)
		span += page;
	return span;
}

static void generate(struct table *t, unsigned int page_shift, bool no_24)
{
	unsigned int page = 1U << SIZES_SHIFT;
	unsigned int step = MIN_SIZE;
	unsigned int size, i;

	memset(t, 0, sizeof(*t));
	t->page_shift = page_shift;
	t->nr = 1;
	for (size = MIN_SIZE; size <= MAX_SIZE; size += step) {
		unsigned int span = span_for(size, page);
		struct class *prev = &t->class[t->nr - 1];

		step = step_at(size, step, no_24);
		if (t->nr > 1 && prev->span == span &&
		    span / prev->size == span / size) {
			prev->size = size;
			continue;
		}
		if (t->nr == MAX_CLASSES) {
			fprintf(stderr, "mksizeclasses: too many classes\n");
			exit(1);
		}
		t->class[t->nr].size = size;
		t->class[t->nr].span = span;
		t->nr++;
	}
	for (i = 1; i < t->nr; i++) {
		struct class *c = &t->class[i];
		unsigned int room = c->span / (c->span / c->size);

		room -= room % COARSE;
		if (room > c->size)
			c->size = room;
		if (page_shift != SIZES_SHIFT)
			c->span = span_for(c->size, 1U << page_shift);
	}
}

static uint32_t magic(unsigned int size)
{
	return UINT32_MAX / size + 1;
}

/* The multiplication must agree with the division for every offset. */
static void check_magic(const struct table *t)
{
	unsigned int i, off;

	for (i = 1; i < t->nr; i++) {
		const struct class *c = &t->class[i];
		uint64_t m = magic(c->size);

		for (off = 0; off <= c->span; off++) {
			if (off * m >> 32 == off / c->size)
				continue;
			fprintf(stderr,
				"mksizeclasses: class %u: bad magic at %u\n",
				i, off);
			exit(1);
		}
	}
}

/* The alignment a request of @size bytes promises. */
static unsigned int promise(unsigned int size)
{
	unsigned int align = size & -size;

	return align < MAX_ALIGN ? align : MAX_ALIGN;
}

static unsigned int class_for(const struct table *t, unsigned int size,
			      unsigned int align)
{
	unsigned int i;

	for (i = 1; i < t->nr; i++)
		if (t->class[i].size >= size && !(t->class[i].size % align))
			return i;
	fprintf(stderr, "mksizeclasses: no class for %u bytes\n", size);
	exit(1);
}

/* Print numbers, as many to a line as fit in 80 columns. */
struct column {
	FILE *out;
	int pos;
};

static void put_number(struct column *col, unsigned long n)
{
	char word[24];
	int len = snprintf(word, sizeof(word), "%lu,", n);

	if (!col->pos) {
		fprintf(col->out, "\t%s", word);
		col->pos = 8 + len;
	} else if (col->pos + 1 + len > 80) {
		fprintf(col->out, "\n\t%s", word);
		col->pos = 8 + len;
	} else {
		fprintf(col->out, " %s", word);
		col->pos += 1 + len;
	}
}

static void end_numbers(struct column *col)
{
	fprintf(col->out, "\n");
	col->pos = 0;
}

static void print_spans(FILE *out, const struct table *t)
{
	struct column col = { .out = out };
	unsigned int i;

	fprintf(out, "const u8 sizeclass_pages[GOALLOC_NR_CLASSES] = {\n");
	put_number(&col, 0);
	for (i = 1; i < t->nr; i++)
		put_number(&col, t->class[i].span >> t->page_shift);
	end_numbers(&col);
	fprintf(out, "};\n\nconst u16 sizeclass_objs[GOALLOC_NR_CLASSES] = {\n");
	put_number(&col, 0);
	for (i = 1; i < t->nr; i++)
		put_number(&col, t->class[i].span / t->class[i].size);
	end_numbers(&col);
	fprintf(out, "};\n");
}

static void print_header(FILE *out)
{
	struct column col = { .out = out };
	struct table t13, t12;
	unsigned int i, row;

	generate(&t13, 13, false);
	generate(&t12, 12, false);
	if (t13.nr != WANT_CLASSES || t12.nr != WANT_CLASSES) {
		fprintf(stderr, "mksizeclasses: %u and %u classes, not %u\n",
			t13.nr, t12.nr, WANT_CLASSES);
		exit(1);
	}
	check_magic(&t13);
	check_magic(&t12);

	fprintf(out,
		"/* SPDX-License-Identifier: GPL-2.0-only */\n"
		"/*\n"
		" * sizeclass_table.h - generated by tools/mksizeclasses, do not edit.\n"
		" *\n"
		" * For sizeclass.c alone.  By class:\n"
		" *\n"
		" * class   size   8 KiB pages: span  objs   4 KiB pages: span  objs\n");
	for (i = 1; i < t13.nr; i++)
		fprintf(out, " * %5u  %5u  %17u %5u  %17u %5u\n", i,
			t13.class[i].size,
			t13.class[i].span, t13.class[i].span / t13.class[i].size,
			t12.class[i].span, t12.class[i].span / t12.class[i].size);
	fprintf(out,
		" */\n"
		"#ifndef GOALLOC_SIZECLASS_TABLE_H\n"
		"#define GOALLOC_SIZECLASS_TABLE_H\n\n");

	fprintf(out, "#if GOALLOC_PAGE_SHIFT == 13\n\n");
	print_spans(out, &t13);
	fprintf(out, "\n#elif GOALLOC_PAGE_SHIFT == 12\n\n");
	print_spans(out, &t12);
	fprintf(out,
		"\n#else\n"
		"#error \"GOALLOC_PAGE_SHIFT must be 12 or 13\"\n"
		"#endif\n\n");

	fprintf(out, "const u16 sizeclass_size[GOALLOC_NR_CLASSES] = {\n");
	put_number(&col, 0);
	for (i = 1; i < t13.nr; i++)
		put_number(&col, t13.class[i].size);
	end_numbers(&col);
	fprintf(out, "};\n\nconst u32 sizeclass_magic[GOALLOC_NR_CLASSES] = {\n");
	put_number(&col, 0);
	for (i = 1; i < t13.nr; i++)
		put_number(&col, magic(t13.class[i].size));
	end_numbers(&col);
	fprintf(out, "};\n\nconst u8 sizeclass_fine[SIZECLASS_NR_FINE] = {\n");
	put_number(&col, 0);
	for (i = 8; i <= FINE_MAX; i += 8)
		put_number(&col, class_for(&t13, i, promise(i)));
	end_numbers(&col);
	fprintf(out, "};\n\nconst u8 sizeclass_coarse[2 * SIZECLASS_NR_COARSE] = {\n");
	for (i = FINE_MAX; i <= MAX_SIZE; i += COARSE)
		for (row = 0; row < 2; row++)
			put_number(&col, class_for(&t13, i,
						   row ? promise(i) : COARSE / 2));
	end_numbers(&col);
	fprintf(out, "};\n\n#endif /* GOALLOC_SIZECLASS_TABLE_H */\n");
}

static void print_list(const struct table *t)
{
	unsigned int i;

	printf("class size span objects tail\n");
	for (i = 1; i < t->nr; i++)
		printf("%u %u %u %u %u\n", i, t->class[i].size,
		       t->class[i].span, t->class[i].span / t->class[i].size,
		       t->class[i].span % t->class[i].size);
}

static int check_file(const char *name)
{
	char *want = NULL;
	size_t len = 0, pos;
	FILE *mem = open_memstream(&want, &len);
	FILE *file = fopen(name, "r");
	int line = 1;

	if (!mem || !file) {
		perror(name);
		return 1;
	}
	print_header(mem);
	fclose(mem);
	for (pos = 0; pos < len; pos++) {
		int ch = fgetc(file);

		if (ch != (unsigned char)want[pos]) {
			fprintf(stderr, "%s:%d: not what mksizeclasses prints\n",
				name, line);
			return 1;
		}
		line += ch == '\n';
	}
	if (fgetc(file) != EOF) {
		fprintf(stderr, "%s:%d: more than mksizeclasses prints\n",
			name, line);
		return 1;
	}
	fclose(file);
	free(want);
	return 0;
}

static int syntax(void)
{
	fprintf(stderr,
		"usage: mksizeclasses [--check FILE | [--page-shift 12|13] --list | --no-24]\n");
	return 2;
}

int main(int argc, char **argv)
{
	unsigned int page_shift = SIZES_SHIFT;
	struct table t;
	int i;

	if (argc == 1) {
		print_header(stdout);
		return 0;
	}
	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--check") && i + 1 < argc)
			return check_file(argv[i + 1]);
		if (!strcmp(argv[i], "--page-shift") && i + 1 < argc) {
			page_shift = atoi(argv[++i]);
			if (page_shift != 12 && page_shift != 13)
				return syntax();
		} else if (!strcmp(argv[i], "--list") ||
			   !strcmp(argv[i], "--no-24")) {
			generate(&t, page_shift, argv[i][2] == 'n');
			check_magic(&t);
			print_list(&t);
			return 0;
		} else {
			return syntax();
		}
	}
	return syntax();
}
