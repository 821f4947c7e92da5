/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scavenge_index.h - which chunks are worth releasing memory from.
 *
 * One word per chunk, a cursor for background work and one for forced work,
 * and a generation that the pacing advances.  See scavenge_index.c.
 */
#ifndef GOALLOC_SCAVENGE_INDEX_H
#define GOALLOC_SCAVENGE_INDEX_H

#include "palloc_sum.h"

/*
 * A chunk with this many pages in use (31/32) is dense: almost nothing to gain
 * there, and likely to be allocated from next.
 */
#define SCAVENGE_DENSE_PAGES	(PALLOC_CHUNK_PAGES - PALLOC_CHUNK_PAGES / 32)

/* Chunks per block of words: a block is 4 KiB. */
#define SCAVENGE_BLOCK_SHIFT	9
#define SCAVENGE_BLOCK_CHUNKS	((u32)BIT(SCAVENGE_BLOCK_SHIFT))

/* Something free that has not been looked at. */
#define SCAVENGE_HAS_FREE	BIT(0)

/**
 * struct scavenge_data - a chunk's word, unpacked
 * @gen: generation in which @in_use was last changed
 * @in_use: pages of the chunk in use, 0 to 512
 * @last_in_use: @in_use at the end of the generation before
 * @flags: SCAVENGE_*
 */
struct scavenge_data {
	u32 gen;
	u16 in_use;
	u16 last_in_use;
	u8 flags;
};

/**
 * struct scavenge_index - the index of one palloc
 * @blocks: a block of SCAVENGE_BLOCK_CHUNKS words per so many chunks, or NULL
 *	where no chunk was ever ours; replaced when the address space grows, old
 *	arrays stay readable until the palloc goes; published with release
 * @gen: current generation; written under the palloc's lock, read anywhere
 * @min_chunk: lowest chunk ever grown; written under the lock, read anywhere
 * @free_hwm: highest page freed in this generation plus one, 0 = none; under
 *	the lock
 * @background: where the background search goes on; see scavenge_index.c
 * @forced: where the forced search goes on
 */
struct scavenge_index {
	void **blocks;
	u32 gen;
	u64 min_chunk;
	u64 free_hwm;
	u64 background;
	u64 forced;
};

u64 scavenge_data_pack(const struct scavenge_data *d);
struct scavenge_data scavenge_data_unpack(u64 word);

void scavenge_index_init(struct scavenge_index *si, void **blocks);
void scavenge_index_grow(struct scavenge_index *si, u64 chunk);
void scavenge_index_alloc(struct scavenge_index *si, u64 chunk,
			  unsigned int n);
void scavenge_index_free(struct scavenge_index *si, u64 chunk,
			 unsigned int page, unsigned int n);
void scavenge_index_drop(struct scavenge_index *si, u64 chunk,
			 unsigned int n);
void scavenge_index_set_empty(struct scavenge_index *si, u64 chunk);
void scavenge_index_pass(struct scavenge_index *si, bool force, u64 chunk);
void scavenge_index_next_gen(struct scavenge_index *si);
bool scavenge_index_find(struct scavenge_index *si, bool force, u64 *chunk,
			 unsigned int *page);
struct scavenge_data scavenge_index_get(const struct scavenge_index *si,
					u64 chunk);

#endif /* GOALLOC_SCAVENGE_INDEX_H */
