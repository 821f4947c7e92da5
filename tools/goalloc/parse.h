/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The text of goalloc's files.
 *
 * Every file begins with "goalloc NAME - version: 1.0", then come comments, then
 * rows. Names and columns are found by name; what is not known is kept, and goes
 * into the JSON like the rest. The parsers never end the program: they say what
 * is wrong, and where.
 *
 * Numbers are taken as signed: the kernel prints a difference of counters that
 * were read while they moved as a very large number when it means a small
 * negative one.
 */
#ifndef GOALLOC_PARSE_H
#define GOALLOC_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util.h"

struct fault {
	unsigned int line;	/* 0: the file as a whole */
	bool version;		/* the file is of another major version */
	char text[160];
};

struct cell {
	const char *text;
	int64_t num;
	bool is_num;
};

struct table {
	char *text;		/* what the cells point into */
	size_t ncols, nrows;
	const char **cols;
	struct cell *cells;	/* nrows times ncols */
};

struct pairs {
	char *text;
	size_t nr;
	const char **names;
	struct cell *values;
};

/* Walking through a text, line by line. */
struct lines {
	char *next;
	unsigned int nr;	/* of the line that lines_next() gave, from 1 */
};

int fault_set(struct fault *fault, unsigned int line, const char *format, ...) PRINTF(3, 4);
char *lines_next(struct lines *lines);
char *next_word(char **at);
void cell_set(struct cell *cell, const char *text);

/*
 * The first line says that this is the file @name in a version we know. Leaves
 * @lines behind it.
 */
int parse_first_line(struct lines *lines, const char *name, struct fault *fault);

/*
 * @text is taken apart in place; the result owns it, also when -1 is returned,
 * and is freed with the functions below.
 */
int parse_table(struct table *table, char *text, const char *name, struct fault *fault);
int parse_pairs(struct pairs *pairs, char *text, const char *name, struct fault *fault);

void table_free(struct table *table);
void pairs_free(struct pairs *pairs);

/* Columns by name; -1 if there is none. */
int table_col(const struct table *table, const char *name);
const struct cell *table_cell(const struct table *table, size_t row, int col);

/* 0 and "" where there is no such column, or no number in it. */
int64_t table_num(const struct table *table, size_t row, const char *name);
const char *table_text(const struct table *table, size_t row, const char *name);

const struct cell *pairs_find(const struct pairs *pairs, const char *name);
int64_t pairs_num(const struct pairs *pairs, const char *name);

#endif /* GOALLOC_PARSE_H */
