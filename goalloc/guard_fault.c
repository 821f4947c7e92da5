// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to the pool of guard objects that fault: what they were, and how
 * they go on.
 *
 * A fault that no handler of the kernel claims ends in page_fault_oops(), which
 * asks KFENCE first. There is no such hook for modules, so a kprobe sits there
 * and lets the function be another one, guard_fault(), for faults in our pool:
 * the access is reported, its page is mapped, and the function returns as it
 * would for KFENCE, to the instruction that faulted. The kernel says nothing, no
 * task dies, and interrupt handlers go on as well.
 *
 * Where the probe cannot be had (no kprobes, the function is not there, a fault
 * while another probe is handled) the kernel oopses, and asks the chain of
 * register_die_notifier() before it kills the task. The report comes then, and
 * NOTIFY_STOP lets the access go on all the same; but the kernel has printed its
 * own text, is tainted, has stopped tracing and checking locks, and has crashed
 * already if a crash kernel is loaded and panic_on_oops is set.
 *
 * Accesses that the kernel expects to fail (copy_to_user(), __get_kernel_nofault())
 * fail without getting here.
 *
 * Locks: none. Two faults at once are reported side by side.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/math64.h>
#include <linux/notifier.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>

#include <asm/trap_pf.h>
#include <asm/trapnr.h>

#include "compat.h"
#include "guard_pool.h"

/* Return addresses printed of the task that faults. */
#define GUARD_FAULT_DEPTH 32

/* Faults of other kinds are not about pages that are not there. */
#define GUARD_NOT_OURS (X86_PF_PROT | X86_PF_USER | X86_PF_RSVD | X86_PF_INSTR)

static void guard_report_track(const struct guard_track *track, const char *what)
{
	u32 us;
	u64 s = div_u64_rem(track->ns / NSEC_PER_USEC, USEC_PER_SEC, &us);

	if (!track->ns)
		return;
	pr_err("%s by task %d on CPU %u at %llu.%06us:\n", what, track->pid,
	       track->cpu, s, us);
	stack_trace_print((unsigned long *)track->entry,
			  min_t(u32, track->nr, GUARD_STACK_DEPTH), 1);
}

/**
 * guard_report_tracks - print where an object was allocated and freed
 * @slot: its slot
 *
 * Context: Any context.
 */
void guard_report_tracks(const struct guard_slot *slot)
{
	pr_err("object %p: %u bytes, heap %s, guard slot %u\n", (void *)slot->addr,
	       slot->size, slot->name, (unsigned int)(slot - guard_pool.slot));
	guard_report_track(&slot->alloc, "allocated");
	guard_report_track(&slot->free, "freed");
}

/* Where it is from the object, in words. */
static void guard_report_place(const struct guard_slot *slot, const char *what,
			       unsigned long addr)
{
	unsigned long end = slot->addr + slot->size;

	if (addr < slot->addr)
		pr_err("%s at %p, %lu bytes left of the object\n", what,
		       (void *)addr, slot->addr - addr);
	else if (addr >= end)
		pr_err("%s at %p, %lu bytes right of the object\n", what,
		       (void *)addr, addr - end + 1);
	else
		pr_err("%s at %p, byte %lu of the object\n", what,
		       (void *)addr, addr - slot->addr);
}

/**
 * guard_report_damage - say that something beside an object was overwritten
 * @slot: its slot, in the caller's hands
 * @from: first byte that was
 * @to: end of the bytes beside it
 *
 * Context: Any context.
 */
void guard_report_damage(struct guard_slot *slot, unsigned long from, unsigned long to)
{
	unsigned int len = min_t(unsigned long, to - from, 16);

	pr_err("BUG: memory corruption beside a guarded object, found when it was freed\n");
	guard_report_place(slot, "overwritten", from);
	pr_err("bytes there: %*ph\n", len, (void *)from);
	guard_report_tracks(slot);
	pr_err("look for a write past the object's end between the two; it is freed\n");
}

/* The object that an access is about, if there was one. */
static struct guard_slot *guard_suspect(unsigned long addr)
{
	unsigned long nr = guard_page_nr(addr);
	struct guard_slot *slot = guard_slot_of(addr);
	struct guard_slot *left, *right;
	bool left_live, right_live;

	if (slot)
		return slot;
	left = nr ? &guard_pool.slot[nr / 2 - 1] : NULL;
	right = nr / 2 < guard_pool.nr ? &guard_pool.slot[nr / 2] : NULL;
	if (!left || !right)
		return left ?: right;
	/* A live one, and of two the nearer. */
	left_live = atomic_read(&left->state) == GUARD_LIVE;
	right_live = atomic_read(&right->state) == GUARD_LIVE;
	if (left_live != right_live)
		return left_live ? left : right;
	return addr - (left->addr + left->size) < right->addr - addr ? left : right;
}

static const char *guard_kind(const struct guard_slot *slot, unsigned long addr)
{
	if (!slot->size)
		return "invalid";
	if (atomic_read(&slot->state) == GUARD_LIVE)
		return "out-of-bounds";
	return addr >= slot->addr && addr < slot->addr + slot->size ?
	       "use-after-free" : "invalid";
}

