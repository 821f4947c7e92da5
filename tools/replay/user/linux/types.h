/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's names of integer types for replay_trace.c in user space. */
#ifndef REPLAY_USER_TYPES_H
#define REPLAY_USER_TYPES_H

#include <stdbool.h>
#include <stddef.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

typedef u16 __le16;
typedef u32 __le32;
typedef u64 __le64;

#endif /* REPLAY_USER_TYPES_H */
