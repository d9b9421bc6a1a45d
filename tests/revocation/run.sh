#!/usr/bin/env bash
# run.sh EMULATOR LIBDIR INCLUDEDIR BUILD: builds the Go program of examples/revocation and runs revocation.py.
# BUILD is a virtual environment with the package redis.
set -euo pipefail
emulator=$(realpath "$1") libdir=$(realpath "$2") includedir=$(realpath "$3") build=$(realpath "$4")
cd "$(dirname "$0")/../.."

# pkg-config ends a path at a space that is not escaped.
cat >"$build/torii.pc" <<EOF
Name: torii
Description: Verifies torii access tokens
Version: 0
Libs: -L${libdir// /\\ } -ltorii
Cflags: -I${includedir// /\\ }
EOF
(
  cd examples/revocation/go
  unformatted=$(gofmt -l .)
  [ -z "$unformatted" ] || { echo "gofmt: $unformatted" >&2; exit 1; }
  # Go's build cache knows these variables, but not what pkg-config prints.
  export PKG_CONFIG_PATH=$build CGO_ENABLED=1 CGO_LDFLAGS="-O2 -g '-L$libdir'"
  go vet .
  go build -o "$build/revocation-go" .
)
exec "$build/bin/python" tests/revocation/revocation.py "$emulator" "$libdir/libtorii.so.0" "$build/revocation-go"
