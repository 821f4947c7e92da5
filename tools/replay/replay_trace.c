// SPDX-License-Identifier: GPL-2.0-only
/*
 * Check a recorded allocation trace.
 *
 * A trace comes from outside, and the replay indexes arrays with what it finds
 * there. So everything is checked once, before the first allocation, and the
 * replay itself trusts it: magic, version, the counts against the size of the
 * file, each record's CPU, slot and flags, that allocations and frees of a
 * slot alternate, that what has to be zero is zero.
 *
 * The check is one pass in the order of the records, which is also the moment
 * to learn what only that order can tell: at which record most bytes were
 * live, and which turn each record has among those of its slot. The replay
 * uses the former to stop exactly there, the latter to keep a slot's records
 * in order across threads.
 *
 * The same file is compiled into user space: it takes its memory from the
 * caller and calls nothing but memcmp(), memcpy(), strnlen() and snprintf().
 */
#include <asm/byteorder.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#include "replay_trace.h"

/*
 * One definition of "wrong": fill in the sentence, return the error. A macro
 * because the compiler shall check each format against its arguments.
 */
#define trace_fault(fault, ...) \
	(snprintf(fault, TRACE_FAULT_LEN, __VA_ARGS__), -EINVAL)

static bool name_is_good(const char *name)
{
	size_t i, len = strnlen(name, TRACE_NAME_LEN);

	for (i = 0; i < TRACE_NAME_LEN; i++) {
		if (i >= len ? name[i] != '\0' : name[i] < ' ' || name[i] > '~')
			return false;
	}
	return true;
}

/**
 * trace_check_header - check a trace's header against the size of the file
 * @file: the whole file
 * @size: its size in bytes
 * @info: filled in as far as the header goes, the rest is set to 0
 * @fault: TRACE_FAULT_LEN bytes for a sentence about what is wrong
 *
 * Context: Any.
 * Return: 0 or -EINVAL.
 */
int trace_check_header(const void *file, size_t size, struct trace_info *info,
		       char *fault)
{
	const struct trace_header *head = file;
	u64 nrecords, room;

	memset(info, 0, sizeof(*info));
	if (size < sizeof(*head))
		return trace_fault(fault, "no trace: %llu bytes, a header has %llu",
				   (u64)size, (u64)sizeof(*head));
	if (memcmp(head->magic, TRACE_MAGIC, sizeof(head->magic)))
		return trace_fault(fault, "no trace: it does not begin with " TRACE_MAGIC);
	if (le32_to_cpu(head->version) != TRACE_VERSION)
		return trace_fault(fault, "header: version %u, only %u is known",
				   le32_to_cpu(head->version), TRACE_VERSION);
	if (!name_is_good(head->name))
		return trace_fault(fault, "header: the name is not printable text padded with NUL");
	if (head->padding)
		return trace_fault(fault, "header: the padding is not zero");

	info->ncpu = le32_to_cpu(head->ncpu);
	if (!info->ncpu || info->ncpu > 256)
		return trace_fault(fault, "header: %u CPUs, 1 to 256 are possible", info->ncpu);

	nrecords = le64_to_cpu(head->nrecords);
	room = size - sizeof(*head);
	if (!nrecords || nrecords >= U32_MAX)
		return trace_fault(fault, "header: %llu records", nrecords);
	if (room != nrecords * sizeof(struct trace_record))
		return trace_fault(fault,
				   "header: %llu records need %llu bytes, the file has %llu behind the header",
				   nrecords, nrecords * sizeof(struct trace_record), room);
	info->nrecords = nrecords;

	/* Slots that nothing uses are memory that somebody has to find. */
	info->nslots = le32_to_cpu(head->nslots);
	if (!info->nslots ||
	    (info->nslots > info->nrecords && info->nslots > TRACE_SPARE_SLOTS))
		return trace_fault(fault, "header: %u slots for %u records",
				   info->nslots, info->nrecords);

	memcpy(info->name, head->name[0] ? head->name : "unnamed",
	       head->name[0] ? TRACE_NAME_LEN : sizeof("unnamed"));
	return 0;
}

