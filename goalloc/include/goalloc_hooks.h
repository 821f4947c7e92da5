/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Callers of goalloc in /proc/allocinfo, for kernels that have it
 * (CONFIG_MEM_ALLOC_PROFILING, from 6.10 on). Included by goalloc.h.
 *
 * Each call gets a line of its own, as calls of kmalloc() do. The functions stay
 * what they are: a macro's name is not expanded within itself, nor where no
 * parenthesis follows it.
 */
#ifndef GOALLOC_HOOKS_H
#define GOALLOC_HOOKS_H

#include <linux/alloc_tag.h>
#include <linux/sched.h>

#define goalloc(...) alloc_hooks(goalloc(__VA_ARGS__))
#define goalloc_node(...) alloc_hooks(goalloc_node(__VA_ARGS__))
#define goalloc_aligned(...) alloc_hooks(goalloc_aligned(__VA_ARGS__))
#define goalloc_tiny(...) alloc_hooks(goalloc_tiny(__VA_ARGS__))
#define goalloc_bulk(...) alloc_hooks(goalloc_bulk(__VA_ARGS__))
#define goalloc_array(...) alloc_hooks(goalloc_array(__VA_ARGS__))
#define goalloc_heap_alloc(...) alloc_hooks(goalloc_heap_alloc(__VA_ARGS__))
#define gozalloc(...) alloc_hooks(gozalloc(__VA_ARGS__))
#define gocalloc(...) alloc_hooks(gocalloc(__VA_ARGS__))
#define gorealloc(...) alloc_hooks(gorealloc(__VA_ARGS__))
#define gorealloc_array(...) alloc_hooks(gorealloc_array(__VA_ARGS__))
#define gostrdup(...) alloc_hooks(gostrdup(__VA_ARGS__))
#define gomemdup(...) alloc_hooks(gomemdup(__VA_ARGS__))
#define gokvalloc(...) alloc_hooks(gokvalloc(__VA_ARGS__))

#endif /* GOALLOC_HOOKS_H */
