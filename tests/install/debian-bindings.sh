#!/usr/bin/env bash
# debian-bindings.sh SUITE DEBS ARCHIVES TRIPLE PACKAGES: in the Debian SUITE the archive for TRIPLE works, and the suites of
# bindings pass: those of nginx and PHP with the packages in DEBS, those of Ruby and Python with the gem and the wheel in
# PACKAGES.
set -euo pipefail

suite=$1 debs=$(realpath "$2") archives=$(realpath "$3") triple=$4 packages=$(realpath "$5")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/libtorii"
tar --exclude=./.git --exclude=./target --exclude=./.build -c . | tar -x -C "$work/libtorii"
mkdir "$work"/{debs,archives}
cp "$debs"/*.deb "$work/debs"
cp "$archives/libtorii-"*"-$triple.tar.gz" "$work/archives"
cp "$packages"/python/*manylinux*.whl "$packages"/ruby/*-linux-gnu.gem "$work"
scripts/debian-chroot "$suite" build "$work" bash /here/libtorii/tests/install/bindings-inside-debian.sh "$triple"
