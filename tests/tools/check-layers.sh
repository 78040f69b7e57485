#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Rules that include paths cannot enforce (docs/architecture.md). usage: check-layers.sh SOURCE
set -u
cd "$1" || exit 1
n=0 bad=0
# rule NAME, offending lines on stdin
rule() {
  local lines; lines=$(cat); n=$((n + 1))
  if [ -n "$lines" ]; then
    echo "not ok $n - $1"; printf '%s\n' "$lines" | head -n 10 | sed 's/^/# /'; bad=1
  else
    echo "ok $n - $1"
  fi
}
search() { grep -rnE "$@" 2> /dev/null || true; }
code='--include=*.c --include=*.h'

rule 'no GTK below the window' < <(search $code '#include [<"](gtk|adwaita|cairo|gdk)' engine hlsgen cli)
rule 'painters know Cairo and the scene only' < <(search $code '#include "(gtk|nn|hls|adw)|#include <(gtk|adwaita)' app/charts | grep -E '/(paint|app-scene|app-axis|app-palette)')
rule 'outsiders include nn.h and hls.h' < <(search $code '#include "(nn|hls)-' app cli)
rule 'GLPK in the knapsack only' < <(search $code '#include <glpk.h>' engine hlsgen app cli | grep -v '^engine/prune/nn-knapsack')
rule 'threads in three files only' < <(search $code 'pthread_create|g_thread_new|g_thread_try_new' engine hlsgen app cli | grep -vE '^(engine/base/nn-parallel.c|app/app-job.c|cli/main.c)')
rule 'no printing, exiting or locale-bound numbers in engine and hlsgen' < <(search --include=*.c '(^|[^A-Za-z0-9_.>"])(printf|strtod|atof|setlocale|exit|abort)[[:space:]]*\(' engine hlsgen | grep -vE '^[^:]*:[0-9]+: *(/?\*|//)|hlsgen/runtime/')
rule 'real numbers become text through nn_text only' < <(search --include=*.c '"[^"]*%[-+ 0-9.*]*[fge][^"]*"' engine hlsgen | grep -vE 'g_ascii_formatd|g_snprintf \(format|/\* ascii \*/|"%%')
rule 'nothing is left for later' < <(search $code '\b(TODO|FIXME|XXX)\b' app cli engine hlsgen)
rule 'no path of one machine' < <(git grep -nE '(^|[^A-Za-z0-9_./])/(work|farm|root)/' -- . 2> /dev/null | grep -v '^tests/tools/check-layers.sh')
rule 'every source names its licence' < <(for f in $(git ls-files '*.c' '*.h' 2> /dev/null); do head -n 1 "$f" | grep -q SPDX-License-Identifier || echo "$f"; done)
echo "1..$n"
exit $bad
