/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.h - a slow and obvious page allocator, and the real one beside it.
 */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include "sim.h"

/**
 * struct model_op - one step of a run, in four bytes
 * @kind: what to do, modulo the number of kinds
 * @a: which: a chunk, an allocation, a cache
 * @b: how many, or where
 *
 * Every sequence of operations is valid: what cannot be done in the state at
 * hand does nothing.  So a failing run can be cut down by leaving operations
 * out, and a fuzzer can make them up from bytes.
 */
struct model_op {
	u8 kind;
	u8 a;
	u16 b;
};

enum model_kind {
	MODEL_ALLOC,		/* b pages, mostly few */
	MODEL_ALLOC_LARGE,	/* many */
	MODEL_ALLOC_AT,		/* a certain run in chunk a */
	MODEL_FREE,		/* allocation a */
	MODEL_FREE_PART,	/* the first pages of allocation a */
	MODEL_FREE_MANY,	/* a run of allocations */
	MODEL_GROW,		/* chunk a, from page b on */
	MODEL_GROW_CHUNKS,	/* several chunks at once */
	MODEL_DISOWN,		/* a free run, or allocation a */
	MODEL_CACHE_GET,	/* window into cache a */
	MODEL_CACHE_ALLOC,	/* b pages out of cache a */
	MODEL_CACHE_FLUSH,	/* cache a */
	MODEL_SCAVENGE,		/* b pages, forced or not */
	MODEL_NEXT_GEN,
	MODEL_EXTEND,		/* larger address space */
	MODEL_NO_MEMORY,	/* b more allocations succeed */
	MODEL_NR_KINDS,
};

extern const char *const model_kind_name[MODEL_NR_KINDS];

struct model;

struct model *model_new(unsigned int layout);
void model_delete(struct model *m);
const char *model_step(struct model *m, const struct model_op *op);
const char *model_check_all(struct model *m, bool thorough);
void model_describe(const struct model *m, char *text, size_t size);

/* Deliberate mistakes, to see that the model notices them. */
extern int model_mutation;

#define MODEL_NR_LAYOUTS 8

#endif /* SIM_MODEL_H */
