"""observe.py EMULATOR LIBRARY: metrics, alerts and the dashboard, with promtool and a real Prometheus server.

The metrics are those of examples/observe/server.py. OpenMetrics is strict, and so is the parser of prometheus_client.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parent.parent.parent
OBSERVE = ROOT / "examples" / "observe"
sys.path.append(str(ROOT / "tests"))

from ports import free_port  # noqa: E402

# For an event that is certain to come, on a machine that is busy with other things.
TIMEOUT = 300
CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def promtool(*arguments, text=None):
    done = subprocess.run(["promtool", *arguments], input=text, cwd=OBSERVE, text=True, capture_output=True)
    assert done.returncode == 0, f"promtool {' '.join(arguments)}: {done.stdout}{done.stderr}"


def request(url, method="GET", body=None, token=None):
    """The status, the content type and the body of the answer."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=TIMEOUT) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def eventually(what, check):
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            found = check()
        except OSError:
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


class Emulator:
    """The local torii."""

    def __init__(self, program):
        arguments = [program, "--port", "0", "--until-stdin-closes"]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        about = json.loads(self.process.stdout.readline())
        self.control, self.issuer = about["control"], about["issuer"]

    def call(self, method, path, body=None):
        status, _, answer = request(self.control + path, method, body)
        assert status < 300, f"{method} {path}: {answer}"
        return json.loads(answer) if answer else None

    def mint(self, **how):
        return self.call("POST", "/issuers/acme/tokens", how)["token"]

    def key_requests(self):
        return self.call("GET", "/requests?path=/acme/_torii/.well-known/jwks.json")["total"]


@contextmanager
def running(arguments, **options):
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


class Server:
    """The example's server."""

    def __init__(self, stack, issuer, folder, library):
        self.target = f"127.0.0.1:{free_port()}"
        revoked = folder / "revoked.json"
        revoked.write_text('{"revoked": [{"sub": "banned", "before": "all"}]}')
        options = [f"key_cache_dir={folder}/keys", f"revocations_file={revoked}", "fixed_base=true"]
        environment = os.environ | {
            "TORII_LIBRARY": str(Path(library).resolve()),
            "PYTHONPATH": str(ROOT / "bindings" / "python" / "src"),
        }
        with open(folder / "server.log", "w") as log:
            arguments = [sys.executable, OBSERVE / "server.py", issuer, self.target.split(":")[1], *options]
            stack.enter_context(running(arguments, env=environment, stderr=log))
        eventually("the server answers", lambda: request(f"http://{self.target}/metrics")[0] == 200)

    def get(self, token):
        return request(f"http://{self.target}/", token=token)[0]

    def metrics(self):
        status, content_type, text = request(f"http://{self.target}/metrics")
        assert (status, content_type) == (200, CONTENT_TYPE)
        return text


def samples(text):
    """The values of the samples, by name and labels. The text is strict OpenMetrics."""
    values = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            values[sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))] = sample.value
    return values


def prometheus_text(text):
    """The same metrics in the older text format, which promtool reads."""

    class Collector:
        def collect(self):
            return text_string_to_metric_families(text)

    registry = CollectorRegistry()
    registry.register(Collector())
    return generate_latest(registry).decode()