/* What a single record says, whatever came before it. */
static int check_record(const struct trace_record *rec, u32 n,
			const struct trace_info *info, char *fault)
{
	if (le32_to_cpu(rec->slot) >= info->nslots)
		return trace_fault(fault, "record %u: slot %u, the header has %u slots",
				   n, le32_to_cpu(rec->slot), info->nslots);
	if (rec->cpu >= info->ncpu)
		return trace_fault(fault, "record %u: CPU %u, the header has %u CPUs",
				   n, rec->cpu, info->ncpu);
	if (rec->flags & TRACE_F_UNUSED || trace_context(rec) >= TRACE_NR_CONTEXTS)
		return trace_fault(fault, "record %u: unknown flags 0x%02x", n, rec->flags);
	if (rec->reserved)
		return trace_fault(fault, "record %u: the reserved field is %u, not 0",
				   n, le16_to_cpu(rec->reserved));
	if (rec->flags & TRACE_F_FREE) {
		if (rec->bytes)
			return trace_fault(fault, "record %u: a free of %u bytes, not 0",
					   n, le32_to_cpu(rec->bytes));
		if (rec->flags & TRACE_F_ZERO)
			return trace_fault(fault, "record %u: a free with the zero flag", n);
	}
	return 0;
}

/**
 * trace_check_records - check all records of a trace
 * @file: the whole file, its header is good
 * @info: from trace_check_header(); completed here
 * @slots: @info->nslots of them, zeroed; in the end the state of every slot
 * @turns: one per record, or NULL; each is set to how many records of the same
 *         slot came before
 * @fault: TRACE_FAULT_LEN bytes for a sentence about what is wrong
 *
 * Context: Any; takes time proportional to the number of records.
 * Return: 0 or -EINVAL.
 */
int trace_check_records(const void *file, struct trace_info *info,
			struct trace_slot *slots, u32 *turns, char *fault)
{
	const struct trace_record *rec = trace_records(file);
	u32 n;
	int err;

	for (n = 0; n < info->nrecords; n++, rec++) {
		struct trace_slot *slot;
		bool is_free = rec->flags & TRACE_F_FREE;

		err = check_record(rec, n, info, fault);
		if (err)
			return err;

		slot = &slots[le32_to_cpu(rec->slot)];
		if (is_free && !(slot->turn & 1))
			return trace_fault(fault, "record %u: a free of slot %u, which is empty",
					   n, le32_to_cpu(rec->slot));
		if (!is_free && (slot->turn & 1))
			return trace_fault(fault,
					   "record %u: an allocation into slot %u, which is in use",
					   n, le32_to_cpu(rec->slot));

		if (turns)
			turns[n] = slot->turn;
		slot->turn++;
		info->in_context[trace_context(rec)]++;

		if (is_free) {
			info->end_bytes -= slot->bytes;
			info->end_objects--;
			continue;
		}
		slot->bytes = le32_to_cpu(rec->bytes);
		info->allocs++;
		info->cache_allocs += !!(rec->flags & TRACE_F_CACHE);
		info->zero_allocs += !!(rec->flags & TRACE_F_ZERO);
		info->atomic_allocs += !!(rec->flags & TRACE_F_ATOMIC);
		if (slot->bytes > info->largest)
			info->largest = slot->bytes;
		info->end_bytes += slot->bytes;
		info->end_objects++;
		if (info->end_bytes > info->peak_bytes) {
			info->peak_bytes = info->end_bytes;
			info->peak_objects = info->end_objects;
			info->peak_record = n;
		}
	}

	if (!slots[info->nslots - 1].turn)
		return trace_fault(fault, "header: %u slots, but no record uses the last one",
				   info->nslots);
	return 0;
}
