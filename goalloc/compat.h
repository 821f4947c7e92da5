/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels goalloc builds on (6.1 and later). Features
 * are detected by macro where the kernel offers one, by version where not.
 */
#ifndef GOALLOC_COMPAT_H
#define GOALLOC_COMPAT_H

#include <linux/export.h>
#include <linux/mmzone.h>
#include <linux/version.h>

/* The kernel's version, where nothing else tells what it has. */
#define GOALLOC_KERNEL_FROM(a, b) (KERNEL_VERSION(a, b, 0) <= LINUX_VERSION_CODE)

#ifndef CONFIG_64BIT
#error "goalloc needs a 64-bit kernel: its page numbers and summaries are 64-bit words"
#endif

/* Largest order of the buddy allocator, inclusive. */
#ifdef MAX_PAGE_ORDER
#define GOALLOC_MAX_ORDER MAX_PAGE_ORDER
#else
#define GOALLOC_MAX_ORDER (MAX_ORDER - 1)
#endif

/*
 * Internals that only the test suites (a module of their own) may reach. The
 * namespace is a bare word up to 6.12 and a string from 6.13 on.
 */
#if !IS_ENABLED(CONFIG_KUNIT)
#define GOALLOC_EXPORT_KUNIT(...)
#define GOALLOC_IMPORT_KUNIT()
#elif GOALLOC_KERNEL_FROM(6, 13)
#define GOALLOC_EXPORT_KUNIT(sym) EXPORT_SYMBOL_NS_GPL(sym, "GOALLOC_KUNIT")
#define GOALLOC_IMPORT_KUNIT() MODULE_IMPORT_NS("GOALLOC_KUNIT")
#else
#define GOALLOC_EXPORT_KUNIT(sym) EXPORT_SYMBOL_NS_GPL(sym, GOALLOC_KUNIT)
#define GOALLOC_IMPORT_KUNIT() MODULE_IMPORT_NS(GOALLOC_KUNIT)
#endif

/*
 * Is a CPU set aside for somebody, so that no work of ours should go there?
 * For users of <linux/sched/isolation.h>.
 */
#if GOALLOC_KERNEL_FROM(6, 12)
#define goalloc_cpu_isolated(cpu) cpu_is_isolated(cpu)
#else
#define goalloc_cpu_isolated(cpu) ({				\
	int _cpu = (cpu);					\
	!housekeeping_test_cpu(_cpu, HK_TYPE_DOMAIN) ||		\
	!housekeeping_test_cpu(_cpu, HK_TYPE_TICK);		\
})
#endif

/*
 * Is kernel memory charged to memory cgroups, because there is one? For users of
 * <linux/memcontrol.h>.
 */
#if GOALLOC_KERNEL_FROM(6, 3)
#define goalloc_memcg_online() memcg_kmem_online()
#else
#define goalloc_memcg_online() memcg_kmem_enabled()
#endif

/*
 * For the line of whoever called us in /proc/allocinfo instead of ours. For users of
 * <linux/slab.h> and <linux/vmalloc.h>.
 */
#ifdef CONFIG_MEM_ALLOC_PROFILING
#define goalloc_kmalloc_node kmalloc_node_noprof
#define goalloc_vmalloc __vmalloc_noprof
#else
#define goalloc_kmalloc_node kmalloc_node
#define goalloc_vmalloc __vmalloc
#endif

/* A callback for which a grace period begins soon. For <linux/rcupdate.h>. */
#if GOALLOC_KERNEL_FROM(6, 2)
#define goalloc_call_rcu(head, fn) call_rcu_hurry(head, fn)
#else
#define goalloc_call_rcu(head, fn) call_rcu(head, fn)
#endif

#endif /* GOALLOC_COMPAT_H */
