// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects of goalloc's that the kernel is about to free.
 *
 * A module that was compiled with <goalloc_kmalloc.h> may hand memory to the kernel
 * for the kernel to free, which knows nothing of goalloc: at best kfree() warns, at
 * worst it writes into a page that is none of its own. With the module's parameter
 * stray_guard a kprobe looks at what comes into kfree() and its relatives before they
 * do. For what is goalloc's the function becomes another one before it has begun, and
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
#include <linux/string.h>

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

/* Say so, once per call site. */
static void stray_tell(const char *what, unsigned long caller)
{
	atomic64_inc(&shim_counts.stray);
	if (report_site_first(caller, STRAY_TOPIC))
		pr_warn("stray free at %pS: an object of goalloc's came into %s(); goalloc has it; find out who gives it to the kernel\n",
			(void *)caller, what);
}

/*
 * What the kernel's functions are for objects of goalloc's: called with the same
 * arguments in their place, by the same caller.
 */
static void stray_kfree(const void *p)
{
	stray_tell("kfree", _RET_IP_);
	api_free_any(p, _RET_IP_);
}

static void stray_kfree_sensitive(const void *p)
{
	stray_tell("kfree_sensitive", _RET_IP_);
	memzero_explicit((void *)p, gosize(p));
	api_free_any(p, _RET_IP_);
}

static void stray_cache_free(struct kmem_cache *s, void *p)
{
	stray_tell("kmem_cache_free", _RET_IP_);
	api_free_any(p, _RET_IP_);
}

static void *stray_krealloc(const void *p, size_t size, gfp_t flags)
{
	stray_tell("krealloc", _RET_IP_);
	return api_realloc(p, size, flags & ~API_ZONE_FLAGS, _RET_IP_);
}

/* Asked by those who free, and nothing to tell of by itself. */
static size_t stray_ksize(const void *p)
{
	return gosize(p);
}

static const void *stray_rcu_object(const struct pt_regs *regs)
{
	unsigned long head = regs_get_kernel_argument((struct pt_regs *)regs, 0);
	unsigned long second = regs_get_kernel_argument((struct pt_regs *)regs, 1);

	/* The offset of the head is what it used to be. */
	if (!GOALLOC_KERNEL_FROM(6, 2) && head)
		return (void *)(head - second);
	return (void *)second;
}

static void stray_free_rcu(struct rcu_head *head, unsigned long second)
{
	const void *p = (void *)second;

	stray_tell("kvfree_call_rcu", _RET_IP_);
	if (!head) {
		rcu_free_mightsleep(p, _RET_IP_);
		return;
	}
	if (!GOALLOC_KERNEL_FROM(6, 2))
		p = (void *)head - second;
	rcu_free(head, p, _RET_IP_);
}

/**
 * struct stray_probe - a function of the kernel's that is looked into
 * @probe: sits at its beginning
 * @instead: what it is for an object of goalloc's
 * @object: finds the object, or NULL if it is the argument of number @arg
 * @arg: see @object
 */
struct stray_probe {
	struct kprobe probe;
	void *instead;
	const void *(*object)(const struct pt_regs *regs);
	unsigned int arg;
};

/* Nothing of the function has run yet, so it can be another one. */
static int stray_look(struct kprobe *kp, struct pt_regs *regs)
{
	const struct stray_probe *stray = container_of(kp, struct stray_probe, probe);
	const void *p;

	p = stray->object ? stray->object(regs) :
			    (void *)regs_get_kernel_argument(regs, stray->arg);
	if (likely(ZERO_OR_NULL_PTR(p) || !api_heap_of(p)))
		return 0;
	instruction_pointer_set(regs, (unsigned long)stray->instead);
	return 1;
}
NOKPROBE_SYMBOL(stray_look);

/* That there is one keeps the kernel from a kind of probe that cannot skip. */
static void stray_after(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}
NOKPROBE_SYMBOL(stray_after);

#define STRAY_PROBE(name, ...) {						\
	.probe = {							\
		.symbol_name = name,					\
		.pre_handler = stray_look,				\
		.post_handler = stray_after,				\
	},								\
	__VA_ARGS__							\
}

#ifdef alloc_hooks
#define STRAY_KREALLOC "krealloc_noprof"
#else
#define STRAY_KREALLOC "krealloc"
#endif

static struct stray_probe stray_probes[] = {
	STRAY_PROBE("kfree", .instead = stray_kfree),
	STRAY_PROBE("kfree_sensitive", .instead = stray_kfree_sensitive),
	STRAY_PROBE("kmem_cache_free", .instead = stray_cache_free, .arg = 1),
	STRAY_PROBE("kvfree_call_rcu", .instead = stray_free_rcu, .object = stray_rcu_object),
	STRAY_PROBE("ksize", .instead = stray_ksize),
	STRAY_PROBE(STRAY_KREALLOC, .instead = stray_krealloc),
};

static void stray_remove(int nr)
{
	while (nr--) {
		struct kprobe *kp = &stray_probes[nr].probe;

		unregister_kprobe(kp);
		/* Else it could not be registered again. */
		kp->addr = NULL;
		kp->flags = 0;
	}
#ifdef CONFIG_TASKS_RCU
	/* Whoever is in one of the functions above, and was preempted there. */
	synchronize_rcu_tasks();
#endif
}

static int stray_switch(bool on)
{
	int i, err;

	if (!on) {
		stray_remove(ARRAY_SIZE(stray_probes));
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(stray_probes); i++) {
		struct kprobe *kp = &stray_probes[i].probe;

		err = register_kprobe(kp);
		if (err) {
			pr_err("stray_guard: no probe on %s(): error %d\n", kp->symbol_name,
			       err);
			kp->addr = NULL;
			kp->flags = 0;
			stray_remove(i);
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
