// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is wrong with stacks, in words.
 */
#define pr_fmt(fmt) "goalloc: " fmt

#include <linux/kernel.h>
#include <linux/printk.h>

#include "compat.h"
#include "report_site.h"
#include "stack.h"

/* A topic of report_site_first(), far behind those of others. */
#define REPORT_STACK 112

/**
 * report_stack - report a wrong use of a stack, once per call site
 * @stacks: where it should be from
 * @base: its lowest byte, or NULL if it is about none
 * @where: what was called
 * @what: what is wrong
 * @caller: call site
 *
 * Context: Any context.
 */
void report_stack(const struct goalloc_stacks *stacks, const void *base, const char *where,
		  const char *what, unsigned long caller)
{
	if (report_site_first(caller, REPORT_STACK))
		pr_err("bad use of stack %p of %s at %pS: %s(): %s\n", base,
		       stacks->heap->name, (void *)caller, where, what);
}
