#!/usr/bin/env bash
# Runs all tests of the C++ headers: test.sh LIBDIR INCLUDEDIR EMULATOR
#
# LIBDIR holds libtorii.so.0 and libtorii.so, INCLUDEDIR torii.h, EMULATOR is the program
# torii-emulator. Needs g++, pkg-config, nlohmann-json, and cpp-httplib with
# OpenSSL's headers.
set -euo pipefail
libdir=$(realpath "$1") includedir=$(realpath "$2") emulator=$(realpath "$3")
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LD_LIBRARY_PATH=$libdir TORII_H=$includedir/torii.h TORII_EMULATOR=$emulator
# Paths may have spaces, and these are lists of words.
ln -s "$libdir" "$work/lib"
ln -s "$includedir" "$work/include"
compile="${CXX:-g++} -std=c++17 -Wall -Wextra -Wpedantic -Werror -Iinclude -isystem $work/include"
libraries="-L$work/lib -ltorii -pthread"
httplib=$(pkg-config --cflags --libs cpp-httplib)
crypto=$(pkg-config --cflags --libs libcrypto)

# Each header compiles alone.
ls include/*.hpp include/torii/*.hpp | xargs -P 2 -I{} $compile -fsyntax-only -x c++ -include {} /dev/null
$compile -fno-exceptions -fno-rtti tests/no_exceptions.cpp -o "$work/no_exceptions" $libraries
$compile example/server.cpp -o "$work/server" $libraries $httplib
echo 'unsigned torii_abi_version(void) { return 4711; }' | gcc -shared -fPIC -x c - -o "$work/other_abi.so"
export OTHER_ABI=$work/other_abi.so

"$work/no_exceptions"
build=$work/build
readme() { # section
    awk -v section="$1" '/^##/{ in_section = index($0, section) } /^```$/{ inside = 0 } inside; in_section && /^```cpp$/{ inside = 1 }' README.md
}
run() { # flags, tests…
    local flags=$1
    shift
    echo "tests ${flags:-without sanitizers}: $*"
    rm -rf "$build" && mkdir "$build"
    cp tests/*.hpp "$build"
    readme 'Tests of your application' >"$build/readme_testing.inc"
    readme 'Revocation and metrics' >"$build/readme_revocation.inc"
    $compile $flags -x c++-header "$build/emulator.hpp" -o "$build/emulator.hpp.gch"
    printf '%s\n' main emulator "$@" | xargs -P 2 -I{} \
        $compile $flags -I"$build" -include "$build/emulator.hpp" -c tests/{}.cpp -o "$build/{}.o"
    $compile $flags "$build"/*.o -o "$build/tests" $libraries $crypto $httplib
    # A quarantine of freed memory would look like a leak.
    ASAN_OPTIONS=quarantine_size_mb=1:verify_asan_link_order=0 "$build/tests" "$work/server"
}
run "" process testing
run "-g1 -fsanitize=address,signed-integer-overflow,shift -fno-sanitize-recover=all" header behaviour verifier revocation client webhook http adapters process testing
