#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: onnxruntime.sh TEST-SAVE-ONNX: every real network is saved as ONNX and run by onnxruntime (npm package onnxruntime-node,
# found by node, on NODE_PATH or below ESPALIER_NODE_MODULES); skips, saying so, where node, the package or the networks are missing.
set -u
here=$(dirname "$(readlink -f "$0")")
command -v node > /dev/null || { echo '1..0 # SKIP node is not here'; exit 0; }
[ -d "${ESPALIER_SHARED:-../shared}/models" ] || { echo '1..0 # SKIP the real networks (shared/models) are not here'; exit 0; }
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
node "$here/onnxruntime.mjs" "$folder" > "$folder/probe" || [ $? != 77 ] || { cat "$folder/probe"; exit 0; }
rm "$folder/probe"
ESPALIER_ONNX_FOLDER=$folder "$1" --tap -k > /dev/null 2>&1
node "$here/onnxruntime.mjs" "$folder"
