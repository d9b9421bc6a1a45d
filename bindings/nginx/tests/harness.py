"""A real nginx with the module, the local torii behind it, and a client that sends what it is told."""

import atexit
import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

MODULE = os.environ["TORII_MODULE"]
EMULATOR = os.environ["TORII_EMULATOR"]
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.append(f"{ROOT}/tests")

from ports import free_port  # noqa: E402

# How long to wait for a certain event, on a machine that is busy with other things.
TIMEOUT = 120


def eventually(check, seconds=TIMEOUT, what="it"):
    """Returns the result of check() as soon as it is true."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(0.01)


def quoted(value):
    """As an argument in nginx.conf."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unread(port):
    """How many bytes wait in each connection that was accepted at the port."""
    queues = []
    with open("/proc/net/tcp") as file:
        for line in file.readlines()[1:]:
            _, local, _, state, queue = line.split()[:5]
            if local == f"0100007F:{port:04X}" and state == "01":
                queues.append(int(queue.split(":")[1], 16))
    return queues


def computed(pid):
    """Seconds a process has computed, apart from other programs."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- the issuer ----------------------------------------------------------------------------------


class Emulator:
    def __init__(self, port=0):
        self.process = subprocess.Popen(
            [EMULATOR, "--port", str(port), "--until-stdin-closes"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        about = json.loads(self.process.stdout.readline())
        self.control, self.issuer, self.url = about["control"], about["issuer"], about["url"]
        self.environment_id = about["environment_id"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.control + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def token(self, issuer="acme", **members):
        return self.call("POST", f"/issuers/{issuer}/tokens", members)["token"]

    def jwks(self):
        with urllib.request.urlopen(f"{self.issuer}/_torii/.well-known/jwks.json", timeout=TIMEOUT) as answer:
            return answer.read().decode()

    def serve_jwks(self, **settings):
        """Has the key set served in another way; without settings, as it is."""
        self.call("PUT", "/issuers/acme/jwks", settings)

    def fault(self, kind, path="/acme/", **members):
        fault = {"kind": kind, **{k: v for k, v in members.items() if k not in ("times", "handled")}}
        times = {"times": members["times"]} if "times" in members else {}
        self.call("POST", "/faults", {"path": path, "fault": fault, **times})

    def release(self, path="/acme/"):
        """Has a request answered that the fault `hold` holds, as soon as it is there."""
        eventually(lambda: self.call("POST", "/faults/release", {"path": path})["released"], what="a held request")

    def clear(self):
        self.call("DELETE", "/faults")

    def fetches(self, at_least=0, path="/acme/"):
        wait = f"&at_least={at_least}&timeout_ms={TIMEOUT * 1000}" if at_least else ""
        return self.call("GET", f"/requests?path={path}{wait}")["total"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(TIMEOUT)
        self.process.stdout.close()


# ---- the backend ---------------------------------------------------------------------------------


class Backend(http.server.ThreadingHTTPServer):
    """Answers with what it was sent, and remembers it."""

    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), BackendHandler)
        self.port = self.server_address[1]
        self.seen = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


class BackendHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = json.dumps({"method": self.command, "path": self.path, "length": len(body),
                           "headers": [[k.lower(), v] for k, v in self.headers.items()]}).encode()
        self.send_response(200)
        self.server.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        accel = self.headers.get("X-Want-Accel")
        if accel:
            self.send_header("X-Accel-Redirect", accel)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


# ---- the client ----------------------------------------------------------------------------------


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        found = [value for key, value in self.headers if key == name.lower()]
        assert len(found) <= 1, f"{name} {len(found)} times"
        return found[0] if found else None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


class Client:
    """A connection."""

    def __init__(self, port, timeout=TIMEOUT):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, path="/", token=None, headers=(), body=b"", method="GET", chunked=False):
        lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: edge"]
        if token is not None:
            lines.append(b"Authorization: Bearer " + token.encode())
        for name, value in headers:
            value = value if isinstance(value, bytes) else value.encode()
            lines.append(name.encode() + b": " + value)
        if chunked:
            lines.append(b"Transfer-Encoding: chunked")
            pieces = [body[i:i + 5000] for i in range(0, len(body), 5000)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
        elif body:
            lines.append(b"Content-Length: %d" % len(body))
        self.socket.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)

    def receive(self, method="GET"):
        first = self.file.readline()
        if not first:
            return None
        status = int(first.split()[1])
        headers = []
        while (line := self.file.readline().rstrip(b"\r\n")):
            name, value = line.split(b":", 1)
            headers.append((name.decode().lower(), value.strip().decode("latin-1")))
        found = dict(headers)
        body = b""
        if found.get("transfer-encoding") == "chunked":
            while (size := int(self.file.readline(), 16)):
                body += self.file.read(size)
                self.file.readline()
            self.file.readline()
        elif method != "HEAD":
            body = self.file.read(int(found.get("content-length", 0)))
        return Answer(status, headers, body)


def ask(port, path="/", token=None, **how):
    with Client(port) as client:
        client.send(path, token, **how)
        return client.receive(how.get("method", "GET"))


# ---- nginx ---------------------------------------------------------------------------------------


class Nginx:
    """Runs until stop(), which also looks for what must never be in the log."""

    EXPECTED = r"\[(alert|crit|emerg)\]|exited on signal|exited with code [1-9]"

    def __init__(self, http, main="", workers=1, threads=4, start=True, seconds=TIMEOUT):
        self.folder = tempfile.mkdtemp(prefix="torii-nginx-")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        # The workers run as the user nobody.
        os.chmod(self.folder, 0o755)
        self.log = os.path.join(self.folder, "error.log")
        self.seconds = seconds
        self.workers, self.threads = workers, threads
        self.main = main
        self.allowed = None
        self.write(http)
        if start:
            self.start()

    def start(self, wrapper=(), environment=None):
        self.process = subprocess.Popen([*wrapper, *self.command()], env=environment,
                                        stdin=subprocess.DEVNULL)
        return self

    def command(self, *more):
        return [NGINX, "-p", self.folder, "-c", "nginx.conf", "-e", self.log, *more]

    def write(self, http):
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(os.path.join(self.folder, "nginx.conf"), "w") as file:
            file.write(f"""
