/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For files of the kernel's that are linked into a test: what they export is there
 * already, and what they would tell the kernel when it boots has been told.
 */
#include <linux/cpuhotplug.h>
#include <linux/export.h>

#undef EXPORT_SYMBOL
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL(sym)
#define EXPORT_SYMBOL_GPL(sym)
#define cpuhp_setup_state_nocalls(state, name, startup, teardown)	\
	((void)(startup), (void)(teardown), 0)
