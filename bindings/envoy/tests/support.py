"""The servers that the tests use: a local torii, an upstream, and the real Envoy between them."""

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

ENVOY = os.environ["ENVOY"]
MODULE_DIR = os.environ["MODULE_DIR"]
EMULATOR = os.environ["TORII_EMULATOR"]
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))
sys.path.append(f"{ROOT}/tests")

from ports import free_port  # noqa: E402

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
        self.issuer, self.control = about["issuer"], about["control"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data, method=method)
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def token(self, issuer="acme", **wish):
        return self.call("POST", f"/issuers/{issuer}/tokens", wish)["token"]

    def rotate(self, issuer="acme"):
        return self.call("POST", f"/issuers/{issuer}/keys", {})["kid"]

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

    def reset(self):
        self.call("POST", "/reset")


class Upstream:
    """Answers with the request as JSON, and remembers it. Accepts every upgrade, and then echoes."""

    def __init__(self, address):
        self.requests = []
        upstream = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(ConnectionError):
                    while upstream.answer(self.rfile, self.wfile):
                        pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

        if isinstance(address, str):
            Server.address_family = socket.AF_UNIX
        self.server = Server(address, Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, reader, writer):
        line = reader.readline()
        if not line:
            return False
        headers, body, trailers = read_headers(reader), b"", []
        fields = {name: value for name, value in headers}
        if "upgrade" in fields:
            self.requests.append({"line": line.decode().strip(), "headers": headers})
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                         b"Upgrade: " + fields["upgrade"].encode() + b"\r\n\r\n")
            while data := reader.read1(65536):
                writer.write(data)
            return False
        if fields.get("transfer-encoding") == "chunked":
            while size := int(reader.readline(), 16):
                body += reader.read(size)
                reader.readline()
            trailers = read_headers(reader)
        elif length := int(fields.get("content-length", 0)):
            body = reader.read(length)
        seen = {"line": line.decode().strip(), "headers": headers, "length": len(body),
                "trailers": trailers}
        self.requests.append(seen)
        answer = json.dumps(seen).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        return True


def read_headers(reader):
    headers = []
    while (line := reader.readline().rstrip(b"\r\n")):
        name, _, value = line.partition(b":")
        headers.append((name.decode("latin-1").lower(), value.strip().decode("latin-1")))
    return headers


class Answer:
    """An answer, and the request as the upstream saw it, if it came that far."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def header(self, name):
        values = [value for known, value in self.headers if known == name]
        return values[0] if values else None

    @property
    def json(self):
        return json.loads(self.body)

    def seen(self, name):
        """The values of a header as the upstream saw them."""
        return [value for known, value in self.json["headers"] if known == name]

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:500]}"


class Connection:
    """A connection over which any bytes can be sent, well-formed or not."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        try:
            self.socket.connect(path)
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

    def request(self, path="/", headers=(), body=None, method=None):
        head = [f"{method or ('GET' if body is None else 'POST')} {path} HTTP/1.1", "host: test"]
        head += [f"{name}: {value}" for name, value in headers]
        if body is not None:
            head.append(f"content-length: {len(body)}")
        self.send("\r\n".join(head).encode() + b"\r\n\r\n" + (body or b""))

    def answer(self, method="GET"):
        line = self.reader.readline()
        if not line:
            return None
        headers = read_headers(self.reader)
        fields = dict(headers)
        body = b""
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


def module(config, name="torii"):
    """The filter with this configuration."""
    return {
        "name": name,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3"
                     ".DynamicModuleFilter",
            "dynamic_module_config": {"name": "torii_envoy"},
            "filter_name": "torii",
            "filter_config": any_of(config),
        },
    }


def any_of(config):
    """A configuration as text, or as the members of a struct."""
    kind = "StringValue" if isinstance(config, str) else "Struct"
    return {"@type": f"type.googleapis.com/google.protobuf.{kind}", "value": config}


def on_route(config):
    """The configuration of the filter for a route."""
    return {
        "torii": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3"
                     ".DynamicModuleFilterPerRoute",
            "dynamic_module_config": {"name": "torii_envoy"},
            "filter_name": "torii",
            "filter_config": any_of(config),
        }
    }


ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    },
}


