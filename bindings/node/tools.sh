#!/usr/bin/env bash
# tools.sh DIR: installs the tools of the build, of the tests and of the reference, as locked, and prints their folder,
# which has node_modules. npm is in $PATH.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=$1/tools
if ! cmp -s "$here/tests/package-lock.json" "$tools/installed"; then
    mkdir -p "$tools"
    cp "$here/tests/package.json" "$here/tests/package-lock.json" "$tools"
    npm ci --prefix "$tools" --silent --no-audit --no-fund >&2
    cp "$here/tests/package-lock.json" "$tools/installed"
fi
echo "$tools"
