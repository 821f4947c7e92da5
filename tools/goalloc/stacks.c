// SPDX-License-Identifier: GPL-2.0-only
/* sites and stacks: where objects come from, as the sampled profile has it. */
#include <stdlib.h>
#include <string.h>

#include "stacks.h"

int parse_sites(struct sites *sites, char *text, struct fault *fault)
{
	struct lines lines = { .next = text };
	size_t room = 0;
	char *line;

	memset(sites, 0, sizeof(*sites));
	sites->text = text;
	if (parse_first_line(&lines, "sites", fault))
		return -1;
	while ((line = lines_next(&lines))) {
		struct cell bytes, objects;
		char *word[2];
		struct site *site;

		if (*line == '#')
			continue;
		word[0] = next_word(&line);
		if (!word[0])
			continue;
		word[1] = next_word(&line);
		if (!word[1])
			return fault_set(fault, lines.nr, "bytes, objects and a place expected");
		cell_set(&bytes, word[0]);
		cell_set(&objects, word[1]);
		line += strspn(line, " \t");
		if (!bytes.is_num || !objects.is_num || !*line)
			return fault_set(fault, lines.nr, "bytes, objects and a place expected");
		if (sites->nr == room) {
			room = room ? 2 * room : 64;
			sites->site = xrealloc_array(sites->site, room, sizeof(*sites->site));
		}
		site = &sites->site[sites->nr++];
		site->bytes = bytes.num;
		site->objects = objects.num;
		site->where = line;
	}
	return 0;
}

/* "# rate: 524288 bytes per sample" */
static void parse_rate(struct stacks *stacks, const char *line)
{
	long long rate;

	if (sscanf(line, "# rate: %lld", &rate) == 1 && rate > 0)
		stacks->rate = rate;
}

static int parse_stack(struct stacks *stacks, char *line)
{
	struct stack *stack;
	int64_t n[7];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(n); i++) {
		char *word = next_word(&line);
		struct cell cell;

		if (!word)
			return -1;
		cell_set(&cell, word);
		if (!cell.is_num)
			return -1;
		n[i] = cell.num;
	}
	stacks->stack = xrealloc_array(stacks->stack, stacks->nr + 1, sizeof(*stacks->stack));
	stack = &stacks->stack[stacks->nr++];
	*stack = (struct stack) {
		.id = n[0],
		.in_use_objects = n[1],
		.in_use_bytes = n[2],
		.total_objects = n[3],
		.total_bytes = n[4],
		.in_use_samples = n[5],
		.total_samples = n[6],
		.first_frame = stacks->nr_frames,
	};
	return 0;
}

int parse_stacks(struct stacks *stacks, char *text, struct fault *fault)
{
	struct lines lines = { .next = text };
	size_t room = 0;
	char *line;

	memset(stacks, 0, sizeof(*stacks));
	stacks->text = text;
	if (parse_first_line(&lines, "stacks", fault))
		return -1;
	while ((line = lines_next(&lines))) {
		if (*line == '#') {
			parse_rate(stacks, line);
		} else if (*line == '\t' || *line == ' ') {
			line += strspn(line, " \t");
			if (!*line)
				continue;
			if (!stacks->nr)
				return fault_set(fault, lines.nr, "a frame before the first stack");
			if (stacks->nr_frames == room) {
				room = room ? 2 * room : 256;
				stacks->frames = xrealloc_array(stacks->frames, room,
								sizeof(*stacks->frames));
			}
			stacks->frames[stacks->nr_frames++] = line;
			stacks->stack[stacks->nr - 1].nr_frames++;
		} else if (*line) {
			char *word = next_word(&line);

			if (!word || strcmp(word, "stack"))
				return fault_set(fault, lines.nr, "\"stack\" or a frame expected");
			if (parse_stack(stacks, line))
				return fault_set(fault, lines.nr, "seven numbers expected");
		}
	}
	return 0;
}

void sites_free(struct sites *sites)
{
	free(sites->text);
	free(sites->site);
	memset(sites, 0, sizeof(*sites));
}

void stacks_free(struct stacks *stacks)
{
	free(stacks->text);
	free(stacks->stack);
	free(stacks->frames);
	memset(stacks, 0, sizeof(*stacks));
}

void frame_split(const char *frame, struct frame_name *name)
{
	const char *open = strchr(frame, '[');
	size_t len = strcspn(frame, "+ ");

	snprintf(name->symbol, sizeof(name->symbol), "%.*s", (int)len, frame);
	if (open)
		snprintf(name->module, sizeof(name->module), "%.*s",
			 (int)strcspn(open + 1, "] "), open + 1);
	else
		name->module[0] = '\0';
}
