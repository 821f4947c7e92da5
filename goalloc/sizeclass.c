// SPDX-License-Identifier: GPL-2.0-only
/*
 * sizeclass.c - the size class tables.
 *
 * Small requests are rounded up to one of 67 sizes.  The sizes are chosen so
 * that rounding wastes at most an eighth (the smallest ones excepted, whose
 * steps are dictated by alignment), and spans so that what is left over behind
 * the last object is at most an eighth of the span.
 *
 * Nothing is computed here: tools/mksizeclasses.c did, and says how.  A test
 * runs it again and compares.
 */
#include "sizeclass.h"
#include "sizeclass_table.h"

GOALLOC_EXPORT_KUNIT(sizeclass_size);
GOALLOC_EXPORT_KUNIT(sizeclass_pages);
GOALLOC_EXPORT_KUNIT(sizeclass_objs);
GOALLOC_EXPORT_KUNIT(sizeclass_magic);
GOALLOC_EXPORT_KUNIT(sizeclass_fine);
GOALLOC_EXPORT_KUNIT(sizeclass_coarse);
