#!/usr/bin/env bash
# Requests a second, and the 99th percentile: bench.sh LIBDIR INCLUDEDIR EMULATOR
#
# One worker of nginx answers from memory, wrk asks: without the module, with the same token again and
# again, and with tokens the worker has not seen. Medians of rounds that alternate, so that what else
# the machine does meets all of them. Needs what test.sh needs.
set -euo pipefail
libdir=$(realpath "$1") includedir=$(realpath "$2") emulator=$(realpath "$3")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${BUILD:-/tmp}/torii-nginx

TORII_RPATH=$libdir "$here/build.sh" "$libdir" "$includedir" "$out"
export TORII_MODULE=$out/ngx_http_torii_module.so TORII_EMULATOR=$emulator PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/tests/bench.py"
