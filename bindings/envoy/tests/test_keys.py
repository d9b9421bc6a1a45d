"""Requests while keys are fetched, and when keys are fetched."""

import json
import os
import re
import select
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
import unittest
from urllib.parse import urlsplit
from urllib.request import urlopen

from support import TIMEOUT, Connection, Envoy, Torii, Upstream, bearer, listener, module, until

KEY_FILE = re.compile("[0-9a-f]{64}")


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.directory = directory.name
        cls.torii = cls.enterClassContext(Torii())
        cls.upstream = Upstream(f"{cls.directory}/upstream")
        cls.addClassCleanup(cls.upstream.close)

    def setUp(self):
        self.torii.reset()
        self.torii.call("DELETE", "/requests")
        self.upstream.requests.clear()

    def envoy(self, issuers=None, http=None, **config):
        config = {"issuers": issuers or [self.torii.issuer], "headers": {"x-user-id": "sub"},
                  "fetch_timeout_ms": 60000, **config}
        return Envoy([lambda path: listener(path, [module(config)], **(http or {}))],
                     self.directory)

    def parked(self, envoy, count):
        until(lambda: envoy.stats()["torii_parked"] == count, f"{count} requests parked")

    def send_parked(self, envoy, *requests, before=0):
        """Sends requests while keys are fetched, and gives their connections once all wait."""
        connections = []
        for request in requests:
            connection = envoy.connect()
            self.addCleanup(connection.close)
            connection.request(**request)
            connections.append(connection)
        self.parked(envoy, before + len(requests))
        return connections

    # ---- when they are fetched

    def test_they_are_fetched_at_the_start_which_does_not_wait_for_them(self):
        self.torii.fault("hang")
        with self.envoy() as envoy:
            self.assertEqual(self.torii.fetches(at_least=1), 1)
            self.assertEqual(envoy.get().status, 401)
            self.torii.clear_faults()

    def test_validation_fetches_nothing(self):
        config = {"issuers": [self.torii.issuer]}
        envoy = Envoy([lambda path: listener(path, [module(config)])], self.directory,
                      arguments=["--mode", "validate"])
        self.assertEqual(envoy.process.wait(TIMEOUT), 0, envoy.log_text())
        envoy.stop()
        self.assertEqual(self.torii.fetches(), 0)

    def test_they_are_renewed_ahead_of_time(self):
        with self.envoy(key_lifetime_seconds=30) as envoy:
            token = self.torii.token()
            self.assertEqual(envoy.get(headers=bearer(token)).status, 200)
            waited = envoy.stats()["torii_parked"]
            self.torii.fault("delay", ms=100)
            while self.torii.fetches() < 2 or envoy.stats()["torii_key_fetches"] < 2:
                self.assertEqual(envoy.get(headers=bearer(token)).status, 200)
            self.assertEqual(envoy.stats()["torii_parked"], waited)

    def test_two_listeners_share_them(self):
        config = {"issuers": [self.torii.issuer]}
        make = lambda path: listener(path, [module(config)])
        with Envoy([make, make], self.directory) as envoy:
            for number in range(2):
                headers = bearer(self.torii.token())
                self.assertEqual(envoy.get(headers=headers, number=number).status, 200)
        self.assertLessEqual(self.torii.fetches(), 2)

    def test_two_listeners_wait_for_one_fetch(self):
        """Without asking again and again whether it has ended."""
        make = lambda path: listener(path, [module({"issuers": [self.torii.issuer]})])
        with Envoy([make, make], self.directory) as envoy:
            self.assertEqual(envoy.get(headers=bearer(self.torii.token())).status, 200)
            self.torii.rotate()
            self.torii.fault("delay", ms=700, times=1)
            requests = []
            for number in range(2):
                connection = envoy.connect(number)
                self.addCleanup(connection.close)
                connection.request(headers=bearer(self.torii.token()))
                requests.append(connection)
                self.torii.fetches(at_least=2)
            self.assertEqual([request.answer().status for request in requests], [200, 200])
            self.assertEqual(self.torii.fetches(), 2)
            self.assertLess(envoy.stats()["torii_key_fetches"], 5)

    def test_a_new_key_is_found(self):
        with self.envoy() as envoy:
            self.assertEqual(envoy.get(headers=bearer(self.torii.token())).status, 200)
            self.torii.rotate()
            self.assertEqual(envoy.get(headers=bearer(self.torii.token())).status, 200)
            stats = envoy.stats()
            self.assertEqual((stats["torii_key_fetches"], stats["torii_key_fetch_failures"]), (2, 0))

    def test_a_proxy_is_used(self):
        seen, address = [], urlsplit(self.torii.issuer)

        class Proxy(socketserver.StreamRequestHandler):
            """Connects every tunnel (RFC 9110 §9.3.6) to the local torii."""

            def handle(self):
                seen.append(self.rfile.readline().decode().split()[:2])
                while self.rfile.readline().strip():
                    pass
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                with socket.create_connection((address.hostname, address.port)) as torii:
                    while (line := self.rfile.readline()).strip():
                        torii.sendall(line)
                    torii.sendall(line)
                    while data := torii.recv(65536):
                        self.wfile.write(data)

        proxy = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy)
        proxy.daemon_threads = True
        threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(proxy.server_close)
        self.addCleanup(proxy.shutdown)
        issuer = "http://torii.invalid/acme"
        with self.envoy([issuer], allow_http=True,
                        proxy=f"http://127.0.0.1:{proxy.server_address[1]}") as envoy:
            token = self.torii.token(claims={"iss": issuer})
            self.assertEqual(envoy.get(headers=bearer(token)).status, 200)
        self.assertEqual(seen[0], ["CONNECT", "torii.invalid:80"])

    # ---- requests that wait for them

    def test_a_body_is_not_let_through_meanwhile(self):
        """It would be if only the headers were stopped."""
        self.torii.fault("hold", times=1)
        forged = self.torii.token(signer="forged")
        good = self.torii.token(claims={"sub": "user-1"})
        body = b"x" * 3_000_000
        with self.envoy() as envoy:
            bad_small, bad_open, good_small = self.send_parked(
                envoy, {"headers": bearer(forged), "body": b"x"},
                {"headers": bearer(forged) + [("transfer-encoding", "chunked")], "method": "POST"},
                {"headers": bearer(good), "body": b"y" * 10})
            large = envoy.connect()
            self.addCleanup(large.close)
            sender = threading.Thread(target=large.request,
                                      kwargs={"headers": bearer(good), "body": body})
            sender.start()
            self.parked(envoy, 4)
            # This part arrives only now, while the request waits.
            bad_open.send(b"4\r\nbody\r\n0\r\n\r\n")
            self.assertEqual(self.upstream.requests, [])
            self.torii.release()
            self.assertEqual(bad_small.answer().status, 401)
            self.assertEqual(bad_open.answer().status, 401)
            answer = good_small.answer()
            self.assertEqual((answer.status, answer.json["length"]), (200, 10))
            answer = large.answer()
            sender.join()
            self.assertEqual((answer.status, answer.json["length"]), (200, len(body)))
            self.assertEqual(answer.seen("x-user-id"), ["user-1"])
        self.assertEqual(len(self.upstream.requests), 2)

    def test_trailers_and_websockets_wait(self):
        self.torii.fault("hold", times=1)
        http = {"http_protocol_options": {"enable_trailers": True},
                "upgrade_configs": [{"upgrade_type": "websocket"}]}
        good = bearer(self.torii.token())
        upgrade = [("connection", "upgrade"), ("upgrade", "websocket")]
        with self.envoy(http=http) as envoy:
            chunked, socket, bad_socket = self.send_parked(
                envoy, {"method": "POST", "headers": good + [("transfer-encoding", "chunked"),
                                                             ("trailer", "x-sum")]},
                {"headers": good + upgrade},
                {"headers": bearer(self.torii.token(signer="forged")) + upgrade})
            chunked.send(b"4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n")
            self.assertEqual(self.upstream.requests, [])
            self.torii.release()
            answer = chunked.answer()
            self.assertEqual((answer.status, answer.json["trailers"]), (200, [["x-sum", "1"]]))
            self.assertEqual(socket.answer().status, 101)
            socket.send(b"hello")
            self.assertEqual(socket.reader.read(5), b"hello")
            self.assertEqual(bad_socket.answer().status, 401)

    def test_http_2_waits(self):
        self.torii.fault("delay", ms=200, times=1)
        with self.envoy() as envoy:
            command = ["curl", "-s", "-o", f"{self.directory}/h2", "-w", "%{http_version} %{http_code}",
                       "--http2-prior-knowledge", "--unix-socket", envoy.paths[0], "-d", "x=1", "-H",
                       f"authorization: Bearer {self.torii.token()}", "http://test/"]
            ended = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
            self.assertEqual(ended.stdout, "2 200")

    def test_many_wait_for_one_fetch(self):
        self.torii.fault("hold", times=1)
        tokens = [self.torii.token(signer="current" if number % 4 else "forged")
                  for number in range(100)]
        with self.envoy() as envoy:
            waiting = self.send_parked(envoy, *[{"headers": bearer(token)} for token in tokens])
            self.torii.release()
            answers = [connection.answer().status for connection in waiting]
            self.assertEqual(envoy.stats()["torii_parked"], 100)
            self.assertEqual(answers, [200 if number % 4 else 401 for number in range(100)])
            self.assertLessEqual(self.torii.fetches(), 2)

    def test_no_request_waits_longer_than_configured(self):
        self.torii.fault("hang")
        with self.envoy(fetch_timeout_ms=400) as envoy:
            # The issuer hangs until the faults are cleared: only the deadline can end this.
            answer = envoy.get(headers=bearer(self.torii.token()))
            self.assertEqual(answer.status, 503, answer)
            self.assertGreaterEqual(int(answer.header("retry-after")), 1)
            self.assertEqual(answer.json["error"]["code"], "keys_unavailable")
            self.assertEqual(answer.header("www-authenticate"), None)
            self.torii.clear_faults()

    def test_the_wait_ends_though_the_fetch_does_not(self):
        """A fetch that began before the request, and takes longer than the request may wait."""
        self.torii.fault("drip", ms=1000)
        with self.envoy(fetch_timeout_ms=900) as envoy:
            self.torii.fetches(at_least=1)
            began = time.monotonic()
            self.assertEqual(envoy.get(headers=bearer(self.torii.token())).status, 503)
            # The keys would be there after minutes.
            self.assertLess(time.monotonic() - began, 60)
            self.torii.clear_faults()

    def test_an_issuer_that_is_down(self):
        self.torii.fault("status", status=500)
        with self.envoy() as envoy:
            token = self.torii.token()
            answer = envoy.get(headers=bearer(token))
            self.assertEqual(answer.status, 503, answer)
            until(lambda: re.search(r"\[warning\].*torii: cannot fetch keys of http\S+: .", envoy.log_text()), "the log")
            until(lambda: self.counted(envoy, token, "torii_key_fetch_failures") >= 1, "the failure counted")
            self.torii.clear_faults()
            until(lambda: envoy.get(headers=bearer(self.torii.token())).status == 200,
                  "the keys are there again")
            until(lambda: re.search(r"\[info\].*torii: fetched keys of http\S+ again", envoy.log_text()), "the log")

    def test_an_issuer_that_hangs_holds_up_no_other(self):
        self.torii.call("POST", "/issuers", {"name": "other"})
        other = self.torii.issuer.replace("/acme", "/other")
        self.torii.fault("hang", path="/acme/")
        with self.envoy([self.torii.issuer, other], fetch_timeout_ms=60000) as envoy:
            waits, = self.send_parked(envoy, {"headers": bearer(self.torii.token())})
            self.assertEqual(envoy.get(headers=bearer(self.torii.token("other"))).status, 200)
            self.assertEqual(select.select([waits.socket], [], [], 0)[0], [])
            # A fetch that is cut off has failed, and so do all others.
            self.torii.call("PUT", "/issuers/acme/jwks", {"body": "no keys"})
            self.torii.clear_faults()
            self.assertEqual(waits.answer().status, 503)
            # Until the deadline there would be six.
            self.assertLess(self.torii.fetches(), 6)

    # ---- the key cache directory

    def test_an_issuer_that_is_down_at_a_restart(self):
        """Envoy starts with the keys that an earlier one wrote."""
        keys, token = f"{self.directory}/keys", self.torii.token()
        with self.envoy(key_cache_dir=keys) as envoy:
            self.assertEqual(envoy.get(headers=bearer(token)).status, 200)
            until(lambda: any(map(KEY_FILE.fullmatch, os.listdir(keys))), "the file")
        self.torii.fault("status", status=500)
        with self.envoy(key_cache_dir=keys) as envoy:
            self.assertEqual(envoy.get(headers=bearer(token)).status, 200)
            loaded = "torii_key_cache_events.outcome.loaded"
            until(lambda: self.counted(envoy, token, loaded) == 1, "the event counted")
            self.assertEqual(envoy.stats()["torii_key_cache_failing"], 0)
        # One that others may change is not used.
        for name in os.listdir(keys):
            os.chmod(f"{keys}/{name}", 0o660)
        with self.envoy(key_cache_dir=keys) as envoy:
            self.assertEqual(envoy.get(headers=bearer(token)).status, 503)
            ignored = "torii_key_cache_events.outcome.ignored_mode"
            until(lambda: self.counted(envoy, token, ignored) == 1, "the event counted")
            self.assertEqual(envoy.stats()["torii_key_cache_failing"], 1)

    def counted(self, envoy, token, name):
        """A statistic, after a request that updates it."""
        envoy.get(headers=bearer(token))
        return envoy.stats().get(name)

    # ---- tables of keys

    def test_results_with_fixed_base(self):
        with self.envoy(fixed_base=True, token_cache_bytes=0) as envoy:
            token, built = self.torii.token(), "torii_key_table_builds.outcome.success"
            until(lambda: self.counted(envoy, token, built) == 1, "a table")
            self.assertEqual(envoy.stats()["torii_key_table_builds.outcome.failure"], 0)
            head, _, signature = token.rpartition(".")
            flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
            refused = [self.torii.token(signer="forged"), f"{head}.{flipped}", self.torii.token(now_offset=-5000)]
            answers = [envoy.get(headers=bearer(sent)).status for sent in [self.torii.token(), token, *refused]]
            self.assertEqual(answers, [200, 200, 401, 401, 401])

    # ---- the revocations file

    def test_a_revocation_takes_effect_without_a_reload(self):
        path = f"{self.directory}/revoked.json"

        def revoke(text):
            with open(path + ".new", "w") as file:
                file.write(text)
            os.rename(path + ".new", path)

        banned, other = (self.torii.token(claims={"sub": name}) for name in ("banned", "other"))
        with open(f"{self.directory}/jwks.json", "wb") as file, urlopen(
                f"{self.torii.issuer}/_torii/.well-known/jwks.json") as answer:
            file.write(answer.read())
        given = {"issuer": self.torii.issuer, "jwks_file": file.name}
        for issuer in (self.torii.issuer, given):
            with self.subTest(issuer):
                revoke('{"revoked": []}')
                with self.envoy([issuer], revocations_file=path) as envoy:
                    status = lambda token: envoy.get(headers=bearer(token)).status
                    self.assertEqual([status(banned), status(other)], [200, 200])
                    revoke('{"revoked": [{"sub": "banned", "before": "all"}]}')
                    until(lambda: status(banned) == 401, "the revocation")
                    self.assertEqual(status(other), 200)
                    self.assertGreaterEqual(envoy.stats()["torii_refused.reason.token_revoked"], 1)
                    until(lambda: self.counted(envoy, other, "torii_revocations") == 1, "the entry counted")
                    revoke("[]")
                    failing = "torii_revocations_file_failing"
                    until(lambda: self.counted(envoy, other, failing) == 1, "the failure counted")
                    self.assertEqual(status(banned), 401)
                    until(lambda: "torii: cannot use the revocations file: " in envoy.log_text(), "the log")
                    revoke('{"revoked": []}')
                    until(lambda: status(banned) == 200, "the ban lifted")
                    until(lambda: "torii: the revocations file is in use again" in envoy.log_text(), "the log")
                    until(lambda: self.counted(envoy, other, failing) == 0, "the end counted")

    def test_an_issuer_that_hangs_holds_up_no_revocation(self):
        """Requests of another issuer never have to wait for the file."""
        self.torii.call("POST", "/issuers", {"name": "other"})
        other = self.torii.issuer.replace("/acme", "/other")
        path = f"{self.directory}/revoked.json"
        with open(path, "w") as file:
            file.write('{"revoked": []}')
        with self.envoy([self.torii.issuer, other], revocations_file=path) as envoy:
            token = self.torii.token("other")
            self.assertEqual(envoy.get(headers=bearer(token)).status, 200)
            self.assertEqual(envoy.get(headers=bearer(self.torii.token())).status, 200)
            self.torii.fault("hang", path="/acme/")
            self.torii.rotate()
            parked = envoy.stats()["torii_parked"]
            waits, = self.send_parked(envoy, {"headers": bearer(self.torii.token())}, before=parked)
            with open(path + ".new", "w") as file:
                file.write(json.dumps({"revoked": [{"sub": "usr", "before": "all"}]}))
            os.rename(path + ".new", path)
            until(lambda: self.counted(envoy, token, "torii_revocations") == 1, "the file read")
            self.assertEqual(envoy.stats()["torii_parked"], parked + 1)
            self.torii.clear_faults()
            self.assertNotEqual(waits.answer().status, 200)

    # ---- streams that end meanwhile

    def test_clients_that_leave_while_they_wait(self):
        self.torii.fault("hold", times=1)
        token = self.torii.token()
        with self.envoy() as envoy:
            requests = [{"headers": bearer(token)}, {"headers": bearer(token), "body": b"x"}] * 25
            for connection in self.send_parked(envoy, *requests):
                connection.close()
            gauge = "http.test.downstream_rq_active"
            until(lambda: f"{gauge}: 0" in envoy.admin_get(f"/stats?filter={gauge}"), "all gone")
            stays, = self.send_parked(envoy, {"headers": bearer(token)}, before=50)
            self.torii.release()
            self.assertEqual(stays.answer().status, 200)
            self.assertEqual(len(self.upstream.requests), 1)
        self.assertEqual(envoy.process.returncode, 0)

    def test_envoy_ends_while_requests_wait(self):
        for _ in range(3):
            self.torii.fault("hang", times=1)
            with self.envoy(fetch_timeout_ms=60000) as envoy:
                self.send_parked(envoy, *[{"headers": bearer(self.torii.token())}] * 20)
                began = time.monotonic()
                self.assertEqual(envoy.stop(), 0, envoy.log_text()[-2000:])
                # The fetch goes on for a minute.
                self.assertLess(time.monotonic() - began, 50)
            self.torii.clear_faults()

    def test_a_configuration_is_replaced_while_keys_are_fetched(self):
        """As an update of a listener does: the thread that fetches outlives its configuration."""
        discovered = f"{self.directory}/listeners.json"

        def publish(version, **config):
            made = listener(f"{self.directory}/discovered",
                            [module({"issuers": [self.torii.issuer], **config})])
            kind = "type.googleapis.com/envoy.config.listener.v3.Listener"
            text = {"version_info": version, "resources": [{"@type": kind, **made, "name": "it"}]}
            with open(discovered + ".new", "w") as file:
                json.dump(text, file)
            os.rename(discovered + ".new", discovered)

        def get():
            with Connection(f"{self.directory}/discovered") as connection:
                connection.request(headers=bearer(self.torii.token()))
                answer = connection.answer()
                return answer and answer.status

        self.torii.fault("hang")
        publish("1", realm="one")
        dynamic = {"lds_config": {"path_config_source": {"path": discovered}}}
        with Envoy([], self.directory, dynamic=dynamic, arguments=["--drain-time-s", "1", "--service-node", "n",
                                                "--service-cluster", "c"]) as envoy:
            self.torii.fetches(at_least=1)
            before = 1
            for version in "234":
                publish(version, realm=f"r{version}")
                before += 1
                until(lambda: f"lds.update_success: {before}"
                      in envoy.admin_get("/stats?filter=lds.update_success"), "the update")
            until(lambda: "listener_manager.total_listeners_draining: 0"
                  in envoy.admin_get("/stats?filter=listeners_draining"), "the old ones gone")
            self.torii.clear_faults()
            until(lambda: get() == 200, "an answer of the last configuration")
        self.assertEqual(envoy.process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
