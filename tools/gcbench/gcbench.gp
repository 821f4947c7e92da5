# SPDX-License-Identifier: GPL-2.0-only
#
# gnuplot gcbench.gp - two pictures of `make bench-gc`, from the files that it leaves in
# the current directory: what is in use over time, and what the percentage does.

set terminal svg size 900,720 dynamic enhanced font 'sans-serif,13' background '#ffffff'
set style line 1 lc rgb '#2166ac' lw 1.5 pt 7 ps 0.6
set style line 2 lc rgb '#b2182b' lw 1.5 pt 7 ps 0.6
set style line 3 lc rgb '#808080' lw 1 dt 3
set style line 4 lc rgb '#92c5de' lw 1.5
set grid back lc rgb '#e0e0e0'
set key outside top center horizontal reverse Left
set border 3
set tics nomirror
set yrange [0:*]

set output 'collector-heap.svg'
set multiplot layout 2,1
set xlabel 'seconds of binary-trees'
set ylabel 'MiB'
set title 'goalloc'
plot 'goalloc.dat' using 1:2 with lines ls 1 title 'in use', \
     'goalloc.dat' using 1:3 with steps ls 2 title 'goal', \
     'trigger.dat' using 1:2 with steps ls 3 title 'trigger', \
     'goalloc.dat' using 1:4 with lines ls 4 title 'held'
set title 'Go'
plot 'go.dat' using 1:2 with lines ls 1 title 'in use', \
     'go.dat' using 1:3 with steps ls 2 title 'goal', \
     'go.dat' using 1:4 with lines ls 4 title 'held'
unset multiplot

set terminal svg size 900,960 dynamic enhanced font 'sans-serif,13' background '#ffffff'
set output 'collector-percent.svg'
set multiplot layout 3,1
set logscale x 2
set xrange [20:500]
set xtics (25, 50, 100, 200, 400)
set xlabel 'percent (GOGC)'
do for [i=1:3] {
	set title i == 1 ? 'time' : i == 2 ? 'CPU time of the collector' : 'peak of what is held'
	set ylabel i == 1 ? 'seconds' : i == 2 ? '% of all' : 'MiB'
	plot 'percent-goalloc.dat' using 1:i+1 with linespoints ls 1 title 'goalloc', \
	     'percent-go.dat' using 1:i+1 with linespoints ls 2 title 'Go'
}
unset multiplot
