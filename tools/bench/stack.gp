# SPDX-License-Identifier: GPL-2.0-only
#
# gnuplot stack.gp - what a call and its return cost in a loop, by what is used of the
# stack before, from the files that tools/bench/run leaves in the current directory.

set terminal svg size 900,420 dynamic enhanced font 'sans-serif,13' background '#ffffff'
set output '../bench-stack.svg'
set style line 1 lc rgb '#2166ac' lw 1.5 pt 7 ps 0.5
set style line 2 lc rgb '#b2182b' lw 1.5 pt 7 ps 0.5
set grid back lc rgb '#e0e0e0'
set key outside top center horizontal reverse Left
set border 3
set tics nomirror
set xrange [0:4096]
set xtics 512
set yrange [0:*]
set xlabel 'bytes used before the call, stacks of 2 KiB'
set ylabel 'instructions of a call and its return'
plot 'split-moved.dat' using 1:2 with linespoints ls 1 title 'moved when there is no room', \
	'split-segments.dat' using 1:2 with linespoints ls 2 title 'segments'
