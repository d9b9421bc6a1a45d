"""Shared by the tests: a local torii, the gate, an application, and a client that sends what it is told."""

import contextlib
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

TORII = os.environ["TORII"]
EMULATOR = os.environ["TORII_EMULATOR"]
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
sys.path.append(f"{ROOT}/tests")

from ports import free_port  # noqa: E402, F401

# Seconds to wait for an event that is certain, even on a busy machine.
TIMEOUT = 120


def until(condition, what, seconds=TIMEOUT):
    """Waits until the condition holds, and returns its result."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


class Torii:
    """The local torii."""

    def __init__(self, port=0):
        command = [EMULATOR, "--port", str(port), "--until-stdin-closes"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        about = json.loads(self.process.stdout.readline())
        self.url, self.issuer, self.control = about["url"], about["issuer"], about["control"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data, method=method)
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def token(self, issuer="acme", **wish):
        return self.call("POST", f"/issuers/{issuer}/tokens", wish)["token"]

    def rotate(self, issuer="acme"):
        self.call("POST", f"/issuers/{issuer}/keys", {})

    def fault(self, kind, path="/acme/", **members):
        times = {"times": members.pop("times")} if "times" in members else {}
        self.call("POST", "/faults", {"path": path, "fault": {"kind": kind, **members}, **times})

    def release(self, path="/acme/"):
        """Has a request answered that the fault `hold` holds, as soon as it is there."""
        until(lambda: self.call("POST", "/faults/release", {"path": path})["released"], "a request is held")

    def clear_faults(self):
        self.call("DELETE", "/faults")

    def fetches(self, issuer="acme", at_least=0):
        """The number of requests for the issuer's keys; waits for this many."""
        path = f"/{issuer}/_torii/"
        return self.call("GET", f"/requests?path={path}&at_least={at_least}&timeout_ms={TIMEOUT * 1000}")["total"]


class Program:
    """A program that writes lines to standard error."""

    def __init__(self, command, **settings):
        self.lines = []
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **settings)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    @property
    def log(self):
        return "\n".join(self.lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def running(self):
        if self.process.poll() is not None:
            self.reader.join()
            raise AssertionError(f"{self.process.args[0]} ended with {self.process.returncode}:\n{self.log[-3000:]}")
        return True

    def wait(self, condition, what):
        """Waits until the condition holds; ends the program if that fails."""
        try:
            until(lambda: self.running() and condition(), what)
        except AssertionError:
            self.process.kill()
            self.stop()
            raise

    def stop(self, number=signal.SIGTERM):
        """Ends the program as an operator does; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(TIMEOUT)
        self.reader.join()
        self.process.stderr.close()
        return status

    def cpu(self):
        """The processor time of the process, in seconds."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """The memory of the process, in KiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


def toml(options):
    """Options as TOML. Its strings, numbers, booleans and arrays are those of JSON."""
    options = dict(options)
    routes = options.pop("route", [])
    lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    for route in routes:
        lines += ["[[route]]", *(f"{name} = {json.dumps(value)}" for name, value in route.items())]
    return "\n".join(lines)


class Gate(Program):
    """torii gate with the options in a file; addresses with port 0 get a free one."""

    def __init__(self, options, *arguments, environment=None, prefix=(), **settings):
        options = {"listen": "127.0.0.1:0", **options}
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(toml(options))
            file.flush()
            environment = {**os.environ, **(environment or {})}
            command = [*prefix, TORII, "gate", "--config", file.name, *arguments]
            super().__init__(command, env=environment, **settings)
            routes = sum(len(listed(route["listen"])) for route in options.get("route", []))
            count = len(listed(options["listen"])) + routes + ("admin" in options)
            self.wait(lambda: len(self.listening()) == count, "the gate listens")
        self.addresses = self.listening()
        self.admin = self.addresses[-1] if "admin" in options else None

    def listening(self):
        start = "torii gate: listening on "
        return [line.removeprefix(start).split()[0] for line in list(self.lines) if line.startswith(start)]

    def connect(self, number=0):
        return Connection(self.addresses[number])

    def get(self, path="/", headers=(), method="GET", number=0):
        with self.connect(number) as connection:
            return connection.get(path, headers, method)

    def admin_get(self, path, method="GET"):
        with Connection(self.admin) as connection:
            return connection.get(path, (), method)

    def metric(self, name):
        for line in self.admin_get("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        return None

    def ready(self):
        return self.running() and self.admin_get("/ready").status == 200


def listed(value):
    return value if isinstance(value, list) else [value]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def values(self, name):
        return [value for known, value in self.headers if known == name]

    def header(self, name):
        values = self.values(name)
        assert len(values) <= 1, f"{name} {len(values)} times"
        return values[0] if values else None

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:500]}"


class Connection:
    """A connection to `HOST:PORT` or `unix:PATH`, over which any bytes can be sent, well-formed or not."""

    def __init__(self, address):
        if address.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            target = address.removeprefix("unix:")
        else:
            self.socket = socket.socket()
            host, port = address.rsplit(":", 1)
            target = (host, int(port))
        self.socket.settimeout(TIMEOUT)
        try:
            self.socket.connect(target)
        except OSError:
            self.socket.close()
            raise
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.reader.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def request(self, path="/", headers=(), method="GET", body=None):
        head = [f"{method} {path} HTTP/1.1", "Host: test", *(f"{name}: {value}" for name, value in headers)]
        if body is not None:
            head.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + (body or b""))

    def answer(self, method="GET"):
        """The next answer; None if the connection was closed before."""
        try:
            line = self.reader.readline()
        except ConnectionError:
            return None
        if not line:
            return None
        headers = read_headers(self.reader)
        fields, body = dict(headers), b""
        if method == "HEAD":
            pass
        elif fields.get("transfer-encoding") == "chunked":
            while size := int(self.reader.readline(), 16):
                body += self.reader.read(size)
                self.reader.readline()
            read_headers(self.reader)
        elif "content-length" in fields:
            body = self.reader.read(int(fields["content-length"]))
        return Answer(int(line.split()[1]), headers, body)

    def get(self, path="/", headers=(), method="GET", body=None):
        self.request(path, headers, method, body)
        return self.answer(method)


def read_headers(reader):
    headers = []
    while line := reader.readline().rstrip(b"\r\n"):
        name, _, value = line.partition(b":")
        headers.append((name.decode("latin-1").lower(), value.strip().decode("latin-1")))
    return headers


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


class Application:
    """The application behind a proxy. It answers with the request as JSON, and remembers it."""

    def __init__(self, port=0):
        self.requests = []
        application = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(ConnectionError):
                    while application.serve(self.rfile, self.wfile):
                        pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, reader, writer):
        line = reader.readline()
        if not line:
            return False
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers = read_headers(reader)
        fields, body = dict(headers), b""
        if fields.get("transfer-encoding") == "chunked":
            while size := int(reader.readline(), 16):
                body += reader.read(size)
                reader.readline()
            read_headers(reader)
        elif "content-length" in fields:
            body = reader.read(int(fields["content-length"]))
        request = {"method": method, "path": path, "headers": headers, "body": body.decode("latin-1")}
        self.requests.append(request)
        answer, headers = self.answer(request)
        head = ["HTTP/1.1 200 OK", f"Content-Length: {len(answer)}", *(f"{name}: {value}" for name, value in headers)]
        writer.write("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + (b"" if method == "HEAD" else answer))
        return True

    def answer(self, request):
        return json.dumps(request).encode(), []
