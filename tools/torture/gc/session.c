// SPDX-License-Identifier: GPL-2.0-only
/* The same in both modules: an object file can be in one of them only. */
#include "../session.c"
