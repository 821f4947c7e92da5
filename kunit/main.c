// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc_kunit.ko: the test suites, one file each, run when it is loaded.
 */
#include <linux/module.h>

#include "compat.h"

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KUnit suites of goalloc");
GOALLOC_IMPORT_KUNIT();
