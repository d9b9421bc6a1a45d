#!/usr/bin/env bash
# deb.sh EMULATOR DEBS BUILD: the Debian packages in DEBS are clean, and do their work in a Debian
# that has no other file of this project.
#
# That Debian is made once, and kept in BUILD; it takes root, or namespaces for users. Nothing is
# downloaded after that.
set -euo pipefail

emulator=$(realpath "$1") debs=$(realpath "$2") build=$(realpath "$3")
here=$(realpath "$(dirname "$0")")
. /etc/os-release
base=$build/debian-$VERSION_CODENAME.tar

lintian --fail-on error,warning "$debs"/*.changes 2>&1 | sed '/^running with root privileges/d'

namespace=(unshare --mount)
if [ "$(id -u)" != 0 ]; then
  namespace+=(--map-root-user --map-auto)
  "${namespace[@]}" true || {
    echo "run it as root, or let users have namespaces: apt-get install uidmap, /etc/subuid, user.max_user_namespaces" >&2
    exit 1
  }
fi

if [ ! -e "$base" ]; then
  echo "making a $VERSION_CODENAME to install in"
  mmdebstrap --quiet --variant=minbase --format=tar --include=gcc,libc6-dev,pkgconf,nginx,ca-certificates \
    "$VERSION_CODENAME" "$base.new"
  mv "$base.new" "$base"
fi

root=$(mktemp -d)
coproc TORII { exec "$emulator" --port 0 --until-stdin-closes; }
read -r addresses <&"${TORII[0]}"
torii=$TORII_PID to_torii=${TORII[1]}
# Its content may belong to another user.
trap '"${namespace[@]}" rm -rf --one-file-system "$root" "$root.port"' EXIT
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
issuer=$(member issuer <<<"$addresses") control=$(member control <<<"$addresses")
token=$(curl -sS -X POST "$control/issuers/acme/tokens" -d '{"expires_in":86400}' | member token)
version=$(dpkg-deb --field "$debs"/torii_*.deb Version)
# Reserved as long as this script runs.
: >"$root.port"
exec 7> >(exec python3 "$here/../ports.py" >"$root.port")
until [ -s "$root.port" ]; do sleep 0.1; done
port=$(<"$root.port")

"${namespace[@]}" bash -euo pipefail -c '
  root=$1
  tar -x -f "$2" -C "$root" --exclude="./dev/*"
  mount --rbind /dev "$root/dev"
  mkdir "$root/debs"
  cp "$3"/*.deb "$root/debs"
  cp "$4" "$root/debs/inside"
  exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin bash /debs/inside "${@:5}"
' - "$root" "$base" "$debs" "$here/inside-debian.sh" "${version%-*}" "$issuer" "$token" "$port"

exec {to_torii}>&-
wait "$torii"
