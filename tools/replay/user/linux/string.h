/* SPDX-License-Identifier: GPL-2.0-only */
/* What replay_trace.c needs of the kernel's string.h, in user space. */
#ifndef REPLAY_USER_STRING_H
#define REPLAY_USER_STRING_H

#include <string.h>

#endif /* REPLAY_USER_STRING_H */
