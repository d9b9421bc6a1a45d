#!/usr/bin/env bash
# dist.sh ARCHIVES EMULATOR TRIPLE...: each archive of `make dist` is all that a C program and a shell need, wherever it is
# unpacked. Programs of other machines run under qemu and with the C library of Debian's packages.
set -euo pipefail

archives=$(realpath "$1") emulator=$(realpath "$2")
shift 2
cd "$(dirname "$0")/.."
root=$PWD
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
foreign=$root/.build/foreign
# The cache of zig that scripts/target fills.
export ZIG_GLOBAL_CACHE_DIR=$root/.build/zig/cache
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_LIBRARY_PATH PKG_CONFIG_PATH PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR CC CFLAGS LDFLAGS

failed() { echo "FAILED: $*" >&2; exit 1; }

coproc TORII { exec "$emulator" --port 0 --until-stdin-closes; }
read -r addresses <&"${TORII[0]}"
torii=$TORII_PID to_torii=${TORII[1]}
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
url=$(member url <<<"$addresses") issuer=$(member issuer <<<"$addresses") control=$(member control <<<"$addresses")
token=$(curl -sSf -X POST "$control/issuers/acme/tokens" -d '{"expires_in":86400}' | member token)

# for_target TRIPLE: sets `cc`, a compiler for it, and `run`, what runs its programs.
for_target() {
  local arch=${1%%-*} libc=${1##*-} zig
  cc=(cc)
  run=()
  # The C library of this machine is another one, or the processor is.
  if [ "$arch" != "$(uname -m)" ] || [ "$libc" = musl ]; then
    zig=$root/.build/zig/bin/python3
    # zig's sanitizer, on by default, needs functions that the musl of Debian 12 does not have.
    cc=("$zig" -m ziglang cc -target "$arch-linux-$libc$([ "$libc" = musl ] || echo .2.17)" -dynamic -fno-sanitize=undefined)
    # Unlike gcc, it adds no library that unwinds stacks.
    [ "$libc" != musl ] || cc+=(-lunwind)
    case $1 in
    x86_64-unknown-linux-musl)
      scripts/debian-files "$foreign" musl:amd64
      run=("$foreign/lib/ld-musl-x86_64.so.1")
      ;;
    aarch64-unknown-linux-musl) scripts/debian-files "$foreign" musl:arm64 ;;
    aarch64-unknown-linux-gnu) scripts/debian-files "$foreign" libc6:arm64 libgcc-s1:arm64 ;;
    *) failed "$1: this test has no C library for it" ;;
    esac
    if [ "$arch" != "$(uname -m)" ]; then
      scripts/require "qemu-$arch:qemu-user"
      run=("qemu-$arch" -L "$foreign")
    fi
  fi
  # CMake and the like take one program.
  {
    echo '#!/bin/bash'
    printf 'exec'
    printf ' %q' "${cc[@]}"
    echo ' "$@"'
  } >"$work/cc"
  chmod +x "$work/cc"
}

# links_with_gcc FLAGS: a static program for musl also builds with gcc, as in Alpine: with libgcc, and no libunwind.
links_with_gcc() {
  # A static program needs no loader.
  local at=usr/lib/x86_64-linux-musl run=()
  scripts/debian-files "$foreign" musl-dev:amd64 musl-tools:amd64
  sed "s| /usr/| $foreign/usr/|g; s|-L/usr/|-L$foreign/usr/|" "$foreign/$at/musl-gcc.specs" >"$work/specs"
  # Of the C library for which Debian compiled libgcc.
  echo 'int _dl_find_object(void *address, void *result) { (void)address; (void)result; return -1; }' >"$work/glibc.c"
  # shellcheck disable=SC2086
  gcc -specs "$work/specs" -static -std=c11 examples/c/quickstart.c "$work/glibc.c" $1 -o "$build/gcc-static"
  runs "$build/gcc-static" static
}

# runs PROGRAM LIBDIR|static: it verifies tokens, with the library in LIBDIR or with its own.
runs() {
  local needed libdir=$2 said
  needed=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(libtorii.*\)\]/\1/p')
  [ "$needed" = "$([ "$libdir" = static ] || echo libtorii.so.0)" ] || failed "$1 needs ${needed:-nothing}"
  said=$(with_library "$libdir" "$1" "$issuer" "$token") || failed "$1: $said"
  [[ $said == "user "* ]] || failed "$1 says $said"
  if with_library "$libdir" "$1" "$issuer" "${token}x" 2>"$work/said"; then failed "$1 accepts an invalid token"; fi
  grep -q 'token signature' "$work/said" || failed "$1 says of an invalid token: $(<"$work/said")"
}
with_library() { # LIBDIR|static COMMAND...
  local libdir=$1
  shift
  [ "$libdir" != static ] || libdir=
  case ${run[0]-} in
  qemu-*) "${run[@]}" ${libdir:+-E "LD_LIBRARY_PATH=$libdir"} "$@" ;;
  *) LD_LIBRARY_PATH=$libdir "${run[@]}" "$@" ;;
  esac
}
# The commands for musl are static programs, which need no loader.
command_of_it() {
  case ${run[0]-} in
  qemu-*) "${run[@]}" "$@" ;;
  *) "$@" ;;
  esac
}

