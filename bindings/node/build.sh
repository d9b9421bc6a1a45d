#!/usr/bin/env bash
# Builds the packages as npm installs them: build.sh NODE_MODULES [LIBRARIES]
#
# NODE_MODULES/libtorii has the JavaScript, NODE_MODULES/libtorii-linux-x64-gnu the native module for this machine. There is
# one for each platform of LIBRARIES, as scripts/dist-packages puts them: LIBRARIES/linux-aarch64-musl/libtorii.node.
# Node comes from node.sh; the compiler of TypeScript is kept below $BUILD (/tmp). The environment variables are those of
# scripts/build-module.
set -euo pipefail

mkdir -p "$1"
out=$(realpath "$1")
libraries=${2:+$(realpath "$2")}
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
native_package() { # CPU gnu|musl MODULE: Node names processors in its own way
    local platform native libc=glibc
    platform=linux-$1-$2
    native=$out/libtorii-$platform
    [ "$2" = gnu ] || libc=$2
    rm -rf "$native"
    mkdir "$native"
    install -m 644 "$3" "$native/libtorii.node"
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
  "cpu": ["$1"],
  "libc": ["$libc"],
  "engines": { "node": ">=20" }
}
END
}

if [ -z "$libraries" ]; then
    "$root/scripts/build-module" torii-node "$build/native"
    native_package "$(node -p process.arch)" gnu "$build/native/libtorii_node.so"
    exit
fi
for module in "$libraries"/linux-*/libtorii.node; do
    IFS=- read -r _ cpu libc <<<"$(basename "$(dirname "$module")")"
    case $cpu in
    x86_64) cpu=x64 ;;
    aarch64) cpu=arm64 ;;
    esac
    native_package "$cpu" "$libc" "$module"
    cp "$(dirname "$module")/LICENSE.third-party-node" "$out/libtorii-linux-$cpu-$libc/LICENSE.third-party"
done
