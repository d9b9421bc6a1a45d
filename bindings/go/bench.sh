#!/usr/bin/env bash
# Measures verifying, beside golang-jwt and lestrrat-go/jwx: bench.sh LIBDIR INCLUDEDIR
# LIBDIR holds a release build of the library.
set -euo pipefail
libdir=$(realpath "$1") includedir=$(realpath "$2")
cd "$(dirname "$0")/bench"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'Name: torii\nDescription: libtorii\nVersion: 0\nLibs: -L%s -ltorii\nCflags: -I%s\n' "${libdir// /\\ }" "${includedir// /\\ }" >"$work/torii.pc"
export PKG_CONFIG_PATH=$work LD_LIBRARY_PATH=$libdir CGO_ENABLED=1
# Go builds again when these change, and not when only what pkg-config says does.
export CGO_CFLAGS="-O2 -g '-I$includedir'" CGO_LDFLAGS="-O2 -g '-L$libdir'"

go test -run '^$' -bench . -benchtime "${BENCHTIME:-1s}" . | awk '
    /^Benchmark/ {
        split($1, name, "/"); sub(/^Benchmark/, "", name[1]); sub(/-[0-9]+$/, "", name[2])
        if (!printed++) printf "%-9s %-11s %10s %7s %9s\n", "token", "package", "µs", "allocs", "ratio"
        if (name[2] == "torii") base = $3
        printf "%-9s %-11s %10.2f %7d %8.1fx\n", tolower(name[1]), name[2], $3 / 1000, $5, $3 / base
    }'
