"""examples/envoy/envoy.yaml as it is, but for its ports, which another program may have."""

import http.client
import json
import os
import subprocess
import tempfile
import unittest

from support import ENVOY, MODULE_DIR, TIMEOUT, ROOT, Torii, Upstream, bearer, free_port, until

LISTENER, UPSTREAM, ISSUER = free_port(), free_port(), free_port()


def example():
    with open(f"{ROOT}/examples/envoy/envoy.yaml") as file:
        text = file.read()
    for written, port in (("port_value: 10000 ", f"port_value: {LISTENER} "),
                          ("port_value: 10001 ", f"port_value: {UPSTREAM} "),
                          ("127.0.0.1:8099/", f"127.0.0.1:{ISSUER}/")):
        assert text.count(written) == 1, written
        text = text.replace(written, port)
    return text


def get(path="/", headers=()):
    connection = http.client.HTTPConnection("127.0.0.1", LISTENER, timeout=TIMEOUT)
    connection.request("GET", path, headers=dict(headers))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, json.loads(body)


class Example(unittest.TestCase):
    def test_it_works_as_it_is(self):
        log = self.enterContext(tempfile.TemporaryFile())
        torii = self.enterContext(Torii(ISSUER))
        upstream = Upstream(("127.0.0.1", UPSTREAM))
        self.addCleanup(upstream.close)
        command = [ENVOY, "--config-yaml", example(), "--disable-hot-restart"]
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
        token = torii.token(claims={"sub": "user-1", "o": {"id": "acme", "rol": "admin"}})
        lie = [("x-user-id", "admin")]
        for path, headers, wanted in (
                ("/things", bearer(token), 200), ("/things", [("cookie", f"app_token={token}")], 200),
                ("/things", lie, 401), ("/", bearer(token), 200), ("/admin", bearer(token), 200),
                ("/admin", bearer(torii.token(claims={"o": {"id": "acme", "rol": "member"}})), 403),
                ("/admin", bearer(torii.token(claims={"o": {"id": "acme", "rol": "admin"}, "act": "s-1"})), 403)):
            status, body = get(path, [*headers, *lie])
            self.assertEqual(status, wanted, (path, body))
            if wanted == 200:
                seen = dict(body["headers"])
                self.assertEqual(seen["x-user-id"], "user-1")
                self.assertEqual((seen["x-organization-id"], seen["x-organization-role"]), ("acme", "admin"))
                self.assertFalse({"authorization", "cookie", "x-actor-id"} & seen.keys())
        for path in ("/", "/healthz"):
            status, body = get(path, lie)
            self.assertEqual((status, "x-user-id" in dict(body["headers"])), (200, False))


if __name__ == "__main__":
    unittest.main()
