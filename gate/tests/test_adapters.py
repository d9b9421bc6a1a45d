"""The answers that every adapter gives: tests/behaviour/adapters.json, by the gate behind each of the proxies."""

import contextlib
import json
import re
import tempfile
import unittest

import proxies
from support import ROOT, Application, Connection, Gate, Torii, free_port

with open(f"{ROOT}/tests/behaviour/adapters.json", encoding="utf-8") as file:
    CORPUS = json.load(file)

ROWS = [row for row in CORPUS["rows"]
        if "gate" in row.get("only", ["gate"]) and "gate" not in row.get("except", [])]


# Envoy shows an authorization service the first of several `Cookie` headers only. RFC 6265 §5.4 allows clients one.
ENVOY_DIFFERS = {"cookie-in-second-header": 401, "cookie-twice-in-two-headers-two-users": 200}


class Cgi(Application):
    """Reads the identity header as CGI does, and repeats the body."""

    def answer(self, request):
        users = [value for name, value in request["headers"] if name.replace("_", "-") == "x-torii-user"]
        user = ", ".join(filter(None, users)) or "-"
        return request["body"].encode("latin-1"), [("Handler-User", user)]


def access(requirements):
    """Requirements as options of the gate."""
    organizations = [f"{each['id']}={each['role']}" if "role" in each else each["id"]
                     for each in requirements.get("organizations", [])]
    return {"require": [flag.replace("_", "-") for flag in requirements.get("flags", [])],
            "require-claim": [f"{claim['pointer']}={claim['json']}" for claim in requirements.get("claims", [])],
            "require-organization": organizations}


def gate_options(configuration, url):
    options = {"issuer": f"{url}/{configuration['issuer']}", "header": ["X-Torii-User=/sub"],
               "audience": configuration.get("audiences", []), **access(configuration.get("requirements", {})),
               "route": [{"listen": "127.0.0.1:0", **access(requirements)}
                         for requirements in configuration.get("routes", {}).values()]}
    for theirs, ours in (("optional", "optional"), ("header", "token-header"), ("cookie", "cookie"),
                         ("realm", "realm"), ("resource_metadata", "resource-metadata")):
        if theirs in configuration:
            options[ours] = configuration[theirs]
    return options


class Adapters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.torii = cls.enterClassContext(Torii())
        for request in CORPUS["setup"]:
            cls.torii.call("POST", request["path"], request["body"])
        cls.application = Cgi()
        cls.addClassCleanup(cls.application.close)
        cls.gates = {}
        for name in sorted({row["configuration"] for row in ROWS}):
            options = gate_options(CORPUS["configurations"][name], cls.torii.url)
            cls.gates[name] = cls.enterClassContext(Gate(options))

    def sites(self):
        for name, gate in self.gates.items():
            configuration = CORPUS["configurations"][name]
            yield {"port": free_port(), "application": self.application.port, "gate": gate.addresses[0],
                   "routes": dict(zip(configuration.get("routes", {}), gate.addresses[1:], strict=True)),
                   "skip": configuration.get("skip", []),
                   "token_header": configuration.get("header", "authorization")}

    def token(self, name, made):
        if name not in made:
            how = CORPUS["tokens"][name]
            made[name] = (how["repeat"] * how["times"] if "repeat" in how
                          else self.torii.token(how["issuer"], **how["mint"]))
        return made[name]

    def send(self, row, made, connections, ports):
        def fill(text):
            return re.sub(r"{(.+?)}", lambda name: self.token(name[1], made), text)

        headers = [(name, fill(value)) for name, value in row["headers"]]
        body = fill(row["body"]).encode() if "body" in row else None
        name = row["configuration"]
        # Kept, so that state which one request leaves shows in the next, unless the proxy closes.
        if name not in connections:
            connections[name] = Connection(f"127.0.0.1:{ports[name]}")
        answer = connections[name].get(fill(row["path"]), headers, row["method"], body)
        if answer.header("connection") == "close":
            connections.pop(name).close()
        return answer, body or b""

    def check(self, row, connections, ports):
        self.application.requests.clear()
        made = {}
        answer, body = self.send(row, made, connections, ports)
        if answer.status in row.get("server_may_refuse", []):
            self.assertEqual(self.application.requests, [])
            return
        expected = CORPUS["answers"][row["answer"]]
        self.assertEqual(answer.status, expected["status"], answer)
        for name in ("www_authenticate", "cache_control"):
            values = answer.values(name.replace("_", "-"))
            self.assertEqual(values, [expected[name]] if expected[name] else [])
        if expected["retry_after"]:
            self.assertGreaterEqual(int(answer.header("retry-after")), 1)
        else:
            self.assertIsNone(answer.header("retry-after"))
        if answer.status == 200:
            self.assertEqual(answer.header("handler-user"), row["user"] or "-")
            self.assertEqual(answer.body, b"" if row["method"] == "HEAD" else body)
            return
        self.assertEqual(self.application.requests, [])
        self.assertIsNone(answer.header("handler-user"))
        if row["method"] != "HEAD":
            self.assertEqual(answer.header("content-type"), "application/json")
            self.assertEqual(answer.json["error"]["code"], expected["code"])
            self.assertEqual(answer.json["error"].keys(), {"code", "message"})
            for never in CORPUS["never_in_refusals"]:
                self.assertNotIn(never, answer.text)
        for token in made.values():
            for secret in filter(None, token.split(".")[-2:]):
                self.assertNotIn(secret, f"{answer.headers}{answer.text}")

    def run_rows(self, start, differs=None):
        self.assertGreaterEqual(len(ROWS), 60)
        sites = list(self.sites())
        ports = dict(zip(self.gates, (site["port"] for site in sites), strict=True))
        connections = {}
        with tempfile.TemporaryDirectory() as folder, start(sites, folder):
            try:
                for row in ROWS:
                    with self.subTest(row["name"]):
                        if row["name"] in (differs or {}):
                            answer, _ = self.send(row, {}, connections, ports)
                            self.assertEqual(answer.status, differs[row["name"]])
                        else:
                            self.check(row, connections, ports)
            finally:
                for connection in connections.values():
                    with contextlib.suppress(OSError):
                        connection.close()
        print(f"{len(ROWS)} rows of adapters.json behind {start.__name__}")

    def test_rows_behind_caddy(self):
        self.run_rows(proxies.caddy)

    def test_rows_behind_nginx(self):
        self.run_rows(proxies.nginx)

    def test_rows_behind_envoy(self):
        self.run_rows(proxies.envoy, ENVOY_DIFFERS)

    def test_no_log_has_a_token(self):
        for gate in self.gates.values():
            self.assertNotIn("eyJ", gate.log)


if __name__ == "__main__":
    unittest.main()
