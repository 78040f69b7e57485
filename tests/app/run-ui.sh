#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs a test on a screen of its own, with settings that are the same everywhere. usage: run-ui.sh COMMAND…
# Needs: xvfb, xauth; with "bus" as the first word a session bus too (dbus, at-spi2-core).
command -v xvfb-run > /dev/null || { echo "1..0 # SKIP xvfb-run is not installed"; exit 0; }
home=$(mktemp -d) || exit 1
trap 'rm -rf "$home"' EXIT
export HOME="$home" XDG_CONFIG_HOME="$home/config" XDG_CACHE_HOME="$home/cache" XDG_STATE_HOME="$home/state" XDG_DATA_HOME="$home/data"
export XDG_RUNTIME_DIR="$home" GSETTINGS_BACKEND=memory GSK_RENDERER=cairo GTK_USE_PORTAL=0
if [ "$1" = bus ]; then
  shift
  # GIO warns where no notification service is on the bus, which is not the program's fault
  export G_DEBUG=fatal-criticals
  command -v dbus-run-session > /dev/null || { echo "1..0 # SKIP dbus-run-session is not installed"; exit 0; }
  # services that the bus starts speak to standard output as well, where only the test's results belong
  exec 3>&1
  xvfb-run -a -s '-screen 0 1280x900x24 -noreset' dbus-run-session -- sh -c '"$@" >&3' sh "$@" >&2
else
  export GTK_A11Y="${GTK_A11Y:-test}" DBUS_SESSION_BUS_ADDRESS=disabled:
  xvfb-run -a -s '-screen 0 1280x900x24 -noreset' "$@"
fi
