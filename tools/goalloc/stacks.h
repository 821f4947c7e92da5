/* SPDX-License-Identifier: GPL-2.0-only */
/* sites and stacks: where objects come from, as the sampled profile has it. */
#ifndef GOALLOC_STACKS_H
#define GOALLOC_STACKS_H

#include "parse.h"

struct site {
	int64_t bytes, objects;		/* in use */
	const char *where;
};

struct sites {
	char *text;
	size_t nr;
	struct site *site;
};

/* A frame as "%pS" prints it without addresses: symbol+0xoff/0xsize [module] */
struct stack {
	int64_t id;
	int64_t in_use_objects, in_use_bytes;
	int64_t total_objects, total_bytes;
	int64_t in_use_samples, total_samples;
	size_t nr_frames, first_frame;
};

struct stacks {
	char *text;
	int64_t rate;			/* bytes per sample; 0 if not said */
	size_t nr;
	struct stack *stack;
	size_t nr_frames;
	const char **frames;		/* of all stacks, innermost first */
};

/* What is in a frame; the strings are NUL-terminated and cut where they must be. */
struct frame_name {
	char symbol[128];
	char module[64];		/* "" in the kernel itself */
};

int parse_sites(struct sites *sites, char *text, struct fault *fault);
int parse_stacks(struct stacks *stacks, char *text, struct fault *fault);
void sites_free(struct sites *sites);
void stacks_free(struct stacks *stacks);

void frame_split(const char *frame, struct frame_name *name);

#endif /* GOALLOC_STACKS_H */
