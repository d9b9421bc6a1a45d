"""recipes.py EMULATOR LIBRARY PHP_PACKAGES LIBEVENT_SERVER NAME...: the HTTP servers of examples/ that the cookbook names.

Every recipe gets the same requests: libevent, rails with puma, laravel and symfony with PHP's own server. LIBEVENT_SERVER
is that example, built.
"""

import concurrent.futures
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "tests"))

from ports import free_port  # noqa: E402

# For an event that is certain to come, on a machine that is busy with other things.
PATIENCE = 300
ORGANIZATION = "0190d3c1-6a3e-7f4f-9c1b-8f1d2a3b4c5d"
KEYS = "/acme/_torii/.well-known/jwks.json"


def eventually(what, check):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            value = check()
            if value:
                return value
        except OSError:
            pass
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


class Torii:
    """The local torii."""

    def __init__(self, stack, emulator):
        process = subprocess.Popen([emulator, "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(process.wait)
        stack.callback(process.stdin.close)
        about = json.loads(process.stdout.readline())
        self.url, self.issuer, self.control_url = about["url"], about["issuer"], about["control"]

    def control(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.control_url + path, data, method=method), timeout=PATIENCE) as answer:
            return json.loads(answer.read() or b"null")

    def token(self, user="user-1", organization=None, **members):
        claims = {"sub": user} | members.pop("claims", {})
        if organization is not None:
            members |= {"organization": dict(zip(("id", "role"), organization)), "organization_claims": "object_rol"}
        return self.control("POST", "/issuers/acme/tokens", {"claims": claims, "expires_in": 86400} | members)["token"]

    def key_fetches(self):
        return self.control("GET", f"/requests?path={KEYS}")["total"]

    def fault(self, **fault):
        self.control("POST", "/faults", {"path": KEYS, "fault": fault})


class Server:
    """A program that serves HTTP on a port of its own, and ends cleanly."""

    def __init__(self, stack, arguments, environment, log, **options):
        self.port = int(environment["PORT"])
        self.log = log
        with open(log, "w") as output:
            self.process = subprocess.Popen(
                arguments, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options
            )
        stack.callback(self.stop)
        eventually(f"{arguments[0]} serves", self.serves)

    def serves(self):
        assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.log.read_text()}"
        return self.get("/health", "Bearer invalid")["status"] == 200

    def get(self, path, *authorization):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.putrequest("GET", path)
            for value in authorization:
                connection.putheader("Authorization", value)
            connection.endheaders()
            answer = connection.getresponse()
            return {"status": answer.status, "headers": answer.headers, "body": answer.read().decode()}
        finally:
            connection.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)


def assert_refused(answer, status, code):
    """The answer to a refused request; it does not tell the reason."""
    assert answer["status"] == status, answer
    assert json.loads(answer["body"])["error"]["code"] == code, answer
    assert "no-store" in answer["headers"]["Cache-Control"], answer
    assert answer["headers"]["Content-Type"].startswith("application/json"), answer
    challenge = answer["headers"].get_all("WWW-Authenticate", [])
    if status == 503:
        assert challenge == [] and int(answer["headers"]["Retry-After"]) >= 1, answer
    else:
        assert len(challenge) == 1 and challenge[0].startswith("Bearer "), answer
    return "".join(challenge)


def check_requests(torii, server):
    """The same for every recipe: who gets in, and the answers to those who do not."""
    valid = torii.token("user-1")
    admin = torii.token("user-2", organization=(ORGANIZATION, "admin"))
    member = torii.token("user-3", organization=(ORGANIZATION, "member"))
    elsewhere = torii.token("user-4", organization=("01900000-0000-7000-8000-000000000000", "admin"))

    assert "error=" not in assert_refused(server.get("/me"), 401, "authentication_failed")
    for token in (valid + ".", torii.token(signer="forged"), torii.token(now_offset=-100000)):
        challenge = assert_refused(server.get("/me", f"Bearer {token}"), 401, "authentication_failed")
        assert 'error="invalid_token"' in challenge, challenge
    assert_refused(server.get("/me", f"Basic {valid}"), 401, "authentication_failed")
    for path in ("/me", "/admin"):
        assert_refused(server.get(path), 401, "authentication_failed")
    for token in (valid, member, elsewhere):
        challenge = assert_refused(server.get("/admin", f"Bearer {token}"), 403, "forbidden")
        assert 'error="insufficient_scope"' in challenge, challenge
    for path, token, user in (
        ("/me", valid, "user-1"),
        ("/me", admin, "user-2"),
        ("/admin", admin, "user-2"),
        ("/me", valid, "user-1"),
    ):
        answer = server.get(path, f"Bearer {token}")
        assert answer["status"] == 200 and user in answer["body"], answer
    assert server.get("/health")["status"] == 200