def counts_are_what_happened(emulator, server):
    """Metrics equal the traffic, and key fetches the emulator's own log."""
    before = samples(server.metrics())
    assert before["torii_issuers_without_keys",] == 1 and before["torii_tokens_total", "status=TORII_OK"] == 0
    jwks = "/acme/_torii/.well-known/jwks.json"
    emulator.call("POST", "/faults", {"path": jwks, "times": 1, "fault": {"kind": "status", "status": 503}})
    valid = emulator.mint()
    assert server.get(valid) == 503
    eventually("the backoff ends", lambda: server.get(valid) == 200)
    refused = {
        "TORII_ERR_TOKEN_EXPIRED": emulator.mint(now_offset=-5000),
        "TORII_ERR_TOKEN_SIGNATURE": emulator.mint(signer="forged"),
        "TORII_ERR_TOKEN_MALFORMED": "a.b",
        "TORII_ERR_TOKEN_KEY_UNKNOWN": emulator.mint(header={"kid": "unknown"}),
        "TORII_ERR_TOKEN_REVOKED": emulator.mint(claims={"sub": "banned"}),
    }
    for token in refused.values():
        assert [server.get(token) for _ in range(3)] == [401] * 3
    assert [server.get(valid) for _ in range(9)] == [200] * 9

    # An answer does not wait until the keys have been written.
    after = eventually("the keys are written", lambda: (
        values := samples(server.metrics())) and outcomes(values, "torii_key_cache_events_total")["written"] >= 1 and values)
    tokens = {labels[0].removeprefix("status="): value for (name, *labels), value in after.items() if name == "torii_tokens_total"}
    assert tokens.pop("TORII_ERR_KEYS_UNAVAILABLE") >= 1
    # The binding asks without waiting first, and again where keys have to be fetched.
    assert tokens.pop("TORII_ERR_KEYS_PENDING") >= 1
    assert {status: value for status, value in tokens.items() if value} == {"TORII_OK": 10} | dict.fromkeys(refused, 3), tokens
    fetches = outcomes(after, "torii_key_fetches_total")
    assert fetches == {"success": 2, "failure": 1}, fetches
    assert sum(fetches.values()) == emulator.key_requests()
    assert after["torii_token_cache_hits_total",] == 9 and after["torii_token_cache_entries",] == 1
    assert after["torii_issuers_failing",] == after["torii_issuers_without_keys",] == 0
    assert after["torii_keys",] == 1 and 0 < after["torii_key_due_seconds",] <= 240

    assert after["torii_revocations",] == 1 and after["torii_revocations_file_failing",] == 0
    # A file that has just been written is read once more.
    reads = outcomes(after, "torii_revocations_file_reads_total")
    assert reads["success"] >= 1 and reads["failure"] == 0, reads
    # The directory was empty, and both fetches found the same keys.
    events = outcomes(after, "torii_key_cache_events_total")
    assert events.keys() == {"loaded", "written", "failed"} and events["written"] >= 1, events
    assert events["loaded"] == events["failed"] == after["torii_key_cache_failing",] == 0, events
    assert outcomes(after, "torii_key_table_builds_total") == {"success": 0, "failure": 0}


def tables_are_counted(emulator, server):
    """New tokens build the table of their key, piece by piece."""

    def built():
        assert all(server.get(emulator.mint()) == 200 for _ in range(20))
        return outcomes(samples(server.metrics()), "torii_key_table_builds_total") == {"success": 1, "failure": 0}

    eventually("a table", built)


def outcomes(values, name):
    return {labels[0].removeprefix("outcome="): value for (found, *labels), value in values.items() if found == name}


def failing_files_are_counted(emulator, server, folder):
    """A revocations file that is not a list; the next valid file replaces it."""
    revoked, token = folder / "revoked.json", emulator.mint()

    def replace(text):
        (folder / "new.json").write_text(text)
        (folder / "new.json").rename(revoked)

    def looked():
        # A verification has the file looked at when that is due.
        server.get(token)
        return samples(server.metrics())

    valid = revoked.read_text()
    replace("[]")
    failing = eventually("a look fails", lambda: (values := looked())["torii_revocations_file_failing",] and values)
    assert outcomes(failing, "torii_revocations_file_reads_total")["failure"] >= 1
    assert failing["torii_revocations",] == 1
    replace(valid)
    eventually("a look succeeds", lambda: not looked()["torii_revocations_file_failing",])


def a_start_uses_the_key_cache(emulator, start, folder):
    """A file that others may write is ignored and replaced; the next start loads it."""
    # Neither the lock, nor a file that is being written: it has no final name yet.
    file, = eventually("a key cache file", lambda: [path for path in (folder / "keys").iterdir() if "." not in path.name])
    file.chmod(0o620)
    requests = emulator.key_requests()
    for outcome in ("ignored_mode", "loaded"):
        server = start()
        assert server.get(emulator.mint()) == 200
        # An answer does not wait until the keys have been written.
        values = eventually("the file is in use", lambda: (values := samples(server.metrics()))["torii_key_cache_failing",] == 0 and values)
        assert outcomes(values, "torii_key_cache_events_total")[outcome] == 1, values
    assert emulator.key_requests() == requests + 1


def documented():
    """The metrics of docs/metrics.md: their types and labels by the name of a sample."""
    rows = re.findall(r"^\| `(torii_\w+)`(?: `\{([^}]*)\}`)? \| (counter|gauge) \|", (ROOT / "docs" / "metrics.md").read_text(), re.M)
    assert len(rows) == len({name for name, _, _ in rows})
    return {name: (kind, set(filter(None, labels.split(", ")))) for name, labels, kind in rows}


