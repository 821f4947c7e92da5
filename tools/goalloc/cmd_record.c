// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc record: the kernel's own allocations, through the tracepoints of kmem, as
 * a trace for goalloc replay. It has a tracing instance of its own, so what others
 * trace meanwhile is not disturbed.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <traceevent/event-parse.h>
#include <tracefs.h>

#include "record_trace.h"
#include "util.h"

#define INSTANCE "goalloc-record"

/* Flags of an event, as the kernel has them (TRACE_FLAG_NMI is newer than some headers). */
#define FLAG_NMI	0x40

/* Bits of gfp_t, the same in 6.1 and 6.12. */
#define GFP_ZERO	0x100
#define GFP_DIRECT_RECLAIM 0x400

/* The bits of a record's flags. */
#define RECORD_ZERO	0x04
#define RECORD_ATOMIC	0x08
#define RECORD_SOFTIRQ	0x10
#define RECORD_HARDIRQ	0x20

struct record_args {
	const char *output, *name;
	double seconds;
	unsigned int buffer;	/* KiB per CPU */
	char **command;
};

static const char *const event_names[] = {
	[EVENT_KMALLOC] = "kmalloc",
	[EVENT_CACHE_ALLOC] = "kmem_cache_alloc",
	[EVENT_FREE] = "kfree",
	"kmem_cache_free",
};

struct recording {
	struct tracefs_instance *instance;
	struct tep_handle *tep;
	struct events events;
	unsigned long long lost;
};

static volatile sig_atomic_t stopped;

static const struct argp_option record_options[] = {
	{ "output", 'o', "FILE", 0, "the trace (kmem.goaltrc)", 0 },
	{ "name", 'N', "NAME", 0, "the trace's name (recorded)", 0 },
	{ "seconds", 't', "SEC", 0,
	  "end after SEC seconds; without it and without a COMMAND, at Ctrl-C", 0 },
	{ "buffer", 'b', "KIB", 0, "the kernel's buffer, per CPU (16384)", 0 },
	{}
};

