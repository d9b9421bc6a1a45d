"""Requests that wait for keys: none blocks the worker, and each is answered."""

import contextlib
import http.server
import os
import re
import select
import subprocess
import threading
import time
import unittest

from harness import Client, Emulator, Nginx, ask, computed, eventually, free_port
from parking import Parking


class Keys(Parking):
    """When keys come, and when they do not."""

    def test_keys_are_there_before_the_first_request(self):
        self.start()
        self.emulator.fetches(at_least=1)
        eventually(lambda: self.ask(token=self.emulator.token()).status == 200)
        self.assertEqual(self.emulator.fetches(), 1)

    def test_parked_requests_wait_while_others_do_not(self):
        self.emulator.fault("hang")
        self.start("torii_key_timeout 60s;")
        clients = self.park(100, self.emulator.token(claims={"sub": "user-1"}))
        for _ in range(100):
            self.assertEqual(self.ask("/open").text, "open")
        # Requests that need no keys are answered.
        self.assertEqual(self.ask(token="x").status, 401)
        self.assertEqual(self.ask().status, 401)
        answered, _, _ = select.select([client.socket for client in clients], [], [], 0)
        self.assertEqual(answered, [])
        self.assertEqual(self.emulator.fetches(at_least=1), 1)
        # The fetch that hangs is closed, and has failed, as all others do.
        self.emulator.serve_jwks(body="no keys")
        self.emulator.clear()
        for client in clients:
            answer = client.receive()
            self.assertEqual((answer.status, answer.json["error"]["code"]), (503, "keys_unavailable"))
            self.assertGreaterEqual(int(answer.header("retry-after")), 1)
        # Until the deadline there would be six.
        self.assertLess(self.emulator.fetches(), 6)
        self.emulator.serve_jwks()
        eventually(lambda: self.ask(token=self.emulator.token()).status == 200)

    def test_parked_requests_are_let_in_by_the_keys(self):
        self.emulator.fault("delay", ms=700)
        self.start()
        good, forged = self.emulator.token(claims={"sub": "user-1"}), self.emulator.token(signer="forged")
        clients = [(client, token) for token in (good, forged)
                   for client in self.park(20, token)]
        with Client(self.port) as posting:
            posting.send("/proxied", good, method="POST", body=b"y" * 1_000_000)
            for client, token in clients:
                answer = client.receive()
                self.assertEqual(answer.status, 200 if token == good else 401)
            self.assertEqual(posting.receive().json["length"], 1_000_000)
        self.assertEqual(self.emulator.fetches(), 1)

    def test_parked_subrequests(self):
        self.emulator.fault("delay", ms=500)
        self.start()
        good, forged = self.emulator.token(), self.emulator.token(signer="forged")
        parked = [(c, status) for token, status in ((good, 200), (forged, 401))
                  for c in self.park(5, token, "/decided")]
        gone = self.park(5, good, "/decided")
        for client in gone:
            client.close()
        for client, status in parked:
            self.assertEqual(client.receive().status, status)

    def test_parked_http2(self):
        self.emulator.fault("delay", ms=500)
        self.start()
        url = f"http://127.0.0.1:{self.http2_port}/guarded"
        token = self.emulator.token(claims={"sub": "user-1"})
        done = subprocess.run(["nghttp", "-n", "-v", "-m", "20", "-H", f"Authorization: Bearer {token}", url],
                              capture_output=True, text=True)
        self.assertEqual(re.findall(r":status: (\d+)", done.stdout), ["200"] * 20)

    def test_deadline(self):
        self.emulator.fault("hang")
        self.start("torii_key_timeout 600ms;")
        clients = self.park(10, self.emulator.token())
        for client in clients:
            answer = client.receive()
            self.assertEqual((answer.status, answer.json["error"]["code"]), (503, "keys_unavailable"))
            self.assertGreaterEqual(int(answer.header("retry-after")), 1)
        # Nothing but the deadline has ended their wait.
        self.emulator.clear()

    def test_missing_keys_are_not_an_invalid_token(self):
        self.emulator.fault("status", status=500)
        self.start("torii_key_timeout 1s;")
        eventually(lambda: "cannot fetch keys from" in self.nginx.read_log())
        token = self.emulator.token()
        answer = self.ask(token=token)
        self.assertEqual(answer.status, 503)
        self.assertNotIn("127.0.0.1", answer.text)
        self.assertEqual(self.ask().status, 401)
        self.assertEqual(self.ask("/any", token).status, 200)
        self.assertEqual(self.ask("/decided", token).status, 500)
        self.emulator.clear()
        eventually(lambda: self.ask(token=token).status == 200)

    def test_error_page_for_missing_keys(self):
        self.emulator.fault("status", status=500)
        self.start("error_page 503 = @busy; location @busy { return 200 later; }")
        answer = self.ask(token=self.emulator.token())
        self.assertEqual((answer.status, answer.text), (200, "later"))
        self.assertIsNone(answer.header("retry-after"))

    def test_renewal_ahead_of_need(self):
        """The issuer is slow when keys are due for renewal: no request waits for it."""
        # Renewal begins after 24 s. From the thirtieth on, requests would wait for it.
        self.start("torii_key_lifetime 30s; torii_key_timeout 60s;")
        token = self.emulator.token()
        eventually(lambda: self.ask(token=token).status == 200)
        self.emulator.fault("hang")
        while self.emulator.fetches() < 2:
            self.assertEqual(self.ask(token=token).status, 200)
        # The second fetch hangs, and goes on doing so.
        for _ in range(5):
            self.assertEqual(self.ask(token=token).status, 200)
        self.assertEqual(self.emulator.fetches(), 2)
        self.emulator.clear()

    def test_keys_that_are_too_old(self):
        """While the issuer is down its keys stay in use, but not forever."""
        self.start("torii_key_lifetime 1s; torii_max_stale 15s; location /strict { torii on; "
                   "torii_max_stale 0; return 200; }")
        token = self.emulator.token()
        eventually(lambda: self.ask(token=token).status == 200)
        self.emulator.fault("status", status=500)
        eventually(lambda: self.ask("/strict", token).status == 503)
        self.assertEqual(self.ask(token=token).status, 200)
        eventually(lambda: self.ask(token=token).status == 503)
        self.emulator.clear()
        eventually(lambda: self.ask(token=token).status == 200)

    def test_a_new_key_is_found_by_the_token_that_names_it(self):
        self.start()
        old = self.emulator.token()
        eventually(lambda: self.ask(token=old).status == 200)
        self.emulator.call("POST", "/issuers/acme/keys")
        new = self.emulator.token()
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Client(self.port)) for _ in range(20)]
            for client in clients:
                client.send("/guarded", new)
            self.assertEqual({client.receive().status for client in clients}, {200})
        self.assertEqual(self.ask(token=old).status, 200)
        # Made-up names are not worth a request each.
        fetches = self.emulator.fetches()
        for n in range(5):
            self.assertEqual(self.ask(token=self.emulator.token(header={"kid": f"made-up-{n}"})).status, 401)
        self.assertEqual(self.emulator.fetches(), fetches)

    def test_unknown_keys_make_their_own_issuer_fetch_once(self):
        names = ("acme", "one", "two", "three")
        issuers = [self.emulator.call("POST", "/issuers", {"name": name})["issuer"] for name in names[1:]]
        self.start(" ".join(f"torii_issuer {issuer};" for issuer in issuers) + """
                   location /other { torii on; torii_leeway 1s; return 200; }""")

        def fetches():
            return [self.emulator.fetches(path=f"/{name}/") for name in names]

        for name in names:
            self.assertEqual(self.ask(token=self.emulator.token(issuer=name)).status, 200)
        before = fetches()
        # An explicit refresh would join fetches of the last second, and not show.
        time.sleep(1.2)
        # Also for many requests at once, and for two verifiers.
        for turn in range(3):
            parked = [self.connect(self.emulator.token(header={"kid": f"made-up-{turn}-{n}"}, signer="forged"), path)
                      for n in range(10) for path in ("/guarded", "/other")]
            for client in parked:
                self.assertEqual(client.receive().status, 401)
        self.assertEqual(fetches(), [before[0] + 1, *before[1:]])
        # A new key of another issuer makes that one fetch.
        self.emulator.call("POST", "/issuers/two/keys")
        self.assertEqual(self.ask(token=self.emulator.token(issuer="two")).status, 200)
        self.assertEqual(fetches(), [before[0] + 1, before[1], before[2] + 1, before[3]])

    def test_several_issuers(self):
        """One that hangs delays only its own tokens."""
        other = self.emulator.call("POST", "/issuers", {"name": "other"})["issuer"]
        third = self.emulator.call("POST", "/issuers", {"name": "third"})["issuer"]
        self.emulator.fault("hang", path="/acme/")
        self.start(f"torii_issuer {other}; torii_key_timeout 10s; location /third {{ torii on; "
                   f"torii_issuer {third}; return 200 third; }}")
        parked = self.park(1, self.emulator.token())
        token = self.emulator.token(issuer="other")
        self.assertEqual(self.ask(token=token).status, 200)
        answered, _, _ = select.select([client.socket for client in parked], [], [], 0)
        self.assertEqual(answered, [])
        self.assertEqual(self.ask("/third", token).status, 401)
        self.assertEqual(self.ask("/third", self.emulator.token(issuer="third")).status, 200)

        # Waiting for one issuer takes no processor time, and delays no request of the other.
        worker = self.nginx.children()[0]
        before = computed(worker)
        self.assertEqual(self.ask(token=self.emulator.token()).status, 503)
        self.assertLess(computed(worker) - before, 2)
        self.assertLess(self.emulator.fetches(path="/other/"), 30)

        mixed = self.emulator.token(claims={"iss": self.emulator.issuer}, signer={"issuer": "other"})
        self.emulator.clear()
        eventually(lambda: self.ask(token=self.emulator.token()).status == 200)
        self.assertEqual(self.ask(token=mixed).status, 401)


