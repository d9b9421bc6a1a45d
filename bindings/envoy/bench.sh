#!/usr/bin/env bash
# Measures the module beside Envoy without it, and beside Envoy's own jwt_authn: bench.sh EMULATOR
#
# Wants two processors and wrk. $BENCH_SECONDS (2) and $BENCH_ROUNDS (5) say how long.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TORII_EMULATOR=$(realpath "$1")
build=${BUILD:-/tmp}/torii-envoy
"$here/envoy.sh" "$build" 1.40.0
export TORII_EMULATOR ENVOY=$build/1.40.0/envoy/_bin/envoy

"$here/build.sh" "$build"
export MODULE_DIR=$build PYTHONDONTWRITEBYTECODE=1
exec "${PYTHON:-python3}" "$here/bench.py"
