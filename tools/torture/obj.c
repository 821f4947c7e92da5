// SPDX-License-Identifier: GPL-2.0-only
/*
 * One step of torture: allocate, check, change, pass on or free an object, by
 * every function of <goalloc.h>.
 *
 * An object carries a pattern made of a key that no other object has, so that
 * memory handed out twice, moved or overwritten shows at the next look. Looks
 * are taken at random while the object lives, and always before it is freed.
 */
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "torture.h"

/*
 * Filled completely up to WHOLE bytes; beyond, both ends and a word per STRIDE,
 * so that no object, however small its neighbours, escapes: two that overlap do
 * so at an end or in a word of one of them.
 */
#define PATTERN_WHOLE 512
#define PATTERN_EDGE 64
#define PATTERN_STRIDE 64

/* Of the calls that may wait, one in so many must not fail. */
#define NOFAIL_SHARE 64

#define BULK_MAX 16

unsigned int torture_nr_boxes;
struct torture_obj **torture_boxes;

/* Neither more nor less than the object has: tiny ones are not aligned. */
static __no_kcsan bool pattern_piece(char *p, size_t len, u64 word, bool check)
{
	if (!check)
		memcpy(p, &word, len);
	return !check || !memcmp(p, &word, len);
}

/*
 * Fill, or with @check compare; false at the first difference. KCSAN delays
 * whoever it looks at; that is for goalloc's memory, not for ours.
 */
static __no_kcsan bool pattern_range(char *p, size_t from, size_t to, u64 key, bool check)
{
	size_t at = from;

	for (; at + 8 <= to && IS_ALIGNED((unsigned long)p + at, 8); at += 8) {
		if (!check)
			*(u64 *)(p + at) = key + at;
		else if (*(u64 *)(p + at) != key + at)
			return false;
	}
	for (; at < to; at += 8)
		if (!pattern_piece(p + at, min_t(size_t, to - at, 8), key + at, check))
			return false;
	return true;
}

static bool pattern_walk(char *p, size_t size, u64 key, bool check)
{
	size_t at;

	if (size <= PATTERN_WHOLE)
		return pattern_range(p, 0, size, key, check);
	if (!pattern_range(p, 0, PATTERN_EDGE, key, check) ||
	    !pattern_range(p, size - PATTERN_EDGE, size, key, check))
		return false;
	for (at = PATTERN_EDGE; at + 8 <= size - PATTERN_EDGE; at += PATTERN_STRIDE)
		if (!pattern_range(p, at, at + 8, key, check))
			return false;
	return true;
}

/* The first @n bytes of what was @old bytes long: what both lengths cover. */
static bool pattern_begins(char *p, size_t n, size_t old, u64 key)
{
	size_t at;

	if (old <= PATTERN_WHOLE)
		return pattern_range(p, 0, min(n, old), key, true);
	if (!pattern_range(p, 0, min_t(size_t, n, PATTERN_EDGE), key, true))
		return false;
	for (at = PATTERN_EDGE; at + 8 <= min(n, old - PATTERN_EDGE); at += PATTERN_STRIDE)
		if (!pattern_range(p, at, at + 8, key, true))
			return false;
	return true;
}

/**
 * obj_fill - enter an object into a record
 * @o: record without an object
 * @p: the object
 * @size: bytes of it to use
 * @key: what to fill it with
 */
void obj_fill(struct torture_obj *o, void *p, size_t size, u64 key)
{
	o->p = p;
	o->size = size;
	o->key = key;
	o->cpu = raw_smp_processor_id();
	o->is_tiny = false;
	pattern_walk(p, size, key, false);
}

/**
 * obj_is_good - is an object as it was left?
 * @o: record with an object
 *
 * Return: false if not, and then it has been reported.
 */
bool obj_is_good(const struct torture_obj *o)
{
	if (pattern_walk(o->p, o->size, o->key, true))
		return true;
	torture_fail("an object was changed by somebody else", o->p, o->size, 0);
	return false;
}

/**
 * obj_size - a size as kernel code asks for
 * @ctx: the context
 *
 * Return: mostly small and round numbers of bytes, now and then anything up to
 *         the largest object there can be.
 */
