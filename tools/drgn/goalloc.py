#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""
goalloc's heaps in a live kernel or a vmcore, for drgn.

As a program:

    goalloc.py --core vmcore --vmlinux vmlinux --module goalloc.ko stats
    goalloc.py --vmlinux vmlinux --module goalloc.ko which 0xffff888004a01040

without --core the running kernel. In drgn, or a script for it:

    import goalloc
    for heap in goalloc.Goalloc(prog).heaps():
        print(heap.name, heap.ledger()["live_bytes"])

Layouts come from the debug information of vmlinux and goalloc.ko, addresses from
the table of symbols that the kernel keeps of each module, the size classes from
the module's tables. That works where drgn itself does not know how a kernel
lays out its modules, as drgn 0.0.22 with Linux 6.4 and later.

The numbers are those of goalloc/stats.c, by the same sums. In a live kernel they
are read while they change, as there, but without a lock.
"""

import argparse
import os
import sys

try:
    import drgn
    from drgn import Object
    from drgn.helpers.linux.cpumask import for_each_possible_cpu
    from drgn.helpers.linux.list import list_for_each_entry
    from drgn.helpers.linux.percpu import per_cpu_ptr
    import goalloc_show
    from goalloc_load import Error, Module, check_module_file, load
except ImportError as no_drgn:
    sys.exit(f"goalloc.py: no drgn for {sys.executable} ({no_drgn}): "
             "install python3-drgn, or run it with the python3 that has it")


LEVELS = ("task", "softirq", "hardirq", "nmi")
# Rows of the ledger that add up to what is held.
LEDGER_SUM = ("live_bytes", "rounding_bytes", "cached_bytes", "central_bytes",
              "quarantine_bytes", "tail_bytes", "page_cache_bytes", "free_bytes")


def popcount(word):
    return bin(word).count("1")


class Goalloc:
    """goalloc as it is loaded in a kernel."""

    def __init__(self, prog, build_id=None):
        self.prog = prog
        try:
            prog.type("struct goalloc_heap").members
            prog.type("struct goalloc_cache").members
        except (LookupError, TypeError) as e:
            raise Error("no debug information of goalloc.ko: say where a goalloc.ko with "
                        "some is") from e
        self.module = module = Module(prog, "goalloc")
        loaded = module.build_id()
        if build_id and loaded and loaded != build_id:
            raise Error("this goalloc.ko is another version than the one in the kernel: "
                        f"build ID {build_id}, not {loaded}")
        node = prog.type("struct heap_node")
        self.nr_bins = self._member_type(node, "central").length
        self.levels = self._member_type(prog.type("struct goalloc_pcpu"), "made").length
        self.leaf_pages = self._member_type(prog.type("struct pagemap_leaf"), "span").length
        self.size = self._table("sizeclass_size", "unsigned short")
        self.pages = self._table("sizeclass_pages", "unsigned char")
        self.objs = self._table("sizeclass_objs", "unsigned short")
        # Objects of 8 bytes leave no tail in their span, so its length is known.
        self.page_size = self.size[1] * self.objs[1] // self.pages[1]
        self.page_shift = self.page_size.bit_length() - 1
        if 1 << self.page_shift != self.page_size or self.page_shift < 12:
            raise Error("the module's size classes make no sense: it is another version")
        # Tiny blocks are slots of the class of 16 bytes, in bin 0.
        self.tiny_class = next(i for i in range(1, self.nr_bins) if self.size[i] == 16)
        self.space = module.variable("goalloc_space", "struct heap_space")
        self.default = module.variable("goalloc_default", "struct goalloc_heap *")
        self.no_span = module.symbols["pagemap_no_span"]
        self.cache_none = module.symbols["cache_none"]
        self.cache_no_span = module.symbols["cache_no_span"]
        self.no_leaf = module.symbols["pagemap_no_leaf"]
        self.cpus = list(for_each_possible_cpu(prog))
        self.slot = self._enum("enum slot_state")
        self.place = self._enum("enum span_place")
        self.kind = self._enum("enum span_kind")

    @staticmethod
    def _member_type(type_, name):
        return type_.member(name).type

    def _enum(self, name):
        return {e.name: e.value for e in self.prog.type(name).enumerators}

    def _table(self, name, type_):
        array = self.prog.array_type(self.prog.type(type_), self.nr_bins)
        return self.module.variable(name, array).value_()

    def heaps(self):
        """All heaps, the default one first."""
        head = self.module.variable("heaps", "struct list_head")
        found = [Heap(self, h) for h in
                 list_for_each_entry("struct goalloc_heap", head.address_of_(), "all")]
        return sorted(found, key=lambda h: (not h.is_default(), h.name))

    def heap(self, name="default"):
        for heap in self.heaps():
            if heap.name == name:
                return heap
        raise Error(f"no heap '{name}'; there are: " + ", ".join(h.name for h in self.heaps()))

    def shape(self, bin_):
        """Bytes of an object, pages of a span, objects in it."""
        cls = bin_ or self.tiny_class
        return self.size[cls], self.pages[cls], self.objs[cls]

    def bin_name(self, bin_):
        return str(bin_) if bin_ else "tiny"

    def bad_free_names(self):
        nr = self.prog["NR_BAD_FREES"].value_()
        type_ = self.prog.array_type(self.prog.pointer_type(self.prog.type("char")), nr)
        return [p.string_().decode() for p in self.module.variable("bad_free_names", type_)]

    def find_span(self, addr):
        """The span an address lies in, or None."""
        map_ = self.space.map
        page = addr - map_.base.value_() >> self.page_shift
        if page < 0 or page >= map_.row.nr_pages.value_():
            return None
        leaf = map_.row.leaf[page // self.leaf_pages]
        if leaf.value_() == self.no_leaf:
            return None
        span = leaf.span[page % self.leaf_pages]
        return None if span.value_() == self.no_span else Span(self, span)

    def _which_guarded(self, addr):
        """What an address in the pool of guarded objects is, or None."""
        if "guard_pool" not in self.module.symbols:
            return None
        pool = self.module.variable("guard_pool", "struct guard_pool")
        offset = addr - pool.base.value_()
        if not 0 <= offset < pool.bytes.value_():
            return None
        # Slots have every second page; what is between is never mapped.
        slot, mapped = divmod(offset // self.prog["PAGE_SIZE"].value_() - 1, 2)
        if mapped or not 0 <= slot < pool.nr.value_():
            return {"state": "page between guarded objects"}
        slot = pool.slot[slot]
        live = slot.state.counter.value_() == self.prog["GUARD_LIVE"].value_()
        return {"state": "guarded object" if live else "place of a guarded object, free",
                "heap": slot.name.string_().decode(), "object": slot.addr.value_(),
                "size": slot.size.value_(), "offset": addr - slot.addr.value_()}

    def which(self, addr):
        """What an address is, as a dict; its "state" is always there."""
        span = self.find_span(addr)
        if span:
            return span.which(addr)
        return self._which_guarded(addr) or self._which_page(addr)

    def _which_page(self, addr):
        base = self.space.map.base.value_()
        page = addr - base >> self.page_shift
        for heap in self.heaps():
            for node in heap.nodes():
                state = heap.page_state(node, page) if page >= 0 else None
                if state:
                    return {"state": state, "heap": heap.name,
                            "node": node.nid.value_(), "page": page}
        return {"state": "not goalloc's"}


class Span:
    """A run of pages that is cut into slots."""

    def __init__(self, goalloc, ptr):
        self.goalloc = goalloc
        self.ptr = ptr
        self.obj = obj = ptr[0].read_()
        self.base = obj.base.value_()
        self.page = obj.page.value_()
        self.npages = obj.npages.value_()
        self.bin = obj.bin.value_()
        self.kind = obj.kind.value_()
        self.place = obj.place.value_()
        self.size = obj.elemsize.value_()
        self.objs = obj.bits.nelems.value_()
        self.nr_free = obj.nr_free.value_()
        self.lent = obj.lent.value_()
        self.asked = obj.asked.value_()
        self.home = obj.home

    def is_large(self):
        return self.kind == self.goalloc.kind["SPAN_LARGE"]

    def heap(self):
        return Heap(self.goalloc, self.home.heap)

    def unused(self):
        """Slots that the owner can still take: span_bits_unused()."""
        bits = self.ptr.bits
        free = bits.freeindex.value_()
        n = 0
        for i in range((self.objs + 63) // 64):
            first = i * 64
            taken = bits.words[i].value_()
            if free >= first + 64:
                taken = (1 << 64) - 1
            elif free > first:
                taken |= (1 << free - first) - 1
            valid = (1 << min(64, self.objs - first)) - 1
            n += popcount(~taken & valid)
        return n

    def states(self):
        """The state byte of each slot."""
        return self.goalloc.prog.read(self.obj.state.value_(), self.objs)

    def state_name(self, state):
        slot = self.goalloc.slot
        if slot["SLOT_CACHED"] <= state < slot["SLOT_TAIL"]:
            token = state - slot["SLOT_CACHED"]
            tokens = slot["SLOT_TAIL"] - slot["SLOT_CACHED"]
            cpus = [f"{c} {LEVELS[l]}" for c in self.goalloc.cpus for l in range(3)
                    if (c * 3 + l) % tokens == token]
            return "free, in the cache of CPU " + " or ".join(cpus) if cpus else "free"
        for name, text in (("FREE", "free"), ("LIVE", "live"), ("LARGE", "live"),
                           ("TINY_OPEN", "live, tiny block still packed"),
                           ("TINY", "live, tiny block"), ("SAMPLED", "live, in the profile"),
                           ("DEFERRED", "freed, to be collected"),
                           ("BUSY", "being allocated or freed"),
                           ("QUARANTINE", "freed, in quarantine")):
            if slot.get("SLOT_" + name) == state:
                return text
        return f"state {state}"

    def is_live(self, state):
        slot = self.goalloc.slot
        return state in (slot["SLOT_LIVE"], slot["SLOT_LARGE"], slot["SLOT_TINY"],
                         slot["SLOT_TINY_OPEN"], slot["SLOT_SAMPLED"])

    def class_name(self):
        if self.is_large():
            return "large"
        return "tiny" if self.kind == self.goalloc.kind["SPAN_TINY"] else str(self.bin)

    def place_name(self):
        if self.is_large():
            return "large"
        for name, value in self.goalloc.place.items():
            if value == self.place:
                return name[len("SPAN_"):].lower()
        return str(self.place)

    def objects(self):
        """Addresses of the live objects; of tiny ones, those of the blocks."""
        return [self.base + i * self.size for i, s in enumerate(self.states()) if self.is_live(s)]

    def which(self, addr):
        slot = 0 if self.is_large() else (addr - self.base) // self.size
        found = {"heap": self.home.heap.name.string_().decode(),
                 "node": self.home.nid.value_(), "span": self.ptr.value_(),
                 "class": self.class_name(), "page": self.page, "pages": self.npages,
                 "place": self.place_name(), "size": self.size}
        if slot >= self.objs:
            return dict(found, state="behind the last object of a span")
        base = self.base + slot * self.size
        state = self.states()[slot]
        found.update(state=self.state_name(state), slot=slot, object=base, offset=addr - base)
        if self.kind == self.goalloc.kind["SPAN_TINY"] and self.is_live(state):
            found["tiny"] = "objects at " + " ".join(map(str, self.tiny_offsets(slot, state)))
        return found

    def tiny_offsets(self, slot, state):
        """Where in a block tiny objects begin; bit 15 may be the packing cache's."""
        live = self.obj.tiny[slot].live.value_()
        if state == self.goalloc.slot["SLOT_TINY_OPEN"]:
            live &= ~(1 << 15)
        return [i for i in range(16) if live >> i & 1]


