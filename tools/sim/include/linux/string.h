/* SPDX-License-Identifier: GPL-2.0-only */
/* The C library's string functions serve. */
#include <string.h>
