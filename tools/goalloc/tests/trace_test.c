// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace_test OUT - events become a trace: known ones record by record, then many
 * random ones, which the replay's own check has to take.
 */
#include <stdlib.h>
#include <string.h>

#include "record_trace.h"
#include "replay_trace.h"
#include "source.h"
#include "util.h"

#define MANY 200000
#define ADDRESSES 3000

struct options options = { .root = "." };

#define CHECK(condition)							\
	do {									\
		if (!(condition))						\
			die(STATUS_FALSE, "line %d: %s", __LINE__, #condition);	\
	} while (0)

static void add(struct events *events, uint64_t time, unsigned int cpu, enum event_kind kind,
		uint64_t ptr, uint32_t bytes, uint8_t flags)
{
	struct event *e = events_add(events);

	e->time = time;
	e->cpu = cpu;
	e->kind = kind;
	e->ptr = ptr;
	e->bytes = bytes;
	e->flags = flags;
}

static char *load(const char *path, struct trace_info *info)
{
	char fault[TRACE_FAULT_LEN], *text;
	struct trace_slot *slots;
	size_t size;

	text = read_whole_file(path, &size);
	CHECK(text);
	if (trace_check_header(text, size, info, fault))
		die(STATUS_FALSE, "%s", fault);
	slots = xcalloc(info->nslots, sizeof(*slots));
	if (trace_check_records(text, info, slots, NULL, fault))
		die(STATUS_FALSE, "%s", fault);
	free(slots);
	return text;
}

static void known(const char *path)
{
	/* slot, bytes, delta, cpu, flags */
	static const struct trace_record want[] = {
		{ 0, 100, 0, 1, 0 },
		{ 1, 64, 10, 0, TRACE_F_CACHE | TRACE_F_ZERO },
		{ 0, 0, 5, 0, TRACE_F_FREE | 0x10 },
		{ 0, 200, 5, 1, TRACE_F_ATOMIC | 0x20 },
		/* The address of slot 1 again, without a free that was seen. */
		{ 1, 0, 80, 1, TRACE_F_FREE },
		{ 1, 32, 0, 1, 0 },
		{ 2, 8, UINT32_MAX, 0, 0 },
	};
	struct events events = {};
	struct record_sums sums;
	struct trace_info info;
	char *text;

	/* Not in the order of time. */
	add(&events, 120, 1, EVENT_KMALLOC, 0xa000, 200, TRACE_F_ATOMIC | 0x20);
	add(&events, 100, 1, EVENT_KMALLOC, 0xa000, 100, 0);
	add(&events, 110, 0, EVENT_CACHE_ALLOC, 0xb000, 64, TRACE_F_ZERO);
	add(&events, 112, 0, EVENT_FREE, 0xc000, 0, 0);	/* from before */
	add(&events, 115, 0, EVENT_FREE, 0xa000, 0, 0x10);
	add(&events, 116, 0, EVENT_FREE, 0, 0, 0);
	add(&events, 117, 0, EVENT_KMALLOC, 0x10, 0, 0);	/* of no bytes */
	add(&events, 200, 1, EVENT_KMALLOC, 0xb000, 32, 0);
	add(&events, 200 + 0x200000000, 0, EVENT_KMALLOC, 0xd000, 8, 0);
	record_write(&events, "known", path, &sums);
	CHECK(sums.allocs == 5 && sums.frees == 2 && sums.unknown == 1 && sums.unseen == 1);
	text = load(path, &info);
	CHECK(info.nrecords == ARRAY_SIZE(want) && info.ncpu == 2 && info.nslots == 3);
	CHECK(!strcmp(info.name, "known"));
	CHECK(!memcmp(trace_records(text), want, sizeof(want)));
	free(text);
	events_free(&events);
}

static void random_events(const char *path)
{
	struct events events = {};
	struct record_sums sums;
	struct trace_info info;
	uint64_t live[ADDRESSES] = {}, time = 0;
	unsigned int i;

	srand(1);
	for (i = 0; i < MANY; i++) {
		unsigned int a = rand() % ADDRESSES;

		time += rand() % 1000;
		/* Addresses that collide in the table, and some frees not seen. */
		if (live[a] && rand() % 100) {
			add(&events, time, rand() % 4, EVENT_FREE, 0x1000 + a * 8, 0, 0);
			live[a] = 0;
		} else {
			add(&events, time, rand() % 4, rand() % 2, 0x1000 + a * 8,
			    1 + rand() % 5000, 0);
			live[a] = 1;
		}
	}
	record_write(&events, "random", path, &sums);
	free(load(path, &info));
	CHECK(sums.allocs + sums.frees == info.nrecords && !sums.unknown && sums.unseen);
	CHECK(sums.allocs - sums.frees == info.end_objects);
	CHECK(info.nslots <= ADDRESSES);
	events_free(&events);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	random_events(argv[1]);
	known(argv[1]);
	return 0;
}
