#!/usr/bin/env bash
# Builds the module and tests it in a real nginx: test.sh LIBDIR INCLUDEDIR EMULATOR
#
# LIBDIR holds libtorii.so and libtorii.so.0, INCLUDEDIR torii.h, EMULATOR is the program
# torii-emulator. Debian: nginx nginx-dev python3 gcc make faketime wrk valgrind strace curl
# nghttp2-client openssl. It builds in $BUILD (/tmp).
set -euo pipefail
libdir=$(realpath "$1") includedir=$(realpath "$2") emulator=$(realpath "$3")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${BUILD:-/tmp}/torii-nginx

"$here/build.sh" "$libdir" "$includedir" "$out"

export LD_LIBRARY_PATH=$libdir TORII_MODULE=$out/ngx_http_torii_module.so TORII_EMULATOR=$emulator PYTHONDONTWRITEBYTECODE=1
TORII_FAKETIME=$(dpkg -L libfaketime | grep '/libfaketime\.so\.1$')
export TORII_FAKETIME
cd "$here/tests"

# Two at a time: most of them wait for something; the last one does not.
run() {
    python3 -W error::ResourceWarning -m unittest "$@" >"$out/$1.log" 2>&1 \
        || { cat "$out/$1.log" >&2; return 1; }
    grep -hE '^Ran |cases|^\{' "$out/$1.log" | sed "s/^/$1: /"
}
trap wait EXIT
run test_keys &
keys=$!
run test_access
run test_configuration
run test_variables
run test_key_cache
run test_revocations
run test_behaviour
run test_adapters
run test_example
run test_memory
run test_processes
wait $keys
run test_load
