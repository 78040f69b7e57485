#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the benchmarks of pruning and of the knapsack and writes their tables into docs/benchmarks.md.
# usage: tests/bench/pruning.sh BUILD-FOLDER   (real data sets: ESPALIER_SHARED, else ../shared beside the checkout)
set -eu
build=${1:?usage: tests/bench/pruning.sh BUILD-FOLDER}
top=$(cd "$(dirname "$0")/../.." && pwd)
page=$top/docs/benchmarks.md
export ESPALIER_SHARED=${ESPALIER_SHARED:-$top/../shared}
part=$(mktemp)
trap 'rm -f "$part" "$part.page"' EXIT
{
  echo '<!-- pruning: begin -->'
  echo '## Pruning'
  echo
  echo 'Made by `tests/bench/pruning.sh`. 16-bit weights (`fixed<16,6>`), xcvu13p, two threads, tolerance 1 % relative on the'
  echo 'validation part. DSP and BRAM (18 Kb) are estimates of the design as a whole, fixed parts (softmax tables) included; the proof'
  echo 'of every choice is against the importance scores. MNIST networks see the first 12,000 training images only.'
  echo 'Dry Bean, MNIST: two objectives at once (DSP and BRAM) are pruned by whole memory words.'
  echo
  "$build/tests/engine/bench-pruning"
  echo
  echo '## The knapsack'
  echo
  echo 'Made by `tests/bench/knapsack.c`, five random cases a row, budget one half; with four resources a gap of 0.001 % is asked for,'
  echo 'otherwise proven optimality.'
  echo
  "$build/tests/engine/bench-knapsack" || true
  echo '<!-- pruning: end -->'
} > "$part"
if grep -q '<!-- pruning: begin -->' "$page" 2>/dev/null; then
  awk -v part="$part" '/<!-- pruning: begin -->/ { while ((getline line < part) > 0) print line; skip = 1 }
       !skip { print } /<!-- pruning: end -->/ { skip = 0 }' "$page" > "$part.page"
else
  { cat "$page" 2>/dev/null || true; echo; cat "$part"; } > "$part.page"
fi
cp "$part.page" "$page"
