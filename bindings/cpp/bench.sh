#!/usr/bin/env bash
# Measures verifying, beside plain C: bench.sh LIBDIR INCLUDEDIR
# LIBDIR holds a release build of the library.
set -euo pipefail
libdir=$(realpath "$1") includedir=$(realpath "$2")
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${CXX:-g++}" -std=c++17 -O2 -Iinclude -I"$includedir" bench.cpp -o "$work/bench" -L"$libdir" -ltorii
# A valid token of the tests, and its keys.
python3 - ../../tests/behaviour/verify.json >"$work/arguments" <<'EOF'
import json, sys
corpus = json.load(open(sys.argv[1]))
case = next(case for case in corpus["cases"] if case["name"] == "good-all-claims")
print(case["options"]["issuer"], case["token"], corpus["key_sets"][case["key_set"]]["jwks"], sep="\n")
EOF
mapfile -t arguments <"$work/arguments"
LD_LIBRARY_PATH=$libdir "$work/bench" "${arguments[@]}"
