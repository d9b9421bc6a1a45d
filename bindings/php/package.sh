#!/usr/bin/env bash
# Makes the package for Composer, with LIBDIR/libtorii.so.0 in it: package.sh LIBDIR OUTDIR
#
# On machines unlike this one the package looks for the system's library instead.
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
# In a repository a tag tells the version; in a file it has to be written down.
sed -i "s|\"name\": .*|&\n    \"version\": \"$version\",|" composer.json

found=$(TORII_LIBRARY=$stage/lib/libtorii.so.0 php -d ffi.enable=true -r '
    spl_autoload_register(fn ($class) => require strtr($class, ["Torii" => "src", "\\" => "/"]) . ".php");
    echo Torii\Library::ffi()->torii_version();')
[ "$found" = "$version" ] || {
    echo "Cargo.toml is of version $version, but the library of $found" >&2
    exit 1
}
(cd "$root" && packaging/third-party torii) >LICENSE.third-party
rm -f "$out/torii-torii-$version.zip"
zip -q -X -r "$out/torii-torii-$version.zip" .
