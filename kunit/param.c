// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's parameters, as user space sets them. See param.h.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "param.h"

/**
 * param_set - write to a parameter of goalloc.ko
 * @name: its name
 * @text: what to write
 *
 * Return: 0 or a negative error.
 */
int param_set(const char *name, const char *text)
{
	struct file *file;
	loff_t pos = 0;
	char path[80];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/module/goalloc/parameters/%s", name);
	file = filp_open(path, O_WRONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	n = kernel_write(file, text, strlen(text), &pos);
	filp_close(file, NULL);
	return n < 0 ? n : 0;
}
