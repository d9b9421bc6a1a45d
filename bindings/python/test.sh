#!/usr/bin/env bash
# Runs the tests of the Python binding:
#
#     test.sh LIBDIR INCLUDEDIR EMULATOR
#
# A virtual environment, made by $PYTHON (python3), is kept below $BUILD (/tmp). Further arguments
# are passed to pytest.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TORII_LIBRARY=$(realpath "$1")/libtorii.so.0 TORII_HEADER=$(realpath "$2/torii.h") TORII_EMULATOR=$(realpath "$3")
export TORII_LIBRARY TORII_HEADER TORII_EMULATOR
export PYTHONDONTWRITEBYTECODE=1
shift 3

build=${BUILD:-/tmp}/torii-python
venv=$build/venv
if [[ ! $venv/ready -nt $here/pyproject.toml ]]; then
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check hatchling "$here[dev]"
    touch "$venv/ready"
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-build-isolation --no-deps \
    --force-reinstall "$here"

cd "$here"
"$venv/bin/ruff" check --quiet --no-cache .
"$venv/bin/ruff" format --quiet --no-cache --check .
"$venv/bin/mypy" --cache-dir "$build/mypy" --no-error-summary
exec "$venv/bin/python" -m pytest --quiet "$@"
