// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contexts that torture runs in.
 *
 * task     threads, more of them than CPUs, which move from CPU to CPU and
 *          work with nothing held, in NOFS and NOIO scopes, with preemption,
 *          softirqs or interrupts off, and under locks
 * hardirq  an hrtimer per CPU that expires in hard interrupt context, on
 *          PREEMPT_RT as well
 * softirq  a tasklet per CPU, raised by the timer
 * NMI      sent from CPU to CPU through the local APIC, and by the host through
 *          the machine (make torture has QEMU do that a few times a second); they
 *          come in the middle of any of the above, or of goalloc itself
 *
 * A timer or tasklet never runs twice at the same time, wherever it is, so each
 * has its context to itself; so has the NMI handler of a CPU. When a CPU goes
 * away its timer moves on, and a thread that comes by brings it back.
 */
#include <linux/bottom_half.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#ifdef CONFIG_X86_LOCAL_APIC
#include <asm/apic.h>
#include <asm/nmi.h>
#endif

#include "torture.h"

/* Steps in one go in interrupts, in NMI, and in atomic sections of threads. */
#define STEPS_IRQ 12
#define STEPS_NMI 6
#define STEPS_ATOMIC 16
#define STEPS_TASK 50

/*
 * Interrupts come this often, but leave three quarters of the time to others: a
 * debug kernel on a slow machine takes milliseconds for a few steps.
 */
#define INTERRUPT_NS (300 * NSEC_PER_USEC)
#define INTERRUPT_SHARE 4

/**
 * struct torture_cpu - what one CPU has
 * @timer: expires in hardirq context
 * @tasklet: runs in softirq context
 * @irq: context of @timer
 * @softirq: context of @tasklet
 * @nmi: context of the NMI handler
 * @nmi_sent: we have sent it an NMI that has not come yet
 */
struct torture_cpu {
	struct hrtimer timer;
	struct tasklet_struct tasklet;
	struct torture_ctx *irq;
	struct torture_ctx *softirq;
	struct torture_ctx *nmi;
	atomic_t nmi_sent;
};

atomic_t context_host_nmis;
static struct torture_cpu *cpus;

/* A thread and its context. */
struct torture_thread {
	struct task_struct *task;
	struct torture_ctx *ctx;
};

static struct torture_thread *threads;
static unsigned int nr_threads;
static struct task_struct *nmi_task;
static struct task_struct *stats_task;
static DEFINE_SPINLOCK(some_lock);
static DEFINE_RAW_SPINLOCK(some_raw_lock);

/* Flags for where sleeping is out of the question. */
static gfp_t gfp_atomic(struct torture_ctx *ctx)
{
	return (torture_random(ctx) & 1 ? GFP_ATOMIC : GFP_NOWAIT) | __GFP_NOWARN;
}

static void steps_atomic(struct torture_ctx *ctx, unsigned int n)
{
	if (atomic_xchg(&ctx->busy, 1)) {
		torture_fail("a context was interrupted into itself", ctx, ctx->level, 0);
		return;
	}
	while (n--) {
		obj_step(ctx, gfp_atomic(ctx));
		if (n % 4 == 0)
			burst_step(ctx, gfp_atomic(ctx));
	}
	atomic_set_release(&ctx->busy, 0);
}

static u64 interrupt_pause(u64 since)
{
	u64 spent = ktime_get_mono_fast_ns() - since;

	return max_t(u64, INTERRUPT_NS, spent * INTERRUPT_SHARE);
}

static enum hrtimer_restart timer_fn(struct hrtimer *timer)
{
	struct torture_cpu *c = container_of(timer, struct torture_cpu, timer);
	u64 start = ktime_get_mono_fast_ns();

	if (READ_ONCE(torture_stop))
		return HRTIMER_NORESTART;
	steps_atomic(c->irq, STEPS_IRQ);
	tasklet_schedule(&c->tasklet);
	/* Not by returning HRTIMER_RESTART: a thread may have started it. */
	hrtimer_start(timer, ns_to_ktime(interrupt_pause(start)),
		      HRTIMER_MODE_REL_PINNED_HARD);
	return HRTIMER_NORESTART;
}

