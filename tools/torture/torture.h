/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * goalloc_torture: what its parts share.
 *
 * Every object is described by a record. Each context (a thread, a hardirq
 * timer, a softirq tasklet, an NMI handler) has a table of records of its own
 * and works on it alone; objects travel between contexts and CPUs by exchanging
 * a record with one in a common row of boxes, which takes an xchg() and so works
 * from NMI as well.
 */
#ifndef GOALLOC_TORTURE_H
#define GOALLOC_TORTURE_H

#include <linux/atomic.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/kcsan-checks.h>
#include <linux/sched/mm.h>
#include <linux/types.h>

#include <goalloc.h>
#include <goalloc_stats.h>

/* What is counted, per context. */
enum torture_count {
	COUNT_ALLOC,
	COUNT_ZALLOC,
	COUNT_NODE,
	COUNT_ALIGNED,
	COUNT_TINY,
	COUNT_BULK,
	COUNT_REALLOC,
	COUNT_DUP,
	COUNT_KV,
	COUNT_HEAP,
	COUNT_FREE,
	COUNT_FREE_OTHER,
	COUNT_CHECK,		/* from here on no calls, or counted above */
	COUNT_PASS,
	COUNT_BURST,
	COUNT_REMOTE,
	COUNT_NOFAIL,
	COUNT_FAILED,
	NR_COUNTS
};

extern const char *const torture_count_names[NR_COUNTS];

/* Where a context runs. */
enum torture_level {
	LEVEL_TASK,
	LEVEL_SOFTIRQ,
	LEVEL_HARDIRQ,
	LEVEL_NMI,
	NR_LEVELS
};

/**
 * struct torture_obj - a record
 * @p: the object, or NULL
 * @key: what its pattern is made of
 * @size: bytes requested
 * @cpu: where it was allocated
 * @is_tiny: from goalloc_tiny()
 */
struct torture_obj {
	void *p;
	u64 key;
	u32 size;
	u16 cpu;
	bool is_tiny;
};

/* Objects in a burst at most, a power of two; bursts that a context has. */
#define BURST_MAX 32
#define BURSTS_PER_CTX 4

struct torture_burst;

/**
 * struct torture_ctx - one context
 * @rng: state of its random numbers
 * @level: where it runs
 * @may_sleep: may its next calls sleep?
 * @growing: does it rather allocate than free at present?
 * @busy: set while it works; nobody may interrupt it into itself
 * @nr: length of @rec
 * @rec: records; always all there, with or without an object
 * @burst: bursts; always all there, with or without objects
 * @bytes: of the objects in @rec
 * @max_bytes: where it stops allocating
 * @count: what it has done
 */
struct torture_ctx {
	u64 rng;
	enum torture_level level;
	bool may_sleep;
	bool growing;
	atomic_t busy;
	unsigned int nr;
	struct torture_obj **rec;
	struct torture_burst **burst;
	size_t bytes;
	size_t max_bytes;
	u64 count[NR_COUNTS];
};

/* torture.c */
extern bool torture_stop;
void torture_fail(const char *what, const void *p, size_t a, size_t b);
void *torture_mem(size_t size);
struct torture_ctx *torture_ctx_create(enum torture_level level, unsigned int nr,
				       size_t max_bytes);

/* ledger.c */
void ledger_settle(void);
u64 ledger_read(struct goalloc_heap *heap, struct goalloc_stats *st);
void ledger_verify(void);

/* obj.c */
extern unsigned int torture_nr_boxes;
extern struct torture_obj **torture_boxes;
void obj_step(struct torture_ctx *ctx, gfp_t gfp);
void obj_fill(struct torture_obj *o, void *p, size_t size, u64 key);
bool obj_is_good(const struct torture_obj *o);
bool obj_free(struct torture_ctx *ctx, struct torture_obj *o);
size_t obj_size(struct torture_ctx *ctx);

/* burst.c */
int burst_start(void);
struct torture_burst **burst_create(unsigned int n);
void burst_step(struct torture_ctx *ctx, gfp_t gfp);
void burst_empty(struct torture_ctx *ctx, struct torture_burst *b);
void burst_free_boxes(struct torture_ctx *ctx);

/* context.c */
int context_start(void);
void context_stop(void);
void context_sum(u64 sum[NR_LEVELS][NR_COUNTS]);
bool context_is_there(enum torture_level level);
void context_free_all(void);
void context_destroy(void);
extern atomic_t context_host_nmis;

/* heaps.c */
int heaps_start(void);
void heaps_stop(void);
void heaps_step(struct torture_ctx *ctx, gfp_t gfp);
extern atomic_t heaps_ended;
extern atomic_t heaps_forced;

/* stacks.c */
int stacks_start(void);
unsigned long stacks_stop(void);

/* upkeep.c */
int upkeep_start(void);
void upkeep_stop(void);
void upkeep_step(struct torture_ctx *ctx, struct goalloc_heap *heap);
extern atomic_long_t upkeep_calls;
extern atomic_long_t upkeep_bytes;

/* misuse.c */
int misuse_run(unsigned int rounds);

/* pressure.c */
int pressure_start(void);
void pressure_stop(void);
extern atomic_long_t pressure_rounds;

/* xorshift64*: enough for choices, and the same run for the same seed. */
static inline u32 torture_random(struct torture_ctx *ctx)
{
	ctx->rng ^= ctx->rng >> 12;
	ctx->rng ^= ctx->rng << 25;
	ctx->rng ^= ctx->rng >> 27;
	return (ctx->rng * 0x2545f4914f6cdd1dULL) >> 32;
}

/* 0 to @n - 1 */
static inline u32 torture_below(struct torture_ctx *ctx, u32 n)
{
	return ((u64)torture_random(ctx) * n) >> 32;
}

/* Only the context itself writes its counters, progress reads them. */
static inline void torture_count(struct torture_ctx *ctx, enum torture_count what,
				 unsigned int n)
{
	WRITE_ONCE(ctx->count[what], ctx->count[what] + n);
}

/*
 * Begin and end a scope in which nothing waits for file systems, or for I/O. It is a
 * bit of the task's flags, which the scheduler looks at whenever it likes: a race of
 * the kernel's that is none of ours.
 */
static inline unsigned int torture_scope_begin(bool nofs)
{
	unsigned int old;

	kcsan_disable_current();
	old = nofs ? memalloc_nofs_save() : memalloc_noio_save();
	kcsan_enable_current();
	return old;
}

static inline void torture_scope_end(bool nofs, unsigned int old)
{
	kcsan_disable_current();
	if (nofs)
		memalloc_nofs_restore(old);
	else
		memalloc_noio_restore(old);
	kcsan_enable_current();
}

#endif /* GOALLOC_TORTURE_H */