static void guard_report_access(struct pt_regs *regs, bool write, unsigned long addr)
{
	struct guard_slot *slot = guard_suspect(addr);
	unsigned long entry[GUARD_FAULT_DEPTH];
	unsigned int nr, first;

	if (test_and_set_bit(0, &slot->told))
		return;
	nr = stack_trace_save(entry, ARRAY_SIZE(entry), 0);
	/* Without the frames of the fault. */
	for (first = 0; first < nr && entry[first] != regs->ip; first++)
		;
	if (first == nr)
		first = 0;

	pr_err("BUG: %s %s in %pS, task %d (%s) on CPU %d\n", guard_kind(slot, addr),
	       write ? "write" : "read", (void *)regs->ip, task_pid_nr(current),
	       current->comm, raw_smp_processor_id());
	if (slot->size)
		guard_report_place(slot, write ? "write" : "read", addr);
	else
		pr_err("%s at %p, where no object ever was\n",
		       write ? "write" : "read", (void *)addr);
	stack_trace_print(entry + first, nr - first, 1);
	if (slot->size)
		guard_report_tracks(slot);
	pr_err("the access goes on; more of this object are counted only\n");
}

/* Instead of page_fault_oops(); interrupts are off. */
static notrace void guard_fault(struct pt_regs *regs, unsigned long error_code,
				unsigned long addr)
{
	struct guard_slot *slot = guard_slot_of(addr);

	/* It may have become an object between the fault and here. */
	if (!slot || atomic_read(&slot->state) != GUARD_LIVE) {
		atomic_long_inc(&guard_pool.faults);
		guard_report_access(regs, error_code & X86_PF_WRITE, addr);
	}
	guard_expose(addr);
}

static bool guard_is_fault(struct pt_regs *regs, unsigned long error_code,
			   unsigned long addr)
{
	return !(error_code & GUARD_NOT_OURS) && !user_mode(regs) &&
	       guard_in_pool((void *)addr);
}

#ifdef CONFIG_KPROBES

static bool guard_probe_on;

/* At the entry of page_fault_oops(regs, error_code, address). */
static int __kprobes guard_probe_pre(struct kprobe *probe, struct pt_regs *entry)
{
	struct pt_regs *regs = (struct pt_regs *)regs_get_kernel_argument(entry, 0);

	if (!READ_ONCE(guard_probe_on) ||
	    !guard_is_fault(regs, regs_get_kernel_argument(entry, 1),
			    regs_get_kernel_argument(entry, 2)))
		return 0;
	/* The arguments and the return address stay as they are. */
	instruction_pointer_set(entry, (unsigned long)guard_fault);
	return 1;
}

/* Without one the probe might be optimized to where it cannot change the path. */
static void __kprobes guard_probe_post(struct kprobe *probe, struct pt_regs *regs,
				       unsigned long flags)
{
}

static struct kprobe guard_probe;

static bool guard_probe_init(void)
{
	/* What an earlier registration left in it must not stay. */
	guard_probe = (struct kprobe){
		.symbol_name = "page_fault_oops",
		.pre_handler = guard_probe_pre,
		.post_handler = guard_probe_post,
	};
	guard_probe_on = !register_kprobe(&guard_probe);
	return guard_probe_on;
}

static void guard_probe_exit(void)
{
	/* Waits for those who are in the handler or, interrupts off, behind it. */
	if (guard_probe.addr)
		unregister_kprobe(&guard_probe);
	synchronize_rcu();
}

/**
 * guard_fault_probe - handle faults before the kernel oopses, or not, for tests
 * @on: handle them
 */
void guard_fault_probe(bool on)
{
	WRITE_ONCE(guard_probe_on, on);
}

#else

static bool guard_probe_init(void)
{
	return false;
}

static void guard_probe_exit(void)
{
}

void guard_fault_probe(bool on)
{
}

#endif
GOALLOC_EXPORT_KUNIT(guard_fault_probe);

/* The kernel oopses, and nobody is dead yet. */
static int guard_die(struct notifier_block *nb, unsigned long event, void *data)
{
	struct die_args *args = data;
	unsigned long addr;

	/* Only page_fault_oops() says just this; others are no page faults. */
	if (event != DIE_OOPS || strcmp(args->str, "Oops"))
		return NOTIFY_DONE;
	addr = read_cr2();
	if (!guard_is_fault(args->regs, args->err, addr))
		return NOTIFY_DONE;
	guard_fault(args->regs, args->err, addr);
	return NOTIFY_STOP;
}

static struct notifier_block guard_die_nb = {
	.notifier_call = guard_die,
};

/**
 * guard_fault_init - begin to handle faults
 *
 * Context: Process context, may sleep.
 * Return: 0 or a negative error.
 */
int guard_fault_init(void)
{
	int err = register_die_notifier(&guard_die_nb);

	if (!err && !guard_probe_init())
		pr_info("guarded objects: faults are reported after the kernel's own oops\n");
	return err;
}

/**
 * guard_fault_exit - no longer handle them
 *
 * Context: Process context, may sleep.
 */
void guard_fault_exit(void)
{
	guard_probe_exit();
	unregister_die_notifier(&guard_die_nb);
}
