#!/usr/bin/env bash
# deb.sh EMULATOR DEBS SUITE: the packages in DEBS, made for the Debian SUITE, are clean, and do their work in a SUITE that
# has no other file of this project.
set -euo pipefail

emulator=$(realpath "$1") debs=$(realpath "$2") suite=$3
here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../..")
. /etc/os-release

check=(lintian "--fail-on=error,warning")
if [ "$suite" = "$VERSION_CODENAME" ]; then
  "${check[@]}" "$debs"/*.changes
else
  "$root/scripts/debian-chroot" "$suite" build "$debs" bash -c '"$@" /here/*.changes' - "${check[@]}"
fi 2>&1 | sed '/^running with root privileges/d'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
coproc TORII { exec "$emulator" --port 0 --until-stdin-closes; }
read -r addresses <&"${TORII[0]}"
torii=$TORII_PID to_torii=${TORII[1]}
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
issuer=$(member issuer <<<"$addresses") control=$(member control <<<"$addresses")
token=$(curl -sS -X POST "$control/issuers/acme/tokens" -d '{"expires_in":86400}' | member token)
version=$(dpkg-deb --field "$debs"/torii_*.deb Version)
# Reserved as long as this script runs.
: >"$work/port"
exec 7> >(exec python3 "$here/../ports.py" >"$work/port")
until [ -s "$work/port" ]; do sleep 0.1; done
port=$(<"$work/port")

mkdir "$work/debs"
cp "$debs"/*.deb "$here/inside-debian.sh" "$work/debs"
"$root/scripts/debian-chroot" "$suite" user "$work/debs" bash /here/inside-debian.sh "${version%-*}" "$issuer" "$token" "$port"

exec {to_torii}>&-
wait "$torii"
