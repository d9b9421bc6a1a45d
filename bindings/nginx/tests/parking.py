"""Shared by the tests of requests that wait for keys."""

import unittest

from harness import Backend, Client, Emulator, Nginx, ask, eventually, free_port, unread


class Parking(unittest.TestCase):
    """Each test has an nginx of its own, started while the issuer is as the test wants it."""

    def setUp(self):
        self.emulator = Emulator()
        self.addCleanup(self.emulator.stop)
        self.backend = Backend()
        self.addCleanup(self.backend.stop)
        self.port, self.http2_port = free_port(), free_port()
        self.stopped = False

    def start(self, directives="", **how):
        server = f"""
            torii_issuer {self.emulator.issuer};
            {directives}
            location /open {{ return 200 open; }}
            location /guarded {{ torii on; return 200 "$torii_user_id"; }}
            location /proxied {{ torii on; client_max_body_size 8m;
                                 proxy_pass http://127.0.0.1:{self.backend.port}; }}
            location /decided {{ auth_request /auth; proxy_pass http://127.0.0.1:{self.backend.port}; }}
            location = /auth {{ internal; torii on; return 204; }}
            location /any {{ torii on; satisfy any; allow 127.0.0.1;
                             proxy_pass http://127.0.0.1:{self.backend.port}; }}
        """
        self.nginx = Nginx(f"""
            server {{ listen 127.0.0.1:{self.port}; {server} }}
            server {{ listen 127.0.0.1:{self.http2_port} http2; {server} }}
        """, **how).ready(self.port)
        self.addCleanup(self.stop)
        return self.nginx

    def stop(self, *how):
        if not self.stopped:
            self.stopped = True
            self.nginx.stop(*how)

    def ask(self, path="/guarded", token=None, **how):
        return ask(self.port, path, token, **how)

    def connect(self, token, path="/guarded", **how):
        """A connection with a request."""
        client = Client(self.port)
        self.addCleanup(client.close)
        client.send(path, token, **how)
        return client

    def park(self, n, token, path="/guarded", **how):
        """Connections whose requests have arrived, and are not answered."""
        clients = [self.connect(token, path, **how) for _ in range(n)]
        self.is_parked(n)
        return clients

    def is_parked(self, n, port=None):
        """The worker has read the requests: nothing waits in its sockets any more."""
        def idle():
            queues = unread(port or self.port)
            return len(queues) >= n and not any(queues)
        eventually(idle, what="parking")
