#!/usr/bin/env bash
# run.sh LIBDIR INCLUDEDIR EMULATOR [ruby|php|python|node|go]...: the packages of the bindings are all that a
# program needs. Each is made, installed into an empty directory and used by a program there; without
# the library it says what to do, and with another one it does not start.
#
# LIBDIR holds libtorii.so.0 and libtorii.a, INCLUDEDIR torii.h, EMULATOR is the program
# torii-emulator. Tools that are kept for the next time go below $BUILD (/tmp).
set -euo pipefail

libdir=$(realpath "$1") includedir=$(realpath "$2") emulator=$(realpath "$3")
shift 3
[ $# -gt 0 ] || set -- ruby php python node go
library=$(realpath "$libdir/libtorii.so.0")
here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../..")
export BUILD=${BUILD:-/tmp}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")

# shellcheck source=tests/packages/uses.sh
. "$here/uses.sh"

# holds PACKAGE: it lists the files users need, and they may be passed on.
holds() {
  local files
  files=$(cat)
  ! grep -E '(^|[/_.])(tests?|bench)([/_.]|$)|__pycache__' <<<"$files" || failed "$1 has files nobody needs"
  for needed in LICENSE '(README\.md|METADATA)'; do
    grep -qE "(^|/)$needed$" <<<"$files" || failed "$1 has no $needed"
  done
  [ "$(grep -cE 'libtorii\.(so|node)' <<<"$files")" = "$(grep -c 'LICENSE\.third-party$' <<<"$files")" ] ||
    failed "$1 carries the code of others without their terms, or their terms without it"
  echo "$1: $(wc -l <<<"$files") files"
}

other_abi=$work/other.so
cc -shared -fPIC -x c -o "$other_abi" - <<<'unsigned torii_abi_version(void) { return 7; }'

# musl's ldd fails and prints this.
mkdir "$work/musl"
printf '%s\n' '#!/bin/sh' 'echo "musl libc (x86_64)" >&2' 'exit 1' >"$work/musl/ldd"
chmod +x "$work/musl/ldd"
said=$("$root/scripts/libc")-$(PATH=$work/musl:$PATH "$root/scripts/libc")
[ "$said" = gnu-musl ] || failed "scripts/libc prints $said (expected gnu, and musl with its ldd)"

# of_one_version BINDING ARGUMENT...: it cannot be packaged under another number than it and the library have.
of_one_version() {
  mkdir -p "$work/other"/{bindings,scripts}
  cp "$root/scripts/libc" "$work/other/scripts"
  cp -r "$root/bindings/$1" "$work/other/bindings"
  cp "$root/LICENSE" "$work/other"
  sed "s/^version = \"$version\"/version = \"9.9.9\"/" "$root/Cargo.toml" >"$work/other/Cargo.toml"
  refuses "$1 of two versions" 9.9.9 "$version" -- "$work/other/bindings/$1/package.sh" "${@:2}" "$work/other/out"
}

# ---- the packages

test_ruby() {
  local platform gem
  "$root/bindings/ruby/package.sh" "$libdir" "$work/out"
  platform=$(ruby -e 'print Gem::Platform.local')
  gem=torii-$version-$platform
  for each in "torii-$version" "$gem"; do
    tar xOf "$work/out/$each.gem" data.tar.gz | tar tz | holds "$each.gem"
  done
  of_one_version ruby "$libdir"

  # ffi is Debian's, which rubygems finds beside what GEM_HOME has.
  install_gem() { env GEM_HOME="$1" gem install --local --no-document --silent "$work/out/$2.gem"; }
  program() { env -C "$work" GEM_HOME="$home" "$@" ruby -w "$here/program.rb"; }
  local home=$work/gems bundled
  bundled=$home/gems/$gem/lib/torii/libtorii.so.0
  install_gem "$home" "$gem"
  uses "gem with the library" "$bundled" program
  uses "gem with the library, told another" "$library" program TORII_LIBRARY="$libdir/libtorii.so.0"
  cp "$other_abi" "$bundled"
  refuses "gem with another library" "$bundled has the ABI version 7" -- program
  echo "for other machines" >"$bundled"
  refuses "gem for other machines" "looked in the gem, for $bundled" "with the dynamic linker, for libtorii.so.0" -- program
  uses "gem for other machines, with the library of the system" "$library" program LD_LIBRARY_PATH="$libdir"

  home=$work/pure-gems
  install_gem "$home" "torii-$version"
  refuses "gem without a library" "looked with the dynamic linker, for libtorii.so.0" "Install the package libtorii0" -- program
  uses "gem with the library of the system" "$library" program LD_LIBRARY_PATH="$libdir"
}

# Composer cannot be installed beside php-psr, so that it and what it needs of Debian's are unpacked.
get_composer() {
  local packages=(composer jsonlint php-json-schema php-psr-container php-psr-log php-react-promise php-seld-signal-handler
    php-composer-{ca-bundle,class-map-generator,metadata-minifier,pcre,semver,spdx-licenses,xdebug-handler}
    php-symfony-{console,deprecation-contracts,filesystem,finder,process,service-contracts,string})
  composer=$BUILD/torii-composer
  [ ! -e "$composer/ready" ] || return 0
  mkdir -p "$composer/debs"
  (cd "$composer/debs" && apt-get download -qq "${packages[@]}" 2>"$work/log") ||
    failed "composer cannot be had of Debian (apt-get update may help): $(<"$work/log")"
  for deb in "$composer"/debs/*.deb; do
    dpkg-deb --extract "$deb" "$composer"
  done
  touch "$composer/ready"
}

test_php() {
  local project=$work/php bundled fpm=$work/fpm php_fpm
  "$root/bindings/php/package.sh" "$libdir" "$work/php-packages"
  unzip -Z1 "$work/php-packages/torii-torii-$version.zip" | holds "torii-torii-$version.zip"
  of_one_version php "$libdir"

  get_composer
  mkdir "$project"
  mv "$work/php-packages" "$project/packages"
  bundled=$project/vendor/torii/torii/lib/linux-$(uname -m)-gnu/libtorii.so.0
  # The interfaces of PSR 7, 15 and 17 are those of Debian's php-psr.
  cat >"$project/composer.json" <<JSON
{
    "repositories": {"packagist.org": false},
    "provide": {
        "psr/http-factory": "1.0.2",
        "psr/http-message": "1.1",
        "psr/http-server-handler": "1.0.2",
        "psr/http-server-middleware": "1.0.2"
    }
}
JSON
  composer() {
    env -C "$project" COMPOSER_HOME="$work/composer" COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_DISABLE_NETWORK=1 \
      php -d include_path="$composer/usr/share/php" "$composer/usr/bin/composer" --no-interaction --no-ansi "$@"
  }
  eval "$(grep '^composer ' "$root/bindings/php/README.md")" &>"$work/log" || failed "composer: $(<"$work/log")"
  export AUTOLOAD=$project/vendor/autoload.php

  program() { env -C "$work" "$@" php "$here/program.php"; }
  uses "composer package" "$bundled" program
  uses "composer package, told another library" "$library" program TORII_LIBRARY="$libdir/libtorii.so.0"

  # php-fpm, as the README has it.
  php_fpm=$(PATH=$PATH:/usr/sbin && { command -v php-fpm || command -v php-fpm8.2; })
  served() { # SETTING...: what the program says to a second request under php-fpm with these settings
    local pid answer settings=()
    for setting in "$@"; do settings+=(-d "$setting"); done
    rm -f "$fpm.sock"
    "$php_fpm" --nodaemonize --allow-to-run-as-root --fpm-config "$fpm.conf" \
      -d display_errors=1 -d html_errors=0 -d opcache.enable=1 "${settings[@]}" 2>"$fpm.log" &
    pid=$!
    until [ -S "$fpm.sock" ]; do
      kill -0 "$pid" 2>/dev/null || failed "php-fpm: $(<"$fpm.log")"
      sleep 0.1
    done
    for _ in 1 2; do
      answer=$(SCRIPT_FILENAME=$here/program.php REQUEST_METHOD=GET cgi-fcgi -bind -connect "$fpm.sock")
    done
    kill "$pid"
    wait "$pid" || true
    sed '1,/^\r*$/d' <<<"$answer"
    ! grep -q 'Fatal error' <<<"$answer"
  }
  cat >"$fpm.conf" <<CONF
[global]
error_log = $fpm.log
[www]
user = $(id -un)
listen = $fpm.sock
pm = static
pm.max_children = 1
CONF
  local preload=("opcache.preload=$project/vendor/torii/torii/preload.php" "opcache.preload_user=$(id -un)")
  curl -sSf -X DELETE "$control/requests"
  uses "composer package under php-fpm" "$bundled" served ffi.enable=preload "${preload[@]}"
  grep -q '"total":1}' <<<"$(curl -sSf "$control/requests?path=/acme/")" || failed "a second request does not find the keys of the first"
  (cd "$project" && eval "$(grep '^sed .*torii-ffi.h' "$root/bindings/php/README.md")")
  # The preloaded library comes first, so that no search happens.
  (
    export TORII_LIBRARY=/nowhere
    uses "composer package under php-fpm, with its declarations preloaded" "$bundled" \
      served ffi.enable=preload ffi.preload="$project/torii-ffi.h" "${preload[@]}"
  )
  refuses "composer package under php-fpm, not preloaded" "ffi.enable" "Under php-fpm, FFI has to be" -- served ffi.enable=preload

  cp "$other_abi" "$bundled"
  refuses "composer package with another library" "$bundled has the ABI version 7" -- program
  echo "for other machines" >"$bundled"
  refuses "composer package for other machines" "looked in the package, for $bundled" "with the dynamic linker, for libtorii.so.0" \
    "Install the package libtorii0" -- program
  uses "composer package for other machines, with the library of the system" "$library" program LD_LIBRARY_PATH="$libdir"
}

test_python() {
  local wheel out=$work/python tools=$BUILD/torii-python-package glibc bundled home
  "$root/bindings/python/package.sh" "$libdir" "$out"
  said=$("$tools/bin/pip" freeze --disable-pip-version-check)
  while read -r each; do
    grep -qx "$each" <<<"$said" || failed "$tools has no $each, which package.sh installs"
  done < <(grep -oE '[a-z]+==[0-9.]+' "$root/bindings/python/package.sh")
  glibc=$(readelf -VW "$library" | grep -o 'GLIBC_2\.[0-9]*' | sort -uV | tail -n 1)
  wheel=torii_backend-$version-py3-none-manylinux_2_${glibc#GLIBC_2.}_$(uname -m).whl
  unzip -Z1 "$out/$wheel" | holds "$wheel"
  tar tzf "$out/torii_backend-$version.tar.gz" | holds "torii_backend-$version.tar.gz"
  of_one_version python "$libdir"

  install_wheel() { # VENV WHEEL
    "${PYTHON:-python3}" -m venv --without-pip "$1"
    "$tools/bin/pip" --python "$1/bin/python" install --quiet --disable-pip-version-check --no-index "$2"
  }
  program() { env -C "$work" "$@" "$home/bin/python" "$here/program.py"; }
  home=$work/venv
  install_wheel "$home" "$out/$wheel"
  bundled=$(echo "$home"/lib/python3*/site-packages/torii_backend)/libtorii.so.0
  uses "wheel" "$bundled" program
  uses "wheel, told another library" "$library" program TORII_LIBRARY="$libdir/libtorii.so.0"
  cp "$other_abi" "$bundled"
  refuses "wheel with another library" "$bundled has ABI version 7" -- program
  echo "for other machines" >"$bundled"
  refuses "wheel for other machines" "$bundled in this package: " "libtorii.so.0 in the loader's directories: " -- program
  uses "wheel for other machines, with the library of the system" "$library" program LD_LIBRARY_PATH="$libdir"

  home=$work/pure-venv
  "$tools/bin/pip" wheel --quiet --disable-pip-version-check --no-index --no-build-isolation --wheel-dir "$work/pure" \
    "$out/torii_backend-$version.tar.gz"
  install_wheel "$home" "$work/pure/torii_backend-$version-py3-none-any.whl"
  refuses "source distribution without a library" "libtorii.so.0 in the loader's directories: " "Install libtorii" -- program
  uses "source distribution with the library of the system" "$library" program LD_LIBRARY_PATH="$libdir"
}

