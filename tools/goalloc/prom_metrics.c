// SPDX-License-Identifier: GPL-2.0-only
/* Names, kinds and meanings of the metrics; what a file does not have is left out. */
#include "prom.h"

const struct metric prom_vmstat[] = {
	{ "held_bytes", "held_bytes", false, "Pages that the heap has from the kernel." },
	{ "metadata_bytes", "metadata_bytes", false, "The heap's own structures, beside held." },
	{ "grown_bytes", "grown_bytes_total", true, "Pages ever taken from the kernel." },
	{ "released_bytes", "released_bytes_total", true,
	  "Pages ever given back to the kernel." },
	{ "live_objects", "live_objects", false, "Objects in use." },
	{ "tiny_objects", "tiny_objects", false, "Tiny objects in use." },
	{ "allocs", "allocs_total", true, "Objects ever handed out." },
	{ "frees", "frees_total", true, "Objects ever taken back." },
	{ "asked_bytes", "asked_bytes_total", true, "Bytes ever requested of small objects." },
	{ "alloc_bytes", "alloc_bytes_total", true,
	  "Bytes of the classes that small objects were served from." },
	{ "page_cache_hits", "page_cache_hits_total", true,
	  "Requests for pages that page caches served." },
	{ "page_cache_misses", "page_cache_misses_total", true,
	  "Requests for pages that went on to the page tree." },
	{ "drains", "drains_total", true, "Times that a CPU's caches were emptied." },
	{ "idle_drains", "idle_drains_total", true, "Drains of caches that were not used." },
	{ "drained_bytes", "drained_bytes_total", true, "Bytes that drains took from caches." },
	{ "guard_bytes", "guard_bytes", false, "Pages of the pool of guarded objects." },
	{ "guard_objects", "guard_objects", false, "Guarded objects in use." },
	{ "guard_allocs", "guard_allocs_total", true, "Guarded objects ever handed out." },
	{ "guard_full", "guard_full_total", true, "Times that the pool had no free slot." },
	{ "guard_faults", "guard_faults_total", true, "Faults in the pool of guarded objects." },
	{ "guard_damaged", "guard_damaged_total", true,
	  "Guarded objects with bytes beside them overwritten." },
	{ "failed", "failed_total", true, "Allocations that failed for want of memory." },
	{ "overflows", "overflows_total", true,
	  "Times that bytes behind an object were found changed." },
	{ "use_after_frees", "use_after_frees_total", true,
	  "Times that a free object was found changed." },
	{ "safe_mode", "safe_mode", false, "1 if the heap was found broken." },
	{ "safe_ignored_frees", "safe_ignored_frees_total", true, "Frees ignored in safe mode." },
	{ "safe_objects", "safe_objects", false, "Objects from kmalloc() in safe mode." },
	{ "safe_bytes", "safe_bytes", false, "Bytes of objects from kmalloc() in safe mode." },
	{}
};

const struct metric prom_classes[] = {
	{ "allocs", "class_allocs_total", true, "Objects of the class ever handed out." },
	{ "frees", "class_frees_total", true, "Objects of the class ever taken back." },
	{ "live", "class_live_objects", false, "Objects of the class in use." },
	{ "cached", "class_cached_objects", false, "Free objects of the class in CPU caches." },
	{ "central", "class_central_objects", false,
	  "Free objects of the class in central spans." },
	{ "spans", "class_spans", false, "Spans of the class." },
	{ "full", "class_full_spans", false, "Spans of the class without a free object." },
	{ "partial", "class_partial_spans", false, "Spans of the class in the central lists." },
	{ "waste", "class_waste_bytes", false,
	  "Bytes held for the class that are not in objects in use." },
	{ "locks", "class_lock_acquisitions_total", true,
	  "Times that the central's lock of the class was taken." },
	{ "contended", "class_lock_contentions_total", true,
	  "Times that the central's lock of the class was waited for." },
	{}
};

