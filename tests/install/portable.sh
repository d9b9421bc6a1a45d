#!/usr/bin/env bash
# portable.sh TARGETDIR: `make install` puts the same files in place with the tools of other systems, under the names of
# that system. Busybox, BSD's options, and a `uname` that names another kernel stand in for these systems.
set -euo pipefail

deps=$(realpath "$1/deps")
cd "$(dirname "$0")/../.."
root=$PWD
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset DESTDIR PREFIX BINDIR LIBDIR INCLUDEDIR DATADIR SOURCE_DATE_EPOCH MAKEFLAGS MAKELEVEL MFLAGS

failed() { echo "FAILED: $*" >&2; exit 1; }

# ---- how the shared library is linked

rustc --edition 2024 build.rs -o "$work/build"
linked() { [ "$(CARGO_CFG_TARGET_OS=$1 "$work/build" | sed -n 's/^cargo::rustc-cdylib-link-arg=//p' | xargs)" = "$2" ] || failed "link flags of $1"; }
for system in linux freebsd netbsd openbsd dragonfly; do linked $system "-Wl,-soname,libtorii.so.0 -Wl,-z,nodelete"; done
linked macos "-Wl,-install_name,@rpath/libtorii.0.dylib"
linked windows ""

# Where no flag keeps the library loaded.
# The one of the last build: there may be some of an older compiler.
libc=$(ls -t "$deps"/liblibc-*.rlib | sed -n 1p)
rustc --edition 2024 --crate-type cdylib --crate-name pin -L "dependency=$deps" --extern libc="$libc" tests/install/pin.rs \
  -o "$work/pin.so"
cc -std=c11 -Wall -Wextra -Werror tests/install/pin.c -o "$work/pin" -ldl
[ "$("$work/pin" "$work/pin.so")" = unloaded ] || failed "dlclose does not unload: this test shows nothing"
[ "$("$work/pin" "$work/pin.so" pin)" = loaded ] || failed "dlopen::pin does not keep the library loaded"
echo "linking: Linux, BSD, macOS, Windows"

# ---- make install

tools=(awk chmod cmp date dirname find install ln ls mkdir rm rmdir sed touch)
mkdir "$work"/{busybox,bsd}
for tool in "${tools[@]}"; do
  ln -s "$(command -v busybox)" "$work/busybox/$tool"
  ln -s "$root/tests/install/bsd-tool" "$work/bsd/$tool"
done
ln -sf "$(command -v original-awk)" "$work/bsd/awk"
# Debian's busybox has no install.
ln -sf "$(command -v toybox)" "$work/busybox/install"
for tools in busybox bsd; do
  ln -s /bin/bash "$work/$tools/bash"
  ln -s /bin/cat "$work/$tools/cat"
  ln -s /bin/sh "$work/$tools/sh"
  printf '#!/bin/bash\necho "$SYSTEM"\n' >"$work/$tools/uname"
  chmod +x "$work/$tools/uname"
done
# Else all of the following shows nothing.
! PATH=$work/bsd install -D -m 644 LICENSE "$work/refused/LICENSE" 2>"$work/said" || failed "install -D is not refused"
! PATH=$work/bsd sed -i s/a/b/ "$work/said" 2>/dev/null || failed "sed -i is not refused"
! PATH=$work/bsd find . -printf x >/dev/null 2>&1 || failed "find -printf is not refused"
! PATH=$work/bsd bash -c 'stat -c %Y LICENSE' 2>/dev/null || failed "stat is there"

manual() { # AWK OUT
  mkdir "$2"
  "$1" -v version=1 -v date=2023-11-14 -v dir="$2" -f packaging/manual.awk include/torii.h
}
manual awk "$work/manual"
for tools in busybox bsd; do
  manual "$work/$tools/awk" "$work/manual-$tools"
  diff -r "$work/manual" "$work/manual-$tools" || failed "the awk of $tools writes other manual pages"
  [ "$(PATH=$work/$tools packaging/date LICENSE)" = "$(date -u -r LICENSE +%F)" ] || failed "packaging/date with the tools of $tools"
done

