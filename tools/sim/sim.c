// SPDX-License-Identifier: GPL-2.0-only
/*
 * sim.c - counting results, and memory for a palloc, in user space.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "sim.h"

unsigned long sim_passed;
unsigned long sim_failed;

void sim_pass(void)
{
	sim_passed++;
}

void sim_fail(const char *fmt, ...)
{
	va_list args;

	sim_failed++;
	printf("FAIL ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

/* Print the last line; the exit status for main(). */
int sim_result(void)
{
	printf("%lu passed, %lu failed\n", sim_passed, sim_failed);
	return sim_failed || !sim_passed;
}

static void *sim_zalloc(const struct palloc_mem *mem, size_t bytes, gfp_t gfp)
{
	struct sim_mem *m = container_of(mem, struct sim_mem, mem);
	void *p;

	(void)gfp;
	if (!m->fail_after)
		return NULL;
	if (m->fail_after > 0)
		m->fail_after--;
	p = calloc(1, bytes);
	if (p)
		m->live++;
	return p;
}

static void sim_free(const struct palloc_mem *mem, void *p, size_t bytes)
{
	struct sim_mem *m = container_of(mem, struct sim_mem, mem);

	(void)bytes;
	m->live--;
	free(p);
}

void sim_mem_init(struct sim_mem *m)
{
	m->mem.zalloc = sim_zalloc;
	m->mem.free = sim_free;
	m->fail_after = -1;
	m->live = 0;
}
