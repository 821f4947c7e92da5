// SPDX-License-Identifier: GPL-2.0-only
/*
 * unit_span_bits.c - span bitmaps against an array of bytes.
 *
 * Every class's number of objects, and the numbers around a word: slots taken
 * in ascending order, freed in any, swept, and taken again.
 */
#include <stdlib.h>
#include "sizeclass.h"
#include "span_bits.h"
#include "unit.h"

enum { FREE, TAKEN, CAME_BACK };

struct model {
	struct span_bits *b;
	u8 slot[1100];
	unsigned int nelems;
	unsigned int walk;	/* no slot below is handed out before a sweep */
	unsigned int back;
};

static void expect_state(struct model *m)
{
	unsigned int i, unused = 0;

	for (i = 0; i < m->nelems; i++) {
		bool free = m->slot[i] == FREE;

		unused += free;
		EXPECT(span_bits_is_free(m->b, i) == free, "slot %u of %u", i,
		       m->nelems);
	}
	EXPECT(span_bits_unused(m->b) == unused, "unused: expected %u, got %u",
	       unused, span_bits_unused(m->b));
	EXPECT(m->b->nr_freed == m->back, "freed: expected %u, got %u",
	       m->back, m->b->nr_freed);
}

static void take(struct model *m, bool fast)
{
	unsigned int want = m->walk, got = m->nelems;

	while (want < m->nelems && m->slot[want] != FREE)
		want++;
	if (fast)
		got = span_bits_next_fast(m->b);
	if (!fast || got >= m->nelems)
		got = span_bits_next(m->b);
	EXPECT(got == want, "next of %u: expected %u, got %u", m->nelems, want,
	       got);
	if (got < m->nelems) {
		m->slot[got] = TAKEN;
		m->walk = got + 1;
	} else {
		m->walk = m->nelems;
	}
}

static void take_nth(struct model *m, unsigned int nth)
{
	unsigned int got = span_bits_take(m->b, nth);
	unsigned int want;

	for (want = 0; want < m->nelems; want++)
		if (m->slot[want] == FREE && !nth--)
			break;
	EXPECT(got == want, "one of %u: expected %u, got %u", m->nelems, want, got);
	if (got < m->nelems)
		m->slot[got] = TAKEN;
}

static void come_back(struct model *m, unsigned int i)
{
	bool first = m->slot[i] == TAKEN;

	if (m->slot[i] == FREE)
		return;
	EXPECT(span_bits_free(m->b, i) == first, "freeing slot %u", i);
	m->back += first;
	m->slot[i] = CAME_BACK;
}

static void do_sweep(struct model *m)
{
	unsigned int i, want = 0;

	for (i = 0; i < m->nelems; i++) {
		if (m->slot[i] == CAME_BACK)
			m->slot[i] = FREE;
		want += m->slot[i] == FREE;
	}
	m->walk = 0;
	m->back = 0;
	EXPECT(span_bits_sweep(m->b) == want, "free after sweep");
}

static void run(unsigned int nelems, u64 *rng)
{
	struct model m = { .nelems = nelems };
	unsigned int round, i;

	/* As large as it has to be, for the sanitizer to see what is beyond. */
	m.b = malloc(sizeof(*m.b) + span_bits_bytes(nelems));
	span_bits_init(m.b, nelems);
	expect_state(&m);
	for (round = 0; round < 12; round++) {
		unsigned int n = sim_random(rng) % (nelems + 3);
		bool fast = round % 3;

		for (i = 0; i < n; i++)
			take(&m, fast);
		expect_state(&m);
		n = sim_random(rng) % 8;
		for (i = 0; i < n; i++)
			take_nth(&m, sim_random(rng) % (nelems + 1));
		expect_state(&m);
		for (i = 0; round % 4 == 3 && i < nelems + 1; i++)
			take_nth(&m, 0);
		expect_state(&m);
		n = sim_random(rng) % (nelems + 1);
		for (i = 0; i < n; i++)
			come_back(&m, sim_random(rng) % nelems);
		expect_state(&m);
		if (round % 2)
			do_sweep(&m);
		expect_state(&m);
	}
	free(m.b);
}

static void against_bytes(void)
{
	static const unsigned int odd[] = { 1, 2, 63, 64, 65, 127, 128, 129 };
	u64 rng = 20;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(odd); i++)
		run(odd[i], &rng);
	for (i = 1; i < GOALLOC_NR_CLASSES; i++)
		run(sizeclass_objs[i], &rng);
}

/* Every slot comes back: nothing is left over in the window. */
static void refill_whole(void)
{
	struct span_bits *b = malloc(sizeof(*b) + span_bits_bytes(200));
	unsigned int i, round;

	span_bits_init(b, 200);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 200; i++)
			EXPECT(span_bits_next(b) == i, "slot %u", i);
		EXPECT(span_bits_next(b) == 200, "a slot too many");
		EXPECT(span_bits_next_fast(b) >= 200, "a slot too many");
		for (i = 0; i < 200; i++)
			EXPECT(span_bits_free(b, i), "freeing %u", i);
		EXPECT(!span_bits_free(b, 7), "freeing twice");
		EXPECT(span_bits_sweep(b) == 200, "sweep");
	}
	free(b);
}

/* Taken out of order every slot comes exactly once, the window in step. */
static void take_mixed(void)
{
	struct span_bits *b = malloc(sizeof(*b) + span_bits_bytes(200));
	unsigned int seen[200] = { 0 };
	unsigned int left = 200;
	u64 rng = 7;

	span_bits_init(b, 200);
	while (left) {
		unsigned int slot = left % 3 ? span_bits_take(b, sim_random(&rng) % left) :
					       span_bits_next(b);

		if (slot == 200)
			break;
		EXPECT(!seen[slot]++, "slot %u twice", slot);
		left = span_bits_unused(b);
	}
	EXPECT(span_bits_take(b, 0) == 200, "a slot too many");
	EXPECT(span_bits_next(b) == 200, "a slot too many");
	EXPECT(span_bits_sweep(b) == 0, "all are taken");
	free(b);
}

const struct unit_case unit_span_bits[] = {
	{ "span_bits: against an array of bytes", against_bytes },
	{ "span_bits: all slots, three times", refill_whole },
	{ "span_bits: out of order", take_mixed },
	{}
};