test_node() {
  local out=$work/npm project=$work/node platform native
  "$root/bindings/node/package.sh" "$out"
  PATH=$("$root/bindings/node/node.sh" "$BUILD/torii-node"):$PATH
  platform=linux-$(node -p process.arch)-gnu
  native=$project/node_modules/libtorii-$platform/libtorii.node
  for each in "libtorii-$version" "libtorii-$platform-$version"; do
    tar tzf "$out/$each.tgz" | holds "$each.tgz"
  done
  of_one_version node

  # Without the registry: the packages need no others.
  mkdir "$project"
  echo '{"private": true}' >"$project/package.json"
  npm install --prefix "$project" --offline --silent --no-audit --no-fund \
    "$out/libtorii-$version.tgz" "$out/libtorii-$platform-$version.tgz"
  cp "$here/program.mjs" "$project"
  program() { env -C "$work" node "$project/program.mjs"; }
  uses "npm package" "$native" program
  sed -i "s/\"$version\"/\"9.9.9\"/" "$project/node_modules/libtorii/dist/native.js"
  refuses "npm package with another native module" "version 9.9.9 with a native module of version $version" -- program
  echo "for other machines" >"$native"
  refuses "npm package for other machines" "no native module for linux-" "libtorii-$platform: " -- program
  rm -r "$(dirname "$native")"
  refuses "npm package without a native module" "no native module for linux-" "expected the package libtorii-$platform;" -- program
}