load_module "{MODULE}";
daemon off;
worker_processes {self.workers};
pid {self.folder}/nginx.pid;
error_log {self.log} info;
thread_pool default threads={self.threads};
{self.main}
events {{ worker_connections 1000; }}
http {{
    access_log off;
    {temporary}
    {http}
}}
""")

    def test(self):
        done = subprocess.run(self.command("-t"), capture_output=True, text=True)
        return done.returncode, done.stderr

    def ready(self, port):
        def connects():
            assert self.process.poll() is None, self.read_log()
            if "start worker process" not in self.read_log():
                return False
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), TIMEOUT):
                return True
        eventually(connects, self.seconds, "nginx")
        return self

    def read_log(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log) as file:
            return file.read()

    def children(self):
        """The workers that do not end, oldest first."""
        workers = []
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            pids = sorted(int(pid) for pid in file.read().split())
        for pid in pids:
            with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline") as file:
                title = file.read()
                if "worker process" in title and "shutting" not in title:
                    workers.append(pid)
        return workers

    def reload(self):
        before = set(self.children())
        self.process.send_signal(signal.SIGHUP)
        eventually(lambda: (now := set(self.children())) and not now & before, what="new workers")

    def stop(self, how=signal.SIGQUIT, seconds=TIMEOUT):
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(seconds)
        bad = [line for line in self.read_log().splitlines() if re.search(self.EXPECTED, line)
               and not (self.allowed and re.search(self.allowed, line))]
        assert not bad, "\n".join(bad)
        assert self.process.returncode == 0, self.process.returncode


class Case(unittest.TestCase):
    """Tests of one configuration. `config()` says which; PORT in it is a free one."""

    maxDiff = None
    workers = 1
    main = ""

    @classmethod
    def setUpClass(cls):
        cls.emulator = Emulator()
        cls.backend = Backend()
        cls.port = free_port()
        cls.nginx = Nginx(cls.config(), main=cls.main, workers=cls.workers).ready(cls.port)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.nginx.stop()
        finally:
            cls.backend.stop()
            cls.emulator.stop()

    def ask(self, path="/", token=None, **how):
        return ask(self.port, path, token, **how)

    def refused(self, answer, status=401):
        """A refusal as it has to be."""
        code = {401: "authentication_failed", 403: "forbidden", 503: "keys_unavailable"}[status]
        self.assertEqual((answer.status, answer.header("content-type")), (status, "application/json"),
                         answer.body)
        self.assertEqual(answer.json["error"]["code"], code)
        self.assertEqual(answer.header("cache-control"), "no-store")
        challenge = answer.header("www-authenticate")
        self.assertEqual(challenge is not None, status in (401, 403))
        if challenge:
            self.assertTrue(challenge.startswith('Bearer realm="torii"'), challenge)
        self.assertEqual(answer.header("retry-after") is not None, status == 503)
