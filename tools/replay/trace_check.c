// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace-check FILE - check an allocation trace and say what is in it.
 *
 * The check itself is replay_trace.c, the very code that goalloc_replay.ko
 * runs: what passes here is taken there. FILE may be compressed with zstd,
 * which the zstd program undoes. With -o OUT the checked trace is also written
 * to OUT, uncompressed, the form that the module reads.
 */
#include <asm/byteorder.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>

#include "replay_trace.h"

/* A trace is indexed with 32 bits; nothing longer can be one. */
#define TRACE_SIZE_MAX ((size_t)U32_MAX * sizeof(struct trace_record))

static const char zstd_magic[] = { '\x28', '\xb5', '\x2f', '\xfd' };

static int complain(const char *file, const char *what)
{
	fprintf(stderr, "trace-check: %s: %s\n", file, what);
	return 1;
}

/* Read all of @fd. Return the bytes, or NULL with errno set. */
static char *read_all(int fd, size_t *size)
{
	size_t room = 1 << 20, used = 0;
	char *buf = malloc(room);

	while (buf) {
		ssize_t got = read(fd, buf + used, room - used);

		if (got < 0)
			break;
		if (!got) {
			*size = used;
			return buf;
		}
		used += got;
		if (used == room) {
			char *more = room < TRACE_SIZE_MAX ? realloc(buf, 2 * room) : NULL;

			if (!more) {
				errno = EFBIG;
				break;
			}
			buf = more;
			room *= 2;
		}
	}
	free(buf);
	return NULL;
}

/* As read_all(), of what zstd makes of the file at @fd. */
static char *read_zstd(int fd, size_t *size)
{
	int pipe_fd[2], status;
	pid_t pid;
	char *buf;

	if (pipe(pipe_fd))
		return NULL;
	pid = fork();
	if (pid < 0)
		return NULL;
	if (!pid) {
		if (lseek(fd, 0, SEEK_SET) || dup2(fd, 0) < 0 || dup2(pipe_fd[1], 1) < 0)
			_exit(1);
		close(pipe_fd[0]);
		close(pipe_fd[1]);
		execlp("zstd", "zstd", "-dcq", (char *)NULL);
		fprintf(stderr, "trace-check: cannot run zstd: %s\n", strerror(errno));
		_exit(1);
	}
	close(pipe_fd[1]);
	buf = read_all(pipe_fd[0], size);
	close(pipe_fd[0]);
	if (waitpid(pid, &status, 0) == pid && !status)
		return buf;
	free(buf);
	errno = EBADMSG;
	return NULL;
}

static char *read_trace(const char *file, size_t *size)
{
	char magic[sizeof(zstd_magic)];
	char *buf;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	    !memcmp(magic, zstd_magic, sizeof(magic)))
		buf = read_zstd(fd, size);
	else
		buf = read_all(fd, size);
	close(fd);
	return buf;
}

static bool write_trace(const char *file, const char *buf, size_t size)
{
	FILE *out = fopen(file, "w");

	if (!out)
		return false;
	if (fwrite(buf, 1, size, out) != size) {
		fclose(out);
		return false;
	}
	return !fclose(out);
}

static void print_info(const struct trace_info *info)
{
	printf("trace %s: %u records of %u CPUs in %u slots\n",
	       info->name, info->nrecords, info->ncpu, info->nslots);
	printf("allocations: %u (%u of exact-size types, %u zeroed, %u atomic), largest %u bytes\n",
	       info->allocs, info->cache_allocs, info->zero_allocs,
	       info->atomic_allocs, info->largest);
	printf("frees: %u\n", info->nrecords - info->allocs);
	printf("context: %u task, %u softirq, %u hardirq\n",
	       info->in_context[TRACE_TASK], info->in_context[TRACE_SOFTIRQ],
	       info->in_context[TRACE_HARDIRQ]);
	printf("peak: %llu bytes in %u objects at record %u\n",
	       info->peak_bytes, info->peak_objects, info->peak_record);
	printf("end: %llu bytes in %u objects\n", info->end_bytes, info->end_objects);
}

int main(int argc, char **argv)
{
	const char *file, *out = NULL;
	char fault[TRACE_FAULT_LEN];
	struct trace_slot *slots;
	struct trace_info info;
	size_t size = 0;
	char *buf;
	int opt;

	while ((opt = getopt(argc, argv, "o:")) == 'o')
		out = optarg;
	if (opt != -1 || optind != argc - 1) {
		fprintf(stderr, "usage: trace-check [-o UNCOMPRESSED] FILE\n");
		return 2;
	}
	file = argv[optind];

	buf = read_trace(file, &size);
	if (!buf)
		return complain(file, errno == EBADMSG ? "zstd cannot unpack it" :
						       strerror(errno));
	if (trace_check_header(buf, size, &info, fault))
		return complain(file, fault);
	slots = calloc(info.nslots, sizeof(*slots));
	if (!slots)
		return complain(file, strerror(errno));
	if (trace_check_records(buf, &info, slots, NULL, fault))
		return complain(file, fault);
	if (out && !write_trace(out, buf, size))
		return complain(out, strerror(errno));
	print_info(&info);
	free(slots);
	free(buf);
	return 0;
}
