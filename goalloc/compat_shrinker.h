/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shrinkers as 6.7 and later have them, for older kernels as well.
 */
#ifndef GOALLOC_COMPAT_SHRINKER_H
#define GOALLOC_COMPAT_SHRINKER_H

#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/version.h>

#if KERNEL_VERSION(6, 7, 0) <= LINUX_VERSION_CODE

static inline void *compat_shrinker_data(const struct shrinker *shrinker)
{
	return shrinker->private_data;
}

static inline struct shrinker *
compat_shrinker_new(const char *name, void *data,
		    unsigned long (*count)(struct shrinker *, struct shrink_control *),
		    unsigned long (*scan)(struct shrinker *, struct shrink_control *))
{
	struct shrinker *shrinker = shrinker_alloc(0, "%s", name);

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->private_data = data;
	shrinker_register(shrinker);
	return shrinker;
}

static inline void compat_shrinker_free(struct shrinker *shrinker)
{
	shrinker_free(shrinker);
}

#else

struct compat_shrinker {
	struct shrinker shrinker;
	void *data;
};

static inline void *compat_shrinker_data(const struct shrinker *shrinker)
{
	return container_of(shrinker, struct compat_shrinker, shrinker)->data;
}

static inline struct shrinker *
compat_shrinker_new(const char *name, void *data,
		    unsigned long (*count)(struct shrinker *, struct shrink_control *),
		    unsigned long (*scan)(struct shrinker *, struct shrink_control *))
{
	struct compat_shrinker *compat = kzalloc(sizeof(*compat), GFP_KERNEL);

	if (!compat)
		return NULL;
	compat->shrinker.count_objects = count;
	compat->shrinker.scan_objects = scan;
	compat->shrinker.seeks = DEFAULT_SEEKS;
	compat->data = data;
	if (register_shrinker(&compat->shrinker, "%s", name)) {
		kfree(compat);
		return NULL;
	}
	return &compat->shrinker;
}

static inline void compat_shrinker_free(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(container_of(shrinker, struct compat_shrinker, shrinker));
}

#endif

#endif /* GOALLOC_COMPAT_SHRINKER_H */
