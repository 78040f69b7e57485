#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds Espalier as a Flatpak with no store: a small runtime is made of Debian's packages, the program is compiled against the same
# packages, and both go into one OSTree repository, from which a bundle is written.
# usage: flatpak/build.sh [--runtime-only]          result: build-flatpak/{repo,espalier.flatpak}
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
id=org.espalier.Espalier platform=org.espalier.Platform branch=12
out=$PWD/build-flatpak arch=$(uname -m)
mkdir -p "$out"

runtime_packages=(
  libadwaita-1-0 libglpk40 libhdf5-103-1 libjson-glib-1.0-0 libarchive13 libyaml-0-2 libprotobuf-c1
  zlib1g librsvg2-common adwaita-icon-theme fonts-cantarell shared-mime-info gsettings-desktop-schemas flatpak-xdg-utils
)

# The program is compiled with this computer's compiler against this computer's packages: they must be those of the runtime.
release=bookworm
here=$(. /etc/os-release; echo "${VERSION_CODENAME:-unknown}")
[ "$here" = $release ] || { echo "flatpak/build.sh: this is $here; run it on Debian 12 ($release), for example in a container" >&2; exit 1; }

# A runtime made for other packages is made anew; raise the number when how it is made changes.
stamp() { echo "2 ${runtime_packages[*]}"; }

make_runtime() {
  [ -f "$out/runtime.done" ] && [ "$(cat "$out/runtime.done")" = "$(stamp)" ] && return
  echo "Making the runtime of Debian's packages"
  rm -rf "$out/root" "$out/runtime" "$out/repo"
  mmdebstrap --variant=essential --include="$(IFS=,; echo "${runtime_packages[*]}")" --aptopt='APT::Install-Recommends "false"' \
    $release "$out/root" > "$out/mmdebstrap.log" 2>&1 || { tail -n 20 "$out/mmdebstrap.log" >&2; exit 1; }
  mkdir -p "$out/runtime"
  mv "$out/root/usr" "$out/runtime/usr"
  cp -a "$out/root/etc" "$out/runtime/usr/etc"
  rm -f "$out/runtime/usr/etc/"{passwd,group,shadow,machine-id,resolv.conf,hosts,hostname,localtime}
  # scripts that Cantarell lacks come from the fonts of the computer
  cat > "$out/runtime/usr/etc/fonts/conf.d/50-flatpak.conf" << 'END'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>/run/host/fonts</dir>
  <dir>/run/host/local-fonts</dir>
  <dir>/run/host/user-fonts</dir>
</fontconfig>
END
  rm -rf "$out/runtime/usr/share/doc" "$out/runtime/usr/share/man" "$out/root"
  cat > "$out/runtime/metadata" << END
[Runtime]
name=$platform
runtime=$platform/$arch/$branch
sdk=$platform/$arch/$branch

[Environment]
XDG_DATA_DIRS=/app/share:/usr/share:/usr/share/runtime/share:/run/host/user-share:/run/host/share
LD_LIBRARY_PATH=/usr/lib/$arch-linux-gnu/hdf5/serial
END
  ostree --repo="$out/repo" init --mode=archive-z2
  flatpak build-export --runtime --disable-sandbox --files=usr "$out/repo" "$out/runtime" $branch > /dev/null
  flatpak build-update-repo "$out/repo"
  stamp > "$out/runtime.done"
}

install_runtime() {
  export FLATPAK_USER_DIR=$out/user
  mkdir -p "$FLATPAK_USER_DIR"
  flatpak --user remote-add --if-not-exists --no-gpg-verify espalier-local "file://$out/repo"
  flatpak --user install -y --noninteractive --or-update espalier-local $platform//$branch > /dev/null
}

# What the installer of a package would do afterwards.
finish_files() {
  local share=$1/share
  glib-compile-schemas --strict "$share/glib-2.0/schemas"
  gtk4-update-icon-cache -q -t -f "$share/icons/hicolor" || true
  update-desktop-database -q "$share/applications" || true
  appstream-compose --prefix="$1" --origin=flatpak --basename=$id --output-dir="$share/app-info/xmls" --icons-dir="$share/app-info/icons/flatpak" $id > "$out/compose.log" ||
    { cat "$out/compose.log" >&2; exit 1; }
}

make_program() {
  echo "Compiling the program"
  rm -rf "$out/dest" "$out/app"
  [ -f "$out/build/build.ninja" ] || meson setup "$out/build" --prefix=/app --libdir=lib -Dbuildtype=release -Dtests=false > "$out/meson.log"
  ninja -C "$out/build" > "$out/compile.log" 2>&1 || { grep -E 'error|FAILED|undefined' "$out/compile.log" | head -n 30 >&2; exit 1; }
  DESTDIR="$out/dest" meson install -C "$out/build" --no-rebuild --strip > "$out/install.log" 2>&1 || { tail -n 20 "$out/install.log" >&2; exit 1; }
  desktop-file-validate "$out/dest/app/share/applications/$id.desktop"
  appstreamcli validate --no-net "$out/dest/app/share/metainfo/$id.metainfo.xml" > "$out/metainfo.log" || { cat "$out/metainfo.log" >&2; exit 1; }
  flatpak build-init "$out/app" $id $platform $platform $branch
  cp -a "$out/dest/app/." "$out/app/files/"
  finish_files "$out/app/files"
  # The window, the graphics card, the user's files that are dropped on it; nothing else. Starting a synthesis tool of the host needs
  #   flatpak override --user --talk-name=org.freedesktop.Flatpak org.espalier.Espalier
  # which Preferences explains and leaves to the user.
  flatpak build-finish "$out/app" --command=espalier --share=ipc --socket=wayland --socket=fallback-x11 --device=dri \
    --filesystem=xdg-documents --filesystem=xdg-download
  flatpak build-export "$out/repo" "$out/app" stable > /dev/null
  flatpak build-update-repo "$out/repo"
  flatpak build-bundle "$out/repo" "$out/espalier.flatpak" $id stable
}

# The bundle as a user gets it: installed, both programs started within.
try_bundle() {
  echo "Installing the bundle, and starting what is in it"
  flatpak --user uninstall -y --noninteractive $id > /dev/null 2>&1 || true
  flatpak --user install -y --noninteractive --bundle "$out/espalier.flatpak" > /dev/null
  flatpak run --user --command=espalier-cli $id --version
}

make_runtime
install_runtime
if [ "${1:-}" != --runtime-only ]; then
  make_program
  try_bundle
  echo "Built $out/espalier.flatpak"
  echo "Run it: FLATPAK_USER_DIR=$FLATPAK_USER_DIR flatpak run --user $id"
fi
