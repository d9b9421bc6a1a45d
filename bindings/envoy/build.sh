#!/usr/bin/env bash
# Builds libtorii_envoy.so: build.sh OUTDIR
#
# In a target folder of its own, below $BUILD or OUTDIR: cargo gives two builds of the library that differ
# in features, with its C functions and without, the same file names.
set -euo pipefail

mkdir -p "$1"
out=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target=${BUILD:+$BUILD/torii-envoy}
target=${target:-$out}/target
CARGO_TARGET_DIR=$target "${CARGO:-cargo}" build --quiet --release --locked -p torii-envoy
cp "$target/release/libtorii_envoy.so" "$out/"
