#!/usr/bin/env bash
# run.sh EMULATOR LIBDIR INCLUDEDIR BUILD [NAME...]: builds and tests the examples that docs/cookbook.md names: libevent,
# rails, laravel, symfony, grpc-go, grpc-cpp, or those of these names. BUILD has Debian's PHP packages in BUILD/php.
set -euo pipefail
emulator=$(realpath "$1") libdir=$(realpath "$2") includedir=$(realpath "$3") build=$(realpath "$4")
names=("${@:5}")
[ ${#names[@]} -gt 0 ] || names=(libevent rails laravel symfony grpc-go grpc-cpp)
cd "$(dirname "$0")/../.."

export LD_LIBRARY_PATH=$libdir TORII_EMULATOR=$emulator
torii=("-I$includedir" "-L$libdir" -ltorii)

libevent() {
  cc -std=c11 -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic -Werror -g -fsanitize=address,undefined -fno-sanitize-recover=all \
    examples/libevent/server.c "${torii[@]}" $(pkg-config --cflags --libs libevent libevent_openssl openssl) -o "$build/libevent"
  http libevent
}

http() {
  python3 tests/recipes/recipes.py "$emulator" "$libdir/libtorii.so.0" "$build/php" "$build/libevent" "$1"
}

grpc-go() (
  cd examples/grpc/go
  unformatted=$(gofmt -l .)
  [ -z "$unformatted" ] || { echo "gofmt: $unformatted" >&2; exit 1; }
  # pkg-config ends a path at a space that is not escaped.
  cat >"$build/torii.pc" <<END
Name: torii
Description: Verifies torii access tokens
Version: 0
Libs: -L${libdir// /\\ } -ltorii
Cflags: -I${includedir// /\\ }
END
  # Go's build cache knows these variables, but not what pkg-config prints.
  export PKG_CONFIG_PATH=$build CGO_ENABLED=1 CGO_CFLAGS="-O2 -g '-I$includedir'" CGO_LDFLAGS="-O2 -g '-L$libdir'"
  go vet .
  go test -count=1 -timeout 30m .
)

grpc-cpp() (
  folder=$PWD/examples/grpc/cpp bindings=$PWD/bindings/cpp/include
  cd "$build"
  protoc -I "$folder" --cpp_out=. --grpc_out=. --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" orders.proto
  # Generated code is included as that of the system, so that its warnings do not count.
  c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -isystem . -I "$folder" -I "$bindings" "$folder/guard_test.cpp" \
    orders.pb.cc orders.grpc.pb.cc "${torii[@]}" $(pkg-config --cflags --libs grpc++ protobuf) -pthread -o grpc-cpp
  # For a call that hangs, and far more than any needs on a busy machine.
  timeout 1800 ./grpc-cpp 2>grpc-cpp.log || { cat grpc-cpp.log >&2; exit 1; }
  echo "grpc-cpp: ok"
)

for name in "${names[@]}"; do
  case $name in
  rails | laravel | symfony) http "$name" ;;
  libevent | grpc-go | grpc-cpp) "$name" ;;
  *) echo "$name: no such recipe" >&2; exit 2 ;;
  esac
done
