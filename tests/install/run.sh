#!/usr/bin/env bash
# run.sh EMULATOR: what `make install` puts in place is all a program needs, with pkg-config and with
# CMake, shared and static, wherever it is put; and other libraries in the same program keep working.
set -euo pipefail

emulator=$(realpath "$1")
here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../..")
soname=libtorii.so.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset DESTDIR PREFIX BINDIR LIBDIR INCLUDEDIR DATADIR

failed() { echo "FAILED: $*" >&2; exit 1; }

# As an administrator installs, who has no cargo.
installer() { PATH=/usr/bin:/bin:/usr/sbin:/sbin make -C "$root" --no-print-directory --silent "$@"; }
files() { (cd "$1" && find . ! -type d | LC_ALL=C sort); }

coproc TORII { exec "$emulator" --port 0 --until-stdin-closes; }
read -r addresses <&"${TORII[0]}"
torii=$TORII_PID to_torii=${TORII[1]}
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
issuer=$(member issuer <<<"$addresses") control=$(member control <<<"$addresses")
token=$(curl -sS -X POST "$control/issuers/acme/tokens" -d '{"expires_in":86400}' | member token)

# runs PROGRAM LIBDIR|static: it verifies tokens, with the library in LIBDIR or with its own.
runs() {
  local needed libdir=$2 said
  needed=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(libtorii.*\)\]/\1/p')
  [ "$needed" = "$([ "$libdir" = static ] || echo "$soname")" ] || failed "$1 needs ${needed:-nothing}"
  said=$(env -i ${needed:+"LD_LIBRARY_PATH=$libdir"} "$1" "$issuer" "$token") || failed "$1: $said"
  [[ $said == "user "* ]] || failed "$1 says $said"
  if env -i ${needed:+"LD_LIBRARY_PATH=$libdir"} "$1" "$issuer" "${token}x" 2>/dev/null; then
    failed "$1 takes a bad token"
  fi
}

# four_ways NAME LIBDIR CMAKE_PREFIX: with pkg-config as the environment has it.
four_ways() {
  local build=$work/build-$1 flags
  mkdir "$build"
  compile() { eval "cc -std=c11 -Wall -Wextra -Wpedantic -Werror \"\$root/examples/c/quickstart.c\" $2 -o \"\$build/$1\""; }

  flags=$(pkg-config --cflags --libs torii)
  compile pkg-config-shared "$flags"
  runs "$build/pkg-config-shared" "$2"

  flags=$(pkg-config --static --cflags --libs torii)
  compile pkg-config-static "${flags/-ltorii/-l:libtorii.a}"
  runs "$build/pkg-config-static" static

  cmake -S "$here/cmake" -B "$build/cmake" -DSOURCE="$root/examples/c/quickstart.c" \
    -DCMAKE_PREFIX_PATH="$3" >"$build/log" || { cat "$build/log" >&2; exit 1; }
  cmake --build "$build/cmake" >"$build/log" || { cat "$build/log" >&2; exit 1; }
  runs "$build/cmake/shared" "$2"
  runs "$build/cmake/static" static
  echo "$1: pkg-config and CMake, shared and static"
}

# ---- a fresh prefix

prefix=$work/prefix
installer install PREFIX="$prefix"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
four_ways prefix "$prefix/lib" "$prefix"

[ "$(nm -g --defined-only "$prefix/lib/libtorii.a" | awk 'NF == 3 { print $3 }' | LC_ALL=C sort)" \
  = "$(<"$root/abi/symbols.txt")" ] || failed "libtorii.a: other names are global than torii_*"
sections=$(readelf -SW "$prefix/lib/libtorii.a")
! grep -oE '\.(llvm|debug_|zdebug_|gnu\.lto)[a-z_]*' <<<"$sections" || failed "libtorii.a has what only a compiler reads"
grep -q '\.init_array' <<<"$sections" || failed "libtorii.a: the crypto library is not initialised"
grep -qE '\.note\.GNU-stack +PROGBITS +0+ [0-9a-f]+ 0+ 00 {6}' <<<"$sections" || failed "libtorii.a wants an executable stack"