# in_system TOOLS SYSTEM TARGET VARIABLE...: make, with what is built already.
in_system() {
  local tools=$1 system=$2 built=$work/built-$1-$2
  shift 2
  if [ ! -d "$built" ]; then
    mkdir -p "$built/release" "$built/dist"/{man1,completions}
    touch "$built"/{dist,release}/{libtorii.so,libtorii.dylib} "$built"/release/{torii,torii-emulator} "$built/dist/man1/torii.1"
    touch "$built"/dist/completions/torii.{bash,fish,zsh} "$built/dist/libtorii.a"
    echo "-framework Security -lSystem" >"$built/dist/native-libraries"
  fi
  env -i PATH="$work/$tools" SYSTEM="$system" SOURCE_DATE_EPOCH=1700000000 "$make" --no-print-directory --silent "$@" \
    TARGET="$built" DIST="$built/dist" BUILD="$built" || failed "make $1 with the tools of $tools in $system"
}
make=$(command -v make)
files() { (cd "$1" && find . ! -type d | LC_ALL=C sort); }

for system in Linux FreeBSD Darwin; do
  for tools in busybox bsd; do
    stage=$work/stage-$system-$tools
    in_system $tools $system install DESTDIR="$stage" PREFIX=/opt/torii
    lib=$stage/opt/torii/lib
    case $system in
    Darwin) names="libtorii.$version.dylib libtorii.0.dylib libtorii.dylib" ;;
    *) names="libtorii.so.$version libtorii.so.0 libtorii.so" ;;
    esac
    read -r file soname link <<<"$names"
    [ "$(cd "$lib" && echo libtorii.*)" = "$(printf '%s\n' libtorii.a $names | LC_ALL=C sort | xargs)" ] || failed "$system: $(ls "$lib")"
    [ -f "$lib/$file" ] && [ "$(readlink "$lib/$soname") $(readlink "$lib/$link")" = "$file $soname" ] || failed "$system: links of the library"
    [ "$(stat -c %a "$lib/$file")" = 755 ] && [ "$(stat -c %a "$lib/pkgconfig/torii.pc")" = 644 ] || failed "$system: modes"
    grep -qx 'libdir=${prefix}/lib' "$lib/pkgconfig/torii.pc" || failed "$system: torii.pc"
    grep -q "IMPORTED_LOCATION \"\${_torii_libdir}/$link\"" "$lib/cmake/torii/toriiConfig.cmake" || failed "$system: toriiConfig.cmake"
    grep -qF '"-framework Security;-lSystem"' "$lib/cmake/torii/toriiConfig.cmake" || failed "$system: frameworks in toriiConfig.cmake"
    grep -q '^\.TH TORII_VERIFIER 3 2023-11-14 ' "$stage/opt/torii/share/man/man3/torii_verifier.3" || failed "$system: manual pages"
    # Others than Darwin differ in nothing.
    diff -r --no-dereference "$work/stage-${system/FreeBSD/Linux}-busybox" "$stage" || failed "$tools in $system installs other files"
    cp -r "$stage" "$work/stage-copy"
    in_system $tools $system uninstall DESTDIR="$work/stage-copy" PREFIX=/opt/torii
    [ -z "$(files "$work/stage-copy")" ] || failed "$tools in $system: uninstall leaves $(files "$work/stage-copy")"
    rm -rf "$work/stage-copy"
  done
  echo "make install and uninstall with names of $system: busybox, options of BSD"
done

# A library that another call of cargo has left is not installed: it may have other features.
echo other >"$work/built-busybox-Linux/release/libtorii.so"
if said=$(in_system busybox Linux install DESTDIR="$work/none" PREFIX=/opt/torii 2>&1); then failed "another library is installed"; fi
[[ $said == *"install Rust"* && ! -e $work/none ]] || failed "of another library: $said"

# CMake finds what macOS has.
mkdir "$work/cmake"
cat >"$work/cmake/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(find LANGUAGES NONE)
set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS TRUE)
find_package(torii REQUIRED CONFIG)
get_target_property(location torii::torii IMPORTED_LOCATION)
message(STATUS "at ${location}")
CMAKE
said=$(cmake -S "$work/cmake" -B "$work/cmake/build" -DCMAKE_SYSTEM_NAME=Darwin -DCMAKE_PREFIX_PATH="$work/stage-Darwin-bsd/opt/torii" 2>&1) ||
  failed "CMake for macOS: $said"
[[ $said == *"at $work/stage-Darwin-bsd/opt/torii/lib/libtorii.dylib"* ]] || failed "CMake for macOS: $said"

# An older make would not stop at the first command that fails.
! make -n .FEATURES= all >/dev/null 2>"$work/said" || failed "an older make is not refused"
grep -q 'GNU make 4.3 or later is needed' "$work/said" || failed "an older make: $(<"$work/said")"
