#!/usr/bin/env bash
# Builds the packages for this machine, as npm installs them: build.sh NODE_MODULES
#
# NODE_MODULES/libtorii has the JavaScript, NODE_MODULES/libtorii-linux-x64-gnu the native module. Node comes from node.sh;
# the compiler of TypeScript is kept below $BUILD (/tmp). The environment variables are those of scripts/build-module.
set -euo pipefail

mkdir -p "$1"
out=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(realpath ../..)
build=${BUILD:-/tmp}/torii-node
mkdir -p "$build"
PATH=$(./node.sh "$build"):$PATH

tools=$(./tools.sh "$build")

stage=$build/stage
rm -rf "$stage"
mkdir "$stage"
ln -s "$tools/node_modules" "$stage/node_modules"
cp -r lib tsconfig.json "$stage"
node "$tools/node_modules/typescript/bin/tsc" -p "$stage"
rm -rf "$out/libtorii"
mkdir "$out/libtorii"
cp -r "$stage/dist" package.json README.md "$root/LICENSE" "$out/libtorii"
# Without its test, the example is for users.
mkdir "$out/libtorii/example"
cp example/* "$out/libtorii/example"

version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
platform=linux-$(node -p process.arch)-gnu
"$root/scripts/build-module" torii-node "$build/native"
native=$out/libtorii-$platform
rm -rf "$native"
mkdir "$native"
install -m 644 "$build/native/libtorii_node.so" "$native/libtorii.node"
cp "$root/LICENSE" "$native"
cat >"$native/README.md" <<END
# libtorii-$platform

The native module of [libtorii](https://www.npmjs.com/package/libtorii) for $platform. Install libtorii, which needs it.
END
cat >"$native/package.json" <<END
{
  "name": "libtorii-$platform",
  "version": "$version",
  "description": "The native module of libtorii for $platform",
  "license": "MIT",
  "main": "libtorii.node",
  "files": ["libtorii.node", "LICENSE.third-party"],
  "os": ["linux"],
  "cpu": ["$(node -p process.arch)"],
  "libc": ["glibc"],
  "engines": { "node": ">=20" }
}
END
