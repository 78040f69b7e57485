#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every header of the engine and of hlsgen compiles alone, and begins with #pragma once.
# usage: check-headers.sh SOURCE BUILD CC…
set -u
source=$1 build=$2; shift 2
cc="$*"
flags="-std=gnu17 -fsyntax-only -Wall -Werror -I$build -I$source/engine -I$source/hlsgen"
for room in "$source"/engine/*/; do flags+=" -I$room"; done
flags+=" $(pkg-config --cflags glib-2.0 gobject-2.0 gio-2.0 json-glib-1.0 hdf5-serial 2> /dev/null || pkg-config --cflags glib-2.0 gobject-2.0 gio-2.0 json-glib-1.0)"
log=$(mktemp)
n=0 bad=0
for header in "$source"/engine/*.h "$source"/engine/*/*.h "$source"/hlsgen/*.h; do
  n=$((n + 1)) name=${header#"$source"/}
  if ! grep -q '^#pragma once' "$header"; then
    echo "not ok $n - $name has no #pragma once"; bad=1
  elif ! printf '#include "%s"\n' "$header" | $cc $flags -x c - 2> "$log"; then
    echo "not ok $n - $name"; sed 's/^/# /' "$log"; bad=1
  else
    echo "ok $n - $name"
  fi
done
rm -f "$log"
echo "1..$n"
exit $bad
