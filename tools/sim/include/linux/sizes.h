/* SPDX-License-Identifier: GPL-2.0-only */
/* Names for sizes, in user space. */
#ifndef SIM_LINUX_SIZES_H
#define SIM_LINUX_SIZES_H

#define SZ_2M	0x00200000
#define SZ_4M	0x00400000

#endif /* SIM_LINUX_SIZES_H */