manual=$prefix/share/man/man3
mandoc -T lint -W warning "$manual"/*.3 || failed "$manual"
diff <(grep -ohE '^\.SS torii_[a-z0-9_]+$' "$manual"/*.3 | cut -c 5- | grep -v '_t$' | LC_ALL=C sort) "$root/abi/symbols.txt" \
  || failed "$manual has other functions"

c++ -std=c++17 -x c++ - -o "$work/cpp" $(pkg-config --cflags --libs torii) <<'CPP'
#include <torii.hpp>
int main() { return torii_abi_version() == TORII_ABI_VERSION ? 0 : 1; }
CPP
LD_LIBRARY_PATH=$prefix/lib "$work/cpp"

version=$(pkg-config --modversion torii)
[ "$(env -i "$prefix/bin/torii" --version)" = "torii $version" ] || failed "torii is not $version"
[[ $(env -i "$prefix/bin/torii-emulator" --port 0 --until-stdin-closes </dev/null) == *'"issuer":'* ]] || failed "torii-emulator does not start"
bash -c '. "$1" && complete -p torii' - "$prefix/share/bash-completion/completions/torii" >"$work/log" || failed "no completions for bash"
for page in "$prefix"/share/man/man1/*.1; do mandoc -T lint -W error "$page" || failed "$page"; done
for command in $(env -i "$prefix/bin/torii" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'); do
  [ -e "$prefix/share/man/man1/torii-$command.1" ] || [ "$command" = help ] || failed "no manual page of torii $command"
done

# cargo-c would say and install the same. It is not run: to build it takes longer than all else here.
cargo metadata --locked --no-deps --format-version 1 --manifest-path "$root/Cargo.toml" | python3 -c '
import glob, json, os, sys
capi = next(p["metadata"]["capi"] for p in json.load(sys.stdin)["packages"] if p["name"] == "torii")
for asset in capi["install"]["include"]["asset"]:
    for path in glob.glob(asset["from"], root_dir=sys.argv[1]):
        print("header", os.path.normpath(os.path.join(asset.get("to", ""), os.path.basename(path))))
print("description", capi["pkg_config"]["description"])
print("soname", "libtorii.so." + ".".join(sys.argv[2].split(".")[:capi["library"]["version_suffix_components"]]))
' "$root" "$version" | LC_ALL=C sort >"$work/cargo-c"
{
  (cd "$prefix/include" && find . -type f -printf 'header %P\n')
  sed -n 's/^Description: /description /p' "$prefix/lib/pkgconfig/torii.pc"
  echo "soname $soname"
} | LC_ALL=C sort | diff - "$work/cargo-c" || failed "package.metadata.capi of Cargo.toml would install something else"

strip -o "$work/stripped" "$work/build-prefix/pkg-config-static"
echo "the static program has $(stat -c %s "$work/stripped") bytes, stripped"

# ---- moved, staged, and with a space

mv "$prefix" "$work/moved"
export PKG_CONFIG_PATH=$work/moved/lib/pkgconfig
pkg-config() { command pkg-config --define-prefix "$@"; }
four_ways moved "$work/moved/lib" "$work/moved"
unset -f pkg-config
mv "$work/moved" "$prefix"

spaced="$work/a prefix"
installer install PREFIX="$spaced"
export PKG_CONFIG_PATH="$spaced/lib/pkgconfig"
four_ways space "$spaced/lib" "$spaced"
diff <(files "$prefix") <(files "$spaced") || failed "other files in a prefix with a space"

stage=$work/stage multiarch=$(cc -print-multiarch)
directories=(PREFIX=/usr LIBDIR="/usr/lib/$multiarch" DESTDIR="$stage")
(umask 077 && installer install "${directories[@]}")
[ -z "$(find "$stage" -mindepth 1 -type d ! -perm -055)" ] || failed "with umask 077, others cannot enter $(find "$stage" -mindepth 1 -type d ! -perm -055)"
! grep -rlF "$stage" "$stage" || failed "the staging folder is named in what is staged"
export PKG_CONFIG_PATH=$stage/usr/lib/$multiarch/pkgconfig PKG_CONFIG_SYSROOT_DIR=$stage
four_ways staged "$stage/usr/lib/$multiarch" "$stage/usr"
unset PKG_CONFIG_SYSROOT_DIR
diff <(files "$prefix") <(files "$stage/usr" | sed "s|^./lib/$multiarch/|./lib/|") || failed "other files when staged"

# ---- uninstall

touch "$prefix/lib/libother.so"
installer uninstall PREFIX="$prefix"
installer uninstall PREFIX="$spaced"
installer uninstall "${directories[@]}"
[ "$(files "$prefix")" = ./lib/libother.so ] || failed "uninstall leaves, or takes: $(files "$prefix")"
[ -z "$(files "$spaced")$(files "$stage")" ] || failed "uninstall leaves: $(files "$spaced") $(files "$stage")"
[ -z "$(find "$prefix" "$spaced" "$stage" -type d -name torii)" ] || failed "uninstall leaves folders of its own"
echo "uninstall takes what install put, and nothing else"

# ---- beside another Rust library and OpenSSL

installer install PREFIX="$prefix"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
rustc --edition 2024 --crate-type staticlib -C lto=fat -C opt-level=2 "$here/neighbor.rs" -o "$work/libneighbor.a"
cc -std=c11 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags torii libssl) -c "$here/neighbors.c" -o "$work/neighbors.o"
natives=$(pkg-config --static --libs-only-l torii)
natives=${natives/-ltorii/}
everything() { echo "-Wl,--whole-archive $* -Wl,--no-whole-archive"; }

beside() { # NAME LINK...: what is linked, and how
  local name=$1
  shift
  cc "$work/neighbors.o" "$@" -o "$work/$name"
  LD_LIBRARY_PATH=$prefix/lib valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
    --show-leak-kinds=definite --fair-sched=try "$work/$name" "$issuer" "$token" >"$work/said" \
    || { cat "$work/said" >&2; failed "$name"; }
  echo "$name: $(tail -n 1 "$work/said")"
}
beside static $(everything "$prefix/lib/libtorii.a" "$work/libneighbor.a") -lssl -lcrypto $natives
beside all-static $(everything "$work/libneighbor.a" "$prefix/lib/libtorii.a") -l:libssl.a -l:libcrypto.a $natives
beside shared $(pkg-config --libs torii) $(everything "$work/libneighbor.a") -lssl -lcrypto $natives

exec {to_torii}>&-
wait "$torii"
