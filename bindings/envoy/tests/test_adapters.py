"""The answers that every adapter gives: tests/behaviour/adapters.json, through the real Envoy."""

import json
import re
import tempfile
import unittest

from support import ROOT, Envoy, Torii, Upstream, listener, module, on_route, read_headers

with open(f"{ROOT}/tests/behaviour/adapters.json", encoding="utf-8") as file:
    CORPUS = json.load(file)

OPTIONS = {"header", "cookie", "optional", "realm", "resource_metadata", "skip", "audiences",
           "requirements"}


def ours(row):
    return "envoy" in row.get("only", ["envoy"]) and "envoy" not in row.get("except", [])


ROWS = [row for row in CORPUS["rows"] if ours(row)]


class Application(Upstream):
    """Reads the identity header as CGI does, and repeats the body."""

    def answer(self, reader, writer):
        line = reader.readline()
        if not line:
            return False
        headers = read_headers(reader)
        fields = dict(headers)
        body = reader.read(int(fields.get("content-length", 0)))
        users = [value for name, value in headers if name.replace("_", "-") == "x-torii-user"]
        user = ", ".join(users) or "-"
        self.requests.append(user)
        writer.write(f"HTTP/1.1 200 OK\r\nHandler-User: {user}\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n".encode())
        if not line.startswith(b"HEAD "):
            writer.write(body)
        return True


class Adapters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.torii = cls.enterClassContext(Torii())
        for request in CORPUS["setup"]:
            cls.torii.call("POST", request["path"], request["body"])
        cls.upstream = Application(f"{directory}/upstream")
        cls.addClassCleanup(cls.upstream.close)
        cls.names = sorted({row["configuration"] for row in ROWS})
        listeners = [cls.listener(CORPUS["configurations"][name]) for name in cls.names]
        cls.envoy = cls.enterClassContext(Envoy(listeners, directory))
        cls.connections = {}
        cls.addClassCleanup(lambda: [open_.close() for open_ in cls.connections.values()])

    @classmethod
    def listener(cls, configuration):
        issuer = cls.torii.issuer.replace("/acme", f"/{configuration['issuer']}")
        config = {"issuers": [issuer], "headers": {"X-Torii-User": "sub"},
                  **{name: value for name, value in configuration.items() if name in OPTIONS}}
        # One verifier for all routes: they only add their requirements.
        cluster = {"route": {"cluster": "upstream"}}
        routes = [{"match": {"path": path}, **cluster,
                   "typed_per_filter_config": on_route({"requirements": requirements})}
                  for path, requirements in configuration.get("routes", {}).items()]
        routes.append({"match": {"prefix": "/"}, **cluster})
        # So that Envoy itself neither refuses a long token nor the underscores of a header.
        return lambda path: listener(path, [module(config)], routes, max_request_headers_kb=96)

    def token(self, name, made):
        if name not in made:
            how = CORPUS["tokens"][name]
            made[name] = (how["repeat"] * how["times"] if "repeat" in how
                          else self.torii.token(how["issuer"], **how["mint"]))
        return made[name]

    def send(self, row, made):
        def fill(text):
            return re.sub(r"{(.+?)}", lambda name: self.token(name[1], made), text)

        headers = [(name, fill(value)) for name, value in row["headers"]]
        body = fill(row["body"]).encode() if "body" in row else None
        path, method = fill(row["path"]), row["method"]
        name = row["configuration"]
        # Kept, so that state which one request leaves shows in the next, unless Envoy closes.
        connection = self.connections.get(name)
        if connection is None:
            connection = self.connections[name] = self.envoy.connect(self.names.index(name))
        connection.request(path, headers, body, method)
        answer = connection.answer(method)
        if answer.header("connection") == "close":
            self.connections.pop(name).close()
        return answer, body or b""

    def check(self, row):
        self.upstream.requests.clear()
        made = {}
        answer, body = self.send(row, made)
        if answer.status in row.get("server_may_refuse", []):
            self.assertEqual(self.upstream.requests, [])
            return
        expected = CORPUS["answers"][row["answer"]]
        self.assertEqual(answer.status, expected["status"], answer)
        for name in ("www_authenticate", "cache_control"):
            values = [value for known, value in answer.headers if known == name.replace("_", "-")]
            self.assertEqual(values, [expected[name]] if expected[name] else [])
        if expected["retry_after"]:
            self.assertGreaterEqual(int(answer.header("retry-after")), 1)
        else:
            self.assertIsNone(answer.header("retry-after"))
        if answer.status == 200:
            self.assertEqual(answer.header("handler-user"), row["user"] or "-")
            self.assertEqual(answer.body, b"" if row["method"] == "HEAD" else body)
            return
        self.assertEqual(self.upstream.requests, [])
        self.assertIsNone(answer.header("handler-user"))
        text = answer.body.decode()
        if row["method"] != "HEAD":
            self.assertEqual(answer.header("content-type"), "application/json")
            self.assertEqual(answer.json["error"]["code"], expected["code"])
            self.assertEqual(answer.json["error"].keys(), {"code", "message"})
            for never in CORPUS["never_in_refusals"]:
                self.assertNotIn(never, text)
        for token in made.values():
            for secret in filter(None, token.split(".")[-2:]):
                self.assertNotIn(secret, f"{answer.headers}{text}")

    def test_rows(self):
        self.assertGreaterEqual(len(ROWS), 60)
        for row in ROWS:
            with self.subTest(row["name"]):
                self.check(row)
        print(f"{len(ROWS)} rows of adapters.json")


if __name__ == "__main__":
    unittest.main()