size_t obj_size(struct torture_ctx *ctx)
{
	static const u16 usual[] = {
		8, 8, 16, 16, 24, 32, 32, 32, 40, 48, 64, 64, 64, 72, 96, 96,
		104, 128, 128, 152, 192, 192, 232, 256, 256, 320, 512, 512,
		576, 1024, 1024, 2048,
	};
	u32 kind = torture_below(ctx, 4096);

	if (kind < 2400)
		return usual[torture_below(ctx, ARRAY_SIZE(usual))];
	if (kind < 3600)
		return 1 + torture_below(ctx, 1024);
	if (kind < 3960)
		return 1 + torture_below(ctx, 8192);
	if (kind < 4070)
		return 1 + torture_below(ctx, GOALLOC_MAX_SMALL_SIZE);
	if (kind < 4090)
		return 1 + torture_below(ctx, 256 << 10);
	if (kind < 4092)
		return 1 + torture_below(ctx, GOALLOC_MAX_SIZE);
	return 0;
}

/* The promises about a fresh object that do not depend on how it was asked for. */
static bool obj_accept(struct torture_obj *o, void *p, size_t size, size_t align,
		       bool zeroed, u64 key)
{
	size_t usable;

	if (!is_vmalloc_addr(p)) {
		usable = gosize(p);
		if (usable < size) {
			torture_fail("gosize() is below what was requested", p, usable, size);
			return false;
		}
		if (!goalloc_owns(p))
			torture_fail("goalloc_owns() denies an object", p, size, 0);
	}
	if (!IS_ALIGNED((unsigned long)p, align))
		torture_fail("an object is not aligned", p, size, align);
	if (zeroed && memchr_inv(p, 0, size))
		torture_fail("an object that should be zero is not", p, size, 0);
	obj_fill(o, p, size, key);
	return true;
}

/* kmalloc's promise: the largest power of two that divides the size. */
static size_t obj_align(size_t size)
{
	return max_t(size_t, 8, min_t(size_t, PAGE_SIZE, size & -size));
}

static void *obj_dup(struct torture_ctx *ctx, size_t *size, gfp_t gfp)
{
	char text[64];
	void *p;

	*size = 1 + torture_below(ctx, sizeof(text) - 1);
	memset(text, 'g', *size);
	if (torture_random(ctx) & 1) {
		p = gomemdup(text, *size, gfp);
	} else {
		text[*size - 1] = 0;
		p = gostrdup(text, gfp);
	}
	if (p && memcmp(p, text, *size))
		torture_fail("a copy differs", p, *size, 0);
	return p;
}

/* More than there can be, or nothing that could be asked for, is refused. */
static void obj_refused(struct torture_ctx *ctx, gfp_t gfp)
{
	void *p;

	if (torture_random(ctx) & 1)
		p = goalloc_array(SIZE_MAX / 2, 3, gfp);
	else
		p = goalloc_aligned(1 + torture_below(ctx, 1024), 24, gfp);
	torture_count(ctx, COUNT_ALLOC, 1);
	if (p)
		torture_fail("what must be refused was given", p, 0, 0);
}

/* May this one wait for memory until there is some? As the kernel has it: small. */
static bool obj_nofail(struct torture_ctx *ctx, size_t size, gfp_t gfp)
{
	return ctx->may_sleep && size <= GOALLOC_MAX_SMALL_SIZE &&
	       gfp & __GFP_DIRECT_RECLAIM && !(gfp & __GFP_NORETRY) &&
	       !torture_below(ctx, NOFAIL_SHARE);
}

/* Bulk: allocated, filled, checked and freed at once, or kept as far as fits. */
static void obj_bulk(struct torture_ctx *ctx, size_t size, gfp_t gfp)
{
	struct torture_obj o[BULK_MAX];
	void *p[BULK_MAX];
	unsigned int n = 1 + torture_below(ctx, BULK_MAX);
	unsigned int i;

	size = min_t(size_t, size, 2048);
	torture_count(ctx, COUNT_BULK, n);
	if (goalloc_bulk(size, gfp, n, p) != n) {
		torture_count(ctx, COUNT_FAILED, 1);
		return;
	}
	for (i = 0; i < n && size; i++)
		obj_fill(&o[i], p[i], size, torture_random(ctx));
	for (i = 0; i < n && size; i++)
		obj_is_good(&o[i]);
	gofree_bulk(n, p);
	torture_count(ctx, COUNT_FREE_OTHER, n);
}

