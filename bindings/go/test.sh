#!/usr/bin/env bash
# Runs all tests of the Go package: test.sh LIBDIR INCLUDEDIR EMULATOR
#
# LIBDIR holds libtorii.so.0, libtorii.so and libtorii.a, INCLUDEDIR torii.h, EMULATOR is the program
# torii-emulator.
set -euo pipefail
libdir=$(realpath "$1") includedir=$(realpath "$2") emulator=$(realpath "$3")
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# pkg-config ends a path at a space that is not escaped.
cat >"$work/torii.pc" <<EOF
Name: torii
Description: Verifies torii access tokens
Version: 0
Libs: -L${libdir// /\\ } -ltorii
Libs.private: -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc
Cflags: -I${includedir// /\\ }
EOF
export PKG_CONFIG_PATH=$work LD_LIBRARY_PATH=$libdir TORII_EMULATOR=$emulator CGO_ENABLED=1
# Go builds again when these change, and not when only what pkg-config says does.
export CGO_CFLAGS="-O2 -g '-I$includedir'" CGO_LDFLAGS="-O2 -g '-L$libdir'"

unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || { echo "gofmt: $unformatted" >&2; exit 1; }
go vet ./...
go build -o "$work/example" ./example

echo "the shared library, with the checks of cgo pointers and the race detector"
GOEXPERIMENT=cgocheck2 go test -count=1 -timeout 60m -race -run "${RUN:-.}" . ./toriitest -v >"$work/log" || { grep -v '^ *=== ' "$work/log" >&2; exit 1; }
grep -hE '[0-9]+ (cases|rows|key sets|webhooks)$|^ok' "$work/log"

# Only the linkers of Linux and Windows know -l:FILE; on Windows the header has to know that the library is static.
flags() { CGO_ENABLED=1 GOOS=$1 go list -tags torii_static -f '{{join .CgoCFLAGS " "}};{{join .CgoLDFLAGS " "}}' .; }
for expected in "linux ;-Wl,--as-needed -l:libtorii.a" "darwin ;" "windows -DTORII_STATIC;-Wl,--as-needed -l:libtorii.a"; do
    found="${expected%% *} $(flags "${expected%% *}")"
    [ "$found" = "$expected" ] || { echo "flags for $found (expected ${expected#* })" >&2; exit 1; }
done

echo "the static library, by the build tag torii_static"
go test -c -tags torii_static -o "$work/static" .
if readelf -d "$work/static" | grep -q libtorii; then
    echo "linked with -tags torii_static, but needs the shared library" >&2
    exit 1
fi
LD_LIBRARY_PATH= "$work/static" -test.timeout 60m