def check_outage(torii, start):
    """A server that has no keys yet answers 503, and 200 once there are some."""
    torii.fault(kind="status", status=500)
    token = torii.token()
    server = start()
    assert_refused(server.get("/me", f"Bearer {token}"), 503, "keys_unavailable")
    torii.control("DELETE", "/faults")
    # After the backoff.
    eventually("200", lambda: server.get("/me", f"Bearer {token}")["status"] == 200)
    return server


def rails(stack, torii, library, folder):
    environment = {
        "TORII_LIBRARY": str(library),
        "TORII_ISSUER": torii.issuer,
        "PORT": str(free_port()),
        "RAILS_ENV": "production",
        "SECRET_KEY_BASE": "of tests",
        "RUBYLIB": str(ROOT / "bindings/ruby/lib"),
    }
    application = shutil.copytree(ROOT / "examples/rails", folder / "rails")

    def start(*options):
        arguments = ["puma", *options, "--bind", f"tcp://127.0.0.1:{environment['PORT']}", "config.ru"]
        return Server(stack, arguments, environment, folder / "server.log", cwd=application)

    check_outage(torii, start).stop()
    # Two workers, forked from a process that has the verifier.
    server = start("--workers", "2", "--preload")
    check_requests(torii, server)
    twice = server.get("/me", *[f"Bearer {torii.token()}"] * 2)
    assert_refused(twice, 401, "authentication_failed")


def php(stack, torii, library, folder, packages, front):
    # Debian's packages have the PHP code of the PSR interfaces, which the extension of that name has too.
    configuration = folder / "php"
    configuration.mkdir()
    scanned = subprocess.run(["php", "-r", "echo PHP_CONFIG_FILE_SCAN_DIR;"], check=True, capture_output=True, text=True).stdout
    for file in Path(scanned).glob("*.ini"):
        if not file.name.endswith("psr.ini"):
            (configuration / file.name).symlink_to(file)
    environment = {
        "TORII_LIBRARY": str(library),
        "TORII_ISSUER": torii.issuer,
        "PORT": str(free_port()),
        "PHP_INI_SCAN_DIR": str(configuration),
        "PHP_PACKAGES": str(packages),
        "AUTOLOAD": str(ROOT / "tests/recipes/php/autoload.php"),
        "FOLDER": str(folder),
    }
    arguments = ["php", "-d", "ffi.enable=true", "-S", f"127.0.0.1:{environment['PORT']}", front]
    check_requests(torii, check_outage(torii, lambda: Server(stack, arguments, environment, folder / "server.log")))


def laravel(stack, torii, library, folder, packages):
    for part in ("examples/laravel", "tests/recipes/php/laravel"):
        shutil.copytree(ROOT / part, folder / "laravel", dirs_exist_ok=True)
    for writable in ("bootstrap/cache", "storage"):
        (folder / "laravel" / writable).mkdir(parents=True)
    php(stack, torii, library, folder, packages, folder / "laravel/public/index.php")


def symfony(stack, torii, library, folder, packages):
    php(stack, torii, library, folder, packages, ROOT / "tests/recipes/php/symfony.php")


def libevent(stack, torii, library, folder, program):
    def start(issuer=torii.issuer, **environment):
        environment = {"PORT": str(free_port()), "LD_LIBRARY_PATH": str(library.parent)} | environment
        return Server(stack, [program, issuer, environment["PORT"]], environment, folder / "server.log")

    check_requests(torii, check_outage(torii, start))
    check_parked(torii, start)
    check_renewal(torii, start)
    check_silent_issuer(torii, start)
    check_tls(stack, torii, start, folder)


