#!/usr/bin/env bash
# Builds libtorii_envoy.so: build.sh OUTDIR
#
# In a target folder of its own, below $BUILD or OUTDIR: cargo gives two builds of the library that differ
# in features, with its C functions and without, the same file names.
#
# The tests set $TORII_PROFILE (default: release), a profile that builds faster, and $TORII_SEED, a folder where cargo
# has built the workspace with it; its results are reused.
set -euo pipefail

mkdir -p "$1"
out=$(realpath "$1")
profile=${TORII_PROFILE:-release}
seed=${TORII_SEED:+$(realpath "$TORII_SEED")}
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
target=${BUILD:+$BUILD/torii-envoy}
target=${target:-$out}/target
packages=(-p torii-envoy)
if [ -n "$seed" ]; then
    # The members beside the library and the command, so that crates get the features that they have there.
    packages+=(-p torii-emulator -p torii-behaviour -p torii-header)
    if [ ! -e "$target/$profile" ]; then
        mkdir -p "$target/$profile"
        cp -a --reflink=auto "$seed"/{.fingerprint,build,deps} "$target/$profile"
    fi
fi
CARGO_TARGET_DIR=$target "${CARGO:-cargo}" build --quiet --profile "$profile" --locked "${packages[@]}"
cp "$target/$profile/libtorii_envoy.so" "$out/"
