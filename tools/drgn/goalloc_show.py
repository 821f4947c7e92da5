# SPDX-License-Identifier: GPL-2.0-only
"""What goalloc.py prints of heaps."""

LEDGER_ROWS = (
    ("held", "held_bytes", "pages taken from the kernel"),
    ("live", "live_bytes", "objects in use"),
    ("rounding", "rounding_bytes", "large objects: whole pages less what was requested"),
    ("cached", "cached_bytes", "free objects in CPU caches"),
    ("central", "central_bytes", "free objects in central spans"),
    ("quarantine", "quarantine_bytes", "free objects kept from reuse"),
    ("tail", "tail_bytes", "room behind the last object of spans"),
    ("page cache", "page_cache_bytes", "free pages in CPU caches"),
    ("free pages", "free_bytes", "free pages in the page tree"),
    ("metadata", "metadata_bytes", "spans, bitmaps, maps, caches; beside held"),
)


def show_stats(heap, vmstat):
    st = heap.ledger()
    if vmstat:
        for name, value in st.items():
            print(name, value)
        return
    g = heap.goalloc
    held = st["held_bytes"]
    print(f"heap {heap.name}, page {g.page_size} bytes, {g.nr_bins - 1} size classes; "
          "shares are of held\n")
    for row, name, what in LEDGER_ROWS:
        share = f"{st[name] * 100 / held:6.1f}%" if held else "      -"
        print(f"  {row:14} {st[name]:14} {st[name] / 1024:12.1f} KiB {share}  {what}")
    total = sum(st[name] for name in heap.LEDGER_SUM)
    off = "holds" if total == held else f"off by {total - held} bytes"
    print("\n  held = live + rounding + cached + central + quarantine + tail + page cache + "
          f"free pages: {off}")
    print(f"  held = grown - released: {held} = {st['grown_bytes']} - {st['released_bytes']}")
    print(f"  objects: {st['live_objects']} live, {st['allocs']} allocated, "
          f"{st['frees']} freed; {st['tiny_objects']} tiny ones live")
    bad = {n[10:]: v for n, v in st.items() if n.startswith("bad_frees_")}
    print(f"  failed: {st['failed']}; bad frees: " +
          " ".join(f"{n} {v}" for n, v in bad.items()))
    if st["safe_mode"]:
        print("  the heap was found broken and is in safe mode")


def show_classes(heap):
    g = heap.goalloc
    print(f"#{'cls':>4} {'size':>6} {'pages':>5} {'objs':>5} {'allocs':>12} {'frees':>12} "
          f"{'live':>10} {'cached':>10} {'central':>10} {'spans':>8} {'full':>8} "
          f"{'partial':>8} {'waste':>12} {'locks':>10} {'contended':>9}")
    for i in range(1, g.nr_bins + 1):
        bin_ = i % g.nr_bins    # the tiny bin comes last
        size, npages, objs = g.shape(bin_)
        bs = heap.bin(bin_)
        waste = bs["spans"] * (npages << g.page_shift) - bs["live"] * size
        print(f"{g.bin_name(bin_):>5} {size:6} {npages:5} {objs:5} {bs['allocs']:12} "
              f"{bs['frees']:12} {bs['live']:10} {bs['cached']:10} {bs['central']:10} "
              f"{bs['spans']:8} {bs['full']:8} {bs['partial']:8} {waste:12} "
              f"{bs['locks']:10} {bs['contended']:9}")
    ls = heap.large()
    waste = (ls["pages"] << g.page_shift) - ls["asked"]
    print(f"{'large':>5} {'-':>6} {'-':>5} {1:5} {ls['allocs']:12} {ls['frees']:12} "
          f"{ls['live']:10} {0:10} {0:10} {ls['live']:8} {ls['live']:8} {0:8} {waste:12} "
          f"{'-':>10} {'-':>9}")


def show_spans(heap):
    print(f"#{'page':>12} {'pages':>6} {'class':>5} {'size':>8} {'objs':>5} {'used':>5} "
          f"{'place':>8} {'node':>4} {'asked':>10}  address")
    for s in heap.spans():
        used = 1 if s.is_large() else s.objs - s.nr_free
        asked = s.asked if s.is_large() else 0
        print(f"{s.page:13} {s.npages:6} {s.class_name():>5} {s.size:8} {s.objs:5} {used:5} "
              f"{s.place_name():>8} {s.home.nid.value_():4} {asked:10}  {s.base:#x}")


def show_percpu(heap):
    print(f"#{'cpu':>4} {'level':7} {'charged':>10} {'used':>10} {'allocs':>12} "
          f"{'refills':>10} {'frees':>12} {'flushes':>10} {'passed':>10} {'steals':>8} "
          f"{'denied':>8} {'remote':>12}")
    shift = heap.goalloc.page_shift
    pages = dict(heap.page_caches())
    for cpu in heap.goalloc.cpus:
        for owner, level, cache in heap.caches():
            if owner == cpu:
                ls = heap.level(cache)
                print(f"{cpu:5} {heap.LEVELS[level]:7} {ls['charged']:10} {ls['used']:10} "
                      f"{ls['allocs']:12} {ls['refills']:10} {ls['frees']:12} "
                      f"{ls['flushes']:10} {ls['passed']:10} {ls['steals']:8} "
                      f"{ls['denied']:8} {ls['remote']:12}")
        page = pages[cpu]
        if page.fills:
            used = bin(page.cache.cache.value_()).count("1") << shift
            hits, misses = page.hits.value_(), page.misses.value_()
            print(f"{cpu:5} {'pages':7} {used:10} {used:10} {hits + misses:12} "
                  f"{page.fills.value_():10} {'-':>12} {'-':>10} {'-':>10} {'-':>8} {'-':>8} "
                  f"{'-':>12}")


def show_which(goalloc, addr):
    found = goalloc.which(addr)
    print(f"{addr:#x}: {found.pop('state')}")
    for name, value in found.items():
        print(f"  {name:7} {value:#x}" if name in ("span", "object") else
              f"  {name:7} {value}")