check() { # TRIPLE
  local triple=$1 name=libtorii-$version-$1 home build flags needed oldest said
  for_target "$triple"
  home=$work/unpacked/$triple/$name build=$work/build-$triple
  mkdir -p "$work/unpacked/$triple" "$build"
  tar -xzf "$archives/$name.tar.gz" -C "$work/unpacked/$triple"
  [ "$(ls "$work/unpacked/$triple")" = "$name" ] || failed "$name.tar.gz has other folders than $name"

  # ---- what is in it

  for file in LICENSE LICENSE.third-party README.md sbom.cdx.json bin/torii bin/torii-emulator bin/torii-gate \
    include/torii.h include/torii.hpp lib/libtorii.a "lib/libtorii.so.$version" lib/pkgconfig/torii.pc \
    share/man/man1/torii.1 share/man/man3/libtorii.3 share/bash-completion/completions/torii; do
    [ -s "$home/$file" ] || failed "$name has no $file"
  done
  for path in "$root" "$HOME" "${CARGO_HOME:-$HOME/.cargo}"; do
    said=$(grep -rlF -- "$path/" "$home") && failed "$path is named in $said"
  done
  scripts/symbols "$home/lib/libtorii.so" "$home/include/torii.h" abi/symbols.txt >"$work/said" || failed "$name: $(<"$work/said")"
  diff <(readelf -sW "$home/lib/libtorii.a" | awk '$5 == "GLOBAL" && $7 != "UND" { print $8 }' | LC_ALL=C sort) abi/symbols.txt ||
    failed "$name: libtorii.a defines other symbols"
  for binary in lib/libtorii.so bin/torii bin/torii-emulator; do
    needed=$(readelf -d "$home/$binary" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | tr '\n' ' ')
    oldest=$(readelf -VW "$home/$binary" | { grep -o 'GLIBC_2\.[0-9.]*' || true; } | sort -uV | tail -n 1)
    echo "$triple: $binary: $(stat -Lc %s "$home/$binary") bytes, needs ${needed:-nothing }${oldest:-}"
    for library in $needed; do
      [[ $library =~ ^(lib(c|m|dl|rt|pthread|util)\.so(\.[0-9]+)?|ld-linux.*)$ ]] || failed "$binary needs $library"
    done
    case $triple in
    *-gnu) [ "$(printf '%s\n' GLIBC_2.17 "${oldest:-no glibc}" | sort -V | tail -n 1)" = GLIBC_2.17 ] || failed "$binary needs ${oldest:-no glibc}" ;;
    *-musl) [ "$binary" = lib/libtorii.so ] || [ -z "$needed" ] || failed "$binary needs $needed" ;;
    esac
    python3 - "$home/$binary" "$home/sbom.cdx.json" <<'END' || failed "$binary: its list of crates"
import json, subprocess, sys, zlib
sections = subprocess.run(["readelf", "-SW", sys.argv[1]], check=True, stdout=subprocess.PIPE, text=True).stdout
line = next(line for line in sections.splitlines() if " .dep-v0 " in line)
offset, size = (int(each, 16) for each in line.split("PROGBITS")[1].split()[1:3])
with open(sys.argv[1], "rb") as file:
    file.seek(offset)
    listed = json.loads(zlib.decompress(file.read(size)))["packages"]
assert any(each.get("root") and each["name"].startswith("torii") for each in listed), "no root"
with open(sys.argv[2]) as file:
    known = {(each["name"], each["version"]) for each in json.load(file)["components"]}