static void obj_alloc(struct torture_ctx *ctx, struct torture_obj *o, gfp_t gfp)
{
	u64 key = (u64)torture_random(ctx) << 32 | torture_random(ctx);
	u32 kind = torture_below(ctx, 64);
	size_t size = obj_size(ctx);
	size_t align = 1;
	enum torture_count what;
	bool zeroed = false;
	bool tiny = false;
	bool nofail;
	void *p;

	if (ctx->level != LEVEL_TASK)
		size = min_t(size_t, size, 64 << 10);
	if (kind == 60 || kind == 61) {
		obj_bulk(ctx, size, gfp);
		return;
	}
	if (!torture_below(ctx, 1024)) {
		obj_refused(ctx, gfp);
		return;
	}
	nofail = obj_nofail(ctx, size, gfp);
	if (nofail) {
		gfp = (gfp | __GFP_NOFAIL) & ~__GFP_RETRY_MAYFAIL;
		torture_count(ctx, COUNT_NOFAIL, 1);
	}

	if (kind < 30) {
		what = COUNT_ALLOC;
		if (kind < 28) {
			p = goalloc(size, gfp);
		} else {
			size = round_down(size, 8);
			p = goalloc_array(size / 8, 8, gfp);
		}
		align = obj_align(size);
	} else if (kind < 40) {
		what = COUNT_ZALLOC;
		zeroed = true;
		if (kind < 38) {
			p = gozalloc(size, gfp);
		} else {
			size = round_down(size, 16);
			p = gocalloc(size / 16, 16, gfp);
		}
	} else if (kind < 50) {
		what = COUNT_TINY;
		tiny = true;
		size = 1 + torture_below(ctx, 16);
		zeroed = kind & 1;
		align = size & -size;
		align = min_t(size_t, align, 8);
		p = goalloc_tiny(size, zeroed ? gfp | __GFP_ZERO : gfp);
	} else if (kind < 54) {
		what = COUNT_NODE;
		zeroed = kind & 1;
		p = goalloc_node(size, (zeroed ? __GFP_ZERO : 0) | gfp |
				 (kind == 53 && !nofail ? __GFP_THISNODE : 0),
				 torture_below(ctx, nr_node_ids + 1) - 1);
	} else if (kind < 58) {
		what = COUNT_ALIGNED;
		align = 1UL << torture_below(ctx, kind == 57 && !nofail ? 18 : 14);
		zeroed = kind & 1;
		p = goalloc_aligned(size, align, zeroed ? gfp | __GFP_ZERO : gfp);
	} else if (kind < 60) {
		what = COUNT_DUP;
		p = obj_dup(ctx, &size, gfp);
	} else {
		what = COUNT_KV;
		/* Without sleeping it is goalloc(); vfree() cannot run in NMI. */
		if (ctx->may_sleep && kind == 63 && !nofail)
			size *= 8;
		zeroed = torture_random(ctx) & 1;
		p = gokvalloc(size, zeroed ? gfp | __GFP_ZERO : gfp);
	}
	torture_count(ctx, what, 1);
	if (!p) {
		torture_count(ctx, COUNT_FAILED, 1);
		if (nofail)
			torture_fail("__GFP_NOFAIL failed", NULL, size, kind);
		return;
	}
	if (!size) {
		if (p != ZERO_SIZE_PTR)
			torture_fail("size 0 did not give ZERO_SIZE_PTR", p, 0, 0);
		gofree(p);
		return;
	}
	if (!obj_accept(o, p, size, align, zeroed, key)) {
		gofree(p);
		return;
	}
	o->is_tiny = tiny && size < 16;
	if (what <= COUNT_NODE && !tiny && gosize(p) < goalloc_size_roundup(size))
		torture_fail("gosize() is below goalloc_size_roundup()", p,
			     gosize(p), size);
	if (o->is_tiny && gosize(p) != size)
		torture_fail("gosize() of a tiny object is not its size", p,
			     gosize(p), size);
	ctx->bytes += size;
}

/**
 * obj_free - check an object and free it
 * @ctx: the context
 * @o: record with an object
 *
 * Return: false if the context may not free it; then it still lives.
 */
