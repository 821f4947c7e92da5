# SPDX-License-Identifier: GPL-2.0-only
#
# goalloc: the targets a person types. The work is done by Kbuild (what the
# modules are made of) and by the scripts under tools/, one per target.
#
# A line "target: ## text" and a line "#: NAME text" below are what
# `make help` prints.

#: KDIR=dir kernel build directory to build for
#: . (the running kernel's, else the newest /lib/modules/*/build)
#: KVER=6.12|6.1 one kernel by version
#: SUITE=glob only matching KUnit suites (make test SUITE=span)
#: DEBUG=1 make test: KASAN, lockdep, kmemleak, UBSAN and more: FLAVOUR=debug
#: FLAVOUR=name make test, make torture, make torture-gc: slim, debug, kcsan, kmsan, rt;
#: . make torture: stock, stock-rt as well (Debian's)
#: SECS=n SEED=n make torture, make torture-gc: how long, and where random numbers start
#: CYCLES=n make oom: how often
#: UPDATE=1 make bench, make check-fastpath: what is found is the standard from now on;
#: . make clients, make day, make bench-gc: it is the manual's table
#: BENCH=words make bench: which of bench, bench_pages, bench_harden, time, cpus (all)
#: PLOT=1 make bench: install what build/bench.svg takes, if it is missing
#: TRACE=file make run, make bench-replay: replay this trace instead of the shipped ones
#: CLIENTS=words make clients: which, or quick, or all (all)
#: MINUTES=n JOBS=words make day: how long on each (20), which jobs (all)
#: RECORD=n make day: seconds of it that are recorded on kmalloc and replayed (120; 0: none)
#: STRAY=1 make day: with goalloc's stray_guard
#: RECORDS=n make bench-replay: so many records of each trace (100000; 0: all)
#: ALLOCATORS=words make bench-replay, make clients, make day: which (all)
#: DEPTH=n ROUNDS=n make bench-gc: of the tree that stays (16), and how often each is run (1)
#: THREADS=words PERCENTS=words make bench-gc: how many at once (1 4), what GOGC is
#: . (25 50 100 200 400)
#: SMP=n CPUs of a guest (4)
#: MEM=size memory of a guest (1G)
#: APPEND=args make test: more arguments for the guest's kernel
#: TIMEOUT=seconds how long a test guest may take (300; debug 1200)
#: LLVM=1 build with clang, for a kernel built with clang
#: DESTDIR=dir PREFIX=dir make install: below which directory, and where the tool goes
#: . (/usr/local)
#: SIGN_KEY=file SIGN_CERT=file make install: sign goalloc.ko
#: GOALLOC_PAGE_SHIFT=12 4 KiB goalloc pages instead of 8 KiB
#: GOALLOC_DEBUG=1 check every free of pages against the bitmaps (make test DEBUG=1 does)
#: V=1 show the build's commands and every test case

MAKEFLAGS += --no-print-directory

# What a user may say on the command line reaches the scripts through the
# environment.
export KDIR KVER SUITE DEBUG FLAVOUR SECS SEED PRESSURE CYCLES UPDATE TRACE SMP MEM LLVM V GOALLOC_PAGE_SHIFT GOALLOC_DEBUG TIMEOUT APPEND
export DEPTH ROUNDS THREADS PERCENTS CLIENTS ALLOCATORS MINUTES RECORD JOBS STRAY DESTDIR PREFIX SIGN_KEY SIGN_CERT

.DEFAULT_GOAL := all
.PHONY: all tools check-tools check-drgn check-bpftrace run test bench bench-memory bench-release bench-replay bench-gc torture torture-gc oom lifetime numa clients clients-kunit day bench-compare check-fastpath check sim fuzz sim-bench shell doc install uninstall deb check-packages clean help

all: ## build goalloc.ko
	@tools/build-ko

tools: ## goalloc(8): look into heaps; with what there are libraries for
	@tools/setup tools
	@$(MAKE) -C tools/goalloc

check-tools: ## the tests of goalloc(8)
	@tools/setup tools
	@$(MAKE) -C tools/goalloc check

check-drgn: ## tools/drgn/goalloc.py against the guest whose dump it reads
	@tools/setup drgn
	@tools/drgn/test/run

check-bpftrace: ## the one-liners of Documentation/bpftrace.rst, in a guest
	@tools/setup run bpf
	@tools/bpf/run

run: ## boot a stock Debian kernel and replay the recorded traces in it
	@tools/setup run
	@tools/replay/run

