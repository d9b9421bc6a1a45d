#!/usr/bin/env bash
# Tests the package: test.sh LIBDIR INCLUDEDIR EMULATOR
# LIBDIR has libtorii.so.0; EMULATOR is the program torii-emulator. INCLUDEDIR is not needed: header.sh --verify
# tells whether include/torii-ffi.h is up to date.
set -euo pipefail

export TORII_LIBRARY="$(realpath "$1")/libtorii.so.0"
export TORII_EMULATOR="$(realpath "$3")"
PATH="$PATH:/usr/sbin"
PHP_FPM="$(command -v php-fpm || command -v php-fpm8.2)"
export PATH PHP_FPM
cd "$(dirname "$0")"
exec php -d ffi.enable=true -d memory_limit=256M "$(command -v phpunit)"
