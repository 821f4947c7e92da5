// SPDX-License-Identifier: GPL-2.0-only
/*
 * vectors_scavenge.c - tables about the scavenge index and its pacing.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "scavenge_pace.h"
#include "vectors.h"

#define INDEX_CHUNKS	64

/* Tell the index that pages [base, limit) were allocated, or freed. */
static void index_range(struct scavenge_index *si, u64 base, u64 limit,
			bool alloc)
{
	while (base < limit) {
		u64 chunk = base >> PALLOC_CHUNK_SHIFT;
		unsigned int i = palloc_page_in_chunk(base);
		unsigned int n = min_t(u64, limit - base,
				       PALLOC_CHUNK_PAGES - i);

		if (alloc)
			scavenge_index_alloc(si, chunk, n);
		else
			scavenge_index_free(si, chunk, i + n - 1, n);
		base += n;
	}
}

void vec_scavenge_index(const json_t *entry)
{
	bool force = json_is_true(json_object_get(entry, "force"));
	struct scavenge_index *si;
	struct vec_palloc v;
	unsigned int page;
	u64 chunk;
	json_t *op;
	size_t i;

	sim_mem_init(&v.mem);
	if (palloc_init(&v.p, &v.mem.mem, INDEX_CHUNKS * 512, 0) ||
	    palloc_reserve(&v.p, 0, INDEX_CHUNKS * 512, 0)) {
		fprintf(stderr, "out of memory\n");
		exit(2);
	}
	si = &v.p.scav;
	for (chunk = 0; chunk < INDEX_CHUNKS; chunk++) {
		scavenge_index_grow(si, chunk);
		scavenge_index_alloc(si, chunk, 512);
		scavenge_index_next_gen(si);
		scavenge_index_free(si, chunk, 511, 512);
		scavenge_index_set_empty(si, chunk);
	}
	si->forced = 0;
	si->background = 0;
	si->free_hwm = 0;

	json_array_foreach(json_object_get(entry, "ops"), i, op) {
		const char *name = json_string_value(json_array_get(op, 0));

		if (!strcmp(name, "mark")) {
			index_range(si, vec_at(op, 1), vec_at(op, 2), true);
			index_range(si, vec_at(op, 1), vec_at(op, 2), false);
		} else if (!strcmp(name, "nextgen")) {
			scavenge_index_next_gen(si);
		} else if (!strcmp(name, "find")) {
			u64 want = vec_or_null(json_array_get(op, 1),
					       PALLOC_NONE);

			if (!scavenge_index_find(si, force, &chunk, &page)) {
				vec_expect("chunk", want, PALLOC_NONE);
				continue;
			}
			vec_expect("chunk", want, chunk);
			vec_expect("page", vec_at(op, 2), page);
			scavenge_index_set_empty(si, chunk);
		} else {
			vec_fail("unknown operation %s", name);
		}
	}
	palloc_destroy(&v.p);
}

void vec_chunk_data_pack(const json_t *entry)
{
	struct scavenge_data d = {
		.gen = vec_at(entry, 0),
		.in_use = vec_at(entry, 1),
		.last_in_use = vec_at(entry, 2),
		.flags = vec_at(entry, 3),
	};
	u64 word = scavenge_data_pack(&d);
	struct scavenge_data back = scavenge_data_unpack(word);

	vec_expect("word", (u64)d.gen << 32 | (u64)d.flags << 26 |
		   (u64)d.last_in_use << 16 | d.in_use, word);
	vec_expect("gen", d.gen, back.gen);
	vec_expect("in_use", d.in_use, back.in_use);
	vec_expect("last_in_use", d.last_in_use, back.last_in_use);
	vec_expect("flags", d.flags, back.flags);
}

static double number(const json_t *v, double none)
{
	return v && !json_is_null(v) ? json_number_value(v) : none;
}

static s64 to_q(double x)
{
	return llround(x * (double)SCAVENGE_Q_ONE);
}

static double from_q(s64 q)
{
	return (double)q / (double)SCAVENGE_Q_ONE;
}

/*
 * Go computes in floating point, the core in fixed point: outputs must agree
 * to 1 part in 10^4, or 10^-6 if that is more.
 */
void vec_pi_controller(const json_t *section)
{
	const json_t *steps = json_object_get(section, "steps");
	struct scavenge_pi pi = {
		.kp = to_q(number(json_object_get(section, "kp"), 0.3375)),
		.ti = number(json_object_get(section, "ti"), 3.2e6),
		.tt = number(json_object_get(section, "tt"), 1e9),
		.min = to_q(number(json_object_get(section, "min"), 0.001)),
		.max = to_q(number(json_object_get(section, "max"), 1000)),
	};
	json_t *step;
	size_t i;

	if (!json_array_size(steps))
		printf("(the PI controller's table has no steps)\n");
	json_array_foreach(steps, i, step) {
		double want = number(json_array_get(step, 3), 0);
		const json_t *ok = json_array_get(step, 4);
		double got;
		bool good;
		s64 out;

		good = scavenge_pi_next(&pi,
					to_q(number(json_array_get(step, 0), 0)),
					to_q(number(json_array_get(step, 1), 0)),
					number(json_array_get(step, 2), 0), &out);
		got = from_q(out);
		if (ok && good != json_is_true(ok))
			vec_fail("step %zu: expected %s, got %s", i,
				 json_is_true(ok) ? "ok" : "failure",
				 good ? "ok" : "failure");
		if (fabs(got - want) > fmax(0.000001, 0.0001 * fabs(want)))
			vec_fail("step %zu: expected %.9g, got %.9g", i, want,
				 got);
	}
}

/*
 * The whole background loop with an invented clock: everything that may be
 * released is, and it takes 1% of the CPUs within half a per cent.
 */
void vec_scavenger_sim(const json_t *section)
{
	struct scavenge_pace pace;
	u64 released = 0;
	json_t *phase;
	size_t i;

	scavenge_pace_init(&pace, vec_u64(json_object_get(section,
							  "gomaxprocs")));
	json_array_foreach(json_object_get(section, "phases"), i, phase) {
		u64 available = vec_u64(json_object_get(phase,
							"set_available"));
		u64 stop_at = vec_u64(json_object_get(phase, "stop_at"));
		u64 expected = vec_u64(json_object_get(phase,
						       "expect_released_total"));
		u64 sum_worked = 0, sum_slept = 0;

		for (;;) {
			u64 worked = 0, slept;

			/* A slice: at least 1 ms of work, or until done. */
			while (available > stop_at &&
			       worked < SCAVENGE_MIN_WORK_NS) {
				u64 n = min_t(u64, available,
					      SCAVENGE_QUANTUM_BYTES);

				worked += (n + 4095) / 4096 * 10000;
				available -= n;
				released += n;
				if (n < SCAVENGE_QUANTUM_BYTES)
					break;
			}
			if (!worked)
				break;
			worked = max_t(u64, worked, SCAVENGE_MIN_WORK_NS);
			slept = scavenge_pace_sleep_ns(&pace, worked);
			scavenge_pace_slept(&pace, worked, slept);
			sum_worked += worked;
			sum_slept += slept;
		}
		vec_expect("released bytes", expected, released);
		if (sum_worked) {
			double used = (double)sum_worked /
				      (double)(sum_worked + sum_slept);

			if (fabs(used - 0.01) > 0.005)
				vec_fail("phase %zu: expected 1%% of the CPU, got %.2f%%",
					 i, 100 * used);
		}
	}
}