test: ## build small KUnit kernels, run all suites in them under QEMU
	@tools/setup test
	@tools/qemu/test

check: ## warnings, sparse, checkpatch, clang, shellcheck, generated files, the manual
	@tools/setup check
	@tools/check

bench: ## instructions per operation beside kmalloc, under QEMU's -icount, and times
	@tools/setup run bench $(if $(PLOT),plot)
	@tools/bench/run

bench-compare: ## what moved between two build/bench.json: A=old.json B=new.json, or just both
	@tools/setup bench
	@tools/bench/compare '$(A)' '$(B)'

check-fastpath: ## instructions on the fast paths, none of them locked (UPDATE=1: as they are now)
	@tools/setup fastpath
	@tools/bench/fastpath

# The two files may stand there as if they were targets.
bench-files := $(filter %.json,$(MAKECMDGOALS))
ifneq ($(bench-files),)
A := $(word 1,$(bench-files))
B := $(word 2,$(bench-files))
.PHONY: $(bench-files)
$(bench-files): ; @:
endif

bench-memory: ## how much memory is held for how much is in use, beside kmalloc
	@tools/setup run plot
	@tools/bench/memory

bench-release: ## how fast freed memory goes back to the kernel
	@tools/setup run
	@tools/bench/release

bench-replay: ## the recorded traces through goalloc, kmalloc and the classical methods
	@tools/setup run bench
	@tools/replay/bench

bench-gc: ## collected heaps beside Go: binary-trees and GCBench, times, stops, memory
	@tools/setup run plot gcbench
	@tools/gcbench/run

clients: ## parts of the kernel on goalloc and on kmalloc: file systems, drivers, libraries
	@tools/setup run test clients
	@tools/clients/run

clients-kunit: ## the kernel's own KUnit tests of allocation, on goalloc and on kmalloc
	@tools/setup test clients
	@tools/clients/kunit

day: ## a Debian whose root file system is ext4 on goalloc, a day's work on it, and on kmalloc
	@tools/setup run test clients tools day
	@tools/clients/day/run

numa: ## guests with two and four nodes: whose memory is used, plugging it in and out
	@tools/setup run
	@tools/numa/run

shell: ## the guest of `make run` with a prompt, goalloc loaded
	@tools/setup run
	@tools/qemu/shell

lifetime: ## load and unload at awkward moments in a test kernel
	@tools/setup torture
	@tools/lifetime/run

torture: ## use goalloc from every context at once in a test kernel (SECS=30)
	@tools/setup torture
	@tools/torture/run

torture-gc: ## collected heaps: use them on all CPUs, collect all the time, count what lives
	@tools/setup torture
	@tools/torture/run gc

oom: ## drive a guest of 64 MiB out of memory and back, in every context (CYCLES=3)
	@tools/setup torture
	@tools/torture/oom

install: ## goalloc.ko for one kernel, goalloc(8), its page and completion
	@tools/setup install
	@tools/packaging/install

uninstall: ## take away what `make install` has put there
	@tools/packaging/install -u

deb: ## Debian packages, in build/deb: goalloc-dkms, -tools, -dev, -doc
	@tools/setup deb
	@tools/packaging/deb

check-packages: ## build, install, use and purge the packages, on this machine, as root
	@tools/setup deb packages
	@tools/packaging/test

ifneq ($(wildcard tools/sim/Makefile),)
sim: ## the allocator's core in user space, with sanitizers
	@$(MAKE) -C tools/sim

fuzz: ## feed the core in user space random input (SECS=60)
	@$(MAKE) -C tools/sim fuzz

sim-bench: ## cost of page runs by size of the heap, in user space
	@$(MAKE) -C tools/sim bench
endif

doc: ## the manual, as HTML in build/doc/html, and man pages in build/doc/man
	@tools/setup doc
	@tools/doc

clean: ## remove what was built here (kernels stay in the cache)
	@rm -rf build goalloc.ko
	@if [ -f tools/sim/Makefile ]; then $(MAKE) -s -C tools/sim clean; fi

help: ## this text
	@echo 'Targets:'
	@sed -n -E 's/^([a-z-]+): ## (.*)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 27
	@echo 'Variables:'
	@sed -n -E 's/^#: \. +/  \t/p; s/^#: ([^ ]+) +/  \1\t/p' \
		$(firstword $(MAKEFILE_LIST)) | expand -t 27