test_go() {
  local proxy=$work/go-proxy prefix=$work/prefix project=$work/go module zip
  module=$(sed -n 's/^module //p' "$root/bindings/go/go.mod")
  "$root/bindings/go/package.sh" "$proxy"
  zip=$proxy/$module/@v/v$version.zip
  # A module has its tests with it, but neither other modules nor what only they need.
  unzip -Z1 "$zip" | grep -vE '(_test\.go|/test\.sh|/bench\.sh)$' | holds "v$version.zip"
  ! unzip -p "$zip" '*/go.mod' | grep require || failed "the module needs others"

  mkdir -p "$project" "$prefix"/{include,lib/pkgconfig}
  cp "$includedir/torii.h" "$prefix/include"
  cp "$libdir"/libtorii.{a,so} "$prefix/lib"
  cp "$libdir/libtorii.so.0" "$prefix/lib"
  cat >"$prefix/lib/pkgconfig/torii.pc" <<EOF
Name: torii
Description: Trust torii's logins
Version: $version
Libs: -L$prefix/lib -ltorii
Libs.private: -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc
Cflags: -I$prefix/include
EOF
  cp "$here/program.go" "$project/main.go"
  cd "$project"
  export GOPROXY=file://$proxy GONOSUMDB='*' GOTOOLCHAIN=local GOFLAGS=-modcacherw GOMODCACHE=$work/modules CGO_ENABLED=1
  export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
  go mod init example.org/user 2>"$work/log" && go get "$module@v$version" 2>"$work/log" || failed "$(<"$work/log")"
  refuses "go module without libtorii" "torii.pc" -- env PKG_CONFIG_PATH= go build -o "$work/none" .
  go build -o "$work/shared" .
  refuses "go module, built, without the library" "libtorii.so.0: cannot open shared object file" -- "$work/shared"
  uses "go module" "$prefix/lib/libtorii.so.0" env LD_LIBRARY_PATH="$prefix/lib" "$work/shared"
  refuses "go module with another library" "ABI 7" -- env LD_LIBRARY_PATH="$prefix/lib" LD_PRELOAD="$other_abi" "$work/shared"
  go build -tags torii_static -o "$work/static" .
  uses "go module, -tags torii_static" "" "$work/static"
}

for language in "$@"; do
  ("test_$language")
done

exec {to_torii}>&-
wait "$torii"