const struct metric prom_nodes[] = {
	{ "held", "node_held_bytes", false, "Pages that the heap has from the node." },
	{ "large", "node_large_bytes", false, "Pages of large objects on the node." },
	{ "small", "node_small_bytes", false, "Pages of spans of small objects on the node." },
	{ "pcache", "node_page_cache_bytes", false, "Pages of the node in page caches." },
	{ "free", "node_free_bytes", false, "Free pages in the node's page tree." },
	{ "grown", "node_grown_bytes_total", true, "Pages ever taken from the node." },
	{ "released", "node_released_bytes_total", true, "Pages ever given back to the node." },
	{ "rfrees", "node_remote_frees_total", true,
	  "Objects that CPUs of other nodes brought home." },
	{ "rvisits", "node_remote_visits_total", true, "Visits with which they did." },
	{}
};

const struct metric prom_scavenger[] = {
	{ "heap_goal_bytes", "scavenger_goal_bytes", false,
	  "What the heap is to hold at most, after the scavenger's work." },
	{ "heap_soft_limit_bytes", "soft_limit_bytes", false,
	  "The heap's soft limit, 0 for none." },
	{ "heap_limit_bytes", "limit_bytes", false, "The heap's limit, 0 for none." },
	{}
};

/* Of all heaps: told once, with the default heap's file. */
const struct metric prom_global[] = {
	{ "all_held_bytes", "all_held_bytes", false, "Pages that all heaps have." },
	{ "all_soft_limit_bytes", "all_soft_limit_bytes", false,
	  "The soft limit of all heaps together, 0 for none." },
	{ "all_limit_bytes", "all_limit_bytes", false,
	  "The limit of all heaps together, 0 for none." },
	{ "thread_released_bytes", "scavenger_released_bytes_total", true,
	  "Bytes that the scavenger gave back." },
	{ "thread_parked", "scavenger_parked", false, "1 if the scavenger has nothing to do." },
	{ "shrinker_scans", "shrinker_scans_total", true, "Calls of the shrinker." },
	{ "shrinker_released_bytes", "shrinker_released_bytes_total", true,
	  "Bytes that the shrinker gave back." },
	{ "oom_calls", "oom_calls_total", true, "Calls for the machine being out of memory." },
	{ "oom_released_bytes", "oom_released_bytes_total", true,
	  "Bytes that these calls gave back." },
	{}
};

const struct metric prom_cpus[] = {
	{ "allowed", "cpu_allowed_bytes", false, "What the CPU's cache of this level may have." },
	{ "charged", "cpu_charged_bytes", false, "What the cache has of that, used or not." },
	{ "used", "cpu_used_bytes", false, "Free objects or pages in the cache." },
	{ "allocs", "cpu_allocs_total", true, "Objects or pages that the cache was asked for." },
	{ "hits", "cpu_hits_total", true, "Times that it had what was asked for." },
	{ "refills", "cpu_refills_total", true, "Times that it got more." },
	{ "frees", "cpu_frees_total", true, "Objects freed into the cache." },
	{ "flushes", "cpu_flushes_total", true, "Times that it gave objects back." },
	{ "passed", "cpu_passed_total", true, "Frees for which it had no room." },
	{ "steals", "cpu_steals_total", true, "Times that a class gave up room for another." },
	{ "denied", "cpu_denied_total", true, "Spans that did not fit." },
	{ "remote", "cpu_remote_frees_total", true, "Frees of other nodes' objects." },
	{}
};

const struct metric prom_pageheap[] = {
	{ "owned_pages", "page_heap_owned_pages", false, "Pages that the node's tree has." },
	{ "free_pages", "page_heap_free_pages", false, "Free pages in the node's tree." },
	{ "clean_pages", "page_heap_clean_pages", false, "Free pages that are known to be zero." },
	{ "chunks", "page_heap_chunks", false, "Chunks of the node with bitmaps." },
	{ "owned_chunks", "page_heap_owned_chunks", false, "Chunks that have a page." },
	{ "full_chunks", "page_heap_full_chunks", false, "Chunks that have no free page." },
	{ "longest_run_pages", "page_heap_longest_run_pages", false,
	  "Length of the longest run of free pages." },
	{ "metadata_bytes", "page_heap_metadata_bytes", false, "Bitmaps and summaries." },
	{}
};
