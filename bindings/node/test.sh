#!/usr/bin/env bash
# Runs the tests of the Node.js binding: test.sh LIBDIR INCLUDEDIR EMULATOR [FILE...]
#
# EMULATOR is the program torii-emulator. The native module contains the library, so that LIBDIR and INCLUDEDIR are not
# needed. Packages from npm are kept below $BUILD (/tmp). A FILE is one of tests, as in verifier.test.mjs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TORII_EMULATOR=$(realpath "$3")
export TORII_EMULATOR
shift 3
build=${BUILD:-/tmp}/torii-node
mkdir -p "$build"
PATH=$("$here/node.sh" "$build"):$PATH

# The packages where npm would install them, beside those of the tests.
"$here/build.sh" "$build/packages"
project=$build/project
rm -rf "$project"
mkdir "$project"
cp -al "$build/tools/node_modules" "$project/node_modules"
cp -r "$build"/packages/* "$project/node_modules"
cp -r "$here/tests" "$here/example" "$here/README.md" "$project"
export TORII_REPOSITORY=$here/../..

cd "$project"
node node_modules/typescript/bin/tsc -p tests/types
if [ $# -eq 0 ]; then
    exec node --test --test-reporter spec tests/*.test.mjs
fi
exec node --test --test-reporter spec "${@/#/tests/}"
