// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc replay: a trace through goalloc_replay.ko, that is through goalloc or, to
 * compare, through kmalloc. The module does the work while it is loaded; this checks
 * the trace first, with the module's own check, and shows what came out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/types.h>

#include "replay_trace.h"
#include "source.h"
#include "util.h"

#define REPLAY_DIR DEBUGFS_MOUNT "/goalloc_replay"

struct replay_args {
	const char *file, *allocator, *module;
	bool check, keep;
};

static const struct argp_option replay_options[] = {
	{ "allocator", 'a', "NAME", 0, "goalloc (as is), kmalloc or kmem_cache", 0 },
	{ "module", 'm', "FILE", 0, "goalloc_replay.ko, instead of asking modprobe", 0 },
	{ "check", 'c', NULL, 0, "only check the trace and say what is in it", 0 },
	{ "keep", 'k', NULL, 0,
	  "leave the last objects and the module; rmmod goalloc_replay ends it", 0 },
	{}
};

static error_t replay_parse(int key, char *arg, struct argp_state *state)
{
	struct replay_args *args = state->input;

	switch (key) {
	case 'a':
		if (strcmp(arg, "goalloc") && strcmp(arg, "kmalloc") && strcmp(arg, "kmem_cache"))
			argp_error(state, "there is no allocator \"%s\"", arg);
		args->allocator = arg;
		return 0;
	case 'm':
		args->module = arg;
		return 0;
	case 'c':
		args->check = true;
		return 0;
	case 'k':
		args->keep = true;
		return 0;
	case ARGP_KEY_ARG:
		if (args->file)
			argp_error(state, "one trace at a time");
		args->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!args->file)
			argp_error(state, "a trace is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Run a program to its end; its output goes to @out if that is a file. */
static bool run_program(char *const argv[], int out)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return false;
	if (!pid) {
		if (out >= 0)
			dup2(out, STDOUT_FILENO);
		execvp(argv[0], argv);
		fprintf(stderr, "goalloc: cannot run %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

/* The trace as it is read by the module: @path, or a file that zstd made of it. */
static char *unpacked(const char *path)
{
	static const char magic[4] = "\x28\xb5\x2f\xfd";
	char *const zstd[] = { "zstd", "-dcq", (char *)path, NULL };
	char begin[4] = "", *temporary;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(errno == EACCES ? STATUS_NO_PERMISSION : STATUS_TROUBLE, "cannot read %s: %s",
		    path, strerror(errno));
	if (read(fd, begin, sizeof(begin)) != sizeof(begin) || memcmp(begin, magic, 4)) {
		close(fd);
		return realpath(path, NULL);
	}
	close(fd);
	temporary = xstrdup("/tmp/goalloc-trace.XXXXXX");
	fd = mkstemp(temporary);
	if (fd < 0 || !run_program(zstd, fd)) {
		unlink(temporary);
		die(STATUS_TROUBLE, "%s: zstd cannot unpack it", path);
	}
	close(fd);
	return temporary;
}

static void check_trace(const char *path, const char *shown, bool print)
{
	char fault[TRACE_FAULT_LEN];
	struct trace_slot *slots;
	struct trace_info info;
	size_t size;
	char *text = read_whole_file(path, &size);

	if (!text)
		die(STATUS_TROUBLE, "cannot read %s: %s", shown, strerror(errno));
	if (trace_check_header(text, size, &info, fault))
		die(STATUS_FORMAT, "%s: %s", shown, fault);
	slots = xcalloc(info.nslots, sizeof(*slots));
	if (trace_check_records(text, &info, slots, NULL, fault))
		die(STATUS_FORMAT, "%s: %s", shown, fault);
	free(slots);
	free(text);
	if (!print)
		return;
	printf("trace %s: %u records of %u CPUs in %u slots\n", info.name, info.nrecords,
	       info.ncpu, info.nslots);
	printf("allocations: %u (%u of exact-size types, %u zeroed, %u atomic), largest %u bytes\n",
	       info.allocs, info.cache_allocs, info.zero_allocs, info.atomic_allocs,
	       info.largest);
	printf("context: %u task, %u softirq, %u hardirq\n", info.in_context[TRACE_TASK],
	       info.in_context[TRACE_SOFTIRQ], info.in_context[TRACE_HARDIRQ]);
	printf("peak: %llu bytes in %u objects; end: %llu bytes in %u objects\n",
	       info.peak_bytes, info.peak_objects, info.end_bytes, info.end_objects);
}

static _Noreturn void no_module(const char *what, int err)
{
	if (err == EPERM || err == EACCES)
		die(STATUS_NO_PERMISSION, "%s: loading modules is for root", what);
	if (err == ENOENT)
		die(STATUS_NO_MODULE, "%s: %s; is goalloc loaded? modprobe goalloc", what,
		    strerror(err));
	if (err == EEXIST)
		die(STATUS_TROUBLE, "%s is loaded already; this ends it: rmmod goalloc_replay",
		    what);
	die(STATUS_TROUBLE, "%s: %s; the kernel's log may say why", what, strerror(err));
}

/* Loading takes as long as the replay. */
static void load(const struct replay_args *args, const char *path)
{
	char *trace = xasprintf("trace=%s", path);
	char *allocator = xasprintf("allocator=%s", args->allocator);
	char *both = xasprintf("%s %s", trace, allocator);
	char *const modprobe[] = { "modprobe", "goalloc_replay", trace, allocator, NULL };
	int fd;

	if (!args->module) {
		if (!run_program(modprobe, -1))
			die(STATUS_NO_MODULE,
			    "modprobe goalloc_replay failed; --module names the file if it is not installed");
	} else {
		fd = open(args->module, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, both, 0))
			no_module(args->module, errno);
		close(fd);
	}
	free(trace);
	free(allocator);
	free(both);
}

static void print_result(void)
{
	char *text = read_whole_file(REPLAY_DIR "/result", NULL);

	if (!text)
		die(STATUS_TROUBLE, "cannot read " REPLAY_DIR "/result: %s", strerror(errno));
	fputs(text, stdout);
	free(text);
}

static void release(void)
{
	int fd = open(REPLAY_DIR "/release", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) != 1)
		die(STATUS_TROUBLE, "cannot write " REPLAY_DIR "/release: %s", strerror(errno));
	close(fd);
}

int cmd_replay(int argc, char **argv)
{
	static const struct argp argp = {
		.options = replay_options,
		.parser = replay_parse,
		.args_doc = "TRACE",
		.doc = "Replay a trace in the kernel: each recorded CPU is a thread that "
		       "allocates and frees as recorded, and every object is checked.\v"
		       "The trace may be packed by zstd. Loads goalloc_replay and removes it "
		       "again.",
		.children = options_children,
	};
	struct replay_args args = { .allocator = "goalloc" };
	char *path;
	bool temporary;

	run_argp(&argp, argc, argv, &args);
	path = unpacked(args.file);
	if (!path)
		die(STATUS_TROUBLE, "cannot read %s: %s", args.file, strerror(errno));
	temporary = !strncmp(path, "/tmp/goalloc-trace.", 19);
	check_trace(path, args.file, args.check);
	if (!args.check) {
		load(&args, path);
		if (!args.keep)
			release();
		print_result();
		if (!args.keep && syscall(SYS_delete_module, "goalloc_replay", O_NONBLOCK))
			no_module("goalloc_replay", errno);
	}
	if (temporary)
		unlink(path);
	free(path);
	return STATUS_OK;
}
