// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc's files in debugfs, or in a directory that was recorded from there, and
 * what to say when they are not there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "source.h"

/* linux/magic.h */
#define DEBUGFS_SUPER 0x64626720

/* No file of goalloc's is longer; a heap map of 64 TiB is about 1 GiB. */
#define FILE_BYTES_MAX (1024ul << 20)

char *read_whole_file(const char *path, size_t *size)
{
	size_t room = 1 << 16, used = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;
	ssize_t got;

	if (fd < 0)
		return NULL;
	text = xmalloc(room);
	while ((got = read(fd, text + used, room - used - 1)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || used + got > FILE_BYTES_MAX) {
			int err = got < 0 ? errno : EFBIG;

			close(fd);
			free(text);
			errno = err;
			return NULL;
		}
		used += got;
		if (room - used < 2) {
			room *= 2;
			text = xrealloc(text, room);
		}
	}
	close(fd);
	text[used] = '\0';
	if (size)
		*size = used;
	return text;
}

static bool debugfs_is_mounted(void)
{
	struct statfs fs;

	return !statfs(DEBUGFS_MOUNT, &fs) && fs.f_type == DEBUGFS_SUPER;
}

static _Noreturn void no_permission(const char *path)
{
	if (geteuid())
		die(STATUS_NO_PERMISSION,
		    "no permission to read %s: run it as root, or let others in: chmod o+x %s",
		    path, DEBUGFS_MOUNT);
	die(STATUS_NO_PERMISSION,
	    "no permission to read %s though this is root: is the kernel locked down? see kernel_lockdown(7)",
	    path);
}

/* The files are not there: why? */
void source_check(void)
{
	struct stat st;

	if (!stat(options.root, &st)) {
		if (!S_ISDIR(st.st_mode))
			die(STATUS_USAGE, "%s is not a directory", options.root);
		if (access(options.root, R_OK | X_OK) && errno == EACCES)
			no_permission(options.root);
		return;
	}
	if (errno == EACCES)
		no_permission(options.root);
	if (options.root_given)
		die(STATUS_NO_MODULE, "%s: %s", options.root, strerror(errno));
	if (!debugfs_is_mounted())
		die(STATUS_NO_DEBUGFS,
		    "debugfs is not mounted; this mounts it: mount -t debugfs debugfs %s",
		    DEBUGFS_MOUNT);
	die(STATUS_NO_MODULE,
	    "the goalloc module is not loaded; this loads it: modprobe goalloc");
}

/* The directory of a heap; the caller frees it. */
static char *heap_dir(const char *heap)
{
	if (!strcmp(heap, DEFAULT_HEAP))
		return xstrdup(options.root);
	if (strchr(heap, '/') || *heap == '.')
		die(STATUS_USAGE, "\"%s\" cannot be the name of a heap", heap);
	return xasprintf("%s/heaps/%s", options.root, heap);
}

static _Noreturn void no_heap(const char *heap)
{
	size_t nr, i;
	char **names = source_heaps(&nr);

	fprintf(stderr, "goalloc: there is no heap \"%s\"; there are:", heap);
	for (i = 0; i < nr; i++)
		fprintf(stderr, " %s", names[i]);
	fputc('\n', stderr);
	exit(STATUS_NO_MODULE);
}

char *source_read(const char *heap, const char *file, bool optional)
{
	char *dir = heap_dir(heap);
	char *path = xasprintf("%s/%s", dir, file);
	char *text = read_whole_file(path, NULL);
	int err = errno;

	if (!text) {
		source_check();
		if (access(dir, F_OK) && !optional)
			no_heap(heap);
		if (err == EACCES || err == EPERM)
			no_permission(path);
		if (err != ENOENT)
			die(STATUS_TROUBLE, "cannot read %s: %s", path, strerror(err));
		if (!optional)
			die(STATUS_FORMAT,
			    "%s is not there: this module is older than the program, or %s is not a directory of goalloc's",
			    path, options.root);
	}
	free(path);
	free(dir);
	return text;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **source_heaps(size_t *nr)
{
	char **names = xmalloc(sizeof(*names));
	char *path = xasprintf("%s/heaps", options.root);
	struct dirent *entry;
	DIR *dir;

	source_check();
	names[0] = xstrdup(DEFAULT_HEAP);
	*nr = 1;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		/* The default one may be there as well. */
		if (*entry->d_name == '.' || !strcmp(entry->d_name, DEFAULT_HEAP))
			continue;
		names = xrealloc_array(names, *nr + 1, sizeof(*names));
		names[(*nr)++] = xstrdup(entry->d_name);
	}
	if (dir)
		closedir(dir);
	free(path);
	qsort(names + 1, *nr - 1, sizeof(*names), compare_names);
	return names;
}

void source_fault(const char *heap, const char *file, const struct fault *fault)
{
	char *dir = heap_dir(heap);

	if (fault->line)
		die(STATUS_FORMAT, "%s/%s, line %u: %s", dir, file, fault->line, fault->text);
	die(STATUS_FORMAT, "%s/%s: %s", dir, file, fault->text);
}
