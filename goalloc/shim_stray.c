// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects of goalloc's that the kernel is about to free.
 *
 * A module that was compiled with <goalloc_kmalloc.h> may hand memory to the kernel
 * for the kernel to free, which knows nothing of goalloc: at best kfree() warns, at
 * worst it writes into a page that is none of its own. With the module's parameter
 * stray_guard a kprobe looks at what comes into kfree() and its relatives before they
 * do. What is goalloc's is freed here, the function is left without having begun, and
 * the call site is named once, so that it can be mended or lived with.
 *
 * It costs each kfree() of the kernel's a probe, so it is for finding out.
 *
 * Locks: shim_stray_lock, for the parameter.
 */
#define GOALLOC_NO_HOOKS
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>

#include <goalloc.h>

#include "api.h"
#include "compat.h"
#include "rcu_free.h"
#include "report_site.h"
#include "shim.h"

/* The parameter, and whether there are heaps that it could be about; the lock. */
static DEFINE_MUTEX(shim_stray_lock);
static bool shim_stray_on;
static bool shim_stray_ready;

#if IS_ENABLED(CONFIG_KPROBES) && defined(CONFIG_X86_64)

/* What report_site_first() tells these from others by. */
#define STRAY_TOPIC 64

/* Where the function that was called would return to. */
static unsigned long stray_caller(const struct pt_regs *regs)
{
	return *(unsigned long *)kernel_stack_pointer((struct pt_regs *)regs);
}

/* As if the function had been run, and had returned @value. */
static int stray_skip(struct pt_regs *regs, unsigned long value)
{
	instruction_pointer_set(regs, stray_caller(regs));
	regs->sp += sizeof(long);
	regs->ax = value;
	return 1;
}

/* Is it ours, and so nobody else's to free? Then that is said. */
static bool stray_found(const void *p, const struct kprobe *kp, unsigned long caller)
{
	if (likely(ZERO_OR_NULL_PTR(p) || !api_heap_of(p)))
		return false;
	atomic64_inc(&shim_counts.stray);
	if (report_site_first(caller, STRAY_TOPIC))
		pr_warn("stray free at %pS: an object of goalloc's came into %s(); freed by goalloc; find out who gives it to the kernel\n",
			(void *)caller, kp->symbol_name);
	return true;
}
NOKPROBE_SYMBOL(stray_found);

/* kfree(), kfree_sensitive() */
static int stray_free(struct kprobe *kp, struct pt_regs *regs)
{
	const void *p = (void *)regs_get_kernel_argument(regs, 0);
	unsigned long caller = stray_caller(regs);

	if (!stray_found(p, kp, caller))
		return 0;
	api_free_any(p, caller);
	return stray_skip(regs, 0);
}
NOKPROBE_SYMBOL(stray_free);

/* kmem_cache_free(), of a cache of the kernel's */
static int stray_cache_free(struct kprobe *kp, struct pt_regs *regs)
{
	const void *p = (void *)regs_get_kernel_argument(regs, 1);
	unsigned long caller = stray_caller(regs);

	if (!stray_found(p, kp, caller))
		return 0;
	api_free_any(p, caller);
	return stray_skip(regs, 0);
}
NOKPROBE_SYMBOL(stray_cache_free);

/* kvfree_call_rcu() */
static int stray_free_rcu(struct kprobe *kp, struct pt_regs *regs)
{
	struct rcu_head *head = (void *)regs_get_kernel_argument(regs, 0);
	const void *p = (void *)regs_get_kernel_argument(regs, 1);
	unsigned long caller = stray_caller(regs);

	/* The offset of the head is what it used to be. */
	if (!GOALLOC_KERNEL_FROM(6, 2) && head)
		p = (void *)head - (unsigned long)p;
	/* Who has no head may sleep, but not in a probe. */
	if (!head || !stray_found(p, kp, caller))
		return 0;
	rcu_free(head, p, caller);
	return stray_skip(regs, 0);
}
NOKPROBE_SYMBOL(stray_free_rcu);

/* ksize(): asked by those who free */
static int stray_size(struct kprobe *kp, struct pt_regs *regs)
{
	const void *p = (void *)regs_get_kernel_argument(regs, 0);

	if (ZERO_OR_NULL_PTR(p) || !api_heap_of(p))
		return 0;
	return stray_skip(regs, gosize(p));
}
NOKPROBE_SYMBOL(stray_size);

/* That there is one keeps the kernel from a kind of probe that cannot skip. */
static void stray_after(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}
NOKPROBE_SYMBOL(stray_after);

#define STRAY_PROBE(name, handler) {					\
	.symbol_name = name,						\
	.pre_handler = handler,						\
	.post_handler = stray_after,					\
}

static struct kprobe stray_probes[] = {
	STRAY_PROBE("kfree", stray_free),
	STRAY_PROBE("kfree_sensitive", stray_free),
	STRAY_PROBE("kmem_cache_free", stray_cache_free),
	STRAY_PROBE("kvfree_call_rcu", stray_free_rcu),
	STRAY_PROBE("ksize", stray_size),
};

static void stray_forget(int nr)
{
	while (nr--) {
		unregister_kprobe(&stray_probes[nr]);
		/* Else it could not be registered again. */
		stray_probes[nr].addr = NULL;
		stray_probes[nr].flags = 0;
	}
}

static int stray_switch(bool on)
{
	int i, err;

	if (!on) {
		stray_forget(ARRAY_SIZE(stray_probes));
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(stray_probes); i++) {
		err = register_kprobe(&stray_probes[i]);
		if (err) {
			pr_err("stray_guard: no probe on %s(): error %d\n",
			       stray_probes[i].symbol_name, err);
			stray_probes[i].addr = NULL;
			stray_probes[i].flags = 0;
			stray_forget(i);
			return err;
		}
	}
	return 0;
}

#else

static int stray_switch(bool on)
{
	if (!on)
		return 0;
	pr_err("stray_guard: needs kprobes, and x86-64\n");
	return -EOPNOTSUPP;
}

#endif

static int shim_stray_set(const char *val, const struct kernel_param *kp)
{
	bool on;
	int err = kstrtobool(val, &on);

	if (err)
		return err;
	mutex_lock(&shim_stray_lock);
	/* What is said when the module is loaded waits until it has begun. */
	if (on != shim_stray_on && shim_stray_ready)
		err = stray_switch(on);
	if (!err)
		shim_stray_on = on;
	mutex_unlock(&shim_stray_lock);
	return err;
}

static const struct kernel_param_ops shim_stray_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = shim_stray_set,
	.get = param_get_bool,
};

module_param_cb(stray_guard, &shim_stray_ops, &shim_stray_on, 0644);
MODULE_PARM_DESC(stray_guard, "catch objects of goalloc's that the kernel is about to free: see Documentation/porting.rst (N)");

/**
 * shim_stray_init - do what the parameter says
 *
 * Context: Process context, may sleep; the page map is there.
 */
void shim_stray_init(void)
{
	mutex_lock(&shim_stray_lock);
	shim_stray_ready = true;
	if (shim_stray_on && stray_switch(true))
		shim_stray_on = false;
	mutex_unlock(&shim_stray_lock);
}

/**
 * shim_stray_exit - take the probes away
 *
 * Context: Process context, may sleep.
 */
void shim_stray_exit(void)
{
	mutex_lock(&shim_stray_lock);
	if (shim_stray_on)
		stray_switch(false);
	shim_stray_on = false;
	shim_stray_ready = false;
	mutex_unlock(&shim_stray_lock);
}
