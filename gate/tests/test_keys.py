"""Keys: requests that wait for them, outages, readiness, metrics."""

import concurrent.futures
import json
import os
import tempfile
import unittest

from support import Gate, Torii, bearer, until


class Keys(unittest.TestCase):
    def setUp(self):
        self.torii = self.enterContext(Torii())
        self.valid = self.torii.token(claims={"sub": "user-ada"})

    def gate(self, **options):
        options = {"issuer": self.torii.issuer, "header": ["X-User-Id=/sub"], "admin": "127.0.0.1:0", **options}
        return self.enterContext(Gate(options))

    def test_keys_are_fetched_once_before_the_first_question(self):
        gate = self.gate()
        until(gate.ready, "keys at hand")
        self.assertEqual(gate.get(headers=bearer(self.valid)).status, 200)
        self.assertEqual(self.torii.fetches(), 1)

    def test_questions_wait_for_keys_and_others_do_not(self):
        self.torii.fault("hold")
        gate = self.gate(timeout=60)
        self.assertFalse(gate.ready())
        self.assertEqual(gate.admin_get("/healthy").status, 200)
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            waiting = [pool.submit(gate.get, headers=bearer(self.valid)) for _ in range(50)]
            until(lambda: gate.metric("torii_gate_waiting") == 50, "all wait")
            self.assertEqual(gate.get().status, 401)
            self.assertEqual(gate.get(headers=bearer("nonsense")).status, 401)
            # Those who give up are forgotten.
            with gate.connect() as leaving:
                leaving.request(headers=bearer(self.valid))
                until(lambda: gate.metric("torii_gate_waiting") == 51, "one more waits")
            until(lambda: gate.metric("torii_gate_waiting") == 50, "it is gone")
            self.torii.release()
            self.assertEqual({answer.result().status for answer in waiting}, {200})
        self.assertEqual(gate.metric("torii_gate_waiting"), 0)
        self.assertEqual(self.torii.fetches(), 1)

    def test_a_question_waits_no_longer_than_the_timeout(self):
        self.torii.fault("hang")
        gate = self.gate(timeout=1)
        answer = gate.get(headers=bearer(self.valid))
        self.assertEqual((answer.status, answer.json["error"]["code"]), (503, "keys_unavailable"))
        self.assertGreaterEqual(int(answer.header("retry-after")), 1)
        self.assertIsNone(answer.header("www-authenticate"))
        until(lambda: "cannot fetch keys of" in gate.log, "the log says so")

    def test_an_outage_is_logged_once_and_ends_by_itself(self):
        self.torii.fault("status", status=500)
        gate = self.gate()
        until(lambda: "cannot fetch keys" in gate.log, "the log says so")
        for _ in range(5):
            self.assertEqual(gate.get(headers=bearer(self.valid)).status, 503)
        self.assertFalse(gate.ready())
        self.torii.clear_faults()
        # Without a request: the gate fetches by itself.
        until(gate.ready, "keys at hand")
        self.assertEqual(gate.get(headers=bearer(self.valid)).status, 200)
        until(lambda: "again" in gate.log, "the log says so")
        self.assertEqual(gate.log.count("cannot fetch keys"), 1, gate.log)

    def test_a_new_key_is_fetched_for_the_first_token_that_names_it(self):
        gate = self.gate()
        until(gate.ready, "keys at hand")
        self.torii.rotate()
        token = self.torii.token(claims={"sub": "user-bob"})
        self.assertEqual(gate.get(headers=bearer(token)).header("x-user-id"), "user-bob")

    def test_one_issuer_that_is_down_does_not_stop_the_others(self):
        self.torii.call("POST", "/issuers", {"name": "down"})
        self.torii.fault("hang", "/down/")
        gate = self.gate(issuer=[self.torii.issuer.replace("/acme", "/down"), self.torii.issuer])
        until(gate.ready, "keys at hand")
        self.assertEqual(gate.get(headers=bearer(self.valid)).status, 200)

    def test_an_issuer_that_hangs_does_not_delay_revocations(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())

        def revoke(*users):
            with open(f"{folder}/new", "w") as file:
                json.dump({"revoked": [{"sub": user, "before": "all"} for user in users]}, file)
            os.chmod(f"{folder}/new", 0o600)
            os.rename(f"{folder}/new", f"{folder}/revoked.json")

        revoke()
        gate = self.gate(revocations=f"{folder}/revoked.json", timeout=60)
        until(gate.ready, "keys at hand")
        other = self.torii.token(claims={"sub": "user-bob"})
        unknown = self.torii.token(header={"kid": "never-published"})
        self.torii.fault("hold")
        with gate.connect() as waiting:
            waiting.request(headers=bearer(unknown))
            self.torii.fetches(at_least=2)
            for users in (("user-ada",), (), ("user-ada",), (), ("user-ada",)):
                revoke(*users)
                status = 401 if users else 200
                until(lambda: gate.get(headers=bearer(self.valid)).status == status, f"{status} for {users}")
                self.assertEqual(gate.get(headers=bearer(other)).status, 200)
            # All the time, the issuer has not answered.
            self.assertEqual((gate.metric("torii_gate_waiting"), self.torii.fetches()), (1, 2))
            self.torii.release()
            self.assertEqual(waiting.answer().status, 401)

    def test_operators_have_an_address_of_their_own(self):
        gate = self.gate()
        until(gate.ready, "keys at hand")
        for path, status in (("/healthy", 200), ("/ready?x", 200), ("/", 404), ("/metrics/", 404)):
            self.assertEqual(gate.admin_get(path).status, status, path)
        refused = gate.admin_get("/ready", method="POST")
        self.assertEqual((refused.status, refused.header("allow")), (405, "GET, HEAD"))
        # No request is answered there.
        self.assertEqual(gate.admin_get("/").values("x-user-id"), [])

    def test_metrics(self):
        gate = self.gate(optional=True, route=[{"listen": "127.0.0.1:0", "require": "email-verified"}])
        until(gate.ready, "keys at hand")
        gate.get()
        verified = self.torii.token(claims={"email_verified": True})
        for headers in (bearer(verified), bearer(verified), bearer("nonsense"),
                        bearer(self.torii.token(claims={"email_verified": False}))):
            gate.get(headers=headers, number=1)
        answer = gate.admin_get("/metrics")
        self.assertEqual(answer.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8")
        for outcome, count in (("accepted", 2), ("anonymous", 1), ("unauthorized", 1), ("forbidden", 1),
                               ("unavailable", 0), ("failed", 0)):
            self.assertIn(f'\ntorii_gate_answers_total{{outcome="{outcome}"}} {count}\n', answer.text)
        self.check_openmetrics(answer.text)

    def check_openmetrics(self, text):
        """OpenMetrics 1.0.0: each family is one block that begins with its metadata; one `# EOF` ends the text."""
        lines = text.split("\n")
        self.assertEqual(lines[-2:], ["# EOF", ""])
        families, family = set(), None
        for line in lines[:-2]:
            if line.startswith("# "):
                _, keyword, name, _ = line.split(" ", 3)
                self.assertIn(keyword, ("TYPE", "HELP", "UNIT"))
                if name != family:
                    self.assertNotIn(name, families)
                    families.add(name)
                    family = name
            else:
                self.assertRegex(line, r'^[a-z_]+(\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? [0-9.eE+-]+$')
                self.assertTrue(line.startswith(family), line)


if __name__ == "__main__":
    unittest.main()
