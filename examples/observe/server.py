"""server.py ISSUER PORT [OPTION=VALUE...]: verifies tokens, and has metrics at /metrics.

An OPTION is one of ToriiVerifier: server.py https://acme.torii.so 9110 revocations_file=revoked.json
"""

import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

from torii_backend import METRICS_TYPE, ToriiAuthError, ToriiVerifier


class ThreadedServer(ThreadingMixIn, WSGIServer):
    """A scrape waits for no request."""

    daemon_threads = True


def application(verifier):
    def answer(environ, start_response):
        if environ["PATH_INFO"] == "/metrics":
            start_response("200 OK", [("Content-Type", METRICS_TYPE)])
            return [verifier.metrics().encode()]
        try:
            auth = verifier.authenticate(environ.get("HTTP_AUTHORIZATION"))
        except ToriiAuthError as error:
            start_response(f"{error.http_status} {error.public_code}", [("Content-Type", "text/plain")])
            return [f"{error.public_message}\n".encode()]
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"hello, {auth.user_id}\n".encode()]

    return answer


def main(issuer, port, *options):
    values = {"true": True, "false": False}
    named = (option.split("=", 1) for option in options)
    verifier = ToriiVerifier(issuer, **{name: values.get(value, value) for name, value in named})
    make_server("127.0.0.1", int(port), application(verifier), ThreadedServer).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
