/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world.h - an address space to order, and the run of one input.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <sim_kernel.h>

#include "heap.h"

/* Two arenas of address space; the second is there after an extension. */
#define WORLD_PAGES (2 * ARENA_LEAF_PAGES * ARENA_LEAVES)

/**
 * struct world - the page source
 * @base: address of page 0
 * @out: byte per page: handed over
 * @nr_out: how many are
 * @budget: how many may be
 * @fail_in: calls of get() until some fail
 * @fail_for: how many fail then
 * @failed: calls that failed
 * @max_extent: never hand over more pages at once, 0 for any number
 * @clean: hand over zeroed pages and say so
 * @scatter: do not hand over neighbours
 * @cursor: where @scatter goes on
 */
struct world {
	u8 *base;
	u8 out[WORLD_PAGES];
	u64 nr_out;
	u64 budget;
	unsigned int fail_in;
	unsigned int fail_for;
	unsigned long failed;
	u64 max_extent;
	bool clean;
	bool scatter;
	u64 cursor;
};

extern struct world world;

void world_begin(int nr_nodes, u64 budget);
void world_end(void);

/* Nodes take turns; no block lies on two. */
static inline int world_node(u64 page)
{
	return page / HEAP_MAX_PAGES % goalloc_space.source.nr_nodes;
}

/* What an input means, see fuzz_heap.c. */
#define INPUT_HEAD 4
#define INPUT_OP 4

void run_input(const u8 *data, size_t size);
const char *op_name(u8 code);
int op_code(const char *name);

#endif /* SIM_WORLD_H */
