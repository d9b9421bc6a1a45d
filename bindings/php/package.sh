#!/usr/bin/env bash
# Builds the package for Composer, with LIBDIR/libtorii.so.0 in it: package.sh LIBDIR OUTDIR
#
# On other machines the package uses the system's library.
set -euo pipefail

library=$(realpath "$1/libtorii.so.0")
mkdir -p "$2"
out=$(realpath "$2")
cd "$(dirname "$0")"
root=$(realpath ../..)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")

cp -r src include preload.php example README.md composer.json "$root/LICENSE" "$stage"
install -D -m 755 "$library" "$stage/lib/libtorii.so.0"
cd "$stage"
# A repository has a tag for the version, a file needs the member.
sed -i "s|\"name\": .*|&\n    \"version\": \"$version\",|" composer.json

found=$(TORII_LIBRARY=$stage/lib/libtorii.so.0 php -d ffi.enable=true -r '
    spl_autoload_register(fn ($class) => require strtr($class, ["Torii" => "src", "\\" => "/"]) . ".php");
    echo Torii\Library::ffi()->torii_version();')
[ "$found" = "$version" ] || {
    echo "Cargo.toml has version $version, but the library has $found" >&2
    exit 1
}
(cd "$root" && packaging/third-party torii) >LICENSE.third-party
rm -f "$out/torii-torii-$version.zip"
zip -q -X -r "$out/torii-torii-$version.zip" .
