# shellcheck shell=bash
# Read by run.sh and by tests/dist-packages.sh: starts the local torii of $emulator, and checks programs that use it.
# Needs `set -euo pipefail`.

unset TORII_LIBRARY LD_LIBRARY_PATH LD_PRELOAD GEM_HOME GEM_PATH RUBYLIB RUBYOPT PYTHONPATH GOFLAGS

failed() { echo "FAILED: $*" >&2; exit 1; }

installed=$(PATH=$PATH:/sbin ldconfig -p)
[[ $installed != *libtorii.so* ]] || failed "this machine has libtorii installed, and nobody can tell whether a package needs it"

coproc TORII { exec "$emulator" --port 0 --until-stdin-closes; }
read -r addresses <&"${TORII[0]}"
torii=$TORII_PID to_torii=${TORII[1]}
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
issuer=$(member issuer <<<"$addresses") control=$(member control <<<"$addresses")
secret_key=$(member secret_key <<<"$addresses") url=$(member url <<<"$addresses")

users() { # PATH ARGUMENT...: what torii answers to curl
  local path=$1
  shift
  curl -sSf -H "Authorization: Bearer $secret_key" -H 'Content-Type: application/json' "$url/api/server/v1/users$path" "$@"
}
mint() { curl -sSf -X POST "$control/issuers/acme/tokens" -d "$1" | member token; }
user=$(users '' -d '{"email":"ada@example.com"}' | grep -o '"id":"[^"]*"' | head -n 1 | member id)
export TORII_ISSUER=$issuer TORII_API_URL=$url TORII_SECRET_KEY=$secret_key TOKEN EXPIRED FIRST_NAME
TOKEN=$(mint "{\"claims\":{\"sub\":\"$user\"},\"expires_in\":86400}") EXPIRED=$(mint '{"now_offset":-5000}')

# uses HOW LIBRARY COMMAND...: the program does what it should, with that library.
uses() {
  local how=$1 library=$2 said
  shift 2
  FIRST_NAME="Ada $RANDOM"
  said=$("$@") || failed "$how: $said"
  diff <(printf '%s\n' "$user is $FIRST_NAME" token_expired ${library:+"$library"}) - <<<"$said" || failed "$how"
  grep -qF "\"firstName\":\"$FIRST_NAME\"" <<<"$(users "/$user")" || failed "$how: the name did not arrive"
  echo "$how: ${library:-no library of its own}"
}

# refuses HOW TEXT... -- COMMAND...: the command fails and says all of that.
refuses() {
  local how=$1 said texts=()
  shift
  while [ "$1" != -- ]; do texts+=("$1") && shift; done
  shift
  if said=$("$@" 2>&1); then failed "$how: it succeeds: $said"; fi
  for text in "${texts[@]}"; do
    grep -qF -- "$text" <<<"$said" || failed "$how: not a word of '$text': $said"
  done
  echo "$how: $(grep -F -m 1 -- "${texts[0]}" <<<"$said" | cut -c 1-200)"
}