class Heap:
    """A heap."""

    LEVELS = LEVELS
    LEDGER_SUM = LEDGER_SUM

    def __init__(self, goalloc, ptr):
        self.goalloc = goalloc
        self.ptr = ptr
        self.name = ptr.name.string_().decode(errors="replace")
        self._caches = None

    def is_default(self):
        return self.ptr.value_() == self.goalloc.default.value_()

    def nodes(self):
        """struct heap_node of each node it has memory of."""
        for i in range(self.ptr.nr_nodes.value_()):
            node = self.ptr.node[i]
            if node:
                yield node

    def caches(self):
        """(cpu, level, struct goalloc_cache) of each cache; read once."""
        if self._caches is None:
            self._caches = []
            for cpu in self.goalloc.cpus:
                made = per_cpu_ptr(self.ptr.cpus, cpu).made
                for level in range(self.goalloc.levels):
                    if made[level].value_() != self.goalloc.cache_none:
                        self._caches.append((cpu, level, made[level][0].read_()))
        return self._caches

    def page_caches(self):
        """(cpu, struct cpu_pages) of each CPU."""
        for cpu in self.goalloc.cpus:
            yield cpu, per_cpu_ptr(self.ptr.cpu_pages, cpu)[0].read_()

    def page_state(self, node, page):
        """What a page without a span is, or None if it is not the node's."""
        chunk_pages = self.goalloc.leaf_pages
        number = page // chunk_pages
        palloc = node.palloc
        if not palloc.start.value_() <= number < palloc.end.value_():
            return None
        type_ = self.goalloc.prog.type("struct palloc_chunk")
        # A block of bitmaps is 4 KiB.
        chunks = 4096 // type_.size
        block = palloc.blocks[number // chunks]
        if not block:
            return None
        chunk = Object(self.goalloc.prog, type_,
                       address=block.value_() + number % chunks * type_.size)
        bit = page % chunk_pages
        alloc = chunk.alloc[bit // 64].value_() >> bit % 64 & 1
        scavenged = chunk.scavenged[bit // 64].value_() >> bit % 64 & 1
        if alloc and scavenged:
            return None
        if not alloc:
            return "free page, zero" if scavenged else "free page"
        return "free page in a CPU's page cache, or on its way"

    def asked(self, cache, bin_, left):
        """profile_asked()"""
        return cache.gap[bin_].drawn.value_() - left.value_()

    def owned_spans(self, central):
        for span in list_for_each_entry("struct goalloc_span", central.owned.address_of_(),
                                        "list"):
            yield Span(self.goalloc, span)

    def bin(self, bin_):
        """stats_bin(): the numbers of one class."""
        names = ("allocs", "frees", "asked", "quarantined", "cached", "central", "spans",
                 "owned", "partial", "refills", "flushes", "locks", "contended")
        bs = dict.fromkeys(names, 0)
        remote = 0
        for _, _, cache in self.caches():
            b = cache.bin[bin_]
            pops, count = divmod(b.line.value_(), 1 << 16)
            remote += cache.remote.frees[bin_].value_()
            bs["allocs"] += pops
            bs["frees"] += pops + b.flushed.value_() + count - b.filled.value_()
            bs["asked"] += self.asked(cache, bin_, b.left)
            bs["refills"] += b.refills.value_()
            bs["flushes"] += b.flushes.value_()
            bs["cached"] += count
        for node in self.nodes():
            central = node.central[bin_]
            now = central.read_()
            quarantined = now.quarantined.counter.value_()
            bs["allocs"] += now.allocs.value_() + now.lent.value_()
            bs["quarantined"] += quarantined
            bs["frees"] += now.frees.value_() + quarantined
            remote -= now.remote_frees.value_()
            bs["frees"] += now.remote_frees.value_()
            bs["asked"] += now.asked.value_()
            bs["central"] += now.nr_free.value_()
            bs["spans"] += now.nr_spans.value_()
            bs["owned"] += now.nr_owned.value_()
            bs["locks"] += now.locks.value_()
            bs["contended"] += now.contended.value_()
            for head in central.partial:
                bs["partial"] += sum(1 for _ in list_for_each_entry(
                    "struct goalloc_span", head.address_of_(), "list"))
            for span in self.owned_spans(central):
                unused = span.unused()
                bs["allocs"] += span.lent - unused
                bs["cached"] += unused
        # On their way home.
        bs["frees"] += remote
        bs["cached"] += remote
        bs["full"] = bs["spans"] - bs["owned"] - bs["partial"]
        bs["live"] = bs["allocs"] - bs["frees"]
        return bs

    def large(self):
        """stats_large(): the numbers of large objects."""
        ls = dict.fromkeys(("allocs", "frees", "asked", "pages", "quarantined_pages"), 0)
        for node in self.nodes():
            kept = node.quarantined_pages.counter.value_()
            ls["allocs"] += node.large_allocs.value_()
            ls["frees"] += node.large_frees.value_() + node.quarantined.counter.value_()
            ls["asked"] += node.large_asked.value_() - node.quarantined_asked.counter.value_()
            ls["pages"] += node.large_pages.value_() - kept
            ls["quarantined_pages"] += kept
        ls["live"] = ls["allocs"] - ls["frees"]
        return ls

    def ledger(self):
        """goalloc_heap_stats(): the names and numbers of the file vmstat."""
        g, heap = self.goalloc, self.ptr
        self._caches = None
        st = dict.fromkeys(("held_bytes",) + LEDGER_SUM + (
            "metadata_bytes", "grown_bytes", "released_bytes", "live_objects", "allocs",
            "frees", "asked_bytes", "alloc_bytes", "tiny_objects", "page_cache_hits",
            "page_cache_misses", "drains", "idle_drains", "drained_bytes"), 0)
        for bin_ in range(g.nr_bins):
            size, npages, objs = g.shape(bin_)
            bs = self.bin(bin_)
            st["allocs"] += bs["allocs"]
            st["frees"] += bs["frees"]
            st["live_objects"] += bs["live"]
            st["live_bytes"] += bs["live"] * size
            st["cached_bytes"] += bs["cached"] * size
            st["central_bytes"] += bs["central"] * size
            st["quarantine_bytes"] += bs["quarantined"] * size
            st["tail_bytes"] += bs["spans"] * ((npages << g.page_shift) - size * objs)
            if bin_:    # not the blocks of tiny objects
                st["asked_bytes"] += bs["asked"]
                st["alloc_bytes"] += bs["allocs"] * size
        ls = self.large()
        st["allocs"] += ls["allocs"]
        st["frees"] += ls["frees"]
        st["live_objects"] += ls["live"]
        st["live_bytes"] += ls["asked"]
        st["quarantine_bytes"] += ls["quarantined_pages"] << g.page_shift
        st["rounding_bytes"] = (ls["pages"] << g.page_shift) - ls["asked"]
        guarded = heap.nr_guard_allocs.counter.value_()
        guard_live = guarded - heap.nr_guard_frees.counter.value_()
        st["allocs"] += guarded
        st["frees"] += guarded - guard_live
        st["live_objects"] += guard_live
        for _, pages in self.page_caches():
            st["page_cache_bytes"] += popcount(pages.cache.cache.value_()) << g.page_shift
            st["page_cache_hits"] += pages.hits.value_()
            st["page_cache_misses"] += pages.misses.value_()
        st["tiny_objects"] = heap.nr_tiny_direct.counter.value_() + sum(
            c.tiny.allocs.value_() - c.tiny.frees.value_() for _, _, c in self.caches())
        for node in self.nodes():
            st["free_bytes"] += node.palloc.nr_free.value_() << g.page_shift
            st["grown_bytes"] += node.grown.value_() << g.page_shift
            st["released_bytes"] += node.released.value_() << g.page_shift
        st["held_bytes"] = st["grown_bytes"] - st["released_bytes"]
        st["metadata_bytes"] = heap.meta.bytes.counter.value_()
        if self.is_default():
            st["metadata_bytes"] += heap.space.meta.bytes.counter.value_()
        st["drains"] = heap.nr_drains.counter.value_()
        st["idle_drains"] = heap.nr_idle_drains.counter.value_()
        st["drained_bytes"] = heap.drained.counter.value_()
        self._ledger_guard(st, guarded, guard_live)
        st["failed"] = heap.nr_failed.counter.value_()
        for kind, name in enumerate(g.bad_free_names()):
            st["bad_frees_" + name] = heap.nr_bad[kind].counter.value_()
        harden = heap.harden
        st["overflows"] = harden.overflows.counter.value_() if harden else 0
        st["use_after_frees"] = harden.use_after_frees.counter.value_() if harden else 0
        st["safe_mode"] = int(bool(heap.safe.broken.counter.value_()))
        st["safe_ignored_frees"] = heap.safe.ignored.counter.value_()
        st["safe_objects"] = heap.safe.objects.counter.value_()
        st["safe_bytes"] = heap.safe.bytes.counter.value_()
        return st

    def _ledger_guard(self, st, guarded, guard_live):
        g = self.goalloc
        names = ("full", "faults", "damaged")
        st["guard_bytes"] = 0
        st["guard_objects"] = guard_live
        st["guard_allocs"] = guarded
        st.update(("guard_" + name, 0) for name in names)
        if not self.is_default() or "guard_pool" not in g.module.symbols:
            return
        pool = g.module.variable("guard_pool", "struct guard_pool")
        if pool.bytes.value_():
            st["guard_bytes"] = (pool.nr.value_() + 1) * g.prog["PAGE_SIZE"].value_()
            for name in names:
                st["guard_" + name] = getattr(pool, name).counter.value_()

    def spans(self):
        """All spans in the order of addresses."""
        found = []
        for node in self.nodes():
            for central in node.central:
                for head in [central.full, central.owned] + list(central.partial):
                    found += [Span(self.goalloc, s) for s in list_for_each_entry(
                        "struct goalloc_span", head.address_of_(), "list")]
            found += [Span(self.goalloc, s) for s in list_for_each_entry(
                "struct goalloc_span", node.large.address_of_(), "list")]
        return sorted(found, key=lambda s: s.page)

    def objects(self, name=None):
        """(address, bytes) of the live objects, of one class by its name or of all."""
        for span in self.spans():
            if name in (None, span.class_name()):
                for addr in span.objects():
                    yield addr, span.size

    def level(self, cache):
        """stats_level(): a cache's own numbers, as far as they are bytes and counts."""
        g = self.goalloc
        ls = {"used": cache.remote.bytes.value_(), "allocs": cache.carved.value_(),
              "refills": 0, "frees": 0, "flushes": 0, "passed": cache.passed.value_(),
              "charged": cache.cap.used.value_() + cache.remote.bytes.value_(),
              "steals": cache.cap.steals.value_(), "denied": cache.cap.denied.value_(),
              "remote": cache.remote.puts.value_()}
        for bin_ in range(g.nr_bins):
            b = cache.bin[bin_]
            size = g.shape(bin_)[0]
            pops, count = divmod(b.line.value_(), 1 << 16)
            ls["used"] += count * size
            ls["allocs"] += pops
            ls["frees"] += pops + b.flushed.value_() + count - b.filled.value_()
            ls["refills"] += b.refills.value_()
            ls["flushes"] += b.flushes.value_()
            if b.span.value_() != g.cache_no_span:
                span = Span(g, b.span)
                unused = span.unused()
                ls["used"] += unused * size
                ls["allocs"] += span.lent - unused
        return ls


def parse_args(argv):
    parser = argparse.ArgumentParser(
        prog="goalloc.py", description="goalloc's heaps in a live kernel or a vmcore")
    parser.add_argument("--core", metavar="FILE", help="vmcore; without it the running kernel")
    parser.add_argument("--vmlinux", metavar="FILE", help="vmlinux with debug information")
    parser.add_argument("--module", metavar="FILE", help="goalloc.ko with debug information")
    parser.add_argument("--heap", metavar="NAME", default="default", help="heap (default)")
    command = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    stats = command.add_parser("stats", help="where every byte is")
    stats.add_argument("--vmstat", action="store_true",
                       help="names and numbers, as in the file vmstat")
    command.add_parser("heaps", help="the names of the heaps")
    command.add_parser("classes", help="a row per size class")
    command.add_parser("spans", help="a row per span, with its address")
    command.add_parser("percpu", help="a row per cache of a CPU")
    which = command.add_parser("which", help="what addresses are")
    which.add_argument("addr", nargs="+", type=lambda a: int(a, 16), metavar="ADDRESS",
                       help="in hexadecimal")
    objects = command.add_parser("objects", help="addresses of live objects, and their bytes")
    objects.add_argument("class_", nargs="?", metavar="CLASS",
                         help="number of a class, tiny (whole blocks) or large; all if left out")
    return parser.parse_args(argv)


def run(args, prog=None):
    build_id = None
    if prog is None:
        prog = load(args.core, args.vmlinux, args.module)
    if args.module:
        build_id = check_module_file(args.module)
    goalloc = Goalloc(prog, build_id)
    if args.command == "heaps":
        for heap in goalloc.heaps():
            print(heap.name)
        return
    if args.command == "which":
        for addr in args.addr:
            goalloc_show.show_which(goalloc, addr)
        return
    heap = goalloc.heap(args.heap)
    if args.command == "stats":
        goalloc_show.show_stats(heap, args.vmstat)
    elif args.command == "classes":
        goalloc_show.show_classes(heap)
    elif args.command == "spans":
        goalloc_show.show_spans(heap)
    elif args.command == "percpu":
        goalloc_show.show_percpu(heap)
    elif args.command == "objects":
        for addr, size in heap.objects(args.class_):
            print(f"{addr:#x} {size}")


def main(argv):
    # `drgn -c vmcore goalloc.py stats` has a program for us already.
    prog = globals().get("prog")
    try:
        run(parse_args(argv), prog)
    except Error as e:
        print(f"goalloc.py: {e}", file=sys.stderr)
        return 1
    except drgn.FaultError as e:
        print(f"goalloc.py: memory that is not in the dump, or not this version: {e}",
              file=sys.stderr)
        return 1
    except (LookupError, AttributeError) as e:
        print(f"goalloc.py: this is another version of goalloc or of the kernel: {e}",
              file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
