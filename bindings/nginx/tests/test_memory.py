"""Under valgrind: requests of every kind, parked ones, clients that go away, reloads."""

import contextlib
import glob
import os
import signal
import unittest

from harness import Backend, Client, Emulator, Nginx, ask, eventually, free_port


class Memory(unittest.TestCase):
    def test_valgrind(self):
        emulator, backend = Emulator(), Backend()
        self.addCleanup(emulator.stop)
        self.addCleanup(backend.stop)
        port = free_port()
        server = f"""
            torii_issuer {emulator.issuer};
            torii_key_timeout 60s;
            torii_cookie session;
            location / {{ torii on; torii_token $http_x_token; proxy_pass http://127.0.0.1:{backend.port};
                          proxy_set_header X-User $torii_user_id; proxy_set_header X-All $torii_claims; }}
            location /return {{ torii optional; torii_token $arg_token;
                                return 200 "$torii_claim_iss $torii_claim_email_verified $torii_status"; }}
            location /policy {{ torii on; torii_token $arg_token; torii_require not_impersonated; return 200; }}
            location /requirements {{ torii on; torii_token $arg_token; torii_require_claim /sub '"user-1"';
                                      torii_require_organization org-1 admin; return 200; }}
            location /plain {{ torii optional; torii_header X-Token; torii_forward_token off;
                               proxy_set_header X-Issuer $issuer; proxy_pass http://127.0.0.1:{backend.port}; }}
            location /any {{ torii on; satisfy any; deny all; torii_token $arg_token; return 200 ok; }}
            location /sub {{ auth_request /auth; error_page 401 = @login; proxy_pass http://127.0.0.1:{backend.port}; }}
            location = /auth {{ internal; torii on; torii_token $http_x_token; return 204; }}
            location @login {{ return 303 /login; }}
        """
        nginx = Nginx(f"torii_claim $issuer /iss; server {{ listen 127.0.0.1:{port}; {server} }}", start=False)
        logs = os.path.join(nginx.folder, "valgrind")
        emulator.fault("delay", ms=1500)
        nginx.start(["valgrind", f"--log-file={logs}.%p"]).ready(port)
        good, bad = emulator.token(), emulator.token(signer="forged")
        odd = emulator.token(claims={"impersonating": True})

        with contextlib.ExitStack() as stack:
            waiting = []
            for path in ("/", "/sub"):
                for token, status in ((good, 200), (bad, 401)):
                    for gone in (False, True):
                        client = stack.enter_context(Client(port))
                        client.send(path, headers=[("X-Token", token)], method="POST", body=b"x" * 1000)
                        if gone:
                            client.close()
                        else:
                            waiting.append((client, status if path == "/" else {401: 303}.get(status, status)))
            nginx.process.send_signal(signal.SIGHUP)
            for client, status in waiting:
                self.assertEqual(client.receive().status, status)

        eventually(lambda: ask(port, f"/return?token={good}").status == 200)
        for path in ("/return", "/policy", "/requirements", "/any"):
            for token in (good, bad, odd, "", "x"):
                ask(port, f"{path}?token={token}")
        for headers in ([], [("X-Token", f"Bearer {good}")], [("X-Token", f"Bearer {good}"), ("X-Token", "x")],
                        [("Cookie", f"a=b; session={good}")], [("Cookie", f"session={good}; session=\"{bad}\"")],
                        [("Cookie", f"session={good}"), ("Cookie", ";;=; a; session")]):
            ask(port, "/plain", headers=headers)
        nginx.stop()

        names = glob.glob(f"{logs}.*")
        self.assertGreaterEqual(len(names), 3)
        for name in names:
            with open(name) as file:
                self.assertIn("ERROR SUMMARY: 0 errors", file.read())

    def test_one_process(self):
        """Without a master, and ended while keys are being fetched."""
        emulator = Emulator()
        self.addCleanup(emulator.stop)
        port = free_port()
        nginx = Nginx(f"""server {{
            listen 127.0.0.1:{port};
            torii_issuer {emulator.issuer};
            torii_key_timeout 2s;
            torii_key_lifetime 1s;
            location / {{ torii on; return 200 ok; }}
            location /up {{ return 200; }}
        }}""", main="master_process off;", start=False)
        log = os.path.join(nginx.folder, "valgrind")
        nginx.start(["valgrind", f"--log-file={log}"])
        eventually(lambda: connects(port))
        token = emulator.token()
        # Under valgrind on a busy machine a fetch may take longer than it is given.
        eventually(lambda: ask(port, "/", token).status == 200)
        emulator.fault("hang")
        emulator.fetches(at_least=emulator.fetches() + 1)
        eventually(lambda: ask(port, "/", token).status == 200)
        nginx.stop(signal.SIGTERM)
        with open(log) as file:
            self.assertIn("ERROR SUMMARY: 0 errors", file.read())


def connects(port):
    with contextlib.suppress(OSError):
        return ask(port, "/up").status == 200
    return False


if __name__ == "__main__":
    unittest.main()