def check_parked(torii, start):
    """Requests wait for keys without the loop waiting; some of the clients do not."""
    torii.control("DELETE", "/requests")
    torii.fault(kind="hold")
    server = start()
    header = f"Bearer {torii.token('parked')}"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = [pool.submit(server.get, "/me", header) for _ in range(5)]
        gone = socket.create_connection(("127.0.0.1", server.port))
        gone.sendall(f"GET /me HTTP/1.1\r\nHost: a\r\nAuthorization: {header}\r\n\r\n".encode())
        gone.close()
        eventually("the fetch is held", lambda: torii.key_fetches() >= 1)
        # Few, as the server waits for the fetch for 5 seconds.
        for _ in range(3):
            assert server.get("/health")["status"] == 200
            assert_refused(server.get("/me", "Bearer abc"), 401, "authentication_failed")
        assert not any(each.done() for each in waiting)
        torii.control("POST", "/faults/release", {"path": KEYS})
        for each in waiting:
            answer = each.result(timeout=PATIENCE)
            assert (answer["status"], answer["body"]) == (200, "parked"), answer
    assert torii.key_fetches() == 1, "one fetch serves all"
    torii.control("DELETE", "/faults")
    twice = server.get("/me", header, header)
    assert_refused(twice, 401, "authentication_failed")
    assert server.stop() == 0, server.log.read_text()


def check_renewal(torii, start):
    """Keys are fetched before they expire, without a request, and with their entity tag."""
    torii.control("PUT", "/issuers/acme/jwks", {"cache_control": "max-age=1"})
    torii.control("DELETE", "/requests")
    server = start()
    # The library keeps keys for a minute at least, so the third fetch is more than a minute after the first.
    seen = eventually("a renewal", lambda: (r := torii.control("GET", f"/requests?path={KEYS}"))["total"] >= 2 and r)
    headers = {name.lower(): value for name, value in dict(seen["requests"][1]["headers"]).items()}
    assert "if-none-match" in headers, headers
    torii.control("PUT", "/issuers/acme/jwks", {})
    answer = server.get("/me", f"Bearer {torii.token()}")
    assert answer["status"] == 200, answer
    assert server.stop() == 0, server.log.read_text()


def check_silent_issuer(torii, start):
    """An issuer that never answers: requests are refused after the timeout, and the server ends in the middle of a fetch."""
    torii.fault(kind="hang")
    server = start()
    assert_refused(server.get("/me", f"Bearer {torii.token()}"), 503, "keys_unavailable")
    assert server.stop() == 0, server.log.read_text()
    server = start()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(server.get, "/me", f"Bearer {torii.token()}")
        eventually("a fetch hangs", lambda: torii.key_fetches() > 0)
        assert server.get("/health")["status"] == 200
        assert server.stop() == 0, server.log.read_text()
        assert isinstance(waiting.exception(timeout=PATIENCE), (OSError, http.client.HTTPException)) or waiting.result()["status"] == 503
    torii.control("DELETE", "/faults")


def check_tls(stack, torii, start, folder):
    """The certificate of the issuer and its name are verified."""

    class Relay(BaseHTTPRequestHandler):
        def do_GET(self):
            with urllib.request.urlopen(torii.url + self.path, timeout=PATIENCE) as answer:
                body = answer.read()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def certificate(name):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        return folder / f"{name}.pem"

    def issuer(name):
        """An issuer at localhost whose certificate is for this name."""
        relay = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(name), folder / f"{name}.key")
        relay.socket = context.wrap_socket(relay.socket, server_side=True, do_handshake_on_connect=False)
        relay.handle_error = lambda *_: None  # a client that refuses the certificate
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        stack.callback(relay.shutdown)
        return f"https://localhost:{relay.server_port}/acme"

    right, wrong = issuer("localhost"), issuer("other.example")
    for url, trusted, status in (
        (right, "localhost", 200),
        (right, "other.example", 503),
        (wrong, "other.example", 503),
    ):
        server = start(url, SSL_CERT_FILE=str(folder / f"{trusted}.pem"))
        answer = server.get("/me", f"Bearer {torii.token(claims={'iss': url})}")
        assert answer["status"] == status, (url, trusted, answer, server.log.read_text())
        assert server.stop() == 0, server.log.read_text()


def main(emulator, library, packages, libevent_server, *names):
    library, packages = Path(library).resolve(), Path(packages).resolve()
    recipes = {
        "libevent": lambda *a: libevent(*a, Path(libevent_server).resolve()),
        "rails": rails,
        "laravel": lambda *a: laravel(*a, packages),
        "symfony": lambda *a: symfony(*a, packages),
    }
    for name in names or recipes:
        began = time.monotonic()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            torii = Torii(stack, emulator)
            try:
                recipes[name](stack, torii, library, folder)
            except BaseException:
                if (folder / "server.log").exists():
                    print((folder / "server.log").read_text()[-5000:], file=sys.stderr)
                raise
        print(f"{name}: ok, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
