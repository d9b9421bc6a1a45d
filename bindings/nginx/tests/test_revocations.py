"""The revocations file: workers take a change without a reload."""

import json
import os
import re
import threading
import time
import unittest

from harness import Nginx, ask, eventually
from parking import Parking


class Revocations(Parking):
    def begin(self, directives="", listed=(), **how):
        """nginx, with this file."""
        self.file = f"/tmp/torii-revocations-{os.getpid()}-{id(self)}.json"
        self.addCleanup(lambda: os.path.exists(self.file) and os.unlink(self.file))
        self.revoke(*listed)
        return self.start(f"torii_revocations {self.file}; {directives}", **how)

    def revoke(self, *users):
        self.write(json.dumps({"revoked": [{"sub": user, "before": "all"} for user in users]}))

    def write(self, text):
        with open(f"{self.file}.new", "w") as file:
            file.write(text)
        os.rename(f"{self.file}.new", self.file)

    def accepted(self, token):
        eventually(lambda: self.ask(token=token).status == 200, what="acceptance")

    def refused(self, token):
        eventually(lambda: self.ask(token=token).status == 401, what="refusal")

    def test_a_cached_token_is_refused(self):
        self.begin()
        mallory, alice = (self.emulator.token(claims={"sub": sub}) for sub in ("mallory", "alice"))
        self.accepted(mallory)
        self.assertEqual(self.ask(token=mallory).status, 200)
        self.revoke("mallory")
        self.refused(mallory)
        self.assertIn('error="invalid_token"', self.ask(token=mallory).header("www-authenticate"))
        self.assertEqual(self.ask(token=alice).status, 200)
        self.revoke("alice")
        self.accepted(mallory)
        self.refused(alice)
        self.assertEqual(len(self.nginx.children()), 1)

    def test_listed_from_the_start(self):
        self.begin(listed=["mallory"])
        self.refused(self.emulator.token(claims={"sub": "mallory"}))
        self.assertEqual(self.ask(token=self.emulator.token()).status, 200)

    def test_without_traffic_between(self):
        """The file is checked by a timer, not by requests: nothing is parked for it."""
        self.begin()
        token = self.emulator.token(claims={"sub": "mallory"})
        self.accepted(token)
        self.revoke("mallory")
        # Longer than the library uses a list without a check.
        time.sleep(7)
        self.assertEqual(self.ask(token=token).status, 401)

    def test_given_keys(self):
        """With keys from a file nothing is fetched; the revocations are still checked."""
        keys = f"/tmp/torii-keys-{os.getpid()}-{id(self)}.json"
        self.addCleanup(os.unlink, keys)
        with open(keys, "w") as file:
            file.write(self.emulator.jwks())
        self.file = f"{keys}.revoked"
        self.addCleanup(os.unlink, self.file)
        self.revoke()
        # No other verifier, whose fetches would check the file as well.
        nginx = Nginx(f"""
            torii_issuer {self.emulator.issuer} jwks_file={keys};
            torii_revocations {self.file};
            server {{ listen 127.0.0.1:{self.port}; torii on; return 200 ok; }}
        """).ready(self.port)
        self.addCleanup(nginx.stop)
        token = self.emulator.token(claims={"sub": "mallory"})
        self.assertEqual(self.ask("/", token).status, 200)
        self.revoke("mallory")
        eventually(lambda: self.ask("/", token).status == 401)
        self.revoke()
        eventually(lambda: self.ask("/", token).status == 200)

    def test_a_bad_file_leaves_the_last_list(self):
        self.begin("location = /metrics { torii_metrics; }", listed=["mallory"])
        mallory, alice = (self.emulator.token(claims={"sub": sub}) for sub in ("mallory", "alice"))
        self.refused(mallory)
        self.write("{")
        eventually(lambda: "torii: revocations file" in self.nginx.read_log(), what="the reason")
        self.assertEqual(self.ask(token=mallory).status, 401)
        self.assertEqual(self.ask(token=alice).status, 200)
        # Once, not with each check.
        failed = re.compile(r'torii_revocations_file_reads_total{outcome="failure"} ([3-9]|\d\d)')
        eventually(lambda: failed.search(self.ask("/metrics").text), what="three checks")
        self.assertEqual(self.nginx.read_log().count("torii: revocations file"), 1)
        self.revoke("alice")
        self.refused(alice)
        self.accepted(mallory)

    def test_under_load(self):
        """Both ways, several times, with all workers busy and none replaced."""
        self.begin(workers=2)
        mallory, alice = (self.emulator.token(claims={"sub": sub}) for sub in ("mallory", "alice"))
        self.accepted(mallory)
        children = self.nginx.children()
        wrong, ended = [], threading.Event()

        def load():
            while not ended.is_set():
                status = ask(self.port, "/guarded", alice).status
                if status != 200:
                    wrong.append(status)
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                self.revoke("mallory")
                self.everywhere(mallory, 401)
                self.revoke()
                self.everywhere(mallory, 200)
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(self.nginx.children(), children)

    def everywhere(self, token, status):
        """Each of 50 connections in a row gets this, so that both workers were asked."""
        eventually(lambda: {self.ask(token=token).status for _ in range(50)} == {status})


if __name__ == "__main__":
    unittest.main()
