# SPDX-License-Identifier: GPL-2.0-only
#
# gnuplot -e "settings='0 1'" bench.gp - what pairs and batches cost, for these
# settings of init_on_alloc, from the files that tools/bench/run leaves in the
# current directory: size, goalloc, kmalloc, kmem_cache.

set terminal svg size 900,960 dynamic enhanced font 'sans-serif,13' background '#ffffff'
set output '../bench.svg'
set multiplot layout 3,1
set style line 1 lc rgb '#2166ac' lw 1.5 pt 7 ps 0.5
set style line 2 lc rgb '#b2182b' lw 1.5 pt 7 ps 0.5
set style line 3 lc rgb '#92c5de' lw 1.5 pt 7 ps 0.5
set logscale x 2
set xrange [7:37000]
set xtics (8, 16, 32, 64, 128, 256, 512, '1K' 1024, '2K' 2048, '4K' 4096, '8K' 8192, \
	'16K' 16384, '32K' 32768)
set yrange [0:*]
set grid back lc rgb '#e0e0e0'
set key outside top center horizontal reverse Left
set border 3
set tics nomirror
set xlabel 'bytes'

set title 'pair: an allocation and a free in turn' noenhanced
set ylabel 'goalloc to kmalloc'
plot for [i=1:words(settings)] 'pair-'.word(settings, i).'.dat' using 1:($2/$3) \
	with linespoints ls i title 'init_on_alloc='.word(settings, i) noenhanced

set ylabel 'instructions'
set logscale y
set yrange [*:*]
first = word(settings, 1)
do for [t in 'batch_alloc free_shuffled'] {
	file = t.'-'.first.'.dat'
	set title t.': the mean of many in a row, init_on_alloc='.first noenhanced
	plot file using 1:2 with linespoints ls 1 title 'goalloc', \
	     file using 1:3 with linespoints ls 2 title 'kmalloc', \
	     file using 1:4 with linespoints ls 3 title 'kmem_cache' noenhanced
}
unset multiplot
