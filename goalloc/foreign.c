// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an address that is no heap's can be: guessed from the address and the
 * kernel's page flags, for the text of a report and nothing else. The memory
 * there is never touched.
 */
#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/uaccess.h>

#include "foreign.h"

/* In the kernel's image or a module's? */
static bool foreign_static(unsigned long addr)
{
#if defined(CONFIG_X86_64) && !defined(CONFIG_UML)
	return addr >= __START_KERNEL_map && addr < MODULES_END;
#else
	return false;
#endif
}

/**
 * foreign_text - what an address is, and what to do
 * @p: an address in no span of any heap
 *
 * Context: Any context.
 * Return: the rest of a sentence that begins with the address.
 */
const char *foreign_text(const void *p)
{
	unsigned long addr = (unsigned long)p;

	if (IS_ERR(p))
		return "is an error pointer; test it with IS_ERR() before";
	if (addr < PAGE_SIZE)
		return "is next to NULL; look for a member of a structure that is not there";
	if (addr < TASK_SIZE_MAX)
		return "is an address of user space; it was never allocated here";
	/* Of whatever was interrupted, if that is what we are in. */
	if (object_is_on_stack(p))
		return "is on the stack; it was never allocated";
	if (foreign_static(addr))
		return "is code or static data; it was never allocated";
	if (is_vmalloc_addr(p))
		return "is vmalloc() memory; use vfree() or gokvfree()";
	/*
	 * A race by intention: the page may change its use while we look. Then
	 * it was used after it was freed, and either text is as good.
	 */
	if (virt_addr_valid(p) && data_race(PageSlab(virt_to_head_page(p))))
		return "is slab memory; use kfree() or kmem_cache_free()";
	return "is not goalloc memory; free it where it came from";
}
