/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recorded allocation trace: the file format and its check.
 *
 * replay_trace.c is compiled into goalloc_replay.ko and, over the shim headers
 * in user/, into the host program trace-check. traces/README.md describes the
 * format.
 */
#ifndef REPLAY_TRACE_H
#define REPLAY_TRACE_H

#include <linux/types.h>

#define TRACE_MAGIC	"GOALTRC1"
#define TRACE_VERSION	1
#define TRACE_NAME_LEN	32
#define TRACE_SPARE_SLOTS 1000000	/* slots a trace may have in any case */

/* All numbers little endian; no padding but what is named. */
struct trace_header {
	char magic[8];
	__le32 version;
	__le32 ncpu;
	__le64 nrecords;
	__le32 nslots;
	__le32 padding;
	char name[TRACE_NAME_LEN];	/* padded with NUL */
};

struct trace_record {
	__le32 slot;
	__le32 bytes;			/* 0 in a free */
	__le32 delta;			/* ns since the previous record */
	u8 cpu;
	u8 flags;			/* TRACE_F_* and the context */
	__le16 reserved;
};

#define TRACE_F_FREE		0x01	/* else an allocation */
#define TRACE_F_CACHE		0x02	/* of an exact-size type's kmem_cache */
#define TRACE_F_ZERO		0x04
#define TRACE_F_ATOMIC		0x08	/* may not sleep */
#define TRACE_F_CONTEXT		0x30
#define TRACE_F_UNUSED		0xc0

enum trace_context {
	TRACE_TASK,
	TRACE_SOFTIRQ,
	TRACE_HARDIRQ,
	TRACE_NR_CONTEXTS
};

static inline enum trace_context trace_context(const struct trace_record *rec)
{
	return (rec->flags & TRACE_F_CONTEXT) >> 4;
}

/*
 * What a slot has seen so far. Records of one slot alternate between an
 * allocation and a free, so an odd @turn means that an object is live in it.
 */
struct trace_slot {
	u32 turn;			/* records so far */
	u32 bytes;			/* of the last allocation */
};

/* What the check found out about a good trace. */
struct trace_info {
	char name[TRACE_NAME_LEN + 1];
	u32 ncpu;
	u32 nrecords;
	u32 nslots;

	u32 allocs;			/* records */
	u32 cache_allocs;		/* of these, from a kmem_cache */
	u32 zero_allocs;
	u32 atomic_allocs;
	u32 in_context[TRACE_NR_CONTEXTS];	/* records */
	u32 largest;			/* bytes */

	u32 peak_record;		/* first one with the most bytes live */
	u32 peak_objects;
	u64 peak_bytes;
	u32 end_objects;
	u64 end_bytes;
};

/* Room for a sentence that says what is wrong with a trace. */
#define TRACE_FAULT_LEN 160

int trace_check_header(const void *file, size_t size, struct trace_info *info,
		       char *fault);
int trace_check_records(const void *file, struct trace_info *info,
			struct trace_slot *slots, u32 *turns, char *fault);

/* The records of a file whose header is good. */
static inline const struct trace_record *trace_records(const void *file)
{
	return file + sizeof(struct trace_header);
}

#endif /* REPLAY_TRACE_H */
