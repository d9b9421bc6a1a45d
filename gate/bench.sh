#!/usr/bin/env bash
# Measures `torii gate` beside a server of the same libraries that answers 200 to everything: bench.sh EMULATOR
#
# Each has one thread on processor 0; wrk has processor 1. They take turns, and the best round of each counts.
# $BENCH_SECONDS (3) and $BENCH_ROUNDS (5) say how long.
set -euo pipefail

emulator=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${BENCH_SECONDS:-3} rounds=${BENCH_ROUNDS:-5} target=${CARGO_TARGET_DIR:-target}
cargo build --quiet --release --locked -p torii-cli -p torii-gate --examples --bins
port() { python3 -c 'import sys; sys.path.append("tests"); from ports import free_port; print(free_port())'; }

coproc TORII { exec "$emulator" --port 0 --until-stdin-closes; }
read -r addresses <&"${TORII[0]}"
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
issuer=$(member issuer <<<"$addresses") control=$(member control <<<"$addresses")
token=$(curl -sS -X POST "$control/issuers/acme/tokens" -d '{"expires_in":86400}' | member token)

servers=()
trap 'kill "${servers[@]}" 2>/dev/null' EXIT
# until_up PORT: the server that was started last answers there.
until_up() {
  until curl -sSf -o /dev/null -H "Authorization: Bearer $token" "http://127.0.0.1:$1/" 2>/dev/null; do
    kill -0 "${servers[-1]}" || exit 1
    sleep 0.1
  done
}
bare=$(port)
taskset -c 0 "$target/release/examples/bare" "$bare" &
servers+=($!)
until_up "$bare"
gate=$(port)
taskset -c 0 "$target/release/torii" gate --issuer "$issuer" --listen "127.0.0.1:$gate" --threads 1 \
  --header X-User-Id=/sub 2>/dev/null &
servers+=($!)
until_up "$gate"

# load PORT: requests per second and the 99th percentile of the time to an answer.
load() {
  taskset -c 1 wrk -t1 -c32 -d"${seconds}s" --latency -H "Authorization: Bearer $token" "http://127.0.0.1:$1/" |
    awk '/Requests\/sec/ { rate = $2 } $1 == "99%" { p99 = $2 } /Non-2xx/ { print "refused" > "/dev/stderr"; exit 1 } END { print rate, p99 }'
}

best_bare=0 best_gate=0
for ((round = 0; round < rounds; round++)); do
  read -r rate p99 < <(load "$bare")
  if awk "BEGIN { exit !($rate > $best_bare) }"; then best_bare=$rate p99_bare=$p99; fi
  read -r rate p99 < <(load "$gate")
  if awk "BEGIN { exit !($rate > $best_gate) }"; then best_gate=$rate p99_gate=$p99; fi
done
printf '%-28s %10s requests/s   p99 %s\n' "bare hyper" "$best_bare" "$p99_bare"
printf '%-28s %10s requests/s   p99 %s   %s of bare\n' "torii gate, cached token" "$best_gate" "$p99_gate" \
  "$(awk "BEGIN { printf \"%.2f\", $best_gate / $best_bare }")"