static void tasklet_fn(struct tasklet_struct *t)
{
	struct torture_cpu *c = from_tasklet(c, t, tasklet);

	steps_atomic(c->softirq, STEPS_IRQ);
}

#ifdef CONFIG_X86_LOCAL_APIC
/* How long the last NMI says to wait for the next, in ns. */
static u64 nmi_pause = INTERRUPT_NS;

static int nmi_fn(unsigned int type, struct pt_regs *regs)
{
	struct torture_cpu *c = &cpus[smp_processor_id()];
	u64 start = ktime_get_mono_fast_ns();

	/* One of ours and one of the host's at once count as ours. */
	if (!atomic_xchg(&c->nmi_sent, 0))
		atomic_inc(&context_host_nmis);
	if (!READ_ONCE(torture_stop)) {
		steps_atomic(c->nmi, STEPS_NMI);
		WRITE_ONCE(nmi_pause, interrupt_pause(start));
	}
	/* No guest of ours has yet another source of NMIs. */
	return NMI_HANDLED;
}

/* Send NMIs around. The hotplug lock: never to a CPU that is about to start. */
static int nmi_thread(void *unused)
{
	unsigned long usec;
	int cpu;

	while (!kthread_should_stop()) {
		if (cpus_read_trylock()) {
			for_each_online_cpu(cpu) {
				atomic_set(&cpus[cpu].nmi_sent, 1);
				apic->send_IPI(cpu, NMI_VECTOR);
			}
			cpus_read_unlock();
		}
		usec = div_u64(READ_ONCE(nmi_pause), NSEC_PER_USEC);
		usleep_range(usec, usec * 2);
	}
	return 0;
}

static int nmi_start(void)
{
	int err = register_nmi_handler(NMI_LOCAL, nmi_fn, 0, "goalloc_torture");

	if (err)
		return err;
	nmi_task = kthread_run(nmi_thread, NULL, "torture_nmi");
	if (IS_ERR(nmi_task)) {
		nmi_task = NULL;
		unregister_nmi_handler(NMI_LOCAL, "goalloc_torture");
		return -ENOMEM;
	}
	pr_info("goalloc_torture: NMIs are welcome\n");
	return 0;
}

static void nmi_stop(void)
{
	if (!nmi_task)
		return;
	kthread_stop(nmi_task);
	nmi_task = NULL;
	/* Some may be on their way: until the host has seen this line. */
	pr_info("goalloc_torture: no more NMIs\n");
	msleep(atomic_read(&context_host_nmis) ? 2000 : 100);
	unregister_nmi_handler(NMI_LOCAL, "goalloc_torture");
}
#else
static int nmi_start(void)
{
	return 0;
}

static void nmi_stop(void)
{
}
#endif

/*
 * Read the statistics all the time: for races with whoever changes them, and
 * because it must not disturb anybody.
 */
static int stats_thread(void *unused)
{
	struct goalloc_stats st;

	while (!kthread_should_stop()) {
		goalloc_heap_stats(NULL, &st);
		usleep_range(500, 1000);
	}
	return 0;
}

/* Flags for a thread that holds nothing. */
static gfp_t gfp_task(struct torture_ctx *ctx)
{
	static const gfp_t how[] = {
		GFP_KERNEL,
		GFP_KERNEL | __GFP_NORETRY,
		GFP_KERNEL | __GFP_RETRY_MAYFAIL,
		GFP_NOFS | __GFP_NORETRY,
		GFP_NOIO | __GFP_NORETRY,
		GFP_NOWAIT,
		GFP_ATOMIC,
		GFP_USER | __GFP_NORETRY,
	};

	return how[torture_below(ctx, ARRAY_SIZE(how))] | __GFP_NOWARN;
}

