// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking all memory there is, and giving it back, in any context.
 *
 * A job asks for large objects as long as it gets some, then for smaller ones,
 * until not even the smallest can be had; then it asks a while longer. Objects
 * are linked through themselves and carry a pattern, which is looked at when
 * they are given back. Work is done in small steps, so that interrupts are short.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/string.h>
#ifdef CONFIG_X86_LOCAL_APIC
#include <asm/apic.h>
#include <asm/nmi.h>
#endif

#include "oom.h"

#define STEP_OBJECTS 32
#define STEP_NS (100 * NSEC_PER_USEC)

/* How often to ask in vain before a job is over. */
#define REFUSED_ENOUGH 200

/* An object; its pattern is behind it. */
struct oom_obj {
	struct llist_node node;
	struct llist_node **self;	/* what two objects cannot both be */
	u32 size;
	u32 level;
};

static const u32 oom_sizes[] = {
	1 << 20, 65536, 32768, [OOM_AT_9472] = 9472, 4096, [OOM_AT_1024] = 1024,
	256, 64, sizeof(struct oom_obj),
};

/* How often the kernel has been about to kill somebody. */
atomic_t oom_kills;

static u64 obj_word(const struct oom_obj *o, size_t i)
{
	return (unsigned long)o + o->size + i;
}

/* Behind the head: every word of small objects, one per 64 bytes of others. */
static bool obj_walk(struct oom_obj *o, bool check)
{
	size_t step = o->size <= 1024 ? 1 : 8;
	u64 *word = (u64 *)o;
	size_t i;

	for (i = sizeof(*o) / 8; i < o->size / 8; i += step) {
		if (!check)
			word[i] = obj_word(o, i);
		else if (word[i] != obj_word(o, i))
			return false;
	}
	return true;
}

static void *job_alloc(struct oom_job *job, size_t size)
{
	if (job->heap)
		return goalloc_heap_alloc(job->heap, size, job->gfp);
	return goalloc(size, job->gfp);
}

/* One more object; true when the job is over. */
static bool job_take(struct oom_job *job)
{
	struct oom_list *list;
	struct oom_obj *o;

	if (job->until_oom && atomic_read(&oom_kills))
		return true;
	o = job_alloc(job, oom_sizes[job->at]);
	if (!o) {
		job->failed++;
		if (job->at < ARRAY_SIZE(oom_sizes) - 1)
			job->at++;
		else
			job->refused++;
		return job->refused >= REFUSED_ENOUGH;
	}
	o->size = oom_sizes[job->at];
	o->level = job->level;
	o->self = &o->node.next;
	obj_walk(o, false);
	list = job->other && job->got % 2 ? job->other : job->list;
	llist_add(&o->node, &list->first);
	job->got++;
	return false;
}

/* One object less; true when there was none. */
static bool job_give(struct oom_job *job)
{
	struct llist_node *node = llist_del_first(&job->list->first);
	struct oom_obj *o;

	if (!node)
		return true;
	o = llist_entry(node, struct oom_obj, node);
	if (o->self != &o->node.next || o->level >= NR_LEVELS || !obj_walk(o, true))
		torture_fail("an object was changed by somebody else", o, o->size, o->level);
	if (job->heap)
		goalloc_heap_free(job->heap, o);
	else
		gofree(o);
	job->given++;
	return false;
}

/* True, once, when the job is over. */
static bool job_step(struct oom_job *job)
{
	unsigned int i;

	for (i = 0; i < STEP_OBJECTS; i++)
		if (job->take ? job_take(job) : job_give(job)) {
			/* What was done is seen before; pairs with job_over(). */
			smp_store_release(&job->over, true);
			return true;
		}
	return false;
}

static bool job_over(struct oom_job *job)
{
	/* Then all that the job did is seen: pairs with job_step(). */
	return smp_load_acquire(&job->over);
}

/* Made beforehand: there is no memory for a thread when one is needed. */
static struct kthread_worker *worker[NR_LEVELS];

static void job_work(struct kthread_work *work)
{
	struct oom_job *job = container_of(work, struct oom_job, work);

	while (!job_step(job))
		cond_resched();
}

static enum hrtimer_restart job_timer(struct hrtimer *timer)
{
	struct oom_job *job = container_of(timer, struct oom_job, timer);

	if (job_step(job))
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, STEP_NS);
	return HRTIMER_RESTART;
}

static void job_tasklet(struct tasklet_struct *t)
{
	struct oom_job *job = from_tasklet(job, t, tasklet);

	if (!job_step(job))
		tasklet_schedule(t);
}

