#!/usr/bin/env bash
# Makes the packages for npm: package.sh OUTDIR [LIBRARIES]
#
# libtorii has the JavaScript. The native module is in a package for each platform, of which npm installs the one that
# fits. This makes that of the machine it runs on, or those of LIBRARIES, as build.sh describes. package.json lists them
# all. The environment variables are those of scripts/build-module.
set -euo pipefail

mkdir -p "$1"
out=$(realpath "$1")
libraries=${2:+$(realpath "$2")}
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(realpath ../..)
build=${BUILD:-/tmp}/torii-node
mkdir -p "$build"
PATH=$(./node.sh "$build"):$PATH
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
stated=$(node -p 'const p = require("./package.json"); [...new Set([p.version, ...Object.values(p.optionalDependencies)])].join()')
[[ $stated == "$version" ]] || {
    echo "Cargo.toml has version $version, but package.json has $stated" >&2
    exit 1
}
./build.sh "$stage" ${libraries:+"$libraries"}
# If a listed package does not exist, another owner may publish one of that name, and npm installs it.
made=$(cd "$stage" && echo libtorii-*)
listed=$(node -p 'Object.keys(require("./package.json").optionalDependencies).sort().join(" ")')
if [[ $libraries && $(wc -w <<<"$made") -ge 4 && $made != "$listed" ]]; then
    echo "package.json lists $listed in optionalDependencies (expected $made)" >&2
    exit 1
fi
for native in "$stage"/libtorii-*; do
    [ -e "$native/LICENSE.third-party" ] || (cd "$root" && packaging/third-party torii-node) >"$native/LICENSE.third-party"
done
for package in "$stage"/*; do
    (cd "$package" && npm pack --silent --pack-destination "$out" >/dev/null)
done
