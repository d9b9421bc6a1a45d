#!/usr/bin/env bash
# Builds the package for Composer: package.sh LIBDIR OUTDIR
#
# It contains LIBDIR/libtorii.so.0, for machines like this one; or the library of each platform, as scripts/dist-packages
# puts them: LIBDIR/linux-aarch64-musl/libtorii.so.0, with LICENSE.third-party beside it. On other machines the package
# uses the system's library.
set -euo pipefail

libdir=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
cd "$(dirname "$0")"
root=$(realpath ../..)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")

cp -r src include preload.php example README.md composer.json "$root/LICENSE" "$stage"
here=linux-$(uname -m)-$("$root/scripts/libc")
if [ -e "$libdir/libtorii.so.0" ]; then
    install -D -m 755 "$libdir/libtorii.so.0" "$stage/lib/$here/libtorii.so.0"
else
    for library in "$libdir"/*/libtorii.so.0; do
        platform=$(basename "$(dirname "$library")")
        install -D -m 755 "$library" "$stage/lib/$platform/libtorii.so.0"
        install -m 644 "$(dirname "$library")/LICENSE.third-party" "$stage/lib/$platform"
    done
fi
cd "$stage"
# A repository has a tag for the version, a file needs the member.
sed -i "s|\"name\": .*|&\n    \"version\": \"$version\",|" composer.json

found=$(TORII_LIBRARY=$stage/lib/$here/libtorii.so.0 php -d ffi.enable=true -r '
    spl_autoload_register(fn ($class) => require strtr($class, ["Torii" => "src", "\\" => "/"]) . ".php");
    echo Torii\Library::ffi()->torii_version();')
[ "$found" = "$version" ] || {
    echo "Cargo.toml has version $version, but the library has $found" >&2
    exit 1
}
if [ -e "$libdir/libtorii.so.0" ]; then
    (cd "$root" && packaging/third-party torii) >"lib/$here/LICENSE.third-party"
fi
rm -f "$out/torii-torii-$version.zip"
zip -q -X -r "$out/torii-torii-$version.zip" .
