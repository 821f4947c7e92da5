# SPDX-License-Identifier: GPL-2.0-only
#
# gnuplot memory.gp - what is held over the traces' time, from the files that
# tools/bench/memory leaves in the current directory: seconds, MiB requested, MiB
# held.

set terminal svg size 900,720 dynamic enhanced font 'sans-serif,13' background '#ffffff'
set output 'memory.svg'
set multiplot layout 2,1
set style line 1 lc rgb '#808080' lw 1 dt 3
set style line 2 lc rgb '#b2182b' lw 1.5
set style line 3 lc rgb '#2166ac' lw 1.5
set style line 4 lc rgb '#92c5de' lw 1.5
set xlabel 'seconds of the trace; then nothing happens for ten more'
set ylabel 'MiB'
set yrange [0:*]
set grid back lc rgb '#e0e0e0'
set key outside top center horizontal reverse Left
set border 3
set tics nomirror
do for [t in 'boot mixed'] {
	set title t noenhanced
	plot t.'-goalloc.dat' every 3 using 1:2 with lines ls 1 title 'requested', \
	     t.'-goalloc.dat' every 3 using 1:3 with lines ls 3 title 'held by goalloc', \
	     t.'-kmalloc.dat' every 3 using 1:3 with lines ls 2 title 'held by kmalloc', \
	     t.'-kmem_cache.dat' every 3 using 1:3 with lines ls 4 title 'held by kmalloc and exact kmem\_caches'
}
unset multiplot