assert {"serde", "aws-lc-rs"} <= {each["name"] for each in listed}, "crates are missing"
assert {(each["name"], each["version"]) for each in listed} <= known, "the SBOM has others"
END
  done

  # ---- the README's program

  # A pkg-config of another machine must find nothing of this one.
  export PKG_CONFIG_LIBDIR=$home/lib/pkgconfig
  compile() { eval "\"\$work/cc\" -std=c11 -Wall -Wextra -Wpedantic -Werror examples/c/quickstart.c $2 -o \"\$build/$1\""; }
  flags=$(pkg-config --cflags --libs torii)
  compile pkg-config-shared "$flags"
  runs "$build/pkg-config-shared" "$home/lib"
  flags=$(pkg-config --static --cflags --libs torii)
  compile pkg-config-static "${flags/-ltorii/\"$home/lib/libtorii.a\"}"
  runs "$build/pkg-config-static" static
  cmake -S tests/install/cmake -B "$build/cmake" -DSOURCE="$root/examples/c/quickstart.c" -DCMAKE_C_COMPILER="$work/cc" \
    -DCMAKE_PREFIX_PATH="$home" -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF >"$build/log" || { cat "$build/log" >&2; exit 1; }
  cmake --build "$build/cmake" >"$build/log" || { cat "$build/log" >&2; exit 1; }
  runs "$build/cmake/shared" "$home/lib"
  runs "$build/cmake/static" static
  if [ "$triple" = x86_64-unknown-linux-musl ] && [ "$(uname -m)" = x86_64 ]; then
    links_with_gcc "${flags/-ltorii/$home/lib/libtorii.a}"
  fi
  unset PKG_CONFIG_LIBDIR
  echo "$triple: pkg-config and CMake, shared and static"

  # ---- the commands

  [ "$(command_of_it "$home/bin/torii" --version)" = "torii $version" ] || failed "$name: torii has another version"
  command_of_it "$home/bin/torii" verify --issuer "$issuer" "$token" >"$work/said" || failed "torii verify: $(<"$work/said")"
  grep -q '^valid' "$work/said" || failed "torii verify: $(<"$work/said")"
  command_of_it "$home/bin/torii" doctor --issuer "$issuer" --api-url "$url" >"$work/said" || failed "torii doctor: $(<"$work/said")"
  command_of_it "$home/bin/torii-gate" --help >"$work/said" || failed "torii-gate: $(<"$work/said")"
  said=$(command_of_it "$home/bin/torii-emulator" --port 0 --until-stdin-closes </dev/null) || failed "torii-emulator: $said"
  [[ $said == *'"issuer":'* ]] || failed "torii-emulator: $said"
  echo "$triple: torii verify, torii doctor, torii-gate, torii-emulator"
}

# refuses EXPECTED COMMAND...: one line, before anything is compiled.
refuses() {
  local expected=$1 said
  shift
  if said=$(env CARGO=false "$@" 2>&1); then failed "$* succeeds"; fi
  # shellcheck disable=SC2053
  [[ $said == $expected && $said != *$'\n'* ]] || failed "$* says: $said"
}

signatures() {
  local said
  scripts/require minisign
  refuses 'dist: TARGETS: unknown target "mips-linux" (expected some of x86_64-*)' scripts/dist "$work/none" mips-linux
  refuses 'dist: TARGETS: unknown target "" (expected *)' scripts/dist "$work/none"
  minisign -G -W -s "$work/key" -p "$work/public" </dev/null >"$work/said"
  printf 'word\nword\n' | minisign -G -s "$work/key-with-password" -p "$work/other" >"$work/said" 2>&1
  for key in "$work/missing" "$work" /dev/null; do
    refuses "MINISIGN_KEY: cannot read $key (expected *)" MINISIGN_KEY="$key" scripts/dist "$work/none" "$@"
  done
  for key in "$work/public" "$work/key-with-password"; do
    refuses "MINISIGN_KEY: minisign cannot sign with $key (expected a secret key without a password*" \
      MINISIGN_KEY="$key" scripts/dist "$work/none" "$@"
  done

  mkdir "$work/signed"
  echo one >"$work/signed/one"
  MINISIGN_KEY=$work/key scripts/checksums "$work/signed" "libtorii $version"
  [ "$(minisign -V -Q -p "$work/public" -m "$work/signed/SHA256SUMS")" = "libtorii $version" ] || failed "the signature"
  if minisign -V -p "$work/other" -m "$work/signed/SHA256SUMS" >"$work/said" 2>&1; then failed "minisign takes another key"; fi
  echo >>"$work/signed/SHA256SUMS"
  if minisign -V -p "$work/public" -m "$work/signed/SHA256SUMS" >"$work/said" 2>&1; then failed "a changed SHA256SUMS is signed"; fi
  # A signature of earlier sums is gone.
  env -u MINISIGN_KEY scripts/checksums "$work/signed" "libtorii $version"
  [ "$(cd "$work/signed" && sha256sum one)" = "$(cat "$work/signed/SHA256SUMS")" ] || failed "SHA256SUMS: $(cat "$work/signed/SHA256SUMS")"
  [ ! -e "$work/signed/SHA256SUMS.minisig" ] || failed "a signature without a key"
  echo "checksums and signatures"
}

(cd "$archives" && sha256sum --quiet --check SHA256SUMS) || failed "SHA256SUMS"
signatures "$@"
for triple in "$@"; do
  check "$triple"
done

exec {to_torii}>&-
wait "$torii"
