// SPDX-License-Identifier: GPL-2.0-only
/* pageheap: "node N name value", "root N ...", "runs N ..." lines. */
#include <stdlib.h>
#include <string.h>

#include "pageheap.h"

/* The next @nr words as numbers. */
static int next_numbers(char **at, int64_t *out, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		char *word = next_word(at);
		struct cell cell;

		if (!word)
			return -1;
		cell_set(&cell, word);
		if (!cell.is_num)
			return -1;
		out[i] = cell.num;
	}
	return 0;
}

static int parse_node(struct pageheap *ph, char *line)
{
	struct pageheap_value *v;
	char *name, *value;
	int64_t node;

	if (next_numbers(&line, &node, 1))
		return -1;
	name = next_word(&line);
	value = next_word(&line);
	if (!name || !value)
		return -1;
	ph->values = xrealloc_array(ph->values, ph->nr_values + 1, sizeof(*ph->values));
	v = &ph->values[ph->nr_values++];
	v->node = node;
	v->name = name;
	cell_set(&v->value, value);
	return 0;
}

static int parse_root(struct pageheap *ph, char *line)
{
	int64_t n[6];

	if (next_numbers(&line, n, ARRAY_SIZE(n)))
		return -1;
	ph->roots = xrealloc_array(ph->roots, ph->nr_roots + 1, sizeof(*ph->roots));
	ph->roots[ph->nr_roots++] = (struct pageheap_root) {
		.node = n[0],
		.entry = n[1],
		.first_page = n[2],
		.start = n[3],
		.max = n[4],
		.end = n[5],
	};
	return 0;
}

static int parse_runs(struct pageheap *ph, char *line)
{
	int64_t n[5];

	if (next_numbers(&line, n, ARRAY_SIZE(n)))
		return -1;
	ph->runs = xrealloc_array(ph->runs, ph->nr_runs + 1, sizeof(*ph->runs));
	ph->runs[ph->nr_runs++] = (struct pageheap_runs) {
		.node = n[0],
		.min = n[1],
		.max = n[2],
		.runs = n[3],
		.pages = n[4],
	};
	return 0;
}

int parse_pageheap(struct pageheap *ph, char *text, struct fault *fault)
{
	struct lines lines = { .next = text };
	char *line;

	memset(ph, 0, sizeof(*ph));
	ph->text = text;
	if (parse_first_line(&lines, "pageheap", fault))
		return -1;
	while ((line = lines_next(&lines))) {
		char *word;
		int err = 0;

		if (*line == '#')
			continue;
		word = next_word(&line);
		if (!word)
			continue;
		/* Lines of a kind that we do not know are left alone. */
		if (!strcmp(word, "node"))
			err = parse_node(ph, line);
		else if (!strcmp(word, "root"))
			err = parse_root(ph, line);
		else if (!strcmp(word, "runs"))
			err = parse_runs(ph, line);
		if (err)
			return fault_set(fault, lines.nr, "not a line of the kind \"%s\"", word);
	}
	return 0;
}

void pageheap_free(struct pageheap *ph)
{
	free(ph->text);
	free(ph->values);
	free(ph->roots);
	free(ph->runs);
	memset(ph, 0, sizeof(*ph));
}

int64_t pageheap_num(const struct pageheap *ph, int64_t node, const char *name)
{
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < ph->nr_values; i++)
		if ((node < 0 || ph->values[i].node == node) && !strcmp(ph->values[i].name, name))
			sum += ph->values[i].value.num;
	return sum;
}
