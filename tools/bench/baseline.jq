# SPDX-License-Identifier: GPL-2.0-only
#
# What of bench.json is kept as baseline.json: the hot figures, of the two that
# the ratios are made from. Times are of the machine.

def hot:
	split(".") as [$case, $size, $who, $metric]
	| ($case[:4] == "bulk") as $bulk
	| if $case == "batch_alloc" or $case[:5] == "free_"
	  then $metric == "mean" and ($who == "goalloc" or $who == "kmalloc")
	  else $metric == "median" and
	       ($bulk or (($case == "pair" or $case == "alloc" or $case == "free")
			  and ($who == "goalloc" or $who == "kmalloc")))
	  end;

.figures |= with_entries(select(.key | startswith("init_on_alloc"))
	| .value |= with_entries(select(.key | hot)))
