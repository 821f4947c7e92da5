/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vectors.h - reading vector files, and a function for each kind of entry.
 */
#ifndef SIM_VECTORS_H
#define SIM_VECTORS_H

#include <jansson.h>
#include "sim.h"

void vec_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void vec_expect(const char *what, u64 expected, u64 got);
u64 vec_u64(const json_t *v);
u64 vec_at(const json_t *array, size_t i);
u64 vec_or_null(const json_t *v, u64 none);

/* A palloc in the state a test begins with, or ends in. */
struct vec_palloc {
	struct sim_mem mem;
	struct palloc p;
};

void vec_palloc_init(struct vec_palloc *v, const json_t *alloc,
		     const json_t *scav);
void vec_palloc_destroy(struct vec_palloc *v);
void vec_palloc_compare(struct vec_palloc *v, const json_t *alloc,
			const json_t *scav);
void vec_bits_ranges(u64 *bits, const json_t *ranges);
void vec_expect_words(const char *what, const u64 *expected, const u64 *got);

/* vectors_bits.c */
void vec_alloc_range_words(const json_t *entry);
void vec_popcnt_range(const json_t *entry);
void vec_summarize(const json_t *entry);
void vec_bits_alloc(const json_t *entry);
void vec_bits_free(const json_t *entry);
void vec_summarize_random(const json_t *entry);
void vec_find_random(const json_t *entry);
void vec_find_word(const json_t *entry);
void vec_fill_aligned(const json_t *entry);
void vec_find_candidate(const json_t *entry);
void vec_cache_alloc(const json_t *entry);

/* vectors_palloc.c */
void vec_grow(const json_t *entry);
void vec_page_alloc(const json_t *entry);
void vec_page_free(const json_t *entry);
void vec_alloc_and_free(const json_t *entry);
void vec_exhaust(const json_t *section);
void vec_trace(const json_t *entry);
void vec_cache_flush(const json_t *entry);
void vec_alloc_to_cache(const json_t *entry);
void vec_scavenge(const json_t *entry);

/* vectors_scavenge.c */
void vec_scavenge_index(const json_t *entry);
void vec_chunk_data_pack(const json_t *entry);
void vec_pi_controller(const json_t *section);
void vec_scavenger_sim(const json_t *section);

/* vectors_pacer.c */
void vec_pacer_test(const json_t *entry);
void vec_limit_goal(const json_t *entry);
void vec_trigger_probe(const json_t *entry);
void vec_pacer_workers(const json_t *entry);

#endif /* SIM_VECTORS_H */