static error_t record_parse(int key, char *arg, struct argp_state *state)
{
	struct record_args *args = state->input;

	switch (key) {
	case 'o':
		args->output = arg;
		return 0;
	case 'N':
		args->name = arg;
		return 0;
	case 't':
		args->seconds = parse_seconds(arg, state);
		return 0;
	case 'b':
		args->buffer = parse_count(arg, state);
		return 0;
	case ARGP_KEY_ARG:
		/* The command and all behind it. */
		args->command = state->argv + state->next - 1;
		state->next = state->argc;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

static uint64_t field(struct tep_event *event, const char *name, struct tep_record *record)
{
	unsigned long long value;

	if (tep_get_field_val(NULL, event, name, record, &value, 0))
		die(STATUS_FORMAT, "the tracepoint %s has no field %s in this kernel", event->name,
		    name);
	return value;
}

static int take_event(struct tep_event *event, struct tep_record *record, int cpu, void *arg)
{
	struct recording *rec = arg;
	struct event *e;
	uint64_t flags, gfp;
	size_t kind;

	if (record->missed_events)
		rec->lost += record->missed_events > 0 ? record->missed_events : 1;
	for (kind = 0; kind < ARRAY_SIZE(event_names); kind++)
		if (!strcmp(event->name, event_names[kind]))
			break;
	if (kind == ARRAY_SIZE(event_names))
		return 0;
	e = events_add(&rec->events);
	e->time = record->ts;
	e->cpu = cpu;
	e->kind = kind > EVENT_FREE ? EVENT_FREE : kind;
	e->ptr = field(event, "ptr", record);
	flags = tep_data_flags(rec->tep, record);
	e->flags = flags & (TRACE_FLAG_HARDIRQ | FLAG_NMI) ? RECORD_HARDIRQ :
		   flags & TRACE_FLAG_SOFTIRQ ? RECORD_SOFTIRQ : 0;
	if (e->kind == EVENT_FREE)
		return 0;
	e->bytes = field(event, "bytes_req", record);
	gfp = field(event, "gfp_flags", record);
	if (gfp & GFP_ZERO)
		e->flags |= RECORD_ZERO;
	if (!(gfp & GFP_DIRECT_RECLAIM))
		e->flags |= RECORD_ATOMIC;
	return 0;
}

static void take_all(struct recording *rec)
{
	if (tracefs_iterate_raw_events(rec->tep, rec->instance, NULL, 0, take_event, rec) < 0)
		die(STATUS_TROUBLE, "cannot read the trace: %s", strerror(errno));
}

/* Nothing stays switched on, whatever happens. */
static struct tracefs_instance *in_use;

static void stop_tracing(void)
{
	if (!in_use)
		return;
	tracefs_trace_off(in_use);
	tracefs_event_disable(in_use, "kmem", NULL);
	tracefs_instance_destroy(in_use);
	tracefs_instance_free(in_use);
	in_use = NULL;
}

static void begin(struct recording *rec, const struct record_args *args)
{
	static const char *const systems[] = { "kmem", NULL };
	size_t i;

	memset(rec, 0, sizeof(*rec));
	if (geteuid())
		die(STATUS_NO_PERMISSION, "tracing is for root: run it as root");
	rec->tep = tracefs_local_events_system(NULL, systems);
	if (!rec->tep)
		die(STATUS_NO_DEBUGFS,
		    "tracefs is not there; this mounts it: mount -t tracefs tracefs /sys/kernel/tracing");
	rec->instance = tracefs_instance_create(INSTANCE);
	if (!rec->instance)
		die(STATUS_TROUBLE, "cannot make the tracing instance " INSTANCE ": %s",
		    strerror(errno));
	in_use = rec->instance;
	die_hook = stop_tracing;
	tracefs_trace_off(rec->instance);
	/* One clock for all CPUs: the order in time is the order of the records. */
	if (tracefs_instance_file_write(rec->instance, "trace_clock", "mono") < 0)
		die(STATUS_TROUBLE, "the kernel has no clock \"mono\" for traces");
	tracefs_instance_set_buffer_size(rec->instance, args->buffer, -1);
	/* What an earlier one left, which was killed. */
	tracefs_instance_file_clear(rec->instance, "trace");
	for (i = 0; i < ARRAY_SIZE(event_names); i++)
		if (tracefs_event_enable(rec->instance, "kmem", event_names[i]))
			die(STATUS_TROUBLE, "cannot switch on kmem:%s: %s", event_names[i],
			    strerror(errno));
	tracefs_trace_on(rec->instance);
}

static void end(struct recording *rec)
{
	tracefs_trace_off(rec->instance);
	tracefs_event_disable(rec->instance, "kmem", NULL);
	take_all(rec);
	stop_tracing();
	die_hook = NULL;
	tep_free(rec->tep);
}

static pid_t start(char **command)
{
	pid_t pid = fork();

	if (pid < 0)
		die(STATUS_TROUBLE, "cannot start %s: %s", command[0], strerror(errno));
	if (!pid) {
		execvp(command[0], command);
		fprintf(stderr, "goalloc: cannot start %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	return pid;
}

/* Until the command, the time or the user's patience is over. */
static void run(struct recording *rec, const struct record_args *args)
{
	double until = time_monotonic() + args->seconds;
	pid_t pid = args->command ? start(args->command) : 0;
	int status;

	while (!stopped && (args->seconds <= 0 || time_monotonic() < until)) {
		if (pid && waitpid(pid, &status, WNOHANG) == pid) {
			if (!WIFEXITED(status) || WEXITSTATUS(status))
				warn("%s failed", args->command[0]);
			break;
		}
		sleep_seconds(0.02);
		take_all(rec);
	}
}

int cmd_record(int argc, char **argv)
{
	static const struct argp argp = {
		.options = record_options,
		.parser = record_parse,
		.args_doc = "[COMMAND [ARGUMENT...]]",
		.doc = "Record the kernel's allocations as a trace, while COMMAND runs, for some "
		       "seconds, or until Ctrl-C.\vkmalloc() and kmem_caches of the whole "
		       "machine are in it, goalloc's objects are not.",
		.children = options_children,
	};
	struct record_args args = {
		.output = "kmem.goaltrc", .name = "recorded", .buffer = 16384,
	};
	struct sigaction action = { .sa_handler = on_signal };
	struct record_sums sums;
	struct recording rec;
	error_t err;

	err = argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &args);
	if (err)
		die(STATUS_TROUBLE, "%s", strerror(err));
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	begin(&rec, &args);
	run(&rec, &args);
	end(&rec);
	record_write(&rec.events, args.name, args.output, &sums);
	events_free(&rec.events);
	if (rec.lost)
		warn("at least %llu events were lost: a larger --buffer keeps them", rec.lost);
	printf("%s: %llu allocations, %llu frees; left out: %llu frees of older objects; added: %llu frees that went unseen\n",
	       args.output, (unsigned long long)sums.allocs, (unsigned long long)sums.frees,
	       (unsigned long long)sums.unknown, (unsigned long long)sums.unseen);
	return STATUS_OK;
}