def documentation_is_complete(text):
    found, known = set(), documented()
    for family in text_string_to_metric_families(text):
        name = family.name + ("_total" if family.type == "counter" else "")
        found.add(name)
        assert family.samples and family.type == known[name][0], name
        assert all(set(sample.labels) == known[name][1] for sample in family.samples), name
    assert found == set(known), f"docs/metrics.md and the metrics differ: {found ^ set(known)}"


def expressions():
    """The expressions of the dashboard and of the alerts, as a Prometheus server takes them."""
    dashboard = json.loads((OBSERVE / "dashboard.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["title"] and panel["targets"]
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "1m")
            yield panel["title"], re.sub(r"\$(job|instance)", ".*", expression)


class Prometheus:
    """A Prometheus server with the example's configuration."""

    def __init__(self, stack, folder, target):
        config = (OBSERVE / "prometheus.yml").read_text()
        for old, new in [
            ("127.0.0.1:9110", target),
            ("[rules.yml]", f"[{json.dumps(str(OBSERVE / 'rules.yml'))}]"),
            ("scrape_interval: 15s", "scrape_interval: 1s"),
            ("evaluation_interval: 15s", "evaluation_interval: 1s"),
        ]:
            assert old in config, old
            config = config.replace(old, new)
        (folder / "prometheus.yml").write_text(config)
        address = f"127.0.0.1:{free_port()}"
        self.url = f"http://{address}/api/v1"
        arguments = [
            "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={address}", "--log.level=error",
        ]
        stack.enter_context(running(arguments))
        eventually("Prometheus answers", lambda: self.get("/status/config"))

    def get(self, path, **query):
        status, _, answer = request(f"{self.url}{path}?{urllib.parse.urlencode(query)}")
        return json.loads(answer)["data"] if status == 200 else None

    def query(self, expression):
        answer = self.get("/query", query=expression)
        assert answer is not None, f"not an expression: {expression}"
        return answer["result"]


def a_server_reads_them(prometheus, text):
    """Prometheus' own parser takes every sample, with its type; every alert and panel finds its metrics."""
    target = eventually("a scrape", lambda: next(
        (target for target in prometheus.get("/targets")["activeTargets"] if target["health"] != "unknown"), None))
    assert (target["health"], target["lastError"]) == ("up", ""), target
    names = {name for name, *_ in samples(text)}

    def stored():
        return {series["metric"]["__name__"] for series in prometheus.query('{__name__=~"torii_.*"}')}

    # A target is healthy a little before its samples are stored.
    eventually("all metrics are stored", lambda: stored() == names)
    known = prometheus.get("/metadata", limit=1000)
    for name in names:
        assert known[name.removesuffix("_total")][0]["type"] == documented()[name][0], name
    for title, expression in expressions():
        prometheus.query(expression)
        unknown = set(re.findall(r"\btorii_\w+", expression)) - set(documented())
        assert not unknown, f"the panel {title} asks for {unknown}"

    def alerts():
        rules = prometheus.get("/rules")["groups"][0]["rules"]
        return all(rule["health"] == "ok" for rule in rules) and rules

    for rule in eventually("the rules are evaluated", alerts):
        unknown = set(re.findall(r"\btorii_\w+", rule["query"])) - set(documented())
        assert not unknown, f"the alert {rule['name']} asks for {unknown}"
        firing = [alert["labels"] for alert in rule["alerts"] if alert["state"] == "firing"]
        assert not firing, f"{rule['name']}: {firing}"


def main(emulator, library):
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", "--lint-fatal", "rules.yml")
    promtool("test", "rules", "rules_test.yml")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        torii = Emulator(emulator)
        stack.callback(torii.process.wait)
        stack.callback(torii.process.stdin.close)
        server = Server(stack, torii.issuer, folder, library)
        promtool("check", "metrics", text=prometheus_text(server.metrics()))
        counts_are_what_happened(torii, server)
        tables_are_counted(torii, server)
        failing_files_are_counted(torii, server, folder)
        a_start_uses_the_key_cache(torii, lambda: Server(stack, torii.issuer, folder, library), folder)
        text = server.metrics()
        promtool("check", "metrics", text=prometheus_text(text))
        documentation_is_complete(text)
        a_server_reads_them(Prometheus(stack, folder, server.target), text)
    print("metrics, alerts and dashboard: ok")


if __name__ == "__main__":
    main(*sys.argv[1:])
