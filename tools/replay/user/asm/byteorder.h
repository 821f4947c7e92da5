/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's names of byte order conversions for replay_trace.c in user space. */
#ifndef REPLAY_USER_BYTEORDER_H
#define REPLAY_USER_BYTEORDER_H

#include <endian.h>

#define le16_to_cpu(x) le16toh(x)
#define le32_to_cpu(x) le32toh(x)
#define le64_to_cpu(x) le64toh(x)

#endif /* REPLAY_USER_BYTEORDER_H */
