/* SPDX-License-Identifier: GPL-2.0-only */
/* What replay_trace.c needs of the kernel's kernel.h, in user space. */
#ifndef REPLAY_USER_KERNEL_H
#define REPLAY_USER_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#define U32_MAX UINT_MAX

#endif /* REPLAY_USER_KERNEL_H */
