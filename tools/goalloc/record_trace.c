// SPDX-License-Identifier: GPL-2.0-only
/*
 * From events with addresses to a trace with slots, whose format is described in
 * tools/replay/traces/README.md.
 *
 * A slot is taken by an allocation and given back by the free of the same address;
 * the slot that became free last is used next. Frees of what was not seen to be
 * allocated are left out. An address that is handed out again without having been
 * freed was freed unseen: a free is put before.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "record_trace.h"
#include "replay_trace.h"
#include "util.h"

#define CPUS_MAX 256

/* Where an object is: open addressing, linear probing. */
struct object {
	uint64_t ptr;		/* 0: nothing here */
	uint32_t slot;
};

struct recorder {
	FILE *out;
	struct object *object;
	size_t nr_objects, nr_places;	/* places: a power of two */
	uint32_t *spare;		/* slots that are free, the last one on top */
	size_t nr_spare, room_spare;
	uint32_t nr_slots;
	uint32_t nr_cpus;
	uint64_t nr_records;
	uint64_t last;			/* time of the record before */
	struct record_sums *sums;
};

struct event *events_add(struct events *events)
{
	if (events->nr == events->room) {
		events->room = events->room ? 2 * events->room : 1 << 16;
		events->event = xrealloc_array(events->event, events->room,
					       sizeof(*events->event));
	}
	memset(&events->event[events->nr], 0, sizeof(*events->event));
	events->event[events->nr].nr = events->nr;
	return &events->event[events->nr++];
}

void events_free(struct events *events)
{
	free(events->event);
	memset(events, 0, sizeof(*events));
}

static size_t place_of(const struct recorder *r, uint64_t ptr)
{
	return (ptr >> 3) * 0x9e3779b97f4a7c15 >> 20 & (r->nr_places - 1);
}

static struct object *find_place(const struct recorder *r, uint64_t ptr)
{
	size_t at = place_of(r, ptr);

	while (r->object[at].ptr && r->object[at].ptr != ptr)
		at = (at + 1) & (r->nr_places - 1);
	return &r->object[at];
}

static void objects_grow(struct recorder *r)
{
	struct object *old = r->object;
	size_t nr = r->nr_places, i;

	r->nr_places = nr ? 2 * nr : 1 << 12;
	r->object = xcalloc(r->nr_places, sizeof(*r->object));
	for (i = 0; i < nr; i++)
		if (old[i].ptr)
			*find_place(r, old[i].ptr) = old[i];
	free(old);
}

/* Those behind the hole that would not be found any more move into it. */
static void object_remove(struct recorder *r, struct object *object)
{
	size_t hole = object - r->object, at = hole;

	for (;;) {
		size_t home;

		at = (at + 1) & (r->nr_places - 1);
		if (!r->object[at].ptr)
			break;
		home = place_of(r, r->object[at].ptr);
		if (((at - home) & (r->nr_places - 1)) < ((at - hole) & (r->nr_places - 1)))
			continue;
		r->object[hole] = r->object[at];
		hole = at;
	}
	r->object[hole].ptr = 0;
	r->nr_objects--;
}

static void put_record(struct recorder *r, const struct event *event, uint32_t slot,
		       uint32_t bytes, uint8_t flags)
{
	uint64_t delta = r->nr_records && event->time > r->last ? event->time - r->last : 0;
	struct trace_record rec = {
		.slot = htole32(slot),
		.bytes = htole32(bytes),
		.delta = htole32(delta > UINT32_MAX ? UINT32_MAX : (uint32_t)delta),
		.cpu = event->cpu,
		.flags = flags,
	};

	fwrite(&rec, sizeof(rec), 1, r->out);
	r->last = event->time;
	r->nr_records++;
	if (event->cpu >= r->nr_cpus)
		r->nr_cpus = event->cpu + 1;
}

static void record_free(struct recorder *r, const struct event *event, struct object *object)
{
	if (r->nr_spare == r->room_spare) {
		r->room_spare = r->room_spare ? 2 * r->room_spare : 1 << 10;
		r->spare = xrealloc_array(r->spare, r->room_spare, sizeof(*r->spare));
	}
	put_record(r, event, object->slot, 0,
		   TRACE_F_FREE | (event->flags & TRACE_F_CONTEXT));
	r->spare[r->nr_spare++] = object->slot;
	object_remove(r, object);
	r->sums->frees++;
}

static void record_alloc(struct recorder *r, const struct event *event)
{
	struct object *object;

	if (2 * r->nr_objects >= r->nr_places)
		objects_grow(r);
	object = find_place(r, event->ptr);
	if (object->ptr) {
		r->sums->unseen++;
		record_free(r, event, object);
		object = find_place(r, event->ptr);
	}
	object->ptr = event->ptr;
	object->slot = r->nr_spare ? r->spare[--r->nr_spare] : r->nr_slots++;
	r->nr_objects++;
	r->sums->allocs++;
	put_record(r, event, object->slot, event->bytes,
		   event->flags | (event->kind == EVENT_CACHE_ALLOC ? TRACE_F_CACHE : 0));
}

static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->nr < y->nr ? -1 : x->nr > y->nr;
}

static void put_header(struct recorder *r, const char *name)
{
	struct trace_header head = {
		.magic = TRACE_MAGIC,
		.version = htole32(TRACE_VERSION),
		.ncpu = htole32(r->nr_cpus),
		.nrecords = htole64(r->nr_records),
		.nslots = htole32(r->nr_slots),
	};
	char *c;

	memcpy(head.name, name, strnlen(name, TRACE_NAME_LEN - 1));
	for (c = head.name; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '_';
	rewind(r->out);
	fwrite(&head, sizeof(head), 1, r->out);
}

void record_write(struct events *events, const char *name, const char *path,
		  struct record_sums *sums)
{
	struct recorder r = { .sums = sums };
	struct new_file file;
	size_t i;

	memset(sums, 0, sizeof(*sums));
	qsort(events->event, events->nr, sizeof(*events->event), compare_events);
	objects_grow(&r);
	new_file_begin(&file, path);
	r.out = file.out;
	put_header(&r, name);
	for (i = 0; i < events->nr; i++) {
		const struct event *event = &events->event[i];
		struct object *object;

		if (event->cpu >= CPUS_MAX)
			die(STATUS_TROUBLE, "CPU %u: a trace has no more than %d", event->cpu,
			    CPUS_MAX);
		/* NULL, and what kmalloc(0) gives. */
		if (event->ptr <= 16)
			continue;
		if (event->kind != EVENT_FREE) {
			record_alloc(&r, event);
			continue;
		}
		object = find_place(&r, event->ptr);
		if (object->ptr)
			record_free(&r, event, object);
		else
			sums->unknown++;
	}
	if (!r.nr_records)
		die(STATUS_TROUBLE, "nothing was allocated: there is no trace to write");
	put_header(&r, name);
	fseek(r.out, 0, SEEK_END);
	new_file_end(&file);
	free(r.object);
	free(r.spare);
}