class Server(Parking):
    """A `return` of a server, which has no location to wait in."""

    def serve(self, directives=""):
        self.nginx = Nginx(f"""server {{
            listen 127.0.0.1:{self.port};
            torii_issuer {self.emulator.issuer};
            torii on;
            {directives}
            if ($arg_open) {{ rewrite ^ /open break; }}
            if ($arg_x) {{ return 200 "$torii_user_id"; }}
            location /open {{ torii off; return 200 open; }}
        }}""").ready(self.port)
        self.addCleanup(self.stop)

    def test_it_waits_for_keys(self):
        self.emulator.fault("delay", ms=700)
        self.serve()
        good, forged = self.emulator.token(claims={"sub": "user-1"}), self.emulator.token(signer="forged")
        parked = [(client, status, text) for token, status, text in ((good, 200, "user-1"), (forged, 401, "error"))
                  for client in self.park(5, token, "/?x=1")]
        for client, status, text in parked:
            answer = client.receive()
            self.assertEqual(answer.status, status)
            self.assertIn(text, answer.text)
        self.assertEqual(self.emulator.fetches(), 1)
        # Then for a key that is new.
        self.emulator.call("POST", "/issuers/acme/keys")
        self.assertEqual(self.ask("/?x=1", self.emulator.token()).status, 200)

    def test_it_does_not_wait_forever(self):
        self.emulator.fault("hang")
        self.serve("torii_key_timeout 500ms;")
        clients = self.park(5, self.emulator.token(), "/?x=1")
        self.assertEqual(self.ask("/open").text, "open")
        self.assertEqual(self.ask("/?x=1").status, 401)
        for client in clients:
            answer = client.receive()
            self.assertEqual((answer.status, answer.json["error"]["code"]), (503, "keys_unavailable"))
            self.assertGreaterEqual(int(answer.header("retry-after")), 1)
        self.emulator.clear()

    def test_no_request_is_refused_while_a_worker_starts(self):
        self.emulator.fault("delay", ms=200)
        self.serve()
        token = self.emulator.token()
        for _ in range(3):
            self.assertEqual(self.ask("/?x=1", token).status, 200)
            self.nginx.reload()


