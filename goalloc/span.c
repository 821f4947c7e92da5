// SPDX-License-Identifier: GPL-2.0-only
/*
 * The shape of a span's structure. It and everything that hangs on it (two
 * bitmaps, a state byte per slot, the blocks of a tiny span) is one piece of
 * memory, because it is born and dies as one:
 *
 *	struct goalloc_span | alloc bits | freed bits | tiny blocks | states
 *
 * In a hardened heap a record per slot takes the place of the tiny blocks.
 */
#include <linux/build_bug.h>
#include <linux/string.h>

#include "compat.h"
#include "span.h"

u8 span_no_state[SPAN_MAX_SLOTS + 1] = { [0 ... SPAN_MAX_SLOTS] = SLOT_TAIL };
GOALLOC_EXPORT_KUNIT(span_no_state);

/* The fields that a checked free reads share the first cache line. */
static_assert(offsetof(struct goalloc_span, needzero) < 64);

/**
 * span_shape_small - shape of the spans of a bin
 * @bin: size class, or GOALLOC_TINY_BIN
 *
 * Return: the shape.
 */
struct span_shape span_shape_small(unsigned int bin)
{
	unsigned int class = span_bin_class(bin);

	return (struct span_shape){
		.bin = bin,
		.kind = bin == GOALLOC_TINY_BIN ? SPAN_TINY : SPAN_SMALL,
		.spanclass = spanclass_make(class, true),
		.npages = sizeclass_pages[class],
		.elemsize = sizeclass_size[class],
		.nelems = sizeclass_objs[class],
		.divmul = sizeclass_magic[class],
	};
}
GOALLOC_EXPORT_KUNIT(span_shape_small);

/**
 * span_shape_large - shape of the span of a large object
 * @npages: its goalloc pages, less than 4 GiB of them
 *
 * Return: the shape.
 */
struct span_shape span_shape_large(u32 npages)
{
	return (struct span_shape){
		.kind = SPAN_LARGE,
		.spanclass = spanclass_make(0, true),
		.npages = npages,
		.elemsize = npages << GOALLOC_PAGE_SHIFT,
		.nelems = 1,
	};
}
GOALLOC_EXPORT_KUNIT(span_shape_large);

static size_t span_slot_bytes(unsigned int kind, unsigned int nelems, u32 track_bytes)
{
	return nelems * (kind == SPAN_TINY ? sizeof(struct tiny_block) : track_bytes);
}

/**
 * span_bytes - bytes of the structure for a shape
 * @shape: the shape
 *
 * Return: the bytes.
 */
size_t span_bytes(const struct span_shape *shape)
{
	return sizeof(struct goalloc_span) + span_bits_bytes(shape->nelems) +
	       span_slot_bytes(shape->kind, shape->nelems, shape->track_bytes) +
	       shape->nelems + 1;
}
GOALLOC_EXPORT_KUNIT(span_bytes);

/**
 * span_own_state - where the state bytes of a span are
 * @span: the span
 * @track_bytes: as in its shape
 *
 * Return: the first of them.
 */
u8 *span_own_state(const struct goalloc_span *span, u32 track_bytes)
{
	unsigned int nelems = span->bits.nelems;

	return (u8 *)span->bits.words + span_bits_bytes(nelems) +
	       span_slot_bytes(span->kind, nelems, track_bytes);
}
GOALLOC_EXPORT_KUNIT(span_own_state);

/**
 * span_init - fill in a structure; the pages come later
 * @span: zeroed memory of span_bytes(@shape) bytes
 * @shape: the shape
 */
void span_init(struct goalloc_span *span, const struct span_shape *shape)
{
	char *end = (char *)span->bits.words + span_bits_bytes(shape->nelems);

	span->divmul = shape->divmul;
	span->elemsize = shape->elemsize;
	span->bin = shape->bin;
	span->spanclass = shape->spanclass;
	span->kind = shape->kind;
	span->npages = shape->npages;
	span->place = SPAN_NOWHERE;
	INIT_LIST_HEAD(&span->list);
	if (shape->kind == SPAN_TINY)
		span->tiny = (struct tiny_block *)end;
	else if (shape->track_bytes)
		span->tracks = end;
	span_bits_init(&span->bits, shape->nelems);
	span->state = span_own_state(span, shape->track_bytes);
	span->state[shape->nelems] = SLOT_TAIL;
}
GOALLOC_EXPORT_KUNIT(span_init);
