#!/usr/bin/env bash
# Tests the gem: test.sh LIBDIR INCLUDEDIR EMULATOR
# LIBDIR has libtorii.so.0; EMULATOR is the program torii-emulator. INCLUDEDIR is not needed here.
set -euo pipefail

export TORII_LIBRARY="$(realpath "$1")/libtorii.so.0"
export TORII_EMULATOR="$(realpath "$3")"
cd "$(dirname "$0")"
exec ruby -w -Ilib -Itest -e 'Dir["test/*_test.rb"].sort.each { |file| require "./#{file}" }'
