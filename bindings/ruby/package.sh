#!/usr/bin/env bash
# Builds the gems: package.sh LIBDIR OUTDIR
#
# torii-VERSION.gem has no library and uses the system's; torii-VERSION-PLATFORM.gem contains
# LIBDIR/libtorii.so.0, for machines like this one. There is one for each platform if LIBDIR has their libraries, as
# scripts/dist-packages puts them: LIBDIR/linux-aarch64-musl/libtorii.so.0, with LICENSE.third-party beside it. Those
# need RubyGems 3.3.22. There is none for an older one, without a C library in its name: where both are in an index,
# RubyGems 3.6 may choose it for musl, too.
set -euo pipefail

libdir=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
cd "$(dirname "$0")"
root=$(realpath ../..)
library=$libdir/libtorii.so.0
[ -e "$library" ] || library=$libdir/linux-$(uname -m)-$("$root/scripts/libc")/libtorii.so.0
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
found=$(TORII_LIBRARY=$library ruby -Ilib -rtorii -e 'print Torii::VERSION, " ", Torii.library_version')
[ "$found" = "$version $version" ] || {
    echo "Cargo.toml has version $version, but the gem and the library have $found" >&2
    exit 1
}

cp -r lib example README.md torii.gemspec "$root/LICENSE" "$stage"
cd "$stage"
gem build --strict torii.gemspec --output "$out/torii-$version.gem" >/dev/null

if [ ! -e "$libdir/libtorii.so.0" ]; then
    for library in "$libdir"/linux-*/libtorii.so.0; do
        IFS=- read -r os cpu libc <<<"$(basename "$(dirname "$library")")"
        install -m 755 "$library" lib/torii/libtorii.so.0
        install -m 644 "$(dirname "$library")/LICENSE.third-party" LICENSE.third-party
        TORII_GEM_PLATFORM=$cpu-$os-$libc gem build --strict torii.gemspec \
            --output "$out/torii-$version-$cpu-$os-$libc.gem" >/dev/null
    done
    exit
fi
install -m 755 "$library" lib/torii/libtorii.so.0
(cd "$root" && packaging/third-party torii) >LICENSE.third-party
platform=$(ruby -e 'print Gem::Platform.local')
gem build --strict torii.gemspec --output "$out/torii-$version-$platform.gem" >/dev/null
