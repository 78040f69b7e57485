#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the benchmarks of pruning and of the knapsack and writes their tables into docs/benchmarks.md.
# usage: tests/bench/pruning.sh BUILD-FOLDER   (real data sets: ESPALIER_SHARED, else ../shared beside the checkout)
# BENCH_PREFIX: a command that runs each, for a machine that is not idle ("chrt -f 10")
set -eu
build=${1:?usage: tests/bench/pruning.sh BUILD-FOLDER}
top=$(cd "$(dirname "$0")/../.." && pwd)
page=$top/docs/benchmarks.md
export ESPALIER_SHARED=${ESPALIER_SHARED:-$top/../shared}
part=$(mktemp)
trap 'rm -f "$part" "$part.page"' EXIT
prefix=${BENCH_PREFIX:-}
machine=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
load() { cut -d ' ' -f 1 /proc/loadavg; }
{
  echo '<!-- pruning: begin -->'
  echo '## Pruning'
  echo
  echo 'Made by `tests/bench/pruning.sh`. 16-bit weights (`fixed<16,6>`), xcvu13p, two threads, tolerance 1 % relative on the'
  echo 'validation part; accuracy and AUC (mean over the classes) are those of that part. DSP, BRAM (18 Kb) and LUT are estimates of the'
  echo 'design as a whole, fixed parts (softmax tables) included; the proof of every choice is against the importance scores. MNIST'
  echo 'networks see the first 12,000 training images only. With BRAM among what falls, whole memory words are pruned; "snap" is the'
  echo 'choice between keeping, moving and cutting a weight.'
  echo
  echo "Times are of the whole run on $machine, $(nproc) processors, load $(load) when it began${prefix:+, each case run with \`$prefix\`}."
  echo
  # Case by case: none holds the machine for long.
  for case in 1 2 3 4 5 6 7 8 9 10 11 12; do
    $prefix "$build/tests/engine/bench-pruning" $case
  done
  echo
  echo '## The knapsack'
  echo
  echo 'Made by `tests/bench/knapsack.c`, ten random cases a row, budget one half; with four resources a gap of 0.001 % is asked for,'
  echo 'otherwise proven optimality.'
  echo
  echo "On $machine, load $(load) when it began${prefix:+, run with \`$prefix\`}."
  echo
  $prefix "$build/tests/engine/bench-knapsack" 10 || true
  echo '<!-- pruning: end -->'
} > "$part"
if grep -q '<!-- pruning: begin -->' "$page" 2>/dev/null; then
  awk -v part="$part" '/<!-- pruning: begin -->/ { while ((getline line < part) > 0) print line; skip = 1 }
       !skip { print } /<!-- pruning: end -->/ { skip = 0 }' "$page" > "$part.page"
else
  { cat "$page" 2>/dev/null || true; echo; cat "$part"; } > "$part.page"
fi
cp "$part.page" "$page"