class Proxy(Parking):
    """Keys are fetched through a proxy, where a directive says so."""

    def test_proxy(self):
        tunnels = free_port()
        seen = []

        class Tunnel(http.server.BaseHTTPRequestHandler):
            def do_CONNECT(self):
                seen.append(self.path)
                self.send_error(502)

            def do_GET(self):
                seen.append(self.path)
                self.send_error(502)

            def log_message(self, *_):
                pass

        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", tunnels), Tunnel)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        self.addCleanup(proxy.server_close)
        self.addCleanup(proxy.shutdown)
        nginx = Nginx(f"""server {{
            listen 127.0.0.1:{self.port};
            torii_proxy http://127.0.0.1:{tunnels};
            location / {{ torii on; torii_issuer https://acme.example; return 200; }}
        }}""").ready(self.port)
        self.addCleanup(nginx.stop)
        eventually(lambda: "cannot fetch keys from https://acme.example" in nginx.read_log())
        self.assertEqual(set(seen), {"acme.example:443"})


class Authorities(unittest.TestCase):
    """An issuer with a certificate of its own authority."""

    def test_ca_file(self):
        emulator = Emulator()
        self.addCleanup(emulator.stop)
        tls, port = free_port(), free_port()
        issuer = f"https://localhost:{tls}/acme"

        def config(ca):
            return f"""
                server {{
                    listen 127.0.0.1:{tls} ssl;
                    ssl_certificate cert.pem; ssl_certificate_key key.pem;
                    location / {{ proxy_pass {emulator.url}; }}
                }}
                server {{
                    listen 127.0.0.1:{port};
                    torii_issuer {issuer};
                    torii_key_timeout 2s;
                    torii_key_lifetime 1s;
                    {ca}
                    location / {{ torii on; return 200 ok; }}
                    location /up {{ return 200; }}
                }}
            """
        nginx = Nginx(config("torii_ca_file ca.pem;"), start=False)

        def certificate():
            openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                       "-nodes", "-days", "2", "-batch"]
            for more in (
                ["-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"],
                ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext",
                 "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key",
                 "-keyout", "key.pem", "-out", "cert.pem"],
            ):
                subprocess.run([*openssl, *more], check=True, capture_output=True, cwd=nginx.folder)

        certificate()
        # Read by the master: a worker, which runs as the user nobody, could not.
        os.chmod(f"{nginx.folder}/ca.pem", 0o600)
        nginx.start().ready(port)
        self.addCleanup(nginx.stop)
        token = emulator.token(claims={"iss": issuer})
        eventually(lambda: ask(port, "/", token).status == 200)
        # Another certificate under the same name is trusted after a reload.
        certificate()
        nginx.reload()
        # The first fetch may still have met a worker with the old one.
        fetches = emulator.fetches()
        eventually(lambda: emulator.fetches() > fetches + 1)
        self.assertEqual(ask(port, "/", token).status, 200)
        # Without the file no authority vouches for the issuer.
        nginx.write(config(""))
        nginx.reload()
        self.assertEqual(ask(port, "/", token).status, 503)


if __name__ == "__main__":
    unittest.main()
