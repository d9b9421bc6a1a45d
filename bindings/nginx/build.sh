#!/usr/bin/env bash
# Builds ngx_http_torii_module.so: build.sh LIBDIR INCLUDEDIR OUTDIR
#
# For Debian's nginx, with the tree of its package nginx-dev; NGINX_SRC names another one, whose
# configure then gets the arguments in NGINX_FLAGS. LIBDIR holds libtorii.so, INCLUDEDIR torii.h.
# With TORII_RPATH the module looks for the library in that folder when it is loaded.
set -euo pipefail
TORII_LIB=$(realpath "$1") TORII_INC=$(realpath "$2")
export TORII_LIB TORII_INC
mkdir -p "$3"
out=$(realpath "$3")

# nginx's configure takes no path with a space, and takes `.S` in one for the end of a file's name, as mktemp may choose it:
# it works in a folder without either, which has links to all it needs.
work=$(mktemp -d "${TMPDIR:-/tmp}/torii-nginx-XXXXXXXXXX")
trap 'rm -rf "$work"' EXIT
ln -s "$TORII_LIB" "$work/lib"
ln -s "$TORII_INC" "$work/include"
ln -s "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)" "$work/module"
TORII_LIB=$work/lib TORII_INC=$work/include

if [ -n "${NGINX_SRC:-}" ]; then
    read -ra flags <<<"${NGINX_FLAGS:---with-compat --with-threads}"
else
    NGINX_SRC=/usr/share/nginx/src
    . "$NGINX_SRC/conf_flags"
    flags=("${NGX_CONF_FLAGS[@]}")
fi

# -Wpedantic and -Wunused-parameter are more than nginx's own headers and handlers can take.
cc="-O2 -g -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wall -Wextra -Wno-unused-parameter -Werror ${CFLAGS:-}"

cd "$NGINX_SRC"
./configure --with-cc-opt="$cc" --with-ld-opt="-fPIC ${LDFLAGS:-}" "${flags[@]}" \
    --add-dynamic-module="$work/module" --builddir="$work/build" >"$out/configure.log" \
    || { cat "$out/configure.log" >&2; exit 1; }
make --silent -f "$work/build/Makefile" modules >"$out/make.log" 2>&1 || { cat "$out/make.log" >&2; exit 1; }
cp "$work/build/ngx_http_torii_module.so" "$out/"
