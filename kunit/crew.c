// SPDX-License-Identifier: GPL-2.0-only
/*
 * Running a piece of a test somewhere else. See crew.h.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "crew.h"

/**
 * struct crew - threads that start together
 * @fn: what each of them does
 * @arg: its first argument
 * @waiting: members that are not at the start yet
 * @running: members that are not done, and the one who waits for them
 * @done: completed when they are
 */
struct crew {
	crew_member_t fn;
	void *arg;
	atomic_t waiting;
	atomic_t running;
	struct completion done;
};

struct crew_place {
	struct crew *crew;
	unsigned int member;
};

static void crew_leave(struct crew *crew)
{
	if (atomic_dec_and_test(&crew->running))
		complete(&crew->done);
}

static int crew_thread(void *arg)
{
	struct crew_place place = *(struct crew_place *)arg;

	kfree(arg);
	atomic_dec(&place.crew->waiting);
	while (atomic_read(&place.crew->waiting))
		cond_resched();
	place.crew->fn(place.crew->arg, place.member);
	crew_leave(place.crew);
	return 0;
}

static struct task_struct *crew_hire(struct crew *crew, unsigned int member,
				     unsigned int cpu)
{
	struct crew_place *place = kmalloc(sizeof(*place), GFP_KERNEL);
	struct task_struct *thread;

	if (!place)
		return NULL;
	place->crew = crew;
	place->member = member;
	thread = kthread_create(crew_thread, place, "goalloc_crew/%u", member);
	if (IS_ERR(thread)) {
		kfree(place);
		return NULL;
	}
	get_task_struct(thread);
	kthread_bind(thread, cpu);
	wake_up_process(thread);
	return thread;
}

/**
 * crew_stay - keep the calling thread on the CPU where it is
 *
 * A test that moves to another CPU may meet the cache of another CPU, and the
 * memory of another node, than before. KUnit has a thread for each test, so this
 * ends with it; it ends earlier if the CPU goes.
 */
void crew_stay(void)
{
	set_cpus_allowed_ptr(current, cpumask_of(raw_smp_processor_id()));
}

/**
 * crew_run - run a function in several threads at once, and wait for them
 * @nr: number of threads; the nth is bound to the nth online CPU, round robin
 * @fn: the function; a loop in it calls cond_resched()
 * @arg: its first argument
 *
 * Return: 0, or -ENOMEM if not all threads could be made; those that could
 *         have run.
 */
int crew_run(unsigned int nr, crew_member_t fn, void *arg)
{
	struct crew crew = {
		.fn = fn,
		.arg = arg,
		.waiting = ATOMIC_INIT(nr),
		.running = ATOMIC_INIT(nr + 1),
	};
	unsigned int cpu = cpumask_first(cpu_online_mask);
	struct task_struct **thread;
	unsigned int i;
	int err = 0;

	thread = kcalloc(nr, sizeof(*thread), GFP_KERNEL);
	if (!thread)
		return -ENOMEM;
	init_completion(&crew.done);
	for (i = 0; i < nr; i++) {
		thread[i] = crew_hire(&crew, i, cpu);
		if (!thread[i]) {
			atomic_dec(&crew.waiting);
			crew_leave(&crew);
			err = -ENOMEM;
		}
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
	}
	crew_leave(&crew);
	wait_for_completion(&crew.done);
	/* Until they have left this module's code, too. */
	for (i = 0; i < nr; i++) {
		if (thread[i]) {
			kthread_stop(thread[i]);
			put_task_struct(thread[i]);
		}
	}
	kfree(thread);
	return err;
}

struct crew_irq {
	struct irq_work work;
	crew_call_t fn;
	void *arg;
};

static void crew_irq_work(struct irq_work *work)
{
	struct crew_irq *irq = container_of(work, struct crew_irq, work);

	irq->fn(irq->arg);
}

/**
 * crew_in_hardirq - run a function in an interrupt handler, and wait for it
 * @fn: the function
 * @arg: its argument
 */
void crew_in_hardirq(crew_call_t fn, void *arg)
{
	struct crew_irq irq = {
		.work = IRQ_WORK_INIT_HARD(crew_irq_work),
		.fn = fn,
		.arg = arg,
	};

	irq_work_queue(&irq.work);
	irq_work_sync(&irq.work);
}

struct crew_soft {
	struct tasklet_struct tasklet;
	crew_call_t fn;
	void *arg;
};

static void crew_tasklet(struct tasklet_struct *t)
{
	struct crew_soft *soft = from_tasklet(soft, t, tasklet);

	soft->fn(soft->arg);
}

/**
 * crew_in_softirq - run a function in a softirq of this CPU, and wait for it
 * @fn: the function
 * @arg: its argument
 */
void crew_in_softirq(crew_call_t fn, void *arg)
{
	struct crew_soft soft = { .fn = fn, .arg = arg };

	tasklet_setup(&soft.tasklet, crew_tasklet);
	/* Runs when softirqs are enabled again. */
	local_bh_disable();
	tasklet_schedule(&soft.tasklet);
	local_bh_enable();
	tasklet_kill(&soft.tasklet);
}

/**
 * crew_as_nmi - run a function as if in an NMI
 * @fn: the function
 * @arg: its argument
 *
 * Interrupts are off and the preempt count says NMI, which is all that the
 * code under test can see.
 */
void crew_as_nmi(crew_call_t fn, void *arg)
{
	unsigned long flags;

	local_irq_save(flags);
	__preempt_count_add(NMI_OFFSET + HARDIRQ_OFFSET);
	fn(arg);
	__preempt_count_sub(NMI_OFFSET + HARDIRQ_OFFSET);
	local_irq_restore(flags);
}