bool obj_free(struct torture_ctx *ctx, struct torture_obj *o)
{
	void *p = o->p;

	if (is_vmalloc_addr(p) && !ctx->may_sleep)
		return false;
	obj_is_good(o);
	ctx->bytes -= o->size;
	o->p = NULL;
	if (o->cpu != raw_smp_processor_id())
		torture_count(ctx, COUNT_REMOTE, 1);
	if (is_vmalloc_addr(p)) {
		gokvfree(p);
		torture_count(ctx, COUNT_FREE_OTHER, 1);
		return true;
	}
	switch (torture_below(ctx, 32)) {
	case 2:
		if (gorealloc(p, 0, GFP_NOWAIT) != ZERO_SIZE_PTR)
			torture_fail("gorealloc() to 0 bytes did not free", p, o->size, 0);
		torture_count(ctx, COUNT_FREE_OTHER, 1);
		break;
	case 0:
		gokvfree(p);
		torture_count(ctx, COUNT_FREE_OTHER, 1);
		break;
	case 1:
		gofree_sensitive(p);
		torture_count(ctx, COUNT_FREE_OTHER, 1);
		break;
	default:
		gofree(p);
		torture_count(ctx, COUNT_FREE, 1);
	}
	return true;
}

static void obj_realloc(struct torture_ctx *ctx, struct torture_obj *o, gfp_t gfp)
{
	u64 key = (u64)torture_random(ctx) << 32 | torture_random(ctx);
	size_t size = obj_size(ctx);
	size_t old = o->size;
	size_t usable;
	bool zero;
	void *p;

	if (is_vmalloc_addr(o->p) || !size ||
	    (ctx->level != LEVEL_TASK && size > GOALLOC_MAX_SMALL_SIZE))
		return;
	obj_is_good(o);
	usable = gosize(o->p);
	zero = torture_random(ctx) & 1;
	if (zero)
		gfp |= __GFP_ZERO;
	torture_count(ctx, COUNT_REALLOC, 1);
	if (size % 8 == 0)
		p = gorealloc_array(o->p, size / 8, 8, gfp);
	else
		p = gorealloc(o->p, size, gfp);
	if (!p) {
		torture_count(ctx, COUNT_FAILED, 1);
		obj_is_good(o);
		return;
	}
	if (!pattern_begins(p, min(old, size), old, o->key))
		torture_fail("gorealloc() lost contents", p, old, size);
	if (zero && size > usable && memchr_inv((char *)p + usable, 0, size - usable))
		torture_fail("gorealloc() did not zero the new part", p, old, size);
	ctx->bytes += size - old;
	o->p = NULL;
	if (!obj_accept(o, p, size, 1, false, key))
		gofree(p);
}

/* Exchange a record with whatever lies in some box. */
static void obj_pass(struct torture_ctx *ctx, struct torture_obj **place)
{
	struct torture_obj *mine = *place;

	if (mine->p)
		ctx->bytes -= mine->size;
	/* Fully ordered: the record and the object go with it. */
	*place = xchg(&torture_boxes[torture_below(ctx, torture_nr_boxes)], mine);
	if ((*place)->p)
		ctx->bytes += (*place)->size;
	torture_count(ctx, COUNT_PASS, 1);
}

/**
 * obj_step - do something to some object
 * @ctx: the context, which nobody else uses
 * @gfp: what it may do
 */
void obj_step(struct torture_ctx *ctx, gfp_t gfp)
{
	struct torture_obj **place = &ctx->rec[torture_below(ctx, ctx->nr)];
	struct torture_obj *o = *place;
	u32 what = torture_below(ctx, 64);

	if (!torture_below(ctx, 2048))
		ctx->growing = !ctx->growing;
	if (what < 4) {
		heaps_step(ctx, gfp);
	} else if (what < 12) {
		obj_pass(ctx, place);
	} else if (!o->p) {
		if (ctx->bytes < ctx->max_bytes)
			obj_alloc(ctx, o, gfp);
		else
			ctx->growing = false;
	} else if (what < 18) {
		obj_realloc(ctx, o, gfp);
	} else if (what < 26 || (ctx->growing && what < 44)) {
		obj_is_good(o);
		torture_count(ctx, COUNT_CHECK, 1);
	} else {
		obj_free(ctx, o);
	}
}
