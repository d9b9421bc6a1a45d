#!/usr/bin/env bash
# run.sh WINDOWS EMULATOR: programs that mingw compiles verify tokens with WINDOWS/torii.dll, under wine.
set -euo pipefail

windows=$(realpath "$1") emulator=$(realpath "$2")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
export WINEPREFIX=$work/wine WINEDEBUG=-all
# The wine server ends by itself with its last program; it must not keep the folder.
trap 'wineserver -k 2>/dev/null || true; rm -rf "$work"' EXIT
unset DISPLAY

failed() { echo "FAILED: $*" >&2; exit 1; }
tool() { "x86_64-w64-mingw32-$1" "${@:2}"; }

# ---- the file

tool objdump -p "$windows/torii.dll" >"$work/headers"
# The table of exported names, the last column.
sed -n '/^\[Ordinal\/Name Pointer\] Table/,/^$/s/^.*[] ]\(torii_[a-z0-9_]*\)$/\1/p' "$work/headers" | LC_ALL=C sort >"$work/exported"
diff "$work/exported" abi/symbols.txt || failed "torii.dll exports other functions"
sed -n 's/.*DLL Name: //p' "$work/headers" | LC_ALL=C sort -f >"$work/needed"
grep -q . "$work/needed" || failed "torii.dll needs nothing"
! grep -vixE '(api-ms-win-[a-z0-9-]*|advapi32|bcrypt|bcryptprimitives|crypt32|kernel32|msvcrt|ntdll|user32|userenv|ws2_32)\.dll' "$work/needed" ||
  failed "torii.dll needs other libraries than those of Windows"
echo "torii.dll: $(stat -c %s "$windows/torii.dll") bytes, needs $(xargs <"$work/needed")"

# ---- the README's program

compile() { tool gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -I "$windows" "$@"; }
mkdir "$work/bin"
cp "$windows/torii.dll" "$work/bin"
compile examples/c/quickstart.c -o "$work/bin/quickstart.exe" -L "$windows" -ltorii
compile tests/windows/unload.c -o "$work/bin/unload.exe"
said=$(wine --version)
[[ $said =~ ^wine-([0-9]+) ]] || failed "wine: $said"
if [ "${BASH_REMATCH[1]}" -lt 9 ]; then
  tool gcc -shared tests/windows/bcryptprimitives.c -o "$work/bin/bcryptprimitives.dll" -ladvapi32
fi

coproc TORII { exec "$emulator" --port 0 --until-stdin-closes; }
read -r addresses <&"${TORII[0]}"
torii=$TORII_PID to_torii=${TORII[1]}
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
issuer=$(member issuer <<<"$addresses") control=$(member control <<<"$addresses")
token=$(curl -sSf -X POST "$control/issuers/acme/tokens" -d '{"expires_in":86400}' | member token)

said=$(wine "$work/bin/quickstart.exe" "$issuer" "$token" 2>"$work/error" | tr -d '\r') || failed "quickstart.exe: $said $(<"$work/error")"
[[ $said == "user "* ]] || failed "quickstart.exe says $said $(<"$work/error")"
if wine "$work/bin/quickstart.exe" "$issuer" "${token}x" >"$work/said" 2>"$work/error"; then failed "quickstart.exe accepts an invalid token: $(<"$work/said")"; fi
grep -q 'token signature' "$work/error" || failed "quickstart.exe says of an invalid token: $(<"$work/error")"
echo "quickstart.exe under $(wine --version): $said"

# ---- unloading

[ "$(wine "$work/bin/unload.exe" | tr -d '\r')" = unloaded ] || failed "FreeLibrary does not unload: this test shows nothing"
[ "$(wine "$work/bin/unload.exe" verifier | tr -d '\r')" = loaded ] || failed "torii.dll is gone after FreeLibrary"
echo "torii.dll stays loaded once it has made a verifier"

exec {to_torii}>&-
wait "$torii"