static void steps_task(struct torture_ctx *ctx)
{
	u32 scope = torture_below(ctx, 4);
	unsigned int old = 0;
	int i;

	/* Half of the time in a scope, of either kind. */
	if (scope < 2)
		old = torture_scope_begin(scope == 0);
	ctx->may_sleep = true;
	for (i = 0; i < STEPS_TASK; i++) {
		obj_step(ctx, gfp_task(ctx));
		if (i % 2)
			burst_step(ctx, gfp_task(ctx));
	}
	ctx->may_sleep = false;
	if (scope < 2)
		torture_scope_end(scope == 0, old);
}

static void steps_task_atomic(struct torture_ctx *ctx)
{
	unsigned long flags;

	switch (torture_below(ctx, 6)) {
	case 0:
		preempt_disable();
		steps_atomic(ctx, STEPS_ATOMIC);
		preempt_enable();
		break;
	case 1:
		local_irq_save(flags);
		steps_atomic(ctx, STEPS_ATOMIC);
		local_irq_restore(flags);
		break;
	case 2:
		local_bh_disable();
		steps_atomic(ctx, STEPS_ATOMIC);
		local_bh_enable();
		break;
	case 3:
		spin_lock(&some_lock);
		steps_atomic(ctx, STEPS_ATOMIC);
		spin_unlock(&some_lock);
		break;
	case 4:
		raw_spin_lock_irqsave(&some_raw_lock, flags);
		steps_atomic(ctx, STEPS_ATOMIC);
		raw_spin_unlock_irqrestore(&some_raw_lock, flags);
		break;
	default:
		rcu_read_lock();
		steps_atomic(ctx, STEPS_ATOMIC);
		rcu_read_unlock();
	}
}

/* Move to another CPU and see that it has its timer. */
static void thread_move(struct torture_ctx *ctx)
{
	int cpu = torture_below(ctx, nr_cpu_ids);

	/*
	 * Bound to the CPU only until we are there, and while it cannot go away:
	 * the scheduler does not like the only CPU of a thread to go while the
	 * thread must not move.
	 */
	if (cpus_read_trylock()) {
		if (cpu_online(cpu)) {
			set_cpus_allowed_ptr(current, cpumask_of(cpu));
			set_cpus_allowed_ptr(current, cpu_possible_mask);
		}
		cpus_read_unlock();
	}
	preempt_disable();
	hrtimer_start(&cpus[smp_processor_id()].timer, ns_to_ktime(INTERRUPT_NS),
		      HRTIMER_MODE_REL_PINNED_HARD);
	preempt_enable();
}

static int thread_fn(void *arg)
{
	struct torture_ctx *ctx = arg;

	/* Above all starts a timer: a debug kernel may not get round for long. */
	thread_move(ctx);
	while (!kthread_should_stop()) {
		if (!torture_below(ctx, 16))
			thread_move(ctx);
		steps_task(ctx);
		steps_task_atomic(ctx);
		cond_resched();
	}
	return 0;
}

static struct torture_ctx *cpu_ctx(enum torture_level level)
{
	return torture_ctx_create(level, 64, 128 << 10);
}

static int cpus_create(void)
{
	int cpu;

	cpus = kvcalloc(nr_cpu_ids, sizeof(*cpus), GFP_KERNEL);
	if (!cpus)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct torture_cpu *c = &cpus[cpu];

		hrtimer_init(&c->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
		c->timer.function = timer_fn;
		tasklet_setup(&c->tasklet, tasklet_fn);
		c->irq = cpu_ctx(LEVEL_HARDIRQ);
		c->softirq = cpu_ctx(LEVEL_SOFTIRQ);
		c->nmi = cpu_ctx(LEVEL_NMI);
		if (!c->irq || !c->softirq || !c->nmi)
			return -ENOMEM;
	}
	return 0;
}

/**
 * context_start - begin
 *
 * Return: 0 or an error; context_stop() and context_destroy() are due anyway.
 */
