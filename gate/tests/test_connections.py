"""Connections: many, slow, pipelined, oversized; Unix sockets, sockets of systemd, and the end of the gate."""

import os
import resource
import select
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest

from support import TIMEOUT, TORII, Connection, Gate, Torii, bearer, until

IDLE = 10_000


def unread(port):
    """Connections that the gate has not accepted yet."""
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file.readlines()[1:]]
    return sum(int(row[4].split(":")[1], 16) for row in rows if row[1] == f"0100007F:{port:04X}" and row[3] == "0A")


def refuses(gate):
    """Whether nothing listens any more."""
    try:
        gate.connect().close()
    except ConnectionRefusedError:
        return True
    return False


class Connections(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.torii = cls.enterClassContext(Torii())
        cls.valid = cls.torii.token(expires_in=86400, claims={"sub": "user-ada"})
        cls.options = {"issuer": cls.torii.issuer, "header": ["X-User-Id=/sub"], "admin": "127.0.0.1:0"}

    def gate(self, options=None, *arguments, **settings):
        return self.enterContext(Gate({**self.options, **(options or {})}, *arguments, **settings))

    def test_pipelined_questions_are_answered_in_their_order(self):
        other = self.torii.token(claims={"sub": "user-bob"})
        gate = self.gate()
        with gate.connect() as connection:
            tokens = [self.valid, other, None, self.valid, "nonsense", other] * 20
            wanted = {self.valid: (200, "user-ada"), other: (200, "user-bob"), None: (401, None), "nonsense": (401, None)}
            connection.send(b"".join(
                f"GET / HTTP/1.1\r\nHost: test\r\n{f'Authorization: Bearer {token}' if token else 'X: y'}\r\n\r\n".encode()
                for token in tokens))
            for token in tokens:
                answer = connection.answer()
                self.assertEqual((answer.status, answer.header("x-user-id")), wanted[token])

    def test_smuggled_requests_are_refused(self):
        gate = self.gate()
        for lines in (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 5\r\nContent-Length: 6\r\n",
                      b"Authorization : Bearer x\r\n", b"Transfer-Encoding: chunked, identity\r\n", b"Content-Length: -1\r\n"):
            with gate.connect() as connection:
                connection.send(b"POST / HTTP/1.1\r\nHost: test\r\n" + lines + b"\r\n0\r\n\r\n")
                answer = connection.answer()
                self.assertIn(answer.status, (400, 401), lines)

    def test_large_heads(self):
        gate = self.gate()
        filler = [(f"X-Filler-{number}", "f" * 1000) for number in range(40)]
        self.assertEqual(gate.get(headers=[*filler, *bearer(self.valid)]).status, 200)
        # With Host and Authorization, 100 headers.
        many = [(f"X-{number}", "f") for number in range(98)]
        self.assertEqual(gate.get(headers=[*many, *bearer(self.valid)]).status, 200)
        for headers in ([("X-Filler", "f" * 100_000)], [*many, ("X-Filler", "f")]):
            with gate.connect() as connection:
                connection.request(headers=[*headers, *bearer(self.valid)])
                self.assertEqual(connection.answer().status, 431)
                self.assertIsNone(connection.answer())
        self.assertEqual(gate.get(headers=bearer(self.valid)).status, 200)

    def test_a_slow_head_ends_the_connection_and_an_idle_one_stays(self):
        gate = self.gate()
        idle, used, slow = gate.connect(), gate.connect(), gate.connect()
        for connection in (idle, used, slow):
            self.addCleanup(connection.close)
        self.assertEqual(used.get(headers=bearer(self.valid)).status, 200)
        slow.send(b"GET / HTTP/1.1\r\n")
        begun = time.monotonic()
        # A byte now and then does not help.
        while not select.select([slow.socket], [], [], 1)[0]:
            self.assertLess(time.monotonic() - begun, TIMEOUT)
            try:
                slow.send(b"X")
            except ConnectionError:
                break
        self.assertIsNone(slow.answer())
        self.assertGreater(time.monotonic() - begun, 5)
        for connection in (idle, used):
            self.assertEqual(connection.get(headers=bearer(self.valid)).status, 200)

    def test_ten_thousand_idle_connections(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < IDLE + 1000:
            self.skipTest(f"at most {hard} open files")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, IDLE + 1000), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        # The gate raises its own limit.
        gate = self.gate(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard)))
        before = gate.memory()
        host, port = gate.addresses[0].split(":")
        idle = []
        for _ in range(IDLE):
            idle.append(socket.create_connection((host, int(port)), TIMEOUT))
        self.addCleanup(lambda: [connection.close() for connection in idle])
        until(lambda: gate.metric("torii_gate_connections") == IDLE, "all are accepted")
        each = (gate.memory() - before) / IDLE
        print(f"{each:.1f} KiB for each idle connection")
        self.assertLess(each, 32)
        cpu = gate.cpu()
        self.assertEqual(gate.get(headers=bearer(self.valid)).status, 200)
        idle[0].sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        self.assertTrue(idle[0].recv(100).startswith(b"HTTP/1.1 401"))
        self.assertLess(gate.cpu() - cpu, 1, "connections that rest cost no time")
        self.assertEqual(gate.stop(), 0)

    def test_further_connections_wait_and_operators_do_not(self):
        gate = self.gate({"max-connections": 2})
        with gate.connect() as first, gate.connect() as second, gate.connect() as third:
            self.assertEqual([first.get().status, second.get().status], [401, 401])
            third.request(headers=bearer(self.valid))
            self.assertEqual(gate.metric("torii_gate_connections"), 2)
            until(lambda: unread(int(gate.addresses[0].split(":")[1])) == 1, "the third waits")
            second.close()
            self.assertEqual(third.answer().status, 200)

    def test_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/gate.sock"
            for _ in range(2):
                gate = self.gate({"listen": f"unix:{path}", "socket-mode": "660"})
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o660)
                self.assertEqual(gate.get(headers=bearer(self.valid)).header("x-user-id"), "user-ada")
                used = subprocess.run([TORII, "gate", "--issuer", self.torii.issuer, "--listen", f"unix:{path}"],
                                      capture_output=True, text=True)
                self.assertEqual(used.returncode, 7, used)
                self.assertIn(f"cannot listen on unix:{path}", used.stderr)
                # The second gate finds what the first, killed, leaves behind.
                gate.stop(signal.SIGKILL)
                self.assertTrue(os.path.exists(path))
            gate = self.gate({"listen": f"unix:{path}"})
            self.assertEqual(gate.stop(), 0)
            self.assertFalse(os.path.exists(path))
            with open(path, "w") as file:
                file.write("data")
            refused = subprocess.run([TORII, "gate", "--issuer", self.torii.issuer, "--listen", f"unix:{path}"],
                                     capture_output=True, text=True)
            self.assertEqual(refused.returncode, 7)
            self.assertTrue(os.path.isfile(path), "another file stays")

    def passed(self, names, options, sockets):
        """The gate as systemd starts it, with these sockets."""
        numbers = [listener.fileno() for listener in sockets]
        # First out of the way, then to their places.
        moves = [f"exec {50 + index}<&{number}" for index, number in enumerate(numbers)]
        moves += [f"exec {3 + index}<&{50 + index} {50 + index}<&-" for index in range(len(numbers))]
        script = "; ".join([*moves, f"export LISTEN_PID=$$ LISTEN_FDS={len(numbers)} LISTEN_FDNAMES={names}", 'exec "$@"'])
        return self.gate(options, prefix=["bash", "-c", script, "bash"], pass_fds=numbers)

    def test_sockets_of_systemd(self):
        with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as tcp, \
                socket.socket(socket.AF_UNIX) as unix, socket.create_server(("127.0.0.1", 0)) as admin:
            unix.bind(f"{folder}/gate.sock")
            unix.listen()
            options = {"listen": ["systemd:tcp", "systemd:unix"], "admin": "systemd:admin"}
            gate = self.passed("tcp:unix:admin", options, [tcp, unix, admin])
            places = (f"127.0.0.1:{tcp.getsockname()[1]}", f"unix:{folder}/gate.sock")
            for place in places:
                with Connection(place) as connection:
                    self.assertEqual(connection.get(headers=bearer(self.valid)).status, 200)
            with Connection(f"127.0.0.1:{admin.getsockname()[1]}") as connection:
                self.assertEqual(connection.get("/healthy").status, 200)
            # Between two gates, systemd keeps the sockets: a connection waits for the next one.
            self.assertEqual(gate.stop(), 0)
            self.assertTrue(os.path.exists(f"{folder}/gate.sock"))
            with Connection(places[0]) as connection:
                connection.request(headers=bearer(self.valid))
                self.passed("tcp:unix:admin", options, [tcp, unix, admin])
                self.assertEqual(connection.answer().status, 200)

    def test_a_socket_of_systemd_that_no_option_names(self):
        with socket.create_server(("127.0.0.1", 0)) as tcp:
            with self.assertRaisesRegex(AssertionError, "systemd passes the socket `tcp`: unused"):
                self.passed("tcp", {}, [tcp])
            with self.assertRaisesRegex(AssertionError, "cannot listen on systemd:gate: systemd does not pass it"):
                self.gate({"listen": "systemd:gate"})

    def test_systemd_is_told_of_start_and_end(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.settimeout(TIMEOUT)
            manager.bind(f"{folder}/notify")
            gate = self.gate(environment={"NOTIFY_SOCKET": f"{folder}/notify"})
            self.assertEqual(manager.recv(100), b"READY=1")
            gate.stop()
            self.assertEqual(manager.recv(100), b"STOPPING=1")

    def test_requests_in_progress_are_answered_before_the_end(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.torii.fault("hold")
            self.addCleanup(self.torii.clear_faults)
            gate = self.gate({"timeout": 60, "shutdown-timeout": 120})
            with gate.connect() as waiting, gate.connect() as idle, gate.connect() as used:
                waiting.request(headers=bearer(self.valid))
                self.assertEqual(used.get().status, 401)
                until(lambda: gate.metric("torii_gate_waiting") == 1, "a request waits for keys")
                gate.process.send_signal(number)
                until(lambda: any("stopping" in line for line in list(gate.lines)), "the gate stops")
                self.assertIsNone(idle.answer())
                self.assertIsNone(used.answer())
                until(lambda: refuses(gate), "connections are refused")
                self.torii.release()
                answer = waiting.answer()
                self.assertEqual((answer.status, answer.header("x-user-id")), (200, "user-ada"))
                self.assertIsNone(waiting.answer())
            # A second signal would end it at once.
            self.assertEqual(gate.process.wait(TIMEOUT), 0)
            self.assertEqual(gate.stop(), 0)
            self.assertEqual(gate.lines[-1], "torii gate: stopped")
            self.torii.clear_faults()

    def test_a_second_signal_ends_it_at_once(self):
        gate = self.gate({"shutdown-timeout": 3600})
        with gate.connect() as slow:
            slow.send(b"GET / HTTP/1.1\r\nHost: test\r\n")
            until(lambda: gate.metric("torii_gate_connections") == 1, "the connection is there")
            gate.process.send_signal(signal.SIGTERM)
            until(lambda: any("stopping" in line for line in list(gate.lines)), "the gate stops")
            self.assertEqual(gate.stop(), 0)
        self.assertEqual(gate.lines[-1], "torii gate: stopped with requests in progress")

    def test_the_end_has_a_deadline(self):
        gate = self.gate({"shutdown-timeout": 1})
        with gate.connect() as slow:
            slow.send(b"GET / HTTP/1.1\r\nHost: test\r\n")
            until(lambda: gate.metric("torii_gate_connections") == 1, "the connection is there")
            self.assertEqual(gate.stop(), 0)


if __name__ == "__main__":
    unittest.main()