def listener(address, filters, routes=None, **settings):
    """A listener on a socket: its path, or a host and a port. All goes to the upstream unless
    `routes` say otherwise."""
    if routes is None:
        routes = [{"match": {"prefix": "/"}, "route": {"cluster": "upstream"}}]
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
                 ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "test",
        "delayed_close_timeout": "0.1s",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [*filters, ROUTER],
        **settings,
    }
    chain = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {"name": str(address), "address": address_of(address),
            "filter_chains": [{"filters": [chain]}]}


def address_of(address):
    if isinstance(address, str):
        return {"pipe": {"path": address}}
    return {"socket_address": {"address": address[0], "port_value": address[1]}}


class Envoy:
    """The real Envoy with these listeners, in a directory of its own."""

    def __init__(self, listeners, directory, *, concurrency=2, environment=None, arguments=(),
                 binary=ENVOY, clusters=(), prefix=(), dynamic=None):
        """`listeners` is a list of functions of the path of a socket."""
        self.directory = tempfile.mkdtemp(dir=directory)
        self.paths = [f"{self.directory}/{number}" for number in range(len(listeners))]
        self.admin = f"{self.directory}/admin"
        self.log_path = f"{self.directory}/log"
        config = {
            "admin": {"address": {"pipe": {"path": self.admin}}},
            "static_resources": {
                "listeners": [make(path) for make, path in zip(listeners, self.paths)],
                "clusters": [upstream_cluster(f"{directory}/upstream"), *clusters],
            },
        }
        if dynamic:
            config["dynamic_resources"] = dynamic
        with open(f"{self.directory}/envoy.json", "w") as file:
            json.dump(config, file)
        command = [*prefix, binary, "-c", f"{self.directory}/envoy.json", "--disable-hot-restart",
                   "--concurrency", str(concurrency), "--file-flush-interval-msec", "20", *arguments]
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=self.log,
            env={**os.environ, "ENVOY_DYNAMIC_MODULES_SEARCH_PATH": MODULE_DIR,
                 **(environment or {})},
        )

    def __enter__(self):
        try:
            until(self.ready, "Envoy ready")
        except AssertionError:
            self.process.kill()
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends Envoy as an operator does, and gives its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(TIMEOUT)
        self.log.close()
        return status

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"Envoy ended with {self.process.returncode}:\n{self.log_text()[-3000:]}")
        try:
            return self.admin_get("/ready") == "LIVE\n"
        except OSError:
            return False

    def admin_get(self, path):
        with Connection(self.admin) as connection:
            connection.request(path)
            return connection.answer().body.decode()

    def ports(self):
        """Where the listeners on TCP listen, in their order."""
        listeners = json.loads(self.admin_get("/listeners?format=json"))["listener_statuses"]
        addresses = (known["local_address"].get("socket_address") for known in listeners)
        return [address["port_value"] for address in addresses if address]

    def stats(self):
        """The counters of the module."""
        lines = self.admin_get("/stats?filter=torii_").splitlines()
        pairs = [line.rsplit(": ", 1) for line in lines]
        return {name.split(".", 1)[1]: int(value) for name, value in pairs}

    def log_text(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def connect(self, number=0):
        return Connection(self.paths[number])

    def get(self, path="/", headers=(), body=None, method=None, number=0):
        with self.connect(number) as connection:
            connection.request(path, headers, body, method)
            return connection.answer()

    def cpu(self):
        """The processor time the process has used, in seconds."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss(self):
        """The memory of the process, in KiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


def cluster(name, address, **settings):
    """A cluster of one endpoint: the path of a socket, or a host and a port."""
    endpoint = {"endpoint": {"address": address_of(address)}}
    assignment = {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}
    return {"name": name, "connect_timeout": f"{TIMEOUT}s", "load_assignment": assignment, **settings}


def upstream_cluster(path):
    options = {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http_protocol_options": {"enable_trailers": True}},
    }
    name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    return cluster("upstream", path, typed_extension_protocol_options={name: options})


def bearer(token):
    return [("authorization", f"Bearer {token}")]
