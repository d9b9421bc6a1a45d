"""Workers that end, crash or start, and clients that go away, while requests wait for keys."""

import os
import select
import signal
import subprocess
import unittest

from harness import eventually
from parking import Parking


class Processes(Parking):
    def test_http2_clients_that_go_away_while_parked(self):
        self.emulator.fault("hold", times=1)
        self.start("torii_key_timeout 60s;")
        url = f"http://127.0.0.1:{self.http2_port}/guarded"
        token = self.emulator.token()
        child = subprocess.Popen(["nghttp", "-n", "-m", "20", "-H", f"Authorization: Bearer {token}", url],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.is_parked(1, self.http2_port)
        child.kill()
        child.wait()
        stays, = self.park(1, token)
        self.emulator.release()
        self.assertEqual(stays.receive().status, 200)

    def test_clients_that_go_away_while_parked(self):
        self.emulator.fault("delay", ms=700)
        self.start()
        token = self.emulator.token()
        for client in self.park(50, token) + self.park(10, token, "/proxied", method="POST",
                                                       body=b"x" * 10_000):
            client.close()
        self.assertEqual(self.ask(token=token).status, 200)
        # An "open socket left" would be an alert.
        self.stop()

    def test_quit_answers_all_requests(self):
        self.emulator.fault("delay", ms=1000)
        self.start(workers=2)
        good, forged = self.emulator.token(), self.emulator.token(signer="forged")
        parked = [(c, s) for token, s in ((good, 200), (forged, 401)) for c in self.park(20, token)]
        self.nginx.process.send_signal(signal.SIGQUIT)
        for client, status in parked:
            self.assertEqual(client.receive().status, status)
        self.stop()

    def test_quit_while_nothing_comes(self):
        self.emulator.fault("hang")
        self.start("torii_key_timeout 1s;", workers=2)
        clients = self.park(20, self.emulator.token())
        self.nginx.process.send_signal(signal.SIGQUIT)
        self.assertEqual({client.receive().status for client in clients}, {503})
        self.stop()

    def test_terminate_while_parked(self):
        self.emulator.fault("hang")
        self.start("torii_key_timeout 1s;", workers=2)
        self.park(20, self.emulator.token())
        self.stop(signal.SIGTERM)

    def test_reload_answers_all_requests(self):
        self.emulator.fault("delay", ms=1000)
        self.start(workers=2)
        clients = self.park(40, self.emulator.token())
        self.nginx.reload()
        self.assertEqual({client.receive().status for client in clients}, {200})
        self.assertEqual(self.ask(token=self.emulator.token()).status, 200)

    def test_a_worker_that_crashes_is_replaced(self):
        self.start()
        token = self.emulator.token()
        eventually(lambda: self.ask(token=token).status == 200)
        self.nginx.allowed = "exited on signal 9"
        for _ in range(3):
            worker = self.nginx.children()[0]
            os.kill(worker, signal.SIGKILL)
            eventually(lambda gone=worker: (now := self.nginx.children()) and gone not in now)
            self.assertEqual(self.ask(token=token).status, 200)
            self.assertEqual(self.ask(token=self.emulator.token(signer="forged")).status, 401)

    def test_no_thread_but_those_of_the_pool(self):
        self.start("torii_key_lifetime 2s;")
        eventually(lambda: self.ask(token=self.emulator.token()).status == 200)
        self.emulator.fetches(at_least=2)
        worker = self.nginx.children()[0]
        names = set()
        for task in os.listdir(f"/proc/{worker}/task"):
            with open(f"/proc/{worker}/task/{task}/comm") as file:
                names.add(file.read().strip())
        self.assertEqual(names, {"nginx"})
        self.assertEqual(len(os.listdir(f"/proc/{worker}/task")), 5)

    def test_starting_waits_for_no_issuer(self):
        self.emulator.fault("hang")
        self.start("torii_key_timeout 60s;")
        parked, = self.park(1, self.emulator.token())
        self.assertEqual(self.ask("/open").text, "open")
        # The fetch still hangs, so that nothing has waited for it but the request that needs the keys.
        self.assertEqual(select.select([parked.socket], [], [], 0)[0], [])
        # It is closed, and has failed, as all others do.
        self.emulator.serve_jwks(body="no keys")
        self.emulator.clear()
        self.assertEqual(parked.receive().status, 503)


if __name__ == "__main__":
    unittest.main()