#ifdef CONFIG_X86_LOCAL_APIC
/* The job that runs in NMI, one at a time and on one CPU. */
static struct oom_job *nmi_job;

static int nmi_fn(unsigned int type, struct pt_regs *regs)
{
	struct oom_job *job = READ_ONCE(nmi_job);

	if (!job)
		return NMI_DONE;
	if (!job->over)
		job_step(job);
	return NMI_HANDLED;
}

static void nmi_work(struct kthread_work *work)
{
	struct oom_job *job = container_of(work, struct oom_job, work);

	WRITE_ONCE(nmi_job, job);
	while (!job_over(job)) {
		preempt_disable();
		apic->send_IPI(smp_processor_id(), NMI_VECTOR);
		preempt_enable();
		usleep_range(50, 100);
	}
	/* The last one may be on its way. */
	msleep(20);
	WRITE_ONCE(nmi_job, NULL);
}

static int jobs_nmi_init(void)
{
	return register_nmi_handler(NMI_LOCAL, nmi_fn, 0, "goalloc_oom");
}

static void jobs_nmi_exit(void)
{
	unregister_nmi_handler(NMI_LOCAL, "goalloc_oom");
}
#else
/* No NMIs: interrupts off is the nearest. */
static void nmi_work(struct kthread_work *work)
{
	struct oom_job *job = container_of(work, struct oom_job, work);
	unsigned long flags;
	bool over;

	do {
		local_irq_save(flags);
		over = job_step(job);
		local_irq_restore(flags);
	} while (!over);
}

static int jobs_nmi_init(void)
{
	return 0;
}

static void jobs_nmi_exit(void)
{
}
#endif

/**
 * oom_jobs_init - get ready
 *
 * Return: 0 or an error.
 */
int oom_jobs_init(void)
{
	int err = jobs_nmi_init();

	if (err)
		return err;
	worker[LEVEL_TASK] = kthread_create_worker(0, "oom_task");
	if (IS_ERR(worker[LEVEL_TASK])) {
		err = PTR_ERR(worker[LEVEL_TASK]);
		goto fail_task;
	}
	/* On one CPU: its NMI is over before it sends the next. */
	worker[LEVEL_NMI] = kthread_create_worker_on_cpu(0, 0, "oom_nmi");
	if (IS_ERR(worker[LEVEL_NMI])) {
		err = PTR_ERR(worker[LEVEL_NMI]);
		goto fail_nmi;
	}
	return 0;

fail_nmi:
	kthread_destroy_worker(worker[LEVEL_TASK]);
fail_task:
	jobs_nmi_exit();
	return err;
}

/**
 * oom_jobs_exit - the reverse
 */
void oom_jobs_exit(void)
{
	kthread_destroy_worker(worker[LEVEL_NMI]);
	kthread_destroy_worker(worker[LEVEL_TASK]);
	jobs_nmi_exit();
}

static void job_start(struct oom_job *job)
{
	switch (job->level) {
	case LEVEL_TASK:
	case LEVEL_NMI:
		kthread_init_work(&job->work, job->level == LEVEL_TASK ? job_work : nmi_work);
		kthread_queue_work(worker[job->level], &job->work);
		break;
	case LEVEL_SOFTIRQ:
		tasklet_setup(&job->tasklet, job_tasklet);
		tasklet_schedule(&job->tasklet);
		break;
	default:
		hrtimer_init(&job->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
		job->timer.function = job_timer;
		hrtimer_start(&job->timer, STEP_NS, HRTIMER_MODE_REL_HARD);
	}
}

static void job_wait(struct oom_job *job)
{
	while (!job_over(job))
		usleep_range(500, 1000);
	switch (job->level) {
	case LEVEL_SOFTIRQ:
		tasklet_kill(&job->tasklet);
		break;
	case LEVEL_HARDIRQ:
		hrtimer_cancel(&job->timer);
		break;
	default:
		kthread_flush_work(&job->work);
	}
}

/**
 * oom_jobs_size - a size that jobs ask for
 * @at: index
 *
 * Return: bytes, 0 if there is no such size.
 */
size_t oom_jobs_size(unsigned int at)
{
	return at < ARRAY_SIZE(oom_sizes) ? oom_sizes[at] : 0;
}

/**
 * oom_jobs_run - do jobs at the same time and wait for them
 * @job: the jobs, each for another level
 * @nr: how many
 *
 * Context: Process context, may sleep.
 */
void oom_jobs_run(struct oom_job *job, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		job_start(&job[i]);
	for (i = 0; i < nr; i++)
		job_wait(&job[i]);
}
