"""examples/envoy/envoy.yaml as it is."""

import http.client
import json
import os
import subprocess
import tempfile
import unittest

from support import ENVOY, MODULE_DIR, Torii, Upstream, bearer, until

EXAMPLE = os.path.join(os.path.dirname(__file__), "../../../examples/envoy/envoy.yaml")


def get(path="/", headers=()):
    connection = http.client.HTTPConnection("127.0.0.1", 10000, timeout=20)
    connection.request("GET", path, headers=dict(headers))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, json.loads(body)


class Example(unittest.TestCase):
    def test_it_works_as_it_is(self):
        log = self.enterContext(tempfile.TemporaryFile())
        torii = self.enterContext(Torii(8099))
        upstream = Upstream(("127.0.0.1", 10001))
        self.addCleanup(upstream.close)
        command = [ENVOY, "-c", EXAMPLE, "--disable-hot-restart"]
        envoy = subprocess.Popen(command, stdout=log, stderr=log, env={
            **os.environ, "ENVOY_DYNAMIC_MODULES_SEARCH_PATH": MODULE_DIR})
        self.addCleanup(envoy.wait)
        self.addCleanup(envoy.terminate)

        def started():
            log.seek(0)
            self.assertIsNone(envoy.poll(), log.read()[-2000:])
            try:
                return get("/healthz")[0] == 200
            except OSError:
                return False

        until(started, "Envoy in front of the application")
        token = torii.token(claims={"sub": "user-1"})
        lie = [("x-user-id", "admin")]
        for path, headers, wanted in (
                ("/things", bearer(token), 200), ("/things", [("cookie", f"torii_token={token}")], 200),
                ("/things", lie, 401), ("/", bearer(token), 200), ("/admin", bearer(token), 200),
                ("/admin", bearer(torii.token(claims={"email_verified": False})), 403)):
            status, body = get(path, [*headers, *lie])
            self.assertEqual(status, wanted, (path, body))
            if wanted == 200:
                seen = dict(body["headers"])
                self.assertEqual(seen["x-user-id"], "user-1")
                self.assertEqual(seen["x-email-verified"], "true")
        for path in ("/", "/healthz"):
            status, body = get(path, lie)
            self.assertEqual((status, "x-user-id" in dict(body["headers"])), (200, False))


if __name__ == "__main__":
    unittest.main()
