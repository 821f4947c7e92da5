// SPDX-License-Identifier: GPL-2.0-only
/*
 * What hardened heaps find, in words: writes behind objects, writes to free
 * ones, and who had them.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/kernel.h>
#include <linux/printk.h>

#include "compat.h"
#include "harden.h"
#include "report.h"
#include "report_site.h"
#include "sanitize.h"

/* Topics of report_site_first(), far behind those of others. */
enum report_harden_topic {
	REPORT_OVERFLOW = 64,
	REPORT_USE_AFTER_FREE,
};

static void report_event(const char *what, const struct harden_event *event)
{
	unsigned long *entries;
	unsigned int nr, i;

	if (!event->site)
		return;
	pr_err("  %s by task %u on CPU %u, %u ms before, at %pS\n", what,
	       event->pid, event->cpu, harden_now() - event->when, (void *)event->site);
	nr = harden_stack(event, &entries);
	for (i = 0; i < nr; i++)
		pr_err("    %pS\n", (void *)entries[i]);
}

/**
 * report_track - say who allocated an object and who freed it, if that is known
 * @span: its span
 * @slot: its slot
 *
 * Context: Any context; RCU read section, or the caller has the slot in hand.
 */
void report_track(const struct goalloc_span *span, unsigned int slot)
{
	if (!heap_of(span) || !heap_of(span)->harden || slot >= span->bits.nelems ||
	    !(harden_of(span)->flags & GOALLOC_HARDEN_STACKS))
		return;
	report_event("allocated", harden_event(span, slot, HARDEN_ALLOCATED));
	report_event("freed", harden_event(span, slot, HARDEN_FREED));
}

/* The bytes of a slot from some offset on, but no more than a few. */
static int report_bytes(const struct goalloc_span *span, unsigned int slot,
			size_t offset, const char **bytes)
{
	*bytes = (const char *)span_slot_addr(span, slot) + offset;
	return min_t(size_t, span->elemsize - offset, 8);
}

/**
 * report_overflow - say that somebody wrote behind an object
 * @span: its span
 * @slot: its slot, of a hardened heap
 * @offset: the first byte that was changed, counted from behind the object
 * @caller: call site that found it
 *
 * Context: As report_track().
 */
void report_overflow(const struct goalloc_span *span, unsigned int slot,
		     size_t offset, unsigned long caller)
{
	u32 asked = READ_ONCE(harden_track(span, slot)->asked);
	char object[REPORT_OBJECT_LEN];
	const char *bytes;
	int nr;

	if (!report_site_first(caller, REPORT_OVERFLOW))
		return;
	report_object(object, span, slot);
	nr = report_bytes(span, slot, asked + offset, &bytes);
	sanitize_pause();
	pr_err("overflow found at %pS: %p, heap %s, %s, %u bytes requested: byte %zu behind its end changed: %*ph instead of %02x; look for a write past this object, or before the next one\n",
	       (void *)caller, (void *)span_slot_addr(span, slot), heap_of(span)->name,
	       object, asked, offset, nr, bytes, HARDEN_RED_BYTE);
	sanitize_resume();
	report_track(span, slot);
}

/**
 * report_use_after_free - say that somebody wrote to a free object
 * @span: its span
 * @slot: its slot, of a hardened heap
 * @offset: the first byte that was changed
 * @fill: what it was before
 * @caller: call site that found it
 *
 * Context: As report_track().
 */
void report_use_after_free(const struct goalloc_span *span, unsigned int slot,
			   size_t offset, u8 fill, unsigned long caller)
{
	char object[REPORT_OBJECT_LEN];
	const char *bytes;
	int nr;

	if (!report_site_first(caller, REPORT_USE_AFTER_FREE))
		return;
	report_object(object, span, slot);
	nr = report_bytes(span, slot, offset, &bytes);
	sanitize_pause();
	pr_err("use after free found at %pS: %p, heap %s, %s, %u bytes requested: byte %zu changed: %*ph instead of %02x; look for a write to this object after its free\n",
	       (void *)caller, (void *)span_slot_addr(span, slot), heap_of(span)->name,
	       object, READ_ONCE(harden_track(span, slot)->asked), offset, nr, bytes, fill);
	sanitize_resume();
	report_track(span, slot);
}
