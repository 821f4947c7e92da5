/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types of objects in collected heaps: where in an object there are pointers.
 */
#ifndef GOALLOC_TYPE_PUBLIC_H
#define GOALLOC_TYPE_PUBLIC_H

#include <linux/build_bug.h>
#include <linux/kernel.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct goalloc_mutator;

/**
 * struct goalloc_type - what the objects of a type look like
 * @name: name for reports
 * @size: bytes, a multiple of 8 if there are pointers
 * @map: bit per 8 bytes of @size, the lowest bit of the first word for the first: is a
 *       pointer into the heap there? NULL if the type has none
 * @finalizer: called once when nothing reaches an object any more, or NULL: by a
 *             thread of the heap's, with that thread's mutator. It may store the object somewhere,
 *             which saves it; else the object goes with the next collection
 * @id: goalloc's
 *
 * Made with GOALLOC_TYPE(); must stay for as long as there are objects of it.
 */
struct goalloc_type {
	const char *name;
	size_t size;
	const unsigned long *map;
	void (*finalizer)(struct goalloc_mutator *m, void *obj);
	u32 id;
};

/* Words of a map that GOALLOC_TYPE() fills in: for structures of up to 2 KiB. */
#define GOALLOC_MAP_WORDS 4

/* Is a field of structure @t a pointer, and nothing else? An error if not. */
#define __GOALLOC_PTR_OK(t, f)							\
	(BUILD_BUG_ON_ZERO(__builtin_classify_type(((t *)0)->f) != 5) +		\
	 (int)(0 * sizeof((typeof(((t *)0)->f))0)))

/* The bit of a field in word @w of a map; 0 in the other words. */
#define __GOALLOC_BIT(w, t, f)							\
	((offsetof(t, f) / 8 / 64 == (w) ?					\
	  1UL << offsetof(t, f) / 8 % 64 : 0UL) + __GOALLOC_PTR_OK(t, f))

/* Those of up to 12 fields. */
#define __GOALLOC_F1(w, t, f)		__GOALLOC_BIT(w, t, f)
#define __GOALLOC_F2(w, t, f, ...)					\
	(__GOALLOC_BIT(w, t, f) | __GOALLOC_F1(w, t, __VA_ARGS__))
#define __GOALLOC_F3(w, t, f, ...)					\
	(__GOALLOC_BIT(w, t, f) | __GOALLOC_F2(w, t, __VA_ARGS__))
#define __GOALLOC_F4(w, t, f, ...)					\
	(__GOALLOC_BIT(w, t, f) | __GOALLOC_F3(w, t, __VA_ARGS__))
#define __GOALLOC_F5(w, t, f, ...)					\
	(__GOALLOC_BIT(w, t, f) | __GOALLOC_F4(w, t, __VA_ARGS__))
#define __GOALLOC_F6(w, t, f, ...)					\
	(__GOALLOC_BIT(w, t, f) | __GOALLOC_F5(w, t, __VA_ARGS__))
#define __GOALLOC_F7(w, t, f, ...)					\
	(__GOALLOC_BIT(w, t, f) | __GOALLOC_F6(w, t, __VA_ARGS__))
#define __GOALLOC_F8(w, t, f, ...)					\
	(__GOALLOC_BIT(w, t, f) | __GOALLOC_F7(w, t, __VA_ARGS__))
#define __GOALLOC_F9(w, t, f, ...)					\
	(__GOALLOC_BIT(w, t, f) | __GOALLOC_F8(w, t, __VA_ARGS__))
#define __GOALLOC_F10(w, t, f, ...)					\
	(__GOALLOC_BIT(w, t, f) | __GOALLOC_F9(w, t, __VA_ARGS__))
#define __GOALLOC_F11(w, t, f, ...)					\
	(__GOALLOC_BIT(w, t, f) | __GOALLOC_F10(w, t, __VA_ARGS__))
#define __GOALLOC_F12(w, t, f, ...)					\
	(__GOALLOC_BIT(w, t, f) | __GOALLOC_F11(w, t, __VA_ARGS__))
#define __GOALLOC_WORD(w, t, ...)						\
	CONCATENATE(__GOALLOC_F, COUNT_ARGS(__VA_ARGS__))(w, t, __VA_ARGS__)

/**
 * GOALLOC_TYPE_INIT - the initializer of a type, for one with a finalizer besides
 * @t: the structure
 * @...: those of its fields that are pointers into the heap, 1 to 12; of an array its
 *       elements one by one. What is no pointer is an error when it is compiled
 */
#define GOALLOC_TYPE_INIT(t, ...)						\
	.name = #t,								\
	.size = sizeof(t) +							\
		BUILD_BUG_ON_ZERO(sizeof(t) > GOALLOC_MAP_WORDS * 64 * 8),	\
	.map = (const unsigned long []){			\
		__GOALLOC_WORD(0, t, __VA_ARGS__),				\
		__GOALLOC_WORD(1, t, __VA_ARGS__),				\
		__GOALLOC_WORD(2, t, __VA_ARGS__),				\
		__GOALLOC_WORD(3, t, __VA_ARGS__),				\
	}

/**
 * GOALLOC_TYPE - define a type with pointers
 * @var: name of the variable
 * @t: as for GOALLOC_TYPE_INIT()
 * @...: as for GOALLOC_TYPE_INIT()
 */
#define GOALLOC_TYPE(var, t, ...)						\
	struct goalloc_type var = { GOALLOC_TYPE_INIT(t, __VA_ARGS__) }

/**
 * GOALLOC_TYPE_NOSCAN - define a type without pointers into the heap
 * @var: name of the variable
 * @t: the type
 */
#define GOALLOC_TYPE_NOSCAN(var, t)						\
	struct goalloc_type var = { .name = #t, .size = sizeof(t) }

#endif /* GOALLOC_TYPE_PUBLIC_H */
