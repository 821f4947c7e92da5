// SPDX-License-Identifier: GPL-2.0-only
/* The text of goalloc's files: lines, words, numbers, tables, names with values. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"

#define VERSION_MAJOR 1

int fault_set(struct fault *fault, unsigned int line, const char *format, ...)
{
	va_list args;

	fault->line = line;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
	return -1;
}

/* The next line, without its end; NULL behind the last. */
char *lines_next(struct lines *lines)
{
	char *line = lines->next, *end;

	if (!line || !*line)
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end++ = '\0';
	lines->next = end;
	lines->nr++;
	return line;
}

/* The next word of a line, NUL behind it; NULL if there is none. */
char *next_word(char **at)
{
	char *word = *at + strspn(*at, " \t");
	char *end = word + strcspn(word, " \t");

	if (!*word)
		return NULL;
	*at = end;
	if (*end)
		*(*at)++ = '\0';
	return word;
}

void cell_set(struct cell *cell, const char *text)
{
	char *end;

	cell->text = text;
	cell->num = 0;
	cell->is_num = false;
	if (!isdigit((unsigned char)*text) && *text != '-')
		return;
	errno = 0;
	/* Negative ones and those above INT64_MAX come out right, see parse.h. */
	cell->num = strtoull(text, &end, 10);
	cell->is_num = end != text && !*end && !errno;
	if (!cell->is_num)
		cell->num = 0;
}

int parse_first_line(struct lines *lines, const char *name, struct fault *fault)
{
	char *line = lines_next(lines);
	char is[32];
	unsigned int major, minor;

	if (!line)
		return fault_set(fault, 0, "the file is empty");
	if (sscanf(line, "goalloc %31s - version: %u.%u", is, &major, &minor) != 3)
		return fault_set(fault, lines->nr,
				 "\"goalloc %s - version: 1.0\" expected", name);
	if (major != VERSION_MAJOR) {
		fault->version = true;
		return fault_set(fault, lines->nr,
				 "the format has version %u.%u, this program knows 1.x: use the goalloc program that belongs to the module",
				 major, minor);
	}
	if (strcmp(is, name))
		return fault_set(fault, lines->nr, "this is \"%s\", not \"%s\"", is, name);
	return 0;
}

static size_t count_lines(const char *text)
{
	size_t nr = 1;

	while ((text = strchr(text, '\n'))) {
		text++;
		nr++;
	}
	return nr;
}

static void table_header(struct table *table, char *line)
{
	char *word;

	table->ncols = 0;
	line++;
	while ((word = next_word(&line))) {
		table->cols = xrealloc_array(table->cols, table->ncols + 1,
					     sizeof(*table->cols));
		table->cols[table->ncols++] = word;
	}
}

/* The last column is the rest of the line, and may be empty. */
static int table_row(struct table *table, char *line, unsigned int nr, struct fault *fault)
{
	struct cell *row = table->cells + table->nrows * table->ncols;
	size_t i, last = table->ncols - 1;
	char *end;

	for (i = 0; i < last; i++) {
		char *word = next_word(&line);

		if (!word)
			return fault_set(fault, nr, "%zu of %zu columns", i, table->ncols);
		cell_set(&row[i], word);
	}
	line += strspn(line, " \t");
	end = line + strlen(line);
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	cell_set(&row[last], line);
	table->nrows++;
	return 0;
}

int parse_table(struct table *table, char *text, const char *name, struct fault *fault)
{
	struct lines lines = { .next = text };
	char *line, *header = NULL;
	size_t room;

	memset(table, 0, sizeof(*table));
	table->text = text;
	room = count_lines(text);
	if (parse_first_line(&lines, name, fault))
		return -1;
	while ((line = lines_next(&lines))) {
		if (*line == '#') {
			if (!table->cells)
				header = line;
			continue;
		}
		if (!line[strspn(line, " \t")])
			continue;
		if (!header)
			return fault_set(fault, lines.nr, "a row before the names of the columns");
		if (!table->cells) {
			table_header(table, header);
			if (!table->ncols)
				return fault_set(fault, lines.nr, "no names of columns");
			table->cells = xcalloc(room, table->ncols * sizeof(*table->cells));
		}
		if (table_row(table, line, lines.nr, fault))
			return -1;
	}
	if (header && !table->cells)
		table_header(table, header);
	return 0;
}

int parse_pairs(struct pairs *pairs, char *text, const char *name, struct fault *fault)
{
	struct lines lines = { .next = text };
	size_t room;
	char *line;

	memset(pairs, 0, sizeof(*pairs));
	pairs->text = text;
	room = count_lines(text);
	pairs->names = xcalloc(room, sizeof(*pairs->names));
	pairs->values = xcalloc(room, sizeof(*pairs->values));
	if (parse_first_line(&lines, name, fault))
		return -1;
	while ((line = lines_next(&lines))) {
		char *word, *value;

		if (*line == '#')
			continue;
		word = next_word(&line);
		if (!word)
			continue;
		value = next_word(&line);
		if (!value || next_word(&line))
			return fault_set(fault, lines.nr, "a name and a value expected");
		pairs->names[pairs->nr] = word;
		cell_set(&pairs->values[pairs->nr++], value);
	}
	return 0;
}

void table_free(struct table *table)
{
	free(table->text);
	free(table->cols);
	free(table->cells);
	memset(table, 0, sizeof(*table));
}

void pairs_free(struct pairs *pairs)
{
	free(pairs->text);
	free(pairs->names);
	free(pairs->values);
	memset(pairs, 0, sizeof(*pairs));
}

int table_col(const struct table *table, const char *name)
{
	size_t i;

	for (i = 0; i < table->ncols; i++)
		if (!strcmp(table->cols[i], name))
			return i;
	return -1;
}

const struct cell *table_cell(const struct table *table, size_t row, int col)
{
	static const struct cell none = { .text = "" };

	return col < 0 || row >= table->nrows ? &none : &table->cells[row * table->ncols + col];
}

int64_t table_num(const struct table *table, size_t row, const char *name)
{
	return table_cell(table, row, table_col(table, name))->num;
}

const char *table_text(const struct table *table, size_t row, const char *name)
{
	return table_cell(table, row, table_col(table, name))->text;
}

const struct cell *pairs_find(const struct pairs *pairs, const char *name)
{
	size_t i;

	for (i = 0; i < pairs->nr; i++)
		if (!strcmp(pairs->names[i], name))
			return &pairs->values[i];
	return NULL;
}

int64_t pairs_num(const struct pairs *pairs, const char *name)
{
	const struct cell *cell = pairs_find(pairs, name);

	return cell ? cell->num : 0;
}
