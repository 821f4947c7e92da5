/* SPDX-License-Identifier: GPL-2.0-only */
/* model_state.h - what the model knows; for model.c and model_check.c. */
#ifndef SIM_MODEL_STATE_H
#define SIM_MODEL_STATE_H

#include "model.h"

/* States of a page. */
enum {
	NOT_OURS,	/* also where no chunk exists */
	FREE,		/* free, contents unknown */
	CLEAN,		/* free, known to be zero */
	USED,		/* allocated */
	CACHED,		/* in a page cache, free there */
	CACHED_CLEAN,
	NR_STATES
};

#define MAX_ROOTS	3
#define MAX_CHUNKS	(MAX_ROOTS * PALLOC_ROOT_CHUNKS)
#define MAX_PAGES	((u64)MAX_CHUNKS << PALLOC_CHUNK_SHIFT)
#define NR_CACHES	4

struct run {
	u64 base;
	u64 n;
};

struct counts {
	u32 start;
	u32 max;
	u32 end;
};

struct model {
	struct palloc p;
	struct sim_mem mem;
	u8 *state;
	/* Chunks the run plays with; ascending. */
	const u16 *chunks;
	unsigned int nr_chunks;
	/* Chunks that have been reserved, by number. */
	bool exists[MAX_CHUNKS];
	/* What every summary ought to be. */
	palloc_sum_t *sum[PALLOC_LEVELS];
	struct counts *counts[PALLOC_LEVELS];
	/* What the bitmaps of every chunk ought to be. */
	struct palloc_chunk *bits;
	struct run *live;
	unsigned int nr_live;
	unsigned int max_live;
	struct page_cache cache[NR_CACHES];
	u64 nr_free;
	u64 nr_owned;
	/* No page below this one is free. */
	u64 low;
	/* Chunks the step has touched. */
	u16 *touched;
	unsigned int nr_touched;
	bool is_touched[MAX_CHUNKS];
	u64 released;
	const char *wrong;
	char text[256];
};

static inline bool model_is_free(u8 state)
{
	return state == FREE || state == CLEAN;
}

void model_wrong(struct model *m, const char *what, u64 want, u64 got);
void model_set_state(struct model *m, u64 page, u8 state);
void model_set_run(struct model *m, u64 base, u64 n, u8 state);
u64 model_first_fit(struct model *m, u64 n);
u64 model_lowest_free(struct model *m);
void model_check_step(struct model *m);

#endif /* SIM_MODEL_STATE_H */
