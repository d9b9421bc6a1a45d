#!/usr/bin/env bash
# Builds libtorii_envoy.so: build.sh OUTDIR. The environment variables are those of scripts/build-module.
exec "$(dirname "${BASH_SOURCE[0]}")/../../scripts/build-module" torii-envoy "$1"
