#!/usr/bin/env bash
# Compares this binding with jose, and with @torii-backend/sdk, which uses an older jose: bench.sh EMULATOR
#
# The official package has no JavaScript that Node can load, so that esbuild bundles it. The module is a release build;
# the environment variables are those of scripts/build-module. Packages of npm are kept below $BUILD (/tmp).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TORII_EMULATOR=$(realpath "$1")
export TORII_EMULATOR
build=${BUILD:-/tmp}/torii-node
mkdir -p "$build"
PATH=$("$here/../node.sh" "$build"):$PATH

bench=$build/bench
if ! cmp -s "$here/package-lock.json" "$bench/installed"; then
    mkdir -p "$bench"
    cp "$here"/package*.json "$bench"
    npm ci --prefix "$bench" --silent --no-audit --no-fund
    cp "$here/package-lock.json" "$bench/installed"
fi
"$bench/node_modules/.bin/esbuild" --log-level=error --bundle --platform=node --format=esm \
    --outfile="$bench/official.mjs" "$bench/node_modules/@torii-backend/sdk/src/index.ts"
"$here/../build.sh" "$bench/node_modules"
cp "$here/bench.mjs" "$bench"
cd "$bench"
exec node bench.mjs
