/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an address that is no heap's can be.
 */
#ifndef GOALLOC_FOREIGN_H
#define GOALLOC_FOREIGN_H

const char *foreign_text(const void *p);

#endif /* GOALLOC_FOREIGN_H */
