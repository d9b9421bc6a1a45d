"""Every row of tests/behaviour/adapters.json: credentials, options and answers."""

import http.server
import json
import os
import threading
import unittest

from harness import ROOT, Client, Emulator, Nginx, free_port, quoted

with open(os.path.join(ROOT, "tests/behaviour/adapters.json")) as file:
    CORPUS = json.load(file)


class Upstream(http.server.BaseHTTPRequestHandler):
    """Repeats the request's body, and says which user it was told."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # As CGI does.
        users = [value for name, value in self.headers.items()
                 if name.lower().replace("_", "-") == "x-torii-user"]
        self.send_response(200)
        self.send_header("Handler-User", ", ".join(users) or "-")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_OPTIONS = answer

    def log_message(self, *_):
        pass


def requirements(*options):
    """Directives for all of these requirements: those of a level replace those above it."""
    lines = []
    for asked in options:
        if "flags" in asked:
            lines.append(f"torii_require {' '.join(asked['flags'])};")
        for claim in asked.get("claims", []):
            lines.append(f"torii_require_claim {quoted(claim['pointer'])} {quoted(claim['json'])};")
        for organization in asked.get("organizations", []):
            role = quoted(organization["role"]) if "role" in organization else ""
            lines.append(f"torii_require_organization {quoted(organization['id'])} {role};")
    return " ".join(lines)


def server(port, issuer, options):
    asked = options.get("requirements", {})
    lines = [f"listen 127.0.0.1:{port};", f"torii_issuer {issuer};",
             f"torii {'optional' if options.get('optional') else 'on'};", requirements(asked),
             "location / { proxy_pass http://upstream; }"]
    lines += [f"torii_audience {quoted(audience)};" for audience in options.get("audiences", [])]
    lines += [f"torii_{name} {quoted(options[name])};" for name in ("header", "cookie", "realm", "resource_metadata")
              if name in options]
    lines += [f"location = {path} {{ torii off; proxy_pass http://upstream; }}" for path in options.get("skip", [])]
    lines += [f"location = {path} {{ {requirements(asked, more)} proxy_pass http://upstream; }}"
              for path, more in options.get("routes", {}).items()]
    return "server { " + "\n".join(lines) + " }\n"


class Adapters(unittest.TestCase):
    def setUp(self):
        self.emulator = Emulator()
        self.addCleanup(self.emulator.stop)
        for request in CORPUS["setup"]:
            self.emulator.call("POST", request["path"], request["body"])
        upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        upstream.daemon_threads = True
        threading.Thread(target=upstream.serve_forever, daemon=True).start()
        self.addCleanup(upstream.server_close)
        self.addCleanup(upstream.shutdown)

        configurations = CORPUS["configurations"]
        self.ports = {name: free_port() for name in configurations}
        servers = "".join(server(self.ports[name], f"{self.emulator.url}/{options['issuer']}", options)
                          for name, options in configurations.items())
        self.nginx = Nginx(f"""
            upstream upstream {{ server 127.0.0.1:{upstream.server_port}; }}
            proxy_http_version 1.1;
            proxy_set_header X-Torii-User $torii_user_id;
            large_client_header_buffers 4 32k;
            {servers}
        """).ready(self.ports["required"])
        self.addCleanup(self.nginx.stop)
        self.clients = {}
        self.addCleanup(lambda: [client.close() for client in self.clients.values()])

    def token(self, name, used):
        form = CORPUS["tokens"][name]
        if "repeat" in form:
            return form["repeat"] * form["times"]
        used.append(self.emulator.token(issuer=form["issuer"], **form["mint"]))
        return used[-1]

    def filled(self, text, used):
        for name in CORPUS["tokens"]:
            while "{" + name + "}" in text:
                text = text.replace("{" + name + "}", self.token(name, used), 1)
        return text

    def send(self, row, used):
        port = self.ports[row["configuration"]]
        headers = [(name, self.filled(value, used)) for name, value in row["headers"]]
        path, body = (self.filled(row.get(name, ""), used) for name in ("path", "body"))
        client = self.clients.get(port) or Client(port)
        self.clients[port] = client
        client.send(path, headers=headers, method=row["method"], body=body.encode())
        answer = client.receive(row["method"])
        if answer.header("connection") == "close":
            self.clients.pop(port).close()
        return answer, body

    def check(self, row):
        used = []
        answer, body = self.send(row, used)
        if answer.status in row.get("server_may_refuse", []):
            self.assertIsNone(answer.header("handler-user"))
            return
        expect = CORPUS["answers"][row["answer"]]
        self.assertEqual(
            (answer.status, answer.header("www-authenticate"), answer.header("cache-control"),
             answer.header("retry-after") is not None),
            (expect["status"], expect["www_authenticate"], expect["cache_control"], expect["retry_after"]))
        if expect["retry_after"]:
            self.assertGreaterEqual(int(answer.header("retry-after")), 1)
        if expect["status"] == 200:
            self.assertEqual(answer.header("handler-user"), row["user"] or "-")
            if row["method"] != "HEAD":
                self.assertEqual(answer.text, body)
            return
        self.assertIsNone(answer.header("handler-user"))
        said = answer.text + str(answer.headers)
        for token in used:
            for part in filter(None, token.split(".")[1:]):
                self.assertNotIn(part, said)
        if row["method"] != "HEAD":
            self.assertEqual(answer.header("content-type"), "application/json")
            self.assertEqual(list(answer.json), ["error"])
            self.assertEqual(sorted(answer.json["error"]), ["code", "message"])
            self.assertEqual(answer.json["error"]["code"], expect["code"])
            for text in CORPUS["never_in_refusals"]:
                self.assertNotIn(text, answer.text)

    def test_every_row(self):
        rows = [row for row in CORPUS["rows"]
                if "nginx" in row.get("only", ["nginx"]) and "nginx" not in row.get("except", [])]
        self.assertGreater(len(rows), 300)
        for row in rows:
            with self.subTest(row["name"]):
                self.check(row)
        print(f"{len(rows)} cases")


if __name__ == "__main__":
    unittest.main()
