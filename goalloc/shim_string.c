// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies and texts in goalloc's memory, for modules that were compiled with
 * <goalloc_kmalloc.h> in front of them; see there for what each does.
 *
 * kstrdup_const() and kvasprintf_const() stay the kernel's, which alone knows where its
 * read-only data is.
 */
/* The functions themselves are here. */
#define GOALLOC_NO_HOOKS

#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <goalloc_gok.h>

#include "api.h"
#include "compat.h"
#include "shim.h"

/* @len bytes, and if @nul one more that ends them. */
static void *shim_copy(const void *src, size_t len, bool nul, gfp_t flags,
		       unsigned long caller)
{
	char *copy = api_alloc(len + nul, flags & ~API_ZONE_FLAGS, caller);

	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, src, len);
	if (nul)
		copy[len] = '\0';
	return copy;
}

char *gok_kstrdup(const char *s, gfp_t flags)
{
	return s ? shim_copy(s, strlen(s), true, flags, _RET_IP_) : NULL;
}
EXPORT_SYMBOL_GPL(gok_kstrdup);

char *gok_kstrndup(const char *s, size_t max, gfp_t flags)
{
	return s ? shim_copy(s, strnlen(s, max), true, flags, _RET_IP_) : NULL;
}
EXPORT_SYMBOL_GPL(gok_kstrndup);

void *gok_kmemdup(const void *src, size_t len, gfp_t flags)
{
	return shim_copy(src, len, false, flags, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kmemdup);

void *gok_kvmemdup(const void *src, size_t len, gfp_t flags)
{
	void *copy = api_kvalloc(len, flags & ~API_ZONE_FLAGS, _RET_IP_);

	if (copy && len)
		memcpy(copy, src, len);
	return copy;
}
EXPORT_SYMBOL_GPL(gok_kvmemdup);

char *gok_kmemdup_nul(const char *s, size_t len, gfp_t flags)
{
	return s ? shim_copy(s, len, true, flags, _RET_IP_) : NULL;
}
EXPORT_SYMBOL_GPL(gok_kmemdup_nul);

void gok_kfree_const(const void *p)
{
	/* What is not the kernel's nor ours may be read-only data. */
	if (!ZERO_OR_NULL_PTR(p) && api_heap_of(p))
		api_free_any(p, _RET_IP_);
	else
		kfree_const(p);
}
EXPORT_SYMBOL_GPL(gok_kfree_const);

void gok_kfree_link(void *p)
{
	shim_free(p, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kfree_link);

static __printf(2, 0) char *shim_vasprintf(gfp_t flags, const char *fmt, va_list args,
					   unsigned long caller)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	text = api_alloc(len + 1, flags & ~API_ZONE_FLAGS, caller);
	/* What is printed may have got longer meanwhile, and is cut then. */
	if (text)
		vsnprintf(text, len + 1, fmt, args);
	return text;
}

char *gok_kvasprintf(gfp_t flags, const char *fmt, va_list args)
{
	return shim_vasprintf(flags, fmt, args, _RET_IP_);
}
EXPORT_SYMBOL_GPL(gok_kvasprintf);

char *gok_kasprintf(gfp_t flags, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = shim_vasprintf(flags, fmt, args, _RET_IP_);
	va_end(args);
	return text;
}
EXPORT_SYMBOL_GPL(gok_kasprintf);

/* Copy into new memory, or free it. */
static void *shim_fetch(char *copy, const void __user *src, size_t len)
{
	if (!copy)
		return ERR_PTR(-ENOMEM);
	if (copy_from_user(copy, src, len)) {
		gok_kvfree(copy);
		return ERR_PTR(-EFAULT);
	}
	return copy;
}

void *gok_memdup_user(const void __user *src, size_t len)
{
	return shim_fetch(api_alloc(len, GFP_USER | __GFP_NOWARN, _RET_IP_), src, len);
}
EXPORT_SYMBOL_GPL(gok_memdup_user);

void *gok_vmemdup_user(const void __user *src, size_t len)
{
	return shim_fetch(api_kvalloc(len, GFP_USER, _RET_IP_), src, len);
}
EXPORT_SYMBOL_GPL(gok_vmemdup_user);

void *gok_memdup_user_nul(const void __user *src, size_t len)
{
	char *copy;

	if (len == SIZE_MAX)
		return ERR_PTR(-ENOMEM);
	copy = shim_fetch(api_alloc(len + 1, GFP_USER | __GFP_NOWARN, _RET_IP_), src, len);
	if (!IS_ERR(copy))
		copy[len] = '\0';
	return copy;
}
EXPORT_SYMBOL_GPL(gok_memdup_user_nul);

char *gok_strndup_user(const char __user *s, long max)
{
	long len = strnlen_user(s, max);
	char *copy;

	if (!len)
		return ERR_PTR(-EFAULT);
	if (len > max)
		return ERR_PTR(-EINVAL);
	copy = shim_fetch(api_alloc(len, GFP_USER | __GFP_NOWARN, _RET_IP_), s, len);
	/* It may have changed since it was measured. */
	if (!IS_ERR(copy))
		copy[len - 1] = '\0';
	return copy;
}
EXPORT_SYMBOL_GPL(gok_strndup_user);
