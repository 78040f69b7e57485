#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# All pictures of the documentation with one command. usage: screenshots.sh [BUILD [FOLDER]]
# The sample is opened and optimised by the program itself, which then takes its own pictures (app/app-shots.c).
# Needs: xvfb, xauth, dbus; imagemagick to make the files smaller where it is there.
set -e
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${1:-$top/build} out=${2:-$top/docs/screenshots}
mkdir -p "$out"
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir -p "$home/config/gtk-4.0"
printf '[Settings]\ngtk-font-name=Cantarell 11\n' > "$home/config/gtk-4.0/settings.ini"
export HOME="$home" XDG_CONFIG_HOME="$home/config" XDG_CACHE_HOME="$home/cache" XDG_STATE_HOME="$home/state" XDG_DATA_HOME="$home/data"
export GSETTINGS_BACKEND=memory GSK_RENDERER=cairo LC_ALL=C.UTF-8 ESPALIER_LOCALEDIR="$build/po"
shoot() { # SUFFIX SIZE [VARIABLE=VALUE…]
  suffix=$1 size=$2; shift 2
  env ESPALIER_SHOTS="$out" ESPALIER_SHOTS_SUFFIX="$suffix" ESPALIER_SHOTS_SIZE="$size" "$@" \
    xvfb-run -a -s '-screen 0 1600x1000x24 -noreset' dbus-run-session -- "$build/app/espalier" > "$home/log" 2>&1 || { cat "$home/log"; exit 1; }
}
sample="ESPALIER_SHOTS_SAMPLE=1 ESPALIER_SHOTS_RUN=1"
shoot "" 1240x800
shoot "" 1240x800 $sample
shoot -dark 1240x800 $sample ADW_DEBUG_COLOR_SCHEME=prefer-dark
shoot -contrast 1240x800 $sample ADW_DEBUG_HIGH_CONTRAST=1
shoot -narrow 400x760 $sample
shoot -de 1240x800 $sample LANGUAGE=de
shoot -rtl 1240x800 $sample ESPALIER_SHOTS_RTL=1
shoot -large 1240x800 $sample ESPALIER_SHOTS_TEXT=1.5
if command -v convert > /dev/null; then
  for picture in "$out"/*.png; do
    convert "$picture" -strip +dither -colors 128 -define png:compression-level=9 "PNG8:$picture"
  done
fi
ls -l "$out"
