#!/usr/bin/env bash
# Tests the package: test.sh LIBDIR INCLUDEDIR EMULATOR
# LIBDIR has libtorii.so.0, INCLUDEDIR has torii.h; EMULATOR is the program torii-emulator.
set -euo pipefail

export TORII_LIBRARY="$(realpath "$1")/libtorii.so.0"
export TORII_HEADER="$(realpath "$2")/torii.h"
export TORII_EMULATOR="$(realpath "$3")"
PATH="$PATH:/usr/sbin"
# Debian's name has a version: php-fpm8.2.
PHP_FPM="$(command -v "$(compgen -c php-fpm | sort -V | tail -n 1)")"
export PATH PHP_FPM
cd "$(dirname "$0")"
exec php -d ffi.enable=true -d memory_limit=256M "$(command -v phpunit)"
