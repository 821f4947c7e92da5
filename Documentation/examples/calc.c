// SPDX-License-Identifier: GPL-2.0-only
/* A calculator that goes as deep as there are parentheses, on a stack that grows. */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <goalloc_stack.h>

static unsigned int depth = 2000000;
module_param(depth, uint, 0444);
MODULE_PARM_DESC(depth, "parentheses in each other (2000000)");

/* What is to be done with what comes out of a parenthesis. */
struct open {
	s64 left;
	u64 at;
	char op;
};

static s64 apply(s64 left, char op, s64 right)
{
	return op == '-' ? left - right : left + right;
}

static struct open *top(const struct goalloc_callstack *cs)
{
	return cs->stack.base + cs->stack.size - cs->used;
}

static int calculate(struct goalloc_callstack *cs, const char *text, s64 *value)
{
	struct open *open;
	char op = '+';
	u64 at;

	*value = 0;
	for (at = 0; text[at]; at++) {
		if (text[at] == '(') {
			open = goalloc_callstack_push(cs, sizeof(*open), GFP_KERNEL);
			if (IS_ERR(open))
				return PTR_ERR(open);
			*open = (struct open){ .left = *value, .op = op, .at = at };
			*value = 0;
			op = '+';
		} else if (text[at] == ')') {
			if (!cs->depth)
				return -EINVAL;
			*value = apply(top(cs)->left, top(cs)->op, *value);
			goalloc_callstack_pop(cs, sizeof(*open));
		} else if (text[at] >= '0' && text[at] <= '9') {
			*value = apply(*value, op, text[at] - '0');
		} else {
			op = text[at];
		}
	}
	return cs->depth ? -EINVAL : 0;
}

static DECLARE_COMPLETION(calc_done);
static int calc_err;

/* 3-(3-(3-( ... 3 ... ))) */
static int calc_run(void *arg)
{
	struct goalloc_stacks *stacks = goalloc_stacks_create("calc", NULL);
	char *text = vmalloc(4UL * depth + 2), *at = text;
	struct goalloc_stacks_stats st = {};
	struct goalloc_callstack cs;
	s64 value = 0;
	int err = -ENOMEM;
	unsigned int i;

	if (!text || IS_ERR(stacks))
		goto out;
	for (i = 0; i < depth; i++, at += 3)
		memcpy(at, "3-(", 3);
	*at++ = '3';
	memset(at, ')', depth);
	at[depth] = '\0';
	err = goalloc_callstack_init(&cs, stacks, GOALLOC_CALLSTACK_CONTIGUOUS, 2048, NULL,
				     NULL, GFP_KERNEL);
	if (err)
		goto out;
	err = calculate(&cs, text, &value);
	goalloc_stacks_get_stats(stacks, &st);
	pr_info("goalloc_calc: %u deep is %lld (%d); grown %llu times, shrunk %llu, %llu KiB copied, %zu bytes now\n",
		depth, value, err, st.grown, st.shrunk, st.copied_bytes >> 10, cs.stack.size);
	goalloc_callstack_end(&cs);
out:
	vfree(text);
	goalloc_stacks_destroy(stacks);
	calc_err = err;
	complete(&calc_done);
	return 0;
}

static int __init calc_init(void)
{
	struct task_struct *task = kthread_run(calc_run, NULL, "calc");

	if (IS_ERR(task))
		return PTR_ERR(task);
	wait_for_completion(&calc_done);
	return calc_err;
}

static void __exit calc_exit(void)
{
}

module_init(calc_init);
module_exit(calc_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Example of a stack that grows");
