#!/usr/bin/env bash
# inside-debian.sh ISSUER TOKEN: what deb.sh has run in a Debian without anything else of ours.
set -euo pipefail

issuer=$1 token=$2
export DEBIAN_FRONTEND=noninteractive
failed() { echo "FAILED: $*" >&2; exit 1; }

before=$(find / -xdev -name '*torii*' ! -path '/debs/*')
[ -z "$before" ] || failed "already there: $before"
dpkg --install /debs/*.deb >/debs/log 2>&1 || { cat /debs/log >&2; exit 1; }

cd /tmp
compile() { cc -Wall -Wextra -Wpedantic -Werror /usr/share/doc/libtorii-dev/examples/quickstart.c -o "$@"; }
compile shared $(pkg-config --cflags --libs torii)
flags=$(pkg-config --static --cflags --libs torii)
compile static ${flags/-ltorii/-l:libtorii.a}
for program in shared static; do
  [[ $("./$program" "$issuer" "$token") == "user "* ]] || failed "$program refuses a good token"
  ! "./$program" "$issuer" "${token}x" 2>/dev/null || failed "$program takes a bad token"
done
echo "libtorii-dev: the README's program, shared and static"

packages=$(for deb in /debs/*.deb; do dpkg-deb --field "$deb" Package; done)
for package in $packages; do
  zgrep -q '^aws-lc-sys ' "/usr/share/doc/$package/third-party.gz" || failed "$package does not say whose code it carries"
done
dpkg --verify $packages
dpkg --purge $packages >/debs/log 2>&1 || { cat /debs/log >&2; exit 1; }
after=$(find / -xdev -name '*torii*' ! -path '/debs/*')
[ -z "$after" ] || failed "purge leaves $after"
echo $packages": installed, used and purged"
