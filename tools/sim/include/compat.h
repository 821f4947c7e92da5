/* SPDX-License-Identifier: GPL-2.0-only */
/* What goalloc/compat.h is to the kernel, for user space: nothing to export. */
#ifndef SIM_COMPAT_H
#define SIM_COMPAT_H

#define GOALLOC_EXPORT_KUNIT(sym) _Static_assert(1, "")
#define GOALLOC_IMPORT_KUNIT() _Static_assert(1, "")

#endif /* SIM_COMPAT_H */
