"""Requests per second through Envoy: without a filter, with the module, and with Envoy's own
jwt_authn. Envoy has one worker on the first processor; wrk and the upstream share the second."""

import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from urllib.parse import urlparse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "tests"))
from support import Envoy, Torii, listener, module

SECONDS = int(os.environ.get("BENCH_SECONDS", 2))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", 5))
# More than can be sent in one measurement, so that none comes twice.
TOKENS = int(os.environ.get("BENCH_TOKENS", 12_000 * SECONDS))

SCRIPT = """
local tokens, next = {}, 0
for token in io.lines("%s") do tokens[#tokens + 1] = "Bearer " .. token end
function request()
  next = next %% #tokens + 1
  return wrk.format(nil, nil, {authorization = tokens[next]})
end
"""


def make_tokens(torii, path):
    url = urlparse(torii.control)
    connection = http.client.HTTPConnection(url.netloc)
    wish = json.dumps({"expires_in": 86_400})
    with open(path, "w") as file:
        for _ in range(TOKENS):
            connection.request("POST", f"{url.path}/issuers/acme/tokens", wish)
            print(json.loads(connection.getresponse().read())["token"], file=file)


def jwt_authn(issuer, jwks, cache=None):
    provider = {
        "issuer": issuer,
        "local_jwks": {"inline_string": jwks},
        "forward": True,
        "claim_to_headers": [{"header_name": "x-user-id", "claim_name": "sub"}],
    }
    if cache:
        provider["jwt_cache_config"] = {"jwt_cache_size": cache, "jwt_max_token_size": 8192}
    return {
        "name": "jwt",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3"
                     ".JwtAuthentication",
            "providers": {"torii": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "torii"}}],
        },
    }


def wrk(envoy, arguments):
    """Requests per second, milliseconds at the 99th percentile, and Envoy's own processor time for
    a request in microseconds, which tells more on a busy machine."""
    port, before = envoy.ports()[0], envoy.cpu()
    command = ["taskset", "-c", "1", "wrk", "-t1", "-c32", f"-d{SECONDS}s", "--latency",
               *arguments, f"http://127.0.0.1:{port}/"]
    text = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"not every request was answered as it should be:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    p99, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    requests = int(re.search(r"(\d+) requests in", text)[1])
    microseconds = (envoy.cpu() - before) / requests * 1e6
    return rate, float(p99) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit], microseconds


def main():
    with tempfile.TemporaryDirectory() as directory, Torii() as torii:
        tokens, script = f"{directory}/tokens", f"{directory}/tokens.lua"
        make_tokens(torii, tokens)
        with open(script, "w") as file:
            file.write(SCRIPT % tokens)
        with open(tokens) as file:
            same = ["-H", f"authorization: Bearer {file.readline().strip()}"]
        distinct = ["-s", script]
        url = torii.issuer + "/_torii/.well-known/jwks.json"
        jwks = subprocess.run(["curl", "-sf", url], stdout=subprocess.PIPE, check=True,
                              text=True).stdout
        def ours(**options):
            issuer = {"issuer": torii.issuer, "jwks": json.loads(jwks)}
            return module({"issuers": [issuer], "headers": {"x-user-id": "sub"}, **options})

        rows = {
            "no filter": [],
            "torii": [ours()],
            # Its table is built during the first of the new tokens.
            "torii with fixed_base": [ours(fixed_base=True)],
            "jwt_authn": [jwt_authn(torii.issuer, jwks)],
            "jwt_authn with a cache": [jwt_authn(torii.issuer, jwks, 10_000)],
        }
        results = {}
        answer = [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]
        with Envoy([lambda _: listener(f"{directory}/upstream", [], answer)], directory,
                   concurrency=1, prefix=["taskset", "-c", "1"]):
            for _ in range(ROUNDS):
                for token, arguments in (("same", same), ("distinct", distinct)):
                    for name, filters in rows.items():
                        # A new Envoy each time, which has seen none of the tokens.
                        with Envoy([lambda _: listener(("127.0.0.1", 0), filters)], directory,
                                   concurrency=1, prefix=["taskset", "-c", "0"]) as envoy:
                            measured = wrk(envoy, arguments)
                        results.setdefault((token, name), []).append(measured)

    print(f"{'token':10}{'filter':26}{'requests/s':>11}{'ratio':>7}{'p99, ms':>9}"
          f"{'CPU, µs':>9}{'ratio':>7}")
    for (token, name), measured in results.items():
        (rate, p99), cpu = medians(measured), least_cpu(measured)
        base = results[token, "no filter"]
        print(f"{token:10}{name:26}{rate:11.0f}{rate / medians(base)[0]:7.2f}{p99:9.2f}"
              f"{cpu:9.1f}{least_cpu(base) / cpu:7.2f}")


def medians(measured):
    return [statistics.median(values) for values in zip(*measured)][:2]


def least_cpu(measured):
    """The least of all rounds: other work of the machine can only add to it."""
    return min(cpu for _, _, cpu in measured)


main()