int context_start(void)
{
	unsigned int i;
	int err;

	err = cpus_create();
	if (err)
		return err;
	nr_threads = num_online_cpus() + 2;
	threads = kvcalloc(nr_threads, sizeof(*threads), GFP_KERNEL);
	if (!threads)
		return -ENOMEM;
	for (i = 0; i < nr_threads; i++) {
		threads[i].ctx = torture_ctx_create(LEVEL_TASK, 256, 4 << 20);
		if (!threads[i].ctx)
			return -ENOMEM;
	}
	for (i = 0; i < nr_threads; i++) {
		struct task_struct *task;

		task = kthread_run(thread_fn, threads[i].ctx, "torture/%u", i);
		if (IS_ERR(task))
			return PTR_ERR(task);
		threads[i].task = task;
	}
	stats_task = kthread_run(stats_thread, NULL, "torture_stats");
	if (IS_ERR(stats_task)) {
		err = PTR_ERR(stats_task);
		stats_task = NULL;
		return err;
	}
	return nmi_start();
}

/**
 * context_stop - let nobody touch an object any more
 */
void context_stop(void)
{
	unsigned int i;
	int cpu;

	WRITE_ONCE(torture_stop, true);
	for (i = 0; threads && i < nr_threads; i++)
		if (threads[i].task)
			kthread_stop(threads[i].task);
	if (stats_task)
		kthread_stop(stats_task);
	nmi_stop();
	if (!cpus)
		return;
	for_each_possible_cpu(cpu) {
		if (!cpus[cpu].timer.function)
			continue;
		hrtimer_cancel(&cpus[cpu].timer);
		tasklet_kill(&cpus[cpu].tasklet);
	}
}

static void ctx_sum(const struct torture_ctx *ctx, u64 sum[NR_LEVELS][NR_COUNTS])
{
	int i;

	for (i = 0; ctx && i < NR_COUNTS; i++)
		sum[ctx->level][i] += READ_ONCE(ctx->count[i]);
}

/**
 * context_sum - what all contexts have done so far
 * @sum: what to fill in
 */
void context_sum(u64 sum[NR_LEVELS][NR_COUNTS])
{
	unsigned int i;
	int cpu;

	memset(sum, 0, sizeof(u64) * NR_LEVELS * NR_COUNTS);
	for (i = 0; threads && i < nr_threads; i++)
		ctx_sum(threads[i].ctx, sum);
	for_each_possible_cpu(cpu) {
		if (!cpus)
			break;
		ctx_sum(cpus[cpu].irq, sum);
		ctx_sum(cpus[cpu].softirq, sum);
		ctx_sum(cpus[cpu].nmi, sum);
	}
}

static void ctx_free_all(struct torture_ctx *ctx)
{
	unsigned int i;

	if (!ctx)
		return;
	ctx->may_sleep = true;
	for (i = 0; i < ctx->nr; i++)
		if (ctx->rec[i]->p)
			obj_free(ctx, ctx->rec[i]);
	for (i = 0; i < BURSTS_PER_CTX; i++)
		burst_empty(ctx, ctx->burst[i]);
}

/**
 * context_is_there - can this kernel bring a context about?
 * @level: which
 *
 * Return: false where there is no source of NMIs.
 */
bool context_is_there(enum torture_level level)
{
	return level != LEVEL_NMI || IS_ENABLED(CONFIG_X86_LOCAL_APIC);
}

/**
 * context_free_all - free the objects of all contexts and boxes
 *
 * Context: Process context, after context_stop().
 */
void context_free_all(void)
{
	unsigned int i;
	int cpu;

	for (i = 0; threads && i < nr_threads; i++)
		ctx_free_all(threads[i].ctx);
	if (!cpus || !threads || !threads[0].ctx)
		return;
	for_each_possible_cpu(cpu) {
		ctx_free_all(cpus[cpu].irq);
		ctx_free_all(cpus[cpu].softirq);
		ctx_free_all(cpus[cpu].nmi);
	}
	for (i = 0; i < torture_nr_boxes; i++)
		if (torture_boxes[i]->p)
			obj_free(threads[0].ctx, torture_boxes[i]);
	burst_free_boxes(threads[0].ctx);
}

/**
 * context_destroy - forget the contexts
 *
 * They are torture_mem().
 */
void context_destroy(void)
{
	kvfree(threads);
	kvfree(cpus);
}
