"""torii_metrics: of all workers, and of those that have ended."""

import os
import re
import signal
import subprocess
import tempfile
import unittest

from harness import eventually
from parking import Parking

OK = 'torii_tokens_total{status="TORII_OK"}'
BUILT = 'torii_key_table_builds_total{outcome="success"}'
FETCHED = 'torii_key_fetches_total{outcome="success"}'


class Metrics(Parking):
    def begin(self, directives="", **how):
        self.start(f"location = /metrics {{ torii_metrics; }} {directives}", **how)

    def scrape(self):
        answer = self.ask("/metrics")
        self.assertEqual((answer.status, answer.header("content-type")),
                         (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"))
        lines = answer.text.splitlines()
        self.assertEqual(lines[-1], "# EOF")
        types = [line for line in lines if line.startswith("# TYPE ")]
        self.assertEqual(len(types), len(set(types)))
        samples = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        self.assertEqual(len(samples), len({series for series, _ in samples}))
        for series, value in samples:
            self.assertRegex(f"{series} {value}", r'^torii_[a-z_]+(\{[a-z]+="\w+"\})? \d+(\.\d{3})?$')
        return {series: float(value) for series, value in samples}

    def counted(self, series, value):
        """Workers publish once a second."""
        eventually(lambda: self.scrape().get(series, 0) >= value, what=f"{series} {value}")
        self.assertEqual(self.scrape()[series], value)

    def requests(self, n, token):
        answers = [self.ask(token=token).status for _ in range(n)]
        self.assertEqual(answers, [200] * n)

    def warm(self, workers):
        """Each worker has its keys, so that no request is verified twice."""
        self.emulator.fetches(at_least=workers)
        self.counted(FETCHED, workers)

    def test_sums_of_the_workers(self):
        self.begin(workers=3)
        self.warm(3)
        self.assertEqual(self.scrape()[FETCHED], self.emulator.fetches())
        self.requests(60, self.emulator.token())
        self.assertEqual({self.ask(token=self.emulator.token(signer="forged")).status for _ in range(20)}, {401})
        self.counted(OK, 60)
        self.counted('torii_tokens_total{status="TORII_ERR_TOKEN_SIGNATURE"}', 20)
        found = self.scrape()
        # Gauges are the maximum.
        self.assertEqual((found["torii_issuers"], found["torii_issuers_without_keys"]), (1, 0))
        self.assertGreaterEqual(found["torii_keys"], 1)

    def test_failed_fetches(self):
        self.emulator.fault("status", status=500)
        self.begin("torii_key_timeout 1s;")
        self.counted("torii_issuers_failing", 1)
        found = self.scrape()
        self.assertGreaterEqual(found['torii_key_fetches_total{outcome="failure"}'], 1)
        self.assertEqual(found[FETCHED], 0)

    def test_verifiers_that_share_keys(self):
        """Two verifiers with one key set: a fetch is one fetch, an issuer one issuer."""
        self.begin("location /other { torii on; torii_leeway 1s; return 200 ok; }")
        self.warm(1)
        self.assertEqual(self.scrape()["torii_issuers"], 1)
        self.assertEqual(self.emulator.fetches(), 1)
        token = self.emulator.token()
        self.assertEqual([self.ask(path, token).status for path in ("/guarded", "/other")], [200, 200])
        self.assertEqual(self.scrape()[OK], 2)

    def test_counters_never_fall(self):
        self.begin(workers=2)
        self.warm(2)
        token = self.emulator.token()
        self.requests(40, token)
        self.counted(OK, 40)
        # New workers, and the old ones end.
        old = self.nginx.children()
        self.nginx.reload()
        self.assertGreaterEqual(self.scrape()[OK], 40)
        eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in old), what="the end of the old workers")
        self.warm(4)
        self.requests(10, token)
        self.counted(OK, 50)
        # One that is killed.
        self.nginx.allowed = "exited on signal 9"
        victim = self.nginx.children()[0]
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: not os.path.exists(f"/proc/{victim}"))
        self.assertEqual(self.scrape()[OK], 50)
        self.warm(5)
        self.requests(10, token)
        self.counted(OK, 60)
        self.assertEqual(self.scrape()[FETCHED], self.emulator.fetches())

    def test_fixed_base(self):
        """The same results before a table is built, by it, and without."""
        self.begin("torii_fixed_base on; location /plain { torii on; torii_fixed_base off; return 200 ok; }")
        self.warm(1)
        self.assertEqual(self.scrape()[BUILT], 0)
        for n in range(600):
            # Each is new: the token cache knows none.
            token, status = (self.emulator.token(claims={"sub": f"user-{n}"}), 200) if n % 5 else (
                self.emulator.token(signer="forged", claims={"sub": f"user-{n}"}), 401)
            self.assertEqual([self.ask(path, token).status for path in ("/guarded", "/plain")], [status] * 2)
        self.assertEqual(self.scrape()[BUILT], 1)

    def test_no_table_without_fixed_base(self):
        self.begin()
        self.warm(1)
        self.requests(5, self.emulator.token())
        self.assertEqual([series for series in self.scrape() if "table" in series], [])

    def test_key_cache_directory(self):
        self.begin("torii_key_cache keys;", workers=2)
        events = ['torii_key_cache_events_total{outcome="%s"}' % outcome for outcome in ("written", "loaded")]
        # The second worker may start after the first has written.
        eventually(lambda: sum(self.scrape()[event] for event in events) >= 2)
        found = self.scrape()
        self.assertGreaterEqual(found[events[0]], 1)
        self.assertEqual((found["torii_key_cache_failing"], found["torii_issuers_without_keys"]), (0, 0))

    def test_promtool_finds_nothing_to_say(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('{"revoked": []}')
            file.flush()
            self.begin(f"torii_fixed_base on; torii_key_cache keys; torii_revocations {file.name};")
            self.warm(1)
            text = self.ask("/metrics").text
        # promtool reads the older text format, where the type and the help name a counter's samples.
        for counter in re.findall(r"^# TYPE (\w+) counter$", text, re.MULTILINE):
            text = re.sub(rf"^# (TYPE|HELP) {counter} ", rf"# \1 {counter}_total ", text, flags=re.MULTILINE)
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""), text)

    def test_methods(self):
        self.begin()
        self.assertEqual(self.ask("/metrics", method="POST", body=b"x").status, 405)
        head = self.ask("/metrics", method="HEAD")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertTrue(re.match("[0-9]+$", head.header("content-length")))


if __name__ == "__main__":
    unittest.main()
