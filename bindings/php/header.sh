#!/usr/bin/env bash
# Writes include/torii-ffi.h, the C declarations for PHP's FFI parser, with the configuration of
# include/torii.h: header.sh TORII_HEADER [--verify]. TORII_HEADER is the program of tests/header; with --verify it
# only checks that the file is up to date.
set -euo pipefail

torii_header="$(realpath "$1")"
shift
cd "$(dirname "$0")"
config="$(mktemp)"
trap 'rm -f "$config"' EXIT

# FFI rejects extern "C" and skips macros. It needs the first two lines at the top.
{
    echo 'header = """'
    echo '#define FFI_SCOPE "TORII"'
    echo '#define FFI_LIB "libtorii.so.0"'
    echo '/* The declarations of torii.h for PHP. Made by header.sh; do not edit. */"""'
    sed -e 's/^cpp_compat = true/cpp_compat = false/' \
        -e 's/^documentation = true/documentation = false/' \
        -e '/^header = """/,/^"""/d' \
        -e '/^after_includes = """/,/^"""/d' \
        -e '/^\[fn\]/,/^$/d' ../../cbindgen.toml
} > "$config"
"$torii_header" ../.. "$config" include/torii-ffi.h "$@"
