// SPDX-License-Identifier: GPL-2.0-only
/*
 * Types of objects in collected heaps, by number: two bytes of a slot's record have to
 * say what is in it.
 *
 * A type gets its number with its first object. The numbers are taken back when the
 * last collected heap goes, because then no object has one. A type that has kept its
 * number from before notices that, and gets another.
 *
 * Locks: gc_type_lock, innermost.
 */
#include <linux/bits.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "gc.h"

/* Numbers go up to what 16 bits hold; the directory has tables of so many. */
#define GC_TYPES_MAX BIT(16)
#define GC_TYPES_TABLE 256

static DEFINE_SPINLOCK(gc_type_lock);
static DEFINE_MUTEX(gc_types_users_lock);
static struct goalloc_type **gc_type_dir[GC_TYPES_MAX / GC_TYPES_TABLE];
/* 0 is no type. */
static u32 gc_types_next = 1;
static unsigned int gc_types_users;

/**
 * gc_type - a type by its number
 * @id: the number
 *
 * Context: Any, while a collected heap is there.
 * Return: the type, or NULL.
 */
struct goalloc_type *gc_type(u32 id)
{
	struct goalloc_type **table;

	if (id >= GC_TYPES_MAX)
		return NULL;
	/* Filled in when it is seen; pairs with gc_type_enter(). */
	table = smp_load_acquire(&gc_type_dir[id / GC_TYPES_TABLE]);
	return table ? READ_ONCE(table[id % GC_TYPES_TABLE]) : NULL;
}

/* A table for the next number is wanted and not there. */
static bool gc_type_wants_table(void)
{
	u32 id = READ_ONCE(gc_types_next);

	return id < GC_TYPES_MAX && !READ_ONCE(gc_type_dir[id / GC_TYPES_TABLE]);
}

/* Give a type a number; 0 if there is none left. */
static u32 gc_type_enter(struct goalloc_type *type)
{
	u32 id = READ_ONCE(type->id);

	lockdep_assert_held(&gc_type_lock);

	/* Somebody else may have been here. */
	if (id && gc_type(id) == type)
		return id;
	id = gc_types_next;
	if (id >= GC_TYPES_MAX)
		return 0;
	WRITE_ONCE(gc_type_dir[id / GC_TYPES_TABLE][id % GC_TYPES_TABLE], type);
	gc_types_next++;
	WRITE_ONCE(type->id, id);
	return id;
}

/**
 * gc_type_id - the number of a type
 * @type: the type
 * @gfp: how hard to try
 *
 * Context: Any that @gfp allows, but an interrupt.
 * Return: the number; 0 if there is no memory, or there are too many types.
 */
u32 gc_type_id(struct goalloc_type *type, gfp_t gfp)
{
	struct goalloc_type **table = NULL;
	u32 id = READ_ONCE(type->id);

	if (likely(id && gc_type(id) == type))
		return id;
	for (;;) {
		spin_lock(&gc_type_lock);
		if (table && gc_type_wants_table()) {
			/* Filled in when it is seen; pairs with gc_type(). */
			smp_store_release(&gc_type_dir[gc_types_next / GC_TYPES_TABLE],
					  table);
			table = NULL;
		}
		if (!gc_type_wants_table())
			break;
		spin_unlock(&gc_type_lock);
		table = kcalloc(GC_TYPES_TABLE, sizeof(*table), gfp & META_GFP_MASK);
		if (!table)
			return 0;
	}
	id = gc_type_enter(type);
	spin_unlock(&gc_type_lock);
	kfree(table);
	return id;
}

/**
 * gc_types_get - a collected heap is made
 *
 * Context: Process context, may sleep.
 */
void gc_types_get(void)
{
	mutex_lock(&gc_types_users_lock);
	gc_types_users++;
	mutex_unlock(&gc_types_users_lock);
}

/**
 * gc_types_put - a collected heap has gone
 *
 * Context: Process context, may sleep.
 */
void gc_types_put(void)
{
	unsigned int i;

	mutex_lock(&gc_types_users_lock);
	if (!--gc_types_users) {
		for (i = 0; i < ARRAY_SIZE(gc_type_dir); i++) {
			kfree(gc_type_dir[i]);
			gc_type_dir[i] = NULL;
		}
		gc_types_next = 1;
	}
	mutex_unlock(&gc_types_users_lock);
}
