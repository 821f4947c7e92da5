// SPDX-License-Identifier: GPL-2.0-only
/* goalloc flame: the sampled profile as collapsed stacks, or drawn. */
#include <stdlib.h>
#include <string.h>

#include "flame.h"
#include "snapshot.h"

struct flame_args {
	const char *output;
	unsigned int metric;
	double width;
};

static const struct metric {
	const char *name, *title, *unit;
	size_t offset;		/* in struct stack */
} metrics[] = {
	{ "inuse_space", "bytes in use", "bytes", offsetof(struct stack, in_use_bytes) },
	{ "inuse_objects", "objects in use", "objects", offsetof(struct stack, in_use_objects) },
	{ "alloc_space", "bytes ever allocated", "bytes", offsetof(struct stack, total_bytes) },
	{ "alloc_objects", "objects ever allocated", "objects",
	  offsetof(struct stack, total_objects) },
};

static const struct argp_option flame_options[] = {
	{ "output", 'o', "FILE", 0, "draw a flame graph into FILE, .svg or .png", 0 },
	{ "metric", 'm', "METRIC", 0,
	  "inuse_space (as is), inuse_objects, alloc_space or alloc_objects", 0 },
	{ "width", 'w', "PIXELS", 0, "width of the picture (1200)", 0 },
	{}
};

static error_t flame_parse(int key, char *arg, struct argp_state *state)
{
	struct flame_args *args = state->input;
	size_t i;

	switch (key) {
	case 'o':
		args->output = arg;
		return 0;
	case 'm':
		for (i = 0; i < ARRAY_SIZE(metrics); i++)
			if (!strcmp(metrics[i].name, arg))
				break;
		if (i == ARRAY_SIZE(metrics))
			argp_error(state, "there is no metric \"%s\"", arg);
		args->metric = i;
		return 0;
	case 'w':
		args->width = parse_count(arg, state);
		if (args->width < 200 || args->width > 20000)
			argp_error(state, "the width is 200 to 20000 pixels");
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "\"%s\" is one too many", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The child of this name, in the order of names; made if it is not there. */
static struct flame *flame_child(struct flame *node, const char *name)
{
	size_t low = 0, high = node->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(node->child[mid].name, name);

		if (!order)
			return &node->child[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	node->child = xrealloc_array(node->child, node->nr + 1, sizeof(*node->child));
	memmove(&node->child[low + 1], &node->child[low],
		(node->nr - low) * sizeof(*node->child));
	node->nr++;
	node->child[low] = (struct flame) { .name = xstrdup(name) };
	return &node->child[low];
}

static void flame_add(struct flame *root, const struct stacks *stacks,
		      const struct stack *stack, int64_t value)
{
	struct flame *node = root;
	size_t i;

	root->value += value;
	for (i = stack->nr_frames; i-- > 0; ) {
		char text[sizeof(struct frame_name) + 4];
		struct frame_name name;
		char *c;

		frame_split(stacks->frames[stack->first_frame + i], &name);
		snprintf(text, sizeof(text), *name.module ? "%s [%s]" : "%s", name.symbol,
			 name.module);
		/* Collapsed stacks are split there. */
		for (c = text; (c = strchr(c, ';')); )
			*c = ':';
		node = flame_child(node, text);
		node->value += value;
	}
}

static void flame_free(struct flame *node)
{
	size_t i;

	for (i = 0; i < node->nr; i++)
		flame_free(&node->child[i]);
	free(node->child);
	free(node->name);
}

/* A line for what each function has itself, without its callees. */
static void print_collapsed(const struct flame *node, const char *path)
{
	int64_t own = node->value;
	size_t i;

	for (i = 0; i < node->nr; i++) {
		char *longer = xasprintf("%s%s%s", path, *path ? ";" : "", node->child[i].name);

		own -= node->child[i].value;
		print_collapsed(&node->child[i], longer);
		free(longer);
	}
	if (own > 0 && *path)
		printf("%s %lld\n", path, (long long)own);
}

int cmd_flame(int argc, char **argv)
{
	static const struct argp argp = {
		.options = flame_options,
		.parser = flame_parse,
		.doc = "Print the sampled profile as collapsed stacks, \"caller;callee VALUE\", "
		       "or draw it.\vValues are estimates from samples. What is drawn as green "
		       "boxes are functions of modules.",
		.children = options_children,
	};
	struct flame_args args = {};
	const struct metric *metric;
	struct flame root = {};
	struct snapshot snap;
	struct stacks *stacks;
	size_t i;

	run_argp(&argp, argc, argv, &args);
	snapshot_read_one(&snap, PART_STACKS);
	heap_require(&snap.heaps[0], PART_STACKS);
	stacks = &snap.heaps[0].stacks;
	metric = &metrics[args.metric];
	root.name = xstrdup("all");
	for (i = 0; i < stacks->nr; i++) {
		int64_t value = *(int64_t *)((char *)&stacks->stack[i] + metric->offset);

		/* What was freed may have been sampled while its counts were read. */
		if (value > 0)
			flame_add(&root, stacks, &stacks->stack[i], value);
	}
	if (args.output) {
		char *title = xasprintf("goalloc heap \"%s\": %s", snap.heaps[0].name,
					metric->title);

		flame_draw(&root, title, metric->unit, args.width, args.output);
		free(title);
	} else {
		print_collapsed(&root, "");
	}
	flame_free(&root);
	snapshot_free(&snap);
	return STATUS_OK;
}
