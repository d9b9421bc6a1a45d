#!/usr/bin/env bash
# rpm.sh RPMS: the RPM packages in RPMS install into an empty folder with a database of its own, do their work
# there, and leave nothing when removed.
set -euo pipefail

rpms=$(realpath "$1")
cd "$(dirname "$0")/../.."
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
arch=$(uname -m)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LD_LIBRARY_PATH PKG_CONFIG_PATH PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR

failed() { echo "FAILED: $*" >&2; exit 1; }
package() { echo "$rpms/$1-$version-1.$arch.rpm"; }

[ "$(cd "$rpms" && echo *.rpm)" = "libtorii-$version-1.$arch.rpm libtorii-devel-$version-1.$arch.rpm torii-$version-1.$arch.rpm" ] ||
  failed "packages: $(ls "$rpms")"

# ---- what a package manager reads

has() { # PACKAGE provides|requires LINE
  rpm -qp "--$2" "$(package "$1")" 2>/dev/null | grep -qxF -- "$3" || failed "$1 $2 no $3"
}
case $arch in
*64) bits='()(64bit)' ;;
*) bits= ;;
esac
has libtorii provides "libtorii.so.0$bits"
has libtorii requires "libc.so.6$bits"
has libtorii-devel requires "libtorii(${arch/_/-}) = $version-1"
has libtorii-devel provides "pkgconfig(torii) = $version"
has torii requires "libc.so.6$bits"
for package in libtorii libtorii-devel torii; do
  said=$(rpm -qp --queryformat '%{NAME} %{VERSION} %{BUILDHOST} %{LICENSE}' "$(package $package)")
  [[ $said == "$package $version localhost MIT AND "* ]] || failed "$package: $said"
  [ -z "$(rpm -qp --scripts "$(package $package)")" ] || failed "$package has scripts"
  rpm -qp --licensefiles "$(package $package)" | grep -q third-party || failed "$package: the licenses of linked code are missing"
done

# ---- in an empty folder

root=$work/root
rpm_there() { rpm --root "$root" --dbpath /var/lib/rpm "$@"; }
# Only root may enter a folder as its root, and own what is in it.
if [ "$(id -u)" != 0 ]; then
  rpm_there() { unshare --map-root-user rpm --root "$root" --dbpath /var/lib/rpm "$@"; }
fi
mkdir "$root"
! rpm_there --install "$(package libtorii-devel)" 2>"$work/said" || failed "libtorii-devel installs without libtorii"
grep -q 'libtorii(.*) = .* is needed' "$work/said" || failed "libtorii-devel: $(<"$work/said")"
# The C library is not there as a package.
rpm_there --install --nodeps "$rpms"/*.rpm 2>"$work/said" || failed "rpm --install: $(<"$work/said")"
[ "$(rpm_there --query --all | LC_ALL=C sort | xargs)" = "libtorii-$version-1.$arch libtorii-devel-$version-1.$arch torii-$version-1.$arch" ] ||
  failed "installed: $(rpm_there --query --all)"
said=$(rpm_there --verify --nodeps --all 2>&1) || failed "rpm --verify: $said"
[ -z "$(find "$root" ! -user "$(id -u)" -o ! -group "$(id -g)")" ] || failed "files belong to others than root"
diff <(cd "$root" && find usr \( -type f -o -type l \) | LC_ALL=C sort) \
  <(rpm_there --query --all --list | while read -r file; do [ -d "$root$file" ] || echo "${file#/}"; done | LC_ALL=C sort) ||
  failed "files that belong to no package"

coproc TORII { exec "$root/usr/bin/torii-emulator" --port 0 --until-stdin-closes; }
read -r addresses <&"${TORII[0]}"
torii=$TORII_PID to_torii=${TORII[1]}
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
issuer=$(member issuer <<<"$addresses") control=$(member control <<<"$addresses")
token=$(curl -sSf -X POST "$control/issuers/acme/tokens" -d '{"expires_in":86400}' | member token)

[ "$(env -i "$root/usr/bin/torii" --version)" = "torii $version" ] || failed "torii --version"
said=$(env -i "$root/usr/bin/torii" verify --issuer "$issuer" "$token") || failed "torii verify: $said"
[[ $said == valid* ]] || failed "torii verify: $said"
! env -i "$root/usr/bin/torii" verify --issuer "$issuer" "${token}x" >"$work/said" 2>&1 || failed "torii verify accepts an invalid token"
env -i "$root/usr/bin/torii-gate" --help >/dev/null || failed "torii-gate"

export PKG_CONFIG_LIBDIR=$root/usr/lib64/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
flags=$(pkg-config --cflags --libs torii)
eval "cc -std=c11 -Wall -Wextra -Wpedantic -Werror examples/c/quickstart.c $flags -o \"\$work/program\""
readelf -d "$work/program" | grep -q 'NEEDED.*libtorii\.so\.0' || failed "the program does not need libtorii.so.0"
said=$(env -i LD_LIBRARY_PATH="$root/usr/lib64" "$work/program" "$issuer" "$token") || failed "the program: $said"
[[ $said == "user "* ]] || failed "the program says $said"
if env -i LD_LIBRARY_PATH="$root/usr/lib64" "$work/program" "$issuer" "${token}x" 2>"$work/said"; then failed "the program accepts an invalid token"; fi
grep -q 'token signature' "$work/said" || failed "the program says of an invalid token: $(<"$work/said")"
exec {to_torii}>&-
wait "$torii"
echo "installed with rpm: torii, torii-gate, torii-emulator, a C program"

rpm_there --erase --nodeps libtorii libtorii-devel torii 2>"$work/said" || failed "rpm --erase: $(<"$work/said")"
left=$(find "$root" \( ! -type d -o -iname '*torii*' \) ! -path "$root/var/lib/rpm/*")
[ -z "$left" ] || failed "left after rpm --erase: $left"
echo "removed without a trace"
