// SPDX-License-Identifier: GPL-2.0-only
/* Memory that is there or the program ends, text, time, files. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

void (*die_hook)(void);

void warn(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("goalloc: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void die(enum exit_status status, const char *format, ...)
{
	va_list args;

	if (die_hook)
		die_hook();
	fflush(stdout);
	fputs("goalloc: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

static void *check_memory(void *p)
{
	if (!p)
		die(STATUS_TROUBLE, "out of memory");
	return p;
}

void *xmalloc(size_t size)
{
	return check_memory(malloc(size ?: 1));
}

void *xcalloc(size_t nr, size_t size)
{
	return check_memory(calloc(nr ?: 1, size ?: 1));
}

void *xrealloc(void *old, size_t size)
{
	return check_memory(realloc(old, size ?: 1));
}

void *xrealloc_array(void *old, size_t nr, size_t size)
{
	return check_memory(reallocarray(old, nr ?: 1, size));
}

char *xstrdup(const char *s)
{
	return check_memory(strdup(s));
}

char *xstrndup(const char *s, size_t len)
{
	return check_memory(strndup(s, len));
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *s;

	va_start(args, format);
	if (vasprintf(&s, format, args) < 0)
		s = NULL;
	va_end(args);
	return check_memory(s);
}

/* Three digits at most; no decimals where they are all zero. */
static const char *format_unit(char *out, double value, double step, const char *units,
			       const char *unit0)
{
	const char *sign = value < 0 ? "-" : "";
	int unit = -1;

	value = fabs(value);
	/* 999.6 would be four digits. */
	while (value >= 999.5 && units[unit + 1]) {
		value /= step;
		unit++;
	}
	if (unit < 0)
		snprintf(out, BYTES_LEN, "%s%.0f%s", sign, value, unit0);
	else
		snprintf(out, BYTES_LEN, "%s%.*f%c", sign,
			 value == floor(value) ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0,
			 value, units[unit]);
	return out;
}

const char *format_bytes(char *out, int64_t bytes)
{
	return format_unit(out, bytes, 1024, "KMGTPE", "B");
}

const char *format_count(char *out, double count)
{
	return format_unit(out, count, 1000, "kMGTPE", "");
}

double percent(int64_t part, int64_t of)
{
	return of ? 100.0 * part / of : 0;
}

double time_now(void)
{
	const char *fixed = getenv("SOURCE_DATE_EPOCH");
	struct timespec now;

	if (fixed && *fixed)
		return strtod(fixed, NULL);
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

double time_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

void sleep_seconds(double seconds)
{
	struct timespec left = {
		.tv_sec = seconds,
		.tv_nsec = fmod(seconds, 1) * 1e9,
	};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

void new_file_begin(struct new_file *file, const char *path)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	file->path = path;
	file->temporary = xasprintf("%s.XXXXXX", path);
	fd = mkstemp(file->temporary);
	file->out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file->out)
		die(STATUS_TROUBLE, "cannot write %s: %s", path, strerror(errno));
	/* mkstemp() made it for the owner alone. */
	fchmod(fd, 0666 & ~mask);
}

void new_file_end(struct new_file *file)
{
	bool bad = ferror(file->out) || fflush(file->out) || fsync(fileno(file->out));

	if (fclose(file->out) || bad || rename(file->temporary, file->path)) {
		int err = errno;

		unlink(file->temporary);
		die(STATUS_TROUBLE, "cannot write %s: %s", file->path, strerror(err));
	}
	free(file->temporary);
}

void flush_stdout(void)
{
	if (fflush(stdout) || ferror(stdout))
		die(STATUS_TROUBLE, "cannot write the output: %s", strerror(errno));
}
