// SPDX-License-Identifier: GPL-2.0-only

// What goalloc_gcbench.ko does, in Go: runs a program in so many goroutines that share
// the work, and says in one line what came of it, in the same words where they mean the
// same. With -samples=FILE what it held and had in use, every 10 ms.
//
//	GOGC=100 GODEBUG=gctrace=1 gcbench -work=trees -depth=16 -threads=4
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

// The shallowest of the trees that come and go.
const minDepth = 4

var maxDepth, threads uint

// program is what struct gcbench_work is to the module.
type program struct {
	begin func() uint64
	run   func(nr uint) uint64
	end   func() (uint64, bool)
	nodes func() uint64
}

var programs = map[string]program{
	"trees":   {treesBegin, treesRun, treesEnd, treesNodes},
	"gcbench": {boehmBegin, boehmRun, boehmEnd, boehmNodes},
}

// Nodes of a full tree.
func treeNodes(depth uint) uint64 {
	return 2<<depth - 1
}

type sample struct {
	when                     time.Duration
	live, goal, held, cycles uint64
}

// sampler looks every 10 ms, in a way that stops nobody.
type sampler struct {
	peak    uint64
	samples []sample
	stop    chan bool
	done    sync.WaitGroup
}

func (s *sampler) take(begin time.Time) {
	m := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/goal:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(m)
	held := m[2].Value.Uint64() - m[3].Value.Uint64()
	if held > s.peak {
		s.peak = held
	}
	if len(s.samples) < cap(s.samples) {
		s.samples = append(s.samples, sample{time.Since(begin), m[0].Value.Uint64(),
			m[1].Value.Uint64(), held, m[4].Value.Uint64()})
	}
}

func (s *sampler) run(begin time.Time) {
	defer s.done.Done()
	for {
		select {
		case <-s.stop:
			s.take(begin)
			return
		case <-time.After(10 * time.Millisecond):
			s.take(begin)
		}
	}
}

func (s *sampler) write(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "#ns live_bytes goal_bytes held_bytes cycles")
	for _, v := range s.samples {
		fmt.Fprintln(w, v.when.Nanoseconds(), v.live, v.goal, v.held, v.cycles)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func main() {
	work := flag.String("work", "trees", "which program: trees, gcbench")
	flag.UintVar(&maxDepth, "depth", 14, "depth of the tree that stays")
	flag.UintVar(&threads, "threads", 1, "how many goroutines share the work")
	name := flag.String("samples", "", "where to put samples")
	flag.Parse()
	p, ok := programs[*work]
	if !ok || maxDepth < minDepth || maxDepth > 24 || threads < 1 {
		flag.Usage()
		os.Exit(2)
	}

	s := sampler{stop: make(chan bool)}
	// Without samples to be kept the heap is the program's alone.
	if *name != "" {
		s.samples = make([]sample, 0, 20000)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.done.Add(1)
	begin := time.Now()
	go s.run(begin)
	nodes := make([]uint64, threads)
	total := p.begin()
	var all sync.WaitGroup
	for nr := uint(0); nr < threads; nr++ {
		all.Add(1)
		go func(nr uint) {
			nodes[nr] = p.run(nr)
			all.Done()
		}(nr)
	}
	all.Wait()
	counted, sound := p.end()
	took := time.Since(begin)
	runtime.ReadMemStats(&after)
	s.stop <- true
	s.done.Wait()

	total += counted
	for _, n := range nodes {
		total += n
	}
	verdict := 0
	if sound && total == p.nodes() {
		verdict = 1
	}
	fmt.Printf("work=%s depth=%d threads=%d ok=%d nodes=%d wanted=%d ns=%d cycles=%d peak=%d sys=%d stop_ns=%d procs=%d\n",
		*work, maxDepth, threads, verdict, total, p.nodes(), took.Nanoseconds(),
		after.NumGC-before.NumGC, s.peak, after.Sys, after.PauseTotalNs-before.PauseTotalNs,
		runtime.GOMAXPROCS(0))
	if *name != "" {
		if err := s.write(*name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			verdict = 0
		}
	}
	if verdict == 0 {
		os.Exit(1)
	}
}
