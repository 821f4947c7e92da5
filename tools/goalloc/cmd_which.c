// SPDX-License-Identifier: GPL-2.0-only
/*
 * goalloc which: the span that an address is in.
 *
 * goalloc's files have no addresses, only numbers of pages, counted from where the
 * machine's memory begins. /proc/kcore, which only root can read, has a program
 * header for each piece of memory with its address and its place: that leads from
 * an address in the direct map to the page.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heapmap.h"
#include "snapshot.h"

/* The module counts its pages from the lowest memory, rounded down to this. */
#define ARENA_BYTES (64ull << 20)

/* /proc/kcore says so of what is no memory. */
#define NO_PLACE ((uint64_t)-1)

struct which_args {
	const char *kcore;
	uint64_t address;
	bool given;
};

static const struct argp_option which_options[] = {
	{ "kcore", 'k', "FILE", 0, "take the memory's places from FILE instead of /proc/kcore", 0 },
	{}
};

static error_t which_parse(int key, char *arg, struct argp_state *state)
{
	struct which_args *args = state->input;
	char *end;

	switch (key) {
	case 'k':
		args->kcore = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (args->given)
			argp_error(state, "one address at a time");
		errno = 0;
		args->address = strtoull(arg, &end, 16);
		if (end == arg || *end || errno)
			argp_error(state, "\"%s\" is no address", arg);
		args->given = true;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "an address is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static Elf64_Phdr *read_headers(const char *path, unsigned int *nr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Phdr *headers;
	Elf64_Ehdr elf;
	size_t size;

	if (fd < 0 && (errno == EACCES || errno == EPERM))
		die(STATUS_NO_PERMISSION, "no permission to read %s: run it as root", path);
	if (fd < 0)
		die(STATUS_TROUBLE, "cannot read %s: %s", path, strerror(errno));
	if (pread(fd, &elf, sizeof(elf), 0) != sizeof(elf) ||
	    memcmp(elf.e_ident, ELFMAG, SELFMAG) || elf.e_ident[EI_CLASS] != ELFCLASS64 ||
	    elf.e_phentsize != sizeof(*headers))
		die(STATUS_FORMAT, "%s is not a 64-bit ELF core", path);
	*nr = elf.e_phnum;
	size = *nr * sizeof(*headers);
	headers = xmalloc(size);
	if (pread(fd, headers, size, elf.e_phoff) != (ssize_t)size)
		die(STATUS_FORMAT, "%s ends within its program headers", path);
	close(fd);
	return headers;
}

/* The memory that an address is in; modules and vmalloc() are none. */
static const Elf64_Phdr *find_memory(const Elf64_Phdr *headers, unsigned int nr,
				     uint64_t address)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (headers[i].p_type == PT_LOAD && headers[i].p_paddr != NO_PLACE &&
		    address >= headers[i].p_vaddr &&
		    address - headers[i].p_vaddr < headers[i].p_memsz)
			return &headers[i];
	return NULL;
}

static uint64_t lowest_place(const Elf64_Phdr *headers, unsigned int nr)
{
	uint64_t lowest = NO_PLACE;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (headers[i].p_type == PT_LOAD && headers[i].p_paddr < lowest)
			lowest = headers[i].p_paddr;
	return lowest;
}

static const char *page_state(const struct heap *heap, int64_t page)
{
	const struct table *t = &heap->heapmap;
	char pages[CHUNK_PAGES];
	size_t i;

	for (i = 0; i < t->nrows; i++) {
		int64_t at = page - table_num(t, i, "page");

		if (at < 0 || at >= CHUNK_PAGES || heapmap_decode(table_text(t, i, "map"), pages))
			continue;
		switch (pages[at]) {
		case PAGE_FREE:
		case PAGE_ZERO:
			return "a free page";
		case PAGE_USED:
			return "a page of a CPU's page cache";
		}
	}
	return NULL;
}

static void print_span(const struct heap *heap, size_t row, uint64_t offset)
{
	const struct table *t = &heap->spans;
	int64_t size = table_num(t, row, "size");
	int64_t objs = table_num(t, row, "objs");
	const char *class = table_text(t, row, "class");

	printf("heap %s, span at page %s: %s pages, class %s, objects of %lld bytes, %s of %lld used, %s, node %s\n",
	       heap->name, table_text(t, row, "page"), table_text(t, row, "pages"), class,
	       (long long)size, table_text(t, row, "used"), (long long)objs,
	       table_text(t, row, "place"), table_text(t, row, "node"));
	if (size <= 0)
		return;
	if (offset / size >= (uint64_t)objs)
		printf("offset %llu in the span, behind its last object\n",
		       (unsigned long long)offset);
	else
		printf("offset %llu in the span: object %llu, byte %llu\n",
		       (unsigned long long)offset, (unsigned long long)(offset / size),
		       (unsigned long long)(offset % size));
}

/* True if the page is the heap's. */
static bool which_heap(const struct heap *heap, int64_t page, uint64_t in_page)
{
	const struct table *t = &heap->spans;
	int64_t page_size = heap_page_size(heap);
	const char *state;
	size_t i;

	for (i = 0; i < t->nrows; i++) {
		int64_t at = page - table_num(t, i, "page");

		if (at < 0 || at >= table_num(t, i, "pages"))
			continue;
		print_span(heap, i, at * page_size + in_page);
		return true;
	}
	state = page_state(heap, page);
	if (state)
		printf("heap %s: %s\n", heap->name, state);
	return state;
}

int cmd_which(int argc, char **argv)
{
	static const struct argp argp = {
		.options = which_options,
		.parser = which_parse,
		.args_doc = "ADDRESS",
		.doc = "Say in which span an address of the direct map is, and which of its "
		       "objects.\vADDRESS is hexadecimal, as in a report of the kernel's with "
		       "no_hash_pointers. All heaps are looked through, or --heap.",
		.children = options_children,
	};
	struct which_args args = { .kcore = "/proc/kcore" };
	const Elf64_Phdr *memory;
	struct snapshot snap;
	Elf64_Phdr *headers;
	int64_t page_size;
	uint64_t place;
	unsigned int nr;
	bool found = false;
	size_t i;

	run_argp(&argp, argc, argv, &args);
	snapshot_read(&snap, PART_SPANS | PART_HEAPMAP | PART_CLASSES);
	heap_require(&snap.heaps[0], PART_SPANS);
	page_size = heap_page_size(&snap.heaps[0]);
	if (page_size <= 0)
		die(STATUS_FORMAT, "the file \"classes\" does not tell the size of a page");
	headers = read_headers(args.kcore, &nr);
	memory = find_memory(headers, nr, args.address);
	if (!memory)
		die(STATUS_FALSE, "%llx is no address of the machine's memory",
		    (unsigned long long)args.address);
	place = args.address - memory->p_vaddr + memory->p_paddr;
	place -= lowest_place(headers, nr) / ARENA_BYTES * ARENA_BYTES;
	printf("page %llu, byte %llu\n", (unsigned long long)(place / page_size),
	       (unsigned long long)(place % page_size));
	for (i = 0; i < snap.nr_heaps && !found; i++)
		found = which_heap(&snap.heaps[i], place / page_size, place % page_size);
	if (!found)
		printf("no heap of goalloc's has it\n");
	free(headers);
	snapshot_free(&snap);
	return found ? STATUS_OK : STATUS_FALSE;
}
