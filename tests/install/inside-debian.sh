#!/usr/bin/env bash
# inside-debian.sh VERSION ISSUER TOKEN PORT: run by deb.sh in a Debian without any other file of this project.
set -euo pipefail

version=$1 issuer=$2 token=$3 port=$4
export DEBIAN_FRONTEND=noninteractive
failed() { echo "FAILED: $*" >&2; exit 1; }

before=$(find / -xdev -name '*torii*' ! -path '/here/*')
[ -z "$before" ] || failed "already there: $before"
dpkg --install /here/*.deb >/here/log 2>&1 || { cat /here/log >&2; exit 1; }

cd /tmp
compile() { cc -Wall -Wextra -Wpedantic -Werror /usr/share/doc/libtorii-dev/examples/quickstart.c -o "$@"; }
compile shared $(pkg-config --cflags --libs torii)
flags=$(pkg-config --static --cflags --libs torii)
compile static ${flags/-ltorii/-l:libtorii.a}
for program in shared static; do
  [[ $("./$program" "$issuer" "$token") == "user "* ]] || failed "$program refuses a valid token"
  ! "./$program" "$issuer" "${token}x" 2>/dev/null || failed "$program accepts an invalid token"
done
echo "libtorii-dev: the README's program, shared and static"

[ "$(torii --version)" = "torii $version" ] || failed "torii --version says $(torii --version)"
torii verify --issuer "$issuer" "$token" >output || failed "torii refuses a valid token: $(<output)"
! torii verify --issuer "$issuer" "${token}x" >output 2>&1 || failed "torii accepts an invalid token"
[[ $(torii-emulator --port 0 --until-stdin-closes </dev/null) == *'"issuer":'* ]] || failed "torii-emulator does not start"
bash -c '. /usr/share/bash-completion/completions/torii && complete -p torii' >output || failed "no completions for bash"
echo "torii: verifies tokens"

torii-gate --config /etc/torii/gate.toml --issuer "$issuer" --check >output || failed "torii-gate refuses its configuration"
for unit in torii-gate.service torii-gate.socket; do
  [ -e "/lib/systemd/system/$unit" ] || failed "torii-gate has no $unit"
done
coproc GATE { exec torii-gate --issuer "$issuer" --listen "127.0.0.1:$port" --header X-User-Id=/sub 2>&1; }
# Bash forgets it when the gate has ended.
gate=$GATE_PID
read -r listening <&"${GATE[0]}"
asked() { # HEADER: the first line of the gate's answer
  exec 9<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET / HTTP/1.0\r\n%s\r\n' "$1" >&9
  tr -d '\r' <&9 | sed -n 1p
}
good=$(asked "Authorization: Bearer $token"$'\r\n') bad=$(asked "Authorization: Bearer ${token}x"$'\r\n')
kill "$gate"
wait "$gate" || failed "torii-gate ends with $?"
[[ $good == "HTTP/1.0 200 OK" && $bad == "HTTP/1.0 401 "* ]] || failed "torii-gate answers $good, $bad ($listening)"
echo "torii-gate: answers requests"

depends=$(dpkg-deb --field /here/libnginx-mod-http-torii_*.deb Depends)
[[ $depends == *nginx-abi-"$(nginx -v 2>&1 | sed 's/.*nginx.//')"* ]] || failed "nginx's module depends on $depends"
cat >/etc/nginx/conf.d/torii.conf <<NGINX
server {
    listen 127.0.0.1:$port;
    torii_issuer $issuer;
    location / {
        torii on;
        return 200 "user \$torii_user_id";
    }
}
NGINX
nginx -t 2>output || failed "nginx: $(<output)"
nginx
status() { # HEADER: the first line of nginx's answer, and the last
  exec 9<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET / HTTP/1.0\r\n%s\r\n' "$1" >&9
  tr -d '\r' <&9 | sed -n '1p;$p' | tr '\n' ' '
}
good=$(status "Authorization: Bearer $token"$'\r\n') bad=$(status "Authorization: Bearer ${token}x"$'\r\n')
nginx -s stop 2>output
[[ $good == "HTTP/1.1 200 OK user "* ]] || failed "nginx answers a valid token with $good"
[[ $bad == "HTTP/1.1 401 "* ]] || failed "nginx answers an invalid token with $bad"
rm /etc/nginx/conf.d/torii.conf
echo "libnginx-mod-http-torii: accepts a valid token and refuses an invalid one ($(nginx -v 2>&1 | sed 's/.*: //'))"

for page in man1/torii.1 man1/torii-gate.1 man3/libtorii.3 man3/torii_verifier.3; do
  [[ $(zgrep -m 1 '^\.TH ' "/usr/share/man/$page.gz") == *" $version"* ]] || failed "no manual page $page of $version"
done
[ -e /usr/share/man/man1/torii-emulator.1.gz ] || failed "no manual page of torii-emulator"
echo "manual pages: of this version"

packages=$(for deb in /here/*.deb; do dpkg-deb --field "$deb" Package; done)
for package in libtorii0 libtorii-dev torii; do
  zgrep -q '^aws-lc-sys ' "/usr/share/doc/$package/third-party.gz" || failed "$package does not say whose code it carries"
done
dpkg --verify $packages
dpkg --purge $packages >/here/log 2>&1 || { cat /here/log >&2; exit 1; }
after=$(find / -xdev -name '*torii*' ! -path '/here/*')
[ -z "$after" ] || failed "purge leaves $after"
echo $packages": installed, used and purged"
