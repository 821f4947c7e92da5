// SPDX-License-Identifier: GPL-2.0-only
/* goalloc top: samples, what changed between them, and their history. */
#include <stdlib.h>
#include <string.h>

#include "source.h"
#include "top.h"

const struct heap *top_now(const struct top *top)
{
	return &top->now.heaps[0];
}

double top_seconds(const struct top *top)
{
	return top->has_before ? top->now.monotonic - top->before.monotonic : 0;
}

double top_rate(const struct top *top, int64_t now, int64_t before)
{
	double seconds = top_seconds(top);

	return seconds > 0 ? (now - before) / seconds : 0;
}

double top_stat_rate(const struct top *top, const char *stat)
{
	return top->has_before ? top_rate(top, heap_stat(&top->now.heaps[0], stat),
					  heap_stat(&top->before.heaps[0], stat)) : 0;
}

const struct history *top_history(const struct top *top, const char *name)
{
	size_t i;

	for (i = 0; i < top->nr_histories; i++)
		if (!strcmp(top->histories[i].name, name))
			return &top->histories[i];
	return NULL;
}

static void history_add(struct top *top, const char *name, double value)
{
	struct history *h = (struct history *)top_history(top, name);

	if (!h) {
		top->histories = xrealloc_array(top->histories, top->nr_histories + 1,
						sizeof(*top->histories));
		h = &top->histories[top->nr_histories++];
		memset(h, 0, sizeof(*h));
		h->name = xstrdup(name);
	}
	if (h->nr == HISTORY)
		memmove(h->value, h->value + 1, (HISTORY - 1) * sizeof(*h->value));
	else
		h->nr++;
	h->value[h->nr - 1] = value;
}

static void histories_free(struct top *top)
{
	size_t i;

	for (i = 0; i < top->nr_histories; i++)
		free(top->histories[i].name);
	free(top->histories);
	top->histories = NULL;
	top->nr_histories = 0;
}

/* The allocation rate of each class, and what is held and live. */
static void histories_add(struct top *top)
{
	const struct heap *now = &top->now.heaps[0];
	const struct table *t = &now->classes;
	size_t i;

	history_add(top, "held", heap_stat(now, "held_bytes"));
	history_add(top, "live", heap_stat(now, "live_bytes"));
	if (!top->has_before)
		return;
	history_add(top, "allocs", top_stat_rate(top, "allocs"));
	for (i = 0; i < t->nrows; i++) {
		const struct table *old = &top->before.heaps[0].classes;
		char name[32];

		snprintf(name, sizeof(name), "class %s", table_text(t, i, "cls"));
		history_add(top, name, top_rate(top, table_num(t, i, "allocs"),
						table_num(old, i, "allocs")));
	}
}

void top_sample(struct top *top)
{
	if (top->has_before)
		snapshot_free(&top->before);
	top->before = top->now;
	top->has_before = top->before.nr_heaps;
	options.heap = top->heaps[top->heap];
	snapshot_read_one(&top->now, PART_NUMBERS);
	histories_add(top);
}

/* Go over to another heap; what was seen of the old one means nothing for it. */
void top_heap(struct top *top, const char *heap)
{
	/* It may be one of those that are freed here. */
	char *name = xstrdup(heap);
	size_t i;

	for (i = 0; i < top->nr_heaps; i++)
		free(top->heaps[i]);
	free(top->heaps);
	top->heaps = source_heaps(&top->nr_heaps);
	for (top->heap = 0; top->heap < top->nr_heaps; top->heap++)
		if (!strcmp(top->heaps[top->heap], name))
			break;
	/* It may be gone since; and reading says so if it never was. */
	if (top->heap == top->nr_heaps) {
		top->heaps = xrealloc_array(top->heaps, top->nr_heaps + 1,
					    sizeof(*top->heaps));
		top->heaps[top->nr_heaps++] = xstrdup(name);
	}
	free(name);
	if (top->has_before)
		snapshot_free(&top->before);
	snapshot_free(&top->now);
	top->has_before = false;
	histories_free(top);
	top_sample(top);
}

void top_free(struct top *top)
{
	size_t i;

	for (i = 0; i < top->nr_heaps; i++)
		free(top->heaps[i]);
	free(top->heaps);
	if (top->has_before)
		snapshot_free(&top->before);
	snapshot_free(&top->now);
	histories_free(top);
}
