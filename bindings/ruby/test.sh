#!/usr/bin/env bash
# Tests the gem: test.sh LIBDIR INCLUDEDIR EMULATOR
# LIBDIR has libtorii.so.0, INCLUDEDIR has torii.h; EMULATOR is the program torii-emulator.
set -euo pipefail

export TORII_LIBRARY="$(realpath "$1")/libtorii.so.0"
export TORII_HEADER="$(realpath "$2")/torii.h"
export TORII_EMULATOR="$(realpath "$3")"
cd "$(dirname "$0")"
exec ruby -w -Ilib -Itest -e 'Dir["test/*_test.rb"].sort.each { |file| require "./#{file}" }'
