// SPDX-License-Identifier: GPL-2.0-only
/* An object file cannot be part of two modules. */
#include "../pressure.c"
