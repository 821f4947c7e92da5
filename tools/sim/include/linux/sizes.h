/* SPDX-License-Identifier: GPL-2.0-only */
/* Names for sizes, in user space. */
#ifndef SIM_LINUX_SIZES_H
#define SIM_LINUX_SIZES_H

#define SZ_256K	0x00040000
#define SZ_2M	0x00200000
#define SZ_4M	0x00400000
#define SZ_16M	0x01000000

#endif /* SIM_LINUX_SIZES_H */
