"""The measuring of bench.sh."""

import http.client
import json
import statistics
import subprocess

from harness import HERE, Emulator, Nginx, ask, computed, eventually, free_port

ROUNDS, SECONDS, DISTINCT = 9, 2, 40_000


def main():
    emulator, port, bare = Emulator(), free_port(), free_port()
    nginx = Nginx(f"""
        keepalive_requests 100000000;
        server {{
            listen 127.0.0.1:{port};
            torii_issuer {emulator.issuer};
            location / {{ torii on; return 200 "hello"; }}
            # Each round has its own verifier, and with it an empty token cache.
            {"".join(f'location /{n} {{ torii on; torii_audience round-{n} app; return 200 "hello"; }}'
                     for n in range(ROUNDS))}
            {"".join(f'location /fixed/{n} {{ torii on; torii_audience fixed-{n} app; torii_fixed_base on; return 200 "hello"; }}'
                     for n in range(ROUNDS))}
        }}
        server {{ listen 127.0.0.1:{bare}; location / {{ return 200 "hello"; }} }}
    """, threads=1).ready(port)
    worker = nginx.children()[0]

    same, distinct = f"{nginx.folder}/same", f"{nginx.folder}/distinct"
    with open(same, "w") as file:
        file.write(emulator.token() + "\n")
    connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"))
    with open(distinct, "w") as file:
        for _ in range(DISTINCT):
            connection.request("POST", "/_emulator/issuers/acme/tokens",
                               json.dumps({"claims": {"aud": "app"}, "expires_in": 3600}))
            file.write(json.loads(connection.getresponse().read())["token"] + "\n")
    connection.close()
    eventually(lambda: ask(port, "/", emulator.token()).status == 200)

    def measure(url, tokens):
        before = computed(worker)
        done = subprocess.run(["wrk", "-t", "1", "-c", "16", "-d", f"{SECONDS}s", "-s", f"{HERE}/bench.lua",
                               url, "--", tokens], capture_output=True, text=True, check=True)
        total, rate, p99, errors = done.stdout.splitlines()[-1].split()
        assert errors == "0", done.stdout
        if tokens == distinct:
            assert int(total) <= DISTINCT, "tokens came twice"
        return float(rate), float(p99), (computed(worker) - before) / int(total) * 1e6

    rows = {"no module": [], "the same token": [], "distinct tokens": [], "with fixed_base": []}
    for n in range(ROUNDS):
        rows["no module"].append(measure(f"http://127.0.0.1:{bare}/", same))
        rows["the same token"].append(measure(f"http://127.0.0.1:{port}/", same))
        rows["distinct tokens"].append(measure(f"http://127.0.0.1:{port}/{n}", distinct))
        # In the first round the table of the key is built.
        rows["with fixed_base"].append(measure(f"http://127.0.0.1:{port}/fixed/{n}", distinct))
    for name, found in rows.items():
        rate, p99, cpu = (statistics.median(column) for column in zip(*found, strict=True))
        ratio = statistics.median(mine[0] / none[0] for mine, none in zip(found, rows["no module"], strict=True))
        print(f"{name:16}{rate:8.0f} requests/s ({ratio:.2f} of no module) {p99:7.2f} ms p99 "
              f"{cpu:6.1f} µs of the worker for each")
    nginx.stop()
    emulator.stop()


if __name__ == "__main__":
    main()
