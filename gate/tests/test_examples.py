"""The examples, with other ports. Those for programs that are not in Debian are checked for syntax."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from proxies import Proxy
from support import ROOT, TORII, Application, Connection, Program, Torii, bearer, free_port

EXAMPLES = pathlib.Path(ROOT, "examples/gate")
WRITTEN = {"issuer": 8099, "proxy": 8097, "application": 9000, "gate": 9180, "operators": 9181, "admin": 9182,
           "optional": 9183}
HEADERS = ["X-User-Id", "X-Actor-Id", "X-Organization-Id", "X-Organization-Role"]
# The client's own, in each spelling that a backend may take for an identity header.
LIES = [(spelling, "lie") for name in HEADERS
        for spelling in (name, name.lower(), name.replace("-", "_"), name.replace("-", "_", 1), name.upper())]


class Examples(unittest.TestCase):
    def setUp(self):
        self.ports = {name: free_port() for name in WRITTEN}
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.torii = self.enterContext(Torii(self.ports["issuer"]))
        self.application = Application(self.ports["application"])
        self.addCleanup(self.application.close)

    def copy(self, *names):
        """Copies files of the examples, and gives them ports that are free."""
        for name in names:
            text = (EXAMPLES / name).read_text()
            for port in WRITTEN:
                text = text.replace(str(WRITTEN[port]), str(self.ports[port]))
            (self.folder / pathlib.Path(name).name).write_text(text)

    def start_gate(self):
        self.copy("gate.toml")
        self.gate = self.enterContext(Program([TORII, "gate", "--config", f"{self.folder}/gate.toml"]))
        self.gate.wait(lambda: self.gate.log.count("listening on") == 4, "the gate listens")

    def start(self, command, **settings):
        proxy = Proxy(command, [{"port": self.ports["proxy"]}], self.folder, cwd=self.folder, **settings)
        return self.enterContext(proxy)

    def get(self, path, headers=()):
        self.application.requests.clear()
        with Connection(f"127.0.0.1:{self.ports['proxy']}") as connection:
            host = f"127.0.0.1:{self.ports['proxy']}"
            head = [f"GET {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in [*headers, *LIES])]
            connection.send("\r\n".join(head).encode() + b"\r\n\r\n")
            answer = connection.answer()
        self.assertNotIn("lie", str(self.application.requests), path)
        if answer.status != 200:
            self.assertEqual(self.application.requests, [], path)
        return answer

    def identity(self):
        """The identity headers that the application received; an empty one counts as absent."""
        headers = [(name, value) for name, value in self.application.requests[-1]["headers"] if value]
        return {name: [value for known, value in headers if known == name.lower()] for name in HEADERS}

    def check(self):
        claims = {"sub": "user-1", "o": {"id": "org-1", "rol": "admin"}}
        token = self.torii.token(claims=claims)
        nobody = {name: [] for name in HEADERS}
        user = {"X-User-Id": ["user-1"], "X-Actor-Id": [], "X-Organization-Id": ["org-1"], "X-Organization-Role": ["admin"]}
        for path, headers, status, identity in (
                ("/things", bearer(token), 200, user),
                ("/things?a=b", [("Cookie", f"theme=dark; app_token={token}")], 200, user),
                ("/", bearer(token), 200, user), ("/", (), 200, nobody), ("/admin/users", bearer(token), 200, user),
                ("/healthz", (), 200, nobody), ("/healthz", bearer("nonsense"), 200, nobody)):
            answer = self.get(path, headers)
            self.assertEqual((answer.status, self.identity()), (status, identity), path)
        member = self.torii.token(claims={**claims, "o": {"id": "org-1", "rol": "member"}})
        support = self.torii.token(claims={**claims, "act": {"sub": "support-1"}})
        for path, headers, status, challenge in (
                ("/things", (), 401, 'Bearer realm="torii"'),
                ("/things", bearer("nonsense"), 401, 'Bearer realm="torii", error="invalid_token"'),
                ("/", bearer("nonsense"), 401, 'Bearer realm="torii", error="invalid_token"'),
                ("/healthz/../things", (), 401, 'Bearer realm="torii"'),
                ("/admin", bearer(member), 403, 'Bearer realm="torii", error="insufficient_scope"'),
                ("/admin", bearer(support), 403, 'Bearer realm="torii", error="insufficient_scope"')):
            answer = self.get(path, headers)
            self.assertEqual((answer.status, answer.header("www-authenticate")), (status, challenge), path)
            self.assertEqual(answer.json["error"]["code"], "authentication_failed" if status == 401 else "forbidden")
        self.assertEqual(self.get("/things", bearer(support)).status, 200)
        self.assertEqual(self.identity()["X-Actor-Id"], ["support-1"])
        # Without signing keys, then without the gate.
        self.gate.stop()
        self.torii.fault("status", status=500)
        self.start_gate()
        answer = self.get("/things", bearer(token))
        self.assertEqual((answer.status, answer.json["error"]["code"]), (503, "keys_unavailable"))
        self.assertGreaterEqual(int(answer.header("retry-after")), 1)
        self.gate.stop()
        for headers in (bearer(token), ()):
            self.assertGreaterEqual(self.get("/things", headers).status, 500)
            self.assertGreaterEqual(self.get("/", headers).status, 500)

    def test_caddy(self):
        self.copy("caddy/Caddyfile")
        self.start_gate()
        self.start(["caddy", "run", "--config", "Caddyfile"], env={**os.environ, "HOME": str(self.folder)})
        self.check()

    def test_nginx(self):
        self.copy("nginx/nginx.conf", "nginx/gate_request.conf", "nginx/gate_answer.conf")
        self.local_pid("nginx.conf")
        self.start_gate()
        self.start(["nginx", "-p", str(self.folder), "-e", "stderr", "-c", "nginx.conf"])
        self.check()

    def local_pid(self, name):
        path = self.folder / name
        path.write_text(path.read_text().replace("/tmp/torii-gate-example.pid", f"{self.folder}/pid"))

    def test_envoy(self):
        self.copy("envoy/envoy.yaml")
        self.start_gate()
        self.start([os.environ["ENVOY"], "-c", "envoy.yaml", "--disable-hot-restart", "--concurrency", "1"],
                   stdout=subprocess.DEVNULL)
        self.check()

    # ---- syntax ----------------------------------------------------------------------

    def test_haproxy_accepts_its_configuration(self):
        """The Lua script is not in Debian: another with the same action takes its place."""
        self.copy("haproxy/haproxy.cfg")
        (self.folder / "auth-request.lua").write_text(
            'core.register_action("auth-intercept", { "http-req" }, function() end, 6)\n')
        path = self.folder / "haproxy.cfg"
        path.write_text(path.read_text().replace("/usr/share/haproxy/auth-request.lua", f"{self.folder}/auth-request.lua"))
        checked = subprocess.run(["haproxy", "-c", "-f", path], capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""), checked)

    def test_systemd_accepts_the_units(self):
        for name in ("torii-gate.service", "torii-gate.socket"):
            shutil.copy(EXAMPLES / "systemd" / name, self.folder)
        service = self.folder / "torii-gate.service"
        service.write_text(service.read_text().replace("/usr/bin/torii ", f"{TORII} "))
        for name in ("gate.toml", "torii-gate.socket"):
            self.assertIn("systemd:gate" if name == "gate.toml" else "FileDescriptorName=gate",
                          (EXAMPLES / "systemd" / name).read_text())
        valid = subprocess.run([TORII, "gate", "--check", "--config", EXAMPLES / "systemd/gate.toml",
                                "--issuer", "https://acme.torii.so"], capture_output=True, text=True)
        self.assertEqual((valid.returncode, valid.stderr), (0, ""))
        units = [str(service), f"{self.folder}/torii-gate.socket"]
        checked = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        exposure = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", units[0]],
                                  capture_output=True, text=True)
        self.assertEqual(exposure.returncode, 0, exposure.stdout)


if __name__ == "__main__":
    unittest.main()
